"""Sets Django up for a script of the tests that runs by itself, outside pytest."""

import os

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "baoshan_portal.settings"
os.environ.setdefault("SECRET_KEY", "scripts-only")
os.environ["HTTPS"] = "0"
django.setup()
