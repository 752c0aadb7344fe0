"""Marks of tests that run on SQLite alone, because what they ask is decided apart from a database.

Others of the same module write and read the same rows on both.
"""

import pytest

FORMS = pytest.mark.once("what a form reads and says is decided in Python")
PAGES = pytest.mark.once("reads what a page says, whatever database it comes from")
UPLOADS = pytest.mark.once("is about reading files; others here write rows on both")
RIGHTS = pytest.mark.once("who may do what is decided in Python")
QUERIES = pytest.mark.once("counts queries, of which no database makes more")
ADDRESSES = pytest.mark.once("what an address asks for is judged before a database is asked")
FILES = pytest.mark.once("reads how a file is made, whatever database its rows come from")
MAILS = pytest.mark.once("what a mail says, and when it is sent, is decided in Python")
STEPS = pytest.mark.once("takes steps that test_workflow takes on both, by the pages of the desk")
