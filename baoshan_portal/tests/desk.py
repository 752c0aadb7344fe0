"""How tests work at the editors' desk: by the addresses and forms of the admin's own pages."""

import re

from django import forms
from django.test import Client
from django.urls import reverse

from measures import workflow
from measures.access import REVIEWER
from measures.models import Revision
from measures.submission import State
from measures.tests.factories import make_staff


def browser_of(user) -> Client:
    """A browser in which ``user`` is signed in."""
    client = Client()
    client.force_login(user)
    return client


def desk(row, page: str, *args, query=None) -> str:
    """The address of an admin page about ``row``; a model stands for changelist and add."""
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}_{page}"
    args = args if isinstance(row, type) else [row.pk, *args]
    return reverse(name, args=args, query=query)


def filled_in(response, **typed) -> dict:
    """What the form on a page sends back when somebody types only ``typed``."""
    sent = {}
    for field in response.context["adminform"].form:
        value = field.value()
        if isinstance(field.field, forms.FileField) or value is None or value is False:
            continue
        sent[field.html_name] = "on" if value is True else value
    if seen := response.context.get("seen"):
        sent["seen"] = seen
    for formset in response.context["inline_admin_formsets"]:
        for field in formset.formset.management_form:
            sent[field.html_name] = field.value()
    return sent | typed


def fill_in(client, address: str, **typed):
    """Open the form at ``address``, type, and save."""
    return client.post(address, filled_in(client.get(address), **typed))


def take_step(client, row, step: str, **typed):
    """Open the page of a workflow step and confirm it; answers whatever refuses first."""
    address = desk(row, "step", step)
    page = client.get(address)
    if page.status_code != 200:
        return page
    seen = re.search(r'name="seen" value="(\d*)"', page.content.decode())[1]
    return client.post(address, {"seen": seen, **typed})


def errors(response) -> dict[str, list[str]]:
    """What the form on a page complains about, by field."""
    return {k: list(v) for k, v in response.context["adminform"].form.errors.items()}


def messages(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def publish_what_waits() -> None:
    """Somebody else publishes the open revision, if there is one."""
    for revision in Revision.objects.filter(state=State.DRAFT):
        revision.reason = "更准确"
        workflow.save(revision, by=revision.entered_by, seen=revision.version)
        workflow.submit(revision, by=revision.entered_by)
        workflow.publish(revision, by=make_staff(REVIEWER))
