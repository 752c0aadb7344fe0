"""Questions that a committee member asks, answered in a real browser within three clicks.

Fifteen were written down before anybody looked for the answers. Each starts on the front page, in
Chinese: of the report where it can answer, else of the demonstration. What is expected was worked
out by hand from the report, or from the demonstration's own figures as another page gives them.
Ten more, of the report, start on the English front page; one server answers all of them. Between
two commits some of these are asked, and of the fifteen those that lead each to pages of its own.
"""

import re
from inspect import signature

import pytest

from . import asked
from .browser import DESK, desk_page
from .people import press
from .server import serve
from .slices import some

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    with serve(tmp_path_factory.mktemp("fifteen")) as server:
        yield server


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory):
    with serve(tmp_path_factory.mktemp("fifteen-demo"), DEMO="1") as server:
        yield server


@pytest.fixture(scope="module")
def page(browser):
    return desk_page(browser)


@pytest.fixture
def read(page):
    """The text to which links lead from the front page of a portal."""

    return lambda server, *links: asked.answer(page, f"{server.address}/", *links)


@pytest.fixture
def answer(report, page):
    """The text to which links lead from the English front page of the report's portal."""
    return lambda *links: asked.answer(page, f"{report.address}/en/", *links)


#: Those of the fifteen that lead to pages to which another leads as well, or that only ask these
#: pages otherwise.
ALIKE = []


def alike(ask):
    ALIKE.append(ask)
    return ask


def test_01_is_the_plan_done_how_many_targets_are_met_and_how_many_not(read, demonstration):
    verdict = read(demonstration)
    (targets, missed, behind, on_track, met, unknown) = map(
        int,
        re.search(
            r"(\d+)项目标中，(\d+)项未达目标、(\d+)项进度滞后、(\d+)项进度正常、(\d+)项已达目标、"
            r"(\d+)项无法核验（数据截至\d+年\d+月\d+日）",
            verdict,
        ).groups(),
    )
    assert missed + behind + on_track + met + unknown == targets

    rows = read(demonstration, "/targets/")
    assert f"共{targets}条" in rows
    assert rows.count("✕ 未达目标") == missed
    assert rows.count("✓ 已达目标") == met


@alike
def number_02_what_is_said_to_be_exceeded_or_early_and_can_it_be_checked(read, report):
    assert "2项目标已完成，但目标值从未公布，是否完成无法核验" in read(report)

    rows = read(report, "/targets/")
    assert "新增院士专家工作站" in rows
    assert "报告称超额并提前完成" in rows
    assert "新引进打造平台及孵化机构数" in rows
    assert rows.count("目标值未公布，无法核实") == 2


@alike
def number_03_which_section_does_worst(read, demonstration, page):
    # The section with the missed target.
    assert "问题最多 资源整合与政策落地 1项未达目标" in read(demonstration)

    read(demonstration, "order=worst")
    first = page.inner_text("table.asked tbody:first-of-type th[scope=rowgroup]")
    assert "资源整合与政策落地" in first


@alike
def number_04_how_much_money_from_whom_to_how_many(read, report):
    text = read(report, "/money/")

    assert "不设合计" in text
    for nature in ("财政资金", "补贴", "信贷投放", "额度", "投资", "营收"):
        assert nature in text
    assert re.search(r"中小企业担保贷款金额 .*?36\.15亿元.*?905家", text)
    assert re.search(r"履约保险保费补贴金额 .*?41家", text)


def test_05_how_much_of_each_loan_and_of_each_quota_was_used(read, report):
    text = read(report, "/money/")

    assert re.search(r"中小企业担保贷款金额 .*?36\.15亿元", text)
    # 24.86 of 100 亿元, and 1,100 万元 of 50 亿元.
    assert "24.86%（24.86亿元/100亿元）" in text
    assert "0.22%（1,100万元/50亿元）" in text
    assert "申请额不等于放款额" in text


@alike
def number_06_the_enterprises_of_each_kind_their_growth_and_rank(read, report):
    text = read(report, "/sections/1/#theme-3")

    assert re.search(r"高新技术企业总数 1,475家", text)
    assert re.search(r"入库科技型中小企业 1,074家.*?报告称增长36%", text)
    assert re.search(r"入库科技型中小企业全市位次 第\d+位", text)
    assert re.search(r"新增国家级专精特新“小巨人” 13家", text)
    assert re.search(r"新增市级专精特新企业 118家", text)


@alike
def number_07_which_park_has_most_of_the_345_enterprises(read, report):
    text = read(report, "/indicators/science-park-firms-landed-total/")

    assert "345家" in text
    # The report tells only these two.
    assert re.search(r"北大科技园落地企业 .*?32家", text)
    assert re.search(r"复旦科创中心引进科技企业 .*?3家", text)


@alike
def number_08_which_measures_have_words_and_no_figures(read, report, page):
    text = read(report, "/questions/", "kind=no-figure")

    (count,) = map(int, re.findall(r"(\d+)条追问", text))
    assert count == text.count("只有文字表述，没有可以衡量的数字")
    assert count > 20


@alike
def number_09_what_did_the_report_not_answer_and_what_was_never_told_again(read, report):
    text = read(report, "/questions/", "kind=silent")

    assert "未收录审议意见原文，无法判断哪些意见没有得到回应" in text
    (count,) = map(int, re.findall(r"(\d+)条追问", text))
    assert count > 0


def test_10_who_leads_what_is_late_and_how_do_they_compare(read, demonstration):
    text = read(demonstration, "/departments/")
    for column in ("牵头举措", "判定", "逾期未报", "按期率"):
        assert column in text
    assert "建议" in text

    one = read(demonstration, "/departments/", "/departments/science-technology/")
    assert "区科学技术委员会" in one
    assert "科技信贷金额" in one


