from importlib import import_module

from django.db import migrations


class Migration(migrations.Migration):
    """Heads of departments are a role of their own."""

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("measures", "0021_mails_and_sign_offs"),
        ("metrics", "0016_period_fields_in_common"),
    ]

    operations = [
        migrations.RunPython(
            import_module("metrics.migrations.0003_roles").make_roles, migrations.RunPython.noop
        )
    ]
