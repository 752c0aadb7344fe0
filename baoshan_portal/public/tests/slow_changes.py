"""All that became public in some days, read in full: what the pages of changes find quickly."""

from datetime import datetime

from ..changes.publications import CARRIERS, Publication, loaded, publications


def changes_between(since: datetime | None, until: datetime, **place) -> list[Publication]:
    """All ``publications`` of these days and this place, newest first."""
    found = []
    for model in CARRIERS:
        rows = publications(model, since, until, **place)
        found += loaded(model, list(rows.values_list("pk", flat=True)), until)
    return sorted(found, key=lambda change: (change.at, change.id), reverse=True)
