"""Lists take several answers of a question, leave answers out, and say what they were asked."""

from datetime import date
from types import SimpleNamespace

import pytest
from django.http import QueryDict

from measures.models import Measure
from measures.tests.factories import (
    ISSUED,
    make_department,
    make_measure,
    make_note,
    make_section,
    make_theme,
)

from ..lists.filters import MeasureFilter

pytestmark = pytest.mark.django_db


def asked(query: str, as_of: date | None = None) -> MeasureFilter:
    """The filter set of ``query``, as the list of measures builds it."""
    filterset = MeasureFilter(
        QueryDict(query),
        queryset=Measure.objects.published(as_of).with_place(),
        request=SimpleNamespace(as_of=as_of),
    )
    assert filterset.is_valid(), filterset.errors
    return filterset


def names(query: str, as_of: date | None = None) -> list[str]:
    return [row.name_en for row in asked(query, as_of).qs]


def counts(query: str, facet: str, as_of: date | None = None) -> dict[str, int]:
    """What the page shows beside the answers of one facet, without the zeros."""
    options = next(
        question.options
        for group in asked(query, as_of).shown_groups
        for question in group.questions
        if question.name == facet
    )
    return {option.value: option.count for option in options if option.count}


@pytest.fixture
def three_themes():
    """Ada and Bob in theme a, Cy in theme b, Di in theme c of another section; Di has no lead."""
    near, far = make_section(order=1, code="near"), make_section(order=2, code="far")
    office, bureau = make_department(code="office"), make_department(code="bureau")
    for theme, section, people in (
        ("a", near, [("Ada", office), ("Bob", bureau)]),
        ("b", near, [("Cy", office)]),
        ("c", far, [("Di", None)]),
    ):
        row = make_theme(code=theme, section=section, order=ord(theme))
        for order, (name, lead) in enumerate(people, 1):
            make_measure(theme=row, order=order, name_en=name, lead=lead)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["Ada", "Bob", "Cy", "Di"]),
        ("theme=a", ["Ada", "Bob"]),
        ("theme=a&theme=c", ["Ada", "Bob", "Di"]),
        ("not_theme=a", ["Cy", "Di"]),
        ("not_theme=a&not_theme=c", ["Cy"]),
        ("theme=a&department=office", ["Ada"]),
        ("theme=a&theme=b&not_department=bureau", ["Ada", "Cy"]),
        ("section=near&not_theme=b", ["Ada", "Bob"]),
        ("department=none", ["Di"]),
        ("not_department=none&not_section=far", ["Ada", "Bob", "Cy"]),
        ("theme=a&not_theme=a", []),
        ("q=Ada", ["Ada"]),
        ("q=d&theme=a&theme=c", ["Ada", "Di"]),
        # As the addresses of before carry them.
        ("q=&section=&theme=a&department=", ["Ada", "Bob"]),
        ("theme=a&theme=a", ["Ada", "Bob"]),
    ],
)
def test_a_row_has_any_of_the_chosen_answers_and_none_of_the_excluded(
    three_themes, query, expected
):
    assert names(query) == expected


@pytest.mark.parametrize(
    ("query", "facet", "expected"),
    [
        ("", "theme", {"a": 2, "b": 1, "c": 1}),
        ("", "department", {"office": 2, "bureau": 1, "none": 1}),
        # A facet does not narrow its own counts, the others do.
        ("theme=a", "theme", {"a": 2, "b": 1, "c": 1}),
        ("theme=a", "department", {"office": 1, "bureau": 1}),
        ("theme=a&theme=c", "department", {"office": 1, "bureau": 1, "none": 1}),
        ("department=office", "theme", {"a": 1, "b": 1}),
        ("not_department=office", "theme", {"a": 1, "c": 1}),
        # Beside an excluded answer stands what is left out.
        ("not_theme=a", "theme", {"a": 2, "b": 1, "c": 1}),
        ("q=Ada", "theme", {"a": 1}),
    ],
)
def test_an_answer_counts_the_rows_that_it_would_show(three_themes, query, facet, expected):
    assert counts(query, facet) == expected


