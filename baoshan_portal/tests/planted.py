"""Marks in everything that the public must not see: a unique text in every text field of every
model, in every state in which its rows are not public.

``PLANTS`` has a rule for every model that the portal's database holds; one without a rule fails
``test_public_pages``. A rule makes its rows through ``Marks.of``, which fills whatever fields the
model has, so a new field is marked without anybody remembering it.
"""

import re
from datetime import date, timedelta
from decimal import Decimal
from itertools import count

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.utils import timezone

from measures.models import (
    Department,
    Evaluation,
    Measure,
    MeasureState,
    MeasureStatus,
    OpinionStage,
    ProgressNote,
    Report,
    Revision,
    Section,
    Stage,
    Theme,
    User,
    Withdrawal,
)
from measures.submission import State
from measures.tests import factories as words
from measures.tests.days import tomorrow
from measures.tests.factories import ISSUED, change, reword
from metrics.models import Indicator, NoFigure, Observation, Target, Unit
from metrics.rules.choices import Certainty, Nature
from metrics.tests import factories as numbers

#: Asked for in searches; a page may repeat it, which is no leak.
STEM = "qzq"
#: A number stands in every mark; figures have marks of their own.
MARK = re.compile(rf"{STEM}\d{{5}}")
FIGURE = re.compile(r"9182\d{5}")
IN_AN_HOUR = timezone.now() + timedelta(hours=1)

#: What is planted of a model that nobody types and no page reads.
NOTHING = "nothing"


class Marks:
    """The marks that were planted, and what each stands for: model, field and state."""

    def __init__(self):
        self.meaning: dict[str, tuple[str, str, str]] = {}
        self.codes: dict[str, set[str]] = {}
        self._numbers = count(1)

    def of(self, model: type[models.Model], state_: str, /, **fields) -> dict:
        """Marks for every text of ``model``; ``fields`` win."""
        found = {}
        for field in model._meta.concrete_fields:
            if field.choices or field.name in fields:
                continue
            if mark := self._mark(field):
                found[field.name] = mark
                plain = (MARK.search(str(mark)) or FIGURE.search(_plain(mark)))[0]
                self.meaning[plain] = (model._meta.label, field.name, state_)
        if "code" in found:
            self.codes.setdefault(model._meta.model_name, set()).add(found["code"])
        return found | fields

    def _mark(self, field: models.Field):
        text = f"{STEM}{next(self._numbers):05d}"
        if isinstance(field, models.URLField):
            return f"https://{text}.example/"
        if isinstance(field, models.EmailField):
            return f"{text}@example.org"
        if isinstance(field, models.FileField):
            return f"evidence/{text}.pdf"
        if isinstance(field, models.JSONField):
            return {"text": text}
        if isinstance(field, models.CharField | models.TextField):
            return text
        if isinstance(field, models.DecimalField) and field.name == "value":
            return Decimal(f"9182{text.removeprefix(STEM)}")
        return None

    def found(self, text: str) -> set[str]:
        """The planted marks in ``text``."""
        figures = FIGURE.findall(_plain(text)) if "9182" in _plain(text) else ()
        return {mark for mark in (*MARK.findall(text), *figures) if mark in self.meaning}


def _plain(text) -> str:
    return re.sub(r"[,，\u202f\u00a0]", "", str(text))


#: A submission in every state in which it is not public.
WAITING = {
    "draft": {"state": State.DRAFT},
    "submitted": {"state": State.SUBMITTED, "submitted_at": timezone.now()},
    "returned": {"state": State.RETURNED},
    "public in an hour": {"state": State.PUBLISHED, "published_at": IN_AN_HOUR},
}


class World:
    """The marks, and the public rows beside which hidden ones are planted."""

    def __init__(self):
        self.marks = Marks()
        self.indicator = Indicator.objects.published().first()
        self.measure = self.indicator.measure
        self.theme = self.measure.theme
        self.opinion = self.theme.section.opinion
        self.plan = Target.objects.published().first().plan
        self.order = count(900)

    def waiting(self, model, make, public: bool = True, **fields) -> None:
        """Rows of ``model`` that wait, and a waiting correction of a public one.

        ``fields`` are values, or are called with a number for rows that must differ. A public row
        has marks where only staff may look.
        """

        def given(n: int) -> dict:
            return {name: each(n) if callable(each) else each for name, each in fields.items()}

        for n, (state, values) in enumerate(WAITING.items()):
            # Only a correction has a reason for one.
            make(**self.marks.of(model, state, **given(n), **values))
        if not public:
            return
        inside = self.marks.of(model, "seen inside")
        inside = {
            name: text
            for name, text in inside.items()
            if name in ("return_reason", "evidence_file", "warning_answer")
        }
        people = {"entered_by": self.person, "published_by": self.other}
        old = make(published=ISSUED, **given(len(WAITING)), **inside, **people)
        correction = {"supersedes": old, "revision": 2, "state": State.SUBMITTED}
        make(**self.marks.of(model, "correction", **given(len(WAITING)), **correction))

    def structure(self, model, make, state: str, **fields):
        return make(**self.marks.of(model, state, **fields))


