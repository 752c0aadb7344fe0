"""?as_of=YYYY-MM-DD shows every page and file as it was public on that day.

That each page says so, and keeps the day in its links and forms, is seen by test_public_pages.
"""

import re
from datetime import date, datetime, timedelta
from html import unescape
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.utils import timezone
from django.utils.translation import override

from baoshan_portal.tests import runs_once
from baoshan_portal.tests.pages import (
    FILES,
    LISTS,
    OFFICE,
    PLAIN_PAGES,
    SECTIONS,
    days,
    in_both_languages,
    language,
    rows_of,
    texts,
)
from baoshan_portal.tests.slices import one_way_each, some
from measures.models import Measure, MeasureState, Section
from measures.tests.days import yesterday
from measures.tests.factories import (
    make_department,
    make_measure,
    make_note,
    make_opinion,
    make_section,
    make_theme,
)
from measures.text import day_in_words
from metrics.models import Indicator, Observation, Target
from metrics.tests.factories import make_observation

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("report"),
    pytest.mark.long,
    pytest.mark.sweep,
]

DAY_BEFORE = "2023-07-24"
DAY = "2023-07-25"
PREFIXES = pytest.mark.parametrize("prefix", ["", "/en"])


def html_of(client, address: str, **query) -> str:
    return client.get(address, query).getvalue().decode()


def total_on_overview(client, day: str) -> list[int]:
    """Targets, measures and figures, whatever their state, and what was new by then."""
    (total,) = re.findall("<tfoot>(.*?)</tfoot>", html_of(client, "/en/", as_of=day), re.DOTALL)
    return [sum(map(int, re.findall(r"\d+", cell))) for cell in texts(total, "td")]


@pytest.mark.once("what is public on a day is one condition, asked on both below")
def test_before_the_report_was_issued_nothing_was_public(client):
    assert total_on_overview(client, DAY_BEFORE) == [0, 0, 0, 0]
    for address in LISTS:
        assert len(rows_of(html_of(client, address, as_of=DAY_BEFORE, format="csv"))) == 0
    for address in some(SECTIONS, every=4):
        assert client.get(f"/en{address}", {"as_of": DAY_BEFORE}).status_code == 404


@runs_once.PAGES
def test_no_page_of_a_day_names_what_became_public_later(client):
    """Otherwise the page of a day would be another one on each day on which it is asked for."""
    opinion = make_opinion(name_en="Coming opinion", issued_on=None)
    office = make_department(name_en="Coming office")
    sections = Section.objects.first(), make_section(opinion=opinion, name_en="Coming section")
    for section in sections:
        theme = make_theme(section=section, order=99, name_en="Coming theme")
        make_measure(theme=theme, lead=office, published_on=yesterday(), name_en="Coming measure")
    addresses = [f"/en{page}" for page in PLAIN_PAGES]
    addresses += ["/en/measures/?q=a", "/en/choose/", "/en/changes/?from=2023-07-01"]

    def naming(day: date) -> list[str]:
        return [page for page in addresses if "Coming" in html_of(client, page, as_of=day)]

    day_before = yesterday() - timedelta(days=1)
    assert len(naming(yesterday())) > 8
    assert naming(day_before) == []
    for row in (opinion, sections[1]):
        assert client.get(row.get_absolute_url(), {"as_of": yesterday()}).status_code == 200
        assert client.get(row.get_absolute_url(), {"as_of": day_before}).status_code == 404


def test_from_the_day_of_issue_on_everything_is_public(client):
    html = html_of(client, "/en/sections/1/", as_of=DAY)
    assert re.search('href="/en/(measures|indicators)/[^/?]+/', html)
    measures, indicators = Measure.objects.count(), Indicator.objects.count()
    publications = sum(model.objects.count() for model in (Observation, Target, MeasureState))
    assert total_on_overview(client, DAY) == [2, measures, indicators, publications]
    for address, model in (("/measures/", Measure), ("/indicators/", Indicator)):
        rows = rows_of(html_of(client, address, as_of=DAY, format="csv"))
        assert len(rows) == model.objects.count() > 0
    assert len(rows_of(html_of(client, "/targets/", as_of=DAY, format="csv"))) == 2


