"""/changes/: what became public between two days, by section, and which states changed."""

import re
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from baoshan_portal.tests.pages import links, texts
from measures.models import Report
from measures.submission import end_of_day
from measures.tests.factories import (
    ISSUED,
    make_measure,
    make_note,
    make_report,
    make_section,
    make_theme,
)
from metrics.rules.checks import CheckKind, Role
from metrics.tests.factories import (
    make_check,
    make_indicator,
    make_observation,
    make_target,
    make_term,
)
from metrics.tests.test_history import corrected

from ..changes.page import default_since, spans
from ..changes.publications import counts_by_theme
from .slow_changes import changes_between

pytestmark = pytest.mark.django_db

JULY, AUGUST, SEPTEMBER = date(2023, 7, 31), date(2023, 8, 10), date(2023, 9, 1)
YEAR_2021 = {"period_start": date(2021, 1, 1), "period_end": date(2021, 12, 31)}


@pytest.fixture
def measure():
    """A measure of the first of two sections, and a report issued on ISSUED."""
    report = make_report()
    second = make_section(order=2, opinion=report.opinion, name_en="Second")
    make_measure(theme=make_theme(order=1, section=second))
    section = make_section(order=1, opinion=report.opinion, name_en="First")
    return make_measure(theme=make_theme(order=1, section=section, name_en="Theme"), order=1)


def html_of(client, address="/en/changes/", **query) -> str:
    response = client.get(address, query)
    assert response.status_code == 200
    return response.content.decode()


def part_of(html: str, order: int) -> str:
    """The part of the page that is about one section."""
    (found,) = re.findall(
        rf'<section aria-labelledby="section-{order}">(.*?)</section>', html, re.DOTALL
    )
    return found


def cells(html: str) -> list[list[str]]:
    rows = re.findall("<tr>(.*?)</tr>", html.partition("<tbody>")[2], re.DOTALL)
    return [texts(row, "td") for row in rows]


def test_the_first_value_of_an_indicator_stands_apart(client, measure):
    indicator = make_indicator(measure=measure, name_en="Firms")
    make_observation(indicator=indicator, published=ISSUED)

    part = part_of(html_of(client, **{"from": "2023-07-24"}), 1)

    assert cells(part) == []
    assert texts(part, "summary") == [
        "1 value, the first of its indicator, published on 2023-07-25"
    ]
    assert texts(part, "li") == ["1.1.1Firms 5 organisations year 2022"]
    assert texts(part, "p") == ["1 publication · Subscribe to this section (Atom)"]


def test_a_new_value_is_told_with_the_one_of_the_period_before(client, measure):
    indicator = make_indicator(measure=measure, name_en="Firms")
    make_observation(indicator=indicator, published=ISSUED, **YEAR_2021)
    make_observation(indicator=indicator, value=Decimal(7), published=AUGUST)

    part = part_of(html_of(client), 1)

    assert cells(part) == [
        [
            "1.1.1",
            "Firms",
            "new value",
            "5 organisations (year 2021)",
            "7 organisations (year 2022) +2 organisations",
            "2023-08-10",
        ]
    ]
    assert texts(part, "summary") == []


def test_a_correction_is_told_with_the_old_value_and_its_reason(client, measure):
    indicator = make_indicator(measure=measure, name_en="Firms")
    first = make_observation(indicator=indicator, published=ISSUED)
    corrected(first, make_observation, AUGUST, "漏计一家", value=Decimal(6))

    (row,) = cells(part_of(html_of(client), 1))

    assert row[2:] == [
        "correction",
        "5 organisations (year 2022)",
        "6 organisations (year 2022) +1 organisations first published: 5 organisations; corrected "
        "by +1 organisations (+20%) since Reason: 漏计一家",
        "2023-08-10",
    ]


def test_an_older_period_that_is_filled_in_is_not_a_change_of_the_newer_one(client, measure):
    indicator = make_indicator(measure=measure)
    make_observation(indicator=indicator, published=ISSUED)
    make_observation(indicator=indicator, value=Decimal(4), published=AUGUST, **YEAR_2021)

    (row,) = cells(part_of(html_of(client), 1))

    assert row[2:5] == ["new value", "—", "4 organisations (year 2021)"]


