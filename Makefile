# Two commands: `make run` and `make test`; while working, `make check`. The rest are their steps.
.PHONY: run demo test check lint test-sqlite test-postgresql test-long test-time-machine coverage messages \
	pictures screenshots

-include .env
HOST ?= 127.0.0.1
PORT ?= $(if $(filter 1,$(DEMO)),8001,8000)
PYTHON ?= python3
export HOST PORT
# Each of the processes that tests start would compile everything anew, six seconds of it.
unexport PYTHONDONTWRITEBYTECODE

run: .venv/installed .env var/static/staticfiles.json
	@.venv/bin/python manage.py prepare
	@echo "http://$(HOST):$(PORT)$(SCRIPT_NAME)/"
	@.venv/bin/granian --interface wsgi --host $(HOST) --port $(PORT) --no-ws --blocking-threads 4 --log-level warning \
		baoshan_portal.wsgi:application

# The same on a database of its own, with invented targets and values.
demo: export DEMO = 1
demo: run

# A process for each processor, which share the modules between them in the order of collection:
# long ones first.
PYTEST = .venv/bin/python -m pytest -n $(shell getconf _NPROCESSORS_ONLN) --dist loadfile \
	--no-loadscope-reorder

test: lint test-sqlite test-postgresql

# Half of the proof in a minute, while working: the apps that changed first, up to the first failure.
check: export CHANGED = $(shell git diff --name-only HEAD~1; git ls-files -o --exclude-standard)
check: lint
	$(PYTEST) -x -m "not browser and not long"

lint: .venv/installed-dev
	.venv/bin/ruff check
	.venv/bin/ruff format --check

# Everything, the browser too.
test-sqlite: .venv/installed-dev
	$(PYTEST)

# Everything but what is marked as run once, on SQLite.
test-postgresql: .venv/installed-dev
	$(PYTEST) -p baoshan_portal.tests.postgresql

# The properties of rules with a hundred times the examples, and the long sweeps with all of their
# cases; before a release, by hand.
test-long: export WHOLE = 1
test-long: .venv/installed-dev
	$(PYTEST) -m "hypothesis or sweep" --hypothesis-profile long

# The time machine at full length: five portals of forty days, every page of each; takes hours.
test-time-machine: .venv/installed-dev
	TIME_MACHINE=long .venv/bin/python -m pytest -s baoshan_portal/tests/test_time_machine.py

# Which branches no test takes, the browser aside; by hand.
coverage: .venv/installed-dev
	.venv/bin/python -m coverage run -m pytest -m "not browser"
	.venv/bin/python -m coverage report --sort cover

# Compiled translations are committed, so that running the portal needs no gettext.
messages: .venv/installed-dev
	.venv/bin/python manage.py makemessages --locale zh_Hans --no-obsolete --add-location file \
		--ignore .venv --ignore var
	.venv/bin/python manage.py compilemessages --ignore .venv

var/static/staticfiles.json: .venv/installed $(shell find static -type f)
	.venv/bin/python manage.py collectstatic --noinput --clear --verbosity 0

pictures: .venv/installed-dev var/static/staticfiles.json
	.venv/bin/python -m baoshan_portal.tests.pictures

# Every kind of page in every way of reading it, to be looked at: var/screenshots/.
screenshots: .venv/installed-dev
	.venv/bin/python -m baoshan_portal.tests.screenshots

.venv/installed: requirements.txt
	test -d .venv || $(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

.venv/installed-dev: requirements.txt requirements-dev.txt
	test -d .venv || $(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch .venv/installed $@

.env:
	@umask 077; printf 'SECRET_KEY=%s\nHTTPS=0\n' \
		"$$($(PYTHON) -c 'import secrets; print(secrets.token_urlsafe(50))')" > $@
