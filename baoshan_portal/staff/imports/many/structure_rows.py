"""Rows of the structure in a file: drafts are written, what is public waits for review."""

from django.db import models
from django.utils.translation import gettext as _

from measures import revisions
from measures.trail import Action, differences, record, snapshot

from .core import check


class StructureWriter:
    """Stores measures and indicators as their forms do; ``entries`` are for the open revision."""

    def __init__(self, by):
        self.by, self.entries, self.revision = by, [], None

    def write(self, row: models.Model, values: dict[str, object]) -> bool:
        """Puts ``values`` (by field) into ``row``; whether they wait for review.

        ``supporting`` is a list of departments; the day of ``published_on`` always waits.
        Raises ValidationError, by field, if the row cannot say so.
        """
        model = type(row)
        is_new, is_public = row.pk is None, revisions.is_public(row)
        before = {} if is_new else revisions.says(row)
        fields = [field.name for field in model._meta.concrete_fields if not field.primary_key]
        old = {} if is_new else snapshot(row, fields)
        offices, since = values.pop("supporting", None), values.get("published_on")
        for name, value in values.items():
            setattr(row, name, value)
        # Two rows that exchange their places hold each other's until both are reviewed.
        check(row, but=("order",) if is_public else ())
        if is_public:
            after = {name: revisions.told(row, name) for name in values}
            if offices is not None:
                after["supporting"] = sorted(office.code for office in offices)
            self.entries += revisions.changes_between(row, before, after)
            return bool(revisions.changes_between(row, before, after))
        row.published_on = None
        row.save()
        if offices is not None:
            row.supporting.set(offices)
        old_text, new_text = differences(old, snapshot(row, fields))
        if new_text:
            action = Action.ENTERED if is_new else Action.CHANGED
            record(action, by=self.by, subject=row, before=old_text, after=new_text)
        if since:
            day = {"published_on": since.isoformat()}
            self.entries += revisions.changes_between(row, {"published_on": None}, day)
        return bool(since)

    def finish(self) -> None:
        """Puts what waits for review into the open revision of whoever sent the file."""
        if self.entries:
            self.revision = revisions.collect(self.entries, by=self.by)


def no_measure() -> str:
    return _("There is no measure “%(text)s”: write its code, or its number and name.")
