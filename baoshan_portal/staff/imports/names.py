"""Names of columns as people write them, which one somebody meant, and rows by number (pure)."""

import difflib
import re
import unicodedata
from collections.abc import Mapping, Sequence

_SPACE = re.compile(r"\s+")
#: How alike two names are of which one may be a slip of the other.
ALIKE = 0.6


def plain_name(text: str) -> str:
    """``text`` of a header for comparison: width, case, spaces and marks of duty do not matter."""
    text = unicodedata.normalize("NFKC", text).casefold()
    return _SPACE.sub("", text).strip("*★:：")


def meant(header: str, keys_by_name: Mapping[str, str], missing: set[str]) -> str:
    """The key, one of ``missing``, of the column whose name ``header`` nearly is; '' if of none.

    A name with something added (本期数值（亿元）) or left out (本期数) is such a one, and any that
    differs in few characters.
    """
    name = plain_name(header)
    if len(name) < 2:
        return ""
    candidates = {known: key for known, key in keys_by_name.items() if key in missing}
    for known, key in candidates.items():
        if len(known) > 2 and (name.startswith(known) or known.startswith(name)):
            return key
    near = difflib.get_close_matches(name, candidates, n=1, cutoff=ALIKE)
    if near:
        return candidates[near[0]]
    return next((key for known, key in candidates.items() if len(name) > 1 and name in known), "")


def numbers_text(numbers: Sequence[int]) -> str:
    """3, 5–9: row numbers, the runs of them from their first to their last."""
    runs: list[list[int]] = []
    for number in sorted(set(numbers)):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(
        f"{run[0]}–{run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs
    )
