"""The server in a process that made the database ready first, as ``make run`` starts it.

Django and all of the portal are loaded once: the server's processes part from this one.
"""

import os
import sys

from django.core.management import execute_from_command_line


def main() -> None:
    """``prepare``, the portal's address, then ``granian`` with the arguments of this process."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "baoshan_portal.settings")
    # Ends the process where it cannot be prepared, and closes what it opened of the database.
    execute_from_command_line([sys.argv[0], "prepare", "--no-static"])

    from django.conf import settings
    from granian.cli import entrypoint

    host, port = (sys.argv[sys.argv.index(f"--{name}") + 1] for name in ("host", "port"))
    print(f"http://{host}:{port}{settings.FORCE_SCRIPT_NAME or ''}/", flush=True)
    entrypoint()


if __name__ == "__main__":
    main()
