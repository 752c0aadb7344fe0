"""What was mailed to whom: nothing is told twice, and nothing is left out."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..fields import CharField


class Mailed(models.Model):
    """One matter that somebody was told of by mail; ``matter`` names it, see ``staff.mails``.

    It is written once the mail server has taken the mail, so what could not be sent comes again.
    """

    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    matter = CharField(max_length=300)
    at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        default_permissions = ()
        verbose_name = _("matter that was mailed")
        verbose_name_plural = _("matters that were mailed")
        constraints = [
            models.UniqueConstraint(
                fields=["person", "matter"],
                name="mailed_once",
                violation_error_message=_("This person was told of it already."),
            ),
        ]

    def __str__(self):
        return self.matter
