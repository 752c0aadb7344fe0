"""Every word that the portal shows a reader exists in Chinese, and in the file it is read from."""

import re
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import polib
import pytest
from django.conf import settings
from django.utils.translation import gettext, override

pytestmark = pytest.mark.once("reads the code and the catalogues")

CATALOGUE = Path("locale/zh_Hans/LC_MESSAGES")
#: What templates may say in any language: names of formats and of files, of languages in
#: themselves, and of a class that Django's admin asks for.
PROPER_NAMES = {"SVG", "PNG", "Excel", "CSV", "datapackage", "json", "中文", "English", "colM"}
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%%|\{\w*\}")


def translations(entries) -> dict:
    return {
        (entry.msgctxt, entry.msgid, entry.msgid_plural): entry.msgstr or entry.msgstr_plural
        for entry in entries
    }


@pytest.fixture(scope="module")
def po():
    return polib.pofile(settings.BASE_DIR / CATALOGUE / "django.po")


def test_every_message_is_translated(po):
    assert len(po) > 0
    assert [entry.msgid for entry in po if not entry.translated()] == []


def test_no_translation_is_only_a_guess(po):
    assert [entry.msgid for entry in po if entry.fuzzy] == []


def test_no_translation_is_left_over(po):
    assert [entry.msgid for entry in po.obsolete_entries()] == []


def test_a_translation_has_the_placeholders_of_its_message(po):
    differing = [
        entry.msgid
        for entry in po
        for text in (entry.msgstr_plural.values() if entry.msgid_plural else [entry.msgstr])
        if sorted(PLACEHOLDER.findall(entry.msgid)) != sorted(PLACEHOLDER.findall(text))
    ]
    assert differing == []


def test_the_compiled_catalogue_holds_what_the_source_says(po):
    mo = polib.mofile(settings.BASE_DIR / CATALOGUE / "django.mo")
    assert translations(mo) == translations(po)


def test_the_catalogue_holds_every_message_of_the_code_and_no_other(po, tmp_path):
    copy = tmp_path / "portal"
    shutil.copytree(
        settings.BASE_DIR, copy, ignore=shutil.ignore_patterns(".*", "var", "__pycache__")
    )
    command = [
        "manage.py",
        "makemessages",
        "--locale",
        "zh_Hans",
        "--no-obsolete",
        "--verbosity",
        "0",
    ]
    subprocess.run([sys.executable, *command], cwd=copy, check=True, capture_output=True)
    extracted = polib.pofile(copy / CATALOGUE / "django.po")
    assert translations(po).keys() == translations(extracted).keys()


def test_no_template_says_anything_that_is_not_in_the_catalogue():
    """What stands outside tags of the template language is a number, a sign or a proper name."""
    said = {}
    for path in sorted((settings.BASE_DIR / "templates").rglob("*.html")):
        text = path.read_text(encoding="utf-8")
        text = re.sub(r"{% (blocktranslate|comment)\b.*?{% end\1 %}", "", text, flags=re.DOTALL)
        text = re.sub(r"{%.*?%}|{{.*?}}|{#.*?#}", "", text, flags=re.DOTALL)
        text = re.sub(r"<!--.*?-->|<[^>]*>|&\w+;", " ", text, flags=re.DOTALL)
        if words := set(re.findall(r"[^\W\d_]{2,}", text)) - PROPER_NAMES:
            said[path.relative_to(settings.BASE_DIR).as_posix()] = sorted(words)
    assert said == {}


def test_chinese_readers_get_the_catalogue():
    with override("zh-hans"):
        assert gettext("Measures") == "举措"


#: Words that the portal says in its own way where a package's pages have them, too.
SAID_ANOTHER_WAY = {
    "Add", "Summary", "This exporter will export the following fields: ", "version",
}  # fmt: skip


@pytest.mark.parametrize(
    "package", ["django.contrib.admin", "django.contrib.auth", "import_export"]
)
def test_no_word_of_the_admin_means_another_thing_by_our_catalogue(po, package):
    folder = Path(import_module(package).__file__).parent
    theirs = translations(polib.mofile(folder / "locale/zh_Hans/LC_MESSAGES/django.mo"))
    ours = translations(po)
    assert len(theirs) > 20
    differing = {
        key[1] for key, said in theirs.items() if key in ours and ours[key] not in (said, "")
    }
    assert differing - SAID_ANOTHER_WAY == set()
