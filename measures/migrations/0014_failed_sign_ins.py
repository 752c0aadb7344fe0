import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("measures", "0013_chain")]
    operations = [
        migrations.CreateModel(
            name="FailedSignIns",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("address", models.CharField(blank=True, max_length=45)),
                ("account", models.CharField(blank=True, max_length=150)),
                ("count", models.PositiveIntegerField(default=1)),
                ("first", models.DateTimeField(default=django.utils.timezone.now)),
                ("last", models.DateTimeField(default=django.utils.timezone.now)),
                ("locked_at", models.DateTimeField(null=True)),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("address", "account"), name="failedsignins_once")
                ],
            },
        )
    ]
