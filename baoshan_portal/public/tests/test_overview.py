"""The overview: what was asked for, what is new, the key figures, and honest counts."""

import re
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from baoshan_portal.tests import runs_once
from baoshan_portal.tests.pages import links, rows_of, texts
from baoshan_portal.tests.slices import one_way_each, some
from measures.models import MeasureStatus
from measures.tests.factories import (
    ISSUED,
    make_evaluation,
    make_measure,
    make_note,
    make_report,
    make_section,
    make_state,
    make_theme,
)
from metrics.models import Indicator
from metrics.rules.checks import CheckKind, Role
from metrics.rules.choices import Claim, Comparator, Kind
from metrics.tests.factories import (
    make_check,
    make_indicator,
    make_observation,
    make_plan,
    make_target,
    make_term,
    make_unit,
)

from .front_page import html_of, parts, row_of, states_of

pytestmark = [pytest.mark.django_db, pytest.mark.long]

DAY = date(2023, 8, 10)
NO_DAYS = ("yesterday", "2023-02-30", "9999-12-31", "%00")


@pytest.fixture
def issue():
    """A report, and a section with two themes; the second one has no figure."""
    report = make_report()
    section = make_section(order=1, opinion=report.opinion)
    themes = [make_theme(order=n, section=section, name_en=f"Theme {n}") for n in (1, 2)]
    measure = make_measure(theme=themes[0])
    make_measure(theme=themes[1])
    return report, measure


# What was asked for


def test_targets_measures_and_figures_are_counted_by_their_state(client, issue):
    _report, measure = issue
    make_indicator(measure=measure)
    make_observation(indicator=(row := make_indicator(measure=measure)), published=ISSUED)
    make_target(indicator=row, published=ISSUED)
    make_observation(indicator=make_indicator(measure=measure))
    make_state(measure=measure, status=MeasureStatus.COMPLETED, published=ISSUED)

    html = html_of(client)

    states = ["missed 1", "completed 1", "no longer updated 1 never reported 2", "0"]
    assert row_of(html, "Theme 1") == states
    assert row_of(html, "Theme 2") == ["none", "not known 1", "none", "0"]
    assert row_of(html, "Total") == [
        "missed 1",
        "completed 1 not known 1",
        "no longer updated 1 never reported 2",
        "0",
    ]
    assert row_of(html_of(client, as_of="2023-12-31"), "Theme 1")[0] == "cannot be verified 1"


@pytest.mark.once("compares counts with lists, which both databases are asked for")
@pytest.mark.sweep
def test_each_state_leads_to_exactly_its_list(client, issue):
    _report, measure = issue
    for value in (5, 12, 5):
        row = make_indicator(measure=measure)
        make_observation(indicator=row, value=Decimal(value), published=ISSUED)
        make_target(indicator=row, published=ISSUED)
    make_target(indicator=make_indicator(measure=measure), value=None, published=ISSUED)

    html = html_of(client)

    counted = states_of(html)
    assert len(counted) > 12
    for link, count in some(counted, every=3):
        rows = rows_of(html_of(client, f"{link}&format=csv"))
        assert len(rows) == int(count), link
    # Words and counts stand beside the colours, and the bar is drawn in the same numbers.
    assert (
        '<svg class="shares" viewBox="0 0 4 1" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="share-bad" x="0" width="2" height="1"/>'
    ) in html


def names_in_order(html: str) -> list[str]:
    table = html.partition('class="plain asked"')[2].partition("</table>")[0]
    return [text.lstrip("0123456789.") for text in texts(table, "th")][5:-1]


@runs_once.PAGES
def test_the_worst_stands_first_on_wish(client, issue):
    report, _measure = issue
    other = make_section(order=2, opinion=report.opinion, name_en="Other")
    calm, bad = (make_theme(order=n, section=other, name_en=f"Theme 2.{n}") for n in (1, 2))
    make_measure(theme=calm)
    row = make_indicator(measure=make_measure(theme=bad))
    make_target(indicator=row, published=ISSUED)
    make_evaluation(section=other, grade="not-satisfied", published=ISSUED)
    first = report.opinion.sections.get(order=1).name_en

    html, worst = html_of(client), html_of(client, order="worst")

    assert names_in_order(html) == [
        first, "Theme 1", "Theme 2", "Otherthe committee: ✕ not satisfied", "Theme 2.1",
        "Theme 2.2",
    ]  # fmt: skip
    assert names_in_order(worst) == [
        "Otherthe committee: ✕ not satisfied", "Theme 2.2", "Theme 2.1", first, "Theme 1",
        "Theme 2",
    ]  # fmt: skip
    trouble = html.partition("Most trouble")[2].partition("</dd>")[0]
    assert "1 target missed" in trouble and "not satisfied" in trouble


