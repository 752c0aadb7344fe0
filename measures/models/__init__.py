from .demo_mark import DemoMark
from .documents import Opinion, Report, validate_locator
from .notes import ProgressNote
from .people import Department, RolePolicy, User
from .rounds import Round, RoundUnlock, closed_round
from .states import MeasureState, MeasureStatus
from .trail import TrailEvent
from .tree import Measure, Section, Theme
from .withdrawals import Withdrawal

__all__ = [
    "DemoMark",
    "Department",
    "Measure",
    "MeasureState",
    "MeasureStatus",
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
    "Withdrawal",
    "closed_round",
    "validate_locator",
]
