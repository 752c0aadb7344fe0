"""What to ask: each question is a sentence with both figures, on page, file and in packs."""

from datetime import date
from decimal import Decimal
from io import BytesIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook

from baoshan_portal.tests import runs_once
from baoshan_portal.tests.pages import rows_of, texts
from baoshan_portal.tests.slices import one_way_each
from measures.models import MeasureStatus
from measures.tests.factories import (
    ISSUED,
    make_department,
    make_measure,
    make_report,
    make_section,
    make_state,
    make_theme,
    reword,
    to_the_past,
)
from metrics.rules.checks import Role
from metrics.rules.choices import Claim, Frequency, Kind
from metrics.tests.factories import (
    make_check,
    make_indicator,
    make_observation,
    make_plan,
    make_target,
    make_term,
    make_unit,
)

from .front_page import html_of

pytestmark = [pytest.mark.django_db, pytest.mark.long]

ENGLISH = "/en/questions/"


@pytest.fixture
def measure():
    section = make_section(order=1, opinion=make_report().opinion, code="first", name_en="First")
    theme = make_theme(order=1, section=section, code="parks", name_en="Parks")
    office = make_department(code="office", name_en="Office")
    return make_measure(theme=theme, order=1, lead=office, code="m", name_en="Measure")


@pytest.fixture
def plan(measure):
    return make_plan(opinion=measure.theme.section.opinion)


def figure(measure, value=5, **fields):
    fields = {"name_en": "Firms", "frequency": Frequency.ONCE} | fields
    row = make_indicator(measure=measure, **fields)
    if value is not None:
        make_observation(indicator=row, value=Decimal(value), published=ISSUED)
    return row


def asked(client, address=ENGLISH, **query) -> list[str]:
    """The questions of a page: each one's kind and sentence."""
    html = html_of(client, address, **query)
    lists = html.partition('<ol class="questions')[2]
    return [text.partition(" First ·")[0] for text in texts(lists.partition("</main>")[0], "li")]


def test_a_claim_against_the_verdict(client, measure, plan):
    make_target(indicator=figure(measure), plan=plan, claim=Claim.MET_EARLY, published=ISSUED)

    (question,) = asked(client)

    assert question == (
        "claimed otherwise Firms: reported met early, but it was 5 organisations (year 2022), and "
        "the target is at least 10 organisations by the end of 2023: target missed."
    )
    assert asked(client, "/questions/")[0].startswith("与报告所称不符")


@runs_once.PAGES
def test_a_missed_target_with_and_without_a_value(client, measure, plan):
    make_target(indicator=figure(measure), plan=plan, published=ISSUED)
    silent = figure(measure, None, name_en="Rooms")
    make_target(indicator=silent, plan=plan, published=ISSUED)

    assert asked(client)[:2] == [
        "target missed Rooms: it should be at least 10 organisations by the end of 2023, and no "
        "value is public.",
        "target missed Firms: it should be at least 10 organisations by the end of 2023, and was "
        "5 organisations (year 2022).",
    ]


@pytest.mark.parametrize("baseline", [Decimal(0), None])
def test_a_target_behind_tells_the_way_and_the_time(client, measure, plan, baseline):
    """From the baseline that was stated, or else from the value before the plan."""
    row = figure(measure, None, frequency=Frequency.QUARTERLY, kind=Kind.STOCK)
    make_observation(indicator=row, value=Decimal(1), published=ISSUED)
    if baseline is None:
        year = {"period_start": date(2020, 1, 1), "period_end": date(2020, 12, 31)}
        make_observation(indicator=row, value=Decimal(0), **year, published=ISSUED)
    make_target(indicator=row, plan=plan, baseline=baseline, published=ISSUED)

    (question,) = [text for text in asked(client, as_of="2023-08-01") if "behind" in text]

    assert question == (
        "behind schedule Firms: the target is at least 10 organisations by the end of 2023, and "
        "it was 1 organisations (year 2022): 10% of the way is done, 86.12% of the time is used."
    )


@runs_once.PAGES
def test_a_claim_whose_target_was_never_published(client, measure, plan):
    make_target(indicator=figure(measure), plan=plan, value=None, claim=Claim.MET, published=ISSUED)

    assert asked(client) == [
        "claim cannot be verified Firms: reported met with 5 organisations (year 2022), but the "
        "target was never published."
    ]


