from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('metrics', '0019_compulsory_pairs'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='observation',
            index=models.Index(fields=['indicator', 'published_at', 'state'], name='observation_public_moments'),
        ),
    ]
