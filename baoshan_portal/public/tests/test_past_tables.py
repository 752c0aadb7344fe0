"""What is read of a past day from the tables themselves is what their versions say."""

from random import Random

import pytest
from django.db import models
from django.http import HttpResponse
from django.test import RequestFactory

from baoshan_portal.tests.time_machine import FIRST_DAY, live, small_portal
from measures.models import Department
from measures.past import changed_since, past
from measures.submission import end_of_day
from measures.tests.factories import change, make_department, make_measure, publish
from measures.versions import Kept, kept_tables

from ..as_of import AsOfMiddleware

pytestmark = pytest.mark.django_db

DAY = "2024-04-30"


def public_rows(kept: Kept) -> list[tuple]:
    """All that the table says of what is public."""
    rows = models.QuerySet(kept.model).order_by("pk")
    if kept.parent and Kept(kept.parent.related_model).has_day:
        rows = rows.filter(**{f"{kept.parent.name}__published_on__isnull": False})
    elif kept.has_day:
        rows = rows.filter(published_on__isnull=False)
    return list(rows.values_list())


def test_a_table_that_has_not_changed_since_says_what_its_versions_say():
    tables = {kept.table: kept for kept in kept_tables()}
    changed, stood = set(), set()
    with small_portal(Random(5)) as portal:
        days = [end_of_day(FIRST_DAY)]
        for day in live(portal, 6, 60):
            for moment in days:
                since = changed_since(moment)
                changed |= since
                stood |= tables.keys() - since
                for table in tables.keys() - since:
                    with past(moment):
                        then = public_rows(tables[table])
                    assert then == public_rows(tables[table]), table
            days.append(end_of_day(day))
    assert stood == tables.keys()
    assert len(changed) > 8


def test_only_what_has_changed_is_read_from_versions():
    measure = make_measure(name="举措", lead=make_department(name="旧部门"))
    moment = end_of_day(measure.published_on)
    assert changed_since(moment) == set()
    publish(change(measure.lead, name="新部门"))
    assert changed_since(moment) == {"measures_department"}
    with past(moment, changed_since(moment)):
        assert Department.objects.get().name == "旧部门"
        assert Department.objects.get(led__name="举措").name == "旧部门"
    with past(moment, ()):
        assert Department.objects.get().name == "新部门"
    assert Department.objects.get().name == "新部门"


def test_a_page_that_a_change_overtakes_is_made_again():
    department, asked = make_department(name="旧部门"), []

    def page(request):
        asked.append((request.read_from_versions, getattr(request, "seen", None)))
        request.seen = True
        if len(asked) == 1:
            with past(None):
                publish(change(department, name="新部门"))
        return HttpResponse(Department.objects.get().name)

    answer = AsOfMiddleware(page)(RequestFactory().get("/", {"as_of": DAY}))
    assert answer.content.decode() == "旧部门"
    # The second time as if it were the first, and from versions alone.
    assert asked == [(frozenset(), None), (None, None)]
    answer = AsOfMiddleware(page)(RequestFactory().get("/", {"as_of": DAY}))
    assert answer.content.decode() == "旧部门"
    assert len(asked) == 3