def test_a_value_is_compared_with_what_stood_when_it_was_published(client, measure):
    indicator = make_indicator(measure=measure)
    first = make_observation(indicator=indicator, published=ISSUED, **YEAR_2021)
    make_observation(indicator=indicator, value=Decimal(7), published=AUGUST)
    corrected(first, make_observation, SEPTEMBER, "漏计一家", value=Decimal(6))

    (row,) = cells(part_of(html_of(client, to="2023-08-31"), 1))

    assert row[3] == "5 organisations (year 2021)"


def test_targets_and_notes_are_listed(client, measure):
    indicator = make_indicator(measure=measure)
    target = make_target(indicator=indicator, value=None, published=ISSUED)
    corrected(target, make_target, AUGUST, "补充公布", value=Decimal(10))
    note = make_note(measure=measure, text_en="Site chosen.", published=AUGUST)
    corrected(note, make_note, SEPTEMBER, "更正日期", text_en="Site chosen in May.")

    rows = cells(part_of(html_of(client), 1))

    assert [row[2:5] for row in rows] == [
        ["note corrected", "Site chosen.", "Site chosen in May. Reason: 更正日期"],
        ["progress note", "—", "Site chosen."],
        [
            "target changed",
            "target value not published · no claim",
            "≥ 10 organisations · no claim Reason: 补充公布",
        ],
    ]


def test_states_are_told_in_their_section(client, measure):
    indicator = make_indicator(measure=measure, name_en="Firms")
    value = make_observation(indicator=indicator, published=ISSUED)
    make_target(indicator=indicator, published=ISSUED)
    check = make_check(kind=CheckKind.PART, name_en="Part of all")
    make_term(check_of=check, role=Role.PART, indicator=indicator)
    whole = make_term(check_of=check, role=Role.WHOLE, indicator=make_indicator(measure=measure))
    make_observation(indicator=whole.indicator, value=Decimal(8), published=ISSUED)
    corrected(value, make_observation, AUGUST, "漏计", value=Decimal(12))

    html = html_of(client)
    part = part_of(html, 1)

    assert "States that changed" in texts(part, "h3")
    assert texts(part, "li") == [
        "Target: Firms ? cannot be assessed → ✓ target met",
        "Check: Part of all = holds → ≠ does not hold",
    ]
    assert f"/en/checks/?check={check.code}#{check.code}" in links(part)
    assert "States" not in part_of(html, 2)


def test_a_state_that_only_the_calendar_changed_is_told_too(client, measure):
    make_target(indicator=make_indicator(measure=measure), published=ISSUED)

    html = html_of(client, **{"from": "2023-12-31", "to": "2024-01-01"})

    assert "0 publications of the departments after 2023-12-31, up to 2024-01-01" in html
    assert "○ no data → ✕ target missed" in texts(part_of(html, 1), "li")[0]


def test_every_section_has_its_place_also_where_nothing_changed(client, measure):
    html = html_of(client, **{"from": "2023-08-01", "to": "2023-08-02"})

    assert "Silence is shown as silence." in html
    assert re.findall('<h2 id="(section-[0-9])"', html) == ["section-1", "section-2"]
    assert texts(part_of(html, 2), "p") == ["0 publications · Subscribe to this section (Atom)"]


def test_many_first_values_are_folded_unless_the_reader_unfolds_them(client, measure):
    for _n in range(20):
        make_observation(indicator=make_indicator(measure=measure), published=ISSUED)
    span = {"from": "2023-07-24"}

    folded, unfolded = html_of(client, **span), html_of(client, **span, unfold="all")

    assert '<details class="firsts">' in folded
    assert '<details class="firsts" open>' in unfolded
    assert [link for link in links(folded) if "unfold=all" in link]
    few = html_of(client, **span, to="2023-07-25", as_of="2023-07-25")
    assert '<details class="firsts">' in few


def test_a_few_first_values_are_open(client, measure):
    for _n in range(19):
        make_observation(indicator=make_indicator(measure=measure), published=ISSUED)

    html = html_of(client, **{"from": "2023-07-24"})

    assert '<details class="firsts" open>' in html
    assert "unfold" not in html


# Between which days


def test_it_begins_with_the_report_and_ends_with_the_day_of_the_page(client, measure):
    today = timezone.localdate().isoformat()

    assert f"after 2023-07-25, up to {today}" in html_of(client)
    assert "after 2023-07-25, up to 2023-08-01" in html_of(client, as_of="2023-08-01")
    assert "after 2023-07-25, up to 2023-07-31" in html_of(client, to="2023-07-31")


