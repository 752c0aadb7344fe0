"""Whatever stands in an address, the answer is a clear page with the right status."""

import pytest
from django.db import connection
from django.test import RequestFactory
from django.urls import path

from baoshan_portal.public.errors import server_error
from measures.tests.factories import make_measure, make_section, make_theme
from metrics.tests.factories import make_indicator

from .. import urls as portal
from .pages import FILES, LISTS, OFFICE, PLAIN_PAGES, SECTIONS, days, language, links, texts
from .slices import one_way_each, some

pytestmark = pytest.mark.long

EN = pytest.param("/en", marks=pytest.mark.once("both languages ask the database the same"))
PREFIXES = pytest.mark.parametrize("prefix", ["", EN])


HARMLESS = ["q=%FF", "sort=%00", "sort=a&sort=b", "colour=red", "q=%25", "&"]


@pytest.fixture
def rows(db):
    """One section with all below it, so that what is asked for could be shown."""
    theme = make_theme(order=1, section=make_section(order=1, code="known"))
    return make_indicator(code="known", measure=make_measure(code="known", theme=theme))


def in_a_language(cases):
    """Each in one of the languages by turns; in the long form in both.

    PostgreSQL is asked the same by both, so there each is asked for in Chinese.
    """
    cases = [case if isinstance(case, tuple) else (case,) for case in cases]
    chinese, english = ([(prefix, *case) for case in cases] for prefix in ("", "/en"))
    if connection.vendor == "postgresql":
        return chinese
    return one_way_each([*chinese, *english])


def by_turns(questions):
    """Each at one of the lists, which read them by one piece of code; in the long form at all."""
    asked = [(address, question) for address in LISTS for question in questions]
    return one_way_each(asked, ways=len(LISTS))


def assert_is_a_clear_page(answer, status: int, prefix: str):
    html = answer.content.decode()
    assert answer.status_code == status
    assert answer["Content-Type"] == "text/html; charset=utf-8"
    assert language(html) == ("en" if prefix else "zh-Hans")
    assert len(texts(html, "h1")) == 1
    assert texts(html, "h1")[0]
    assert len(days(html)) >= 1


@pytest.mark.sweep
@pytest.mark.parametrize(
    ("prefix", "address"),
    in_a_language(
        [
            "/measures/unknown/",
            "/measures/KNOWN/",
            "/measures/known/more/",
            "/indicators/unknown/",
            "/indicators/%E7%BF%BB/",
            "/indicators/a%00b/",
            "/indicators/%FF/",
            "/indicators/" + "x" * 3000 + "/",
            "/indicators/known'--/",
            "/sections/0/",
            "/sections/99/",
            "/sections/-1/",
            "/sections/one/",
            "/sections/99999999999999999999/",
            "/changes/feed/section/99/",
            "/changes/feed/section/one/",
            "/changes/feed/measure/unknown/",
            "/changes/feed/nothing/known/",
            "/nothing/",
            "/data/unknown.csv",
            "/.env",
            "/static/css/unknown.css",
        ]
    ),
)
def test_what_does_not_exist_is_not_found(client, rows, prefix, address):
    # Files and static files have one address, and so no language.
    assert_is_a_clear_page(client.get(f"{prefix}{address}"), 404, prefix)


@pytest.mark.sweep
@pytest.mark.parametrize(
    ("prefix", "address", "page"),
    in_a_language(by_turns(["0", "-1", "9999", "9" * 40, "abc", "1e3", "%00", "1;drop"])),
)
def test_an_absurd_page_number_is_not_found(client, rows, prefix, address, page):
    assert_is_a_clear_page(client.get(f"{prefix}{address}?page={page}"), 404, prefix)


@pytest.mark.sweep
@pytest.mark.parametrize(
    ("prefix", "address", "query"),
    in_a_language(
        by_turns(
            [
                "section=unknown",
                "section=%00",
                "section=1",
                "theme=known'",
                "department=%FF",
                "department=" + "x" * 3000,
                "q=%00",
                "q=" + "%E7%BF%BB" * 101,
                "format=pdf",
                "format=%00",
                "as_of=31.07.2023",
                "as_of=%00",
                "as_of=%FF",
                "as_of=9999-12-31",
                "as_of=2023-07-31&as_of=never",
            ]
        )
    ),
)
def test_a_question_that_makes_no_sense_is_refused(client, rows, prefix, address, query):
    assert_is_a_clear_page(client.get(f"{prefix}{address}?{query}"), 400, prefix)


