from django.db import migrations
from django.utils import timezone

from metrics.rules.choices import Frequency
from metrics.rules.periods import last_period


def fix_locked_rounds(apps, schema_editor):
    """Rounds that are locked already ask from now on for what they ask for today."""
    Round = apps.get_model("measures", "Round")
    Indicator = apps.get_model("metrics", "Indicator")
    Observation = apps.get_model("metrics", "Observation")
    RoundDue = apps.get_model("metrics", "RoundDue")
    Withdrawal = apps.get_model("measures", "Withdrawal")
    fallen = Withdrawal.objects.filter(state="published").values("subject_code")
    for round_ in Round.objects.filter(locked=True):
        start, end = round_.period_start, round_.period_end
        elsewhere = Observation.objects.filter(state="published").exclude(round=round_)
        due = (
            Indicator.objects.filter(
                frequency__in=[f for f in Frequency if last_period(f, start, end)],
                measure__lead__isnull=False,
                published_on__lte=end,
                measure__published_on__lte=end,
            )
            .exclude(code__in=fallen.filter(subject_type="indicator"))
            .exclude(measure__code__in=fallen.filter(subject_type="measure"))
            .exclude(frequency=Frequency.ONCE, pk__in=elsewhere.values("indicator"))
        )
        RoundDue.objects.bulk_create(
            RoundDue(round=round_, indicator=row, department_id=row.measure.lead_id)
            for row in due.select_related("measure")
        )
        round_.due_fixed_at = timezone.now()
        round_.save(update_fields=["due_fixed_at"])


class Migration(migrations.Migration):

    dependencies = [("metrics", "0007_due_is_fixed")]

    operations = [migrations.RunPython(fix_locked_rounds, migrations.RunPython.noop)]
