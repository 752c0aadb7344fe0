"""The abstract base of everything that staff submit: notes, observations, targets.

Published rows are never edited or deleted. A correction is a new row that supersedes the old one
and says why; what the public saw on any day can therefore be had again. The steps from state to
state are in ``workflow``.
"""

import secrets
from datetime import date, datetime, time, timedelta

from django.apps import apps
from django.conf import settings
from django.db import models
from django.db.models import Case, F, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .fields import SlugField, TextField
from .prepared import now
from .withdrawn import withdrawal_columns


class State(models.TextChoices):
    DRAFT = "draft", _("draft")
    SUBMITTED = "submitted", _("waiting for review")
    PUBLISHED = "published", _("published")
    RETURNED = "returned", _("returned")


STATE_ICONS = {
    State.DRAFT: "✎",
    State.SUBMITTED: "◷",
    State.PUBLISHED: "✓",
    State.RETURNED: "↩",
}
EDITABLE = frozenset({State.DRAFT, State.RETURNED})


def start_of_day(day: date) -> datetime:
    """The first moment of ``day`` in the portal's time zone (Asia/Shanghai)."""
    return timezone.make_aware(datetime.combine(day, time.min))


def end_of_day(day: date) -> datetime:
    """The first moment after ``day``."""
    return start_of_day(day + timedelta(days=1))


def moment_of(as_of: date | None) -> datetime:
    """The moment before which a row must have been published to be public at the end of ``as_of``.

    Now if ``as_of`` is None.
    """
    return end_of_day(as_of) if as_of else now()


def stood(row: "Submission", moment: datetime) -> bool:
    """Whether ``row`` (see ``versions``) was public before ``moment`` and not replaced by then."""
    return row.published_at < moment and not (row.replaced_at and row.replaced_at < moment)


def _of_ended(moment: datetime, column) -> Case:
    """``column`` of a row that ended before ``moment``, null of any other."""
    return Case(When(ended_at__lt=moment, then=column))


def new_code() -> str:
    """A random permanent code for a row that a person types in rather than imports."""
    return secrets.token_hex(8)


class SubmissionQuerySet(models.QuerySet):
    def get_by_natural_key(self, code):
        return self.get(code=code)

    def published(self, as_of: date | None = None):
        """What was public at the end of ``as_of``, or is public now if ``as_of`` is None.

        A row stands until a published correction supersedes it or it is withdrawn. Every public
        page, file and feed reads through this method.
        """
        moment = moment_of(as_of)
        standing = Q(ended_at__isnull=True) | Q(ended_at__gte=moment)
        return self.published_before(moment).filter(standing)

    def versions(self, moment: datetime | None = None):
        """What had ever been public before ``moment`` (now if None), whatever became of it since.

        Each row knows ``replaced_at`` and ``replaced_because``, the moment and the reason of the
        correction that took its place or of its withdrawal, in which case ``withdrawn_at`` says
        the moment too; all are None for what stands, which is ``published``. What happened after
        ``moment`` was not known then.
        """
        moment = moment or now()
        # At most one row supersedes another. The models' own order would join three tables a row.
        correction = self._corrections(moment).order_by()
        withdrawn = withdrawal_columns(self.model, moment)
        because = Coalesce(
            withdrawn["withdrawn_because"],
            Subquery(correction.values("correction_reason")[:1]),
            output_field=models.TextField(),
        )
        # Most rows stand, and of them nothing is searched.
        return self.published_before(moment).annotate(
            withdrawn_at=_of_ended(moment, withdrawn["withdrawn_at"]),
            replaced_at=_of_ended(moment, F("ended_at")),
            replaced_because=_of_ended(moment, because),
        )

    def published_before(self, moment: datetime):
        """What was published before ``moment``, whatever became of it since.

        What is not published has no moment, says a constraint.
        """
        return self.filter(published_at__lt=moment)

    def published_between(self, since: datetime | None, until: datetime):
        """What was published from ``since`` (None: ever) to before ``until``, and by now."""
        rows = self.published_before(min(until, timezone.now()))
        return rows.filter(published_at__gte=since) if since else rows

    def _corrections(self, moment: datetime) -> QuerySet:
        """What took the place of the row of an outer query before ``moment``."""
        rows = SubmissionQuerySet(self.model, using=self._db)
        return rows.published_before(moment).filter(supersedes=OuterRef("pk"))


