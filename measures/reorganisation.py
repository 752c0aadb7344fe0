"""Offices that merge, split or end: what they lead goes over by review, their staff at once."""

from collections.abc import Collection

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from . import revisions
from .models import Department, Measure, Revision, User
from .trail import Action, differences, in_trail_language, record


def move_measures(sources: Collection[Department], to: Department, *, by: User) -> Revision:
    """The open revision of ``by`` with every measure of ``sources`` led, or supported, by ``to``.

    One reviewed change for all of them; nothing moves before somebody else has published it.
    Raises ValidationError if there is nothing to move or ``to`` has ended.
    """
    if to.has_ended:
        raise ValidationError(_("%(department)s has ended.") % {"department": to})
    gone = {row.code for row in sources if row != to}
    entries = []
    concerned = Measure.objects.filter(
        Q(lead__code__in=gone) | Q(supporting__code__in=gone)
    ).distinct()
    for measure in concerned.select_related("lead").order_by("pk"):
        before = {name: revisions.told(measure, name) for name in ("lead", "supporting")}
        lead = to.code if before["lead"] in gone else before["lead"]
        supporting = {to.code if code in gone else code for code in before["supporting"]} - {lead}
        after = {"lead": lead, "supporting": sorted(supporting)}
        entries += revisions.changes_between(measure, before, after)
    if not entries:
        raise ValidationError(_("There is no measure to move."))
    return revisions.collect(entries, by=by)


@transaction.atomic
def move_staff(sources: Collection[Department], to: Department, *, by: User) -> int:
    """Everybody in ``sources`` belongs to ``to`` instead, in one step; how many went over.

    Raises PermissionDenied if ``by`` is one of them and no superuser: nobody changes what they
    belong to themselves.
    """
    sources = [row for row in sources if row != to]
    moving = set(User.objects.filter(departments__in=sources))
    if by in moving and not by.is_superuser:
        raise PermissionDenied(_("Nobody changes what they belong to themselves."))
    concerned = [*sources, to] if moving else []
    before = {row.pk: _members(row) for row in concerned}
    to.members.add(*moving)
    for row in sources:
        row.members.clear()
    for row in concerned:
        old, new = differences(before[row.pk], _members(row))
        if old or new:
            record(Action.PERMISSIONS_CHANGED, by=by, subject=row, before=old, after=new)
    return len(moving)


def _members(department: Department) -> dict[str, str]:
    with in_trail_language():
        return {str(_("members")): ", ".join(map(str, department.members.order_by("username")))}
