"""What the trail says: one name for a row whoever changed it, differences and numbers as text."""

from copy import copy
from decimal import Decimal

import pytest
from django.utils import translation

from ..access import STEWARD
from ..models import TrailEvent
from ..trail import Action, _text, differences, record, snapshot, what_differs
from .factories import make_round, make_staff

pytestmark = [pytest.mark.django_db, pytest.mark.english]


def test_a_row_has_one_name_whoever_changes_it():
    row, user = make_round(name="2026年第三季度", name_en="Q3 2026"), make_staff(STEWARD)
    for language in ("en", "zh-hans"):
        with translation.override(language):
            before = snapshot(row, ["name_en", "due_on", "locked"])
            row.locked = not row.locked
            old, new = differences(before, snapshot(row, ["name_en", "due_on", "locked"]))
            record(Action.CHANGED, by=user, subject=row, before=old, after=new)
    events = TrailEvent.objects.order_by("pk").values_list("subject", "before", "after")
    assert list(events) == [
        ("2026年第三季度", "已锁定: 否", "已锁定: 是"),
        ("2026年第三季度", "已锁定: 是", "已锁定: 否"),
    ]


def test_a_person_is_told_a_difference_in_their_language():
    row = make_round(name="2026年第三季度")
    locked = copy(row)
    locked.locked = True
    assert what_differs(row, locked, ["name", "locked"]) == "locked: yes"
    with translation.override("zh-hans"):
        assert what_differs(row, locked, ["name", "locked"]) == "已锁定: 是"


@pytest.mark.parametrize(
    ("value", "text"),
    [("517.0000", "517"), ("520", "520"), ("51.7900", "51.79"), ("0.0000", "0"), ("-1E+2", "-100")],
)
def test_a_number_has_one_form(value, text):
    assert _text(Decimal(value), None) == text
