"""Who works in the portal, and for which office."""

from django.contrib.auth.models import AbstractUser, Group
from django.db import models
from django.utils.translation import gettext_lazy as _

from .. import access
from ..fields import CharField
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


class Department(Named):
    """An office that leads or supports measures and reports on them."""

    members = models.ManyToManyField(
        User, verbose_name=_("members"), related_name="departments", blank=True
    )

    role_rights = access.OFFICE

    objects = NamedQuerySet.as_manager()

    class Meta:
        ordering = ["code"]
        verbose_name = _("department")
        verbose_name_plural = _("departments")
        permissions = [("see_every_department", _("Can see the rows of every department"))]


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
