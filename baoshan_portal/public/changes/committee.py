"""What the committee's office made public between two days, beside the changes of figures."""

from dataclasses import dataclass
from datetime import datetime

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


def word_changes(
    since: datetime | None,
    until: datetime,
    *,
    opinion=None,
    section=None,
    department=None,
    measure=None,
    indicator=None,
) -> list[WordChange]:
    """All that the office published from ``since`` (None: ever) to before ``until``, newest first.

    A section's are the evaluations of it and of its themes; a department, a measure or an
    indicator has none of its own. Two queries at the most.
    """
    if department or measure or indicator:
        return []
    evaluations = Evaluation.objects.with_subject()
    stages = OpinionStage.objects.select_related("opinion")
    if opinion:
        evaluations, stages = evaluations.of_opinion(opinion), stages.filter(opinion=opinion)
    if section:
        evaluations = evaluations.of_section(section)
    found = [_evaluation(row) for row in _published(evaluations, since, until)]
    if not section:
        found += [_stage(row) for row in _published(stages, since, until)]
    return sorted(found, key=lambda change: (change.at, change.id), reverse=True)


def _published(rows, since: datetime | None, until: datetime):
    return rows.published_between(since, until).select_related("supersedes")


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
