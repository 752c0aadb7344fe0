"""What public rows said stays said, for raw SQL too, and can be read as it stood."""

from datetime import date, datetime, timedelta

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from .. import protection, versions
from ..models import Applying, Department, Measure, Revision, Section, Version
from ..past import past
from ..revisions import applying
from ..submission import end_of_day
from .factories import (
    as_reviewed,
    make_department,
    make_measure,
    make_opinion,
    make_section,
    reword,
    submission,
)

pytestmark = pytest.mark.django_db

MAY, JUNE = date(2024, 5, 1), date(2024, 6, 1)


def run(statement, *values) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.rowcount


def refused(statement, *values) -> str:
    with pytest.raises(DatabaseError) as error:
        run(statement, *values)
    return str(error.value)


def versions_of(row) -> list[Version]:
    return list(Version.objects.filter(subject_type=row._meta.db_table, subject_pk=row.pk))


def on(day: date):
    """As it stood at the end of ``day``."""
    return past(end_of_day(day))


def test_a_public_row_has_a_version_from_the_beginning():
    measure = make_measure()
    (version,) = versions_of(measure)
    assert (version.code, version.valid_from, version.valid_to) == (measure.code, None, None)
    assert version.content["name"] == measure.name
    assert set(version.content) == {f.column for f in Measure._meta.concrete_fields}


def test_a_draft_has_none_and_changes_freely():
    draft = make_measure(published_on=None)
    draft.name = "改过"
    draft.save()
    draft.supporting.add(make_department())
    draft.supporting.clear()
    assert not Version.objects.filter(code=draft.code).exists()
    draft.delete()


def test_a_draft_is_not_made_public_by_hand():
    draft = make_measure(published_on=None)
    table = Measure._meta.db_table
    assert "reviewed" in refused(f"UPDATE {table} SET published_on = '2024-01-01'")
    with as_reviewed(MAY):
        Measure.objects.filter(pk=draft.pk).update(published_on=MAY)
    (version,) = versions_of(draft)
    assert timezone.localdate(version.valid_from) == MAY


def test_the_supporting_departments_of_a_draft_become_public_with_it():
    draft, department = make_measure(published_on=None), make_department()
    draft.supporting.add(department)
    reword(draft, MAY, published_on=MAY)
    with on(MAY):
        assert list(Measure.objects.get(pk=draft.pk).supporting.all()) == [department]


def test_a_public_row_is_not_replaced():
    first, second = make_department(), make_department()
    if connection.vendor == "sqlite":
        table = Department._meta.db_table
        refused(f"UPDATE OR REPLACE {table} SET code = %s WHERE id = %s", first.code, second.pk)
        refused(
            f"INSERT OR REPLACE INTO {table} (id, code, name, name_en) VALUES (%s, 'x', 'x', 'x')",
            first.pk,
        )
    assert Department.objects.count() == 2


def test_to_save_a_row_as_it_is_changes_nothing():
    measure = make_measure()
    measure.save()
    assert len(versions_of(measure)) == 1


@pytest.mark.parametrize(
    "change",
    ["content = '{}'", "valid_to = valid_from", "valid_from = '2020-01-01'", "code = 'other'"],
)
def test_a_version_is_never_changed(change):
    measure = make_measure()
    reword(measure, MAY, name="新名称")
    for version in versions_of(measure):
        refused(f"UPDATE measures_version SET {change} WHERE id = %s", version.pk)
        refused("DELETE FROM measures_version WHERE id = %s", version.pk)
    with pytest.raises(DatabaseError), transaction.atomic(), as_reviewed(JUNE):
        run(f"UPDATE measures_version SET {change} WHERE subject_pk = %s", measure.pk)


def test_no_version_is_forged():
    measure = make_measure()
    for valid_to in ("NULL", "'2024-01-01'"):
        refused(
            "INSERT INTO measures_version (subject_type, subject_pk, code, content, valid_from, "
            "valid_to, made_at) SELECT subject_type, subject_pk, code, content, '2023-01-01', "
            f"{valid_to}, made_at FROM measures_version WHERE subject_pk = %s",
            measure.pk,
        )
        refused(
            "INSERT INTO measures_version (subject_type, subject_pk, code, content, valid_to, "
            "made_at) SELECT subject_type, 999999, 'nowhere', content, "
            f"{valid_to}, made_at FROM measures_version WHERE subject_pk = %s",
            measure.pk,
        )


def test_only_a_published_revision_opens_the_door_and_only_once():
    measure = make_measure()
    draft = Revision.objects.create(reason="为何")
    with pytest.raises(IntegrityError), transaction.atomic(), applying(draft):
        pass
    with as_reviewed(MAY) as revision:
        Measure.objects.update(name="新名称")
        with pytest.raises(DatabaseError), transaction.atomic():
            Applying.objects.create(
                revision=Revision.objects.create(**submission(JUNE, reason="r"))
            )
    assert versions_of(measure)[-1].revision == revision
    with pytest.raises(IntegrityError), transaction.atomic(), applying(revision):
        pass


@pytest.mark.django_db(transaction=True)
def test_the_door_is_shut_before_anything_is_committed():
    measure = make_measure()
    revision = Revision.objects.create(**submission(MAY, reason="r"))
    with pytest.raises(IntegrityError), transaction.atomic():
        Applying.objects.create(revision=revision)
        Measure.objects.update(name="forged")
    measure.refresh_from_db()
    assert measure.name != "forged"
    assert not Applying.objects.exists()


