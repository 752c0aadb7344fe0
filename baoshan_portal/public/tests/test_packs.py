"""A briefing pack says the same to read, to print and to take away, and says what it is."""

import csv
import zipfile
from datetime import date
from functools import cache
from io import BytesIO, StringIO
from urllib.parse import parse_qsl, unquote

import openpyxl
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from docx import Document
from docx.oxml.ns import qn

from baoshan_portal.tests.pages import links, rows_of, texts
from baoshan_portal.tests.slices import one_way_each, some
from measures.models import Department, Theme
from measures.tests.factories import (
    ISSUED,
    make_department,
    make_measure,
    make_note,
    make_opinion,
    make_report,
    make_section,
    make_theme,
    reword,
)
from metrics.check_results import comparing
from metrics.models import Indicator
from metrics.rules.checks import Role
from metrics.rules.choices import Claim, Comparator, Kind
from metrics.summaries import write_missing
from metrics.tests.factories import (
    make_check,
    make_indicator,
    make_observation,
    make_target,
    make_term,
    make_unit,
)

from ..packs.docx import chinese_number

pytestmark = [
    pytest.mark.long,
    pytest.mark.django_db,
    pytest.mark.once("writes what lists and pages read, and those run on both"),
]

DAY = "2023-12-31"
FILES = ("docx", "xlsx", "csv")


def page_of(client, **query) -> str:
    answer = client.get("/en/packs/", {"as_of": DAY, **query})
    assert answer.status_code == 200
    return answer.content.decode()


def answer_of(client, kind: str, /, **query):
    address = "/en/packs/" if kind == "html" else f"/en/packs/pack.{kind}"
    answer = client.get(address, {"as_of": DAY, **query})
    assert answer.status_code == 200
    return answer


def file_of(client, kind: str, /, **query) -> bytes:
    return answer_of(client, kind, **query).content


def words(client, kind: str, /, **query) -> str:
    return words_of(kind, file_of(client, kind, **query))


def words_of(kind: str, content: bytes) -> str:
    """All that the pack says, as a reader of that kind of file sees it."""
    if kind == "html":
        html = content.decode()
        return "\n".join(text for tag in ("h1", "h2", "h3", "h4", "p", "td", "dd", "li")
                         for text in texts(html, tag))  # fmt: skip
    if kind == "docx":
        document = Document(BytesIO(content))
        cells = (cell.text for table in document.tables for row in table.rows for cell in row.cells)
        return "\n".join([*(paragraph.text for paragraph in document.paragraphs), *cells])
    if kind == "xlsx":
        book = openpyxl.load_workbook(BytesIO(content))
        return "\n".join(str(cell) for sheet in book for row in sheet.values for cell in row)
    return "\n".join(
        cell for row in csv.reader(StringIO(content.decode("utf-8-sig"))) for cell in row
    )


@pytest.fixture(scope="module")
def alpha(module_rows):
    """Theme 1.2 with Alpha, which has a figure, a target and a note, and Silent, which has none."""
    opinion = make_opinion(number="宝会〔2022〕36号")
    section = make_section(order=1, code="east", name="东部", name_en="East", opinion=opinion)
    theme = make_theme(section=section, order=2, code="parks", name="园区", name_en="Parks")
    report = make_report(number="宝府〔2023〕70号", name_en="Answer", issuer_en="District")
    lead = make_department(code="office", name_en="Office")
    measure = make_measure(
        theme=theme, order=1, name="甲", name_en="Alpha", lead=lead, summary_en="Build parks."
    )
    make_measure(theme=theme, order=2, name_en="Silent", lead=lead, lead_confirmed=True)
    indicator = make_indicator(
        measure=measure, code="alpha-firms", name_en="Alpha firms", kind=Kind.CUMULATIVE
    )
    make_observation(
        indicator=indicator,
        value="1234.5",
        as_written="1,234.5多家",
        report=report,
        locator="1.2/3",
        period_start=None,
        period_end=date(2023, 6, 30),
        period_inferred=True,
        published=ISSUED,
    )
    make_target(
        indicator=indicator,
        value=1000,
        comparator=Comparator.AT_LEAST,
        claim=Claim.NONE,
        due_on=date(2025, 12, 31),
        source_name="Plan book",
        published=ISSUED,
    )
    make_note(measure=measure, text="完工。", text_en="Built.", published=ISSUED)
    other = make_theme(section=section, order=3, code="roads", name_en="Roads")
    make_indicator(measure=make_measure(theme=other, name_en="Beta"), name_en="Beta roads")
    return indicator


