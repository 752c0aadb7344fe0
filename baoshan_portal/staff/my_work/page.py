"""My work: what everybody sees first in the admin, and what is theirs to do next.

Each role has its part; whoever has several roles sees several. Every number leads to the list of
exactly what it counts. As many queries for any number of rows, rounds and departments.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import BigIntegerField, Count, F, Min, OuterRef, Q, Subquery, Value
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from measures import access, sign_off
from measures.failed_sign_ins import locked_accounts
from measures.models import Department, Round, TrailEvent, User
from measures.submission import State, Submission, end_of_day
from measures.trail import Action
from metrics.completeness import departments_asked

from ..accounts import without_work
from ..addresses import list_url
from ..completeness import may_see
from .reviewers import MissingReviewers
from .rows import ListedRow, RowCount, kinds_to, lists, newest, with_subject
from .sheets import SheetProgress, Sheets, progress_of_sheets

ROUNDS_SHOWN = 6
RECENT_DAYS = 30
TRAIL_DAYS = 7


@dataclass
class Entry:
    """For whoever enters: their sheets, and their rows that are not public yet."""

    sheets: Sheets
    drafts: list[RowCount]
    in_review: list[RowCount]
    returned: list[RowCount]
    #: What came back last, with its reasons
    returned_rows: list[ListedRow]

    @classmethod
    def of(cls, user: User, sheets: Sheets) -> "Entry | None":
        kinds = kinds_to(user, "add")
        if not kinds:
            return None
        states = {state: Count("pk", filter=Q(state=state)) for state in State.values}
        counts = {
            kind: access.visible(user, kind.objects.all()).order_by().aggregate(**states)
            for kind in kinds
        }

        def rows_in(state: State) -> list[RowCount]:
            return [
                RowCount(kind, found[state], list_url(kind, state__exact=state.value))
                for kind, found in counts.items()
                if found[state]
            ]

        returned = rows_in(State.RETURNED)
        return cls(
            sheets=sheets,
            drafts=rows_in(State.DRAFT),
            in_review=rows_in(State.SUBMITTED),
            returned=returned,
            returned_rows=returned_rows(user, sheets) if returned else [],
        )


def returned_rows(user: User, sheets: Sheets) -> list[ListedRow]:
    """What came back to ``user`` last."""
    rows = {
        kind: access.editable(user, with_subject(kind)).filter(state=State.RETURNED)
        for kind in kinds_to(user, "add")
    }
    return newest(rows, "submitted_at", sheets)


@dataclass
class Waiting:
    """What waits for review in one department; None: rows that belong to none.

    ``kinds`` are those that its reader reviews.
    """

    department: Department | None
    counts: dict[type[Submission], int]
    oldest: datetime | None
    today: date
    kinds: list[type[Submission]]

    @property
    def by_kind(self) -> list[tuple[str, int]]:
        return [
            (str(kind._meta.verbose_name_plural), self.counts.get(kind, 0)) for kind in self.kinds
        ]

    @property
    def days(self) -> int | None:
        """Since when the oldest row waits; None if it is not known."""
        return (self.today - timezone.localdate(self.oldest)).days if self.oldest else None

    @property
    def url(self) -> str:
        query = {"department": self.department.code} if self.department else None
        return reverse("admin:review", query=query)


def waiting_for(user: User, today: date) -> list[Waiting]:
    """What ``user`` can publish, by department, the longest wait first."""
    found: dict[int | None, Waiting] = {}
    kinds = kinds_to(user, "publish")
    for kind in kinds:
        path = kind.measure_path
        lead = F(f"{path}__lead") if path else Value(None, BigIntegerField())
        groups = (
            access.publishable(user, kind.objects.all())
            .order_by()
            .values_list(lead)
            .annotate(n=Count("pk"), oldest=Min("submitted_at"))
        )
        for lead, n, oldest in groups:
            if not n:
                # What belongs to no department is counted as one group, of none too.
                continue
            waiting = found.setdefault(lead, Waiting(None, {}, None, today, kinds))
            waiting.counts[kind] = n
            waiting.oldest = min(filter(None, [waiting.oldest, oldest]), default=None)
    departments = Department.objects.in_bulk([lead for lead in found if lead])
    for lead, waiting in found.items():
        waiting.department = departments.get(lead)
    return sorted(found.values(), key=lambda waiting: -(waiting.days or 0))


@dataclass
class Signing:
    """For heads of departments: (kind, how many) of what waits for their sign-off."""

    waiting: list[tuple[str, int]]

    @classmethod
    def of(cls, user: User) -> "Signing | None":
        """None: nobody asks for it, of a superuser either."""
        if not user.has_perm("measures.add_signoff"):
            return None
        counts = [
            (str(kind._meta.verbose_name_plural), access.signable(user, kind.objects.all()).count())
            for kind in sign_off.kinds()
        ]
        waiting = [(name, n) for name, n in counts if n]
        return None if user.is_superuser and not waiting else cls(waiting)


@dataclass
class Review:
    """For whoever reviews."""

    waiting: list[Waiting]
    #: What this reviewer returned last and nobody has submitted again, with the reasons
    sent_back: list[ListedRow]
    #: (name, list) of all that is returned, whoever did it, for every kind
    returned_lists: list[tuple[str, str]]

    @classmethod
    def of(cls, user: User, sheets: Sheets, today: date) -> "Review | None":
        kinds = kinds_to(user, "publish")
        if not kinds:
            return None
        rows = {}
        for kind in kinds:
            events = TrailEvent.objects.filter(
                action=Action.RETURNED,
                subject_type=kind._meta.label_lower,
                subject_code=OuterRef("code"),
            ).order_by("-at", "-pk")
            # Somebody else may have returned it since.
            rows[kind] = (
                access.visible(user, with_subject(kind))
                .filter(state=State.RETURNED)
                .annotate(
                    returned_by=Subquery(events.values("actor")[:1]),
                    returned_at=Subquery(events.values("at")[:1]),
                )
                .filter(returned_by=user.pk)
            )
        return cls(
            waiting=waiting_for(user, today),
            sent_back=newest(rows, "returned_at", sheets),
            returned_lists=lists(kinds, State.RETURNED),
        )


@dataclass
class Recent:
    """What became public in the last days, for everybody who may see it."""

    counts: list[RowCount]
    rows: list[ListedRow]
    #: (name, list) of all that is public, for every kind
    lists: list[tuple[str, str]]

    @classmethod
    def of(cls, user: User, sheets: Sheets, today: date) -> "Recent | None":
        kinds = kinds_to(user, "view")
        if not kinds:
            return None
        since = end_of_day(today - timedelta(days=RECENT_DAYS))
        rows = {
            kind: access.visible(user, with_subject(kind)).filter(
                state=State.PUBLISHED, published_at__gte=since
            )
            for kind in kinds
        }
        query = {
            "state__exact": State.PUBLISHED.value,
            "published_at__gte": timezone.localtime(since),
        }
        counts = [
            RowCount(kind, n, list_url(kind, **query))
            for kind, of_kind in rows.items()
            if (n := of_kind.order_by().count())
        ]
        return cls(
            counts=counts,
            rows=newest(rows, "published_at", sheets) if counts else [],
            lists=lists(kinds, State.PUBLISHED),
        )


@dataclass
class Rounds:
    """For whoever looks after the rounds of all departments."""

    today: date
    latest: list[Round]
    #: A line for every department that leads an indicator, or did, with its progress
    by_department: list[tuple[Department, list[SheetProgress]]]

    @classmethod
    def of(cls, user: User, today: date) -> "Rounds | None":
        if not may_see(user):
            return None
        latest = list(Round.objects.filter(opens_on__lte=today)[:ROUNDS_SHOWN])
        if not latest:
            return cls(today, [], [])
        departments = list(departments_asked(latest))
        found = progress_of_sheets(latest, departments)
        lines = [
            (department, [found[round_.pk, department.pk] for round_ in latest])
            for department in departments
        ]
        return cls(today, latest, lines)


@dataclass
class RecentTrail:
    """For whoever audits: (what, how many, which list) of the last days' events."""

    counts: list[tuple[str, int, str]]

    @classmethod
    def of(cls, user: User, today: date) -> "RecentTrail | None":
        if not user.has_perm("measures.view_trailevent"):
            return None
        since = end_of_day(today - timedelta(days=TRAIL_DAYS))
        failed, locked = Action.SIGN_IN_FAILED, Action.LOCKED_OUT
        counts = TrailEvent.objects.filter(at__gte=since).aggregate(
            all=Count("pk"),
            failed=Count("pk", filter=Q(action=failed)),
            locked=Count("pk", filter=Q(action=locked)),
        )
        query = {"at__gte": timezone.localtime(since)}
        return cls(
            [
                (pgettext("trail", "events"), counts["all"], list_url(TrailEvent, **query)),
                *(
                    (action.label, counts[key], list_url(TrailEvent, action__exact=action, **query))
                    for key, action in (("failed", failed), ("locked", locked))
                ),
            ]
        )


