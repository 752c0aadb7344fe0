from django.contrib.auth.management import create_permissions
from django.db import migrations


def make_roles(apps, schema_editor):
    """The five roles as groups with their permissions, which Django makes only after migrating."""
    from django.apps import apps as installed

    from measures.access import write_roles

    for label in ("auth", "measures", "metrics"):
        create_permissions(installed.get_app_config(label), apps=apps, verbosity=0)
    write_roles(apps.get_model("auth", "Group"), apps.get_model("auth", "Permission"))


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("measures", "0001_initial"),
        ("metrics", "0002_checks"),
    ]

    operations = [migrations.RunPython(make_roles, migrations.RunPython.noop)]
