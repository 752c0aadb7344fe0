"""The open-data contract of design.md §5, to the letter."""

import csv
import json
from datetime import date, datetime
from functools import cache
from io import StringIO

import pytest
import yaml
from django.conf import settings
from django.db import connection
from django.http import HttpResponse
from django.test import Client

from baoshan_portal.tests import runs_once
from baoshan_portal.tests.pages import FILES, rows_of
from measures.chain import make_checkpoint
from measures.tests.factories import (
    ISSUED,
    make_department,
    make_evaluation,
    make_measure,
    make_note,
    make_opinion,
    make_report,
    make_state,
    reword,
    submission,
)
from metrics.models import Indicator, Plan, Target
from metrics.rules.choices import Missing
from metrics.tests.factories import (
    make_indicator,
    make_no_figure,
    make_observation,
    make_target,
    make_unit,
    make_whole_check,
    make_withdrawal,
)
from metrics.tests.test_history import corrected

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("report")]

HEADERS = {
    "observations": "indicator_code,indicator,theme,measure_code,value,unit,base_value,base_unit,"
    "qualifier,as_written,period_start,period_end,period_inferred,certainty,source,locator,"
    "revision,published_at,opinion",
    "indicators": "code,name,name_en,theme,measure_code,category,kind,unit,direction,basis,"
    "department,latest_value,latest_qualifier,latest_period_end,target_value,target_due,"
    "target_claim,completion,verdict,url,scope,caution,status,reason,target_reason,"
    "completion_reason,progress,level,nature,recipients,opinion",
    "measures": "code,number,name,name_en,section,theme,lead,lead_confirmed,indicators,"
    "latest_note_on,url,state,state_on,state_source,opinion",
    "targets": "indicator_code,plan,comparator,value,due_on,baseline,claim,verdict,source,scope,"
    "caution,status,reason,due_reason,baseline_reason,first_value,first_due_on,slip_days,redefined,"
    "opinion",
    "evaluations": "code,report,section,theme,body,body_en,held_on,result,satisfied,"
    "fairly_satisfied,not_satisfied,abstained,decision,document,document_url,note,note_en,"
    "revision,published_at,url,opinion",
}
#: The files that hold exactly the rows of a fixture
NAMES = list(HEADERS)
#: Those in which the report has rows; it tells of no evaluation.
OF_THE_REPORT = [name for name in NAMES if name != "evaluations"]


def text_of(client, name: str, **query) -> str:
    return client.get(f"/data/{name}.csv", query).getvalue().decode()


def read(client, name: str, **query) -> list[dict]:
    return rows_of(text_of(client, name, **query))


@cache
def fixture_rows(name: str) -> list[dict]:
    text = (settings.BASE_DIR / f"fixtures/{name}.yaml").read_text("utf-8")
    return yaml.load(text, Loader=yaml.CSafeLoader)


@pytest.fixture(scope="module")
def answer(report):
    """The answer of an unchanged file, which is asked for once, with its bytes."""
    client = Client()

    @cache
    def answer(file: str, as_of: str = "") -> HttpResponse:
        found = client.get(f"/data/{file}", {"as_of": as_of} if as_of else {})
        return HttpResponse(found.getvalue(), headers=dict(found.items()))

    return answer


@pytest.fixture(scope="module")
def text(answer):
    return lambda name, **query: answer(f"{name}.csv", **query).content.decode()


@pytest.fixture(scope="module")
def rows(text):
    """The lines of an unchanged file."""
    return lambda name, **query: rows_of(text(name, **query))


@pytest.fixture(scope="module")
def resources(answer):
    package = json.loads(answer("datapackage.json").content)
    return {resource["name"]: resource for resource in package["resources"]}


@pytest.mark.parametrize("name", NAMES)
def test_the_header_line_is_the_contract(text, name):
    assert text(name).partition("\r\n")[0] == HEADERS[name]


@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_plain_utf_8_csv_without_a_byte_order_mark(answer, name):
    file = answer(f"{name}.csv")

    assert file["Content-Type"] == "text/csv; charset=utf-8"
    content = file.content
    assert not content.startswith(b"\xef\xbb\xbf")
    lines = list(csv.reader(StringIO(content.decode("utf-8")), strict=True))
    assert {len(line) for line in lines} == {len(lines[0])}


@pytest.mark.parametrize("name", OF_THE_REPORT)
def test_a_file_holds_every_row_of_the_report(rows, name):
    assert len(rows(name)) == len(fixture_rows(name)) > 0


