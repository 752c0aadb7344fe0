"""What staff do in a real browser: a quarter's figures from the entry sheet to the public page,
and sessions that end in the middle of somebody's work, of which nothing is lost."""

import csv
import io
import re
import sqlite3
import subprocess
import time
from collections import defaultdict
from contextlib import closing
from urllib.parse import urljoin

import openpyxl
import pytest
from django_otp.oath import totp
from playwright.sync_api import expect

from baoshan_portal.tests.axe import WCAG, look_at
from baoshan_portal.tests.browser import complaints_of, desk_page
from baoshan_portal.tests.pages import rows_of
from baoshan_portal.tests.people import PASSWORD, QUICK, be, press, serve_staff, sign_in
from baoshan_portal.tests.slices import WHOLE, one_of_each, one_way_each, some

pytestmark = [pytest.mark.browser, pytest.mark.long]

SHEET = "/en/admin/entry/2023-q4/science-technology/"
UPLOAD = "/en/admin/upload/2023-q4/science-technology/"
TEMPLATE = "/admin/template/2023-q4/science-technology"
FIGURES = {"high-tech-enterprises": "1,612家", "technology-smes-registered": "１１８０"}
WRONG, MENDED = "99家", "12家"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("story")


@pytest.fixture(scope="module")
def server(folder):
    with serve_staff(folder, DJANGO_SETTINGS_MODULE=QUICK) as server:
        yield server


@pytest.fixture(scope="module")
def page(browser):
    return desk_page(browser)


def public_values(server) -> dict[str, list[str]]:
    """The values of each indicator, by its code."""
    values = defaultdict(list)
    for row in csv.DictReader(io.StringIO(server.text("/data/observations.csv"))):
        values[row["indicator_code"]].append(row["value"])
    return values


def fill(page, code: str, figure: str) -> None:
    page.fill(f"[name=figure-{code}-figure]", figure)


def indicator_of(server, as_written: str) -> str:
    rows = rows_of(server.text("/data/observations.csv"))
    (code,) = [row["indicator_code"] for row in rows if row["as_written"] == as_written]
    return code


def visible_text(server, address: str) -> str:
    """The text at an address without what it was asked for."""
    asked = r'(value="|q=|Find: )77\.31|<p class="chosen".*?</p>'
    return re.sub(asked, "", server.text(address), flags=re.DOTALL)