@runs_once.PAGES
@pytest.mark.parametrize(
    ("prefix", "kind"),
    one_way_each([(prefix, kind) for prefix in ("", "/en") for kind in ("measures", "indicators")]),
)
def test_a_page_of_a_row_that_was_not_public_yet_says_since_when_it_is(client, prefix, kind):
    code = {"measures": Measure, "indicators": Indicator}[kind].objects.first().code

    answer = client.get(f"{prefix}/{kind}/{code}/", {"as_of": DAY_BEFORE})
    html = answer.content.decode()

    assert answer.status_code == 404
    assert language(html) == ("en" if prefix else "zh-Hans")
    assert len(texts(html, "h1")) == 1
    said = ("24 July 2023", "25 July 2023") if prefix else ("2023年7月24日", "2023年7月25日")
    (sentence,) = [text for text in texts(html, "p") if all(day in text for day in said)]
    if prefix:
        assert sentence == "This was not public yet on 24 July 2023; it is since 25 July 2023."
    assert client.get(f"{prefix}/{kind}/{code}/", {"as_of": DAY}).status_code == 200


def corrected_observation():
    """51.79 published on the day of issue, corrected to 50.1 on 10 August."""
    first = Indicator.objects.get(observations__as_written="51.79亿元").observations.get()
    content = {name: getattr(first, name) for name in first.content_fields()}
    content |= {"value": "50.1", "as_written": "50.1亿元"}
    return make_observation(
        **content,
        supersedes=first,
        revision=2,
        correction_reason="合计时重复计入一家",
        published=date(2023, 8, 10),
    )


def test_a_correction_shows_from_its_day_on_and_the_old_value_before(client):
    code = corrected_observation().indicator.code

    for day, shown, not_shown in (
        ("2023-08-09", "51.79亿元", "50.1亿元"),
        ("2023-08-10", "50.1亿元", None),
        (None, "50.1亿元", None),
    ):
        query = {"as_of": day} if day else {}
        page = html_of(client, f"/indicators/{code}/", **query)
        (in_list,) = rows_of(html_of(client, "/indicators/", q=code, format="csv", **query))
        found = [
            row["as_written"]
            for row in rows_of(html_of(client, "/data/observations.csv", **query))
            if row["indicator_code"] == code
        ]
        assert shown in texts(page, "td")
        assert not_shown is None or not_shown not in page
        assert shown in in_list.values()
        assert found == [shown]


@runs_once.PAGES
def test_a_correction_is_shown_with_the_old_value_and_its_reason(client):
    code = corrected_observation().indicator.code

    html = html_of(client, f"/indicators/{code}/")

    cell, why = [cell for cell in texts(html, "td") if "合计时重复计入一家" in cell]
    assert cell.startswith("2")
    assert "51.79亿元" in cell
    assert why == "合计时重复计入一家"


def test_the_search_finds_what_was_public_on_the_day(client):
    code = corrected_observation().indicator.code

    for day, word, found in (
        ("2023-08-09", "51.79", True),
        ("2023-08-09", "50.1亿元", False),
        ("2023-08-10", "51.79", False),
        ("2023-08-10", "50.1亿元", True),
    ):
        rows = rows_of(html_of(client, "/en/indicators/", q=word, as_of=day, format="csv"))
        assert (code in {row["Code"] for row in rows}) == found, (day, word)


def test_a_progress_note_shows_from_its_day_on(client):
    measure = Measure.objects.first()
    make_note(measure=measure, text="八面来风", published=date(2023, 8, 10))
    address = f"/measures/{measure.code}/"

    assert "八面来风" not in html_of(client, address, as_of="2023-08-09")
    assert "八面来风" in html_of(client, address, as_of="2023-08-10")
    assert "八面来风" in html_of(client, address)


