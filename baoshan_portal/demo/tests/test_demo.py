"""A demonstration shows everything that can become of a figure, and says on every page and in
every file that it is one."""

import csv
import json
import re
from collections import Counter
from datetime import date, timedelta
from io import BytesIO, StringIO
from zipfile import ZipFile

import openpyxl
import pytest
from django.apps import apps
from django.conf.global_settings import PASSWORD_HASHERS
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.http import HttpResponse
from django.template import Context, engines
from django.template.library import InclusionNode
from django.template.loader_tags import BlockNode, ExtendsNode
from django.test import RequestFactory, override_settings
from django.urls import resolve, reverse
from django.utils import timezone

from baoshan_portal.public import errors
from baoshan_portal.public.charts import drawing
from baoshan_portal.public.open_data import FILES as CONTRACT
from baoshan_portal.tests.desk import browser_of, desk
from baoshan_portal.tests.pages import (
    FILES,
    LISTS_AS_FILES,
    in_both_languages,
    links,
    public_pages,
    rows_of,
    texts,
)
from baoshan_portal.tests.pages import LISTS as FILTERED
from baoshan_portal.tests.slices import OF_ROWS, WHOLE, one_of_each, one_way_each, some
from measures.accessible_workbook import ABOVE
from measures.models import (
    Evaluation,
    Measure,
    OpinionStage,
    ProgressNote,
    Round,
    Section,
    TrailEvent,
    User,
)
from measures.submission import State
from measures.watermark import CHINESE, ENGLISH, WATERMARK
from metrics.assessment import assess
from metrics.check_results import states_of
from metrics.models import Check, Indicator, Observation, Plan, Target, Unit
from metrics.rules.checks import Result
from metrics.rules.choices import Certainty, Comparator, Kind, Qualifier, Verdict
from metrics.rules.quantity import read

from .. import filling
from .filled import demonstration

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.once("is about pages; test_demo_database fills both databases"),
    pytest.mark.long,
]

INVENTED = {"code__startswith": filling.PREFIX}
#: Each page as one of its files, in one of the languages.
EACH_LIST = one_way_each(
    [
        address
        for language in (LISTS_AS_FILES, [f"/en{address}" for address in LISTS_AS_FILES])
        for kind in (0, 1)
        for address in language[kind::2]
    ],
    ways=4,
)
#: One with filters, one without, and the questions.
LISTS = one_of_each(
    EACH_LIST,
    kind=lambda address: ("questions" in address, any(f"{page}?" in address for page in FILTERED)),
)
PACKS = one_way_each(
    in_both_languages(*(f"/packs/pack.{kind}?theme=talent" for kind in ("csv", "xlsx", "docx")))
)
FEEDS = one_way_each(
    in_both_languages(
        "/changes/feed/",
        "/changes/feed/section/1/",
        "/changes/feed/indicator/technology-credit-amount/",
    )
)
REFUSED = in_both_languages("/measures/no-such/", "/?as_of=never", "/indicators/?section=no-such")


@pytest.fixture(scope="module", autouse=True)
def first_run(static_files, django_db_setup, django_db_blocker, tmp_path_factory):
    """What ``make demo`` says when it fills its database, which stands in place of the tests'."""
    folder = tmp_path_factory.mktemp("demonstration")
    with django_db_blocker.unblock(), demonstration(folder) as told:
        yield told


@pytest.fixture(scope="module")
def answers():
    return {}


def kept(answer) -> HttpResponse:
    """A file is made while it is sent, and could be read once."""
    return HttpResponse(answer.getvalue(), status=answer.status_code, headers=dict(answer.items()))


@pytest.fixture
def get(client, answers):
    """Asks for an address once, however many tests look at the answer: nothing changes between."""

    def get(address: str) -> HttpResponse:
        if address not in answers:
            answers[address] = kept(client.get(address))
        return answers[address]

    return get


