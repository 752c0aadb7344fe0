from importlib import import_module

from django.db import migrations


class Migration(migrations.Migration):
    """The roles get what they may do with synonyms."""

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("measures", "0015_synonyms"),
        ("metrics", "0009_roles_of_thresholds"),
    ]

    operations = [
        migrations.RunPython(
            import_module("metrics.migrations.0003_roles").make_roles, migrations.RunPython.noop
        )
    ]
