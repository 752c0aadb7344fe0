"""How a period is written: short, exact, and the same in both languages."""

from datetime import date

from django.utils.translation import gettext as _


def period_text(start: date | None, end: date) -> str:
    """``2022`` for a whole year, one date for a point in time, otherwise both ends.

    A start of None is a total whose beginning is not stated: ``up to 2023-07-24``.
    """
    if start is None:
        return _("up to %(end)s") % {"end": end.isoformat()}
    if start == end:
        return end.isoformat()
    if (start.month, start.day, end.month, end.day) == (1, 1, 12, 31) and start.year == end.year:
        return _("year %(year)d") % {"year": end.year}
    return f"{start.isoformat()} – {end.isoformat()}"
