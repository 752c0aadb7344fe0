"""Imports go down only: public, staff and demo, which never meet, above metrics above measures."""

import ast
import sys
from pathlib import Path

import pytest
from django.conf import settings

pytestmark = pytest.mark.once("reads the code")

#: What each room may import besides itself. ``site`` is baoshan_portal without its rooms.
BELOW = {
    "measures": set(),
    "metrics": {"measures"},
    "public": {"metrics", "measures"},
    "staff": {"metrics", "measures"},
    "demo": {"metrics", "measures"},
    "site": {"public", "staff", "demo", "metrics", "measures"},
}
#: Tests borrow what the site-wide ones share; the demonstration's look at the pages that it fills.
ONLY_IN_TESTS = {"demo": {"public", "site"}, "public": {"site"}, "staff": {"site"}}

RULES = sorted((settings.BASE_DIR / "metrics/rules").rglob("*.py"))
#: What of Django a rule may know: words for people, and the base class of choices.
OF_DJANGO = (
    "django.utils.translation",
    "django.utils.functional",
    "django.db.models.TextChoices",
)


def name_of(path: Path) -> str:
    return str(path.relative_to(settings.BASE_DIR))


def imports(path: Path) -> set[str]:
    """What a file imports, as absolute names: ``from .a import b`` in package p is p.a.b."""
    package = path.relative_to(settings.BASE_DIR).parent.parts
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*above, *filter(None, [node.module])])
            found.update(f"{module}.{name.name}" for name in node.names)
    return found


def room_of(name: str) -> str | None:
    """The room that a dotted name or a path's parts begin with; None if it is not ours."""
    top, _dot, rest = name.partition(".")
    if top != "baoshan_portal":
        return top if top in BELOW else None
    inner = rest.partition(".")[0]
    return inner if inner in ("public", "staff", "demo") else "site"


def files() -> list[Path]:
    return [
        path
        for top in ("measures", "metrics", "baoshan_portal")
        for path in sorted((settings.BASE_DIR / top).rglob("*.py"))
    ]


def test_every_file_imports_its_own_room_and_the_floors_below_and_nothing_else():
    wrong = []
    for path in files():
        room = room_of(".".join(path.relative_to(settings.BASE_DIR).parts))
        allowed = {room, None} | BELOW[room]
        if "tests" in path.parts:
            allowed |= ONLY_IN_TESTS.get(room, set())
        wrong += [
            f"{name_of(path)}: {module}"
            for module in sorted(imports(path))
            if room_of(module) not in allowed
        ]

    assert wrong == []


@pytest.mark.parametrize(("room", "below"), BELOW.items())
def test_a_room_stands_on_the_floors_below_it(room, below):
    """Otherwise the test above would look at the wrong folders and find nothing."""
    used = {
        room_of(module)
        for path in files()
        if "tests" not in path.parts
        and room_of(".".join(path.relative_to(settings.BASE_DIR).parts)) == room
        for module in imports(path)
    }

    # The site's own modules reach the other rooms through Django's settings.
    expected = {"public", "metrics", "measures"} if room == "site" else below
    assert used - {room, None} == expected


def test_there_are_rules():
    assert [path.stem for path in RULES if path.stem != "__init__"] == [
        "alignment", "baseline", "checks", "choices", "corrections", "freshness", "period_reading",
        "periods", "progress", "quantity", "questions", "redefinition", "stages", "usual",
    ]  # fmt: skip


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_a_rule_knows_no_row_and_no_query(path):
    foreign = {
        module
        for module in imports(path)
        if module.partition(".")[0] not in sys.stdlib_module_names
        and not module.startswith("metrics.rules.")
        and not module.startswith(OF_DJANGO)
    }

    assert {module for module in foreign if not module.startswith("measures.numerals")} == set()
