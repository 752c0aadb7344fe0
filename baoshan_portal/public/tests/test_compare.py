"""Figures of a category beside each other: their common unit, their scale, and their page."""

import json
from decimal import Decimal

import pytest

from measures.tests.factories import ISSUED
from metrics.tests.factories import make_indicator, make_money, make_observation, make_unit

from ..compare import compared

pytestmark = [pytest.mark.django_db, pytest.mark.once("is about what charts draw and say")]


def money(**values):
    """A public figure of every value, by its unit's name: 万元=148.54."""
    units = make_money()
    for name, value in values.items():
        indicator = make_indicator(category="funds", unit=units[name])
        make_observation(indicator=indicator, value=Decimal(value), published=ISSUED)


def test_money_is_compared_in_the_largest_unit_that_is_reported():
    money(万元="148.54", 亿元="218")

    (comparison,) = compared("funds", None)

    assert str(comparison.unit) == "亿元"
    assert [number for _bar, number in comparison.rows] == ["218", "0.014854"]


def test_what_spans_a_hundredfold_is_drawn_as_points_in_powers_of_ten():
    money(万元="148.54", 亿元="218")
    (comparison,) = compared("funds", None)

    text = json.dumps(comparison.spec(), ensure_ascii=False)

    assert comparison.in_powers_of_ten
    assert '"log"' in text
    assert '"bar"' not in text
    assert "10" in text


def test_what_spans_less_is_drawn_as_bars_from_zero():
    money(万元="20000", 亿元="3")
    (comparison,) = compared("funds", None)

    text = json.dumps(comparison.spec(), ensure_ascii=False)

    assert not comparison.in_powers_of_ten
    assert '"bar"' in text
    assert '"zero": true' in text


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

    shown = {one.unit: [number for _bar, number in one.rows] for one in compared("results", None)}

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
