"""The tree of what was asked for and promised: section, theme, measure."""

from datetime import date

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Min, Q
from django.urls import reverse
from django.utils.timezone import localdate
from django.utils.translation import gettext_lazy as _

from .. import access
from ..fields import CharField, TextField
from ..prepared import today
from ..submission import moment_of
from ..text import Named, NamedQuerySet
from ..withdrawn import is_withdrawn, withdrawal_columns
from .documents import Opinion, Report, validate_locator
from .people import Department


class SectionQuerySet(NamedQuerySet):
    def published(self, as_of: date | None = None):
        """Sections with a theme that was public on ``as_of`` (today if None) or an evaluation of
        their own. One that is prepared is not."""
        themes = Theme.objects.published(as_of).order_by()
        evaluations = apps.get_model("measures.Evaluation").objects.published(as_of).order_by()
        return self.filter(
            Q(pk__in=themes.values("section"))
            | Q(pk__in=evaluations.filter(section__isnull=False).values("section"))
        )

    def by_key(self, key: str):
        """The one with that ``Section.key``, and its opinion; none for what is no key."""
        code, _dash, order = key.rpartition("-")
        # More digits than a section's number has would be an error of the database.
        number = order if order.isdecimal() and len(order) < 6 else 0
        sections = self.filter(opinion__is_first=not code, order=number).select_related("opinion")
        return sections.filter(opinion__code=code) if code else sections


class Section(Named):
    """One of the things that an opinion asked for; its number is unique within the opinion."""

    opinion = models.ForeignKey(
        Opinion, models.PROTECT, related_name="sections", verbose_name=_("opinion")
    )
    order = models.PositiveSmallIntegerField(_("order"))

    role_rights = access.STRUCTURE

    objects = SectionQuerySet.as_manager()

    class Meta:
        # By the key, not by the opinion's own order, which is that of its number.
        ordering = ["opinion_id", "order"]
        verbose_name = _("section")
        verbose_name_plural = _("sections")
        constraints = [
            models.UniqueConstraint(
                fields=["opinion", "order"],
                name="section_order_once",
                violation_error_message=_("This opinion has a section with that order already."),
            )
        ]

    def public_since(self) -> date | None:
        """The first day on which it was public, if it is; two queries."""
        measures = Measure.objects.once_published().filter(theme__section=self).order_by()
        evaluations = apps.get_model("measures.Evaluation").objects.published_before(
            moment_of(None)
        )
        evaluated = evaluations.filter(Q(section=self) | Q(theme__section=self)).order_by()
        first = evaluated.aggregate(first=Min("published_at"))["first"]
        days = [measures.aggregate(first=Min("published_on"))["first"], first and localdate(first)]
        return min(filter(None, days), default=None)

    @property
    def key(self) -> str:
        """Unique among the sections of all opinions: names feeds and places on a page, ``1`` of
        the portal's first opinion, ``health-care-1`` of another; needs ``opinion`` loaded."""
        return str(self.order) if self.opinion.is_first else f"{self.opinion.code}-{self.order}"

    def get_absolute_url(self):
        """Needs ``opinion`` loaded; the first opinion's keep the addresses that they always had."""
        if self.opinion.is_first:
            return reverse("section", args=[self.order])
        return reverse("opinion-section", args=[self.opinion.code, self.order])


#: From a measure: the columns to sort by, so that the rows of an opinion stand together.
PLACE_IN_OPINION = ("theme__section__opinion_id", "theme__section__order", "theme__order", "order")


class ThemeQuerySet(NamedQuerySet):
    def published(self, as_of: date | None = None):
        """Themes with a measure that was public by ``as_of`` (today if None), withdrawn since or
        not, or with an evaluation."""
        measures = Measure.objects.once_published(as_of).order_by()
        evaluations = apps.get_model("measures.Evaluation").objects.published(as_of).order_by()
        return self.filter(
            Q(pk__in=measures.values("theme"))
            | Q(pk__in=evaluations.filter(theme__isnull=False).values("theme"))
        )


class Theme(Named):
    """A part of a section; the unit by which the report's sentences are counted."""

    section = models.ForeignKey(
        Section, models.PROTECT, related_name="themes", verbose_name=_("section")
    )
    order = models.PositiveSmallIntegerField(_("order"))

    role_rights = access.STRUCTURE

    objects = ThemeQuerySet.as_manager()

    class Meta:
        ordering = ["section__opinion_id", "section__order", "order"]
        verbose_name = _("theme")
        verbose_name_plural = _("themes")
        constraints = [
            models.UniqueConstraint(
                fields=["section", "order"],
                name="theme_order_once",
                violation_error_message=_("This section has a theme with that order already."),
            )
        ]

    @property
    def number(self) -> str:
        """The number a reader sees, such as 1.2; needs ``section`` loaded."""
        return f"{self.section.order}.{self.order}"

    @property
    def key(self) -> str:
        """As the section's, such as ``1-2``; needs ``section`` and its ``opinion`` loaded."""
        return f"{self.section.key}-{self.order}"

    def get_absolute_url(self):
        return f"{self.section.get_absolute_url()}#theme-{self.order}"


