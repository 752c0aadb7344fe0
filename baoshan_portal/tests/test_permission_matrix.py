"""Every page and action of the admin × every role × own and foreign department × GET and POST.

``MATRIX`` says what is allowed. A page or an action that is not in it fails
``test_the_matrix_names_every_page_and_every_action_of_the_admin``, so none can be forgotten.

To add a page: give it a line in ``MATRIX`` and a function in ``PAGES`` that says where it is and
what to send there for the own and the foreign department.

What is alike is tried by turns, and by ``make test-long`` whole: whose right is the same for the
own and the foreign department is tried at one of the two rows; and of the kinds of rows that one
line tells of everybody is tried at one, and each by somebody with that right, once their
permissions are seen to be the same. There whoever is allowed something uses the page: sends
something where that changes a row, and opens it where it is read; of those with the same right and
the same permissions for such rows one. Of those who are refused one tries it who may do something
else with such rows, and one who may do nothing.
"""

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from http.cookies import SimpleCookie
from itertools import count, groupby
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.forms import BooleanField
from django.test import Client, RequestFactory, override_settings
from django.urls import URLResolver, reverse
from django_otp.plugins.otp_totp.models import TOTPDevice

from baoshan_portal.staff.admin.submissions import STEPS
from baoshan_portal.staff.imports.many.page import KINDS as ROWS
from baoshan_portal.tests.desk import browser_of, desk, filled_in
from baoshan_portal.tests.slices import WHOLE, one_of_each, one_way_each, some
from measures.access import (
    ADMINISTRATOR,
    AUDITOR,
    COMMITTEE,
    EDITOR,
    HEAD,
    REVIEWER,
    ROLES,
    STEWARD,
    permissions_of,
)
from measures.models import SignOffRule, TrailEvent, User
from measures.submission import State
from measures.tests.factories import (
    ISSUED,
    make_department,
    make_evaluation,
    make_measure,
    make_note,
    make_opinion,
    make_report,
    make_revision,
    make_round,
    make_section,
    make_staff,
    make_stage,
    make_state,
    make_superuser,
    make_synonym,
    make_theme,
    make_user,
    the_threshold,
)
from metrics.tests.factories import (
    make_bounds,
    make_indicator,
    make_no_figure,
    make_observation,
    make_pair,
    make_plan,
    make_table_mapping,
    make_target,
    make_unit,
    make_whole_check,
    make_withdrawal,
)

pytestmark = [
    pytest.mark.english,
    pytest.mark.once("who may do what is decided in Python, not by a database"),
    pytest.mark.long,
]

ACTORS = (
    "staff", "editor", "reviewer", "steward", "auditor", "administrator", "superuser", "committee",
    "head",
)  # fmt: skip
GROUPS = {
    "editor": EDITOR,
    "reviewer": REVIEWER,
    "steward": STEWARD,
    "auditor": AUDITOR,
    "administrator": ADMINISTRATOR,
    "committee": COMMITTEE,
    "head": HEAD,
}

