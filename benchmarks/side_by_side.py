"""One line of the table of ``make bench``: what was measured, beside what, against which goal."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter


@dataclass(frozen=True)
class Line:
    """``values`` are what the rounds measured: ratios, or what ``unit`` says.

    ``goal`` is the least of them that is good enough, or with ``at_most`` the largest; None where
    the line only tells.
    """

    what: str
    values: list[float]
    unit: str = "×"
    goal: float | None = None
    at_most: bool = False

    @property
    def is_good(self) -> bool | None:
        if self.goal is None:
            return None
        middle = median(self.values)
        return middle <= self.goal if self.at_most else middle >= self.goal

    def __str__(self):
        low, middle, high = min(self.values), median(self.values), max(self.values)
        said = f"{self.what:<58}{middle:>10.3g} {self.unit:<3} ({low:.3g} to {high:.3g})"
        if self.goal is None:
            return said
        sign, word = ("≤" if self.at_most else "≥"), ("good" if self.is_good else "SHORT")
        return f"{said:<92} goal {sign} {self.goal:g}  {word}"


def taking_turns(rounds: int, **ways: Callable[[], float]) -> dict[str, list[float]]:
    """What each of ``ways`` measures, round by round, so that they share the machine's noise."""
    found = {name: [] for name in ways}
    for _round in range(rounds):
        for name, way in ways.items():
            found[name].append(way())
    return found


def ratios(ours: list[float], others: list[float]) -> list[float]:
    return [one / other for one, other in zip(ours, others, strict=True)]


def seconds(act: Callable[[], object]) -> float:
    begun = perf_counter()
    act()
    return perf_counter() - begun


def memory(act: str, idle: str) -> float:
    """By how many MB the memory of a process rises by ``act`` above what it has after ``idle``, two
    expressions that name functions of the pages of the bench; Linux alone.

    The process is one of its own: one that has grown before has room for a good deal.
    """
    page = act.partition(".")[0]
    program = (
        f"from portal import set_up; set_up(); import side_by_side, {page}; {idle}; "
        f"print(side_by_side.rise(lambda: {act}))"
    )
    here = Path(__file__).resolve().parent
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=here, check=True, stdout=subprocess.PIPE, text=True
    )
    return float(done.stdout.splitlines()[-1])


def rise(act: Callable[[], object]) -> float:
    """By how many MB the memory of this process rises by ``act``; Linux alone."""
    before = _status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")
    act()
    return (_status("VmHWM") - before) / 1024


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1])
