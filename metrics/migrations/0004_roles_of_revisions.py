from importlib import import_module

from django.db import migrations

make_roles = import_module("metrics.migrations.0003_roles").make_roles


class Migration(migrations.Migration):
    dependencies = [("measures", "0006_versions"), ("metrics", "0003_roles")]

    operations = [migrations.RunPython(make_roles, migrations.RunPython.noop)]
