"""Who may see and do what: the one place that decides.

A role is a Django group. What a role may do at all is its permissions, given by a migration: the
tables below, of which each model names its own as ``role_rights``. Which rows a role may do it to
is decided here, too. Admin lists, forms, choices, actions and imports all ask these functions.
"""

from django.apps import apps
from django.db.models import Model, QuerySet
from django.utils import timezone

from .submission import EDITABLE, State, Submission
from .withdrawn import kind_of

EDITOR = "editor 填报员"
REVIEWER = "reviewer 审核员"
STEWARD = "steward 数据管理员"
AUDITOR = "auditor 审计员"
ADMINISTRATOR = "administrator 系统管理员"
COMMITTEE = "committee 人大工作机构"
HEAD = "head 部门负责人"
ROLES = (EDITOR, HEAD, REVIEWER, STEWARD, AUDITOR, ADMINISTRATOR, COMMITTEE)

#: What each role may do to the rows of a model: actions as Django names them.
Rights = dict[str, str]

READ_BY_ALL: Rights = {
    EDITOR: "view",
    HEAD: "view",
    REVIEWER: "view",
    STEWARD: "view",
    AUDITOR: "view",
}
#: What figures and notes are about, and when they are asked for
STRUCTURE: Rights = READ_BY_ALL | {STEWARD: "view add change"}
#: What belongs to a row of the structure and goes with it
STRUCTURE_PART: Rights = READ_BY_ALL | {STEWARD: "view add change delete"}
#: What departments report
ENTRY: Rights = READ_BY_ALL | {EDITOR: "view add change delete", REVIEWER: "view publish"}
#: What is reviewed, but comes from the stewards
STEWARDS_ENTRY: Rights = READ_BY_ALL | {
    STEWARD: "view add change delete",
    REVIEWER: "view publish",
}
#: The congress's own word: entered in its office and published by somebody else there. The
#: government, whose work it judges, reads it when it is public, as everybody does.
COMMITTEES_WORD: Rights = {COMMITTEE: "view add change delete publish", AUDITOR: "view"}
#: By whom it was entered, and of everything else by the stewards; see ``withdrawable``
WITHDRAWAL: Rights = ENTRY | {STEWARD: "view add change delete"}
#: What there is always exactly one row of
THRESHOLD: Rights = READ_BY_ALL | {STEWARD: "view change"}
EXCEPTION: Rights = {STEWARD: "view add", AUDITOR: "view"}
#: How the own table of a department is read: a new version each time, none is ever changed
TABLE_MAPPING: Rights = READ_BY_ALL | {EDITOR: "view add", STEWARD: "view add"}
#: Heads of departments sign off where their department has the rule, which comes with the role
SIGN_OFF: Rights = {HEAD: "add"}
SIGN_OFF_RULE: Rights = READ_BY_ALL | {ADMINISTRATOR: "view add delete"}
TRAIL: Rights = {AUDITOR: "view"}
#: Stewards change what an office is called, by review; administrators who belongs to it
OFFICE: Rights = READ_BY_ALL | {STEWARD: "view change", ADMINISTRATOR: "view add change"}
ACCOUNT: Rights = {ADMINISTRATOR: "view add change"}

#: Permissions that are not about one model of ours
_FURTHER = {
    REVIEWER: {"measures.see_every_department"},
    STEWARD: {"measures.see_every_department"},
    AUDITOR: {"measures.see_every_department"},
    ADMINISTRATOR: {"auth.view_group"},
}


def permissions_of(role: str) -> set[str]:
    """All that the role may do: ``{"measures.view_round", …}``."""
    return _FURTHER.get(role, set()) | {
        _permission(model, action)
        for model in apps.get_models()
        for action in getattr(model, "role_rights", {}).get(role, "").split()
    }


def write_roles(Group, Permission) -> None:
    """Make the roles' groups and give them their permissions, with the given model classes.

    A permission that is not there yet comes with the migration that makes its model.
    """
    known = {
        f"{app}.{codename}": key
        for key, app, codename in Permission.objects.order_by().values_list(
            "pk", "content_type__app_label", "codename"
        )
    }
    for role in ROLES:
        group, _created = Group.objects.get_or_create(name=role)
        # What a later migration makes, that one gives.
        group.permissions.add(*(known[label] for label in permissions_of(role) if label in known))


def sees_every_department(user) -> bool:
    """Whether ``user`` works for the whole district, or only for their own departments."""
    return user.has_perm("measures.see_every_department")


def visible(user, queryset: QuerySet) -> QuerySet:
    """The rows of ``queryset`` that ``user`` may see in the admin.

    Rows that belong to a measure, whose model says by ``measure_path`` how to get there, are
    limited to the departments that the user is a member of, unless the user works for the whole
    district; so are rows of a department itself, whose model has a ``department_path``.
    Submissions on no measure are for whoever may view them at all; other rows are not limited.
    """
    model = queryset.model
    path = getattr(model, "measure_path", None)
    department = getattr(model, "department_path", None)
    if department and not sees_every_department(user):
        return queryset.filter(**{f"{department}__members": user})
    if path is None and issubclass(model, Submission):
        return queryset if user.has_perm(_permission(model, "view")) else queryset.none()
    if path is None or sees_every_department(user):
        return queryset
    lead = "__".join(filter(None, [path, "lead__members"]))
    return queryset.filter(**{lead: user})


