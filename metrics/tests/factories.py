"""Figures for tests: every function makes a valid row, and keywords replace what matters."""

from datetime import date
from decimal import Decimal

from measures.models import Withdrawal
from measures.tests.factories import (
    ISSUED,
    make_department,
    make_measure,
    make_round,
    make_user,
    named,
    number,
    order,
    submission,
    the_opinion,
)

from ..models import (
    Check,
    CheckTerm,
    CompulsoryPair,
    Indicator,
    NoFigure,
    Observation,
    Plan,
    RoundDue,
    TableMapping,
    Target,
    Unit,
    UsualBounds,
)
from ..rules.checks import CheckKind, Role
from ..rules.choices import Category, Kind, Missing
from ..withdrawal import withdrawal_of


def make_unit(**fields) -> Unit:
    """A base unit of its own quantity: 家, counting organisations."""
    defaults = {"name": "家", "name_en": "organisations", "quantity": "organisations"}
    return Unit.objects.create(**named("unit", "", **defaults | fields))


def make_money() -> dict[str, Unit]:
    """元, 万元 and 亿元 by their printed names."""
    yuan = make_unit(name="元", name_en="yuan", quantity="money")
    wan = make_unit(
        name="万元", name_en="10,000 yuan", quantity="money", base=yuan, factor=Decimal(10**4)
    )
    yi = make_unit(
        name="亿元", name_en="100 million yuan", quantity="money", base=yuan, factor=Decimal(10**8)
    )
    return {"元": yuan, "万元": wan, "亿元": yi}


def make_indicator(**fields) -> Indicator:
    """A yearly flow in 家 that is public since ISSUED, on a public measure."""
    defaults = {
        "order": order(),
        "category": Category.ENTERPRISES,
        "kind": Kind.FLOW,
        "scope": "口径",
        "scope_en": "Scope",
        "published_on": ISSUED,
    }
    if "measure" not in fields:
        defaults["measure"] = make_measure()
    if "unit" not in fields:
        defaults["unit"] = make_unit()
    return Indicator.objects.create(**named("indicator", "指标", **defaults | fields))


def source(fields: dict) -> dict:
    """A source of its own by name, unless ``fields`` give a source."""
    return {} if {"report", "source_name"} & set(fields) else {"source_name": f"台账{number()}"}


def make_observation(*, published=None, **fields) -> Observation:
    """5 over the year 2022 as a draft, or public since ``published`` (see ``submission``)."""
    defaults = {
        "period_start": date(2022, 1, 1),
        "period_end": date(2022, 12, 31),
        "value": Decimal(5),
        **source(fields),
    }
    if "indicator" not in fields:
        defaults["indicator"] = make_indicator()
    fields = defaults | fields
    fields.setdefault("as_written", f"{fields['value']}{fields['indicator'].unit.name}")
    return Observation.objects.create(**submission(published, **fields))


def make_no_figure(*, published=None, **fields) -> NoFigure:
    """That nothing is settled yet for the year 2022, as a draft, or public since ``published``."""
    defaults = {
        "period_start": date(2022, 1, 1),
        "period_end": date(2022, 12, 31),
        "reason": Missing.NOT_YET_SETTLED,
        **source(fields),
    }
    if "indicator" not in fields:
        defaults["indicator"] = make_indicator()
    return NoFigure.objects.create(**submission(published, **defaults | fields))


def make_plan(**fields) -> Plan:
    """A plan for the three years 2021 to 2023."""
    defaults = {"start_on": date(2021, 1, 1), "end_on": date(2023, 12, 31)}
    if "opinion" not in fields:
        defaults["opinion"] = the_opinion()
    return Plan.objects.create(**named("plan", "计划", **defaults | fields))


def make_target(*, published=None, **fields) -> Target:
    """At least 10, due with its plan, as a draft, or public since ``published``."""
    defaults = {"value": Decimal(10), **source(fields)}
    if "indicator" not in fields:
        defaults["indicator"] = make_indicator()
    if "plan" not in fields:
        defaults["plan"] = make_plan()
    return Target.objects.create(**submission(published, **defaults | fields))


def make_check(**fields) -> Check:
    """A part that is at most the whole; the terms are made by ``make_term``."""
    defaults = {"kind": CheckKind.PART, "order": order()}
    return Check.objects.create(**named("check", "勾稽", **defaults | fields))


def make_term(**fields) -> CheckTerm:
    defaults = {"role": Role.WHOLE}
    if "check_of" not in fields:
        defaults["check_of"] = make_check()
    if "indicator" not in fields:
        defaults["indicator"] = make_indicator()
    return CheckTerm.objects.create(**defaults | fields)


def make_whole_check(**fields) -> Check:
    """A check with both its figures; ``indicator`` is its part."""
    part = fields.pop("indicator", None) or make_indicator()
    check = make_check(**fields)
    make_term(check_of=check, role=Role.PART, indicator=part)
    make_term(check_of=check, indicator=make_indicator(unit=part.unit))
    return check


def make_table_mapping(**fields) -> TableMapping:
    missing = {
        "name": "主要指标完成情况表", "months": 1, "number": 1,
        "layout": {
            "rows": 1, "columns": ["指标", "{M}月"], "name": "指标", "unit": "", "value": "{M}月",
            "total": "", "growth": "",
        },
    }  # fmt: skip
    makers = {"department": make_department, "by": make_user}
    missing |= {name: make() for name, make in makers.items() if name not in fields}
    return TableMapping.objects.create(**missing | fields)


def make_bounds(**fields) -> UsualBounds:
    """From 1 to 100."""
    missing = {"least": Decimal(1), "largest": Decimal(100)}
    if "indicator" not in fields:
        missing["indicator"] = make_indicator()
    return UsualBounds.objects.create(**missing | fields)


def make_pair(**fields) -> CompulsoryPair:
    """Two indicators of one measure."""
    measure = make_measure()
    missing = {n: make_indicator(measure=measure) for n in ("first", "second") if n not in fields}
    return CompulsoryPair.objects.create(**missing | fields)


def make_round_due(**fields) -> RoundDue:
    """What a round asked of a department when it was locked."""
    makers = {"round": make_round, "indicator": make_indicator, "department": make_department}
    missing = {name: make() for name, make in makers.items() if name not in fields}
    return RoundDue.objects.create(**missing, **fields)


def make_withdrawal(row, *, published=None, **fields) -> Withdrawal:
    """A draft of the withdrawal of ``row``, or one that is public since ``published``."""
    withdrawal = withdrawal_of(row, **submission(published, **{"reason": "误报。"} | fields))
    withdrawal.save()
    return withdrawal
