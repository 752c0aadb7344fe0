"""The committee's word 人大的话: the stages of an opinion, and how what came of it was evaluated.

Entered and reviewed by the congress's own office. Nobody of the government sees a draft of it or
may alter it, and it is never mixed with what is computed or with what a department claims.
"""

from datetime import date

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext, pgettext_lazy

from .. import access
from ..fields import CharField, TextField, URLField
from ..submission import Submission, SubmissionQuerySet
from ..text import InBothLanguages
from .documents import Opinion, Report
from .tree import Section, Theme


class Stage(models.TextChoices):
    """The way of a deliberation opinion, in its order."""

    HANDED_OVER = "handed-over", pgettext_lazy("stage", "handed over")
    ACTED_ON = "acted-on", pgettext_lazy("stage", "acted upon")
    ANSWERED = "answered", pgettext_lazy("stage", "answered")
    DELIBERATED = "deliberated", pgettext_lazy("stage", "deliberated")
    EVALUATED = "evaluated", pgettext_lazy("stage", "evaluated")
    CLOSED = "closed", pgettext_lazy("stage", "closed")


class Grade(models.TextChoices):
    """What the evaluation as a whole came to, as the committee announced it."""

    SATISFIED = "satisfied", _("satisfied")
    FAIRLY_SATISFIED = "fairly-satisfied", _("fairly satisfied")
    NOT_SATISFIED = "not-satisfied", _("not satisfied")


class Decision(models.TextChoices):
    """What the committee decided after an evaluation."""

    NONE = "none", _("no decision yet")
    CLOSED = "closed", pgettext_lazy("decision", "closed")
    FOLLOWED_UP = "followed-up", _("to be followed up")


class CommitteesWord(InBothLanguages, Submission):
    """The abstract base of what the congress's office enters."""

    document = CharField(
        _("document"),
        max_length=200,
        blank=True,
        open_data=True,
        help_text=_("Number or name of the document that says so."),
    )
    document_url = URLField(_("link to the document"), blank=True)
    note = TextField(_("note (Chinese)"), blank=True)
    note_en = TextField(_("note (English)"), blank=True)

    # It belongs to no measure and so to no department.
    measure_path = None
    role_rights = access.COMMITTEES_WORD
    #: The field with the day on which it happened
    day_field = ""

    class Meta(Submission.Meta):
        abstract = True

    @property
    def day(self) -> date:
        return getattr(self, self.day_field)

    def clean(self):
        super().clean()
        if self.day and self.day > timezone.localdate():
            raise ValidationError(
                {self.day_field: _("This day has not come yet; enter what has happened.")}
            )


class OpinionStage(CommitteesWord):
    """One stage that an opinion has reached, and on which day.

    When it falls due follows from the day of handing over and the terms among the thresholds;
    whether it was in time is computed and never stored.
    """

    opinion = models.ForeignKey(
        Opinion, models.PROTECT, related_name="stages", verbose_name=_("opinion")
    )
    stage = models.CharField(_("stage"), max_length=20, choices=Stage)
    happened_on = models.DateField(_("date"))

    day_field = "happened_on"

    class Meta(CommitteesWord.Meta):
        ordering = ["happened_on", "pk"]
        verbose_name = _("stage of an opinion")
        verbose_name_plural = _("stages of opinions")
        constraints = [
            *Submission.Meta.constraints,
            models.CheckConstraint(
                condition=Q(stage__in=Stage.values),
                name="opinionstage_stage_known",
                violation_error_message=_("The stage is none of the known ones."),
            ),
            models.UniqueConstraint(
                fields=["opinion", "stage", "revision"],
                name="opinionstage_told_once",
                violation_error_message=_(
                    "This stage of the opinion is entered already; correct that row."
                ),
            ),
        ]

    def __str__(self):
        return f"{self.opinion.number} {self.get_stage_display()} {self.happened_on:%Y-%m-%d}"

    @property
    def text(self) -> str:
        """Stage, day and document in one line, in the reader's language."""
        parts = (self.get_stage_display(), self.happened_on.isoformat(), self.document)
        return " · ".join(str(part) for part in parts if part)

    def get_absolute_url(self):
        return f"{self.opinion.get_absolute_url()}#committee"


class EvaluationQuerySet(SubmissionQuerySet):
    def with_subject(self):
        """With what was evaluated loaded, the newest first."""
        return self.select_related(
            "report__opinion", "section__opinion", "theme__section__opinion"
        ).order_by("-held_on", "-pk")

    def of_opinion(self, opinion: Opinion):
        """Those of its reports, its sections or their themes."""
        return self.filter(
            Q(report__opinion=opinion)
            | Q(section__opinion=opinion)
            | Q(theme__section__opinion=opinion)
        )

    def of_section(self, section: Section):
        """Those of ``section`` or of one of its themes."""
        return self.filter(Q(section=section) | Q(theme__section=section))


