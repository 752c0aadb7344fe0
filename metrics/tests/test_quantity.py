"""Figures are read as Chinese sources print them; expected values are worked out by hand."""

from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from django.utils.translation import override
from hypothesis import example, given
from hypothesis import strategies as st

from measures import numerals
from measures.characters import begins_like_a_formula
from measures.numerals import plain
from measures.spreadsheets import quoted

from ..rules.choices import Qualifier
from ..rules.quantity import (
    BEFORE,
    LIMIT,
    PERCENT,
    RANK,
    SMALLEST,
    UNITS,
    Quantity,
    QuantityError,
    convert,
    read,
)

pytestmark = pytest.mark.once("pure rules")

EXACT, ABOUT, NEARLY, OVER = (
    Qualifier.EXACT,
    Qualifier.ABOUT,
    Qualifier.NEARLY,
    Qualifier.OVER,
)


def quantity(value, unit, qualifier):
    return Quantity(Decimal(value), unit, qualifier)


def test_units_are_those_of_the_fixture():
    path = Path(__file__).parents[2] / "fixtures" / "units.yaml"
    names = [row["fields"]["name"] for row in yaml.safe_load(path.read_text(encoding="utf-8"))]
    assert list(UNITS) == names


@pytest.mark.parametrize(
    ("text", "value", "unit", "qualifier"),
    [
        # As the report prints them.
        ("近30名", "30", "名", NEARLY),
        ("2.1万余个", "21000", "个", OVER),
        ("约5亿元", "5", "亿元", ABOUT),
        ("翻两番", "300", "%", EXACT),
        ("1/4", "25", "%", EXACT),
        ("十分之一", "10", "%", EXACT),
        ("第6", "6", "名次", EXACT),
        ("第三", "3", "名次", EXACT),
        ("第一名", "1", "名次", EXACT),
        ("百吨级", "100", "吨", ABOUT),
        ("500吨级", "500", "吨", ABOUT),
        ("千万", "10000000", "", ABOUT),
        ("近百名", "100", "名", NEARLY),
        ("十余项", "10", "项", OVER),
        ("１，４７５家", "1475", "家", EXACT),
        ("148.54万元", "148.54", "万元", EXACT),
        ("51.79亿元", "51.79", "亿元", EXACT),
        ("1100万元", "1100", "万元", EXACT),
        ("2700余家", "2700", "家", OVER),
        ("23万余件", "230000", "件", OVER),
        ("3万余个", "30000", "个", OVER),
        ("超过总量10%", "10", "%", OVER),
        ("56.22%", "56.22", "%", EXACT),
        ("两个", "2", "个", EXACT),
        ("83750人", "83750", "人", EXACT),
        ("138公顷", "138", "公顷", EXACT),
        ("9平方公里", "9", "平方公里", EXACT),
        ("32万平方米", "32", "万平方米", EXACT),
        ("94家次", "94", "家次", EXACT),
        ("全市第6", "6", "名次", EXACT),
        ("位列全市第三", "3", "名次", EXACT),
        # Grouping and spaces.
        ("1,475", "1475", "", EXACT),
        ("1 475 家", "1475", "家", EXACT),
        ("23. 14 亿元", "23.14", "亿元", EXACT),
        ("\u30002.1\n万余个 ", "21000", "个", OVER),
        ("83，750人", "83750", "人", EXACT),
        ("\u200b83\u200b750人\ufeff", "83750", "人", EXACT),
        # Words that say how exact a figure is.
        ("大约20场", "20", "场", ABOUT),
        ("20场左右", "20", "场", ABOUT),
        ("将近20场", "20", "场", NEARLY),
        ("超20场", "20", "场", OVER),
        ("逾20场", "20", "场", OVER),
        ("20多场", "20", "场", OVER),
        ("共计20场", "20", "场", EXACT),
        ("共20场", "20", "场", EXACT),
        ("总计20场", "20", "场", EXACT),
        ("总数达到20场", "20", "场", EXACT),
        ("排名第6", "6", "名次", EXACT),
        ("达2700余家", "2700", "家", OVER),
        ("超1000余家", "1000", "家", OVER),
        ("约2700余家", "2700", "家", ABOUT),
        ("近2700余家", "2700", "家", ABOUT),
        ("3万元余", "3", "万元", OVER),
        ("3万余元", "3", "万元", OVER),
        ("3.5亿余元", "3.5", "亿元", OVER),
        ("1500亿余元", "1500", "亿元", OVER),
        ("32万余平方米", "32", "万平方米", OVER),
        ("20余万元", "20", "万元", OVER),
        ("20余万个", "200000", "个", OVER),
        ("四分之一多", "25", "%", OVER),
        ("1/4余", "25", "%", OVER),
        # Chinese numerals.
        ("十", "10", "", EXACT),
        ("十五个", "15", "个", EXACT),
        ("一百二十项", "120", "项", EXACT),
        ("一百零五项", "105", "项", EXACT),
        ("一千〇五十", "1050", "", EXACT),
        ("两千七百余家", "2700", "家", OVER),
        ("二〇", "20", "", EXACT),
        ("二〇二二", "2022", "", EXACT),
        ("二零", "20", "", EXACT),
        ("一九九八", "1998", "", EXACT),
        ("三点五亿元", "3.5", "亿元", EXACT),
        ("三点一四亿元", "3.14", "亿元", EXACT),
        ("二十点五", "20.5", "", EXACT),
        ("一亿二千万元", "12000", "万元", EXACT),
        ("1亿2000万元", "12000", "万元", EXACT),
        ("3万5千人", "35000", "人", EXACT),
        ("3万5000人", "35000", "人", EXACT),
        ("两万五百人", "20500", "人", EXACT),
        ("1.2万亿元", "12000", "亿元", EXACT),
        ("15000万元", "15000", "万元", EXACT),
        # Orders of magnitude.
        ("百万", "1000000", "", ABOUT),
        ("万人", "10000", "人", ABOUT),
        ("千人", "1000", "人", ABOUT),
        ("千万元", "1000", "万元", ABOUT),
        ("百亿元", "100", "亿元", ABOUT),
        ("千亿元", "1000", "亿元", ABOUT),
        ("万亿元", "10000", "亿元", ABOUT),
        ("千万级", "10000000", "", ABOUT),
        ("超千万元", "1000", "万元", OVER),
        ("近亿元", "1", "亿元", NEARLY),
        ("一百名", "100", "名", EXACT),
        ("十万名", "100000", "名", EXACT),
        # Shares and doublings.
        ("1/8", "12.5", "%", EXACT),
        ("1/3", "33.3333", "%", ABOUT),
        ("2/3", "66.6667", "%", ABOUT),
        # 0.78125 is rounded up.
        ("1/128", "0.7813", "%", ABOUT),
        ("近三分之一", "33.3333", "%", NEARLY),
        ("百分之三十六", "36", "%", EXACT),
        ("百分之百", "100", "%", EXACT),
        ("千分之五", "0.5", "%", EXACT),
        ("36％", "36", "%", EXACT),
        ("翻番", "100", "%", EXACT),
        ("翻了一番", "100", "%", EXACT),
        ("近翻番", "100", "%", NEARLY),
        ("翻3番", "700", "%", EXACT),
        ("翻十番", "102300", "%", EXACT),
        # Signs.
        ("-3.5%", "-3.5", "%", EXACT),
        ("−3.5%", "-3.5", "%", EXACT),
        ("负3.5%", "-3.5", "%", EXACT),
        ("约-3.5%", "-3.5", "%", ABOUT),
        ("+3.5%", "3.5", "%", EXACT),
        ("0家", "0", "家", EXACT),
        # The largest and the smallest that the database can hold.
        ("99999999999.9999", "99999999999.9999", "", EXACT),
        ("0.0001%", "0.0001", "%", EXACT),
        # The longest text that it can hold.
        ("0" * 39 + "5", "5", "", EXACT),
    ],
)
def test_figure_is_read(text, value, unit, qualifier):
    assert read(text) == quantity(value, unit, qualifier)


