from django.apps import AppConfig
from django.core import checks


class OperatingConfig(AppConfig):
    name = "baoshan_portal.operating"

    def ready(self):
        from . import serving

        checks.register(serving.check, checks.Tags.database)
