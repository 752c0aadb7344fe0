"""A figure that looks wrong is handed in with a short answer: why it is right nevertheless.

The answer is for the reviewer and never public. What is asked for is decided here, for every door.
"""

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from measures.submission import State

from .models import Observation
from .warnings import warnings_of


def warnings_beside(rows: Sequence[Observation]) -> list[list[str]]:
    """``warnings_of`` each of ``rows``, beside what else is entered in their rounds by now.

    Drafts and what waits for review of the same rounds and departments count as entered with
    ``rows``; one query more. Needs as ``warnings_of``, and the rows' measures.
    """
    return warnings_of([*rows, *_neighbours(rows)])[: len(rows)]


def unanswered(rows: Sequence[Observation]) -> list[tuple[Observation, list[str]]]:
    """Those of ``rows`` that have warnings and no answer, with their warnings."""
    if all(row.warning_answer for row in rows):
        return []
    found = zip(rows, warnings_beside(rows), strict=True)
    return [(row, warnings) for row, warnings in found if warnings and not row.warning_answer]


def check_answered(rows: Sequence[Observation]) -> None:
    """Raises ValidationError, a sentence a row, where a row that looks wrong has no answer."""
    if missing := unanswered(rows):
        raise ValidationError([unanswered_text(warnings, row) for row, warnings in missing])


def unanswered_text(warnings: Sequence[str], row: Observation | None = None) -> str:
    """What is asked for, with the ``warnings`` and, if given, the name of the ``row``."""
    text = _(
        "Say in a few words why the figure is nevertheless right (“answer to the warnings”), or "
        "mend it: %(warnings)s"
    ) % {"warnings": pgettext("between filters", "; ").join(warnings)}
    return f"{row.indicator}: {text}" if row else text


def _neighbours(rows: Sequence[Observation]) -> list[Observation]:
    rounds = {row.round_id for row in rows if row.round_id}
    if not rounds:
        return []
    own = {row.pk for row in rows}
    indicators = {row.indicator_id for row in rows}
    # A correction is held beside what is public, as everything else is.
    waiting = (
        Observation.objects.filter(
            round__in=rounds,
            indicator__measure__lead__in={row.indicator.measure.lead_id for row in rows},
            supersedes__isnull=True,
        )
        .exclude(state=State.PUBLISHED)
        .exclude(indicator__in=indicators)
        .select_related("indicator__unit")
    )
    return [row for row in waiting if row.pk not in own]
