from django.db import migrations, models

SUMMARIES = ("IndicatorSummary", "TargetSummary", "CheckSummary")


def throw_away(apps, schema_editor):
    """They are written again with what they say anew."""
    for name in SUMMARIES:
        apps.get_model("metrics", name).objects.all().delete()


def _added(model, name, field):
    return migrations.AddField(model, name, field, preserve_default=False)


class Migration(migrations.Migration):
    dependencies = [
        ("metrics", "0027_missing_by_text"),
    ]

    operations = [
        migrations.RunPython(throw_away, migrations.RunPython.noop, elidable=True),
        _added("indicatorsummary", "values", models.PositiveIntegerField(default=0)),
        migrations.AddField("indicatorsummary", "first", models.DateTimeField(null=True)),
        _added("indicatorsummary", "of_first", models.PositiveIntegerField(default=0)),
        migrations.AddField("indicatorsummary", "last", models.DateTimeField(null=True)),
        _added("targetsummary", "left", models.FloatField(default=0)),
        _added("checksummary", "apart", models.FloatField(default=0)),
    ]
