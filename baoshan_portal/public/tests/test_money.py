"""Money by its nature: never added up, with who received it and how much of a quota is used."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from baoshan_portal.tests.pages import rows_of
from measures.tests.factories import ISSUED, change, publish, to_the_past
from metrics.models import Indicator
from metrics.rules.checks import CheckKind, Role
from metrics.rules.choices import Nature
from metrics.tests.factories import (
    make_check,
    make_indicator,
    make_money,
    make_observation,
    make_term,
    make_unit,
)

from ..money import groups

pytestmark = pytest.mark.django_db


@pytest.fixture
def units():
    return make_money()


def make_amount(unit, value, nature=Nature.CREDIT, **fields):
    fields = {"category": "funds", "published_on": ISSUED} | fields
    indicator = make_indicator(unit=unit, nature=nature, **fields)
    make_observation(indicator=indicator, value=value, published=ISSUED)
    return indicator


def table(client, **query) -> dict[str, dict]:
    text = client.get("/en/money/", {"format": "csv", **query}).getvalue().decode()
    return {row["Code"]: row for row in rows_of(text)}


def test_amounts_stand_by_their_nature_and_where_there_is_none_it_is_said(client, units):
    loan = make_amount(units["亿元"], "23.14")
    grant = make_amount(units["万元"], "148.54", Nature.SUBSIDY)
    page = client.get("/en/money/").content.decode()

    rows = table(client)
    assert rows[loan.code]["Nature"] == "lending"
    assert (rows[grant.code]["Nature"], rows[grant.code]["In yuan"]) == ("subsidy", "1485400")
    assert "The documents give no amount of this nature. That is not a zero." in page


def test_money_whose_nature_nobody_stated_is_listed_as_such(client, units):
    row = make_amount(units["亿元"], 3, nature="")
    assert table(client)[row.code]["Nature"] == "nature not stated"


def make_quota(units, used="1100", limit="50"):
    quota = make_amount(units["亿元"], limit, Nature.QUOTA, kind="capacity")
    part = make_amount(units["万元"], used, Nature.CREDIT, kind="cumulative")
    check = make_check(kind=CheckKind.QUOTA)
    make_term(check_of=check, role=Role.WHOLE, indicator=quota)
    make_term(check_of=check, role=Role.PART, indicator=part)
    return quota, part


def test_the_use_of_a_quota_is_told_in_percent_over_units(client, units):
    quota, part = make_quota(units)
    rows = table(client)
    # 11,000,000 of 5,000,000,000.
    assert rows[quota.code]["Quota used in %"] == rows[part.code]["Quota used in %"] == "0.22"


def test_a_quota_without_a_value_has_no_percentage(client, units):
    quota, part = make_quota(units)
    part.observations.all()
    lone = make_indicator(unit=units["亿元"], nature=Nature.QUOTA, published_on=ISSUED)
    check = make_check(kind=CheckKind.QUOTA)
    make_term(check_of=check, role=Role.WHOLE, indicator=lone)
    make_term(check_of=check, role=Role.PART, indicator=part)

    assert table(client)[lone.code]["Quota used in %"] == ""
    assert "cannot be said" in client.get("/en/money/").content.decode()
    assert quota.code in table(client)


def test_who_received_it_is_linked_with_the_number(client, units):
    firms = make_indicator(unit=make_unit(), published_on=ISSUED)
    make_observation(indicator=firms, value=905, published=ISSUED)
    loan = make_amount(units["亿元"], "36.15", recipients=firms)

    assert table(client)[loan.code]["Recipients"] == "905"
    assert f"/indicators/{firms.code}/" in client.get("/money/").content.decode()


def test_recipients_that_are_not_public_are_not_named(client, units):
    firms = make_indicator(unit=make_unit(), published_on=None, name_en="Hidden ones")
    loan = make_amount(units["亿元"], "36.15", recipients=firms)

    assert table(client)[loan.code]["Recipients are counted by"] == ""
    assert "Hidden ones" not in client.get("/en/money/").content.decode()
    data = rows_of(client.get("/data/indicators.csv").getvalue().decode())
    assert [row["recipients"] for row in data if row["code"] == loan.code] == [""]


def test_the_open_data_say_nature_and_recipients(client, units):
    firms = make_indicator(unit=make_unit(), published_on=ISSUED)
    loan = make_amount(units["亿元"], "36.15", recipients=firms)
    for name in ("indicators", "definitions"):
        rows = rows_of(client.get(f"/data/{name}.csv").getvalue().decode())
        (row,) = (row for row in rows if row["code"] == loan.code)
        assert (row["nature"], row["recipients"]) == ("credit", firms.code)


def test_a_past_day_keeps_the_nature_of_that_day(client, units):
    row = make_amount(units["亿元"], 3, nature=Nature.CREDIT)
    publish(change(row, nature=Nature.INVESTMENT))
    yesterday = (timezone.localdate() - timedelta(days=1)).isoformat()

    assert table(client)[row.code]["Nature"] == "investment"
    assert table(client, as_of=yesterday)[row.code]["Nature"] == "lending"
    day_before = (ISSUED - timedelta(days=1)).isoformat()
    assert table(client, as_of=day_before) == {}


@pytest.mark.parametrize("query", ["", "?format=csv", "?as_of=2023-08-01"])
def test_the_queries_do_not_grow_with_the_amounts(client, units, query):
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get(f"/money/{query}").getvalue()
        return len(queries)

    firms = make_indicator(unit=make_unit(), published_on=ISSUED)
    make_amount(units["亿元"], 1, recipients=firms)
    make_quota(units)
    before = cost()
    for _n in range(4):
        make_amount(units["亿元"], 1, recipients=firms)
        make_quota(units)
    assert cost() == before <= 14 + to_the_past("as_of" in query)


# What always holds


def test_the_database_keeps_recipients_to_money(units):
    firms = make_indicator(unit=make_unit(), published_on=None)
    loan = make_indicator(unit=units["亿元"], published_on=None)
    rows = Indicator.objects.filter(pk=loan.pk)
    for wrong in ({"recipients": firms}, {"recipients": loan, "nature": Nature.CREDIT}):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**wrong)
    rows.update(recipients=firms, nature=Nature.CREDIT)


def test_a_form_explains_what_is_no_money(units):
    firms = make_indicator(unit=make_unit(), published_on=None)
    firms.nature = Nature.CREDIT
    with pytest.raises(ValidationError, match="no money|不是金额"):
        firms.full_clean()
    loan = make_indicator(unit=units["亿元"], nature=Nature.CREDIT, published_on=None)
    loan.recipients = make_indicator(unit=units["万元"], published_on=None)
    with pytest.raises(ValidationError, match="counts nobody|不能统计"):
        loan.full_clean()


# The report


def test_the_report_uses_a_quarter_of_one_quota_and_hardly_any_of_the_other(report):
    shares = {
        row.indicator.code: [use.text for use in row.uses]
        for group in groups(None)
        for row in group.amounts
    }
    assert "24.86%" in shares["relief-loan-limit"][0]
    assert "0.22%" in shares["shangda-loan-limit"][0]
    assert all(group.nature for group in groups(None))