def _accounts(world: World) -> None:
    world.person, world.other = (
        User.objects.create(**world.marks.of(User, "account")) for _ in range(2)
    )


def _opinions(world: World) -> None:
    world.hidden_opinion = world.structure(
        apps.get_model("measures.Opinion"), words.make_opinion, "to come",
        is_first=False, issued_on=tomorrow(),
    )  # fmt: skip
    model = type(world.hidden_opinion)
    world.structure(model, words.make_opinion, "without anything", is_first=False)


def _reports(world: World) -> None:
    for opinion in (world.opinion, world.hidden_opinion):
        world.structure(
            Report, words.make_report, "to come", opinion=opinion, issued_on=tomorrow()
        )  # fmt: skip


def _departments(world: World) -> None:
    world.hidden_office = world.structure(Department, words.make_department, "leads what is hidden")
    world.structure(Department, words.make_department, "leads nothing")
    world.structure(Department, words.make_department, "ended", ended_on=ISSUED)


def _sections(world: World) -> None:
    for state in ("empty", "with what is hidden"):
        world.hidden_section = world.structure(
            Section, words.make_section, state, opinion=world.opinion, order=next(world.order)
        )
    world.structure(
        Section, words.make_section, "of what is to come",
        opinion=world.hidden_opinion, order=next(world.order),
    )  # fmt: skip


def _themes(world: World) -> None:
    for section in (world.theme.section, world.hidden_section):
        for state in ("empty", "with what is hidden"):
            world.hidden_theme = world.structure(
                Theme, words.make_theme, state, section=section, order=next(world.order)
            )


def _measures(world: World) -> None:
    for state, day in (("no day", None), ("tomorrow", tomorrow())):
        for theme in (world.theme, world.hidden_theme):
            world.hidden_measure = world.structure(
                Measure, words.make_measure, state, theme=theme, published_on=day,
                order=next(world.order), lead=world.hidden_office,
                locator="", report=None,
            )  # fmt: skip
            world.hidden_measure.supporting.add(world.hidden_office)
            hidden = world.hidden_measure
            words.make_note(
                published=ISSUED,
                **world.marks.of(ProgressNote, "of what is hidden", measure=hidden),
            )
            words.make_state(
                published=ISSUED,
                **world.marks.of(
                    MeasureState, "of what is hidden", measure=hidden, into="", locator=""
                ),
            )


def _units(world: World) -> None:
    for state in ("unused", "used by what is hidden"):
        world.hidden_unit = world.structure(Unit, numbers.make_unit, state)


def _plans(world: World) -> None:
    for state in ("without targets", "with what is hidden"):
        world.hidden_plan = world.structure(
            apps.get_model("metrics.Plan"), numbers.make_plan, state, opinion=world.opinion
        )


def _indicators(world: World) -> None:
    # The last one can stand in a check with a public figure.
    for state, measure, day, unit in (
        ("no day", world.measure, None, world.hidden_unit),
        ("tomorrow", world.measure, tomorrow(), world.hidden_unit),
        ("of what is hidden", world.hidden_measure, ISSUED, world.indicator.unit),
    ):
        hidden = world.hidden_indicator = world.structure(
            Indicator, numbers.make_indicator, state, measure=measure, published_on=day,
            order=next(world.order), unit=unit, basis=world.indicator, is_key=True,
        )  # fmt: skip
        for model, make, more in (
            (Observation, numbers.make_observation, {}),
            (NoFigure, numbers.make_no_figure, {}),
            (Target, numbers.make_target, {"plan": world.hidden_plan}),
        ):
            fields = {"indicator": hidden, "locator": "", **more}
            make(published=ISSUED, **world.marks.of(model, "of what is hidden", **fields))
    reword(world.indicator, basis=hidden)
    loan = Indicator.objects.published().filter(nature=Nature.CREDIT).first()
    reword(loan, recipients=hidden)


def _checks(world: World) -> None:
    check = apps.get_model("metrics.Check")
    world.structure(check, numbers.make_check, "without figures")
    hidden = world.structure(check, numbers.make_check, "with a hidden figure")
    numbers.make_term(check_of=hidden, indicator=world.indicator)
    numbers.make_term(check_of=hidden, role="part", indicator=world.hidden_indicator)