@pytest.fixture(scope="module")
def answered(alpha):
    """The answer with a pack of what is there for the whole module, which is asked for once."""
    client = Client()

    @cache
    def answered(kind: str, /, **query):
        return answer_of(client, kind, **query)

    return answered


@pytest.fixture(scope="module")
def pack(answered):
    return lambda kind, /, **query: answered(kind, **query).content


@pytest.fixture(scope="module")
def workbook(pack):
    return openpyxl.load_workbook(BytesIO(pack("xlsx", theme="parks")))


@pytest.mark.parametrize("kind", ["html", *FILES])
def test_every_form_of_a_pack_tells_the_figure_with_all_that_belongs_to_it(pack, kind):
    text = words_of(kind, pack(kind, theme="parks"))

    for said in (
        "Briefing: Parks",
        "31 December 2023" if kind in {"html", "docx"} else DAY,
        "Theme: 1.2 Parks",
        "a missing one is never a zero",
        f"http://testserver/en/packs/?theme=parks&as_of={DAY}",
        "Alpha firms",
        "1,234.5 organisations",
        "1,234.5多家",
        "up to 2023-06-30 (inferred)",
        "cumulative",
        "met",
        "宝府〔2023〕70号 1.2/3",
        "宝府〔2023〕70号 Answer, District, issued on 25 July 2023",
        "Plan book",
    ):
        assert said in text, said
    assert "Beta" not in text


@pytest.mark.parametrize("kind", ["html", "docx", "xlsx"])
def test_a_pack_of_a_place_tells_the_work_behind_the_figures(pack, kind):
    text = words_of(kind, pack(kind, section="east"))

    for said in ("Office (proposed)", "Office (confirmed)", "Build parks.", "Built.", "Silent"):
        assert said in text, said


def test_a_pack_of_a_filtered_list_leaves_out_measures_without_such_figures(client, alpha):
    text = words(client, "docx", section="east", kind="cumulative")

    assert "Briefing on selected figures" in text
    assert "Section: 1 East; Kind: cumulative" in text
    assert "Alpha firms" in text
    assert "Silent" not in text


@pytest.mark.sweep
@pytest.mark.parametrize("kind", some(["html", *FILES], every=4, first=2))
def test_a_pack_takes_several_answers_and_exclusions_and_tells_them(client, alpha, kind):
    query = {"theme": ["roads", "parks"], "not_kind": ["stock", "flow"], "value": "yes"}

    text = words(client, kind, **query)

    assert "Theme: 1.2 Parks, 1.3 Roads; Kind except: stock, flow; Public value: has one" in text
    link = "theme=parks&theme=roads&not_kind=stock&not_kind=flow&value=yes"
    assert f"http://testserver/en/packs/?{link}&as_of={DAY}" in text
    assert "Briefing on selected figures" in text
    assert "Alpha firms" in text
    assert "Beta roads" not in text


def test_a_chinese_pack_tells_its_filters_as_chinese_is_written(client, alpha):
    html = client.get("/packs/", {"theme": ["parks", "roads"], "not_kind": "flow"}).content.decode()

    assert "主题：1.2 园区、1.3 " in html
    assert "；指标类型（不含）：时期" in html


@pytest.mark.sweep
@pytest.mark.parametrize("kind", some(FILES, every=3))
def test_a_pack_is_the_one_that_its_permanent_link_gives_whatever_the_order(client, alpha, kind):
    (link,) = [
        link
        for link in links(page_of(client, theme=["roads", "parks"], not_kind=["flow"]), "href")
        if link.startswith("http")
    ]

    again = link.removeprefix("http://testserver").replace("/packs/?", f"/packs/pack.{kind}?")

    assert client.get(again).content == file_of(
        client, kind, not_kind=["flow"], theme=["roads", "parks"]
    )


def test_a_pack_of_places_keeps_the_measures_without_figures_and_leaves_out_what_it_must(
    client, alpha
):
    for query, expected in (
        ({"theme": ["parks", "roads"]}, ["Alpha", "Silent", "Beta"]),
        ({"not_theme": ["roads"]}, ["Alpha", "Silent"]),
        ({"not_department": ["none"]}, ["Alpha", "Silent"]),
        ({"department": ["none"]}, ["Beta"]),
        ({"not_kind": ["stock"]}, ["Alpha", "Beta"]),
    ):
        html = page_of(client, **query)
        assert [name.split(" ", 1)[1] for name in texts(html, "h4")] == expected, query


