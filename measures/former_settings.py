"""Settings of former versions that are data now: taken over once, then only told."""

import os
from collections.abc import Mapping

from django.core import checks

from .models.thresholds import TERM, ThresholdCode

#: The variable of a threshold; that of the terms said ``stage=days,stage=days``.
VARIABLES = {
    "PACE_TOLERANCE_POINTS": ThresholdCode.PACE_TOLERANCE,
    "REPORTING_GRACE_DAYS": ThresholdCode.REPORTING_GRACE,
}
TERMS = "STAGE_TERMS"


def taken_over(environment: Mapping[str, str]) -> dict[str, int]:
    """The values by the code of the threshold that ``environment`` still sets.

    Raises ValueError if one is not a number.
    """
    found = {
        code.value: int(environment[name])
        for name, code in VARIABLES.items()
        if environment.get(name)
    }
    for part in filter(None, environment.get(TERMS, "").split(",")):
        stage, _equals, days = part.partition("=")
        found[f"{TERM}{stage.strip()}"] = int(days)
    return found


def tell(app_configs=None, **kwargs) -> list[checks.Warning]:
    """A system check: what is set and has no effect any more."""
    return [
        checks.Warning(
            f"{name} is set and no longer read.",
            hint="Remove it: thresholds are changed by stewards under /admin/measures/threshold/, "
            "by review and from a day on.",
            id="portal.W001",
        )
        for name in (*VARIABLES, TERMS)
        if os.environ.get(name)
    ]
