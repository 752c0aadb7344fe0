"""My work: what each role sees first, and where every number leads."""

import re
from datetime import date, timedelta
from decimal import Decimal
from html import unescape

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from baoshan_portal.tests import runs_once
from baoshan_portal.tests.desk import browser_of
from baoshan_portal.tests.slices import some
from measures.access import ADMINISTRATOR, AUDITOR, EDITOR, HEAD, REVIEWER, ROLES, STEWARD
from measures.failed_sign_ins import sweep
from measures.models import FailedSignIns
from measures.submission import State
from measures.tests.factories import (
    ISSUED,
    make_department,
    make_measure,
    make_note,
    make_round,
    make_staff,
    make_superuser,
    make_unlock,
    make_user,
)
from measures.workflow import send_back
from metrics.due import due_indicators
from metrics.models import Indicator, Observation
from metrics.rules.choices import Frequency, Qualifier
from metrics.tests.factories import (
    make_indicator,
    make_money,
    make_observation,
    make_target,
    make_unit,
)

from ..entry_sheet.page import sheet_url
from ..my_work.page import MyWork
from ..my_work.sheets import progress_of_sheets
from .test_entry_sheet import entry_in, many, rounds_of_years

pytestmark = [pytest.mark.django_db, pytest.mark.long, pytest.mark.english]

HOME = "/en/admin/"
QUARTERLY = Frequency.QUARTERLY


def today(days=0) -> date:
    return timezone.localdate() + timedelta(days=days)


def make_current(**fields):
    """The third quarter of 2023 as if it were asked for today, due in five days."""
    return make_round(**{"opens_on": today(-20), "due_on": today(5), **fields})


@pytest.fixture
def office():
    return make_department(name_en="Science")


@pytest.fixture
def measure(office):
    return make_measure(lead=office)


@pytest.fixture
def clerk(office):
    return make_staff(EDITOR, departments=[office])


def home(user):
    return browser_of(user).get(HOME)


def text(answer) -> str:
    return " ".join(unescape(re.sub("<[^>]*>", " ", answer.content.decode())).split())


def heading(answer) -> list[str]:
    """The parts of the page, which differ by role."""
    return re.findall(r'<h2 id="work-(\w+)"', answer.content.decode())


@runs_once.RIGHTS
@pytest.mark.parametrize(
    ("role", "parts"),
    [
        (EDITOR, ["entry", "recent"]),
        (REVIEWER, ["review", "rounds", "recent"]),
        (HEAD, ["signing", "recent"]),
        (STEWARD, ["entry", "missing", "rounds", "recent"]),
        (AUDITOR, ["trail", "rounds", "recent"]),
        (ADMINISTRATOR, ["missing", "accounts"]),
        (None, []),
    ],
)
def test_every_role_has_its_part(role, parts, office):
    answer = home(make_staff(role, departments=[office]))
    assert answer.status_code == 200
    assert heading(answer) == parts


PARTS = ["entry", "review", "missing", "accounts", "trail", "rounds", "recent"]


@runs_once.RIGHTS
def test_a_superuser_has_every_part():
    assert heading(home(make_superuser())) == PARTS


# Whoever enters


@runs_once.PAGES
def test_what_is_due_now_and_overdue_leads_to_the_sheets(clerk, office, measure):
    make_indicator(measure=measure, frequency=QUARTERLY)
    now, late = make_current(), make_current(due_on=today(-1))
    make_current(opens_on=today(1))
    make_current(locked=True)
    unlocked = make_current(locked=True, due_on=today())
    make_unlock(round=unlocked, department=office)
    make_unlock(round=make_current(locked=True), department=make_department())
    work = MyWork.of(clerk)
    assert [sheet.round for sheet in work.entry.sheets.due_now] == [unlocked, now]
    assert [sheet.round for sheet in work.entry.sheets.overdue] == [late]
    html = home(clerk).content.decode()
    for round_ in (now, late, unlocked):
        assert f'href="{sheet_url(round_, office)}"' in html


