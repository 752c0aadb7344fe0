"""The portal's own text fields: whatever door a text comes through, it is cleaned here.

Forms, the admin, imports and fixtures refuse with a sentence what ``clean_text`` refuses. Code
that writes past them (``update``, ``bulk_create``, a log of what strangers typed) stores the
text made printable, so nothing else ever reaches the database. To the database and to migrations
they are Django's fields.
"""

from functools import cache

from django import forms
from django.core.exceptions import ValidationError
from django.db import models

from .characters import clean_text, printable, refuse_formula


class _CleanFormText:
    """``multiline`` keeps line ends, ``open_data`` refuses what begins like a formula."""

    def __init__(self, *args, multiline=False, open_data=False, **kwargs):
        self.multiline, self.open_data = multiline, open_data
        super().__init__(*args, **kwargs)

    def to_python(self, value):
        # Before Django strips: what is taken out may leave a space at either end.
        if isinstance(value, str):
            value = clean_text(value, self.multiline)
        value = super().to_python(value)
        if self.open_data and isinstance(value, str):
            refuse_formula(value)
        return value


class FormText(_CleanFormText, forms.CharField):
    """What a person types."""


class FormLink(_CleanFormText, forms.URLField):
    """A web address that a person types or pastes."""


class _CleanText:
    """A model's text; ``open_data`` says that ``/data/`` hands it on, which quotes nothing."""

    multiline = False
    form_class = FormText

    def __init__(self, *args, open_data=False, **kwargs):
        self.open_data = open_data
        super().__init__(*args, **kwargs)

    def deconstruct(self):
        name, _path, args, kwargs = super().deconstruct()
        django_own = next(kind for kind in type(self).__mro__ if kind.__module__ != __name__)
        return name, f"django.db.models.{django_own.__name__}", args, kwargs

    def cleaned(self, value: str) -> str:
        """``value`` as it is kept; raises ValidationError for what must not be kept."""
        value = clean_text(value, self.multiline)
        if self.open_data:
            refuse_formula(value)
        return value

    def clean(self, value, model_instance):
        if isinstance(value, str):
            value = self.cleaned(value)
        return super().clean(value, model_instance)

    def pre_save(self, model_instance, add):
        value = super().pre_save(model_instance, add)
        if isinstance(value, str):
            value = printable(value, self.multiline)
            setattr(model_instance, self.attname, value)
        return value

    def get_db_prep_save(self, value, connection):
        if isinstance(value, str):
            value = printable(value, self.multiline)
        return super().get_db_prep_save(value, connection)

    def formfield(self, **kwargs):
        if self.form_class and "form_class" not in kwargs:
            kwargs |= {
                "form_class": self.form_class,
                "multiline": self.multiline,
                "open_data": self.open_data,
            }
        return super().formfield(**kwargs)


class CharField(_CleanText, models.CharField):
    pass


class TextField(_CleanText, models.TextField):
    multiline = True


class SlugField(_CleanText, models.SlugField):
    # Its form allows letters, digits, hyphens and underscores alone.
    form_class = None


class URLField(_CleanText, models.URLField):
    form_class = FormLink


@cache
def _clean_fields(model: type[models.Model]) -> list[models.Field]:
    return [field for field in model._meta.concrete_fields if isinstance(field, _CleanText)]


def clean_texts(row: models.Model) -> None:
    """Cleans every text of ``row`` in place, as its forms do.

    Raises ValidationError, by field, for what must not be kept.
    """
    refused = {}
    for field in _clean_fields(type(row)):
        value = row.__dict__.get(field.attname)
        if value and isinstance(value, str):
            try:
                setattr(row, field.attname, field.cleaned(value))
            except ValidationError as error:
                refused[field.name] = error
    if refused:
        raise ValidationError(refused)
