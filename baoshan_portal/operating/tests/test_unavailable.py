"""Database or disk cannot be used at the moment: a sentence, and nothing done by half."""

import errno
import sqlite3

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage
from django.db import OperationalError, connection, transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import path

from baoshan_portal.tests.desk import browser_of, desk, fill_in
from measures.models import Department, TrailEvent
from measures.tests.factories import make_department, make_measure, make_note, make_superuser

from .. import unavailable
from ..unavailable import AWAY, BUSY, UNWRITABLE, why

# Which errors are of the moment


def sqlite_error(statement: str, *before: str, place=":memory:") -> sqlite3.Error:
    database = sqlite3.connect(place, timeout=0)
    for other in before:
        database.execute(other)
    with pytest.raises(sqlite3.Error) as raised:
        database.execute(statement)
    return raised.value


@pytest.mark.once("asks SQLite itself")
def test_what_sqlite_says_of_a_lock_a_full_or_a_damaged_disk_is_of_the_moment(tmp_path):
    place = tmp_path / "some.sqlite3"
    writer = sqlite3.connect(place, isolation_level=None)
    writer.execute("CREATE TABLE some (text)")
    writer.execute("BEGIN IMMEDIATE")
    (tmp_path / "damaged.sqlite3").write_bytes(b"no database" * 1000)
    insert = "INSERT INTO some VALUES (zeroblob(100000))"

    assert why(sqlite_error("BEGIN IMMEDIATE", place=place)) == BUSY
    writer.execute("ROLLBACK")
    assert why(sqlite_error(insert, "PRAGMA query_only = ON", place=place)) == UNWRITABLE
    assert why(sqlite_error(insert, "PRAGMA max_page_count = 4", place=place)) == UNWRITABLE
    assert why(sqlite_error("SELECT 1 FROM some", place=tmp_path / "damaged.sqlite3")) == AWAY
    with pytest.raises(sqlite3.Error) as raised:
        sqlite3.connect(tmp_path / "nowhere/some.sqlite3")
    assert why(raised.value) == AWAY
    # As Django raises it.
    told = OperationalError("database is locked")
    told.__cause__ = sqlite_error(insert, "PRAGMA query_only = ON", place=place)
    assert why(told) == UNWRITABLE


@pytest.mark.once("asks SQLite itself")
def test_a_fault_of_ours_is_not_of_the_moment():
    for statement in ("SELECT 1 FROM nothing", "SELEKT", "SELECT nothing"):
        assert why(sqlite_error(statement)) is None
    for fault in (None, ValueError("wrong"), KeyError("wrong"), FileNotFoundError(2, "wrong")):
        assert why(fault) is None


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("55P03", BUSY), ("57014", BUSY), ("40P01", BUSY), ("25006", UNWRITABLE),
        ("53100", UNWRITABLE), ("53300", AWAY), ("57P01", AWAY), ("08006", AWAY), ("58030", AWAY),
        ("42P01", None), ("22P02", None), ("23505", None),
    ],
)  # fmt: skip
@pytest.mark.once("reads states by name")
def test_what_postgresql_says_is_known_by_its_state(state, reason):
    told = OperationalError("somehow")
    told.__cause__ = Exception()
    told.__cause__.pgcode = state
    assert why(told) == reason


@pytest.mark.once("reads numbers of errors")
def test_a_disk_that_takes_nothing_is_of_the_moment():
    for number in (errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.EACCES):
        assert why(OSError(number, "no")) == UNWRITABLE


# What the pages say


def read_something(request):
    raise OSError(errno.EROFS, "read-only")


@transaction.atomic
def write_in_one(request):
    make_department(name="新设部门")
    raise OSError(errno.ENOSPC, "full")


def write_in_two(request):
    make_department(name="新设部门")
    write_in_one(request)


