"""What holds of every account, whether it is typed, comes from a file or goes over."""

from collections.abc import Collection

from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from measures.access import ADMINISTRATOR, AUDITOR, EDITOR, HEAD
from measures.models import User
from measures.trail import Action, differences, in_trail_language, record, snapshot

#: Roles that look after or look at the work of the others, and therefore stand alone
ALONE = (ADMINISTRATOR, AUDITOR)
_FLAGS = ("username", "is_active", "is_staff", "is_superuser", "must_change_password")


def faults_of_rights(
    roles: Collection[str], offices: Collection, *, is_superuser=False
) -> dict[str, str]:
    """Why an account in these ``roles`` and ``offices`` could not work: sentences by what is wrong,
    ``roles`` or ``departments``."""
    faults, alone = {}, [role for role in roles if role in ALONE]
    if alone and len(roles) > 1:
        faults["roles"] = _("The role “%(role)s” is not held together with another.") % {
            "role": alone[0]
        }
    if not roles and not is_superuser:
        faults["roles"] = _("Expected a role: an account without one can do nothing.")
    if EDITOR in roles and not offices and not faults:
        faults["departments"] = _("Expected a department: an editor enters what it leads.")
    if HEAD in roles and not offices and not faults:
        faults["departments"] = _("Expected a department: a head signs off what it hands in.")
    return faults


def without_work():
    """The keys of accounts that can do nothing: without a role, or editors or heads without a
    department."""
    no_role = Q(groups__isnull=True, is_superuser=False)
    no_office = Q(groups__name__in=[EDITOR, HEAD], departments__isnull=True)
    return User.objects.filter(no_role | no_office, is_staff=True).order_by().values("pk")


def rights_of(user: User) -> dict[str, str]:
    """What the trail keeps of an account: all of it is about rights. In the language in force."""
    named = {
        _("roles"): user.groups.order_by("name"),
        _("departments"): user.departments.order_by("code"),
        _("user permissions"): user.user_permissions.all(),
    }
    return {
        **snapshot(user, _FLAGS),
        **{str(label): ", ".join(map(str, rows)) for label, rows in named.items()},
    }


def rights_for_trail(user: User | None) -> dict[str, str]:
    with in_trail_language():
        return rights_of(user) if user and user.pk else {}


@transaction.atomic
def save_account(user: User, roles: Collection[Group], offices: Collection, *, by) -> None:
    """Stores ``user`` in these roles and offices; a new account has no password yet."""
    before = rights_for_trail(User.objects.filter(pk=user.pk).first() if user.pk else None)
    if user.pk is None:
        user.is_staff = True
        user.set_unusable_password()
    user.save()
    user.groups.set(roles)
    user.departments.set(offices)
    old, new = differences(before, rights_for_trail(user))
    if old or new:
        record(Action.PERMISSIONS_CHANGED, by=by, subject=user, before=old, after=new)