class MeasureQuerySet(NamedQuerySet):
    def published(self, as_of: date | None = None):
        """Measures that were public on ``as_of`` (today if None)."""
        return self.once_published(as_of).exclude(is_withdrawn(self.model, moment_of(as_of)))

    def once_published(self, as_of: date | None = None):
        """Measures that had become public by ``as_of`` (today if None), withdrawn since or not."""
        return self.filter(published_on__lte=as_of or today())

    def with_withdrawal(self, as_of: date | None = None):
        """With ``withdrawn_at`` and ``withdrawn_because`` as known on ``as_of``."""
        return self.annotate(**withdrawal_columns(self.model, moment_of(as_of)))

    def with_place(self):
        """With opinion, section, theme and lead loaded, in the order of their numbers."""
        return self.select_related("theme__section__opinion", "lead").order_by(*PLACE_IN_OPINION)


class Measure(Named):
    """A line of work that an office would follow."""

    theme = models.ForeignKey(
        Theme, models.PROTECT, related_name="measures", verbose_name=_("theme")
    )
    order = models.PositiveSmallIntegerField(_("order"))
    summary = TextField(_("summary (Chinese)"), help_text=_("In our own concise words."))
    summary_en = TextField(_("summary (English)"), blank=True)
    lead = models.ForeignKey(
        Department,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="led",
        verbose_name=_("lead department"),
        help_text=_("Empty: not known."),
    )
    lead_confirmed = models.BooleanField(
        _("lead confirmed"),
        default=False,
        help_text=_("Until the office confirms it, the lead is shown to the public as proposed."),
    )
    supporting = models.ManyToManyField(
        Department,
        related_name="supported",
        blank=True,
        verbose_name=_("supporting departments"),
    )
    report = models.ForeignKey(
        Report,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="measures",
        verbose_name=_("first told in"),
    )
    locator = CharField(
        _("place in the report"),
        max_length=20,
        blank=True,
        validators=[validate_locator],
        help_text=_("Theme/sentence, for example 1.3/5; sentences are counted within the theme."),
    )
    published_on = models.DateField(
        _("public since"),
        null=True,
        blank=True,
        help_text=_("Empty: not public yet."),
    )

    # The lookup from a row to its measure, empty for the measure itself.
    measure_path = ""
    role_rights = access.STRUCTURE

    objects = MeasureQuerySet.as_manager()

    class Meta:
        ordering = list(PLACE_IN_OPINION)
        verbose_name = _("measure")
        verbose_name_plural = _("measures")
        constraints = [
            models.UniqueConstraint(
                fields=["theme", "order"],
                name="measure_order_once",
                violation_error_message=_("This theme has a measure with that order already."),
            ),
            models.CheckConstraint(
                condition=Q(lead_confirmed=False) | Q(lead__isnull=False),
                name="measure_confirmed_lead_exists",
                violation_error_message=_("Only a department that is named can be confirmed."),
            ),
            models.CheckConstraint(
                condition=Q(report__isnull=True, locator="")
                | (Q(report__isnull=False) & ~Q(locator="")),
                name="measure_place_in_report",
                violation_error_message=_("A report and the place in it belong together."),
            ),
        ]

    def clean(self):
        """Refuses that an office which has ended begins to lead."""
        super().clean()
        if self.lead and self.lead.has_ended:
            stored = Measure.objects.filter(pk=self.pk).values_list("lead", flat=True).first()
            if stored != self.lead_id:
                raise ValidationError(
                    {"lead": _("%(department)s has ended.") % {"department": self.lead}}
                )

    @property
    def number_key(self) -> tuple[int, int, int, int]:
        """To sort by opinion and number, 1.2.10 after 1.2.9; needs theme and section loaded."""
        section = self.theme.section
        return section.opinion_id, section.order, self.theme.order, self.order

    @property
    def number(self) -> str:
        """The number a reader sees, such as 1.2.2; needs theme and section loaded."""
        return f"{self.theme.number}.{self.order}"

    @property
    def full_number(self) -> str:
        """The number where it stands alone, with its opinion unless that is the portal's first;
        needs the opinion loaded."""
        return f"{self.theme.section.opinion.prefix}{self.number}"

    @property
    def current_state(self):
        """The newest public state, None where none is known; needs ``states.with_state``."""
        return self.loaded_states[0] if self.loaded_states else None

    def get_absolute_url(self):
        return reverse("measure", args=[self.code])