def test_what_is_handed_in_is_no_longer_missing(clerk, office, measure):
    round_ = make_current()
    rows = [make_indicator(measure=measure, frequency=QUARTERLY) for _ in range(4)]
    make_indicator(measure=measure, frequency=Frequency.YEARLY)
    make_observation(indicator=rows[0], round=round_)
    make_observation(indicator=rows[1], round=round_, state=State.SUBMITTED)
    make_observation(indicator=rows[2], round=round_, published=ISSUED)
    make_observation(indicator=rows[3], round=make_round(), published=ISSUED)
    (sheet,) = MyWork.of(clerk, today()).entry.sheets.due_now
    assert (sheet.due, sheet.handed_in, sheet.missing) == (4, 2, 2)


def test_a_sheet_that_is_complete_is_not_due(clerk, office, measure):
    row = make_indicator(measure=measure, frequency=QUARTERLY)
    make_observation(indicator=row, round=make_current(), state=State.SUBMITTED)
    assert MyWork.of(clerk).entry.sheets.due_now == []
    assert "Nothing is due now." in text(home(clerk))


def test_the_counts_are_those_of_the_sheets(office, measure):
    """Two ways to the same answer: a query for one round, and the progress in all."""
    rounds = [
        make_round(period_start=start, period_end=end)
        for start, end in [
            (date(2023, 7, 1), date(2023, 9, 30)),
            (date(2023, 1, 1), date(2023, 12, 31)),
            (date(2023, 8, 2), date(2023, 8, 30)),
        ]
    ]
    made = [
        make_indicator(measure=measure, frequency=frequency)
        for frequency in (*Frequency, Frequency.ONCE, Frequency.ONCE)
    ]
    make_observation(indicator=made[-1], published=ISSUED, round=rounds[0])
    make_observation(indicator=made[-2], published=ISSUED)
    found = progress_of_sheets(rounds, [office])
    asked = [due_indicators(round_, Indicator.objects.all()).count() for round_ in rounds]
    assert [found[round_.pk, office.pk].due for round_ in rounds] == asked == [4, 5, 1]


def test_nothing_of_other_departments_is_mine(clerk, office):
    other = make_measure(lead=make_department())
    row = make_indicator(measure=other, frequency=QUARTERLY)
    make_current()
    for state in (State.DRAFT, State.SUBMITTED):
        make_observation(indicator=row, state=state)
    make_note(measure=other, state=State.RETURNED, return_reason="缺证据")
    make_observation(indicator=row, published=timezone.now())
    work = MyWork.of(clerk)
    entry, recent = work.entry, work.recent
    assert (entry.sheets.due_now, entry.drafts, entry.in_review, entry.returned) == ([],) * 4
    assert (entry.returned_rows, recent.counts, recent.rows) == ([],) * 3


def make_states(measure):
    """A row in every state that the front page counts: 1 draft, 2 waiting, 3 returned, 1 recent."""
    row = make_indicator(measure=measure)
    make_observation(indicator=row)
    make_observation(indicator=row, state=State.SUBMITTED)
    make_note(measure=measure, state=State.SUBMITTED)
    for _ in range(2):
        make_observation(indicator=row, state=State.RETURNED, return_reason="口径不符")
    make_note(measure=measure, state=State.RETURNED, return_reason="缺证据")
    make_observation(indicator=row, published=timezone.now())
    make_observation(indicator=row, published=timezone.now() - timedelta(days=31))


def test_every_count_leads_to_the_list_of_exactly_these(clerk, measure):
    make_states(measure)
    work, browser = MyWork.of(clerk), browser_of(clerk)
    counts = {name: getattr(work.entry, name) for name in ("drafts", "in_review", "returned")}
    counts["recent"] = work.recent.counts
    assert {name: [count.n for count in found] for name, found in counts.items()} == {
        "drafts": [1],
        "in_review": [1, 1],
        "returned": [2, 1],
        "recent": [1],
    }
    html = browser.get(HOME).content.decode()
    for count in sum(counts.values(), []):
        assert count.url.replace("&", "&amp;") in html
        assert browser.get(count.url).context["cl"].result_count == count.n


@runs_once.PAGES
def test_what_came_back_shows_its_reason_and_leads_to_its_row_on_the_sheet(clerk, office, measure):
    round_ = make_current()
    row = make_indicator(measure=measure, frequency=QUARTERLY)
    returned = {"state": State.RETURNED, "return_reason": "请附清单"}
    make_observation(indicator=row, round=round_, **returned)
    loose = make_note(measure=measure, **returned)
    html = home(clerk).content.decode()
    assert html.count("请附清单") == 2
    assert f'href="{sheet_url(round_, office)}#figure-{row.code}"' in html
    assert f"/admin/measures/progressnote/{loose.pk}/change/" in html


