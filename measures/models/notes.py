"""What was done on a measure since it was promised."""

from datetime import date

from django.db import models
from django.utils.translation import gettext_lazy as _

from .. import access
from ..evidence import evidence_path, validate_extension, validate_size
from ..fields import TextField, URLField
from ..submission import Submission
from ..text import InBothLanguages
from .rounds import Round
from .tree import Measure


class ProgressNote(InBothLanguages, Submission):
    """A dated statement 进展说明 of what was done on a measure, with evidence."""

    measure = models.ForeignKey(
        Measure, models.PROTECT, related_name="notes", verbose_name=_("measure")
    )
    round = models.ForeignKey(
        Round,
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="notes",
        verbose_name=_("round"),
    )
    happened_on = models.DateField(_("date"))
    text = TextField(_("text (Chinese)"))
    text_en = TextField(_("text (English)"), blank=True)
    evidence_url = URLField(_("evidence link"), blank=True)
    evidence_file = models.FileField(
        _("evidence file"),
        upload_to=evidence_path,
        blank=True,
        validators=[validate_extension, validate_size],
        help_text=_("Up to 10 MB; seen by staff only."),
    )

    role_rights = access.ENTRY
    stands_alone = True

    class Meta(Submission.Meta):
        ordering = ["-happened_on", "-pk"]
        verbose_name = _("progress note")
        verbose_name_plural = _("progress notes")

    def __str__(self):
        return note_name(self.happened_on, str(self.measure))


def note_name(happened_on: date, measure: str) -> str:
    """What a note is called: its day, and the name of its measure."""
    return f"{happened_on.isoformat()} {measure}"