def says_so(text: str) -> bool:
    return CHINESE in text and ENGLISH in text


def text_of(answer) -> str:
    return answer.getvalue().decode()


def sheets(content: bytes) -> list[list[list]]:
    """The rows of every sheet of a workbook."""
    book = openpyxl.load_workbook(BytesIO(content))
    return [[list(row) for row in sheet.values] for sheet in book]


def tables(answer) -> list[list[list]]:
    """The tables of a csv file or a workbook, as rows of cells."""
    if "spreadsheet" in answer["Content-Type"]:
        return sheets(answer.content)
    return [list(csv.reader(StringIO(text_of(answer).removeprefix("\ufeff"))))]


@pytest.fixture(scope="module")
def states(first_run, django_db_blocker) -> Counter:
    """How many targets of today stand at which verdict, and indicators without a target."""
    today = timezone.localdate()
    with django_db_blocker.unblock():
        rows = Indicator.objects.published().with_place().with_latest()
        return Counter(
            assess(row, target, today).verdict
            for row in rows
            for target in row.loaded_targets or [None]
        )


# The front page, in ten seconds


@pytest.mark.parametrize("address", ["/", "/en/"])
def test_the_front_page_counts_the_targets_by_verdict_and_says_by_which_data(address, get, states):
    found = states.copy()
    del found[Verdict.NO_TARGET]
    unsaid = found.total() - sum(
        found[verdict]
        for verdict in (Verdict.MISSED, Verdict.BEHIND, Verdict.ON_TRACK, Verdict.MET)
    )
    newest = max(
        value.period_end for value in Observation.objects.published().reported().only("period_end")
    )
    html = text_of(get(address))

    (headline,) = texts(html, "h1")

    numbers = [int(number) for number in re.findall(r"\d+", headline)]
    assert numbers[:6] == [
        found.total(),
        found[Verdict.MISSED],
        found[Verdict.BEHIND],
        found[Verdict.ON_TRACK],
        found[Verdict.MET],
        unsaid,
    ]
    assert found[Verdict.MISSED] == 1
    day = (newest.year, newest.month, newest.day)
    words = f"数据截至{day[0]}年{day[1]}月{day[2]}日" if address == "/" else f"{newest:%B} {day[0]}"
    assert words in headline


def test_the_front_page_names_the_missed_target_and_the_section_in_trouble(get):
    html = text_of(get("/"))

    missed, trouble = texts(html.partition('<dl class="findings">')[2].partition("</dl>")[0], "dd")

    assert missed.startswith("科技信贷金额 8.94亿元，目标为") and "不少于9亿元" in missed
    assert "报告称已完成" in missed
    assert "资源整合与政策落地" in trouble and "1项未达目标" in trouble


def test_the_front_page_asks_first_where_claim_and_verdict_differ(get):
    html = text_of(get("/"))

    asked = texts(html.partition('<ol class="questions">')[2].partition("</ol>")[0], "li")

    assert len(asked) == 10
    assert asked[0].startswith("与报告所称不符 科技信贷金额：报告称已完成，但")
    assert asked[1].startswith("与报告所称不符 吴淞先行启动区收储土地：报告称提前完成，但")


# The watermark


#: Parts of pages that are named like pages
PARTS = {"public/table.html", "staff/trail_filter.html", "staff/upload_outcome.html"}


def with_ancestors(name: str) -> list:
    """The template and those that it extends, up to the one that extends none."""
    context = Context()
    context.template = engines["django"].engine.get_template(name)
    found = [context.template]
    while extends := found[-1].nodelist.get_nodes_by_type(ExtendsNode):
        found.append(extends[0].get_parent(context))
    return found


def watermarks(nodelist) -> list:
    nodes = nodelist.get_nodes_by_type(InclusionNode)
    return [node for node in nodes if node.func.__name__ == "demo_banner"]


