"""Figures of a category beside each other: their common unit, their scale, and their page."""

import json
import re
from decimal import Decimal

import pytest

from baoshan_portal.tests.pages import rows_of
from measures.tests.factories import ISSUED
from metrics.tests.factories import make_indicator, make_money, make_observation, make_unit

from ..charts.comparison import Bar, groups
from ..compare import Comparison, loaded, ordered

pytestmark = [pytest.mark.django_db, pytest.mark.once("is about what charts draw and say")]


def compared(category: str) -> list[Comparison]:
    """All figures of ``category``, today."""
    parts = ordered(category, None)
    return loaded(parts, None, [key for part in parts for key in part.keys])


def money(**values):
    """A public figure of every value, by its unit's name: 万元=148.54."""
    units = make_money()
    for name, value in values.items():
        indicator = make_indicator(category="funds", unit=units[name])
        make_observation(indicator=indicator, value=Decimal(value), published=ISSUED)


def test_money_is_compared_in_the_largest_unit_that_is_reported():
    money(万元="148.54", 亿元="218")

    (comparison,) = compared("funds")

    assert str(comparison.unit) == "亿元"
    assert [number for _bar, number in comparison.rows] == ["218", "0.014854"]


def test_what_spans_a_hundredfold_is_broken_into_groups_that_say_their_scale():
    money(万元="148.54", 亿元="218")
    (comparison,) = compared("funds")

    text = json.dumps(comparison.spec(), ensure_ascii=False)

    assert '"log"' not in text
    large, small = comparison.groups
    # 218亿元 is 14,676 times 148.54万元.
    assert (large.note, small.note) == ("", "较小数值：以下条形按上组比例放大15,000倍绘制")
    assert small.note in text
    # Each group fills its scale.
    assert [group.share(group.bars[0]) for group in (large, small)] == [1, 1]


def test_what_spans_less_is_one_group_of_bars_from_zero():
    money(万元="20000", 亿元="3")
    (comparison,) = compared("funds")

    (group,) = comparison.groups
    (layer,) = [layer for layer in comparison.spec()["layer"] if layer["mark"]["type"] == "rect"]

    # 2亿元 beside 3亿元.
    assert [width for _bar, width in group.rows] == ["100.00", "66.67"]
    longest, shorter = layer["data"]["values"]
    assert longest["x"] == shorter["x"] == 0
    assert round(shorter["x2"] / longest["x2"], 4) == 0.6667


def test_zero_and_less_have_no_bar_and_no_group_of_their_own():
    indicator = make_indicator()
    values = (Decimal(5), Decimal(0), Decimal(-3))
    bars = [Bar(indicator, value, make_observation(indicator=indicator)) for value in values]

    (group,) = groups(bars)

    assert [width for _bar, width in group.rows] == ["100.00", "0.00", "0.00"]
    (none,) = groups(bars[1:])
    assert [width for _bar, width in none.rows] == ["0.00", "0.00"]


def test_every_row_of_a_ranking_says_its_value_and_leads_to_its_page(client):
    money(万元="148.54", 亿元="218")

    page = client.get("/compare/funds/").content.decode()

    ranked = "".join(re.findall('<ol class="ranked".*?</ol>', page, re.DOTALL))
    assert "218亿元" in ranked
    assert "148.54万元" in ranked
    assert ranked.count('href="/indicators/') == 2


def test_the_figures_of_a_comparison_can_be_taken_away(client):
    money(万元="148.54", 亿元="218")

    answer = client.get("/compare/funds/money.csv")
    large, small = rows_of(answer.getvalue().decode())

    assert (large["value"], large["unit"], large["group"]) == ("218", "亿元", "1")
    assert (small["value"], small["unit"], small["group"]) == ("148.54", "万元", "2")
    assert (small["common_value"], small["common_unit"]) == ("0.014854", "亿元")


def test_a_figure_without_value_is_named_and_not_drawn(client):
    money(万元="20000", 亿元="3")
    make_indicator(category="funds", unit=make_indicator().unit, name_en="Silent one")

    page = client.get("/en/compare/funds/").content.decode()

    assert "Silent one" in page
    assert "Without a public value" in page


def test_the_best_rank_stands_first_and_the_largest_number_does():
    rank = make_unit(name="名次", name_en="rank", quantity="rank")
    firms = make_unit()
    for unit, values in ((rank, (6, 1, 3)), (firms, (20, 40, 30))):
        for value in values:
            indicator = make_indicator(category="results", unit=unit)
            make_observation(indicator=indicator, value=value, published=ISSUED)

    shown = {one.unit: [number for _bar, number in one.rows] for one in compared("results")}

    assert shown == {rank: ["1", "3", "6"], firms: ["40", "30", "20"]}


def test_an_unknown_category_has_no_page(client):
    assert client.get("/compare/nothing/").status_code == 404
    assert client.get("/compare/funds/nothing.svg").status_code == 404


@pytest.mark.parametrize("category", ["enterprises", "funds", "platforms"])
def test_all_figures_of_the_report_in_the_category_are_compared(report, client, category):
    page = client.get(f"/en/compare/{category}/")

    assert page.status_code == 200
    assert page.content.decode().count("<svg") >= 1


def test_all_money_of_the_report_is_compared(report, client):
    page = client.get("/compare/funds/").content.decode()

    assert "148.54万元" in page
    assert "218亿元" in page