@runs_once.ADDRESSES
@pytest.mark.parametrize("prefix", ["", "/en"])
def test_another_order_is_refused_with_a_sentence(client, issue, prefix):
    response = client.get(f"{prefix}/", {"order": "best"})

    assert response.status_code == 400
    assert len(texts(response.content.decode(), "h1")) == 1


def test_new_counts_values_corrections_targets_and_notes_after_the_chosen_day(client, issue):
    _report, measure = issue
    indicator = make_indicator(measure=measure)
    first = make_observation(indicator=indicator, published=ISSUED)
    make_observation(
        indicator=indicator,
        supersedes=first,
        revision=2,
        correction_reason="漏计",
        value=Decimal(6),
        published=DAY,
    )
    make_target(indicator=indicator, published=DAY)
    make_note(measure=measure, published=DAY + timedelta(days=1))

    for since, count in (
        ("2023-07-24", "4"),
        ("2023-07-25", "3"),
        ("2023-08-09", "3"),
        ("2023-08-10", "1"),
        ("2023-08-11", "0"),
        ("", "3"),
    ):
        assert row_of(html_of(client, since=since), "Theme 1")[3] == count, since
    assert row_of(html_of(client, as_of="2023-08-10"), "Theme 1")[3] == "2"


@runs_once.PAGES
def test_what_is_new_leads_to_exactly_that_list(client, issue):
    _report, measure = issue
    make_observation(indicator=make_indicator(measure=measure), published=DAY)
    html = html_of(client, since="2023-08-01")
    today = timezone.localdate().isoformat()

    lists = [link for link in links(html) if "/changes/?from=" in link]

    assert lists == [
        f"/en/changes/?from=2023-08-01&to={today}{place}"
        for place in ("&at=1#section-1", "&at=1-1#theme-1-1", "&at=1-2#theme-1-2", "")
    ]
    changes = html_of(client, lists[0])
    assert 'id="section-1"' in changes
    assert 'id="theme-1-1"' in changes
    assert "1 publication of the departments after 2023-08-01" in changes


@runs_once.PAGES
def test_new_is_counted_from_the_day_of_issue_unless_asked_otherwise(client, issue):
    def counted(**query) -> str:
        return " ".join(texts(html_of(client, **query), "p"))

    assert "after 2023-07-25, the report’s day of issue" in counted()
    assert "after 2023-08-01." in counted(since="2023-08-01")
    # On the day of issue itself, what is new is the report.
    assert "after 2023-07-24." in counted(as_of="2023-07-25")


@runs_once.ADDRESSES
@pytest.mark.sweep
@pytest.mark.parametrize(
    ("prefix", "since"), one_way_each([(prefix, day) for prefix in ("", "/en") for day in NO_DAYS])
)
def test_a_since_that_makes_no_sense_is_refused_with_a_sentence(client, issue, prefix, since):
    response = client.get(f"{prefix}/", {"since": since})

    assert response.status_code == 400
    assert len(texts(response.content.decode(), "h1")) == 1


@runs_once.ADDRESSES
def test_a_since_after_the_day_of_the_page_is_refused_with_a_sentence(client, issue):
    response = client.get("/en/", {"since": "2023-08-02", "as_of": "2023-08-01"})

    assert response.status_code == 400
    assert "later than 2023-08-01" in response.content.decode()


# Key figures


def key_figure(client, **query) -> str:
    (text,) = texts(html_of(client, **query).partition('class="key-figures"')[2], "li")[:1]
    return text


def key_indicator(measure, **fields) -> Indicator:
    fields = {"name_en": "Firms", "kind": Kind.FLOW, "is_key": True} | fields
    return make_indicator(measure=measure, **fields)


def year(number: int) -> dict:
    return {"period_start": date(number, 1, 1), "period_end": date(number, 12, 31)}


def test_a_key_figure_tells_its_last_change(client, issue):
    report, measure = issue
    indicator = key_indicator(measure)
    source = {"indicator": indicator, "report": report, "locator": "1.1/1", "published": ISSUED}
    make_observation(value=Decimal(20), **source, **year(2020))
    make_observation(value=Decimal(40), **source, **year(2021))
    make_observation(value=Decimal(50), **source, **year(2022))

    assert key_figure(client) == (
        "Firms 50 organisations year 2022 +10 organisations (+25%) against year 2021 "
        f"{report.number} 1.1/1"
    )