class Submission(models.Model):
    """The abstract base of notes, observations and targets."""

    code = SlugField(_("code"), max_length=120, unique=True, default=new_code, editable=False)
    state = models.CharField(
        _("state"), max_length=10, choices=State, default=State.DRAFT, editable=False
    )
    revision = models.PositiveSmallIntegerField(_("revision"), default=1, editable=False)
    supersedes = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="corrections",
        verbose_name=_("supersedes"),
    )
    correction_reason = TextField(
        _("reason for the correction"),
        blank=True,
        help_text=_("Shown to the public beside the old and the new value."),
    )
    return_reason = TextField(_("reason for the return"), blank=True, editable=False)
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("entered by"),
    )
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("last changed by"),
    )
    version = models.PositiveIntegerField(_("version"), default=1, editable=False)
    entered_at = models.DateTimeField(_("entered at"), default=timezone.now, editable=False)
    submitted_at = models.DateTimeField(_("submitted at"), null=True, editable=False)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("published by"),
    )
    published_at = models.DateTimeField(
        _("published at"), null=True, blank=True, editable=False, db_index=True
    )

    # Written by the database, see ``ended``.
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True, editable=False)

    #: Content for the reviewer alone: a correction of nothing else changes nothing.
    for_review: frozenset[str] = frozenset()

    # How to get from the row to its measure, for whoever asks which department it belongs to;
    # None: it belongs to no single one.
    measure_path = "measure"
    # Whether nothing but the row itself decides that it becomes public, and nothing follows from
    # it: such rows are published together.
    stands_alone = False

    objects = SubmissionQuerySet.as_manager()

    class Meta:
        abstract = True
        default_permissions = ("add", "change", "delete", "view", "publish")
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=State.values),
                name="%(class)s_state_known",
                violation_error_message=_("The state is none of the known ones."),
            ),
            models.CheckConstraint(
                condition=Q(state=State.PUBLISHED, published_at__isnull=False)
                | (~Q(state=State.PUBLISHED) & Q(published_at__isnull=True)),
                name="%(class)s_published_has_moment",
                violation_error_message=_(
                    "A published row has the moment of its publication, and no other row has."
                ),
            ),
            models.CheckConstraint(
                condition=~Q(state=State.RETURNED) | ~Q(return_reason=""),
                name="%(class)s_return_has_reason",
                violation_error_message=_("Whoever returns a row must say why."),
            ),
            models.CheckConstraint(
                condition=Q(supersedes__isnull=True, revision=1)
                | (Q(supersedes__isnull=False, revision__gt=1) & ~Q(correction_reason="")),
                name="%(class)s_correction_has_reason",
                violation_error_message=_(
                    "A correction names the row that it supersedes and the reason."
                ),
            ),
            models.CheckConstraint(
                condition=Q(published_by__isnull=True)
                | (
                    (Q(entered_by__isnull=True) | ~Q(published_by=F("entered_by")))
                    & (Q(changed_by__isnull=True) | ~Q(published_by=F("changed_by")))
                ),
                name="%(class)s_four_eyes",
                violation_error_message=_("Nobody publishes what they entered themselves."),
            ),
            models.UniqueConstraint(
                fields=["supersedes"],
                name="%(class)s_one_correction",
                violation_error_message=_("A correction of this row is already under way."),
            ),
        ]

    def natural_key(self):
        return (self.code,)

    def validate_constraints(self, exclude=None):
        # A form leaves out the bookkeeping, but the constraints speak of it.
        typed = {field.name for field in self._meta.fields if field.editable}
        super().validate_constraints(exclude=typed & set(exclude or ()))

    @classmethod
    def content_fields(cls) -> list[str]:
        """The fields that say something, without the workflow's own bookkeeping."""
        bookkeeping = {field.name for field in Submission._meta.get_fields()} | {"id"}
        return [f.name for f in cls._meta.concrete_fields if f.name not in bookkeeping]

    def why_not_public(self, day: date) -> str:
        """Why the row says what cannot be published on ``day``; empty if it can."""
        return ""

    @property
    def department(self):
        """The office that leads the measure; None if not known."""
        if self.measure_path is None:
            return None
        row = self
        for step in self.measure_path.split("__"):
            row = getattr(row, step)
        return row.lead

    @property
    def is_editable(self) -> bool:
        """Whether the row may still be changed in place: a draft or a returned row."""
        return self.state in EDITABLE

    def check_complete(self) -> None:
        """Raises ValidationError for what nobody should be asked to review."""

    @classmethod
    def check_together(cls, rows: list["Submission"]) -> None:
        """As ``check_complete``, of all ``rows`` that are handed in at once."""

    @classmethod
    def left_alone(cls, rows: list["Submission"]) -> dict[int, str]:
        """Why some of ``rows``, which wait for review, cannot be published without what came with
        them and is gone; a sentence each, by their keys."""
        return {}

    @classmethod
    def in_groups(cls, rows: list["Submission"]) -> list[list["Submission"]]:
        """``rows`` in groups that can be handed in only together."""
        return [[row] for row in rows]

    def take_the_place_of(self, before: "Submission") -> None:
        """Forgets what was said of ``before`` alone: the row as it was, or the corrected one."""

    def take_effect(self, *, by) -> None:
        """What follows from the publication by ``by``, within its transaction.

        Raises ValidationError if it cannot be.
        """


def submissions() -> list[type[Submission]]:
    """The models of all that is submitted."""
    return [model for model in apps.get_models() if issubclass(model, Submission)]
