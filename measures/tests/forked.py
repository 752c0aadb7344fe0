"""Management commands of portals that tests make, without reading Python and Django for each.

One process reads the packages that ask for no settings. For every portal it forks another, which
takes over the portal's environment and sets Django up as ``manage.py`` does, and which forks again
for each of the commands that are given one after the other.
"""

import atexit
import json
import os
import subprocess
import sys
import tempfile
import traceback
from functools import cache
from importlib import import_module
from pathlib import Path

#: What takes long to read, and is the same whatever the settings are
PACKAGES = (
    "asyncio", "django.contrib.admin", "django.contrib.staticfiles.storage",
    "django.core.management.commands.loaddata", "django.core.management.commands.runserver",
    "django.db.backends.postgresql.base", "django.db.backends.sqlite3.base",
    "django.views.generic", "django_filters", "docx", "environs", "import_export.resources",
    "lxml.etree", "opencc", "openpyxl", "prometheus_client", "segno", "sqlparse", "yaml",
)  # fmt: skip


def run(environment: dict[str, str], *commands) -> list[subprocess.CompletedProcess]:
    """The answers to commands that are given to the portal of ``environment`` one by one."""
    given = [[*map(str, arguments)] for arguments in commands]
    reader = _reader()
    reader.stdin.write(json.dumps([environment, given]) + "\n")
    reader.stdin.flush()
    answers = json.loads(reader.stdout.readline())
    if isinstance(answers, str):
        raise RuntimeError(f"The portal was not set up.\n{answers}")
    return [
        subprocess.CompletedProcess(arguments, *answer)
        for arguments, answer in zip(commands, answers, strict=True)
    ]


@cache
def _reader() -> subprocess.Popen:
    process = subprocess.Popen(
        [sys.executable, "-m", __name__],
        cwd=Path(__file__).resolve().parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    # It ends with what it reads.
    atexit.register(process.communicate)
    return process


def _answer_each_portal() -> None:
    for name in PACKAGES:
        import_module(name)
    for line in sys.stdin:
        code, answers, why = _in_a_process(_answer_all, *json.loads(line))
        print(json.dumps(why) if code else answers.strip(), flush=True)


def _answer_all(environment: dict[str, str], commands: list[list[str]]) -> None:
    """Prints the answers to all commands."""
    os.environ.clear()
    os.environ |= environment | {"DJANGO_SETTINGS_MODULE": "baoshan_portal.settings"}

    import django
    from django.core.management import execute_from_command_line

    django.setup()
    answers = [
        _in_a_process(execute_from_command_line, ["manage.py", *arguments])
        for arguments in commands
    ]
    print(json.dumps(answers))


def _in_a_process(act, *given) -> tuple[int, str, str]:
    """Its exit code, and what it said on both channels."""
    with (
        open(os.devnull) as nothing,
        tempfile.TemporaryFile("w+") as out,
        tempfile.TemporaryFile("w+") as err,
    ):
        child = os.fork()
        if not child:
            for channel, file in enumerate((nothing, out, err)):
                os.dup2(file.fileno(), channel)
            code = 0
            try:
                act(*given)
            except SystemExit as exit:
                code = exit.code
            except BaseException:
                code = traceback.print_exc() or 1
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code or 0)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        for file in (out, err):
            file.seek(0)
        return code, out.read(), err.read()


if __name__ == "__main__":
    _answer_each_portal()