def test_a_quarters_figures_from_the_sheet_to_the_public_page(server, page):
    """And those of the sheet beside one that an administrator enters in the admin."""
    before = public_values(server)
    code = indicator_of(server, "51.79亿元")
    public = [
        f"/en/indicators/{code}/",
        "/en/indicators/?q=77.31",
        "/en/find/?q=77.31",
        "/changes/",
        "/en/indicators/?format=csv",
        "/data/observations.csv",
        "/data/indicators.csv",
    ]
    complaints = complaints_of(page)

    # The editor fills the sheet and submits it.
    be(page, server, "editor")
    page.goto(server.address + SHEET)
    for row, figure in FIGURES.items():
        fill(page, row, figure)
    fill(page, "academician-workstations-new", WRONG)
    press(page.locator("button[name=submit]"))
    # What looks unusual is handed in with a word.
    page.fill("#figure-academician-workstations-new [name$=answer]", "新设统计口径")
    press(page.locator("button[name=submit]"))
    assert "waiting for review" in page.inner_text("#figure-high-tech-enterprises")

    # The administrator's is a draft.
    be(page, server, "admin")
    page.goto(f"{server.address}/en/admin/metrics/observation/add/")
    page.click(".field-indicator .select2-selection")
    page.fill(".select2-search__field", code)
    # The list of all indicators stays until the answer to what was typed arrives.
    options = page.locator(".select2-results__option[aria-selected]")
    expect(options).to_have_count(1)
    options.click()
    page.fill("[name=as_written]", "77.31亿元")
    page.fill("[name=period_start]", "2023-01-01")
    page.fill("[name=period_end]", "2023-12-31")
    page.fill("[name=source_name]", "区统计局年报")
    page.click("[name=_continue]")
    page.wait_for_url(re.compile(r"/observation/\d+/change/"))
    row = page.url

    # Nothing of either is public, nor of the draft when it is submitted; who entered it cannot
    # publish it.
    assert public_values(server) == before
    shows = [address for address in public if "77.31" in visible_text(server, address)]
    assert shows == []
    press(page.locator("[name=_submit]"))
    page.goto(row)
    assert page.locator(".object-tools >> text=Publish").count() == 0
    assert public_values(server) == before

    # An editor of another department sees and changes nothing of the sheet.
    be(page, server, "other")
    assert page.goto(server.address + SHEET).status == 403
    page.goto(f"{server.address}/en/admin/metrics/observation/?q=1,612")
    assert "1,612" not in page.inner_text("#changelist")

    # The reviewer publishes the draft on its own page, returns one row of the sheet with a reason
    # and publishes the rest.
    be(page, server, "reviewer")
    page.goto(row)
    press(page.locator(".object-tools >> text=Publish"))
    press(page.locator("[type=submit].default"))
    page.goto(f"{server.address}/en/admin/review/")
    press(page.locator("tr", has_text=WRONG).get_by_role("link", name="Return"))
    page.fill("[name=reason]", "与台账不符，请核对")
    press(page.locator("button.default"))
    page.goto(f"{server.address}/en/admin/review/?chosen=all")
    press(page.locator("button.default").first)
    now = public_values(server)
    assert now["high-tech-enterprises"] == [*before["high-tech-enterprises"], "1612"]
    assert "99" not in now["academician-workstations-new"]
    shows = [address for address in public if "77.31" in visible_text(server, address)]
    assert shows == public
    page.goto(f"{server.address}/en/indicators/{code}/")
    assert "77.31亿元" in page.inner_text("main")
    assert "by two persons of staff" in page.inner_text("main")

    # The editor sees the reason and mends the row.
    be(page, server, "editor")
    page.goto(f"{server.address}/en/admin/")
    assert "与台账不符，请核对" in page.inner_text("body")
    page.goto(server.address + SHEET)
    fill(page, "academician-workstations-new", MENDED)
    press(page.locator("button[name=submit]"))
    assert "12" not in public_values(server)["academician-workstations-new"]

    # It is published, and only now the page and the file change.
    approve_everything(page, server)
    assert "12" in public_values(server)["academician-workstations-new"]
    page.goto(f"{server.address}/en/indicators/academician-workstations-new/")
    assert "12家" in page.inner_text("main")
    page.goto(f"{server.address}/en/indicators/academician-workstations-new/?as_of=2023-08-01")
    assert "12家" not in page.inner_text("main")

    # The auditor sees every step.
    be(page, server, "auditor")
    page.goto(f"{server.address}/en/admin/measures/trailevent/?q=院士专家工作站")
    trail = page.inner_text("#changelist")
    for step in ("entered", "submitted for review", "returned", "changed", "published"):
        assert step in trail
    # Besides, the browser tells of the page that was refused.
    assert [line for line in complaints if "status of 403" not in line] == [], "\n".join(complaints)


def upload(page, server, path) -> None:
    """Send the file, look at the preview, and submit its rows for review."""
    page.goto(server.address + UPLOAD)
    page.set_input_files("[name=file]", path)
    press(page.locator("button.default"))
    page.check("[name=submit][value='1']")
    press(page.locator("button.default"))


def approve_everything(page, server) -> None:
    be(page, server, "reviewer")
    page.goto(f"{server.address}/en/admin/review/?chosen=all")
    press(page.locator("button.default").first)


