"""Evidence files: for staff who may see the row, as a download, for nobody else."""

from contextlib import nullcontext
from urllib.parse import quote

import pytest
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.urls import reverse

from baoshan_portal.tests.desk import browser_of
from measures import workflow
from measures.access import ADMINISTRATOR, AUDITOR, EDITOR, REVIEWER, STEWARD
from measures.evidence import clean_name, validate_extension, validate_size
from measures.models import TrailEvent
from measures.tests.factories import (
    ISSUED,
    make_department,
    make_measure,
    make_note,
    make_staff,
    make_user,
)
from metrics.tests.factories import make_indicator, make_observation

pytestmark = [pytest.mark.django_db, pytest.mark.once("is about files")]

PDF = b"%PDF-1.4 evidence"


@pytest.fixture(autouse=True)
def files(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def office():
    return make_department()


@pytest.fixture
def row(office):
    """A draft of the office with a file."""
    indicator = make_indicator(measure=make_measure(lead=office))
    row = make_observation(indicator=indicator)
    row.evidence_file.save("合同.PDF", ContentFile(PDF))
    return row


def test_an_editor_of_the_department_downloads_the_file(row, office):
    answer = browser_of(make_staff(EDITOR, departments=[office])).get(row.evidence_file.url)

    assert b"".join(answer.streaming_content) == PDF
    assert answer["Content-Disposition"] == f"attachment; filename*=utf-8''{quote('合同.pdf')}"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in answer["Cache-Control"]


def test_the_link_in_the_admin_is_the_address_of_the_file(row):
    name = row.evidence_file.name.removeprefix("evidence/observation/")
    assert name.startswith(f"{row.code}-") and name.endswith("/合同.pdf")
    assert reverse("admin:evidence", args=["observation", name]) == row.evidence_file.url


@pytest.mark.parametrize(
    ("role", "status"),
    [(EDITOR, 404), (REVIEWER, 200), (STEWARD, 200), (AUDITOR, 200), (ADMINISTRATOR, 403)],
)
def test_what_a_role_gets_of_a_foreign_department(row, role, status):
    client = browser_of(make_staff(role, departments=[make_department()]))

    assert client.get(row.evidence_file.url).status_code == status


def test_who_administers_accounts_sees_no_file_of_their_own_department_either(row, office):
    client = browser_of(make_staff(ADMINISTRATOR, departments=[office]))

    assert client.get(row.evidence_file.url).status_code == 403


def test_the_public_is_asked_to_sign_in(row, client):
    answer = client.get(row.evidence_file.url)

    assert answer.status_code == 302
    assert answer.url.startswith("/admin/login/")


def test_whoever_has_an_account_but_is_no_staff_is_refused(row):
    assert browser_of(make_user()).get(row.evidence_file.url).status_code == 302


def test_a_file_of_a_published_row_is_not_public_either(client, office):
    row = make_note(measure=make_measure(lead=office), published=ISSUED)
    name = f"evidence/progressnote/{row.code}.pdf"
    assert client.get(f"/admin/{name}").status_code == 302
    assert client.get(f"/{name}").status_code == 404


def test_a_note_has_its_file_too(office):
    row = make_note(measure=make_measure(lead=office))
    row.evidence_file.save("a.zip", ContentFile(b"PK"))

    answer = browser_of(make_staff(EDITOR, departments=[office])).get(row.evidence_file.url)

    assert b"".join(answer.streaming_content) == b"PK"


def test_a_file_that_is_gone_from_the_disk_is_a_clear_answer(row):
    row.evidence_file.storage.delete(row.evidence_file.name)

    assert browser_of(make_staff(REVIEWER)).get(row.evidence_file.url).status_code == 404


@pytest.mark.parametrize(
    "address",
    [
        "observation/unknown.pdf",
        "target/unknown.pdf",
        "user/1",
        "observation/..%2F..%2Fsecret.txt",
        "observation/../../secret.txt",
    ],
)
def test_nothing_but_the_files_of_rows_is_handed_out(files, row, address):
    (files / "secret.txt").write_text("secret")

    assert browser_of(make_staff(REVIEWER)).get(f"/admin/evidence/{address}").status_code == 404


# What is accepted, and what stays


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("合同（2023）终稿.PDF", "合同_2023_终稿.pdf"),
        ("C:\\Users\\li\\表.xlsx", "表.xlsx"),
        ("../../etc/passwd.txt", "passwd.txt"),
        ('a"b\r\nc.pdf', "ab_c.pdf"),
        ("（）.pdf", "file.pdf"),
        ("长" * 300 + ".docx", "长" * 35 + ".docx"),
    ],
)
def test_a_file_keeps_its_name_cleaned_and_of_any_length(name, expected):
    assert clean_name(name, 40) == expected


