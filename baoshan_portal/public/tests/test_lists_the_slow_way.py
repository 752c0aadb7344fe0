"""Lists and their counts agree with rows that are loaded whole and looked at one by one."""

from collections.abc import Callable
from datetime import date, timedelta
from itertools import count
from random import Random
from types import SimpleNamespace

import pytest
import time_machine
from django.db import connection
from django.http import QueryDict
from django.utils import timezone
from django.utils.http import urlencode

from baoshan_portal.tests.slices import WHOLE, some
from baoshan_portal.tests.test_counted import LATER, all_kinds, leave_of_summaries
from measures.models import Measure, MeasureStatus, Report
from measures.past import changed_since, past
from measures.submission import end_of_day
from measures.tests.factories import (
    ISSUED,
    as_reviewed,
    make_department,
    make_note,
    make_report,
    make_state,
    reword,
)
from metrics.assessment import assess, timeliness_of
from metrics.check_results import states_of
from metrics.models import Check, Indicator, Target
from metrics.rules.checks import Role
from metrics.rules.choices import Category, Kind, Level
from metrics.tests.factories import (
    make_check,
    make_indicator,
    make_no_figure,
    make_observation,
    make_term,
    make_withdrawal,
)

from ..check_marks import by_indicator
from ..lists.filters import IndicatorFilter, MeasureFilter, TargetFilter
from ..lists.pages import measures_with_counts
from ..remembered import VERSION

pytestmark = [pytest.mark.django_db, pytest.mark.long, pytest.mark.sweep]

#: See ``leave_of_summaries``; the databases take turns.
SUMMARIES = some([3, 1, 0], every=3, first=connection.vendor == "postgresql")
ASKED = 300 if WHOLE else 5
#: Nothing is remembered from one test to the next.
VERSIONS = count(10**9)
#: By facets the answers of a row, and what a search finds in it.
Row = tuple[dict[str, set[str]], list[str]]


def yes(is_so) -> set[str]:
    return {"yes" if is_so else "no"}


def of_place(measure: Measure) -> dict[str, set[str]]:
    section = measure.theme.section
    return {
        "opinion": {section.opinion.code},
        "section": {section.code},
        "theme": {measure.theme.code},
        "department": {measure.lead.code if measure.lead else "none"},
    }


def indicators(as_of: date | None) -> dict[str, Row]:
    on, found = as_of or timezone.localdate(), {}
    checks = [check.pk for check in Check.objects.published(as_of)]
    marks = by_indicator(states_of(checks, as_of))
    for row in Indicator.objects.published(as_of).with_place().with_history(as_of):
        values = row.public_values
        report = Report.objects.filter(opinion=row.measure.theme.section.opinion)
        issued = min(one.issued_on for one in report) if report else date.max
        targets = {one.value is not None for one in row.loaded_targets}
        answers = of_place(row.measure) | {
            "category": {row.category},
            "kind": {row.kind},
            "level": {row.level or "none"},
            "key": {"true" if row.is_key else "false"},
            "value": yes(values),
            "traced": yes(any(one.source_text for one in values)),
            "inferred": yes(any(one.period_inferred for one in values)),
            "updated": yes(any(timezone.localdate(one.published_at) > issued for one in values)),
            "fresh": {timeliness_of(row, on).state},
            "target": {"published" if any(targets) else "unpublished" if targets else "none"},
            "check": {*marks.get(row.pk, ())},
        }
        texts = [row.name, row.name_en, row.code, row.scope, row.measure.name, row.measure.name_en]
        found[row.code] = answers, texts + [one.as_written for one in values]
    return found


def targets(as_of: date | None) -> dict[str, Row]:
    on, found = as_of or timezone.localdate(), {}
    for row in Target.objects.for_list(as_of):
        answers = of_place(row.indicator.measure) | {
            "claim": {row.claim},
            "valued": yes(row.value is not None),
            "verdict": {assess(row.indicator, row, on).verdict},
        }
        names = row.indicator.name, row.indicator.name_en, row.plan.name, row.plan.name_en
        found[row.code] = answers, [*names]
    return found


def measures(as_of: date | None) -> dict[str, Row]:
    found = {}
    for row in measures_with_counts(as_of):
        state = row.current_state
        answers = of_place(row) | {
            "status": {state.status if state else "none"},
            "told": {("report" if state.report else "department") if state else "none"},
            "noted": yes(row.latest_note_on),
            "confirmed": yes(row.lead_confirmed),
            "counted": yes(row.indicator_count),
        }
        found[row.code] = answers, [row.name, row.name_en, row.summary, row.code]
    return found


LISTS: list[tuple[type, type, Callable]] = [
    (IndicatorFilter, Indicator, indicators),
    (TargetFilter, Target, targets),
    (MeasureFilter, Measure, measures),
]


def answer_to(rows: dict[str, Row], asked: dict[str, list[str]]) -> set[str]:
    """The codes of ``rows`` with one of the chosen answers and none of the excluded."""
    found = set()
    for code, (answers, texts) in rows.items():
        for parameter, given in asked.items():
            if parameter == "q":
                if not any(given[0].lower() in text.lower() for text in texts):
                    break
            elif parameter.startswith("not_"):
                if answers[parameter.removeprefix("not_")] & {*given}:
                    break
            elif given and not answers[parameter] & {*given}:
                break
        else:
            found.add(code)
    return found


