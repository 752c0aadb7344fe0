"""The production server: behind a proxy under a sub-path, small in memory, quick to start again."""

import re
import resource
import sqlite3
from contextlib import closing
from http import HTTPStatus
from urllib.parse import urljoin, urlsplit

import pytest

from .pages import LISTS, PLAIN_PAGES, in_both_languages, links
from .server import serve
from .slices import one_way_each, some

pytestmark = pytest.mark.browser

PREFIX = "/baoshan"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("portal")


@pytest.fixture(scope="module")
def server(folder):
    with serve(folder) as server:
        yield server


@pytest.fixture(scope="module")
def behind_proxy(folder):
    """Asks for a path as a visitor would, and like the proxy takes the sub-path away."""
    with serve(folder, SCRIPT_NAME=PREFIX) as server:

        def get(path: str):
            assert path.startswith(f"{PREFIX}/"), path
            return server.get(path.removeprefix(PREFIX))

        yield get


def processor_time() -> float:
    """Seconds that finished child processes spent computing: no busy machine makes them more."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def test_a_second_preparation_takes_less_than_five_seconds(server):
    before = processor_time()
    told = server.manage("prepare")

    assert processor_time() - before < 5
    assert "password" not in told


def test_with_prepare_the_server_makes_the_database_ready_and_says_its_address(folder, server):
    made = "SELECT count(*) FROM auth_permission WHERE codename = 'add_session'"
    with closing(sqlite3.connect(folder / "portal.sqlite3")) as database, database:
        database.execute("DELETE FROM auth_permission WHERE codename = 'add_session'")

    with serve(folder, PREPARE="1") as prepared:
        assert prepared.get("/").status == HTTPStatus.OK
        assert f"{prepared.address}/\n" in prepared.log
    with closing(sqlite3.connect(folder / "portal.sqlite3")) as database:
        assert database.execute(made).fetchone() == (1,)


def test_pages_are_compressed_for_whoever_takes_it(server):
    for address in ("/", "/data/indicators.csv"):
        answer = server.get(address, **{"Accept-Encoding": "gzip"})
        assert answer.headers["Content-Encoding"] == "gzip"


def test_static_files_may_be_kept_for_good(server):
    (sheet, *_others) = [link for link in links(server.text("/")) if link.endswith(".css")]

    answer = server.get(sheet)

    assert answer.status == HTTPStatus.OK
    assert answer.headers["Content-Type"].startswith("text/css")
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.read()


@pytest.mark.sweep
def test_under_a_sub_path_every_link_stays_below_it_and_answers(behind_proxy):
    pages = [f"{PREFIX}{address}" for address in in_both_languages(*PLAIN_PAGES)]
    found = set()
    for page in one_way_each(pages):
        html = behind_proxy(page).read().decode()
        found |= {urljoin(page, link) for link in links(html)}
    # An address printed in full names this very server, too.
    paths = {urlsplit(link)._replace(scheme="", netloc="", fragment="").geturl() for link in found}

    assert {link for link in paths if not link.startswith(f"{PREFIX}/")} == set()
    assert set(pages) <= paths
    # One measure and one indicator stand for all.
    of_each_kind = {
        re.sub("(measures|indicators)/[^/]+/$", r"\1", link): link
        for link in sorted(paths)
        if "?" not in link
    }
    assert len(of_each_kind) > len(pages)
    for link in some(of_each_kind.values(), every=4):
        assert behind_proxy(link).status in (HTTPStatus.OK, HTTPStatus.FOUND), link


def test_under_a_sub_path_the_style_sheets_are_served(behind_proxy):
    html = behind_proxy(f"{PREFIX}/").read().decode()
    sheets = [link for link in links(html) if link.endswith(".css")]

    assert len(sheets) >= 3
    for sheet in sheets:
        answer = behind_proxy(sheet)
        assert answer.status == HTTPStatus.OK
        assert answer.headers["Content-Type"].startswith("text/css")


@pytest.mark.parametrize(
    ("path", "status", "target"),
    [
        ("/measures", 301, "/measures/"),
        ("/en/indicators?q=1", 301, "/en/indicators/?q=1"),
        ("/admin/", 302, "/admin/login/?next=/baoshan/admin/"),
        ("/en/admin/", 302, "/en/admin/login/?next=/baoshan/en/admin/"),
    ],
)
def test_under_a_sub_path_redirects_stay_below_it(behind_proxy, path, status, target):
    answer = behind_proxy(PREFIX + path)

    assert answer.status == status
    assert answer.headers["Location"] == PREFIX + target


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ("/", "/en/"),
        ("/en/", "/"),
        ("/indicators/?q=1", "/en/indicators/?q=1"),
        ("/en/measures/?as_of=2023-08-01", "/measures/?as_of=2023-08-01"),
        ("/nothing/", "/en/"),
    ],
)
def test_under_a_sub_path_the_other_language_is_the_same_page(behind_proxy, here, there):
    html = behind_proxy(PREFIX + here).read().decode()

    assert PREFIX + there in links(html)


def test_under_a_sub_path_files_name_addresses_below_it(behind_proxy):
    assert f"{PREFIX}/indicators/" in behind_proxy(f"{PREFIX}/data/indicators.csv").read().decode()
    package = behind_proxy(f"{PREFIX}/data/datapackage.json").read().decode()
    assert f"{PREFIX}/data/observations.csv" in package
    for address in LISTS:
        answer = behind_proxy(f"{PREFIX}{address}?format=csv")
        assert answer.status == HTTPStatus.OK