@runs_once.PAGES
@pytest.mark.parametrize("comparable", [True, False])
def test_figures_that_contradict_each_other(client, measure, comparable):
    part = figure(measure, 9, name_en="Part")
    check = make_check(name_en="Part of whole", code="c", comparable=comparable, note="不同口径")
    make_term(check_of=check, role=Role.PART, indicator=part)
    whole = figure(measure, 8, name_en="Whole", unit=part.unit)
    make_term(check_of=check, role=Role.WHOLE, indicator=whole)

    (question,) = asked(client)

    figures = "figures contradict each other Part of whole: Part 9 organisations, Whole 8 "
    assert question.startswith(figures + "organisations ")
    assert question.endswith("cannot all be right." if comparable else "what does each count?")
    assert "/en/checks/?check=c" in html_of(client, ENGLISH)


@runs_once.PAGES
def test_figures_of_different_days_that_contradict_each_other_name_them(client, measure):
    check = make_check(name_en="Part of whole", comparable=False, note="不同口径")
    unit = make_unit()
    for role, value, day in ((Role.PART, 9, 24), (Role.WHOLE, 8, 20)):
        row = make_indicator(
            measure=measure, kind=Kind.STOCK, unit=unit, name_en=f"Of {value}",
            frequency=Frequency.ONCE,
        )  # fmt: skip
        make_observation(
            indicator=row, value=Decimal(value), period_start=None,
            period_end=date(2023, 7, day), published=ISSUED,
        )  # fmt: skip
        make_term(check_of=check, role=role, indicator=row)

    (question,) = asked(client)

    assert "Of 9 9 organisations (up to 24 July 2023), Of 8 8 organisations (up to 20" in question


def test_a_redefinition_is_asked_besides(client, measure, plan):
    row = figure(measure, 8)
    first = make_target(indicator=row, plan=plan, published=ISSUED)
    make_target(
        indicator=row, plan=plan, value=Decimal(8), supersedes=first, revision=2,
        correction_reason="下调", published=date(2023, 9, 1),
    )  # fmt: skip

    assert asked(client) == [
        "redefined Firms: the target was at least 10 organisations by the end of 2023 and is now "
        "at least 8 organisations by the end of 2023; by the former terms it would be “target "
        "missed”, now it is “target met”."
    ]
    assert "redefined" not in asked(client, as_of="2023-08-31")[0]


def test_silence_after_an_agreed_date_and_silence_since_the_report(client, measure):
    figure(measure, name_en="Late", frequency=Frequency.YEARLY, schedule_agreed_on=date(2022, 1, 1))
    figure(measure, name_en="Silent", frequency=Frequency.YEARLY)

    late, silent = asked(client, as_of="2024-06-30")

    assert late == (
        "overdue Late: since 5 organisations (year 2022) 1 value has fallen due, and none was "
        "published."
    )
    assert silent == (
        "no longer updated Measure: 1 figure stands as of 31 December 2022 and was not "
        "updated since."
    )


def test_a_promise_without_a_figure_unless_it_ended(client, measure):
    empty = make_measure(theme=measure.theme, name_en="Defined")
    figure(empty, None)
    ended = make_measure(theme=measure.theme, name_en="Ended")
    make_state(measure=ended, status=MeasureStatus.TERMINATED, published=ISSUED)

    assert asked(client) == [
        "promise without a figure Measure: words alone so far, and no figure by which it could be "
        "measured.",
        "promise without a figure Defined: its figures are defined, but none of them has a public "
        "value.",
    ]


def test_questions_are_those_of_the_pages_day_in_its_words(client, measure):
    reword(measure, since=date(2023, 9, 1), name_en="Renamed")

    assert "Renamed" in asked(client)[0]
    assert "Measure" in asked(client, as_of="2023-08-31")[0]
    assert asked(client, as_of="2023-07-24") == ["Nothing that is public gives anything to ask."]


@pytest.fixture
def two(measure):
    """A promise without a figure of each of two sections; nobody leads the second."""
    section = make_section(order=2, opinion=measure.theme.section.opinion, code="second")
    return make_measure(theme=make_theme(section=section, code="roads"), name_en="Other")


NARROWED = [
    ({}, ["Measure", "Other"]),
    ({"section": "first"}, ["Measure"]),
    ({"theme": "roads"}, ["Other"]),
    ({"department": "office"}, ["Measure"]),
    ({"department": "none"}, ["Other"]),
    ({"kind": "no-figure", "section": "second"}, ["Other"]),
    ({"kind": "missed"}, []),
    ({"by": "section"}, ["Measure", "Other"]),
    ({"by": "department"}, ["Measure", "Other"]),
]