def test_a_pack_of_several_places_is_named_after_none_of_them(client, alpha):
    answer = client.get("/en/packs/pack.csv", {"theme": ["parks", "roads"], "as_of": DAY})

    assert f'filename="pack-{DAY}.csv"' in answer["Content-Disposition"]


OTHER_FILTERS = ({"check": "unknown", "theme": "parks"}, {"not_category": "funds", "q": "firms"})


@pytest.mark.sweep
@pytest.mark.parametrize(
    ("kind", "query"),
    # A page and a file, each by one of them.
    some(one_way_each([(k, query) for query in OTHER_FILTERS for k in ("html", *FILES)]), every=3),
)
def test_a_pack_with_other_filters_costs_at_most_twenty_two_queries(client, alpha, kind, query):
    """And ten more for what no summary says, nor the newest values alone."""
    check = make_check()
    make_term(check_of=check, indicator=alpha, role=Role.WHOLE)
    make_term(check_of=check, indicator=make_indicator(), role=Role.PART)

    costs = []
    for make_ready in (list, write_missing):
        make_ready()
        with CaptureQueriesContext(connection) as queries:
            file_of(client, kind, **query)
        costs.append(len(queries))

    unknown, known = costs
    assert known <= 22
    assert unknown <= known + 10


def test_a_pack_that_nobody_could_print_is_refused_and_names_the_way_out(
    client, alpha, monkeypatch, django_assert_max_num_queries
):
    monkeypatch.setattr("baoshan_portal.public.packs.pack.MOST", 1)
    make_indicator(measure=alpha.measure)
    section = alpha.measure.theme.section

    with django_assert_max_num_queries(12):
        answer = client.get("/en/packs/")
    assert answer.status_code == 200
    assert "take the list of indicators as CSV" in answer.content.decode()
    assert f"/packs/?section={section.code}" in answer.content.decode()
    for address in ("/en/packs/", *(f"/en/packs/pack.{kind}" for kind in FILES)):
        refused = client.get(address, {"section": section.code})
        assert refused.status_code == 400
        assert "more than the 1 figures or measures that can be" in refused.content.decode()


def test_a_pack_does_not_load_the_checks_of_other_figures(alpha):
    other, own = make_check(), make_check()
    make_term(check_of=other, indicator=make_indicator(), role=Role.WHOLE)
    make_term(check_of=own, indicator=alpha, role=Role.WHOLE)
    assert comparing([alpha.pk], as_of=None) == [own.pk]


def test_a_pack_takes_the_filters_of_the_list_of_indicators(client, alpha):
    html = client.get("/en/indicators/", {"q": "Alpha", "as_of": DAY, "sort": "name"}).content
    (link,) = [link for link in links(html.decode(), "href") if "/packs/?q=" in link]

    pack = client.get(link).content.decode()

    assert "Alpha firms" in texts(pack, "td")
    assert "Beta roads" not in texts(pack, "td")


@pytest.mark.sweep
@pytest.mark.parametrize(
    "address", ["/en/sections/1/", "/en/measures/{measure}/", "/en/indicators/"]
)
def test_section_measure_and_list_lead_to_packs_that_answer(client, alpha, address):
    html = client.get(address.format(measure=alpha.measure.code)).content.decode()
    packs = {link for link in links(html, "href") if "/packs/" in link}

    assert packs
    # Of the same code for each place of a page.
    for link in some(sorted(packs), every=3):
        assert "Alpha firms" in client.get(link).content.decode() or "roads" in link


def test_the_page_links_to_the_files_of_the_same_question(pack, answered):
    html = pack("html", theme="parks").decode()
    found = [link.partition("?") for link in links(html, "href") if "pack." in link]

    assert [path for path, _mark, _query in found] == [f"/en/packs/pack.{kind}" for kind in FILES]
    for kind, (_path, _mark, query) in zip(FILES, found, strict=True):
        asked = dict(parse_qsl(query))
        assert asked.pop("as_of") == DAY
        answer = answered(kind, **asked)
        assert f'filename="pack-parks-{DAY}.{kind}"' in answer["Content-Disposition"]


@pytest.mark.sweep
# Of a Word file and of a workbook this is seen where links to packs are followed.
@pytest.mark.parametrize("kind", some(FILES, every=3, first=2))
def test_two_packs_of_the_same_state_are_the_same_bytes(client, pack, kind):
    assert pack(kind, theme="parks") == file_of(client, kind, theme="parks")