# -    neither seen nor changed
# r    seen, not changed
# w    seen and changed
# x/y  x for the own department, y for the foreign one; for accounts: x for staff, y for superusers
#      w/r of a page that adds: it opens for the own department and takes nothing of a foreign one
# "staff" may sign in and has no role. Who is not signed in sees and changes nothing anywhere.
MATRIX = """
what                          page                    staff editor reviewer steward auditor administrator superuser    committee    head

site                          index                     r     r      r        r       r       r             r          r          r
site                          app_list:measures         -     r      r        r       r       r             r          r          r
site                          app_list:metrics          -     r      r        r       r       -             r          -          r
site                          app_list:auth             -     -      -        -       -       r             r          -          -
site                          jsi18n                    r     r      r        r       r       r             r          r          r
site                          password_change           r     r      r        r       r       r             r          r          r
site                          password_change_done      r     r      r        r       r       r             r          r          r
site                          typed-forget              -     -      -        -       -       -             -          -          -
site                          second_factor             w     w      w        w       w       w             w          w          w
site                          second_factor_code        -     -      -        -       -       -             -          -          -
autocomplete                  unscoped                  -     r      r        r       r       -             r          -          r
autocomplete                  scoped                    -     r/-    r        r       r       -             r          -          r/-
autocomplete                  department                -     r      r        r       r       r             r          -          r
autocomplete                  user                      -     -      -        -       -       r             r          -          -

framework                     changelist                -     r      r        r       r       -             r          -          r
framework                     history                   -     r      r        r       r       -             r          -          r
framework                     change                    -     r      r        w       r       -             w          -          r
framework                     add                       -     -      -        w       -       -             w          -          -
framework                     delete                    -     -      -        -       -       -             -          -          -
threshold                     changelist                -     r      r        r       r       -             r          -          r
threshold                     history                   -     r      r        r       r       -             r          -          r
threshold                     change                    -     r      r        w       r       -             w          -          r
threshold                     add                       -     -      -        -       -       -             -          -          -
threshold                     delete                    -     -      -        -       -       -             -          -          -
measure,indicator             changelist                -     r/-    r        r       r       -             r          -          r/-
measure,indicator             history                   -     r/-    r        r       r       -             r          -          r/-
measure,indicator             change                    -     r/-    r        w       r       -             w          -          r/-
measure,indicator             add                       -     -      -        w       -       -             w          -          -
measure,indicator             delete                    -     -      -        -       -       -             -          -          -
measure                       action:give_lead          -     -      -        w       -       -             w          -          -
measure                       withdraw                  -     -      -        w       -       -             w          -          -
indicator                     withdraw                  -     -      -        w       -       -             w          -          -
check                         withdraw                  -     -      -        w       -       -             w          -          -
indicator                     export                    -     r/-    r        r       r       -             r          -          r/-
observation                   export                    -     r/-    r        r       r       -             r          -          r/-
indicator                     import                    -     -      -        w       -       -             w          -          -
observation                   import                    -     w/r    -        -       -       -             w          -          -

entry                         changelist                -     r/-    r        r       r       -             r          -          r/-
entry                         history                   -     r/-    r        r       r       -             r          -          r/-
entry                         change                    -     w/-    r        r       r       -             w          -          r/-
entry                         change:submitted          -     r/-    r        r       r       -             r          -          r/-
entry                         change:published          -     r/-    r        r       r       -             r          -          r/-
entry                         add                       -     w/r    -        -       -       -             w          -          -
entry                         delete                    -     w/-    -        -       -       -             w          -          -
entry                         delete:submitted          -     -      -        -       -       -             -          -          -
entry                         delete:published          -     -      -        -       -       -             -          -          -
entry                         step:submit               -     w/-    -        -       -       -             w          -          -
entry                         step:recall               -     w/-    -        -       -       -             w          -          -
entry                         step:publish              -     -      w        -       -       -             w          -          -
entry                         step:return               -     -      w        -       -       -             w          -          -
entry                         step:correct              -     w/-    -        -       -       -             w          -          -
entry                         step:withdraw             -     w/-    -        w       -       -             w          -          -
entry                         action:submit_selected    -     w/-    -        -       -       -             w          -          -
target                        changelist                -     r/-    r        r       r       -             r          -          r/-
target                        history                   -     r/-    r        r       r       -             r          -          r/-
target                        change                    -     r/-    r        w       r       -             w          -          r/-
target                        change:submitted          -     r/-    r        r       r       -             r          -          r/-
target                        change:published          -     r/-    r        r       r       -             r          -          r/-
target                        add                       -     -      -        w       -       -             w          -          -
target                        delete                    -     -      -        w       -       -             w          -          -
target                        delete:submitted          -     -      -        -       -       -             -          -          -
target                        delete:published          -     -      -        -       -       -             -          -          -
target                        step:submit               -     -      -        w       -       -             w          -          -
target                        step:recall               -     -      -        w       -       -             w          -          -
target                        step:publish              -     -      w        -       -       -             w          -          -
target                        step:return               -     -      w        -       -       -             w          -          -
target                        step:correct              -     -      -        w       -       -             w          -          -
target                        step:withdraw             -     -      -        w       -       -             w          -          -
target                        action:submit_selected    -     -      -        w       -       -             w          -          -
withdrawal                    changelist                -     r/-    r        r       r       -             r          -          r/-
withdrawal                    history                   -     r/-    r        r       r       -             r          -          r/-
withdrawal                    change                    -     w/-    r        w       r       -             w          -          r/-
withdrawal                    change:submitted          -     r/-    r        r       r       -             r          -          r/-
withdrawal                    change:published          -     r/-    r        r       r       -             r          -          r/-
withdrawal                    add                       -     -      -        -       -       -             -          -          -
withdrawal                    delete                    -     w/-    -        w       -       -             w          -          -
withdrawal                    delete:submitted          -     -      -        -       -       -             -          -          -
withdrawal                    delete:published          -     -      -        -       -       -             -          -          -
withdrawal                    step:submit               -     w/-    -        w       -       -             w          -          -
withdrawal                    step:recall               -     w/-    -        w       -       -             w          -          -
withdrawal                    step:publish              -     -      w        -       -       -             w          -          -
withdrawal                    step:return               -     -      w        -       -       -             w          -          -
withdrawal                    step:correct              -     w/-    -        w       -       -             w          -          -
withdrawal                    step:withdraw             -     -      -        -       -       -             -          -          -
withdrawal                    action:submit_selected    -     w/-    -        w       -       -             w          -          -
revision                      changelist                -     r      r        r       r       -             r          -          r
revision                      history                   -     r      r        r       r       -             r          -          r
revision                      change                    -     r      r        w       r       -             w          -          r
revision                      change:submitted          -     r      r        r       r       -             r          -          r
revision                      change:published          -     r      r        r       r       -             r          -          r
revision                      add                       -     -      -        -       -       -             -          -          -
revision                      delete                    -     -      -        w       -       -             w          -          -
revision                      delete:submitted          -     -      -        -       -       -             -          -          -
revision                      delete:published          -     -      -        -       -       -             -          -          -
revision                      step:submit               -     -      -        w       -       -             w          -          -
revision                      step:recall               -     -      -        w       -       -             w          -          -
revision                      step:publish              -     -      w        -       -       -             w          -          -
revision                      step:return               -     -      w        -       -       -             w          -          -
revision                      step:correct              -     -      -        -       -       -             -          -          -
revision                      step:withdraw             -     -      -        -       -       -             -          -          -
revision                      action:submit_selected    -     -      -        w       -       -             w          -          -

opinionstage,evaluation       changelist                -     -      -        -       r       -             r          r          -
opinionstage,evaluation       history                   -     -      -        -       r       -             r          r          -
opinionstage,evaluation       change                    -     -      -        -       r       -             w          w          -
opinionstage,evaluation       change:submitted          -     -      -        -       r       -             r          r          -
opinionstage,evaluation       change:published          -     -      -        -       r       -             r          r          -
opinionstage,evaluation       add                       -     -      -        -       -       -             w          w          -
opinionstage,evaluation       delete                    -     -      -        -       -       -             w          w          -
opinionstage,evaluation       delete:submitted          -     -      -        -       -       -             -          -          -
opinionstage,evaluation       delete:published          -     -      -        -       -       -             -          -          -
opinionstage,evaluation       step:submit               -     -      -        -       -       -             w          w          -
opinionstage,evaluation       step:recall               -     -      -        -       -       -             w          w          -
opinionstage,evaluation       step:publish              -     -      -        -       -       -             w          w          -
opinionstage,evaluation       step:return               -     -      -        -       -       -             w          w          -
opinionstage,evaluation       step:correct              -     -      -        -       -       -             w          w          -
opinionstage,evaluation       step:withdraw             -     -      -        -       -       -             -          -          -
opinionstage,evaluation       action:submit_selected    -     -      -        -       -       -             w          w          -

round                         changelist                -     r      r        r       r       -             r          -          r
round                         history                   -     r      r        r       r       -             r          -          r
round                         change                    -     r      r        w       r       -             w          -          r
round                         add                       -     -      -        w       -       -             w          -          -
round                         delete                    -     -      -        -       -       -             w          -          -
rule                          changelist                -     r      r        r       r       -             r          -          r
rule                          history                   -     r      r        r       r       -             r          -          r
rule                          change                    -     r      r        w       r       -             w          -          r
rule                          add                       -     -      -        w       -       -             w          -          -
rule                          delete                    -     -      -        w       -       -             w          -          -
rule                          action:delete_selected    -     -      -        w       -       -             w          -          -
tablemapping                  changelist                -     r/-    r        r       r       -             r          -          r/-
tablemapping                  history                   -     r/-    r        r       r       -             r          -          r/-
tablemapping                  change                    -     r/-    r        r       r       -             r          -          r/-
tablemapping                  add                       -     -      -        -       -       -             -          -          -
tablemapping                  delete                    -     -      -        -       -       -             -          -          -
round                         action:delete_selected    -     -      -        -       -       -             w          -          -
round                         action:lock               -     -      -        w       -       -             w          -          -
round                         action:unlock             -     -      -        w       -       -             w          -          -

department                    changelist                -     r      r        r       r       r             r          -          r
department                    history                   -     r      r        r       r       r             r          -          r
department                    change                    -     r      r        w       r       w             w          -          r
department                    add                       -     -      -        -       -       w             w          -          -
department                    delete                    -     -      -        -       -       -             -          -          -
department                    action:move_measures      -     -      -        w       -       -             w          -          -
department                    action:move_staff         -     -      -        -       -       w             w          -          -
user                          changelist                -     -      -        -       -       r             r          -          -
user                          history                   -     -      -        -       -       r             r          -          -
user                          change                    -     -      -        -       -       w/r           w          -          -
user                          add                       -     -      -        -       -       w             w          -          -
user                          delete                    -     -      -        -       -       -             -          -          -
user                          password                  -     -      -        -       -       w/-           w          -          -
user                          invite                    -     -      -        -       -       w/-           w          -          -
user                          action:invite_selected    -     -      -        -       -       -             -          -          -
user                          action:hand_over          -     -      -        -       -       w/-           w/-        -          -
user                          action:hand_over_and_end  -     -      -        -       -       w/-           w          -          -
user                          action:remove_second_factors  - -      -        -       -       w/-           w          -          -
group                         changelist                -     -      -        -       -       r             r          -          -
group                         history                   -     -      -        -       -       r             r          -          -
group                         change                    -     -      -        -       -       w             w          -          -
group                         add                       -     -      -        -       -       -             -          -          -
group                         delete                    -     -      -        -       -       -             -          -          -
trailevent                    changelist                -     -      -        -       r       -             r          -          -
trailevent                    history                   -     -      -        -       r       -             r          -          -
trailevent                    change                    -     -      -        -       r       -             r          -          -
trailevent                    add                       -     -      -        -       -       -             -          -          -
trailevent                    delete                    -     -      -        -       -       -             -          -          -
trailevent                    export                    -     -      -        -       r       -             r          -          -

signoffrule                   changelist                -     r      r        r       r       r             r          -          r
signoffrule                   history                   -     r      r        r       r       r             r          -          r
signoffrule                   change                    -     r      r        r       r       r             r          -          r
signoffrule                   add                       -     -      -        -       -       w             w          -          -
signoffrule                   delete                    -     -      -        -       -       w             w          -          -
signoffrule                   action:delete_selected    -     -      -        -       -       w             w          -          -

desk                          sign-off                  -     -      -        -       -       -             w          -          w/-
desk                          review                    -     -      w        -       -       -             w          -          -
desk                          review-return             -     -      w        -       -       -             w          -          -
desk                          review:word               -     -      -        -       -       -             w          w          -
desk                          review-return:word        -     -      -        -       -       -             w          w          -
desk                          completeness              -     -      r        r       r       -             r          -          -
desk                          entry-sheet               -     w/-    -        -       -       -             w          -          -
desk                          guide                     r     r      r        r       r       r             r          r          r
desk                          evidence                  -     r/-    r        r       r       -             r          -          r/-
desk                          upload-template           -     r/-    -        -       -       -             r          -          -
desk                          upload                    -     w/-    -        -       -       -             w          -          -
desk                          own-table                 -     w/-    -        w       -       -             w          -          -
desk                          report-template           -     r/-    -        r       -       -             r          -          -
desk                          report-upload             -     w/r    -        w       -       -             w          -          -
desk                          rows-file:accounts        -     -      -        -       -       r             r          -          -
desk                          rows:accounts             -     -      -        -       -       w             w          -          -
desk                          rows-file:leads           -     -      -        r       -       -             r          -          -
desk                          rows:leads                -     -      -        w       -       -             w          -          -
desk                          rows-file:measures        -     -      -        r       -       -             r          -          -
desk                          rows:measures             -     -      -        w       -       -             w          -          -
desk                          rows-file:synonyms        -     -      -        r       -       -             r          -          -
desk                          rows:synonyms             -     -      -        w       -       -             w          -          -
desk                          rows-file:targets         -     -      -        r       -       -             r          -          -
desk                          rows:targets              -     -      -        w       -       -             w          -          -
"""  # noqa: E501