@pytest.mark.parametrize(
    ("as_written", "value", "unit", "base_value", "base_unit", "qualifier"),
    [
        ("51.79亿元", "51.79", "亿元", "5179000000", "元", "exact"),
        ("2.1万余个", "21000", "个", "21000", "个", "over"),
        ("1/4", "25", "%", "25", "%", "exact"),
        ("翻两番", "300", "%", "300", "%", "exact"),
        ("第6", "6", "名次", "6", "名次", "exact"),
        ("148.54万元", "148.54", "万元", "1485400", "元", "exact"),
        ("约5亿元", "5", "亿元", "500000000", "元", "about"),
        ("近百名", "100", "名", "100", "人", "nearly"),
    ],
)
def test_a_value_is_given_as_reported_and_in_the_base_unit(
    rows, as_written, value, unit, base_value, base_unit, qualifier
):
    (row,) = [row for row in rows("observations") if row["as_written"] == as_written]

    assert row["value"] == value
    assert row["unit"] == unit
    assert row["base_value"] == base_value
    assert row["base_unit"] == base_unit
    assert row["qualifier"] == qualifier


def test_a_value_is_given_with_its_place_period_and_publication(rows):
    (row,) = [row for row in rows("observations") if row["as_written"] == "51.79亿元"]

    del row["indicator_code"], row["indicator"], row["measure_code"]
    assert row == {
        "theme": "1.2",
        "value": "51.79",
        "unit": "亿元",
        "base_value": "5179000000",
        "base_unit": "元",
        "qualifier": "exact",
        "as_written": "51.79亿元",
        "period_start": "2022-01-01",
        "period_end": "2022-12-31",
        "period_inferred": "false",
        "certainty": "actual",
        "source": "宝府〔2023〕70号",
        "locator": "1.2/5",
        "revision": "1",
        "published_at": "2023-07-25T00:00:00+08:00",
        "opinion": "baohui-2022-36",
    }


def test_an_indicator_line_carries_its_newest_value_and_an_absolute_address(rows):
    codes = {row["as_written"]: row["indicator_code"] for row in rows("observations")}
    (row,) = [row for row in rows("indicators") if row["code"] == codes["51.79亿元"]]

    assert row["theme"] == "1.2"
    assert row["unit"] == "亿元"
    assert row["latest_value"] == "51.79"
    assert row["latest_qualifier"] == "exact"
    assert row["latest_period_end"] == "2022-12-31"
    assert row["verdict"] == "no-target"
    assert row["url"] == f"http://testserver/indicators/{row['code']}/"


def test_a_claim_without_a_published_target_has_no_value_and_no_completion(rows):
    targets = rows("targets")

    assert [row["claim"] for row in targets] == ["exceeded-early", "met-early"]
    for row in targets:
        assert (row["value"], row["due_on"], row["baseline"]) == ("", "", "")
        assert row["verdict"] == "claim-unverifiable"
        assert row["source"] == "宝府〔2023〕70号"
    claimed = [row for row in rows("indicators") if row["target_claim"]]
    assert {row["code"] for row in claimed} == {row["indicator_code"] for row in targets}
    assert {row["completion"] for row in claimed} == {""}
    assert {row["target_value"] for row in claimed} == {""}


def test_a_published_target_gives_a_completion_in_percent(client):
    indicator = Indicator.objects.get(observations__as_written="51.79亿元")
    make_target(
        indicator=indicator,
        plan=Plan.objects.get(),
        value=100,
        due_on=date(2023, 12, 31),
        published=ISSUED,
    )

    (row,) = [row for row in read(client, "indicators") if row["code"] == indicator.code]

    assert row["target_value"] == "100"
    assert row["target_due"] == "2023-12-31"
    assert row["completion"] == "51.79"
    assert row["verdict"] == "missed"


def test_a_measure_line_says_whether_its_lead_is_confirmed(rows):
    measures = rows("measures")

    assert {row["lead_confirmed"] for row in measures} == {"false"}
    assert measures[0]["number"] == "1.1.1"
    assert measures[0]["section"] == "1"
    assert measures[0]["theme"] == "1.1"
    assert measures[0]["latest_note_on"] == ""
    assert sum(int(row["indicators"]) for row in measures) == len(fixture_rows("indicators"))


def test_the_package_describes_exactly_the_files_and_their_columns(text, resources):
    assert set(resources) == {*NAMES, "checks", "notes", "definitions", "vintages", "no_figures"}
    for name, resource in resources.items():
        fields = [field["name"] for field in resource["schema"]["fields"]]
        assert ",".join(fields) == text(name).partition("\r\n")[0]
        assert ",".join(fields) == HEADERS.get(name, ",".join(fields))
        assert all(field["description"] for field in resource["schema"]["fields"])
        assert resource["path"] == f"http://testserver/data/{name}.csv"
        assert resource["encoding"] == "utf-8"