@pytest.mark.sweep
@pytest.mark.parametrize("kind", some(FILES, every=3, first=1))
def test_a_pack_of_today_is_the_one_that_its_permanent_link_gives(client, alpha, kind):
    today = timezone.localdate().isoformat()

    now = client.get(f"/en/packs/pack.{kind}", {"theme": "parks", "q": ""}).content

    assert now == client.get(f"/en/packs/pack.{kind}?theme=parks&as_of={today}").content


@pytest.mark.parametrize("kind", ["docx", "xlsx"])
def test_an_office_file_was_made_on_its_as_of_day(pack, kind):
    archive = zipfile.ZipFile(BytesIO(pack(kind, theme="parks")))
    core = archive.read("docProps/core.xml").decode()

    assert core.count(f"{DAY}T00:00:00Z") == 2
    assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


@pytest.fixture(scope="module")
def chinese_answer(alpha):
    return Client().get("/packs/pack.docx", {"as_of": DAY, "section": "east"})


@pytest.fixture(scope="module")
def document(chinese_answer):
    return Document(BytesIO(chinese_answer.content))


def test_the_document_has_the_page_of_the_standard(document):
    page = document.sections[0]

    sizes = (page.page_width, page.page_height, page.top_margin, page.bottom_margin)
    assert [round(size.mm) for size in sizes] == [210, 297, 37, 35]
    assert [round(size.mm) for size in (page.left_margin, page.right_margin)] == [28, 26]


@pytest.mark.parametrize(
    ("style", "font", "size"),
    [
        ("Title", "方正小标宋简体", 22),
        ("Heading 1", "黑体", 16),
        ("Heading 2", "楷体_GB2312", 16),
        ("Heading 3", "仿宋_GB2312", 16),
        ("Body Text", "仿宋_GB2312", 16),
        ("Table Text", "仿宋_GB2312", 10.5),
        ("Footer", "宋体", 14),
    ],
)
def test_the_document_names_the_fonts_of_the_standard(document, style, font, size):
    found = document.styles[style]

    assert found.element.rPr.rFonts.get(qn("w:eastAsia")) == font
    assert found.font.size.pt == size


def test_the_document_carries_no_font(pack):
    names = zipfile.ZipFile(BytesIO(pack("docx", theme="parks"))).namelist()

    assert [name for name in names if "font" in name.lower()] == ["word/fontTable.xml"]


def test_the_document_numbers_its_headings_as_the_standard_does(document):
    headings = [
        paragraph.text
        for paragraph in document.paragraphs
        if paragraph.style.name.startswith("Heading")
    ]

    assert headings[0] == "值得追问"
    assert headings[2:4] == ["一、东部", "（二）园区"]
    assert document.tables[0].rows[1].cells[0].paragraphs[0].text == "1. 甲"
    assert "宝会〔2022〕36号" in document.paragraphs[1].text


def test_a_table_repeats_its_head_and_keeps_its_rows_whole(document):
    rows = document.tables[0].rows

    heads = [row._tr.trPr.find(qn("w:tblHeader")) is not None for row in rows]
    assert heads == [True, False, False, False]
    assert all(row._tr.trPr.find(qn("w:cantSplit")) is not None for row in rows)


def test_every_page_is_numbered_between_dashes(document):
    page = document.sections[0]
    for footer in (page.footer, page.even_page_footer):
        (paragraph,) = footer.paragraphs
        field = paragraph._p.find(qn("w:fldSimple"))
        assert paragraph.text.replace("1", "") == "—  —"
        assert field.get(qn("w:instr")) == "PAGE"


@pytest.mark.parametrize(
    ("number", "text"),
    [(1, "一"), (10, "十"), (11, "十一"), (20, "二十"), (99, "九十九"), (100, "100")],
)
def test_headings_count_in_chinese(number, text):
    assert chinese_number(number) == text


def test_the_workbook_has_a_sheet_for_every_kind_with_a_head_that_stays(workbook):
    assert workbook.sheetnames == [
        "Cover", "Notes", "Measures", "Indicators", "Values", "Targets", "Progress notes",
        "What to ask",
    ]  # fmt: skip
    assert {sheet.print_title_rows for sheet in workbook.worksheets[1:]} == {"$3:$3"}


