"""The attacks of ``make attack`` can be run, find what is there to be found, and are added up."""

import importlib
import importlib.util
import json
import socket
from threading import Thread

import pytest
from django.db import connection

from measures import protection
from measures.tests.factories import ISSUED, make_measure, make_note

from .attack import MODULES, Count, Row, scanners, sql, table, visitor
from .attack.portal import Portal


@pytest.mark.once("adds up")
def test_the_table_says_how_many_of_how_many_failed_on_each_engine():
    results: table.Results = {}
    table.add(results, "SQLite", "race", Row("one row", 40, 0))
    table.add(results, "PostgreSQL", "race", Row("one row", 50, 2, "3 rows"))
    table.add(results, "SQLite", "sql", Row("REPLACE", 9, 0))

    lines = table.text(results, ["SQLite", "PostgreSQL"]).splitlines()

    assert table.failed(results) == 2
    assert lines[2].split() == ["race", "one", "row", "0", "of", "40", "2", "of", "50"]
    assert lines[3].split() == ["sql", "REPLACE", "0", "of", "9", "–"]
    assert lines[5].split() == ["all", "0", "of", "49", "2", "of", "50"]
    assert lines[-1] == "race, one row, PostgreSQL: 3 rows"


@pytest.mark.once("adds up")
def test_a_count_of_nothing_is_a_failure_and_a_note_tells_the_first_failures():
    assert Count("x").row() == Row("x", 0, 1, "nothing was tried")
    assert Count("x", "no time").row() == Row("x", 0, 1, "nothing was tried; no time")
    count = Count("x")
    for failure in ("", "500", "500", "404", ""):
        count.add(failure)
    assert count.row() == Row("x", 5, 3, "500; 404")
    assert Row(*json.loads(json.dumps(list(count.row())))) == count.row()


@pytest.mark.once("imports")
@pytest.mark.parametrize("name", MODULES)
def test_every_attack_can_be_imported(name):
    place = f"{__package__}.attack.{name}"
    if importlib.util.find_spec(place):
        module = importlib.import_module(place)
        assert callable(getattr(module, "attack", None) or module.run)


@pytest.mark.once("makes an object")
def test_an_attack_knows_its_command_and_its_seconds():
    portal = Portal.of({"PYTHON": "python3"}, "exec deploy/serve", 5.0)
    assert (portal.command, portal.seconds, portal.log) == ("exec deploy/serve", 5.0, [])
    assert portal.environment["PORT"] == portal.address.rpartition(":")[2]
    assert portal.has_time()


@pytest.mark.django_db
def test_raw_statements_find_a_table_without_triggers():
    make_note(measure=make_measure(), published=ISSUED)
    whole = sql.statements()
    assert whole.failed == 0
    assert whole.tried > 40
    protection.remove(connection)
    assert sql.statements().failed > 20


@pytest.mark.once("reads answers")
@pytest.mark.parametrize(
    ("sent", "status", "lacks", "told"),
    [
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Request-ID: 1\r\n\r\nok", 200, True, False),
        ("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", 400, False, False),
        ("HTTP/1.1 302 Found\r\nLocation: //evil.example/\r\n\r\n", 302, True, True),
        ("HTTP/1.1 404 Not Found\r\n\r\n<script>qzx()</script>", 404, True, True),
        ("", 0, False, False),
    ],
)
def test_an_answer_is_read_and_judged(sent, status, lacks, told):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            connection, _address = server.accept()
            with connection:
                connection.recv(9_999)
                connection.sendall(sent.encode())

        Thread(target=serve, daemon=True).start()
        who = visitor.Visitor(f"http://127.0.0.1:{server.getsockname()[1]}", patience=5)
        answer = scanners.send(who, scanners.request("GET", "/"), "/")

    assert answer.status == status
    assert bool(scanners._missing(answer)) == lacks
    assert bool(scanners._told(answer)) == told


@pytest.mark.once("reads a page")
def test_a_form_is_sent_as_it_stands():
    form = visitor._Form()
    form.feed(
        '<form><input name="a" value="1"><input type="checkbox" name="b" checked value="on">'
        '<input type="checkbox" name="c"><input type="submit" name="save">'
        '<select name="d"><option value="1"><option value="2" selected></select>'
        '<textarea name="e">\n完成 &amp; 选址。\n第二行</textarea></form>'
    )
    assert form.values == {"a": "1", "b": "on", "d": "2", "e": "完成 & 选址。\n第二行"}
