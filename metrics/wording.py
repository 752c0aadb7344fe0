"""How a figure is written for a reader: number, unit and qualifier in their language."""

from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from measures.numerals import plain, rounded
from measures.text import day_in_words, in_chinese

from .rules.baseline import Baseline, BaselineSource
from .rules.choices import MONEY, PERCENTAGE, RANK, Certainty, Kind, Qualifier
from .rules.freshness import Timeliness
from .rules.periods import is_over, period_text
from .rules.progress import multiple

ENGLISH_MONEY = (
    (Decimal(10) ** 9, "billion"),
    (Decimal(10) ** 6, "million"),
)


def figure_text(value: Decimal, unit, qualifier: str = Qualifier.EXACT) -> str:
    """A value with unit and qualifier: 约5亿元 or about CNY 500 million, 第6位 or rank 6."""
    if in_chinese():
        return _chinese(value, unit, qualifier)
    return f"{_english_qualifier(qualifier)}{_english(value, unit)}"


def observed_text(observation, unit) -> str:
    """The figure of an observation, with a word where it is preliminary or expected."""
    figure = figure_text(observation.value, unit, observation.qualifier)
    if observation.certainty == Certainty.ACTUAL:
        return figure
    certainty = observation.get_certainty_display()
    return _("%(figure)s (%(certainty)s)") % {"figure": figure, "certainty": certainty}


def period_in_words(start: date | None, end: date) -> str:
    """A period as prose has it: 2022年, 截至2023年7月24日, 2021年1月1日至2023年7月24日.

    A whole year and a quarter are what ``period_text`` says.
    """
    if start is None:
        return _("up to %(end)s") % {"end": day_in_words(end)}
    if start == end:
        return day_in_words(end)
    if (text := period_text(start, end)) != f"{start.isoformat()} – {end.isoformat()}":
        return text
    return _("%(start)s to %(end)s") % {"start": day_in_words(start), "end": day_in_words(end)}


def why_not_actual(certainty: str, end: date, on: date) -> str:
    """What is said on the day ``on`` of a value that is called actual before its period ``end``s;
    empty of any other."""
    if certainty != Certainty.ACTUAL or is_over(end, on):
        return ""
    return _(
        "The period ends only on %(day)s: until then a value can be expected or preliminary, "
        "not actual."
    ) % {"day": end.isoformat()}


def no_figure_yet_text(end: date) -> str:
    """What is said of a period that has not ended yet and is called one without a figure."""
    return _("The period ends only on %(day)s: until then nobody knows that it has no figure.") % {
        "day": end.isoformat()
    }


def no_figure_text(reason: str) -> str:
    """What stands in place of a figure: 未报数据：尚未确定."""
    return _("no figure: %(reason)s") % {"reason": reason}


def timeliness_text(found: Timeliness) -> str:
    """Whether a figure was reported when due, and how many periods were passed over."""
    if not found.gaps:
        return str(found.state.label)
    gaps = ngettext(
        "%(n)d earlier period never reported", "%(n)d earlier periods never reported", found.gaps
    )
    return f"{found.state.label} · {gaps % {'n': found.gaps}}"


def percent_text(value: Decimal | None) -> str:
    """A percentage to two decimals, such as 48.83% or −27.14%; empty if there is none."""
    return "" if value is None else f"{plain(rounded(value))}%".replace("-", "−")


def days_left_text(days: int | None) -> str:
    """How long it is until a day, or since when it is over; empty where it is not known."""
    if days is None:
        return ""
    if days < 0:
        return ngettext("over for %(n)d day", "over for %(n)d days", -days) % {"n": -days}
    return ngettext("%(n)d day left", "%(n)d days left", days) % {"n": days}


def baseline_text(baseline: Baseline | None, unit) -> str:
    """From what the way to a target is measured, and why: 6.02亿元（2024-12-31, …）."""
    if baseline is None:
        return _("not known")
    before = baseline.before
    said = {
        "figure": figure_text(
            baseline.value, unit, before.qualifier if before else Qualifier.EXACT
        ),
        "source": baseline.source.label,
    }
    if baseline.source == BaselineSource.BEFORE:
        said["period"] = period_text(*before.period)
        return _("%(figure)s, %(period)s (%(source)s)") % said
    return _("%(figure)s (%(source)s)") % said


def _chinese(value, unit, qualifier) -> str:
    number = plain(value, grouping=True)
    before = {Qualifier.ABOUT: "约", Qualifier.NEARLY: "近"}.get(qualifier, "")
    if unit.quantity == RANK:
        return f"{before}第{number}位"
    after = ""
    if qualifier == Qualifier.OVER:
        # 余 stands after whole numbers from ten on only: 2700余家, but 超过3.5亿元.
        if unit.quantity == PERCENTAGE or value % 1 or value < 10:
            before = "超过"
        else:
            after = "余"
    return f"{before}{number}{after}{unit.name}"


def _english_qualifier(qualifier) -> str:
    return {
        Qualifier.ABOUT: "about ",
        Qualifier.NEARLY: "nearly ",
        Qualifier.OVER: "over ",
    }.get(qualifier, "")


def _english(value, unit) -> str:
    if unit.quantity == RANK:
        return f"rank {plain(value)}"
    if unit.quantity == PERCENTAGE:
        return f"{plain(value)}%"
    if unit.quantity == MONEY:
        yuan = value * unit.factor
        for size, word in ENGLISH_MONEY:
            if abs(yuan) >= size:
                return f"CNY {plain(yuan / size, grouping=True)} {word}"
        return f"CNY {plain(yuan, grouping=True)}"
    times = "× " if unit.name_en[:1].isdigit() else ""
    return f"{plain(value, grouping=True)} {times}{unit.name_en}"


def as_written_text(observation) -> str:
    """The figure as printed; 翻两番, which readers take for doubling, with its multiple ×4."""
    text = observation.as_written
    return f"{text}（×{plain(multiple(observation.value))}）" if "番" in text else text


def aggregation_rule(kind: str) -> str:
    """What the kind of an indicator allows: only flows of successive periods add up."""
    return {
        Kind.FLOW: _(
            "Values of successive periods may be added up; values of overlapping periods may not."
        ),
        Kind.STOCK: _(
            "A state at a point in time: never added up over time, and never worked out as the "
            "last state plus additions, because exits are not reported."
        ),
        Kind.CUMULATIVE: _(
            "A running total that already contains the earlier values: never added up over time."
        ),
        Kind.SHARE: _("A share: neither added up nor averaged."),
        Kind.GROWTH: _("A growth rate: neither added up nor averaged."),
        Kind.RANK: _("A rank: neither added up nor averaged."),
        Kind.CAPACITY: _(
            "A ceiling or capacity, not what was used of it: never added to amounts paid or taken."
        ),
    }[kind]
