"""Who may see and do what: the one place that decides.

A role is a Django group. What a role may do at all is its permissions, given by a migration from
``ROLES``; which rows it may do it to is decided here. Admin lists, forms, choices, actions and
imports all ask these functions.
"""

from django.db.models import Model, QuerySet

from .submission import EDITABLE, State, Submission

EDITOR = "editor 填报员"
REVIEWER = "reviewer 审核员"
STEWARD = "steward 数据管理员"
AUDITOR = "auditor 审计员"
ADMINISTRATOR = "administrator 系统管理员"

_TREE = ("measures.opinion", "measures.report", "measures.section", "measures.theme")
_STRUCTURE = (
    *_TREE,
    "measures.measure",
    "metrics.unit",
    "metrics.indicator",
    "metrics.plan",
    "metrics.check",
)
_ENTRIES = ("measures.progressnote", "metrics.observation")
_SUBMISSIONS = (*_ENTRIES, "metrics.target")
_READABLE = (
    *_STRUCTURE,
    *_SUBMISSIONS,
    "measures.department",
    "measures.round",
    "metrics.checkterm",
)


def _permissions(actions: str, models: tuple[str, ...]) -> set[str]:
    """``{"metrics.view_unit", …}`` for every action and model."""
    return {
        f"{app}.{action}_{model}"
        for action in actions.split()
        for app, model in (name.split(".") for name in models)
    }


ROLES: dict[str, set[str]] = {
    EDITOR: _permissions("view", _READABLE) | _permissions("add change delete", _ENTRIES),
    REVIEWER: _permissions("view", _READABLE)
    | _permissions("publish", _SUBMISSIONS)
    | {"measures.see_every_department"},
    STEWARD: _permissions("view", _READABLE)
    | _permissions("add change", (*_STRUCTURE, "measures.round"))
    | _permissions("add change delete", ("metrics.target", "metrics.checkterm"))
    | _permissions("add view", ("measures.roundunlock",))
    | {"measures.see_every_department"},
    AUDITOR: _permissions("view", (*_READABLE, "measures.trailevent", "measures.roundunlock"))
    | {"measures.see_every_department"},
    ADMINISTRATOR: _permissions("view add change", ("measures.user", "measures.department"))
    | _permissions("view", ("auth.group",)),
}


def write_roles(Group, Permission) -> None:
    """Make the roles' groups and give them their permissions, with the given model classes."""
    for name, permissions in ROLES.items():
        group, _created = Group.objects.get_or_create(name=name)
        for label in permissions:
            app, codename = label.split(".")
            group.permissions.add(
                Permission.objects.get(content_type__app_label=app, codename=codename)
            )


def sees_every_department(user) -> bool:
    """Whether ``user`` works for the whole district, or only for their own departments."""
    return user.has_perm("measures.see_every_department")


def visible(user, queryset: QuerySet) -> QuerySet:
    """The rows of ``queryset`` that ``user`` may see in the admin.

    Rows that belong to a measure are limited to the departments that the user is a member of,
    unless the user works for the whole district; other rows are not limited.
    """
    path = path_to_measure(queryset.model)
    if path is None or sees_every_department(user):
        return queryset
    lead = "__".join(filter(None, [path, "lead__members"]))
    return queryset.filter(**{lead: user})


def path_to_measure(model: type[Model]) -> str | None:
    """The lookup from ``model`` to its measure, "" for the measure itself, None if it has none."""
    if issubclass(model, Submission):
        return model.measure_path
    return {"measures.measure": "", "metrics.indicator": "measure"}.get(model._meta.label_lower)


def editable(user, queryset: QuerySet) -> QuerySet:
    """The submissions of ``queryset`` that ``user`` may change, delete or submit now."""
    if not user.has_perm(_permission(queryset.model, "change")):
        return queryset.none()
    return visible(user, queryset).filter(state__in=EDITABLE)


def publishable(user, queryset: QuerySet) -> QuerySet:
    """The submissions of ``queryset`` that ``user`` may publish or return now."""
    if not user.has_perm(_permission(queryset.model, "publish")):
        return queryset.none()
    return (
        visible(user, queryset)
        .filter(state=State.SUBMITTED)
        .exclude(entered_by=user)
        .exclude(changed_by=user)
    )


def correctable(user, queryset: QuerySet) -> QuerySet:
    """The published submissions of ``queryset`` that ``user`` may begin to correct."""
    if not user.has_perm(_permission(queryset.model, "add")):
        return queryset.none()
    return visible(user, queryset).filter(state=State.PUBLISHED, corrections__isnull=True)


def may(user, choose, row: Submission) -> bool:
    """Whether ``choose`` (``editable``, ``publishable``, ``correctable``) includes ``row``."""
    return choose(user, type(row)._base_manager.filter(pk=row.pk)).exists()


def reporting_departments(user, departments: QuerySet) -> QuerySet:
    """The departments that ``user`` enters figures and notes for."""
    if not user.has_perm("metrics.add_observation"):
        return departments.none()
    return departments if sees_every_department(user) else departments.filter(members=user)


def _permission(model: type[Model], action: str) -> str:
    return f"{model._meta.app_label}.{action}_{model._meta.model_name}"
