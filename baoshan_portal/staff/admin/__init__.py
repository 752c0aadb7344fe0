"""What can be edited, a module for each part; Django finds them by this package."""

from . import (  # noqa: F401
    accounts,
    bounds,
    committee,
    no_figures,
    numbers,
    pairs,
    reviewed,
    sign_offs,
    states,
    trail,
    withdrawals,
    words,
)
