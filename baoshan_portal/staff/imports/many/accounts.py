"""Accounts from a file: who works in the portal, in which roles, for which departments."""

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from measures.access import ROLES
from measures.models import User
from measures.names import split_name

from ...accounts import faults_of_rights, save_account
from ..cells import Offices, read_yes, yes_or_no
from ..columns import Column
from ..importing import FileRow, normalised
from .core import Kind, Reader, RowChange, check, difference, parts, read_each, said

COLUMNS = (
    Column("username", "账号", "Account", 20),
    Column("name", "姓名", "Name", 16),
    Column("email", "电子邮箱", "Mail address", 30),
    Column("roles", "角色", "Roles", 30),
    Column("departments", "部门", "Departments", 36),
    Column("active", "启用", "Active", 8),
)


class AccountReader(Reader):
    """``made`` are the accounts that are new: they are invited afterwards."""

    def __init__(self, by):
        super().__init__(by)
        self.stored = {
            user.username: user for user in User.objects.prefetch_related("groups", "departments")
        }
        self.taken = {username.casefold(): username for username in self.stored}
        self.offices = Offices()
        self.groups = {group.name: group for group in Group.objects.all()}
        self.roles = {}
        for name in self.groups:
            for word in {name, *name.split(" ", 1)}:
                self.roles[normalised(word)] = name
        self.made: list[User] = []

    def take(self, row: FileRow) -> RowChange:
        cells = said(row, but=("username",))
        username = row.cells["username"]
        if not username:
            raise ValidationError({"username": _("Expected the name of the account.")})
        self.once(username.casefold(), row, "username")
        user = self._user(username)
        is_new = user.pk is None
        old = {} if is_new else self.texts(user)
        values = read_each(
            cells, {"roles": self._roles, "departments": self._offices, "active": read_yes}
        )
        groups = values.get("roles", [] if is_new else list(user.groups.all()))
        offices = values.get("departments", [] if is_new else list(user.departments.all()))
        if "name" in cells:
            user.last_name, user.first_name = split_name(cells["name"])
        user.email = cells.get("email", user.email)
        user.is_active = values.get("active", user.is_active)
        names = [group.name for group in groups]
        faults = faults_of_rights(names, offices, is_superuser=user.is_superuser)
        if user.is_active and faults:
            raise ValidationError(faults)
        check(user, but=("password",))
        changed = difference(ACCOUNTS.labels, old, self.texts(user, groups, offices))
        if changed:
            if user.pk == self.by.pk and not self.by.is_superuser:
                raise ValidationError({"username": _("Nobody changes their own account by file.")})
            save_account(user, groups, offices, by=self.by)
            self.made += [user] if is_new else []
        return RowChange(row.number, user.username, user.get_full_name(), is_new, changed)

    def _user(self, username: str) -> User:
        user = self.stored.get(username)
        if user is None:
            if other := self.taken.get(username.casefold()):
                text = _("There is an account “%(name)s” already; write it like that.")
                raise ValidationError({"username": text % {"name": other}})
            return User(username=username)
        if user.is_superuser and not self.by.is_superuser:
            raise ValidationError({"username": _("You may not change this account.")})
        return user

    def _roles(self, text: str) -> list[Group]:
        found = []
        for part in parts(text):
            name = self.roles.get(normalised(part))
            if name is None:
                raise ValueError(
                    _("“%(text)s” is no role; there are: %(known)s.")
                    % {"text": part[:40], "known": "、".join(ROLES)}
                )
            found.append(self.groups[name])
        return found

    def _offices(self, text: str) -> list:
        return [self.offices.read(part) for part in parts(text)]

    def texts(self, user: User, groups=None, offices=None) -> dict[str, str]:
        groups = user.groups.all() if groups is None else groups
        offices = user.departments.all() if offices is None else offices
        return {
            "username": user.username,
            "name": user.get_full_name(),
            "email": user.email,
            "roles": "、".join(sorted({group.name for group in groups})),
            "departments": self.offices.write_all(offices),
            "active": yes_or_no(user.is_active),
        }

    def rows(self) -> list[list[str]]:
        people = sorted(self.stored.values(), key=lambda user: user.username)
        return [
            list(self.texts(person).values())
            for person in people
            if self.by.is_superuser or not person.is_superuser
        ]


def may(user) -> bool:
    return user.has_perms(["measures.add_user", "measures.change_user"])


def choices() -> dict[str, tuple[str, ...]]:
    return {"active": (_("yes"), _("no"))}


ACCOUNTS = Kind(
    "accounts", User, gettext_lazy("Accounts by file"), COLUMNS, ("username",), AccountReader,
    may, choices,
    (
        gettext_lazy("One row is one account. Several roles or departments stand in one cell, "
          "separated by 、 or a comma."),
        gettext_lazy("Passwords are not part of the file: new accounts get a link by which "
          "they choose one, by mail or printed."),
    ),
)  # fmt: skip
