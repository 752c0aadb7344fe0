"""What a person types becomes a value in the indicator's unit."""

from decimal import Decimal

import pytest
from django.utils import translation

from ..entry import read_entry
from ..rules.choices import Qualifier
from ..rules.quantity import QuantityError
from .factories import make_money, make_unit

pytestmark = [pytest.mark.django_db, pytest.mark.english]


EXACT, ABOUT, NEARLY, OVER = Qualifier.EXACT, Qualifier.ABOUT, Qualifier.NEARLY, Qualifier.OVER


@pytest.fixture
def units():
    """Units of seven quantities by their printed names."""
    persons = make_unit(name="人", quantity="persons")
    metres = make_unit(name="平方米", quantity="area")
    more = [
        make_unit(name="家", quantity="organisations"),
        make_unit(name="家次", quantity="organisation-times"),
        persons,
        make_unit(name="名", quantity="persons", base=persons),
        metres,
        make_unit(name="公顷", quantity="area", base=metres, factor=Decimal(10**4)),
        make_unit(name="平方公里", quantity="area", base=metres, factor=Decimal(10**6)),
        make_unit(name="%", quantity="percentage"),
        make_unit(name="名次", quantity="rank"),
    ]
    return make_money() | {unit.name: unit for unit in more}


@pytest.mark.parametrize(
    ("text", "unit", "value", "qualifier"),
    [
        ("约5亿元", "亿元", "5", ABOUT),
        ("12.5", "万元", "12.5", EXACT),
        ("１，４７５家", "家", "1475", EXACT),
        ("2.1万余", "人", "21000", OVER),
        ("1/4", "%", "25", EXACT),
        ("翻两番", "%", "300", EXACT),
        ("第6", "名次", "6", EXACT),
        ("千万", "万元", "1000", ABOUT),
        ("-3.2%", "%", "-3.2", EXACT),
    ],
)
def test_a_figure_in_the_indicators_unit_stays_as_it_is(text, unit, value, qualifier, units):
    entry = read_entry(text, units[unit], units)
    assert (entry.value, entry.qualifier) == (Decimal(value), qualifier)
    assert entry.converted_from is None


@pytest.mark.parametrize(
    ("text", "unit", "value", "qualifier", "typed"),
    [
        ("1100万元", "亿元", "0.11", EXACT, "万元"),
        ("51.79亿元", "万元", "517900", EXACT, "亿元"),
        ("148.54万元", "元", "1485400", EXACT, "万元"),
        ("超过3亿元", "万元", "30000", OVER, "亿元"),
        ("1万元", "亿元", "0.0001", EXACT, "万元"),
        ("0.5平方公里", "公顷", "50", EXACT, "平方公里"),
        ("近30名", "人", "30", NEARLY, "名"),
    ],
)
def test_another_unit_of_the_same_quantity_is_converted(text, unit, value, qualifier, typed, units):
    entry = read_entry(text, units[unit], units)
    assert (entry.value, entry.qualifier) == (Decimal(value), qualifier)
    assert entry.converted_from == units[typed]


@pytest.mark.parametrize(
    ("text", "unit", "typed"),
    [
        ("5家", "亿元", "家"),
        ("12家次", "家", "家次"),
        ("36%", "家", "%"),
        ("翻两番", "家", "%"),
        ("第6", "家", "名次"),
        ("2公顷", "万元", "公顷"),
    ],
)
def test_a_figure_of_another_quantity_is_refused(text, unit, typed, units):
    with pytest.raises(QuantityError) as error:
        read_entry(text, units[unit], units)
    assert str(error.value.message) == (
        f"This figure is in {typed}, but the indicator is counted in {unit}."
    )
    assert error.value.text == text


def test_a_kind_of_figure_for_which_there_is_no_unit_is_refused(units):
    few = {"家": units["家"]}
    with pytest.raises(QuantityError, match="This figure is in %, but"):
        read_entry("1/4", units["家"], few)


@pytest.mark.parametrize(("text", "unit"), [("1元", "亿元"), ("0.5万元", "亿元")])
def test_what_would_be_rounded_by_the_conversion_is_refused(text, unit, units):
    with pytest.raises(QuantityError) as error:
        read_entry(text, units[unit], units)
    with translation.override("en"):
        assert str(error.value.message) == ("Converted to 亿元 this needs more than four decimals.")
    assert error.value.text == text


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("1000亿元", "At most 11 digits before and 4 after the decimal point are kept."),
        ("-1000亿元", "At most 11 digits before and 4 after the decimal point are kept."),
        ("5" + " " * 38 + "亿元", "This is too long for one figure."),
    ],
)
def test_what_no_observation_can_hold_is_refused(text, sentence, units):
    assert read_entry("999亿元", units["元"], units).value == 999 * 10**8
    with pytest.raises(QuantityError) as error:
        read_entry(text, units["元"], units)
    assert (str(error.value.message), error.value.text) == (sentence, text)


@pytest.mark.parametrize("text", ["许多家", "", "家", "两三家", "12,34家", "=1+1"])
def test_what_is_no_figure_is_refused_with_the_text(text, units):
    with pytest.raises(QuantityError) as error:
        read_entry(text, units["家"], units)
    assert (error.value.text, bool(str(error.value.message))) == (text, True)
