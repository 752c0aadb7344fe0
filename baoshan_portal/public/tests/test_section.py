"""A section's page: its themes with denominators, and what is counted on each measure."""

import re
from datetime import date

import pytest

from baoshan_portal.public.section import OF_MEASURE, show_some
from baoshan_portal.tests.pages import links, texts
from measures.models import Measure
from measures.tests.factories import ISSUED, make_measure, make_report, make_section, make_theme
from metrics.tests.factories import make_indicator, make_observation, make_withdrawal

pytestmark = pytest.mark.django_db


@pytest.fixture
def theme():
    """The first theme of the first section."""
    section = make_section(order=1, opinion=make_report().opinion, code="first")
    return make_theme(order=1, section=section, name_en="Parks", code="parks")


def html_of(client, **query) -> str:
    response = client.get("/en/sections/1/", query)
    assert response.status_code == 200
    return response.content.decode()


def part_of(html: str, theme: int) -> str:
    (found,) = re.findall(rf'<section id="theme-{theme}" [^>]*>(.*?)</section>', html, re.DOTALL)
    return found


def test_a_theme_tells_how_many_of_its_measures_and_indicators_have_something(client, theme):
    reported, silent = make_measure(theme=theme), make_measure(theme=theme)
    make_observation(indicator=make_indicator(measure=reported), published=ISSUED)
    make_observation(indicator=make_indicator(measure=reported))
    make_measure(theme=theme, published_on=None)

    part = part_of(html_of(client), 1)

    assert texts(part, "p")[0] == (
        "2 measures, 1 with figures · 1 of 2 indicators have a public value"
    )
    assert "The documents give no figure." in texts(part, "p")
    assert silent.name_en in " ".join(texts(part, "h3"))


def test_a_figure_stands_with_its_period_and_whether_that_was_inferred(client, theme):
    measure = make_measure(theme=theme, order=1)
    firms = make_indicator(measure=measure, order=1, name_en="Firms")
    make_observation(indicator=firms, published=ISSUED, period_inferred=True)
    rooms = make_indicator(measure=measure, order=2, name_en="Rooms")
    make_observation(
        indicator=rooms, period_start=None, period_end=date(2023, 7, 24), published=ISSUED
    )
    make_indicator(measure=measure, order=3, name_en="Parks")

    lines = texts(part_of(html_of(client), 1), "li")

    assert lines == [
        "Firms 5 organisations year 2022 inferred",
        "Rooms 5 organisations up to 2023-07-24",
        "Parks no data",
    ]


def test_a_section_that_was_not_public_yet_says_since_when_it_is(client, theme):
    make_measure(theme=theme)

    answer = client.get("/en/sections/1/", {"as_of": "2023-07-24"})

    assert answer.status_code == 404
    said = "This was not public yet on 24 July 2023; it is since 25 July 2023."
    assert said in answer.content.decode()
    assert client.get("/en/sections/9/", {"as_of": "2023-07-24"}).status_code == 404


def test_a_theme_of_which_all_was_withdrawn_says_that_nothing_was_public(client, theme):
    make_withdrawal(make_measure(theme=theme), published=date(2023, 8, 1))

    part = part_of(html_of(client, as_of="2023-08-01"), 1)

    assert texts(part, "p")[0] == (
        "0 measures, 0 with figures · 0 of 0 indicators have a public value"
    )
    assert "Nothing of this theme was public on this day." in texts(part, "p")


def test_a_section_leads_to_its_packs_its_changes_and_its_themes(client, theme):
    make_measure(theme=theme)
    found = links(html_of(client, as_of="2023-08-01"), "href")

    for link in (
        "#theme-1",
        "/en/packs/?section=first&as_of=2023-08-01",
        "/en/packs/?theme=parks&as_of=2023-08-01",
        "/en/changes/?as_of=2023-08-01#section-1",
        "/en/changes/feed/section/1/",
    ):
        assert link in found


def test_every_theme_has_an_anchor_that_the_table_of_contents_leads_to(client, theme):
    for row in (theme, make_theme(order=2, section=theme.section)):
        make_measure(theme=row)
    # What is only prepared is not there.
    make_theme(order=3, section=theme.section)

    html = html_of(client)

    anchors = [link[1:] for link in links(html, "href") if link.startswith("#theme")]
    assert anchors == ["theme-1", "theme-2"]
    assert set(anchors) <= set(re.findall(' id="([^"]*)"', html))


def test_of_many_figures_the_first_are_shown_and_the_way_to_all(client, theme):
    few, many = make_measure(theme=theme, order=1), make_measure(theme=theme, order=2)
    for order in range(1, OF_MEASURE + 1):
        make_indicator(measure=few, order=order)
    for order in range(1, OF_MEASURE + 3):
        make_indicator(measure=many, order=order, name_en=f"Figure {order}")

    html = html_of(client)
    lines = texts(part_of(html, 1), "li")

    assert f"0 of {2 * OF_MEASURE + 2} indicators have a public value" in html
    assert len(lines) == 2 * OF_MEASURE + 1
    assert lines[-2:] == [f"Figure {OF_MEASURE} no data", f"All {OF_MEASURE + 2} indicators"]
    assert links(part_of(html, 1))[-1].endswith(f"/measures/{many.code}/")


@pytest.mark.parametrize(("measures", "each"), [(0, 20), (50, 20), (100, 10), (2_000, 1)])
def test_with_more_measures_each_shows_fewer(measures, each):
    rows = [Measure() for _ in range(measures)]
    for row in rows:
        row.public_indicators = list(range(30))

    assert len(show_some(rows)) == each * measures
    assert {len(row.shown) for row in rows} <= {each}
