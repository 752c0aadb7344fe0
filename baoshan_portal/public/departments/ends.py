"""What a page says of a department that has ended: since when, and who continues its work."""

from collections.abc import Iterable
from datetime import date

from django.db.models import prefetch_related_objects
from django.utils.translation import gettext as _

from measures.models import Department

from ..prose import listed


def tell_ends(departments: Iterable[Department], on: date) -> None:
    """Gives each of ``departments`` its ``end_text``, empty for those that stand on ``on``.

    One query, and only if one of them has ended.
    """
    departments = list(departments)
    ended = [row for row in departments if row.ended_by(on)]
    prefetch_related_objects(ended, "succeeded_by")
    for row in departments:
        row.end_text = _end_text(row) if row in ended else ""


def _end_text(department: Department) -> str:
    day = department.ended_on.isoformat()
    others = listed(department.succeeded_by.all())
    if not others:
        return _("ended on %(day)s; who continues its work is not recorded") % {"day": day}
    return _("ended on %(day)s; its work is continued by %(others)s") % {
        "day": day,
        "others": others,
    }
