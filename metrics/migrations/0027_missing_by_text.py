from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("metrics", "0026_said")]

    operations = [
        operation
        for model, name in (
            ("valuesaid", "value_said_missing"),
            ("indicatorsaid", "indicator_said_missing"),
        )
        for operation in (
            migrations.RemoveIndex(model_name=model, name=name),
            migrations.AddIndex(
                model_name=model,
                index=models.Index(condition=models.Q(("text", "")), fields=["text"], name=name),
            ),
        )
    ]
