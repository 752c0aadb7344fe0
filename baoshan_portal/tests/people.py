"""A staff for a running portal: one account for every role, and a round to report in."""

import json
from contextlib import contextmanager
from pathlib import Path

from .server import QUICK, Server, copy_of_shared, install, manage, serve

PASSWORD = "宝山填报-2023年第4季度"

_MAKE = """
from datetime import date, timedelta
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.contrib.sessions.backends.db import SessionStore
from django.conf import settings
import json
from measures.access import ADMINISTRATOR, AUDITOR, EDITOR, REVIEWER, STEWARD
from measures.models import Department, Round, User
roles = dict(editor=EDITOR, other=EDITOR, reviewer=REVIEWER, steward=STEWARD, auditor=AUDITOR,
             administrator=ADMINISTRATOR)
password = make_password({password!r})
sessions = {{}}
for name, role in roles.items():
    user = User.objects.create(username=name, password=password, is_staff=True)
    user.groups.add(Group.objects.get(name=role))
for user in User.objects.filter(is_staff=True):
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[-1]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.set_expiry(24 * 3600)
    session.save()
    sessions[user.username] = session.session_key
Department.objects.get(code='science-technology').members.add(User.objects.get(username='editor'))
Department.objects.get(code='human-resources').members.add(User.objects.get(username='other'))
Round.objects.create(code='2023-q4', name='2023年第四季度填报', name_en='Fourth quarter of 2023',
    period_start=date(2023, 10, 1), period_end=date(2023, 12, 31),
    opens_on=date(2024, 1, 2), due_on=date.today() + timedelta(days=14))
print(json.dumps(sessions))
"""


def hire(folder: Path) -> None:
    """Make editor, other (of another department), reviewer, steward, auditor, administrator.

    Each has a session, as somebody who signed in has, and so has admin, who was there before.
    Their passwords are of QUICK, so they sign in where that is served, as admin does elsewhere.
    """
    make = _MAKE.format(password=PASSWORD)
    told = manage(folder, "shell", "-v", "0", "-c", make, DJANGO_SETTINGS_MODULE=QUICK)
    (folder / "sessions.json").write_text(told)


def _with_staff(folder: Path) -> None:
    install(folder, demo="0")
    hire(folder)


@contextmanager
def serve_staff(folder: Path, **changes: str):
    """Serve an installation with a staff in ``folder``, a copy of the one of a run of tests."""
    copy_of_shared("staffed", _with_staff, folder)
    with serve(folder, **changes) as server:
        server.sessions.update(json.loads((folder / "sessions.json").read_text()))
        yield server


def be(page, server: Server, name: str) -> None:
    """Let ``page`` be that of ``name``, who signed in before: a password takes its time."""
    page.context.clear_cookies()
    cookie = {"name": "sessionid", "value": server.sessions[name], "url": server.address}
    page.context.add_cookies([cookie])


def sign_in(page, server: Server, name: str, password: str = PASSWORD) -> None:
    """Sign ``page`` in as ``name``, with a browser session of its own."""
    page.context.clear_cookies()
    page.goto(f"{server.address}/en/admin/login/?next=/en/admin/")
    page.fill("[name=username]", name)
    page.fill("[name=password]", password)
    page.click("[type=submit]")
    page.wait_for_url(f"{server.address}/en/admin/")


def press(button) -> None:
    """Click ``button`` and wait for the page that answers: a click alone does not."""
    with button.page.expect_navigation():
        button.click()
