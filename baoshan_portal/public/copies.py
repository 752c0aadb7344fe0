"""Every copy of what is public: what lists read of it and what searches find it by."""

from metrics import summaries

from . import indexed


def write_missing() -> int:
    """Writes what is missing of each; returns how many rows. When it writes none and what it raises
    says ``metrics.copies``."""
    return summaries.write_missing() + indexed.write_missing()


def wrong() -> list[tuple[str, int | str]]:
    """(table, key) of each row that says another than what it is made from; to be asked while
    nobody publishes."""
    return [*summaries.wrong(), *indexed.wrong()]
