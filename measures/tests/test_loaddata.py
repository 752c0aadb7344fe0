"""Loading fixtures: a row that is wrong is named, with a sentence, and nothing is loaded."""

from datetime import date

import pytest
from django.core.management import CommandError, call_command

from ..models import Measure, Opinion, ProgressNote, Report, User
from .factories import ISSUED, make_measure, make_note, make_opinion, make_theme

pytestmark = [pytest.mark.django_db, pytest.mark.english]

OPINION = """
- model: measures.opinion
  fields:
    code: {code}
    name: 审议意见
    name_en: Opinion
    number: {number}
    issuer: 区人大常委会
    issuer_en: Standing Committee
"""
REPORT = """
- model: measures.report
  fields:
    code: {code}
    opinion: [{opinion}]
    name: 报告
    name_en: Report
    number: 宝府〔2023〕70号
    issuer: 区人民政府
    issuer_en: District Government
    addressee: 区人大常委会
    addressee_en: Standing Committee
    signatory: 张三
    signatory_en: Zhang San
    signed_on: {signed_on}
    issued_on: 2023-07-25
"""
MEASURE = """
- model: measures.measure
  fields:
    code: {code}
    theme: [{theme}]
    order: {order}
    name: 措施
    name_en: Measure
    summary: 概述
    summary_en: Summary
    {more}
"""
NOTE = """
- model: measures.progressnote
  fields:
    code: {code}
    measure: [{measure}]
    happened_on: 2023-06-30
    text: 开园
    {more}
"""


@pytest.fixture
def load(tmp_path):
    """Loads a fixture written as text."""

    def load(text):
        file = tmp_path / "rows.yaml"
        file.write_text(text, encoding="utf-8")
        call_command("loaddata", file, verbosity=0)

    return load


def message(load, text) -> str:
    with pytest.raises(CommandError) as error:
        load(text)
    return str(error.value)


def test_rows_are_loaded_by_their_natural_keys(load):
    load(
        OPINION.format(code="asked", number="宝会〔2022〕36号")
        + REPORT.format(code="answered", opinion="asked", signed_on="2023-07-24")
    )
    report = Report.objects.get(code="answered")
    assert (report.opinion.code, report.issued_on) == ("asked", ISSUED)


def test_loading_again_doubles_nothing(load):
    for _ in range(2):
        load(OPINION.format(code="asked", number="宝会〔2022〕36号"))
    assert Opinion.objects.get().number == "宝会〔2022〕36号"


def test_loading_again_rewords_nothing_that_is_public(load):
    make_opinion(code="asked", number="宝会〔2021〕1号")
    refusal = message(load, OPINION.format(code="asked", number="宝会〔2022〕36号"))
    assert refusal.startswith("measures.opinion asked: ")
    assert "what is public changes only by a reviewed change" in refusal
    assert Opinion.objects.get().number == "宝会〔2021〕1号"


def test_a_contradiction_between_two_fields_names_the_row(load):
    make_opinion(code="asked")
    text = REPORT.format(code="too-early", opinion="asked", signed_on="2023-07-26")
    assert message(load, text) == (
        "measures.report too-early: A report is not issued before it is signed."
    )


def test_a_clash_with_a_row_that_is_there_names_the_row(load):
    theme = make_theme(code="parks")
    make_measure(theme=theme, order=3)
    text = MEASURE.format(code="second", theme="parks", order=3, more="")
    assert message(load, text) == (
        "measures.measure second: This theme has a measure with that order already."
    )


def test_a_clash_within_the_file_names_the_second_row(load):
    make_theme(code="parks")
    rows = [MEASURE.format(code=code, theme="parks", order=3, more="") for code in ("a", "b")]
    assert message(load, "".join(rows)).startswith("measures.measure b: ")


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ("locator: 1.2/3", "A report and the place in it belong together."),
        ("locator: page 3", "locator: Write the place as theme/sentence, for example 1.3/5."),
        ("lead_confirmed: true", "Only a department that is named can be confirmed."),
    ],
)
def test_a_rule_of_one_row_names_it(more, sentence, load):
    make_theme(code="parks")
    text = MEASURE.format(code="tower", theme="parks", order=1, more=more)
    assert message(load, text).startswith("measures.measure tower: ")
    assert sentence in message(load, text)


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ("state: published", "A published row has the moment of its publication"),
        ("state: returned", "Whoever returns a row must say why."),
        ("revision: 2", "A correction names the row that it supersedes and the reason."),
        ("state: lost", "The state is none of the known ones."),
    ],
)
def test_a_rule_of_the_workflow_names_the_row(more, sentence, load):
    make_measure(code="tower")
    text = NOTE.format(code="opened", measure="tower", more=more)
    assert message(load, text).startswith("measures.progressnote opened: ")
    assert sentence in message(load, text)


def test_a_second_correction_of_one_row_is_named(load):
    make_measure(code="tower")
    old = make_note(code="old", published=ISSUED)
    correction = {"supersedes": old, "revision": 2, "correction_reason": "笔误"}
    make_note(**correction)
    more = "supersedes: [old]\n    revision: 2\n    correction_reason: 笔误"
    text = NOTE.format(code="again", measure="tower", more=more)
    assert message(load, text) == (
        "measures.progressnote again: A correction of this row is already under way."
    )


def test_a_code_that_is_taken_twice_over_a_number_is_named(load):
    make_opinion(number="宝会〔2022〕36号")
    text = OPINION.format(code="again", number="宝会〔2022〕36号")
    assert message(load, text).startswith("measures.opinion again: ")


def test_a_mistake_leaves_nothing_of_the_file_behind(load):
    text = OPINION.format(code="asked", number="宝会〔2022〕36号") + REPORT.format(
        code="too-early", opinion="asked", signed_on="2023-07-26"
    )
    message(load, text)
    assert not Opinion.objects.exists()


def test_rows_of_other_apps_can_be_loaded_too(load):
    load(
        "- model: measures.user\n  fields: {username: li, password: '!'}\n"
        "- model: auth.group\n  fields: {name: readers}\n"
    )
    assert User.objects.get().username == "li"


def test_a_published_row_counts_from_the_moment_in_the_fixture(load):
    make_measure(code="tower")
    more = "state: published\n    published_at: 2023-07-25T00:00:00+08:00"
    load(NOTE.format(code="opened", measure="tower", more=more))
    assert not ProgressNote.objects.published(date(2023, 7, 24)).exists()
    assert ProgressNote.objects.published(ISSUED).get().code == "opened"


def test_a_row_that_refers_to_an_unknown_one_is_refused_with_both_names(load):
    text = MEASURE.format(code="tower", theme="nowhere", order=1, more="")
    assert message(load, text) == "measures.measure tower: theme: there is no nowhere."
    assert not Measure.objects.exists()


def test_a_field_that_is_left_empty_is_named(load):
    text = OPINION.format(code="asked", number="''")
    assert message(load, text) == "measures.opinion asked: number: This field cannot be blank."


def test_the_same_report_can_be_loaded_over_itself(load):
    make_opinion(code="asked")
    for _ in range(2):
        load(REPORT.format(code="answered", opinion="asked", signed_on="2023-07-25"))
    assert Report.objects.get().signed_on == ISSUED