#: Pages that are the same for everybody or only lead to another page, and why that is no danger
OPEN = {
    "login": "asks who you are",
    "logout": "ends the own session",
    "invitation": "asks for the secret of a one-time link",
    "view_on_site": "leads to the public page of a row, which says itself who may see it",
}


@dataclass(eq=False)
class Line:
    """What a role may do on one page, as in the matrix."""

    kind: str
    page: str
    cells: dict[str, str]
    #: The line of the matrix, and all kinds of which it tells.
    number: int
    kinds: list[str]
    #: Among all, for taking turns.
    place: int

    def allowed(self, actor: str, whose: str) -> str:
        own, _slash, foreign = self.cells.get(actor, "-").partition("/")
        return own if whose == "own" else foreign or own


@dataclass
class Attempt:
    """One page: where it is, what to send there, and what must be on it to count as seen.

    ``read_by_post``: what the page has to tell comes only as the answer to what was sent.
    ``send``: sends what cannot be told before, as function of the browser.
    """

    address: str
    typed: dict = field(default_factory=dict)
    mark: str = ""
    read_by_post: bool = False
    send: Callable | None = None


#: Kinds of rows that are all treated alike
ALIKE = {
    "entry": "progressnote,observation,nofigure,measurestate",
    "framework": "opinion,report,section,theme,unit,plan,check",
    "rule": "synonym,usualbounds,compulsorypair",
}


def lines() -> list[Line]:
    _heading, *rows = [row.split() for row in MATRIX.splitlines() if row.strip()]
    found = [
        (kind, page, dict(zip(ACTORS, cells, strict=True)), number, kinds)
        for number, (what, page, *cells) in enumerate(rows)
        for kinds in [ALIKE.get(what, what).split(",")]
        for kind in kinds
    ]
    return [Line(*told, place) for place, told in enumerate(found)]


LINES = lines()
#: Whose row it is makes no difference to anybody, and to none of its pages.
OF_NO_DEPARTMENT = frozenset(
    {
        "check", "compulsorypair", "evaluation", "opinion", "opinionstage", "plan", "report",
        "revision", "round", "section", "synonym", "theme", "threshold", "trailevent", "unit",
        "usualbounds",
    }
)  # fmt: skip
MODELS = {
    model._meta.model_name: model
    for label in ("auth", "measures", "metrics")
    for model in apps.get_app_config(label).get_models()
}


# The rows that are attacked


def entries(make, *, other, **fields) -> dict:
    """A row in each state that matters, entered by ``other``."""
    fields |= {"entered_by": other, "changed_by": other}
    return {
        "draft": make(**fields),
        "submitted": make(state=State.SUBMITTED, **fields),
        "published": make(published=ISSUED, **fields),
    }


