"""Shows every kind of public page as readers see it: ``make screenshots`` fills var/screenshots/.

On a desk and on a phone, in large type, dark, and on paper, in both languages, on the real report.
They are made to be looked at; nothing compares them.
"""

import tempfile
from pathlib import Path

from . import standalone  # noqa: F401  (sets Django up)
from .browser import chromium
from .pages import EMBEDS, PLAIN_PAGES, in_both_languages
from .server import serve

FOLDER = Path("var/screenshots")
#: A measure with figures, one without, and indicators of every sort.
ROWS = (
    "/measures/policy-guaranteed-loans/",
    "/indicators/guaranteed-loan-amount/",
    "/indicators/academician-workstations-new/",
    "/indicators/high-tech-enterprises/",
    "/find/?q=石墨烯",
    "/packs/?section=resource-integration",
    "/changes/?from=2023-07-01",
    "/indicators/?as_of=2023-07-01",
    "/no-such-page/",
)
#: Width of the window, cookies, and the medium, by the name of the file.
MODES = {
    "desk": (1280, {}, "screen"),
    "phone": (390, {}, "screen"),
    "large": (1280, {"size": "large"}, "screen"),
    "large-phone": (390, {"size": "large"}, "screen"),
    "dark": (1280, {"theme": "dark"}, "screen"),
    "paper": (794, {}, "print"),
}


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    addresses = in_both_languages(*PLAIN_PAGES, *ROWS, *EMBEDS)
    with (
        tempfile.TemporaryDirectory() as folder,
        serve(Path(folder)) as server,
        chromium() as browser,
    ):
        for mode, (width, cookies, medium) in MODES.items():
            context = browser.new_context(viewport={"width": width, "height": 900})
            context.add_cookies(
                [{"name": n, "value": v, "url": server.address} for n, v in cookies.items()]
            )
            page = context.new_page()
            page.emulate_media(media=medium)
            for address in addresses:
                page.goto(server.address + address)
                page.screenshot(path=FOLDER / f"{name_of(address)}-{mode}.png", full_page=True)
            context.close()
    print(f"{len(addresses)} pages in {len(MODES)} modes: {FOLDER}")


def name_of(address: str) -> str:
    """A file name that tells the page and its language: en-indicators-q-…"""
    language, path = ("en", address[3:]) if address.startswith("/en/") else ("zh", address)
    words = "".join(c if c.isalnum() or c in "-." else " " for c in path).split()
    return "-".join([language, *(words or ["overview"])])


if __name__ == "__main__":
    main()
