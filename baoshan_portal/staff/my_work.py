"""My work: what everybody sees first in the admin, and what is theirs to do next.

Each role has its part; whoever has several roles sees several. Every number leads to the list of
exactly what it counts. As many queries for any number of rows, rounds and departments.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Count, F, Min, Model, OuterRef, Q, QuerySet, Subquery
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from measures import access
from measures.models import Department, ProgressNote, Round, RoundUnlock, TrailEvent, User
from measures.submission import State, Submission, end_of_day
from measures.trail import Action
from metrics.due import is_due
from metrics.history import target_text
from metrics.models import Indicator, Observation, Target
from metrics.rules.choices import Frequency
from metrics.wording import observed_text

from .entry_sheet.page import sheet_url

KINDS = (Observation, ProgressNote, Target)
#: What a list on this page shows at the most; its heading says how many there are.
SHOWN = 10
ROUNDS_SHOWN = 6
RECENT_DAYS = 30
TRAIL_DAYS = 7


@dataclass
class Tally:
    """How far one department is with one round: figures handed in, of those that are due."""

    round: Round
    department: Department
    due: int = 0
    handed_in: int = 0

    @property
    def missing(self) -> int:
        return self.due - self.handed_in

    @property
    def url(self) -> str:
        return sheet_url(self.round, self.department)

    @property
    def list_url(self) -> str:
        return list_url(
            Observation,
            round__id__exact=self.round.pk,
            indicator__measure__lead__id__exact=self.department.pk,
        )


@dataclass
class Heap:
    """Rows of one kind that are in the same state: how many, and the list of exactly these."""

    kind: type[Submission]
    n: int
    url: str

    @property
    def name(self) -> str:
        meta = self.kind._meta
        return str(meta.verbose_name if self.n == 1 else meta.verbose_name_plural)


@dataclass
class Line:
    """One row in a list: what it is about, what it says, and where it can be worked on."""

    row: Submission
    about: str
    says: str
    url: str


@dataclass
class Waiting:
    """What waits for review in one department; None: rows of measures without a lead."""

    department: Department | None
    counts: dict[type[Submission], int]
    oldest: datetime | None
    today: date

    @property
    def by_kind(self) -> list[tuple[str, int]]:
        return [(str(kind._meta.verbose_name_plural), self.counts.get(kind, 0)) for kind in KINDS]

    @property
    def days(self) -> int | None:
        """Since when the oldest row waits; None if it is not known."""
        return (self.today - timezone.localdate(self.oldest)).days if self.oldest else None

    @property
    def url(self) -> str:
        query = {"department": self.department.code} if self.department else None
        return reverse("admin:review", query=query)


def list_url(model: type[Model], **query) -> str:
    """The admin's list of ``model``, filtered."""
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
    return reverse(name, query=query)


def _lists(kinds: list[type[Submission]], state: State) -> list[tuple[str, str]]:
    """(name, list) of the rows of every kind that are in this state."""
    return [
        (str(kind._meta.verbose_name_plural), list_url(kind, state__exact=state.value))
        for kind in kinds
    ]


def _permission(kind: type[Submission], action: str) -> str:
    return f"{kind._meta.app_label}.{action}_{kind._meta.model_name}"


def _with_subject(kind: type[Submission]):
    """The rows of ``kind`` with what a line about them shows."""
    to = kind.measure_path
    more = {
        Observation: ("indicator__unit", "round"),
        Target: ("indicator__unit", "plan"),
        ProgressNote: ("round",),
    }
    return kind.objects.select_related(f"{to}__lead", *more[kind])