def test_without_a_report_or_before_it_a_single_day_is_listed(measure):
    report = Report.objects.get()

    assert default_since(report, AUGUST) == ISSUED
    assert default_since(report, ISSUED) == ISSUED - timedelta(days=1)
    assert default_since(report, date(2023, 7, 1)) == date(2023, 6, 30)
    assert default_since(None, AUGUST) == date(2023, 8, 9)
    assert default_since(None, date.min) == date.min


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"from": "never"}, "“never” is not a date."),
        ({"to": "9999-12-31"}, "is in the future"),
        ({"from": "2023-09-01", "to": "2023-08-01"}, "exchange the two days"),
        ({"to": "2023-08-02", "as_of": "2023-08-01"}, "“to” is later than 2023-08-01"),
        ({"unfold": "some"}, "can only be “all”"),
    ],
)
def test_days_that_make_no_sense_are_refused_with_a_sentence(client, measure, query, sentence):
    response = client.get("/en/changes/", query)

    assert response.status_code == 400
    assert sentence in " ".join(texts(response.content.decode(), "p"))


def test_spans_that_readers_ask_for_are_offered_and_the_shown_one_is_marked(client, measure):
    html = html_of(client, as_of="2023-08-20").partition('<ul class="tabs')[2]
    tabs = re.findall('<li><a href="([^"]*)"( aria-current="page")?>([^<]*)</a></li>', html)

    assert [(link.replace("&amp;", "&"), bool(here), name) for link, here, name in tabs] == [
        (f"/en/changes/?from={first}&to={last}&as_of=2023-08-20", here, name)
        for first, last, here, name in (
            ("2023-07-25", "2023-08-20", True, "since the report"),
            ("2023-07-24", "2023-07-25", False, "the report itself"),
            ("2023-07-21", "2023-08-20", False, "the last 30 days"),
            ("2022-12-31", "2023-08-20", False, "this year"),
        )
    ]
    assert "the report itself" not in html_of(client, as_of="2023-07-01")


def test_what_came_out_on_new_years_day_is_told_of_this_year(client, measure):
    new_year = date(2024, 1, 1)
    make_note(measure=measure, text_en="Site chosen.", published=new_year)
    (span,) = [span for span in spans(None, new_year) if span[0] == "今年以来"]

    html = html_of(client, **{"from": span[1], "to": span[2], "as_of": "2024-01-01"})

    assert span[1:] == (date(2023, 12, 31), new_year)
    assert "Site chosen." in part_of(html, 1)


def test_the_first_year_of_all_begins_with_its_first_day():
    assert [first for _name, first, _last in spans(None, date(1, 3, 1))][-1] == date.min
    assert spans(None, date.min) == []


def test_what_an_indicator_held_back_counts_from_the_day_that_it_became_public(client, measure):
    indicator = make_indicator(measure=measure, published_on=AUGUST)
    make_observation(indicator=indicator, published=ISSUED)

    (change,) = changes_between(end_of_day(JULY), end_of_day(SEPTEMBER))

    assert timezone.localdate(change.at) == AUGUST
    assert changes_between(None, end_of_day(JULY)) == []
    counts, newest = counts_by_theme(end_of_day(JULY), end_of_day(SEPTEMBER))
    assert counts[measure.theme_id] == 1
    assert timezone.localdate(newest) == ISSUED


def test_the_counts_of_the_overview_are_those_of_the_list(measure):
    value = make_observation(indicator=make_indicator(measure=measure), published=ISSUED)
    corrected(value, make_observation, AUGUST, "漏计", value=Decimal(6))
    make_target(indicator=value.indicator, published=AUGUST)
    make_note(measure=measure, published=SEPTEMBER)
    make_note(measure=make_measure(), published=SEPTEMBER)
    make_note(measure=measure)

    for first in (date(2023, 7, 24), ISSUED, AUGUST, SEPTEMBER):
        since, until = end_of_day(first), end_of_day(SEPTEMBER)
        counts, _newest = counts_by_theme(since, until)
        listed = [change.measure.theme_id for change in changes_between(since, until)]
        assert {theme: n for theme, n in counts.items() if n} == {
            theme: listed.count(theme) for theme in listed
        }, first