def test_a_lead_that_is_only_proposed_is_marked_in_every_sheet(workbook):
    for name in ("Measures", "What to ask"):
        told = {cell.value for row in workbook[name] for cell in row}
        assert "Office (confirmed)" in told and "Office" not in told, name


def test_a_number_in_the_workbook_is_a_number_and_a_day_a_day(workbook):
    sheet = workbook["Values"]
    row = dict(zip([cell.value for cell in sheet[3]], sheet[4], strict=True))

    assert (row["Value"].data_type, row["Value"].value) == ("n", 1234.5)
    assert (row["Period to"].data_type, row["Period to"].value.date()) == ("d", date(2023, 6, 30))


def test_the_csv_opens_in_excel_and_is_a_table_from_its_first_line(pack):
    content = pack("csv", theme="parks")
    row = rows_of(content.decode())[0]

    assert content.startswith(b"\xef\xbb\xbf")
    assert (row["No."], row["Indicator"], row["Value"]) == ("1.2.1", "Alpha firms", "1234.5")
    assert row["Period to"] == "2023-06-30"


def test_the_workbook_keeps_every_value_and_no_text_runs_as_a_formula_or_breaks_a_file(
    client, alpha
):
    make_observation(indicator=alpha, value=7, period_start=None, period_end=date(2021, 6, 30),
                     published=ISSUED)  # fmt: skip
    make_indicator(measure=alpha.measure, name_en="=1+1")
    # Control characters.
    make_note(measure=alpha.measure, text="x", text_en="Odd\x0b\x01 text", published=ISSUED)

    content = file_of(client, "xlsx")
    book = openpyxl.load_workbook(BytesIO(content))

    assert [row[3] for row in list(book["Values"].values)[2:]] == ["Value", 1234.5, 7]
    types = {cell.data_type for row in book["Indicators"] for cell in row if cell.value == "=1+1"}
    assert types == {"s"}
    assert "'=1+1" in words(client, "csv").split("\n")
    for text in (words_of("xlsx", content), words(client, "docx")):
        assert "Odd\n text" in text


@pytest.mark.sweep
def test_nothing_that_is_not_public_is_in_a_pack(client, alpha):
    make_observation(indicator=alpha, as_written="hidden", period_end=date(2023, 12, 1))
    make_target(indicator=alpha, source_name="hidden")
    make_note(measure=alpha.measure, text="hidden", text_en="hidden")
    make_indicator(measure=alpha.measure, name_en="hidden", published_on=None)
    make_measure(theme=alpha.measure.theme, name_en="hidden", published_on=date(2024, 1, 1))
    # Published after the day that the pack speaks of.
    make_observation(indicator=alpha, as_written="hidden", published=date(2024, 1, 1))
    make_target(indicator=alpha, source_name="hidden", published=date(2024, 1, 1))
    make_note(measure=alpha.measure, text="hidden", text_en="hidden", published=date(2024, 1, 1))

    for kind in some(("html", *FILES), every=2):
        assert "hidden" not in words(client, kind), kind


NONSENSE = (
    "theme=nowhere",
    "kind=nonsense",
    "colour=red",
    "as_of=soon",
    f"q={'x' * 101}",
    "theme=parks&theme=nowhere",
    "not_kind=nonsense",
    "noted=yes",
    "not_key=true",
)
ADDRESSES = ("/en/packs/", *(f"/en/packs/pack.{kind}" for kind in FILES))


@pytest.mark.sweep
@pytest.mark.parametrize(
    ("address", "query"),
    one_way_each([(address, query) for address in ADDRESSES for query in NONSENSE], ways=4),
)
def test_an_unknown_filter_is_refused_on_a_page_that_says_so(client, alpha, address, query):
    answer = client.get(f"{address}?{query}")

    assert answer.status_code == 400
    assert texts(answer.content.decode(), "h1") == ["This address cannot be answered"]


def test_an_unknown_kind_of_file_is_not_found(client, alpha):
    assert client.get("/en/packs/pack.pdf").status_code == 404


@pytest.mark.sweep
@pytest.mark.parametrize(
    ("kind", "query"),
    one_way_each(
        [
            (kind, query)
            for query in ({"q": "nothing-like-it"}, {"as_of": "0001-01-01"})
            for kind in ("html", *FILES)
        ]
    ),
)
def test_an_empty_pack_says_what_to_do(client, alpha, kind, query):
    assert "Take one of them away" in words(client, kind, **query)


