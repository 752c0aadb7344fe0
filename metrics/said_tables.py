"""What a search finds figures and their values by: a row of each, folded, with an index.

A copy that can be thrown away, and never a source: whoever searches asks besides what is public.
Triggers empty the row of whatever may not say what it said, whichever door the change comes
through; ``write`` fills it again, and until then whoever searches reads what is missing from the
rows themselves.

The index knows the pieces of a text: its signs and its pairs of signs, in PostgreSQL an array and
in SQLite a table of FTS5, whose own pieces of three would not find 高新. It finds all that may
hold what is sought and nothing is left out; what it finds is compared with the text itself. That
is why nothing is ever taken out of the table of FTS5 but everything: what is found for an older
text does not hold what is sought.
"""

from collections.abc import Iterator

from django.db import models
from django.utils.translation import gettext_lazy as _

from measures.data_version import PUBLIC, Touched, after_touching
from measures.triggers import Trigger

VALUES, FIGURES = "metrics_valuesaid", "metrics_indicatorsaid"
#: The key of each.
KEYS = {VALUES: "value_id", FIGURES: "indicator_id"}
_INTO_VALUES = f"INSERT INTO {VALUES} (value_id, text)"
_INTO_FIGURES = f"INSERT INTO {FIGURES} (indicator_id, text, chinese, english)"
#: Digits and letters for a sign in FTS5.
OF_FTS5 = 4


def _said(model: str, name) -> models.OneToOneField:
    """The row of which it is said, by its key; one that is deleted leaves it behind."""
    return models.OneToOneField(
        model, models.DO_NOTHING, primary_key=True, db_constraint=False, related_name="said",
        verbose_name=name,
    )  # fmt: skip


class ValueSaid(models.Model):
    """``text`` is the folded text of a value without that of its figure; empty if not known."""

    value = _said("Observation", _("value"))
    text = models.TextField()

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["text"], condition=models.Q(text=""), name="value_said_missing")
        ]

    def __str__(self):
        return str(self.value_id)


class IndicatorSaid(models.Model):
    """``text`` is the folded text of a figure, empty if not known; so are ``chinese`` and
    ``english``, what readers of either language see as its name."""

    indicator = _said("Indicator", _("indicator"))
    text = models.TextField()
    chinese = models.TextField()
    english = models.TextField()

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(
                fields=["text"],
                condition=models.Q(text=""),
                name="indicator_said_missing",
            )
        ]

    def __str__(self):
        return str(self.indicator_id)


def _sought(text: str, vendor: str) -> list[str]:
    """The pieces that whatever holds ``text`` has: its pairs, and a sign that stands alone."""
    found = {}
    for word in text.split():
        signs, one = (word, 1) if vendor == "postgresql" else (_for_fts5(word), OF_FTS5)
        last = max(one, len(signs) - one)
        found |= dict.fromkeys(signs[at : at + 2 * one] for at in range(0, last, one))
    return list(found)


def _for_fts5(text: str) -> str:
    """``text`` in digits and letters, which FTS5 takes as they are: four for each sign of UTF-16,
    in which rare ones are pairs."""
    return text.encode("utf-16-be").hex()


def _pieces_for_fts5(text: str) -> str:
    signs = _for_fts5(text)
    places = range(0, len(signs), OF_FTS5)
    pieces = {signs[at : at + OF_FTS5] for at in places}
    pieces.update(signs[at : at + 2 * OF_FTS5] for at in places)
    return " ".join(pieces)


@models.TextField.register_lookup
class MayHold(models.Lookup):
    """``text__may_hold=["高新", "科创"]``: by the index, whatever may hold one of them; to be
    compared. None of them is blank.
    """

    lookup_name = "may_hold"
    prepare_rhs = False

    def as_sql(self, compiler, connection):
        table = self.lhs.target.model._meta.db_table
        alias = compiler.quote_name_unless_alias(self.lhs.alias)
        pieces = [_sought(text, connection.vendor) for text in self.rhs]
        if connection.vendor == "postgresql":
            return f"({' OR '.join([f'{alias}.pieces @> %s::text[]'] * len(pieces))})", pieces
        found = f"SELECT rowid FROM {table}_pieces WHERE {table}_pieces MATCH %s"
        either = " OR ".join(f"({' AND '.join(some)})" for some in pieces)
        return f"{alias}.{KEYS[table]} IN ({found})", [either]


@models.TextField.register_lookup
class Holds(models.Lookup):
    """``text__holds="高新"``, sign for sign."""

    lookup_name = "holds"
    found = "> 0"

    def as_sql(self, compiler, connection):
        text, params = self.process_lhs(compiler, connection)
        held, more = self.process_rhs(compiler, connection)
        function = "strpos" if connection.vendor == "postgresql" else "instr"
        return f"{function}({text}, {held}) {self.found}", [*params, *more]