def test_every_template_of_a_page_takes_the_watermark_from_another_and_keeps_it(settings):
    folder = settings.BASE_DIR / "templates"
    pages = {
        str(path.relative_to(folder))
        for path in folder.rglob("[!_]*.html")
        if path.parent.name != "email"
    }
    carriers = set()
    for name in sorted(pages - PARTS):
        above = with_ancestors(name)
        number = next((n for n, each in enumerate(above) if watermarks(each.nodelist)), None)
        assert number is not None, name
        carriers.add(above[number].name)
        blocks = above[number].nodelist.get_nodes_by_type(BlockNode)
        holding = {block.name for block in blocks if watermarks(block.nodelist)}
        for lower in above[:number]:
            own = {block.name for block in lower.nodelist.get_nodes_by_type(BlockNode)}
            assert not own & holding, (name, lower.name)
    assert carriers == {
        "admin/base_site.html",
        "bare.html",
        "public/base.html",
        "public/embed.html",
    }


@pytest.mark.sweep
def test_every_public_page_says_in_both_languages_that_its_data_are_invented(get, monkeypatch):
    # A chart may say so, too; the page says it by itself.
    monkeypatch.setattr(drawing, "_drawn", lambda specs, file_format: ["<svg/>"] * len(specs))
    # Of pages of the same kind one is enough, in one of the languages; their templates say so all.
    pages = public_pages(lambda address: text_of(get(address)), every=OF_ROWS)
    of_a_kind = one_of_each(
        pages, kind=lambda address: resolve(address.removeprefix("/en")).view_name
    )
    addresses = [
        *some(of_a_kind, every=4),
        *one_way_each(
            in_both_languages("/find/?q=148", "/changes/?from=2023-01-01", "/?as_of=2023-08-01")
        ),
        *one_way_each(REFUSED),
    ]

    silent = [address for address in addresses if not says_so(text_of(get(address)))]

    assert silent == []
    assert len(addresses) > (300 if WHOLE else 10)


def test_so_does_the_page_of_an_error():
    assert says_so(text_of(errors.server_error(RequestFactory().get("/"))))


def test_so_does_the_refusal_of_too_much(client):
    answer = client.post("/", b"x" * 100_000, content_type="text/plain")
    assert answer.status_code == 413
    assert says_so(text_of(answer))


#: What is made alike for every model, as the names of its pages end.
OF_MODELS = re.compile("admin:(?:auth|measures|metrics)_[a-z]+_([a-z]+)$")


@pytest.mark.sweep
def test_so_does_every_page_of_the_admin():
    browser = browser_of(User.objects.get(username="admin"))
    waiting, seen, asked, silent = [reverse("admin:index")], set(), Counter(), []
    while waiting:
        address = waiting.pop()
        # Of many rows on pages of the same kind, one is enough.
        match = resolve(address.partition("?")[0])
        page = match.view_name
        if page in seen:
            continue
        seen.add(page)
        # Of what every model has, one model's of each template of lists is enough: those with files
        # have further pages. The templates of forms say so, too.
        kind = OF_MODELS.match(page)
        if kind:
            admin = getattr(match.func, "model_admin", None)
            alike = kind[1], getattr(admin, "change_list_template", None)
            asked[alike] += 1
            if asked[alike] > 1 and not WHOLE:
                continue
        answer = browser.get(address)
        if not answer.get("Content-Type", "").startswith("text/html"):
            continue
        if answer.status_code == 200 and not says_so(text_of(answer)):
            silent.append(address)
        found = links(text_of(answer), "href")
        waiting += [link.partition("#")[0] for link in found if link.startswith("/admin/")]
    assert silent == []
    assert len(seen) > 60
    assert {"changelist", "add", "change", "history", "export", "step"} <= {
        name for name, _ in asked
    }


@pytest.mark.parametrize("language", ["", "/en"])
def test_so_do_the_sign_in_and_a_page_in_a_window_of_its_own(language, client):
    browser = browser_of(User.objects.get(username="admin"))

    assert says_so(text_of(client.get(f"{language}/admin/login/")))
    assert says_so(text_of(browser.get(f"{language}/admin/measures/theme/add/?_popup=1")))


