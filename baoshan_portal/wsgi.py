import gc
import os
from importlib import import_module

from django.core.wsgi import get_wsgi_application
from django.db import OperationalError

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "baoshan_portal.settings")

application = get_wsgi_application()

# The application must be set up before its modules are imported.
from django.conf import settings  # noqa: E402
from django.core.signals import request_started  # noqa: E402
from django.db import connection  # noqa: E402

from baoshan_portal.operating import bodies, serving  # noqa: E402
from baoshan_portal.operating.page_cache.ahead import Ahead  # noqa: E402
from baoshan_portal.operating.page_cache.layer import PageCache  # noqa: E402
from baoshan_portal.operating.replica import ReadFromReplica  # noqa: E402
from measures.demo_database import check_database  # noqa: E402
from measures.past import stands_now  # noqa: E402
from measures.protection import refuse_unprotected  # noqa: E402


def check() -> None:
    """Raises ImproperlyConfigured for a database that is not to be served."""
    check_database()
    refuse_unprotected(connection)


serving.bound_waiting()
request_started.connect(stands_now)
if not settings.DEBUG:
    application = PageCache(application)
if settings.REPLICA_URL:
    application = ReadFromReplica(application)
if not settings.DEBUG:
    application = Ahead(application)
    application.start()
application = bodies.bounded(application)
try:
    check()
except OperationalError:
    # A database that cannot be reached yet shows nothing, so nothing false either.
    application = serving.checked_later(application, check)
# Those who answer have connections of their own.
connection.close()

# What stays for good is loaded before the first request and left out of every later collection,
# which then comes sooner for what requests leave behind.
import_module(settings.ROOT_URLCONF)
gc.collect()
gc.freeze()
