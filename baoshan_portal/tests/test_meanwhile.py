"""What becomes public or is withdrawn while a page is made, between any two of its questions."""

from datetime import date
from decimal import Decimal
from http import HTTPStatus

import pytest
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from measures.models import Department, MeasureStatus, Theme
from measures.tests.factories import ISSUED, make_measure, make_note, make_state
from metrics.models import Check, Indicator
from metrics.rules.checks import CheckKind, Role
from metrics.tests.factories import (
    make_check,
    make_indicator,
    make_observation,
    make_plan,
    make_target,
    make_term,
    make_withdrawal,
)

from . import runs_once
from .pages import PLAIN_PAGES
from .slices import some

pytestmark = [pytest.mark.django_db, pytest.mark.long, pytest.mark.sweep]


@pytest.fixture(scope="module")
def measure(report):
    """A public measure with a figure of each kind that pages tell more of."""
    theme = Theme.objects.published().first()
    measure = make_measure(theme=theme, lead=Department.objects.published().first())
    figure = make_indicator(measure=measure, is_key=True, schedule_agreed_on=ISSUED)
    for value, end in ((5, date(2022, 12, 31)), (6, date(2023, 6, 30))):
        make_observation(
            indicator=figure, value=Decimal(value), period_start=date(end.year, 1, 1),
            period_end=end, published=ISSUED,
        )  # fmt: skip
    make_target(indicator=figure, plan=make_plan(), value=Decimal(50), published=ISSUED)
    make_note(measure=measure, published=ISSUED)
    in_contradiction(figure, measure, ISSUED)
    return measure


def in_contradiction(figure: Indicator, measure, since) -> Check:
    check = make_check(kind=CheckKind.SUM)
    for role, value in ((Role.WHOLE, 9), (Role.PART, 2)):
        other = make_indicator(measure=measure)
        make_observation(indicator=other, value=Decimal(value), published=since)
        make_term(check_of=check, indicator=other, role=role)
    make_term(check_of=check, indicator=figure, role=Role.PART)
    return check


def publish(measure) -> None:
    """All that one publication may bring, of a measure that is there and of another."""
    now = timezone.now()
    for place in (measure, make_measure(theme=measure.theme, lead=measure.lead)):
        figure = make_indicator(measure=place, is_key=True)
        make_observation(indicator=figure, published=now)
        make_target(indicator=figure, plan=make_plan(), value=Decimal(50), published=now)
        make_note(measure=place, published=now)
        make_state(measure=place, status=MeasureStatus.COMPLETED, published=now)
        in_contradiction(figure, place, now)
    old = measure.indicators.order_by("pk").first()
    make_observation(
        indicator=old, value=Decimal(7), period_start=date(2023, 1, 1),
        period_end=date(2023, 12, 31), published=now,
    )  # fmt: skip
    make_target(indicator=old, plan=make_plan(), value=Decimal(60), published=now)


def withdraw_a_figure(measure) -> None:
    make_withdrawal(measure.indicators.order_by("pk").first(), published=timezone.now())


def withdraw_a_measure(measure) -> None:
    make_withdrawal(measure, published=timezone.now())


def withdraw_what_it_says(measure) -> None:
    figure = measure.indicators.order_by("pk").first()
    for row in (*figure.observations.all(), *figure.targets.all(), Check.objects.last()):
        make_withdrawal(row, published=timezone.now())


ACTS = (publish, withdraw_a_figure, withdraw_a_measure, withdraw_what_it_says)


class Meanwhile:
    """``act`` comes before question number ``at`` of whatever is asked inside; None: never."""

    def __init__(self, act, at: int | None):
        self.act, self.at, self.asked, self.is_acting = act, at, 0, False

    def __call__(self, execute, *question):
        if not self.is_acting:
            self.asked += 1
            if self.asked == self.at:
                self.is_acting = True
                self.act()
                self.is_acting = False
        return execute(*question)


def answer_at(address: str, meanwhile: Meanwhile) -> int:
    """The status of the whole answer; what happened meanwhile is taken back."""
    client = Client(raise_request_exception=False)
    with transaction.atomic():
        with connection.execute_wrapper(meanwhile):
            answer = client.get(address)
            answer.getvalue()
        transaction.set_rollback(True)
    return answer.status_code


#: Pages of many questions, of which the later speak of what the earlier found.
LONG = ("/", "/questions/")


@runs_once.PAGES
@pytest.mark.parametrize("number", range(len(ACTS)), ids=lambda number: ACTS[number].__name__)
def test_a_page_is_made_whatever_becomes_public_between_its_questions(measure, number):
    figure, wrong, tried = measure.indicators.order_by("pk").first(), [], 0
    own = measure.get_absolute_url(), figure.get_absolute_url()
    pages = [*PLAIN_PAGES, *own, "/packs/pack.csv", "/measures/?format=csv"]
    for address in dict.fromkeys([*LONG, *some(pages, every=2 * len(ACTS), first=2 * number)]):
        alone = Meanwhile(None, None)
        assert answer_at(address, alone) == HTTPStatus.OK
        for at in some(range(1, alone.asked + 1), every=4, first=number):
            meanwhile = Meanwhile(lambda: ACTS[number](measure), at)
            if answer_at(address, meanwhile) >= HTTPStatus.INTERNAL_SERVER_ERROR:
                wrong.append((address, at))
            tried += meanwhile.asked >= at
    assert tried > 20
    assert wrong == []
