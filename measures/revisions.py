"""Reviewed changes of public rows: how they are written down, told and applied.

An entry of ``Revision.changes`` is one field of one row::

    {"model": "metrics.indicator", "code": "rd-share", "field": "name", "old": "…", "new": "…"}

A row that is to be made has ``"field": null`` and in ``new`` all its fields. Relations are told by
codes, days as ISO dates, decimals as text. The supporting departments of a measure and the figures
of a check are fields of it like others.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import IntegrityError, models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from . import workflow
from .models.versions import Applying, Revision
from .submission import EDITABLE
from .trail import Action, differences, in_trail_language, record
from .versions import KEPT

#: The models whose rows a revision changes, by label; parts are fields of what they belong to.
SUBJECTS = tuple(label for label, parent in KEPT if parent is None)
#: Rows of another table that are told as a field of the row to which they belong.
PARTS = {
    "measures.department": "succeeded_by",
    "measures.measure": "supporting",
    "metrics.check": "terms",
}
#: Those of them that name departments
OFFICES = ("succeeded_by", "supporting")
LARGEST_ORDER = 32_767


class Missing(ValidationError):
    """A row that a change names does not exist (any more)."""


@dataclass(frozen=True)
class Line:
    """One change as people read it."""

    model: str
    row: str
    field: str
    old: str
    new: str
    subject: models.Model | None

    def __str__(self):
        return f"{self.model} {self.row} · {self.field}: {self.old or '—'} → {self.new or '—'}"


def fields_of(model: type[models.Model]) -> list[str]:
    """What a revision can change of a row; its code is permanent."""
    own = [
        f.name for f in model._meta.concrete_fields if f.editable and f.name not in ("id", "code")
    ]
    part = PARTS.get(model._meta.label_lower)
    return [*own, part] if part else own


def related_fields(model: type[models.Model]) -> list[str]:
    """Those of ``fields_of`` that name rows by their codes."""
    names = [name for name in fields_of(model) if name != "terms"]
    return [name for name in names if model._meta.get_field(name).is_relation]


def is_public(row: models.Model) -> bool:
    """Whether ``row`` is kept as a version and changes by a revision alone."""
    if row._meta.label_lower not in SUBJECTS or row.pk is None:
        return False
    return getattr(row, "published_on", True) is not None


def told(row: models.Model, name: str):
    """A field of ``row`` as it is written down in a revision."""
    if name in OFFICES:
        return sorted(getattr(row, name).values_list("code", flat=True)) if row.pk else []
    if name == "terms":
        terms = row.terms.values_list("role", "indicator__code", "earlier") if row.pk else []
        return sorted(list(term) for term in terms)
    value = getattr(row, name)
    if isinstance(value, models.Model):
        return value.code
    return _plain(value)


def _plain(value):
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return value.isoformat() if isinstance(value, date) else value


def says(row: models.Model) -> dict:
    """Everything that a revision can change of ``row``."""
    return {name: told(row, name) for name in fields_of(type(row))}


def changes_between(row: models.Model, before: dict, after: dict) -> list[dict]:
    """An entry for every field of ``row`` that differs."""
    subject = {"model": row._meta.label_lower, "code": row.code}
    return [
        {**subject, "field": name, "old": before[name], "new": after[name]}
        for name in after
        if before[name] != after[name]
    ]


def creation(row: models.Model, values: dict) -> dict:
    """The entry that makes ``row`` with these values."""
    return {
        "model": row._meta.label_lower, "code": row.code, "field": None, "old": None, "new": values
    }  # fmt: skip


def merged(changes: list[dict], new: Iterable[dict]) -> list[dict]:
    """``changes`` with ``new`` ones: what speaks of the same field takes the old one's place."""
    found = {_key(change): change for change in changes}
    for change in new:
        made = found.get((change["model"], change["code"], None))
        if made and change["field"]:
            made["new"][change["field"]] = change["new"]
        else:
            found[_key(change)] = change
    return [change for change in found.values() if change["old"] != change["new"]]


