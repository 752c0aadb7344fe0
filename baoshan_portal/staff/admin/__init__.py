"""What can be edited, a module for each part; Django finds them by this package."""

from . import (  # noqa: F401
    accounts,
    committee,
    no_figures,
    numbers,
    reviewed,
    sign_offs,
    states,
    trail,
    withdrawals,
    words,
)
