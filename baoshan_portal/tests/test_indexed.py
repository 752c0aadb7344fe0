"""What the database's index finds for a search is what a sweep over everything finds, whatever
happened and whoever wrote it."""

import re
from collections.abc import Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from random import Random
from types import SimpleNamespace

import pytest
from django.db import connection
from django.utils import timezone
from django.utils.translation import override

from baoshan_portal.public import indexed
from baoshan_portal.public.find import Everything, Names, Values, names_of_figures
from baoshan_portal.public.searching import LONGEST, alternatives, asked_words
from baoshan_portal.tests.read_tables import statements, tables_read
from baoshan_portal.tests.slices import WHOLE
from baoshan_portal.tests.time_machine import after_each_act, live, small_portal
from measures import protection
from measures.submission import State
from measures.tests.factories import ISSUED, change, make_report, submission
from measures.tests.factories import publish as publish_changes
from metrics.models import Indicator, IndicatorSaid, Observation, ValueSaid
from metrics.said_tables import FIGURES, VALUES, triggers
from metrics.tests.factories import (
    make_indicator,
    make_observation,
    make_unit,
    make_withdrawal,
)

pytestmark = pytest.mark.django_db

LANGUAGES = ("zh-hans", "en")
#: Every kind of act, and those that come more often; in the long form four times.
DAYS, ACTS = (24, 240) if WHOLE else (4, 60)


def asked(query: str) -> list[list[str]]:
    return [alternatives(word, {}) for word in asked_words(query)]


def swept() -> Everything:
    return Everything(Names(None), Values(None))