@runs_once.PAGES
def test_a_key_figure_without_an_earlier_value_says_so(client, issue):
    report, measure = issue
    make_observation(
        indicator=key_indicator(measure), source_name="Ledger", published=ISSUED, **year(2022)
    )

    assert key_figure(client) == ("Firms 5 organisations year 2022 no earlier value · Ledger")


@runs_once.PAGES
def test_a_key_figure_tells_the_growth_that_the_source_states_for_its_period(client, issue):
    _report, measure = issue
    indicator = key_indicator(measure)
    percent = make_unit(name="%", name_en="%", quantity="percentage")
    rate = make_indicator(measure=measure, basis=indicator, kind=Kind.GROWTH, unit=percent)
    make_observation(
        indicator=rate, value=Decimal(35), as_written="35%", published=ISSUED, **year(2022)
    )
    make_observation(indicator=indicator, published=ISSUED, **year(2022))

    assert "the source states growth of 35%" in key_figure(client)
    make_observation(indicator=indicator, published=date(2024, 2, 1), **year(2023))
    assert "growth" not in key_figure(client)


@runs_once.PAGES
def test_a_key_figure_whose_periods_differ_in_length_is_not_subtracted(client, issue):
    _report, measure = issue
    indicator = key_indicator(measure)
    make_observation(indicator=indicator, value=Decimal(50), published=ISSUED, **year(2022))
    make_observation(
        indicator=indicator,
        value=Decimal(20),
        period_start=date(2023, 1, 1),
        period_end=date(2023, 6, 30),
        published=DAY,
    )

    text = key_figure(client)

    assert "before that 50 organisations (year 2022). The periods differ in length" in text
    assert "+" not in text


def test_a_key_figure_is_shown_as_it_was_public_on_the_day(client, issue):
    _report, measure = issue
    indicator = key_indicator(measure)
    make_observation(indicator=indicator, published=ISSUED, **year(2021))
    make_observation(indicator=indicator, value=Decimal(6), published=DAY, **year(2022))

    assert "no earlier value" in key_figure(client, as_of="2023-08-09")
    assert "+1 organisations (+20%)" in key_figure(client, as_of="2023-08-10")


@runs_once.PAGES
def test_a_key_indicator_without_a_value_is_shown_as_missing(client, issue):
    _report, measure = issue
    key_indicator(measure)

    assert key_figure(client) == "Firms no data"


def test_a_steward_chooses_key_figures_and_their_order(client, issue):
    _report, measure = issue
    for name, place in (("Last", None), ("Second", 2), ("First", 1), ("Behind", None)):
        key_indicator(measure, name_en=name, key_order=place)
    key_indicator(measure, name_en="Of the section", is_key=False, is_section_key=True, key_order=1)

    front = texts(html_of(client).partition('class="key-figures"')[2].partition("</ul>")[0], "a")
    page = html_of(client, "/en/sections/1/")
    section = texts(page.partition('class="key-figures"')[2].partition("</ul>")[0], "a")

    assert front == ["First", "Second", "Last", "Behind"]
    assert section == ["First", "Of the section", "Second", "Last", "Behind"]


@runs_once.PAGES
def test_a_key_figure_shows_its_course_and_the_way_to_its_target(client, issue):
    _report, measure = issue
    indicator = key_indicator(measure, kind=Kind.STOCK)
    for number, value in ((2019, 4), (2020, 5), (2022, 8)):
        make_observation(
            indicator=indicator,
            value=Decimal(value),
            published=ISSUED,
            period_start=date(number, 12, 31),
            period_end=date(number, 12, 31),
        )
    make_target(indicator=indicator, value=Decimal(13), baseline=Decimal(3), published=ISSUED)

    html = html_of(client).partition('class="key-figures"')[2].partition("</li>")[0]

    assert "from 4家 (31 December 2019) to 8家 (31 December 2022)" in html
    # 2021 was never reported, which breaks the line: one of two points, and the newest alone.
    assert html.count("<polyline") == 1
    assert 'points="3.0,25.0 41.1,19.5"' in html
    assert "target at least 13 organisations by the end of 2023" in texts(html, "p")[1]
    assert "50% of the way from the baseline to the target" in html
    assert 'class="bar-part" width="50"' in html


@runs_once.PAGES
def test_a_key_figure_with_a_limit_has_no_bar(client, issue):
    _report, measure = issue
    indicator = key_indicator(measure)
    make_observation(indicator=indicator, published=ISSUED)
    make_target(indicator=indicator, comparator=Comparator.AT_MOST, published=ISSUED)

    html = html_of(client).partition('class="key-figures"')[2].partition("</li>")[0]

    assert "target at most 10 organisations" in html
    assert "bar-part" not in html
    assert "<polyline" not in html