def test_11_what_is_new_what_became_better_and_what_worse(read, demonstration, page):
    read(demonstration, "/changes/")
    press(page.locator("ul.spans a").filter(has_text="今年以来"))
    text = " ".join(page.inner_text("main dl.findings").split())

    worse, better = text.split("变好")
    assert "科技信贷金额" in worse
    assert "未达目标" in worse
    assert "已达目标" in better


def test_12_how_many_platforms_by_level_and_is_anything_counted_twice(read, report):
    text = read(report, "/compare/", "/compare/platforms/", "/counted/platforms/")

    assert "国家级 4 · 市级 8 · 区级 3" in text
    assert re.search(r"现有市级创新创业载体 32家", text)
    assert "国家级载体包含在内" in text
    assert "不设合计" in text


@alike
def number_13_how_do_the_two_core_areas_compare_and_do_the_253_add_up(read, report):
    text = read(report, "/sections/1/#theme-2")
    assert re.search(r"南大新增注册企业 .*?253家", text)
    assert re.search(r"吴淞先行启动区收储土地 .*?公顷", text)

    # 139 + 95 + 16 + 10 + 14 = 274: parts overlap by at least 21.
    checks = read(report, "/checks/")
    assert re.search(r"274.*?至少有21.{0,2}重复", checks)


@alike
def number_14_how_many_were_trained_and_hired_and_is_anybody_counted_twice(read, report):
    text = read(report, "/sections/2/#theme-1")
    assert "83,750人" in text
    assert "165场" in text
    assert "21,000余个" in text

    one = read(report, "/sections/2/", "/indicators/vocational-training-completed/")
    assert "是否重复计算" in one
    assert "能否相加" in one


def test_15_which_figures_contradict_each_other(read, report):
    text = read(report, "/checks/?result=question")

    assert re.search(r"石墨烯平台集聚企业数 .*?55家.*?35家", text)
    assert re.search(r"2,300万元.*?1,000万元", text)


@pytest.mark.sweep
@pytest.mark.parametrize("ask", some(ALIKE, every=9, first=4), ids=lambda ask: ask.__name__)
def test_a_question_that_leads_where_another_does_is_answered(ask, request):
    ask(*map(request.getfixturevalue, signature(ask).parameters))


# What a committee member takes along


@pytest.mark.sweep
@pytest.mark.parametrize("address", some(["/", "/en/"], every=2, first=1))
def test_the_overview_is_printed_on_two_pages(demonstration, browser, tmp_path, address):
    page = browser.new_page(viewport=DESK, java_script_enabled=False)
    page.goto(f"{demonstration.address}{address}")

    page.pdf(path=tmp_path / "overview.pdf", format="A4", prefer_css_page_size=True)
    page.close()

    printed = (tmp_path / "overview.pdf").read_bytes()
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 2


# Ten more


FURTHER = []


def further(ask):
    FURTHER.append(ask)
    return ask


@further
def which_claims_of_having_met_the_plan_can_be_verified(answer, page):
    text = answer("/en/targets/")

    assert "2 rows" in text
    assert text.count("reported met; target not published, cannot be verified") == 2


@further
def what_did_the_loans_grow_by_and_is_the_stated_rate_right(answer, page):
    text = answer("/indicators/guaranteed-loan-amount/")

    # 36.15 − 23.14 = 13.01 亿元, and 36.15 ÷ 23.14 − 1 = 56.22 %.
    assert "up by CNY 1.301 billion (+56.22%)" in text
    assert re.search(r"stated rate.*56\.22%.*computed.*56\.22%", text)
    assert "holds" in text


@further
def which_figures_have_not_been_updated_since(answer, page):
    text = answer("updated=no")

    (rows,) = re.findall(r"(\d+) rows", text)
    assert int(rows) > 100


@further
def do_the_parts_of_the_newly_registered_enterprises_add_up(answer, page):
    text = answer("/en/checks/?result=holds")

    # 139 + 95 + 16 + 10 + 14 = 274, and the whole is 253: the parts overlap by at least 21.
    assert "253" in text
    assert "274" in text
    assert "overlap by at least 21" in text


@further
def how_much_investment_was_signed_and_for_how_many_projects(answer, page):
    # The measure stands in the trail of the figure's page.
    text = answer("/indicators/signed-projects-investment/", "/measures/project-signing/")

    assert "218亿元" in text
    assert "42个" in text


@further
def what_is_the_largest_and_the_smallest_sum_in_the_report(answer, page):
    text = answer("/indicators/guaranteed-loan-amount/", "/compare/funds/")

    assert text.index("CNY 21.8 billion") < text.index("CNY 1.4854 million")


@further
def who_is_responsible_and_is_that_confirmed(answer, page):
    text = answer("/indicators/guaranteed-loan-amount/", "/measures/policy-guaranteed-loans/")

    assert re.search(r"Lead department .*proposed", text)


@further
def where_in_the_report_does_a_figure_stand(answer, page):
    text = answer("/indicators/high-tech-enterprises/")

    assert "1475家" in text
    assert "宝府〔2023〕70号 1.3/3" in text


@further
def which_periods_does_the_report_not_state(answer, page):
    text = answer("inferred=yes")

    assert "inferred" in text
    assert int(re.findall(r"(\d+) rows", text)[0]) > 50


@further
def how_do_i_take_a_section_into_a_briefing(answer, page):
    answer("/en/sections/3/", "/en/packs/?section=")
    with page.expect_download() as download:
        page.click("text=Word")

    assert download.value.suggested_filename.endswith(".docx")


@pytest.mark.sweep
@pytest.mark.parametrize("ask", some(FURTHER, every=5, first=4), ids=lambda ask: ask.__name__)
def test_a_further_question_is_answered(ask, answer, page):
    ask(answer, page)
