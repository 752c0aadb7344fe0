"""Departments and three reorganisations, by hand in the admin, without a programmer.

Fourteen between two commits; forty, of which ten are renamed, by ``make test-long``.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta

import pytest
import time_machine
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.test import Client

from baoshan_portal.tests.desk import browser_of, desk, fill_in, take_step
from baoshan_portal.tests.slices import WHOLE
from measures.access import ADMINISTRATOR, EDITOR, REVIEWER, STEWARD
from measures.models import Department, Measure, Revision
from measures.submission import State
from measures.tests.factories import make_department, make_measure, make_staff

pytestmark = [pytest.mark.django_db, pytest.mark.sweep, pytest.mark.long]

MERGED, RENAMED, SPLIT = date(2024, 3, 15), date(2025, 3, 14), date(2026, 3, 13)
OFFICES, NEW_NAMES = (40, 10) if WHOLE else (14, 3)


@contextmanager
def on(day: date) -> Iterator[None]:
    with time_machine.travel(datetime.combine(day, time(4), UTC), tick=False):
        yield


@pytest.fixture
def offices() -> list[Department]:
    """Each leads a measure and has one person."""
    found = [make_department(name=f"第{n}局", name_en=f"Office {n}") for n in range(OFFICES)]
    for n, office in enumerate(found):
        make_measure(lead=office, lead_confirmed=True, code=f"work-{n}")
        make_staff(EDITOR, departments=[office], username=f"clerk-{n}")
    return found


@pytest.fixture
def people() -> dict:
    return {role: make_staff(role) for role in (STEWARD, REVIEWER, ADMINISTRATOR)}


def new_office(people, code: str, name: str) -> Department:
    browser = browser_of(people[ADMINISTRATOR])
    typed = {"code": code, "name": name, "name_en": code.capitalize()}
    assert fill_in(browser, desk(Department, "add"), **typed).status_code == 302
    return Department.objects.get(code=code)


def act(browser, action: str, offices: list[Department], to: Department):
    chosen = {
        "action": action,
        "post": "yes",
        "to": to.code,
        ACTION_CHECKBOX_NAME: [row.pk for row in offices],
    }
    return browser.post(desk(Department, "changelist"), chosen)


def end(browser, office: Department, day: date, *successors: Department) -> None:
    typed = {"ended_on": day.isoformat(), "succeeded_by": [row.pk for row in successors]}
    assert fill_in(browser, desk(office, "change"), **typed).status_code == 302


def review(people, reason: str) -> None:
    """The steward says why and submits; the reviewer publishes."""
    revision = Revision.objects.get(state=State.DRAFT)
    steward, reviewer = browser_of(people[STEWARD]), browser_of(people[REVIEWER])
    assert fill_in(steward, desk(revision, "change"), reason=reason).status_code == 302
    assert take_step(steward, revision, "submit").status_code == 302
    assert take_step(reviewer, revision, "publish").status_code == 302
    revision.refresh_from_db()
    assert revision.state == State.PUBLISHED


def lead_on(measure: str, day: date | None) -> str:
    """What the public page of a measure names as its lead on a day."""
    query = {"as_of": day.isoformat()} if day else {}
    html = Client().get(f"/measures/{measure}/", query).content.decode()
    return html.partition("牵头单位</dt>")[2].partition("</dd>")[0]


def test_two_merge_some_are_renamed_and_one_splits(offices, people):
    with on(MERGED):
        joint = new_office(people, "joint", "联合局")
        steward = browser_of(people[STEWARD])
        act(steward, "move_measures", offices[:2], joint)
        for office in offices[:2]:
            end(steward, office, MERGED, joint)
        review(people, "机构改革：两局合并")
        act(browser_of(people[ADMINISTRATOR]), "move_staff", offices[:2], joint)
    with on(RENAMED):
        steward = browser_of(people[STEWARD])
        for n, office in enumerate(offices[10 : 10 + NEW_NAMES], start=10):
            address = desk(office, "change")
            assert fill_in(steward, address, name=f"新第{n}局").status_code == 302
        review(people, "机构改革：数局更名")
    with on(SPLIT):
        east, west = new_office(people, "east", "东局"), new_office(people, "west", "西局")
        steward = browser_of(people[STEWARD])
        for code, office in (("work-0", east), ("work-1", west)):
            measure = Measure.objects.get(code=code)
            address = desk(measure, "change")
            assert fill_in(steward, address, lead=office.pk).status_code == 302
        end(steward, joint, SPLIT, east, west)
        review(people, "机构改革：一局分设为两局")
        act(browser_of(people[ADMINISTRATOR]), "move_staff", [joint], east)

    day = timedelta(days=1)
    for measure, names in (
        ("work-0", ("第0局", "联合局", "联合局", "东局")),
        ("work-1", ("第1局", "联合局", "联合局", "西局")),
        ("work-10", ("第10局", "第10局", "新第10局", "新第10局")),
        (f"work-{OFFICES - 1}", (f"第{OFFICES - 1}局",) * 4),
    ):
        days = (MERGED - day, RENAMED - day, SPLIT - day, None)
        for asked, name in zip(days, names, strict=True):
            told = lead_on(measure, asked)
            assert name in told, (measure, asked)
            assert "新" in name or "新" not in told

    ended = {row.code for row in Department.objects.all() if row.has_ended}
    assert ended == {offices[0].code, offices[1].code, "joint"}
    successors = {office: set(office.succeeded_by.all()) for office in (*offices[:2], joint)}
    assert successors == {offices[0]: {joint}, offices[1]: {joint}, joint: {east, west}}
    members = {row.code: {str(person) for person in row.members.all()} for row in (east, joint)}
    assert members == {"east": {"clerk-0", "clerk-1"}, "joint": set()}
    assert Department.objects.standing().count() == OFFICES
