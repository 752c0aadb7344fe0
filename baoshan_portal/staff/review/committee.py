"""What a reviewer of the congress's office is to look at in a stage of an opinion."""

from django.utils.translation import gettext as _

from measures.models import OpinionStage, Stage
from measures.submission import State

ORDER = {stage: place for place, stage in enumerate(Stage)}


def out_of_order(rows: list[OpinionStage]) -> list[list[str]]:
    """For each of ``rows`` a sentence for every stage on the wrong side of its day; one query.

    It is compared with the stages of its opinion that are public or wait for review.
    """
    beside = OpinionStage.objects.filter(
        opinion__in={row.opinion_id for row in rows},
        state__in=[State.SUBMITTED, State.PUBLISHED],
        corrections=None,
    )
    found: dict[int, list[OpinionStage]] = {}
    for other in beside:
        found.setdefault(other.opinion_id, []).append(other)
    return [_against(row, found.get(row.opinion_id, [])) for row in rows]


def _against(row: OpinionStage, others: list[OpinionStage]) -> list[str]:
    sentences = []
    for other in others:
        if other.pk in {row.pk, row.supersedes_id} or other.stage == row.stage:
            continue
        first, second = sorted((row, other), key=lambda it: ORDER[it.stage])
        if first.happened_on > second.happened_on:
            names = {"stage": other.get_stage_display(), "day": other.happened_on.isoformat()}
            if other is first:
                sentences.append(_("Before the stage “%(stage)s” of %(day)s.") % names)
            else:
                sentences.append(_("After the stage “%(stage)s” of %(day)s.") % names)
    return sentences
