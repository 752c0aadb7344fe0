"""Triggers by which nothing becomes public past the workflow, also for raw SQL.

What a database begins with, the report and a demonstration's invented past, comes without a
reviewer and with days of its own. After its first day (``versions.first_day_over``) a row becomes
public by somebody else than who entered it, at the moment at which that happens: after what was
published last and after the newest checkpoint.
"""

from django.utils import timezone

from .triggers import Trigger
from .versions import Sql, first_day_over

#: By the operation, the SQL condition that a row becomes public by it; what was stays out.
BECOMES = {
    "INSERT": "NEW.state = 'published'",
    "UPDATE": "NEW.state = 'published' AND OLD.state <> 'published'",
}
FORGED = "what becomes public was reviewed by somebody else, now, and corrects what is public"

#: How far the clocks of the portal's servers and of its database may differ
TOLERANCE = "10 minutes"


def is_to_come(connection, tables: list[str]) -> bool:
    """Whether one of the ``tables`` of submissions holds what is public only from a later moment.

    By the clock of this process, which may be a little behind that of the one which published.
    What is read meanwhile lacks it, and no version changes when the moment comes. One query.
    """
    found = " OR ".join(
        f"EXISTS (SELECT 1 FROM {table} WHERE published_at >= %s)" for table in tables
    )
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {found}", [now] * len(tables))
        return bool(cursor.fetchone()[0])


def triggers(tables: list[str], vendor: str) -> list[Trigger]:
    """Those of the ``tables`` of submissions."""
    sql, found = Sql(vendor), []
    before = _moved(_newest(tables, sql), "-", sql)
    lately, soon = _moved(sql.now, "-", sql), _moved(sql.now, "+", sql)
    for table in tables:
        for operation, further in (("INSERT", ""), ("UPDATE", " OR OLD.state <> 'submitted'")):
            by_itself = (
                "NEW.published_by_id IS NULL OR NEW.published_by_id = NEW.entered_by_id "
                "OR NEW.published_by_id = NEW.changed_by_id "
                f"OR NEW.published_at > {soon}{further}"
            )
            # What is newest is not to come: only what is old itself can be older.
            suspect = f"NEW.published_at < {lately} OR NEW.supersedes_id IS NOT NULL"
            forged = (
                f"NEW.published_at < {before} OR (NEW.supersedes_id IS NOT NULL AND NOT EXISTS "
                f"(SELECT 1 FROM {table} s WHERE s.id = NEW.supersedes_id "
                "AND s.state = 'published'))"
            )
            found.append(
                Trigger(
                    f"{table}_forged_{operation.lower()}", table, "BEFORE", operation,
                    f"({by_itself} OR {forged}) AND {first_day_over(sql)}", FORGED,
                    first=f"{BECOMES[operation]} AND ({by_itself} OR {suspect})",
                )
            )  # fmt: skip
    return found


def _moved(moment: str, sign: str, sql: Sql) -> str:
    """``moment``, earlier (-) or later (+) by TOLERANCE."""
    if sql.postgresql:
        return f"{moment} {sign} interval '{TOLERANCE}'"
    return f"datetime({moment}, '{sign}{TOLERANCE}')"


def _newest(tables: list[str], sql: Sql) -> str:
    """The SQL of the last moment of a publication or a checkpoint until now."""
    # A checkpoint says what there was, so nothing comes before it either.
    moments = [(each, "published_at") for each in tables] + [("measures_checkpoint", "made_at")]
    published = " UNION ALL ".join(
        f"SELECT max({column}) AS moment FROM {each} WHERE {column} <= {sql.now}"
        for each, column in moments
    )
    return f"(SELECT max(p.moment) FROM ({published}) p)"