@contextmanager
def found_soon(is_soon: bool):
    """Whether what is sought is looked for in the values of each figure, whatever is sooner."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(indexed, "_are_found_soon", lambda *_asked: is_soon)
        yield


def compare(queries: list[str], why: str, languages: Sequence[str] = LANGUAGES) -> int:
    """Asks both for each of ``queries``; returns how many were answered."""
    answered = 0
    for language in languages:
        with override(language):
            everything = swept()
            assert names_of_figures() == everything.names_of_figures(), why
            # The first of them are those of all.
            for query, most in [*((query, None) for query in queries), (queries[0], 2)]:
                so = everything.figures(asked(query), most)
                for is_soon in (False, True):
                    with found_soon(is_soon):
                        told = indexed.figures(asked(query), most)
                    assert told == so, (why, query, language, is_soon)
                answered += so[0] > 0
    return answered


def words_of(random: Random, most: int) -> list[str]:
    """Queries, of pieces of what is or was public and of what is not."""
    rows = list(Observation.objects.order_by("pk").select_related("indicator__unit", "report"))
    found = ["1", "e", "无此词"]
    for value in random.sample(rows, min(most, len(rows))):
        figure = value.indicator
        texts = [
            text
            for text in (
                figure.name, figure.name_en, figure.scope, value.as_written, value.source_text
            )
            if asked_words(text)
        ]  # fmt: skip
        pieces = []
        for _n in range(random.randint(1, 3)):
            text = random.choice(texts)
            begin = random.randrange(len(text))
            pieces.append(text[begin : begin + random.randint(1, 4)])
        found.append(" ".join(pieces))
    return [query for query in found if asked_words(query)]


@pytest.mark.sweep
def test_after_every_act_the_index_finds_what_a_sweep_finds():
    """Acts of every kind; between them what is said is written now and then."""
    random, done, mixed, answered = Random(1), set(), 0, 0
    with small_portal(random) as world:

        def look(name: str) -> None:
            nonlocal mixed, answered
            done.add(name)
            language = [random.choice(LANGUAGES)]
            if WHOLE or random.random() < 0.4:
                answered += compare(words_of(random, 4), name, language)
            missing = unwritten()
            mixed += 0 < sum(missing) < ValueSaid.objects.count()
            if random.random() < 0.6:
                indexed.write_missing()
                assert unwritten() == (0, 0)
                if WHOLE or random.random() < 0.4:
                    answered += compare(words_of(random, 2), f"{name}, written", language)

        after_each_act(world, look)
        for _day in live(world, DAYS, ACTS):
            compare(words_of(random, 2), "midnight")
    assert len(done) > 25
    assert mixed > 10
    assert answered > 50


def unwritten() -> tuple[int, int]:
    """Of how many values and figures it is not written what they say."""
    return tuple(model.objects.filter(text="").count() for model in (ValueSaid, IndicatorSaid))


@pytest.fixture
def written():
    """Two figures with a value each, in one unit and of one report; all is written."""
    unit, report = make_unit(name="万元"), make_report(number="宝府〔2022〕7号")
    values = [
        make_observation(
            indicator=make_indicator(name=name, unit=unit),
            report=report,
            source_name="",
            locator="1.1/1",
            published=ISSUED,
        )  # fmt: skip
        for name in ("帆船企业", "灯塔企业")
    ]
    indexed.write_missing()
    assert unwritten() == (0, 0)
    return SimpleNamespace(unit=unit, report=report, value=values[0], figure=values[0].indicator)


def of_a_year_before(figure, **fields) -> Observation:
    year = {"period_start": date(2020, 1, 1), "period_end": date(2020, 12, 31)}
    return make_observation(indicator=figure, **year, **fields)


def publish(row) -> None:
    type(row).objects.filter(pk=row.pk).update(**submission(ISSUED))


def test_a_value_is_written_anew_once_it_is_public(written):
    draft = of_a_year_before(written.figure)
    assert unwritten() == (0, 0)
    publish(draft)
    assert unwritten() == (1, 0)
    make_observation(indicator=make_indicator(), published=ISSUED)
    assert unwritten() == (2, 1)


def test_values_of_one_statement_are_written_anew_each_and_no_draft_is(written):
    draft = of_a_year_before(written.figure)
    others = [make_observation(indicator=written.figure, source_name=name) for name in "甲乙"]
    Observation.objects.filter(state=State.DRAFT).update(note="x")
    assert unwritten() == (0, 0)
    rows = Observation.objects.filter(pk__in=[row.pk for row in others])
    rows.update(**submission(ISSUED))
    assert unwritten() == (2, 0)
    assert not ValueSaid.objects.filter(pk=draft.pk).exists()


def test_what_ended_is_found_no_more_and_leaves_nothing(written):
    make_withdrawal(written.value, published=ISSUED)
    assert unwritten() == (1, 0)
    assert found("帆船") == []
    indexed.write_missing()
    assert found("帆船") == []
    assert not ValueSaid.objects.filter(pk=written.value.pk).exists()


def found(query: str) -> list[int]:
    """The values that answer to ``query`` today."""
    return [key for key, _more in indexed.figures(asked(query), None)[1]]


def test_what_is_not_written_yet_answers_together_with_its_figure(written):
    of_a_year_before(written.figure, as_written="九成", published=ISSUED)
    assert unwritten() == (1, 0)
    queries = ["帆船 九成", "九成 帆船", "帆船企业 九"]
    assert compare(queries, "not written") == len(LANGUAGES) * (len(queries) + 1)


#: What changes what is said of rows, and of how many values and figures.
CHANGES = {
    "the name of a figure": (lambda all: change(all.figure, name="风车企业"), (0, 1)),
    "the number of a report": (lambda all: change(all.report, number="宝府〔2022〕8号"), (2, 0)),
    "the name of a report": (lambda all: change(all.report, name="年度报告"), (0, 0)),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_a_change_makes_old_is_written_anew(written, what):
    entries, missing = CHANGES[what]
    publish_changes(entries(written))
    assert unwritten() == missing
    compare(["风车", "帆船", "亿", "8号", "7号", "=1"], what)
    indexed.write_missing()
    compare(["风车", "帆船", "亿", "8号", "7号", "=1"], what)


def test_another_name_of_a_unit_makes_the_values_old_that_are_counted_in_it(written):
    """No review lets it be changed while it is used, so this goes past that."""
    where = " ON metrics_unit" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        for other in ("reviewed", "version"):
            cursor.execute(f"DROP TRIGGER metrics_unit_{other}_update{where}")
        cursor.execute("UPDATE metrics_unit SET name = '亿元' WHERE id = %s", [written.unit.pk])
    assert unwritten() == (2, 0)


def test_another_unit_of_a_figure_that_is_not_public_yet_makes_its_values_old(written):
    figure = make_indicator(published_on=None)
    make_observation(indicator=figure, published=ISSUED)
    indexed.write_missing()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE metrics_indicator SET unit_id = %s WHERE id = %s", [written.unit.pk, figure.pk]
        )
    assert unwritten() == (1, 1)


def test_of_what_is_public_only_in_a_moment_nothing_is_written():
    """By the clock of another server, which may be a little ahead."""
    make_observation(published=timezone.now() + timedelta(minutes=1))
    assert indexed.write_missing() == 0
    assert found("1") == []


def test_every_table_of_which_it_is_made_makes_it_old(report):
    with tables_read() as read:
        assert indexed.figures(asked("企业"), 20)[0]

    ours = {table for table in read if table.startswith(("measures_", "metrics_"))}
    # Whether a figure and its measure are public and not withdrawn is asked by every search.
    beside = {"measures_measure", "measures_withdrawal"}
    told = {table for table in ours - beside if not table.startswith((VALUES, FIGURES))}
    assert told == {trigger.table for trigger in triggers(connection.vendor)}


def test_all_is_written_anew_where_triggers_were_away(report):
    indexed.write_missing()
    protection.remove(connection)
    protection.install(connection)
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {VALUES}_pieces")
            # Else what was written for older texts would grow for ever.
            assert cursor.fetchone() == (0,)
    missing = unwritten()
    assert missing == (Observation.objects.published().count(), Indicator.objects.count())
    compare(["高新", "企", "gxjsqy"], "thrown away")
    assert indexed.write_missing() == sum(missing)
    assert indexed.write_missing() == 0
    compare(["高新", "企", "gxjsqy"], "written again")


def test_a_copy_that_does_not_hold_what_the_index_says_answers_nothing(written):
    """What was written for an older text stays in SQLite's index."""
    publish_changes(change(written.figure, name="风车企业"))
    indexed.write_missing()
    assert found("帆船") == []
    assert found("风车") == [written.value.pk]