def _key(change: dict) -> tuple:
    return change["model"], change["code"], change["field"]


@transaction.atomic
def collect(entries: list[dict], *, by) -> Revision:
    """Adds ``entries`` to the revision that ``by`` has not submitted yet, or begins one."""
    mine = Revision.objects.filter(state__in=EDITABLE, entered_by=by)
    revision = mine.order_by("-pk").first() or Revision()
    revision.changes = merged(revision.changes, entries)
    workflow.save(revision, by=by, seen=revision.version if revision.pk else None)
    return revision


# What people read


def lines(revision: Revision) -> list[Line]:
    """A line for every field and row, in the reader's language."""
    return lines_of(revision.changes)


def lines_of(changes: list[dict], hide=None) -> list[Line]:
    """The ``lines`` of any revisions' ``changes``, a query for each kind of row that they name.

    ``hide`` is called with these rows by model and code, and may put other words for one.
    """
    rows = _named_rows(changes)
    if hide:
        hide(rows)
    return [_line(change, rows) for change in changes]


def _line(change: dict, rows: dict) -> Line:
    model = apps.get_model(change["model"])
    row = rows[change["model"]].get(change["code"])
    name, kind = str(row) if row else change["code"], str(model._meta.verbose_name)
    if change["field"]:
        texts = [_read(model, change["field"], change[side], rows) for side in ("old", "new")]
        return Line(kind, name, _label(model, change["field"]), *texts, row)
    parts = [
        f"{_label(model, field)}: {text}"
        for field, value in change["new"].items()
        if (text := _read(model, field, value, rows))
    ]
    return Line(kind, change["new"].get("name") or name, _("new"), "", "; ".join(parts), row)


def _named_rows(changes: list[dict]) -> dict[str, dict]:
    """Every row that ``changes`` speak of, by model and code."""
    codes: dict[str, set[str]] = {}
    for change in changes:
        codes.setdefault(change["model"], set()).add(change["code"])
        model = apps.get_model(change["model"])
        field = change["field"]
        said = [(field, change["old"]), (field, change["new"])] if field else change["new"].items()
        for name, value in said:
            if name in related_fields(model):
                label = model._meta.get_field(name).related_model._meta.label_lower
                codes.setdefault(label, set()).update(_flat(value))
            elif name == "terms":
                indicators = codes.setdefault("metrics.indicator", set())
                indicators.update(code for _role, code, _earlier in value or ())
    # Without an order of their own, which joins what they belong to, and that may be a draft still:
    # a past day knows no drafts.
    return {
        label: apps.get_model(label)._default_manager.order_by().in_bulk(wanted, field_name="code")
        for label, wanted in codes.items()
    }


def _flat(value) -> list[str]:
    if isinstance(value, list):
        return [code for part in value for code in _flat(part)]
    return [value] if value else []


def summary(revision: Revision) -> str:
    """What the revision is about, in a few words."""
    rows = {(change["model"], change["code"]) for change in revision.changes}
    first = revision.changes[0]["code"] if revision.changes else "—"
    return f"{first} + {len(rows) - 1}" if len(rows) > 1 else first


def _label(model, name: str) -> str:
    if name == "terms":
        return str(apps.get_model("metrics.checkterm")._meta.verbose_name_plural)
    try:
        return str(model._meta.get_field(name).verbose_name)
    except FieldDoesNotExist:
        return name


def _read(model, name: str, value, rows: dict) -> str:
    """A value as people read it: choices by their names, related rows by theirs."""
    if value is None or value == "" or value == []:
        return ""
    if name == "terms":
        term = apps.get_model("metrics.checkterm")
        roles = dict(term._meta.get_field("role").flatchoices)
        known = rows.get("metrics.indicator", {})
        return "; ".join(
            f"{roles.get(role, role)}: {known.get(code, code)}"
            f"{' (' + _('earlier') + ')' if earlier else ''}"
            for role, code, earlier in value
        )
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        return str(value)
    if field.is_relation:
        known = rows.get(field.related_model._meta.label_lower, {})
        return ", ".join(str(known.get(code, code)) for code in _flat(value))
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return str(dict(field.flatchoices).get(value, value))


