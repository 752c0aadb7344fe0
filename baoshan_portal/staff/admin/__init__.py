"""What can be edited, a module for each part; Django finds them by this package."""

from . import accounts, numbers, states, trail, withdrawals, words  # noqa: F401
