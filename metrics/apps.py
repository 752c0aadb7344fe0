from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class MetricsConfig(AppConfig):
    name = "metrics"
    verbose_name = _("Numbers: what is counted")

    def ready(self):
        post_migrate.connect(protect, sender=self)


def protect(using, **kwargs):
    """Installs the triggers once the last of the protected tables exists."""
    from measures import protection

    from . import protection as own

    protection.install(connections[using])
    own.install(connections[using])
