"""How many of a thousand seeded mistakes an entry's warnings see, and how often they cry wolf.

Run it as `.venv/bin/python benchmarks/seeded_mistakes.py [SEED] [-v]`; it needs no database.
Mistakes of ten kinds are made in the next true value of two histories: the demonstration's, on
whose shapes the bounds were tried, and one made by chance with each seed, which they never saw.
Transposed digits and figures of another period are often usual figures, so nobody can see all of
them; they are printed apart from the gross kinds.
"""

import random
import sys
from collections import Counter, defaultdict
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from time import time_ns

from portal import set_up

set_up()

from baoshan_portal.demo import content  # noqa: E402
from metrics.models import Indicator, Observation, Unit  # noqa: E402
from metrics.rules.choices import Kind  # noqa: E402
from metrics.rules.usual import FEWEST  # noqa: E402
from metrics.warnings import beside_its_past  # noqa: E402

MISTAKES = 1_000
#: Kinds of mistakes that no bound can see where the false figure is a usual one.
APART = ("transposed digits", "wrong period")
#: A past of so many values stands before each entry.
PAST = FEWEST + 1


class Series:
    """An indicator with its values over quarters, oldest first."""

    def __init__(self, code: str, kind: str, unit: Unit, values: list[Decimal]):
        self.indicator = Indicator(code=code, name=code, kind=kind, unit=unit)
        self.values = values

    def row(self, n: int, value: Decimal | None = None) -> Observation:
        """The entry of quarter ``n``, with its true value or another."""
        start, end = quarter(n)
        if self.indicator.kind not in (Kind.FLOW, Kind.SHARE, Kind.GROWTH):
            start = None
        value = self.values[n] if value is None else value
        return Observation(
            indicator=self.indicator, period_start=start, period_end=end, value=value,
            as_written=str(value), certainty="actual",
        )  # fmt: skip

    def warned(self, n: int, value: Decimal | None = None) -> list[str]:
        known = [self.row(k) for k in range(n)]
        return beside_its_past(self.row(n, value), known, date.today())