@pytest.mark.sweep
@pytest.mark.parametrize("address", [*LISTS, *PACKS, *FILES])
def test_every_file_has_a_name_that_says_it_is_from_the_demonstration(address, get):
    answer = get(address)

    if address.endswith(".json"):
        assert json.loads(answer.content)["name"].startswith("demo-")
    else:
        assert 'filename="demo-' in answer["Content-Disposition"]


@pytest.mark.sweep
@pytest.mark.parametrize("address", [*LISTS, *(a for a in PACKS if "docx" not in a)])
def test_every_row_of_a_file_for_people_begins_with_the_watermark(address, get):
    found = tables(get(address))
    if "xlsx" in address:
        cover, _notes, *found = found
        assert any(WATERMARK in str(cell) for row in cover for cell in row)
        # Below its title and what it holds.
        found = [rows[ABOVE:] for rows in found]
    assert any(found)
    for rows in filter(None, found):
        assert {row[0] for row in rows} == {WATERMARK}


@pytest.mark.parametrize("file", CONTRACT)
def test_open_data_keep_their_columns_and_end_every_row_with_the_watermark(file, get):
    header, *rows = tables(get(f"/data/{file.name}"))[0]

    assert header == [*(field.name for field in file.contract), "watermark"]
    # In the demonstration no office said why there is no figure.
    said = set() if file.name == "no_figures.csv" else {WATERMARK}
    assert {row[-1] for row in rows} == said


def test_the_description_of_open_data_says_so_and_names_the_further_column(get):
    package = json.loads(get("/data/datapackage.json").content)

    assert says_so(package["title"])
    for resource in package["resources"]:
        assert resource["schema"]["fields"][-1]["name"] == "watermark"


def test_open_data_name_the_source_of_an_invented_figure(get):
    for name in ("observations", "targets"):
        rows = rows_of(text_of(get(f"/data/{name}.csv")))
        sources = Counter(row["source"] for row in rows)
        assert sources[filling.SOURCE] >= 10
        assert set(sources) == {filling.SOURCE, "宝府〔2023〕70号"}


@pytest.mark.sweep
@pytest.mark.parametrize("address", [address for address in PACKS if "docx" in address])
def test_a_word_document_says_so_at_the_head_of_every_page(address, get):
    with ZipFile(BytesIO(get(address).content)) as parts:
        heads = [name for name in parts.namelist() if "header" in name]
        odd_and_even = [parts.read(name).decode() for name in heads]
        properties = parts.read("docProps/core.xml").decode()

    assert len(odd_and_even) == 2
    assert all(says_so(text) for text in [*odd_and_even, properties])


@pytest.mark.sweep
@pytest.mark.parametrize("address", FEEDS)
def test_a_feed_and_each_of_its_entries_say_so(address, get):
    titles = re.findall("<title>(.*?)</title>", text_of(get(address)))

    assert len(titles) > 1
    assert all(says_so(title) for title in titles)


def test_a_mail_says_so_in_its_subject_and_its_text():
    User.objects.filter(username="demo-editor").update(email="editor@example.cn")

    call_command("remind", stdout=StringIO(), stderr=StringIO())

    (sent,) = mail.outbox
    assert says_so(sent.subject)
    assert says_so(sent.body)


# The files of staff


@pytest.fixture
def exported(answers):
    """Asks for an export once, as ``get`` does for an address."""

    def exported(model, kind: str) -> HttpResponse:
        address = desk(model, "export")
        if (address, kind) not in answers:
            sent = {"format": {"xlsx": "0", "csv": "1"}[kind], "resource": "0"}
            steward = browser_of(User.objects.get(username="admin"))
            answers[address, kind] = kept(steward.post(address, sent))
        return answers[address, kind]

    return exported


