"""Every form says what its reader saw; who saves second is told, and races end in a sentence."""

import hashlib
import json
from copy import copy
from functools import partial
from http import HTTPStatus

from django import forms
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import IntegrityError, connection
from django.forms.models import _get_foreign_key
from django.utils.translation import gettext as _

from measures import workflow
from measures.characters import printable
from measures.trail import in_trail_language
from measures.workflow import TransitionError

from ..once import taken_once
from ..typed import given_back, page, sent
from .by_key import FoundByKey

#: The name of the hidden field
SEEN = "seen"


class EndsRaces(FoundByKey):
    """Two people who store the same at the same moment: the second reads why, nothing is stored.

    What somebody sent after their session had ended stands in the form again, unsaved.
    """

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        typed = given_back(request)
        if typed:
            # Django shows in a form what was sent, and why that is not saved; so it is sent anew,
            # to a form that is never valid.
            request.method, request.POST = "POST", typed.data
            request.not_saved = _("Not saved yet: look at it and save it again.")
        try:
            return self._answer(request, object_id, form_url, extra_context)
        finally:
            if typed:
                request.method = "GET"

    def _answer(self, *args):
        try:
            return taken_once(args[0], lambda: self._page_or_not_open(*args))
        except TransitionError as error:
            why = str(error)
        except IntegrityError:
            # Between the check of the form and the write somebody else was faster.
            why = _("Somebody else saved the same meanwhile, so nothing was saved; look again.")
        request = args[0]
        request.not_saved = why
        return self._page_or_not_open(*args)

    def _page_or_not_open(self, request, object_id, form_url, extra_context):
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except PermissionDenied:
            row = self.get_object(request, unquote(object_id)) if object_id else None
            if request.method != "POST" or not row or not self.has_view_permission(request, row):
                raise
            # It was handed in, published or closed meanwhile: what stands there, and what was
            # typed to copy.
            context = {**(extra_context or {}), "not_taken": self._typed_beside(request, row)}
            request.method = "GET"
            answer = super().changeform_view(request, object_id, form_url, context)
            answer.status_code = 403
            return answer

    def _typed_beside(self, request, row) -> list[tuple[str, str, str]]:
        """(field, what stands there, what was typed) of all that differs."""
        form = forms.modelform_factory(
            self.model,
            fields=[
                field.name
                for field in self.opts.concrete_fields
                if field.editable and field.name in request.POST
            ],
            formfield_callback=partial(self.formfield_for_dbfield, request=request),
        )(request.POST, instance=copy(row))
        found = []
        for field in form:
            typed = str(field.value() or "").strip()
            now = str(form.initial.get(field.name) or "").strip()
            if typed and printable(typed) != printable(now):
                found.append((str(field.label), now, typed))
        return found

    def _get_obj_does_not_exist_redirect(self, request, opts, object_id):
        if request.method != "POST":
            return super()._get_obj_does_not_exist_redirect(request, opts, object_id)
        why = _("Somebody deleted this row meanwhile, so nothing was saved. Copy what you typed.")
        gone = {"heading": _("This row is gone"), "status": HTTPStatus.NOT_FOUND, "again": False}
        return page(request, sent(request), why=why, **gone)

    def get_form(self, request, obj=None, **kwargs):
        form = super().get_form(request, obj, **kwargs)
        why = getattr(request, "not_saved", None)
        if why is None:
            return form

        class NotSaved(form):
            def clean(self):
                super().clean()
                raise ValidationError(why)

        return NotSaved


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
