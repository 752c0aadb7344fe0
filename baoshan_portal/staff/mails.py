"""The mails to staff: what has happened since the last one, and once a week all that waits.

A matter is told to a person once: that a round has opened, that its due day comes near, that a
row was returned. What was told is a row each (``Mailed``), and everything that holds now and has
none is news: so a mail server that was away, a day without a run and a row that is returned
while mails go out lose nothing.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.template.loader import render_to_string
from django.utils import timezone

from measures import access
from measures.models import Mailed, User
from measures.submission import State
from measures.trail import Action, record
from measures.watermark import watermark

from .my_work.page import Signing, returned_rows, waiting_for
from .my_work.reviewers import MissingReviewers
from .my_work.rows import SHOWN, ListedRow, kinds_to, newest, with_subject
from .my_work.sheets import SheetProgress, Sheets

#: The matter whose moment is that of the last weekly mail.
DIGEST = "digest"
#: A matter that holds for longer is told again.
KEPT = timedelta(days=400)


@dataclass
class News:
    """What somebody was not told yet; ``matters`` are the names of all of it.

    ``more`` is how many rows were returned beside those that are listed.
    """

    opened: list[SheetProgress]
    soon: list[SheetProgress]
    returned: list[ListedRow]
    more: int
    matters: set[str]

    @classmethod
    def of(cls, user: User, sheets: Sheets) -> "News":
        known = set(Mailed.objects.filter(person=user).values_list("matter", flat=True))
        own = set(user.departments.values_list("pk", flat=True))
        due = [sheet for sheet in sheets.due_now if sheet.department.pk in own]
        opened = [sheet for sheet in due if _opened(sheet) not in known]
        soon = [
            sheet
            for sheet in due
            if _is_near(sheet, sheets.today) and _comes_due(sheet) not in known
        ]
        matters = {_opened(sheet) for sheet in opened} | {_comes_due(sheet) for sheet in soon}
        rows = {}
        for kind in kinds_to(user, "add"):
            found = access.editable(user, kind.objects.all()).filter(
                _concerns(user, kind), state=State.RETURNED
            )
            keys = {
                f"returned {kind._meta.model_name} {code} {version}": pk
                for code, version, pk in found.order_by().values_list("code", "version", "pk")
            }
            new = keys.keys() - known
            matters |= new
            if new:
                rows[kind] = with_subject(kind).filter(pk__in=[keys[key] for key in new])
        listed = newest(rows, "submitted_at", sheets)
        more = sum(of_kind.count() for of_kind in rows.values()) - len(listed)
        # A sheet that opened shortly before it is due says so in one line.
        soon = [sheet for sheet in soon if sheet not in opened]
        return cls(opened, soon, listed, more, matters)


def _opened(sheet: SheetProgress) -> str:
    return f"opened {sheet.round.code} {sheet.department.code}"


def _comes_due(sheet: SheetProgress) -> str:
    # Another due day is another matter.
    return f"due {sheet.round.due_on} {sheet.round.code} {sheet.department.code}"


def _is_near(sheet: SheetProgress, today: date) -> bool:
    return (sheet.round.due_on - today).days <= settings.REMIND_DAYS_BEFORE_DUE


def _concerns(user: User, kind) -> Q:
    """The rows that ``user`` had a hand in, and those of the own departments."""
    own = Q(entered_by=user) | Q(changed_by=user)
    if kind.measure_path is None:
        return own
    lead = "__".join(filter(None, [kind.measure_path, "lead__in"]))
    return own | Q(**{lead: user.departments.all()})


@dataclass
class Mail:
    """What is to be sent to ``user`` today; with ``is_digest`` all that waits besides the news."""

    user: User
    text: str
    matters: set[str]
    is_digest: bool

    @classmethod
    def of(cls, user: User, today: date) -> "Mail | None":
        """None: there is nothing to say, or this person had a mail today."""
        last = Mailed.objects.filter(person=user).order_by("-at").first()
        if last and timezone.localdate(last.at) >= today:
            return None
        sheets = Sheets(user, today)
        news = News.of(user, sheets)
        parts = {
            "opened": news.opened,
            "soon": news.soon,
            "returned": news.returned,
            "more": news.more,
        }
        is_digest = _digest_is_due(user)
        digest = _digest(user, sheets, news) if is_digest else {}
        if not news.matters and not any(digest.values()):
            return None
        text = _text(user, parts | digest)
        # Where the news say all that waits, the week's mail is done with them.
        return cls(user, text, news.matters, is_digest)

    @transaction.atomic
    def was_sent(self) -> None:
        """Write down that it was; the mail server has taken it already."""
        now = timezone.now()
        matters = self.matters | ({DIGEST} if self.is_digest else set())
        of_theirs = Mailed.objects.filter(person=self.user)
        of_theirs.filter(Q(at__lt=now - KEPT) | Q(matter=DIGEST, matter__in=matters)).delete()
        Mailed.objects.bulk_create(
            Mailed(person=self.user, matter=matter, at=now) for matter in sorted(matters)
        )
        record(Action.REMINDED, actor_name="remind", subject=self.user, after=self.text)


def _digest_is_due(user: User) -> bool:
    since = timezone.now() - timedelta(days=settings.REMIND_EVERY_DAYS)
    return not Mailed.objects.filter(person=user, matter=DIGEST, at__gt=since).exists()


def _digest(user: User, sheets: Sheets, news: News) -> dict[str, list]:
    """All that waits for ``user``, without what the news say already."""
    told = [*news.opened, *news.soon]
    rows = {(type(listed.row), listed.row.pk) for listed in news.returned}
    older = [
        listed
        for listed in returned_rows(user, sheets)
        if (type(listed.row), listed.row.pk) not in rows
    ]
    return {
        "overdue": sheets.overdue,
        "due_now": [sheet for sheet in sheets.due_now if sheet not in told],
        "returned": [*news.returned, *older][: max(SHOWN, len(news.returned))],
        "waiting": waiting_for(user, sheets.today),
        "signing": signing.waiting if (signing := Signing.of(user)) else [],
        "missing": MissingReviewers.of(user),
    }


def _text(user: User, parts: dict) -> str:
    name = user.get_full_name() or user.get_username()
    context = {**parts, "name": name, "portal": settings.PORTAL_URL, "watermark": watermark()}
    return render_to_string("email/digest.txt", context)