def saved_by_libreoffice(page, server, folder, request):
    """The template with 70 of one indicator, written by LibreOffice."""
    soffice = request.getfixturevalue("soffice")
    template = folder / "template.xlsx"
    template.write_bytes(page.request.get(f"{server.address}{TEMPLATE}.xlsx").body())
    book = openpyxl.load_workbook(template)
    for row in book.active.iter_rows(min_row=2):
        if row[0].value == "engineering-centres":
            empty = next(cell for cell in row if cell.value is None)
            empty.value = "约７０家"
    book.save(template)
    convert = [soffice, "--headless", "--convert-to", "xlsx:Calc MS Excel 2007 XML"]
    folders = [f"-env:UserInstallation=file://{folder}/profile", "--outdir", folder / "made"]
    subprocess.run([*convert, *folders, template], check=True, capture_output=True, timeout=120)
    return folder / "made/template.xlsx", "engineering-centres", "70"


def saved_by_chinese_windows(page, server, folder, request):
    """The template with 3 of one indicator, as CSV."""
    text = page.request.get(f"{server.address}{TEMPLATE}.csv").body().decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    for row in rows[1:]:
        if row[0] == "district-engineering-centres-new":
            row[row.index("")] = "3家"
            row[rows[0].index("核实说明")] = "年内新认定"
    path = folder / "填报表.csv"
    with path.open("w", encoding="gb18030", newline="") as file:
        csv.writer(file).writerows(rows)
    return path, "district-engineering-centres-new", "3"


# Tables that LibreOffice wrote, test_office_files reads without a browser.
@pytest.mark.sweep
@pytest.mark.parametrize(
    "save", some([saved_by_libreoffice, saved_by_chinese_windows], every=2, first=1)
)
def test_a_table_of_another_program_is_taken(server, page, tmp_path, request, save):
    be(page, server, "editor")
    path, code, value = save(page, server, tmp_path, request)

    upload(page, server, path)
    assert value not in public_values(server)[code]
    approve_everything(page, server)

    assert value in public_values(server)[code]


# Of the sheet, two rows below each other for the keyboard and two for the sessions
FIRST, SECOND = "fudan-centre-leading-projects", "fudan-centre-firms"
UPPER, LOWER = "university-science-parks-signed", "science-park-firms-landed-total"


@pytest.mark.sweep
def test_a_sheet_is_filled_and_saved_by_the_keyboard_alone(server, browser, page):
    be(page, server, "editor")
    page.goto(server.address + SHEET)
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

    # Without JavaScript the sheet takes the same; between two commits it is submitted so, below.
    if not WHOLE:
        return
    plain = browser.new_context(java_script_enabled=False).new_page()
    be(plain, server, "editor")
    plain.goto(page.url)
    plain.fill(f"[name=figure-{FIRST}-figure]", "7")
    press(plain.locator("button[name=save]"))
    assert "1 row was saved as a draft." in plain.inner_text(".messagelist")


def kind_of_admin_page(address: str) -> tuple:
    """Pages of rows are made alike for all models of an app; of the others each is its own."""
    path, _, query = address.partition("/admin/")[2].partition("?")
    first, *others = path.split("/")
    if first not in ("auth", "measures", "metrics"):
        return (first,)
    # An app's models, a list, a form for a new row or for one that is there
    return first, str(len(others)), others[-2] if len(others) == 3 else "", bool(query)


#: Desks and the pages of work, by who works there; in English, and in Chinese by turns.
DESKS = {
    "editor": (
        "/admin/",
        "/admin/entry/2023-q4/science-technology/",
        "/admin/upload/2023-q4/science-technology/",
        "/admin/report-figures/baofu-2023-70/",
        "/admin/guide/",
    ),
    "reviewer": ("/admin/", "/admin/review/"),
    "steward": ("/admin/completeness/",),
    "administrator": ("/admin/",),
}