def rows_of(whose, department, other) -> dict:
    """A row of every kind; those that belong to a measure are led by ``department``."""
    names = {"name": f"Mark-{whose}", "name_en": f"Mark-{whose}"}
    measure = make_measure(lead=department, **names)
    indicator = make_indicator(measure=measure, **names)
    staffed, days, signing = make_department(), count(1), make_department()
    staffed.members.add(make_user())
    return {
        "opinion": make_opinion(),
        "report": make_report(),
        "section": make_section(),
        "theme": make_theme(),
        "unit": make_unit(),
        "plan": make_plan(),
        "threshold": the_threshold(),
        "check": make_whole_check(indicator=indicator),
        "round": make_round(),
        "synonym": make_synonym(),
        "usualbounds": make_bounds(),
        "compulsorypair": make_pair(
            first=make_indicator(measure=measure), second=make_indicator(measure=measure)
        ),
        "tablemapping": make_table_mapping(department=department, name=f"Mark-{whose}"),
        "locked round": make_round(locked=True),
        "department": make_department(),
        "measure": make_measure(lead=department, **names),
        "indicator": make_indicator(measure=measure, unit=make_unit(name=f"单位{whose}"), **names),
        "progressnote": entries(make_note, measure=measure, other=other),
        # The committee's word is of no department; every row is like its own.
        "opinionstage": entries(make_stage, other=other),
        "evaluation": entries(make_evaluation, other=other),
        "observation": entries(make_observation, indicator=indicator, other=other),
        # There is one of a period.
        "nofigure": entries(
            lambda **row: make_no_figure(
                indicator=indicator, period_end=date(2022, 12, next(days)), **row
            ),
            other=other,
        ),
        "measurestate": entries(make_state, measure=measure, other=other),
        "target": entries(make_target, indicator=indicator, other=other),
        "revision": entries(make_revision, other=other),
        "withdrawal": {
            state: make_withdrawal(make_note(measure=measure, published=ISSUED), **row)
            for state, row in {
                "draft": {"entered_by": other, "changed_by": other},
                "submitted": {"state": State.SUBMITTED, "entered_by": other, "changed_by": other},
                "published": {"published": ISSUED, "entered_by": other, "changed_by": other},
            }.items()
        },
        "signoffrule": SignOffRule.objects.create(department=signing),
        "signed": entries(
            make_observation,
            indicator=make_indicator(
                measure=make_measure(lead=signing),
                name=f"Signed-{whose}",
                name_en=f"Signed-{whose}",
            ),
            other=other,
        ),
        "trailevent": TrailEvent.objects.create(actor_name="li", action="entered"),
        "group": Group.objects.get(name=EDITOR if whose == "own" else REVIEWER),
        "lead": department,
        "staffed": staffed,
        "due": make_indicator(measure=measure, **names),
        "proof": make_observation(
            indicator=indicator, evidence_file=ContentFile(f"proof of {whose}".encode(), "a.pdf")
        ),
    }


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker, tmp_path_factory):
    """The actors and the rows, made once; whatever a test does to them is undone after it."""
    folder = override_settings(MEDIA_ROOT=tmp_path_factory.mktemp("files"))
    with django_db_blocker.unblock(), folder, transaction.atomic():
        own, foreign, other = make_department(), make_department(), make_user()
        actors = {
            actor: make_staff(*filter(None, [GROUPS.get(actor)]), departments=[own])
            for actor in ACTORS
            if actor != "superuser"
        }
        actors["superuser"] = make_superuser()
        rows = {"own": rows_of("own", own, other), "foreign": rows_of("foreign", foreign, other)}
        # The rule needs a head in the department.
        make_staff(HEAD, departments=[foreign])
        rows["own"]["signoffrule"].department.members.add(actors["head"])
        rows["own"]["user"] = make_staff(EDITOR, departments=[own])
        rows["foreign"]["user"] = make_staff(EDITOR, departments=[own], is_superuser=True)
        for whose in rows:
            begun = {name: rows[whose]["user"] for name in ("entered_by", "changed_by")}
            make_note(measure=rows["own"]["measure"], **begun)
            rows[whose]["heir"] = make_superuser()
            TOTPDevice.objects.create(user=rows[whose]["user"], confirmed=True)
        # The last quarter of 2023, in which yearly figures are due
        period = {"period_start": date(2023, 10, 1), "period_end": date(2023, 12, 31)}
        opens = {"opens_on": date(2024, 1, 1), "due_on": date(2024, 1, 15)}
        round_ = make_round(**period, **opens)
        browsers = {actor: browser_of(user) for actor, user in actors.items()}
        browsers["anonymous"] = Client()
        yield SimpleNamespace(
            actors=actors,
            rows=rows,
            round=round_,
            browsers=browsers,
            before=database(),
            remembered={},
            attempts={},
        )
        transaction.set_rollback(True)


def row_of(world, whose, kind, state="draft"):
    row = world.rows[whose][kind]
    return row[state] if isinstance(row, dict) else row


# What to type on the pages

CHANGES = {
    "progressnote": {"text": "改过"},
    "observation": {"as_written": "7家", "value": ""},
    "nofigure": {"note": "改过"},
    "target": {"value": "7"},
    "opinionstage": {"note": "改过"},
    "evaluation": {"satisfied": "7"},
    "revision": {"reason": "改过"},
    "threshold": {"value": "15"},
    "synonym": {"meaning": "改过"},
    "usualbounds": {"least": "0"},
    "measurestate": {"reason": "改过"},
    "withdrawal": {"reason": "改过"},
    "user": {"username": "changed"},
    "group": {"require_second_factor": "on"},
}
NEW = {
    "opinion": {"number": "宝会〔2001〕9999号"},
    "report": {"number": "宝府〔2001〕9999号"},
    "section": {"order": "9999"},
    "theme": {"order": "9999"},
    "measure": {"order": "9999"},
    "indicator": {"order": "9999"},
    "observation": {"period_start": "2021-01-01", "period_end": "2021-12-31"},
    "nofigure": {"period_start": "2021-01-01", "period_end": "2021-12-31"},
    "target": {"due_on": "2023-06-30"},
    "opinionstage": {"stage": "closed"},
    "measurestate": {"since": "2023-05-31"},
    "synonym": {"term": "别的说法"},
    "user": {
        "username": "added",
        "usable_password": "true",
        "password1": "hX7-tulip-9",
        "password2": "hX7-tulip-9",
    },
    "trailevent": {"actor_name": "li", "action": "entered", "address": "10.0.0.9"},
    "group": {"name": "added"},
}


def as_superuser(world, method, *what):
    browser = world.browsers["superuser"]
    with undone(browser):
        return getattr(browser, method)(*what)


def form_of(world, whose, kind) -> dict:
    """What the form of a row would send if a superuser opened it."""
    if (whose, kind) not in world.remembered:
        page = as_superuser(world, "get", desk(row_of(world, whose, kind), "change"))
        world.remembered[whose, kind] = filled_in(page)
    return dict(world.remembered[whose, kind])


def figures_of(check, *, are_new=False) -> dict:
    """The figures of ``check`` as its form sends them, or as the form of a new one would."""
    terms = list(check.terms.all())
    typed = {"terms-TOTAL_FORMS": len(terms), "terms-INITIAL_FORMS": 0 if are_new else len(terms)}
    for n, term in enumerate(terms):
        typed |= {f"terms-{n}-role": term.role, f"terms-{n}-indicator": term.indicator_id}
        if not are_new:
            typed |= {f"terms-{n}-id": term.pk, f"terms-{n}-check_of": check.pk}
    return typed


