"""What the demonstration contains: invented figures, targets and notes, as they would be typed.

Times are counted from the day on which the demonstration is made. Quarters are numbered from 1,
the tenth last full one, to 10, the last. The demonstration's plan runs over twelve quarters,
from quarter 4 on, so that it is always between a half and two thirds over: what was done by the
end of quarter 10 is then ahead of time or behind it on whatever day it is made.
"""

from dataclasses import dataclass
from datetime import date

from measures.models import Decision, Grade, MeasureStatus, Stage
from metrics.rules.choices import Category, Claim, Comparator, Kind

QUARTERS, MONTHS, YEARS = 10, 40, 3
PLAN_STARTS, PLAN_ENDS = 4, 15
#: Where a table has no figure.
NOTHING = "–"

#: Indicators of their own on measures for which the report gives no figure.
INDICATORS = (
    {
        "code": "demo-one-visit-completion-rate",
        "measure": "one-visit-completion-rate",
        "unit": "percent",
        "category": Category.SERVICES,
        "kind": Kind.SHARE,
        "name": "一次办成率（虚构指标）",
        "name_en": "Matters settled in one visit (invented indicator)",
        "scope": "虚构：一次办成的事项占全部办结事项的比重。",
        "scope_en": "Invented: share of the matters settled that took one visit.",
    },
    {
        "code": "demo-smart-factories",
        "measure": "smart-factories",
        "unit": "jia",
        "category": Category.ENTERPRISES,
        "kind": Kind.CUMULATIVE,
        "name": "累计建成智能工厂（虚构指标）",
        "name_en": "Smart factories built, total (invented indicator)",
        "scope": "虚构：区内已建成的智能工厂数。",
        "scope_en": "Invented: smart factories in the district that are finished.",
    },
)

#: Indicator, the form of its figures, and what it has in quarters 1 to 10.
BY_QUARTER = """
science-park-firms-landed-total              {}家     367 391 410 436 455 478 503 522 547 569
science-park-firms-landed-new                {}家     22 24 19 26 19 23 25 19 25 22
nanda-enterprises-new                        {}家     61 66 58 72 60 69 63 75 59 64
nanda-technology-enterprises-new             {}家     33 37 31 40 34 36 35 41 33 71
nanda-digital-economy-enterprises-new        {}家     23 25 20 27 22 26 24 28 21 25
nanda-synthetic-biology-enterprises-new      {}家     4 5 3 6 4 5 4 6 4 –
nanda-listed-company-branches-new            {}家     2 3 2 3 2 3 3 4 2 –
nanda-high-tech-enterprises-new              {}家     3 4 3 5 4 4 3 5 4 4
nanda-registered-capital-new                 {}亿元   12.41 13.88 11.95 14.6 12.07 13.62 13.1 15.24 12.78 13.55
nanda-projects-under-construction-area       {}万平方米 33 35 36 38 37 41 44 46 45 48
nanda-projects-under-construction-investment 约{}亿元 105 110 110 115 120 125 130 130 135 140
enterprise-profiles-in-platform              {}家     318 325 331 337 342 346 351 355 358 362
wusong-land-reserved                         {}公顷   140 142 144 147 149 150 152 155 157 158
vocational-training-completed                {}人     20180 21460 19870 22930 20540 21890 20310 23470 20960 21720
campus-recruitment-posts                     {}余个   5200 5600 4900 6100 5300 5700 5100 6300 5400 5800
senior-managers-trained                      近{}名   30 40 30 40 50 40 40 50 40 50
job-fairs-held                               {}场     38 44 36 47 40 45 39 49 41 46
graphene-platform-enterprises                {}家     57 58 60 62 63 65 67 68 70 71
one-thing-items-online                       {}个     48 50 51 53 54 56 57 59 60 62
one-thing-cases-handled                      {}余件   57000 61000 55000 64000 58000 62000 56000 66000 59000 63000
cross-province-partner-offices               {}个     52 55 57 – – – – – – –
technology-credit-amount                     {}亿元   5.21 5.64 6.02 6.55 6.93 7.31 7.8 8.17 8.52 8.94
technology-credit-borrowers                  {}家次   101 109 116 126 133 141 150 158 165 173
premium-subsidy-amount                       {}万元   171.2 188.45 209.9 236.12 255.7 278.33 301.05 327.48 349.16 372.9
matchmaking-events                           {}场     2 3 2 3 2 2 3 4 2 3
kechuangbao-technology-enterprises           {}家     268 281 290 297 301 296 291 284 279 271
kechuangbao-results-published                {}个     548 581 607 640 671 705 734 768 799 833
kechuangbao-needs-published                  {}个     671 712 750 793 828 869 907 951 986 1029
demo-smart-factories                         {}家     8 9 11 12 14 15 17 19 20 22
"""  # noqa: E501

