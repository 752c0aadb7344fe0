"""Forms that have arrived: what is sent twice adds one row, and is answered as the first was."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from ..fields import CharField, TextField


class SentForm(models.Model):
    """One form that was taken; ``key`` stood in it, ``answer`` is where its sender was led."""

    key = CharField(max_length=40, unique=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    at = models.DateTimeField(default=timezone.now, db_index=True)
    answer = TextField(blank=True)

    class Meta:
        default_permissions = ()

    def __str__(self):
        return self.key
