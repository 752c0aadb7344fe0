"""Imports go down only: baoshan_portal above metrics above measures."""

import ast
import sys
from pathlib import Path

import pytest
from django.conf import settings

FLOORS = {
    "measures": {"measures"},
    "metrics": {"metrics", "measures"},
    "baoshan_portal": {"baoshan_portal", "metrics", "measures"},
}
PURE = ("metrics/quantity.py", "metrics/progress.py")


def imports(path: Path) -> set[str]:
    """The modules that a file imports, with relative names made absolute."""
    package = path.relative_to(settings.BASE_DIR).parent.parts
    modules = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules.update(name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*above, *filter(None, [node.module])])
            modules.add(module)
            modules.update(f"{module}.{name.name}" for name in node.names)
    return modules


def floors_used_by(floor: str) -> set[str]:
    files = (settings.BASE_DIR / floor).rglob("*.py")
    used = {module.partition(".")[0] for path in files for module in imports(path)}
    return used & set(FLOORS)


@pytest.mark.parametrize("floor", FLOORS)
def test_a_floor_imports_itself_and_the_floors_below_and_nothing_else(floor):
    assert floors_used_by(floor) == FLOORS[floor]


@pytest.mark.parametrize("path", PURE)
def test_a_pure_module_knows_no_django_but_translation_and_the_choices(path):
    ours = {
        module
        for module in imports(settings.BASE_DIR / path)
        if module.partition(".")[0] not in sys.stdlib_module_names
    }

    allowed = ("django.utils.translation", "metrics.rules.choices")
    assert {module for module in ours if not module.startswith(allowed)} == set()
    assert any(module.startswith("metrics.rules.choices") for module in ours)


def test_the_choices_take_nothing_from_the_database_layer_but_their_base_class():
    of_database = {
        module
        for module in imports(settings.BASE_DIR / "metrics/choices.py")
        if module.startswith("django.db")
    }

    assert of_database == {"django.db.models", "django.db.models.TextChoices"}