@runs_once.PAGES
def test_what_came_back_of_a_locked_round_leads_to_the_row_itself(clerk, measure):
    round_ = make_current(locked=True)
    row = make_note(measure=measure, round=round_, state=State.RETURNED, return_reason="缺证据")
    (listed,) = MyWork.of(clerk).entry.returned_rows
    assert listed.url.endswith(f"/measures/progressnote/{row.pk}/change/")


@runs_once.PAGES
def test_of_long_lists_ten_rows_are_shown_and_all_are_counted(clerk, office, measure):
    row = make_indicator(measure=measure, frequency=QUARTERLY)
    for _ in range(12):
        make_observation(indicator=row, state=State.RETURNED, return_reason="口径不符")
        make_current()
    entry = MyWork.of(clerk).entry
    found = (len(entry.returned_rows), entry.returned[0].n, len(entry.sheets.due_now))
    assert found == (10, 12, 12)
    answer = home(clerk)
    assert answer.content.decode().count("/admin/entry/") == 10
    assert "12 sheets" in text(answer)


def test_a_steward_sees_the_targets_that_came_back():
    make_target(state=State.RETURNED, return_reason="无出处")
    assert "无出处" in text(home(make_staff(STEWARD)))


# Whoever reviews


def test_what_waits_for_review_by_department_the_longest_wait_first(office, measure):
    other = make_measure(lead=make_department(name_en="Economy"))
    long_ago = timezone.now() - timedelta(days=9)
    submitted = {"state": State.SUBMITTED, "entered_by": make_user()}
    row = make_indicator(measure=measure)
    make_observation(indicator=row, submitted_at=timezone.now(), **submitted)
    make_note(measure=measure, submitted_at=timezone.now(), **submitted)
    make_note(measure=other, submitted_at=long_ago, **submitted)
    make_target(indicator=row, submitted_at=timezone.now(), **submitted)
    make_observation(indicator=make_indicator(), submitted_at=timezone.now(), **submitted)
    reviewer = make_staff(REVIEWER)
    found = [
        (str(waiting.department), [n for _name, n in waiting.by_kind], waiting.days)
        for waiting in MyWork.of(reviewer).review.waiting
    ]
    # Values, periods without one, targets, notes; of states, withdrawals and reviewed changes
    # there are none.
    assert found[0] == ("Economy", [0, 0, 0, 1, 0, 0, 0], 9)
    assert sorted(found[1:]) == [
        ("None", [1, 0, 0, 0, 0, 0, 0], 0),
        ("Science", [1, 0, 1, 1, 0, 0, 0], 0),
    ]
    answer = home(reviewer)
    assert "9 days" in text(answer)
    assert f"/en/admin/review/?department={office.code}" in answer.content.decode()


def test_what_a_reviewer_entered_does_not_wait_for_them(measure):
    reviewer = make_staff(REVIEWER)
    make_note(measure=measure, state=State.SUBMITTED, entered_by=reviewer)
    assert MyWork.of(reviewer).review.waiting == []
    assert "Nothing waits for your review." in text(home(reviewer))


def test_a_row_without_a_moment_of_submission_breaks_nothing(measure):
    make_note(measure=measure, state=State.SUBMITTED)
    (waiting,) = MyWork.of(make_staff(REVIEWER)).review.waiting
    assert waiting.days is None


def test_what_a_reviewer_returned_is_listed_until_it_is_submitted_again(measure):
    reviewer, colleague = make_staff(REVIEWER), make_staff(REVIEWER)
    rows = [
        make_observation(indicator=make_indicator(measure=measure), state=State.SUBMITTED)
        for _ in range(4)
    ]
    note = make_note(measure=measure, state=State.SUBMITTED)
    for row in (*rows[:3], note):
        send_back(row, by=reviewer, reason="请附清单")
    send_back(rows[3], by=colleague, reason="口径不符")
    Observation.objects.filter(pk=rows[0].pk).update(state=State.SUBMITTED)
    # Returned again, by somebody else.
    Observation.objects.filter(pk=rows[1].pk).update(state=State.SUBMITTED)
    send_back(Observation.objects.get(pk=rows[1].pk), by=colleague, reason="仍缺清单")
    assert [listed.row for listed in MyWork.of(reviewer).review.sent_back] == [note, rows[2]]
    assert [listed.row for listed in MyWork.of(colleague).review.sent_back] == [rows[1], rows[3]]
    html = home(reviewer).content.decode()
    assert html.count("请附清单") == 2
    assert f"/admin/metrics/observation/{rows[2].pk}/change/" in html


