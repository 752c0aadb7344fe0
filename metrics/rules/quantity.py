"""Reads figures as Chinese sources and clerks write them.

约5亿元 becomes 5, 亿元, about; 2.1万余个 becomes 21000, 个, over; 翻两番 becomes 300, %. Values are
exact Decimals in the printed unit. What could be meant in two ways (两三个, 一百五) is refused
rather than guessed. The meaning of 余, 近, 约, 超 and 翻番 follows Chinese statistical usage.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext

from django.utils.translation import gettext_lazy as _

from measures import numerals
from measures.numerals import compact, plain

from .choices import Qualifier

PERCENT = "%"
RANK = "名次"

#: The symbols understood after a figure: the names in ``fixtures/units.yaml``.
UNITS = (
    "家",
    "家次",
    "个",
    "项",
    "人",
    "名",
    "场",
    "条",
    "件",
    "台",
    "类",
    "元",
    "万元",
    "亿元",
    PERCENT,
    RANK,
    "平方米",
    "万平方米",
    "公顷",
    "平方公里",
    "吨",
)

_COUNTED = frozenset(UNITS) - {RANK}

# What a value of 15 digits with 4 decimals and as_written (40 characters) can hold: SQLite keeps
# no more than 15 digits of a decimal.
SMALLEST = Decimal("0.0001")
LIMIT = Decimal(10) ** 11
LONGEST_TEXT = 40

#: What words before a figure say of it; the others of ``numerals.BEFORE`` say nothing.
BEFORE = {
    "大约": Qualifier.ABOUT,
    "约": Qualifier.ABOUT,
    "将近": Qualifier.NEARLY,
    "近": Qualifier.NEARLY,
    "超过": Qualifier.OVER,
    "超": Qualifier.OVER,
    "逾": Qualifier.OVER,
}
AFTER = {
    "余": Qualifier.OVER,
    "多": Qualifier.OVER,
    "左右": Qualifier.ABOUT,
}

DIGITS = {digit: value for value, digit in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
MAGNITUDES = {"亿": 10**8, "万": 10**4, "千": 10**3, "百": 10**2, "十": 10}
# A magnitude alone is an order of magnitude: exactly a hundred is 一百. Only 十 needs no 一.
BARE = {
    "百": 10**2,
    "千": 10**3,
    "万": 10**4,
    "百万": 10**6,
    "千万": 10**7,
    "亿": 10**8,
    "百亿": 10**10,
    "千亿": 10**11,
    "万亿": 10**12,
}

#: Sizes that printed tables use for money, beside those that are counted in: 8.9百万元, 千元.
_THOUSANDS = re.compile(r"([0-9][0-9,]*(?:\.[0-9]+)?)(千元|百万元|百万)")

_FRAME = re.compile(rf"((?:{'|'.join(numerals.BEFORE)})*)(.*?)({'|'.join(AFTER)})?")
_ARABIC = re.compile(r"([0-9]+|[0-9]{1,3}(,[0-9]{3})+)(\.[0-9]+)?")
_CHINESE = re.compile(rf"([{''.join(DIGITS)}]*)(?:点([{''.join(DIGITS)}]+))?")
#: A figure as most files have it, in ASCII digits, and what stands behind it.
_PLAIN = re.compile(r"([0-9]{1,11}(?:\.[0-9]{1,4})?)(.*)", re.ASCII)


@dataclass(frozen=True)
class Quantity:
    """One figure: ``value`` in ``unit`` as printed ('' if none is given), and how exact it is."""

    value: Decimal
    unit: str
    qualifier: Qualifier


class QuantityError(ValueError):
    """A text that cannot be read as one figure: ``text``, and ``message`` for the person."""

    def __init__(self, message, text: str = ""):
        super().__init__(message)
        self.message = message
        self.text = text


NOT_A_RANK = _("A rank is a whole number from 1: 第6.")
NOT_A_FIGURE = _("Expected one figure, such as 1475家, 约5亿元, 2.1万余个, 1/4, 第6 or 翻两番.")


def read(text: str, *, unit: str | None = None, units: Iterable[str] = UNITS) -> Quantity:
    """The figure in ``text``; ``unit`` is assumed where the text names none of ``units``.

    A magnitude that is part of a known unit stays there (51.79亿元 is 51.79 亿元), any other is
    multiplied out (3万 is 30000). Beside an assumed 万元 or 亿元 it counts 元: 千万 is 1000 万元.
    Fractions and 翻番 are in %, the latter as growth; ranks are in 名次. Words of different
    meaning together (约2700余家) say no more than "about".

    Raises QuantityError, and nothing else, for any other text, and for values beyond 11 digits
    before or 4 digits after the decimal point; only fractions such as 1/3 are rounded, to about.
    """
    # Files hold thousands of these, and nothing else can be meant.
    plainly = _PLAIN.fullmatch(text)
    if plainly and unit in _COUNTED and plainly[2] in ("", unit):
        return Quantity(Decimal(plain(Decimal(plainly[1]))), unit, Qualifier.EXACT)
    try:
        # 40 characters times 万亿 fit into 100 digits, so that nothing is rounded unseen.
        with localcontext(Context(prec=100)):
            return _read(_normalised(text), unit or "", units)
    except QuantityError as error:
        error.text = text
        raise


def _normalised(text: str) -> str:
    # NFKC would turn 3² into 32 and ① into 1.
    if any(unicodedata.category(character) == "No" for character in text):
        raise QuantityError(_("Write raised, circled and fraction characters as plain digits."))
    text = compact(text)
    if len(text) > LONGEST_TEXT:
        raise QuantityError(_("This is too long for one figure."))
    return _THOUSANDS.sub(_in_ten_thousands, text)


def _in_ten_thousands(match: re.Match) -> str:
    """89,400.00千元 as 8940万元; what is no number stays for the refusal to name."""
    number, size = match.groups()
    if not _ARABIC.fullmatch(number):
        return match[0]
    factor = Decimal("0.1") if size == "千元" else 100
    unit = "万元" if size.endswith("元") else "万"
    return f"{plain(Decimal(number.replace(',', '')) * factor)}{unit}"


def _read(text: str, unit: str, units: Iterable[str]) -> Quantity:
    before, core, after = _FRAME.fullmatch(text).groups()
    said = {BEFORE[word] for word in re.findall("|".join(BEFORE), before)}
    if after:
        said.add(AFTER[after])
    sign = -1 if core.startswith(("-", "负")) else 1
    size = re.sub(r"^[-+负]", "", core)
    vague = False

    if (match := re.fullmatch(r"翻了?(.*)番", core)) and not after:
        value, unit = _growth_of_doublings(match[1]), PERCENT
    elif (match := re.fullmatch(r"第(.+?)(名次|名|位)?", core)) and not after:
        value, unit = _number(match[1]), RANK
    elif match := re.fullmatch(r"(.+)/(.+)", size):
        (value, vague), unit = _percentage(match[1], match[2]), PERCENT
    elif match := re.fullmatch(r"(.+)分之(.+)", size):
        (value, vague), unit = _percentage(match[2], match[1]), PERCENT
    else:
        size, is_order = re.subn("级$", "", size)
        printed = _unit_at_the_end(size, units)
        # In 2.1万余个, 20余万元 and 3.5亿余元 the word stands inside.
        number, has_more = re.subn("[余多](?=[万亿]*$)", "", size.removesuffix(printed))
        if has_more:
            printed, whole = _unit_at_the_end(number + printed, units), number + printed
            number = whole.removesuffix(printed)
            said.add(Qualifier.OVER)
        if not number and not said:
            raise QuantityError(NOT_A_FIGURE)
        unit = printed or unit
        scale = unit[0] if len(unit) > 1 and unit[0] in "万亿" else ""
        # 一亿二千万元 holds one numeral, 一亿二千万: read it whole, then return to the unit.
        number += scale if printed else ""
        value, vague = _number_or_magnitude(number), number in BARE or bool(is_order)
        if scale and set(number) & {"万", "亿"}:
            value /= BARE[scale]
        if is_order and not printed and number not in BARE:
            raise QuantityError(NOT_A_FIGURE)

    value *= sign
    if unit == RANK and (value < 1 or value % 1):
        raise QuantityError(NOT_A_RANK)
    if abs(value) >= LIMIT or value != value.quantize(SMALLEST):
        raise QuantityError(_("At most 11 digits before and 4 after the decimal point are kept."))
    if len(said) > 1 or (vague and not said):
        qualifier = Qualifier.ABOUT
    else:
        qualifier = said.pop() if said else Qualifier.EXACT
    return Quantity(Decimal(plain(value)), unit, qualifier)


def _unit_at_the_end(text: str, units: Iterable[str]) -> str:
    """The longest of ``units`` that ``text`` ends with, or ''."""
    return max((unit for unit in units if text.endswith(unit)), key=len, default="")


def _growth_of_doublings(times: str) -> Decimal:
    """The growth in % of 翻n番, which is ×2ⁿ."""
    count = _number(times) if times else 1
    if count not in range(1, 11):
        raise QuantityError(_("A figure can double from once (翻一番) to ten times (翻十番)."))
    return Decimal(2 ** int(count) - 1) * 100


def _percentage(part: str, whole: str) -> tuple[Decimal, bool]:
    """The fraction in %, to four decimals, and whether it had to be rounded."""
    dividend, divisor = _number_or_magnitude(part) * 100, _number_or_magnitude(whole)
    if not divisor:
        raise QuantityError(_("A fraction cannot have zero below the line."))
    value = (dividend / divisor).quantize(SMALLEST, ROUND_HALF_UP)
    return value, value * divisor != dividend


def _number_or_magnitude(text: str) -> Decimal:
    return Decimal(BARE[text]) if text in BARE else _number(text)


def _number(text: str) -> Decimal:
    """An unsigned numeral: Arabic, Chinese, or both (2.1万, 3万5千, 一百二十, 二〇二二)."""
    for word, factor in MAGNITUDES.items():
        head, found, tail = text.partition(word)
        if not found:
            continue
        high = Decimal(1) if word == "十" and not head else _number(head)
        if factor < 10**4 and high not in range(1, 10):
            raise QuantityError(NOT_A_FIGURE)
        if not tail:
            return high * factor
        low = _number(tail.lstrip("零〇"))
        # 一百五 is 150 to some and 105 to others; 一百零五 and 一百五十 are clear.
        unclear = low * 10 < factor and tail[0] not in "零〇点" and not set(tail) & set(MAGNITUDES)
        if low >= factor or high % 1 or unclear:
            raise QuantityError(NOT_A_FIGURE)
        return high * factor + low
    if _ARABIC.fullmatch(text):
        return Decimal(text.replace(",", ""))
    if re.fullmatch(r"[0-9][0-9,.]*,[0-9,.]*", text):
        raise QuantityError(_("Separators must stand before every third digit, as in 1,475."))
    match = _CHINESE.fullmatch(text)
    if not text or not match:
        raise QuantityError(NOT_A_FIGURE)
    whole, decimals = match.groups(default="")
    if len(whole) == 2 and not set(whole) & {"零", "〇"}:
        raise QuantityError(_("Two numerals side by side, as in 两三个, are a range."))
    before, after = ("".join(f"{DIGITS[digit]}" for digit in part) for part in (whole, decimals))
    return Decimal(f"{before}.{after}")


def convert(value: Decimal, *, factor_from: Decimal, factor_to: Decimal) -> Decimal:
    """``value`` in another unit of the same quantity; a factor is base units in one unit (> 0)."""
    return value * factor_from / factor_to