# The honesty panel


def test_every_indicator_is_counted_once_in_every_row(client, issue):
    report, measure = issue

    def indicator(**fields):
        return make_indicator(measure=measure, **fields)

    make_observation(indicator=(a := indicator()), report=report, locator="1.1/1", published=ISSUED)
    make_target(indicator=a, value=Decimal(10), published=ISSUED)
    make_target(indicator=a, value=None, published=ISSUED)
    make_observation(indicator=(b := indicator()), period_inferred=True, published=ISSUED)
    make_observation(indicator=b, published=date(2024, 2, 1), **year(2023))
    make_target(indicator=b, value=None, claim=Claim.MET, published=ISSUED)
    indicator()
    make_observation(indicator=indicator(), period_inferred=True)

    counts = {label: count for label, (count, _link) in parts(html_of(client)).items()}

    assert counts == {
        "has one": "2/4",
        "has none": "2/4",
        "traced to a sentence or document": "2/4",
        "not traced": "2/4",
        "value published": "1/4",
        "known, not published": "1/4",
        "none known": "2/4",
        "updated": "1/4",
        "not updated": "3/4",
        "overdue": "0/4",
        "no longer updated": "2/4",
        "never reported": "2/4",
        "told only once": "0/4",
        "nothing due is missing": "0/4",
        "partly inferred": "1/4",
        "as the source states": "3/4",
        "does not hold": "0/0",
        "a question to ask": "0/0",
        "holds approximately": "0/0",
        "cannot be told": "0/0",
        "holds": "0/0",
    }


def test_a_correction_after_the_report_counts_as_updated_from_its_day_on(client, issue):
    _report, measure = issue
    first = make_observation(indicator=make_indicator(measure=measure), published=ISSUED)
    make_observation(
        indicator=first.indicator,
        supersedes=first,
        revision=2,
        correction_reason="漏计",
        published=DAY,
        period_inferred=True,
    )

    before, after = (parts(html_of(client, as_of=day)) for day in ("2023-08-09", "2023-08-10"))

    assert (before["updated"][0], before["partly inferred"][0]) == ("0/1", "0/1")
    assert (after["updated"][0], after["partly inferred"][0]) == ("1/1", "1/1")


def test_checks_are_counted_by_what_came_of_them(client, issue):
    _report, measure = issue
    for part, whole in ((9, 8), (5, 8), (6, 8)):
        check = make_check(kind=CheckKind.PART)
        for role, value in ((Role.PART, part), (Role.WHOLE, whole)):
            term = make_term(check_of=check, role=role, indicator=make_indicator(measure=measure))
            make_observation(indicator=term.indicator, value=Decimal(value), published=ISSUED)
    make_term(check_of=make_check(), indicator=make_indicator(measure=measure))

    counts = parts(html_of(client))

    assert {label: count for label, (count, _link) in list(counts.items())[-5:]} == {
        "does not hold": "1/4",
        "a question to ask": "0/4",
        "holds approximately": "0/4",
        "cannot be told": "1/4",
        "holds": "2/4",
    }
    failing = html_of(client, counts["does not hold"][1])
    assert len(re.findall('<article class="check"', failing)) == 1


@runs_once.PAGES
def test_the_shares_are_drawn_in_the_same_numbers(client, issue):
    _report, measure = issue
    make_observation(indicator=make_indicator(measure=measure), published=ISSUED)
    make_indicator(measure=measure)

    html = html_of(client)

    assert (
        '<svg class="shares" viewBox="0 0 2 1" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="share-yes" x="0" width="1" height="1"/>'
        '<rect class="share-no" x="1" width="1" height="1"/></svg>'
    ) in html


# What the page costs, and where there is nothing to show


@runs_once.PAGES
@pytest.mark.parametrize("prefix", ["", "/en"])
def test_an_empty_database_says_how_to_fill_it(client, prefix):
    html = html_of(client, f"{prefix}/")

    assert "prepare" in html
    assert len(texts(html, "h1")) == 1


def test_what_is_only_prepared_is_not_shown(client, issue):
    report, _measure = issue
    section = make_section(order=2, opinion=report.opinion, name_en="Prepared")
    make_measure(theme=make_theme(section=section, name_en="Prepared"), published_on=None)
    make_target(plan=make_plan(opinion=report.opinion, name_en="Prepared"))

    assert "Prepared" not in html_of(client)
