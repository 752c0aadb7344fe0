"""Who works in the portal, and for which office."""

from datetime import date

from django.apps import apps
from django.contrib.auth.models import AbstractUser, Group
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.db.models.fields.json import KT
from django.db.models.functions import Cast
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .. import access
from ..fields import CharField
from ..names import full_name
from ..prepared import today
from ..submission import moment_of
from ..text import Named, NamedQuerySet

_names = {field.name: field.verbose_name for field in AbstractUser._meta.fields}


class User(AbstractUser):
    """Somebody who works in the portal; the public needs no account."""

    # As Django has them, but cleaned; the user name's own rule allows no such character.
    first_name = CharField(_names["first_name"], max_length=150, blank=True)
    last_name = CharField(_names["last_name"], max_length=150, blank=True)
    must_change_password = models.BooleanField(
        _("must change the password"),
        default=False,
        help_text=_("Until then nothing else can be done with the account."),
    )

    role_rights = access.ACCOUNT

    def get_full_name(self) -> str:
        """The family name first, as it is written in China."""
        return full_name(self.last_name, self.first_name)

    def get_short_name(self) -> str:
        # What Django's admin greets by; a given name alone is no way to address a colleague.
        return self.get_full_name()


class DepartmentQuerySet(NamedQuerySet):
    def published(self, as_of: date | None = None):
        """Offices that a measure public by ``as_of`` (today if None) names as leading or
        supporting, and those that continue the work of one."""
        measures = apps.get_model("measures.Measure").objects.once_published(as_of).order_by()
        named = self.model._base_manager.filter(
            Q(pk__in=measures.filter(lead__isnull=False).values("lead"))
            | Q(pk__in=measures.filter(supporting__isnull=False).values("supporting"))
        ).values("pk")
        return self.filter(Q(pk__in=named) | Q(pk__in=self._successors(named)))

    def once_published(self, as_of: date | None = None):
        """Those, and whatever led or supported a public measure on an earlier day: an office that
        ended and handed everything over keeps its page."""
        moment, day = moment_of(as_of), as_of or today()
        stood = Q(valid_from__isnull=True) | Q(valid_from__lt=moment)
        versions = apps.get_model("measures.Version").objects.filter(stood).order_by()
        measures = apps.get_model("measures.Measure")
        led = versions.filter(subject_type=measures._meta.db_table).annotate(
            public_on=Cast(KT("content__published_on"), models.DateField()),
            office=Cast(KT("content__lead_id"), models.BigIntegerField()),
        )
        # What was replaced before its first public day nobody ever saw.
        seen = Q(valid_to__isnull=True) | Q(valid_to__date__gte=F("public_on"))
        led = led.filter(seen, public_on__lte=day, office__isnull=False)
        supported = versions.filter(
            subject_type=measures.supporting.through._meta.db_table
        ).annotate(
            supports=Cast(KT("content__measure_id"), models.BigIntegerField()),
            office=Cast(KT("content__department_id"), models.BigIntegerField()),
        )
        supported = supported.filter(
            supports__in=measures.objects.once_published(as_of).order_by().values("pk")
        )
        return self.filter(
            Q(pk__in=self.model.objects.published(as_of).order_by().values("pk"))
            | Q(pk__in=led.values("office"))
            | Q(pk__in=supported.values("office"))
        )

    def _successors(self, offices):
        links = self.model.succeeded_by.through.objects
        return links.filter(from_department__in=offices).values("to_department")

    def standing(self):
        """Without those that have ended by today."""
        return self.exclude(ended_on__lte=timezone.localdate())


class Department(Named):
    """An office that leads or supports measures and reports on them."""

    members = models.ManyToManyField(
        User, verbose_name=_("members"), related_name="departments", blank=True
    )

    ended_on = models.DateField(
        _("ended on"),
        null=True,
        blank=True,
        help_text=_("From this day on it is given nothing new; what it led keeps its name."),
    )
    succeeded_by = models.ManyToManyField(
        "self",
        symmetrical=False,
        related_name="continues",
        blank=True,
        verbose_name=_("continued by"),
        help_text=_("One where it was merged or renamed, several where it was split."),
    )

    role_rights = access.OFFICE

    objects = DepartmentQuerySet.as_manager()

    class Meta:
        ordering = ["code"]
        verbose_name = _("department")
        verbose_name_plural = _("departments")
        permissions = [("see_every_department", _("Can see the rows of every department"))]

    def clean_part(self, successors: list[str]) -> None:
        """Refuses that an office of which no end is known has ``successors`` (their codes)."""
        if successors and self.ended_on is None:
            raise ValidationError(
                _("Say on which day %(department)s ended: only then do others continue its work.")
                % {"department": self}
            )

    def get_absolute_url(self):
        return reverse("department", args=[self.code])

    @property
    def has_ended(self) -> bool:
        return self.ended_by(timezone.localdate())

    def ended_by(self, day: date) -> bool:
        return self.ended_on is not None and self.ended_on <= day


class RolePolicy(models.Model):
    """What is asked of everybody in a role when they sign in."""

    group = models.OneToOneField(
        Group, models.CASCADE, related_name="policy", verbose_name=_("role")
    )
    require_second_factor = models.BooleanField(_("second factor required"), default=False)

    class Meta:
        default_permissions = ()
        verbose_name = _("rule for a role")
        verbose_name_plural = _("rules for roles")

    def __str__(self):
        return str(self.group)