class Evaluation(CommitteesWord):
    """How a body of the congress evaluated a report, a section or a theme.

    Votes are totals and never names; None is a number that was not published, and no zero.
    """

    body = CharField(_("evaluated by (Chinese)"), max_length=120, open_data=True)
    body_en = CharField(_("evaluated by (English)"), max_length=200, blank=True, open_data=True)
    held_on = models.DateField(_("date"))
    report = models.ForeignKey(
        Report,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="evaluations",
        verbose_name=_("report"),
        help_text=_("Of a report, or of a section, or of a theme: fill in one of the three."),
    )
    section = models.ForeignKey(
        Section,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="evaluations",
        verbose_name=_("section"),
    )
    theme = models.ForeignKey(
        Theme,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="evaluations",
        verbose_name=_("theme"),
    )
    grade = models.CharField(
        _("result announced"),
        max_length=20,
        choices=Grade,
        blank=True,
        help_text=_("As the committee announced it; empty: not published."),
    )
    satisfied = models.IntegerField(
        _("votes: satisfied"), null=True, blank=True, help_text=_("Empty: not published.")
    )
    fairly_satisfied = models.IntegerField(_("votes: fairly satisfied"), null=True, blank=True)
    not_satisfied = models.IntegerField(_("votes: not satisfied"), null=True, blank=True)
    abstained = models.IntegerField(_("abstentions"), null=True, blank=True)
    decision = models.CharField(
        _("decision"), max_length=20, choices=Decision, default=Decision.NONE
    )

    day_field = "held_on"
    VOTES = ("satisfied", "fairly_satisfied", "not_satisfied", "abstained")

    objects = EvaluationQuerySet.as_manager()

    class Meta(CommitteesWord.Meta):
        ordering = ["-held_on", "-pk"]
        verbose_name = _("evaluation")
        verbose_name_plural = _("evaluations")
        constraints = [
            *Submission.Meta.constraints,
            models.CheckConstraint(
                condition=Q(report__isnull=False, section__isnull=True, theme__isnull=True)
                | Q(report__isnull=True, section__isnull=False, theme__isnull=True)
                | Q(report__isnull=True, section__isnull=True, theme__isnull=False),
                name="evaluation_of_one_thing",
                violation_error_message=_(
                    "An evaluation is of a report, or of a section, or of a theme: of exactly one."
                ),
            ),
            *(
                models.CheckConstraint(
                    condition=Q(**{f"{name}__isnull": True}) | Q(**{f"{name}__gte": 0}),
                    name=f"evaluation_{name}_counts",
                    violation_error_message=_("A number of votes is never below zero."),
                )
                for name in ("satisfied", "fairly_satisfied", "not_satisfied", "abstained")
            ),
            models.CheckConstraint(
                condition=Q(grade__in=["", *Grade.values]) & Q(decision__in=Decision.values),
                name="evaluation_result_known",
                violation_error_message=_("The result or the decision is none of the known ones."),
            ),
        ]

    def __str__(self):
        return f"{self.held_on:%Y-%m-%d} {self.subject_text}"

    def get_absolute_url(self):
        place = self.opinion if self.report_id else self.place
        return f"{place.get_absolute_url().partition('#')[0]}#evaluation-{self.code}"

    @property
    def place(self) -> Section | Theme | None:
        """The section or theme that was evaluated; None if it was a whole report."""
        return self.section or self.theme

    @property
    def opinion(self) -> Opinion:
        """The opinion of which this is; needs what was evaluated loaded."""
        if self.report:
            return self.report.opinion
        return self.section.opinion if self.section else self.theme.section.opinion

    @property
    def subject_text(self) -> str:
        """What was evaluated, with its number."""
        if self.report:
            return self.report.number
        number = self.place.number if self.theme else self.place.order
        return f"{self.opinion.prefix}{number} {self.place}"

    @property
    def votes(self) -> list[tuple[str, int | None]]:
        """(what, how many) of each kind of vote; None: not published."""
        labels = (*Grade.labels, _("abstained"))
        return list(zip(labels, (getattr(self, name) for name in self.VOTES), strict=True))

    @property
    def has_votes(self) -> bool:
        """Whether any number of votes was published."""
        return any(getattr(self, name) is not None for name in self.VOTES)

    @property
    def result_text(self) -> str:
        """Body, result, votes and decision in one line, in the reader's language."""
        votes = [
            _("%(votes)s %(n)d") % {"votes": name, "n": n}
            for name, n in self.votes
            if n is not None
        ]
        parts = [
            self.in_language("body"),
            self.get_grade_display(),
            pgettext("between votes", ", ").join(map(str, votes)),
            self.get_decision_display(),
        ]
        return " · ".join(str(part) for part in parts if part)

    @property
    def says_not_satisfied(self) -> bool:
        """Whether the committee was not satisfied.

        So it announced; or it announced nothing, and more than half of all votes say so, which is
        known only if all four numbers are.
        """
        if self.grade:
            return self.grade == Grade.NOT_SATISFIED
        numbers = [getattr(self, name) for name in self.VOTES]
        return None not in numbers and 2 * self.not_satisfied > sum(numbers)
