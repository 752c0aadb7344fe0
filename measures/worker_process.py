"""The inside of a process that works under limits: jobs come in on stdin, answers go out on stdout.

``python -m measures.worker_process MODULE LIMITS`` is started by ``measures.workers``. A job is a
line of JSON and as many ``bytes`` behind it as it says; an answer is one line of JSON:
``{"answer": …}`` of the module's ``answer(job, body)``, or ``{"error": traceback}``. The first
line, ``{}``, says that it is ready. A module may have ``begin()``, called once, before the limits
hold.

The memory that is limited is what the process can write in (RLIMIT_DATA, which Linux counts for
every private mapping since 4.7). The whole address space (RLIMIT_AS) would not do: a JavaScript
engine reserves much more of it than it ever uses.
"""

import json
import math
import os
import resource
import sys
import traceback
from importlib import import_module

MB = 1024 * 1024
#: Open files that a job may add to those of the process.
MOST_FILES = 64


def hold(limits: dict) -> None:
    """Holds this process to ``limits`` (``workers.Limits`` as a dictionary) from now on."""
    data = limits["memory_mb"] * MB
    resource.setrlimit(resource.RLIMIT_DATA, (data, data))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if not limits["files"]:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_NOFILE, (MOST_FILES, MOST_FILES))


def allow_one_job(cpu_seconds: int) -> None:
    """So much more time of the processors; behind it the system ends the process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _soft, hard = resource.getrlimit(resource.RLIMIT_CPU)
    limit = math.ceil(used.ru_utime + used.ru_stime) + cpu_seconds
    resource.setrlimit(resource.RLIMIT_CPU, (limit, hard))


def answer(module, job: dict, body: bytes) -> bytes:
    """The line that answers ``job``. Raises MemoryError if the limit was reached."""
    try:
        said = {"answer": module.answer(job, body)}
    except MemoryError:
        raise
    except Exception:
        said = {"error": traceback.format_exc()}
    text = json.dumps(said, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace") + b"\n"


def main(name: str, limits: dict) -> None:
    # What a library prints is no answer.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    module = import_module(name)
    if hasattr(module, "begin"):
        module.begin()
    hold(limits)
    # Whoever started it knows now that a job is to blame for all that comes.
    answers.write(b"{}\n")
    answers.flush()
    for line in sys.stdin.buffer:
        job = json.loads(line)
        body = sys.stdin.buffer.read(job.pop("bytes"))
        allow_one_job(limits["cpu_seconds"])
        try:
            answers.write(answer(module, job, body))
            answers.flush()
        except MemoryError:
            # What is left of the memory is in pieces: the next job has a process of its own.
            os._exit(1)


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
