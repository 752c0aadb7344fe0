"""The second level: a head of department signs off what the department hands in."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .. import access
from ..fields import CharField, SlugField
from .people import Department


class SignOffRule(models.Model):
    """A department whose rows reach the reviewer once its head has signed them off.

    There is none by default; without its rule what waits for the head goes on to the reviewer.
    """

    department = models.OneToOneField(
        Department, models.PROTECT, related_name="sign_off_rule", verbose_name=_("department")
    )
    since = models.DateTimeField(_("since"), default=timezone.now, editable=False)

    role_rights = access.SIGN_OFF_RULE

    class Meta:
        default_permissions = ("add", "delete", "view")
        ordering = ["department"]
        verbose_name = _("department with sign-off")
        verbose_name_plural = _("departments with sign-off")

    def __str__(self):
        return str(self.department)


class SignOff(models.Model):
    """That ``by`` signed one version of a submitted row off; who had a hand in it stands beside.

    Whatever moves the row on, taking back or returning too, makes another version of it, which
    this one says nothing of.
    """

    subject_type = CharField(_("kind of row"), max_length=60)
    subject_code = SlugField(_("code"), max_length=120)
    version = models.PositiveIntegerField(_("version"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by")
    )
    at = models.DateTimeField(_("when"), default=timezone.now)
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("entered by"),
    )
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("last changed by"),
    )

    role_rights = access.SIGN_OFF

    class Meta:
        default_permissions = ("add",)
        verbose_name = _("sign-off")
        verbose_name_plural = _("sign-offs")
        constraints = [
            models.CheckConstraint(
                condition=(Q(entered_by__isnull=True) | ~Q(by=F("entered_by")))
                & (Q(changed_by__isnull=True) | ~Q(by=F("changed_by"))),
                name="signoff_of_others",
                violation_error_message=_("Nobody signs off what they entered themselves."),
            ),
            models.UniqueConstraint(
                fields=["subject_type", "subject_code", "version"],
                name="signoff_once",
                violation_error_message=_("This row is signed off already."),
            ),
        ]

    def __str__(self):
        return f"{self.subject_type} {self.subject_code} {self.version}"
