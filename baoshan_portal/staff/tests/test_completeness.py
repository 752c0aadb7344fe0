"""Completeness and timeliness: a line for each department and round, on the page and as a file."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from baoshan_portal.tests import runs_once
from baoshan_portal.tests.desk import browser_of
from baoshan_portal.tests.pages import rows_of
from measures.access import ADMINISTRATOR, AUDITOR, EDITOR, REVIEWER, STEWARD
from measures.models import Round, TrailEvent
from measures.submission import State
from measures.tests.factories import make_department, make_measure, make_round, make_staff
from metrics import due
from metrics.models import Observation
from metrics.rules.choices import Frequency
from metrics.tests.factories import make_indicator, make_no_figure, make_observation

from ..completeness import LINES_PER_PAGE
from ..entry_sheet.page import sheet_url
from .test_entry_sheet import entry_in, many, rounds_of_years

pytestmark = [pytest.mark.django_db, pytest.mark.english]

PAGE = "/en/admin/completeness/"
NUMBERS = ("Expected", "Handed in", "Published", "No figure", "Missing", "On time", "Late")


@pytest.fixture
def office():
    return make_department(name="区科委", name_en="Science", code="science")


@pytest.fixture
def measure(office):
    return make_measure(lead=office)


@pytest.fixture
def steward():
    return browser_of(make_staff(STEWARD))


def moment(day: str) -> datetime:
    return timezone.make_aware(datetime.fromisoformat(f"{day} 10:00"))


def five_of(measure, round_):
    """One public and on time, one waiting and late, one without a figure, a draft, and nothing."""
    rows = [make_indicator(measure=measure, frequency=Frequency.QUARTERLY) for _ in range(5)]
    make_observation(
        indicator=rows[0], round=round_, published=moment("2023-11-02"),
        submitted_at=moment("2023-10-15"),
    )  # fmt: skip
    make_observation(
        indicator=rows[1], round=round_, state=State.SUBMITTED, submitted_at=moment("2023-10-16")
    )
    make_no_figure(
        indicator=rows[2], round=round_, state=State.SUBMITTED, submitted_at=moment("2023-10-02")
    )
    make_observation(indicator=rows[3], round=round_)
    return rows


def lines(browser, query="") -> list[dict]:
    answer = browser.get(f"{PAGE}?{query}&format=csv")
    assert answer.status_code == 200
    return rows_of(b"".join(answer.streaming_content).decode())


def numbers(line: dict) -> list[int]:
    return [int(line[name]) for name in NUMBERS]


def test_a_line_says_what_was_asked_handed_in_published_and_when(steward, office, measure):
    five_of(measure, make_round(name_en="Third quarter"))
    (line,) = lines(steward)
    assert (line["Round"], line["Department"]) == ("Third quarter", "Science")
    assert (line["Due on"], line["State"]) == ("2023-10-15", "due by now")
    assert numbers(line) == [5, 3, 1, 1, 2, 2, 1]


@runs_once.PAGES
def test_the_page_shows_what_the_file_says_and_the_sum(steward, measure):
    five_of(measure, make_round(name_en="Third quarter"))
    answer = steward.get(PAGE)
    (line,) = answer.context["page"]
    assert [str(cell) for cell in line.cells] == list(lines(steward)[0].values())
    assert "Handed in: 3 / 5" in answer.content.decode()


def test_a_locked_round_counts_what_it_asked_then(steward, office, measure):
    round_ = make_round()
    five_of(measure, round_)
    due.fix(round_)
    Round.objects.update(locked=True)
    make_indicator(measure=measure, frequency=Frequency.QUARTERLY)
    (line,) = lines(steward)
    assert (line["State"], numbers(line)) == ("locked", [5, 3, 1, 1, 2, 2, 1])


def test_on_time_is_what_the_public_page_of_departments_says(steward, client, office, measure):
    round_ = make_round()
    rows = five_of(measure, round_)
    due.fix(round_)
    make_observation(
        indicator=rows[4], round=round_, published=moment("2023-11-02"),
        submitted_at=moment("2023-10-20"),
    )  # fmt: skip
    answer = client.get("/en/departments/?format=csv")
    (public,) = rows_of(b"".join(answer.streaming_content).decode())
    # The page for staff counts what waits, too: one on time, one late.
    (line,) = lines(steward)
    assert (public["handed in on time"], public["handed in late"]) == ("1", "1")
    assert (line["On time"], line["Late"]) == ("2", "2")


def test_a_figure_that_comes_after_no_figure_is_counted_once(steward, measure):
    round_ = make_round()
    row = make_indicator(measure=measure, frequency=Frequency.QUARTERLY)
    for make, day in ((make_no_figure, "2023-10-10"), (make_observation, "2023-10-30")):
        make(indicator=row, round=round_, published=moment(day), submitted_at=moment(day))
    (line,) = lines(steward)
    assert numbers(line) == [1, 1, 1, 0, 0, 1, 0]


def test_lines_are_chosen_by_round_department_and_what_is_missing(steward, office, measure):
    done, missing = make_round(code="done"), make_round(code="missing")
    row = make_indicator(measure=measure, frequency=Frequency.QUARTERLY)
    make_observation(indicator=row, round=done, state=State.SUBMITTED, submitted_at=timezone.now())
    other = make_department(name_en="Other", code="other")
    make_indicator(measure=make_measure(lead=other), frequency=Frequency.QUARTERLY)
    assert len(lines(steward)) == 4
    assert len(lines(steward, "round=done")) == 2
    assert {line["Department"] for line in lines(steward, "department=other")} == {"Other"}
    assert [numbers(line)[4] for line in lines(steward, "missing=on")] == [1, 1, 1]
    answer = steward.get(f"{PAGE}?round=missing&department=science")
    assert f"{PAGE}?round=missing&amp;department=science&amp;format=csv" in answer.content.decode()
    assert missing.locked is False


@runs_once.PAGES
def test_a_round_that_has_not_opened_and_one_that_is_not_there(steward, measure):
    make_indicator(measure=measure, frequency=Frequency.QUARTERLY)
    tomorrow = timezone.localdate() + timedelta(days=1)
    make_round(code="later", opens_on=tomorrow, due_on=tomorrow)
    assert "Nothing was asked for here." in steward.get(PAGE).content.decode()
    assert steward.get(f"{PAGE}?round=later").status_code == 400
    assert steward.get(f"{PAGE}?page=2").status_code == 404
    assert steward.get(f"{PAGE}?format=pdf").status_code == 404


@runs_once.PAGES
def test_whoever_enters_is_led_to_the_sheet_and_others_to_the_rows(steward, office, measure):
    round_ = make_round(code="q3")
    five_of(measure, round_)
    sheet = sheet_url(round_, office)
    page = steward.get(PAGE)
    assert sheet not in page.content.decode()
    (line,) = page.context["page"]
    assert steward.get(line.figures_url).context["cl"].result_count == 3
    assert steward.get(line.no_figures_url).context["cl"].result_count == 1
    both = browser_of(make_staff(STEWARD, EDITOR))
    assert sheet in both.get(PAGE).content.decode()
    assert both.get(sheet).status_code == 200


@pytest.mark.parametrize(
    ("role", "status"),
    [(STEWARD, 200), (REVIEWER, 200), (AUDITOR, 200), (EDITOR, 403), (ADMINISTRATOR, 403)],
)
@runs_once.RIGHTS
def test_it_is_for_whoever_looks_after_all_departments(role, status, office):
    browser = browser_of(make_staff(role, departments=[office]))
    assert browser.get(PAGE).status_code == status
    leads_there = PAGE in browser.get("/en/admin/").content.decode()
    make_round()
    assert leads_there == (status == 200)


def test_an_export_is_in_the_trail_and_an_excel_file_is_there(steward, measure):
    five_of(measure, make_round())
    answer = steward.get(f"{PAGE}?format=xlsx")
    assert answer.content[:2] == b"PK"
    event = TrailEvent.objects.get(action="exported")
    assert event.note == "填报完整性与及时性.xlsx, 1 rows"


@runs_once.PAGES
def test_it_is_in_both_languages(steward, measure):
    five_of(measure, make_round())
    page = steward.get("/admin/completeness/").content.decode()
    for word in ("应报", "已报", "无数据", "按时", "迟报", "填报完整性与及时性"):
        assert word in page


@runs_once.QUERIES
def test_as_many_queries_for_50_indicators_in_10_rounds(office, measure):
    def queries() -> int:
        browser = browser_of(make_staff(STEWARD, EDITOR, departments=[office]))
        with CaptureQueriesContext(connection) as found:
            assert browser.get(PAGE).status_code == 200
        return len([query for query in found if "auth_permission" not in query["sql"]])

    make_indicator(measure=measure, frequency=Frequency.QUARTERLY)
    make_round()
    few = queries()
    indicators = many(office, 50, rounds_of_years(10))
    now, handed_in = make_round(), {"state": State.SUBMITTED, "submitted_at": timezone.now()}
    Observation.objects.bulk_create(entry_in(now, row, **handed_in) for row in indicators)
    assert queries() == few
    assert LINES_PER_PAGE == 200
