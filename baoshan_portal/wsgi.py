import os
from contextlib import suppress

from django.core.wsgi import get_wsgi_application
from django.db import OperationalError

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "baoshan_portal.settings")

application = get_wsgi_application()

# The application must be set up before its modules are imported.
from django.db import connection  # noqa: E402

from measures.demo_database import check_database  # noqa: E402
from measures.protection import refuse_unprotected  # noqa: E402

# A database that cannot be reached yet shows nothing, so nothing false either.
with suppress(OperationalError):
    check_database()
    refuse_unprotected(connection)