def test_what_is_not_public_counts_nowhere(three_themes):
    make_measure(published_on=None)
    make_measure(published_on=date(2023, 9, 1), lead=make_department(code="late"))

    assert sum(counts("", "department").values()) == 5
    assert counts("", "department", date(2023, 8, 31)) == {"office": 2, "bureau": 1, "none": 1}


def test_an_answer_without_rows_is_idle_unless_it_was_taken(three_themes):
    def idle(query: str) -> set[str]:
        return {
            option.value
            for group in asked(query).shown_groups
            for question in group.questions
            if question.name == "theme"
            for option in question.options
            if option.is_idle
        }

    assert idle("department=bureau") == {"b", "c"}
    assert idle("department=bureau&theme=b&not_theme=c") == set()


def test_groups_in_use_are_open_and_say_how_much_is_taken(three_themes):
    groups = {
        group.questions[0].name: (group.is_open, group.used)
        for group in asked("theme=a&theme=b&not_theme=c&noted=no").shown_groups
    }

    assert groups == {
        "section": (False, 0),
        "theme": (True, 3),
        "department": (False, 0),
        "noted": (True, 1),
        "status": (False, 0),
    }


def test_what_was_asked_for_is_said_in_words(three_themes):
    chosen = [
        (chosen.parameter, chosen.label, [words for _value, words in chosen.values])
        for chosen in asked("q=Ada&not_department=none&theme=c&theme=a").chosen
    ]

    assert [parameter for parameter, _label, _words in chosen] == ["q", "theme", "not_department"]
    assert chosen[0][2] == ["Ada"]
    # In the order in which they are offered, so that one state is written in one way.
    assert [words.split(" ")[0] for words in chosen[1][2]] == ["1.97", "2.99"]


@pytest.mark.parametrize(
    "query",
    [
        "theme=x",
        "theme=a&theme=x",
        "not_theme=x",
        "department=%00",
        "noted=maybe",
        "noted=yes&noted=x",
    ],
)
def test_an_unknown_answer_is_refused_among_known_ones(three_themes, query):
    filterset = MeasureFilter(
        QueryDict(query), queryset=Measure.objects.all(), request=SimpleNamespace(as_of=None)
    )

    assert not filterset.is_valid()
    assert len(filterset.errors) == 1
    options = [
        option
        for group in filterset.shown_groups
        for question in group.questions
        for option in question.options
    ]
    assert {option.count for option in options} == {None}


def test_measures_are_kept_apart_by_notes_on_the_day_asked_for():
    make_note(measure=make_measure(name_en="Noted"), published=date(2023, 8, 10))
    make_note(measure=make_measure(name_en="Drafted"))

    assert names("noted=yes") == ["Noted"]
    assert names("noted=no") == ["Drafted"]
    assert names("noted=yes&noted=no") == ["Noted", "Drafted"]
    assert names("noted=yes", date(2023, 8, 9)) == []
    assert counts("", "noted", date(2023, 8, 9)) == {"no": 2}


def test_measures_are_kept_apart_by_a_confirmed_lead():
    office = make_department()
    make_measure(name_en="Confirmed", lead=office, lead_confirmed=True)
    make_measure(name_en="Proposed", lead=office)
    make_measure(name_en="Unknown")

    assert names("confirmed=yes") == ["Confirmed"]
    assert names("confirmed=no") == ["Proposed", "Unknown"]


def test_the_questions_of_a_list_cost_one_query_for_its_rows(
    three_themes, django_assert_num_queries
):
    make_note(measure=Measure.objects.first(), published=ISSUED)

    # The rows for the counts, the themes with their sections, the departments.
    with django_assert_num_queries(3):
        assert asked("theme=a&not_department=none&noted=yes").shown_groups
