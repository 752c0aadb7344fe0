"""The time machine: what any page or file said on a day can be had again, whatever came later."""

import difflib
import os
import re
from collections.abc import Iterable
from datetime import date
from random import Random

import pytest
from django.db import transaction
from django.test import Client
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from baoshan_portal.public.vintages import OF_OBSERVATIONS

from .kept_days import DATA, Answer, addresses, ask, files
from .pages import rows_of
from .slices import one_of_each
from .time_machine import ACTS, live, small_portal
from .vintages import states_on, values_on, verdicts_on

#: By `make test-time-machine`: forty days, every page of each in both languages.
LONG = os.environ.get("TIME_MACHINE") == "long"
DAYS, ACTIONS = (40, 160) if LONG else (5, 60)
#: The short form keeps of every other day the files from which vintages are told, and of the first
#: of them every file and every kind of page, in one of the languages by turns.
KEEP_EVERY = 1 if LONG else 2
PHASES = [Phase.explicit, Phase.generate] if LONG else [Phase.explicit]

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.once("takes a minute; that both engines read the past is asked in test_versions"),
    pytest.mark.long,
    pytest.mark.sweep,
    pytest.mark.timeout(0 if LONG else 900),
]


@given(seed=st.integers(0, 2**32 - 1))
@example(seed=8)
@settings(max_examples=5, phases=PHASES, deadline=None, database=None)
def test_what_was_said_on_a_day_can_be_had_again(seed):
    with transaction.atomic(), small_portal(Random(seed)) as portal:
        client = Client()
        kept = {}
        for n, day in enumerate(live(portal, DAYS, ACTIONS), 1):
            if n % KEEP_EVERY == 0:
                pages = LONG or n == KEEP_EVERY
                kept[day] = keep(client, Random(seed + n), day) if pages else read(client, TOLD)
        # Some have nothing left to act upon.
        assert len(ACTS.keys() - portal.done.keys()) < 4
        differing = [
            said_otherwise(address, day, was, now)
            for day, pages in kept.items()
            for address, was in pages.items()
            if (now := ask(client, address, day)) != was
        ]
        assert not differing, "\n".join(differing[:20])
        assert_vintages_tell_the_same(client, kept)
        transaction.set_rollback(True)


def keep(client: Client, random: Random, day: date) -> dict[str, Answer]:
    """The answer at every address of ``day``; in the short form in one of the languages."""
    found = addresses(random, day)
    if not LONG:
        found = one_of_each(found, kind_of)
    takes = files() if LONG else one_of_each(files(), file_of)
    asked = []
    for n, address in enumerate([*found, *takes]):
        prefixes = ("", "/en") if LONG else (("", "/en")[(n + day.day) % 2],)
        asked += [f"{prefix}{address}" for prefix in prefixes]
    return read(client, [*asked, *DATA])


def kind_of(address: str) -> str:
    """The address without the row that it is of, and without the answer that it asks for.

    What a list is asked is one kind of question: it counts every answer of its filters itself.
    """
    of_any = re.sub(r"((?:measure|indicator|opinion|section)s?/)[^/?]+/", r"\1*/", address)
    asked = re.sub("=[^&]*", "", of_any)
    lists = r"^(/(?:measures|indicators|targets|packs|questions)/\?)(?!sort|q$|by).+"
    return re.sub(lists, r"\1filter", asked)


def file_of(address: str) -> str:
    """The list that a file is of; each is of another format than that before. Packs are apart."""
    return address.partition("?")[0]


def read(client: Client, asked: Iterable[str]) -> dict[str, Answer]:
    return {address: ask(client, address) for address in asked}


def said_otherwise(address: str, day: date, was: Answer, now: Answer) -> str:
    """The first lines that differ."""
    lines = difflib.unified_diff(
        was.text.split("\n"), now.text.split("\n"), "then", "now", n=0, lineterm=""
    )
    heads = f"{address} of {day}: {was.status} {was.name} → {now.status} {now.name}"
    return "\n".join([heads, *list(lines)[2:8]])


#: What a name, a place or a number of a document says is of the day on which the file is made.
WORDS = {"indicator", "theme", "measure_code", "source"}
#: What the vintages tell anew.
TOLD = [f"/data/{name}.csv" for name in ("observations", "targets", "measures")]


def assert_vintages_tell_the_same(client: Client, kept: dict[date, dict[str, Answer]]) -> None:
    """``vintages.csv`` of the last day alone gives values, verdicts and states of each day."""
    versions = rows_of(client.get("/data/vintages.csv").getvalue().decode())
    names = [field.name for field in OF_OBSERVATIONS if field.name not in WORDS]
    for day, pages in kept.items():
        values, targets, measures = (
            rows_of(pages[f"/data/{name}.csv"].text)
            for name in ("observations", "targets", "measures")
        )

        def ordered(rows):
            return sorted(tuple(row[name] for name in names) for row in rows)

        assert ordered(values_on(versions, day, names)) == ordered(values), day
        told = [
            (row["indicator_code"], row["plan"], row["due_on"], row["verdict"]) for row in targets
        ]
        assert sorted(verdicts_on(versions, day)) == sorted(told), day
        states = {row["code"]: (row["state"], row["state_on"]) for row in measures if row["state"]}
        mine = states_on(versions, day)
        assert {code: mine[code] for code in states} == states, day
