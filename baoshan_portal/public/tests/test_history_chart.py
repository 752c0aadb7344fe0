"""What an indicator's chart draws and says; the drawing is looked at by the browser tests."""

import re
import sys
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from django.core.cache import caches
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override

from measures.tests.factories import ISSUED
from metrics.rules.choices import Certainty, Frequency, Kind, Qualifier
from metrics.tests.factories import make_indicator, make_observation, make_plan, make_target

from ..charts import drawing, history
from ..charts.frame import ACCENT, PAPER, Heading, inline, text_width

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.once("is about what charts draw and say"),
    pytest.mark.long,
]

ON = date(2022, 6, 30)


@pytest.fixture(autouse=True)
def empty_cache(settings, tmp_path):
    settings.CACHES = {
        **settings.CACHES,
        "charts": settings.CACHES["charts"] | {"LOCATION": str(tmp_path)},
    }
    yield
    caches["charts"].clear()


def values_of(indicator, *values, **fields):
    """One value a year from 2020 on."""
    return [
        make_observation(
            indicator=indicator,
            value=Decimal(value),
            period_start=date(year, 1, 1),
            period_end=date(year, 12, 31),
            published=ISSUED,
            **fields,
        )
        for year, value in enumerate(values, start=min(2020, 2023 - len(values)))
    ]


def drawn(indicator, observations, targets=(), **options) -> str:
    (svg,) = drawing.svgs([history.spec(indicator, observations, targets, ON, **options)])
    return svg


def said(svg: str) -> list[str]:
    """The labels of the marks, for whoever hears the chart."""
    return re.findall(r'aria-label="([^"]*)"', svg)


def written(svg: str) -> list[str]:
    texts = re.findall(r"<text[^>]*>(.*?)</text>", svg)
    return [re.sub("<[^>]*>", " ", text).strip() for text in texts]


@pytest.mark.parametrize("count", [0, 1])
def test_one_figure_is_no_history(count):
    indicator = make_indicator()
    observations = values_of(indicator, *[5] * count)

    assert not history.has_history(observations, [])


def test_one_figure_and_a_target_can_be_drawn():
    indicator = make_indicator()
    observations = values_of(indicator, 5)

    assert history.has_history(observations, [make_target(indicator=indicator)])
    unknown = make_target(indicator=indicator, value=None)
    assert not history.has_history(observations, [unknown])


def test_a_figure_stated_twice_is_drawn_once():
    indicator = make_indicator()
    observations = values_of(indicator, 5) + values_of(indicator, 5)

    assert len(history.distinct(observations)) == 1


def test_every_value_is_labelled_in_words_for_eye_and_ear():
    indicator = make_indicator()
    observations = values_of(indicator, 706, 905, qualifier=Qualifier.ABOUT)

    svg = drawn(indicator, observations)

    assert {text for text in written(svg) if "家" in text} == {"约706家", "约905家"}
    assert [label for label in said(svg) if "家" in label] == [
        "2020年：约706家",
        "2021年：约905家",
    ]


def bars(svg: str) -> list[str]:
    return re.findall(r'<path[^>]*aria-roledescription="bar"[^>]*>', svg)


def test_flows_are_bars_from_zero_and_as_wide_as_their_period():
    indicator = make_indicator()
    spec = history.spec(indicator, values_of(indicator, 50, 100), [], ON)
    (layer,) = [layer for layer in spec["layer"] if layer["mark"]["type"] == "bar"]

    assert layer["encoding"]["y2"] == {"datum": 0}
    assert layer["encoding"]["y"]["scale"]["zero"] is True
    # The year ends where the next one begins.
    assert [(row["start"], row["end"]) for row in layer["data"]["values"]] == [
        ("2020-01-01", "2021-01-01"),
        ("2021-01-01", "2022-01-01"),
    ]


def test_stocks_are_points_at_the_end_of_their_period():
    indicator = make_indicator(kind=Kind.STOCK)
    svg = drawn(indicator, values_of(indicator, 5, 6))

    assert 'aria-roledescription="point"' in svg
    assert bars(svg) == []


def test_the_first_rank_stands_on_top():
    indicator = make_indicator(kind=Kind.RANK)
    spec = history.spec(indicator, values_of(indicator, 8, 6), [], ON)

    (points,) = [layer for layer in spec["layer"] if layer["mark"]["type"] == "point"]
    assert points["encoding"]["y"]["scale"]["reverse"] is True