@pytest.mark.parametrize(
    ("name", "content", "fits"),
    [
        ("a.pdf", b"%PDF-1.7", True),
        ("a.pdf", b"MZ\x90\0", False),
        ("a.docx", b"PK\x03\x04", True),
        ("a.docx", b"\xd0\xcf\x11\xe0", False),
        ("a.doc", b"\xd0\xcf\x11\xe0", True),
        ("a.et", b"PK\x03\x04", True),
        ("a.pptx", b"PK\x03\x04", True),
        ("a.csv", "代码,数值".encode("gb18030"), True),
        ("a.txt", "说明".encode("utf-16"), True),
        ("a.txt", b"MZ\x90\0", False),
        ("a.png", b"<svg>", False),
        ("a.pdf", b"", False),
    ],
)
def test_a_file_is_what_its_name_says(name, content, fits):
    file = SimpleUploadedFile(name, content)
    validate_extension(file)
    with nullcontext() if fits else pytest.raises(ValidationError):
        validate_size(file)


@pytest.mark.parametrize("name", ["a.exe", "a.html", "a.svg", "a.js", "a"])
def test_what_a_browser_could_run_is_refused(name):
    with pytest.raises(ValidationError):
        validate_extension(SimpleUploadedFile(name, b"x"))


def kept(files) -> list[str]:
    return sorted(path.name for path in files.rglob("*") if path.is_file())


def with_file(row, name="a.pdf"):
    row.evidence_file = SimpleUploadedFile(name, PDF)
    return row


def a_draft(office, user):
    row = make_note(measure=make_measure(lead=office), entered_by=user, changed_by=user)
    workflow.save(with_file(row), by=user, seen=row.version)
    return row


def test_a_deleted_draft_takes_its_file_along(files, office, django_capture_on_commit_callbacks):
    user = make_staff(EDITOR, departments=[office])
    row = a_draft(office, user)
    assert kept(files) == ["a.pdf"]
    with django_capture_on_commit_callbacks(execute=True):
        workflow.delete(row, by=user)
    assert list(files.rglob("*.pdf")) == []
    assert kept(files) == []


def test_a_file_that_is_replaced_or_taken_away_goes(
    files, office, django_capture_on_commit_callbacks
):
    user = make_staff(EDITOR, departments=[office])
    row = a_draft(office, user)
    with django_capture_on_commit_callbacks(execute=True):
        workflow.save(with_file(row, "b.pdf"), by=user, seen=row.version)
    assert kept(files) == ["b.pdf"]
    row.evidence_file = ""
    with django_capture_on_commit_callbacks(execute=True):
        workflow.save(row, by=user, seen=row.version)
    assert kept(files) == []


def test_a_file_that_another_row_names_stays(files, office, django_capture_on_commit_callbacks):
    user = make_staff(EDITOR, departments=[office])
    row = a_draft(office, user)
    make_note(measure=row.measure, evidence_file=row.evidence_file.name)
    with django_capture_on_commit_callbacks(execute=True):
        workflow.delete(row, by=user)
    assert kept(files) == ["a.pdf"]


def test_a_refused_upload_leaves_nothing_behind(files, office):
    user = make_staff(EDITOR, departments=[office])
    row = make_note(measure=make_measure(lead=office), entered_by=user, changed_by=user)
    with pytest.raises(workflow.StaleRow):
        workflow.save(with_file(row), by=user, seen=row.version + 7)
    twice = make_note(measure=row.measure)
    twice.pk, twice.state = None, "draft"
    with pytest.raises(IntegrityError), transaction.atomic():
        workflow.save(with_file(twice), by=user)
    assert kept(files) == []


def test_a_save_without_change_leaves_no_event(office):
    user = make_staff(EDITOR, departments=[office])
    row = make_note(measure=make_measure(lead=office), entered_by=user, changed_by=user)
    before = TrailEvent.objects.count()
    workflow.save(row, by=user, seen=row.version)
    workflow.save_all([row], by=user)
    assert TrailEvent.objects.count() == before