@models.TextField.register_lookup
class BeginsWith(Holds):
    """``text__begins_with="高新"``, sign for sign."""

    lookup_name = "begins_with"
    found = "= 1"


def write(table: str, rows: list[tuple[int, str, ...]], connection) -> None:
    """Fills the rows of ``table``: the key of each, its text, and for a figure its names."""
    if not rows:
        return
    names = ["text"] if table == VALUES else ["text", "chinese", "english"]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            columns = [KEYS[table], *names]
            kinds = ["bigint[]", *["text[]"] * len(names)]
            cursor.execute(
                f"UPDATE {table} SET {', '.join(f'{name} = said.{name}' for name in names)} "
                f"FROM unnest({', '.join(f'%s::{kind}' for kind in kinds)}) "
                f"AS said ({', '.join(columns)}) "
                f"WHERE {table}.{KEYS[table]} = said.{KEYS[table]}",
                [list(column) for column in zip(*rows, strict=True)],
            )
            # What stays beside the index is looked through by each search.
            cursor.execute("SELECT gin_clean_pending_list(%s::regclass)", [f"{table}_pieces"])
            return
        cursor.executemany(
            f"UPDATE {table} SET {', '.join(f'{name} = %s' for name in names)} "
            f"WHERE {KEYS[table]} = %s",
            [(*said, key) for key, *said in rows],
        )
        cursor.executemany(
            f"INSERT INTO {table}_pieces (rowid, pieces) VALUES (%s, %s)",
            [(key, _pieces_for_fts5(text)) for key, text, *_names in rows],
        )


def begin_anew(connection) -> None:
    """Writes a row without text of each figure and of each value that was ever public into the
    tables, which are empty."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            for index in (f"{VALUES}_pieces", f"{FIGURES}_pieces"):
                cursor.execute(f"INSERT INTO {index} ({index}) VALUES ('delete-all')")
        cursor.execute(f"{_INTO_VALUES} SELECT id, '' FROM metrics_observation WHERE {PUBLIC}")
        cursor.execute(f"{_INTO_FIGURES} SELECT id, '', '', '' FROM metrics_indicator")


def begin_missing(connection) -> None:
    """Writes such a row of each figure and of each value that stands and has none."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"{_INTO_VALUES} SELECT id, '' FROM metrics_observation o "
            f"WHERE {PUBLIC} AND ended_at IS NULL "
            f"AND NOT EXISTS (SELECT 1 FROM {VALUES} WHERE value_id = o.id)"
        )
        cursor.execute(
            f"{_INTO_FIGURES} SELECT id, '', '', '' FROM metrics_indicator i "
            f"WHERE NOT EXISTS (SELECT 1 FROM {FIGURES} WHERE indicator_id = i.id)"
        )


def triggers(vendor: str) -> list[Trigger]:
    """Those that empty what a change makes old."""
    return after_touching("unsays", "metrics_observation", _unsay_values, vendor) + [
        Trigger(f"{table}_unsays_{operation.lower()}", table, "AFTER", operation, condition, body)
        for table, operation, condition, body in _rules()
    ]


def _unsay_values(touched: Touched) -> list[str]:
    # Without a condition of its own SQLite would take ON for that of a join.
    found = f"SELECT key, '' FROM ({touched.keys('id')}) AS touched WHERE 1 = 1"
    return [f"{_INTO_VALUES} {found} ON CONFLICT (value_id) DO UPDATE SET text = ''"]


def _rules() -> Iterator[tuple[str, str, str, list[str]]]:
    """(table, operation, SQL condition, statements)."""
    figure = (
        f"{_INTO_FIGURES} VALUES (NEW.id, '', '', '') "
        "ON CONFLICT (indicator_id) DO UPDATE SET text = '', chinese = '', english = ''"
    )
    yield "metrics_indicator", "INSERT", "1 = 1", [figure]
    # A value says its number in the unit of its figure, and the number of its report.
    in_another = _values("indicator_id = OLD.id AND OLD.unit_id <> NEW.unit_id")
    yield "metrics_indicator", "UPDATE", "1 = 1", [figure, in_another]
    of_unit = "indicator_id IN (SELECT id FROM metrics_indicator WHERE unit_id = NEW.id)"
    yield "metrics_unit", "UPDATE", "OLD.name <> NEW.name", [_values(of_unit)]
    yield "measures_report", "UPDATE", "OLD.number <> NEW.number", [_values("report_id = NEW.id")]


def _values(condition: str) -> str:
    return (
        f"UPDATE {VALUES} SET text = '' "
        f"WHERE value_id IN (SELECT id FROM metrics_observation WHERE {condition})"
    )