@dataclass
class Accounts:
    """For whoever looks after accounts: (what is the matter, with whom, which list)."""

    groups: list[tuple[str, list[User], str]]

    @classmethod
    def of(cls, user: User) -> "Accounts | None":
        if not user.has_perm("measures.change_user"):
            return None
        names = locked_accounts()
        users = User.objects.filter(is_active=True).order_by("username")
        users = users.filter(
            Q(username__in=names) | Q(must_change_password=True) | Q(pk__in=without_work())
        ).annotate(has_no_work=Q(pk__in=without_work()))
        locked = [user for user in users if user.username in names]
        idle = [user for user in users if user.has_no_work]
        fresh = [user for user in users if user.must_change_password]
        return cls(
            [
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
                (
                    _("without a role, or editors or heads without a department"),
                    idle,
                    list_url(User, username__in=",".join(user.username for user in idle)),
                ),
            ]
        )


@dataclass
class MyWork:
    """The front page of somebody; None: a part that is not theirs."""

    entry: Entry | None
    signing: Signing | None
    review: Review | None
    missing: MissingReviewers | None
    accounts: Accounts | None
    trail: RecentTrail | None
    rounds: Rounds | None
    recent: Recent | None

    @classmethod
    def of(cls, user: User, today: date | None = None) -> "MyWork":
        """All parts of ``user``; ``today`` is the day by which things are due."""
        today = today or timezone.localdate()
        sheets = Sheets(user, today)
        return cls(
            entry=Entry.of(user, sheets),
            signing=Signing.of(user),
            review=Review.of(user, sheets, today),
            missing=MissingReviewers.of(user),
            accounts=Accounts.of(user),
            trail=RecentTrail.of(user, today),
            rounds=Rounds.of(user, today),
            recent=Recent.of(user, sheets, today),
        )
