"""The fixtures hold every figure of the report, as it stands there, and not the report's words.

The report lies beside the project and not in it. Its text is cut into passages by place: ``head``
and ``foot``, the headings ``1`` and ``1.1``, and the sentences ``1.1/1`` that locators name.
"""

import csv
import os
import re
from collections import Counter, defaultdict
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.apps import apps
from django.conf import settings

from measures.models import Measure, Report, Section, Theme
from metrics.models import Check, Indicator, Observation, Plan, Target
from metrics.rules.choices import Kind
from metrics.rules.quantity import Quantity, read

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("report"),
    pytest.mark.once("compares the fixtures with the text of the report"),
]

TEXT = settings.BASE_DIR.parent / "shared/report/baofu-2023-70.txt"
NON_FIGURES = settings.BASE_DIR / "baoshan_portal/tests/non_figures.tsv"
SIGNED, ISSUED = date(2023, 7, 24), date(2023, 7, 25)
YEAR_START, YEAR_END = date(2022, 1, 1), date(2022, 12, 31)

# Whatever can count: also "first", "both" and "several". A name or an idiom is no reason to
# narrow this; it goes on the list of non-figures.
NUMERAL = r"[\d〇零一二两三四五六七八九十百千万亿兆半双首几多倍]+"
FIGURE = re.compile(rf"{NUMERAL}(?:(?:[.．,，/／]|分之){NUMERAL})*")

SENTENCES = {
    "1.1": 12, "1.2": 10, "1.3": 15, "2.1": 11, "2.2": 5, "3.1": 25, "3.2": 13, "4.1": 7, "4.2": 13,
}  # fmt: skip

TEXTS = ("name", "summary", "scope", "caution", "note")
#: The longest piece of the report that our own words may repeat, and the names that are longer.
LONGEST_COPY = 11
NAMES = {
    "科创中心主阵地建设三年行动计划": "the plan",
    "悉尼科技大学上海创新研究院": "an institute",
}


@pytest.fixture(scope="module")
def text() -> str:
    if not TEXT.exists():
        missing = pytest.fail if os.environ.get("CI") else pytest.skip
        missing("The report is not beside the project (../shared/report/baofu-2023-70.txt).")
    return TEXT.read_text("utf-8")


@pytest.fixture(scope="module")
def passages(text) -> dict[str, str]:
    return passages_of(text)


def stripped(text: str) -> str:
    """``text`` without white space, which the pages of the report scatter even over its words."""
    return re.sub(r"\s", "", text)


def passages_of(text: str) -> dict[str, str]:
    """The whole text without white space, by place."""
    parts = defaultdict(str)
    section, theme, place = 0, 0, "head"
    for line in map(stripped, text.splitlines()):
        if re.match("[一二三四]、在“", line):
            section, theme = section + 1, 0
            place = f"{section}"
        elif re.match("（[一二三四]）", line):
            theme += 1
            parts[f"{section}.{theme}"] = line
            place, line = f"{section}.{theme}/", ""
        elif line == "2023年7月24日":
            place = "foot"
        parts[place] += line
    found = {}
    for place, part in parts.items():
        if place.endswith("/"):
            sentences = enumerate(re.findall("[^。]+。?", part), start=1)
            found |= {f"{place}{number}": sentence for number, sentence in sentences}
        else:
            found[place] = part
    return found


def account(passage: str, claims: list[str]) -> tuple[list[str], list[str]]:
    """The figures of ``passage`` that no claim covers, and the claims that cover no figure.

    A claim covers one place only, and figures only as a whole: 1家 is not in 11家.
    """
    spans = [match.span() for match in FIGURE.finditer(passage)]
    free, idle = set(spans), []
    for claim in sorted(claims, key=len, reverse=True):
        for match in re.finditer(f"(?=({re.escape(claim)}))", passage):
            start, end = match.span(1)
            touched = {span for span in spans if span[0] < end and start < span[1]}
            whole = all(start <= first and last <= end for first, last in touched)
            if touched and whole and touched <= free:
                free -= touched
                break
        else:
            idle.append(claim)
    return [passage[slice(*span)] for span in sorted(free)], idle


def of_report():
    return Observation.objects.filter(report__isnull=False).select_related("indicator__unit")


def non_figures() -> list[dict]:
    with NON_FIGURES.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


@pytest.fixture
def claims() -> dict[str, list[str]]:
    """By place, the text of everything that claims a figure of the report."""
    found = defaultdict(list)
    for observation in of_report():
        found[observation.locator].append(observation.as_written)
    for line in non_figures():
        found[line["place"]].append(line["text"])
    return found


# The text, and the list of what is no figure in it


def test_the_text_is_cut_into_the_sentences_that_locators_count(text, passages):
    assert "".join(passages.values()) == stripped(text)
    sentences = Counter(place.partition("/")[0] for place in passages if "/" in place)
    assert sentences == SENTENCES
    assert len(passages) == 2 + 4 + 9 + sum(SENTENCES.values())


