from importlib import import_module

from django.db import migrations

make_roles = import_module("metrics.migrations.0003_roles").make_roles


class Migration(migrations.Migration):
    dependencies = [("measures", "0007_versions"), ("metrics", "0004_numbers_say_what_they_mean")]

    operations = [migrations.RunPython(make_roles, migrations.RunPython.noop)]
