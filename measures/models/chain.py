"""The chain of the record: what was published and done, in an order that nobody changes later."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ..chain_check import moment_text
from ..fields import CharField, TextField


class LinkForm(models.Model):
    """Which columns of a kind of row a link is about.

    A migration that adds a column makes a new form; what was linked before stays as it is.
    """

    kind = CharField(_("kind of row"), max_length=60)
    names = TextField(_("columns"))

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["kind", "names"], name="linkform_once")]

    def __str__(self):
        return self.kind


class Link(models.Model):
    """One row of the record, and by ``hash`` everything that was linked before it.

    ``number`` counts from 1 without a gap. ``digest`` is the SHA-256 of the row in its canonical
    form, ``hash`` that of the whole link with the ``hash`` of the one before; see ``chain_check``.
    """

    number = models.PositiveBigIntegerField(_("number"), primary_key=True)
    form = models.ForeignKey(LinkForm, models.PROTECT, related_name="+")
    row = models.BigIntegerField(_("row"))
    #: When the row was published, done or written, by itself; the link may be later.
    moment = models.DateTimeField(_("when"))
    digest = CharField(max_length=64)
    hash = CharField(max_length=64)

    class Meta:
        default_permissions = ()
        ordering = ["number"]
        verbose_name = _("link of the record")
        verbose_name_plural = _("links of the record")
        constraints = [
            models.UniqueConstraint(fields=["form", "row"], name="link_once"),
            models.CheckConstraint(condition=Q(number__gte=1), name="link_counts_from_one"),
        ]

    def __str__(self):
        return f"{self.number} {self.hash[:12]}"


class Checkpoint(models.Model):
    """How long the chain was at a moment, and its last hash: kept elsewhere, it proves the rest."""

    made_at = models.DateTimeField(_("made at"), unique=True)
    size = models.PositiveBigIntegerField(_("links"))
    root = CharField(_("last hash"), max_length=64)
    signature = CharField(
        _("signature"), max_length=128, blank=True, help_text=_("Ed25519, in hexadecimal digits.")
    )

    class Meta:
        default_permissions = ()
        ordering = ["-made_at"]
        verbose_name = _("checkpoint of the record")
        verbose_name_plural = _("checkpoints of the record")

    def __str__(self):
        """On one line, as it is signed, shown and kept elsewhere."""
        return f"{moment_text(self.made_at)} {self.size} {self.root}"
