"""What a stranger can write, and what anybody can send: nothing without limit, and never a 500."""

import re
from io import BytesIO
from urllib.parse import quote

import pytest
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import DataError
from django.test import Client
from django.urls import URLPattern, get_resolver
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from baoshan_portal.doors import OF_STRANGERS, body_limit, is_about_a_key
from baoshan_portal.tests.desk import browser_of
from measures.tests.factories import (
    ISSUED,
    make_department,
    make_measure,
    make_note,
    make_round,
    make_section,
    make_staff,
    make_superuser,
    make_theme,
)
from metrics.tests.factories import make_indicator, make_observation, make_target

from .slices import WHOLE, some

pytestmark = [pytest.mark.django_db, pytest.mark.long]

ODD_KEYS = (
    "",
    "0",
    "-1",
    "abc",
    "\x00",
    "9" * 5000,
    str(2**63),
    "１",
    "%",
    "a:b",
    "é" * 300,
    "../..",
)


# Sessions


def test_an_unknown_cookie_makes_no_session(client):
    for n in range(20):
        client.cookies[settings.SESSION_COOKIE_NAME] = f"{n:032d}"
        answer = client.get("/" if n % 2 else "/admin/login/")
        # The cookie is taken away.
        assert answer.cookies[settings.SESSION_COOKIE_NAME]["max-age"] == 0
    assert not Session.objects.exists()


def test_whoever_fails_to_sign_in_has_no_session(client):
    client.cookies[settings.SESSION_COOKIE_NAME] = "x" * 32
    client.post("/admin/login/", {"username": "nobody", "password": "x"})
    assert not Session.objects.exists()


def test_whoever_signs_in_has_one(client):
    browser = browser_of(make_superuser())
    assert browser.get("/admin/").status_code == 200
    assert Session.objects.count() == 1


# How much may be sent


def post(path: str, length, body=b"", **headers):
    """The answer to a POST that says ``length``; and whether anything of it was read."""
    stream = BytesIO(body)
    answer = Client().generic(
        "POST", path, b"", CONTENT_LENGTH=str(length), **{"wsgi.input": stream, **headers}
    )
    return answer, stream.tell()


@pytest.mark.parametrize("path", ["/", "/en/find/", "/admin/login/", "/admin/upload/a/b/"])
@pytest.mark.parametrize("length", [OF_STRANGERS + 1, 300 * 1024 * 1024, 10**30, "many"])
def test_what_a_stranger_sends_is_refused_unread(path, length):
    answer, read = post(path, length, b"x" * 1000)
    assert (answer.status_code, read) == (413, 0)


def test_a_body_without_a_length_is_refused():
    answer, read = post("/admin/login/", "", b"x" * 1000, HTTP_TRANSFER_ENCODING="chunked")
    assert (answer.status_code, read) == (411, 0)


def test_staff_may_send_files_where_files_belong():
    megabyte = 1024 * 1024
    assert body_limit("/admin/upload/round/office/") == (settings.UPLOAD_LIMIT_MB + 1) * megabyte
    assert body_limit("/en/admin/metrics/observation/add/") == 11 * megabyte
    assert body_limit("/en/admin/metrics/observation/import/") == 11 * megabyte
    assert body_limit("/admin/measures/section/add/") == 5 * megabyte
    assert body_limit("/admin/entry/round/office/") > 50 * megabyte
    assert body_limit("/measures/") == OF_STRANGERS


# Cookies


def test_a_cache_knows_that_pages_differ_by_choices(client):
    for address in ("/", "/en/method/", "/nothing/"):
        assert "Cookie" in client.get(address)["Vary"], address


def test_cookies_stay_below_the_path_of_the_portal(client, settings):
    settings.SESSION_COOKIE_PATH = "/baoshan/"
    answer = client.get("/display/", {"size": "large"})
    assert answer.cookies["size"]["path"] == "/baoshan/"


@pytest.mark.parametrize("address", ["/nothing/", "/display/?next=/", "/en", "", "x", "/%FF/"])
def test_a_choice_leads_back_to_a_page_that_is_there(client, address):
    assert client.get("/display/", {"size": "large", "next": address}).url == "/"


# Keys


def test_the_way_to_the_public_page_tells_no_code_to_who_may_not_see_the_row():
    hidden = make_measure(published_on=None)
    kind = ContentType.objects.get_for_model(hidden).pk
    address = f"/admin/r/{kind}/{hidden.pk}/"
    assert browser_of(make_staff()).get(address).status_code == 404
    assert browser_of(make_superuser()).get(address).url.endswith(f"/{hidden.code}/")


def test_only_what_can_be_no_key_is_the_askers_fault():
    assert is_about_a_key(ValueError("Field 'id' expected a number but got 'abc'."))
    assert is_about_a_key(DataError())
    assert not is_about_a_key(ValueError("something else"))
    assert not is_about_a_key(KeyError("expected a number"))


# Never 500


def patterns(found, prefix="", namespace=""):
    """(name, address with its parameters in angle brackets) of every pattern."""
    for pattern in found:
        text = prefix + re.sub(r"^\^|\$$|\\Z$", "", str(pattern.pattern))
        if isinstance(pattern, URLPattern):
            yield namespace, text
        else:
            yield from patterns(pattern.url_patterns, text, namespace or pattern.namespace or "")


