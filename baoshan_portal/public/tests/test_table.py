"""What all public tables have in common."""

import django_tables2 as tables
import pytest
from django.utils.html import format_html

from baoshan_portal.public.table import CELL, Table

pytestmark = pytest.mark.once("a table of rows that no database holds")


class Offices(Table):
    name = tables.Column(verbose_name="Office & name", attrs={"cell": {"class": "wide-name"}})
    figures = tables.Column()
    both = tables.Column(accessor="name", empty_values=())

    def render_both(self, record, value, bound_column):
        return format_html("<b>{}</b> {} {}", value, record["figures"], bound_column.name)

    def value_both(self, **given):
        return given["record"]["name"]


def offices(count: int) -> Offices:
    return Offices([{"name": f"<i>{n}", "figures": n or None} for n in range(count)])


def test_a_cell_begins_and_shows_what_the_library_says_of_it():
    table = offices(3)
    assert list(table.body) == [
        [
            (format_html(CELL, column.attrs["td"].as_html(), column.header), cell)
            for column, cell in row.items()
        ]
        for row in table.paginated_rows
    ]
    (name, both) = (next(table.body)[n] for n in (0, 2))
    assert name == ('<td class="wide-name" data-label="Office &amp; name">', "<i>0")
    assert both[1] == "<b>&lt;i&gt;0</b> None both"
    assert [row.get_cell_value("both") for row in table.rows] == ["<i>0", "<i>1", "<i>2"]


def test_a_column_is_asked_as_often_for_many_rows_as_for_one(monkeypatch):
    bound, asked = tables.columns.BoundColumn, []
    attributes = bound.attrs.fget
    monkeypatch.setattr(
        bound, "attrs", property(lambda column: asked.append(column.name) or attributes(column))
    )
    for count in (1, 30):
        asked.clear()
        assert len(list(offices(count).body)) == count
        assert asked == ["name", "figures", "both"]