@pytest.mark.sweep
def test_neither_the_browser_nor_axe_complains_of_a_page_of_the_admin(server, browser):
    """On the desks both, on the further pages of the admin the browser."""
    page = desk_page(browser)
    complaints, violations, passed, colours = complaints_of(page), [], set(), set()
    seen = []

    def look(address: str) -> None:
        # Each in one of the schemes, two and two, so that each language is seen in both.
        schemes = ("light", "dark")
        for scheme in schemes if WHOLE else [schemes[len(seen) // 2 % 2]]:
            page.emulate_media(color_scheme=scheme)
            assert page.goto(server.address + address).status == 200
            findings = look_at(page, WCAG, colours)
            violations.extend(findings.violations)
            passed.update(findings.passed)
        seen.append(address)

    look("/en/admin/login/")
    for first, (name, paths) in enumerate(DESKS.items()):
        be(page, server, name)
        # Each desk in one of the languages, and each person's in both if they have several.
        asked = [*paths, *(f"/en{path}" for path in paths)]
        for address in one_way_each(asked, first=first):
            look(address)
    assert "color-contrast" in passed
    assert violations == [], "\n".join(violations)

    # With the password that the preparation printed
    sign_in(page, server, "admin", server.password)

    def links(selector: str) -> list[str]:
        found = page.eval_on_selector_all(
            selector, "all => all.map(one => one.getAttribute('href'))"
        )
        return [urljoin(page.url, link).partition("#")[0] for link in found if link]

    start = f"{server.address}/en/admin/"
    addresses = {link for link in links("a") if link.startswith(start) and "logout" not in link}
    assert len(addresses) > 15
    rows = []
    known = set() if WHOLE else {kind_of_admin_page(address) for address in seen}
    for address in one_of_each(sorted(addresses), kind=kind_of_admin_page):
        if kind_of_admin_page(address) not in known:
            page.goto(address)
            rows += links("#result_list tbody th a")[:1]
    assert len(rows) > 2
    for address in one_of_each(sorted(set(rows)), kind=kind_of_admin_page):
        page.goto(address)

    assert complaints == [], "\n".join(complaints)
    page.close()


# The session ends; test_typed asks for more places in which it may, without a browser.

SECRET = "00112233445566778899aabbccddeeff00112233"
SET_UP = (
    "INSERT INTO otp_totp_totpdevice (user_id, name, confirmed, key, step, t0, digits, tolerance, "
    "drift, last_t, throttling_failure_count) "
    f"SELECT id, '', 0, '{SECRET}', 30, 0, 6, 1, 0, -1, 0 FROM measures_user "
    "WHERE username = 'editor'",
    "CREATE TABLE sessions_of_people AS SELECT * FROM django_session",
)


@pytest.fixture(scope="module")
def sql(server, folder):
    def run(statement: str) -> list:
        with closing(sqlite3.connect(folder / "portal.sqlite3", timeout=20)) as database, database:
            return database.execute(statement).fetchall()

    for statement in SET_UP:
        run(statement)
    return run


def in_a_browser(*, javascript: bool):
    """Marks a story that is told with JavaScript or without it; in the long form in both."""
    ways = [javascript, not javascript] if WHOLE else [javascript]
    ids = ["with JavaScript" if way else "without" for way in ways]
    in_each = pytest.mark.parametrize("tab", ways, ids=ids, indirect=True)
    return lambda story: pytest.mark.sweep(in_each(story))


@pytest.fixture
def tab(browser, request, sql):
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
def test_in_the_middle_of_the_sheet(server, tab, sql):
    be(tab, server, "editor")
    tab.goto(server.address + SHEET)
    tab.fill(f"[name=figure-{UPPER}-figure]", "9家")
    tab.fill(f"[name=figure-{LOWER}-figure]", "很多")
    end_session(sql)
    sql("UPDATE otp_totp_totpdevice SET confirmed = 1, last_t = -1, drift = 0")
    press(tab.locator("button[name=save]"))
    again(tab, "editor", "/en/admin/second-factor/code/")
    tab.fill("[name=code]", f"{totp(bytes.fromhex(SECRET)):06d}")
    press(tab.locator("form.second-factor [type=submit]"))
    assert tab.url.endswith(SHEET)
    assert (value(tab, UPPER), value(tab, LOWER)) == ("9家", "很多")
    assert "is not saved yet" in tab.inner_text(".given-back")
    press(tab.locator("button[name=save]"))
    # The bad row stays behind with what was typed; the good one is a draft.
    assert value(tab, LOWER) == "很多"
    draft = "FROM metrics_observation WHERE as_written = '9家' AND state = 'draft'"
    assert sql(f"SELECT count(*) {draft}") == [(1,)]
    sql(f"DELETE {draft}")


def while_a_reason_is_typed(server, tab, sql, name: str, link: str, reason: str) -> None:
    """On the page to which ``link`` leads; the reason is still there after the next sign-in."""
    press(tab.get_by_role("link", name=link).first)
    place = tab.url.removeprefix(server.address)
    tab.fill("[name=reason]", reason)
    end_session(sql)
    press(tab.locator("button.default, input.default"))
    again(tab, name, place)
    assert tab.input_value("[name=reason]") == reason


@in_a_browser(javascript=False)
def test_at_the_review_and_at_a_correction(server, tab, sql):
    be(tab, server, "editor")
    tab.goto(server.address + SHEET)
    for code, figure in ((UPPER, "11家"), (LOWER, "361家")):
        if tab.locator(f"[name=figure-{code}-figure]").count():
            tab.fill(f"[name=figure-{code}-figure]", figure)
    press(tab.locator("button[name=submit]"))

    # The ticks of the queue; in the long form the reason of a return, too
    be(tab, server, "reviewer")
    tab.goto(f"{server.address}/en/admin/review/")
    if tab.get_by_role("link", name="Return").count():
        if WHOLE:
            while_a_reason_is_typed(server, tab, sql, "reviewer", "Return", "与台账不符，请核对")
            tab.goto(f"{server.address}/en/admin/review/")
        box = tab.locator("[name=row]").first
        box.check()
        token = box.get_attribute("value")
        end_session(sql)
        press(tab.locator("button.default").first)
        again(tab, "reviewer", "/en/admin/review/")
        assert tab.locator(f"[name=row][value='{token}']").is_checked()
        press(tab.locator("button.default").first)
        assert "1 row was published." in tab.inner_text("body")
    if not WHOLE:
        return

    # The reason of a correction
    begin(sql)
    be(tab, server, "editor")
    tab.goto(server.address + SHEET)
    while_a_reason_is_typed(server, tab, sql, "editor", "Correct it", "笔误，应为十二家")


@in_a_browser(javascript=True)
def test_at_an_uploads_confirmation(server, tab, sql):
    be(tab, server, "editor")
    table = tab.request.get(f"{server.address}/en{TEMPLATE}.csv").text().splitlines()
    figure = str(int(time.time()) % 900 + 100)
    line = next(n for n, text in enumerate(table) if text.startswith("municipal-functional-"))
    cells = table[line].split(",")
    cells[6] = figure
    table[line] = ",".join(cells)
    tab.goto(server.address + UPLOAD)
    tab.set_input_files(
        "[name=file]",
        {"name": "四季度.csv", "mimeType": "text/csv", "buffer": "\n".join(table).encode()},
    )
    press(tab.locator("[type=submit], button.default").last)
    assert figure in tab.inner_text("body")
    end_session(sql)
    press(tab.locator("button.default, input.default").last)
    again(tab, "editor", UPLOAD)
    assert figure in tab.inner_text("body")
    press(tab.locator("button.default, input.default").last)
    assert "was written as a draft" in tab.inner_text("body")


def test_drafts_save_themselves_and_what_cannot_be_saved_is_still_there(server, browser, sql):
    begin(sql)
    context = browser.new_context()
    context.set_default_timeout(15_000)
    page = context.new_page()
    page.clock.install()
    be(page, server, "editor")
    page.goto(server.address + SHEET)
    code, bad = "graphene-platform-enterprises", "kechuangbao-technology-enterprises"
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
