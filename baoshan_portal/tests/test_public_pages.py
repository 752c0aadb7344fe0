"""Every public page in both languages is sound, and neither it nor a file shows what is hidden."""

import re
from html import unescape
from io import BytesIO
from urllib.parse import parse_qs, unquote, urlsplit
from zipfile import ZipFile

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.db.models import CharField, FileField, JSONField, Model, TextField
from django.test import Client
from django.urls import URLPattern, get_resolver, resolve
from django.utils import timezone
from django.utils.translation import override

from baoshan_portal.tests import runs_once
from measures import prepared
from measures.models import Measure
from measures.tests.days import yesterday
from measures.tests.factories import ISSUED
from measures.watermark import CHINESE, ENGLISH
from metrics.models import Indicator
from metrics.tests.factories import make_observation

from . import planted
from .pages import (
    CHART_DATA,
    CHOICE,
    COMPARISONS,
    EMBEDS,
    FILES,
    FORBIDDEN_INLINE,
    LISTS_AS_FILES,
    OPINIONS,
    PICTURES,
    SECOND_OPINION,
    SECTIONS,
    chinese_not_marked,
    days,
    in_both_languages,
    language,
    links,
    public_pages,
    texts,
)
from .slices import OF_ROWS, WHOLE, one_of_each, one_way_each, some

pytestmark = [pytest.mark.django_db, pytest.mark.long, pytest.mark.sweep]

#: Every list as each of its files, in each of the languages.
LISTS_IN_WAYS = [
    f"{prefix}{address}"
    for prefix in ("", "/en")
    for kind in (0, 1)
    for address in LISTS_AS_FILES[kind::2]
]
#: What is asked for of past days too.
PAST = (
    "/changes/?from=2023-01-01",
    "/changes/feed/",
    "/changes/feed/section/1/",
    "/changes/feed/department/science-technology/",
    CHOICE,
    "/packs/pack.csv",
    "/packs/pack.docx?theme=core-area",
    f"/find/?q={planted.STEM}",
)


@pytest.fixture(scope="module")
def marks(report, static_files):
    """Marks in all that is not public, beside the report and a second opinion."""
    call_command("loaddata", SECOND_OPINION, verbosity=0)
    return planted.plant()


@pytest.fixture(scope="module")
def every_page(marks):
    client = Client()
    return public_pages(lambda address: client.get(address).getvalue().decode(), every=OF_ROWS)


