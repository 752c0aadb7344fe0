from django.apps import AppConfig
from django.core import checks
from django.utils.translation import gettext_lazy as _


class MeasuresConfig(AppConfig):
    name = "measures"
    verbose_name = _("Words: what was promised")

    def ready(self):
        from . import former_settings, lookups, protection, sign_in_trail  # noqa: F401

        checks.register(former_settings.tell)
        checks.register(protection.check, checks.Tags.database)
