"""Whatever people typed is text on every page, whichever row and field it stands in."""

from datetime import date
from itertools import product

import pytest
from django.db import transaction
from django.test import Client

from measures.access import EDITOR, REVIEWER
from measures.submission import State
from measures.tests.factories import (
    ISSUED,
    make_department,
    make_measure,
    make_note,
    make_opinion,
    make_report,
    make_round,
    make_section,
    make_staff,
    make_superuser,
    make_theme,
)
from metrics.tests.factories import (
    make_check,
    make_indicator,
    make_observation,
    make_plan,
    make_target,
    make_term,
    make_unit,
)

from .pages import OFFICE, PLAIN_PAGES, in_both_languages
from .slices import one_way_each, some

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.once("is about templates"),
    pytest.mark.sweep,
    pytest.mark.long,
]

#: Would end an attribute of either kind of quotation mark, and begin an element.
TYPED = "量\"'><i id=typed>"
RAW = ("<i id=typed", "\"'>")
NAMES = {"name": TYPED, "name_en": TYPED}
TEXTS = {"note": TYPED, "note_en": TYPED, "source_name": TYPED}


@pytest.fixture(scope="module")
def rows(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), transaction.atomic():
        yield make_rows()
        transaction.set_rollback(True)


def make_rows():
    """A row of every kind with ``TYPED`` in every field for words; the indicator's measure."""
    office = make_department(code="office", **NAMES)
    opinion = make_opinion(issuer=TYPED, issuer_en=TYPED, **NAMES)
    section = make_section(order=1, opinion=opinion, **NAMES)
    people = {"issuer": TYPED, "issuer_en": TYPED, "addressee": TYPED, "addressee_en": TYPED}
    report = make_report(opinion=opinion, **people, **NAMES)
    measure = make_measure(
        theme=make_theme(order=1, code="typed", section=section, **NAMES),
        code="typed", order=1, summary=TYPED, summary_en=TYPED, lead=office,
        report=report, locator="1.1/1", **NAMES,
    )  # fmt: skip
    indicator = make_indicator(
        code="typed", measure=measure, unit=make_unit(**NAMES), scope=TYPED, scope_en=TYPED,
        category="funds", is_key=True, frequency="quarterly", **NAMES,
    )  # fmt: skip
    old = make_observation(indicator=indicator, as_written=TYPED, published=ISSUED, **TEXTS)
    for state, revision in ((State.PUBLISHED, 2), (State.SUBMITTED, 3)):
        old = make_observation(
            indicator=indicator, supersedes=old, revision=revision, correction_reason=TYPED,
            as_written=TYPED, value=6, state=state,
            published=ISSUED if state == State.PUBLISHED else None, **TEXTS,
        )  # fmt: skip
    make_target(
        indicator=indicator, plan=make_plan(opinion=opinion, **NAMES), published=ISSUED, **TEXTS
    )
    for published, state in ((ISSUED, State.PUBLISHED), (None, State.SUBMITTED)):
        make_note(measure=measure, text=TYPED, text_en=TYPED, state=state, published=published)
    check = make_check(note=TYPED, note_en=TYPED, **NAMES)
    make_term(check_of=check, indicator=indicator)
    make_round(code="typed", due_on=date(2023, 10, 15), **NAMES)
    return measure


def pages_of(client: Client, addresses) -> list[str]:
    found = []
    for address in addresses:
        answer = client.get(address)
        assert answer.status_code == 200, address
        found.append(answer.content.decode())
    return found


def test_nothing_typed_is_markup_on_a_public_page(rows, client):
    addresses = [
        address
        for address in PLAIN_PAGES
        if address != OFFICE and not address.startswith(("/sections", "/compare"))
    ]
    addresses += [
        "/sections/1/",
        "/compare/funds/",
        "/departments/office/",
        "/measures/typed/",
        "/indicators/typed/",
    ]
    addresses += ["/find/?q=量", "/changes/?from=2023-01-01&unfold=all", "/packs/?theme=typed"]

    pages = pages_of(client, one_way_each(in_both_languages(*addresses)))

    assert [raw for page in pages for raw in RAW if raw in page] == []
    assert sum("&lt;i id=typed" in page for page in pages) >= 15


def test_nothing_typed_is_markup_on_a_page_of_staff(rows):
    administrator = make_superuser(first_name=TYPED, last_name=TYPED)
    for role in (EDITOR, REVIEWER):
        make_staff(role, departments=[rows.lead], first_name=TYPED, last_name=TYPED)
    client = Client()
    client.force_login(administrator)
    words = ("measure", "progressnote", "user", "section")
    numbers = ("indicator", "observation", "target", "check")
    addresses = ["/admin/", "/admin/review/", "/admin/entry/typed/office/"]
    addresses += [f"/admin/measures/{name}/" for name in words]
    addresses += [f"/admin/metrics/{name}/" for name in numbers]

    pages = pages_of(client, one_way_each(in_both_languages(*addresses)))

    assert [raw for page in pages for raw in RAW if raw in page] == []
    assert sum("&lt;i id=typed" in page for page in pages) >= 10


#: Each page and each name; one piece of code reads what an address asks for.
ASKED = some(
    product(
        ["/", "/measures/", "/indicators/", "/targets/", "/find/"],
        ["q", "section", "as_of", "from"],
    ),
    every=3,
)


@pytest.mark.parametrize(("address", "name"), ASKED)
def test_nothing_in_an_address_is_markup(rows, client, address, name):
    page = client.get(address, {name: TYPED}).content.decode()

    assert [raw for raw in RAW if raw in page] == []
