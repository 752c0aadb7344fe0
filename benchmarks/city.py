"""Fills an empty database with sixteen districts' figures, to measure at the size of a city.

    DATABASE_URL=sqlite:////tmp/city.sqlite3 .venv/bin/python benchmarks/city.py \
        --observations 100000

The database is migrated first and refused if it holds an opinion. Each district is an opinion with
a plan, 80 measures and 20 indicators a measure; an indicator has a value for each of 40 quarters, a
million in all. Fewer observations fill fewer districts, fewer quarters make more indicators. All
constraints and triggers stand while rows are written, and the record is sealed year by year as it
would have been. The same numbers give the same figures; only the dates follow the day of the run.
"""

import argparse
import random
import sys
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from time import perf_counter

from portal import set_up

DISTRICTS = [
    "黄浦", "徐汇", "长宁", "静安", "普陀", "虹口", "杨浦", "闵行",
    "宝山", "嘉定", "浦东", "金山", "松江", "青浦", "奉贤", "崇明",
]  # fmt: skip
MEASURES, INDICATORS, QUARTERS = 80, 20, 40
#: Of a district: sections, themes a section; each theme has an equal part of the measures.
SECTIONS, THEMES = 4, 4
OFFICES = 20
#: Shares of values that were corrected, withdrawn, and of the last quarter not public yet.
CORRECTED, WITHDRAWN, WAITING = 0.01, 0.001, 0.1
WRITTEN_TOGETHER = 5_000


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--observations", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--quarters", type=int, default=QUARTERS, metavar="N")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--unsealed", action="store_true", help="leave the chain of the record to whoever needs it"
    )
    return parser.parse_args()


if __name__ == "__main__":
    asked = arguments()
    set_up()

from django.contrib.auth.models import Group  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.management.color import no_style  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.utils import timezone  # noqa: E402

from measures.access import EDITOR, REVIEWER  # noqa: E402
from measures.chain import make_checkpoint, seal  # noqa: E402
from measures.models import (  # noqa: E402
    Department,
    Measure,
    MeasureState,
    Opinion,
    ProgressNote,
    Report,
    Round,
    Section,
    Theme,
    User,
    Withdrawal,
)
from measures.submission import State  # noqa: E402
from metrics.models import (  # noqa: E402
    Check,
    CheckTerm,
    Indicator,
    Observation,
    Plan,
    Target,
    Unit,
)

#: What the indicators of a measure are: name, unit, kind, category.
SHAPES = (
    ("规上企业数", "家", "stock", "enterprises"),
    ("高新技术企业数", "家", "stock", "enterprises"),
    ("专精特新企业数", "家", "stock", "enterprises"),
    ("高新技术企业占比", "%", "share", "enterprises"),
    ("新增企业数", "家", "flow", "enterprises"),
    ("新增企业增速", "%", "growth", "enterprises"),
    ("扶持资金", "万元", "flow", "funds"),
    ("市级扶持资金", "万元", "flow", "funds"),
    ("区级扶持资金", "万元", "flow", "funds"),
    ("授信额度", "亿元", "stock", "funds"),
    ("已用额度", "亿元", "stock", "funds"),
    ("累计投资", "亿元", "cumulative", "projects"),
    ("引进人才数", "人", "flow", "talent"),
    ("博士人数", "人", "flow", "talent"),
    ("公共服务平台数", "个", "stock", "platforms"),
    ("市级平台数", "个", "stock", "platforms"),
    ("立项数", "项", "flow", "projects"),
    ("成果转化数", "项", "cumulative", "results"),
    ("服务企业场次", "场", "flow", "services"),
    ("载体面积", "万平方米", "capacity", "space"),
)
UNITS = {
    "家": ("enterprises", None, 1),
    "%": ("percentage", None, 1),
    "元": ("money", None, 1),
    "万元": ("money", "元", 10**4),
    "亿元": ("money", "元", 10**8),
    "人": ("people", None, 1),
    "个": ("platforms", None, 1),
    "项": ("projects", None, 1),
    "场": ("events", None, 1),
    "平方米": ("area", None, 1),
    "万平方米": ("area", "平方米", 10**4),
}
#: The checks of a measure: relation, and (role, shape, value before).
CHECKS = (
    ("part", (("whole", 0, False), ("part", 1, False))),
    ("overlap", (("whole", 0, False), ("part", 1, False), ("part", 2, False))),
    ("share", (("whole", 0, False), ("part", 1, False), ("rate", 3, False))),
    ("growth", (("now", 4, False), ("before", 4, True), ("rate", 5, False))),
    ("sum", (("whole", 6, False), ("part", 7, False), ("part", 8, False))),
    ("quota", (("whole", 9, False), ("part", 10, False))),
    ("part", (("whole", 12, False), ("part", 13, False))),
    ("part", (("whole", 14, False), ("part", 15, False))),
)
#: The shapes that have a target.
AIMED_AT = (1, 6, 11, 14, 16)


