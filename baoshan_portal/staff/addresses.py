"""Where rows and lists of rows are on the pages of the admin."""

from django.contrib.admin.templatetags.admin_urls import admin_urlname
from django.db.models import Model
from django.urls import reverse

from measures.submission import Submission


def change_url(row: Model) -> str:
    """The page of one row."""
    return reverse(admin_urlname(row._meta, "change"), args=[row.pk])


def list_url(model: type[Model], **query) -> str:
    """The list of ``model``, filtered."""
    return reverse(admin_urlname(model._meta, "changelist"), query=query)


def step_url(row: Submission, step: str) -> str:
    """The page of what is done with a submitted row: correct, recall …"""
    return reverse(admin_urlname(row._meta, "step"), args=[row.pk, step])
