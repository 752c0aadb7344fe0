"""The public tables of words; each column is declared once, for the page and for the file."""

import django_tables2 as tables
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from .as_of import address
from .models import Measure


class MeasureTable(tables.Table):
    number = tables.Column(
        verbose_name=_("No."),
        order_by=("theme__section__order", "theme__order", "order"),
    )
    name = tables.Column(verbose_name=_("Measure"), accessor="pk", order_by="name")
    theme = tables.Column(
        verbose_name=_("Theme"), order_by=("theme__section__order", "theme__order")
    )
    lead = tables.Column(verbose_name=_("Lead department"), empty_values=())
    lead_confirmed = tables.BooleanColumn(verbose_name=_("Lead confirmed"), visible=False)
    indicator_count = tables.Column(verbose_name=_("Figures"), attrs={"cell": {"class": "number"}})
    latest_note_on = tables.DateColumn(verbose_name=_("Latest note"), format="Y-m-d")

    class Meta:
        model = Measure
        fields = ()
        sequence = (
            "number", "name", "theme", "lead", "lead_confirmed", "indicator_count",
            "latest_note_on",
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

    def value_lead_confirmed(self, record):
        return record.lead_confirmed