READERS = {
    "string": str,
    "number": float,
    "integer": int,
    "date": date.fromisoformat,
    "datetime": datetime.fromisoformat,
    "boolean": {"true": True, "false": False}.__getitem__,
}


@pytest.mark.parametrize("name", NAMES)
def test_every_cell_has_the_type_that_the_package_gives_its_column(rows, resources, name):
    fields = resources[name]["schema"]["fields"]

    for row in rows(name):
        for field in fields:
            if cell := row[field["name"]]:
                READERS[field["type"]](cell)


@pytest.mark.parametrize("name", OF_THE_REPORT)
def test_the_primary_key_tells_every_line_from_the_others(rows, resources, name):
    key = resources[name]["schema"]["primaryKey"]

    keys = [tuple(row[column] for column in key) for row in rows(name)]

    assert len(keys) == len(set(keys)) > 0


@pytest.mark.parametrize("name", OF_THE_REPORT)
def test_a_file_answers_for_the_day_asked_for(text, rows, name):
    assert text(name, as_of="2023-07-24") == HEADERS[name] + "\r\n"
    assert len(rows(name, as_of="2023-07-25")) == len(fixture_rows(name))


@pytest.mark.long
def test_a_measure_may_have_a_thousand_targets(client):
    """Of all of which its files tell, and the list as a file."""
    # Of conditions beside each other SQLite takes a thousand; PostgreSQL's way begins at a hundred.
    many = 1_050 if connection.vendor == "sqlite" else 150
    like, plan = Indicator.objects.first(), Plan.objects.first()
    measure = like.measure
    rows = [
        Indicator(
            code=f"one-of-many-{n}", name=f"指标{n}", name_en=f"One {n}", order=1000 + n,
            scope="口径", measure=measure, unit=like.unit, category=like.category, kind=like.kind,
            published_on=measure.published_on,
        )
        for n in range(many)
    ]  # fmt: skip
    Indicator.objects.bulk_create(rows)
    Target.objects.bulk_create(
        Target(**submission(ISSUED, indicator=row, plan=plan, value=n, source_name="台账"))
        for n, row in enumerate(rows)
    )
    found = {row["indicator_code"]: row["value"] for row in read(client, "targets")}
    assert [found[row.code] for row in rows] == [str(n) for n in range(many)]
    listed = client.get("/targets/", {"format": "csv"}).getvalue().decode()
    assert all(row.name in listed for row in rows)


def test_no_file_of_a_day_knows_what_came_later(client):
    """Whatever is published afterwards, each file of that day stays; of today each is another."""
    day, later = "2023-08-31", date(2023, 10, 1)
    claimed = Target.objects.select_related("indicator__measure").first()
    counted, fallen = Indicator.objects.exclude(measure=claimed.indicator.measure)[:2]
    make_note(measure=claimed.indicator.measure, published=ISSUED)
    plan = Plan.objects.get()
    target = make_target(indicator=counted, plan=plan, due_on=date(2023, 12, 31), published=ISSUED)
    make_no_figure(indicator=counted, published=ISSUED)
    check = make_whole_check()

    def files(**query) -> dict[str, bytes]:
        return {file: client.get(file, query).getvalue() for file in FILES}

    then, now = files(as_of=day), files()
    corrected(target, make_target, later, "计划调整", value=200, due_on=date(2024, 12, 31))
    corrected(counted.observations.first(), make_observation, later, "漏计一家", value=99)
    make_withdrawal(claimed.indicator.measure, published=later)
    make_withdrawal(fallen, published=later)
    make_withdrawal(check, published=later)
    make_indicator(measure=counted.measure, unit=make_unit(), published_on=later)
    make_no_figure(indicator=counted, period_start=None, published=later)
    make_note(measure=counted.measure, published=later)
    make_state(measure=counted.measure, published=later)
    make_evaluation(section=counted.measure.theme.section, published=later)
    make_report(opinion=make_opinion(), issued_on=later)
    make_measure(theme=counted.measure.theme, lead=make_department(), published_on=later)
    make_checkpoint()

    assert files(as_of=day) == then
    assert [file for file, content in files().items() if content == now[file]] == []


