"""Charts within the pages of others, and what a chart says of itself: source, files, citation."""

import re
from datetime import date
from decimal import Decimal
from html import unescape

import pytest

from baoshan_portal.tests.pages import rows_of
from measures.tests.factories import ISSUED
from metrics.tests.factories import make_indicator, make_observation, make_plan, make_target

pytestmark = [pytest.mark.django_db, pytest.mark.once("is about what charts draw and say")]


def a_history(code="loans", **fields):
    indicator = make_indicator(code=code, name="贷款", name_en="Loans")
    for year, value in ((2021, 5), (2022, 6)):
        make_observation(
            indicator=indicator,
            value=Decimal(value),
            period_start=date(year, 1, 1),
            period_end=date(year, 12, 31),
            source_name="台账",
            published=ISSUED,
            **fields,
        )
    return indicator


def copied(page: str) -> list[str]:
    """What the menu of a chart offers to copy."""
    return [
        unescape(re.sub("<[^>]*>", "", text))
        for text in re.findall(r'<dd class="copy">(.*?)</dd>', page, re.DOTALL)
    ]


@pytest.mark.parametrize("address", ["/embed/indicators/loans/", "/en/embed/indicators/loans/"])
def test_a_chart_may_stand_in_any_frame(client, address):
    a_history()

    answer = client.get(address)

    assert answer.status_code == 200
    assert "X-Frame-Options" not in answer.headers
    policy = answer.headers["Content-Security-Policy"].split("; ")
    assert "frame-ancestors *" in policy
    assert "default-src 'self'" in policy


@pytest.mark.parametrize(
    "address",
    ["/", "/indicators/loans/", "/compare/enterprises/", "/admin/login/", "/embed/indicators/no/"],
)
def test_nothing_else_may(client, address):
    a_history()

    answer = client.get(address)

    assert answer.headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


def test_in_a_frame_a_chart_says_its_source_and_leads_to_its_page(client):
    a_history()

    page = client.get("/en/embed/indicators/loans/").content.decode()

    assert page.count("<h1") == 1
    assert "Loans" in page
    assert "台账" in page
    assert re.search(
        r'<a target="_top" href="http://testserver/en/indicators/loans/\?as_of=[\d-]+">'
        "Baoshan follow-up portal</a>",
        page,
    )
    # Nothing can be done within it.
    assert not re.search("<form|<input|<button|<script", page)


def test_in_a_demonstration_a_frame_carries_its_watermark(client, settings):
    settings.DEMO = True
    a_history()

    page = client.get("/embed/indicators/loans/").content.decode()

    assert "演示数据 / invented data" in page


def test_a_frame_shows_what_was_public_on_the_day_asked_for(client):
    indicator = a_history()
    make_observation(
        indicator=indicator,
        value=Decimal(777),
        period_start=date(2023, 1, 1),
        period_end=date(2023, 12, 31),
        published=date(2024, 2, 1),
    )

    now = client.get("/embed/indicators/loans/").content.decode()
    then = client.get("/embed/indicators/loans/", {"as_of": "2024-01-01"}).content.decode()

    assert "2023年：777家" in now
    assert "2023年" not in then
    assert client.get("/embed/indicators/loans/", {"as_of": "2023-01-01"}).status_code == 404


def test_a_ranking_can_be_embedded(client):
    a_history()
    a_history("guarantees")

    answer = client.get("/embed/compare/enterprises/organisations/")

    assert answer.status_code == 200
    assert answer.content.decode().count('target="_top" href="/indicators/') == 2
    assert client.get("/embed/compare/enterprises/nothing/").status_code == 404
    assert client.get("/embed/compare/nothing/organisations/").status_code == 404


def test_one_value_has_no_chart_to_embed(client):
    make_observation(indicator=make_indicator(code="one"), published=ISSUED)

    assert client.get("/embed/indicators/one/").status_code == 404


def test_the_menu_gives_address_citations_and_frame(client):
    a_history()

    page = client.get("/en/indicators/loans/", {"as_of": "2023-08-01"}).content.decode()

    address, short, full, frame = copied(page)
    assert address == "http://testserver/en/indicators/loans/?as_of=2023-08-01"
    assert short == f"Loans, Baoshan follow-up portal, 2023-08-01, {address}"
    assert full.startswith("Baoshan follow-up portal. Loans: ")
    assert "Source: 台账; data up to 2022-12-31. Retrieved 2023-08-01" in full
    assert frame.startswith(
        '<iframe src="http://testserver/en/embed/indicators/loans/?as_of=2023-08-01" title="Loans"'
    )
    for kind in ("svg", "csv"):
        assert f'href="/en/indicators/loans/chart.{kind}?as_of=2023-08-01"' in page


def test_a_name_cannot_break_out_of_the_frame_code(client):
    indicator = a_history()
    indicator.name = '"><script>x</script>&'

    from ..charts.caption import Caption

    caption = Caption(indicator.name, "", "", "", "http://x/", [], "", "", "", 400)

    assert 'title="&quot;>&lt;script>x&lt;/script>&amp;"' in caption.frame_code


def test_the_data_of_a_chart_are_those_that_it_draws(client):
    indicator = a_history()
    make_observation(
        indicator=indicator,
        value=Decimal(9),
        period_start=date(2024, 1, 1),
        period_end=date(2024, 12, 31),
        published=date(2025, 2, 1),
    )
    target = make_target(
        indicator=indicator, plan=make_plan(), value=Decimal(300), published=ISSUED
    )

    rows = rows_of(client.get("/indicators/loans/chart.csv").getvalue().decode())

    assert [(row["series"], row["value"], row["period_end"]) for row in rows] == [
        # What comes in during the plan begins with nothing.
        ("baseline", "0", "2021-01-01"),
        ("value", "5", "2021-12-31"),
        ("value", "6", "2022-12-31"),
        ("missing", "", "2023-12-31"),
        ("target", "300", (target.due_on or target.plan.end_on).isoformat()),
        ("value", "9", "2024-12-31"),
    ]
    assert {row["unit"] for row in rows} == {indicator.unit.name}


def test_the_data_of_the_past_are_those_of_then(client):
    indicator = a_history()
    old = indicator.observations.order_by("period_end").last()
    make_observation(
        indicator=indicator,
        value=Decimal(8),
        period_start=old.period_start,
        period_end=old.period_end,
        supersedes=old,
        revision=2,
        correction_reason="核对后更正",
        published=date(2024, 2, 1),
    )

    now = rows_of(client.get("/indicators/loans/chart.csv").getvalue().decode())
    then = client.get("/indicators/loans/chart.csv", {"as_of": "2024-01-01"})
    then = rows_of(then.getvalue().decode())

    assert [(row["value"], row["corrected_from"]) for row in now] == [("5", ""), ("8", "6")]
    assert [(row["value"], row["corrected_from"]) for row in then] == [("5", ""), ("6", "")]