@pytest.mark.parametrize(
    ("text", "assumed", "value", "unit", "qualifier"),
    [
        ("1475", "家", "1475", "家", EXACT),
        ("1亿", "元", "100000000", "元", EXACT),
        ("2300", "万元", "2300", "万元", EXACT),
        ("2300万", "万元", "2300", "万元", EXACT),
        ("1.2亿", "万元", "12000", "万元", EXACT),
        ("千万", "万元", "1000", "万元", ABOUT),
        ("5亿元", "万元", "5", "亿元", EXACT),
        ("1/4", "家", "25", "%", EXACT),
        ("6", "名次", "6", "名次", EXACT),
    ],
)
def test_unit_is_assumed_only_where_the_text_has_none(text, assumed, value, unit, qualifier):
    assert read(text, unit=assumed) == quantity(value, unit, qualifier)


@pytest.mark.parametrize(("text", "value"), [("3.50亿元", "3.5"), ("1/4", "25"), ("-0%", "0")])
def test_a_value_has_no_trailing_zeros_no_exponent_and_no_sign_of_zero(text, value):
    assert str(read(text).value) == value


def test_caller_may_name_other_units():
    assert read("20吨钢", units=[*UNITS, "吨钢"]) == quantity(20, "吨钢", EXACT)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("", "Expected one figure"),
        ("约", "Expected one figure"),
        ("家", "Expected one figure"),
        ("余家", "Expected one figure"),
        ("万元", "Expected one figure"),
        ("有一些", "Expected one figure"),
        ("NaN", "Expected one figure"),
        ("1e5", "Expected one figure"),
        ("--3", "Expected one figure"),
        ("13-15家", "Expected one figure"),
        ("2022年", "Expected one figure"),
        ("15号线", "Expected one figure"),
        ("07-01", "Expected one figure"),
        ("15:30", "Expected one figure"),
        ("3.5个百分点", "Expected one figure"),
        ("94人次", "Expected one figure"),
        ("3级", "Expected one figure"),
        ("数十家", "Expected one figure"),
        ("一百五", "Expected one figure"),
        ("百二十家", "Expected one figure"),
        ("万二千人", "Expected one figure"),
        ("12千人", "Expected one figure"),
        ("十百家", "Expected one figure"),
        ("一百零", "Expected one figure"),
        ("一百一百", "Expected one figure"),
        ("3万950人", "Expected one figure"),
        ("零百家", "Expected one figure"),
        ("3万5", "Expected one figure"),
        ("万万", "Expected one figure"),
        ("三万二万", "Expected one figure"),
        ("1.5亿2000万", "Expected one figure"),
        ("第三多", "Expected one figure"),
        ("翻两番多", "Expected one figure"),
        ("1/4家", "Expected one figure"),
        ("٣家", "Expected one figure"),
        ("Ⅹ家", "Expected one figure"),
        ("三点Ⅹ家", "Expected one figure"),
        ("三点5家", "Expected one figure"),
        ("1,47", "every third digit"),
        ("1,4755", "every third digit"),
        ("12 34", "every third digit"),
        ("两三个", "range"),
        ("三五十人", "range"),
        ("3²", "plain digits"),
        ("①", "plain digits"),
        ("½", "plain digits"),
        ("1/0", "zero below the line"),
        ("零分之一", "zero below the line"),
        ("第0", "whole number"),
        ("第2.5", "whole number"),
        ("翻零番", "double"),
        ("翻11番", "double"),
        ("翻1.5番", "double"),
        ("0.00001", "11 digits"),
        ("100000000000", "11 digits"),
        ("-100000000000", "11 digits"),
        ("1.0000000000000000000000000000000001", "11 digits"),
        ("1" * 41, "too long"),
    ],
)
@override("en")
def test_text_that_is_not_one_clear_figure_is_refused(text, hint):
    with pytest.raises(QuantityError) as caught:
        read(text)
    assert hint in str(caught.value.message)
    assert str(caught.value) == str(caught.value.message)
    assert caught.value.text == text


