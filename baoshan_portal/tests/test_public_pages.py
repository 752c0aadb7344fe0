"""Every public page in both languages is sound, and neither it nor a file shows what is hidden."""

import re
from datetime import timedelta
from io import BytesIO

import openpyxl
import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import URLPattern, get_resolver, resolve
from django.utils import timezone
from django.utils.translation import override

from measures.models import Measure
from measures.submission import State
from measures.tests.factories import ISSUED, make_measure, make_note, reword
from metrics.models import Indicator, Plan
from metrics.rules.choices import Certainty
from metrics.tests.factories import make_indicator, make_observation, make_target

from .pages import (
    EXPORTS,
    FILES,
    FORBIDDEN_INLINE,
    OPINIONS,
    PICTURES,
    SECOND_OPINION,
    chinese_not_marked,
    days,
    in_both_languages,
    language,
    public_pages,
    texts,
)
from .slices import OF_ROWS

pytestmark = [pytest.mark.django_db, pytest.mark.long, pytest.mark.sweep]

HIDDEN = "不得公开"
TOMORROW = timezone.localdate() + timedelta(days=1)


def hide_rows():
    """A row of every kind in every state that the public must not see, each marked HIDDEN."""
    public, plan, now = Indicator.objects.first(), Plan.objects.first(), timezone.now()
    texts = {"note": HIDDEN, "note_en": HIDDEN, "source_url": "https://hidden.example/"}
    names = {"name": HIDDEN, "name_en": HIDDEN}
    for n, fields in enumerate(
        (
            {"state": State.DRAFT},
            {"state": State.SUBMITTED, "submitted_at": now},
            {"state": State.RETURNED, "return_reason": HIDDEN},
            {"state": State.PUBLISHED, "published_at": now + timedelta(hours=1)},
        )
    ):
        texts["source_name"] = f"{HIDDEN} {fields['state']}"
        numbers = {"indicator": public, "value": "987654.32", **texts, **fields}
        make_observation(
            as_written=HIDDEN, period_end=TOMORROW, certainty=Certainty.EXPECTED, **numbers
        )
        make_target(plan=plan, due_on=ISSUED + timedelta(days=n), **numbers)
        make_note(measure=public.measure, text=HIDDEN, text_en=HIDDEN, **fields)
    make_observation(
        indicator=public,
        supersedes=public.observations.published().get(),
        revision=2,
        correction_reason=HIDDEN,
        as_written=HIDDEN,
    )

    for n, published_on in enumerate((None, TOMORROW)):
        measure = make_measure(
            code=f"hidden-row-{n}",
            theme=public.measure.theme,
            order=900 + n,
            published_on=published_on,
            summary=HIDDEN,
            **names,
        )
        make_note(measure=measure, text=HIDDEN, published=ISSUED)
        for code, fields in (
            (f"hidden-row-{n}-1", {"measure": public.measure, "published_on": published_on}),
            (f"hidden-row-{n}-2", {"measure": measure, "is_key": True}),
        ):
            fields |= {"order": 900 + n, "scope": HIDDEN, "basis": public, **names}
            hidden = make_indicator(code=code, **fields)
            make_observation(indicator=hidden, as_written=HIDDEN, published=ISSUED, **texts)
            make_target(indicator=hidden, plan=plan, published=ISSUED, **texts)
    reword(public, basis=hidden)


@pytest.fixture(scope="module")
def answers(report, static_files):
    """The answer at every public address, with hidden rows and a second opinion beside it."""
    call_command("loaddata", SECOND_OPINION, verbosity=0)
    hide_rows()
    client = Client()
    addresses = [
        *public_pages(lambda address: client.get(address).getvalue().decode(), every=OF_ROWS),
        *in_both_languages(*(f"/find/?q={word}" for word in ("不得", "hidden", "9876"))),
        *in_both_languages("/changes/?from=2023-01-01", "/changes/feed/"),
        *in_both_languages(*OPINIONS),
        "/changes/feed/section/1/",
        "/changes/feed/section/invented-2024-18-1/",
        *in_both_languages("/packs/pack.csv"),
        *EXPORTS,
        *FILES,
        *PICTURES,
    ]
    return {address: client.get(address) for address in addresses}


@pytest.fixture(scope="module")
def pages(answers):
    """The text of every page."""
    return {
        address: answer.getvalue().decode()
        for address, answer in answers.items()
        if answer["Content-Type"].startswith("text/html")
    }


def test_every_public_address_answers(answers):
    assert {address: answer.status_code for address, answer in answers.items()} == dict.fromkeys(
        answers, 200
    )


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


def test_no_public_address_is_forgotten(answers):
    chinese = [address for address in answers if not address.startswith("/en/")]
    with override("zh-hans"):
        asked = {resolve(address.partition("?")[0]).view_name for address in chinese}

    # This one shows nothing: it remembers a choice and leads back.
    assert public_names(get_resolver().url_patterns) - asked == {"display"}


def test_every_measure_and_indicator_of_the_report_has_a_page_in_both_languages(pages):
    rows = [*Measure.objects.published(), *Indicator.objects.published()]

    assert len(rows) > 180
    with override("zh-hans"):
        addresses = in_both_languages(*(row.get_absolute_url() for row in rows))
    asked_for = pages.keys() & set(addresses)
    # In the short form of this sweep some of them were.
    assert len(asked_for) >= len(addresses) / OF_ROWS


def test_every_page_has_one_heading(pages):
    assert [address for address, html in pages.items() if len(texts(html, "h1")) != 1] == []
    assert [address for address, html in pages.items() if not texts(html, "h1")[0]] == []


def test_every_page_tells_its_language(pages):
    for address, html in pages.items():
        assert language(html) == ("en" if address.startswith("/en/") else "zh-Hans"), address


@pytest.mark.once("reads what a page says, whatever database it comes from")
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
        for landmark in ("<header", "<main", "<footer"):
            assert html.count(landmark) == 1, (address, landmark)
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
    """All text of an answer, also of the cells of a workbook; a PNG has none."""
    if answer["Content-Type"] == "image/png":
        return ""
    if "spreadsheet" not in answer["Content-Type"]:
        return answer.getvalue().decode()
    sheet = openpyxl.load_workbook(BytesIO(answer.content)).active
    return "\n".join(str(cell) for row in sheet.values for cell in row)


@pytest.mark.parametrize("trace", [HIDDEN, "hidden-row", "hidden.example", "987654", "987,654"])
def test_no_page_and_no_file_shows_what_is_not_public(answers, trace):
    assert [address for address, answer in answers.items() if trace in shown(answer)] == []


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


@pytest.mark.parametrize("language", ["", "/en"])
def test_a_hidden_row_has_no_page(answers, client, language):
    for rows, kind in ((Measure.objects, "measures"), (Indicator.objects, "indicators")):
        for row in rows.filter(name=HIDDEN):
            assert client.get(f"{language}/{kind}/{row.code}/").status_code == 404
            assert HIDDEN not in client.get(f"{language}/{kind}/{row.code}/").content.decode()


def test_the_search_does_not_give_hidden_rows_away(answers, client):
    for kind in ("measures", "indicators", "targets"):
        html = client.get(f"/en/{kind}/", {"q": HIDDEN}).getvalue().decode()
        assert "0 rows" in html
