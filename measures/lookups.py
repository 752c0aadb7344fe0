"""Lookups that Django has none of."""

import json

from django.db.models import AutoField, BigAutoField, Lookup


@AutoField.register_lookup
@BigAutoField.register_lookup
class Among(Lookup):
    """``pk__among``: the key is one of a list that may have any length.

    ``__in`` writes a placeholder for each, of which a statement can have only so many.
    """

    lookup_name = "among"
    prepare_rhs = False

    def as_sql(self, compiler, connection):
        key, params = self.process_lhs(compiler, connection)
        unpacked = (
            "SELECT unnest(%s::bigint[])"
            if connection.vendor == "postgresql"
            else "SELECT value FROM json_each(%s)"
        )
        keys = list(self.rhs)
        given = keys if connection.vendor == "postgresql" else json.dumps(keys)
        return f"{key} IN ({unpacked})", [*params, given]