@pytest.mark.sweep
@pytest.mark.parametrize(
    ("model", "kind"),
    one_way_each([(model, kind) for kind in ("csv", "xlsx") for model in (Observation, Indicator)]),
)
def test_every_row_of_an_export_of_the_admin_ends_with_the_watermark(model, kind, exported):
    answer = exported(model, kind)

    (rows,) = tables(answer)
    assert 'filename="demo-' in answer["Content-Disposition"]
    assert len(rows) == model.objects.count() + 1
    assert {row[-1] for row in rows} == {WATERMARK}


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_every_row_of_the_exported_trail_begins_with_the_watermark(file_format):
    auditor = browser_of(User.objects.get(username="demo-auditor"))
    chosen = {f"traileventresource_{column}": "on" for column in ("at", "actor_name", "note")}
    sent = {"format": {"csv": "0", "xlsx": "1"}[file_format], "resource": "0", **chosen}
    answer = auditor.post(desk(TrailEvent, "export"), sent)

    (rows,) = tables(answer)
    assert 'filename="demo-' in answer["Content-Disposition"]
    assert len(rows) > 1000
    assert {row[0] for row in rows} == {WATERMARK}


def test_an_export_can_be_imported_again(exported):
    content = exported(Indicator, "xlsx").content
    steward = browser_of(User.objects.get(username="admin"))

    page = steward.post(
        desk(Indicator, "import"),
        {"import_file": SimpleUploadedFile("i.xlsx", content), "format": "0", "resource": "0"},
    )

    outcome = page.context["result"]
    assert outcome.problems == []
    assert outcome.unchanged == Indicator.objects.count()


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_a_template_says_so_and_can_be_uploaded_again(kind):
    editor = browser_of(User.objects.get(username="demo-editor"))
    place = f"{Round.objects.first().code}/nanda"
    template = kept(editor.get(f"/admin/template/{place}.{kind}"))

    (rows,) = tables(template)
    file = SimpleUploadedFile("t", template.content)
    page = editor.post(f"/admin/upload/{place}/", {"file": file})

    assert 'filename="demo-' in template["Content-Disposition"]
    assert len(rows) > 10
    assert {row[-1] for row in rows} == {WATERMARK}
    assert page.context["outcome"].problems == []


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_the_template_of_a_report_says_so_too_and_can_be_uploaded_again(kind):
    steward = browser_of(User.objects.get(username="demo-steward"))
    address = "/admin/report-figures/baofu-2023-70"
    template = kept(steward.get(f"{address}.{kind}"))

    page = steward.post(f"{address}/", {"file": SimpleUploadedFile("t", template.content)})

    assert {row[-1] for rows in tables(template) for row in rows} == {WATERMARK}
    assert page.context["outcome"].problems == []


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_a_real_portal_does_not_take_the_template_of_a_demonstration(kind):
    editor = browser_of(User.objects.get(username="demo-editor"))
    place = f"{Round.objects.first().code}/nanda"
    template = editor.get(f"/admin/template/{place}.{kind}").getvalue()

    with override_settings(DEMO=False):
        page = editor.post(f"/admin/upload/{place}/", {"file": SimpleUploadedFile("t", template)})

    assert WATERMARK in [problem.text for problem in page.context["outcome"].problems]


# What there is to see


def test_every_verdict_occurs(states):
    assert set(states) == set(Verdict)


def test_every_section_and_every_kind_of_indicator_has_invented_values():
    values = Observation.objects.published().filter(**INVENTED)
    indicators = Indicator.objects.filter(observations__in=values)

    sections = {n for (n,) in indicators.values_list("measure__theme__section").distinct()}
    assert sections == {section.pk for section in Section.objects.all()}
    assert {kind for (kind,) in indicators.values_list("kind")} == set(Kind)
    assert indicators.distinct().count() >= 25