@pytest.fixture(scope="module")
def answers(every_page):
    """The answer at every public address; of a list one file in each language."""
    client, pages = Client(), every_page
    chinese, english = pages[: len(pages) // 2], pages[len(pages) // 2 :]
    # Chinese on an English page must be marked, so SQLite reads these; both are asked alike.
    on_postgresql = connection.vendor == "postgresql"
    in_short = chinese if on_postgresql else [*english, *some(chinese, every=8, first=4)]
    # The pages of sections are made by one piece of code, and so are those that compare.
    alike = in_both_languages(*SECTIONS[1:], *COMPARISONS[1:])
    pages = pages if WHOLE else [address for address in in_short if address not in alike]
    more = in_both_languages(
        *(f"/find/?q={word}" for word in ("不得", planted.STEM, "9182")),
        *("/changes/?from=2023-01-01", "/changes/feed/", CHOICE, f"{CHOICE}&format=csv"),
        "/packs/pack.csv",
    )
    of_two = in_both_languages(*OPINIONS, *EMBEDS)
    files = [*one_way_each(LISTS_IN_WAYS, ways=4), *FILES, *CHART_DATA]
    # A picture is drawn of the rows of such a file, which alone come from the database.
    files += [] if on_postgresql and not WHOLE else PICTURES
    addresses = [
        *pages,
        *one_way_each(more),
        *one_way_each(of_two),
        "/changes/feed/section/1/",
        "/changes/feed/department/science-technology/",
        "/changes/feed/section/invented-2024-18-1/",
        *files,
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prepared._Statement, "ask", asked_both_ways)
        return {address: client.get(address) for address in addresses}


def asked_both_ways(statement, values: tuple, ask=prepared._Statement.ask) -> list:
    """The answer of a prepared query, which is that of the same built anew."""
    found = ask(statement, values)
    anew = [*statement.build(*values, **statement.form)]
    assert [*map(told, found)] == [*map(told, anew)], statement.build
    ASKED.add(statement.build)
    return found


#: What makes the queries that were ``asked_both_ways``.
ASKED = set()


def told(row):
    """What was read of a row: of an object its columns, and those of the rows loaded with it."""
    if not isinstance(row, Model):
        return row
    columns = {name: said for name, said in vars(row).items() if not name.startswith("_")}
    beside = row._state.fields_cache.items()
    return columns, {name: other and told(other) for name, other in beside}


@pytest.fixture(scope="module")
def pages(answers):
    """The text of every page."""
    return {
        address: answer.getvalue().decode()
        for address, answer in answers.items()
        if answer["Content-Type"].startswith("text/html")
    }


def test_prepared_queries_answer_as_those_that_are_built_anew(answers):
    assert len(ASKED) > 40, "the answers were compared while the pages were made"


def test_every_public_address_answers(answers):
    assert {address: answer.status_code for address, answer in answers.items()} == dict.fromkeys(
        answers, 200
    )


def view_of(address: str) -> str:
    """The name of the view that answers at an address, of whichever language."""
    return resolve(address.removeprefix("/en").partition("?")[0]).view_name


def public_names(patterns, namespace: str = "") -> set[str]:
    """The names of all addresses below ``patterns`` but the admin's."""
    names = set()
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            names.add(namespace + pattern.name)
        elif pattern.namespace != "admin":
            inner = f"{pattern.namespace}:" if pattern.namespace else ""
            names |= public_names(pattern.url_patterns, namespace + inner)
    return names


@pytest.mark.once("names the addresses of the answers, of which PostgreSQL is asked some")
def test_no_public_address_is_forgotten(answers):
    with override("zh-hans"):
        asked = {view_of(address) for address in answers}

    # This one shows nothing: it remembers a choice and leads back.
    assert public_names(get_resolver().url_patterns) - asked == {"display"}


@pytest.mark.once("counts the pages of both languages, of which PostgreSQL is asked one")
def test_every_measure_and_indicator_of_the_report_has_a_page_in_both_languages(pages):
    rows = [*Measure.objects.published(), *Indicator.objects.published()]

    assert len(rows) > 180
    with override("zh-hans"):
        addresses = [row.get_absolute_url() for row in rows]
    # In the short form of this sweep some of them were, and more of them in English.
    assert len(pages.keys() & {f"/en{address}" for address in addresses}) >= len(rows) / OF_ROWS
    assert len(pages.keys() & set(addresses)) >= len(rows) / OF_ROWS / (1 if WHOLE else 8)


def test_every_page_has_one_heading(pages):
    assert [address for address, html in pages.items() if len(texts(html, "h1")) != 1] == []
    assert [address for address, html in pages.items() if not texts(html, "h1")[0]] == []


def test_every_page_tells_its_language(pages):
    for address, html in pages.items():
        assert language(html) == ("en" if address.startswith("/en/") else "zh-Hans"), address


@runs_once.PAGES
def test_all_chinese_on_an_english_page_is_marked_as_chinese(pages):
    english = {address: html for address, html in pages.items() if address.startswith("/en/")}

    assert len(english) > 200 / OF_ROWS
    assert {
        address: found for address, html in english.items() if (found := chinese_not_marked(html))
    } == {}
    # A document's number is on nearly every page, so there was something to mark.
    assert sum("宝府〔2023〕70号" in html for html in english.values()) > 150 / OF_ROWS


def test_chinese_that_is_not_marked_would_be_found():
    head = '<html lang="en"><head><title>中</title></head>'
    html = head + '<p>a<br><b lang="zh-Hans">中</b> 文</p></html>'

    assert chinese_not_marked(html) == ["文"]


def test_every_page_has_its_landmarks_once(pages):
    for address, html in pages.items():
        framed = address in in_both_languages(*EMBEDS)
        for landmark in ("<main", "<footer") if framed else ("<header", "<main", "<footer"):
            assert html.count(landmark) == 1, (address, landmark)
        if framed:
            assert "<nav" not in html, address
            continue
        assert html.count("<nav") == len(re.findall("<nav [^>]*aria-label=", html)) >= 2, address
        assert 'role="search"' in html, address


def test_every_page_has_a_title_with_its_own_name_before_the_portals(pages):
    for address, html in pages.items():
        name, _dot, portal = texts(html, "title")[0].partition(" · ")
        assert name and portal, address


def test_every_page_tells_the_day_of_its_data(pages):
    today = timezone.localdate().isoformat()

    assert [address for address, html in pages.items() if today not in days(html)] == []


def test_no_page_has_anything_inline_that_the_security_policy_forbids(pages):
    for address, html in pages.items():
        assert FORBIDDEN_INLINE.search(html) is None, address


def test_every_answer_carries_the_security_policy(answers):
    for address, answer in answers.items():
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy, address
        assert "unsafe" not in policy, address


def shown(answer) -> str:
    """All text of an answer, also inside a workbook or a document; a PNG has none."""
    content, kind = answer.getvalue(), answer.headers.get("Content-Type", "")
    if kind == "image/png":
        return ""
    headers = "".join(f"{name}: {value}\n" for name, value in answer.headers.items())
    if "openxmlformats" in kind:
        with ZipFile(BytesIO(content)) as parts:
            return headers + "\n".join(
                parts.read(name).decode() for name in parts.namelist() if name.endswith(".xml")
            )
    return headers + content.decode()


@pytest.mark.once("reads words of pages and files")
def test_nothing_of_a_real_portal_says_that_it_is_a_demonstration(answers):
    trace = re.compile(f"{CHINESE}|{ENGLISH}|watermark|demo-mark")

    for address, answer in answers.items():
        assert trace.search(shown(answer)) is None, address
        assert "demo-" not in answer.get("Content-Disposition", ""), address


def leaks(marks: planted.Marks, answers: dict) -> dict:
    """What is hidden and yet shown: model, field and state, by address.

    A page may repeat what stands in its address.
    """
    found = {
        address: sorted({marks.meaning[mark] for mark in marks.found(shown(answer))
                         if mark not in str(address)})
        for address, answer in answers.items()
    }  # fmt: skip
    return {address: meanings for address, meanings in found.items() if meanings}


def test_every_model_has_a_rule_for_what_is_hidden_of_it():
    models = {model._meta.label: model for model in apps.get_models()}

    assert models.keys() == planted.PLANTS.keys()


def test_every_text_of_a_model_that_people_fill_was_marked(marks):
    marked = {(label, field) for label, field, _state in marks.meaning.values()}
    typed = {
        (model._meta.label, field.name)
        for model in apps.get_models()
        if planted.PLANTS[model._meta.label] is not planted.NOTHING
        for field in model._meta.concrete_fields
        if not field.choices and isinstance(field, CharField | TextField | JSONField | FileField)
    }

    # Its entries are marked one by one.
    assert typed - marked == {("measures.Revision", "changes")}


def test_no_page_and_no_file_shows_what_is_not_public(marks, answers):
    assert leaks(marks, answers) == {}


# Past days


#: What knows no day: files of the site itself, the desk of staff, and feeds of what is to come.
#: Display leads back to the page, with its day, that the reader came from.
WITHOUT_A_DAY = ("static", "admin", "changes/feed", "display")


def on_days(client, asked) -> dict:
    return {
        (address, day): client.get(
            f"{address}{'&' if '?' in address else '?'}as_of={day.isoformat()}"
        )
        for address, day in asked
    }


@pytest.fixture(scope="module")
def past_answers(every_page):
    """The answer of every public page as of a past day, each in one of the languages."""
    asked = in_both_languages(
        "/?since=2023-07-01",
        "/changes/?from=2023-07-01&to=2023-07-31",
        "/indicators/?sort=name&page=2",
        "/packs/?section=industrial-structure",
    )
    # Of pages of the same kind one is enough, in one of the languages.
    with override("zh-hans"):
        pages = one_of_each(every_page, kind=view_of)
    addresses = [*pages, *one_way_each(asked, first=1)]
    if connection.vendor == "postgresql":
        # That each page is answered; what it says of the day is read on SQLite.
        addresses = some(addresses, every=4)
    # The languages take turns, so that each is asked for both days.
    days, later = (ISSUED, yesterday()), came_later()
    asked_for = [
        (address, yesterday() if address.removeprefix("/en") in later else days[n // 2 % 2])
        for n, address in enumerate(addresses)
    ]
    return on_days(Client(), asked_for)


def came_later() -> set[str]:
    """The addresses of what became public after the report."""
    with override("zh-hans"):
        return {
            row.get_absolute_url()
            for model in (Measure, Indicator)
            for row in model.objects.filter(published_on__gt=ISSUED)
        }


@pytest.fixture(scope="module")
def past_pages(past_answers):
    return {asked: answer.content.decode() for asked, answer in past_answers.items()}


def knows_no_day(path: str) -> bool:
    path = path.removeprefix("/en").removeprefix("/")
    return path.startswith(tuple(f"{name}/" for name in WITHOUT_A_DAY))


def test_every_page_can_be_asked_for_a_day(past_answers):
    assert len(past_answers) > 200 / OF_ROWS
    assert {asked: page.status_code for asked, page in past_answers.items()} == dict.fromkeys(
        past_answers, 200
    )


@runs_once.PAGES
def test_a_page_tells_the_day_that_was_asked_for(past_pages):
    for (address, day), html in past_pages.items():
        told = days(html)
        assert day.isoformat() in told, address
        assert timezone.localdate().isoformat() not in told, address


@runs_once.PAGES
def test_every_link_keeps_the_day_except_the_one_back_to_today(past_pages):
    lost = []
    for (address, day), html in past_pages.items():
        today = [link for link in links(html, "href") if unquote(link) == address]
        assert len(today) == 1, address
        for link in set(links(html, "href")) - set(today):
            url = urlsplit(link)
            is_part_of_the_page = not (url.path or url.query)
            if url.netloc or is_part_of_the_page or knows_no_day(url.path):
                continue
            if parse_qs(url.query).get("as_of") != [day.isoformat()]:
                lost.append((address, link))

    assert lost == []


@runs_once.PAGES
def test_the_other_language_keeps_the_day_and_the_question(past_pages):
    for (address, day), html in past_pages.items():
        (link,) = re.findall('<a class="language" [^>]*href="([^"]*)"', html)
        url, asked = urlsplit(unescape(link)), urlsplit(address)
        assert parse_qs(url.query) == {**parse_qs(asked.query), "as_of": [day.isoformat()]}, address


@runs_once.PAGES
def test_every_form_keeps_the_day(past_pages):
    for (address, day), html in past_pages.items():
        forms = re.findall("<form.*?</form>", html, re.DOTALL)
        assert forms, address
        for form in forms:
            # How to see the page is chosen on a page of its own, which leads back to this one.
            if 'class="display"' in form:
                (back,) = re.findall('name="next"[^>]* value="([^"]*)"', form)
                kept = parse_qs(urlsplit(unescape(back)).query)["as_of"]
                assert kept == [day.isoformat()], address
            else:
                assert f'<input type="hidden" name="as_of" value="{day}">' in form, address


@pytest.mark.once("what is public on a day is one condition, asked on both by test_as_of")
def test_no_past_day_shows_what_is_not_public(marks, client, past_answers):
    days = [ISSUED, yesterday()]
    # Beside the pages above.
    others = in_both_languages(*OPINIONS, *EMBEDS, *CHART_DATA)
    asked = some(one_way_each([(address, day) for day in days for address in others], ways=4), 2)
    lists = [(address, day) for day in days for address in LISTS_IN_WAYS]
    asked += some(one_way_each(lists, ways=8), every=2)
    past = [(address, day) for day in days for address in in_both_languages(*PAST)]
    asked += some(one_way_each(past, ways=4), every=2)
    # The files for machines each on one of the days.
    asked += some(one_way_each((address, day) for day in days for address in FILES), every=2)
    found = on_days(client, asked)
    assert "/data/measures.csv" in {address for address, _day in found}

    assert leaks(marks, past_answers | found) == {}
    assert [address for address, answer in found.items() if answer.status_code >= 500] == []


#: Whose code may stand in which address.
ADDRESSES = {
    "opinion": ("/opinions/{}/", "/opinions/{}/sections/900/", "/changes/feed/opinion/{}/"),
    "section": ("/measures/?section={}", "/indicators/?not_section={}", "/packs/?section={}"),
    "theme": ("/measures/?theme={}", "/targets/?theme={}", "/packs/pack.csv?theme={}"),
    "department": (
        "/measures/?department={}",
        "/packs/?department={}",
        "/departments/{}/",
        "/changes/feed/department/{}/",
    ),
    "measure": ("/measures/{}/", "/changes/feed/measure/{}/"),
    "indicator": (
        "/indicators/{}/",
        "/indicators/{}/chart.svg",
        "/indicators/{}/chart.csv",
        "/embed/indicators/{}/",
        "/changes/feed/indicator/{}/",
        "/compare/?indicator={}",
        "/compare/chart.svg?indicator={}",
    ),
}


@pytest.mark.parametrize("kind", ADDRESSES)
def test_what_is_hidden_has_no_page(marks, client, kind):
    # Each kind of address with some of the codes, and each code in some of the kinds.
    every = 1 if WHOLE else 4 if connection.vendor == "postgresql" else 2
    addresses = in_both_languages(
        *(
            address.format(code)
            for n, code in enumerate(sorted(marks.codes[kind]))
            for m, address in enumerate(ADDRESSES[kind])
            if (n + m) % every == 0
        ),
        # By number too.
        *(f"/changes/feed/section/{n}/" for n in range(900, 906) if kind == "section"),
        *(f"/sections/{n}/" for n in range(900, 906) if kind == "section"),
    )
    found = {address: client.get(address) for address in one_way_each(addresses)}

    assert {address: answer.status_code for address, answer in found.items()
            if answer.status_code not in (400, 404)} == {}  # fmt: skip
    assert leaks(marks, found) == {}


def test_pages_and_files_show_what_is_published(answers):
    indicator = Indicator.objects.published().first()
    make_observation(indicator=indicator, as_written="八面来风", published=ISSUED)
    client = Client()

    shows = [
        address
        for address in (f"/indicators/{indicator.code}/", "/data/observations.csv")
        if "八面来风" in client.get(address).getvalue().decode()
    ]

    assert len(shows) == 2


def test_the_search_does_not_give_hidden_rows_away(marks, client):
    for kind in ("measures", "indicators", "targets"):
        html = client.get(f"/en/{kind}/", {"q": planted.STEM}).getvalue().decode()
        assert "0 rows" in html
