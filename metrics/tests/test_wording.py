"""Figures as a reader sees them, in Chinese and English."""

from decimal import Decimal

import pytest
from django.utils import translation

from ..models import Observation, Unit
from ..rules.choices import Kind, Qualifier
from ..wording import aggregation_rule, as_written_text, figure_text

pytestmark = pytest.mark.once("reads the code")

EXACT, ABOUT, NEARLY, OVER = Qualifier.EXACT, Qualifier.ABOUT, Qualifier.NEARLY, Qualifier.OVER
FIRM = Unit(name="家", name_en="organisations", quantity="organisations")
PERSON = Unit(name="名", name_en="persons", quantity="persons")
PIECE = Unit(name="个", name_en="pieces", quantity="pieces")
AREA = Unit(name="万平方米", name_en="10,000 m²", quantity="area", factor=Decimal(10**4))
YUAN = Unit(name="元", name_en="yuan", quantity="money")
WAN = Unit(name="万元", name_en="10,000 yuan", quantity="money", factor=Decimal(10**4))
YI = Unit(name="亿元", name_en="100 million yuan", quantity="money", factor=Decimal(10**8))
PERCENT = Unit(name="%", name_en="%", quantity="percentage")
RANK = Unit(name="名次", name_en="rank", quantity="rank")


@pytest.mark.parametrize(
    ("value", "unit", "qualifier", "chinese", "english"),
    [
        ("1475", FIRM, EXACT, "1,475家", "1,475 organisations"),
        ("0", FIRM, EXACT, "0家", "0 organisations"),
        ("30", PERSON, NEARLY, "近30名", "nearly 30 persons"),
        ("21000", PIECE, OVER, "21,000余个", "over 21,000 pieces"),
        ("10", PIECE, OVER, "10余个", "over 10 pieces"),
        ("9", PIECE, OVER, "超过9个", "over 9 pieces"),
        ("12.5000", AREA, EXACT, "12.5万平方米", "12.5 × 10,000 m²"),
        ("5", YI, ABOUT, "约5亿元", "about CNY 500 million"),
        ("3.5", YI, OVER, "超过3.5亿元", "over CNY 350 million"),
        ("51.79", YI, EXACT, "51.79亿元", "CNY 5.179 billion"),
        ("12345", YI, EXACT, "12,345亿元", "CNY 1,234.5 billion"),
        ("10", YI, EXACT, "10亿元", "CNY 1 billion"),
        ("9.99", YI, EXACT, "9.99亿元", "CNY 999 million"),
        ("148.54", WAN, EXACT, "148.54万元", "CNY 1.4854 million"),
        ("100", WAN, EXACT, "100万元", "CNY 1 million"),
        ("5", WAN, EXACT, "5万元", "CNY 50,000"),
        ("-2", YI, EXACT, "-2亿元", "CNY -200 million"),
        ("999999", YUAN, EXACT, "999,999元", "CNY 999,999"),
        ("0.5", YUAN, EXACT, "0.5元", "CNY 0.5"),
        ("36", PERCENT, EXACT, "36%", "36%"),
        ("56.2200", PERCENT, EXACT, "56.22%", "56.22%"),
        ("10", PERCENT, OVER, "超过10%", "over 10%"),
        ("-3.2", PERCENT, EXACT, "-3.2%", "-3.2%"),
        ("33.3333", PERCENT, ABOUT, "约33.3333%", "about 33.3333%"),
        ("6", RANK, EXACT, "第6位", "rank 6"),
        ("3.0000", RANK, ABOUT, "约第3位", "about rank 3"),
    ],
)
def test_a_figure_in_both_languages(value, unit, qualifier, chinese, english):
    with translation.override("zh-hans"):
        assert figure_text(Decimal(value), unit, qualifier) == chinese
    with translation.override("en"):
        assert figure_text(Decimal(value), unit, qualifier) == english


def test_a_figure_is_exact_unless_said_otherwise():
    assert figure_text(Decimal(8), FIRM) == "8家"


def test_a_qualifier_may_come_from_the_database_as_text():
    assert figure_text(Decimal(30), PERSON, "nearly") == "近30名"


@pytest.mark.parametrize(
    ("as_written", "value", "expected"),
    [("翻两番", 300, "翻两番（×4）"), ("翻一番", 100, "翻一番（×2）"), ("增长36%", 36, "增长36%")],
)
def test_a_doubling_is_shown_with_its_multiple(as_written, value, expected):
    row = Observation(as_written=as_written, value=Decimal(value))
    assert as_written_text(row) == expected


@pytest.mark.parametrize("kind", Kind)
def test_only_flows_may_be_added_up(kind):
    with translation.override("en"):
        rule = aggregation_rule(kind.value)
    assert ("may be added up" in rule) is (kind == "flow")
    assert ("never added" in rule or "neither added" in rule) is (kind != "flow")


@pytest.mark.parametrize("kind", Kind)
def test_every_rule_is_said_in_chinese_too(kind):
    with translation.override("en"):
        english = aggregation_rule(kind)
    assert aggregation_rule(kind) != english