def model_page(world, line, whose) -> Attempt:
    """A page that Django's admin has for every model."""
    kind, (page, _colon, more) = line.kind, line.page.partition(":")
    scoped = kind in {
        "measure", "indicator", "progressnote", "observation", "measurestate", "target",
        "withdrawal", "tablemapping", "nofigure",
    }  # fmt: skip
    mark = f"Mark-{whose}" if scoped else ""
    changes = CHANGES.get(kind, {"name_en": "Changed"})
    if page == "changelist":
        return Attempt(desk(MODELS[kind], page), mark=mark)
    if page == "add":
        typed = form_of(world, whose, kind) | changes | {"code": "added"} | NEW.get(kind, {})
        if kind == "signoffrule":
            typed["department"] = world.rows[whose]["lead"].pk
        if kind == "usualbounds":
            typed["indicator"] = world.rows[whose]["due"].pk
        if kind == "compulsorypair":
            typed["first"] = world.rows[whose]["due"].pk
        if kind == "check":
            typed |= figures_of(row_of(world, whose, kind), are_new=True)
        return Attempt(desk(MODELS[kind], page), typed)
    if page == "action":
        return action(world, kind, whose, more)
    if page == "export":
        address, code = desk(MODELS[kind], page), getattr(row_of(world, whose, kind), "code", "")
        return Attempt(address, export_form(world, address), code, read_by_post=True)
    if page == "import":
        return Attempt(desk(MODELS[kind], page), send=importing(world, kind, whose))
    if page == "step":
        states = {"submit": "draft", "correct": "published", "withdraw": "published"}
        state = states.get(more, "submitted")
        row = row_of(world, whose, kind, state)
        typed = {"seen": str(row.version), "reason": "理由"}
        return Attempt(desk(row, "step", more), typed)
    row = row_of(world, whose, kind, more or "draft")
    if page == "change":
        typed = form_of(world, whose, kind) | changes
        if kind == "check":
            typed |= figures_of(row)
        if kind == "compulsorypair":
            typed["first"] = world.rows[whose]["due"].pk
        if kind == "department":
            # Each of two roles changes a part of it.
            typed["members"] = [world.rows[whose]["user"].pk]
        return Attempt(desk(row, page), typed)
    if page == "withdraw":
        return Attempt(desk(row, page), {"reason": "理由"})
    if page == "delete":
        seen = {"seen": str(row.version)} if hasattr(row, "version") else {}
        return Attempt(desk(row, page), {"post": "yes", **seen})
    return Attempt(desk(row, page))


def action(world, kind, whose, name) -> Attempt:
    row = row_of(world, whose, kind, "draft")
    if name == "unlock":
        row = world.rows[whose]["locked round"]
    typed = {"action": name, "_selected_action": [row.pk], "index": "0", "post": "yes"}
    if kind == "measure":
        typed["to"] = world.rows[whose]["department"].code
    if kind == "user":
        typed["to"] = world.rows[whose]["heir"].username
    if kind == "department":
        moved = {"move_measures": "lead", "move_staff": "staffed"}[name]
        typed |= {"to": row.code, "_selected_action": [world.rows[whose][moved].pk]}
    return Attempt(desk(MODELS[kind], "changelist"), typed)


def export_form(world, address) -> dict:
    """Everything as csv, as the page of a superuser offers it."""
    form = as_superuser(world, "get", address).context["form"]
    ticked = {name: "on" for name, box in form.fields.items() if isinstance(box, BooleanField)}
    formats = {str(name): str(n) for n, name in form.fields["format"].choices}
    return {"format": formats["csv"], "resource": "0", **ticked}


def importing(world, kind, whose) -> Callable:
    """Sends the line of one row, as a superuser exports it, with another figure or name."""
    export = desk(MODELS[kind], "export")
    row = row_of(world, whose, kind)
    told, changed = ("5家", "7家") if kind == "observation" else (row.name_en, "Changed")
    file = as_superuser(world, "post", export, export_form(world, export))
    lines = file.getvalue().decode("utf-8-sig").splitlines()
    line = next(line for line in lines if row.code in line)
    content = "\n".join([lines[0], line.replace(told, changed)]).encode()

    def send(browser):
        chosen = {"format": "0", "resource": "0"}
        file = SimpleUploadedFile("a.csv", content)
        page = browser.post(desk(MODELS[kind], "import"), {"import_file": file, **chosen})
        if page.status_code == 200 and "confirm_form" in page.context:
            address = reverse(f"admin:metrics_{kind}_process_import")
            return browser.post(address, chosen | page.context["confirm_form"].initial)
        return page

    return send


def user_password(world, line, whose) -> Attempt:
    typed = {"usable_password": "true", "password1": "hX7-tulip-9", "password2": "hX7-tulip-9"}
    address = reverse("admin:auth_user_password_change", args=[world.rows[whose]["user"].pk])
    return Attempt(address, typed)


def user_invite(world, line, whose) -> Attempt:
    key = world.rows[whose]["user"].pk
    address = reverse("admin:measures_user_invite", query={"ids": key})
    return Attempt(address, {"ids": str(key), "way": "print"})


def rows_file(world, line, whose) -> Attempt:
    address = reverse("admin:rows-file", args=[line.page.partition(":")[2], "csv"])
    return Attempt(address, read_by_post=True)


def rows_upload(world, line, whose) -> Attempt:
    """A file of one row of that kind."""
    kind, rows = line.page.partition(":")[2], world.rows[whose]
    address, measure = reverse("admin:rows", args=[kind]), rows["measure"].code
    due = rows["due"].code
    text = {
        "accounts": "username,roles\nby-file,auditor\n",
        "leads": f"code,lead\n{measure},{rows['department'].code}\n",
        "measures": f"measure_code,measure\n{measure},改过\n",
        "synonyms": "term,meaning\n别的说法,改过\n",
        "targets": f"indicator_code,plan,source_name\n{due},{rows['plan'].code},方案\n",
    }[kind]

    def send(browser):
        page = browser.post(address, {"file": SimpleUploadedFile("q.csv", text.encode())})
        if page.status_code != 200 or not (confirm := page.context["confirm"]):
            return page
        return browser.post(address, {"preview": confirm["preview"].value(), "submit": "0"})

    return Attempt(address, send=send)


def site_page(world, line, whose) -> Attempt:
    page, _colon, label = line.page.partition(":")
    return Attempt(reverse(f"admin:{page}", args=[label] if label else []))


def autocomplete(world, line, whose) -> list[Attempt]:
    """Every field that offers rows of that kind while one types."""
    return [
        Attempt(
            reverse("admin:autocomplete", query=asked),
            mark=f"Mark-{whose}" if line.page == "scoped" else "results",
        )
        for asked, page in AUTOCOMPLETES
        if page == line.page
    ]


def review(world, line, whose) -> Attempt:
    row = row_of(world, whose, "observation", "submitted")
    typed = {"row": [f"observation:{row.pk}:{row.version}"], "publish": "1"}
    return Attempt(reverse("admin:review"), typed, mark=f"Mark-{whose}")


def sign_off(world, line, whose) -> Attempt:
    row = row_of(world, whose, "signed", "submitted")
    typed = {"row": [f"observation:{row.pk}:{row.version}"]}
    return Attempt(reverse("admin:sign-off"), typed, mark=f"Signed-{whose}")


def review_return(world, line, whose) -> Attempt:
    row = row_of(world, whose, "observation", "submitted")
    address = reverse("admin:review-return", args=["observation", row.pk])
    return Attempt(address, {"seen": row.version, "reason": "理由"})


def review_word(world, line, whose) -> list[Attempt]:
    """What the committee's office reviews; to everybody else the queue is without it."""
    found = []
    for kind in ("opinionstage", "evaluation"):
        row = row_of(world, whose, kind, "submitted")
        typed = {"row": [f"{kind}:{row.pk}:{row.version}"], "publish": "1"}
        found.append(Attempt(reverse("admin:review"), typed, mark=f"{kind}-{row.pk}"))
    return found