def test_a_row_published_late_in_the_evening_counts_for_that_day_in_shanghai(client):
    moment = datetime(2023, 8, 10, 23, 59, 59, tzinfo=ZoneInfo("Asia/Shanghai"))
    measure = Measure.objects.first()
    make_note(measure=measure, text="八面来风", published=moment)
    address = f"/measures/{measure.code}/"

    assert "八面来风" not in html_of(client, address, as_of="2023-08-09")
    assert "八面来风" in html_of(client, address, as_of="2023-08-10")


@runs_once.PAGES
def test_a_search_keeps_the_day_and_the_words(client):
    html = html_of(client, "/en/find/", q="家", as_of=DAY)

    assert DAY in days(html)
    assert timezone.localdate().isoformat() not in days(html)
    (link,) = re.findall('<a class="language" [^>]*href="([^"]*)"', html)
    assert parse_qs(urlsplit(unescape(link)).query) == {"q": ["家"], "as_of": [DAY]}
    found = re.findall('href="([^"]*/(?:measures|indicators)/[^"/?]+/[^"]*)"', html)
    assert found
    assert {link.partition("as_of=")[2] for link in map(unescape, found)} == {DAY}


NO_DAYS = ("yesterday", "2023-13-01", "2023-02-29", "2023-7-1", "01/07/2023", "-1", "２０２３年")


@runs_once.ADDRESSES
@pytest.mark.parametrize(
    ("prefix", "day"), one_way_each([(prefix, day) for prefix in ("", "/en") for day in NO_DAYS])
)
def test_what_is_no_date_is_answered_by_a_sentence(client, prefix, day):
    answer = client.get(f"{prefix}/", {"as_of": day})
    html = answer.content.decode()

    assert answer.status_code == 400
    assert language(html) == ("en" if prefix else "zh-Hans")
    assert len(texts(html, "h1")) == 1
    (sentence,) = [text for text in texts(html, "p") if f"“{day}”" in text]
    assert "2023-07-31" in sentence
    if prefix:
        assert sentence.startswith(f"“{day}” is not a date.")


@runs_once.ADDRESSES
@PREFIXES
def test_a_day_to_come_is_answered_by_a_sentence(client, prefix):
    tomorrow = timezone.localdate() + timedelta(days=1)

    answer = client.get(f"{prefix}/indicators/", {"as_of": tomorrow.isoformat()})
    html = answer.content.decode()

    assert answer.status_code == 400
    assert language(html) == ("en" if prefix else "zh-Hans")
    with override("en" if prefix else "zh-hans"):
        said = day_in_words(tomorrow)
    (sentence,) = [text for text in texts(html, "p") if said in text]
    if prefix:
        assert "is in the future" in sentence


@pytest.mark.once("reads the dates of pages; what they show of a day is asked on both")
def test_today_and_no_day_at_all_are_answered(client):
    today = timezone.localdate().isoformat()
    asked = [(address, day) for day in (today, "") for address in in_both_languages(*PLAIN_PAGES)]
    # That every kind of page can be asked for a day is seen above.
    for address, day in some(one_way_each(asked, ways=4), every=9):
        assert client.get(address, {"as_of": day}).status_code == 200


def test_the_first_day_of_the_calendar_is_answered_like_any_other(client):
    pages = (address for address in PLAIN_PAGES if address not in {OFFICE, *SECTIONS})
    asked = [*one_way_each(in_both_languages(*pages)), *FILES]
    # PostgreSQL takes some of those that SQLite does not.
    on_postgresql = connection.vendor == "postgresql"
    for address in some(asked, every=8 if on_postgresql else 3, first=int(on_postgresql)):
        assert client.get(address, {"as_of": "0001-01-01"}).status_code == 200, address


@runs_once.PAGES
def test_the_day_is_written_into_the_page_as_text_only(client):
    html = html_of(client, "/en/", as_of="<script>alert(1)</script>")

    assert "<script>" not in html
    assert "&lt;script&gt;" in html
