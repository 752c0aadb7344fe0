"""What people call things in daily speech: 高企, 科委, 人社局."""

from django.core.validators import MinLengthValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from .. import access
from ..fields import CharField


class SynonymManager(models.Manager):
    def get_by_natural_key(self, term: str) -> "Synonym":
        return self.get(term=term)


class Synonym(models.Model):
    """Whoever searches for ``term`` means ``meaning``, a part of a name in the portal.

    Only the search reads it, and shows neither: a synonym says nothing that would have to be
    reviewed.
    """

    term = CharField(
        _("what people type"),
        max_length=20,
        unique=True,
        # One sign would change words in which it means something else.
        validators=[MinLengthValidator(2)],
    )
    meaning = CharField(
        _("what they mean"),
        max_length=60,
        help_text=_("As it stands in the name of an indicator, a measure or a department."),
    )

    role_rights = access.STRUCTURE_PART

    objects = SynonymManager()

    class Meta:
        ordering = ["term"]
        verbose_name = _("synonym")
        verbose_name_plural = _("synonyms")
        constraints = [
            models.CheckConstraint(
                condition=~Q(term=F("meaning")) & ~Q(meaning=""),
                name="synonym_means_something_else",
                violation_error_message=_("A synonym means something else than itself."),
            ),
        ]

    def __str__(self):
        return f"{self.term} → {self.meaning}"

    def natural_key(self) -> tuple[str]:
        return (self.term,)