def editable(user, queryset: QuerySet) -> QuerySet:
    """The submissions of ``queryset`` that ``user`` may change, delete or submit now."""
    if not user.has_perm(_permission(queryset.model, "change")):
        return queryset.none()
    return visible(user, queryset).filter(state__in=EDITABLE)


def recallable(user, queryset: QuerySet) -> QuerySet:
    """The submissions of ``queryset`` that wait for review and that ``user`` may take back.

    Whoever may change a draft of it may: a colleague's, too.
    """
    if not user.has_perm(_permission(queryset.model, "change")):
        return queryset.none()
    return visible(user, queryset).filter(state=State.SUBMITTED)


def publishable(user, queryset: QuerySet) -> QuerySet:
    """The submissions of ``queryset`` that ``user`` may publish or return now."""
    if not user.has_perm(_permission(queryset.model, "publish")):
        return queryset.none()
    from .sign_off import signed_off, without_waiting

    rows = without_waiting(_submitted_by_others(user, queryset))
    return rows.exclude(signed_off(queryset, by=user)) if _signs(user) else rows


def signable(user, queryset: QuerySet) -> QuerySet:
    """The submissions of ``queryset`` that ``user``, as head of the department, may sign off or
    return now."""
    from .sign_off import waiting

    if not _signs(user):
        return queryset.none()
    rows = waiting(_submitted_by_others(user, queryset))
    if user.is_superuser or rows.query.is_empty():
        return rows
    # Whoever also works for the whole district is head of the own departments alone.
    return rows.filter(**{f"{queryset.model.measure_path}__lead__in": user.departments.all()})


def _signs(user) -> bool:
    return user.has_perm("measures.add_signoff")


def _submitted_by_others(user, queryset: QuerySet) -> QuerySet:
    """What waits for review, without what ``user`` entered or changed."""
    rows = visible(user, queryset).filter(state=State.SUBMITTED)
    return rows.exclude(entered_by=user).exclude(changed_by=user)


def correctable(user, queryset: QuerySet) -> QuerySet:
    """The published submissions of ``queryset`` that ``user`` may begin to correct."""
    if not user.has_perm(_permission(queryset.model, "add")):
        return queryset.none()
    return visible(user, queryset).filter(state=State.PUBLISHED, corrections__isnull=True)


def withdrawable(user, queryset: QuerySet) -> QuerySet:
    """The public rows of ``queryset`` that ``user`` may begin to withdraw.

    Editors withdraw what they may enter for their own departments, stewards everything. What is
    withdrawn, or about to be, is not among them.
    """
    model = queryset.model
    kind = kind_of(model)
    enters = sees_every_department(user) or user.has_perm(_permission(model, "add"))
    if kind is None or not enters or not user.has_perm("measures.add_withdrawal"):
        return queryset.none()
    rows = visible(user, queryset)
    if issubclass(model, Submission):
        rows = rows.filter(state=State.PUBLISHED).exclude(corrections__state=State.PUBLISHED)
    elif any(field.name == "published_on" for field in model._meta.fields):
        rows = rows.filter(published_on__lte=timezone.localdate())
    begun = apps.get_model("measures", "Withdrawal").objects.filter(subject_type=kind)
    return rows.exclude(code__in=begun.order_by().values("subject_code"))


def may(user, choose, row: Model) -> bool:
    """Whether ``choose`` (``editable``, ``publishable``, ``withdrawable`` …) includes ``row``."""
    return choose(user, type(row)._base_manager.filter(pk=row.pk)).exists()


def reporting_departments(user, departments: QuerySet) -> QuerySet:
    """The departments that ``user`` enters figures and notes for."""
    if not _enters(user):
        return departments.none()
    return _own(user, departments)


def mapped_departments(user, departments: QuerySet) -> QuerySet:
    """The departments of whose own tables ``user`` may say how they are read."""
    if not user.has_perm("metrics.add_tablemapping"):
        return departments.none()
    return _own(user, departments)


def _own(user, departments: QuerySet) -> QuerySet:
    """Those that ``user`` belongs to; all of them for whoever works for the whole district."""
    return departments if sees_every_department(user) else departments.filter(members=user)


def takes_over_reports(user) -> bool:
    """Whether ``user`` may take the figures of a report over, of whatever department.

    The source is the document and not an office: whoever enters the document may, and whoever
    reports for a department for that one (``taken_over``).
    """
    return user.has_perm("measures.add_report") or _enters(user)


def taken_over(user, indicators: QuerySet) -> QuerySet:
    """Those of ``indicators`` whose figures ``user`` may take over from a report."""
    if user.has_perm("measures.add_report"):
        return indicators
    return visible(user, indicators) if _enters(user) else indicators.none()


def _enters(user) -> bool:
    """Whether ``user`` enters all that departments report."""
    entries = [model for model in apps.get_models() if getattr(model, "role_rights", None) is ENTRY]
    return all(user.has_perm(_permission(model, "add")) for model in entries)


def _permission(model: type[Model], action: str) -> str:
    return f"{model._meta.app_label}.{action}_{model._meta.model_name}"
