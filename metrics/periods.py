"""How a period is written: short, exact, and the same in both languages."""

from calendar import monthrange
from datetime import date

from django.utils.translation import gettext as _


def period_text(start: date | None, end: date) -> str:
    """``2022`` for a whole year, ``Q4 2023`` for a quarter, one date for a point in time,
    otherwise both ends.

    A start of None is a total whose beginning is not stated: ``up to 2023-07-24``.
    """
    if start is None:
        return _("up to %(end)s") % {"end": end.isoformat()}
    if start == end:
        return end.isoformat()
    if (start.month, start.day, end.month, end.day) == (1, 1, 12, 31) and start.year == end.year:
        return _("year %(year)d") % {"year": end.year}
    if _is_quarter(start, end):
        return _("Q%(quarter)d %(year)d") % {"quarter": end.month // 3, "year": end.year}
    return f"{start.isoformat()} – {end.isoformat()}"


def _is_quarter(start: date, end: date) -> bool:
    months = (start.year, start.month + 2) == (end.year, end.month) and not end.month % 3
    return months and start.day == 1 and end.day == monthrange(end.year, end.month)[1]
