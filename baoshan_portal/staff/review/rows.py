"""Submitted rows as the reviewer reads them: the old beside the new, with what to look at."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from measures import revisions
from measures.models import (
    Evaluation,
    MeasureState,
    OpinionStage,
    ProgressNote,
    Revision,
    TrailEvent,
    Withdrawal,
)
from measures.submission import Submission
from measures.trail import Action
from measures.workflow import seen_version
from metrics.assessment import CheckState
from metrics.history import target_text
from metrics.last_change import between, difference_text, same_period_before, value_before
from metrics.models import HAS_FIGURE, NEWEST_FIRST, NoFigure, Observation, Target
from metrics.rules.checks import Result
from metrics.rules.periods import period_text
from metrics.rules.progress import change
from metrics.warnings import misquotes, warnings_and_checks
from metrics.wording import observed_text

from ..addresses import change_url, step_url
from ..evidence import evidence_url
from .committee import out_of_order

#: All that is submitted, in the order in which staff see it.
KINDS = {
    model._meta.model_name: model
    for model in (
        Observation,
        NoFigure,
        Target,
        ProgressNote,
        MeasureState,
        Withdrawal,
        Revision,
        OpinionStage,
        Evaluation,
    )
}
#: By what rows of one measure are put in order.
PLACES = {
    Observation: "indicator__order",
    NoFigure: "indicator__order",
    Target: "indicator__order",
    ProgressNote: "happened_on",
    MeasureState: "since",
    Withdrawal: "subject_code",
}


@dataclass
class ReviewRow:
    """One submitted row as the reviewer reads it: the old beside the new."""

    row: Submission
    kind: str
    about: str
    old: str
    old_period: str
    new: str
    new_period: str
    difference: str = ""
    growth: str = ""
    source: str = ""
    source_url: str = ""
    evidence_url: str = ""
    evidence_file: str = ""
    note: str = ""
    warnings: list[str] = field(default_factory=list)
    #: The figure of the same period of the year before, with its period.
    year_before: str = ""
    #: The checks that the figure takes part in, and how each stands with it.
    checks: list[str] = field(default_factory=list)
    #: Why it was returned the last time, if it was.
    returned: str = ""

    @property
    def token(self) -> str:
        """The row and the version of it that is on the screen."""
        return f"{self.kind}:{self.row.pk}:{seen_version(self.row)}"

    @property
    def id(self) -> str:
        return f"{self.kind}-{self.row.pk}"

    @property
    def url(self) -> str:
        return change_url(self.row)

    @property
    def recall_url(self) -> str:
        return step_url(self.row, "recall")

    @property
    def kind_name(self) -> str:
        return self.row._meta.verbose_name


def tell_returns(lines: Iterable[ReviewRow]) -> None:
    """Gives each of ``lines`` what was said when its row was ``returned``; one query."""
    of_rows = {(line.row._meta.label_lower, line.row.code): line for line in lines}
    codes = [code for _kind, code in of_rows]
    events = TrailEvent.objects.filter(action=Action.RETURNED, subject_code__in=codes)
    for *row, reason in events.order_by("pk").values_list("subject_type", "subject_code", "note"):
        if line := of_rows.get(tuple(row)):
            line.returned = reason


def _observation_rows(rows) -> list[ReviewRow]:
    earlier = (
        Observation.objects.published()
        .filter(indicator=OuterRef("indicator"), period_end__lte=OuterRef("period_end"))
        .order_by(*NEWEST_FIRST)
        .values("pk")[:1]
    )
    rows = list(
        rows.select_related(
            "indicator__unit", "indicator__measure__lead", "report", "round", "entered_by",
            "changed_by",
        ).annotate(compared_with=Coalesce("supersedes_id", Subquery(earlier)))
    )  # fmt: skip
    olds = Observation.objects.select_related("indicator__unit").in_bulk(
        {row.compared_with for row in rows if row.compared_with}
    )
    public = (
        Observation.objects.published()
        .filter(indicator__in={row.indicator_id for row in rows})
        .by_indicator()
    )
    return [
        _observation_row(row, olds.get(row.compared_with), *found, public[row.indicator_id])
        for row, found in zip(rows, warnings_and_checks(rows), strict=True)
    ]


def _observation_row(
    row: Observation,
    old: Observation | None,
    warnings: list[str],
    checks: list[CheckState],
    public: list[Observation],
) -> ReviewRow:
    if not row.supersedes_id and (before := value_before(row.indicator.kind, row, public)):
        old = before
        old.indicator = row.indicator
    difference, growing = _change(row, old)
    same = same_period_before(row.indicator.kind, row, public)
    year_before = ""
    if same and same != old:
        year_before = f"{observed_text(same, row.indicator.unit)} {period_text(*same.period)}"
        year = between(row.indicator, row, same)
        growing = pgettext("between filters", "; ").join(
            filter(None, (growing, _("year on year %(change)s") % {"change": year.text}))
        )
    if old and old.pk == row.supersedes_id and (misquoted := misquotes(row, old)):
        warnings = [*warnings, misquoted]
    return ReviewRow(
        row=row,
        kind="observation",
        about=str(row.indicator),
        old=observed_text(old, old.indicator.unit) if old else "",
        old_period=period_text(old.period_start, old.period_end) if old else "",
        new=observed_text(row, row.indicator.unit),
        new_period=period_text(row.period_start, row.period_end),
        difference=difference,
        growth=growing,
        source=row.source_text,
        source_url=row.source_url,
        evidence_url=row.evidence_url,
        evidence_file=evidence_url(row),
        note=row.in_language("note"),
        warnings=warnings,
        year_before=year_before,
        checks=[_check_text(state) for state in checks],
    )


def _check_text(state: CheckState) -> str:
    """The check with its result; where it fails, with what was computed and what is stated."""
    result = state.outcome.result
    text = f"{state.check}: {Result(result).label}"
    if result != Result.FAILS or state.outcome.computed is None:
        return text
    return _("%(text)s (computed %(computed)s, stated %(stated)s)") % {
        "text": text,
        "computed": state.computed_text,
        "stated": state.text(state.outcome.stated),
    }


def _change(row: Observation, old: Observation | None) -> tuple[str, str]:
    """The difference and the growth from ``old`` to ``row`` as every page says them.

    In place of a difference stands the reason why there is none.
    """
    if old is None:
        return "", ""
    if old.indicator_id != row.indicator_id:
        return _("of another indicator"), ""
    found = between(row.indicator, row, old)
    return found.difference_text or str(found.difference.reason), found.growth_text


def _no_figure_rows(rows) -> list[ReviewRow]:
    rows = rows.with_has_value().select_related(
        "indicator__measure__lead", "report", "round", "supersedes", "entered_by", "changed_by"
    )
    return [
        ReviewRow(
            row=row,
            kind="nofigure",
            about=str(row.indicator),
            old=row.supersedes.text if row.supersedes else "",
            old_period=period_text(*row.supersedes.period) if row.supersedes else "",
            new=row.text,
            new_period=period_text(*row.period),
            source=row.source_text,
            source_url=row.source_url,
            note=row.in_language("note"),
            warnings=[str(HAS_FIGURE)] if row.has_value else [],
        )
        for row in rows
    ]


def _target_rows(rows) -> list[ReviewRow]:
    rows = rows.select_related(
        "indicator__unit", "indicator__measure__lead", "plan", "report", "supersedes__plan",
        "supersedes__indicator__unit", "entered_by", "changed_by",
    )  # fmt: skip
    return [_target_row(row, row.supersedes) for row in rows]


def _target_row(row: Target, old: Target | None) -> ReviewRow:
    same = old and old.indicator_id == row.indicator_id
    step = change(row.value, old.value).value if same else None
    return ReviewRow(
        row=row,
        kind="target",
        about=str(row.indicator),
        old=target_text(old) if old else "",
        old_period=str(old.plan) if old else "",
        new=target_text(row),
        new_period=str(row.plan),
        difference="" if step is None else difference_text(step, row.indicator.unit),
        source=row.source_text,
        source_url=row.source_url,
        note=row.in_language("note"),
    )


def _note_rows(rows) -> list[ReviewRow]:
    rows = rows.select_related("measure__lead", "round", "supersedes", "entered_by", "changed_by")
    return [
        ReviewRow(
            row=row,
            kind="progressnote",
            about=str(row.measure),
            old=old.text if (old := row.supersedes) else "",
            old_period=old.happened_on.isoformat() if old else "",
            new=row.text,
            new_period=row.happened_on.isoformat(),
            evidence_url=row.evidence_url,
            evidence_file=evidence_url(row),
            note=row.text_en,
        )
        for row in rows
    ]


def _stage_rows(rows) -> list[ReviewRow]:
    rows = list(rows.select_related("opinion", "supersedes", "entered_by", "changed_by"))
    return [
        ReviewRow(
            row=row,
            kind="opinionstage",
            about=row.opinion.number,
            old=old.text if (old := row.supersedes) else "",
            old_period="",
            new=row.text,
            new_period="",
            source=row.document,
            source_url=row.document_url,
            note=row.in_language("note"),
            warnings=warnings,
        )
        for row, warnings in zip(rows, out_of_order(rows), strict=True)
    ]


def _evaluation_rows(rows) -> list[ReviewRow]:
    rows = rows.with_subject().select_related(
        "report__opinion", "section__opinion", "theme__section__opinion", "supersedes__report",
        "supersedes__section", "supersedes__theme__section", "entered_by", "changed_by",
    )  # fmt: skip
    return [
        ReviewRow(
            row=row,
            kind="evaluation",
            about=f"{row.opinion.number}: {row.subject_text}",
            old=f"{old.subject_text}: {old.result_text}" if (old := row.supersedes) else "",
            old_period=old.held_on.isoformat() if old else "",
            new=row.result_text,
            new_period=row.held_on.isoformat(),
            source=row.document,
            source_url=row.document_url,
            note=row.in_language("note"),
        )
        for row in rows
    ]


def _state_rows(rows) -> list[ReviewRow]:
    newest = MeasureState.objects.latest_of_each()
    rows = list(
        rows.select_related("measure__lead", "report", "supersedes", "entered_by", "changed_by")
    )
    public = {
        row.measure_id: row for row in newest.filter(measure__in={row.measure for row in rows})
    }
    return [_state_row(row, row.supersedes or public.get(row.measure_id)) for row in rows]


def _state_row(row: MeasureState, old: MeasureState | None) -> ReviewRow:
    return ReviewRow(
        row=row,
        kind="measurestate",
        about=str(row.measure),
        old=old.get_status_display() if old else "",
        old_period=old.since.isoformat() if old else "",
        new=" ".join([row.get_status_display(), *row.into_codes]),
        new_period=row.since.isoformat(),
        source=row.source_text,
        evidence_url=row.evidence_url,
        evidence_file=evidence_url(row),
        note=row.in_language("reason"),
    )


def _withdrawal_rows(rows) -> list[ReviewRow]:
    rows = rows.select_related("measure__lead", "supersedes", "entered_by", "changed_by")
    return [
        ReviewRow(
            row=row,
            kind="withdrawal",
            about=str(row.measure),
            old=f"{row.get_subject_type_display()}: {row}",
            old_period="",
            new=_("withdrawn"),
            new_period="",
            note="\n".join(filter(None, [row.reason, row.reason_en])),
        )
        for row in rows
    ]


def _revision_rows(rows) -> list[ReviewRow]:
    return [_revision_row(row) for row in rows.select_related("entered_by", "changed_by")]


def _revision_row(row: Revision) -> ReviewRow:
    lines = revisions.lines(row)
    return ReviewRow(
        row=row,
        kind="revision",
        about=str(row),
        old="\n".join(f"{line.row} · {line.field}: {line.old or '—'}" for line in lines),
        old_period="",
        new="\n".join(f"{line.row} · {line.field}: {line.new or '—'}" for line in lines),
        new_period="",
        note=_("Reason: %(reason)s") % {"reason": row.reason},
        warnings=revisions.outdated(row),
    )


LOADERS = {
    "observation": _observation_rows,
    "nofigure": _no_figure_rows,
    "target": _target_rows,
    "progressnote": _note_rows,
    "measurestate": _state_rows,
    "withdrawal": _withdrawal_rows,
    "opinionstage": _stage_rows,
    "evaluation": _evaluation_rows,
    "revision": _revision_rows,
}