def _observations(world: World) -> None:
    world.waiting(
        Observation, numbers.make_observation, indicator=world.indicator, locator="",
        period_end=lambda n: ISSUED - timedelta(days=n),
        certainty=Certainty.ACTUAL,
    )  # fmt: skip
    numbers.make_observation(
        **world.marks.of(
            Observation, "expected", indicator=world.indicator, locator="", period_end=tomorrow(),
            certainty=Certainty.EXPECTED,
        )
    )  # fmt: skip


def _no_figures(world: World) -> None:
    world.waiting(
        NoFigure, numbers.make_no_figure, indicator=world.indicator, locator="",
        period_start=None, period_end=lambda n: date(2019, 1, 1) + timedelta(days=n),
    )  # fmt: skip


def _targets(world: World) -> None:
    world.waiting(
        Target, numbers.make_target, indicator=world.indicator, locator="", plan=world.plan,
        due_on=lambda n: date(2030, 1, 1) + timedelta(days=n),
    )  # fmt: skip
    world.waiting(
        Target, numbers.make_target, False, indicator=world.indicator, locator="",
        plan=world.hidden_plan, due_on=lambda n: date(2030, 1, 1) + timedelta(days=n),
    )  # fmt: skip


def _notes(world: World) -> None:
    world.waiting(ProgressNote, words.make_note, measure=world.measure)


def _states(world: World) -> None:
    world.waiting(
        MeasureState, words.make_state, measure=world.measure, locator="", into="",
        status=MeasureStatus.COMPLETED, since=lambda n: ISSUED - timedelta(days=900 + n),
    )  # fmt: skip


def _stages(world: World) -> None:
    known = set(OpinionStage.objects.filter(opinion=world.opinion).values_list("stage", flat=True))
    free = [stage for stage in Stage if stage not in known]
    opinions = [world.opinion] * len(free) + [world.hidden_opinion] * len(Stage)
    stages = [*free, *Stage]
    public = words.make_opinion(is_first=False, issued_on=ISSUED)
    world.waiting(
        OpinionStage, words.make_stage,
        opinion=lambda n: public if n == len(WAITING) else opinions[n],
        stage=lambda n: Stage.HANDED_OVER if n == len(WAITING) else stages[n],
    )  # fmt: skip


def _evaluations(world: World) -> None:
    for place in (
        {"section": world.theme.section}, {"theme": world.theme},
        {"report": world.opinion.reports.order_by("pk").first()},
    ):  # fmt: skip
        world.waiting(Evaluation, words.make_evaluation, **place)
    world.waiting(Evaluation, words.make_evaluation, False, section=world.hidden_section)


def _withdrawals(world: World) -> None:
    subjects = [
        numbers.make_observation(
            indicator=world.indicator, published=ISSUED, period_end=date(2020, 1, n + 1),
            period_start=None,
        )
        for n in range(len(WAITING) + 1)
    ]  # fmt: skip
    # It names its subject, so its own words alone are marked.
    named = {"subject_code", "subject_name", "subject_name_en", "indicator_code"}

    def make(published=None, subject=None, **fields):
        fields = {name: value for name, value in fields.items() if name not in named}
        return numbers.make_withdrawal(subject, published=published, **fields)

    world.waiting(Withdrawal, make, subject=lambda n: subjects[n])


def _revisions(world: World) -> None:
    """Waiting ones of every kind of row, and public ones that name what is hidden."""
    rows = [
        world.indicator, world.measure, world.theme, world.theme.section, world.opinion,
        world.indicator.unit, Department.objects.filter(led__isnull=False).first(),
        world.opinion.reports.order_by("pk").first(),
    ]  # fmt: skip
    for row in rows:
        for state, values in WAITING.items():
            new = world.marks.of(type(row), f"change {state}", code=row.code)
            said = {name: text for name, text in new.items() if name in ("name", "name_en")}
            entries = change(row, **said)
            for entry in entries:
                entry["new"] = said[entry["field"]]
            fields = world.marks.of(Revision, state, changes=entries, **values)
            words.make_revision(**fields)
    hidden = (
        world.hidden_section, world.hidden_theme, world.hidden_measure, world.hidden_indicator,
        world.hidden_office, world.hidden_plan, world.hidden_unit,
        Report.objects.filter(issued_on=tomorrow()).first(), world.hidden_opinion,
        apps.get_model("metrics.Check").objects.filter(terms__isnull=True).first(),
    )  # fmt: skip
    for row in hidden:
        new = world.marks.of(type(row), "public change of what is hidden", code=row.code)
        entries = change(row, name=new["name"])
        entries[0]["new"] = new["name"]
        words.make_revision(published=timezone.now() - timedelta(hours=1), changes=entries)
    entries = [
        {
            "model": "metrics.indicator", "code": world.indicator.code, "field": "basis",
            "old": None, "new": world.hidden_indicator.code,
        }
    ]  # fmt: skip
    words.make_revision(published=timezone.now() - timedelta(hours=1), changes=entries)


