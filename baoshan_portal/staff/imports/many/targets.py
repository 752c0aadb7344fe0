"""Targets from a file; each is a draft, or a correction of what is public, and is reviewed."""

from decimal import Decimal

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from measures import access, workflow
from measures.models import Report
from measures.numerals import plain
from measures.submission import State
from metrics.entry import read_entry
from metrics.models import Indicator, Plan, Target, Unit
from metrics.rules.choices import Claim, Comparator, Qualifier
from metrics.rules.quantity import QuantityError

from ..cells import Names, Words, read_day_or_none
from ..columns import Column
from ..importing import FileRow, normalised, refusal
from .core import Kind, Reader, RowChange, check, difference, read_each, said

COLUMNS = (
    Column("indicator_code", "指标代码", "Indicator code", 28),
    Column("indicator", "指标", "Indicator", 36),
    Column("plan", "计划", "Plan", 30),
    Column("comparator", "比较", "Comparator", 8),
    Column("value", "目标值", "Target value", 14),
    Column("due_on", "期限", "Due on", 14),
    Column("baseline", "基期值", "Baseline", 14),
    Column("claim", "报告所称", "Claim", 18),
    Column("report", "报告文号", "Report", 24),
    Column("locator", "报告位置", "Place in the report", 14),
    Column("source_name", "其他来源", "Other source", 30),
    Column("note", "说明", "Note", 36),
    Column("reason", "更正理由", "Reason for correction", 36),
)
FIELDS = (
    "comparator", "value", "baseline", "claim", "report", "locator", "source_name", "note",
)  # fmt: skip
#: What people write for the signs, after ``normalised``
_SIGNS = {
    ">=": Comparator.AT_LEAST, "不低于": Comparator.AT_LEAST, "不少于": Comparator.AT_LEAST,
    "达到": Comparator.AT_LEAST, "<=": Comparator.AT_MOST, "不高于": Comparator.AT_MOST,
    "不超过": Comparator.AT_MOST, "控制在": Comparator.AT_MOST, "等于": Comparator.EXACTLY,
}  # fmt: skip


