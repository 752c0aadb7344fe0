"""The session ends in the middle of somebody's work, in a real browser; nothing is lost."""

import sqlite3
import time
from contextlib import closing

import pytest
from django_otp.oath import totp
from playwright.sync_api import expect

from baoshan_portal.tests.people import PASSWORD, QUICK, be, press, serve_staff
from baoshan_portal.tests.slices import WHOLE

pytestmark = [pytest.mark.browser, pytest.mark.sweep]

SHEET = "/en/admin/entry/2023-q4/science-technology/"
UPLOAD = "/en/admin/upload/2023-q4/science-technology/"
TEMPLATE = "/en/admin/template/2023-q4/science-technology.csv"
FIRST, SECOND = "university-science-parks-signed", "science-park-firms-landed-total"
SECRET = "00112233445566778899aabbccddeeff00112233"

SET_UP = (
    "INSERT INTO otp_totp_totpdevice (user_id, name, confirmed, key, step, t0, digits, tolerance, "
    "drift, last_t, throttling_failure_count) "
    f"SELECT id, '', 0, '{SECRET}', 30, 0, 6, 1, 0, -1, 0 FROM measures_user "
    "WHERE username = 'editor'",
    "CREATE TABLE sessions_of_people AS SELECT * FROM django_session",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("session")


@pytest.fixture(scope="module")
def sql(folder):
    def run(statement: str) -> list:
        with closing(sqlite3.connect(folder / "portal.sqlite3", timeout=20)) as database, database:
            return database.execute(statement).fetchall()

    return run


@pytest.fixture(scope="module")
def server(folder, sql):
    with serve_staff(folder, DJANGO_SETTINGS_MODULE=QUICK) as server:
        for statement in SET_UP:
            sql(statement)
        yield server


def in_a_browser(*, javascript: bool):
    """Marks a story that is told with JavaScript or without it; in the long form in both."""
    ways = [javascript, not javascript] if WHOLE else [javascript]
    ids = ["with JavaScript" if way else "without" for way in ways]
    return pytest.mark.parametrize("page", ways, ids=ids, indirect=True)


@pytest.fixture
def page(browser, request, server, sql):
    begin(sql)
    context = browser.new_context(java_script_enabled=request.param)
    context.set_default_timeout(15_000)
    yield context.new_page()
    context.close()


def begin(sql) -> None:
    """Everybody is signed in, and nobody has a second factor."""
    sql("UPDATE otp_totp_totpdevice SET confirmed = 0")
    sql("INSERT OR REPLACE INTO django_session SELECT * FROM sessions_of_people")


def end_session(sql) -> None:
    sql("DELETE FROM django_session")


def again(page, name: str, place: str) -> None:
    """On the sign-in, which says what happened: sign in, and be back."""
    assert "Your session has ended" in page.inner_text("body")
    page.fill("[name=username]", name)
    page.fill("[name=password]", PASSWORD)
    press(page.locator("#login-form [type=submit]"))
    assert page.url.partition("#")[0].endswith(place)


def value(page, code: str, field: str = "figure") -> str:
    return page.input_value(f"[name=figure-{code}-{field}]")


@in_a_browser(javascript=True)
def test_in_the_middle_of_the_sheet(server, page, sql):
    be(page, server, "editor")
    page.goto(server.address + SHEET)
    page.fill(f"[name=figure-{FIRST}-figure]", "9家")
    page.fill(f"[name=figure-{SECOND}-figure]", "很多")
    end_session(sql)
    sql("UPDATE otp_totp_totpdevice SET confirmed = 1, last_t = -1, drift = 0")
    press(page.locator("button[name=save]"))
    again(page, "editor", "/en/admin/second-factor/code/")
    page.fill("[name=code]", f"{totp(bytes.fromhex(SECRET)):06d}")
    press(page.locator("form.second-factor [type=submit]"))
    assert page.url.endswith(SHEET)
    assert (value(page, FIRST), value(page, SECOND)) == ("9家", "很多")
    assert "is not saved yet" in page.inner_text(".given-back")
    press(page.locator("button[name=save]"))
    # The bad row stays behind with what was typed; the good one is a draft.
    assert value(page, SECOND) == "很多"
    draft = "FROM metrics_observation WHERE as_written = '9家' AND state = 'draft'"
    assert sql(f"SELECT count(*) {draft}") == [(1,)]
    sql(f"DELETE {draft}")


@in_a_browser(javascript=False)
def test_at_the_review_and_at_a_correction(server, page, sql):
    be(page, server, "editor")
    page.goto(server.address + SHEET)
    for code, figure in ((FIRST, "11家"), (SECOND, "361家")):
        if page.locator(f"[name=figure-{code}-figure]").count():
            page.fill(f"[name=figure-{code}-figure]", figure)
    press(page.locator("button[name=submit]"))

    # A reason for a return, and the ticks of the queue
    be(page, server, "reviewer")
    page.goto(f"{server.address}/en/admin/review/")
    if page.get_by_role("link", name="Return").count():
        press(page.get_by_role("link", name="Return").first)
        place = page.url.removeprefix(server.address)
        page.fill("[name=reason]", "与台账不符，请核对")
        end_session(sql)
        press(page.locator("button.default"))
        again(page, "reviewer", place)
        assert page.input_value("[name=reason]") == "与台账不符，请核对"
        page.goto(f"{server.address}/en/admin/review/")
        box = page.locator("[name=row]").first
        box.check()
        token = box.get_attribute("value")
        end_session(sql)
        press(page.locator("button.default").first)
        again(page, "reviewer", "/en/admin/review/")
        assert page.locator(f"[name=row][value='{token}']").is_checked()
        press(page.locator("button.default").first)
        assert "1 row was published." in page.inner_text("body")

    # The reason of a correction
    begin(sql)
    be(page, server, "editor")
    page.goto(server.address + SHEET)
    press(page.get_by_role("link", name="Correct it").first)
    place = page.url.removeprefix(server.address)
    page.fill("[name=reason]", "笔误，应为十二家")
    end_session(sql)
    press(page.locator("input.default"))
    again(page, "editor", place)
    assert page.input_value("[name=reason]") == "笔误，应为十二家"


@in_a_browser(javascript=True)
def test_at_an_uploads_confirmation(server, page, sql):
    be(page, server, "editor")
    table = page.request.get(server.address + TEMPLATE).text().splitlines()
    figure = str(int(time.time()) % 900 + 100)
    line = next(n for n, text in enumerate(table) if text.startswith("academician-"))
    cells = table[line].split(",")
    cells[6] = figure
    table[line] = ",".join(cells)
    page.goto(server.address + UPLOAD)
    page.set_input_files(
        "[name=file]",
        {"name": "四季度.csv", "mimeType": "text/csv", "buffer": "\n".join(table).encode()},
    )
    press(page.locator("[type=submit], button.default").last)
    assert figure in page.inner_text("body")
    end_session(sql)
    press(page.locator("button.default, input.default").last)
    again(page, "editor", UPLOAD)
    assert figure in page.inner_text("body")
    press(page.locator("button.default, input.default").last)
    assert "was written as a draft" in page.inner_text("body")


def test_drafts_save_themselves_and_what_cannot_be_saved_is_still_there(server, browser, sql):
    begin(sql)
    context = browser.new_context()
    context.set_default_timeout(15_000)
    page = context.new_page()
    page.clock.install()
    be(page, server, "editor")
    page.goto(server.address + SHEET)
    code, bad = "technology-smes-registered", "high-tech-enterprises"
    page.fill(f"[name=figure-{code}-figure]", "1,190家")
    page.clock.run_for(31_000)
    expect(page.locator("#sheet-saved")).to_contain_text(
        "Drafts saved by themselves at", timeout=30_000
    )
    assert sql("SELECT state FROM metrics_observation WHERE as_written = '1,190家'") == [("draft",)]

    # Reload and Back show also what cannot be saved.
    page.fill(f"[name=figure-{bad}-figure]", "很多")
    page.reload()
    assert (value(page, code), value(page, bad)) == ("1,190家", "很多")
    # Whoever leaves has what can be saved as drafts.
    page.fill(f"[name=figure-{bad}-figure]", "")
    page.fill(f"[name=figure-{code}-figure]", "1,191家")
    page.goto(f"{server.address}/en/admin/")
    for _attempt in range(50):
        if sql("SELECT 1 FROM metrics_observation WHERE as_written = '1,191家'"):
            break
        time.sleep(0.1)
    page.go_back()
    page.reload()
    assert value(page, code) == "1,191家"
    context.close()