urlpatterns = [
    path("read/", read_something),
    path("en/read/", read_something),
    path("one/", write_in_one),
    path("two/", write_in_two),
    path("fault/", lambda request: {}["nothing"]),
    path("fine/", lambda request: HttpResponse("fine")),
]
handler500 = "baoshan_portal.operating.unavailable.server_error"


@pytest.fixture
def site(settings):
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = [
        "baoshan_portal.operating.requests.RequestMiddleware",
        "baoshan_portal.operating.unavailable.UnavailableMiddleware",
        "django.middleware.locale.LocaleMiddleware",
    ]
    return Client(raise_request_exception=False)


def said(answer) -> str:
    """What a 503 says; it says when to come again, too."""
    assert answer.status_code == 503
    assert answer["Retry-After"] == "30"
    assert answer["Cache-Control"] == "no-store"
    page = answer.content.decode()
    assert answer["X-Request-ID"] in page
    assert page.count("<h1>") == 1
    return page


@pytest.mark.once("asks no database")
def test_a_page_that_cannot_be_read_says_so_in_the_language_of_its_address(site):
    chinese, english = said(site.get("/read/")), said(site.get("/en/read/"))

    assert "暂时" in chinese and "minute" not in chinese
    assert 'lang="zh-Hans"' in chinese and 'lang="en"' in english
    assert "takes nothing at the moment. Please try again in a minute." in english
    assert "saved" not in english


@pytest.mark.once("asks no database")
def test_a_fault_of_ours_stays_one(site):
    assert site.get("/fault/").status_code == 500
    assert site.get("/fine/").content == b"fine"


@pytest.mark.django_db(transaction=True)
def test_a_write_that_failed_whole_says_that_nothing_was_saved(site):
    assert "没有保存" in said(site.post("/one/"))
    assert not Department.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_write_of_which_a_part_was_saved_says_that_one_should_look(site):
    page = said(site.post("/two/"))

    assert "没有保存" not in page and "核实" in page
    assert Department.objects.count() == 1


# The portal itself


@pytest.fixture
def read_only(db):
    """The database takes nothing any more, until the test ends."""
    if connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
            yield
            transaction.set_rollback(True)
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA query_only = ON")
        yield
        cursor.execute("PRAGMA query_only = OFF")


@pytest.fixture
def measure(db):
    return make_measure(name="南大智慧城")


@pytest.fixture
def steward(db):
    return browser_of(make_superuser())


def test_pages_are_read_on_while_the_database_takes_nothing(client, measure, read_only):
    for address in ("/", "/measures/", f"/en/measures/{measure.code}/", "/data/measures.csv"):
        assert client.get(address).status_code == 200, address
    assert client.get("/healthz").status_code == 200


def test_staff_read_on_too_and_a_write_says_that_nothing_was_saved(steward, measure, read_only):
    steward.raise_request_exception = False

    assert steward.get("/admin/").status_code == 200
    answer = fill_in(steward, desk(Department, "add"), code="new", name="新设", name_en="New")
    assert "没有保存" in said(answer)


def test_nobody_is_signed_in_by_a_database_that_takes_nothing(measure, read_only):
    client = Client(raise_request_exception=False)
    answer = client.post("/en/admin/login/", {"username": "somebody", "password": "wrong"})

    assert "not saved, nor any part of it" in said(answer)


@pytest.mark.django_db
def test_evidence_for_which_there_is_no_room_leaves_no_row(monkeypatch):
    def full(storage, name, content):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(FileSystemStorage, "_save", full)
    events = TrailEvent.objects.count()
    with pytest.raises(OSError) as raised, transaction.atomic():
        make_note(evidence_file=ContentFile(b"%PDF-1.4", name="evidence.pdf"))

    assert why(raised.value) == UNWRITABLE
    assert TrailEvent.objects.count() == events


def test_a_page_that_could_not_be_made_needs_neither_database_nor_session(rf):
    for method in ("get", "post"):
        page = unavailable.page(getattr(rf, method)("/en/"), AWAY)
        assert b"The database cannot be reached at the moment." in page.content
