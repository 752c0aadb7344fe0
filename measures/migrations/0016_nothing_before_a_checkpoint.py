"""The triggers of publications know the newest checkpoint; the end of ``migrate`` puts them in."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("measures", "0015_synonyms")]

    operations = []
