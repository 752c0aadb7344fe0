"""Evidence files: for staff who may see the row, as a download, for nobody else."""

import pytest
from django.core.files.base import ContentFile
from django.urls import reverse

from baoshan_portal.tests.desk import browser_of
from measures.access import ADMINISTRATOR, AUDITOR, EDITOR, REVIEWER, STEWARD
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
    assert answer["Content-Disposition"] == f'attachment; filename="{row.code}.pdf"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in answer["Cache-Control"]


def test_the_link_in_the_admin_is_the_address_of_the_file(row):
    assert row.evidence_file.url == f"/admin/evidence/observation/{row.code}.pdf"
    assert reverse("admin:evidence", args=["observation", f"{row.code}.pdf"]) == (
        row.evidence_file.url
    )


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