def tallies(rounds: list[Round], departments: list[Department]) -> dict[tuple[int, int], Tally]:
    """How far each department is with each round, by their keys; three queries.

    Counts what ``due_indicators`` lists, for all rounds at once.
    """
    found = {
        (round_.pk, department.pk): Tally(round_, department)
        for round_ in rounds
        for department in departments
    }
    indicators = list(
        Indicator.objects.filter(measure__lead__in=departments)
        .order_by()
        .values_list("pk", "measure__lead", "frequency")
    )
    entries = (
        Observation.objects.filter(
            indicator__measure__lead__in=departments,
            state__in=[State.SUBMITTED, State.PUBLISHED],
            supersedes=None,
        )
        .order_by()
        .distinct()
    )
    # Rounds that already published a figure that is reported once; None: from elsewhere.
    told: dict[int, set[int | None]] = defaultdict(set)
    once = entries.filter(indicator__frequency=Frequency.ONCE, state=State.PUBLISHED)
    for pk, round_ in once.values_list("indicator", "round"):
        told[pk].add(round_)
    handed_in = set(entries.filter(round__in=rounds).values_list("round", "indicator"))
    for round_ in rounds:
        asked = {
            frequency
            for frequency in Frequency
            if is_due(frequency, round_.period_start, round_.period_end)
        }
        for pk, lead, frequency in indicators:
            if frequency in asked and not told.get(pk, set()) - {round_.pk}:
                tally = found[round_.pk, lead]
                tally.due += 1
                tally.handed_in += (round_.pk, pk) in handed_in
    return found


