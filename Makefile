# `make run` starts the app, `make script` the quick test in the terminal, `make doctor` looks for what is wrong, and
# `make test` checks everything. `make forks` tries the edits of docs/forking.md in scratch clones. `make lock` renews the
# versions that all of these install; `make floors` and `make newest` run the tests at the ends of the ranges. `make bench`
# measures how quick the app is beside others, in ten minutes; BENCH takes options, such as BENCH="--quick --only floor,ours".
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(VENV)/uv/bin/uv

# The app itself reads the .env beside it. Flask's own reading takes one of a folder above, too, and fails on odd files.
export FLASK_SKIP_DOTENV := 1

.PHONY: run script doctor test forks bench lock floors newest clean

run: $(VENV)/run.stamp
	@echo "Development mode: what you save shows a moment later. Ctrl-C stops."
	$(BIN)/flask run --debug

script: $(VENV)/run.stamp
	$(BIN)/python main.py

doctor: $(VENV)/run.stamp
	$(BIN)/flask box doctor

test: $(VENV)/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict $(wildcard box_auth box_emulator)
	$(BIN)/pytest -n 4 --dist worksteal $(TESTS)

forks: $(VENV)/test.stamp
	$(BIN)/python docs/forks.py

bench: $(VENV)/test.stamp
	$(BIN)/python -m benchmarks.speed --end-with-parent $(BENCH)

clean:
	rm -rf $(VENV)

# The locks are made from requirements.txt and requirements-dev.txt, for every system and Python at once.
lock: $(UV)
	$(call compile,requirements.txt,requirements.lock)
	$(call compile,requirements-dev.txt --constraint requirements.lock,requirements-dev.lock)

define compile
	$(UV) pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate \
	  --custom-compile-command "make lock" $(1) --output-file $(2)
endef

floors: RESOLUTION := lowest-direct
newest: RESOLUTION := highest
floors newest: $(UV)
	$(PYTHON) -m venv --clear $(VENV)/$@
	$(UV) pip install --quiet --python $(VENV)/$@ --resolution $(RESOLUTION) --requirement requirements.txt
	$(UV) pip install --quiet --python $(VENV)/$@ --requirement requirements-dev.txt
	$(call leave_dotenv_alone,$(VENV)/$@/bin)
	$(VENV)/$@/bin/pytest -n 4 --dist worksteal $(TESTS) # without mypy: annotations of other versions are other ones

$(UV):
	$(PYTHON) -m venv $(VENV)/uv
	$(VENV)/uv/bin/python -m pip install --quiet "uv>=0.5"

$(VENV)/run.stamp: requirements.txt requirements.lock
	$(call install,requirements)

$(VENV)/test.stamp: requirements.txt requirements-dev.txt requirements.lock requirements-dev.lock
	$(call install,requirements-dev)
	touch $(VENV)/run.stamp

# A .venv without pip was left half-made (Debian without python3-venv does that), and is made anew. The lock names each
# file by its hash; what was added to the list after the last `make lock` is taken as it comes. The line written into
# the .venv at the end, which Python runs when it starts, has `flask` typed by hand leave .env alone, too.
define install
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make $(MAKECMDGOALS) PYTHON=python3.11")'
	$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV) || { \
	  echo "No virtual environment could be made. On Debian and Ubuntu: sudo apt install python3-venv" >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --require-hashes --requirement $(1).lock
	$(BIN)/python -m pip install --quiet --requirement $(1).txt
	$(call leave_dotenv_alone,$(BIN))
	touch $@
endef

define leave_dotenv_alone
	$(1)/python -c "import pathlib, sysconfig; \
	  folder = pathlib.Path(sysconfig.get_path('purelib')); \
	  (folder / 'flask_leaves_dotenv_alone.pth').write_text('import os; os.environ.setdefault(\'FLASK_SKIP_DOTENV\', \'1\')\n')"
endef
