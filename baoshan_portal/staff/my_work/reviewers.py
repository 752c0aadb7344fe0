"""Who is missing for review: four eyes need a second person, and somebody must be told in time.

Nobody approves what they entered or changed. Where only one person may publish a kind of row,
whatever that person enters waits for ever; where there is none, everything does.
"""

from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from measures import access
from measures.models import User
from measures.submission import State, Submission

from ..addresses import list_url
from ..review.rows import KINDS
from .rows import RowCount

MODEL_BACKEND = "django.contrib.auth.backends.ModelBackend"


@dataclass
class Shortage:
    """Kinds of rows that too few may publish: nobody, one, or two who both had a hand in one."""

    kinds: list[type[Submission]]
    people: list[User]
    #: What waits already and nobody may publish
    stuck: list[RowCount]

    @property
    def names(self) -> list[str]:
        return [str(kind._meta.verbose_name_plural) for kind in self.kinds]

    @property
    def sentence(self) -> str:
        if not self.people:
            return _("Nobody may publish these: whatever is submitted waits.")
        names = [person.get_full_name() or person.get_username() for person in self.people]
        if len(names) == 1:
            return _(
                "Only %(who)s may publish these: nobody can review what they enter, and while "
                "they are away everything waits."
            ) % {"who": names[0]}
        return _(
            "Only %(one)s and %(other)s may publish these, and both had a hand in what waits."
        ) % {"one": names[0], "other": names[1]}


def reviewers(kind: type[Submission]) -> QuerySet[User]:
    """The people who may publish every row of ``kind`` that they have not entered themselves."""
    label, name = kind._meta.app_label, kind._meta.model_name
    found = with_permission(f"{label}.publish_{name}")
    if kind.measure_path is None:
        return found
    # What belongs to a department waits for somebody who reads them all.
    return found.filter(pk__in=with_permission("measures.see_every_department").values("pk"))


def with_permission(label: str) -> QuerySet[User]:
    """Everybody who can sign in and has the permission ``app.codename``, by role or by hand."""
    return User.objects.with_perm(label, backend=MODEL_BACKEND).filter(is_staff=True)


def stuck(kind: type[Submission], people: list[User]) -> QuerySet:
    """The submitted rows of ``kind`` in which each of ``people`` has a hand."""
    has_a_hand = Q()
    for person in people:
        has_a_hand &= Q(entered_by=person) | Q(changed_by=person)
    return kind.objects.filter(has_a_hand, state=State.SUBMITTED)


@dataclass
class MissingReviewers:
    """For stewards, and for administrators, who give the role."""

    shortages: list[Shortage]

    @classmethod
    def of(cls, user: User) -> "MissingReviewers | None":
        """None: this is not theirs to mend, or nobody is missing."""
        administers = user.has_perm("measures.change_user")
        if not (administers or user.has_perm("measures.change_round")):
            return None
        found: dict[tuple[int, ...], Shortage] = {}
        for kind in KINDS.values():
            # The congress's own rows are no business of the government's stewards.
            if not administers and access.STEWARD not in kind.role_rights:
                continue
            # One enters a row and another may change it: of three reviewers one is always left.
            people = list(reviewers(kind).order_by("pk")[:3])
            rows = stuck(kind, people).count() if len(people) < 3 else 0
            if len(people) > 1 and not rows:
                continue
            key = tuple(person.pk for person in people)
            shortage = found.setdefault(key, Shortage([], people, []))
            shortage.kinds.append(kind)
            if rows:
                url = list_url(kind, state__exact=State.SUBMITTED.value)
                shortage.stuck.append(RowCount(kind, rows, url))
        return cls([*found.values()]) if found else None