def test_an_expected_value_is_hollow():
    indicator = make_indicator()
    certain = values_of(indicator, 5)
    (expected,) = values_of(indicator, 6, certainty=Certainty.EXPECTED)
    expected.period_end = date(2023, 12, 31)
    spec = history.spec(indicator, [*certain, expected], [], ON)
    (layer,) = [layer for layer in spec["layer"] if layer["mark"]["type"] == "bar"]

    assert [row["fill"] for row in layer["data"]["values"]] == [ACCENT, PAPER]
    assert "预计" in layer["data"]["values"][1]["said"]


def test_target_and_even_way_are_drawn_where_pace_has_a_meaning():
    indicator = make_indicator(kind=Kind.CUMULATIVE, frequency=Frequency.QUARTERLY)
    target = make_target(indicator=indicator, plan=make_plan(), value=Decimal(300))

    svg = drawn(indicator, values_of(indicator, 5, 6), [target])

    assert "目标≥300家" in written(svg)
    assert 'stroke-dasharray="5,4"' in svg


def test_without_pace_there_is_no_even_way():
    indicator = make_indicator(kind=Kind.CUMULATIVE, frequency=Frequency.YEARLY)
    target = make_target(indicator=indicator, plan=make_plan(), value=Decimal(300))

    svg = drawn(indicator, values_of(indicator, 5, 6), [target])

    assert 'stroke-dasharray="5,4"' not in svg


@pytest.mark.parametrize(
    ("kind", "on", "shown"),
    [
        # The first bar begins with its year, the first point stands at the end of it.
        (Kind.FLOW, date(2019, 12, 31), False),
        (Kind.FLOW, date(2020, 1, 1), True),
        (Kind.STOCK, date(2020, 12, 31), False),
        (Kind.STOCK, date(2021, 1, 1), True),
        (Kind.STOCK, date(2023, 12, 31), True),
        (Kind.STOCK, date(2024, 1, 1), False),
    ],
)
def test_the_day_of_the_page_is_shown_if_it_lies_within_what_is_drawn(kind, on, shown):
    indicator = make_indicator(kind=kind)
    target = make_target(indicator=indicator)
    spec = history.spec(indicator, values_of(indicator, 5, 6), [target], on)
    *_others, day = spec["layer"]

    assert day["data"]["values"] == ([{"day": on.isoformat()}] if shown else [])


def test_an_unknown_target_is_not_drawn():
    indicator = make_indicator()
    target = make_target(indicator=indicator, value=None)

    assert not [text for text in written(drawn(indicator, values_of(indicator, 5, 6), [target]))
                if "目标" in text]  # fmt: skip


def test_of_forty_values_the_first_and_the_newest_are_labelled():
    indicator = make_indicator(kind=Kind.STOCK)
    observations = values_of(indicator, *range(1000, 1040))

    assert [text for text in written(drawn(indicator, observations)) if text.endswith("0家")
            or text.endswith("9家")] == ["1,039家", "1,000家"]  # fmt: skip


NUMBERS = r'transform="translate\((-?[\d.]+),(-?[\d.]+)\)'


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("value", ["1475", "123456789"])
def test_no_label_is_cut(language, value):
    indicator = make_indicator(name="很" * 60, name_en="A very long name " * 9)
    with override(language):
        heading = Heading(str(indicator), ("https://portal.example/" + "a" * 120,))
        svg = drawn(indicator, values_of(indicator, value, value[::-1]), heading=heading)

    width = float(re.search(r'width="([\d.]+)"', svg)[1])
    left, top = map(float, re.search(NUMBERS, svg).groups())
    for line in re.findall(r"<text[^>]*>[^<]*</text>", svg):
        text = re.search(r">([^<]*)<", line)[1]
        x = float(re.search(r"translate\((-?[\d.]+)", line)[1])
        size = text_width(text, float(re.search(r'font-size="([\d.]+)', line)[1]))
        anchor = (re.search('text-anchor="([a-z]+)"', line) or [0, "start"])[1]
        begin = left + x - size * {"start": 0, "middle": 0.5, "end": 1}[anchor]
        if "mark-text role-title" not in line:
            assert begin >= -0.5 * size or text == "", text
        assert size <= width, text


