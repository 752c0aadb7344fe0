# Two commands: `make run` and `make test`; while working, `make check`. The rest are their steps.
.PHONY: run ready ready-for-tests demo test check lint test-sqlite test-postgresql test-long test-time-machine attack \
	coverage messages pictures screenshots lock audit bench

-include .env
HOST ?= 127.0.0.1
PORT ?= $(if $(filter 1,$(DEMO)),8001,8000)
PYTHON ?= python3
# What the server does at once; one process is enough to look at it.
WORKERS ?= 1
THREADS ?= 8
export HOST PORT WORKERS THREADS
STATIC_ROOT ?= var/static
# It makes the environment; deploy/serve runs that one's.
unexport PYTHON
# Each of the processes that tests start would compile everything anew, six seconds of it.
unexport PYTHONDONTWRITEBYTECODE

# Two commands may begin at once where nothing was installed yet: one waits for the other.
IN_TURN = @flock Makefile $(MAKE) --no-print-directory PYTHON=$(PYTHON)

run: export PREPARE = 1
run:
	$(IN_TURN) ready
	@exec deploy/serve

ready: .venv/installed .env $(STATIC_ROOT)/staticfiles.json
	@:

ready-for-tests: .venv/installed-dev
	@:

# The same on a database of its own, with invented targets and values.
demo: export DEMO = 1
demo: run

# A process for each processor; they share the modules between them in the order of collection: long
# ones first.
IN_WORKERS = -m pytest -n $(shell getconf _NPROCESSORS_ONLN) --dist loadfile --no-loadscope-reorder
PYTEST = .venv/bin/python $(IN_WORKERS)

# Both at once: while one begins, waits for a browser or ends, the other has the processors.
test: lint
	@echo "On both databases at once; what each says comes when it is done, in some minutes."
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=target test-sqlite test-postgresql

# Half of the proof in a minute, while working: the apps that changed first, up to the first failure.
check: export CHANGED = $(shell git diff --name-only HEAD~1; git ls-files -o --exclude-standard)
check: lint
	$(PYTEST) -x -m "not browser and not long"

lint:
	$(IN_TURN) ready-for-tests
	.venv/bin/ruff check
	.venv/bin/ruff format --check

# Everything, the browser too.
test-sqlite: .venv/installed-dev
	$(PYTEST)

# Everything but what is marked as run once, on SQLite.
test-postgresql: .venv/installed-dev
	$(PYTEST) -p baoshan_portal.tests.postgresql

# The properties of rules with two hundred times the examples, and the long sweeps with all of their
# cases, on PostgreSQL too; before a release, by hand.
test-long: export WHOLE = 1
test-long: .venv/installed-dev
	$(PYTEST) -m "hypothesis or sweep" --hypothesis-profile long
	$(PYTEST) -p baoshan_portal.tests.postgresql -m sweep

# The time machine at full length: six portals of forty days, every page of each, and three more for
# what is kept; takes hours.
test-time-machine: .venv/installed-dev
	TIME_MACHINE=long .venv/bin/python -m pytest -s baoshan_portal/tests/test_time_machine.py baoshan_portal/operating/tests/test_page_cache.py

# Attacks on a running demonstration, this machine alone, on both databases; a table at the end.
# Some thirty minutes on two processors; ATTACK=long before a release; ONLY="SQLite race" some.
attack: .venv/installed-dev .env
	.venv/bin/python -m baoshan_portal.tests.attack $(ONLY)

# Which branches no test takes, the browser and processes that are ended from outside aside; by hand.
coverage: .venv/installed-dev
	.venv/bin/python -m coverage run $(IN_WORKERS) -m "not browser"
	.venv/bin/python -m coverage combine --quiet
	.venv/bin/python -m coverage report --sort cover

# Ratios beside what others take, on both databases; some minutes, and hours with a million rows:
# BENCH="files --sizes 1000000"; see benchmarks/bench.py.
bench: .venv/installed-dev var/bench/installed
	.venv/bin/python benchmarks/bench.py $(BENCH)

var/bench/installed: benchmarks/requirements.txt
	$(PYTHON) -m venv var/bench
	var/bench/bin/pip install --quiet --disable-pip-version-check -r benchmarks/requirements.txt
	touch $@

# Compiled translations are committed, so that running the portal needs no gettext.
messages: .venv/installed-dev
	.venv/bin/python manage.py makemessages --locale zh_Hans --no-obsolete --add-location file \
		--ignore .venv --ignore var
	.venv/bin/python manage.py compilemessages --ignore .venv

$(STATIC_ROOT)/staticfiles.json: .venv/installed $(shell find static -type f)
	.venv/bin/python manage.py collectstatic --noinput --clear --verbosity 0

pictures: .venv/installed-dev $(STATIC_ROOT)/staticfiles.json
	.venv/bin/python -m baoshan_portal.tests.pictures

# Every kind of public page in every way of reading it, to be looked at: var/screenshots/.
screenshots: .venv/installed-dev
	.venv/bin/python -m baoshan_portal.tests.screenshots

# What is installed is what the locks name, file by file; requirements.txt says why.
.venv/installed: requirements.lock
	test -d .venv || $(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	touch $@

.venv/installed-dev: requirements.lock requirements-dev.lock
	test -d .venv || $(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	touch .venv/installed $@

# After a change of requirements.txt or requirements-dev.txt; what is locked stays where it may.
# `make lock UPGRADE=--upgrade` takes the newest of what those two lists do not pin.
lock: var/tools/installed
	for list in requirements requirements-dev; do \
		var/tools/bin/uv pip compile --quiet --generate-hashes --python-version 3.11 \
			--python-platform x86_64-manylinux_2_28 --custom-compile-command "make lock" $(UPGRADE) \
			--output-file $$list.lock $$list.txt || exit 1; \
	done

# Known faults of the packages that are installed; asks pypi.org, and says so if it gets no answer.
audit: var/tools/installed
	@rm -f var/audit.txt
	@var/tools/bin/pip-audit --strict --require-hashes --disable-pip --progress-spinner off --desc off \
		--requirement requirements.lock --output var/audit.txt 2> var/audit.log; \
	status=$$?; cat var/audit.txt 2> /dev/null; \
	if [ $$status -eq 0 ]; then echo "No known fault in requirements.lock."; \
	elif [ ! -s var/audit.txt ]; then tail -n 3 var/audit.log; \
		echo "Not audited: the database of faults did not answer. This says nothing about the packages."; \
	fi; exit $$status

var/tools/installed: Makefile
	$(PYTHON) -m venv var/tools
	var/tools/bin/pip install --quiet --disable-pip-version-check uv==0.13.9 pip-audit==2.10.1
	touch $@

# Make reads it before it does anything, so another that began at once may have written it meanwhile.
.env:
	@umask 077; printf 'SECRET_KEY=%s\nHTTPS=0\n' \
		"$$($(PYTHON) -c 'import secrets; print(secrets.token_urlsafe(50))')" > $@.$$$$; \
	mv -n $@.$$$$ $@; rm -f $@.$$$$
