"""A query that is compiled once answers as one that is built anew each time."""

from datetime import date, timedelta

import pytest
import time_machine
from django.db import connection
from django.db.models import Count
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.translation import override

from ..models import Measure, ProgressNote, Theme
from ..past import past
from ..prepared import BakedIn, now, prepared, today
from ..submission import end_of_day
from ..text import in_chinese
from .days import yesterday
from .factories import make_measure, make_note, make_theme, reword

pytestmark = pytest.mark.django_db


class Counted:
    """Measures of some themes, and how often the query was built."""

    def __init__(self):
        self.built = 0
        self.ask = prepared(self._build)

    def _build(self, themes, name, *, ordered=False):
        self.built += 1
        rows = Measure.objects.filter(theme__in=themes)
        rows = rows.filter(name=name) if name is not None else rows
        return rows.order_by("-pk" if ordered else "pk").select_related("theme")


def test_a_query_is_built_once_for_each_form_of_its_question():
    first, second = make_theme(), make_theme()
    a, b, c = make_measure(theme=first, name="甲"), make_measure(theme=first), make_measure()
    d = make_measure(theme=second, name="甲")
    measures = Counted()

    assert measures.ask([first.pk], None) == [a, b]
    assert measures.ask([second.pk, c.theme_id], None) == [c, d]
    assert measures.built == 1
    assert measures.ask([first.pk, second.pk], "甲") == [a, d]
    assert measures.ask([first.pk, second.pk], "乙") == []
    assert measures.built == 2
    assert measures.ask([first.pk, second.pk], "甲", ordered=True) == [d, a]
    assert measures.built == 3
    with CaptureQueriesContext(connection) as queries:
        assert [row.theme for row in measures.ask([second.pk], None)] == [second]
    assert len(queries) == 1


def test_a_row_stands_for_its_key_and_rows_are_new_ones_each_time():
    measure = make_measure()
    of_theme = prepared(lambda theme: Measure.objects.filter(theme=theme))
    (row,) = of_theme(measure.theme)
    reword(measure, name="改名")

    assert of_theme(measure.theme)[0].name == "改名"
    assert row.name != "改名"
    assert of_theme(measure.theme_id) == [measure]
    assert of_theme(make_theme()) == []


def test_the_clock_is_read_when_a_query_is_asked():
    published = prepared(lambda *, as_of=None: ProgressNote.objects.published(as_of))
    by_today = prepared(lambda: ProgressNote.objects.filter(happened_on__lte=today()))
    assert published() == by_today() == []
    with time_machine.travel(timezone.now() + timedelta(days=2)):
        note = make_note(happened_on=timezone.localdate(), published=yesterday())
        assert published() == by_today() == [note]
        assert published(as_of=yesterday() - timedelta(days=1)) == []
    assert published() == by_today() == []


def test_a_moment_that_would_stay_that_of_the_preparation_is_refused():
    moment = prepared(lambda: ProgressNote.objects.filter(published_at__lt=timezone.now()))
    day = prepared(lambda: ProgressNote.objects.filter(happened_on=timezone.localdate()))
    given = prepared(lambda day: ProgressNote.objects.filter(happened_on=day))
    for query in (moment, day):
        with pytest.raises(BakedIn):
            query()
    assert given(date(2023, 7, 24)) == []
    assert isinstance(now(), type(timezone.now())), "outside of a preparation it is the moment"


def test_each_language_has_its_own_form():
    theme = make_theme(name="主题", name_en="Theme")
    names = prepared(
        lambda theme: Theme.objects.filter(pk=theme).values_list(
            "name" if in_chinese() else "name_en", flat=True
        )
    )
    assert names(theme) == ["主题"]
    with override("en"):
        assert names(theme) == ["Theme"]


def test_of_what_no_row_can_have_nothing_is_asked():
    measures, by_key = Counted(), prepared(lambda key: Measure.objects.filter(order=key))
    make_measure()
    with CaptureQueriesContext(connection) as queries:
        assert measures.ask([], None) == []
        assert by_key(10**20) == []
    assert len(queries) == 0


def test_no_row_is_one_of_no_key_and_none_of_those_that_no_row_can_be():
    first, second = make_measure(), make_measure()
    others = prepared(lambda keys: Measure.objects.exclude(pk__in=keys).order_by("pk"))
    nothing = prepared(lambda key: Measure.objects.filter(pk=key).none())

    assert others([first.pk, None]) == [second]
    assert nothing(first) == nothing(second) == []
    with pytest.raises(TypeError, match="no keys: .'甲'"):
        others([first.pk, "甲"])


def test_in_the_past_a_form_is_another_one():
    """Of a view PostgreSQL knows no key, by which it would know the other columns of a row."""
    measure = make_measure()
    counted = prepared(
        lambda theme: Measure.objects.filter(theme=theme).annotate(n=Count("indicators"))
    )
    assert counted(measure.theme) == [measure]
    with past(end_of_day(timezone.localdate())):
        assert counted(measure.theme) == [measure]


def test_what_is_no_value_is_refused():
    with pytest.raises(TypeError, match="bool"):
        prepared(lambda wanted: Measure.objects.filter(lead_confirmed=wanted))(True)