def quarters(count: int) -> list[tuple[date, date]]:
    """First and last days of the last ``count`` quarters that were published by today."""
    year, quarter = timezone.localdate().year, 3
    found = []
    while len(found) < count:
        first = date(year, 3 * quarter + 1, 1)
        last = (first + timedelta(days=95)).replace(day=1) - timedelta(days=1)
        if last + timedelta(days=40) <= timezone.localdate():
            found.append((first, last))
        year, quarter = (year, quarter - 1) if quarter else (year - 1, 3)
    return found[::-1]


def at(day: date, seconds: int) -> datetime:
    """A moment of office hours on ``day`` in Shanghai."""
    begun = datetime(day.year, day.month, day.day, 1, tzinfo=UTC)
    return begun + timedelta(seconds=seconds % 28_800)


def write(model, rows) -> None:
    """Rows of all columns, past Django's objects: as text by COPY, or many a statement."""
    table, columns = model._meta.db_table, [f.column for f in model._meta.concrete_fields]
    names = ", ".join(f'"{name}"' for name in columns)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.cursor.copy_expert(f"COPY {table} ({names}) FROM STDIN", _Text(rows))
            return
        places = ", ".join("?" * len(columns))
        fields = model._meta.concrete_fields
        texts = [n for n, f in enumerate(fields) if "Date" in f.get_internal_type()]
        decimals = [n for n, f in enumerate(fields) if f.get_internal_type() == "DecimalField"]
        connection.connection.executemany(
            f"INSERT INTO {table} ({names}) VALUES ({places})",
            (_for_sqlite(row, texts, decimals) for row in rows),
        )


def _for_sqlite(row: tuple, texts: list[int], decimals: list[int]) -> list:
    row = list(row)
    for n in texts:
        if isinstance(row[n], datetime):
            row[n] = row[n].strftime("%Y-%m-%d %H:%M:%S")
        elif row[n] is not None:
            row[n] = row[n].isoformat()
    for n in decimals:
        row[n] = str(row[n])
    return row


class _Text:
    """Rows as a file in the text format of COPY."""

    def __init__(self, rows):
        self.lines = ("\t".join(map(self._cell, row)) + "\n" for row in rows)

    def read(self, size: int) -> str:
        got, length = [], 0
        for line in self.lines:
            got.append(line)
            length += len(line)
            # A character of Chinese is three bytes, and no more than ``size`` may be returned.
            if length * 3 > size - 2_000:
                break
        return "".join(got)

    @staticmethod
    def _cell(value) -> str:
        if value is None:
            return "\\N"
        if isinstance(value, datetime):
            return value.isoformat()
        return str(value)


