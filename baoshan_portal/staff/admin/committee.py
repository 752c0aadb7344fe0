"""The desk of the congress's office: the stages of an opinion, and evaluations."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from measures.models import Evaluation, OpinionStage

from .submissions import SubmissionAdmin

DOCUMENT = (_("Document and note"), {"fields": ("document", "document_url", "note", "note_en")})


@admin.register(OpinionStage)
class OpinionStageAdmin(SubmissionAdmin):
    list_display = (
        "opinion", "stage", "happened_on", "state_with_icon", "entered_by", "published_at",
    )  # fmt: skip
    list_select_related = ("opinion", "entered_by")
    list_filter = ("state", "stage", "opinion")
    search_fields = ("document", "note", "note_en", "opinion__number", "opinion__name")
    fieldsets = (
        (None, {"fields": ("seen", "opinion", "stage", "happened_on")}),
        DOCUMENT,
        SubmissionAdmin.bookkeeping_fieldset,
    )


@admin.register(Evaluation)
class EvaluationAdmin(SubmissionAdmin):
    list_display = (
        "held_on", "subject_text", "grade", "decision", "state_with_icon", "entered_by",
        "published_at",
    )  # fmt: skip
    list_select_related = (
        "report__opinion",
        "section__opinion",
        "theme__section__opinion",
        "entered_by",
    )
    list_filter = ("state", "grade", "decision")
    search_fields = ("body", "body_en", "document", "note", "note_en")
    fieldsets = (
        (None, {"fields": ("seen", "body", "body_en", "held_on")}),
        (
            _("Of which one"),
            {
                "fields": ("report", "section", "theme"),
                "description": _("Fill in exactly one of the three."),
            },
        ),
        (
            _("Result"),
            {
                "fields": (
                    "grade", "satisfied", "fairly_satisfied", "not_satisfied", "abstained",
                    "decision",
                ),
                "description": _(
                    "Totals of votes, never names. What was not published stays empty: "
                    "empty is no zero."
                ),
            },
        ),
        DOCUMENT,
        SubmissionAdmin.bookkeeping_fieldset,
    )  # fmt: skip

    @admin.display(description=pgettext_lazy("admin column", "of"))
    def subject_text(self, row):
        return row.subject_text
