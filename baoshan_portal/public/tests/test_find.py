from datetime import date, timedelta

import pytest
from django.utils import timezone

from measures.tests.factories import ISSUED, make_note, make_report
from metrics.tests.factories import make_observation

from ..find import find, initials
from ..lists.filters import search_words


def found(query, as_of=None) -> dict[str, list[str]]:
    return {
        group.kind: [
            hit.target if hit.target == "method" else hit.target.code for hit in group.hits
        ]
        for group in find(search_words(query), as_of)
    }


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("翻两番", "national-little-giants-new-growth"),
        ("近百名", "new-employees-trained"),
        ("148.54万元", "premium-subsidy-amount"),
        ("１４８．５４", "premium-subsidy-amount"),
        ("第6", "technology-smes-registered-rank"),
        ("1,475", "high-tech-enterprises"),
    ],
)
def test_a_figure_is_found_as_it_is_printed(report, query, code):
    assert code in found(query)["figures"]


def test_chinese_is_found_by_the_initials_of_its_pinyin(report):
    assert initials("高新技术企业") == "gxjsqy"
    assert "high-tech-enterprises" in found("gxjsqy")["figures"]
    assert "high-tech-enterprises" in found("GXJSQY")["figures"]


def test_english_names_departments_and_documents_are_found(report):
    assert "guaranteed-loan-amount" in found("guaranteed loan")["figures"]
    assert found("科学技术委员会")["departments"] == ["science-technology"]
    assert found("宝府〔2023〕70号")["sources"] == ["method"]


def test_every_word_must_be_there(report):
    assert found("石墨烯 翻两番") == {}


def test_nothing_is_found_that_was_not_public_on_the_day(report):
    assert found("翻两番", date(2023, 7, 24)) == {}


def test_drafts_are_not_found(db):
    make_observation(as_written="98765家", value=98765)
    make_note(text="尚未发布的说明")
    assert found("98765") == {}
    assert found("尚未发布的说明") == {}


def test_a_note_is_found_once_it_is_published(db):
    note = make_note(text="首批企业入驻", published=ISSUED)
    assert found("首批企业") == {"notes": [note.measure.code]}


def test_a_report_entered_before_its_day_of_issue_is_found_from_that_day_on(db):
    tomorrow = timezone.localdate() + timedelta(days=1)
    make_report(number="宝府〔2199〕1号", issued_on=tomorrow)
    assert found("宝府〔2199〕1号") == {}


def test_the_page_counts_by_kind(client, report):
    page = client.get("/en/find/", {"q": "石墨烯"}).content.decode()
    assert "Figures 5" in page
    assert page.count("<h1") == 1


def test_an_overlong_search_is_refused(client, db):
    assert client.get("/en/find/", {"q": "x" * 101}).status_code == 400


@pytest.mark.parametrize("query", ["", "石墨烯", "no such thing"])
def test_the_number_of_queries_is_ten_whatever_is_asked(
    client, report, django_assert_max_num_queries, query
):
    with django_assert_max_num_queries(10):
        assert client.get("/find/", {"q": query}).status_code == 200
