"""Fills the database of the demonstration: people, rounds, values, targets and notes.

What is public there has been so for a while: such rows are written as published, with who did
what and when, and the trail records it as well. What is still on somebody's desk went through the
workflow just now. ``content`` holds what they say, ``measures.watermark`` the watermark.
"""

import secrets
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.contrib.auth.models import Group
from django.db import transaction
from django.utils import timezone

from measures import access, revisions, workflow
from measures.models import (
    Department,
    Evaluation,
    Grade,
    Measure,
    MeasureState,
    Opinion,
    OpinionStage,
    ProgressNote,
    Report,
    Revision,
    Round,
    Section,
    Theme,
    Threshold,
    User,
)
from measures.submission import State, Submission
from measures.trail import Action, differences, event, record_all, snapshot
from metrics import due
from metrics.answers import unanswered
from metrics.due import entry_period, new_entry
from metrics.entry import read_entry
from metrics.models import CompulsoryPair, Indicator, Observation, Plan, Target, Unit
from metrics.rules.choices import Certainty, Frequency
from metrics.withdrawal import withdrawal_of

from . import content

#: Every invented row begins its code like this, and a figure names this source.
PREFIX = "demo-"
SOURCE = "演示数据（虚构）/ invented data"
BODY = {"body": "宝山区人大常委会（虚构）", "body_en": "Standing Committee (invented)"}
PLAN = f"{PREFIX}plan"
#: Who can sign in: name, role, and how people call them.
PEOPLE = (
    ("demo-editor", access.EDITOR, "演示填报员"),
    ("demo-reviewer", access.REVIEWER, "演示审核员"),
    ("demo-steward", access.STEWARD, "演示数据管理员"),
    ("demo-auditor", access.AUDITOR, "演示审计员"),
    ("demo-committee", access.COMMITTEE, "演示人大工作人员"),
)
#: Who cannot sign in: an editor with the other departments, and who enters the committee's word.
OTHERS = (
    ("demo-colleague", access.EDITOR, "演示同事"),
    ("demo-secretary", access.COMMITTEE, "演示人大秘书"),
)
ENTERED_AFTER, PUBLISHED_AFTER = timedelta(days=6), timedelta(days=7)
EDITORS_DEPARTMENTS = ("science-technology", "nanda")


def is_filled() -> bool:
    return Plan.objects.filter(code=PLAN).exists()


@transaction.atomic
def fill() -> dict[str, str]:
    """Write all invented rows into a database that holds the report; returns the passwords."""
    passwords = {name: secrets.token_urlsafe(9) for name, _role, _title in PEOPLE}
    Filling(timezone.now(), hire(passwords)).run()
    return passwords


def hire(passwords: dict[str, str]) -> dict[str, User]:
    """The people by their names; those of ``OTHERS`` cannot sign in."""
    people = {}
    for name, role, title in (*PEOPLE, *OTHERS):
        people[name] = User.objects.create_user(
            name, password=passwords.get(name), first_name=title, is_staff=True
        )
        people[name].groups.add(Group.objects.get(name=role))
    own = Department.objects.filter(code__in=EDITORS_DEPARTMENTS)
    people["demo-editor"].departments.set(own)
    people["demo-colleague"].departments.set(Department.objects.exclude(pk__in=own))
    return people


@dataclass(frozen=True)
class Calendar:
    """First and last day of the demonstration's quarters, months and years."""

    today: date

    def quarter(self, number: int) -> tuple[date, date]:
        """10 is the last full quarter, 11 the one that still runs."""
        running = (self.today.month - 1) // 3
        return self._span((running + number - content.QUARTERS - 1) * 3, 3)

    def month(self, number: int) -> tuple[date, date]:
        """40 is the last full month."""
        running = self.today.month - 1
        return self._span(running + number - content.MONTHS - 1, 1)

    def year(self, number: int) -> tuple[date, date]:
        """3 is the last full year."""
        return self._span((number - content.YEARS - 1) * 12, 12)

    def _span(self, first: int, months: int) -> tuple[date, date]:
        """So many months from the ``first``, which is counted from the January of this year."""
        return self._month(first), self._month(first + months) - timedelta(days=1)

    def _month(self, number: int) -> date:
        years, month = divmod(number, 12)
        return date(self.today.year + years, month + 1, 1)


