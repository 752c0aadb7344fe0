"""The public tables; each column is declared once, for the page and for the file."""

from decimal import Decimal

import django_tables2 as tables
from django.db.models import F
from django.template.loader import render_to_string
from django.utils.functional import cached_property
from django.utils.html import format_html, format_html_join
from django.utils.timezone import localdate
from django.utils.translation import gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from measures.models import Measure
from measures.models.tree import PLACE_IN_OPINION as MEASURES_PLACE
from measures.numerals import plain, rounded
from measures.spreadsheets import Kind
from metrics.assessment import assess, timeliness_of
from metrics.history import before, earlier_targets, target_text, target_value
from metrics.last_change import difference_text, last_change, year_on_year
from metrics.models import PLACE_IN_OPINION, Indicator, Target
from metrics.redefinition import redefined_text, redefinitions
from metrics.rules.choices import RANK
from metrics.rules.periods import period_text
from metrics.wording import (
    as_written_text,
    baseline_text,
    days_left_text,
    observed_text,
    percent_text,
    timeliness_text,
)

from .. import check_marks
from ..as_of import address
from ..table import Table

NUMBER = {"cell": {"class": "number"}}
WHOLE = {"cell": {"class": "whole"}}
WIDE = {"cell": {"class": "wide-name"}}
WORD = {"cell": {"class": "word"}}
WORD_NUMBER = {"cell": {"class": "number word"}}
PERIOD = {"cell": {"class": "period"}}
# What ``measures.spreadsheets.Column`` takes, for the file alone.
NARROW = {"file": {"width": 8}}
LONG = {"file": {"width": 24}}
NAME = {"file": {"width": 40}}
COUNT = {"file": {"kind": Kind.NUMBER, "width": 12}}
DAY = {"file": {"kind": Kind.DATE, "width": 12}}


def _in_files(name, accessor="pk") -> tables.Column:
    """A column of numbers that the page shows within another one, or not at all."""
    return tables.Column(
        verbose_name=name, accessor=accessor, orderable=False, visible=False, attrs=COUNT
    )


class DayColumn(tables.Column):
    """A day such as 2023-07-25; the library's own column compiles a template for each cell."""

    empty_values = ()

    def render(self, value, bound_column):
        return value.isoformat() if value else bound_column.default


class OpinionTable(Table):
    """Its subclasses have a column for the opinion of each row, because a number is unique only
    within an opinion; a list leaves it out where there is one opinion."""

    def render_opinion(self, value):
        return value.number


class MeasureTable(OpinionTable):
    number = tables.Column(verbose_name=_("No."), order_by=MEASURES_PLACE, attrs=NARROW)
    opinion = tables.Column(
        verbose_name=_("Opinion"),
        accessor="theme__section__opinion",
        order_by=MEASURES_PLACE,
        attrs=WHOLE | LONG,
    )
    name = tables.Column(verbose_name=_("Measure"), accessor="pk", order_by="name", attrs=NAME)
    theme = tables.Column(verbose_name=_("Theme"), order_by=MEASURES_PLACE[:-1], attrs=LONG)
    lead = tables.Column(verbose_name=_("Lead department"), empty_values=(), attrs=LONG)
    lead_confirmed = tables.BooleanColumn(verbose_name=_("Lead confirmed"), visible=False)
    status = tables.Column(
        verbose_name=pgettext_lazy("of a measure", "State"), empty_values=(), attrs=LONG
    )
    state_on = DayColumn(
        verbose_name=_("In this state since"),
        accessor="current_state__since",
        orderable=False,
        visible=False,
    )
    state_source = tables.Column(
        verbose_name=_("Who says so"),
        accessor="current_state",
        orderable=False,
        visible=False,
        attrs=LONG,
    )
    indicator_count = tables.Column(verbose_name=_("Figures"), attrs=NUMBER | COUNT)
    latest_note_on = DayColumn(verbose_name=_("Latest note"))

    class Meta:
        model = Measure
        fields = ()
        sequence = (
            "opinion", "number", "name", "theme", "lead", "lead_confirmed", "status", "state_on",
            "state_source", "indicator_count", "latest_note_on",
        )  # fmt: skip
        empty_text = _("No measure answers to these filters.")

    def render_name(self, record):
        return format_html('<a href="{}">{}</a>', address(self.request, record), record)

    def value_name(self, record):
        return str(record)

    def render_lead(self, record):
        if record.lead is None:
            return _("not known")
        if record.lead_confirmed:
            return str(record.lead)
        return format_html('{} <span class="mark">{}</span>', record.lead, _("proposed"))

    def value_lead(self, record):
        return str(record.lead or "")

    def render_status(self, record):
        words = {"state": record.current_state, "brief": True}
        return render_to_string("public/_measure_state.html", words)

    def value_status(self, record):
        state = record.current_state
        return state.get_status_display() if state else ""

    def value_state_source(self, value):
        return value.source_text or _("confirmed by the department")

    def value_lead_confirmed(self, record):
        return record.lead_confirmed


