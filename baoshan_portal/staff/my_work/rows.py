"""Submitted rows as "My work" shows them: counts that lead to lists, and the newest rows."""

from dataclasses import dataclass

from django.db.models import F, QuerySet
from django.utils.translation import gettext as _

from measures.models import (
    Evaluation,
    MeasureState,
    OpinionStage,
    ProgressNote,
    Revision,
    User,
    Withdrawal,
)
from measures.submission import State, Submission
from metrics.history import target_text
from metrics.models import NoFigure, Observation, Target
from metrics.wording import observed_text

from ..addresses import list_url
from ..review.rows import KINDS

#: What a list on the page shows at the most; its heading says how many there are.
SHOWN = 10


@dataclass
class RowCount:
    """Rows of one kind that are in the same state: how many, and the list of exactly these."""

    kind: type[Submission]
    n: int
    url: str

    @property
    def name(self) -> str:
        meta = self.kind._meta
        return str(meta.verbose_name if self.n == 1 else meta.verbose_name_plural)


@dataclass
class ListedRow:
    """One row in a list: what it is about, what it says, and where it can be worked on."""

    row: Submission
    about: str
    says: str
    url: str


def kinds_to(user: User, action: str) -> list[type[Submission]]:
    """The kinds of rows that the user may ``action``: add, view, publish …"""
    return [
        kind
        for kind in KINDS.values()
        if user.has_perm(f"{kind._meta.app_label}.{action}_{kind._meta.model_name}")
    ]


def lists(kinds: list[type[Submission]], state: State) -> list[tuple[str, str]]:
    """(name, list) of the rows of every kind that are in this state."""
    return [
        (str(kind._meta.verbose_name_plural), list_url(kind, state__exact=state.value))
        for kind in kinds
    ]


def with_subject(kind: type[Submission]) -> QuerySet:
    """The rows of ``kind`` with what a ``ListedRow`` of them shows."""
    to = kind.measure_path
    if to is None:
        return kind.objects.all()
    more = {
        Observation: ("indicator__unit", "round"),
        NoFigure: ("indicator", "round"),
        Target: ("indicator__unit", "plan"),
        ProgressNote: ("round",),
        OpinionStage: ("opinion",),
        Evaluation: ("report__opinion", "section__opinion", "theme__section__opinion"),
    }
    lead = [f"{to}__lead"] if to else []
    return kind.objects.select_related(*lead, *more.get(kind, ()))


def newest(rows: dict[type[Submission], QuerySet], moment: str, sheets) -> list[ListedRow]:
    """The newest rows of all kinds together by the field ``moment``; one query for each kind.

    ``sheets`` are those of their reader, to lead to the rows there.
    """
    found = [
        row
        for of_kind in rows.values()
        for row in of_kind.order_by(F(moment).desc(nulls_last=True), "-pk")[:SHOWN]
    ]
    found.sort(key=lambda row: getattr(row, moment) or row.entered_at, reverse=True)
    return [ListedRow(row, *_texts(row), sheets.address_of(row)) for row in found[:SHOWN]]


def _texts(row: Submission) -> tuple[str, str]:
    """What ``row`` is about, and what it says."""
    if isinstance(row, Revision):
        return str(row), row.reason
    if isinstance(row, ProgressNote):
        return str(row.measure), row.text
    if isinstance(row, OpinionStage):
        return row.opinion.number, row.text
    if isinstance(row, Evaluation):
        return row.subject_text, row.result_text
    if isinstance(row, MeasureState):
        return str(row.measure), row.get_status_display()
    if isinstance(row, Withdrawal):
        return str(row), _("withdrawal")
    if isinstance(row, NoFigure):
        return str(row.indicator), row.text
    if isinstance(row, Target):
        return str(row.indicator), target_text(row)
    return str(row.indicator), observed_text(row, row.indicator.unit)
