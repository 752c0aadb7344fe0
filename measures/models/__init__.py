from .chain import Checkpoint, Link, LinkForm
from .committee import Decision, Evaluation, Grade, OpinionStage, Stage
from .data_version import DataVersion
from .demo_mark import DemoMark
from .documents import Opinion, Report, ReportKind, validate_locator
from .mails import Mailed
from .notes import ProgressNote
from .people import Department, RolePolicy, User
from .rounds import Round, RoundUnlock, closed_round
from .sent_forms import SentForm
from .sign_ins import FailedSignIns
from .sign_offs import SignOff, SignOffRule
from .states import MeasureState, MeasureStatus
from .synonyms import Synonym
from .thresholds import Threshold, ThresholdCode
from .trail import TrailEvent
from .tree import Measure, Section, Theme
from .versions import Applying, Revision, Version
from .withdrawals import Withdrawal

__all__ = [
    "Applying",
    "Checkpoint",
    "DataVersion",
    "Decision",
    "DemoMark",
    "Department",
    "Evaluation",
    "FailedSignIns",
    "Grade",
    "Link",
    "LinkForm",
    "Mailed",
    "Measure",
    "MeasureState",
    "MeasureStatus",
    "Opinion",
    "OpinionStage",
    "ProgressNote",
    "Report",
    "ReportKind",
    "Revision",
    "RolePolicy",
    "Round",
    "RoundUnlock",
    "Section",
    "SentForm",
    "SignOff",
    "SignOffRule",
    "Stage",
    "Synonym",
    "Theme",
    "Threshold",
    "ThresholdCode",
    "TrailEvent",
    "User",
    "Version",
    "Withdrawal",
    "closed_round",
    "validate_locator",
]
