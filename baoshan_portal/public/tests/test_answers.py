"""Answers that were read row by row agree with the rows looked at one by one."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baoshan_portal.public.lists.answers import Answers
from measures.models import Department
from measures.tests.factories import make_department

#: Two groups, of one facet with one answer and of one with several.
FIRST, SECOND = ("first",), ("second",)
ONE, SEVERAL = (
    st.sampled_from("ab").map(lambda answer: ((answer,),)),
    st.frozensets(st.sampled_from("abc")).map(lambda answers: (tuple(sorted(answers)),)),
)
ROWS = st.dictionaries(st.integers(1, 10**12), st.tuples(ONE, SEVERAL), max_size=40)


@given(ROWS, st.sampled_from("abd"), st.sets(st.integers(1, 10**12)))
def test_rows_with_an_answer(rows, asked, others):
    columns = {group: [row[n] for row in rows.values()] for n, group in enumerate((FIRST, SECOND))}
    answers = Answers(rows, columns)
    among = {*list(rows)[::2], *others}
    for some, chosen in ((answers, rows), (answers.among(among), {*rows} & among)):
        left = {key: row for key, row in rows.items() if key in chosen}

        def keeps(_group, combination):
            return asked in combination[0]

        assert some.keys == list(left)
        assert len(some) == len(left)
        assert some.kept(keeps) == [
            key for key, row in left.items() if all(asked in has for (has,) in row)
        ]
        assert some.counted(FIRST, keeps) == Counter(
            first for first, (second,) in left.values() if asked in second
        )
        assert some.counted(SECOND, keeps) == Counter(
            second for (first,), second in left.values() if asked in first
        )


@pytest.mark.django_db
@pytest.mark.parametrize("more", [0, 40_000])
def test_a_key_is_found_among_however_many(more):
    offices = [make_department().pk for _ in range(3)]
    keys = [*offices[:2], *range(10**9, 10**9 + more)]
    among = Department.objects.filter(pk__in=keys).order_by("pk")
    assert list(among.values_list("pk", flat=True)) == offices[:2]
    assert not Department.objects.filter(pk__in=[]).exists()