class IndicatorTable(OpinionTable):
    number = tables.Column(
        verbose_name=_("No."),
        accessor="measure__number",
        order_by=PLACE_IN_OPINION,
        attrs=NARROW,
    )
    opinion = tables.Column(
        verbose_name=_("Opinion"),
        accessor="measure__theme__section__opinion",
        order_by=PLACE_IN_OPINION,
        attrs=WHOLE | LONG,
    )
    code = tables.Column(verbose_name=_("Code"), visible=False, attrs=LONG)
    name = tables.Column(verbose_name=_("Indicator"), accessor="pk", order_by="name", attrs=NAME)
    measure = tables.Column(verbose_name=_("Measure"), order_by=("measure__name",), attrs=NAME)
    figure = tables.Column(
        verbose_name=_("Latest value"),
        accessor="pk",
        attrs=NUMBER,
    )
    value = tables.Column(
        verbose_name=_("Value"),
        accessor="latest__value",
        orderable=False,
        visible=False,
        attrs=COUNT,
    )
    unit = tables.Column(verbose_name=_("Unit"), orderable=False, visible=False)
    qualifier = tables.Column(
        verbose_name=_("Qualifier"),
        accessor="latest__get_qualifier_display",
        orderable=False,
        visible=False,
    )
    as_written = tables.Column(verbose_name=_("As written"), accessor="latest", orderable=False)
    period = tables.Column(
        verbose_name=_("Period"), accessor="latest", orderable=False, attrs=PERIOD | LONG
    )
    inferred = tables.Column(
        verbose_name=_("Period inferred"),
        accessor="latest__period_inferred",
        orderable=False,
        visible=False,
    )
    category = tables.Column(verbose_name=_("Category"), attrs=WORD)
    kind = tables.Column(verbose_name=_("Kind"), attrs=WORD)
    # The page shows it by a mark beside the name.
    checks = tables.Column(
        verbose_name=_("Checks with other figures"),
        accessor="pk",
        orderable=False,
        visible=False,
        attrs=LONG,
    )
    change = tables.Column(
        verbose_name=pgettext_lazy("of a figure", "Change"),
        accessor="pk",
        orderable=False,
        visible=False,
        attrs=LONG,
    )
    year_on_year = tables.Column(
        verbose_name=_("Year on year"), accessor="pk", orderable=False, visible=False, attrs=LONG
    )
    # The page of the indicator shows it.
    fresh = tables.Column(
        verbose_name=_("Reported when due"), accessor="pk", orderable=False, visible=False
    )
    source = tables.Column(
        verbose_name=_("Source"), accessor="latest", orderable=False, attrs=WHOLE | LONG
    )

    class Meta:
        model = Indicator
        fields = ()
        sequence = (
            "opinion", "number", "code", "name", "measure", "figure", "value", "unit", "qualifier",
            "as_written", "period", "inferred", "category", "kind", "checks",
            "fresh", "source", "change", "year_on_year",
        )  # fmt: skip
        empty_text = _("No indicator answers to these filters.")

    def render_name(self, record):
        return _marked(self.request, record)

    def value_name(self, record):
        return str(record)

    def render_measure(self, record):
        return format_html(
            '<a href="{}">{}</a>', address(self.request, record.measure), record.measure
        )

    def value_measure(self, record):
        return str(record.measure)

    def order_figure(self, rows, is_descending):
        """Rows without a value stand last both ways: missing is neither least nor most."""
        rows = rows.with_latest_base_value(self.request.as_of)
        value = F("latest_base_value")
        order = value.desc(nulls_last=True) if is_descending else value.asc(nulls_last=True)
        return rows.order_by(order, *rows.query.order_by), True

    def render_figure(self, record):
        return _figure(record.latest, record.unit)

    def value_figure(self, record):
        latest = record.latest
        return observed_text(latest, record.unit) if latest else ""

    def render_as_written(self, value):
        return as_written_text(value)

    def value_value(self, value):
        # As a number, but 51.79 rather than 51.7900.
        return Decimal(plain(value))

    def render_period(self, value):
        text = period_text(value.period_start, value.period_end)
        # A narrow column breaks between the dates and not within one.
        days = format_html_join(
            " – ", '<span class="whole">{}</span>', ((day,) for day in text.split(" – "))
        )
        if value.period_inferred:
            return format_html('{} <span class="mark">{}</span>', days, _("inferred"))
        return days

    def value_period(self, value):
        return period_text(value.period_start, value.period_end)

    def value_fresh(self, record):
        found = timeliness_of(record, self.request.as_of or localdate())
        return timeliness_text(found)

    def value_change(self, record):
        change = last_change(record)
        return change.text if change else ""

    def value_year_on_year(self, record):
        change = year_on_year(record)
        return change.text if change else ""

    def value_checks(self, value):
        return check_marks.words(check_marks.of_page(self.request).get(value, []))

    def render_source(self, value):
        return value.source_text


