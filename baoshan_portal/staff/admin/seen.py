"""Every form says what its reader saw; who saves second is told, and races end in a sentence."""

import hashlib
import json

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import IntegrityError, connection
from django.forms.models import _get_foreign_key
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from measures import workflow
from measures.trail import in_trail_language

#: The name of the hidden field
SEEN = "seen"


class EndsRaces(admin.ModelAdmin):
    """Two people who store the same at the same moment: the second reads why, nothing is stored."""

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except IntegrityError:
            # Between the check of the form and the write somebody else was faster.
            text = _("Somebody else saved the same meanwhile, so nothing was saved; look again.")
            self.message_user(request, text, messages.ERROR)
            return redirect(request.path)


class SaysWhatWasSeen(EndsRaces):
    """A hidden field of the form is a digest of all that the row says, its parts included.

    Whoever saves over what somebody else saved meanwhile is told both texts. What they typed stays
    in the form, which then says what stands now: to send it again is to decide so.
    """

    def seen_of(self, row) -> str:
        """The digest of what stands in the form of the stored ``row``."""
        fields = [f for f in self.opts.concrete_fields if f.editable and f.name != "last_login"]
        told = [[f.attname, getattr(row, f.attname)] for f in fields]
        for field in self.opts.many_to_many:
            told.append([field.name, sorted(field.value_from_object(row), key=lambda x: x.pk)])
        with in_trail_language():
            said = self.content(row) | self.rights(row)
        told += sorted([str(label), text] for label, text in said.items())
        for inline in self.inlines:
            to_row = _get_foreign_key(self.model, inline.model, inline.fk_name).name
            rows = inline.model._base_manager.filter(**{to_row: row}).order_by("pk")
            told.append([inline.model.__name__, list(rows.values_list())])
        text = json.dumps(told, cls=Encoder, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:24]

    def get_object(self, request, object_id, from_field=None):
        row = super().get_object(request, object_id, from_field)
        if row is None or request.method != "POST" or not connection.in_atomic_block:
            return row
        # Whoever comes second waits here and then sees what the first one saved.
        self.model._base_manager.select_for_update(of=("self",)).filter(pk=row.pk).first()
        return super().get_object(request, object_id, from_field)

    def get_form(self, request, obj=None, **kwargs):
        form = super().get_form(request, obj, **kwargs)
        if obj is None or request.method != "POST":
            return form
        model_admin, seen = self, request.POST.get(SEEN)

        class Seen(form):
            def clean(self):
                data = super().clean()
                stored = model_admin.model._base_manager.filter(pk=self.instance.pk).first()
                if stored is None:
                    raise ValidationError(_("This row was deleted meanwhile."))
                if seen != model_admin.seen_of(stored):
                    raise ValidationError(_both(stored, self.cleaned_data))
                return data

        return Seen

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        if obj is not None and obj.pk:
            # The one in hand says what was typed.
            stored = self.model._base_manager.filter(pk=obj.pk).first()
            context["seen"] = self.seen_of(stored) if stored else ""
        return super().render_change_form(request, context, add, change, form_url, obj)


class Encoder(DjangoJSONEncoder):
    def default(self, value):
        return value.pk if hasattr(value, "pk") else str(value)


def _both(stored, typed: dict) -> str:
    """What stands now beside what was ``typed``, by the names of fields, where they differ."""
    fields = {f.name for f in stored._meta.concrete_fields if f.editable and not f.primary_key}
    typed = {name: value for name, value in typed.items() if name in fields}
    mine = type(stored)(**typed)
    lines = [
        _("%(field)s: now “%(now)s”, yours “%(mine)s”")
        % {"field": label, "now": now, "mine": yours}
        for label, now, yours in workflow.both_texts(stored, mine, typed)
    ]
    text = _(
        "Somebody else saved this row while you were editing, so nothing was saved. What you typed "
        "is still here; send it again to put it in the place of what stands now."
    )
    return f"{text} {'; '.join(lines)}".strip()