@pytest.mark.parametrize(
    ("passage", "claims", "left", "idle"),
    [
        ("新增8家，现有8家", ["8家"], ["8"], []),
        ("新增8家，现有8家", ["8家", "8家"], [], []),
        ("新增11家", ["1家"], ["11"], ["1家"]),
        ("１，４７５家、2.1万余个", [], ["１，４７５", "2.1万"], []),
        ("占1/4，达十分之一", ["1/4", "十分之一"], [], []),
        ("排名第一，翻两番，近百名", ["第一", "翻两番", "近百名"], [], []),
        ("一核一带、15号线", ["一核一带"], ["15"], []),
        ("多轮宣传", ["宣传"], ["多"], ["宣传"]),
    ],
)
def test_a_claim_covers_one_whole_figure(passage, claims, left, idle):
    assert account(passage, claims) == (left, idle)


def test_every_figure_of_the_text_is_an_observation_or_listed_as_none(passages, claims):
    left = {place: account(passage, claims[place])[0] for place, passage in passages.items()}

    assert {place: figures for place, figures in left.items() if figures} == {}


def test_every_observation_and_every_listed_non_figure_stands_in_the_text(passages, claims):
    idle = {place: account(passages.get(place, ""), texts)[1] for place, texts in claims.items()}

    assert {place: texts for place, texts in idle.items() if texts} == {}


def test_an_observation_accounts_for_one_figure_only():
    texts = of_report().values_list("as_written", flat=True)

    assert [text for text in texts if len(FIGURE.findall(text)) != 1] == []


def test_every_listed_non_figure_has_its_reason():
    assert [line for line in non_figures() if not all(line.values())] == []


def test_a_measure_and_a_target_name_a_sentence_of_their_theme(passages):
    measures = Measure.objects.select_related("theme__section")
    targets = Target.objects.select_related("indicator__measure__theme__section")
    places = [(row.theme.number, row.locator) for row in measures]
    places += [(row.indicator.measure.theme.number, row.locator) for row in targets]

    assert [place for place in places if place[1] not in passages] == []
    assert [place for place in places if place[1].partition("/")[0] != place[0]] == []


def test_every_figure_reads_back_as_it_is_stored():
    for row in of_report():
        unit = row.indicator.unit.name
        stored = Quantity(row.value, unit, row.qualifier)
        assert read(row.as_written, unit=unit) == stored, row.code


# Periods


def test_a_stated_period_is_the_one_in_the_sentence_and_any_other_is_inferred(passages):
    stated = {
        # In 2022年“千企百校行” and 2022年度 the year is part of a name and states no period.
        "2022年(?!以来|[“宝度进])": (YEAR_START, YEAR_END),
        "2021年以来": (date(2021, 1, 1), SIGNED),
        "2022年以来": (YEAR_START, SIGNED),
    }
    for row in of_report().filter(period_inferred=False):
        sentence = passages[row.locator]
        periods = [period for words, period in stated.items() if re.search(words, sentence)]
        assert (row.period_start, row.period_end) in periods, row.code


def test_an_inferred_period_is_explained():
    unexplained = of_report().filter(period_inferred=True, note="")

    assert list(unexplained.values_list("code", flat=True)) == []


def test_a_period_is_of_the_sort_that_its_kind_needs():
    year, before = (YEAR_START, YEAR_END), (date(2021, 1, 1), date(2021, 12, 31))
    for row in of_report():
        period, kind = (row.period_start, row.period_end), row.indicator.kind
        if kind in (Kind.STOCK, Kind.CAPACITY):
            assert period in {(SIGNED, SIGNED), (YEAR_END, YEAR_END)}, row.code
        elif kind in (Kind.FLOW, Kind.GROWTH):
            assert period in {year, before}, row.code
        elif kind == Kind.CUMULATIVE:
            assert row.period_end == SIGNED, row.code
            assert row.period_start in {None, date(2021, 1, 1), YEAR_START}, row.code
        else:
            assert period in {(SIGNED, SIGNED), (YEAR_END, YEAR_END), year}, row.code


# The rows


def test_the_report_is_loaded_whole():
    assert Section.objects.count() == 4
    assert Theme.objects.count() == 9
    assert 70 <= Measure.objects.count() <= 80
    assert of_report().count() == Observation.objects.count() >= 110


def test_every_indicator_has_a_figure():
    assert list(Indicator.objects.filter(observations=None)) == []


def test_the_figures_of_a_measure_stand_in_its_theme():
    for row in of_report().select_related("indicator__measure__theme__section"):
        assert row.locator.partition("/")[0] == row.indicator.measure.theme.number, row.code


def test_the_overview_has_about_a_dozen_key_figures():
    assert 10 <= Indicator.objects.filter(is_key=True).count() <= 16