class TargetTable(OpinionTable):
    opinion = tables.Column(
        verbose_name=_("Opinion"),
        accessor="indicator__measure__theme__section__opinion",
        order_by=tuple(f"indicator__{column}" for column in PLACE_IN_OPINION),
        attrs=WHOLE | LONG,
    )
    indicator = tables.Column(
        verbose_name=_("Indicator"), order_by="indicator__name", attrs=WIDE | NAME
    )
    # On the page plan and lead stand below the indicator's name.
    plan = tables.Column(verbose_name=_("Plan"), visible=False, attrs=LONG)
    lead = tables.Column(
        verbose_name=_("Lead department"),
        accessor="indicator__measure__lead",
        orderable=False,
        visible=False,
        attrs=LONG,
    )
    lead_confirmed = tables.BooleanColumn(
        verbose_name=_("Lead confirmed"),
        accessor="indicator__measure__lead_confirmed",
        orderable=False,
        visible=False,
    )
    target = tables.Column(
        verbose_name=_("Target"), accessor="pk", attrs=WORD_NUMBER, orderable=False
    )
    target_number = _in_files(_("Target value"), "value")
    unit = tables.Column(
        verbose_name=_("Unit"), accessor="indicator__unit", orderable=False, visible=False
    )
    due_on = DayColumn(verbose_name=_("Due on"), default=_("not published"), attrs=WORD | DAY)
    days_left = _in_files(_("Days left"))
    latest = tables.Column(
        verbose_name=_("Latest value"), accessor="indicator", attrs=NUMBER, orderable=False
    )
    latest_number = _in_files(_("Value"), "indicator")
    period_end = tables.Column(
        verbose_name=_("Period to"),
        accessor="indicator",
        orderable=False,
        visible=False,
        attrs=DAY,
    )
    difference = tables.Column(
        verbose_name=_("Difference"), accessor="pk", attrs=WORD_NUMBER | COUNT, orderable=False
    )
    completion = tables.Column(
        verbose_name=_("Completion (%)"), accessor="pk", attrs=NUMBER | COUNT, orderable=False
    )
    baseline = _in_files(_("Baseline"))
    baseline_source = tables.Column(
        verbose_name=_("What the baseline is"),
        accessor="pk",
        orderable=False,
        visible=False,
        attrs=LONG,
    )
    progress = tables.Column(
        verbose_name=_("Progress since the baseline (%)"),
        accessor="pk",
        attrs=COUNT,
        orderable=False,
    )
    claim = tables.Column(verbose_name=_("What the report says"), attrs=PERIOD)
    verdict = tables.Column(verbose_name=_("What can be concluded"), accessor="pk", orderable=False)
    # On the page it stands below what the report says.
    source = tables.Column(
        verbose_name=_("Source"),
        accessor="source_text",
        orderable=False,
        visible=False,
        attrs=LONG,
    )
    # The page shows them in the cells of today's target, due date and verdict.
    first_target = tables.Column(
        verbose_name=_("First target"),
        accessor="pk",
        orderable=False,
        visible=False,
        attrs=LONG,
    )
    first_due = tables.Column(
        verbose_name=_("First due date"), accessor="pk", orderable=False, visible=False
    )
    slip = tables.Column(
        verbose_name=_("Put off by (days)"),
        accessor="pk",
        orderable=False,
        visible=False,
        attrs=COUNT,
    )
    redefined = tables.Column(
        verbose_name=_("Changed by a redefinition"),
        accessor="pk",
        orderable=False,
        visible=False,
        attrs=LONG,
    )
    # The page shows it in a table of its own below.
    earlier = tables.Column(
        verbose_name=_("What it said before"),
        accessor="pk",
        orderable=False,
        empty_values=(),
        visible=False,
        attrs=NAME,
    )

    class Meta:
        model = Target
        fields = ()
        sequence = ("opinion", "...")
        empty_text = _("No target answers to these filters.")

    def render_indicator(self, record, value):
        words = {"plan": record.plan, "lead": value.measure.lead, "request": self.request}
        words["proposed"] = not value.measure.lead_confirmed
        below = render_to_string("public/_target_place.html", words)
        return format_html("{}<br>{}", _marked(self.request, value), below)

    def value_indicator(self, value):
        return str(value)

    def value_target(self, record):
        return target_value(record)

    def render_target(self, record):
        first = self.terms_of(record).first
        if first.pk == record.pk:
            return target_value(record)
        return format_html(
            "{}<br><small>{}</small>",
            target_value(record),
            _("first: %(target)s") % {"target": target_value(first)},
        )

    def render_due_on(self, record, value):
        if record.due_on is None:
            return gettext("not published")
        terms = self.terms_of(record)
        left = days_left_text(self.value_days_left(record))
        value = format_html("{}<br><small>{}</small>", value, left)
        if not terms.slip:
            return value
        slipped = render_to_string("public/_slip.html", {"slip": terms.slip})
        first = _("first: %(target)s") % {"target": terms.first_due.isoformat()}
        return format_html("{}<br><small>{} · {}</small>", value, first, slipped.strip())

    def value_due_on(self, record):
        return record.due_on

    def value_days_left(self, record):
        """Below zero once the day is over; None where it is not published."""
        return (record.due_on - self.on).days if record.due_on else None

    def value_target_number(self, value):
        return Decimal(plain(value))

    def value_latest_number(self, value):
        return Decimal(plain(value.latest.value)) if value.latest else None

    def value_period_end(self, value):
        return value.latest and value.latest.period_end

    def value_lead_confirmed(self, record):
        return record.indicator.measure.lead_confirmed

    def difference_of(self, record):
        """The newest value less the target; None where one is not known or only expected."""
        reported = record.indicator.reported
        return reported.value - record.value if reported and record.value is not None else None

    def render_difference(self, record):
        difference = self.difference_of(record)
        return "—" if difference is None else _gap_text(difference, record.indicator.unit)

    def value_difference(self, record):
        difference = self.difference_of(record)
        return None if difference is None else Decimal(plain(difference))

    def value_baseline(self, record):
        baseline = self.assessment_of(record).baseline
        return baseline and Decimal(plain(baseline.value))

    def value_baseline_source(self, record):
        return baseline_text(self.assessment_of(record).baseline, record.indicator.unit)

    def value_first_target(self, record):
        return target_value(self.terms_of(record).first)

    def value_first_due(self, record):
        return self.terms_of(record).first_due.isoformat()

    def value_slip(self, record):
        return self.terms_of(record).slip

    def value_redefined(self, record):
        return redefined_text(self.terms_of(record))

    def render_latest(self, value):
        return _figure(value.latest, value.unit)

    def value_latest(self, value):
        latest = value.latest
        return observed_text(latest, value.unit) if latest else ""

    def assessment_of(self, record):
        if not hasattr(record, "assessment"):
            record.assessment = assess(record.indicator, record, self.on)
        return record.assessment

    def verdict_of(self, record):
        return self.assessment_of(record).verdict

    def render_completion(self, record):
        return percent_text(self.assessment_of(record).completion.value) or "—"

    def value_completion(self, record):
        value = self.assessment_of(record).completion.value
        return None if value is None else rounded(value)

    def render_progress(self, record):
        state = self.assessment_of(record)
        words = {"state": state, "unit": record.indicator.unit}
        return render_to_string("public/_target_progress.html", words)

    def value_progress(self, record):
        value = self.assessment_of(record).progress.value
        return None if value is None else rounded(value)

    def render_claim(self, record, value):
        return format_html('{}<br><small lang="zh-Hans">{}</small>', value, record.source_text)

    def value_claim(self, value):
        return value

    def render_verdict(self, record):
        verdict = render_to_string("public/_verdict.html", {"verdict": self.verdict_of(record)})
        terms = {"redefinition": self.terms_of(record)}
        return format_html("{}{}", verdict, render_to_string("public/_redefined.html", terms))

    def value_verdict(self, record):
        return self.verdict_of(record).label

    @cached_property
    def replaced(self):
        """The corrected versions of the targets of this page, and of others, by their keys."""
        self._load_for_page()
        return self.replaced

    @cached_property
    def redefinitions(self):
        """What became of the terms of the targets of this page, by their keys."""
        self._load_for_page()
        return self.redefinitions

    def _load_for_page(self):
        self.load_for([row.record for row in self.paginated_rows])

    def load_for(self, targets):
        """Asks what ``targets``, some of those of a file, said before."""
        self.replaced = earlier_targets(targets, self.request.as_of)
        self.redefinitions = redefinitions(targets, self.replaced, self.request.as_of)

    def terms_of(self, record):
        return self.redefinitions[record.pk]

    def value_earlier(self, record):
        corrected = _("%(from)s – %(until)s: %(said)s (corrected: %(reason)s)")
        withdrawn = _("%(from)s – %(until)s: %(said)s (withdrawn: %(reason)s)")
        return "; ".join(
            (withdrawn if version.withdrawn_at else corrected)
            % {
                "from": localdate(version.published_at).isoformat(),
                "until": localdate(version.replaced_at).isoformat(),
                "said": target_text(version),
                "reason": version.replaced_because,
            }
            for version in before(record, self.replaced)
        )

    @property
    def ledger(self):
        """What the targets of this page said before, in the order of their rows."""
        rows = self.paginated_rows
        return [version for row in rows for version in before(row.record, self.replaced)]

    @property
    def on(self):
        """The day that verdicts are made for: the page's, or today."""
        return self.request.as_of or localdate()


def _marked(request, indicator):
    """The name of ``indicator`` as a link to its page, with the mark of its checks."""
    results = check_marks.asking(request, indicator)
    mark = render_to_string("public/_check_mark.html", {"results": results})
    return format_html('<a href="{}">{}</a>{}', address(request, indicator), indicator, mark)


def _figure(observation, unit):
    """The component that shows a value everywhere; says so where there is none."""
    return render_to_string("public/_figure.html", {"observation": observation, "unit": unit})


def _gap_text(difference, unit) -> str:
    """How far a value is from its target, with its sign; of ranks, which are no amounts, a word."""
    if difference == 0:
        return gettext("equal to the target")
    if unit.quantity != RANK:
        return difference_text(difference, unit)
    places = int(abs(difference))
    if difference < 0:
        return ngettext("%(n)d place better", "%(n)d places better", places) % {"n": places}
    return ngettext("%(n)d place worse", "%(n)d places worse", places) % {"n": places}
