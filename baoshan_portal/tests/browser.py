"""The system's Chromium, driven by Playwright."""

import os
import shutil
from contextlib import contextmanager

import pytest
from playwright.sync_api import sync_playwright

#: The one without windows comes first: it draws the same pages at half the cost.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser")
FLAGS = ["--no-sandbox", "--disable-quic", "--disable-background-networking"]


#: A window on a desk
DESK = {"width": 1280, "height": 900}


@contextmanager
def chromium():
    """A browser; where none is installed the tests are skipped in one line, in CI they fail."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        sentence = "No Chromium is installed, so nothing was tested in a browser."
        if os.environ.get("CI"):
            pytest.fail(sentence)
        pytest.skip(sentence)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


def desk_page(browser):
    """A page on a desk, which waits a quarter of a minute for what is not there at once."""
    page = browser.new_page(viewport=DESK)
    page.set_default_timeout(15_000)
    return page