def test_on_a_page_the_colours_are_the_tokens():
    indicator = make_indicator()
    html = inline(drawn(indicator, values_of(indicator, 5, 6)))

    assert "var(--accent)" in html
    assert ACCENT not in html
    assert "style=" not in html


def nobody_draws(monkeypatch) -> None:
    """As on a machine where the process that draws does not start."""
    drawing._converter.end()
    monkeypatch.setattr(sys, "executable", "/nowhere/python")


def test_the_process_that_draws_waits_for_the_next_chart_and_then_ends(monkeypatch):
    limits = replace(drawing._converter.limits, idle_seconds=0.2)
    monkeypatch.setattr(drawing._converter, "limits", limits)
    indicator = make_indicator()
    drawn(indicator, values_of(indicator, 15, 16))
    process = drawing._converter._process
    drawn(indicator, values_of(indicator, 17, 18))

    assert drawing._converter._process is process
    assert process.wait(timeout=10) == 0
    # And begins anew.
    assert drawn(indicator, values_of(indicator, 19, 20))


def test_after_a_spec_that_is_none_and_after_a_crash_the_next_chart_is_drawn():
    indicator = make_indicator()

    assert drawing.svgs([{"mark": "no such mark"}]) == [None]
    assert drawn(indicator, values_of(indicator, 25, 26))
    drawing._converter._process.kill()
    drawing._converter._process.wait()
    assert drawn(indicator, values_of(indicator, 27, 28))


def test_a_chart_is_drawn_once(monkeypatch):
    indicator = make_indicator()
    observations = values_of(indicator, 5, 6)
    first = drawn(indicator, observations)

    nobody_draws(monkeypatch)

    assert drawn(indicator, observations) == first
    # A changed value is another chart.
    observations[0].value = Decimal(7)
    assert drawn(indicator, observations) is None


def test_a_page_whose_chart_cannot_be_drawn_says_so(client, monkeypatch):
    indicator = make_indicator()
    values_of(indicator, 5, 6)

    nobody_draws(monkeypatch)

    page = client.get(f"/en/indicators/{indicator.code}/")

    assert page.status_code == 200
    assert "The chart cannot be drawn at the moment" in page.content.decode()
    picture = client.get(f"/en/indicators/{indicator.code}/chart.svg")
    assert picture.status_code == 503
    assert "cannot draw the picture" in picture.content.decode()


def test_a_picture_tells_its_name_day_source_and_address(client):
    indicator = make_indicator(name_en="Loans")
    values_of(indicator, 5, 6, source_name="台账")

    svg = client.get(
        f"/en/indicators/{indicator.code}/chart.svg", {"as_of": "2023-08-01"}
    ).content.decode()

    texts = " ".join(written(svg))
    assert "Loans" in texts
    assert "Query date 2023-08-01" in texts
    assert "台账" in texts
    assert f"/en/indicators/{indicator.code}/?as_of=2023-08-01" in texts


@pytest.mark.parametrize("name", ["chart.gif", "chart.html"])
def test_there_is_no_other_format(client, name):
    indicator = make_indicator()
    values_of(indicator, 5, 6)

    assert client.get(f"/indicators/{indicator.code}/{name}").status_code == 404


def test_a_png_is_a_picture(client):
    indicator = make_indicator()
    values_of(indicator, 5, 6)

    answer = client.get(f"/en/indicators/{indicator.code}/chart.png")

    assert answer.content.startswith(b"\x89PNG")


def test_one_value_has_no_picture(client):
    indicator = make_indicator()
    values_of(indicator, 5)

    assert client.get(f"/indicators/{indicator.code}/chart.svg").status_code == 404


def test_a_cached_chart_costs_no_query(client, django_assert_num_queries):
    indicator = make_indicator()
    values_of(indicator, 5)
    with CaptureQueriesContext(connection) as queries:
        client.get(f"/indicators/{indicator.code}/")
        without = len(queries)
    values_of(indicator, 5, 6)
    client.get(f"/indicators/{indicator.code}/")

    with django_assert_num_queries(without):
        assert "<svg" in client.get(f"/indicators/{indicator.code}/").content.decode()
