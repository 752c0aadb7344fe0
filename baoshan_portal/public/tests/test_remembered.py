"""What a worker remembers stands for one version of the data and one day, and holds nobody up."""

from datetime import date
from itertools import count
from threading import Event, Thread
from types import SimpleNamespace

import pytest

from ..remembered import MOST, VERSION, already_remembered, remembered, remembered_large

pytestmark = pytest.mark.once("is about what a process keeps")

#: No two tests speak of the same data.
VERSIONS = count(10**6)


def request_of(version: int | None, as_of: date | None = None, tables=None):
    meta = {} if version is None else {VERSION: version}
    return SimpleNamespace(META=meta, as_of=as_of, read_from_versions=tables)


WAYS = pytest.mark.parametrize("remember", [remembered, remembered_large])


@WAYS
def test_it_is_made_once_for_a_version_a_day_and_a_name(remember):
    made, first, second = count(), next(VERSIONS), next(VERSIONS)
    day = date(2024, 6, 30)
    asked = [
        (request_of(first), "counts"),
        (request_of(first), "marks"),
        (request_of(first, day), "counts"),
        (request_of(first, day, frozenset({"measures_measure"})), "counts"),
    ]

    for _time in range(2):
        assert [remember(*one, lambda: next(made)) for one in asked] == [0, 1, 2, 3]
    assert remember(request_of(second), "counts", lambda: next(made)) == 4


@WAYS
def test_where_no_version_is_told_everybody_makes_it_anew(remember):
    made = count()

    assert [remember(request_of(None), "counts", lambda: next(made)) for _ in "ab"] == [0, 1]
    assert already_remembered(request_of(None), "counts") is None


@WAYS
def test_what_took_longer_than_its_version_stood_is_nobodys(remember):
    old, new = request_of(next(VERSIONS)), request_of(next(VERSIONS))

    def make_slowly():
        assert remember(new, "marks", lambda: "newer") == "newer"
        return "old"

    assert remember(old, "counts", make_slowly) == "old"
    assert remember(new, "marks", lambda: "again") == "newer"
    assert remember(new, "counts", lambda: "new") == "new"


def test_it_forgets_what_was_asked_for_longest_ago():
    version = next(VERSIONS)
    for name in range(MOST + 1):
        remembered(request_of(version), str(name), lambda name=name: name)

    assert already_remembered(request_of(version), "0") is None
    assert already_remembered(request_of(version), str(MOST)) == MOST


def test_nobody_waits_for_a_large_thing_that_is_there_while_another_is_made():
    version, begun, may_end = next(VERSIONS), Event(), Event()
    remembered_large(request_of(version), "words", lambda: "there")

    def make_slowly():
        begun.set()
        assert may_end.wait(10)
        return "slow"

    maker = Thread(target=remembered_large, args=(request_of(version), "values", make_slowly))
    maker.start()
    assert begun.wait(10)
    found = []
    asker = Thread(
        target=lambda: found.append(remembered_large(request_of(version), "words", pytest.fail))
    )
    asker.start()
    asker.join(5)
    was_there = list(found)
    may_end.set()
    maker.join()
    asker.join()
    assert was_there == ["there"]
