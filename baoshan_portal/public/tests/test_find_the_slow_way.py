"""The search answers as one does that compares every row by itself."""

import random
import re
from datetime import date

import pytest
from django.utils.translation import override

from baoshan_portal.tests.slices import one_way_each, some
from measures.models import (
    Department,
    Evaluation,
    Measure,
    OpinionStage,
    ProgressNote,
    Report,
    Synonym,
)
from measures.tests.factories import ISSUED, make_measure, make_note
from metrics.models import Indicator, Observation
from metrics.tests.factories import make_indicator, make_observation, make_unit

from ..find import Everything, Names, Values, find
from ..searched import Texts, in_all
from ..searching import alternatives, asked_words, folded, folded_all, initials, number

pytestmark = pytest.mark.django_db


def searchable(name: str, *others: str) -> str:
    return " ".join((folded(name), initials(name), *map(folded, others))).lower()


def rows(as_of):
    """Every public row of each kind: kind, name, target and text, in the order of old."""
    values = (
        Observation.objects.published(as_of)
        .filter(indicator__in=Indicator.objects.published(as_of))
        .select_related("indicator__unit__base", "report")
        .order_by("indicator__name", "-period_end", "indicator", "-pk")
    )
    for value in values:
        row = value.indicator
        yield (
            "figures", str(row), row,
            searchable(row.name, row.name_en, row.code, row.scope, row.scope_en,
                       value.as_written, value.source_text, number(value.value, row.unit.name)),
        )  # fmt: skip
    for row in Measure.objects.published(as_of).with_place():
        texts = row.name, row.name_en, row.full_number, row.code, row.summary, row.summary_en
        yield "measures", f"{row.full_number} {row}", row, searchable(*texts)
    notes = ProgressNote.objects.published(as_of).select_related("measure")
    for row in notes.filter(measure__in=Measure.objects.published(as_of)):
        yield "notes", str(row), row.measure, searchable(row.text, row.text_en)
    evaluations = Evaluation.objects.published(as_of).with_subject()
    for row in evaluations:
        texts = row.result_text, row.document, row.note, row.note_en, row.body, row.body_en
        yield "word", str(row), row, searchable(str(row), *texts)
    for row in OpinionStage.objects.published(as_of).select_related("opinion"):
        texts = row.text, row.document, row.note, row.note_en
        yield "word", str(row), row, searchable(str(row), *texts)
    led = Department.objects.filter(led__in=Measure.objects.published(as_of)).distinct()
    for row in led:
        yield "departments", str(row), row, searchable(row.name, row.name_en, row.code)
    for row in Report.objects.published(as_of):
        yield "sources", row.number, "method", searchable(row.name, row.name_en, row.number)


def slowly(query, everything) -> dict[str, list[tuple]]:
    known = {folded(row.term): folded(row.meaning) for row in Synonym.objects.all()}
    asked = [alternatives(word, known) for word in asked_words(query)]
    groups: dict[str, dict] = {}
    for kind, name, target, text in everything:
        if all(any(one in text for one in texts) for texts in asked):
            together = groups.setdefault(kind, {})
            together[name, target] = together.get((name, target), 0) + 1

    def place(answer):
        name = folded(answer[0][0])
        if any(name.startswith(text) for text in asked[0]):
            return 0
        return 1 if any(text in name for text in asked[0]) else 2

    return {
        kind: [(*key, count) for key, count in sorted(together.items(), key=place)]
        for kind, together in groups.items()
    }


def quickly(query, everything) -> dict[str, list[tuple]]:
    return {
        group.kind: [(hit.name, hit.target, _counted(hit)) for hit in group.shown]
        for group in find(asked_words(query), everything, most=None)
    }


def _counted(hit) -> int:
    """How many rows the answer stands for: its detail may end with 另有2期."""
    more = re.search(r" · (?:另有)?(\d+)(?:期| other periods? too)$", hit.detail)
    return 1 + int(more[1]) if more else 1


ASKED = [
    "高", "企", "高新", "企业", "高新技", "高企", "科委", "高新技術", "寶府", "石墨烯", "万", "家",
    "gxjsqy", "GXJS", "qy", "3264家", "3264", "1475", "1,475", "一千四百七十五家", "148.54万元",
    "48.54", "1485400", "485400", "=1", "第6", "翻两番", "近百名", "1/4", "1.3", "1.3/", "2023",
    "宝府〔2023〕70号", "高新 企业", "高新 2023", "企业 家 1", "企业 1.3/", "gxjsqy 1475", "e",
    "70号 翻两番", "nowhere", "policy", "guaranteed loan", "district", "人大 2023", "科 2022", "3",
]  # fmt: skip


