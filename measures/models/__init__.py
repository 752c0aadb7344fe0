from .committee import Decision, Evaluation, Grade, OpinionStage, Stage
from .demo_mark import DemoMark
from .documents import Opinion, Report, validate_locator
from .notes import ProgressNote
from .people import Department, RolePolicy, User
from .rounds import Round, RoundUnlock, closed_round
from .trail import TrailEvent
from .tree import Measure, Section, Theme

__all__ = [
    "Decision",
    "DemoMark",
    "Department",
    "Evaluation",
    "Grade",
    "Measure",
    "Opinion",
    "OpinionStage",
    "ProgressNote",
    "Report",
    "RolePolicy",
    "Round",
    "RoundUnlock",
    "Section",
    "Stage",
    "Theme",
    "TrailEvent",
    "User",
    "closed_round",
    "validate_locator",
]
