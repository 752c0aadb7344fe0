"""The mark of a database that holds invented figures."""

from django.db import models
from django.utils import timezone


class DemoMark(models.Model):
    """One row in a database that was made for the demonstration, none in a real one.

    A table of its own, because no page and no import writes to it: a code or a name that marks
    the database could be given to a real row by chance, or taken from an invented one.
    """

    made_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        default_permissions = ()

    def __str__(self):
        return f"demonstration of {timezone.localdate(self.made_at)}"