class TargetReader(Reader):
    def __init__(self, by):
        super().__init__(by)
        self.indicators = Names(
            Indicator.objects.with_place(),
            _("There is no indicator “%(text)s”: it is made first, in a review of its own."),
        )
        self.plans = Names(Plan.objects.all(), _("There is no plan “%(text)s”."))
        self.units = {unit.name: unit for unit in Unit.objects.all()}
        self.reports = {}
        for report in Report.objects.all():
            self.reports |= {report.code: report, normalised(report.number): report}
        self.readers = {
            "comparator": self._comparator,
            "due_on": read_day_or_none,
            "claim": Words(Claim).read,
            "report": self._report,
            "locator": str,
            "source_name": str,
            "note": str,
        }
        self.words = Words(Comparator)
        self.stored = {}
        # The last revision of each is the one that counts, or the correction under way.
        for target in targets().order_by("revision"):
            self.stored[_key(target)] = target
        drafts = access.editable(by, Target.objects.all())
        self.editable = set(drafts.values_list("pk", flat=True))
        standing = Indicator.objects.not_withdrawn().order_by()
        self.standing = set(standing.values_list("pk", flat=True))
        self.drafts: list[Target] = []

    def take(self, row: FileRow) -> RowChange:
        cells = said(row, but=("indicator_code", "indicator", "plan"))
        indicator, plan = self._indicator(row), self._plan(row)
        values = read_each(cells, self.readers)
        for name in ("value", "baseline"):
            if name in cells:
                values[name] = self._figure(name, cells[name], indicator)
        key = indicator.pk, plan.pk, values.pop("due_on", None)
        self.once(key, row, "indicator_code")
        stored = self.stored.get(key)
        target = self._in_hand(stored, indicator, plan, key[2])
        is_new = stored is None
        old = self.texts(target) if stored else {}
        if values.get("report"):
            target.source_name = ""
        elif values.get("source_name"):
            target.report, target.locator = None, ""
        for name, value in values.items():
            setattr(target, name, value)
        changed = difference(TARGETS.labels, old, self.texts(target))
        if changed and indicator.pk not in self.standing:
            raise ValidationError({"indicator_code": _("This indicator is withdrawn.")})
        if changed:
            target = self._write(target, stored, cells.get("reason", ""))
        # What is a draft already is submitted too, if the file is.
        if changed or (target.pk in self.editable and stored is target):
            self.drafts.append(target)
        return RowChange(
            row.number, f"{indicator.code} · {plan.code}", str(target), is_new, changed
        )

    def _indicator(self, row: FileRow) -> Indicator:
        column = "indicator_code" if row.cells.get("indicator_code") else "indicator"
        if not row.cells.get(column):
            raise ValidationError({column: _("Expected the code or the name of an indicator.")})
        try:
            return self.indicators.read(row.cells[column])
        except ValueError as error:
            raise ValidationError({column: str(error)}) from None

    def _plan(self, row: FileRow) -> Plan:
        try:
            plan = self.plans.read(row.cells.get("plan", ""))
        except ValueError as error:
            raise ValidationError({"plan": str(error)}) from None
        if plan is None:
            raise ValidationError({"plan": _("Expected the plan that sets the target.")})
        return plan

    def _figure(self, column: str, text: str, indicator: Indicator) -> Decimal | None:
        """In the indicator's unit; 1.2亿元 and 12000万元 are the same."""
        if not text:
            return None
        try:
            entry = read_entry(text, indicator.unit, self.units)
        except QuantityError as error:
            raise ValidationError({column: str(error.message)}) from None
        if entry.qualifier != Qualifier.EXACT:
            raise ValidationError({column: _("Expected an exact figure: a target is not “about”.")})
        return entry.value

    def _comparator(self, text: str) -> Comparator:
        return _SIGNS.get(normalised(text)) or self.words.read(text)

    def _report(self, text: str) -> Report | None:
        if not text:
            return None
        report = self.reports.get(text) or self.reports.get(normalised(text))
        if report is None:
            raise ValueError(_("There is no report with this number."))
        return report

    def _in_hand(self, stored, indicator, plan, due_on) -> Target:
        """A new one, the stored draft, or what a correction would say."""
        if stored is None:
            return Target(indicator=indicator, plan=plan, due_on=due_on)
        if stored.state != State.PUBLISHED:
            return stored
        kept = {name: getattr(stored, name) for name in stored.content_fields()}
        return Target(**kept, supersedes=stored, revision=stored.revision + 1)

    def _write(self, target: Target, stored, reason: str) -> Target:
        if stored and stored.state == State.PUBLISHED:
            if not reason:
                text = _("Another target is public already: a correction must say why.")
                raise ValidationError({"reason": text})
            changes = {
                name: getattr(target, name)
                for name in FIELDS
                if getattr(target, name) != getattr(stored, name)
            }
            return workflow.correct(stored, by=self.by, reason=reason, **changes)
        if stored and (why_not := refusal(stored, self.editable)):
            raise ValidationError({"value": why_not})
        check(target)
        workflow.save(target, by=self.by, seen=stored.version if stored else None)
        return target

    def texts(self, target: Target) -> dict[str, str]:
        return {
            "indicator_code": target.indicator.code,
            "indicator": target.indicator.name,
            "plan": self.plans.write(target.plan),
            "comparator": Comparator(target.comparator).label,
            "value": _shown(target.value),
            "due_on": target.due_on.isoformat() if target.due_on else "",
            "baseline": _shown(target.baseline),
            "claim": str(Claim(target.claim).label),
            "report": target.report.number if target.report else "",
            "locator": target.locator,
            "source_name": target.source_name,
            "note": target.note,
        }

    def rows(self) -> list[list[str]]:
        """What stands or is under way; what a correction replaced is told by the correction."""
        chosen = sorted(self.stored.values(), key=lambda row: (row.plan.code, row.indicator.code))
        return [[*self.texts(target).values(), ""] for target in chosen]

    def finish(self, submit: bool) -> None:
        if submit:
            workflow.submit_all(self.drafts, by=self.by)


def _key(target: Target) -> tuple:
    return target.indicator_id, target.plan_id, target.due_on


def targets():
    return Target.objects.select_related(
        "indicator__unit", "indicator__measure__lead", "plan", "report"
    )


def _shown(value: Decimal | None) -> str:
    return "" if value is None else plain(value)


def may(user) -> bool:
    return user.has_perms(["metrics.add_target", "metrics.change_target"])


def choices() -> dict[str, tuple[str, ...]]:
    return {
        "comparator": tuple(choice.label for choice in Comparator),
        "claim": tuple(str(choice.label) for choice in Claim),
    }


TARGETS = Kind(
    "targets", Target, gettext_lazy("Targets by file"), COLUMNS, ("plan",), TargetReader, may,
    choices,
    (
        gettext_lazy(
            "One row is one target, found by indicator, plan and due date. A value in another "
            "unit of the same quantity is converted; empty means that the target was not "
            "published."
        ),
        gettext_lazy(
            "A target that is public already changes only by a correction with its reason."
        ),
    ),
    is_submitted=True,
)  # fmt: skip
