"""A staff for a running portal: one account for every role, and a round to report in."""

from .server import Server

PASSWORD = "宝山填报-2023年第4季度"

_MAKE = """
from datetime import date, timedelta
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from measures.access import ADMINISTRATOR, AUDITOR, EDITOR, REVIEWER, STEWARD
from measures.models import Department, Round, User
roles = dict(editor=EDITOR, other=EDITOR, reviewer=REVIEWER, steward=STEWARD, auditor=AUDITOR,
             administrator=ADMINISTRATOR)
# All have one password, which takes half a second to hash.
password = make_password({password!r})
for name, role in roles.items():
    user = User.objects.create(username=name, password=password, is_staff=True)
    user.groups.add(Group.objects.get(name=role))
Department.objects.get(code='science-technology').members.add(User.objects.get(username='editor'))
Department.objects.get(code='human-resources').members.add(User.objects.get(username='other'))
Round.objects.create(code='2023-q4', name='2023年第四季度填报', name_en='Fourth quarter of 2023',
    period_start=date(2023, 10, 1), period_end=date(2023, 12, 31),
    opens_on=date(2024, 1, 2), due_on=date.today() + timedelta(days=14))
"""


def hire(server: Server) -> None:
    """Make editor, other (of another department), reviewer, steward, auditor, administrator."""
    server.manage("shell", "-c", _MAKE.format(password=PASSWORD))


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
