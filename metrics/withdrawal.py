"""How a public row is withdrawn: begun by one person with a reason, published by another."""

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext, override

from measures import workflow
from measures.characters import printable
from measures.models import Measure, MeasureState, ProgressNote, Withdrawal
from measures.submission import State, Submission
from measures.withdrawn import kind_of
from measures.workflow import TransitionError

from .history import target_text
from .models import Check, Indicator, NoFigure, Observation, Target
from .rules.periods import period_text
from .wording import observed_text


@transaction.atomic
def withdraw(row: models.Model, *, by, reason: str, reason_en: str = "") -> Withdrawal:
    """Hand the withdrawal of a public ``row`` to review; it takes effect when it is published.

    Raises TransitionError if the reason is blank, if ``row`` is not public, or if it is withdrawn
    or about to be.
    """
    draft = withdrawal_of(row, reason=printable(reason).strip(), reason_en=reason_en)
    if not draft.reason:
        raise TransitionError(gettext("A withdrawal must say why."))
    # Whoever comes second waits here and then sees the first one's withdrawal.
    type(row)._base_manager.select_for_update().get(pk=row.pk)
    if isinstance(row, Submission) and row.state != State.PUBLISHED:
        raise TransitionError(gettext("Only what is public can be withdrawn."))
    if why := draft.why_not_public(timezone.localdate()):
        raise TransitionError(why)
    try:
        draft.full_clean()
    except ValidationError as error:
        raise TransitionError(" ".join(error.messages)) from error
    workflow.save(draft, by=by)
    workflow.submit(draft, by=by)
    return draft


def withdrawal_of(row: models.Model, **fields) -> Withdrawal:
    """A withdrawal of ``row``, not stored: what it is about, in words of both languages."""
    with override("zh-hans"):
        name = _name(row)
    with override("en"):
        name_en = _name(row)
    indicator = _indicator(row)
    return Withdrawal(
        subject_type=kind_of(type(row)),
        subject_code=row.code,
        subject_name=_short(name, 400),
        subject_name_en=_short(name_en, 600),
        measure=_measure(row),
        indicator_code=indicator.code if indicator else "",
        **fields,
    )


def _short(text: str, length: int) -> str:
    text = printable(text, multiline=False)
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _name(row) -> str:
    """What ``row`` is and says, for a list of many kinds of rows."""
    if isinstance(row, Observation):
        said = f"{row.indicator} {observed_text(row, row.indicator.unit)}"
        return f"{said} ({period_text(row.period_start, row.period_end)})"
    if isinstance(row, NoFigure):
        return f"{row.indicator}: {row.text} ({period_text(*row.period)})"
    if isinstance(row, Target):
        return f"{row.indicator}: {target_text(row)}"
    if isinstance(row, ProgressNote):
        return f"{row.happened_on.isoformat()} {row.measure}: {row.in_language('text')}"
    if isinstance(row, MeasureState):
        return f"{row.measure}: {row.get_status_display()} ({row.since.isoformat()})"
    return str(row)


def _indicator(row) -> Indicator | None:
    return row if isinstance(row, Indicator) else getattr(row, "indicator", None)


def _measure(row) -> Measure:
    """The measure that ``row`` is on; of a check, that of its figure that stands first."""
    if isinstance(row, Measure):
        return row
    if isinstance(row, Check):
        terms = row.terms.select_related("indicator__measure__theme__section")
        found = [term.indicator.measure for term in terms]
        if not found:
            raise TransitionError(gettext("A check without figures is not public."))
        return min(found, key=lambda measure: measure.number_key)
    indicator = _indicator(row)
    return indicator.measure if indicator else row.measure
