"""The committee's word on the public pages, in the feeds and in the open data."""

from datetime import date, timedelta

import pytest
from django.urls import reverse

from baoshan_portal.tests import runs_once
from baoshan_portal.tests.pages import rows_of, texts
from measures.models import Measure, Opinion, Report, Section, Stage, Theme, Threshold
from measures.tests.factories import ISSUED, make_evaluation, make_stage, reword
from metrics.models import Indicator, Plan
from metrics.rules.stages import InTime
from metrics.tests.factories import make_target

from ..committee import axes, stages_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("report"), pytest.mark.long]

VOTED = date(2023, 9, 20)
VOTES = {"satisfied": 3, "fairly_satisfied": 12, "not_satisfied": 24, "abstained": 0}


def html_of(client, address: str, **query) -> str:
    return client.get(address, query).content.decode()


@runs_once.PAGES
def test_the_report_itself_knows_the_answer_and_nothing_else(client):
    lines = stages_of(Opinion.objects.get(), None, {})

    assert [line.stage for line in lines if line.row] == [Stage.ANSWERED]
    assert {line.term.state for line in lines} == {InTime.UNKNOWN}
    page = html_of(client, "/en/")
    assert "answered 2023-07-25" in texts(page, "li")
    assert texts(page, "li").count("closed not known") == 1
    assert "Evaluation of the report by the committee: not known, none published." in page


@runs_once.PAGES
def test_the_front_page_says_what_was_in_time_and_what_is_overdue(client):
    for code, days in (("term-answered", 180), ("term-evaluated", 200)):
        reword(Threshold.objects.get(code=code), value=days)
    # 180 days after 6 January are 5 July, 20 days before the report; 200 are 25 July.
    make_stage(
        opinion=Opinion.objects.get(),
        stage=Stage.HANDED_OVER,
        happened_on=date(2023, 1, 6),
        published=ISSUED,
    )

    page = html_of(client, "/en/", as_of="2023-08-01")

    items = texts(page, "li")
    assert "answered 2023-07-25 ◇ late due 2023-07-05 20 days over" in items
    overdue = "evaluated not known ! term over, nothing published due 2023-07-25 7 days over"
    assert overdue in items
    # Nothing of the opinion was public before.
    assert "due 2023-07-05" not in html_of(client, "/en/", as_of="2023-07-24")


def test_a_draft_is_seen_nowhere_and_a_published_evaluation_on_its_pages(client):
    section, theme = Section.objects.get(order=1), Theme.objects.get(code="core-area")
    make_evaluation(section=section, note="草稿里的话")
    make_evaluation(section=section, grade="not-satisfied", **VOTES, published=VOTED)
    make_evaluation(theme=theme, grade="satisfied", body_en="Committee of themes", published=VOTED)
    make_evaluation(report=Report.objects.get(), body_en="Plenary", published=VOTED)
    measure = Measure.objects.published().filter(theme=theme).first()

    page = html_of(client, "/en/sections/1/")
    overview = html_of(client, "/en/")
    of_measure = html_of(client, f"/en/measures/{measure.code}/")

    for text in ("not satisfied", "<strong>24</strong>", "Committee of themes", "Plenary"):
        assert text in page
    assert "草稿里的话" not in page + overview + of_measure
    assert "Plenary" in overview and "Committee of themes" not in overview
    assert of_measure.count("#evaluation-") == 3
    before = html_of(client, "/en/sections/1/", as_of="2023-09-19")
    assert "Plenary" not in before
    assert "not known: none published" in before
    assert "not known: none published" in html_of(client, "/en/sections/2/", as_of="2023-09-19")


@runs_once.PAGES
def test_the_search_and_the_packs_of_its_places_tell_it(client):
    section = Section.objects.get(order=1)
    make_stage(document="反馈函", published=VOTED)
    make_evaluation(section=section, note="草稿里的话")
    evaluation = make_evaluation(
        section=section, body="财经委", grade="not-satisfied", **VOTES, published=VOTED
    )

    found = html_of(client, "/find/", q="财经委")
    assert f"#evaluation-{evaluation.code}" in found
    assert "反馈函" in html_of(client, "/find/", q="反馈函")
    assert (
        "草稿里的话" not in html_of(client, "/find/", q="草稿里的话").partition('id="answers"')[2]
    )
    assert f"#evaluation-{evaluation.code}" not in html_of(
        client, "/find/", q="财经委", as_of="2023-09-19"
    )

    for file_format in ("", "pack.csv"):
        address = f"/packs/{file_format}"
        told = client.get(address, {"section": section.code}).getvalue().decode()
        assert "财经委 · 不满意" in told
        assert "不满意24票" in told
        other = client.get(address, {"section": Section.objects.get(order=2).code})
        assert "财经委" not in other.getvalue().decode()
        before = client.get(address, {"section": section.code, "as_of": "2023-09-19"})
        assert "财经委" not in before.getvalue().decode()


