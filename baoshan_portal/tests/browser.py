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


@contextmanager
def opening(browser, server):
    """What opens a page of the portal as a reader chose to see it, each of a new browser context;
    further ``options`` are Playwright's."""
    contexts = []

    def open_page(*, size="normal", theme="light", **options):
        context = browser.new_context(**({"viewport": DESK} | options))
        context.set_default_timeout(15_000)
        contexts.append(context)
        for name, value in (("size", size), ("theme", theme)):
            context.add_cookies([{"name": name, "value": value, "url": server.address}])
        return context.new_page()

    yield open_page
    for context in contexts:
        context.close()


def complaints_of(page) -> list[str]:
    """Whatever the browser will complain about on ``page``: policy, scripts, missing files."""
    complaints = []

    def hear(message):
        # The rest are hints to developers, such as one about Django's own form of passwords.
        if message.type in ("error", "warning"):
            complaints.append(f"{page.url}: {message.type}: {message.text}")

    page.on("console", hear)
    page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
    return complaints
