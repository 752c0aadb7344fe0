"""A folder of charts that is full, read-only, away or damaged fails no page."""

import errno

import pytest
from django.core.cache import caches

from measures.kept_files import KeptFiles

pytestmark = pytest.mark.once("asks no database")


@pytest.fixture
def cache(tmp_path):
    return KeptFiles(str(tmp_path / "charts"), {})


def test_a_chart_is_kept(cache):
    cache.set("a", "<svg>")

    assert cache.get("a") == "<svg>"
    assert cache.get_many(["a", "b"]) == {"a": "<svg>"}


@pytest.mark.parametrize("damage", [b"", b"\x80", b"no chart at all", None])
def test_one_that_is_damaged_is_drawn_and_kept_again(cache, tmp_path, damage):
    cache.set("a", "<svg>")
    (file,) = (tmp_path / "charts").iterdir()
    file.write_bytes(file.read_bytes()[:-5] if damage is None else damage)

    assert cache.get("a") is None
    cache.set("a", "<svg>")
    assert cache.get("a") == "<svg>"


def test_a_full_disk_keeps_nothing_and_leaves_nothing(cache, tmp_path, monkeypatch):
    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(cache, "_write_content", full)
    cache.set("a", "<svg>")

    assert cache.get("a") is None
    assert list((tmp_path / "charts").iterdir()) == []


def test_where_no_folder_can_be_there_is_none(tmp_path):
    (tmp_path / "file").write_text("in the way")
    cache = KeptFiles(str(tmp_path / "file/charts"), {})
    cache.set_many({"a": "<svg>"})

    assert cache.get_many(["a"]) == {}


def test_the_portal_keeps_its_charts_so():
    assert isinstance(caches["charts"], KeptFiles)
