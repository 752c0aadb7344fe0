"""A process that works under limits: what it may take, what it knows, and whose turn it is."""

import os
import re
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest

from ..workers import Busy, Ended, Limits, Places, Worker, WorkerError

pytestmark = [pytest.mark.once("asks no database"), pytest.mark.long]

LIMITS = Limits(seconds=20, cpu_seconds=10, memory_mb=128, answer_mb=1, jobs=50)


@pytest.fixture(scope="module")
def worker():
    worker = Worker("measures.tests.work", LIMITS)
    yield worker
    worker.end()


def process_of(worker) -> int:
    return worker.do({"kind": "tell"})["process"]


def peak() -> int:
    """The most memory, in MB, that this process had since ``forget_peak``."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) // 1024


def forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def test_one_process_answers_job_after_job(worker):
    first = worker.do({"kind": "tell", "name": "名"}, "一\n二".encode())
    second = worker.do({"kind": "tell"})

    assert (first["words"], first["body"]) == ({"name": "名"}, "一\n二")
    assert first["process"] == second["process"] != os.getpid()


def test_a_job_that_takes_too_much_time_of_the_processor_is_ended(worker, monkeypatch):
    worker.end()
    monkeypatch.setattr(worker, "limits", replace(LIMITS, cpu_seconds=1))
    begin = time.monotonic()

    with pytest.raises(Ended):
        worker.do({"kind": "loop"})

    assert time.monotonic() - begin < LIMITS.seconds
    assert worker.do({"kind": "tell"})
    worker.end()


def test_a_job_that_takes_too_long_is_ended(worker, monkeypatch):
    assert worker.do({"kind": "tell"})
    monkeypatch.setattr(worker, "limits", replace(LIMITS, seconds=0.3))

    with pytest.raises(Ended):
        worker.do({"kind": "rest", "seconds": 60})

    monkeypatch.undo()
    assert worker.do({"kind": "tell"})


def test_a_job_that_takes_too_much_memory_is_ended_and_costs_the_server_none(worker):
    assert worker.do({"kind": "fill", "mb": 32}) == 32 * 1024 * 1024
    forget_peak()
    before = peak()

    with pytest.raises(Ended):
        worker.do({"kind": "fill", "mb": 1024})
    with pytest.raises(Ended):
        worker.do({"kind": "tell_much", "mb": 16})

    assert peak() - before < 10
    assert worker.do({"kind": "tell"})


def test_after_a_crash_there_is_a_new_process(worker):
    with pytest.raises(Ended):
        worker.do({"kind": "crash"})

    assert worker.do({"kind": "tell"})


def test_a_fault_of_ours_is_told_with_its_place_and_ends_nothing(worker):
    process = process_of(worker)

    with pytest.raises(WorkerError, match="(?s)work.py.*ValueError: a fault of ours 一") as told:
        worker.do({"kind": "stumble"})

    assert not isinstance(told.value, Ended)
    assert process_of(worker) == process


def test_a_process_that_does_not_start_is_no_fault_of_the_job():
    with pytest.raises(WorkerError, match="does not start") as told:
        Worker("measures.tests.no_such_module", LIMITS).do({})

    assert not isinstance(told.value, Ended)


def test_it_knows_no_secret_and_writes_nothing(worker, tmp_path):
    known = worker.do({"kind": "environment"})

    assert "PATH" in known
    assert not {"SECRET_KEY", "DATABASE_URL"} & known.keys()
    with pytest.raises(WorkerError, match="File too large"):
        worker.do({"kind": "write", "path": str(tmp_path / "file")})


def test_after_so_many_jobs_it_starts_anew(worker, monkeypatch):
    worker.end()
    monkeypatch.setattr(worker, "limits", replace(LIMITS, jobs=2))

    first, second, third = (process_of(worker) for _job in range(3))

    assert first == second != third
    worker.end()


def test_who_waits_behind_a_job_waits_no_longer_than_one_may_take(worker, monkeypatch):
    assert worker.do({"kind": "tell"})
    monkeypatch.setattr(worker, "limits", replace(LIMITS, seconds=0.2))

    with worker._lock, pytest.raises(Busy):
        worker.do({"kind": "tell"})


# Places


@pytest.fixture
def places(settings, tmp_path):
    settings.CACHE_ROOT = tmp_path / "cache"
    places = Places("tests", "measures.tests.work", LIMITS, wait_seconds=0.3)
    yield places
    places.end()


@pytest.fixture
def elsewhere(places):
    """The same places, as another process of the server sees them."""
    return Places("tests", "measures.tests.work", LIMITS, wait_seconds=0.3)


def test_two_work_at_a_time_whichever_server_process_asks(places, elsewhere):
    with places.place() as first, elsewhere.place() as second:
        assert first is places.workers[0]
        assert second is elsewhere.workers[1]
        with pytest.raises(Busy):
            places.do({"kind": "tell"})

    assert places.do({"kind": "tell"})


def test_a_third_waits_for_its_turn_and_a_fourth_is_told_at_once(places, monkeypatch):
    monkeypatch.setattr(places, "wait_seconds", 30)
    answers = []
    third = Thread(target=lambda: answers.append(places.do({"kind": "tell"})))
    with ExitStack() as two:
        two.enter_context(places.place())
        two.enter_context(places.place())
        third.start()
        while places._waiting._value:
            time.sleep(0.01)
        with pytest.raises(Busy, match="somebody waits already"):
            places.do({"kind": "tell"})
    third.join(timeout=30)

    assert answers


def test_without_a_folder_to_write_in_one_works_at_a_time(places, settings, tmp_path):
    (tmp_path / "a file").write_text("")
    settings.CACHE_ROOT = tmp_path / "a file"

    with places.place() as worker:
        assert worker is places.workers[0]