@dataclass
class MyWork:
    """The front page of ``user``; its parts load what they show."""

    user: User
    today: date = field(default_factory=timezone.localdate)

    # Whoever enters

    @cached_property
    def departments(self) -> list[Department]:
        return list(access.reporting_departments(self.user, Department.objects.all()))

    @cached_property
    def _unlocked(self) -> set[tuple[int, int]]:
        """(round, department) of the exceptions that concern this user."""
        unlocks = RoundUnlock.objects.filter(department__in=self.departments)
        return set(unlocks.order_by().values_list("round", "department"))

    def _takes_entry(self, round_: Round, department: Department) -> bool:
        opened = round_.opens_on <= self.today
        return opened and (not round_.locked or (round_.pk, department.pk) in self._unlocked)

    @cached_property
    def _missing(self) -> list[Tally]:
        """The sheets that take entry now and lack figures, the earliest due first."""
        if not self.departments:
            return []
        rounds = list(Round.objects.filter(opens_on__lte=self.today).order_by("due_on", "code"))
        return [
            tally
            for tally in tallies(rounds, self.departments).values()
            if tally.missing and self._takes_entry(tally.round, tally.department)
        ]

    @property
    def due_now(self) -> list[Tally]:
        return [tally for tally in self._missing if tally.round.due_on >= self.today]

    @property
    def overdue(self) -> list[Tally]:
        return [tally for tally in self._missing if tally.round.due_on < self.today]

    @cached_property
    def _kinds_entered(self) -> list[type[Submission]]:
        return [kind for kind in KINDS if self.user.has_perm(_permission(kind, "add"))]

    @property
    def enters(self) -> bool:
        return bool(self._kinds_entered)

    @cached_property
    def _counts(self) -> dict[type[Submission], dict[str, int]]:
        """How many rows of every kind that the user enters are in each state."""
        found = {}
        for kind in self._kinds_entered:
            states = {state: Count("pk", filter=Q(state=state)) for state in State.values}
            rows = access.visible(self.user, kind.objects.all()).order_by()
            found[kind] = rows.aggregate(**states)
        return found

    def _heaps(self, state: State) -> list[Heap]:
        return [
            Heap(kind, counts[state], list_url(kind, state__exact=state.value))
            for kind, counts in self._counts.items()
            if counts[state]
        ]

    @property
    def drafts(self) -> list[Heap]:
        return self._heaps(State.DRAFT)

    @property
    def in_review(self) -> list[Heap]:
        return self._heaps(State.SUBMITTED)

    @property
    def returned(self) -> list[Heap]:
        return self._heaps(State.RETURNED)

    @cached_property
    def returned_lines(self) -> list[Line]:
        """What came back last, with its reasons."""
        rows = {
            kind: access.editable(self.user, _with_subject(kind)).filter(state=State.RETURNED)
            for kind in self._kinds_entered
        }
        return self._newest(rows, "submitted_at")

    def _newest(self, rows: dict[type[Submission], QuerySet], moment: str) -> list[Line]:
        """Lines of the newest rows of all kinds together; one query for each kind."""
        found = [
            row
            for of_kind in rows.values()
            for row in of_kind.order_by(F(moment).desc(nulls_last=True), "-pk")[:SHOWN]
        ]
        found.sort(key=lambda row: getattr(row, moment) or row.entered_at, reverse=True)
        return [self._line(row) for row in found[:SHOWN]]

    def _line(self, row: Submission) -> Line:
        if isinstance(row, ProgressNote):
            return Line(row, str(row.measure), row.text, self._url(row, row.measure, "note"))
        about = str(row.indicator)
        if isinstance(row, Target):
            return Line(row, about, target_text(row), self._url(row, row.indicator, ""))
        says = observed_text(row, row.indicator.unit)
        return Line(row, about, says, self._url(row, row.indicator, "figure"))

    def _url(self, row: Submission, subject: Model, prefix: str) -> str:
        """The row's line on its entry sheet while that takes it, else its own page."""
        round_ = getattr(row, "round", None)
        on_sheet = round_ and row.department in self.departments and not row.supersedes_id
        if on_sheet and row.is_editable and self._takes_entry(round_, row.department):
            return f"{sheet_url(round_, row.department)}#{prefix}-{subject.code}"
        name = f"admin:{row._meta.app_label}_{row._meta.model_name}_change"
        return reverse(name, args=[row.pk])

    # What became public, for everybody who may see it

    @cached_property
    def _kinds_seen(self) -> list[type[Submission]]:
        return [kind for kind in KINDS if self.user.has_perm(_permission(kind, "view"))]

    @property
    def reads(self) -> bool:
        return bool(self._kinds_seen)

    @property
    def _recently(self) -> datetime:
        return end_of_day(self.today - timedelta(days=RECENT_DAYS))

    @cached_property
    def recent(self) -> list[Heap]:
        """How many rows of every kind became public in the last days."""
        query = {
            "state__exact": State.PUBLISHED.value,
            "published_at__gte": timezone.localtime(self._recently),
        }
        found = [
            Heap(kind, rows.order_by().count(), list_url(kind, **query))
            for kind, rows in self._recent_rows.items()
        ]
        return [heap for heap in found if heap.n]

    @cached_property
    def recent_lines(self) -> list[Line]:
        """What became public last."""
        return self._newest(self._recent_rows, "published_at")

    @property
    def _recent_rows(self) -> dict[type[Submission], QuerySet]:
        public = {"state": State.PUBLISHED, "published_at__gte": self._recently}
        return {
            kind: access.visible(self.user, _with_subject(kind)).filter(**public)
            for kind in self._kinds_seen
        }

    @property
    def published_lists(self) -> list[tuple[str, str]]:
        """(name, list) of all that is public, for every kind."""
        return _lists(self._kinds_seen, State.PUBLISHED)

    # Whoever reviews

    @cached_property
    def _kinds_reviewed(self) -> list[type[Submission]]:
        return [kind for kind in KINDS if self.user.has_perm(_permission(kind, "publish"))]

    @property
    def reviews(self) -> bool:
        return bool(self._kinds_reviewed)

    @cached_property
    def waiting(self) -> list[Waiting]:
        """What this reviewer can publish, by department, the longest wait first."""
        found: dict[int | None, Waiting] = {}
        for kind in self._kinds_reviewed:
            groups = (
                access.publishable(self.user, kind.objects.all())
                .order_by()
                .values_list(f"{kind.measure_path}__lead")
                .annotate(n=Count("pk"), oldest=Min("submitted_at"))
            )
            for lead, n, oldest in groups:
                waiting = found.setdefault(lead, Waiting(None, {}, None, self.today))
                waiting.counts[kind] = n
                waiting.oldest = min(filter(None, [waiting.oldest, oldest]), default=None)
        departments = Department.objects.in_bulk([lead for lead in found if lead])
        for lead, waiting in found.items():
            waiting.department = departments.get(lead)
        return sorted(found.values(), key=lambda waiting: -(waiting.days or 0))

    @cached_property
    def sent_back(self) -> list[Line]:
        """What this reviewer returned last and nobody has submitted again, with the reasons."""
        rows = {}
        for kind in self._kinds_reviewed:
            events = TrailEvent.objects.filter(
                action=Action.RETURNED,
                subject_type=kind._meta.label_lower,
                subject_code=OuterRef("code"),
            ).order_by("-at", "-pk")
            # Somebody else may have returned it since.
            rows[kind] = (
                access.visible(self.user, _with_subject(kind))
                .filter(state=State.RETURNED)
                .annotate(
                    returned_by=Subquery(events.values("actor")[:1]),
                    returned_at=Subquery(events.values("at")[:1]),
                )
                .filter(returned_by=self.user.pk)
            )
        return self._newest(rows, "returned_at")

    @property
    def returned_lists(self) -> list[tuple[str, str]]:
        """(name, list) of all that is returned, whoever did it, for every kind."""
        return _lists(self._kinds_reviewed, State.RETURNED)

    # Whoever looks after the rounds of all departments

    @property
    def watches_rounds(self) -> bool:
        return self.user.has_perm("measures.view_round") and access.sees_every_department(self.user)

    @cached_property
    def latest_rounds(self) -> list[Round]:
        return list(Round.objects.filter(opens_on__lte=self.today)[:ROUNDS_SHOWN])

    @cached_property
    def rounds_by_department(self) -> list[tuple[Department, list[Tally]]]:
        """A line for every department that leads an indicator, a tally for every round."""
        if not self.latest_rounds:
            return []
        departments = list(Department.objects.filter(led__indicators__isnull=False).distinct())
        found = tallies(self.latest_rounds, departments)
        return [
            (department, [found[round_.pk, department.pk] for round_ in self.latest_rounds])
            for department in departments
        ]

    # Whoever audits

    @property
    def audits(self) -> bool:
        return self.user.has_perm("measures.view_trailevent")

    @cached_property
    def trail(self) -> list[tuple[str, int, str]]:
        """(what, how many, which list) of the last days' events."""
        since = end_of_day(self.today - timedelta(days=TRAIL_DAYS))
        failed, locked = Action.SIGN_IN_FAILED, Action.LOCKED_OUT
        counts = TrailEvent.objects.filter(at__gte=since).aggregate(
            all=Count("pk"),
            failed=Count("pk", filter=Q(action=failed)),
            locked=Count("pk", filter=Q(action=locked)),
        )
        query = {"at__gte": timezone.localtime(since)}
        return [
            (pgettext("trail", "events"), counts["all"], list_url(TrailEvent, **query)),
            *(
                (action.label, counts[key], list_url(TrailEvent, action__exact=action, **query))
                for key, action in (("failed", failed), ("locked", locked))
            ),
        ]

    # Whoever looks after accounts

    @property
    def keeps_accounts(self) -> bool:
        return self.user.has_perm("measures.change_user")

    @cached_property
    def accounts(self) -> list[tuple[str, list[User], str]]:
        """(what is the matter, with whom, which list) of accounts that need attention."""
        failing = AccessAttempt.objects.filter(
            failures_since_start__gte=settings.AXES_FAILURE_LIMIT,
            attempt_time__gt=timezone.now() - settings.AXES_COOLOFF_TIME,
        )
        names = set(failing.values_list("username", flat=True))
        users = User.objects.filter(is_active=True).order_by("username")
        users = users.filter(Q(username__in=names) | Q(must_change_password=True))
        locked = [user for user in users if user.username in names]
        fresh = [user for user in users if user.must_change_password]
        return [
            (
                _("locked after failed sign-ins"),
                locked,
                list_url(User, username__in=",".join(user.username for user in locked)),
            ),
            (
                _("must still change the first password"),
                fresh,
                list_url(User, must_change_password__exact=1, is_active__exact=1),
            ),
        ]
