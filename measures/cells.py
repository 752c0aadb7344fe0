"""What a cell of a spreadsheet can hold, for whoever writes and whoever reads one."""

import re

from .characters import FORMULA_SIGNS, begins_like_a_formula

LONGEST_CELL = 32_767
#: Spreadsheet programs keep numbers as binary fractions.
DIGITS_KEPT = 15

_QUOTED = re.compile(f"'+[{''.join(map(re.escape, FORMULA_SIGNS))}]")


def quoted(text: str) -> str:
    """``text`` so that no program that opens the CSV file runs it; ``unquoted`` undoes it."""
    return f"'{text}" if begins_like_a_formula(text) or _QUOTED.match(text) else text


def unquoted(text: str) -> str:
    return text[1:] if _QUOTED.match(text) else text
