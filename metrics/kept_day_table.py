"""What is known of past days that were asked for, where that is much (``kept_days``).

A copy that can be thrown away, and never a source. A day that is over does not change, as what is
published later is dated later. Whatever is dated before the end of a kept day all the same takes
the day away by a trigger, whichever door it comes through.
"""

from collections.abc import Iterator

from django.db import models

from measures.data_version import PUBLIC, TOUCHES
from measures.fields import CharField
from measures.triggers import Trigger
from measures.versions import VERSIONS

TABLE = "metrics_keptday"
#: Of whose rows it is worked out, besides what has versions.
SUBMISSIONS = ("metrics_observation", "metrics_target", "metrics_nofigure")


class KeptDay(models.Model):
    """``name`` says what is kept and of which day, before whose end ``ends`` all of it was public;
    ``content`` is JSON, compressed."""

    name = CharField(primary_key=True, max_length=30)
    ends = models.DateTimeField()
    written_at = models.DateTimeField(auto_now=True)
    content = models.BinaryField()

    class Meta:
        default_permissions = ()

    def __str__(self):
        return self.name


def triggers() -> list[Trigger]:
    """Those that throw days away which a change reaches."""
    return [
        Trigger(f"{table}_forgets_{operation.lower()}", table, "AFTER", operation, condition, body)
        for table, operation, condition, body in _rules()
    ]


def _rules() -> Iterator[tuple[str, str, str, list[str]]]:
    """(table, operation, SQL condition, statements)."""
    ended = (
        "ends > coalesce(OLD.ended_at, NEW.ended_at) OR ends > coalesce(NEW.ended_at, OLD.ended_at)"
    )
    stays = f"OLD.{PUBLIC} AND NEW.{PUBLIC}"
    for table in SUBMISSIONS:
        yield table, "INSERT", TOUCHES["INSERT"], [_forget("ends > NEW.published_at")]
        body = [
            _forget(f"NOT ({stays}) AND ends > coalesce(NEW.published_at, OLD.published_at)"),
            _forget(f"{stays} AND ({ended})"),
        ]
        yield table, "UPDATE", TOUCHES["UPDATE"], body
    # Without a moment it has always been so.
    begins = "NEW.valid_from IS NULL OR ends > NEW.valid_from"
    yield VERSIONS, "INSERT", "1 = 1", [_forget(begins)]
    ends = f"ends > NEW.valid_to OR (NEW.valid_to IS NULL AND ({begins}))"
    yield VERSIONS, "UPDATE", "1 = 1", [_forget(ends)]


def _forget(condition: str) -> str:
    return f"DELETE FROM {TABLE} WHERE {condition}"
