"""Tables as offices have them: each is understood, or told in one sentence."""

from datetime import date

import pytest
from django.utils.translation import override

from baoshan_portal.tests import runs_once
from measures.access import EDITOR
from measures.tests.factories import make_department, make_measure, make_round, make_staff
from metrics.rules.choices import Frequency, Kind
from metrics.tests.factories import make_indicator, make_money, make_observation, make_unit

from ..imports.importing import by_cause
from ..imports.reading import Problem
from ..imports.round_template import import_entries
from .office_files import CASES, book, row, text

pytestmark = [pytest.mark.django_db, pytest.mark.english, pytest.mark.long]


class World:
    """A department that reports for the last quarter of 2023, monthly things left aside."""

    def __init__(self):
        self.department = make_department(name="区科委", name_en="Science office")
        other = make_department(name="区商务委", name_en="Commerce office")
        self.by = make_staff(EDITOR, departments=[self.department])
        self.round = make_round(
            code="2023-q4", period_start=date(2023, 10, 1), period_end=date(2023, 12, 31)
        )
        make_round(code="2023-q3", period_start=date(2023, 7, 1), period_end=date(2023, 9, 30))
        measure, theirs = make_measure(lead=self.department), make_measure(lead=other)
        money, firms = make_money(), make_unit()
        percent = make_unit(name="%", name_en="%", quantity="ratio")
        quarterly = {"measure": measure, "frequency": Frequency.QUARTERLY}
        self.firms = make_indicator(code="firms", name="企业", unit=firms, **quarterly)
        make_indicator(code="cost", name="保费补贴", unit=money["万元"], **quarterly)
        make_indicator(code="people", name="人才", unit=firms, **quarterly)
        for code, name, unit in (
            ("funds", "基金", money["亿元"]),
            ("share", "占比", percent),
            ("growth", "增速", percent),
        ):
            kind = Kind.GROWTH if code == "growth" else Kind.STOCK
            make_indicator(code=code, name=name, unit=unit, measure=measure, kind=kind)
        for code in ("theirs", "theirs-too"):
            make_indicator(code=code, measure=theirs, unit=firms, frequency=Frequency.QUARTERLY)
        for start, end, value in (
            (date(2023, 4, 1), date(2023, 6, 30), 51), (date(2023, 7, 1), date(2023, 9, 30), 64),
        ):  # fmt: skip
            make_observation(
                indicator=self.firms, period_start=start, period_end=end, value=value,
                as_written=f"{value}家", published=date(2023, 10, 20),
            )  # fmt: skip

    def take(self, content: bytes, **how):
        how = {"dry_run": True} | how
        return import_entries(
            content, round=self.round, department=self.department, by=self.by, **how
        )


@pytest.fixture
def world():
    return World()


@runs_once.UPLOADS
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_file_is_understood_or_told_in_one_sentence(world, case):
    outcome = world.take(case.make())

    refusals = [cause.message for cause in outcome.causes]
    assert len(refusals) == len(case.refusals), refusals
    for found, expected in zip(refusals, case.refusals, strict=True):
        assert found.startswith(expected)
    if case.refusals:
        return
    assert {change.code: change.figure.as_written for change in outcome.changes} == case.values
    assert len(outcome.notices) == len(case.notices), outcome.notices
    for found, expected in zip(outcome.notices, case.notices, strict=True):
        assert found.startswith(expected)


def test_there_are_thirty_of_them_and_more():
    assert len(CASES) > 60
    assert len({case.name for case in CASES}) == len(CASES)


@runs_once.UPLOADS
@pytest.mark.parametrize(
    ("code", "figure", "number_format", "value"),
    [
        ("share", 25, '0"%"', "25"),
        ("share", 0.25, "0%", "25"),
        ("funds", 89400, '0"万元"', "8.94"),
        ("funds", 89_400_000, '#,##0.00,"千元"', "0.894"),
        ("funds", 8_900_000, '0.0,,"百万"', "0.089"),
        ("cost", 3.8, '0.0"亿元"', "38000"),
        ("share", 0.25, "# ?/?", "25"),
    ],
)
def test_what_a_cell_shows_is_converted_as_if_it_was_typed(
    world, code, figure, number_format, value
):
    content = book(row(code, figure), formats={"F2": number_format})()

    (change,) = world.take(content).changes

    assert f"{change.figure.value.normalize():f}" == value


def test_rows_that_change_nothing_are_counted_by_why(world):
    world.take(text(row(), row("funds", 7))(), dry_run=False)
    content = text(row(), row("funds", 8), row("cost", ""), row("people", ""), ["", "合计"])()

    outcome = world.take(content)

    assert (len(outcome.changes), outcome.unchanged, outcome.blank, outcome.left_out) == (
        1,
        1,
        2,
        1,
    )


def test_more_than_forty_is_a_change_of_forty(world):
    world.take(text(row(figure="40家"))(), dry_run=False)

    (change,) = world.take(text(row(figure="四十余家"))()).changes

    assert change.cells[0][1:] == ("40家", "四十余家 (over 40 organisations)")


def test_the_template_that_is_given_out_is_taken_by_its_round_alone(world, monkeypatch):
    from ..imports.round_template import COLUMNS, indicators_of, template_row

    rows = [
        template_row(indicator, world.round, world.department)
        for indicator in indicators_of(world.round, world.department)
    ]
    for cells in rows:
        cells[6] = "5"
    content = text(*rows, headers=[str(column) for column in COLUMNS])()
    assert world.take(content).problems == []

    world.round = make_round(
        code="2024-q4", period_start=date(2024, 10, 1), period_end=date(2024, 12, 31)
    )
    (cause,) = world.take(content).causes
    assert cause.message.startswith("This file is of another round: it is for “")


def test_a_sentence_is_told_once_for_all_rows_with_one_cause():
    rows = [Problem("Wrong.", number, "A code", f"{number}") for number in (2, 3, 4, 7)]
    alike = [Problem("Empty.", number, "B figure") for number in (2, 3)]
    apart = [Problem("Odd.", number, "B figure", f"{number}") for number in (5, 6)]

    causes = by_cause([*rows, *alike, *apart])

    assert [(cause.rows, cause.message) for cause in causes] == [
        ("2–4, 7", "Wrong."), ("2, 3", "Empty."), ("5", "Odd."), ("6", "Odd."),
    ]  # fmt: skip


def test_a_refusal_is_in_the_language_of_the_reader(world):
    with override("zh-hans"):
        (cause,) = world.take(b"%PDF-1.7").causes

    assert cause.message.startswith("这是PDF")
