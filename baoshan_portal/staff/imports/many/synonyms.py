"""Synonyms from a file: what people type, and what they mean by it."""

from django.utils.translation import gettext_lazy as _

from measures.models import Synonym
from measures.trail import Action, differences, record, snapshot

from ..columns import Column
from ..importing import FileRow
from .core import Kind, Reader, RowChange, check, difference, said

COLUMNS = (
    Column("term", "口头说法", "What people type", 24),
    Column("meaning", "所指名称", "What they mean", 40),
)
FIELDS = ("term", "meaning")


class SynonymReader(Reader):
    def __init__(self, by):
        super().__init__(by)
        self.stored = {row.term: row for row in Synonym.objects.all()}

    def take(self, row: FileRow) -> RowChange:
        cells = said(row)
        term = cells.get("term", "")
        self.once(term, row, "term")
        synonym = self.stored.get(term) or Synonym(term=term)
        is_new, before = synonym.pk is None, snapshot(synonym, FIELDS)
        old = {} if is_new else texts(synonym)
        synonym.meaning = cells.get("meaning", synonym.meaning)
        check(synonym)
        changed = difference(SYNONYMS.labels, old, texts(synonym))
        if changed:
            synonym.save()
            action = Action.ENTERED if is_new else Action.CHANGED
            old_text, new = differences({} if is_new else before, snapshot(synonym, FIELDS))
            record(action, by=self.by, subject=synonym, before=old_text, after=new)
        return RowChange(row.number, synonym.term, str(synonym), is_new, changed)

    def rows(self) -> list[list[str]]:
        return [list(texts(synonym).values()) for synonym in self.stored.values()]


def texts(synonym: Synonym) -> dict[str, str]:
    return {"term": synonym.term, "meaning": synonym.meaning}


def may(user) -> bool:
    return user.has_perms(["measures.add_synonym", "measures.change_synonym"])


SYNONYMS = Kind(
    "synonyms", Synonym, _("Synonyms by file"), COLUMNS, ("term", "meaning"), SynonymReader, may,
    help=(_("One row is one word of daily speech and the name that it stands for."),),
)  # fmt: skip
