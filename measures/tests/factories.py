"""Rows for tests: every function makes a valid one, and keywords replace what matters."""

from contextlib import contextmanager, nullcontext
from datetime import date, datetime, time, timedelta
from itertools import count, cycle

from django.contrib.auth.models import Group, Permission
from django.db import connection, transaction
from django.db.models import Value
from django.utils import timezone

from .. import revisions, workflow
from ..access import REVIEWER, STEWARD
from ..models import (
    Department,
    Evaluation,
    Mailed,
    Measure,
    MeasureState,
    MeasureStatus,
    Opinion,
    OpinionStage,
    ProgressNote,
    Report,
    Revision,
    Round,
    RoundUnlock,
    Section,
    SignOff,
    SignOffRule,
    Stage,
    Synonym,
    Theme,
    Threshold,
    ThresholdCode,
    User,
)
from ..revisions import applying, is_public
from ..submission import State

#: The day on which the report was issued; measures and indicators are public from it on.
ISSUED = date(2023, 7, 25)

#: Before every day that a test asks for, unless it says otherwise.
LONG_AGO = date(2000, 1, 1)

_numbers = count(1)
# Above the places that the report's own rows have.
_orders = cycle(range(1_000, 32_768))


def number() -> int:
    """A number that no other row of this run has."""
    return next(_numbers)


def order() -> int:
    """A place that no sibling has. It starts again before PostgreSQL's smallint ends."""
    return next(_orders)


def stored_as(row, published=None, **texts) -> None:
    """Writes ``texts`` as they are, past every door: such rows are older than the doors.

    What is ``published`` cannot be changed any more, so it becomes public by this.
    """
    values = {name: Value(text) for name, text in texts.items()}
    if published:
        values |= {name: submission(published)[name] for name in ("state", "published_at")}
    with as_reviewed() if is_public(row) else nullcontext():
        type(row)._base_manager.filter(pk=row.pk).update(**values)
    row.refresh_from_db()


def to_the_past(day) -> int:
    """The statements by which a page of a past ``day`` is read, beside those of today's page: which
    tables have changed since, before and after, and PostgreSQL's way there and back."""
    return (4 if connection.vendor == "postgresql" else 2) if day else 0


@contextmanager
def as_reviewed(since: date | datetime = LONG_AGO):
    """Public rows can be changed inside; what they say then stands ``since`` (see ``submission``).

    Later changes of a row need a later day.
    """
    revision = Revision.objects.create(**submission(since, reason="表述更准确"))
    with transaction.atomic(), applying(revision):
        yield revision


def reword(row, since: date | datetime = LONG_AGO, **values) -> None:
    """Public ``row`` says ``values`` since that day, as if somebody had reviewed it."""
    with as_reviewed(since):
        type(row)._base_manager.filter(pk=row.pk).update(**values)
    row.refresh_from_db()


def named(kind: str, chinese: str, /, **fields) -> dict:
    """A code and names of their own, and ``fields``, which win."""
    n = number()
    return {
        "code": f"{kind}-{n}",
        "name": f"{chinese}{n}",
        "name_en": f"{kind.capitalize()} {n}",
        **fields,
    }


def submission(published: date | datetime | None = None, **fields) -> dict:
    """The fields of a draft, or of a row that is public since ``published``.

    A date means noon of that day in Shanghai.
    """
    if published is None:
        return fields
    if not isinstance(published, datetime):
        published = timezone.make_aware(datetime.combine(published, time(12)))
    return {"state": State.PUBLISHED, "published_at": published, **fields}


def make_user(*, permissions=(), **fields) -> User:
    """Somebody without a password; ``permissions`` are written as metrics.view_observation."""
    user = User.objects.create_user(**{"username": f"user-{number()}", **fields})
    for permission in permissions:
        app, codename = permission.split(".")
        user.user_permissions.add(
            Permission.objects.get(content_type__app_label=app, codename=codename)
        )
    return user


def make_staff(*roles, departments=(), **fields) -> User:
    """A member of staff in these roles (groups), working for these departments."""
    user = make_user(is_staff=True, **fields)
    user.groups.set(Group.objects.filter(name__in=roles))
    user.departments.set(departments)
    return user


def make_superuser(**fields) -> User:
    return make_user(is_staff=True, is_superuser=True, **fields)


def make_department(**fields) -> Department:
    return Department.objects.create(**named("department", "部门", **fields))


def make_opinion(**fields) -> Opinion:
    """The portal's first opinion, if there is none yet."""
    defaults = {
        "is_first": not Opinion.objects.exists(),
        "number": f"宝会〔2001〕{number()}号",
        "issuer": "区人大常委会",
        "issuer_en": "Standing Committee",
    }
    return Opinion.objects.create(**named("opinion", "审议意见", **defaults | fields))


def the_opinion() -> Opinion:
    """The portal's first opinion, made if need be: what stands under none else is of this one."""
    return Opinion.objects.order_by("pk").first() or make_opinion()


def make_report(**fields) -> Report:
    defaults = {
        "number": f"宝府〔2001〕{number()}号",
        "issuer": "区人民政府",
        "issuer_en": "District Government",
        "addressee": "区人大常委会",
        "addressee_en": "Standing Committee",
        "signatory": "张三",
        "signatory_en": "Zhang San",
        "signed_on": date(2023, 7, 24),
        "issued_on": ISSUED,
    }
    if "opinion" not in fields:
        defaults["opinion"] = the_opinion()
    return Report.objects.create(**named("report", "报告", **defaults | fields))


def make_section(**fields) -> Section:
    defaults = {"order": order()}
    if "opinion" not in fields:
        defaults["opinion"] = the_opinion()
    return Section.objects.create(**named("section", "部分", **defaults | fields))