@pytest.mark.parametrize(("address", "heading"), [("/packs/", "东部"), ("/en/packs/", "East")])
def test_a_pack_speaks_the_language_of_its_address(client, pack, address, heading):
    asked = {"section": "east", "as_of": DAY}
    html = (pack("html", section="east") if "/en/" in address
            else client.get(address, asked).content).decode()  # fmt: skip

    assert heading in texts(html, "h1")[0]
    assert f"testserver{address}?section=east" in html


def test_a_missing_value_is_an_empty_cell_and_not_a_zero(client, alpha):
    make_indicator(name_en="Unknown", measure=make_measure(theme=make_theme(code="unknown")))

    (row,) = rows_of(file_of(client, "csv", theme="unknown").decode())[:1]
    assert (row["Indicator"], row["Value"]) == ("Unknown", "")
    assert "no data" in words(client, "docx", theme="unknown")


@pytest.mark.sweep
def test_five_times_the_figures_cost_no_further_query(client, alpha):
    def cost(kind: str, query: dict) -> int:
        with CaptureQueriesContext(connection) as queries:
            file_of(client, kind, **query)
        return len(queries)

    queries = ({}, {"theme": "parks"}, {"q": "firms", "department": "office"})
    asked = one_way_each([(k, q) for q in queries for k in ("html", *FILES)], ways=3)
    cost("html", {})
    before = [cost(kind, query) for kind, query in asked]
    theme, unit = Theme.objects.get(code="parks"), make_unit()
    for _n in range(4):
        measure = make_measure(theme=theme, lead=Department.objects.get(code="office"))
        make_note(measure=measure, published=ISSUED)
        indicator = make_indicator(measure=measure, unit=unit, name_en="Other firms")
        make_observation(indicator=indicator, published=ISSUED, report=make_report(),
                         locator="1.1/1")  # fmt: skip
        make_target(indicator=indicator, published=ISSUED)

    assert [cost(kind, query) for kind, query in asked] == before
    assert max(before) <= 17


def test_a_pack_opens_with_what_it_finds(client, alpha):
    missed = make_indicator(measure=alpha.measure, name_en="Late firms", kind=Kind.CUMULATIVE)
    make_observation(indicator=missed, value=5, period_end=date(2023, 6, 30), published=ISSUED)
    make_target(indicator=missed, value=10, due_on=date(2023, 6, 30), published=ISSUED)

    text = words(client, "docx", theme="parks")

    for said in (
        "This pack covers 2 measures with 2 indicators, of which 2 have a public value; the "
        "newest period ends on 30 June 2023.",
        "2 targets: “target met”: 1; “target missed”: 1.",
        "Missed: Late firms (5 organisations).",
        "For 1 measure the documents give no figure.",
    ):
        assert said in text, said


def test_a_table_has_earlier_values_and_a_figure_as_printed_only_where_it_is_another(client, alpha):
    make_observation(indicator=alpha, value=1000, as_written="1000家", period_start=None,
                     period_end=date(2022, 6, 30), published=ISSUED)  # fmt: skip
    same = make_indicator(measure=alpha.measure, name_en="Same")
    make_observation(indicator=same, value=1475, as_written="１，４７５家", published=ISSUED)

    content = file_of(client, "docx", theme="parks")

    rows = [[cell.text for cell in row.cells] for table in Document(BytesIO(content)).tables
            for row in table.rows]  # fmt: skip
    (course,) = [row[2] for row in rows if row[0] == "Alpha firms"]
    assert "1,000 organisations [up to 2022-06-30" in course
    text = words_of("docx", content)
    assert "1,234.5 organisations (printed: 1,234.5多家)" in text
    assert "１，４７５家" not in text


def test_a_pack_has_a_chinese_name_for_readers_of_chinese(chinese_answer):
    told = chinese_answer["Content-Disposition"]

    assert f'filename="pack-east-{DAY}.docx"' in told
    assert unquote(told.partition("filename*=UTF-8''")[2]) == f"简报：东部_{DAY}.docx"


def test_the_word_file_draws_the_key_figures_that_have_a_history(client, pack):
    def pictures(content: bytes) -> list[str]:
        shapes = Document(BytesIO(content)).inline_shapes
        return [shape._inline.docPr.get("descr") for shape in shapes]

    assert pictures(pack("docx", theme="parks")) == []

    reword(Indicator.objects.get(code="alpha-firms"), is_key=True)

    assert pictures(file_of(client, "docx", theme="parks")) == ["Chart: Alpha firms"]