def review_return_word(world, line, whose) -> list[Attempt]:
    rows = [row_of(world, whose, kind, "submitted") for kind in ("opinionstage", "evaluation")]
    return [
        Attempt(
            reverse("admin:review-return", args=[row._meta.model_name, row.pk]),
            {"seen": row.version, "reason": "理由"},
        )
        for row in rows
    ]


def evidence(world, line, whose) -> Attempt:
    name = world.rows[whose]["proof"].evidence_file.name.partition("/observation/")[2]
    address = reverse("admin:evidence", args=["observation", name])
    return Attempt(address, mark=f"proof of {whose}")


def entry_sheet(world, line, whose) -> Attempt:
    address = reverse("admin:entry-sheet", args=[world.round.code, world.rows[whose]["lead"].code])
    sheet = as_superuser(world, "get", address).context["sheet"]
    due = world.rows[whose]["due"]
    row = next(row for row in sheet.rows if row.subject == due)
    typed = {"figure": "7", "certainty": "actual", "seen": row.seen}
    typed = {f"{row.prefix}-{name}": text for name, text in typed.items()} | {"save": ""}
    return Attempt(address, typed, mark=f"Mark-{whose}")


def upload_template(world, line, whose) -> Attempt:
    place = [world.round.code, world.rows[whose]["lead"].code, "csv"]
    return Attempt(reverse("admin:upload-template", args=place), mark=f"Mark-{whose}")


def upload(world, line, whose) -> Attempt:
    place = [world.round.code, world.rows[whose]["lead"].code]
    address = reverse("admin:upload", args=place)
    code = world.rows[whose]["due"].code

    def send(browser):
        file = SimpleUploadedFile("q.csv", f"代码,本期数值\n{code},7\n".encode())
        page = browser.post(address, {"file": file})
        if page.status_code != 200:
            return page
        confirm = page.context["confirm"]
        return browser.post(address, {"preview": confirm["preview"].value(), "submit": "0"})

    return Attempt(address, send=send)


def own_table(world, line, whose) -> Attempt:
    """A table of one row, kept as it is guessed."""
    department, due = world.rows[whose]["lead"], world.rows[whose]["due"]
    address = reverse("admin:own-table", args=[world.round.code, department.code])

    def send(browser):
        text = f"指标名称,计量单位,2023年四季度\n{due.name},{due.unit.name},7\n"
        page = browser.post(address, {"file": SimpleUploadedFile("q.csv", text.encode())})
        if page.status_code != 302 or "?file=" not in page.url:
            return page
        form = browser.get(page.url).context["shown"].form
        sent = {name: "" if value is None else value for name, value in form.initial.items()}
        return browser.post(page.url, {**sent, "code-2": due.code, "keep": ""})

    return Attempt(address, send=send)


def report_template(world, line, whose) -> Attempt:
    report = world.rows[whose]["report"]
    address = reverse("admin:report-template", args=[report.code, "csv"])
    # Like an export: a file of the own rows, whoever's the report is.
    return Attempt(address, mark=f"Mark-{whose}", read_by_post=True)


def report_upload(world, line, whose) -> Attempt:
    """The page is of a report, which is of no department; the row is of one."""
    address = reverse("admin:report-upload", args=[world.rows[whose]["report"].code])
    due = world.rows[whose]["due"]
    place = f"{due.measure.theme.number}/1"

    def send(browser):
        text = f"place,indicator,figure,period_start,period_end\n{place},{due.code},7,2022-01-01,"
        file = SimpleUploadedFile("q.csv", f"{text}2022-12-31\n".encode())
        page = browser.post(address, {"file": file})
        if page.status_code != 200 or not (confirm := page.context["confirm"]):
            return page
        return browser.post(address, {"preview": confirm["preview"].value(), "submit": "0"})

    return Attempt(address, send=send)


PAGES = {
    ("user", "password"): user_password,
    ("desk", "review"): review,
    ("desk", "sign-off"): sign_off,
    ("desk", "review-return"): review_return,
    ("desk", "review:word"): review_word,
    ("desk", "review-return:word"): review_return_word,
    ("desk", "entry-sheet"): entry_sheet,
    ("desk", "completeness"): site_page,
    ("desk", "guide"): site_page,
    ("desk", "evidence"): evidence,
    ("desk", "upload-template"): upload_template,
    ("desk", "upload"): upload,
    ("desk", "own-table"): own_table,
    ("desk", "report-template"): report_template,
    ("desk", "report-upload"): report_upload,
    ("user", "invite"): user_invite,
    **{("desk", f"rows-file:{kind}"): rows_file for kind in ROWS},
    **{("desk", f"rows:{kind}"): rows_upload for kind in ROWS},
}
KINDS = {"site": site_page, "autocomplete": autocomplete}


def attempts(world, line, whose) -> list[Attempt]:
    """The same for every actor, so made once."""
    key = line.kind, line.page, whose
    if key not in world.attempts:
        build = PAGES.get((line.kind, line.page)) or KINDS.get(line.kind, model_page)
        built = build(world, line, whose)
        world.attempts[key] = built if isinstance(built, list) else [built]
    return world.attempts[key]


# What comes of an attempt


#: The portal's own tables and those of its accounts
TABLES = {
    model._meta.db_table: model
    for label in ("auth", "measures", "metrics", "otp_totp")
    for model in apps.get_app_config(label).get_models(include_auto_created=True)
}
#: How a statement begins that cannot change a row
READING = ("SELECT ", "SAVEPOINT ", "RELEASE SAVEPOINT ", "ROLLBACK TO SAVEPOINT ")


def contents(table: str) -> list[tuple]:
    return list(TABLES[table]._base_manager.order_by("pk").values_list())


def database() -> dict:
    return {table: contents(table) for table in TABLES}


