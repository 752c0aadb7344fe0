from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class MetricsConfig(AppConfig):
    name = "metrics"
    verbose_name = _("Numbers: what is counted")

    def ready(self):
        from measures import protection

        from . import copies, stamp
        from .protection import triggers

        stamp.of_release()
        protection.also(triggers, copies.TABLES, copies.renew)
        post_migrate.connect(protect, sender=self)


def protect(using, **kwargs):
    """Replaces what the code words otherwise, once the last of the protected tables exists."""
    from measures import protection

    protection.install(connections[using])