@pytest.mark.parametrize("signs", ["𠮷", "𠮷野家", "é", "a\tb", "%_", "'", "\\"])
def test_any_sign_is_found(written, signs):
    of_a_year_before(written.figure, as_written=f"约{signs}", published=ISSUED)
    queries = [*filter(asked_words, {signs, signs[:1], signs[-1:], f"约{signs}"})]
    for _turn in range(2):
        compare(queries, signs, LANGUAGES[:1])
        indexed.write_missing()


def test_the_longest_search_and_the_most_words_are_answered(written):
    longest = "".join(chr(0x4E00 + n) for n in range(LONGEST))
    most = " ".join("帆船企业灯塔" + "".join(chr(0x4E00 + n) for n in range(LONGEST // 2 - 6)))
    assert len(most) < LONGEST
    compare([longest, most, "帆 船 企 业 万 元 1"], "long")


def test_a_synonym_of_nothing_and_one_of_two_words_are_compared_with_all(written):
    """Brackets are folded to nothing, which is in every text."""
    everything = swept()
    for texts in (["帆船", ""], ["无此词", "灯塔企业 dtqy"], ["无此词", "企业 灯塔"]):
        told = indexed.figures([texts], None)
        assert told == everything.figures([texts], None), texts


def test_a_search_reads_no_more_the_more_values_there_are(report, django_assert_num_queries):
    indexed.write_missing()
    for query in ("企业", "1", "无此词", "高新 企业 2023"):
        answers = bool(found(query))
        with django_assert_num_queries(6 if answers else 5):
            indexed.figures(asked(query), 20)


def test_what_most_values_say_is_looked_for_in_those_of_each_figure(written):
    """In place of looking at all that the index finds; a figure of drafts alone answers nothing."""
    make_observation(indicator=make_indicator(name="台账数"))
    figure = make_indicator(name="灯塔企业数")
    for year in range(1900, 2020):
        day = date(year, 12, 31)
        make_observation(
            indicator=figure, period_start=day, period_end=day, as_written=f"{year}家",
            source_name="统计台账", published=ISSUED,
        )  # fmt: skip
    indexed.write_missing()
    ways = {}
    for query in ("台账", "台账 家", "2007", "灯塔", "台账 2007", "无此词"):
        with statements() as ran:
            told = indexed.figures(asked(query), None)
        assert told == swept().figures(asked(query), None), query
        ways[query] = any("pieces" in sql for sql, _params in ran)
    assert ways == {
        "台账": False, "台账 家": False, "2007": True, "灯塔": True, "台账 2007": True,
        "无此词": True,
    }  # fmt: skip


#: A table of many rows, whatever its alias.
LOOKS_THROUGH = re.compile(r"SCAN (?:metrics_\w+|[U-Z]\d)\b(?! VIRTUAL)")


@pytest.mark.skipif(
    "connection.vendor != 'sqlite'", reason="PostgreSQL's plans are in test_plans, with more rows"
)
@pytest.mark.parametrize("query", ["高新", "企", "1475", "gxjsqy 2023"])
def test_sqlite_looks_through_no_table_for_a_search(report, query):
    indexed.write_missing()
    with connection.cursor() as cursor:
        # As in a portal: nobody but tests has SQLite analyse its tables.
        cursor.execute("DELETE FROM sqlite_stat1")
        cursor.execute("ANALYZE sqlite_schema")
    with statements() as ran:
        indexed.figures(asked(query), 20)
    assert len(ran) == 6
    with connection.cursor() as cursor:
        for sql, params in ran:
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}", params)
            steps = [step for *_numbers, step in cursor.fetchall()]
            assert [step for step in steps if LOOKS_THROUGH.match(step)] == [], steps
