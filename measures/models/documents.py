"""The documents: what the congress asked for, and what the government answered."""

from datetime import date

from django.apps import apps
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Prefetch, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from .. import access
from ..fields import CharField
from ..prepared import today
from ..text import Named, NamedQuerySet

validate_locator = RegexValidator(
    r"^[1-9]\d*\.[1-9]\d*/[1-9]\d*\Z",
    _("Write the place as theme/sentence, for example 1.3/5."),
)


class OpinionQuerySet(NamedQuerySet):
    def published(self, as_of: date | None = None):
        """Opinions of which something was public on ``as_of`` (today if None): the day of issue,
        a report, a section or a stage. What is prepared for a day to come is not."""
        day = as_of or today()
        sections = apps.get_model("measures.Section").objects.published(as_of)
        stages = apps.get_model("measures.OpinionStage").objects.published(as_of)
        known = (
            Q(issued_on__isnull=False)
            | Q(pk__in=Report.objects.published(day).order_by().values("opinion"))
            | Q(pk__in=sections.order_by().values("opinion"))
            | Q(pk__in=stages.order_by().values("opinion"))
        )
        return self.filter(known).exclude(issued_on__gt=day)

    def with_reports(self):
        """In the order of their entry, with the ``reports`` issued by today loaded, the newest
        first; two queries."""
        return self.order_by("pk").prefetch_related(issued_reports())


def issued_reports() -> Prefetch:
    """The ``reports`` on opinions that were issued by today, the newest first."""
    return Prefetch("reports", Report.objects.published())


class Opinion(Named):
    """A deliberation opinion 审议意见 that a people's congress sent to its government."""

    number = CharField(_("document number"), max_length=40, unique=True, open_data=True)
    issuer = CharField(_("issuer (Chinese)"), max_length=120)
    issuer_en = CharField(_("issuer (English)"), max_length=200)
    issued_on = models.DateField(
        _("issued on"), null=True, blank=True, help_text=_("Empty: not known.")
    )
    # In the row, so that no address of a row below costs a query.
    is_first = models.BooleanField(_("the portal's first"), default=False, editable=False)

    role_rights = access.STRUCTURE

    objects = OpinionQuerySet.as_manager()

    class Meta:
        ordering = ["number"]
        verbose_name = _("deliberation opinion")
        verbose_name_plural = _("deliberation opinions")
        constraints = [
            models.UniqueConstraint(
                fields=["is_first"],
                condition=Q(is_first=True),
                name="opinion_first_once",
                violation_error_message=_("Only one opinion is the portal's first."),
            )
        ]

    @property
    def prefix(self) -> str:
        """What stands before the number 1.2.2 of a row, which is unique within an opinion.

        The document number; empty for the portal's first opinion, so that nothing that was
        published before the second one changes its name.
        """
        return "" if self.is_first else f"{self.number} "

    def get_absolute_url(self):
        return reverse("opinion", args=[self.code])


class ReportKind(models.TextChoices):
    """What kind of document answers an opinion, or figures come from."""

    REPORT = "report", pgettext_lazy("kind of document", "report")
    REPLY = "reply", _("reply letter")
    BULLETIN = "bulletin", _("statistical bulletin")
    OTHER = "other", pgettext_lazy("kind of document", "other document")


class ReportQuerySet(NamedQuerySet):
    def published(self, as_of: date | None = None):
        """Reports that were issued by ``as_of`` (today if None); one can be entered before."""
        return self.filter(issued_on__lte=as_of or today())


class Report(Named):
    """An official document that figures come from; each year's is a further row."""

    number = CharField(_("document number"), max_length=40, unique=True, open_data=True)
    kind = models.CharField(
        _("kind of document"), max_length=10, choices=ReportKind, default=ReportKind.REPORT
    )
    opinion = models.ForeignKey(
        Opinion, models.PROTECT, related_name="reports", verbose_name=_("answers")
    )
    issuer = CharField(_("issuer (Chinese)"), max_length=120)
    issuer_en = CharField(_("issuer (English)"), max_length=200)
    addressee = CharField(_("addressee (Chinese)"), max_length=120)
    addressee_en = CharField(_("addressee (English)"), max_length=200)
    signatory = CharField(_("signatory (Chinese)"), max_length=40)
    signatory_en = CharField(_("signatory (English)"), max_length=80)
    signed_on = models.DateField(_("dated"))
    issued_on = models.DateField(_("issued on"))

    role_rights = access.STRUCTURE

    objects = ReportQuerySet.as_manager()

    class Meta:
        ordering = ["-issued_on", "pk"]
        verbose_name = _("report")
        verbose_name_plural = _("reports")
        constraints = [
            models.CheckConstraint(
                condition=Q(issued_on__gte=models.F("signed_on")),
                name="report_signed_before_issue",
                violation_error_message=_("A report is not issued before it is signed."),
            ),
            models.CheckConstraint(
                condition=Q(kind__in=ReportKind.values),
                name="report_kind_known",
                violation_error_message=_("The kind of document is none of the known ones."),
            ),
        ]
