"""Names and words kept in Chinese and English side by side."""

from collections.abc import Iterable
from datetime import date

from django.db import models
from django.utils.formats import date_format
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from .fields import CharField, SlugField


def in_chinese() -> bool:
    """Whether the reader reads Chinese, the original, rather than English."""
    return not (get_language() or "").startswith("en")


def joined(sentences: Iterable[str]) -> str:
    """Sentences after each other: in Chinese they stand without a space between them."""
    return ("" if in_chinese() else " ").join(str(sentence) for sentence in sentences)


def day_in_words(day: date) -> str:
    """A day as prose has it: 2023年7月25日 or 25 July 2023; tables and files have 2023-07-25."""
    if in_chinese():
        return f"{day.year}年{day.month}月{day.day}日"
    return date_format(day, "j F Y")


class NamedQuerySet(models.QuerySet):
    def get_by_natural_key(self, code):
        return self.get(code=code)


class InBothLanguages(models.Model):
    """A row with words in Chinese (``name``) and, beside them, in English (``name_en``)."""

    class Meta:
        abstract = True

    def _get_FIELD_display(self, field):
        """What ``get_…_display`` returns: Django's own translates every choice to find one."""
        value = getattr(self, field.attname)
        return next((str(words) for choice, words in field.flatchoices if choice == value), value)

    def in_language(self, field: str) -> str:
        """``field`` in the reader's language.

        Falls back to the Chinese, which is the original, where the English was not written.
        """
        if not in_chinese() and (english := getattr(self, f"{field}_en")):
            return english
        return getattr(self, field)


class Named(InBothLanguages):
    """A row with an immutable code and a name in both languages.

    The code is what links, files and imports refer to; the number a reader sees is derived
    from the order, so renumbering never breaks a link.
    """

    code = SlugField(
        _("code"),
        max_length=80,
        unique=True,
        help_text=_("Permanent: links, files and imports refer to it. Cannot be changed later."),
        open_data=True,
    )
    name = CharField(_("name (Chinese)"), max_length=120, open_data=True)
    name_en = CharField(
        _("name (English)"),
        max_length=200,
        blank=True,
        open_data=True,
        help_text=_("May stay empty: English pages then show the Chinese name and say so."),
    )

    class Meta:
        abstract = True

    def __str__(self):
        """The name in the reader's language; in English a Chinese one says that it is."""
        if in_chinese():
            return self.name
        return self.name_en or gettext("%(name)s (no English name yet)") % {"name": self.name}

    def natural_key(self):
        return (self.code,)
