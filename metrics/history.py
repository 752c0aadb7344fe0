"""What figures and targets said before they were corrected; the public reads it in full."""

from collections.abc import Iterable
from datetime import date

from django.utils.translation import gettext as _

from measures.numerals import plain
from measures.prepared import prepared
from measures.submission import Submission, moment_of

from .models import Indicator, Target
from .wording import figure_text


def standing(rows) -> list[Submission]:
    """Those of ``rows`` (see ``versions``) that are public, in the order given."""
    return [row for row in rows if not row.replaced_at]


def replaced(rows) -> list[Submission]:
    """Those of ``rows`` (see ``versions``) that no longer stand, the last that fell first."""
    gone = [row for row in rows if row.replaced_at]
    return sorted(gone, key=lambda row: (row.replaced_at, row.pk), reverse=True)


def earlier_targets(targets: Iterable[Target], as_of: date | None = None) -> dict[int, Target]:
    """Every replaced target of the indicators of ``targets``, which are public, by its key, to
    follow ``supersedes`` back; one query."""
    rows = _earlier_targets({row.indicator_id for row in targets}, as_of=as_of)
    return {row.pk: row for row in rows}


@prepared
def _earlier_targets(indicators, *, as_of):
    rows = Target.objects.filter(indicator__in=indicators).versions(moment_of(as_of))
    gone = rows.filter(replaced_at__isnull=False)
    return gone.select_related("plan", "indicator__unit", "report").order_by()


def before(row: Submission, earlier: dict[int, Submission]) -> list[Submission]:
    """The versions that ``row`` took the place of, newest first, as far as ``earlier`` goes."""
    found = []
    while row := earlier.get(row.supersedes_id):
        found.append(row)
    return found


def newest_period(indicators: Iterable[Indicator]) -> date | None:
    """The last day of the newest period that was reported of ``indicators``, None if none was.

    Their public values, or their latest ones, need to be loaded.
    """
    reported = (row.reported for row in indicators)
    return max((value.period_end for value in reported if value), default=None)


def target_value(target: Target) -> str:
    """What a target asks for, such as ≥ 10家; needs its indicator's unit."""
    if target.value is None:
        return _("not published")
    text = figure_text(target.value, target.indicator.unit)
    return f"{target.get_comparator_display()} {text}"


def target_text(target: Target) -> str:
    """All that a target says in one line; needs its indicator's unit.

    A value that is not published is said to be so, and never guessed.
    """
    said = [_("target value not published") if target.value is None else target_value(target)]
    if target.due_on:
        said.append(_("due on %(day)s") % {"day": target.due_on.isoformat()})
    if target.baseline is not None:
        said.append(_("baseline %(value)s") % {"value": plain(target.baseline, grouping=True)})
    said.append(target.get_claim_display())
    return " · ".join(str(part) for part in said)