def test_everything_is_public_since_the_day_of_issue():
    shanghai = ZoneInfo("Asia/Shanghai")
    for model in (Observation, Target):
        times = model.objects.values_list("state", "published_at")
        assert {(state, at.astimezone(shanghai).date()) for state, at in times} == {
            ("published", ISSUED)
        }
    for model in (Measure, Indicator):
        assert set(model.objects.values_list("published_on", flat=True)) == {ISSUED}
    assert Report.objects.get().issued_on == ISSUED
    assert Report.objects.get().signed_on == SIGNED


def test_both_targets_are_claimed_met_without_a_published_value():
    unknown = {"value": None, "due_on": None, "baseline": None}

    assert Target.objects.count() == Target.objects.filter(**unknown).count() == 2
    assert {target.claim for target in Target.objects.all()} == {"exceeded-early", "met-early"}
    assert Plan.objects.get().dates_inferred


def test_every_measure_has_a_lead_that_nobody_has_confirmed():
    assert set(Measure.objects.values_list("lead_confirmed", flat=True)) == {False}
    assert not Measure.objects.filter(lead=None).exists()


def test_a_share_a_growth_and_a_rank_say_what_they_are_of():
    derived = Indicator.objects.filter(kind__in=[Kind.SHARE, Kind.GROWTH, Kind.RANK])

    # The assessment is of many things, none of which has a figure in the report.
    without = derived.filter(basis=None).values_list("code", flat=True)
    assert list(without) == ["innovation-carrier-assessment-rank"]
    assert not Indicator.objects.exclude(pk__in=derived).exclude(basis=None).exists()


def test_the_first_rank_is_the_best():
    ranks = Indicator.objects.filter(kind=Kind.RANK)

    assert set(ranks.values_list("direction", "unit__name")) == {("down", "名次")}


def test_all_money_is_among_the_funds_but_the_turnover_of_firms():
    elsewhere = Indicator.objects.filter(unit__quantity="money").exclude(category="funds")

    assert list(elsewhere.values_list("code", flat=True)) == [
        "shanghai-university-park-firm-revenue"
    ]


def test_what_is_reported_by_quarters_is_not_defined_by_the_year():
    flows = Indicator.objects.filter(frequency="quarterly", kind=Kind.FLOW)

    assert flows
    assert [row.code for row in flows if "年度" in row.name or "当年" in row.scope] == []


def test_no_name_of_a_check_tells_a_figure_which_may_change():
    names = Check.objects.values_list("name", "name_en")

    assert names
    assert [name for pair in names for name in pair if re.search(r"\d", name)] == []


def models_with(*fields: str) -> list:
    return [
        model
        for model in apps.get_models()
        if model._meta.app_label in ("measures", "metrics")
        and {field.name for field in model._meta.fields} >= set(fields)
    ]


@pytest.mark.parametrize("field", TEXTS)
def test_a_text_is_there_in_both_languages_or_in_neither(field):
    models = models_with(field, f"{field}_en")
    for model in models:
        for chinese, english in model.objects.values_list(field, f"{field}_en"):
            assert bool(chinese) == bool(english), chinese or english
            assert chinese or field in ("caution", "note"), model
    assert models


# Our own words


def pieces(words: str) -> set[str]:
    """Every run of characters in ``words`` that is too long to be repeated, marks left out."""
    words, length = re.sub(r"\W", "", words), LONGEST_COPY + 1
    return {words[start : start + length] for start in range(len(words) - length + 1)}


def written_by_us(field: str) -> list[str]:
    models = models_with(field)
    return [words for model in models for words in model.objects.values_list(field, flat=True)]


@pytest.mark.parametrize("field", TEXTS)
def test_no_wording_of_the_report_is_copied(text, field):
    ours = set().union(*map(pieces, written_by_us(field)))

    assert ours & pieces(text) == set().union(*map(pieces, NAMES)) & ours


def test_every_name_that_may_be_repeated_is_repeated(text):
    ours = "".join(words for field in TEXTS for words in written_by_us(field))

    assert [name for name in NAMES if not (name in stripped(text) and name in ours)] == []


def test_no_file_of_the_project_holds_a_sentence_of_the_report(passages):
    sentences = {text.rstrip("。") for place, text in passages.items() if "/" in place}
    ignored = {".git", *(settings.BASE_DIR / ".gitignore").read_text().replace("/", "").split()}
    read_files = 0
    for folder, folders, files in os.walk(settings.BASE_DIR):
        folders[:] = set(folders) - ignored
        for name in set(files) - ignored:
            path = Path(folder, name)
            # Catalogues and sources break long texts into quoted lines.
            content = re.sub(r"[\s\"]", "", path.read_text("utf-8", errors="ignore"))
            assert [sentence for sentence in sentences if sentence in content] == [], path
            read_files += 1
    assert read_files > 100
