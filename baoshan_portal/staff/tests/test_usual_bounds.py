"""What is usual is proposed by an indicator's history and confirmed by a data steward."""

from datetime import date

import pytest
from django.urls import reverse

from baoshan_portal.tests.desk import browser_of, errors
from measures.access import AUDITOR, EDITOR, REVIEWER, STEWARD
from measures.models import TrailEvent
from measures.tests.factories import make_staff
from metrics.models import UsualBounds
from metrics.rules.choices import Kind
from metrics.tests.factories import make_bounds, make_indicator, make_observation

pytestmark = [pytest.mark.django_db, pytest.mark.long, pytest.mark.english]

ADD = "/en/admin/metrics/usualbounds/add/"


@pytest.fixture
def indicator():
    row = make_indicator(kind=Kind.FLOW)
    for year, value in zip(range(2018, 2023), (100, 103, 99, 101, 102), strict=True):
        make_observation(
            indicator=row, value=value, period_start=date(year, 1, 1),
            period_end=date(year, 12, 31), published=date(2023, 7, 25),
        )  # fmt: skip
    return row


def test_a_steward_sees_the_proposal_and_confirms_or_alters_it(indicator):
    steward = make_staff(STEWARD)
    desk = browser_of(steward)
    initial = desk.get(f"{ADD}?indicator={indicator.pk}").context["adminform"].form.initial
    assert initial["least"] < 99 < 103 < initial["largest"]

    desk.post(ADD, {"indicator": indicator.pk, "least": "", "largest": ""})
    row = UsualBounds.objects.get()
    assert (row.least, row.largest) == (initial["least"], initial["largest"])
    assert row.confirmed_by == steward
    assert row.basis.endswith("by the last 5 public values")

    page = reverse("admin:metrics_usualbounds_change", args=[row.pk])
    shown = desk.get(page)
    assert row.basis in shown.content.decode()
    desk.post(page, {"least": "10", "largest": "500", "seen": shown.context["seen"]})
    row.refresh_from_db()
    assert (row.least, row.largest) == (10, 500)
    assert TrailEvent.objects.filter(subject_type="metrics.usualbounds").count() == 2


def test_without_a_history_the_steward_says_both(indicator):
    desk = browser_of(make_staff(STEWARD))
    page = desk.post(ADD, {"indicator": make_indicator().pk, "least": "1", "largest": ""})
    text = "Nothing is proposed: fewer than four comparable values are public."
    assert errors(page) == {"largest": [text]}
    page = desk.post(ADD, {"indicator": indicator.pk, "least": "9", "largest": "1"})
    assert "The least usual value is above the largest." in page.content.decode()


@pytest.mark.parametrize("role", [EDITOR, REVIEWER, AUDITOR])
def test_others_only_read_it(role, indicator):
    desk = browser_of(make_staff(role))
    row = make_bounds(indicator=indicator)
    page = reverse("admin:metrics_usualbounds_change", args=[row.pk])
    assert desk.get(page).status_code == 200
    assert desk.post(page, {"least": "2"}).status_code == 403
    assert desk.get(ADD).status_code == 403
