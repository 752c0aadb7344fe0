"""The record of every department on one day, so that they can stand side by side.

A department answers for what it leads on that day; what was due in a round counts for whoever
led it when the round was locked.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db.models import Count, Exists, OuterRef, Q
from django.utils import timezone

from measures.models import Department, Measure, Round
from measures.models.states import load_states
from measures.prepared import prepared
from measures.submission import end_of_day, moment_of
from measures.thresholds import JUDGING, Thresholds, columns
from metrics import facts, verdicts
from metrics.assessment import Assessment, assess, timeliness_of
from metrics.courses import load_latest, load_targets
from metrics.due import days_handed_in
from metrics.models import Indicator, NoFigure, Observation, RoundDue, Target
from metrics.rules.choices import Freshness, Verdict
from metrics.rules.periods import period_text

from ..changes.publications import counts_by_lead
from ..lists.pages import with_counts

#: Over how many days publications are counted.
RECENT_DAYS = 90
#: The gravest first.
BY_GRAVITY = (
    Verdict.MISSED, Verdict.BEHIND, Verdict.NO_DATA, Verdict.NOT_ASSESSABLE,
    Verdict.CLAIM_UNVERIFIABLE, Verdict.TARGET_UNKNOWN, Verdict.ON_TRACK, Verdict.MET,
)  # fmt: skip


@dataclass(frozen=True)
class RoundRecord:
    """What a locked round asked of a department, and how much of it was handed in by its due day.

    ``late`` was handed in afterwards; what is ``missing`` has no public value in the round.
    """

    round: Round
    due: int
    on_time: int
    late: int

    @property
    def missing(self) -> int:
        return self.due - self.on_time - self.late

    @property
    def period(self) -> str:
        return period_text(self.round.period_start, self.round.period_end)


@dataclass
class Record:
    """What one department leads and supports, and how that stands: counts alone.

    ``proposed`` are of the measures that it leads those for which the office has not confirmed it,
    ``contradicted`` the targets of which the source claims what the values do not bear out.
    """

    department: Department
    leads: int = 0
    proposed: int = 0
    supports: int = 0
    figures: int = 0
    freshness: Counter = field(default_factory=Counter)
    verdicts: Counter = field(default_factory=Counter)
    contradicted: int = 0
    rounds: list[RoundRecord] = field(default_factory=list)
    recent: int = 0
    newest: datetime | None = None

    def lead(self, is_confirmed: bool, n: int = 1) -> None:
        """So many measures, by whether the office confirmed that it leads them."""
        self.leads += n
        self.proposed += n * (not is_confirmed)

    def count(self, fresh: Freshness, n: int = 1) -> None:
        """So many figures, by whether they were reported when due."""
        self.figures += n
        self.freshness[fresh] += n

    def judge(self, verdict: Verdict, claim: str, n: int = 1) -> None:
        """What became of so many targets, and what their source claims of them."""
        self.verdicts[verdict] += n
        self.contradicted += n * verdict.contradicts(claim)

    @property
    def targets(self) -> int:
        return self.verdicts.total()

    @property
    def verdict_counts(self) -> list[tuple[Verdict, int]]:
        """Those that occur, the gravest first."""
        return [(verdict, n) for verdict in BY_GRAVITY if (n := self.verdicts[verdict])]

    @property
    def overdue(self) -> int:
        return self.freshness[Freshness.LATE]

    @property
    def silent(self) -> int:
        return self.freshness[Freshness.SILENT]

    @property
    def due(self) -> int:
        return sum(row.due for row in self.rounds)

    @property
    def on_time(self) -> int:
        return sum(row.on_time for row in self.rounds)

    @property
    def handed_in_late(self) -> int:
        return sum(row.late for row in self.rounds)

    @property
    def missing(self) -> int:
        return sum(row.missing for row in self.rounds)

    @property
    def on_time_share(self) -> Decimal | None:
        """In %; None if no locked round asked anything of it."""
        return Decimal(self.on_time) * 100 / self.due if self.due else None

    @property
    def gravity(self) -> tuple:
        """To sort by, the gravest first: missed, behind, contradicted, overdue, then by size."""
        found = self.verdicts
        counts = (
            found[Verdict.MISSED], found[Verdict.BEHIND], self.contradicted, self.overdue,
            self.leads, self.supports,
        )  # fmt: skip
        return *(-n for n in counts), self.department.code


@dataclass
class WholeRecord(Record):
    """A record with the measures, indicators and targets that it counts."""

    led: list[Measure] = field(default_factory=list)
    supported: list[Measure] = field(default_factory=list)
    indicators: list[Indicator] = field(default_factory=list)
    assessments: list[Assessment] = field(default_factory=list)

    @property
    def parts(self) -> list[tuple[Measure, bool]]:
        """Each measure with whether the department leads it; those that it leads come first."""
        return [(row, True) for row in self.led] + [(row, False) for row in self.supported]

    @property
    def by_gravity(self) -> list[Assessment]:
        return sorted(self.assessments, key=lambda state: BY_GRAVITY.index(state.verdict))

    @property
    def late(self) -> list[Indicator]:
        return [row for row in self.indicators if row.timeliness.state == Freshness.LATE]


def records(as_of: date | None) -> list[Record]:
    """The record of each department that was ever public, the gravest first."""
    departments = Department.objects.once_published(as_of).annotate(**columns(JUDGING))
    every = [Record(row) for row in departments]
    found = {record.department.pk: record for record in every}
    _count_measures(found, as_of)
    _fill(found, as_of)
    if every:
        _count_indicators(found, as_of, Thresholds.beside(every[0].department))
    return sorted(every, key=lambda record: record.gravity)


def record_of(department: Department, as_of: date | None) -> WholeRecord:
    """The record of ``department``, in the order of opinion and number; as many queries however
    much it leads."""
    found = WholeRecord(department)
    _add_measures(found, as_of)
    _fill({department.pk: found}, as_of)
    _add_indicators(found, as_of)
    return found


def _fill(found: dict[int, Record], as_of: date | None) -> None:
    """Adds up what was handed in in rounds, and what was published."""
    _add_rounds(found, moment_of(as_of))
    _add_publications(found, as_of or timezone.localdate())


def _count_measures(found: dict[int, Record], as_of: date | None) -> None:
    public = Measure.objects.published(as_of).order_by()
    led = public.filter(lead__in=list(found)).values_list("lead", "lead_confirmed")
    for lead, is_confirmed, n in led.annotate(n=Count("pk")):
        found[lead].lead(is_confirmed, n)
    supported = public.filter(supporting__in=list(found)).values_list("supporting")
    for department, n in supported.annotate(n=Count("pk")):
        found[department].supports = n


def _add_measures(found: WholeRecord, as_of: date | None) -> None:
    rows = _measures(found.department, as_of=as_of)
    load_states(rows, as_of)
    for row in rows:
        if row.lead_id == found.department.pk:
            found.lead(row.lead_confirmed)
            found.led.append(row)
        if row.is_supported:
            found.supports += 1
            found.supported.append(row)


@prepared
def _measures(department, *, as_of):
    supporting = Measure.supporting.through.objects.filter(department=department)
    rows = with_counts(Measure.objects.published(as_of), as_of)
    rows = rows.annotate(is_supported=Exists(supporting.filter(measure=OuterRef("pk"))))
    return rows.filter(Q(lead=department) | Q(is_supported=True))


def _count_indicators(found: dict[int, Record], as_of: date | None, thresholds: Thresholds) -> None:
    public = Indicator.objects.published(as_of).filter(measure__lead__in=list(found))
    figures = facts.Counted(public, as_of, thresholds.grace_days, "measure__lead")
    for (lead,), told, n in figures.by("measure__lead"):
        found[lead].count(told.fresh, n)
    targets = Target.objects.published(as_of).filter(indicator__in=public.order_by())
    by = "indicator__measure__lead", "claim"
    for (lead, claim), verdict, n in verdicts.counted(targets, as_of, *by):
        found[lead].judge(verdict, claim, n)


def _add_indicators(found: WholeRecord, as_of: date | None) -> None:
    rows = _indicators(found.department, as_of=as_of)
    load_latest(rows, as_of)
    load_targets(rows, as_of, with_before=True)
    on = as_of or timezone.localdate()
    for row in rows:
        row.timeliness = timeliness_of(row, on)
        found.indicators.append(row)
        found.count(row.timeliness.state)
        for target in row.loaded_targets:
            state = assess(row, target, on)
            found.assessments.append(state)
            found.judge(state.verdict, target.claim)


@prepared
def _indicators(department, *, as_of):
    rows = Indicator.objects.published(as_of).filter(measure__lead=department).with_place()
    return rows.with_thresholds().with_no_figures(as_of)


def _add_rounds(found: dict[int, Record], moment: datetime) -> None:
    """Of the rounds that had been locked before ``moment``: only theirs is fixed what was due."""
    due = RoundDue.objects.filter(
        round__due_fixed_at__lt=moment, round__due_on__lt=timezone.localdate(moment),
        department__in=list(found),
    ).select_related("round")  # fmt: skip
    handed_in = _handed_in(moment)
    rounds: dict[int, dict[Round, list]] = defaultdict(lambda: defaultdict(list))
    for row in due.order_by("-round__period_end", "-round__due_on", "pk"):
        day = handed_in.get((row.round_id, row.indicator_id))
        rounds[row.department_id][row.round].append(day)
    for department, asked in rounds.items():
        for round_, days in asked.items():
            known = [day for day in days if day]
            on_time = sum(day <= round_.due_on for day in known)
            record = RoundRecord(round_, len(days), on_time, len(known) - on_time)
            found[department].rounds.append(record)


def _handed_in(moment: datetime) -> dict[tuple[int, int], date]:
    """By round and indicator: the day on which a figure, or that there is none, was handed in that
    became public before ``moment``; one query."""
    return days_handed_in(
        model.objects.published_before(moment).filter(round__due_fixed_at__lt=moment)
        for model in (Observation, NoFigure)
    )


def _add_publications(found: dict[int, Record], on: date) -> None:
    # The calendar begins on a first day.
    begin = on - min(timedelta(days=RECENT_DAYS), on - date.min)
    counts = counts_by_lead(end_of_day(begin), end_of_day(on))
    for key, (recent, newest) in counts.items():
        if key in found:
            found[key].recent, found[key].newest = recent, newest
