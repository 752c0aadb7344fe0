"""The table at the end: every way to attack, and for each engine how many of how many failed."""

from . import Row

#: (attack, way) -> engine -> row
Results = dict[tuple[str, str], dict[str, Row]]


def add(results: Results, engine: str, attack: str, row: Row) -> None:
    results.setdefault((attack, row.name), {})[engine] = row


def failed(results: Results) -> int:
    """How much failed, of all."""
    return sum(row.failed for rows in results.values() for row in rows.values())


def text(results: Results, engines: list[str]) -> str:
    """The table; a way that an engine does not know has a dash."""
    lines = [("attack", "what was tried", *(f"{engine}: failed of" for engine in engines))]
    notes = []
    for (attack, name), rows in results.items():
        cells = [f"{row.failed} of {row.tried}" if (row := rows.get(e)) else "–" for e in engines]
        lines.append((attack, name, *cells))
        for engine, row in rows.items():
            if row.note:
                notes.append(f"{attack}, {name}, {engine}: {row.note}")
    tried = [sum(rows[e].tried for rows in results.values() if e in rows) for e in engines]
    lost = [sum(rows[e].failed for rows in results.values() if e in rows) for e in engines]
    lines.append(("all", "", *(f"{f} of {t}" for f, t in zip(lost, tried, strict=True))))
    widths = [max(len(line[n]) for line in lines) for n in range(len(lines[0]))]
    told = [
        "  ".join(
            cell.ljust(width) if n < 2 else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]
    rule = "-" * max(map(len, told))
    return "\n".join([told[0], rule, *told[1:-1], rule, told[-1], *([""] if notes else []), *notes])
