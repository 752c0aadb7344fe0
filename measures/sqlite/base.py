"""Django's backend for SQLite, whose migrations keep the triggers and connections their file.

SQLite drops a table's triggers when a migration rebuilds it. Here they are put back at once, in
the transaction of the migration, so that it never commits without them.
"""

import os
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
    """A connection that is kept ends when another file took the place of its own.

    What was restored in place, or a disk that is not mounted, would otherwise go unseen for as
    long as a connection is kept, and what is written meanwhile would be lost.
    """

    SchemaEditorClass = KeepsTriggers

    def get_new_connection(self, conn_params):
        # Before it is opened: if it is replaced in between, it counts as another one.
        self._file = self._file_there()
        connection = super().get_new_connection(conn_params)
        if self._file is None:
            self._file = self._file_there()
        return connection

    def close_if_unusable_or_obsolete(self):
        is_kept = self.connection is not None and not self.in_atomic_block
        if is_kept and not self.is_in_memory_db() and self._file != self._file_there():
            self.close()
            return
        super().close_if_unusable_or_obsolete()

    def _file_there(self) -> tuple[int, int] | None:
        """What tells the file under the database's name from any other; None without one."""
        try:
            found = os.stat(self.settings_dict["NAME"])
        except OSError:
            return None
        return found.st_dev, found.st_ino
