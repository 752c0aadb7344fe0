"""Platforms and enterprises by level; what there is, what is new and totals are told apart."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from baoshan_portal.tests.pages import rows_of
from measures.tests.factories import ISSUED
from metrics.rules.choices import Kind
from metrics.tests.factories import make_indicator, make_observation, make_unit

pytestmark = pytest.mark.django_db


def make_counted(kind, level="", value=8, **fields):
    indicator = make_indicator(
        category="platforms", kind=kind, level=level, unit=make_unit(), published_on=ISSUED,
        **fields,
    )  # fmt: skip
    make_observation(indicator=indicator, value=value, published=ISSUED)
    return indicator


def table(client, **query) -> dict[str, dict]:
    text = client.get("/en/counted/platforms/", {"format": "csv", **query}).getvalue().decode()
    return {row["Code"]: row for row in rows_of(text)}


NAMES = ("There are (on a day)", "New (in a period)", "Total since (cumulative)")


@pytest.mark.parametrize(
    ("kind", "cells"),
    [
        (Kind.STOCK, ("8", "", "")),
        (Kind.FLOW, ("", "8", "")),
        (Kind.CUMULATIVE, ("", "", "8")),
        (Kind.RANK, ("", "", "")),
    ],
)
def test_each_kind_has_its_column(client, kind, cells):
    row = make_counted(kind)
    assert tuple(table(client)[row.code][name] for name in NAMES) == cells


def test_levels_stand_apart_and_none_is_invented(client):
    national, unknown = make_counted(Kind.STOCK, "national"), make_counted(Kind.STOCK)
    rows = table(client)
    assert rows[national.code]["Level"] == "national"
    assert rows[unknown.code]["Level"] == "level not stated"
    page = client.get("/en/counted/platforms/").content.decode()
    assert "The documents give no figure of this level. That is not a zero." in page


def test_what_must_not_be_added_is_said(client):
    make_counted(Kind.STOCK, caution="与累计数重叠。", caution_en="Overlaps with the total.")
    assert "Overlaps with the total." in client.get("/en/counted/platforms/").content.decode()


def test_other_categories_have_no_such_page(client):
    for category in ("funds", "nothing"):
        assert client.get(f"/counted/{category}/").status_code == 404


def test_what_is_not_public_is_not_counted(client):
    hidden = make_indicator(category="platforms", published_on=None)
    assert hidden.code not in table(client)


@pytest.mark.parametrize("query", ["", "?format=csv", "?as_of=2023-08-01"])
def test_the_queries_do_not_grow_with_the_rows(client, query):
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get(f"/counted/platforms/{query}").getvalue()
        return len(queries)

    make_counted(Kind.STOCK, "national")
    before = cost()
    for kind in (Kind.FLOW, Kind.RANK, Kind.CUMULATIVE):
        make_counted(kind, "district")
    assert cost() == before <= 9