def test_a_reviewer_sees_what_was_published_last_and_the_list_of_all(measure):
    row = make_indicator(measure=measure)
    now = timezone.now()
    hours = range(12)
    made = [make_observation(indicator=row, published=now - timedelta(hours=n)) for n in hours]
    old = make_note(measure=measure, published=now - timedelta(days=31))
    reviewer = make_staff(REVIEWER)
    recent, browser = MyWork.of(reviewer).recent, browser_of(reviewer)
    assert [listed.row for listed in recent.rows] == made[:10]
    assert [(count.kind, count.n) for count in recent.counts] == [(Observation, 12)]
    html = browser.get(HOME).content.decode()
    urls = dict(recent.lists)
    for url in urls.values():
        assert f'href="{url}"' in html
    assert list(browser.get(urls["progress notes"]).context["cl"].result_list) == [old]


@runs_once.PAGES
@pytest.mark.parametrize(
    ("language", "says"),
    [("en", ["25%", "about CNY 500 million"]), ("zh-hans", ["25%", "约5亿元"])],
)
def test_a_line_shows_the_figure_as_it_was_read_and_its_unit(language, says, clerk, measure):
    share = make_unit(name="%", name_en="per cent", quantity="percentage")
    now = timezone.now()
    make_observation(
        indicator=make_indicator(measure=measure, unit=make_money()["亿元"]),
        value=Decimal(5),
        qualifier=Qualifier.ABOUT,
        as_written="５００００万左右",
        published=now - timedelta(hours=1),
    )
    make_observation(
        indicator=make_indicator(measure=measure, unit=share),
        value=Decimal(25),
        as_written="1/4",
        published=now,
    )
    with translation.override(language):
        assert [listed.says for listed in MyWork.of(clerk).recent.rows] == says


# Whoever looks after the rounds


def test_a_steward_sees_how_far_every_department_is_and_the_rows(office, measure):
    steward, round_ = make_staff(STEWARD), make_current()
    rows = [make_indicator(measure=measure, frequency=QUARTERLY) for _ in range(2)]
    make_observation(indicator=rows[0], round=round_, state=State.SUBMITTED)
    make_observation(indicator=rows[1])
    make_indicator(measure=make_measure(lead=make_department()), frequency=Frequency.YEARLY)
    make_department()
    lines = MyWork.of(steward).rounds.by_department
    assert [(d, [(t.handed_in, t.due) for t in found]) for d, found in lines][0] == (
        office,
        [(1, 2)],
    )
    assert len(lines) == 2
    assert "1 / 2" in text(home(steward))
    assert browser_of(steward).get(lines[0][1][0].list_url).context["cl"].result_count == 1


@runs_once.PAGES
def test_what_is_overdue_is_marked_among_the_rounds(office, measure):
    row = make_indicator(measure=measure, frequency=QUARTERLY)
    done = make_current(due_on=today(-2))
    make_observation(indicator=row, round=done, state=State.SUBMITTED)
    make_current(due_on=today())
    reviewer = make_staff(REVIEWER)
    assert 'aria-label="Overdue"' not in home(reviewer).content.decode()
    make_current(due_on=today(-1))
    assert home(reviewer).content.decode().count('aria-label="Overdue"') == 1


# Whoever audits or looks after accounts


@runs_once.PAGES
def test_an_auditor_is_led_to_the_trail_and_to_failed_sign_ins(client, settings):
    client.post("/en/admin/login/", {"username": "nobody", "password": "wrong"})
    FailedSignIns.objects.update(last=timezone.now() - settings.AXES_COOLOFF_TIME)
    sweep()
    auditor = make_staff(AUDITOR)
    browser = browser_of(auditor)
    trail = MyWork.of(auditor).trail
    assert [n for name, n, _url in trail.counts if "failed" in name] == [1]
    for _name, n, url in trail.counts:
        assert browser.get(url).context["cl"].result_count == n
    assert "/en/admin/measures/trailevent/" in browser.get(HOME).content.decode()


