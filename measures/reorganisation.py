"""Offices that merge, split or end, and people who leave.

What an office leads goes over by review; its staff, and the open work of people, at once.
"""

from collections.abc import Collection

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from . import access, revisions
from .models import Department, Measure, Revision, User
from .submission import EDITABLE, State, Submission, submissions
from .trail import Action, differences, event, in_trail_language, record, record_all


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


def give_lead(measures: Collection[Measure], to: Department, *, by: User) -> Revision:
    """The open revision of ``by`` in which ``to`` is proposed as the lead of all ``measures``.

    Raises ValidationError if ``to`` leads them all already or has ended.
    """
    if to.has_ended:
        raise ValidationError(_("%(department)s has ended.") % {"department": to})
    entries = []
    for measure in measures:
        if measure.lead_id == to.pk:
            continue
        before = {
            name: revisions.told(measure, name) for name in ("lead", "lead_confirmed", "supporting")
        }
        after = {
            "lead": to.code,
            # What one office confirmed is no word of another.
            "lead_confirmed": False,
            "supporting": [code for code in before["supporting"] if code != to.code],
        }
        entries += revisions.changes_between(measure, before, after)
    if not entries:
        raise ValidationError(_("%(department)s leads them already.") % {"department": to})
    return revisions.collect(entries, by=by)


#: What somebody who leaves has begun and nobody has published yet
OPEN = (*EDITABLE, State.SUBMITTED)


def open_work(people: Collection[User]) -> list[Submission]:
    """What ``people`` entered that is a draft, was returned or waits for review."""
    return [
        row
        for model in submissions()
        for row in model._base_manager.filter(entered_by__in=people, state__in=OPEN)
        .select_related("entered_by")
        .order_by("pk")
    ]


@transaction.atomic
def hand_over(people: Collection[User], to: User, *, by: User) -> int:
    """All ``open_work`` of ``people`` is that of ``to`` from now on; how many rows went over.

    Whoever entered or changed a row last still does not publish it. Raises ValidationError if
    ``to`` could not go on with all of it, or if one of ``people`` could publish it later.
    """
    people = [person for person in people if person != to]
    rows = [
        type(row)._base_manager.select_for_update(of=("self",)).get(pk=row.pk)
        for row in open_work(people)
    ]
    for model in {type(row) for row in rows}:
        label, name = model._meta.app_label, model._meta.model_name
        mine = [row.pk for row in rows if type(row) is model]
        seen = access.visible(to, model._base_manager.filter(pk__in=mine)).count()
        if not to.is_active or not to.has_perm(f"{label}.change_{name}") or seen < len(mine):
            raise ValidationError(
                _("%(person)s cannot go on with %(n)d of these rows (%(kind)s): give the account "
                  "the role and the department first.")
                % {"person": to.get_full_name() or to, "n": len(mine) - seen or len(mine),
                   "kind": model._meta.verbose_name}
            )  # fmt: skip
        for person in people:
            # Nobody may publish under another's name what they wrote themselves.
            if person.is_active and person.has_perm(f"{label}.publish_{name}"):
                raise ValidationError(
                    _("%(person)s is a reviewer and could publish the own rows then: take the "
                      "role away, or make the account inactive, first.")
                    % {"person": person.get_full_name() or person}
                )  # fmt: skip
    events = []
    for row in rows:
        old = row.entered_by
        type(row)._base_manager.filter(pk=row.pk).update(entered_by=to, version=F("version") + 1)
        with in_trail_language():
            label = str(row._meta.get_field("entered_by").verbose_name)
        events.append(
            event(Action.HANDED_OVER, by=by, subject=row, before=f"{label}: {old}",
                  after=f"{label}: {to}")
        )  # fmt: skip
    record_all(events)
    return len(rows)


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
