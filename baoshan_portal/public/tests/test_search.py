"""The search box finds a figure of the report however it is typed."""

from datetime import date

import pytest

from baoshan_portal.tests.pages import rows_of
from measures.tests.factories import ISSUED
from metrics.models import Indicator
from metrics.tests.factories import make_indicator, make_observation, make_unit

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("report"), pytest.mark.long]


ONCE = pytest.mark.once("a search compares folded texts in Python; some are asked for on both")


def found(client, text: str, address: str = "/en/indicators/") -> list[dict]:
    return rows_of(client.get(address, {"q": text, "format": "csv"}).getvalue().decode())


FIGURES = [
    ("翻两番", "翻两番", "1.3/4"),
    ("近百名", "近百名", "2.1/6"),
    ("148.54万元", "148.54万元", "3.2/7"),
    ("148.54", "148.54万元", "3.2/7"),
    ("１４８．５４万元", "148.54万元", "3.2/7"),
    ("148.54 万元", "148.54万元", "3.2/7"),
    ("第6", "第6", "1.3/3"),
    ("第６", "第6", "1.3/3"),
    ("1475", "1475家", "1.3/3"),
    ("1,475", "1475家", "1.3/3"),
    ("１，４７５家", "1475家", "1.3/3"),
    ("2.1万余个", "2.1万余个", "2.1/2"),
    ("1/4", "1/4", "1.3/13"),
]


@pytest.mark.parametrize(
    ("typed", "as_written", "locator"),
    # Texts are folded and compared in Python; some show that either database gives them.
    [pytest.param(*case, marks=ONCE if n % 4 else ()) for n, case in enumerate(FIGURES)],
)
def test_a_figure_of_the_report_is_found_as_it_is_typed(client, typed, as_written, locator):
    indicator = Indicator.objects.get(observations__as_written=as_written)

    rows = {row["Code"]: row for row in found(client, typed)}

    assert indicator.code in rows
    assert rows[indicator.code]["Source"] == f"宝府〔2023〕70号 {locator}"
    assert len(rows) <= 10


def test_an_exact_figure_is_the_only_one_found(client):
    assert [row["As written"] for row in found(client, "148.54万元")] == ["148.54万元"]


@ONCE
@pytest.mark.parametrize("typed", ["3264", "3,264", "３２６４家", "3,264家"])
def test_separators_in_the_source_do_not_hide_a_figure(client, typed):
    unit, codes = make_unit(name="家", code="search-unit"), set()
    for as_written in ("3,264家", "３，２６４家", "3 264家", "3264家"):
        indicator = make_indicator(unit=unit)
        make_observation(
            indicator=indicator, value=3264, as_written=as_written, published=date(2024, 1, 5)
        )
        codes.add(indicator.code)

    assert len(codes) == 4
    assert codes <= {row["Code"] for row in found(client, typed)}


def test_every_word_of_a_search_must_be_found(client):
    first = make_indicator(name="八面来风的企业", name_en="Firms of zephyr winds")
    make_indicator(name="八面玲珑的企业", name_en="Firms of zephyr sides")

    assert [row["Code"] for row in found(client, "zephyr WINDS")] == [first.code]
    assert [row["Code"] for row in found(client, "八面　来风")] == [first.code]
    assert len(found(client, "zephyr")) == 2


def test_a_measure_is_found_by_its_words(client):
    rows = found(client, "premium subsidy", "/en/measures/")

    assert [row["No."] for row in rows] == ["3.2.5"]


def test_a_target_is_found_by_its_indicator(client):
    (row,) = found(client, "academician", "/en/targets/")

    assert row["Target"] == "not published"


@ONCE
@pytest.mark.parametrize("typed", ["_", "八面来风", "翻两番 148.54"])
def test_what_is_nowhere_is_not_found(client, typed):
    for address in ("/measures/", "/indicators/", "/targets/"):
        assert found(client, typed, address) == []


def test_a_search_of_spaces_hides_nothing(client):
    assert len(found(client, " 　 ")) == Indicator.objects.published(ISSUED).count() > 0