# Steps


def check_complete(revision: Revision) -> None:
    """Raises ValidationError if there is no change, no reason, or a row says something else now."""
    if not revision.changes:
        raise ValidationError(_("This changes nothing yet."))
    if not revision.reason.strip():
        raise ValidationError(_("Say why; the public reads the reason."))
    for change in revision.changes:
        _check_current(change)
    _check_parts(revision.changes)


def outdated(revision: Revision) -> list[str]:
    """Sentences for the reviewer: what cannot be applied any more, because others were faster."""
    found = []
    for change in revision.changes:
        try:
            _check_current(change)
        except ValidationError as error:
            found += error.messages
    return found


def _check_current(change: dict) -> None:
    model = apps.get_model(change["model"])
    row = model._default_manager.filter(code=change["code"]).first()
    if change["field"] is None:
        if row:
            raise ValidationError(_("%(code)s exists already.") % {"code": change["code"]})
        return
    if row is None:
        raise Missing(_("%(code)s does not exist.") % {"code": change["code"]})
    if told(row, change["field"]) != change["old"]:
        raise ValidationError(
            _("%(row)s, %(field)s: somebody changed it meanwhile; it says “%(now)s” now.")
            % {
                "row": row,
                "field": _label(model, change["field"]),
                "now": _now(change, row),
            }
        )
    if change["field"] == "published_on" and row.published_on:
        today = timezone.localdate()
        if change["new"] is None or row.published_on <= today:
            raise ValidationError(
                _("%(row)s is public since %(day)s; that does not change any more.")
                % {"row": row, "day": row.published_on.isoformat()}
            )


def _check_parts(changes: list[dict]) -> None:
    """Raises ValidationError if what belongs to a row would not fit it after ``changes``."""
    wanted: dict[tuple, dict] = {}
    for change in changes:
        values = {change["field"]: change["new"]} if change["field"] else change["new"]
        wanted.setdefault((change["model"], change["code"]), {}).update(values)
    for (label, code), values in wanted.items():
        if label in PARTS:
            model = apps.get_model(label)
            row = model._default_manager.filter(code=code).first() or model(code=code)
            for name in set(values) - {PARTS[label], *related_fields(model)}:
                setattr(row, name, model._meta.get_field(name).to_python(values[name]))
            _check_part(row, values)


def _check_part(row: models.Model, values: dict) -> None:
    part = PARTS.get(row._meta.label_lower)
    if part and hasattr(row, "clean_part"):
        row.clean_part(values[part] if part in values else told(row, part))


def _now(change: dict, row) -> str:
    entry = {**change, "old": told(row, change["field"]), "new": None}
    return _line(entry, _named_rows([entry])).old


@transaction.atomic
def apply(revision: Revision, *, by) -> None:
    """Makes the rows say what the published ``revision`` says, all or none.

    Raises ValidationError with a sentence if one of them no longer says what the revision began
    with, or a constraint does not hold.
    """
    rows = _locked(revision)
    for change in revision.changes:
        _check_current(change)
    with applying(revision):
        written = []
        for change in revision.changes:
            if change["field"] is None:
                written.append(_make(change))
        changed = {}
        for change in revision.changes:
            if change["field"]:
                changed.setdefault((change["model"], change["code"]), {})[change["field"]] = change
        _make_way([(rows[key], fields) for key, fields in changed.items()])
        for key, fields in changed.items():
            _change(rows[key], {name: change["new"] for name, change in fields.items()})
            written.append(rows[key])
    _record(revision, by)


class applying:
    """Inside, public rows can be changed, on behalf of a published revision not yet applied."""

    def __init__(self, revision: Revision):
        self.revision = revision

    def __enter__(self):
        Applying.objects.create(revision=self.revision)

    def __exit__(self, error, *_rest):
        # After an error the transaction takes it back itself.
        if error is None:
            Applying.objects.filter(revision=self.revision).delete()