@runs_once.PAGES
def test_an_administrator_sees_locked_and_new_accounts(settings):
    locked, fresh = make_user(username="locked"), make_user(username="fresh")
    idle = [make_staff(EDITOR, username="idle-editor"), make_staff(username="idle-staff")]
    fresh.must_change_password = True
    fresh.save()
    make_user(username="gone", is_active=False, must_change_password=True)
    failures = {"count": settings.AXES_FAILURE_LIMIT, "address": "10.0.0.1"}
    FailedSignIns.objects.create(account="locked", locked_at=timezone.now(), **failures)
    FailedSignIns.objects.create(account="", locked_at=timezone.now(), **failures)
    FailedSignIns.objects.create(account="fresh", **failures | {"count": 1})
    administrator = make_staff(ADMINISTRATOR)
    groups, browser = MyWork.of(administrator).accounts.groups, browser_of(administrator)
    assert [users for _what, users, _url in groups] == [[locked], [fresh], idle]
    for _what, users, url in groups:
        assert list(browser.get(url).context["cl"].result_list) == users


def test_a_lock_that_ran_out_is_not_shown(settings):
    make_user(username="locked")
    FailedSignIns.objects.create(
        account="locked", address="10.0.0.1", count=settings.AXES_FAILURE_LIMIT,
        locked_at=timezone.now() - settings.AXES_COOLOFF_TIME * 2,
    )  # fmt: skip
    assert MyWork.of(make_staff(ADMINISTRATOR)).accounts.groups[0][1] == []


# The guide


@runs_once.RIGHTS
@pytest.mark.sweep
@pytest.mark.parametrize("role", [*ROLES, None])
def test_the_guide_leads_only_to_pages_that_its_reader_may_open(role, office):
    browser = browser_of(make_staff(role, departments=[office]))
    html = browser.get("/en/admin/guide/").content.decode()
    guide = html[html.index('<div class="guide">') : html.index("What the others do")]
    rest = html[html.index("What the others do") : html.index("</dl>")]
    links = re.findall(r'<a href="([^"]+)"', guide + rest)
    assert HOME in links
    # Most links are those of other roles, too, so each opens some, by turns.
    opened = some(sorted(set(links)), every=4, first=[*ROLES, None].index(role))
    assert {link: browser.get(link).status_code for link in opened} == dict.fromkeys(opened, 200)


@runs_once.PAGES
@pytest.mark.parametrize(("prefix", "language"), [("", "zh"), ("/en", "en")])
def test_the_pictures_of_the_guide_are_in_its_language(prefix, language):
    html = browser_of(make_staff(EDITOR)).get(f"{prefix}/admin/guide/").content.decode()
    assert set(re.findall(r"pictures/\w+-(\w+)", html)) == {language}


# How it behaves with many rows


def queries_of(user) -> int:
    """How many queries the page takes, without those that ask what the user may do at all."""
    browser = browser_of(user)
    with CaptureQueriesContext(connection) as found:
        assert browser.get(HOME).status_code == 200
    return len([query for query in found if "auth_permission" not in query["sql"]])


def with_every_role(office):
    user = make_staff(*ROLES, departments=[office])
    assert user.groups.count() == Group.objects.count()
    return user


@runs_once.QUERIES
@pytest.mark.parametrize(("roles", "count"), [([EDITOR], 32), ([REVIEWER], 37), (list(ROLES), 84)])
def test_as_many_queries_for_twelve_times_the_rows(roles, count, office, measure):
    user = make_staff(*roles, departments=[office])
    make_states(measure)
    make_current()
    make_indicator(measure=measure, frequency=QUARTERLY)
    few = queries_of(user)
    rounds = [make_current() for _ in range(3)]
    indicators = many(office, 11, rounds_of_years(2))
    for state in (State.DRAFT, State.SUBMITTED):
        round_ = rounds.pop()
        Observation.objects.bulk_create(entry_in(round_, row, state=state) for row in indicators)
    assert queries_of(user) == few == count


@runs_once.QUERIES
def test_as_many_queries_for_whoever_is_limited_as_for_a_superuser(office, measure):
    make_states(measure)
    make_current()
    make_indicator(measure=measure, frequency=QUARTERLY)
    assert queries_of(with_every_role(office)) == queries_of(make_superuser())
