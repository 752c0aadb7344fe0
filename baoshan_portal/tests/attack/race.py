"""Fifty writers at once on the same figure, draft or round: a sentence each, never 500, one row."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from itertools import count
from threading import Barrier

from django.utils import timezone

from measures import workflow
from measures.models import Department, Measure, ProgressNote, Round, RoundUnlock, TrailEvent, User
from measures.submission import State
from measures.trail import Action
from metrics.models import Indicator, Observation

from . import Count
from .portal import Portal
from .visitor import Answer, Visitor

WRITERS = 50
_numbers = count(1)
#: Each is over, so that a value of it may be final.
_years = count(1000)


def at_once(steps) -> list[Answer]:
    """The answers to ``steps``, which begin at the same moment."""
    barrier = Barrier(len(steps))

    def run(step):
        barrier.wait()
        return step()

    with ThreadPoolExecutor(len(steps)) as pool:
        return list(pool.map(run, steps))


class Office:
    """The people and the rows of one department, made beforehand."""

    def __init__(self, portal: Portal):
        self.editor = User.objects.get(username="demo-editor")
        self.measure = Measure.objects.filter(lead__members=self.editor).published().first()
        self.lead: Department = self.measure.lead
        own = Indicator.objects.filter(measure__lead=self.lead, unit__name__in=["家", "个", "项"])
        self.indicator = own.published().first()
        self.at_desk = portal.staff("demo-editor")
        self.at_review = portal.staff("demo-reviewer")
        self.steward = portal.staff("demo-steward")

    def round(self) -> Round:
        """One that is open, of a quarter that no other round has."""
        n = next(_numbers)
        today = timezone.localdate()
        start = date(1800 + n // 4, 1 + n % 4 * 3, 1)
        return Round.objects.create(
            code=f"race-{n}", name=f"竞争{n}", name_en=f"Race {n}", period_start=start,
            period_end=start + timedelta(days=89), opens_on=today, due_on=today,
        )  # fmt: skip

    def note(self, state: str = State.DRAFT, **fields) -> ProgressNote:
        note = ProgressNote(
            measure=self.measure, happened_on=date(2023, 6, 30), text=f"第{next(_numbers)}步。",
            **fields,
        )  # fmt: skip
        workflow.save(note, by=self.editor)
        if state != State.DRAFT:
            workflow.submit(note, by=self.editor)
        if state == State.PUBLISHED:
            workflow.publish(note, by=User.objects.get(username="demo-reviewer"))
        return note


def attack(portal: Portal):
    office = Office(portal)
    races = (
        same_figure, same_sheet, submit_and_delete, approve, correct, same_form, unlock, lock,
    )  # fmt: skip
    counts = {race: Count(_said(race)) for race in races}
    ended = Count(f"each of {WRITERS} is told how it ended, never 500")
    n = 0
    while portal.has_time() or n < len(races):
        race, n = races[n % len(races)], n + 1
        steps, judge = race(office)
        answers = at_once(steps)
        for answer in answers:
            said = answer.fault or answer.is_said or answer.status == 503
            fault = answer.fault or ("" if said else f"{answer.status} without a word")
            ended.add(f"{race.__name__}: {fault}" if fault else "")
        counts[race].add(judge(answers))
    return [ended.row(), *(each.row() for each in counts.values())]


def windows(visitor: Visitor, number: int = WRITERS) -> list[Visitor]:
    return [visitor.copy() for _ in range(number)]


def same_figure(office: Office):
    """The same figure added is one row."""
    year = next(_years)
    path = "/admin/metrics/observation/add/"
    sent = office.at_desk.filled_in(
        path, indicator=office.indicator.pk, period_start=f"{year}-01-01",
        period_end=f"{year}-12-31", value="5", as_written=f"5{office.indicator.unit.name}",
        source_name="台账", certainty="actual",
    )  # fmt: skip
    steps = [lambda v=v: v.post(path, sent) for v in windows(office.at_desk)]

    def judge(answers):
        rows = Observation.objects.filter(
            indicator=office.indicator, period_start=date(year, 1, 1)
        ).count()
        return "" if rows == 1 else f"{rows} rows"

    return steps, judge


def same_sheet(office: Office):
    """An entry sheet saved is one row a figure."""
    round_ = office.round()
    path = f"/admin/entry/{round_.code}/{office.lead.code}/"
    sent = office.at_desk.filled_in(path)
    name = next((name for name in sent if name.endswith("-text")), "note")
    prefix = name.removesuffix("-text")
    typed = [
        sent | {f"{prefix}-text": f"第{n}人。", f"{prefix}-happened_on": "2023-06-30", "save": ""}
        for n in range(WRITERS)
    ]
    steps = [
        lambda v=v, t=t: v.post(path, t)
        for v, t in zip(windows(office.at_desk), typed, strict=True)
    ]

    def judge(answers):
        rows = ProgressNote.objects.filter(round=round_).count()
        return "" if rows == 1 else f"{rows} rows"

    return steps, judge


def submit_and_delete(office: Office):
    """A draft is submitted or deleted, not both."""
    note = office.note()
    path, seen = f"/admin/measures/progressnote/{note.pk}", str(note.version)
    half = WRITERS // 2
    steps = [
        *(lambda v=v: v.post(f"{path}/step/submit/", {"seen": seen})
          for v in windows(office.at_desk, half)),
        *(lambda v=v: v.post(f"{path}/delete/", {"post": "yes", "seen": seen})
          for v in windows(office.at_desk, half)),
    ]  # fmt: skip

    def judge(answers):
        events = TrailEvent.objects.filter(subject_code=note.code).exclude(action="entered")
        actions = sorted(events.values_list("action", flat=True))
        there = ProgressNote.objects.filter(pk=note.pk, state=State.SUBMITTED).exists()
        return "" if actions == (["submitted"] if there else ["deleted"]) else str(actions)

    return steps, judge


def approve(office: Office):
    """A row approved is published by one."""
    note = office.note(State.SUBMITTED)
    path = f"/admin/measures/progressnote/{note.pk}/step/publish/"
    row = f"progressnote:{note.pk}:{note.version}"
    half = WRITERS // 2
    steps = [
        *(lambda v=v: v.post(path, {"seen": str(note.version)})
          for v in windows(office.at_review, half)),
        *(lambda v=v: v.post("/admin/review/", {"row": row})
          for v in windows(office.at_review, half)),
    ]  # fmt: skip

    def judge(answers):
        events = TrailEvent.objects.filter(subject_code=note.code, action=Action.PUBLISHED).count()
        note.refresh_from_db()
        return "" if (note.state, events) == (State.PUBLISHED, 1) else f"{note.state}, {events}"

    return steps, judge


def correct(office: Office):
    """A figure corrected has one correction."""
    note = office.note(State.PUBLISHED)
    path = f"/admin/measures/progressnote/{note.pk}/step/correct/"
    sent = {"seen": str(note.version), "reason": "笔误"}
    steps = [lambda v=v: v.post(path, sent) for v in windows(office.at_desk)]

    def judge(answers):
        rows = note.corrections.count()
        return "" if rows == 1 else f"{rows} corrections"

    return steps, judge


def same_form(office: Office):
    """A form saved is saved by one, the others are told."""
    round_ = office.round()
    path = f"/admin/measures/round/{round_.pk}/change/"
    sent = office.steward.filled_in(path)
    steps = [
        lambda v=v, n=n: v.post(path, sent | {"name_en": f"Writer {n}"})
        for n, v in enumerate(windows(office.steward))
    ]

    def judge(answers):
        saved = sum(answer.status == 302 for answer in answers)
        changes = TrailEvent.objects.filter(subject_code=round_.code, action="changed").count()
        return "" if saved == changes == 1 else f"{saved} were told saved, {changes} events"

    return steps, judge


def unlock(office: Office):
    """A round unlocked by old forms is unlocked once."""
    round_ = office.round()
    Round.objects.filter(pk=round_.pk).update(locked=True)
    path = f"/admin/measures/round/{round_.pk}/change/"
    sent = office.steward.filled_in(path) | {
        "unlocks-TOTAL_FORMS": "1", "unlocks-INITIAL_FORMS": "0", "unlocks-0-id": "",
        "unlocks-0-round": round_.pk, "unlocks-0-department": office.lead.pk,
        "unlocks-0-reason": "数据晚到",
    }  # fmt: skip
    steps = [lambda v=v: v.post(path, sent) for v in windows(office.steward)]

    def judge(answers):
        rows = RoundUnlock.objects.filter(round=round_).count()
        return "" if rows == 1 else f"{rows} unlocks"

    return steps, judge


def lock(office: Office):
    """Nothing is submitted after its round was locked."""
    round_ = office.round()
    notes = [office.note(round=round_) for _ in range(WRITERS - 1)]
    steps = [
        lambda v=v, n=n: v.post(
            f"/admin/measures/progressnote/{n.pk}/step/submit/", {"seen": str(n.version)}
        )
        for v, n in zip(windows(office.at_desk, len(notes)), notes, strict=True)
    ]
    action = {"action": "lock", "_selected_action": str(round_.pk), "post": "yes"}
    # In the middle of the queue.
    steward = office.steward.copy()
    steps.insert(4, lambda: steward.post("/admin/measures/round/", action))

    def judge(answers):
        locked = TrailEvent.objects.filter(subject_code=round_.code, action=Action.LOCKED)
        if not locked:
            return "it was not locked"
        late = TrailEvent.objects.filter(
            subject_code__in=[note.code for note in notes], action=Action.SUBMITTED,
            pk__gt=locked.latest("pk").pk,
        ).count()  # fmt: skip
        there = ProgressNote.objects.filter(round=round_, state=State.SUBMITTED).count()
        told = TrailEvent.objects.filter(
            subject_code__in=[note.code for note in notes], action=Action.SUBMITTED
        ).count()
        if there != told:
            return f"{there} submitted, {told} events"
        return f"{late} submitted after it" if late else ""

    return steps, judge


def _said(race) -> str:
    """What the race shows, by its first line."""
    text = race.__doc__.splitlines()[0].rstrip(".")
    return text[0].lower() + text[1:]
