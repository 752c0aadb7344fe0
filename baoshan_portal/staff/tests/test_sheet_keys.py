"""The entry sheet by the keyboard, in a real browser."""

import pytest

from baoshan_portal.tests.browser import chromium
from baoshan_portal.tests.people import hire, press, sign_in
from baoshan_portal.tests.server import serve

pytestmark = pytest.mark.browser

FIRST, SECOND = "university-science-parks-signed", "science-park-firms-landed-total"


def test_a_sheet_is_filled_and_saved_by_the_keyboard_alone(tmp_path):
    with serve(tmp_path) as server, chromium() as browser:
        hire(server)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(15_000)
        sign_in(page, server, "editor")
        page.goto(f"{server.address}/en/admin/entry/2023-q4/science-technology/")
        asked = []
        page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))

        page.focus(f"[name=figure-{FIRST}-figure]")
        page.keyboard.type("9")
        page.keyboard.press("ArrowDown")
        page.keyboard.type("350")
        page.keyboard.press("ArrowUp")
        page.keyboard.type("8")

        # Whoever leaves with a file chosen is asked, and stays: a file does not save itself.
        proof = page.locator(f"[name=figure-{FIRST}-evidence_file]")
        proof.set_input_files({"name": "a.pdf", "mimeType": "", "buffer": b"%PDF-1.4"})
        with page.expect_event("dialog"):
            page.locator(".breadcrumbs a").first.click()
        assert asked == ["beforeunload"]
        proof.set_input_files([])

        page.focus(f"[name=figure-{FIRST}-figure]")
        page.keyboard.press("Enter")
        page.wait_for_selector(".messagelist")
        assert "2 rows were saved as drafts." in page.inner_text(".messagelist")
        assert page.input_value(f"[name=figure-{FIRST}-figure]") == "8"
        assert page.input_value(f"[name=figure-{SECOND}-figure]") == "350"
        assert asked == ["beforeunload"]

        # Without JavaScript the sheet takes the same.
        plain = browser.new_context(java_script_enabled=False).new_page()
        sign_in(plain, server, "editor")
        plain.goto(page.url)
        plain.fill(f"[name=figure-{FIRST}-figure]", "7")
        press(plain.locator("button[name=save]"))
        assert "1 row was saved as a draft." in plain.inner_text(".messagelist")
