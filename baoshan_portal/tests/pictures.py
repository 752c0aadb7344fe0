"""Takes the pictures of the README and of the staff guide: ``make pictures``.

Everything on them is the real report, entered and published by a made-up staff.
"""

import tempfile
from pathlib import Path

from django.conf import settings

from . import standalone  # noqa: F401  (sets Django up)
from .browser import chromium
from .people import QUICK, hire, press, sign_in
from .server import serve

FOLDER = settings.BASE_DIR / "static/pictures"
SHEET = "/admin/entry/2023-q4/science-technology/"


def main():
    FOLDER.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        serve(Path(folder), DJANGO_SETTINGS_MODULE=QUICK) as server,
    ):
        hire(Path(folder))
        with chromium() as browser:
            page = browser.new_page(viewport={"width": 1280, "height": 800})

            def take(name: str, path: str) -> None:
                page.goto(server.address + path)
                page.screenshot(path=FOLDER / f"{name}.png")

            take("overview", "/")
            sign_in(page, server, "editor")
            page.goto(f"{server.address}{SHEET}")
            page.fill("[name=figure-high-tech-enterprises-figure]", "1,612家")
            page.fill("[name=figure-technology-smes-registered-figure]", "１１８０")
            press(page.locator("button[name=save]"))
            for language, prefix in (("zh", ""), ("en", "/en")):
                take(f"work-{language}", f"{prefix}/admin/")
                take(f"sheet-{language}", f"{prefix}{SHEET}")
            page.goto(f"{server.address}{SHEET}")
            press(page.locator("button[name=submit]"))
            sign_in(page, server, "reviewer")
            for language, prefix in (("zh", ""), ("en", "/en")):
                take(f"review-{language}", f"{prefix}/admin/review/")


if __name__ == "__main__":
    main()