#: The same for the last three full years.
BY_YEAR = """
technology-smes-registered                   {}家     1190 1310 1425
technology-smes-registered-growth            {}%      10.8 10.1 8.8
technology-smes-registered-rank              第{}     6 5 5
municipal-technology-centres-new-share       超过{}%  11 12 11
"""

#: The same for the last forty full months.
BY_MONTH = """
kechuangbao-registered-users                 {}家     2712 2751 2766 2800余 2836 2853 2899 2922 2964 2977 3000余 3051 3066 3116 3136 3153 3199 3222 3264 3277 3300余 3351 3366 3416 3436 3453 3499 3522 3564 3577 3600余 3651 3666 3716 3736 3753 3799 3822 3864 3877
"""  # noqa: E501

#: Indicators that are reported together: what was lent, and to how many.
PAIRS = (("technology-credit-amount", "technology-credit-borrowers"),)

#: Figures besides, with their quarters; 11 still runs, so its figure is what is expected.
BESIDES = (
    ("relief-loan-limit", 5, "150亿元"),
    ("demo-smart-factories", 11, "25家"),
)
#: Indicators whose figures of quarter 10 are not final.
PRELIMINARY = ("vocational-training-completed", "nanda-registered-capital-new")

#: (indicator, quarter, figure as corrected, days after its publication, reason)
CORRECTIONS = (
    (
        "nanda-registered-capital-new", 6, "12.63亿元", 27,
        "（虚构）录入时两位数字颠倒，按台账更正。/ (invented) Two digits were swapped on entry.",
    ),
    (
        "kechuangbao-needs-published", 9, "976个", 41,
        "（虚构）剔除重复发布的需求。/ (invented) Needs published twice were taken out.",
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Goal:
    """A target of the demonstration's plan, in the indicator's unit; None is not published.

    It is due at the end of the plan, or of ``quarter``. ``from_baseline``: the value on the day
    before the plan begins is its baseline. ``at_first`` is what it said until it was changed, for
    a ``reason``.
    """

    indicator: str
    value: int | None
    comparator: Comparator = Comparator.AT_LEAST
    claim: Claim = Claim.NONE
    from_baseline: bool = False
    quarter: int = PLAN_ENDS
    at_first: int | None = None
    reason: str = ""


GOALS = (
    Goal("science-park-firms-landed-total", 550),
    Goal("kechuangbao-results-published", 800, claim=Claim.MET_EARLY),
    Goal("kechuangbao-registered-users", 4250, from_baseline=True),
    Goal("graphene-platform-enterprises", 78, from_baseline=True),
    Goal(
        "one-thing-items-online",
        69,
        from_baseline=True,
        at_first=80,
        reason="（虚构）事项目录调整，目标下调。/ (invented) Fewer matters are listed now.",
    ),
    Goal("premium-subsidy-amount", 600, Comparator.AT_MOST),
    Goal("enterprise-profiles-in-platform", 430, from_baseline=True),
    # Fewer than at the start.
    Goal("kechuangbao-technology-enterprises", 360, from_baseline=True),
    # The claims contradict what can be computed.
    Goal("wusong-land-reserved", 190, claim=Claim.MET_EARLY, from_baseline=True),
    Goal("technology-credit-amount", 9, claim=Claim.MET, quarter=10),
    Goal("technology-credit-amount", 12),
    Goal("technology-smes-registered-rank", 3, Comparator.AT_MOST),
    Goal("demo-one-visit-completion-rate", 95),
    Goal("cross-province-partner-offices", None),
)
#: Days after its publication.
TARGET_CHANGED_AFTER, NOTE_CORRECTED_AFTER = 400, 24


@dataclass(frozen=True)
class Note:
    """What was done on a measure; ``corrected`` is its later text in both languages, and why."""

    measure: str
    quarter: int
    text: str
    text_en: str
    corrected: tuple[str, str, str] | None = None


NOTES = (
    Note(
        "nanda-enterprise-clustering",
        2,
        "（虚构）举办两场合成生物产业对接会，七家企业达成落户意向。",
        "(invented) Two meetings of the synthetic biology industry; seven firms intend to settle.",
    ),
    Note(
        "nanda-enterprise-clustering",
        9,
        "（虚构）首批标准厂房交付，十二家企业入驻。",
        "(invented) The first standard factory buildings were handed over; twelve firms moved in.",
        corrected=(
            "（虚构）首批标准厂房交付，九家企业入驻，另有三家正在装修。",
            "(invented) The first standard factory buildings were handed over; nine firms moved in "
            "and three are fitting out.",
            "（虚构）三家尚未入驻。/ (invented) Three had not moved in yet.",
        ),
    ),
    Note(
        "wusong-starting-areas-land-reserve",
        5,
        "（虚构）两处地块的收储协议延期签订，进度落后于计划。",
        "(invented) The agreements on two plots were put off; the work is behind its plan.",
    ),
    Note(
        "wusong-starting-areas-land-reserve",
        8,
        "（虚构）全部收储任务提前完成。",
        "(invented) All land was reserved ahead of time.",
    ),
    Note(
        "kechuangbao-platform",
        4,
        "（虚构）平台改版上线，企业可直接在线申报。",
        "(invented) The platform was relaunched; firms can apply online.",
    ),
    Note(
        "kechuangbao-platform",
        10,
        "（虚构）注册用户继续增加，入驻科技型企业连续五个季度减少，原因正在排查。",
        "(invented) Registered users grow, while technology enterprises have fallen for five "
        "quarters; the cause is being looked into.",
    ),
    Note(
        "one-thing-integrated-services",
        6,
        "（虚构）新增两个“一件事”，全部可网上办理。",
        "(invented) Two integrated services were added, both online.",
        corrected=(
            "（虚构）新增两个“一件事”，其中一个可网上办理。",
            "(invented) Two integrated services were added, one of them online.",
            "（虚构）另一个仍需到窗口提交原件。/ (invented) The other still asks for originals.",
        ),
    ),
    Note(
        "vocational-training",
        8,
        "（虚构）与三所职业院校共建实训基地。",
        "(invented) Training centres were set up with three vocational schools.",
    ),
    Note(
        "technology-credit-products",
        10,
        "（虚构）两家银行下调科技信贷利率。",
        "(invented) Two banks lowered the interest on technology credit.",
    ),
    Note(
        "smart-factories",
        9,
        "（虚构）第二十家智能工厂通过验收。",
        "(invented) The twentieth smart factory passed its inspection.",
    ),
)


@dataclass(frozen=True)
class Reached:
    """A stage that the opinion reached, on an invented day; the answer's is the report's own."""

    stage: Stage
    on: date


STAGES = (
    Reached(Stage.HANDED_OVER, date(2023, 2, 6)),
    Reached(Stage.ACTED_ON, date(2023, 3, 1)),
    # 240 days after the sixth of February end on the fourth of October.
    Reached(Stage.DELIBERATED, date(2023, 10, 26)),
    Reached(Stage.EVALUATED, date(2023, 10, 27)),
)


@dataclass(frozen=True)
class Judged:
    """An evaluation: of the report, or of the section or theme with that code.

    ``votes``: satisfied, fairly satisfied, not satisfied, abstained; None is not published.
    ``at_first``: the votes as they were told until they were corrected, for a ``reason``.
    """

    of: str
    on: date
    grade: str
    votes: tuple[int | None, int | None, int | None, int | None]
    decision: Decision
    note: str = ""
    note_en: str = ""
    at_first: tuple[int, int, int, int] | None = None
    reason: str = ""


EVALUATIONS = (
    Judged(
        "baofu-2023-70",
        date(2023, 10, 27),
        Grade.FAIRLY_SATISFIED,
        (14, 19, 5, 2),
        Decision.FOLLOWED_UP,
    ),
    # The claims of this section contradict it.
    Judged(
        "industrial-structure",
        date(2023, 10, 27),
        Grade.NOT_SATISFIED,
        (6, 11, 21, 2),
        Decision.FOLLOWED_UP,
        note="（虚构）土地收储进度与报告不一致，继续督办。",
        note_en="(invented) The land reserved does not agree with the report; followed up.",
    ),
    Judged(
        "supporting-environment",
        date(2023, 10, 27),
        Grade.SATISFIED,
        (29, 8, 2, 1),
        Decision.CLOSED,
        at_first=(28, 8, 2, 1),
        reason="（虚构）漏计一票。/ (invented) One vote had not been counted.",
    ),
    # Its votes were not published.
    Judged(
        "core-area",
        date(2024, 5, 17),
        Grade.FAIRLY_SATISFIED,
        (None, None, None, None),
        Decision.NONE,
    ),
)
EVALUATION_CORRECTED_AFTER = 20
#: The section whose evaluation waits for review.
EVALUATION_ON_THE_WAY = "resource-integration"

#: A note that turned out to be wrong: after how many days it was withdrawn, and why.
WITHDRAWN_NOTE = (
    Note(
        "smart-factories",
        7,
        "（虚构）第十八家智能工厂通过验收。",
        "(invented) The eighteenth smart factory passed its inspection.",
    ),
    30,
    "（虚构）误填了另一区的企业。",
    "(invented) The firm belongs to another district.",
)


@dataclass(frozen=True)
class MeasureStateSaid:
    """What a department says of the state of a measure, and of those that carry it on."""

    measure: str
    quarter: int
    status: MeasureStatus
    reason: str
    reason_en: str
    into: str = ""


STATES = (
    MeasureStateSaid(
        "wusong-starting-areas-land-reserve",
        4,
        MeasureStatus.IN_PROGRESS,
        "（虚构）首批地块已签订收储协议。",
        "(invented) Agreements on the first plots were signed.",
    ),
    MeasureStateSaid(
        "wusong-starting-areas-land-reserve",
        8,
        MeasureStatus.COMPLETED,
        "（虚构）全部收储任务完成并通过核验。",
        "(invented) All land was reserved, and the work was verified.",
    ),
    MeasureStateSaid(
        "vocational-training",
        6,
        MeasureStatus.ONGOING,
        "（虚构）转为常态化工作。",
        "(invented) It goes on as routine work.",
    ),
    MeasureStateSaid(
        "science-park-brand-events",
        5,
        MeasureStatus.MERGED,
        "（虚构）品牌活动由创新联盟统一组织。",
        "(invented) The alliance now organises the events.",
        into="shanghai-university-innovation-alliance",
    ),
    MeasureStateSaid(
        "job-fairs",
        6,
        MeasureStatus.SPLIT,
        "（虚构）校园专场和企业新员工培训分别推进。",
        "(invented) Campus fairs and training of new staff go their own ways.",
        into="campus-recruitment new-employee-training",
    ),
    MeasureStateSaid(
        "science-enterprise-relief-loan",
        3,
        MeasureStatus.TERMINATED,
        "（虚构）抗疫专项到期，不再发放。",
        "(invented) The relief loan expired and is not granted any more.",
    ),
    MeasureStateSaid(
        "nanda-tod-landmarks",
        7,
        MeasureStatus.NOT_STARTED,
        "（虚构）方案尚未批复，没有开工。",
        "(invented) The design is not approved yet, and no work began.",
    ),
)

#: Departments that have confirmed that they lead their measures.
CONFIRMED = ("nanda", "government-services", "human-resources")

#: Of the overdue quarter 10: a draft, a figure that waits for review, and one that came back.
ON_THE_WAY = (
    ("nanda-public-works-projects", "43个"),
    ("nanda-synthetic-biology-enterprises-new", "5家"),
    ("nanda-listed-company-branches-new", "33家"),
)
#: Why what looks unusual is right nevertheless.
ANSWER = "（虚构）已与街镇台账核对。/ (invented) Compared with the towns’ ledgers."
RETURNED_BECAUSE = (
    "（虚构）比上季度多十倍以上，请核对。/ (invented) Ten times last quarter’s; please check."
)
CORRECTION_UNDER_WAY = (
    "nanda-enterprises-new",
    "74家",
    "（虚构）漏计十家。/ (invented) Ten enterprises were left out.",
)
NOTE_ON_THE_WAY = (
    "nanda-public-works",
    "（虚构）三条市政道路开工。",
    "(invented) Work began on three roads.",
)

#: Days from the handing over of the opinion until each stage is due; no law sets any
TERMS = {
    "term-acted-on": 30,
    "term-answered": 180,
    "term-deliberated": 240,
    "term-evaluated": 270,
    "term-closed": 365,
}

#: Why figures are asked for more often, leads are confirmed and terms are set
REWORDED = "按演示需要调整填报频率，确认牵头单位，并设定办理期限（虚构）"
