"""How tests prove that a constraint holds in the database and speaks in its own words.

A breach is a function that returns a valid, saved row and the changes that break one constraint.
"""

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.utils import timezone

from ..models import FailedSignIns, Link, LinkForm, Version
from ..submission import State
from .factories import as_reviewed, make_user


def constraints_of(app_label: str) -> dict:
    """Every named constraint of an app by name, with its model.

    Versions are written by triggers alone, which ``test_versions`` tries, the chain by
    ``chain.seal``, and failed sign-ins are counted by nobody's form.
    """
    return {
        constraint.name: (model, constraint)
        for model in apps.get_app_config(app_label).get_models()
        if model not in (Version, Link, LinkForm, FailedSignIns)
        for constraint in model._meta.constraints
    }


def assert_database_refuses(row, changes: dict, constraint) -> None:
    # Also a reviewed change cannot break it.
    with pytest.raises(IntegrityError) as error, as_reviewed():
        type(row)._base_manager.filter(pk=row.pk).update(**changes)
    message = str(error.value)
    # SQLite names the columns of a plain unique constraint instead of the constraint.
    columns = [f"{row._meta.db_table}.{c}" for c in unique_columns(row, constraint)]
    by_columns = "UNIQUE constraint failed: " + ", ".join(columns)
    assert constraint.name in message or (columns and message == by_columns)


def unique_columns(row, constraint) -> list[str]:
    return [row._meta.get_field(name).column for name in getattr(constraint, "fields", ())]


def assert_validation_refuses(row, changes: dict, constraint) -> None:
    row.full_clean()  # otherwise the row could be refused for something else
    for name, value in changes.items():
        setattr(row, name, value)
    message = str(constraint.violation_error_message)
    assert "%(name)s" not in message
    with pytest.raises(ValidationError) as error:
        row.validate_constraints()
    assert error.value.messages == [message]
    with pytest.raises(ValidationError):
        row.full_clean()


def submission_breaches(make) -> list[tuple]:
    """(end of the constraint's name, breach) for a model of the workflow that ``make`` makes."""

    def unknown_state():
        return make(), {"state": "lost"}

    def published_at_no_moment():
        return make(), {"state": State.PUBLISHED}

    def draft_with_a_moment():
        return make(), {"published_at": timezone.now()}

    def returned_without_a_reason():
        return make(), {"state": State.RETURNED}

    def second_revision_of_nothing():
        return make(), {"revision": 2, "correction_reason": "笔误"}

    def correction_as_first_revision():
        return make(), {"supersedes": make(), "correction_reason": "笔误"}

    def correction_without_a_reason():
        return make(), {"supersedes": make(), "revision": 2}

    def published_by_whoever_entered_it():
        somebody = make_user()
        row = make(entered_by=somebody, state=State.SUBMITTED)
        return row, {
            "state": State.PUBLISHED,
            "published_at": timezone.now(),
            "published_by": somebody,
        }

    def second_correction_of_one_row():
        correction = {"supersedes": make(), "revision": 2, "correction_reason": "笔误"}
        make(**correction)
        return make(), correction

    return [
        ("state_known", unknown_state),
        ("published_has_moment", published_at_no_moment),
        ("published_has_moment", draft_with_a_moment),
        ("return_has_reason", returned_without_a_reason),
        ("correction_has_reason", second_revision_of_nothing),
        ("correction_has_reason", correction_as_first_revision),
        ("correction_has_reason", correction_without_a_reason),
        ("four_eyes", published_by_whoever_entered_it),
        ("one_correction", second_correction_of_one_row),
    ]
