"""What the committee's office made public between two days, beside the changes of figures."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from measures.models import Evaluation, OpinionStage
from measures.submission import Submission


@dataclass(frozen=True)
class WordChange:
    """One publication of the committee's office; ``before`` is what it corrected, or empty."""

    id: str
    at: datetime
    row: Submission
    title: str
    kind: str
    before: str
    after: str
    reason: str = ""

    @property
    def address(self) -> str:
        return self.row.get_absolute_url()


def words_of(
    *, opinion=None, section=None, department=None, measure=None, indicator=None
) -> list[QuerySet]:
    """What the office enters of a place, a query a kind: evaluations, and stages of opinions.

    A section's are the evaluations of it and of its themes; a department, a measure or an
    indicator has none of its own.
    """
    if department or measure or indicator:
        return []
    evaluations = Evaluation.objects.with_subject()
    stages = OpinionStage.objects.select_related("opinion")
    if section:
        return [evaluations.of_section(section)]
    if opinion:
        return [evaluations.of_opinion(opinion), stages.filter(opinion=opinion)]
    return [evaluations, stages]


def told(rows: QuerySet) -> list[WordChange]:
    """``rows``, of one of the kinds of ``words_of``, in words; one query."""
    tell = _stage if rows.model is OpinionStage else _evaluation
    return [tell(row) for row in rows.select_related("supersedes")]


def _stage(row: OpinionStage) -> WordChange:
    return WordChange(
        f"stage:{row.code}",
        row.published_at,
        row,
        row.opinion.number,
        _("stage corrected") if row.supersedes else _("stage of the opinion"),
        row.supersedes.text if row.supersedes else "",
        row.text,
        row.correction_reason,
    )


def _evaluation(row: Evaluation) -> WordChange:
    return WordChange(
        f"evaluation:{row.code}",
        row.published_at,
        row,
        row.subject_text,
        _("evaluation corrected") if row.supersedes else _("evaluation by the committee"),
        row.supersedes.result_text if row.supersedes else "",
        row.result_text,
        row.correction_reason,
    )
