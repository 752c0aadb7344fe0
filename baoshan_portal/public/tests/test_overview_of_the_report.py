"""The overview of the real report: its numbers, what it costs, and that counts are lists."""

import gzip
import re
from datetime import date
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.db import connection
from django.test.utils import CaptureQueriesContext

from baoshan_portal.tests.pages import days, in_both_languages, rows_of, texts
from baoshan_portal.tests.slices import one_way_each, some
from measures.models import Measure, Section, Theme
from measures.tests.factories import to_the_past
from metrics.models import Indicator
from metrics.tests.factories import make_observation, make_target

from .front_page import finding, html_of, parts, row_of, states_of, verdict

DAY = date(2023, 8, 10)

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("report"),
    pytest.mark.long,
    pytest.mark.once("compares counts with the lists that both databases are asked for"),
]


def total_of(cell: str) -> int:
    """What the counts of a bar come to."""
    return sum(int(word) for word in cell.split() if word.isdigit())


def test_the_report_is_counted_by_section_and_theme(client):
    html = html_of(client)

    for row in (*Section.objects.all(), *Theme.objects.all()):
        to = "theme__section" if isinstance(row, Section) else "theme"
        _targets, measures, figures, new = row_of(html, row.name_en)
        assert total_of(measures) == Measure.objects.filter(**{to: row}).count()
        assert total_of(figures) == Indicator.objects.filter(**{f"measure__{to}": row}).count()
        assert new == "0"
    targets, measures, figures, new = row_of(html, "Total")
    assert targets == "cannot be verified 2"
    assert (total_of(measures), total_of(figures), new) == (80, 118, "0")


def test_of_the_report_nothing_can_be_verified_and_what_can_be_seen_is_told(client):
    assert verdict(client) == [
        "报告称2项目标已完成，但目标值从未公布，是否完成无法核验（数据截至2023年7月24日）。",
        "2 targets are reported met, but their values were never published, so nothing can be "
        "verified (data up to 24 July 2023).",
    ]
    (seen,) = finding(client)
    assert seen == (
        "118 of 118 indicators have a value and 0 were updated since the report; of 80 measures "
        "10 are told as completed or routine; of 33 checks between figures 0 do not hold and 2 "
        "raise a question."
    )


def test_the_loans_of_the_report_tell_what_they_grew_by(client):
    assert "+13.01亿元（+56.22%）" in html_of(client, "/")
    assert "+CNY 1.301 billion (+56.22%)" in html_of(client)


def test_the_traps_of_the_report_are_counted(client):
    counts = parts(html_of(client))

    assert counts["does not hold"][0] == "0/33"
    assert counts["value published"][0] == "0/118"
    assert counts["known, not published"][0] == "2/118"
    assert counts["updated"][0] == "0/118"


@pytest.mark.sweep
@pytest.mark.parametrize(("first", "as_of"), [(0, None), (5, "2023-08-09"), (10, "2023-07-24")])
def test_every_count_is_the_length_of_the_list_that_it_leads_to(client, first, as_of):
    indicator = Indicator.objects.first()
    make_observation(indicator=indicator, period_end=date(2023, 8, 1), published=DAY)
    make_target(indicator=indicator, published=DAY)
    html = html_of(client, **({"as_of": as_of} if as_of else {}))

    counted = {link: count for count, link in parts(html).values()}
    assert len(counted) == 21
    counted |= {link: count for link, count in states_of(html)}
    assert len(counted) > 40 or as_of == "2023-07-24"
    for link, count in some(counted.items(), every=15, first=first):
        if "/checks/" in link:
            length = html_of(client, link).count('<article class="check"')
        else:
            length = len(rows_of(html_of(client, f"{link}&format=csv")))
        assert count.partition("/")[0] == str(length), link


@pytest.mark.parametrize("query", ["", "?since=2023-07-01", "?order=worst", "?as_of=2023-08-01"])
def test_the_overview_asks_the_database_seventeen_questions(client, query):
    """Two more on a past day: which figures and which checks were touched since."""
    with CaptureQueriesContext(connection) as queries:
        assert client.get(f"/{query}").status_code == 200

    is_past = "as_of" in query
    assert len(queries) == 17 + 2 * is_past + to_the_past(is_past)


@pytest.mark.sweep
@pytest.mark.parametrize(
    "address", one_way_each(in_both_languages("/", "/?since=2023-07-01"), first=1)
)
def test_the_page_and_its_style_weigh_at_most_60_kb_compressed(client, address):
    html = html_of(client, address)
    sheets = re.findall(r'rel="stylesheet" href="/static/(css/[a-z]+)[^"]*"', html)
    assert len(sheets) == 4
    files = [Path(finders.find(f"{sheet}.css")).read_bytes() for sheet in sheets]

    weight = sum(len(gzip.compress(content)) for content in [html.encode(), *files])

    assert weight <= 60_000
    assert "<script" not in html


def test_scripts_of_our_own_weigh_at_most_20_kb(settings):
    scripts = [
        path.read_bytes() for folder in settings.STATICFILES_DIRS for path in folder.rglob("*.js")
    ]

    assert sum(map(len, scripts)) <= 20_000


def test_before_the_day_of_issue_the_page_says_that_nothing_was_published(client):
    html = html_of(client, as_of="2023-07-01")

    assert "On this day nothing had been published yet." in html
    assert "No key figure was public on this day." in html
    assert row_of(html, "Total") == ["none", "none", "none", "0"]
    assert "2023-07-01" in days(html)
    assert texts(html.partition('class="strip"')[2], "dd")[:2] == ["2023-07-01", "none yet"]
