"""Which characters a text may hold, and what a spreadsheet program would run."""

import unicodedata
from contextlib import suppress
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from hypothesis import example, given
from hypothesis import strategies as st

from measures import characters
from measures.characters import begins_like_a_formula, clean_text, printable, refuse_formula
from measures.numerals import is_plain_number, plain

ANY_TEXT = st.text(st.characters(codec=None, categories=None))
SURROGATES = st.text(st.characters(min_codepoint=0xD7F0, max_codepoint=0xE00F))


@pytest.mark.parametrize(
    ("text", "line", "lines"),
    [
        ("一\x0b二", "一 二", "一\n二"),
        ("一\x0c二", "一 二", "一\n二"),
        ("一\r\n二\r三", "一 二 三", "一\n二\n三"),
        ("一\u2028二\u2029三\x85四", "一 二 三 四", "一\n二\n三\n四"),
        ("一\t二", "一 二", "一\t二"),
        ("e\u0301", "é", "é"),
        ("重\u200b点\ufeff", "重点", "重点"),
        ("合\u00ad作", "合作", "合作"),
        ("\u202ecod.exe\u202c", "cod.exe", "cod.exe"),
        ("\u2066一\u2069", "一", "一"),
        ("👩\u200d🔬 葛\U000e0100", "👩\u200d🔬 葛\U000e0100", "👩\u200d🔬 葛\U000e0100"),
    ],
)
def test_what_nobody_sees_is_taken_out_or_made_plain(text, line, lines):
    assert clean_text(text) == line
    assert clean_text(text, multiline=True) == lines
    assert printable(text) == lines
    assert printable(text, multiline=False) == line


@pytest.mark.parametrize(
    "character", ["\x00", "\x07", "\x1f", "\x7f", "\x80", "\ud800", "\udfff", "\ufffe", "\uffff"]
)
def test_a_character_that_no_file_can_carry_is_refused_and_shown(character):
    with pytest.raises(ValidationError) as refused:
        clean_text(f"关于重点{character}工作")

    (message,) = refused.value.messages
    assert "关于重点�工作" in message
    assert f"U+{ord(character):04X}" in message
    left = "�" if "\ud800" <= character <= "\udfff" else ""
    assert printable(f"重点{character}工作") == f"重点{left}工作"


@given(ANY_TEXT | SURROGATES, st.booleans())
def test_a_text_that_needs_nothing_is_what_cleaning_would_make_of_it(text, multiline):
    slowly = characters._tidied(
        characters._REFUSED.sub("", characters._HALF.sub(characters.MISSING, text)), multiline
    )
    assert printable(text, multiline) == slowly


@given(st.characters(codec=None, categories=None))
def test_a_character_that_needs_nothing_is_what_cleaning_would_make_of_it(character):
    for multiline in (True, False):
        if characters._is_tidy(character, multiline):
            assert not characters._REFUSED.search(character)
            assert characters._tidied(character, multiline) == character


@given(ANY_TEXT | SURROGATES)
def test_whatever_is_taken_stays_as_it_is_from_then_on(text):
    for multiline in (False, True):
        shown = printable(text, multiline)
        assert clean_text(shown, multiline) == printable(shown, multiline) == shown
        assert unicodedata.is_normalized("NFC", shown)
        shown.encode()
        with suppress(ValidationError):
            assert clean_text(text, multiline) == shown


@pytest.mark.parametrize(
    "text",
    [
        "=1+1", "=cmd|' /C calc'!A0", "+1+1", "-A1", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", "－重点",
        "+cmd|' /C calc'!A0", "-2+3", "-重点工作", "+86 21 5678 1234", "-(1)", "-5&A1", "-1-1",
    ],
)  # fmt: skip
def test_a_formula_is_told(text):
    assert begins_like_a_formula(text)
    with pytest.raises(ValidationError):
        refuse_formula(f"  {text}" if not text[0].isspace() else text.strip())


@pytest.mark.parametrize(
    "text",
    [
        "-3.2%", "−3.2 %", "－3.2％", "+5家", "-1,475家", "- 5 万元", "-1 475", "+5", "-0.11亿元",
        "-1/4", "-十分之一", "-2.1万余个", "\t5家", "重点", "3=3", "", "100%", "−A",
    ],
)  # fmt: skip
def test_a_number_with_its_sign_is_no_formula(text):
    assert not begins_like_a_formula(text)
    refuse_formula(text)


@given(st.decimals(allow_nan=False, allow_infinity=False), st.sampled_from(["", "%", "家", "万元"]))
@example(Decimal("-0.0"), "%")
def test_no_decimal_with_a_unit_is_a_formula(value, unit):
    assert is_plain_number(plain(value) + unit)
    assert is_plain_number(plain(value, grouping=True) + unit)