def test_a_refusal_reads_as_its_message_alone():
    refusal = QuantityError("No figure.", "有一些")
    assert (str(refusal), refusal.text) == ("No figure.", "有一些")
    assert QuantityError("No figure.").text == ""


@pytest.mark.parametrize("text", ["0", "2.5", "-3", "约0"])
@override("en")
def test_a_rank_is_a_whole_number_also_where_the_unit_is_assumed(text):
    with pytest.raises(QuantityError, match="A rank is a whole number"):
        read(text, unit=RANK)
    assert read("6", unit=RANK) == quantity("6", RANK, EXACT)


@pytest.mark.parametrize(
    ("value", "factor_from", "factor_to", "converted"),
    [
        ("51.79", 10**8, 1, "5179000000"),
        ("148.54", 10**4, 10**8, "0.014854"),
        ("138", 10**4, 10**6, "1.38"),
    ],
)
def test_value_is_converted_exactly(value, factor_from, factor_to, converted):
    value = convert(Decimal(value), factor_from=Decimal(factor_from), factor_to=Decimal(factor_to))
    assert value == Decimal(converted)


@pytest.mark.parametrize(
    ("value", "grouping", "text"),
    [
        ("1475.0000", False, "1475"),
        ("1475", True, "1,475"),
        ("1234567.50", True, "1,234,567.5"),
        ("1E+5", False, "100000"),
        ("0E+5", False, "0"),
        ("-0.00", False, "0"),
        ("-1234.5", True, "-1,234.5"),
    ],
)
def test_plain_decimal_has_no_exponent_and_no_trailing_zeros(value, grouping, text):
    assert plain(Decimal(value), grouping) == text


VALUES = st.decimals(min_value=-LIMIT + SMALLEST, max_value=LIMIT - SMALLEST, places=4)
# A large random decimal is never a whole number, and those are written differently.
WHOLE = st.integers(min_value=-1000, max_value=10**11 - 1).map(Decimal)
RANKS = st.integers(min_value=1, max_value=10**11 - 1).map(Decimal)
QUANTITIES = st.one_of(
    st.builds(
        Quantity,
        VALUES | WHOLE,
        st.sampled_from(["", *(unit for unit in UNITS if unit != RANK)]),
        st.sampled_from(Qualifier),
    ),
    st.builds(Quantity, RANKS, st.just(RANK), st.sampled_from(Qualifier)),
)


