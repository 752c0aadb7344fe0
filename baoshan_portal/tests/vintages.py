"""What a day's values, verdicts and states were, by ``vintages.csv`` alone.

Nothing here asks the database: a reader with the file can compute the same.
"""

from datetime import date, datetime
from decimal import Decimal

from measures.submission import end_of_day
from metrics.rules import progress
from metrics.rules.baseline import Stated, baseline
from metrics.rules.choices import Certainty


def stood(row: dict, day: date) -> bool:
    end = end_of_day(day)
    gone = row["public_to"] and datetime.fromisoformat(row["public_to"]) < end
    # Empty: from the beginning.
    begun = not row["public_from"] or datetime.fromisoformat(row["public_from"]) < end
    return begun and not gone


def day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def decimal(text: str) -> Decimal | None:
    return Decimal(text) if text else None


def newest_first(rows: list[dict]) -> list[dict]:
    """What was reported, not only expected, newest first."""
    order = ("period_end", "published_at")
    reported = [row for row in rows if row["certainty"] != Certainty.EXPECTED]
    return sorted(
        reported,
        key=lambda row: (*(row[name] for name in order), int(row["sequence"])),
        reverse=True,
    )


def stated(row: dict) -> Stated:
    period = day(row["period_start"]), day(row["period_end"])
    return Stated(Decimal(row["value"]), row["qualifier"], period)


def verdict(target: dict, values: list[dict], on: date, tolerance_points: int) -> str:
    start, value = day(target["plan_start"]), values[0] if values else None
    before = [row for row in values if day(row["period_end"]) <= start]
    begins = baseline(
        target["indicator_kind"],
        stated=decimal(target["baseline"]),
        start=start,
        now=value and stated(value).period,
        before=stated(before[0]) if before else None,
    )
    return progress.verdict(
        value=value and Decimal(value["value"]),
        target_exists=True,
        target=decimal(target["value"]),
        comparator=target["comparator"],
        baseline=begins.value if begins else None,
        claim=target["claim"],
        start=start,
        due=day(target["due_on"]) or day(target["plan_end"]),
        on=on,
        kind=target["indicator_kind"],
        frequency=target["frequency"],
        qualifier=value["qualifier"] if value else "",
        tolerance_points=tolerance_points,
    ).value


def values_on(versions: list[dict], on: date, names: list[str]) -> list[dict]:
    """The columns ``names`` of the values that stood at the end of ``on``, in the file's order."""
    rows = [row for row in versions if row["kind"] == "observation" and stood(row, on)]
    return [{name: row[name] for name in names} for row in rows]


def verdicts_on(versions: list[dict], on: date) -> list[tuple[str, str, str, str]]:
    """(indicator, plan, due on, verdict) of every target that stood at the end of ``on``."""
    now = [row for row in versions if stood(row, on)]
    values: dict[str, list[dict]] = {}
    for row in now:
        if row["kind"] == "observation":
            values.setdefault(row["indicator_code"], []).append(row)
    definitions = {row["indicator_code"]: row for row in now if row["kind"] == "definition"}
    plans = {row["plan"]: row for row in now if row["kind"] == "plan"}
    (tolerance,) = [row["value"] for row in now if row["code"].startswith("pace-tolerance-")]
    found = []
    for row in now:
        if row["kind"] != "target":
            continue
        definition, plan = definitions[row["indicator_code"]], plans[row["plan"]]
        terms = row | {name: definition[name] for name in ("indicator_kind", "frequency")}
        terms |= {name: plan[name] for name in ("plan_start", "plan_end")}
        reported = newest_first(values.get(row["indicator_code"], []))
        said = verdict(terms, reported, on, int(tolerance))
        found.append((row["indicator_code"], row["plan"], row["due_on"], said))
    return found


def states_on(versions: list[dict], on: date) -> dict[str, tuple[str, str]]:
    """The state of each measure and since when, at the end of ``on``."""
    states: dict[str, list[dict]] = {}
    for row in versions:
        if row["kind"] == "state" and stood(row, on):
            states.setdefault(row["measure_code"], []).append(row)
    newest = {
        code: max(rows, key=lambda row: (row["state_on"], row["published_at"]))
        for code, rows in states.items()
    }
    return {code: (row["state"], row["state_on"]) for code, row in newest.items()}
