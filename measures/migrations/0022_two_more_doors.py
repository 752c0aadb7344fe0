from django.db import migrations


class Migration(migrations.Migration):
    """Triggers alone, which the end of ``migrate`` makes: rows that come in as public, and
    synonyms that are emptied at once."""

    dependencies = [("measures", "0021_mails_and_sign_offs")]

    operations = []
