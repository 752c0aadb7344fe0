"""The trail: who did what, when and from where; written once, never changed."""

from django.apps import apps
from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .. import access
from ..fields import CharField, TextField


class Action(models.TextChoices):
    SIGNED_IN = "signed-in", _("signed in")
    SIGN_IN_FAILED = "sign-in-failed", _("sign-in failed")
    SIGNED_OUT = "signed-out", _("signed out")
    LOCKED_OUT = "locked-out", _("locked out")
    PASSWORD_CHANGED = "password-changed", _("password changed")
    SECOND_FACTOR_SET = "second-factor-set", _("second factor set up")
    SECOND_FACTOR_FAILED = "second-factor-failed", _("second factor failed")
    SECOND_FACTOR_REMOVED = "second-factor-removed", _("second factor removed")
    ENTERED = "entered", _("entered")
    CHANGED = "changed", _("changed")
    DELETED = "deleted", _("deleted")
    SUBMITTED = "submitted", _("submitted for review")
    SIGNED_OFF = "signed-off", _("signed off")
    PUBLISHED = "published", _("published")
    RETURNED = "returned", _("returned")
    RECALLED = "recalled", _("taken back")
    CORRECTED = "corrected", _("correction begun")
    IMPORTED = "imported", _("imported")
    EXPORTED = "exported", _("exported")
    LOCKED = "locked", _("round locked")
    UNLOCKED = "unlocked", _("round unlocked")
    PERMISSIONS_CHANGED = "permissions-changed", _("permissions changed")
    INVITED = "invited", _("invited by a one-time link")
    HANDED_OVER = "handed-over", _("open work handed over")
    REMINDED = "reminded", _("reminded by mail")
    PURGED = "purged", _("old events deleted")
    PROTECTED = "protected", _("protection put back")


class TrailEvent(models.Model):
    """One event. ``before`` and ``after`` are text, so that they stay readable for good."""

    at = models.DateTimeField(_("when"), default=timezone.now, db_index=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("account"),
    )
    actor_name = CharField(_("who"), max_length=150)
    address = models.GenericIPAddressField(_("from where"), null=True)
    action = models.CharField(_("action"), max_length=24, choices=Action)
    subject_type = CharField(_("kind of row"), max_length=60, blank=True)
    subject_code = CharField(_("code"), max_length=120, blank=True, db_index=True)
    subject = CharField(_("row"), max_length=300, blank=True)
    before = TextField(_("before"), blank=True)
    after = TextField(_("after"), blank=True)
    note = TextField(_("note"), blank=True)

    role_rights = access.TRAIL

    class Meta:
        default_permissions = ("view",)
        ordering = ["-at", "-pk"]
        verbose_name = _("trail event")
        verbose_name_plural = _("trail")

    def __str__(self):
        action = self.get_action_display()
        return f"{timezone.localtime(self.at):%Y-%m-%d %H:%M} {self.actor_name} {action}"

    @property
    def kind(self):
        return kind_of_row(self.subject_type)


def kind_of_row(label: str) -> str:
    """What people call the rows of a model; a model that is gone keeps its label."""
    try:
        return str(apps.get_model(label)._meta.verbose_name)
    except (LookupError, ValueError):
        return label
