"""What can be edited, a module for each part; Django finds them by this package."""

from . import accounts, committee, numbers, reviewed, trail, words  # noqa: F401