@runs_once.PAGES
def test_where_the_committee_is_not_satisfied_a_claim_is_contradicted(client):
    section = Section.objects.get(order=1)
    said = "Reported met, while the committee was not satisfied:"
    assert said not in html_of(client, "/en/sections/1/")

    make_evaluation(section=section, grade="not-satisfied", published=VOTED)

    page = html_of(client, "/en/sections/1/")
    assert said in page
    # The newest evaluation counts.
    later = date(2023, 10, 20)
    make_evaluation(section=section, grade="satisfied", held_on=later, published=later)
    assert said not in html_of(client, "/en/sections/1/")
    assert said in html_of(client, "/en/sections/1/", as_of="2023-10-19")


def test_an_evaluation_changes_neither_what_is_computed_nor_what_is_claimed():
    indicator = Indicator.objects.published().get(code="guaranteed-loan-amount")
    make_target(
        indicator=indicator, plan=Plan.objects.first(), value=1, claim="met", published=ISSUED
    )
    rows = list(Indicator.objects.filter(pk=indicator.pk).with_place().with_latest())
    evaluation = make_evaluation(grade="not-satisfied", published=VOTED)

    without, beside = (axes(rows, word, VOTED) for word in ([], [evaluation]))

    assert (without.verdicts, without.claims) == (beside.verdicts, beside.claims)
    assert [(claim.value, n) for claim, n in beside.claims] == [("met", 1)]
    assert without.contradicted == []
    assert beside.contradicted == [indicator]


def test_the_file_of_evaluations_holds_every_public_one(client):
    make_evaluation(section=Section.objects.get(order=2))
    theme = Theme.objects.get(code="core-area")
    row = make_evaluation(
        theme=theme, grade="not-satisfied", decision="followed-up", **VOTES, published=VOTED
    )

    (line,) = rows_of(client.get("/data/evaluations.csv").getvalue().decode())

    told = {name: line[name] for name in ("code", "report", "section", "theme", "result")}
    assert told == {
        "code": row.code,
        "report": "",
        "section": str(theme.section.order),
        "theme": theme.number,
        "result": "not-satisfied",
    }
    assert [line[name] for name in VOTES] == ["3", "12", "24", "0"]
    assert (line["held_on"], line["decision"]) == ("2023-07-25", "followed-up")
    assert line["opinion"] == "baohui-2022-36"
    assert line["published_at"] == "2023-09-20T12:00:00+08:00"
    assert line["url"].endswith(f"{theme.section.get_absolute_url()}#evaluation-{row.code}")
    before = client.get("/data/evaluations.csv", {"as_of": VOTED - timedelta(days=1)})
    assert rows_of(before.getvalue().decode()) == []


@runs_once.FILES
def test_a_number_that_was_not_published_is_an_empty_cell_and_no_zero(client):
    make_evaluation(section=Section.objects.get(order=2), abstained=0, published=VOTED)

    (line,) = rows_of(client.get("/data/evaluations.csv").getvalue().decode())

    assert [line[name] for name in VOTES] == ["", "", "", "0"]
    assert line["result"] == ""


@runs_once.PAGES
def test_changes_tell_it_with_what_it_corrects_and_why(client):
    section = Section.objects.get(order=2)
    old = make_evaluation(section=section, satisfied=28, published=VOTED)
    make_evaluation(
        section=section, satisfied=29, supersedes=old, revision=2, correction_reason="漏计一票",
        published=date(2023, 10, 1),
    )  # fmt: skip

    page = html_of(client, "/en/changes/")

    assert "2 publications of the committee’s office" in page
    for text in ("evaluation corrected", "satisfied 28", "satisfied 29", "漏计一票"):
        assert text in page
    assert "satisfied 29" not in html_of(client, "/en/changes/", to="2023-09-30")
    assert "satisfied 29" not in html_of(client, "/en/changes/", as_of="2023-09-30")


@runs_once.FILES
def test_feeds_tell_it_everywhere_and_in_the_section(client):
    row = make_evaluation(theme=Theme.objects.get(code="core-area"), published=VOTED)
    told = f"urn:baoshan-portal:evaluation:{row.code}"

    def feed(*place) -> str:
        address = reverse("feed-of", args=place) if place else reverse("feed")
        return client.get(address).content.decode()

    assert told in feed()
    assert told in feed("section", row.theme.section.order)
    assert told not in feed("section", row.theme.section.order + 1)
    assert told not in feed("measure", Measure.objects.published().first().code)


@runs_once.PAGES
def test_the_last_publication_may_be_the_committees(client):
    make_stage(opinion=Opinion.objects.get(), stage=Stage.CLOSED, published=date(2024, 3, 4))

    assert '<time datetime="2024-03-04">' in html_of(client, "/")