@runs_once.ADDRESSES
@pytest.mark.parametrize("file", FILES)
def test_a_file_refuses_a_day_that_is_none_or_still_to_come(client, file):
    for day in ("yesterday", "2999-01-01"):
        answer = client.get(file, {"as_of": day})

        assert answer.status_code == 400, day
        assert day in answer.getvalue().decode(), day


@runs_once.FILES
def test_the_files_are_the_same_in_whatever_language_the_reader_prefers(client, text):
    for name in NAMES:
        english = client.get(f"/data/{name}.csv", headers={"accept-language": "en"})
        assert english.getvalue().decode() == text(name)


def test_a_value_entered_later_stands_beside_the_reports(client):
    indicator = Indicator.objects.get(observations__as_written="51.79亿元")
    make_observation(
        indicator=indicator,
        value="60.5",
        as_written="60.5亿元",
        period_start=date(2023, 1, 1),
        period_end=date(2023, 12, 31),
        source_name="区统计局年报",
        published=date(2024, 2, 1),
    )

    found = [row for row in read(client, "observations") if row["indicator_code"] == indicator.code]
    (row,) = [row for row in read(client, "indicators") if row["code"] == indicator.code]

    assert [(line["value"], line["source"], line["locator"]) for line in found] == [
        ("51.79", "宝府〔2023〕70号", "1.2/5"),
        ("60.5", "区统计局年报", ""),
    ]
    assert row["latest_value"] == "60.5"


def test_an_empty_value_has_a_reason_from_the_one_list_beside_it(client):
    codes = set(client.get("/data/datapackage.json").json()["reasons"])
    assert codes == set(Missing.values)
    reword(Indicator.objects.get(code="high-tech-enterprises"), scope="口径\n第二行")
    for name, pairs in {
        "indicators": {
            "latest_value": "reason",
            "target_value": "target_reason",
            "completion": "completion_reason",
        },
        "targets": {"value": "reason", "due_on": "due_reason", "baseline": "baseline_reason"},
        "checks": {"computed": "reason"},
    }.items():
        for row in read(client, name):
            for value, reason in pairs.items():
                if name != "checks":
                    assert bool(row[value]) != bool(row[reason]), (name, row)
                assert not row[reason] or row[reason] in codes
    scopes = {row["code"]: row["scope"] for row in read(client, "indicators")}
    assert scopes["high-tech-enterprises"] == "口径 第二行"


def test_checks_notes_and_definitions_are_files_of_the_same_day(client):
    indicator = Indicator.objects.select_related("measure").first()
    make_note(measure=indicator.measure, published=ISSUED, text="=1+1\n第二行")
    checks = read(client, "checks")
    assert len(checks) == len(fixture_rows("checks")) - sum(
        row["model"] != "metrics.check" for row in fixture_rows("checks")
    )
    assert {row["result"] for row in checks} >= {"holds"}
    first = checks[0]
    assert first["url"].endswith(f"/checks/?check={first['code']}#{first['code']}")
    (note,) = read(client, "notes")
    assert note["text"] == "'=1+1 第二行"
    assert read(client, "notes", as_of="2023-07-24") == []
    definitions = {row["code"]: row for row in read(client, "definitions")}
    assert definitions[indicator.code]["public_from"] == "2023-07-25"
    assert len(definitions) == len(fixture_rows("indicators"))


def test_programs_on_other_sites_may_read_every_file(answer):
    for address in FILES:
        assert answer(address.removeprefix("/data/"))["Access-Control-Allow-Origin"] == "*"


@runs_once.FILES
def test_the_name_of_a_file_carries_the_day_of_its_state(client):
    for address, name in (
        ("/data/observations.csv", "observations-2023-07-25.csv"),
        ("/data/targets.csv?as_of=2023-09-01", "targets-2023-09-01.csv"),
        ("/indicators/?format=csv", "indicators-2023-07-25.csv"),
        ("/packs/pack.csv", "pack-2023-07-25.csv"),
        ("/compare/funds/money.svg", "funds-money-2023-07-25.svg"),
    ):
        assert f'filename="{name}"' in client.get(address)["Content-Disposition"]


def test_the_data_package_names_departments_units_and_who_answers(client, rows, settings):
    settings.CONTACT, settings.DATA_LICENCE = "办公室", "CC BY 4.0"
    package = client.get("/data/datapackage.json").json()
    assert package["contributors"] == [{"title": "办公室", "role": "contact"}]
    assert package["licenses"] == [{"title": "CC BY 4.0"}]
    leads = {row["department"] for row in rows("indicators")} - {""}
    assert leads <= {row["code"] for row in package["departments"]}
    assert {row["unit"] for row in rows("indicators")} <= {row["name"] for row in package["units"]}