def quarter(n: int) -> tuple[date, date]:
    start = date(2020 + n // 4, n % 4 * 3 + 1, 1)
    following = date(2020 + (n + 1) // 4, (n + 1) % 4 * 3 + 1, 1)
    return start, following - timedelta(days=1)


def unit_of(name: str) -> Unit:
    money, factor = {"万元": ("money", 10_000), "亿元": ("money", 10**8)}.get(name, ("", 1))
    if not money:
        quantity = {"%": "percentage", "公顷": "area", "万平方米": "area"}.get(name, "pieces")
        return Unit(name=name, quantity=quantity, factor=factor)
    return Unit(name=name, quantity=money, factor=factor, base=Unit(name="元", quantity=money))


def demonstration() -> list[Series]:
    """The demonstration's quarters, with the kinds of its indicators."""
    text = (Path(__file__).parent.parent / "fixtures/indicators.yaml").read_text()
    kinds = {}
    for part in text.split("code: ")[1:]:
        kinds[part.split()[0]] = part.split("kind: ")[1].split()[0]
    kinds |= {row["code"]: row["kind"] for row in content.INDICATORS}
    found = []
    for line in content.BY_QUARTER.strip().splitlines():
        code, form, *figures = line.split()
        unit = unit_of(form.partition("{}")[2].removeprefix("余"))
        values = [Decimal(figure) for figure in figures if figure != content.NOTHING]
        found.append(Series(code, kinds[code], unit, values))
    return found


def by_chance(chance: random.Random) -> list[Series]:
    """Forty indicators of an office that nobody looked at: three years of usual growth."""
    found = []
    for n in range(40):
        kind = chance.choice([Kind.FLOW, Kind.FLOW, Kind.STOCK, Kind.CUMULATIVE, Kind.SHARE])
        size = 10 ** chance.uniform(1.3, 4.5)
        growth, noise = chance.gauss(0.02, 0.015), chance.uniform(0.01, 0.1)
        seasons = [chance.uniform(0.85, 1.15) for _ in range(4)]
        values, level = [], size
        for k in range(12):
            # What adds up never falls; what there is may.
            step = growth + chance.gauss(0, noise / 4) if kind != Kind.FLOW else growth
            level *= 1 + (abs(step) if kind == Kind.CUMULATIVE else step)
            if kind == Kind.SHARE:
                told = min(99.9, max(1, 40 + 40 * growth * k + chance.gauss(0, 100 * noise / 4)))
            elif kind == Kind.FLOW:
                told = level * seasons[k % 4] * (1 + chance.gauss(0, noise))
            else:
                told = level
            values.append(Decimal(f"{told:.{1 if kind == Kind.SHARE else 0}f}"))
        unit = unit_of("%" if kind == Kind.SHARE else chance.choice(["家", "万元", "人", "亿元"]))
        found.append(Series(f"by-chance-{n}", kind, unit, values))
    return found


def mistaken(kind: str, series: Series, n: int, others: list[Series], chance) -> Decimal | None:
    """The true value of quarter ``n`` typed wrongly; None where it would be no mistake."""
    value, past = series.values[n], series.values[:n]
    is_flow = series.indicator.kind == Kind.FLOW
    if kind == "tenfold":
        wrong = value * chance.choice([Decimal(10), Decimal("0.1")])
    elif kind == "unit":
        wrong = value * chance.choice([Decimal(10_000), Decimal("0.0001")])
    elif kind == "swapped rows":
        wrong = chance.choice([other for other in others if len(other.values) > n]).values[n]
    elif kind == "last quarter again":
        wrong = past[-1]
    elif kind == "sum for single":
        wrong = sum(series.values[n - n % 4 : n + 1]) if is_flow else None
    elif kind == "total for new":
        wrong = sum(series.values[: n + 1]) if is_flow else None
    elif kind == "sign":
        wrong = -value
    elif kind == "percent as fraction":
        wrong = value / 100 if series.indicator.kind == Kind.SHARE else None
    elif kind == "wrong period":
        wrong = past[-chance.choice([2, 4])]
    else:
        digits = list(f"{value:f}".replace(".", ""))
        k = chance.randrange(len(digits) - 1) if len(digits) > 1 else None
        if k is None:
            return None
        digits[k], digits[k + 1] = digits[k + 1], digits[k]
        wrong = Decimal("".join(digits)).scaleb(value.as_tuple().exponent)
    return None if wrong is None or wrong == value else wrong


KINDS = (
    "tenfold", "unit", "swapped rows", "last quarter again", "sum for single", "sign",
    "percent as fraction", "total for new", *APART,
)  # fmt: skip


def measure(name: str, history: list[Series], chance: random.Random) -> None:
    places = [(series, n) for series in history for n in range(PAST, len(series.values))]
    made, seen = Counter(), Counter()
    false = [(series, n) for series, n in places if series.warned(n)]
    by_kind = defaultdict(list)
    for kind in KINDS:
        tries = 0
        while made[kind] < MISTAKES // len(KINDS) and (tries := tries + 1) < 20_000:
            series, n = chance.choice(places)
            wrong = mistaken(kind, series, n, history, chance)
            if wrong is None:
                continue
            made[kind] += 1
            if series.warned(n, wrong):
                seen[kind] += 1
            else:
                by_kind[kind].append(f"{series.indicator.code}: {wrong} for {series.values[n]}")
    print(f"\n{name}: {len(history)} indicators, {len(places)} true rows")
    for kind in KINDS:
        share = f"{100 * seen[kind] / made[kind]:5.1f} %" if made[kind] else "      –"
        apart = " (apart)" if kind in APART else ""
        print(f"  {kind:<22}{seen[kind]:>4} of {made[kind]:>4}  {share}{apart}")
        if "-v" in sys.argv:
            print("     missed:", *by_kind[kind][:5], sep="\n       ")
    gross = [kind for kind in KINDS if kind not in APART]
    print(
        f"  {'gross kinds':<22}{sum(seen[k] for k in gross):>4} of {sum(made[k] for k in gross):>4}"
        f"  {100 * sum(seen[k] for k in gross) / sum(made[k] for k in gross):5.1f} %"
        f"   (goal: at least 95)"
    )
    print(
        f"  {'false alarms':<22}{len(false):>4} of {len(places):>4}"
        f"  {100 * len(false) / len(places):5.1f} %   (goal: at most 2)"
    )
    if "-v" in sys.argv:
        for series, n in false:
            print("      ", series.indicator.code, series.values[n], series.warned(n)[0])


if __name__ == "__main__":
    seeds = [argument for argument in sys.argv[1:] if argument != "-v"]
    seed = int(seeds[0]) if seeds else time_ns() % 10**6
    print(f"seed {seed}")
    measure("demonstration", demonstration(), random.Random(seed))
    measure("by chance", by_chance(random.Random(seed)), random.Random(seed + 1))