def _locked(revision: Revision) -> dict:
    """The rows that are changed, which nobody else can change until the transaction ends."""
    rows = {}
    wanted: dict[str, set[str]] = {}
    for change in revision.changes:
        if change["field"]:
            wanted.setdefault(change["model"], set()).add(change["code"])
    for label, codes in sorted(wanted.items()):
        model = apps.get_model(label)
        found = model._base_manager.select_for_update().filter(code__in=codes).order_by("pk")
        rows |= {(label, row.code): row for row in found}
    return rows


def _make(change: dict) -> models.Model:
    model = apps.get_model(change["model"])
    row = model(code=change["code"])
    _change(row, change["new"])
    return row


def _make_way(changes: list[tuple[models.Model, dict]]) -> None:
    """Rows that change their places first go where nobody is, so that two can exchange theirs."""
    moving = [
        row for row, fields in changes if {"order", "theme", "section", "measure"} & set(fields)
    ]
    for model in {type(row) for row in moving}:
        if "order" not in fields_of(model):
            continue
        taken = set(model._base_manager.values_list("order", flat=True))
        free = (number for number in range(LARGEST_ORDER, -1, -1) if number not in taken)
        for row in moving:
            if type(row) is model:
                model._base_manager.filter(pk=row.pk).update(order=next(free))


def _change(row: models.Model, values: dict) -> None:
    """Writes ``values`` into ``row``. Raises ValidationError, told with the row's name."""
    model, part = type(row), PARTS.get(row._meta.label_lower)
    own = {name: value for name, value in values.items() if name != part}
    try:
        for name, value in own.items():
            setattr(row, name, _value(model._meta.get_field(name), value))
        _check_part(row, values)
        if row.pk is None:
            row.full_clean()
        else:
            untouched = {f.name for f in model._meta.concrete_fields} - set(own)
            row.clean_fields(exclude=untouched)
            row.clean()
            row.validate_unique()
            row.validate_constraints()
        if "published_on" in own and row.published_on:
            # What is published today was not public before, whatever day was meant.
            row.published_on = max(row.published_on, timezone.localdate())
        with transaction.atomic():
            if row.pk and part in values and not values[part]:
                # An office that stands again has nobody any more who continues it.
                _write_part(row, part, [])
            row.save()
            if part in values:
                _write_part(row, part, values[part])
    except ValidationError as error:
        raise ValidationError(f"{row}: {' '.join(error.messages)}") from error
    except IntegrityError as error:
        raise ValidationError(f"{row}: {error}") from error


def _value(field: models.Field, value):
    if not field.is_relation or value is None:
        return field.to_python(value)
    return _related(field.related_model, value)


def _related(model, code: str):
    found = model._default_manager.filter(code=code).first()
    if found is None:
        raise Missing(_("%(code)s does not exist.") % {"code": code})
    return found


def _write_part(row: models.Model, part: str, value: list) -> None:
    if part in OFFICES:
        field = row._meta.get_field(part)
        getattr(row, part).set([_related(field.related_model, code) for code in value])
        return
    Term = apps.get_model("metrics.checkterm")
    wanted = {tuple(term) for term in value}
    for term in row.terms.select_related("indicator"):
        key = term.role, term.indicator.code, term.earlier
        if key in wanted:
            wanted.discard(key)
        else:
            term.delete()
    Indicator = Term._meta.get_field("indicator").related_model
    for role, code, earlier in sorted(wanted):
        term = Term(check_of=row, role=role, indicator=_related(Indicator, code), earlier=earlier)
        term.full_clean()
        term.save()


def _record(revision: Revision, by) -> None:
    """The trail of every row says what became of it."""
    told_of: dict = {}
    with in_trail_language():
        found = lines(revision)
    for line in found:
        if line.subject is not None:
            before, after = told_of.setdefault(line.subject, ({}, {}))
            before[line.field], after[line.field] = line.old, line.new
    for row, (before, after) in told_of.items():
        old, new = differences(before, after)
        record(Action.CHANGED, by=by, subject=row, before=old, after=new, note=revision.reason)
