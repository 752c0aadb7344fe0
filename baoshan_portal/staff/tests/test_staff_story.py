"""A quarter's figures from the entry sheet to the public page, in a real browser."""

import csv
import io
import re
import subprocess
from collections import defaultdict
from urllib.parse import urljoin

import openpyxl
import pytest
from playwright.sync_api import expect

from baoshan_portal.tests.browser import complaints_of, desk_page
from baoshan_portal.tests.pages import rows_of
from baoshan_portal.tests.people import be, press, serve_staff, sign_in
from baoshan_portal.tests.slices import one_of_each

pytestmark = [pytest.mark.browser, pytest.mark.long]

SHEET = "/en/admin/entry/2023-q4/science-technology/"
UPLOAD = "/en/admin/upload/2023-q4/science-technology/"
TEMPLATE = "/admin/template/2023-q4/science-technology"
FIGURES = {"high-tech-enterprises": "1,612家", "technology-smes-registered": "１１８０"}
WRONG, MENDED = "99家", "12家"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serve_staff(tmp_path_factory.mktemp("story")) as server:
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


def test_a_quarters_figures_from_the_sheet_to_the_public_page(server, page):
    before = public_values(server)

    # The editor fills the sheet and submits it.
    be(page, server, "editor")
    page.goto(server.address + SHEET)
    for code, figure in FIGURES.items():
        fill(page, code, figure)
    fill(page, "academician-workstations-new", WRONG)
    press(page.locator("button[name=submit]"))
    # What looks unusual is handed in with a word.
    page.fill("#figure-academician-workstations-new [name$=answer]", "新设统计口径")
    press(page.locator("button[name=submit]"))
    assert "waiting for review" in page.inner_text("#figure-high-tech-enterprises")
    assert public_values(server) == before

    # An editor of another department sees and changes nothing of it.
    be(page, server, "other")
    assert page.goto(server.address + SHEET).status == 403
    page.goto(f"{server.address}/en/admin/metrics/observation/?q=1,612")
    assert "1,612" not in page.inner_text("#changelist")

    # The reviewer returns one row with a reason and publishes the rest.
    be(page, server, "reviewer")
    page.goto(f"{server.address}/en/admin/review/")
    press(page.locator("tr", has_text=WRONG).get_by_role("link", name="Return"))
    page.fill("[name=reason]", "与台账不符，请核对")
    press(page.locator("button.default"))
    page.goto(f"{server.address}/en/admin/review/?chosen=all")
    press(page.locator("button.default").first)
    now = public_values(server)
    assert now["high-tech-enterprises"] == [*before["high-tech-enterprises"], "1612"]
    assert "99" not in now["academician-workstations-new"]

    # The editor sees the reason and mends the row.
    be(page, server, "editor")
    page.goto(f"{server.address}/en/admin/")
    assert "与台账不符，请核对" in page.inner_text("body")
    page.goto(server.address + SHEET)
    fill(page, "academician-workstations-new", MENDED)
    press(page.locator("button[name=submit]"))
    assert "12" not in public_values(server)["academician-workstations-new"]

    # It is published, and only now the page and the file change.
    be(page, server, "reviewer")
    page.goto(f"{server.address}/en/admin/review/?chosen=all")
    press(page.locator("button.default").first)
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


def test_a_table_saved_by_libreoffice_is_taken(server, page, tmp_path, soffice):
    be(page, server, "editor")
    template = tmp_path / "template.xlsx"
    template.write_bytes(page.request.get(f"{server.address}{TEMPLATE}.xlsx").body())
    book = openpyxl.load_workbook(template)
    for row in book.active.iter_rows(min_row=2):
        if row[0].value == "engineering-centres":
            empty = next(cell for cell in row if cell.value is None)
            empty.value = "约７０家"
    book.save(template)
    convert = [soffice, "--headless", "--convert-to", "xlsx:Calc MS Excel 2007 XML"]
    folders = [f"-env:UserInstallation=file://{tmp_path}/profile", "--outdir", tmp_path / "made"]
    subprocess.run([*convert, *folders, template], check=True, capture_output=True, timeout=120)

    upload(page, server, tmp_path / "made/template.xlsx")
    assert "70" not in public_values(server)["engineering-centres"]
    approve_everything(page, server)

    assert "70" in public_values(server)["engineering-centres"]


def test_a_csv_file_of_chinese_windows_is_taken(server, page, tmp_path):
    be(page, server, "editor")
    text = page.request.get(f"{server.address}{TEMPLATE}.csv").body().decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    for row in rows[1:]:
        if row[0] == "district-engineering-centres-new":
            row[row.index("")] = "3家"
            row[rows[0].index("核实说明")] = "年内新认定"
    path = tmp_path / "填报表.csv"
    with path.open("w", encoding="gb18030", newline="") as file:
        csv.writer(file).writerows(rows)

    upload(page, server, path)
    approve_everything(page, server)

    assert "3" in public_values(server)["district-engineering-centres-new"]


FIRST, SECOND = "university-science-parks-signed", "science-park-firms-landed-total"


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

    # Without JavaScript the sheet takes the same.
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


@pytest.mark.sweep
def test_the_browser_complains_about_no_page_of_the_admin(server, page):
    complaints = complaints_of(page)
    page.goto(f"{server.address}/en/admin/login/")
    sign_in(page, server, "admin", server.password)

    def links(selector: str) -> list[str]:
        found = page.eval_on_selector_all(
            selector, "all => all.map(one => one.getAttribute('href'))"
        )
        return [urljoin(page.url, link).partition("#")[0] for link in found if link]

    start = f"{server.address}/en/admin/"
    addresses = {link for link in links("a") if link.startswith(start) and "logout" not in link}
    rows = []
    for address in one_of_each(sorted(addresses), kind=kind_of_admin_page):
        page.goto(address)
        rows += links("#result_list tbody th a")[:1]
    assert len(rows) > 2
    for address in one_of_each(sorted(set(rows)), kind=kind_of_admin_page):
        page.goto(address)

    assert len(addresses) > 15
    assert complaints == [], "\n".join(complaints)


def test_a_draft_of_the_admin_is_public_only_after_somebody_else_published_it(server, page):
    (code,) = [
        row["indicator_code"]
        for row in rows_of(server.text("/data/observations.csv"))
        if row["as_written"] == "51.79亿元"
    ]
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
    shows = [address for address in public if "77.31" in visible_text(server, address)]
    assert shows == []

    press(page.locator("[name=_submit]"))
    page.goto(row)
    assert page.locator(".object-tools >> text=Publish").count() == 0
    assert "77.31" not in server.text("/data/observations.csv")

    be(page, server, "reviewer")
    page.goto(row)
    press(page.locator(".object-tools >> text=Publish"))
    press(page.locator("[type=submit].default"))

    shows = [address for address in public if "77.31" in visible_text(server, address)]
    assert shows == public
    page.goto(f"{server.address}/en/indicators/{code}/")
    assert "77.31亿元" in page.inner_text("main")
    assert "by two persons of staff" in page.inner_text("main")
    assert complaints == [], "\n".join(complaints)


def visible_text(server, address: str) -> str:
    """The text at an address without what it was asked for."""
    asked = r'(value="|q=|Find: )77\.31|<p class="chosen".*?</p>'
    return re.sub(asked, "", server.text(address), flags=re.DOTALL)