class City:
    """What is made on the way; ``shape_of`` and the values follow the order of the indicators."""

    def __init__(self, observations: int, count: int, seed: int):
        self.chance = random.Random(seed)
        self.quarters = quarters(count)
        self.indicators_wanted = max(1, round(observations / count))
        self.key = 0

    def structure(self) -> None:
        first = self.quarters[0][0]
        begun, chance = first - timedelta(days=30), self.chance
        units = {}
        for n, (name, (quantity, base, factor)) in enumerate(UNITS.items()):
            units[name] = Unit.objects.create(
                code=f"city-unit-{n}", name=name, name_en=f"unit {n}", quantity=quantity,
                base=units.get(base), factor=factor,
            )  # fmt: skip
        self.editor = User.objects.create_user("city-editor", is_staff=True)
        self.editor.groups.set(Group.objects.filter(name=EDITOR))
        self.reviewer = User.objects.create_user("city-reviewer", is_staff=True)
        self.reviewer.groups.set(Group.objects.filter(name=REVIEWER))
        measures = -(-self.indicators_wanted // INDICATORS)
        districts = min(len(DISTRICTS), -(-measures // MEASURES))
        a_district = max(MEASURES, -(-measures // districts))
        self.measures, self.plans, self.reports, themes = [], [], [], []
        offices = []
        for d, name in enumerate(DISTRICTS[:districts]):
            opinion = Opinion.objects.create(
                code=f"city-{d}", number=f"{name}会〔{first.year}〕1号", is_first=d == 0,
                name=f"{name}区科技创新审议意见", name_en=f"Opinion of district {d}",
                issuer=f"{name}区人大常委会", issuer_en=f"Standing Committee {d}", issued_on=begun,
            )  # fmt: skip
            self.plans.append(
                Plan.objects.create(
                    code=f"city-{d}-plan", name=f"{name}区行动计划", name_en=f"Plan {d}",
                    opinion=opinion, start_on=first,
                    end_on=self.quarters[-1][1] + timedelta(days=200),
                )
            )  # fmt: skip
            self.reports.append(
                Report.objects.create(
                    code=f"city-{d}-report", number=f"{name}府〔{first.year}〕2号",
                    name=f"{name}区人民政府报告", name_en=f"Report {d}", opinion=opinion,
                    issuer=f"{name}区人民政府", issuer_en=f"Government {d}",
                    addressee=f"{name}区人大常委会", addressee_en=f"Standing Committee {d}",
                    signatory="张三", signatory_en="Zhang San", signed_on=begun, issued_on=begun,
                )
            )  # fmt: skip
            offices.append(
                Department.objects.bulk_create(
                    Department(
                        code=f"city-{d}-office-{n}", name=f"{name}区第{n + 1}局",
                        name_en=f"Office {n + 1} of district {d}",
                    )
                    for n in range(OFFICES)
                )
            )  # fmt: skip
            for s in range(SECTIONS):
                section = Section.objects.create(
                    code=f"city-{d}-{s}", opinion=opinion, order=s + 1, name=f"第{s + 1}部分",
                    name_en=f"Section {s + 1}",
                )  # fmt: skip
                themes += Theme.objects.bulk_create(
                    Theme(
                        code=f"city-{d}-{s}-{t}", section=section, order=t + 1,
                        name=f"第{t + 1}项工作", name_en=f"Theme {t + 1}",
                    )
                    for t in range(THEMES)
                )  # fmt: skip
        self.editor.departments.set([office for of_one in offices for office in of_one])
        for n in range(measures):
            d, k = divmod(n, a_district)
            theme = themes[d * SECTIONS * THEMES + k % (SECTIONS * THEMES)]
            self.measures.append(
                Measure(
                    code=f"city-measure-{n}", theme=theme, order=k // (SECTIONS * THEMES) + 1,
                    name=f"{DISTRICTS[d]}措施{k + 1}", name_en=f"Measure {k + 1} of district {d}",
                    summary="推进科技创新，按季度填报。", summary_en="Reported quarterly.",
                    lead=chance.choice(offices[d]), lead_confirmed=chance.random() < 0.7,
                    report=self.reports[d], locator=f"{theme.section.order}.{theme.order}/1",
                    published_on=begun,
                )
            )  # fmt: skip
        Measure.objects.bulk_create(self.measures, batch_size=1_000)
        self.indicators = [
            Indicator(
                code=f"city-indicator-{n}", measure=self.measures[n // INDICATORS],
                order=n % INDICATORS + 1, unit=units[SHAPES[n % INDICATORS][1]],
                name=f"{self.measures[n // INDICATORS].name}{SHAPES[n % INDICATORS][0]}",
                name_en=f"Indicator {n}", kind=SHAPES[n % INDICATORS][2],
                category=SHAPES[n % INDICATORS][3], frequency="quarterly",
                schedule_agreed_on=begun, scope="按季度统计口径。", scope_en="By quarter.",
                is_key=n % 500 == 0, is_section_key=n % 100 == 0, published_on=begun,
            )
            for n in range(self.indicators_wanted)
        ]  # fmt: skip
        Indicator.objects.bulk_create(self.indicators, batch_size=1_000)
        self.checks()
        self.beside(begun)

    def district(self, measure: Measure) -> int:
        return int(measure.theme.code.split("-")[1])

    def checks(self) -> None:
        """Those of every measure that has all its indicators."""
        whole = len(self.indicators) // INDICATORS
        checks = [
            Check(
                code=f"city-check-{m}-{n}", kind=kind, order=(m * len(CHECKS) + n) % 32_000,
                name=f"{self.measures[m].name}勾稽{n + 1}", name_en=f"Check {n + 1} of measure {m}",
            )
            for m in range(whole)
            for n, (kind, _terms) in enumerate(CHECKS)
        ]  # fmt: skip
        Check.objects.bulk_create(checks, batch_size=1_000)
        terms = [
            CheckTerm(
                check_of=checks[m * len(CHECKS) + n], role=role, earlier=earlier,
                indicator=self.indicators[m * INDICATORS + shape],
            )
            for m in range(whole)
            for n, (_kind, of_check) in enumerate(CHECKS)
            for role, shape, earlier in of_check
        ]  # fmt: skip
        CheckTerm.objects.bulk_create(terms, batch_size=1_000)

    def beside(self, begun: date) -> None:
        """Targets, states, notes, and the round of the last quarter."""
        chance = self.chance
        public = {"state": State.PUBLISHED, "published_by": self.reviewer}
        mine = {"entered_by": self.editor, "changed_by": self.editor}
        targets = []
        for n, row in enumerate(self.indicators):
            if n % INDICATORS in AIMED_AT:
                known = chance.random() < 0.8
                targets.append(
                    Target(
                        code=f"city-target-{n}", indicator=row,
                        plan=self.plans[self.district(row.measure)],
                        value=Decimal(chance.randint(50, 900)) if known else None,
                        due_on=self.quarters[-1][1] + timedelta(days=100) if known else None,
                        claim="none" if known else "met", source_name="三年行动计划",
                        published_at=at(begun, n), entered_at=at(begun, 0), **public, **mine,
                    )
                )  # fmt: skip
        Target.objects.bulk_create(targets, batch_size=1_000)
        states, notes = [], []
        for n, row in enumerate(self.measures):
            for k, (status, day) in enumerate(
                (("in-progress", begun), ("completed", self.quarters[-1][0]))
            ):
                if k == 0 or chance.random() < 0.4:
                    states.append(
                        MeasureState(
                            code=f"city-state-{n}-{k}", measure=row, status=status, since=day,
                            reason="按计划推进。", reason_en="As planned.",
                            published_at=at(day + timedelta(days=10), n), **public, **mine,
                        )
                    )  # fmt: skip
            notes += [
                ProgressNote(
                    code=f"city-note-{n}-{k}", measure=row, happened_on=last,
                    text="完成年度任务，推进下一阶段工作。", text_en="Done for the year.",
                    published_at=at(last + timedelta(days=12), n), **public, **mine,
                )
                for k, (_first, last) in enumerate(self.quarters)
                if k % 4 == 3
            ]  # fmt: skip
        MeasureState.objects.bulk_create(states, batch_size=1_000)
        ProgressNote.objects.bulk_create(notes, batch_size=1_000)
        first, last = self.quarters[-1]
        Round.objects.create(
            code="city-round", name="填报期", name_en="Round", period_start=first, period_end=last,
            opens_on=last + timedelta(days=1), due_on=last + timedelta(days=400),
        )  # fmt: skip

    def quarter(self, number: int, values: dict) -> tuple[list[tuple], list]:
        """The values of a quarter as rows of the table, and those that were withdrawn."""
        chance, (first, last) = self.chance, self.quarters[number]
        is_last = number == len(self.quarters) - 1
        rows, withdrawn = [], []
        for n, row in enumerate(self.indicators):
            shape = n % INDICATORS
            if shape == 0:
                values[n // INDICATORS] = figures = self._figures(values.get(n // INDICATORS))
            value = values[n // INDICATORS][shape]
            kind, unit = SHAPES[shape][2], SHAPES[shape][1]
            start = None if kind in ("stock", "cumulative", "capacity") else first
            is_waiting = is_last and chance.random() < WAITING
            state = chance.choice((State.DRAFT, State.SUBMITTED)) if is_waiting else None
            told = f"{value:,}{unit}"
            about = chance.random()
            qualifier, as_written = (
                ("about", f"约{told}") if about < 0.05
                else ("over", f"{told.removesuffix(unit)}余{unit}") if about < 0.08
                else ("exact", told)
            )  # fmt: skip
            key = self.row(
                rows, row, start, last, value, qualifier, as_written, state, None,
                n + number, last + timedelta(days=12 + n % 9),
            )  # fmt: skip
            if not is_waiting and chance.random() < CORRECTED:
                self.row(
                    rows, row, start, last, value + 1, "exact", f"{value + 1:,}{unit}", None, key,
                    n + number + 60, last + timedelta(days=25 + n % 9),
                )  # fmt: skip
            elif not is_waiting and chance.random() < WITHDRAWN:
                withdrawn.append((key, row, as_written, last + timedelta(days=30)))
        del figures
        return rows, withdrawn

    def _figures(self, before: list | None) -> list[Decimal]:
        """The twenty figures of a measure, which mostly agree with each other."""
        chance = self.chance
        whole = (before[0] if before else Decimal(chance.randint(200, 2_000))) + chance.randint(
            -5, 20
        )
        part = max(whole // 3 + chance.randint(-5, 5), Decimal(1))
        new = Decimal(chance.randint(20, 400))
        share = (part * 100 / whole).quantize(Decimal("0.1"))
        grown = ((new / before[4] - 1) * 100 if before else Decimal(0)).quantize(Decimal("0.1"))
        city, own = (
            Decimal(chance.randint(100, 90_000)) / 10,
            Decimal(chance.randint(100, 90_000)) / 10,
        )
        wrong = 1 if chance.random() < 0.03 else 0
        total = before[11] if before else Decimal(chance.randint(1, 500))
        people = Decimal(chance.randint(50, 900))
        platforms = (before[14] if before else Decimal(chance.randint(5, 60))) + chance.randint(
            0, 1
        )
        quota = Decimal(chance.randint(100, 9_000)) / 100
        return [
            whole, part, whole // 5, share + wrong, new, grown, city + own + 50 * wrong, city, own,
            quota, (quota * Decimal("0.7")).quantize(Decimal("0.01")),
            total + Decimal(chance.randint(1, 900)) / 100, people, people // 7, platforms,
            platforms // 2, Decimal(chance.randint(1, 60)),
            (before[17] if before else Decimal(0)) + chance.randint(0, 9),
            Decimal(chance.randint(1, 40)), Decimal(chance.randint(100, 3_000)) / 10,
        ]  # fmt: skip

    def row(
        self,
        rows,
        indicator,
        start,
        end,
        value,
        qualifier,
        as_written,
        state,
        corrects,
        second,
        day,
    ) -> int:
        """One row in the order of the table's columns; returns its key."""
        self.key += 1
        state = state or State.PUBLISHED
        is_public, entered = state == State.PUBLISHED, at(day - timedelta(days=3), second)
        rows.append(
            self.columns_of(
                id=self.key, code=f"city-{self.key}", state=state.value,
                revision=2 if corrects else 1, supersedes_id=corrects,
                correction_reason="复核后更正。" if corrects else "", return_reason="",
                entered_by_id=self.editor.pk, changed_by_id=self.editor.pk,
                version=3 if is_public else 1, entered_at=entered,
                submitted_at=None if state == State.DRAFT else entered,
                published_by_id=self.reviewer.pk if is_public else None,
                published_at=at(day, second) if is_public else None, ended_at=None,
                report_id=None, locator="", source_name="季度统计台账", source_url="", note="",
                note_en="", indicator_id=indicator.pk, round_id=None, period_start=start,
                period_end=end, period_inferred=False, value=value, qualifier=qualifier,
                as_written=as_written, certainty="actual", evidence_url="", evidence_file="",
                warning_answer="",
            )
        )  # fmt: skip
        return self.key

    def columns_of(self, **values) -> tuple:
        names = self.__dict__.setdefault(
            "_names", [field.column for field in Observation._meta.concrete_fields]
        )
        return tuple(values[name] for name in names)

    def withdrawals(self, rows: list) -> None:
        Withdrawal.objects.bulk_create(
            Withdrawal(
                code=f"city-withdrawal-{key}", subject_type="observation",
                subject_code=f"city-{key}", subject_name=f"{row.name} {said}",
                subject_name_en=f"{row.name_en} {said}", measure=row.measure,
                indicator_code=row.code, reason="误报。", reason_en="Reported by mistake.",
                state=State.PUBLISHED, published_at=at(day, key), published_by=self.reviewer,
                entered_by=self.editor, changed_by=self.editor,
            )
            for key, row, said, day in rows
        )  # fmt: skip


def fill(observations: int, count: int = QUARTERS, seed: int = 1, *, sealed=True, say=print):
    """Fills the database, which must be migrated and empty; a transaction a year."""
    begun = perf_counter()
    city = City(observations, count, seed)
    with transaction.atomic():
        city.structure()
    say(f"{len(city.indicators):,} indicators on {len(city.measures):,} measures")
    values: dict = {}
    for year in range(0, count, 4):
        with transaction.atomic():
            for number in range(year, min(year + 4, count)):
                rows, withdrawn = city.quarter(number, values)
                for start in range(0, len(rows), WRITTEN_TOGETHER):
                    write(Observation, rows[start : start + WRITTEN_TOGETHER])
                city.withdrawals(withdrawn)
        if sealed:
            seal()
        say(f"{city.key:,} observations after {perf_counter() - begun:.0f} s")
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), [Observation]):
            cursor.execute(statement)
        cursor.execute("ANALYZE")
    if sealed:
        make_checkpoint()


if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    if Opinion.objects.exists():
        sys.exit("The database holds an opinion already; name an empty one in DATABASE_URL.")
    fill(asked.observations, asked.quarters, asked.seed, sealed=not asked.unsealed)