def _rounds(world: World) -> None:
    model = apps.get_model("measures.Round")
    for state, locked in (("open", False), ("locked", True)):
        world.hidden_round = world.structure(model, words.make_round, state, locked=locked)
    unlock = apps.get_model("measures.RoundUnlock")
    words.make_unlock(**world.marks.of(unlock, "unlock", round=world.hidden_round))


def _of(label: str, **fields):
    """Rows of a model that has no factory."""

    def plant(world: World) -> None:
        model = apps.get_model(label)
        given = {name: each(world) if callable(each) else each for name, each in fields.items()}
        model._base_manager.create(**world.marks.of(model, "stored", **given))

    return plant


#: In the order in which they are planted. ``NOTHING``: no text, or none of a person's.
PLANTS = {
    # The chain of the record holds hashes.
    "measures.Checkpoint": NOTHING,
    "measures.Link": NOTHING,
    "measures.LinkForm": NOTHING,
    "measures.User": _accounts,
    "measures.Opinion": _opinions,
    "measures.Report": _reports,
    "measures.Department": _departments,
    "measures.Section": _sections,
    "measures.Theme": _themes,
    "measures.Measure": _measures,
    "metrics.Unit": _units,
    "metrics.Plan": _plans,
    "metrics.Indicator": _indicators,
    "metrics.Check": _checks,
    "metrics.CheckTerm": NOTHING,
    "metrics.Observation": _observations,
    "metrics.NoFigure": _no_figures,
    "metrics.Target": _targets,
    "measures.ProgressNote": _notes,
    "measures.MeasureState": _states,
    "measures.OpinionStage": _stages,
    "measures.Evaluation": _evaluations,
    "measures.Withdrawal": _withdrawals,
    "measures.Revision": _revisions,
    "measures.Round": _rounds,
    "measures.RoundUnlock": NOTHING,  # planted with the rounds
    "metrics.RoundDue": NOTHING,
    "metrics.TableMapping": NOTHING,  # only read by the uploads of its own department
    "metrics.UsualBounds": NOTHING,  # numbers, and a sentence of ours
    "metrics.CompulsoryPair": NOTHING,
    "measures.RolePolicy": NOTHING,
    "measures.Threshold": NOTHING,
    "measures.DemoMark": NOTHING,
    "measures.Synonym": NOTHING,  # only compared with what people type
    "measures.Applying": NOTHING,
    "measures.DataVersion": NOTHING,  # numbers by chance
    "metrics.CheckSummary": NOTHING,  # a copy of what is public
    "metrics.CopyStamp": NOTHING,  # a hash
    "metrics.IndicatorSaid": NOTHING,  # a copy, beside which a search asks what is public
    "metrics.IndicatorSummary": NOTHING,  # a copy of what is public
    "metrics.KeptDay": NOTHING,  # a copy of what was public
    "metrics.TargetSummary": NOTHING,  # a copy of what is public
    "metrics.ValueSaid": NOTHING,  # a copy of what is public
    "measures.Version": NOTHING,  # written by triggers, of everything above
    "measures.SignOff": NOTHING,
    "measures.SignOffRule": NOTHING,
    "measures.SentForm": NOTHING,
    "measures.Mailed": NOTHING,  # names of what was mailed, only compared
    "measures.FailedSignIns": _of("measures.FailedSignIns"),
    "measures.TrailEvent": _of("measures.TrailEvent"),
    "admin.LogEntry": _of(
        "admin.LogEntry", user=lambda world: world.person, action_flag=1,
        content_type=lambda world: ContentType.objects.first(),
    ),
    "auth.Group": _of("auth.Group"),
    "auth.Permission": NOTHING,
    "contenttypes.ContentType": NOTHING,
    "sessions.Session": _of("sessions.Session", expire_date=IN_AN_HOUR),
    "axes.AccessFailureLog": _of("axes.AccessFailureLog"),
    "axes.AccessAttempt": _of("axes.AccessAttempt", failures_since_start=1),
    "axes.AccessAttemptExpiration": NOTHING,
    "axes.AccessLog": _of("axes.AccessLog"),
    "otp_totp.TOTPDevice": _of("otp_totp.TOTPDevice", user=lambda world: world.person),
}  # fmt: skip


def plant() -> Marks:
    """Plants every rule beside what is public; the report must be loaded."""
    world = World()
    for rule in PLANTS.values():
        if rule is not NOTHING:
            rule(world)
    return world.marks