def written(quantity: Quantity) -> str:
    """How a Chinese source would print it."""
    value, unit, qualifier = quantity.value, quantity.unit, quantity.qualifier
    number = plain(value)
    whole = value % 1 == 0
    if unit == RANK and qualifier == Qualifier.EXACT and whole and value > 0:
        return f"第{number}"
    if qualifier == Qualifier.OVER:
        # 余 stands after whole numbers from ten on only; one writes 超3.5%, not 3.5余%.
        if whole and value >= 10 and unit not in (PERCENT, RANK):
            return f"{number}余{unit}"
        return f"超{number}{unit}"
    prefix = {Qualifier.EXACT: "", Qualifier.ABOUT: "约", Qualifier.NEARLY: "近"}[qualifier]
    return f"{prefix}{number}{unit}"


@given(QUANTITIES)
def test_written_figure_reads_back_the_same(figure):
    assert read(written(figure)) == figure


@given(VALUES | WHOLE, st.booleans())
def test_plain_decimal_reads_back_the_same(value, grouping):
    assert read(plain(value, grouping)).value == value


def test_words_that_say_how_exact_a_figure_is_may_stand_before_it():
    assert BEFORE.keys() < set(numerals.BEFORE)


def is_read_or_refused(text, **options):
    try:
        figure = read(text, **options)
    except QuantityError as error:
        assert error.text == text
        return
    assert abs(figure.value) < LIMIT
    assert figure.value == figure.value.quantize(SMALLEST)
    assert figure.unit in ("", *UNITS)
    assert read(written(figure)) == figure


@given(st.text())
def test_any_text_is_read_or_refused(text):
    is_read_or_refused(text)


PIECES = [
    *"0123456789.,-+/零〇一二三九十百千万亿两点负余多级约近超逾达第番翻了 ％１，²½",
    "分之",
    "左右",
]


@given(
    st.lists(st.sampled_from([*PIECES, *UNITS]), max_size=12).map("".join),
    st.sampled_from([None, "家", "万元", PERCENT, RANK]),
)
def test_any_jumble_of_figures_is_read_or_refused(text, unit):
    is_read_or_refused(text, unit=unit)


@given(
    st.from_regex(r"[0-9]{1,13}(\.[0-9]{1,5})?", fullmatch=True, alphabet="0123456789."),
    st.sampled_from(["千元", *UNITS]),
    st.booleans(),
)
@example("0", RANK, True)
@example("007", "万元", True)
@example("12345678901", "亿元", False)
@example("123456789012", "家", True)
@example("1.23456", "家", False)
def test_what_is_read_at_a_glance_is_what_reading_it_by_rule_gives(number, unit, is_printed):
    """A sign before it says the same, and is not read at a glance."""

    def said(text):
        try:
            return read(text, unit=unit)
        except QuantityError as error:
            return str(error.message)

    printed = unit if is_printed else ""
    assert said(f"{number}{printed}") == said(f"+{number}{printed}")


CHINESE_DIGITS = "零一二三四五六七八九"


@given(st.integers(min_value=1, max_value=9999))
def test_every_chinese_numeral_below_ten_thousand_is_read(number):
    numeral, pending_zero = "", False
    for magnitude, digit in zip(["千", "百", "十", ""], f"{number:04}", strict=True):
        if digit == "0":
            pending_zero = bool(numeral)
        else:
            numeral += "零" * pending_zero + CHINESE_DIGITS[int(digit)] + magnitude
            pending_zero = False
    assert read(numeral) == quantity(number, "", EXACT)


SIGNED = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["-", "+", "−", "－", "＋", " -", "\t", "\r", "-\u200b", "\n+"]),
        st.lists(
            st.sampled_from(
                [*"0123456789,./ 零〇一二两三十百千万亿点余多负第约近超", "1,475", "分之", "级",
                 "左右", "翻两番", "５", "．", "％", "\u200b", *UNITS]
            ),
            max_size=7,
        ).map("".join),
    ),
)  # fmt: skip


@given(SIGNED)
@example("-5%级左右")
@example("-余万元")
@example("- 1 475 万元")
@example("+点五个")
@example("\t负0")
@example("\t约-5家")
@example("\r翻番")
@example("\t第6")
def test_what_is_read_as_a_figure_is_never_quoted_as_a_formula(text):
    try:
        read(text)
    except QuantityError:
        return

    assert not begins_like_a_formula(text)
    assert quoted(text) == text