@contextmanager
def watched():
    """Gives the tables that any statement names which is more than reading.

    Whether their rows really changed is to be looked at; the rows of all others did not.
    """
    named = set()

    def note(execute, sql, params, many, context):
        if not sql.startswith(READING):
            named.update(table for table in TABLES if table in sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield named


@contextmanager
def undone(browser):
    """Whatever happens inside has not happened; ``browser`` is signed in as before."""
    cookies = browser.cookies.output(header="")
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
    browser.cookies = SimpleCookie(cookies)


def touches(browser, send, before) -> tuple[object, set[str]]:
    """What comes of ``send``, and the tables that it changes."""
    with undone(browser):
        with watched() as named:
            answer = send(browser)
        return answer, {table for table in named if contents(table) != before[table]}


TRAIL = TrailEvent._meta.db_table
LETTERS = {
    (False, False): "-",
    (True, False): "r",
    (True, True): "w",
    (False, True): "changed without being seen",
}


EVERYBODY = ("anonymous", *ACTORS)
PERMISSIONS = {
    actor: frozenset(permissions_of(GROUPS[actor]) if actor in GROUPS else ())
    for actor in EVERYBODY
    if actor != "superuser"
}


@cache
def permissions(line, actor) -> frozenset[str]:
    """What ``actor`` may do to rows such as the page is about, or at all if it is about none."""
    if actor == "superuser":
        return frozenset({"everything"})
    held, kind = PERMISSIONS[actor], line.kinds[0]
    if kind not in MODELS:
        return held
    return frozenset(label for label in held if label.endswith(f"_{kind}"))


def alike(line, actor) -> list[str]:
    """Who has the same right on that page as ``actor``."""
    cell = line.cells.get(actor, "-")
    return [one for one in EVERYBODY if line.cells.get(one, "-") == cell]


@cache
def takes_turns(line, actor) -> list[str]:
    """Who is tried on that page with the same right as ``actor``.

    Of those who are allowed something one with the same permissions; of those who are refused one
    who has any, and one who has none.
    """
    return one_of_each(
        alike(line, actor), lambda one: in_turns(line, one, actor), first=line.number
    )


def in_turns(line, one, actor) -> frozenset[str] | bool:
    """What those have in common who take turns with ``one``, who has the same right as ``actor``"""
    held = permissions(line, one)
    return bool(held) if line.cells.get(actor, "-") == "-" else held


def tries(line, actor) -> bool:
    """Whether ``actor`` is tried there: of the kinds that one line tells of at one, by turns.

    Each kind is tried by somebody with that right, so where these are fewer, by one at several.
    """
    same, kinds = takes_turns(line, actor), line.kinds
    if actor not in same:
        return False
    who, which = same.index(actor), kinds.index(line.kind)
    if len(same) >= len(kinds):
        return WHOLE or (who + line.number) % len(kinds) == which
    return WHOLE or (which + line.number) % len(same) == who


@cache
def triers(line, actor) -> list[str]:
    """Who is tried there of those with the same right as ``actor``."""
    return [one for one in alike(line, actor) if tries(line, one)]


def sides(line, actor) -> list[str]:
    """Whose rows ``actor`` is tried at: the own and the foreign, or one where both are alike."""
    both = ["own", "foreign"]
    if "/" in line.cells.get(actor, "-"):
        return both
    return some(both, every=2, first=line.place + triers(line, actor).index(actor))


def opens(line, actor) -> bool:
    """Whether ``actor`` opens the page, too: of those with the same right one, by turns, at one of
    the kinds of the line. Who may only read, and was shown nothing, always does.
    """
    if WHOLE:
        return True
    if line.kind != line.kinds[line.number % len(line.kinds)]:
        return False
    same = triers(line, actor)
    return (line.place // 2 + same.index(actor)) % len(same) == 0


def sends(line, actor) -> bool:
    """Whether ``actor`` sends something, too: of those who may only read one, by turns."""
    if WHOLE or line.cells.get(actor, "-") not in {"r", "r/-"}:
        return True
    same = triers(line, actor)
    return same[line.number % len(same)] == actor


def tried_by(line, actor, attempts) -> list[Attempt]:
    """Of many fields that offer rows each is tried by somebody with that right, by turns."""
    if line.kind != "autocomplete":
        return attempts
    same = takes_turns(line, actor)
    return some(attempts, every=min(3, len(same), len(attempts)), first=same.index(actor))


def told(answer) -> tuple[int, str]:
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return answer.status_code, content.decode(errors="replace")


def seen(answer: tuple[int, str], attempt) -> bool:
    status, text = answer
    return status == 200 and attempt.mark in text


class Answers:
    """What one browser was told; many a page is one for all departments, so asked once."""

    def __init__(self, browser, before):
        self.browser, self.before, self.known = browser, before, []

    def opened(self, attempt) -> tuple[int, str]:
        def ask():
            with undone(self.browser):
                return told(self.browser.get(attempt.address))

        return self._once(("opens", attempt.address), ask)

    def sent(self, attempt) -> tuple[tuple[int, str], set[str]]:
        """What was answered, and the tables that sending changed."""

        def send(browser):
            if attempt.send:
                return told(attempt.send(browser))
            return told(browser.post(attempt.address, attempt.typed))

        what = "sends", attempt.address, attempt.typed, attempt.send
        return self._once(what, lambda: touches(self.browser, send, self.before))

    def _once(self, what, ask):
        for earlier, answer in self.known:
            if earlier == what:
                return answer
        self.known.append((what, ask()))
        return self.known[-1][1]


def faults(line, actor, world):
    """Where ``actor`` sees or changes something else than the matrix says."""
    answers = Answers(world.browsers[actor], world.before)
    is_action = line.page.startswith("action:")
    for whose in sides(line, actor):
        allowed = line.allowed(actor, whose)
        for attempt in tried_by(line, actor, attempts(world, line, whose)):
            showed, touched, answer = [], set(), None
            if attempt.read_by_post or sends(line, actor):
                answer, touched = answers.sent(attempt)
            # Who is refused is shown nothing of the page, however it is asked; and where nothing
            # can be typed, what is sent is answered by the page. An action has none of its own.
            asks_only = not attempt.typed and not attempt.send
            is_page = allowed == "-" or (allowed == "r" and asks_only)
            if attempt.read_by_post or (answer and is_page and not is_action):
                showed.append(seen(answer, attempt))
            reads = allowed == "r" and not any(showed)
            if not (attempt.read_by_post or is_action) and (reads or opens(line, actor)):
                showed.append(seen(answers.opened(attempt), attempt))
            sees = any(showed) if showed else allowed != "-"
            found = LETTERS[sees, bool(touched - {TRAIL})]
            # Reading may leave its mark in the trail; being refused leaves nothing. A file of the
            # own rows tells nothing of foreign ones, and is no refusal.
            refused = line.allowed(actor, "own" if attempt.read_by_post else whose) == "-"
            if found != allowed or (refused and touched):
                yield f"{actor} at {attempt.address}, {whose}: {found}, {sorted(touched)}"


@pytest.mark.sweep
@pytest.mark.django_db
@pytest.mark.parametrize("line", LINES, ids=lambda line: f"{line.kind}-{line.page}")
def test_each_role_sees_and_changes_what_the_matrix_says_and_nothing_else(line, world):
    tried = [actor for actor in EVERYBODY if tries(line, actor)]
    assert [fault for actor in tried for fault in faults(line, actor, world)] == []


def raw(sql: str, rows=None) -> None:
    with connection.cursor() as cursor:
        if rows is None:
            cursor.execute(sql)
        else:
            cursor.executemany(sql, rows)


#: Ways to write a row: what is done, and the table that must be seen to have changed.
WRITES = {
    "a saved row": lambda row: row.save(),
    "an update": lambda row: User.objects.filter(pk=row.pk).update(first_name="Li"),
    "rows at once": lambda row: User.objects.bulk_update([row], ["first_name"]),
    "a deletion": lambda row: row.delete(),
    "plain SQL": lambda row: raw(f"  update measures_user set first_name = 'Li' where id={row.pk}"),
    "many": lambda row: raw("UPDATE measures_user SET first_name=%s WHERE id=%s", [("Li", row.pk)]),
    "behind a query": lambda row: raw(
        f"WITH one AS (SELECT {row.pk} AS id) UPDATE measures_user SET first_name = 'Li' "
        "WHERE id IN (SELECT id FROM one)"
    ),
}


@pytest.mark.django_db
@pytest.mark.parametrize("way", WRITES)
def test_a_write_is_seen_in_whatever_way_it_happens(way, world):
    user = make_user()
    user.first_name = "Li"
    before = {**world.before, "measures_user": contents("measures_user")}

    def send(browser):
        WRITES[way](user)

    assert touches(world.browsers["anonymous"], send, before)[1] == {"measures_user"}
    # Undone, so the next attempt finds the same rows.
    assert contents("measures_user") == before["measures_user"]


@pytest.mark.django_db
def test_a_row_that_links_two_others_is_seen_too(world):
    editor = world.rows["own"]["user"]

    def send(browser):
        editor.groups.clear()

    _answer, touched = touches(world.browsers["anonymous"], send, world.before)
    assert touched == {"measures_user_groups"}


@pytest.mark.django_db
def test_what_was_taken_back_or_changes_nothing_is_no_write(world):
    user = world.rows["own"]["user"]

    def send(browser):
        user.save()
        with transaction.atomic():
            User.objects.all().update(first_name="Li")
            transaction.set_rollback(True)

    assert touches(world.browsers["anonymous"], send, world.before)[1] == set()


# The matrix is whole


def walk(patterns, before=""):
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from walk(pattern.url_patterns, before + str(pattern.pattern))
        else:
            yield pattern.name, before + str(pattern.pattern)


def pages_of_the_admin() -> set[str]:
    """The names of all pages; the unnamed ones only lead on, see the test of it."""
    return {name for name, _address in walk(admin.site.get_urls()) if name}


def actions_of_the_admin() -> set[str]:
    request = RequestFactory().get("/")
    request.user = User(is_superuser=True, is_staff=True)
    return {
        f"{model._meta.label_lower}:{action}"
        for model, page in admin.site._registry.items()
        for action in page.get_actions(request)
    }


def autocompletes_of_the_admin():
    """(what to ask, the line of the matrix) for every field that offers rows while one types."""
    for model, page in admin.site._registry.items():
        forms = [(model, page), *((inline.model, inline) for inline in page.inlines)]
        for owner, form in forms:
            for name in form.autocomplete_fields:
                asked = {
                    "app_label": owner._meta.app_label,
                    "model_name": owner._meta.model_name,
                    "field_name": name,
                }
                offered = owner._meta.get_field(name).related_model._meta.model_name
                scoped = "scoped" if offered in {"measure", "indicator"} else "unscoped"
                yield asked, offered if offered in {"department", "user"} else scoped


AUTOCOMPLETES = list(autocompletes_of_the_admin())


def names_in_the_matrix() -> tuple[set[str], set[str]]:
    pages, actions = set(OPEN), set()
    for line in LINES:
        page, _colon, more = line.page.partition(":")
        if line.kind in MODELS:
            meta = MODELS[line.kind]._meta
            if page == "action":
                actions.add(f"{meta.label_lower}:{more}")
            elif page == "import":
                pages |= {f"metrics_{line.kind}_import", f"metrics_{line.kind}_process_import"}
            elif line.page == "password":
                pages.add("auth_user_password_change")
            else:
                pages.add(f"{meta.app_label}_{meta.model_name}_{page}")
        else:
            pages.add("autocomplete" if line.kind == "autocomplete" else page)
    return pages, actions


def test_the_matrix_names_every_page_and_every_action_of_the_admin():
    pages, actions = names_in_the_matrix()
    assert pages == pages_of_the_admin()
    assert actions == actions_of_the_admin()


def test_whose_right_differs_between_rows_is_tried_at_both():
    for line in LINES:
        for actor in EVERYBODY:
            if "/" in line.cells.get(actor, "-") and tries(line, actor):
                assert sides(line, actor) == ["own", "foreign"], (line, actor)


def test_what_is_alike_is_tried_at_each_row_and_kind_and_opened_by_somebody():
    for _number, kinds in groupby(LINES, key=lambda line: line.number):
        kinds = list(kinds)
        for actor in EVERYBODY:
            same = alike(kinds[0], actor)
            tried = [(line, one) for line in kinds for one in triers(line, actor)]
            assert {one for _line, one in tried} == set(takes_turns(kinds[0], actor)), (kinds, same)
            everyone = {in_turns(kinds[0], one, actor) for one in same}
            assert {in_turns(kinds[0], one, actor) for _line, one in tried} == everyone
            sent = [any(sends(line, one) for one in triers(line, actor)) for line in kinds]
            assert all(sent), (kinds, same)
            assert [line for line in kinds if not triers(line, actor)] == [], (kinds, same)
            if len(tried) > 1:
                rows = set().union(*(sides(line, one) for line, one in tried))
                assert rows == {"own", "foreign"}, (kinds, same)
            opened = [any(opens(line, one) for one in triers(line, actor)) for line in kinds]
            assert all(opened) if WHOLE else any(opened), (kinds, same)


def test_kinds_of_which_one_line_tells_give_everybody_the_same_permissions(world):
    """Of what a page asks for; who is tried at one kind only has the same right at the others."""
    asked = {name: ["view"] for name in ("changelist", "history")}
    asked |= {"change": ["view", "change"], "add": ["add"], "delete": ["delete"]}
    asked |= {"step:publish": ["publish"], "step:return": ["publish"], "step:withdraw": ["add"]}
    for line in LINES:
        for actor, user in world.actors.items():
            held = user.get_all_permissions()
            for right in asked.get(line.page, []):
                first, this = (
                    f"{MODELS[kind]._meta.app_label}.{right}_{kind}" in held
                    for kind in (line.kinds[0], line.kind)
                )
                assert this == first, (actor, right, line.kind, line.kinds[0])


def test_every_role_of_the_portal_is_in_the_matrix():
    assert set(GROUPS.values()) == set(ROLES)


def test_every_step_of_the_workflow_is_in_the_matrix():
    kinds = (
        "progressnote", "observation", "nofigure", "measurestate", "target", "withdrawal",
        "revision",
        "opinionstage", "evaluation",
    )  # fmt: skip
    for kind in kinds:
        steps = {line.page[5:] for line in LINES if line.kind == kind and line.page[:5] == "step:"}
        assert steps == set(STEPS)


def test_an_unnamed_page_only_leads_to_the_page_of_a_row_or_to_none():
    unnamed = {address for name, address in walk(admin.site.get_urls()) if not name}
    rows = {f"{m._meta.app_label}/{m._meta.model_name}/<path:object_id>/"
            for m in admin.site._registry}  # fmt: skip
    assert unnamed == rows | {"(?P<url>.*)$"}


@pytest.mark.sweep
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "actor"),
    one_way_each(
        [(a, one) for a in ("measures/opinion/1/", "nowhere/", "r/1/1/") for one in EVERYBODY],
        ways=3,
    ),
)
def test_what_only_leads_on_shows_nothing_itself(address, actor, world):
    browser = world.browsers[actor]
    for ask in (browser.get, browser.post):
        assert ask(f"/en/admin/{address}").status_code in {301, 302, 403, 404}
    assert database() == world.before