@pytest.mark.parametrize(
    ("query", "names"),
    [pytest.param(*case, marks=runs_once.PAGES if case[0] else ()) for case in NARROWED],
)
def test_page_and_file_are_narrowed_alike(client, two, query, names):
    found = [text for text in asked(client, **query) if "Nothing" not in text]
    file = client.get(ENGLISH, {**query, "format": "csv"}).getvalue().decode()
    rows = rows_of(file)

    assert len(found) == len(rows) == len(names)
    assert all(name in text for name, text in zip(names, found, strict=True))
    assert all(name in row["Question"] for name, row in zip(names, rows, strict=True))
    assert [row["No."] for row in rows] == [str(n + 1) for n in range(len(rows))]


@runs_once.FILES
def test_the_file_says_who_is_asked_and_where_it_is_told(client, two):
    first, second = rows_of(client.get(ENGLISH, {"format": "csv"}).getvalue().decode())

    assert first["Lead department"] == "Office (proposed)"
    assert second["Lead department"] == "not known"
    assert first["Address"] == "http://testserver/en/measures/m/"
    assert first["Section"] == "1 First"
    assert client.get(ENGLISH, {"format": "xlsx"}).status_code == 200


@runs_once.FILES
@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({}, "none, everything that is public"),
        ({"section": "first", "by": "department"}, "Section: 1 First"),
        ({"department": "office", "kind": "missed"}, "Department: Office; Kind of question: "),
    ],
)
def test_the_workbook_says_by_what_it_is_narrowed(client, two, query, said):
    book = load_workbook(BytesIO(client.get(ENGLISH, {**query, "format": "xlsx"}).content))
    cover = [str(cell.value) for row in book.worksheets[0] for cell in row if cell.value]

    assert cover[cover.index("Filters") + 1].startswith(said)


UNKNOWN = (
    {"section": "nothing"}, {"department": "nothing"}, {"kind": "nothing"}, {"by": "nothing"},
    {"format": "pdf"}, {"opinion": "%00"},
)  # fmt: skip


@runs_once.ADDRESSES
@pytest.mark.sweep
@pytest.mark.parametrize(
    ("prefix", "query"),
    one_way_each([(prefix, query) for prefix in ("", "/en") for query in UNKNOWN]),
)
def test_what_the_portal_does_not_know_is_refused_with_a_sentence(client, measure, prefix, query):
    response = client.get(f"{prefix}/questions/", query)

    assert response.status_code == 400
    assert len(texts(response.content.decode(), "h1")) == 1


@runs_once.PAGES
def test_the_front_page_asks_the_ten_gravest_and_leads_to_all(client, measure):
    for number in range(12):
        make_measure(theme=measure.theme, name_en=f"Promise {number}")

    assert len(asked(client, "/en/")) >= 10
    html = html_of(client)
    questions = html.partition('<ol class="questions">')[2].partition("</ol>")[0]
    assert len(texts(questions, "li")) == 10
    assert "all 13 questions" in html
    assert len(asked(client)) == 13


@runs_once.FILES
def test_a_pack_asks_what_its_part_gives_to_ask(client, two, plan):
    make_target(indicator=figure(two), plan=plan, published=ISSUED)

    first = html_of(client, "/en/packs/", section="first")
    second = html_of(client, "/en/packs/", section="second")

    assert "words alone so far" in first and "it should be" not in first
    assert "it should be at least 10 organisations" in second and "words alone" not in second
    csv = client.get("/en/packs/pack.csv", {"section": "second"}).getvalue().decode()
    assert 'What to ask,"Firms: it should be at least 10 organisations' in csv
    # Of a list nobody knows the measures' other figures.
    assert "words alone" not in html_of(client, "/en/packs/", category="enterprises")


@runs_once.QUERIES
@pytest.mark.parametrize("query", [{}, {"as_of": "2024-01-31"}])
def test_many_questions_cost_no_more_queries_than_few(client, measure, plan, query):
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            asked(client, **query)
        return len(queries)

    make_target(indicator=figure(measure), plan=plan, published=ISSUED)
    make_measure(theme=measure.theme)
    few = cost()
    for _n in range(5):
        make_target(indicator=figure(measure), plan=plan, published=ISSUED)
        make_measure(theme=measure.theme)

    # Without any summary: all is worked out, to be counted and to be told.
    assert cost() == few <= 36 + to_the_past(query)
