"""The design system on one page: every component with specimens, every colour with its contrast.

Nothing here is a figure of the report: the rows are made for this page and never stored.
"""

from datetime import date
from decimal import Decimal

import django_tables2 as tables
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from measures.models import Evaluation, Grade, OpinionStage, Stage
from metrics.models import Observation, Unit
from metrics.rules.checks import Result
from metrics.rules.choices import Certainty, Claim, Freshness, Qualifier, Verdict

from . import colours
from .as_of import address
from .committee import Axes, lines_of
from .lists.tables import NUMBER
from .table import Table

ENTERPRISES = Unit(name="家", name_en="enterprises", quantity="enterprises")
YUAN = Unit(name="亿元", name_en="hundred million yuan", quantity="money", factor=10**8)
METRES = Unit(name="平方米", name_en="square metres", quantity="area")
PERCENT = Unit(name="%", name_en="per cent", quantity="percentage")
RANK = Unit(name="名次", name_en="rank", quantity="rank")

LONG_NAME = gettext_lazy(
    "Specimen with a long name: enterprises that settled in the innovation carriers of the "
    "demonstration zone and transferred research results of universities there"
)


def specimen(value, unit, qualifier=Qualifier.EXACT, certainty=Certainty.ACTUAL):
    """A value as the pages show one; an empty name of its source says that it has none."""
    row = Observation(
        value=Decimal(value),
        qualifier=qualifier,
        certainty=certainty,
        period_start=date(2022, 1, 1),
        period_end=date(2022, 12, 31),
        period_inferred=True,
        source_name=_("specimen, no source"),
    )
    return row, unit


def figures() -> list:
    """What a figure can be, with a specimen of each."""
    return [
        (_("four digits"), *specimen(1475, ENTERPRISES)),
        (_("nine digits"), *specimen(123456789, METRES)),
        (_("about"), *specimen(5, YUAN, Qualifier.ABOUT)),
        (_("over"), *specimen(2700, ENTERPRISES, Qualifier.OVER)),
        (_("nearly"), *specimen(100, ENTERPRISES, Qualifier.NEARLY)),
        (_("below zero"), *specimen("-3.2", PERCENT)),
        (_("percentage"), *specimen("12.5", PERCENT)),
        (_("rank"), *specimen(6, RANK)),
        (_("expected"), *specimen(218, YUAN, certainty=Certainty.EXPECTED)),
        (_("preliminary"), *specimen("51.79", YUAN, certainty=Certainty.PRELIMINARY)),
        (_("no data: not a zero"), None, ENTERPRISES),
    ]


def stages() -> list:
    """A stage in time, one late, one overdue and one not due; the second day is not known."""
    days = {
        Stage.HANDED_OVER: date(2022, 1, 1),
        Stage.ANSWERED: date(2022, 7, 25),
        Stage.DELIBERATED: date(2022, 8, 1),
    }
    terms = {Stage.ANSWERED: 180, Stage.DELIBERATED: 240, Stage.EVALUATED: 300, Stage.CLOSED: 400}
    known = {
        stage: OpinionStage(
            stage=stage,
            happened_on=day,
            document=_("specimen, no source"),
            published_at=timezone.now(),
        )
        for stage, day in days.items()
    }
    return lines_of(known, date(2022, 12, 31), terms)


def evaluation(grade, *votes) -> Evaluation:
    """A specimen with the numbers of ``votes``; None or none at all: not published."""
    return Evaluation(
        body=_("Specimen office"),
        held_on=date(2022, 8, 1),
        grade=grade,
        **dict(zip(Evaluation.VOTES, votes, strict=False)),
    )


class SpecimenTable(Table):
    number = tables.Column(verbose_name=gettext_lazy("No."))
    name = tables.Column(verbose_name=gettext_lazy("Indicator"))
    figure = tables.Column(
        verbose_name=gettext_lazy("Latest value"),
        accessor="observation",
        attrs=NUMBER,
        orderable=False,
        empty_values=(),
    )

    class Meta:
        empty_text = gettext_lazy("No indicator answers to these filters.")

    def render_figure(self, value):
        return render_to_string("public/_figure.html", {"observation": value, "unit": METRES})


def specimen_rows(count: int) -> list[dict]:
    """Rows with short and long names, one of them without data."""
    return [
        {
            "number": n,
            "name": LONG_NAME if n % 3 == 1 else _("Specimen %(n)d") % {"n": n},
            "observation": None if n == 2 else specimen(10 ** (n % 9) + n, METRES)[0],
        }
        for n in range(1, count + 1)
    ]


def swatches(name: str) -> list:
    """Each pair of colours of the palette, its contrast and the one it needs."""
    codes = colours.palette(name)
    return [
        {
            "front": front,
            "ground": ground,
            "front_code": codes[front],
            "ground_code": codes[ground],
            "contrast": f"{colours.contrast(codes[front], codes[ground]):.2f}",
            "needed": needed,
        }
        for front, ground, needed in colours.PAIRS
    ]


def page(request):
    """Every component, rendered by the partials that the pages use."""
    table = SpecimenTable(specimen_rows(40))
    tables.RequestConfig(request, paginate={"per_page": 5}).configure(table)
    context = {
        "places": [
            (address(request, "overview"), "", _("Overview")),
            (address(request, "method"), "", _("Method")),
        ],
        "figures": figures(),
        "sourced": specimen(1475, ENTERPRISES)[0],
        "verdicts": list(Verdict),
        "results": list(Result),
        "freshness_states": list(Freshness),
        "stages": stages(),
        "axes": Axes(
            [(Verdict.MET, 2), (Verdict.BEHIND, 1)],
            [(Claim.MET, 1)],
            [evaluation(Grade.NOT_SATISFIED, 6, 11, 21, None), evaluation("")],
            [],
        ),
        "bars": [
            (Decimal("0.625"), _("5 of 8 quarters used")),
            (Decimal("1.2"), _("120%: more than the whole")),
            (Decimal(0), _("0%: known to be nothing")),
            (None, _("not known: no bar")),
        ],
        "long_name": LONG_NAME,
        "table": table,
        "empty_table": SpecimenTable([]),
        "palettes": [(_("Light"), swatches("light")), (_("Dark"), swatches("dark"))],
        "states": [
            (
                name,
                *(f"{colours.luminance(colours.palette(p)[name]):.3f}" for p in ("light", "dark")),
            )
            for name in colours.STATES
        ],
    }
    return render(request, "public/components.html", context)