def test_one_indicator_has_forty_values_and_one_has_none():
    counts = Counter(Observation.objects.published().values_list("indicator__code", flat=True))

    assert counts["kechuangbao-registered-users"] == 1 + 40
    assert counts["demo-one-visit-completion-rate"] == 0
    assert Indicator.objects.published().filter(code="demo-one-visit-completion-rate").exists()


def test_values_are_of_every_certainty_and_qualifier():
    values = Observation.objects.published().filter(**INVENTED)

    assert {value.certainty for value in values} == set(Certainty)
    assert {value.qualifier for value in values} == set(Qualifier)
    expected = values.get(certainty=Certainty.EXPECTED)
    assert expected.period_end >= timezone.localdate()


def test_values_targets_notes_and_an_evaluation_were_corrected_with_a_reason():
    for model in (Observation, Target, ProgressNote, Evaluation):
        corrections = model.objects.published().filter(**INVENTED, supersedes__isnull=False)
        assert corrections, model
        for row in corrections:
            assert row.correction_reason
            assert row.published_at > row.supersedes.published_at


def test_claims_contradict_what_is_computed():
    today = timezone.localdate()
    contradicted = {
        assess(target.indicator, target, today).verdict
        for target in Target.objects.for_list().filter(claim__in=["met", "met-early"])
    }

    assert {Verdict.BEHIND, Verdict.MISSED, Verdict.MET} <= contradicted


def test_the_committee_contradicts_a_claim_and_a_stage_was_late(get):
    section = text_of(get("/en/sections/1/"))
    assert "Reported met, while the committee was not satisfied:" in section
    overview = text_of(get("/en/"))
    # 26 October less 4 October
    # Two stages are told with their terms: one late, one of which nothing is known.
    stages = texts(overview, "li")
    late = "deliberated 2023-10-26 ◇ late due 2023-10-04 22 days over"
    assert late in stages
    assert any(text.startswith("closed not known ! term over") for text in stages)


def test_a_check_that_held_in_the_report_no_longer_holds():
    check = Check.objects.get(code="nanda-technology-in-new")
    (in_the_report,) = states_of([check.pk], date(2023, 8, 1))
    (now,) = states_of([check.pk], None)

    assert in_the_report.outcome.result == Result.HOLDS
    assert now.outcome.result == Result.FAILS


def test_limits_are_among_the_targets():
    assert Target.objects.published().filter(comparator=Comparator.AT_MOST).count() >= 2


def test_a_figure_that_was_once_reported_every_quarter_falls_silent():
    values = Indicator.objects.get(code="cross-province-partner-offices").observations.published()

    newest = values.first().period_end
    assert timezone.localdate() - newest > timedelta(days=600)
    assert values.first().indicator.frequency == "quarterly"


def test_one_round_is_overdue_and_one_is_due():
    today = timezone.localdate()
    open_rounds = Round.objects.filter(locked=False, opens_on__lte=today)

    assert [round_.due_on < today for round_ in open_rounds.order_by("due_on")] == [True, False]


def test_some_measures_have_a_confirmed_lead_and_some_a_proposed_one():
    leads = Counter(Measure.objects.values_list("lead_confirmed", flat=True))

    assert leads[True] >= 10
    assert leads[False] >= 10


def test_staff_find_work_on_their_desks():
    pages = {
        name: browser_of(User.objects.get(username=f"demo-{name}")).get("/admin/").context["work"]
        for name in ("editor", "reviewer", "auditor", "committee")
    }

    entry, waiting = pages["editor"].entry, pages["reviewer"].review.waiting
    assert entry.sheets.overdue and entry.sheets.due_now
    assert entry.drafts and entry.returned and entry.in_review
    assert sum(sum(group.counts.values()) for group in waiting) >= 3
    assert pages["auditor"].trail.counts
    (word,) = pages["committee"].review.waiting
    assert (word.department, list(word.counts.values())) == (None, [1])


