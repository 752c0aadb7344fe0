"""The portal for whoever runs a file of this folder."""

import os
import sys
from pathlib import Path

import django


def set_up() -> None:
    """Django with the database of DATABASE_URL; before any of its models is imported."""
    os.environ.setdefault("SECRET_KEY", "benchmark-only")
    os.environ.update(HTTPS="0", DEBUG="0", ALLOWED_HOSTS="*")
    os.environ["DJANGO_SETTINGS_MODULE"] = "baoshan_portal.settings"
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    django.setup()