def make_theme(**fields) -> Theme:
    defaults = {"order": order()}
    if "section" not in fields:
        defaults["section"] = make_section()
    return Theme.objects.create(**named("theme", "主题", **defaults | fields))


def make_measure(**fields) -> Measure:
    """A measure that is public since ISSUED, without a lead, from no report."""
    defaults = {
        "order": order(),
        "summary": "概述",
        "summary_en": "Summary",
        "published_on": ISSUED,
    }
    if "theme" not in fields:
        defaults["theme"] = make_theme()
    return Measure.objects.create(**named("measure", "措施", **defaults | fields))


def make_mailed(**fields) -> Mailed:
    """A matter that somebody was told of."""
    if "person" not in fields:
        fields["person"] = make_user()
    return Mailed.objects.create(**{"matter": f"opened {number()}"} | fields)


def make_sign_off_rule(**fields) -> SignOffRule:
    """A department whose rows wait for its head."""
    if "department" not in fields:
        fields["department"] = make_department()
    return SignOffRule.objects.create(**fields)


def make_sign_off(**fields) -> SignOff:
    """A sign-off of some row's first version."""
    defaults = {"subject_type": "measures.progressnote", "version": 1}
    defaults["subject_code"] = f"row-{number()}"
    if "by" not in fields:
        defaults["by"] = make_user()
    return SignOff.objects.create(**defaults | fields)


def make_round(**fields) -> Round:
    """The third quarter of 2023, open since 1 October 2023 and not locked."""
    defaults = {
        "period_start": date(2023, 7, 1),
        "period_end": date(2023, 9, 30),
        "opens_on": date(2023, 10, 1),
        "due_on": date(2023, 10, 15),
    }
    return Round.objects.create(**named("round", "填报期", **defaults | fields))


def make_synonym(**fields) -> Synonym:
    return Synonym.objects.create(**{"term": f"简称{number()}", "meaning": "高新技术企业"} | fields)


def make_unlock(**fields) -> RoundUnlock:
    defaults = {"reason": "数据晚到"}
    if "round" not in fields:
        defaults["round"] = make_round(locked=True)
    if "department" not in fields:
        defaults["department"] = make_department()
    if "by" not in fields:
        defaults["by"] = make_user()
    return RoundUnlock.objects.create(**defaults | fields)


def make_note(*, published=None, **fields) -> ProgressNote:
    """A draft, or a note that is public since ``published`` (see ``submission``)."""
    defaults = {"happened_on": date(2023, 6, 30), "text": "完成选址。"}
    if "measure" not in fields:
        defaults["measure"] = make_measure()
    return ProgressNote.objects.create(**submission(published, **defaults | fields))


def make_stage(*, published=None, **fields) -> OpinionStage:
    """A draft, or a stage that is public since ``published``: answered on the report's day."""
    defaults = {"stage": Stage.ANSWERED, "happened_on": ISSUED, "document": "宝府〔2023〕70号"}
    if "opinion" not in fields:
        defaults["opinion"] = make_opinion()
    return OpinionStage.objects.create(**submission(published, **defaults | fields))


def make_evaluation(*, published=None, **fields) -> Evaluation:
    """A draft, or an evaluation of a section that is public since ``published``."""
    defaults = {"body": "区人大常委会", "body_en": "Standing Committee", "held_on": ISSUED}
    if not {"report", "section", "theme"} & fields.keys():
        defaults["section"] = make_section()
    return Evaluation.objects.create(**submission(published, **defaults | fields))


def make_revision(*, published=None, **fields) -> Revision:
    """A draft that renames a measure, or such a row that is public since ``published``.

    It is written as it is: what it changes stays as it was.
    """
    defaults = {"reason": "表述更准确"}
    if "changes" not in fields:
        measure = make_measure()
        entry = {"model": "measures.measure", "code": measure.code, "field": "name"}
        defaults["changes"] = [entry | {"old": measure.name, "new": "新名称"}]
    return Revision.objects.create(**submission(published, **defaults | fields))


def change(row, **new) -> list[dict]:
    """The entries by which a steward asks for ``new``, written as ``revisions`` writes it."""
    before = {name: revisions.told(row, name) for name in new}
    return revisions.changes_between(row, before, new)


def publish(entries: list[dict], *, steward=None, reviewer=None, reason="机构改革") -> Revision:
    """The revision that makes ``entries`` public now, entered and reviewed by two people."""
    steward, reviewer = steward or make_staff(STEWARD), reviewer or make_staff(REVIEWER)
    revision = submit_changes(entries, steward=steward, reason=reason)
    workflow.publish(revision, by=reviewer)
    return revision


def submit_changes(entries: list[dict], *, steward, reason="机构改革") -> Revision:
    revision = revisions.collect(entries, by=steward)
    revision.reason = reason
    workflow.save(revision, by=steward, seen=revision.version)
    workflow.submit(revision, by=steward)
    return revision


def the_threshold(code: str = ThresholdCode.PACE_TOLERANCE) -> Threshold:
    """The row of that threshold, which the migration made."""
    return Threshold.objects.get(code=code)


def make_state(*, published=None, **fields) -> MeasureState:
    """In progress since a day of its own, as a draft, or public since ``published``."""
    defaults = {
        "since": date(2020, 1, 1) + timedelta(days=number() % 1_000),
        "status": MeasureStatus.IN_PROGRESS,
        "reason": "已经开工。",
    }
    if "measure" not in fields:
        defaults["measure"] = make_measure()
    return MeasureState.objects.create(**submission(published, **defaults | fields))
