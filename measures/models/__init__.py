from .demo_mark import DemoMark
from .documents import Opinion, Report, validate_locator
from .notes import ProgressNote
from .people import Department, RolePolicy, User
from .rounds import Round, RoundUnlock, closed_round
from .trail import TrailEvent
from .tree import Measure, Section, Theme

__all__ = [
    "DemoMark",
    "Department",
    "Measure",
    "Opinion",
    "ProgressNote",
    "Report",
    "RolePolicy",
    "Round",
    "RoundUnlock",
    "Section",
    "Theme",
    "TrailEvent",
    "User",
    "closed_round",
    "validate_locator",
]
