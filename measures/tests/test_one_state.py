"""What is read piece by piece is of one state, whatever is written meanwhile."""

import pytest
from django.contrib.auth.models import Group
from django.db import DatabaseError, connection, connections

from ..one_state import one_state


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite in memory has one reader")
def test_what_is_published_meanwhile_is_not_in_the_file_and_nothing_is_written_beside_it():
    before, other = Group.objects.count(), connections["default"].copy()
    try:
        with one_state():
            assert Group.objects.count() == before
            with other.cursor() as cursor:
                cursor.execute("INSERT INTO auth_group (name) VALUES ('meanwhile')")
            assert Group.objects.count() == before
        assert Group.objects.count() == before + 1
        with pytest.raises(DatabaseError), one_state():
            Group.objects.all().delete()
    finally:
        other.close()
