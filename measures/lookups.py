"""Keys among many: ``__in`` with a list of thousands, as lists and what is loaded with them need.

Django writes a placeholder for each key, of which a statement can have only so many, and whose
number makes another statement of it each time. Here a long list is one parameter.
"""

from collections.abc import Iterable

from django.db.models import AutoField, BigAutoField, BigIntegerField, ForeignKey
from django.db.models.fields.related_lookups import RelatedIn
from django.db.models.lookups import In

from .prepared import Keys, as_one_parameter

#: Keys that are written one by one.
FEW = 100


class _AsOneParameter:
    """An ``In`` whose long list of whole numbers is one parameter; so are the keys that come into
    a prepared query, however many."""

    def get_prep_lookup(self):
        # Whole numbers are what Django would make of each of them.
        if self.rhs_is_direct_value() and _are_many_keys(self.rhs):
            return self.rhs
        return super().get_prep_lookup()

    def as_sql(self, compiler, connection):
        if isinstance(self.rhs, Keys):
            keys = self.rhs
        elif self.rhs_is_direct_value() and _are_many_keys(self.rhs):
            keys = as_one_parameter(self.rhs, connection)
        else:
            return super().as_sql(compiler, connection)
        column, params = self.process_lhs(compiler, connection)
        if connection.vendor == "postgresql":
            return f"{column} = ANY (%s::bigint[])", [*params, keys]
        return f"{column} IN (SELECT value FROM json_each(%s))", [*params, keys]


def _are_many_keys(values: Iterable) -> bool:
    values = list(values)
    return len(values) > FEW and all(isinstance(value, int | None) for value in values)


@AutoField.register_lookup
@BigAutoField.register_lookup
@BigIntegerField.register_lookup
class KeyIn(_AsOneParameter, In):
    pass


@ForeignKey.register_lookup
class ForeignKeyIn(_AsOneParameter, RelatedIn):
    pass