#: What PostgreSQL itself refuses ends the transaction in which a test lives, not a request's.
ON_SQLITE = pytest.mark.once("a key that the database refuses would end the test's transaction")
ALL = sorted(set(patterns(get_resolver().url_patterns)))
PUBLIC = [text for space, text in ALL if space != "admin"]
# Leaving ends the session under which the rest is asked.
STAFF = [text for space, text in ALL if space == "admin" and "logout" not in text]
NAMES = [
    "q",
    "page",
    "sort",
    "section",
    "theme",
    "department",
    "opinion",
    "category",
    "kind",
    "key",
    "value",
    "as_of",
    "from",
    "to",
    "since",
    "format",
    "result",
    "unfold",
    "next",
    "size",
    "theme",
    "not_theme",
    "not_section",
    "row",
    "chosen",
    "round",
    "p",
    "o",
    "e",
    "action",
    "_selected_action",
    "index",
    "seen",
    "id",
    "field_name",
    "term",
    "app_label",
    "model_name",
    "at__year",
    "_popup",
    "_to_field",
    "all",
    "list_filter",
    "id__exact",
    "measure__id__exact",
    "code",
    "reason",
    "indicator",
    "as",
    "figure",
    "preview",
    "submit",
]
KNOWN = ("known", "1", "csv", "svg", "funds", "2023-07-25", "measure", "indicator")
TEXTS = st.sampled_from((*ODD_KEYS, *KNOWN)) | st.text(max_size=40)
QUERIES = st.dictionaries(st.sampled_from(NAMES), TEXTS, max_size=3)


def many(number: int):
    return examples(
        max_examples=number * (75 if WHOLE else 1),
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


def filled(pattern: str, texts) -> str:
    return "/" + re.sub(r"<[^>]+>|\(\?P<[^)]*\)", lambda _match: texts(), pattern)


@pytest.fixture
def rows():
    """One row of each kind, so that what is asked for could be shown."""
    theme = make_theme(order=1, code="known", section=make_section(order=1, code="known"))
    office = make_department(code="known")
    measure = make_measure(code="known", theme=theme, lead=office)
    indicator = make_indicator(code="known", measure=measure, category="funds")
    for make in (make_observation, make_target):
        make(indicator=indicator, published=ISSUED)
        make(indicator=make_indicator(measure=measure), state="submitted")
    make_note(measure=measure)
    make_round(code="known")


def ask(client, method: str, address: str, query: dict):
    client.raise_request_exception = False
    path = quote(address, safe="/")
    if method == "GET":
        return client.get(path, query)
    return client.post(path, query)


@ON_SQLITE
@pytest.mark.sweep
@many(40)
@given(st.data())
def test_no_public_address_answers_500(rows, data):
    pattern = data.draw(st.sampled_from(PUBLIC))
    address = filled(pattern, lambda: data.draw(TEXTS))
    method = data.draw(st.sampled_from(["GET", "GET", "POST"]))
    answer = ask(Client(), method, address, data.draw(QUERIES))
    assert answer.status_code < 500, (address[:200], method)


@ON_SQLITE
@pytest.mark.sweep
@many(40)
@given(st.data())
def test_no_address_of_staff_answers_500(rows, data):
    browser = browser_of(make_superuser())
    pattern = data.draw(st.sampled_from(STAFF))
    address = filled(pattern, lambda: data.draw(TEXTS))
    method = data.draw(st.sampled_from(["GET", "POST"]))
    answer = ask(browser, method, address, data.draw(QUERIES))
    assert answer.status_code < 500, (address[:200], method)


@ON_SQLITE
@pytest.mark.sweep
@pytest.mark.parametrize("key", ODD_KEYS)
def test_no_key_in_a_tampered_request_answers_500(rows, key):
    browser = browser_of(make_superuser())
    lists = [text for text in STAFF if text.count("/") == 3 and "<" not in text]
    # As many odd keys as every which list, so that each list is tried by one.
    for place in some(lists, every=len(ODD_KEYS), first=ODD_KEYS.index(key)):
        for fields in (
            {"action": "delete_selected", "_selected_action": key, "index": key},
            {"action": key, "_selected_action": key, "post": "yes"},
        ):
            assert ask(browser, "POST", f"/{place}", fields).status_code < 500, place
    assert ask(browser, "POST", "/admin/review/", {"row": f"note:{key}:1"}).status_code < 500


@ON_SQLITE
@pytest.mark.sweep
def test_a_row_by_no_field_is_the_row_by_its_key(rows):
    browser = browser_of(make_superuser())
    pages = [text for text in STAFF if text.endswith("/<path:object_id>/change/")]
    asked = [filled(text, lambda: "1") for text in pages]

    assert len(asked) > 20
    for address in some(asked, every=4):
        answers = [ask(browser, "GET", address, query) for query in ({}, {"_to_field": ""})]
        as_it_is, by_no_field = [answer.status_code for answer in answers]
        assert by_no_field == as_it_is < 500, address


@pytest.mark.parametrize("digits", [5, 20, 5000])
def test_any_number_of_digits_is_answered(rows, client, digits):
    number = "9" * digits
    for address in (
        f"/sections/{number}/", f"/opinions/known/sections/{number}/", f"/?since={number}",
        f"/changes/feed/section/{number}/", f"/changes/feed/section/known-{number}/",
        f"/measures/?page={number}", f"/indicators/?as_of={number}", f"/changes/?from={number}",
    ):  # fmt: skip
        assert client.get(address).status_code in (400, 404), address[:60]