@pytest.mark.sweep
@pytest.mark.parametrize(
    ("prefix", "address"),
    in_a_language(
        [
            "/changes/?from=never",
            "/changes/?to=9999-12-31",
            "/changes/?from=2023-09-01&to=2023-08-01",
            "/find/?q=" + "x" * 101,
        ]
    ),
)
def test_a_page_that_cannot_answer_says_so(client, rows, prefix, address):
    assert_is_a_clear_page(client.get(f"{prefix}{address}"), 400, prefix)


@pytest.mark.sweep
@pytest.mark.parametrize(
    ("prefix", "query"), in_a_language(["category=x", "kind=%00", "level=1", "key=maybe"])
)
def test_an_unknown_choice_is_refused(client, rows, prefix, query):
    assert_is_a_clear_page(client.get(f"{prefix}/indicators/?{query}"), 400, prefix)


@pytest.mark.sweep
@pytest.mark.parametrize(("prefix", "query"), in_a_language(HARMLESS))
def test_what_does_no_harm_is_answered(client, rows, prefix, query):
    addresses = (*LISTS, "/find/", "/changes/", "/checks/")
    for address in some(addresses, every=3, first=HARMLESS.index(query)):
        assert client.get(f"{prefix}{address}?{query}").status_code == 200


@pytest.mark.sweep
@pytest.mark.parametrize(
    ("prefix", "address"),
    in_a_language([address for address in PLAIN_PAGES if address not in (*SECTIONS, OFFICE)]),
)
def test_a_portal_without_a_report_answers_every_page(client, db, prefix, address):
    assert client.get(f"{prefix}{address}").status_code == 200


@pytest.mark.parametrize("address", FILES)
def test_a_portal_without_a_report_answers_every_file(client, db, address):
    assert client.get(address).status_code == 200


@pytest.mark.parametrize("address", LISTS)
def test_a_list_takes_no_post(client, rows, address):
    assert client.post(address, {"q": "x"}).status_code == 405


@PREFIXES
def test_a_name_that_the_portal_does_not_serve_is_refused(client, rows, settings, prefix):
    settings.ALLOWED_HOSTS = ["portal.example.gov.cn"]

    answer = client.get(f"{prefix}/", headers={"host": "evil.example"})

    assert_is_a_clear_page(answer, 400, prefix)
    assert "evil.example" not in answer.content.decode()


@PREFIXES
def test_no_link_of_an_error_page_leads_to_another_site(rows, client, prefix):
    # A test client would read //evil.example as a host; servers pass it on as a path.
    answer = client.get("/", PATH_INFO=f"{prefix}//evil.example/")

    assert answer.status_code == 404
    assert [link for link in links(answer.content.decode()) if "evil" in link] == []


def test_the_page_for_our_own_mistakes_needs_no_database():
    answer = server_error(RequestFactory().get("/"))
    html = answer.content.decode()

    assert answer.status_code == 500
    assert language(html) in ("en", "zh-Hans")
    assert len(texts(html, "h1")) == 1
    assert len(texts(html, "p")) == 1


def broken(request):
    raise RuntimeError("八面来风")


urlpatterns = [*portal.urlpatterns, path("broken/", broken), path("en/broken/", broken)]
handler500 = portal.handler500


@PREFIXES
@pytest.mark.urls(__name__)
def test_a_mistake_of_ours_is_answered_by_that_page(client, db, prefix):
    client.raise_request_exception = False

    answer = client.get(f"{prefix}/broken/")
    html = answer.content.decode()

    assert answer.status_code == 500
    assert language(html) == ("en" if prefix else "zh-Hans")
    assert len(texts(html, "h1")) == 1
    assert "八面来风" not in html


@pytest.mark.parametrize(("method", "is_sure"), [("get", True), ("post", False)])
def test_the_error_page_says_only_what_is_sure(rf, method, is_sure):
    page = server_error(getattr(rf, method)("/"))
    assert ("未作任何改动" in page.content.decode()) == is_sure