def test_the_past_can_be_looked_at():
    code = "kechuangbao-registered-users"
    day = Plan.objects.get(code=filling.PLAN).start_on
    counts = [
        Observation.objects.published(as_of).filter(indicator__code=code).count()
        for as_of in (date(2023, 7, 25), day, None)
    ]

    assert counts == sorted(set(counts))
    assert counts[0] == 1


# What is behind it


def test_every_invented_value_reads_back_as_it_is_stored_and_breaks_no_rule():
    units = list(Unit.objects.values_list("name", flat=True))
    for row in Observation.objects.filter(**INVENTED).select_related("indicator__unit"):
        quantity = read(row.as_written, unit=row.indicator.unit.name, units=units)
        assert (quantity.value, quantity.qualifier) == (row.value, row.qualifier), row
        # The constraints stand in the database, which took the row.
        row.full_clean(validate_unique=False, validate_constraints=False)


def test_every_public_row_was_entered_and_approved_by_two_people_and_the_trail_tells_it():
    for model in (Observation, Target, ProgressNote, OpinionStage, Evaluation):
        events = Counter(
            TrailEvent.objects.filter(
                subject_type=model._meta.label_lower, action__in=["entered", "published"]
            ).values_list("subject_code", "action", "actor_name", "at")
        )
        for row in model.objects.filter(**INVENTED, state=State.PUBLISHED):
            by, approved = str(row.entered_by), str(row.published_by)
            assert by != approved
            assert row.entered_at <= row.submitted_at <= row.published_at < timezone.now()
            assert events[row.code, "entered", by, row.entered_at] == 1
            assert events[row.code, "published", approved, row.published_at] == 1


def test_the_figures_of_the_report_stand_as_they_were_beside_the_invented_ones():
    real = Observation.objects.exclude(**INVENTED)

    assert {row.report.number for row in real.select_related("report")} == {"宝府〔2023〕70号"}
    assert not Observation.objects.filter(**INVENTED).exclude(source_name=filling.SOURCE).exists()
    assert not Target.objects.filter(**INVENTED).exclude(source_name=filling.SOURCE).exists()
    assert Target.objects.exclude(**INVENTED).count() == 2
    assert not Evaluation.objects.exclude(**INVENTED, document=filling.SOURCE).exists()
    (answered,) = OpinionStage.objects.exclude(**INVENTED)
    assert (answered.stage, answered.happened_on) == ("answered", date(2023, 7, 25))
    assert not OpinionStage.objects.filter(**INVENTED).exclude(document=filling.SOURCE).exists()
    assert not ProgressNote.objects.exclude(**INVENTED).exists()
    for note in ProgressNote.objects.all():
        assert note.text.startswith("（虚构）")
        assert note.text_en.startswith("(invented)")


@pytest.mark.sweep
def test_everybodys_password_is_shown_once(first_run, settings):
    # In the long form the hash is that of `make demo`, not the quick one of tests.
    if WHOLE:
        settings.PASSWORD_HASHERS = PASSWORD_HASHERS
    shown = {
        name: re.search(rf"{name}, password: (\S+)", first_run)[1]
        for name, _role, _title in filling.PEOPLE
    }
    assert len({*shown.values()}) == len(filling.PEOPLE)
    assert min(map(len, shown.values())) >= 12
    for name in shown:
        assert User.objects.get(username=name).check_password(shown[name])
    for name, _role, _title in filling.OTHERS:
        assert not User.objects.get(username=name).has_usable_password()


def database() -> dict:
    return {
        model._meta.label: list(model._base_manager.order_by("pk").values_list())
        for label in ("auth", "measures", "metrics")
        for model in apps.get_app_config(label).get_models(include_auto_created=True)
    }


def test_a_second_run_changes_nothing():
    before, output = database(), StringIO()

    call_command("prepare", stdout=output)

    assert "nothing was changed" in output.getvalue()
    assert "password" not in output.getvalue()
    assert database() == before
