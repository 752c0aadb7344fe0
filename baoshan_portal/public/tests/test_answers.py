"""A list's answers as bits agree with the rows looked at one by one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baoshan_portal.public.lists.answers import Answers
from measures.models import Department
from measures.tests.factories import make_department

ROWS = st.dictionaries(st.integers(1, 10**12), st.frozensets(st.sampled_from("abcd")), max_size=40)


@given(ROWS, st.sets(st.sampled_from("abcde")))
def test_rows_with_any_of_some_answers(rows, asked):
    answers = Answers(rows)
    answers.read("facet", rows.values())
    mask = answers.any_of("facet", asked)
    assert answers.keys_of(mask) == [key for key, of_row in rows.items() if of_row & asked]
    assert answers.keys_of(answers.all & ~mask) == [
        key for key, of_row in rows.items() if not of_row & asked
    ]


@given(ROWS, st.sets(st.integers(1, 10**12)))
def test_keys_that_are_no_rows_have_no_bit(rows, others):
    answers = Answers(rows)
    asked = {*list(rows)[::2], *others}
    assert answers.keys_of(answers.mask_of(asked)) == [key for key in rows if key in asked]


@pytest.mark.django_db
@pytest.mark.parametrize("more", [0, 40_000])
def test_a_key_is_found_among_however_many(more):
    offices = [make_department().pk for _ in range(3)]
    keys = [*offices[:2], *range(10**9, 10**9 + more)]
    among = Department.objects.filter(pk__in=keys).order_by("pk")
    assert list(among.values_list("pk", flat=True)) == offices[:2]
    assert not Department.objects.filter(pk__in=[]).exists()
