"""The verdict in a sentence: on nothing, on all met, on all overdue and on a mixture.

Those of the report and of the demonstration are tried where these are there.
"""

from datetime import date
from decimal import Decimal

import pytest

from baoshan_portal.tests import runs_once
from measures.tests.factories import ISSUED, make_measure, make_report, make_section, make_theme
from metrics.rules.choices import Claim, Comparator, Frequency
from metrics.rules.periods import months_between
from metrics.tests.factories import make_indicator, make_observation, make_plan, make_target

from .front_page import finding, html_of, verdict

pytestmark = [pytest.mark.django_db, pytest.mark.long]


@pytest.fixture
def theme():
    section = make_section(order=1, opinion=make_report().opinion, name_en="Carriers")
    return make_theme(order=1, section=section)


@pytest.fixture
def plan(theme):
    return make_plan(opinion=theme.section.opinion)


def figure(theme, value=None, **fields):
    row = make_indicator(measure=make_measure(theme=theme), **fields)
    if value is not None:
        make_observation(indicator=row, value=Decimal(value), published=ISSUED)
    return row


@runs_once.PAGES
def test_of_nothing_at_all_nothing_can_be_said(client):
    assert verdict(client) == [
        "尚无公开内容，落实情况无从判断。",
        "Nothing has been published yet, so nothing can be said.",
    ]


@runs_once.PAGES
def test_before_anything_was_published_nothing_can_be_said(client, theme):
    make_measure(theme=theme)

    assert verdict(client, as_of="2023-07-24")[1].startswith("Nothing has been published yet")


@runs_once.PAGES
def test_all_met(client, theme, plan):
    for value in (10, 12):
        make_target(plan=plan, indicator=figure(theme, value), published=ISSUED)

    assert verdict(client) == [
        "全部2项目标均已达到（数据截至2022年12月31日）。",
        "All 2 targets are met (data up to 31 December 2022).",
    ]
    assert finding(client) == []


def test_all_overdue(client, theme, plan):
    agreed = {"frequency": Frequency.YEARLY, "schedule_agreed_on": date(2021, 1, 1)}
    for value in (3, 4):
        make_target(plan=plan, indicator=figure(theme, value, **agreed), published=ISSUED)

    assert verdict(client) == [
        "全部2项目标到期均未达到；2项指标全部逾期未报（数据截至2022年12月31日）。",
        "All 2 targets were missed; all 2 figures are overdue (data up to 31 December 2022).",
    ]
    missed, trouble = finding(client)
    assert missed.count("target at least 10 organisations by the end of 2023") == 2
    assert trouble == "Carriers 2 targets missed, 2 figures overdue"


def test_a_mixture_is_counted_the_worst_first(client, theme, plan):
    at_most = {"comparator": Comparator.AT_MOST}
    for value, more in (
        (5, {"claim": Claim.MET}),
        (12, {}),
        (None, {}),
        (5, {"value": None}),
        (5, at_most),
    ):
        row = figure(theme, value)
        make_target(plan=plan, indicator=row, published=ISSUED, **more)

    chinese, english = verdict(client)

    assert chinese == "5项目标中，2项未达目标、2项已达目标、1项无法核验（数据截至2022年12月31日）。"
    assert english == (
        "5 targets: 2 missed, 2 met, 1 cannot be verified (data up to 31 December 2022)."
    )
    assert "though reported met" in finding(client)[0]


@runs_once.PAGES
def test_without_a_target_it_says_so(client, theme):
    figure(theme, 5)

    assert verdict(client)[1] == (
        "No target has been published, so whether the work is done cannot be told (data up to 31 "
        "December 2022)."
    )


def test_the_verdict_of_a_past_day_is_that_of_the_day(client, theme, plan):
    row = figure(theme)
    make_target(plan=plan, indicator=row, published=ISSUED)
    make_observation(indicator=row, value=Decimal(11), published=date(2023, 9, 1))

    assert verdict(client, as_of="2023-08-31")[1].startswith(
        "Whether the 1 known target is met cannot be told (no data"
    )
    assert verdict(client, as_of="2023-09-01")[1].startswith("The 1 target is met")


@runs_once.PAGES
@pytest.mark.parametrize(
    ("as_of", "english", "chinese"),
    [
        ("2024-06-30", "The plan’s period ended with the end of 2023", "计划期已于2023年底结束"),
        (
            "2023-09-15",
            "The plan’s period: 2 years and 8 months gone, 3 months left until the end of 2023",
            "计划期已过2年零8个月，距2023年底还有3个月",
        ),
        (
            "2023-12-10",
            "The plan’s period: 2 years and 11 months gone, less than a month left",
            "计划期已过2年零11个月，剩余不足1个月",
        ),
    ],
)
def test_the_time_of_a_plan_is_told_in_words_and_drawn_nowhere(
    client, theme, plan, as_of, english, chinese
):
    make_target(plan=plan, indicator=figure(theme, 5), published=ISSUED, value=None)

    for address, words in (("/", chinese), ("/en/", english)):
        html = html_of(client, address, as_of=as_of)
        strip = html.partition('<dl class="strip">')[2].partition("</dl>")[0]
        assert words in strip
        assert "<svg" not in strip


@pytest.mark.once("reckons with days")
def test_months_are_whole():
    assert months_between(date(2023, 1, 31), date(2023, 2, 28)) == 0
    assert months_between(date(2023, 1, 15), date(2023, 3, 15)) == 2
    assert months_between(date(2023, 3, 15), date(2023, 1, 15)) == 0
