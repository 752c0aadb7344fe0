from importlib import import_module

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    """The roles get what they may do with own tables, too."""

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ('measures', '0018_english_and_files'),
        ('metrics', '0013_english_and_files'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='TableMapping',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=100, verbose_name='table')),
                ('months', models.PositiveSmallIntegerField(help_text='Of a round’s period: a quarter’s figures stand in other columns.', verbose_name='months')),
                ('number', models.PositiveSmallIntegerField(verbose_name='version')),
                ('layout', models.JSONField(verbose_name='layout')),
                ('indicators', models.JSONField(blank=True, default=dict, verbose_name='indicators')),
                ('at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='when')),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='by')),
                ('department', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='table_mappings', to='measures.department', verbose_name='department')),
            ],
            options={
                'verbose_name': 'own table of a department',
                'verbose_name_plural': 'own tables of departments',
                'ordering': ['department', 'name', 'months', '-number'],
                'default_permissions': ('add', 'view'),
                'constraints': [models.UniqueConstraint(fields=('department', 'name', 'months', 'number'), name='tablemapping_version_once', violation_error_message='There is this version of the table already.'), models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='tablemapping_has_name', violation_error_message='A table needs a name.'), models.CheckConstraint(condition=models.Q(('months__gte', 1), ('number__gte', 1)), name='tablemapping_counts_from_one', violation_error_message='Months and versions are counted from 1.')],
            },
        ),
        migrations.RunPython(
            import_module("metrics.migrations.0003_roles").make_roles, migrations.RunPython.noop
        ),
    ]
