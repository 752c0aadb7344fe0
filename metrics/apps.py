from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate, pre_migrate
from django.utils.translation import gettext_lazy as _


class MetricsConfig(AppConfig):
    name = "metrics"
    verbose_name = _("Numbers: what is counted")

    def ready(self):
        pre_migrate.connect(unprotect, sender=self)
        post_migrate.connect(protect, sender=self)


def protect(using, **kwargs):
    """Installs the triggers once the last of the protected tables exists."""
    from measures import protection

    from . import protection as own

    protection.install(connections[using])
    own.install(connections[using])


def unprotect(using, plan, **kwargs):
    """Takes the triggers away before tables change: they name columns and each other's tables."""
    from measures import protection

    from . import protection as own

    if plan:
        own.remove(connections[using])
        protection.remove(connections[using])
