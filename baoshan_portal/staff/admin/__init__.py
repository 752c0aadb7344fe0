"""What can be edited, a module for each part; Django finds them by this package."""

from . import accounts, committee, numbers, trail, words  # noqa: F401