#: What is found in texts is told in Python; one day shows that either database gives the texts.
ONCE = pytest.mark.once("compares texts; those of one day are read on both databases")
DAYS = (None, date(2023, 8, 1), date(2023, 7, 24))


@pytest.mark.sweep
@pytest.mark.parametrize(
    ("language", "as_of"),
    [
        pytest.param(*case, marks=ONCE if case[1] else ())
        for case in one_way_each([(name, day) for name in ("zh-hans", "en") for day in DAYS])
    ],
)
def test_the_report_answers_as_row_by_row(report, language, as_of):
    Synonym.objects.get_or_create(term="高企", meaning="高新技术企业")
    with override(language):
        of_old, now = list(rows(as_of)), Everything(Names(as_of), Values(as_of))
        # The others on the past day, in English.
        for query in some(ASKED, every=2, first=DAYS.index(as_of)):
            if asked_words(query):
                assert quickly(query, now) == slowly(query, of_old), query


def _made_up(chance: random.Random) -> None:
    signs = "高新企业技術术園园区（）〔〕,，12３０萬万"
    unit, ten_thousand = make_unit(name="家"), make_unit(name="万元", quantity="money")

    def words(most: int) -> str:
        return "名" + "".join(chance.choices(signs, k=chance.randint(1, most)))

    names = [words(5) for _n in range(6)]
    for _m in range(4):
        measure = make_measure(name=words(6), summary=words(12))
        for order in range(3):
            indicator = make_indicator(
                measure=measure, order=order + 1, name=chance.choice(names), scope=words(8),
                unit=chance.choice([unit, ten_thousand]),
                name_en=chance.choice(["", "High tech", "new parks"]),
            )  # fmt: skip
            for month in range(1, chance.randint(1, 6)):
                value = chance.choice(["3264", "12.5", "130000", "0.5"])
                make_observation(
                    indicator=indicator, value=value, published=ISSUED,
                    period_start=date(2022, month, 1), period_end=date(2022, month, 28),
                    as_written=chance.choice([value, f"{value}{indicator.unit.name}", words(3)]),
                )  # fmt: skip
        for _n in range(2):
            make_note(
                measure=measure, text=words(9) + "\n" + words(4), published=ISSUED,
                happened_on=date(2022, 5, 1),
            )  # fmt: skip


@pytest.mark.sweep
@pytest.mark.parametrize(
    "seed", [pytest.param(seed, marks=ONCE if seed else ()) for seed in some(range(6), every=3)]
)
def test_made_up_words_answer_as_row_by_row(seed):
    chance = random.Random(seed)
    _made_up(chance)
    Synonym.objects.create(term="园", meaning="高新园区")
    of_old, now = list(rows(None)), Everything(Names(None), Values(None))
    for _n in range(80):
        word = "".join(chance.choices("高新企业术園园区名1230萬万家.,", k=chance.randint(1, 3)))
        others = chance.choices(["高", "1", "32", "区", "2022"], k=chance.randint(0, 2))
        query = " ".join([word, *others])
        if asked_words(query):
            assert quickly(query, now) == slowly(query, of_old), query


def test_texts_are_folded_together_as_one_by_one():
    texts = [
        "３，２６４家",
        "1,",
        ",2",
        "寶府〔2023〕70號",
        "a\u2028b",
        "",
        "\u0301x",
        "ΑΣ",
        "e",
        "1",
    ] * 300
    assert folded_all(texts) == [folded(text).replace("\n", " ") for text in texts]


def test_texts_are_found_wherever_they_stand():
    texts = Texts(["ab", "", "b a", "ab"])
    assert list(texts.that_have(["b"])) == [1, 0, 1, 1]
    assert list(texts.that_have(["b"], at_the_start=True)) == [0, 0, 1, 0]
    assert list(texts.that_have(["ab", "a"])) == [1, 0, 1, 1]
    assert list(texts.that_have([""])) == [1, 1, 1, 1]
    assert list(texts.that_have(["b\nb"])) == [0, 0, 0, 0]
    assert list(in_all([texts.that_have(["a"]), texts.that_have([" "])])) == [0, 0, 1, 0]
    assert list(Texts([]).that_have(["a"])) == []


def test_no_more_rows_are_loaded_than_are_shown(django_assert_num_queries):
    measure = make_measure()
    for order in range(5):
        indicator = make_indicator(measure=measure, order=order + 1, name="园区企业")
        make_observation(indicator=indicator, published=ISSUED)
    everything = Everything(Names(None), Values(None))
    with django_assert_num_queries(2):
        (group,) = find(["园区企业"], everything, most=2)
    assert group.count == 5
    assert len(group.shown) == 2
