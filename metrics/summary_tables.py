"""What is public of each indicator, target and check today: one row of each, for pages of many.

A copy that can be thrown away, and never a source. Triggers delete the row of whatever may not be
as it was, whichever door the change comes through; ``summaries`` writes it again, and until then
readers work out for themselves what is missing.
"""

from collections.abc import Iterator

from django.db import models
from django.utils.translation import gettext_lazy as _

from measures.data_version import Touched, after_touching
from measures.triggers import Trigger

from .rules.checks import Result
from .rules.choices import Verdict

INDICATORS, TARGETS, CHECKS, TERMS = (
    "metrics_indicatorsummary", "metrics_targetsummary", "metrics_checksummary",
    "metrics_checkterm",
)  # fmt: skip


#: What is public of an indicator's targets: nothing, none with its value, one with its value.
TARGET_STATES = NO_TARGET, UNPUBLISHED, PUBLISHED = ("none", "unpublished", "published")


def _summed_up(model: str, name) -> models.OneToOneField:
    """What a summary is of, by whose key it is found."""
    return models.OneToOneField(
        model, models.CASCADE, primary_key=True, related_name="summary", verbose_name=name
    )


class IndicatorSummary(models.Model):
    """``facts.Read`` and ``moments.Moments`` of an indicator."""

    indicator = _summed_up("Indicator", _("indicator"))
    value = models.BooleanField()
    traced = models.BooleanField()
    inferred = models.BooleanField()
    updated = models.BooleanField()
    target = models.CharField(max_length=11, choices=[(word, word) for word in TARGET_STATES])
    newest = models.DateField(null=True)
    without = models.DateField(null=True)
    values = models.PositiveIntegerField()
    first = models.DateTimeField(null=True)
    of_first = models.PositiveIntegerField()
    last = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self):
        return str(self.indicator_id)


class TargetSummary(models.Model):
    """``verdicts.Holding`` of a target; ``indicator`` is the target's."""

    target = _summed_up("Target", _("target"))
    indicator = models.ForeignKey(
        "Indicator", models.CASCADE, related_name="+", verbose_name=_("indicator")
    )
    verdict = models.CharField(max_length=20, choices=Verdict)
    since = models.DateField()
    until = models.DateField(null=True)
    left = models.FloatField()

    class Meta:
        default_permissions = ()

    def __str__(self):
        return f"{self.target_id}: {self.verdict}"


class CheckSummary(models.Model):
    """What came of a check, see ``check_results.CheckResult``."""

    check_of = _summed_up("Check", _("check"))
    result = models.CharField(max_length=12, choices=Result)
    apart = models.FloatField()

    class Meta:
        default_permissions = ()

    def __str__(self):
        return f"{self.check_of_id}: {self.result}"


#: Of which summaries of its indicator a row of each table is a part.
PARTS = {
    "metrics_observation": (INDICATORS, TARGETS, CHECKS),
    "metrics_nofigure": (INDICATORS,),
    "metrics_target": (INDICATORS, TARGETS),
}


def triggers(vendor: str) -> list[Trigger]:
    """Those that delete the summaries which a change makes old."""
    found = [
        Trigger(
            f"{table}_unsummarises_{operation.lower()}", table, "AFTER", operation, "1 = 1", body
        )
        for table, operation, body in _rules()
    ]
    for table, summaries in PARTS.items():

        def body(touched: Touched, summaries=summaries) -> list[str]:
            return _of_indicators(touched.among("indicator_id"), *summaries)

        found += after_touching("unsummarises", table, body, vendor)
    return found


def _rules() -> Iterator[tuple[str, str, list[str]]]:
    """(table, operation, statements)."""
    # What a check compares, and in which unit. Units, like all below, are never deleted in use.
    yield "metrics_indicator", "UPDATE", _of_indicators("= NEW.id", INDICATORS, TARGETS, CHECKS)
    yield "metrics_unit", "UPDATE", [f"DELETE FROM {CHECKS}"]
    yield "metrics_check", "UPDATE", [_check("NEW.id")]
    yield TERMS, "INSERT", [_check("NEW.check_of_id")]
    yield TERMS, "UPDATE", [_check("NEW.check_of_id"), _check("OLD.check_of_id")]
    yield TERMS, "DELETE", [_check("OLD.check_of_id")]
    # When the way to a target begins and ends, and how far it may lag behind.
    planned = "SELECT id FROM metrics_target WHERE plan_id = NEW.id"
    of_plan = f"DELETE FROM {TARGETS} WHERE target_id IN ({planned})"
    yield "metrics_plan", "UPDATE", [of_plan]
    yield "measures_threshold", "UPDATE", [f"DELETE FROM {TARGETS}"]
    # On which opinion an indicator is, and when the first report on that was issued.
    mine = "SELECT id FROM metrics_indicator WHERE measure_id = NEW.id"
    of_measure = f"DELETE FROM {INDICATORS} WHERE indicator_id IN ({mine})"
    yield "measures_measure", "UPDATE", [of_measure]
    every = f"DELETE FROM {INDICATORS}"
    yield "measures_theme", "UPDATE", [every]
    yield "measures_section", "UPDATE", [every]
    yield "measures_report", "INSERT", [every]
    yield "measures_report", "UPDATE", [every]


def _of_indicators(among: str, *summaries: str) -> list[str]:
    """Statements that delete from ``summaries`` those of indicators ``among``, a condition that
    stands behind a column."""
    terms = f"check_of_id IN (SELECT check_of_id FROM {TERMS} WHERE indicator_id {among})"
    return [
        f"DELETE FROM {table} WHERE " + (terms if table == CHECKS else f"indicator_id {among}")
        for table in summaries
    ]


def _check(key: str) -> str:
    return f"DELETE FROM {CHECKS} WHERE check_of_id = {key}"
