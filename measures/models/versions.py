"""What every public row said and when, and the reviewed changes that made it say something else."""

from datetime import datetime

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from .. import access
from ..fields import TextField
from ..submission import State, Submission


class Revision(Submission):
    """A reviewed change 修订 of public rows: names, definitions, places, orders, responsibility.

    ``changes`` is a list with an entry for every field of every row, see ``revisions``.
    """

    reason = TextField(
        _("reason"),
        blank=True,
        help_text=_("Everybody reads it beside the old and the new wording."),
    )
    changes = models.JSONField(_("changes"), default=list, blank=True, editable=False)

    # Belongs to no single measure.
    measure_path = None
    role_rights = access.STEWARDS_ENTRY

    class Meta(Submission.Meta):
        ordering = ["-entered_at", "-pk"]
        verbose_name = _("change of public wording")
        verbose_name_plural = _("changes of public wording")
        constraints = [
            *Submission.Meta.constraints,
            models.CheckConstraint(
                condition=Q(state__in=(State.DRAFT, State.RETURNED)) | ~Q(reason=""),
                name="revision_has_reason",
                violation_error_message=_("Say why; the public reads the reason."),
            ),
        ]

    def __str__(self):
        from ..revisions import summary

        return summary(self)

    @classmethod
    def content_fields(cls):
        return ["reason", "changes"]

    def get_changes_display(self) -> str:
        from ..revisions import lines

        return "\n".join(str(line) for line in lines(self))

    def check_complete(self):
        from ..revisions import check_complete

        check_complete(self)

    def take_effect(self, *, by):
        from ..revisions import apply

        apply(self, by=by)


class VersionQuerySet(models.QuerySet):
    def begun_before(self, model: type[models.Model], moment: datetime):
        """What the rows of ``model`` said before ``moment``, each row's by the order of time."""
        begun = Q(valid_from__isnull=True) | Q(valid_from__lt=moment)
        return self.filter(begun, subject_type=model._meta.db_table).order_by("subject_pk", "pk")


class Version(models.Model):
    """What one row said from one moment to another; written by triggers, never changed.

    ``content`` is the whole row as it was stored. A row that was taken away has no version that
    stands.
    """

    #: The table's name.
    subject_type = models.CharField(_("kind of row"), max_length=60)
    subject_pk = models.BigIntegerField()
    code = models.CharField(_("code"), max_length=120)
    content = models.JSONField(_("content"))
    #: None: from the beginning; "public since" decides since when it was public.
    valid_from = models.DateTimeField(_("from"), null=True)
    #: None: stands.
    valid_to = models.DateTimeField(_("to"), null=True)
    revision = models.ForeignKey(
        Revision, models.PROTECT, null=True, related_name="versions", verbose_name=_("change")
    )
    made_at = models.DateTimeField(_("recorded at"))

    objects = VersionQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ["pk"]
        verbose_name = _("version")
        verbose_name_plural = _("versions")
        constraints = [
            models.UniqueConstraint(
                fields=["subject_type", "subject_pk"],
                condition=Q(valid_to__isnull=True),
                name="version_one_stands",
            ),
            models.CheckConstraint(
                condition=Q(valid_from__isnull=True)
                | Q(valid_to__isnull=True)
                | Q(valid_from__lte=F("valid_to")),
                name="version_moments_in_order",
            ),
        ]
        indexes = [
            models.Index(fields=["subject_type", "subject_pk"], name="version_subject"),
            models.Index(fields=["subject_type", "code"], name="version_code"),
            # What the chain of the record has not linked yet is among the newest.
            models.Index(fields=["made_at"], name="version_made_at"),
            # Whether a table has changed since a moment; most versions began with the database.
            models.Index(
                fields=["subject_type", "valid_from"],
                condition=Q(valid_from__isnull=False),
                name="version_began",
            ),
            models.Index(
                fields=["subject_type", "valid_to"],
                condition=Q(valid_to__isnull=False),
                name="version_ended",
            ),
        ]

    def __str__(self):
        return f"{self.subject_type} {self.code} {self.valid_from or ''}"


class Applying(models.Model):
    """The reviewed change that is being applied; a row only inside that transaction.

    ``end`` names a row that never exists, so no transaction can be committed before the row is
    deleted again, and the door never stays open.
    """

    revision = models.OneToOneField(Revision, models.PROTECT, related_name="+")
    end = models.ForeignKey("self", models.DO_NOTHING, default=-1, related_name="+")

    class Meta:
        default_permissions = ()

    def __str__(self):
        return str(self.revision_id)