def test_a_reviewed_change_closes_one_version_and_opens_the_next():
    measure = make_measure(name="旧名称")
    reword(measure, MAY, name="新名称")
    reword(measure, JUNE, name="更新名称")
    first, second, third = versions_of(measure)
    assert [v.content["name"] for v in (first, second, third)] == ["旧名称", "新名称", "更新名称"]
    assert first.valid_to == second.valid_from
    assert second.valid_to == third.valid_from
    assert third.valid_to is None


def test_a_row_that_one_change_writes_twice_has_one_new_version():
    measure = make_measure()
    with as_reviewed(MAY):
        Measure.objects.update(order=31_000)
        Measure.objects.update(order=5)
    assert [v.content["order"] for v in versions_of(measure)][1:] == [5]


def test_a_code_never_changes_and_nothing_is_hidden_again_by_any_change():
    make_measure()
    for values in ({"code": "other"}, {"published_on": None}):
        with pytest.raises(IntegrityError), as_reviewed(MAY):
            Measure.objects.update(**values)


def test_the_past_is_read_under_the_names_of_the_tables():
    measure = make_measure(name="旧名称", lead=make_department(name="旧部门"))
    reword(measure, MAY, name="新名称")
    reword(measure.lead, JUNE, name="新部门")
    for day, name, lead in (
        (date(2024, 4, 30), "旧名称", "旧部门"),
        (MAY, "新名称", "旧部门"),
        (date(2024, 5, 31), "新名称", "旧部门"),
        (JUNE, "新名称", "新部门"),
    ):
        with on(day):
            then = Measure.objects.select_related("lead").get(name=name)
            assert (then.lead.name, Department.objects.get(led=then).name) == (lead, lead)
            assert Measure.objects.filter(lead__name=lead).count() == 1
    assert Measure.objects.get().name == "新名称"


def test_what_was_made_later_is_not_in_the_past():
    with as_reviewed(MAY):
        section = make_section()
    with on(date(2024, 4, 30)):
        assert not Section.objects.filter(pk=section.pk).exists()
    with on(MAY):
        assert Section.objects.get(pk=section.pk) == section


def test_the_past_ends_also_after_an_error():
    measure = make_measure(name="旧名称")
    reword(measure, MAY, name="新名称")
    with pytest.raises(ValueError), on(date(2024, 4, 30)):
        assert Measure.objects.get().name == "旧名称"
        raise ValueError
    assert Measure.objects.get().name == "新名称"
    with pytest.raises(DatabaseError), transaction.atomic(), on(date(2024, 4, 30)):
        run("SELECT nonsense")
    assert Measure.objects.get().name == "新名称"


def test_the_past_costs_at_most_two_statements(django_assert_max_num_queries):
    make_measure()
    with django_assert_max_num_queries(3), on(MAY):
        Measure.objects.get()


def test_what_comes_after_the_first_day_does_not_stand_in_the_past():
    protection.remove(connection)
    opinion = make_opinion()
    protection.install(connection)
    # The database's first row is two days old.
    protection.remove(connection)
    Version.objects.update(made_at=timezone.now() - timedelta(days=2))
    protection.install(connection)
    section = make_section(opinion=opinion)
    (version,) = versions_of(section)
    assert version.valid_from is not None
    with pytest.raises(IntegrityError), transaction.atomic():
        make_measure().supporting.add(make_department())


def test_migrating_makes_the_versions_of_rows_that_have_none():
    protection.remove(connection)
    measure = make_measure()
    measure.supporting.add(make_department())
    assert set(Version.objects.values_list("subject_type", flat=True)) == {"measures_threshold"}
    call_command("migrate", verbosity=0)
    assert len(versions_of(measure)) == 1
    assert Version.objects.filter(subject_type="measures_measure_supporting").count() == 1


def test_a_column_that_came_later_is_put_into_the_versions_of_before():
    measure = make_measure()
    reword(measure, MAY, name="新名称")
    protection.remove(connection)
    for version in versions_of(measure):
        del version.content["locator"], version.content["lead_confirmed"]
        version.save()
    protection.install(connection)
    with on(date(2024, 4, 30)):
        then = Measure.objects.get()
    assert (then.locator, then.lead_confirmed) == ("", False)


def test_every_model_of_the_structure_is_kept_or_reviewed_otherwise():
    kept = {kept.model for kept in versions.kept_tables()}
    structure = {m for m in apps.get_models() if getattr(m, "role_rights", None) is not None}
    named = {m.__name__ for m in structure - kept if hasattr(m, "published_on")}
    assert named == set()


def test_moments_of_one_row_follow_each_other():
    measure = make_measure()
    reword(measure, JUNE, name="新名称")
    with pytest.raises(IntegrityError):
        reword(measure, datetime(2024, 5, 1, tzinfo=timezone.get_current_timezone()), name="更早")


def plan_of(rows) -> str:
    """The plan of a query; on PostgreSQL as if the tables were large."""
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
            return rows.explain()
        sql, values = rows.query.sql_with_params()
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}", values)
        return "\n".join(row[-1] for row in cursor.fetchall())


@pytest.mark.parametrize("kept", versions.kept_tables(), ids=lambda kept: kept.table)
def test_the_past_has_an_index_for_every_foreign_key(kept):
    keys = [f for f in kept.model._meta.concrete_fields if f.is_relation]
    with on(MAY):
        for field in keys:
            rows = kept.model._base_manager.filter(**{field.attname: 1}).order_by().values("pk")
            assert f"version_{kept.table}_{field.column}" in plan_of(rows)
