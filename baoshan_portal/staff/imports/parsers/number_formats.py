"""What a spreadsheet program shows for a stored value under a number format (pure).

Only ``parsing`` asks. No library for it is kept up, and what a clerk sees is what counts here: the
text goes through the same reading as one that was typed. So three things are not as on the screen:
what shows year, month and day becomes an ISO date, unless it is written with 年; a negative number
in brackets gets its sign; powers of ten are written out. Colours, widths and fillers say nothing.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from fractions import Fraction
from functools import lru_cache

from measures.cells import DIGITS_KEPT
from measures.numerals import plain

_SECTION = re.compile(
    r'"(?P<quoted>[^"]*)"?'
    r"|[\\!](?P<escaped>.)"
    r"|\[\$(?P<currency>[^\]-]*)[^\]]*\]"
    r"|\[(?P<condition>(?:[<>]=?|=|<>)-?[0-9.]+)\]"
    r"|\[(?P<elapsed>h+|m+|s+)\]"
    r"|\[(?P<ignored>[^\]]*)\]"
    r"|[_*](?P<filler>.)"
    r"|(?P<general>General|G/通用格式|Standard)"
    r"|(?P<exponent>[Ee][+-])"
    r"|(?P<noon>AM/PM|A/P|上午/下午)"
    r"|(?P<day>[yYdDaAbBeE]+|[mM]+|[hH]+|[sS]+)"
    r"|(?P<digit>[0#?])"
    r"|(?P<sign>[.,%/@;])"
    r"|(?P<other>.)",
    re.DOTALL | re.IGNORECASE,
)
_EXACT = Context(prec=400)
_WEEKDAYS = "一二三四五六日"


@dataclass(frozen=True)
class Shown:
    """The ``text`` of a cell; ``says_all`` unless digits, the sign or the size are not in it."""

    text: str
    says_all: bool = True
    hides_sign: bool = False


Token = tuple[str, str]


def shown(value, code: str | None) -> Shown:
    """How ``value``, as a library reads it from a cell, looks under the format ``code``."""
    if isinstance(value, bool):
        return Shown(str(value).upper())
    if isinstance(value, str) and code in {None, "General", "@"}:
        return Shown(value)
    sections = _sections(code or "General")
    if isinstance(value, str):
        return Shown(_text(value, sections))
    if isinstance(value, date | time | timedelta):
        return Shown(_day(value, sections[0]))
    number = Decimal(value if isinstance(value, int) else f"{value:.{DIGITS_KEPT}g}")
    if not number.is_finite():
        return Shown(str(value))
    with localcontext(_EXACT):
        return _number(number, sections)


@lru_cache(maxsize=500)
def _sections(code: str) -> list[list[Token]]:
    """The parts of a format, each a list of what kind of sign stands there and the sign."""
    sections: list[list[Token]] = [[]]
    for match in _SECTION.finditer(code):
        kind, sign = match.lastgroup, match[match.lastgroup]
        if (kind, sign) == ("sign", ";"):
            sections.append([])
        elif kind in {"quoted", "escaped", "currency", "other"}:
            sections[-1].append(("literal", sign))
        elif kind not in {"ignored", "filler"}:
            sections[-1].append((kind, sign))
    return sections


def _text(value: str, sections: list[list[Token]]) -> str:
    section = sections[3] if len(sections) > 3 else sections[-1]
    if ("sign", "@") not in section:
        return value
    return "".join(
        value if token == ("sign", "@") else token[1] if token[0] == "literal" else ""
        for token in section
    )


def _holds(condition: str, number: Decimal) -> bool:
    sign, limit = re.fullmatch(r"([<>=]+)(.+)", condition).groups()
    limit = Decimal(limit)
    return {
        "<": number < limit, "<=": number <= limit, ">": number > limit, ">=": number >= limit,
        "=": number == limit, "<>": number != limit,
    }[sign]  # fmt: skip


def _section_for(number: Decimal, sections: list[list[Token]]) -> tuple[list[Token], bool]:
    """The section for ``number``, and whether it is one for negative numbers alone."""
    of_numbers = [part for part in sections if ("sign", "@") not in part][:3] or [[("general", "")]]
    conditions = [[sign for kind, sign in part if kind == "condition"] for part in of_numbers]
    if any(conditions):
        for part, asked in zip(of_numbers, conditions, strict=True):
            if not asked or _holds(asked[0], number):
                return part, False
        return of_numbers[-1], False
    if number < 0 and len(of_numbers) > 1:
        return of_numbers[1], True
    if not number and len(of_numbers) > 2:
        return of_numbers[2], False
    return of_numbers[0], False


def _number(number: Decimal, sections: list[list[Token]]) -> Shown:
    section, only_negative = _section_for(number, sections)
    kinds = {kind for kind, _sign in section}
    if "day" in kinds:
        # A serial that the library left a number, because it is no date.
        return Shown(plain(number))
    size = abs(number)
    if "general" in kinds:
        body = "".join(
            plain(size) if kind == "general" else sign
            for kind, sign in section
            if kind in {"general", "literal"}
        )
        kept = size
    elif "digit" not in kinds:
        body, kept = "".join(sign for kind, sign in section if kind == "literal"), None
        body += "".join(sign for kind, sign in section if (kind, sign) == ("sign", "%"))
        return Shown(body.strip(), not number and bool(body.strip()))
    elif ("sign", "/") in section:
        body, kept = _fraction(size, section)
    else:
        body, kept = _digits(size, section)
    body = " ".join(body.split())
    scaled = "".join(sign for kind, sign in section if kind == "literal")
    # A size that is scaled is told by a word behind it, or by nothing.
    says_all = kept == size and (not _scale(section) or bool(re.search(r"[^\W\d_]", scaled)))
    if number >= 0:
        return Shown(body, says_all)
    if not only_negative:
        return Shown(f"-{body}" if kept else body, says_all)
    if match := re.fullmatch(r"[(（](.*)[)）](%?)", body):
        return Shown(f"-{match[1]}{match[2]}", says_all)
    return Shown(body, says_all, hides_sign=not re.search(r"[-−－负减▲△]", body))


def _scale(section: list[Token]) -> int:
    """By how many thousands the number is divided: the commas behind its last digit."""
    scale, behind = 0, False
    for kind, sign in section:
        if kind == "digit":
            scale, behind = 0 if not behind else scale, True
        elif (kind, sign) == ("sign", ".") and behind:
            # Commas before the point stay; those before a further digit of the whole only group.
            return scale + _trailing_commas(section)
        elif (kind, sign) == ("sign", ",") and behind:
            scale += 1
        if kind == "digit":
            scale = 0
    return scale


def _trailing_commas(section: list[Token]) -> int:
    """The commas behind the last digit of what stands behind the point."""
    signs = section[section.index(("sign", ".")) + 1 :]
    last = max((at for at, (kind, _sign) in enumerate(signs) if kind == "digit"), default=-1)
    return sum(token == ("sign", ",") for token in signs[last + 1 :]) if last >= 0 else 0


def _digits(size: Decimal, section: list[Token]) -> tuple[str, Decimal]:
    """The digits of ``size`` where the section has room for them, and what they are worth."""
    percents = sum(token == ("sign", "%") for token in section)
    factor = Decimal(100) ** percents / Decimal(1000) ** _scale(section)
    if any(kind == "exponent" for kind, _sign in section):
        return _power(size, section)
    point = section.index(("sign", ".")) if ("sign", ".") in section else len(section)
    places = [at for at, (kind, _sign) in enumerate(section) if kind == "digit"]
    before, after = [at for at in places if at < point], [at for at in places if at > point]
    rounded = (size * factor).quantize(Decimal(1).scaleb(-len(after)), ROUND_HALF_UP)
    whole, _point, decimals = format(rounded, "f").partition(".")
    whole = whole.lstrip("0")
    grouped = any(
        token == ("sign", ",") and before and before[0] < at < before[-1]
        for at, token in enumerate(section)
    )
    put: dict[int, str] = {}
    for at in reversed(before):
        digit, whole = (whole[-1], whole[:-1]) if whole else ("", "")
        put[at] = digit or ("0" if section[at][1] == "0" else "")
    if before:
        put[before[0]] = whole + put[before[0]]
    if grouped:
        _group(put, before)
    # From the right, zeros that only fill are not shown.
    for at, digit in reversed(list(zip(after, decimals, strict=True))):
        idle = digit == "0" and section[at][1] != "0" and not any(put.get(b) for b in after)
        put[at] = "" if idle else digit
    text = ""
    for at, (kind, sign) in enumerate(section):
        if kind == "digit":
            text += put[at]
        elif kind == "literal" or (kind, sign) == ("sign", "%"):
            text += sign
        elif at == point and any(put[b] for b in after):
            text += "." if any(put[b] for b in before) else "0."
    return text, rounded / factor


def _group(put: dict[int, str], before: list[int]) -> None:
    """Puts a comma before every third digit, counted from the right."""
    count = 0
    for at in reversed(before):
        grouped = ""
        for digit in reversed(put[at]):
            grouped = (f"{digit}," if count and not count % 3 else digit) + grouped
            count += 1
        put[at] = grouped


def _power(size: Decimal, section: list[Token]) -> tuple[str, Decimal]:
    """A number under 0.00E+00, rounded as it is shown there, in plain digits."""
    ends = next(at for at, (kind, _sign) in enumerate(section) if kind == "exponent")
    signs = section[:ends]
    decimals = 0
    if ("sign", ".") in signs:
        decimals = sum(kind == "digit" for kind, _s in signs[signs.index(("sign", ".")) :])
    if not size:
        return "0", size
    kept = size.quantize(Decimal(1).scaleb(size.adjusted() - decimals), ROUND_HALF_UP)
    return plain(kept), kept


def _fraction(size: Decimal, section: list[Token]) -> tuple[str, Decimal]:
    """1/4, or 8 1/4 where there is room for the whole before it."""
    slash = section.index(("sign", "/"))
    below = section[slash + 1 :]
    fixed = "".join(sign for kind, sign in below if sign.isdigit())
    above = [at for at, (kind, _sign) in enumerate(section[:slash]) if kind == "digit"]
    apart = any(
        kind == "literal" and above and above[0] < at < above[-1]
        for at, (kind, _sign) in enumerate(section[:slash])
    )
    whole = int(size) if apart else 0
    rest = Fraction(size) - whole
    if fixed.strip("0"):
        bottom = int(fixed)
        top = int(rest * bottom + Fraction(1, 2))
    else:
        room = max(1, sum(kind == "digit" for kind, _sign in below))
        near = rest.limit_denominator(10 ** min(room, 6) - 1)
        top, bottom = near.numerator, near.denominator
    if top == bottom and apart:
        whole, top = whole + 1, 0
    kept = Fraction(whole) + Fraction(top, bottom)
    parts = [f"{whole}"] if whole or not top else []
    parts += [f"{top}/{bottom}"] if top else []
    worth = size if kept == Fraction(size) else Decimal(kept.numerator) / kept.denominator
    return " ".join(parts), worth


def _day(value, section: list[Token]) -> str:
    """A date or time; the whole day as an ISO date."""
    if isinstance(value, timedelta):
        minutes, seconds = divmod(int(value.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}" + (f":{seconds:02}" if seconds else "")
    asked = "".join(sign for kind, sign in section if kind == "day").lower()
    literal = "".join(sign for kind, sign in section if kind == "literal")
    is_moment = isinstance(value, datetime) and bool(value.hour or value.minute or value.second)
    day = value.date() if isinstance(value, datetime) and not is_moment else value
    shows_day = ("y" in asked or "e" in asked) and "d" in asked and "m" in asked
    if not asked or isinstance(value, time) or (shows_day and "年" not in literal):
        return day.isoformat()
    text, hours_before = "", False
    for at, (kind, sign) in enumerate(section):
        if kind == "day":
            part = sign.lower()
            minutes = part[0] == "m" and (hours_before or _next_is_seconds(section, at))
            text += _part_of_day(value, part, minutes)
            hours_before = part[0] == "h"
        elif kind in {"literal", "sign"} and sign != "@":
            text += sign
    # 1/4 that a program took for a date must not come back as a fraction.
    return text.strip() if re.search("[年月日时:]", text) else day.isoformat()


def _next_is_seconds(section: list[Token], at: int) -> bool:
    return next((s[0].lower() == "s" for kind, s in section[at + 1 :] if kind == "day"), False)


def _part_of_day(value, part: str, minutes: bool) -> str:
    hour, minute, second = (getattr(value, name, 0) for name in ("hour", "minute", "second"))
    sign, long = part[0], len(part) > 1
    if sign in "ye":
        return f"{value.year}" if len(part) > 2 or sign == "e" else f"{value.year % 100:02}"
    if sign in "hs" or minutes:
        number = {"h": hour, "s": second}.get(sign, minute)
        return f"{number:02}" if long else f"{number}"
    if sign == "m":
        return f"{value.month:02}" if long else f"{value.month}"
    if sign == "d" and len(part) < 3:
        return f"{value.day:02}" if long else f"{value.day}"
    if sign in "ad":
        return ("星期" if len(part) > 3 else "") + _WEEKDAYS[value.weekday()]
    return ""