class Filling:
    """One filling at the moment ``now`` by ``people``."""

    def __init__(self, now: datetime, people: dict[str, User]):
        self.now, self.people = now, people
        self.calendar = Calendar(timezone.localdate(now))
        self.units = {unit.name: unit for unit in Unit.objects.all()}

    def run(self) -> None:
        self.change_structure()
        self.indicators = {
            indicator.code: indicator for indicator in Indicator.objects.with_place().with_latest()
        }
        self.plan = self.make_plan()
        self.rounds = {number: self.make_round(number) for number in range(1, content.QUARTERS + 2)}
        self.publish(self.values())
        self.publish(self.corrected_values())
        self.publish([self.target(goal) for goal in content.GOALS])
        self.publish(self.changed_targets())
        self.publish_notes()
        self.publish_committees_word()
        self.publish_states()
        self.withdraw_a_note()
        self.leave_work()
        for round_ in self.rounds.values():
            if round_.locked:
                due.fix(round_)

    # What the figures hang on

    def change_structure(self) -> None:
        """Makes the invented indicators, and has figures asked for as often as they are given."""
        for fields in content.INDICATORS:
            own = {
                "measure": Measure.objects.get(code=fields["measure"]),
                "unit": Unit.objects.get(code=fields["unit"]),
                "order": 1,
                "published_on": self.calendar.quarter(1)[0],
            }
            Indicator.objects.create(**fields | own)
        entries = []
        for table, frequency in (
            (content.BY_QUARTER, Frequency.QUARTERLY),
            (content.BY_MONTH, Frequency.MONTHLY),
        ):
            codes = [code for code, _form, _figures in _lines(table)]
            for row in Indicator.objects.filter(code__in=codes):
                entries += _reworded(row, "frequency", frequency.value)
        for row in Measure.objects.filter(lead__code__in=content.CONFIRMED):
            entries += _reworded(row, "lead_confirmed", True)
        for row in Threshold.objects.filter(code__in=content.TERMS):
            entries += _reworded(row, "value", content.TERMS[row.code])
        revision = Revision(code=f"{PREFIX}revision", reason=content.REWORDED, changes=entries)
        self.enter(revision, self.calendar.quarter(1)[0], by="demo-steward")
        self.publish([revision])
        revisions.apply(revision, by=revision.published_by)
        for codes in content.PAIRS:
            first, second = (Indicator.objects.get(code=code) for code in codes)
            CompulsoryPair.objects.create(first=first, second=second)

    def make_plan(self) -> Plan:
        return Plan.objects.create(
            code=PLAN,
            opinion=Opinion.objects.first(),
            name="演示计划（虚构）",
            name_en="Demonstration plan (invented)",
            start_on=self.calendar.quarter(content.PLAN_STARTS)[0],
            end_on=self.calendar.quarter(content.PLAN_ENDS)[1],
            note="虚构的计划，只用于演示进度、滞后与矛盾如何显示。",
            note_en="An invented plan, only to show how pace, delay and contradiction look.",
        )

    def make_round(self, number: int) -> Round:
        """Old rounds are locked, that of the last full quarter is overdue, the next one is due."""
        start, end = self.calendar.quarter(number)
        quarter = (start.month + 2) // 3
        due = end + timedelta(days=20)
        if number == content.QUARTERS:
            due = min(due, self.calendar.today - timedelta(days=1))
        return Round.objects.create(
            code=f"{PREFIX}{start.year}-q{quarter}",
            name=f"{start.year}年第{'一二三四'[quarter - 1]}季度填报（演示）",
            name_en=f"Quarter {quarter} of {start.year} (demonstration)",
            period_start=start,
            period_end=end,
            opens_on=start if number > content.QUARTERS else end - timedelta(days=10),
            due_on=due,
            locked=number < content.QUARTERS,
        )

    # What is public

    def values(self) -> list[Observation]:
        """Every value as it was first reported."""
        found = [
            self.value(code, place(number), form.format(figure))
            for table, place in (
                (content.BY_QUARTER, self.calendar.quarter),
                (content.BY_MONTH, self.calendar.month),
                (content.BY_YEAR, self.calendar.year),
            )
            for code, form, figures in _lines(table)
            for number, figure in enumerate(figures, start=1)
            if figure != content.NOTHING
        ]
        for code, quarter, figure in content.BESIDES:
            found.append(self.value(code, self.calendar.quarter(quarter), figure))
        _start, last = self.calendar.quarter(content.QUARTERS)
        for value in found:
            if value.period_end >= self.calendar.today:
                value.certainty = Certainty.EXPECTED
            elif value.period_end == last and value.indicator.code in content.PRELIMINARY:
                value.certainty = Certainty.PRELIMINARY
        return found

    def value(self, code: str, span: tuple[date, date], as_written: str) -> Observation:
        indicator = self.indicators[code]
        since = indicator.latest.period_start if indicator.latest else None
        start, end = entry_period(indicator.kind, indicator.frequency, *span, since=since)
        row = Observation(
            code=_code(code, end),
            indicator=indicator,
            round=next((r for r in self.rounds.values() if r.period_end == end), None),
            period_start=start,
            period_end=end,
            source_name=SOURCE,
            **self.read(as_written, indicator),
        )
        # What is expected is reported soon after its period has begun.
        reported_on = end if end < self.calendar.today else span[0]
        return self.enter(row, reported_on + ENTERED_AFTER)

    def read(self, as_written: str, indicator: Indicator) -> dict:
        entry = read_entry(as_written, indicator.unit, self.units)
        return {"as_written": as_written, "value": entry.value, "qualifier": entry.qualifier}

    def corrected_values(self) -> list[Observation]:
        found = []
        for code, quarter, as_written, days, reason in content.CORRECTIONS:
            span = self.calendar.quarter(quarter)
            row = self.value(code, span, as_written)
            found.append(self.correct(Observation.objects.get(code=row.code), row, days, reason))
        return found

    def target(self, goal: content.Goal) -> Target:
        """What ``goal`` says from the beginning of the plan on."""
        indicator = self.indicators[goal.indicator]
        _start, due = self.calendar.quarter(goal.quarter)
        baseline = None
        if goal.from_baseline:
            before = self.plan.start_on - timedelta(days=1)
            baseline = Observation.objects.get(indicator=indicator, period_end=before).value
        row = Target(
            code=_code(goal.indicator, due),
            indicator=indicator,
            plan=self.plan,
            comparator=goal.comparator,
            value=goal.at_first or goal.value,
            due_on=due,
            baseline=baseline,
            claim=goal.claim,
            source_name=SOURCE,
        )
        return self.enter(row, self.plan.start_on, by="demo-steward")

    def changed_targets(self) -> list[Target]:
        found = []
        for goal in content.GOALS:
            if goal.at_first:
                row = self.target(goal)
                old = Target.objects.get(code=row.code)
                row.value = goal.value
                found.append(self.correct(old, row, content.TARGET_CHANGED_AFTER, goal.reason))
        return found

    def publish_notes(self) -> None:
        measures = Measure.objects.select_related("lead").in_bulk(field_name="code")
        rows = []
        for number, note in enumerate(content.NOTES, start=1):
            start, _end = self.calendar.quarter(note.quarter)
            row = ProgressNote(
                code=f"{PREFIX}note-{number}",
                measure=measures[note.measure],
                happened_on=start + timedelta(days=30 + number),
                text=note.text,
                text_en=note.text_en,
            )
            rows.append(self.enter(row, row.happened_on))
        self.publish(rows)
        corrections = []
        for note, old in zip(content.NOTES, rows, strict=True):
            if note.corrected:
                text, text_en, reason = note.corrected
                row = ProgressNote(
                    code=old.code,
                    measure=old.measure,
                    happened_on=old.happened_on,
                    text=text,
                    text_en=text_en,
                )
                corrections.append(self.correct(old, row, content.NOTE_CORRECTED_AFTER, reason))
        self.publish(corrections)

    def publish_committees_word(self) -> None:
        """Stages of the opinion and evaluations, one of them corrected; one waits for review."""
        opinion = Opinion.objects.first()
        stages = [
            OpinionStage(
                code=f"{PREFIX}stage-{reached.stage}",
                opinion=opinion,
                stage=reached.stage,
                happened_on=reached.on,
                document=SOURCE,
            )
            for reached in content.STAGES
        ]
        self.publish([self.enter_word(row, row.happened_on) for row in stages])
        first = [self.evaluation(judged, judged.at_first) for judged in content.EVALUATIONS]
        self.publish(first)
        corrections = []
        for judged, old in zip(content.EVALUATIONS, first, strict=True):
            if judged.at_first:
                day = judged.on + timedelta(days=content.EVALUATION_CORRECTED_AFTER)
                new = self.enter_word(self.evaluation(judged), day)
                corrections.append(superseding(old, new, judged.reason))
        self.publish(corrections)

        secretary = self.people["demo-secretary"]
        waiting = Evaluation(
            code=f"{PREFIX}evaluation-on-the-way",
            section=Section.objects.get(code=content.EVALUATION_ON_THE_WAY),
            held_on=self.calendar.today - timedelta(days=3),
            grade=Grade.SATISFIED,
            document=SOURCE,
            **BODY,
        )
        workflow.save(waiting, by=secretary)
        workflow.submit(waiting, by=secretary)

    def evaluation(self, judged: content.Judged, votes=None) -> Evaluation:
        """What ``judged`` says, with its own ``votes`` unless others are given."""
        row = Evaluation(
            code=f"{PREFIX}evaluation-{judged.of}",
            report=Report.objects.filter(code=judged.of).first(),
            section=Section.objects.filter(code=judged.of).first(),
            theme=Theme.objects.filter(code=judged.of).first(),
            held_on=judged.on,
            grade=judged.grade,
            decision=judged.decision,
            document=SOURCE,
            note=judged.note,
            note_en=judged.note_en,
            **BODY,
            **dict(zip(Evaluation.VOTES, votes or judged.votes, strict=True)),
        )
        return self.enter_word(row, judged.on)

    def publish_states(self) -> None:
        measures = Measure.objects.select_related("lead").in_bulk(field_name="code")
        rows = []
        for number, state in enumerate(content.STATES, start=1):
            start, _end = self.calendar.quarter(state.quarter)
            row = MeasureState(
                code=f"{PREFIX}state-{number}",
                measure=measures[state.measure],
                status=state.status,
                since=start + timedelta(days=20),
                into=state.into,
                reason=state.reason,
                reason_en=state.reason_en,
            )
            rows.append(self.enter(row, row.since))
        self.publish(rows)

    def withdraw_a_note(self) -> None:
        """A note that was wrong altogether, and its withdrawal some weeks later."""
        note, days, reason, reason_en = content.WITHDRAWN_NOTE
        start, _end = self.calendar.quarter(note.quarter)
        row = ProgressNote(
            code=f"{PREFIX}note-withdrawn",
            measure=Measure.objects.select_related("lead").get(code=note.measure),
            happened_on=start + timedelta(days=40),
            text=note.text,
            text_en=note.text_en,
        )
        self.publish([self.enter(row, row.happened_on)])
        withdrawal = withdrawal_of(row, reason=reason, reason_en=reason_en)
        withdrawal.code = f"{PREFIX}withdrawal"
        self.publish([self.enter(withdrawal, row.happened_on + timedelta(days=days))])

    # How rows come to be public

    def enter_word(self, row: Submission, day: date) -> Submission:
        """``row`` of the committee's office, entered by one and published by another of it."""
        self.enter(row, day, by="demo-secretary")
        row.published_by = self.people["demo-committee"]
        return row

    def enter(self, row: Submission, day: date, *, by: str = "") -> Submission:
        """``row``, entered and submitted on ``day`` and published a week later, or just now."""
        own = row.department is not None and row.department.code in EDITORS_DEPARTMENTS
        row.entered_by = row.changed_by = self.people[
            by or ("demo-editor" if own else "demo-colleague")
        ]
        row.entered_at = self.moment(day, time(15, 10))
        row.submitted_at = self.moment(day, time(15, 40))
        row.published_at = self.moment(day + PUBLISHED_AFTER, time(10, 5))
        row.published_by = self.people["demo-reviewer"]
        row.state = State.PUBLISHED
        return row

    def correct(self, old: Submission, new: Submission, days: int, reason: str) -> Submission:
        """``new`` as the correction of ``old``, begun so many days after its publication."""
        self.enter(
            new,
            timezone.localdate(old.published_at) + timedelta(days=days),
            by=old.entered_by.get_username(),
        )
        return superseding(old, new, reason)

    def moment(self, day: date, at: time) -> datetime:
        """That time, but never the present or later."""
        planned = timezone.make_aware(datetime.combine(day, at))
        return min(planned, self.now - timedelta(minutes=1))

    def publish(self, rows: list[Submission]) -> None:
        """Write ``rows`` of one kind as published long ago, and record it in the trail."""
        type(rows[0])._base_manager.bulk_create(rows)
        events = []
        for row in rows:
            said = differences({}, snapshot(row, row.content_fields()))[1]
            events += [
                _event(Action.ENTERED, row, row.entered_by, row.entered_at, said),
                _event(Action.SUBMITTED, row, row.entered_by, row.submitted_at),
                _event(Action.PUBLISHED, row, row.published_by, row.published_at, said),
            ]
        record_all(events)

    # What is still on somebody's desk

    def leave_work(self) -> None:
        """A draft, a figure and a note that wait, one that came back, a correction under way."""
        editor, reviewer = self.people["demo-editor"], self.people["demo-reviewer"]
        draft, waiting, returned = (self.entry(code, figure) for code, figure in content.ON_THE_WAY)
        for row in (draft, waiting, returned):
            workflow.save(row, by=editor)
        for row in (waiting, returned):
            self.hand_in(row, by=editor)
        workflow.send_back(returned, by=reviewer, reason=content.RETURNED_BECAUSE)

        code, figure, reason = content.CORRECTION_UNDER_WAY
        _start, end = self.calendar.quarter(content.QUARTERS)
        public = Observation.objects.get(code=_code(code, end))
        changes = {"code": f"{public.code}-corrected"} | self.read(figure, self.indicators[code])
        self.hand_in(workflow.correct(public, by=editor, reason=reason, **changes), by=editor)

        measure, text, text_en = content.NOTE_ON_THE_WAY
        note = ProgressNote(
            code=f"{PREFIX}note-on-the-way",
            measure=Measure.objects.get(code=measure),
            round=self.rounds[content.QUARTERS + 1],
            happened_on=self.calendar.today,
            text=text,
            text_en=text_en,
        )
        workflow.save(note, by=editor)
        workflow.submit(note, by=editor)

    def hand_in(self, row: Observation, *, by) -> None:
        """Submit a figure; one that looks unusual with an answer why it is right."""
        if unanswered([row]):
            row.warning_answer = content.ANSWER
            workflow.save(row, by=by, seen=row.version)
        workflow.submit(row, by=by)

    def entry(self, code: str, as_written: str) -> Observation:
        """A new figure in the overdue round."""
        indicator = self.indicators[code]
        row = new_entry(indicator, self.rounds[content.QUARTERS], indicator.measure.lead)
        row.code, row.source_name = _code(code, row.period_end), SOURCE
        for name, value in self.read(as_written, indicator).items():
            setattr(row, name, value)
        return row


def superseding(old: Submission, new: Submission, reason: str) -> Submission:
    """``new``, which says that it corrects ``old`` and why."""
    new.code = f"{old.code}-corrected"
    new.supersedes, new.revision, new.correction_reason = old, 2, reason
    return new


def _code(indicator: str, day: date) -> str:
    return f"{PREFIX}{indicator.removeprefix(PREFIX)}-{day}"


def _reworded(row, name: str, value) -> list[dict]:
    return revisions.changes_between(row, {name: getattr(row, name)}, {name: value})


def _event(action: Action, row: Submission, by: User, at: datetime, after: str = ""):
    recorded = event(action, by=by, subject=row, after=after)
    recorded.at = at
    return recorded


def _lines(table: str) -> list[tuple[str, str, list[str]]]:
    """(indicator, form of its figures, figures) of every line."""
    lines = [line.split() for line in table.strip().splitlines()]
    return [(code, form, figures) for code, form, *figures in lines]
