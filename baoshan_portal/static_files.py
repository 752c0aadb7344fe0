"""Static files as they are collected."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticFiles(CompressedManifestStaticFilesStorage):
    """WhiteNoise's, compressed by gzip alone.

    Brotli, which pages are compressed with, takes at its highest quality ten seconds for all files,
    at every start, and saves a reader less than 20 kB, once.
    """

    def create_compressor(self, **options):
        return super().create_compressor(use_brotli=False, **options)
