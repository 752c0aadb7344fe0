"""What is public of each indicator, target and check today: one row of each, for pages of many.

A copy that can be thrown away, and never a source. Triggers delete the row of whatever may not be
as it was, whichever door the change comes through; ``summaries`` writes it again, and until then
readers work out for themselves what is missing.
"""

from collections.abc import Iterator

from django.db import models
from django.utils.translation import gettext_lazy as _

from measures.data_version import TOUCHES
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


def triggers() -> list[Trigger]:
    """Those that delete the summaries which a change makes old."""
    return [
        Trigger(
            f"{table}_unsummarises_{operation.lower()}", table, "AFTER", operation, condition, body
        )
        for table, operation, condition, body in _rules()
    ]


def _rules() -> Iterator[tuple[str, str, str, list[str]]]:
    """(table, operation, SQL condition, statements)."""
    for table, body in (
        (
            "metrics_observation",
            [
                _indicator("NEW.indicator_id"),
                _targets("NEW.indicator_id"),
                _checks_of("NEW.indicator_id"),
            ],
        ),
        ("metrics_nofigure", [_indicator("NEW.indicator_id")]),
        ("metrics_target", [_indicator("NEW.indicator_id"), _targets("NEW.indicator_id")]),
    ):
        for operation, condition in TOUCHES.items():
            yield table, operation, condition, body
    # What a check compares, and in which unit. Units, like all below, are never deleted in use.
    of_indicator = [_indicator("NEW.id"), _targets("NEW.id"), _checks_of("NEW.id")]
    yield "metrics_indicator", "UPDATE", "1 = 1", of_indicator
    yield "metrics_unit", "UPDATE", "1 = 1", [f"DELETE FROM {CHECKS}"]
    yield "metrics_check", "UPDATE", "1 = 1", [_check("NEW.id")]
    yield TERMS, "INSERT", "1 = 1", [_check("NEW.check_of_id")]
    yield TERMS, "UPDATE", "1 = 1", [_check("NEW.check_of_id"), _check("OLD.check_of_id")]
    yield TERMS, "DELETE", "1 = 1", [_check("OLD.check_of_id")]
    # When the way to a target begins and ends, and how far it may lag behind.
    planned = "SELECT id FROM metrics_target WHERE plan_id = NEW.id"
    of_plan = f"DELETE FROM {TARGETS} WHERE target_id IN ({planned})"
    yield "metrics_plan", "UPDATE", "1 = 1", [of_plan]
    yield "measures_threshold", "UPDATE", "1 = 1", [f"DELETE FROM {TARGETS}"]
    # On which opinion an indicator is, and when the first report on that was issued.
    mine = "SELECT id FROM metrics_indicator WHERE measure_id = NEW.id"
    of_measure = f"DELETE FROM {INDICATORS} WHERE indicator_id IN ({mine})"
    yield "measures_measure", "UPDATE", "1 = 1", [of_measure]
    every = f"DELETE FROM {INDICATORS}"
    yield "measures_theme", "UPDATE", "1 = 1", [every]
    yield "measures_section", "UPDATE", "1 = 1", [every]
    yield "measures_report", "INSERT", "1 = 1", [every]
    yield "measures_report", "UPDATE", "1 = 1", [every]


def _indicator(key: str) -> str:
    return f"DELETE FROM {INDICATORS} WHERE indicator_id = {key}"


def _targets(indicator: str) -> str:
    return f"DELETE FROM {TARGETS} WHERE indicator_id = {indicator}"


def _check(key: str) -> str:
    return f"DELETE FROM {CHECKS} WHERE check_of_id = {key}"


def _checks_of(indicator: str) -> str:
    terms = f"SELECT check_of_id FROM {TERMS} WHERE indicator_id = {indicator}"
    return f"DELETE FROM {CHECKS} WHERE check_of_id IN ({terms})"
