"""Django's backend for SQLite, whose migrations keep the triggers.

SQLite drops a table's triggers when a migration rebuilds it. Here they are put back at once, in
the transaction of the migration, so that it never commits without them.
"""

from contextlib import nullcontext

from django.db.backends.sqlite3 import base
from django.db.backends.sqlite3.schema import DatabaseSchemaEditor

from ..triggers import aside


class KeepsTriggers(DatabaseSchemaEditor):
    """What alters a table does so while the triggers are aside.

    They come back as they were. One that names a column that is gone refuses every write until
    the end of ``migrate`` replaces it: a migration that must write before uses ``lifted``.
    """

    def _aside(self):
        # `sqlmigrate` only asks for the statements.
        return nullcontext() if self.collect_sql else aside(self.connection)

    def add_field(self, *args, **kwargs):
        with self._aside():
            super().add_field(*args, **kwargs)

    def remove_field(self, *args, **kwargs):
        with self._aside():
            super().remove_field(*args, **kwargs)

    def alter_field(self, *args, **kwargs):
        with self._aside():
            super().alter_field(*args, **kwargs)

    def alter_db_table(self, *args, **kwargs):
        with self._aside():
            super().alter_db_table(*args, **kwargs)

    def delete_model(self, *args, **kwargs):
        with self._aside():
            super().delete_model(*args, **kwargs)

    def _remake_table(self, *args, **kwargs):
        with self._aside():
            super()._remake_table(*args, **kwargs)


class DatabaseWrapper(base.DatabaseWrapper):
    SchemaEditorClass = KeepsTriggers
