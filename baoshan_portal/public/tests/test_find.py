import re
from datetime import date, timedelta
from html import unescape

import pytest
from django.utils import timezone

from measures.models import Synonym
from measures.tests.factories import ISSUED, make_note, make_report
from metrics.models import Indicator
from metrics.tests.factories import make_observation

from .. import pinyin
from ..find import Everything, Names, Values, find
from ..pinyin import initials
from ..searching import alternatives, asked_words

pytestmark = [
    pytest.mark.once("compares words in Python; test_find_the_slow_way reads them on both"),
    pytest.mark.long,
]


def answers(query, as_of=None):
    """All that answers to ``query``, by kind."""
    return find(asked_words(query), Everything(Names(as_of), Values(as_of)), most=None)


def found(query, as_of=None) -> dict[str, list[str]]:
    return {
        group.kind: [
            hit.target if hit.target == "method" else hit.target.code for hit in group.shown
        ]
        for group in answers(query, as_of)
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
        ("148.54万", "premium-subsidy-amount"),
        ("1485400", "premium-subsidy-amount"),
        ("1,485,400元", "premium-subsidy-amount"),
        ("一千四百七十五家", "high-tech-enterprises"),
    ],
)
def test_a_figure_is_found_as_it_is_printed(report, query, code):
    assert code in found(query)["figures"]


def test_chinese_is_found_by_the_initials_of_its_pinyin(report):
    assert initials("高新技术企业") == "gxjsqy"
    assert initials("〇A，12𠀀") == "lA，12𠀀"
    assert "high-tech-enterprises" in found("gxjsqy")["figures"]
    assert "high-tech-enterprises" in found("GXJSQY")["figures"]


def test_the_letters_of_pinyin_are_kept_for_the_next_process(monkeypatch):
    letters = pinyin._letters()
    pinyin._letters.cache_clear()
    monkeypatch.setattr(pinyin, "_asked", None)
    assert pinyin._letters() == letters


def test_what_is_called_as_was_asked_stands_first(report):
    figures = found("高企")["figures"]

    assert figures[0] == "high-tech-enterprises"
    assert "nanda-high-tech-enterprises-new" in figures[1:]


def test_an_indicator_answers_once_with_its_newest_value_however_many_do(report):
    loans = Indicator.objects.get(code="guaranteed-loan-amount")
    make_observation(
        indicator=loans, value="40", published=ISSUED,
        period_start=date(2023, 1, 1), period_end=date(2023, 6, 30),
    )  # fmt: skip

    (hit,) = (
        hit for group in answers("担保贷款金额") for hit in group.shown if hit.target == loans
    )

    assert hit.detail.startswith("40亿元")
    assert hit.detail.endswith("另有2期")


def test_english_names_departments_and_documents_are_found(report):
    assert "guaranteed-loan-amount" in found("guaranteed loan")["figures"]
    assert found("科学技术委员会")["departments"] == ["science-technology"]
    assert found("宝府〔2023〕70号")["sources"] == ["method"]


@pytest.mark.parametrize(
    "query",
    [
        "宝府[2023]70号",
        "宝府（2023）70号",
        "宝府【２０２３】70號",
        "宝府202370号",
        "寶府〔2023〕70號",
    ],
)
def test_brackets_and_traditional_characters_make_no_difference(report, query):
    assert found(query)["sources"] == ["method"]
    assert "high-tech-enterprises" in found("高新技術企業")["figures"]


@pytest.mark.parametrize(
    ("query", "code"),
    [("科委", "science-technology"), ("人社局", "human-resources"), ("金融办", "finance-services")],
)
def test_a_department_is_found_by_its_short_name(report, query, code):
    assert code in found(query)["departments"]


def test_what_people_call_a_thing_is_found_also_within_a_word(report):
    Synonym.objects.get_or_create(term="高企", meaning="高新技术企业")
    assert "high-tech-enterprises" in found("高企")["figures"]
    assert found("高企总数") == found("高新技术企业总数") != {}


def test_a_rank_and_a_growth_are_no_numbers_of_things(report):
    assert alternatives("第6", {}) == ["第6"]
    assert alternatives("翻两番", {}) == ["翻两番"]


@pytest.mark.parametrize("query", ["高薪技术企业", "高新技术企业总书"])
def test_who_mistyped_is_asked_what_was_meant(client, report, query):
    html = client.get("/find/", {"q": query}).content.decode()
    (asked,) = re.findall("您要找的是不是.*?</p>", html, re.DOTALL)
    assert "高新技术企业" in asked
    for link in re.findall('href="([^"]*)"', asked):
        assert 'class="hits"' in client.get(unescape(link)).content.decode()


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


@pytest.mark.parametrize("query", ["", "石墨烯", "2023", "no such thing"])
def test_the_number_of_queries_is_one_whatever_is_asked(
    client, report, django_assert_max_num_queries, query
):
    # Four of them for results of checks that are not known.
    with django_assert_max_num_queries(23):
        assert client.get("/find/", {"q": query}).status_code == 200
