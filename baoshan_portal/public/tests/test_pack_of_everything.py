"""A pack of the whole report is no book: LibreOffice counts its pages."""

import os
import re
import subprocess

import pytest

from baoshan_portal.tests.slices import some

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.once("reads a file, whatever database made it"),
    pytest.mark.sweep,
    pytest.mark.long,
]


def test_a_pack_of_everything_is_at_most_twenty_pages(client, report, soffice, tmp_path):
    packs = dict(some({"zh": "/packs/pack.docx", "en": "/en/packs/pack.docx"}.items(), every=2))
    for language, address in packs.items():
        (tmp_path / f"{language}.docx").write_bytes(client.get(address).content)

    subprocess.run(
        [soffice, f"-env:UserInstallation=file://{tmp_path}/home", "--headless", "--convert-to",
         "pdf", "--outdir", str(tmp_path), *(str(tmp_path / f"{name}.docx") for name in packs)],
        check=True, capture_output=True, timeout=240,
    )  # fmt: skip

    if not list(tmp_path.glob("*.pdf")) and not os.environ.get("CI"):
        pytest.skip("LibreOffice has no Writer here, so no page was counted.")
    for language in packs:
        pages = re.findall(rb"/Type\s*/Page\b", (tmp_path / f"{language}.pdf").read_bytes())
        assert 5 < len(pages) <= 20, language
