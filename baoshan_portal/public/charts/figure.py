"""A chart as pages show it: its caption, its forms for screens of all widths, and its notes."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from measures.text import in_chinese
from measures.watermark import watermarked
from metrics.models import Indicator, Observation
from metrics.rules.choices import MONEY, Certainty, Kind

from ..display import chosen
from . import drawing, history
from .caption import Caption, caption
from .comparison import Group
from .files import draws_png
from .frame import FORMS, ON_PAPER, Heading, inline


@dataclass(frozen=True)
class Figure:
    """``forms`` are the drawings by the name of their form, None where they cannot be drawn;
    ``groups`` stand instead of them where the chart is a list with bars."""

    caption: Caption
    forms: list[tuple[str, SafeString]] | None = None
    groups: list[Group] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def history_figure(
    request, row: Indicator, former: history.Former, *, draw: bool = True
) -> Figure | None:
    """The chart of ``row`` (with ``public_values`` and ``loaded_targets``) over time; None where
    there is nothing to compare. Without ``draw`` only what it says of itself."""
    on = request.as_of or timezone.localdate()
    drawn = history.series(row, row.public_values)
    if not history.has_history(drawn, row.loaded_targets):
        return None
    about = caption(
        request,
        str(row),
        _subtitle(row, drawn),
        sources=[value.document for value in reversed(drawn)],
        newest=row.latest and row.latest.period_end,
        page="indicator",
        embed="embed-indicator",
        chart="indicator-chart",
        args=(row.code,),
        height=FORMS[0].height,
    )
    forms = _forms(request, row, drawn, on, former) if draw else None
    return Figure(about, forms, notes=_notes(row, drawn, former))


def history_pictures(rows: Iterable[Indicator], on: date) -> list[tuple[Indicator, bytes]]:
    """The PNG of each row (with ``public_values`` and ``loaded_targets``) that has a history to
    draw, for paper; none where this machine cannot draw them."""
    known = [(row, history.series(row, row.public_values)) for row in rows]
    known = [(row, d) for row, d in known if history.has_history(d, row.loaded_targets)]
    if not known or not draws_png():
        return []
    specs = [
        history.spec(
            row, drawn, row.loaded_targets, on,
            Heading(watermarked(str(row)), (_subtitle(row, drawn),)), form=ON_PAPER,
        )
        for row, drawn in known
    ]  # fmt: skip
    pictures = drawing.pngs(specs)
    return [(row, png) for (row, _drawn), png in zip(known, pictures, strict=True) if png]


def _subtitle(row: Indicator, drawn: list[Observation]) -> str:
    """What is counted, in which unit, over which time."""
    said = {
        "kind": row.get_kind_display(),
        "unit": history.unit_text(row, drawn, row.loaded_targets),
        "period": history.span_text(row, drawn),
    }
    # The unit of a rank is that it is one.
    if row.kind == Kind.RANK:
        return f"{said['kind']} · {said['period']}"
    return _("%(kind)s · unit: %(unit)s · %(period)s") % said


def _forms(request, row, drawn, on: date, former) -> list[tuple[str, SafeString]] | None:
    large = chosen(request)["size"] == "large"
    forms = [form.large() if large else form for form in FORMS]
    specs = [
        history.spec(row, drawn, row.loaded_targets, on, form=form, former=former) for form in forms
    ]
    svgs = drawing.svgs(specs)
    if None in svgs:
        return None
    return [(form.name, inline(svg)) for form, svg in zip(forms, svgs, strict=True)]


def _notes(row: Indicator, drawn: list[Observation], former) -> list[str]:
    """What cannot be said beside the marks themselves."""
    notes = []
    if any(value.certainty != Certainty.ACTUAL for value in drawn):
        notes.append(_("Hollow: preliminary or expected."))
    if any(value.pk in former for value in drawn):
        notes.append(_("Cross or ring: the value was corrected; the cross is what it said first."))
    if history.gaps_of(row, drawn):
        notes.append(_("Where the line or the bars break off, nothing was reported."))
    if len(drawn) < len(row.public_values):
        notes.append(
            _(
                "Values over periods of another length, or that begin on another day, stand in "
                "the table only."
            )
        )
    return notes


def comparison_figure(
    request,
    category: str,
    label: str,
    quantity: str,
    unit: str,
    groups: list[Group],
    *,
    sources: list[str],
    newest: date,
) -> Figure:
    """The figures of one quantity of a category beside each other, as a list with bars."""
    bars = [bar for group in groups for bar in group.bars]
    if quantity == MONEY and not in_chinese():
        # English amounts are told in millions and billions, whatever unit they were reported in.
        unit = "CNY"
    about = caption(
        request,
        capfirst(_("%(category)s in %(unit)s") % {"category": label, "unit": unit}),
        _("Latest value of each figure, the largest first · as reported"),
        sources=sources,
        newest=newest,
        page="compare",
        embed="embed-compare",
        chart="compare-chart",
        args=(category, quantity),
        height=60 * len(bars),
    )
    notes = [_("Bars begin at zero. The figures are put beside each other, never added up.")]
    if len(groups) > 1:
        notes.append(_("Each group has a scale of its own; bars of two groups do not compare."))
    if any(bar.is_hollow for bar in bars):
        notes.append(_("Hollow: preliminary or expected."))
    return Figure(about, groups=groups, notes=notes)
