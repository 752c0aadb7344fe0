"""The closed vocabularies of figures, shared by the models and by the pure modules.

Nothing here touches the database, so ``quantity`` and ``progress`` may import it.
"""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

#: What is counted in units that are told otherwise than others (``Unit.quantity``).
MONEY, PERCENTAGE, RANK = "money", "percentage", "rank"


class Qualifier(TextChoices):
    """How exactly the source states a figure."""

    EXACT = "exact", _("exact")
    ABOUT = "about", _("about")
    NEARLY = "nearly", _("nearly")
    OVER = "over", _("over")


class Kind(TextChoices):
    """What sort of number an indicator is; how it may be aggregated follows from it."""

    STOCK = "stock", _("stock")
    FLOW = "flow", _("flow")
    CUMULATIVE = "cumulative", _("cumulative")
    SHARE = "share", _("share")
    GROWTH = "growth", _("growth")
    RANK = "rank", _("rank")
    CAPACITY = "capacity", _("capacity")


class Category(TextChoices):
    """The subject under which a reader looks for a figure."""

    ENTERPRISES = "enterprises", _("enterprises")
    FUNDS = "funds", _("funds")
    PLATFORMS = "platforms", _("platforms")
    TALENT = "talent", _("talent")
    SERVICES = "services", _("services")
    PROJECTS = "projects", _("projects")
    SPACE = "space", _("space")
    RESULTS = "results", _("research results")
    POLICY = "policy", _("policy")
    EVENTS = "events", _("events")


class Nature(TextChoices):
    """What an amount of money is; amounts of unlike nature are never added up."""

    PUBLIC = "public", pgettext_lazy("money", "public funds")
    SUBSIDY = "subsidy", pgettext_lazy("money", "subsidy")
    CREDIT = "credit", pgettext_lazy("money", "lending")
    QUOTA = "quota", pgettext_lazy("money", "quota")
    INVESTMENT = "investment", pgettext_lazy("money", "investment")
    REVENUE = "revenue", pgettext_lazy("money", "revenue")


class Level(TextChoices):
    """The level of government that recognises or runs what is counted."""

    NATIONAL = "national", _("national")
    MUNICIPAL = "municipal", _("municipal")
    DISTRICT = "district", _("district")


class Direction(TextChoices):
    """Which way is better; neutral means that neither is."""

    UP = "up", _("higher is better")
    DOWN = "down", _("lower is better")
    NEUTRAL = "neutral", _("neither is better")


class Frequency(TextChoices):
    """How often a new value is expected."""

    ONCE = "once", _("once")
    YEARLY = "yearly", _("yearly")
    HALF_YEARLY = "half-yearly", _("half-yearly")
    QUARTERLY = "quarterly", _("quarterly")
    MONTHLY = "monthly", _("monthly")


class Freshness(TextChoices):
    """Whether a figure was reported when it was due; computed, never typed in."""

    CURRENT = "current", _("nothing due is missing")
    LATE = "late", _("overdue")
    SILENT = "silent", _("no longer updated")
    ONCE = "once", _("told only once")
    NEVER = "never", _("never reported")


class Missing(TextChoices):
    """Why a cell has no value: the one list of reasons of every page, file and form."""

    NOT_PUBLISHED = "not-published", _("not published")
    NOT_APPLICABLE = "not-applicable", _("not applicable")
    WITHHELD = "withheld", _("withheld")
    NOT_YET_REPORTED = "not-yet-reported", _("not yet reported")
    NOT_COLLECTED = "not-collected", _("not collected")
    NO_EVENT = "no-event", _("no event")
    NOT_YET_SETTLED = "not-yet-settled", _("not yet settled")
    DISCONTINUED = "discontinued", _("discontinued")


#: With which of these an office says that there is no figure this time: it knows why. That nothing
#: was reported or published yet is no reason.
NO_FIGURE_REASONS = (
    Missing.NOT_APPLICABLE,
    Missing.WITHHELD,
    Missing.NOT_COLLECTED,
    Missing.NO_EVENT,
    Missing.NOT_YET_SETTLED,
    Missing.DISCONTINUED,
)


class Certainty(TextChoices):
    """How final a value is."""

    ACTUAL = "actual", _("actual")
    PRELIMINARY = "preliminary", _("preliminary")
    EXPECTED = "expected", _("expected")


class Comparator(TextChoices):
    """How a value must stand to its target."""

    AT_LEAST = "at-least", "≥"
    AT_MOST = "at-most", "≤"
    EXACTLY = "exactly", "="


class Claim(TextChoices):
    """What the source itself says about reaching the target; the portal does not vouch for it."""

    NONE = "none", _("no claim")
    MET = "met", _("reported met")
    MET_EARLY = "met-early", _("reported met early")
    EXCEEDED_EARLY = "exceeded-early", _("reported exceeded and met early")
    NOT_MET = "not-met", _("reported not met")

    @property
    def says_met(self) -> bool:
        """Whether the source says that the target was reached, on time or early."""
        return self in {Claim.MET, Claim.MET_EARLY, Claim.EXCEEDED_EARLY}


class Verdict(TextChoices):
    """What can be concluded from value, target and date; computed, never typed in."""

    MET = "met", _("target met")
    ON_TRACK = "on-track", _("on track")
    BEHIND = "behind", _("behind schedule")
    MISSED = "missed", _("target missed")
    CLAIM_UNVERIFIABLE = (
        "claim-unverifiable",
        _("reported met; target not published, cannot be verified"),
    )
    TARGET_UNKNOWN = "target-unknown", _("target not published")
    NO_TARGET = "no-target", _("no target published")
    NO_DATA = "no-data", _("no data")
    NOT_ASSESSABLE = "not-assessable", _("cannot be assessed")

    def contradicts(self, claim: Claim) -> bool:
        """Whether what was computed speaks against what the source claims."""
        if Claim(claim).says_met:
            return self in {Verdict.BEHIND, Verdict.MISSED, Verdict.NO_DATA, Verdict.ON_TRACK}
        return claim == Claim.NOT_MET and self is Verdict.MET


#: Of these nobody can say whether the target is met.
UNVERIFIABLE = (
    Verdict.CLAIM_UNVERIFIABLE,
    Verdict.TARGET_UNKNOWN,
    Verdict.NO_DATA,
    Verdict.NOT_ASSESSABLE,
)
