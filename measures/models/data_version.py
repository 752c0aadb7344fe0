"""What says whether anything that the public sees has changed."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class DataVersion(models.Model):
    """A transaction in which something public changed; see ``measures.data_version``.

    SQLite, where one transaction writes at a time, has a single row.
    """

    made_in = models.BigIntegerField()
    began_at = models.DateTimeField()
    token = models.BigIntegerField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["made_in", "began_at"],
                name="data_version_once_a_transaction",
                violation_error_message=_("A transaction changes the version once."),
            )
        ]

    def __str__(self):
        return str(self.token)
