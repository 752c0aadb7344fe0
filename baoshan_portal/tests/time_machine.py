"""Some weeks of a small portal in fast forward: acts of all kinds, and what its pages said.

Every act goes through the steps that staff take, so what becomes public becomes so by review. The
clock is Python's (time-machine); the database's own says nothing that a page reads: a version
begins and ends with the publication of the change that made it (``measures.versions``), and rows
that are there before the first act count as always there.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from zoneinfo import ZoneInfo

import time_machine
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone

from measures import reorganisation, revisions, workflow
from measures.models import (
    Decision,
    Department,
    Evaluation,
    Grade,
    Measure,
    MeasureState,
    MeasureStatus,
    Opinion,
    OpinionStage,
    ProgressNote,
    Report,
    Round,
    Section,
    Stage,
    Theme,
    Threshold,
    Withdrawal,
)
from measures.models.states import LEADING_ON
from measures.tests import factories as words
from measures.workflow import TransitionError
from metrics import due
from metrics.models import Check, Indicator, Observation, Plan, Target, Unit
from metrics.rules.checks import CheckKind, Role
from metrics.rules.choices import (
    Category,
    Certainty,
    Claim,
    Comparator,
    Frequency,
    Kind,
    Qualifier,
)
from metrics.tests import factories as numbers
from metrics.withdrawal import withdraw

SHANGHAI = ZoneInfo("Asia/Shanghai")
#: A quarter ends, and figures fall due, while the portal is watched.
FIRST_DAY = date(2026, 3, 26)
LAST_MOMENT = time(23, 59, 59, 900_000)
#: When an act may happen, beside the hours of work: a day's first and nearly its last moment.
EDGES = (0, 86_390)
REFUSALS = (TransitionError, ValidationError)


def months_later(day: date, months: int) -> date:
    """The first day of the month that comes so many months later."""
    years, month = divmod(day.month - 1 + months, 12)
    return date(day.year + years, month + 1, 1)


class Portal:
    """A small portal and the people who work on it; ``random`` decides what they do."""

    def __init__(self, random: Random, clock):
        self.random, self.clock = random, clock
        self.done = Counter()
        self.numbers = iter(range(1, 10_000))
        self.steward, self.editor, self.reviewer = (words.make_user() for _ in range(3))
        self.office, self.colleague = words.make_user(), words.make_user()
        self._build()

    def _build(self) -> None:
        """Two sections, three themes, five measures and their figures, public for long."""
        since, told = FIRST_DAY - timedelta(days=200), FIRST_DAY - timedelta(days=60)
        offices = [words.make_department() for _ in range(3)]
        opinion = words.make_opinion(issued_on=since)
        report = words.make_report(opinion=opinion, signed_on=since, issued_on=since)
        sections = [words.make_section(opinion=opinion, order=n) for n in (1, 2)]
        themes = [
            words.make_theme(section=section, order=order)
            for section, order in ((sections[0], 1), (sections[0], 2), (sections[1], 1))
        ]
        measures = [
            words.make_measure(
                theme=themes[n % 3], order=n + 1, lead=offices[n % 3], published_on=since,
                report=report, locator=f"1.1/{n + 1}",
            )
            for n in range(5)
        ]  # fmt: skip
        money = numbers.make_money()
        units = [numbers.make_unit(), money["万元"], money["亿元"]]
        percent = numbers.make_unit(name="%", name_en="%", quantity="share")
        plan = numbers.make_plan(
            opinion=opinion, start_on=date(2025, 1, 1), end_on=date(2026, 12, 31)
        )
        kinds = (Kind.FLOW, Kind.CUMULATIVE, Kind.STOCK, Kind.FLOW, Kind.SHARE, Kind.FLOW)
        indicators = [
            numbers.make_indicator(
                measure=measures[n % 4], order=n + 1, kind=kind, published_on=since,
                unit=percent if kind == Kind.SHARE else units[n % 3], is_key=n == 0,
                category=(Category.ENTERPRISES, Category.FUNDS)[n % 2],
                frequency=(Frequency.QUARTERLY, Frequency.YEARLY)[n % 2],
            )
            for n, kind in enumerate(kinds)
        ]  # fmt: skip
        for n, indicator in enumerate(indicators):
            for year in (2024, 2025)[n % 2 :]:
                numbers.make_observation(
                    indicator=indicator, published=told, report=report, locator=f"1.1/{n + 1}",
                    period_start=None if indicator.kind != Kind.FLOW else date(year, 1, 1),
                    period_end=date(year, 12, 31), value=Decimal(10 * n + year - 2018),
                    as_written=str(10 * n + year - 2018),
                )  # fmt: skip
        for indicator in indicators[:2]:
            numbers.make_target(indicator=indicator, plan=plan, published=told, value=Decimal(20))
        check = numbers.make_check(kind=CheckKind.PART)
        for role, indicator in ((Role.WHOLE, indicators[0]), (Role.PART, indicators[3])):
            numbers.make_term(check_of=check, role=role, indicator=indicator)
        words.make_note(measure=measures[0], published=told)
        for n, measure in enumerate(measures[:2]):
            words.make_state(measure=measure, published=told, report=report, locator=f"1.1/{n + 1}")
        words.make_stage(
            opinion=opinion, stage=Stage.HANDED_OVER, happened_on=since, published=told
        )
        words.make_evaluation(report=report, held_on=told, published=told)
        draft = words.make_measure(theme=themes[0], order=99, published_on=None)
        for n, measure in enumerate((draft, measures[0])):
            numbers.make_indicator(measure=measure, order=90 + n, unit=units[0], published_on=None)
        words.make_round(
            period_start=date(2025, 10, 1), period_end=date(2025, 12, 31),
            opens_on=FIRST_DAY - timedelta(days=50), due_on=FIRST_DAY + timedelta(days=5),
        )  # fmt: skip

    # What people have in hand

    @property
    def today(self) -> date:
        return timezone.localdate()

    def number(self) -> int:
        return next(self.numbers)

    def any(self, rows):
        """One of ``rows``; nobody acts where there is none."""
        if isinstance(rows, models.QuerySet):
            rows = rows.order_by("pk")
        rows = list(rows)
        if not rows:
            raise ValidationError("nothing to act upon")
        return self.random.choice(rows)

    def few(self, rows) -> list:
        rows = list(rows)
        self.random.shuffle(rows)
        return rows[: self.random.randint(1, 3)]

    def submit(self, row, by=None, reviewer=None) -> None:
        """Enter ``row`` and have somebody else publish it."""
        by, reviewer = by or self.editor, reviewer or self.reviewer
        if row.pk is None:
            row.full_clean(exclude=["measure"] if isinstance(row, Withdrawal) else None)
            workflow.save(row, by=by)
        if isinstance(row, Observation):
            row.warning_answer = "已核实"
        workflow.submit(row, by=by)
        self.clock.shift(1)
        workflow.publish(row, by=reviewer)

    def revise(self, entries: list[dict]) -> None:
        if not entries:
            raise ValidationError("nothing changes")
        revision = words.submit_changes(
            entries, steward=self.steward, reason=f"核定{self.number()}"
        )
        self.clock.shift(1)
        workflow.publish(revision, by=self.reviewer)

    def correct(self, model, by=None, reviewer=None, **changes) -> None:
        row = self.any(model.objects.published())
        by = by or self.editor
        draft = workflow.correct(row, by=by, reason=f"更正{self.number()}")
        for name, value in changes.items():
            setattr(draft, name, value)
        draft.full_clean()
        workflow.save(draft, by=by, seen=draft.version)
        self.submit(draft, by=by, reviewer=reviewer)

    # Acts

    def _figure(self, **fields) -> dict:
        value = self.random.choice((0, 3, 8, 19, 20, 21, 120)) + self.number() % 7
        return {
            "value": Decimal(value),
            "as_written": f"{value}",
            "qualifier": self.random.choice(Qualifier.values),
            **fields,
        }

    def _period(self, indicator: Indicator) -> dict:
        """Quarters and years around today; what is to come is expected."""
        months = self.random.choice((3, 3, 12))
        first = date(self.today.year - 1, 1, 1)
        start = months_later(first, months * self.random.randint(0, 24 // months - 1))
        end = months_later(start, months) - timedelta(days=1)
        if end >= self.today:
            certainty = Certainty.EXPECTED
        else:
            certainty = self.random.choice((Certainty.ACTUAL, Certainty.PRELIMINARY))
        if indicator.kind in (Kind.STOCK, Kind.SHARE, Kind.RANK):
            start = end
        return {"period_start": start, "period_end": end, "certainty": certainty}

    def value(self) -> None:
        indicator = self.any(Indicator.objects.published())
        if self.random.random() < 0.3:
            source = {"report": self.any(Report.objects.all()), "locator": f"1.1/{self.number()}"}
        else:
            source = {"source_name": f"台账{self.number()}"}
        row = Observation(indicator=indicator, **self._figure(**self._period(indicator)), **source)
        self.submit(row)

    def corrected_value(self) -> None:
        self.correct(Observation, **self._figure())

    def target(self) -> None:
        row = Target(
            indicator=self.any(Indicator.objects.published()),
            plan=self.any(Plan.objects.all()),
            value=self.random.choice((None, Decimal(5), Decimal(20), Decimal(100))),
            comparator=self.random.choice(Comparator.values),
            claim=self.random.choice(Claim.values),
            due_on=self.random.choice((None, self.today + timedelta(days=self.number()))),
            source_name=f"计划{self.number()}",
        )
        self.submit(row, by=self.steward)

    def corrected_target(self) -> None:
        changes = {
            "value": Decimal(self.random.choice((1, 15, 60)) + self.number() % 3),
            "due_on": self.today + timedelta(days=self.random.randint(-3, 300)),
        }
        self.correct(Target, by=self.steward, **changes)

    def note(self) -> None:
        measure, n = self.any(Measure.objects.published()), self.number()
        self.submit(
            ProgressNote(
                measure=measure, happened_on=self.today, text=f"进展{n}", text_en=f"Progress {n}"
            )
        )

    def corrected_note(self) -> None:
        self.correct(ProgressNote, text=f"进展更正{self.number()}", text_en="")

    def state(self) -> None:
        measure = self.any(Measure.objects.published())
        status = self.random.choice(MeasureStatus.values)
        others = Measure.objects.published().exclude(pk=measure.pk)
        self.submit(
            MeasureState(
                measure=measure, status=status, reason=f"说明{self.number()}",
                since=self.today - timedelta(days=self.random.randint(0, 40)),
                into=self.any(others).code if status in LEADING_ON else "",
            )
        )  # fmt: skip

    def corrected_state(self) -> None:
        self.correct(MeasureState, reason=f"说明更正{self.number()}", reason_en="")

    def stage(self) -> None:
        row = OpinionStage(
            opinion=self.any(Opinion.objects.all()), stage=self.random.choice(Stage.values),
            happened_on=self.today - timedelta(days=self.random.randint(0, 9)),
            document=f"纪要{self.number()}",
        )  # fmt: skip
        self.submit(row, by=self.office, reviewer=self.colleague)

    def corrected_stage(self) -> None:
        self.correct(
            OpinionStage, by=self.office, reviewer=self.colleague,
            happened_on=self.today - timedelta(days=self.number() % 20),
        )  # fmt: skip

    def evaluation(self) -> None:
        models_of = {"report": Report, "section": Section, "theme": Theme}
        name, model = self.random.choice(list(models_of.items()))
        votes = dict.fromkeys(Evaluation.VOTES, self.number() % 30)
        row = Evaluation(
            **{name: self.any(model.objects.all())}, **votes,
            body="区人大常委会", body_en="Standing Committee", held_on=self.today,
            grade=self.random.choice(Grade.values), decision=self.random.choice(Decision.values),
        )  # fmt: skip
        self.submit(row, by=self.office, reviewer=self.colleague)

    def corrected_evaluation(self) -> None:
        self.correct(
            Evaluation, by=self.office, reviewer=self.colleague, satisfied=self.number(),
            grade=self.random.choice(Grade.values),
        )  # fmt: skip

    def withdrawn(self, model) -> None:
        """The withdrawal of one row that is public."""
        row = self.any(model.objects.published())
        if model in (Measure, Indicator) and model.objects.published().count() < 4:
            raise ValidationError("some of the portal is to be left")
        n = self.number()
        draft = withdraw(row, by=self.editor, reason=f"误报{n}", reason_en=f"Mistaken {n}")
        self.clock.shift(1)
        workflow.publish(draft, by=self.reviewer)

    def reworded_withdrawal(self) -> None:
        self.correct(Withdrawal, reason=f"误报改述{self.number()}", reason_en="")

    def reworded(self, model) -> None:
        """One or more fields of a public row said otherwise."""
        rows = model.objects.all()
        if hasattr(model, "published_on"):
            rows = rows.filter(published_on__isnull=False)
        row = self.any(rows)
        new = {name: self._said_anew(row, name) for name in self.few(REWORDED[model])}
        self.revise(words.change(row, **new))

    def _said_anew(self, row, name: str):
        field = row._meta.get_field(name)
        if field.choices:
            return self.random.choice([value for value, _label in field.flatchoices])
        if isinstance(field, models.BooleanField):
            return not getattr(row, name)
        if isinstance(field, models.PositiveSmallIntegerField):
            return self.random.randint(1, 60)
        if isinstance(field, models.DateField):
            day = getattr(row, name) or self.today
            return (day + timedelta(days=self.random.randint(-20, 20))).isoformat()
        if isinstance(field, models.ForeignKey):
            others = field.related_model.objects.exclude(pk=row.pk)
            if field.related_model is Department:
                others = others.standing()
            return self.any(others).code
        if name == "supporting":
            return sorted(office.code for office in self.few(Department.objects.standing()))
        label = "文" if not name.endswith("_en") else "Text "
        return f"{label}{row._meta.model_name}{self.number()}"

    def moved_measure(self) -> None:
        measure = self.any(Measure.objects.filter(published_on__isnull=False))
        theme = self.any(Theme.objects.exclude(pk=measure.theme_id))
        self.revise(words.change(measure, theme=theme.code, order=100 + self.number()))

    def moved_indicator(self) -> None:
        indicator = self.any(Indicator.objects.published())
        # One that became public later would take the figure's earlier days along with it.
        older = Measure.objects.published().filter(published_on__lte=indicator.published_on)
        measure = self.any(older.exclude(pk=indicator.measure_id))
        self.revise(words.change(indicator, measure=measure.code, order=100 + self.number()))

    def moved_theme(self) -> None:
        theme = self.any(Theme.objects.all())
        section = self.any(Section.objects.exclude(pk=theme.section_id))
        self.revise(words.change(theme, section=section.code, order=100 + self.number()))

    def reordered(self) -> None:
        """All measures, indicators, checks and themes stand in another order."""
        entries = []
        for model in (Measure, Indicator, Check, Theme):
            rows = model.objects.order_by("pk")
            if hasattr(model, "published_on"):
                rows = rows.filter(published_on__isnull=False)
            rows = list(rows)
            places = [200 + self.number() for _ in rows]
            self.random.shuffle(places)
            for row, order in zip(rows, places, strict=True):
                entries += words.change(row, order=order)
        self.revise(entries)

    def exchanged_sections(self) -> None:
        """Two sections of an opinion change their numbers, and so their addresses."""
        opinion = self.any(Opinion.objects.all())
        rows = list(opinion.sections.order_by("pk"))
        if len(rows) < 2:
            raise ValidationError("nothing to exchange")
        first, second = rows[:2]
        self.revise(
            words.change(first, order=second.order) + words.change(second, order=first.order)
        )

    def merged_offices(self) -> None:
        """One office goes up in another, with what it leads and its staff."""
        office = self.any(Department.objects.standing())
        heir = self.any(Department.objects.standing().exclude(pk=office.pk))
        if Department.objects.standing().count() < 3:
            raise ValidationError("offices are to be left")
        office.members.add(words.make_user())
        if Measure.objects.filter(lead=office).exists():
            reorganisation.move_measures([office], heir, by=self.steward)
        ended = words.change(office, ended_on=self.today.isoformat(), succeeded_by=[heir.code])
        self.revise(ended)
        reorganisation.move_staff([office], heir, by=self.steward)

    def new_office(self) -> None:
        office = Department(**words.named("department", "新部门"))
        measure = self.any(Measure.objects.published())
        self.revise(
            [
                revisions.creation(office, revisions.says(office)),
                *words.change(measure, lead=office.code),
            ]
        )

    def drafted(self) -> None:
        """A new measure with a figure, not public yet."""
        n = self.number()
        measure = words.make_measure(
            theme=self.any(Theme.objects.all()), order=300 + n, published_on=None,
            lead=self.any(Department.objects.standing()),
        )  # fmt: skip
        numbers.make_indicator(
            measure=measure, order=300 + n, unit=self.any(Unit.objects.all()), published_on=None,
            kind=self.random.choice(Kind.values),
        )  # fmt: skip
        numbers.make_indicator(
            measure=self.any(Measure.objects.published()), order=600 + n,
            unit=self.any(Unit.objects.all()), published_on=None,
        )  # fmt: skip

    def first_public(self) -> None:
        """A draft of a measure or a figure becomes public, today or some days later."""
        drafts = [
            row
            for model in (Measure, Indicator)
            for row in model.objects.filter(published_on__isnull=True).order_by("pk")
        ]
        day = self.today + timedelta(days=self.random.choice((0, 0, 2)))
        row = self.any(drafts)
        rows = [row, *row.indicators.all()] if isinstance(row, Measure) else [row]
        entries = [words.change(row, published_on=day.isoformat()) for row in rows]
        self.revise([entry for of_row in entries for entry in of_row])

    def check(self) -> None:
        whole, part = (self.any(Indicator.objects.published()) for _ in range(2))
        kind = self.random.choice((CheckKind.PART, CheckKind.SUM, CheckKind.SAME))
        row = Check(kind=kind, order=self.number(), **words.named("check", "勾稽"))
        terms = [[Role.WHOLE, whole.code, False], [Role.PART, part.code, whole == part]]
        self.revise([revisions.creation(row, revisions.says(row) | {"terms": sorted(terms)})])

    def checked_otherwise(self) -> None:
        """A check is told of other figures."""
        row = self.any(Check.objects.all())
        whole, part = (self.any(Indicator.objects.published()) for _ in range(2))
        terms = [[Role.WHOLE, whole.code, False], [Role.PART, part.code, whole == part]]
        self.revise(words.change(row, terms=sorted(terms)))

    def opinion(self) -> None:
        """A further opinion with its tree, its report, its plan and a draft of a measure."""
        n = self.number()
        opinion = Opinion(
            number=f"宝会〔2026〕{n}号", issuer="区人大常委会", issuer_en="Standing Committee",
            issued_on=self.random.choice((None, self.today)), **words.named("opinion", "新意见"),
        )  # fmt: skip
        report = Report(
            number=f"宝府〔2026〕{n}号", opinion=opinion, issuer="区人民政府", issuer_en="District",
            addressee="区人大常委会", addressee_en="Committee", signatory="李四",
            signatory_en="Li Si", signed_on=self.today, issued_on=self.today,
            **words.named("report", "新报告"),
        )  # fmt: skip
        sections = [
            Section(opinion=opinion, order=m, **words.named("section", "新部分")) for m in (1, 2)
        ]
        theme = Theme(section=sections[0], order=1, **words.named("theme", "新主题"))
        plan = Plan(
            opinion=opinion, start_on=self.today, end_on=months_later(self.today, 12),
            **words.named("plan", "新计划"),
        )  # fmt: skip
        rows = (opinion, report, *sections, theme, plan)
        self.revise([revisions.creation(row, revisions.says(row)) for row in rows])
        measure = words.make_measure(
            theme=Theme.objects.get(code=theme.code), order=1, published_on=None
        )
        numbers.make_indicator(
            measure=measure, order=1, unit=self.any(Unit.objects.all()), published_on=None
        )

    def report(self) -> None:
        """A further report of an opinion, issued today or in some days."""
        n, day = self.number(), self.today + timedelta(days=self.random.choice((0, 2)))
        row = Report(
            number=f"宝府函〔2026〕{n}号", opinion=self.any(Opinion.objects.all()),
            issuer="区人民政府", issuer_en="District", addressee="区人大常委会",
            addressee_en="Committee", signatory="王五", signatory_en="Wang Wu", signed_on=day,
            issued_on=day, **words.named("report", "又一报告"),
        )  # fmt: skip
        self.revise([revisions.creation(row, revisions.says(row))])

    def locked_round(self) -> None:
        """The open round is locked, which fixes what was due, and the next one opens."""
        open_rounds = Round.objects.filter(locked=False)
        if open_rounds.exists():
            row = self.any(open_rounds)
            row.locked = True
            row.save(update_fields=["locked"])
            due.fix(row)
        words.make_round(
            period_start=date(2026, 1, 1), period_end=date(2026, 3, 31), opens_on=self.today,
            due_on=self.today + timedelta(days=15),
        )  # fmt: skip

    def act(self, name: str) -> bool:
        """One act; False, and nothing of it stays, where the portal refuses it today."""
        try:
            with transaction.atomic():
                ACTS[name](self)
        except REFUSALS:
            return False
        self.done[name] += 1
        return True


#: What a revision says otherwise of each kind of row, apart from places.
REWORDED = {
    Opinion: ("name", "name_en", "issuer", "issuer_en", "number"),
    Report: ("name", "name_en", "issuer", "issuer_en", "number", "kind"),
    Section: ("name", "name_en"),
    Theme: ("name", "name_en"),
    Department: ("name", "name_en"),
    Measure: (
        "name", "name_en", "summary", "summary_en", "lead", "lead_confirmed", "supporting",
    ),
    Unit: ("name_en",),
    Indicator: (
        "name", "name_en", "scope", "scope_en", "caution", "caution_en", "category", "kind",
        "direction", "level", "basis", "frequency", "schedule_agreed_on", "due_from", "is_key",
        "is_section_key", "key_order",
    ),
    Plan: ("name", "name_en", "start_on", "end_on", "note"),
    Check: ("name", "name_en", "kind", "note"),
    Threshold: ("value",),
}  # fmt: skip
WITHDRAWN = (Observation, Target, ProgressNote, MeasureState, Indicator, Measure, Check)


def _acts() -> dict[str, Callable]:
    found = {
        name: getattr(Portal, name)
        for name in (
            "value", "corrected_value", "target", "corrected_target", "note", "corrected_note",
            "state", "corrected_state", "stage", "corrected_stage", "evaluation",
            "corrected_evaluation", "reworded_withdrawal", "moved_measure", "moved_indicator",
            "moved_theme", "reordered", "exchanged_sections", "merged_offices", "new_office",
            "drafted", "first_public", "check", "checked_otherwise", "opinion", "report",
            "locked_round",
        )
    }  # fmt: skip
    for model in WITHDRAWN:
        found[f"withdrawn {model._meta.model_name}"] = lambda portal, model=model: portal.withdrawn(
            model
        )
    for model in REWORDED:
        found[f"reworded {model._meta.model_name}"] = lambda portal, model=model: portal.reworded(
            model
        )
    return found


ACTS = _acts()
#: What happens more often than the rest.
FREQUENT = ("value", "value", "value", "value", "corrected_value", "corrected_target",
            "first_public", "reworded indicator", "reworded measure")  # fmt: skip


def deck(random: Random, acts: int) -> list[str]:
    """The names of so many acts: every kind before any comes again."""
    dealt = []
    while len(dealt) < acts:
        cards = [*ACTS, *FREQUENT]
        random.shuffle(cards)
        dealt += cards
    return dealt[:acts]


@contextmanager
def small_portal(random: Random) -> Iterator[Portal]:
    """A new portal on the morning of its first day, whose clock stands still between acts."""
    with time_machine.travel(_at(FIRST_DAY, 6 * 3600), tick=False) as clock:
        yield Portal(random, clock)


def after_each_act(portal: Portal, look: Callable[[str], None]) -> None:
    """From now on ``look`` is called with the name of each act that was done, a second later."""
    act = portal.act

    def act_and_look(name: str) -> bool:
        if not act(name):
            return False
        # What is published at this very moment is public from the next on.
        portal.clock.shift(timedelta(seconds=1))
        look(name)
        return True

    portal.act = act_and_look


def _at(day: date, second: int) -> datetime:
    return datetime.combine(day, time(), SHANGHAI) + timedelta(seconds=second)


def live(portal: Portal, days: int, acts: int) -> Iterator[date]:
    """Each of so many days, at its last moment, when all of its acts are done."""
    random, dealt, put_off = portal.random, deck(portal.random, acts), []
    for n in range(days):
        day = FIRST_DAY + timedelta(days=n)
        # What was refused is tried again on the day after.
        of_day = [*put_off, *dealt[n * acts // days : (n + 1) * acts // days]]
        put_off.clear()
        seconds = sorted(
            random.choice((random.choice(EDGES), *[random.randrange(28_800, 64_800)] * 7))
            for _ in of_day
        )
        for name, second in zip(of_day, seconds, strict=True):
            portal.clock.move_to(max(_at(day, second), timezone.now() + timedelta(seconds=1)))
            if not portal.act(name):
                put_off.append(name)
        portal.clock.move_to(datetime.combine(day, LAST_MOMENT, SHANGHAI))
        yield day
