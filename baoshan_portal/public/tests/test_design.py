"""The design system: colours that can be read, style sheets for old browsers, its page."""

import re
from datetime import UTC, date, datetime
from itertools import combinations

import pytest
from django.conf import settings
from django.template import Context, Template
from django.utils.translation import override

from baoshan_portal.tests.pages import texts
from metrics.rules.checks import Result
from metrics.rules.choices import Verdict

from .. import colours
from ..charts.frame import TOKENS

pytestmark = pytest.mark.once("reads style sheets and templates")

SHEETS = sorted((settings.BASE_DIR / "static/css").glob("*.css"))


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("#000", "#fff", 21),
        ("#fff", "#ffffff", 1),
        # Worked out by hand from the definition: 118 is the darkest grey that passes on white.
        ("#767676", "#fff", 4.54),
        ("#777777", "#fff", 4.48),
    ],
)
def test_contrast_is_as_wcag_defines_it(one, other, expected):
    assert round(colours.contrast(one, other), 2) == expected


@pytest.mark.parametrize("palette", colours.PALETTES)
@pytest.mark.parametrize(("front", "ground", "needed"), colours.PAIRS)
def test_every_colour_can_be_read_on_its_ground(palette, front, ground, needed):
    codes = colours.palette(palette)
    assert colours.contrast(codes[front], codes[ground]) >= needed


@pytest.mark.parametrize("palette", colours.PALETTES)
@pytest.mark.parametrize(("one", "other"), [*combinations(colours.STATES, 2)])
def test_any_two_states_differ_in_lightness(palette, one, other):
    codes = colours.palette(palette)
    assert colours.contrast(codes[one], codes[other]) >= 1.25


def test_dark_is_the_same_whether_the_reader_or_the_device_asks_for_it():
    assert colours.palette("dark") == colours.palette("device")
    assert colours.palette("dark").keys() == colours.palette("light").keys()


#: What Chromium 90, below many domestic browsers, does not know, and without which a rule is lost.
TOO_NEW = re.compile(
    r":has\(|@container|@layer|@scope|@starting-style|color-mix\(|light-dark\(|subgrid"
    r"|oklch\(|oklab\(|\blch\(|\blab\(|[0-9](?:[dsl]v[hw]|cq[wh])\b|(?m:^\s*&)|>=|<="
)


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_style_sheets_use_what_old_browsers_know(sheet):
    css = re.sub(r"/\*.*?\*/", "", sheet.read_text(encoding="utf-8"), flags=re.DOTALL)

    assert TOO_NEW.findall(css) == []
    # A rule inside a rule is nesting; inside @media and the like it is not.
    outside = re.sub(r"@[^{]*\{((?:[^{}]*\{[^{}]*\})*[^{}]*)\}", r"\1", css)
    assert re.search(r"\{[^{}]*\{", outside) is None
    assert css.count("{") == css.count("}")


@pytest.mark.parametrize("prefix", ["", "/en"])
def test_the_page_of_components_shows_every_state_and_kind_of_figure(client, db, prefix):
    html = client.get(f"{prefix}/method/components/").content.decode()
    shown = [text for text in texts(html, "li") if text]

    with override("en" if prefix else "zh-hans"):
        for label in [*Verdict.labels, *Result.labels]:
            assert any(text.endswith(str(label)) for text in shown), label
    figures = {
        "": ("1,475家", "123,456,789平方米", "约5亿元", "2,700余家", "近100家", "-3.2%", "第6位"),
        "/en": ("1,475 enterprises", "about CNY 500 million", "over 2,700 enterprises", "rank 6"),
    }
    for figure in figures[prefix]:
        assert f'<span class="figure">{figure}</span>' in html
    assert html.count('class="unknown"') >= 2


def test_the_page_of_components_says_that_its_rows_are_made_up(client, db):
    html = client.get("/en/method/components/").content.decode()

    notice = html.index("None of them is a figure of the report.")
    assert html.index("<h1>") < notice < html.index('class="figure"')


def test_the_page_of_components_tells_the_contrasts_of_the_style_sheet(client, db):
    html = client.get("/en/method/components/").content.decode()
    codes = colours.palette("dark")

    assert f"{colours.contrast(codes['bad'], codes['paper']):.2f}" in texts(html, "td")
    assert f'fill="{codes["bad"]}"' in html


@pytest.mark.parametrize(
    ("share", "width"), [("0.625", "62.5"), ("1.2", "100"), ("-0.1", "0"), ("0", "0")]
)
def test_a_bar_is_filled_by_its_share_and_by_no_more_than_there_is(share, width):
    html = Template("{% bar share 'five of eight' %}").render(Context({"share": share}))

    assert f'class="bar-part" width="{width}"' in html
    assert "five of eight" in html


def test_a_share_that_is_not_known_has_no_bar():
    html = Template("{% bar None 'not known' %}").render(Context())

    assert "<svg" not in html
    assert "not known" in html


@pytest.mark.parametrize("moment", [date(2023, 7, 25), datetime(2023, 7, 24, 17, 30, tzinfo=UTC)])
def test_a_day_is_that_of_the_district_and_stands_in_one_piece(moment):
    html = Template("{{ moment|day }}").render(Context({"moment": moment}))

    assert html == '<time datetime="2023-07-25">2023-07-25</time>'
    base = (settings.BASE_DIR / "static/css/base.css").read_text(encoding="utf-8")
    assert "time { white-space: nowrap; }" in base


@pytest.mark.parametrize(
    ("contact", "shown"),
    [("Office, room 12 <b>", "Office, room 12 &lt;b&gt;"), ("", "not entered")],
)
def test_the_accessibility_page_tells_whom_to_ask_if_that_is_known(
    client, db, settings, contact, shown
):
    settings.CONTACT = contact

    assert shown in client.get("/en/accessibility/").content.decode()


def test_charts_are_drawn_in_the_colours_of_the_style_sheet():
    light = colours.palette("light")
    names = [token.removeprefix("var(--").removesuffix(")") for token in TOKENS.values()]

    assert [light[name] for name in names] == list(TOKENS)
