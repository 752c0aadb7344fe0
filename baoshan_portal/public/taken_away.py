"""What files to take away say of themselves: a workbook’s cover and shorthand, their names."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from measures.accessible_workbook import Cover, publication
from measures.spreadsheets import TYPES, Sheet, csv_lines, names_of_file, streamed
from measures.text import in_chinese, joined
from measures.watermark import CHINESE, file_name
from metrics.rules.choices import Kind, Missing
from metrics.wording import aggregation_rule

from .as_of import BadQuery

#: Parameters of an address that choose a form and not what is said.
FORM = ("format", "page", "as_of")

#: Of one table; Excel ends some thousands later.
MOST_IN_WORKBOOK = 1_000_000

MEANINGS = {
    Missing.NOT_PUBLISHED: gettext_lazy("No public document says it."),
    Missing.NOT_APPLICABLE: gettext_lazy(
        "The column says nothing of this row: such as a change where there is one value only, or "
        "the results of checks where a figure takes part in none."
    ),
    Missing.WITHHELD: gettext_lazy("It is known and is not published."),
    Missing.NOT_YET_REPORTED: gettext_lazy("No value was reported and published so far."),
    Missing.NOT_COLLECTED: gettext_lazy("Nobody counts it."),
    Missing.NO_EVENT: gettext_lazy("Nothing of the kind took place so far."),
    Missing.NOT_YET_SETTLED: gettext_lazy("It is not decided yet."),
    Missing.DISCONTINUED: gettext_lazy("It is not reported any more."),
}


def code_of(reason: Missing) -> str:
    """What stands in a cell that would be empty: a word in brackets, never a dash or a zero."""
    return f"[{reason.label}]"


def workbook_of(cover: Cover, sheets: list[Sheet]) -> bytes:
    """The workbook with the portal's own codes and shorthand."""
    return publication(cover, sheets, shorthand(), code_of(Missing.NOT_PUBLISHED))


def taken_table(
    file_format: str, name: str, day: str, cover: Cover, columns, rows: Iterable | Callable
):
    """One table as a download for people: csv, or a workbook that begins with ``cover``.

    ``name`` is that of the file, in ASCII; ``day`` that of the state which it shows; ``rows`` are
    given as what makes them where they are read while the file is sent, see ``streamed``.
    """
    told = file_name(f"{name}-{day}.{file_format}")
    called = chinese_name(cover.title, day, ending=file_format)
    if file_format == "csv":
        make = (lambda: csv_lines(columns, rows())) if callable(rows) else None
        return streamed(make or csv_lines(columns, rows), told, called=called)
    rows = _that_fit(rows() if callable(rows) else rows)
    return HttpResponse(
        workbook_of(cover, [Sheet(cover.title, columns, rows)]),
        content_type=TYPES["xlsx"],
        headers={"Content-Disposition": names_of_file(told, called)},
    )


def _that_fit(rows: Iterable) -> Iterator:
    """``rows``; raises BadQuery at the first one that no workbook holds."""
    for number, row in enumerate(rows):
        if number == MOST_IN_WORKBOOK:
            raise BadQuery(
                _(
                    "A workbook holds no more than %(most)s rows. Take the CSV file, which has "
                    "them all (format=csv), or fewer rows by a filter."
                )
                % {"most": f"{MOST_IN_WORKBOOK:,}"}
            )
        yield row


def list_cover(request, title: str, filters: list[tuple[str, str]]) -> Cover:
    """The cover of a list as a workbook; ``filters`` are those in use, in words."""
    query = request.GET.copy()
    for name in FORM:
        query.pop(name, None)
    day = request.as_of or timezone.localdate()
    kept = [(name, value) for name, values in query.lists() for value in values]
    link = request.build_absolute_uri(
        f"{request.path}?{urlencode([*kept, ('as_of', day.isoformat())])}"
    )
    return Cover(
        title,
        _("Follow-up of the deliberation opinions of the district’s people’s congress."),
        [
            (_("Source"), source_text()),
            *dates_of(day),
            (_("Filters"), filters_text(filters)),
            (_("Permanent link"), link),
            *of_the_office(),
        ],
    )


def source_text() -> str:
    return joined(
        [
            _("Written reports of the government, and values of departments that were reviewed "
              "and published."),
            _("Where a row has a source of its own, it names it."),
        ]
    )  # fmt: skip


def dates_of(day: date) -> list[tuple[str, str]]:
    """What the data are of: all that was public on ``day``."""
    said = _("%(day)s: all that was public on that day. The tables name the period of each figure.")
    return [(_("Date of the data"), said % {"day": day.isoformat()})]


def of_the_office() -> list[tuple[str, str]]:
    """Whom to ask, and what one may do with the file; says so where neither was entered."""
    contact = settings.CONTACT or _("The office that runs this portal; it has entered no address.")
    licence = " ".join(filter(None, (settings.DATA_LICENCE, settings.DATA_LICENCE_URL)))
    return [
        (_("Contact"), contact),
        (_("Licence"), licence or _("None was stated. Name the source where you use the data.")),
    ]


def filters_text(filters: list[tuple[str, str]]) -> str:
    if not filters:
        return _("none, everything that is public")
    return pgettext("between filters", "; ").join(
        _("%(name)s: %(value)s") % {"name": name, "value": value} for name, value in filters
    )


def shorthand() -> list[tuple[str, str]]:
    """The codes of what is missing and words that a reader may not know, with their meaning."""
    codes = _("Instead of an empty cell, which is not a zero: %(meaning)s")
    return [
        *((code_of(reason), codes % {"meaning": MEANINGS[reason]}) for reason in Missing),
        (_("about, over, nearly"), _("The source rounds the figure so; the number beside it is "
                                     "the one that it prints.")),
        (_("inferred"), _("The source does not state the period; it follows from the text.")),
        (_("preliminary, expected"), _("Not final, or not over yet when it was reported.")),
        *((str(kind.label), aggregation_rule(kind)) for kind in Kind),
        (_("“1.3/5” behind a document"), _("Theme 1.3, fifth sentence of the document.")),
        (_("proposed"), _("A department that this portal proposes; the report names none.")),
    ]  # fmt: skip


def chinese_name(*parts: str, ending: str) -> str:
    """The name of a file in Chinese, for readers of Chinese; otherwise empty."""
    if not in_chinese():
        return ""
    demo = [CHINESE] if settings.DEMO else []
    return "_".join([*demo, *(part for part in parts if part)]) + f".{ending}"
