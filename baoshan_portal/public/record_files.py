"""Open-data files of what is not a figure: checks, notes and definitions."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import islice

from django.db.models import Min
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from measures.models import Measure, ProgressNote, Version
from measures.models.tree import PLACE_IN_OPINION
from measures.submission import moment_of
from metrics.assessment import OPINION_OF_TERM, CheckState
from metrics.check_results import states_of
from metrics.models import Check, Indicator, Unit
from metrics.rules.checks import Result
from metrics.rules.choices import Missing

from .data_file import NATURE, OPINION, Field, File, csv_answer, moment_text, number, prose
from .in_parts import by_measures

CHECKS = File(
    "checks.csv",
    _("Every public relation between figures with its result."),
    (
        Field("code", "string", _("permanent code")),
        Field("name", "string", _("name in Chinese")),
        Field("name_en", "string", _("name in English")),
        Field("kind", "string", _("the relation")),
        Field("comparable", "boolean", _("false: the figures count different things")),
        Field("figures", "string", _("role=code of the indicator, one after the other")),
        Field("result", "string", _("holds, approximate, fails, question or unknown")),
        Field("computed", "number", _("what the other figures give, in the base unit")),
        Field("stated", "number", _("what the source states, in the base unit")),
        Field("tolerance", "number", _("what rounding allows, in the base unit")),
        Field("reason", "string", _("why there is no result, as a code of the data package")),
        Field("note", "string", _("note in Chinese")),
        Field("note_en", "string", _("note in English")),
        Field("url", "string", _("where the page of checks shows it")),
        Field("opinion", "string", _("permanent codes of the opinions that its figures are of")),
    ),
    ("code",),
)
NOTES = File(
    "notes.csv",
    _("Every public progress note."),
    (
        Field("code", "string", _("permanent code of this version")),
        Field("measure_code", "string", _("permanent code of the measure")),
        Field("theme", "string", _("number of the theme, such as 1.2")),
        Field("happened_on", "date", _("the day that it tells of")),
        Field("text", "string", _("text in Chinese, on one line")),
        Field("text_en", "string", _("text in English, on one line")),
        Field("evidence_url", "string", _("link to the evidence")),
        Field("revision", "integer", _("1, or higher for a correction")),
        Field("published_at", "datetime", _("moment of publication")),
        OPINION,
    ),
    ("code",),
)
DEFINITIONS = File(
    "definitions.csv",
    _("What every public indicator is called and counts, and what it was and did before."),
    (
        Field("code", "string", _("permanent code of the indicator")),
        Field("name", "string", _("name in Chinese")),
        Field("name_en", "string", _("name in English")),
        Field("scope", "string", _("what it counts, in Chinese")),
        Field("scope_en", "string", _("what it counts, in English")),
        Field("caution", "string", _("what it must not be added to, in Chinese")),
        Field("caution_en", "string", _("what it must not be added to, in English")),
        Field("category", "string", _("subject")),
        Field("kind", "string", _("stock, flow, cumulative, share, growth, rank or capacity")),
        Field("unit", "string", _("unit as printed")),
        Field("direction", "string", _("up, down or neutral: which way is better")),
        Field("level", "string", _("national, municipal or district; empty: not stated")),
        Field("basis", "string", _("code of the indicator that it is a share, growth or rank of")),
        Field("frequency", "string", _("how often a new value is expected")),
        Field("measure_code", "string", _("permanent code of the measure")),
        Field("public_from", "date", _("first day at the end of which this wording was public")),
        Field("public_to", "date", _("last day; empty: still public")),
        Field("nature", "string", NATURE),
        Field("recipients", "string", _("code of the indicator that counts who received it")),
        OPINION,
    ),
    ("code", "public_from"),
)

#: Indicators whose wordings are read at a time, and checks, with all values of their figures.
WORDED_TOGETHER, ASSESSED_TOGETHER = 500, 60


def checks(request):
    page = request.build_absolute_uri(reverse("checks"))
    return csv_answer(CHECKS, lambda: _checks(request.as_of, page), request.as_of)


def _checks(as_of: date | None, page: str) -> Iterator[tuple]:
    """Those of an opinion after the other, by the first one that a figure is of."""
    first = Min("terms__indicator__measure__theme__section__opinion")
    keys = Check.objects.published(as_of).annotate(first=first).order_by("first", "order", "code")
    keys = list(keys.values_list("pk", flat=True))
    for start in range(0, len(keys), ASSESSED_TOGETHER):
        some = keys[start : start + ASSESSED_TOGETHER]
        states = states_of(some, as_of, OPINION_OF_TERM)
        by_key = {state.check.pk: state for state in states}
        yield from (_check(by_key[key], page) for key in some)


def _check(state: CheckState, page: str) -> tuple:
    check, outcome = state.check, state.outcome
    reason = None
    if outcome.result == Result.UNKNOWN:
        reason = Missing.NOT_YET_REPORTED if check.comparable else Missing.NOT_APPLICABLE
    return (
        check.code,
        check.name,
        check.name_en,
        check.kind,
        check.comparable,
        " ".join(f"{term.role}={term.indicator.code}" for term, _value in state.terms),
        outcome.result.value,
        number(outcome.computed),
        number(outcome.stated),
        number(outcome.tolerance),
        reason and reason.value,
        prose(check.note),
        prose(check.note_en),
        page + check.place,
        " ".join(opinion.code for opinion in state.opinions),
    )


def notes(request):
    as_of = request.as_of
    rows = (
        ProgressNote.objects.published(as_of)
        .select_related("measure__theme__section__opinion")
        .order_by(*(f"measure__{column}" for column in PLACE_IN_OPINION), "happened_on", "pk")
    )
    measures = Measure.objects.published(as_of)
    return csv_answer(NOTES, lambda: map(_note, by_measures(rows, measures)), as_of)


def _note(row: ProgressNote) -> tuple:
    return (
        row.code,
        row.measure.code,
        row.measure.theme.number,
        row.happened_on,
        prose(row.text),
        prose(row.text_en),
        row.evidence_url,
        row.revision,
        moment_text(row.published_at),
        row.measure.theme.section.opinion.code,
    )


def definitions(request):
    as_of = request.as_of
    rows = Indicator.objects.once_published(as_of).with_withdrawal(as_of).with_place()
    measures = Measure.objects.once_published(as_of)
    moment = moment_of(as_of)
    return csv_answer(DEFINITIONS, lambda: _definitions(by_measures(rows, measures), moment), as_of)


def _definitions(rows: Iterator[Indicator], moment: datetime) -> Iterator[tuple]:
    """A line for every wording of each of ``rows``; four queries for so many read together."""
    while batch := list(islice(rows, WORDED_TOGETHER)):
        wordings = _wordings(batch, moment)
        said = [version.content for versions in wordings.values() for version in versions]
        places = Measure.objects.with_place().in_bulk({words["measure_id"] for words in said})
        bases = dict(
            Indicator.objects.once_published(timezone.localdate(moment - timedelta.resolution))
            .filter(pk__in={key for words in said for key in _related(words) if key})
            .values_list("pk", "code")
        )
        units = dict(Unit.objects.values_list("pk", "name"))
        for row in batch:
            yield from _definitions_of(row, wordings[row.pk], places, bases, units, moment)


def _wordings(rows: list[Indicator], moment: datetime) -> dict[int, list[Version]]:
    """What each of ``rows`` said before ``moment``, in the order of time, by its key."""
    found = {row.pk: [] for row in rows}
    versions = Version.objects.begun_before(Indicator, moment)
    for version in versions.filter(subject_pk__in=found):
        found[version.subject_pk].append(version)
    return found


def _related(words: dict) -> tuple:
    """The keys of the other indicators that a version names; it may be older than the column."""
    return words["basis_id"], words.get("recipients_id")


def _definitions_of(
    row: Indicator, versions: list[Version], places, bases, units, moment: datetime
) -> Iterator[tuple]:
    """What stood for part of a day only, or says the same as before, is no line of its own."""
    told: list[tuple[tuple, date, date | None]] = []
    public = max(row.published_on, row.measure.published_on)
    for version in versions:
        words = version.content
        begun = version.valid_from and timezone.localdate(version.valid_from)
        first = max(filter(None, (begun, public)))
        ends = [end for end in (version.valid_to, row.withdrawn_at) if end and end < moment]
        last = timezone.localdate(min(ends)) - timedelta(days=1) if ends else None
        if last and last < first:
            continue
        place = places[words["measure_id"]]
        said = (
            *(words[name] for name in ("code", "name", "name_en")),
            *(prose(words[name]) for name in ("scope", "scope_en", "caution", "caution_en")),
            *(words[name] for name in ("category", "kind")),
            units[words["unit_id"]],
            *(words[name] for name in ("direction", "level")),
            bases.get(words["basis_id"]),
            words["frequency"],
            place.code,
            place.theme.section.opinion.code,
            # Versions are older than these two columns.
            words.get("nature") or "",
            bases.get(words.get("recipients_id")),
        )
        if told and told[-1][0] == said:
            first = told.pop()[1]
        told.append((said, first, last))
    for (*said, opinion, nature, recipients), first, last in told:
        yield (*said, first, last, nature, recipients, opinion)