def any_question(random: Random, offered: dict[str, list[str]]) -> dict[str, list[str]]:
    asked = {}
    for name in random.sample(sorted(offered), random.choice([0, 1, 1, 2, 3, 4])):
        most = min(len(offered[name]), random.choice([1, 2, 5]))
        asked[name] = random.sample(offered[name], most)
    if random.random() < 0.25:
        asked["q"] = [random.choice(["1", "5家", "indicator", "plan", "e", "never"])]
    return asked


def agree(random: Random, as_of: date | None) -> set[tuple[str, str]]:
    """Compares; returns the facets and answers that some row had among the found."""
    seen, version = set(), next(VERSIONS)
    for filter_set, model, the_slow_way in LISTS:
        with past(end_of_day(as_of) if as_of else None):
            rows = the_slow_way(as_of)
        request = SimpleNamespace(
            as_of=as_of, META=random.choice([{}, {VERSION: version}]), read_from_versions=False
        )

        def ask(asked, filter_set=filter_set, model=model, request=request):
            found = filter_set(
                QueryDict(urlencode(asked, doseq=True)),
                queryset=model.objects.published(as_of)
                if model is not Target
                else Target.objects.for_list(as_of),
                request=request,
                is_whole=random.random() < 0.7,
            )
            assert found.is_valid(), found.errors
            return found

        fields = ask({}).form.fields
        offered = {
            name: [str(value) for value, _words in field.choices]
            for name, field in fields.items()
            if name != "q"
        }
        offered = {name: some for name, some in offered.items() if some}
        # A figure has several results.
        certain = [{"not_check": ["holds"]}, {"not_check": ["fails", "unknown"]}]
        for n in range(ASKED):
            asked = any_question(random, offered)
            if model is Indicator and n < len(certain):
                asked = certain[n]
            found, so = ask(asked), answer_to(rows, asked)
            said = model.__name__, as_of, asked
            assert sorted(row.code for row in found.qs) == sorted(so), said
            assert found.count == len(so), said
            for name in found.facets:
                excluded = asked.get(f"not_{name}", [])
                for answer in offered[name]:
                    others = [one for one in excluded if one != answer]
                    chosen = asked | {name: [answer], f"not_{name}": others}
                    n = len(answer_to(rows, chosen))
                    assert found.counts[name][answer] == n, (*said, name, answer)
                    if n:
                        seen.add((name, answer))
    return seen


def further_kinds(random: Random) -> None:
    """Answers that ``all_kinds`` has none of, and changes since."""
    everywhere = list(Measure.objects.order_by("pk"))
    offices = [make_department(), make_department()]
    with as_reviewed():
        for measure, lead in zip(everywhere, [*offices, None], strict=False):
            Measure.objects.filter(pk=measure.pk).update(lead=lead, lead_confirmed=bool(lead))
    told = {"report": make_report(), "locator": "1.1/1"}
    for measure, status, said in zip(everywhere, MeasureStatus, [told, {}, {}], strict=False):
        make_state(measure=measure, status=status, **said, published=ISSUED)
    make_note(measure=everywhere[0], published=LATER)
    for n, category in enumerate(Category.values):
        row = make_indicator(
            measure=everywhere[n % 3],
            category=category,
            kind=Kind.values[n % len(Kind.values)],
            level=["", *Level.values][n % 4],
            is_key=n % 3 == 0,
        )
        if n % 4:
            make_observation(
                indicator=row, period_inferred=n % 2 == 0, value=n, as_written=f"{n}家",
                published=LATER if n % 3 else ISSUED,
            )  # fmt: skip
        else:
            make_no_figure(indicator=row, published=ISSUED)
    figures = list(Indicator.objects.order_by("pk"))
    for _n in range(8):
        check = make_check()
        whole, part = random.sample(figures, 2)
        make_term(check_of=check, indicator=whole)
        make_term(check_of=check, role=Role.PART, indicator=part)
    reword(figures[-1], LATER, category=Category.FUNDS, level=Level.NATIONAL)
    reword(everywhere[0], LATER, lead=offices[1])


def withdraw(random: Random) -> None:
    """What stays summed up: some checks, and a figure with those that it is in."""
    an_hour_ago = timezone.now() - timedelta(hours=1)
    checks = Check.objects.order_by("pk")
    for row in (*random.sample(list(checks), 3), checks[0].terms.first().indicator):
        make_withdrawal(row, published=an_hour_ago)


@pytest.mark.parametrize("every", SUMMARIES)
def test_rows_and_counts_of_any_question(every):
    random, seen = Random(every), set()
    with time_machine.travel("2024-02-20"):
        all_kinds()
        further_kinds(random)
        leave_of_summaries(every)
        withdraw(random)
        seen |= agree(random, None)
        for day in (date(2024, 2, 1), date(2023, 8, 15)):
            moment = end_of_day(day)
            with past(moment, changed_since(moment)):
                seen |= agree(random, day)
    assert len(seen) > 60, seen


@pytest.mark.parametrize("every", [1])
@time_machine.travel("2024-02-20")
def test_what_is_published_since_differs(every):
    """As a copy that triggers threw away in part."""
    all_kinds()
    leave_of_summaries(every)
    random = Random(4)
    for row in random.sample(list(Indicator.objects.order_by("pk")), 5):
        make_observation(
            indicator=row, value=random.randrange(9), period_end=date(2024, 1, 31),
            published=timezone.now() - timedelta(hours=1),
        )  # fmt: skip
    agree(random, None)
