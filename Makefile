# `make run` starts the app, `make script` the quick test in the terminal, `make doctor` looks for what is wrong, and
# `make test` checks everything. `make forks` tries the edits of docs/forking.md in scratch clones.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# The app itself reads the .env beside it. Flask's own reading takes one of a folder above, too, and fails on odd files.
export FLASK_SKIP_DOTENV := 1

.PHONY: run script doctor test forks clean

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

clean:
	rm -rf $(VENV)

$(VENV)/run.stamp: requirements.txt
	$(call install,requirements.txt)

$(VENV)/test.stamp: requirements.txt requirements-dev.txt
	$(call install,requirements-dev.txt)
	touch $(VENV)/run.stamp

# A .venv without pip was left half-made (Debian without python3-venv does that), and is made anew. The line written into
# it at the end, which Python runs when it starts, has `flask` typed by hand leave .env alone, too.
define install
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make $(MAKECMDGOALS) PYTHON=python3.11")'
	$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV) || { \
	  echo "No virtual environment could be made. On Debian and Ubuntu: sudo apt install python3-venv" >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --requirement $(1)
	$(BIN)/python -c "import pathlib, sysconfig; \
	  folder = pathlib.Path(sysconfig.get_path('purelib')); \
	  (folder / 'flask_leaves_dotenv_alone.pth').write_text('import os; os.environ.setdefault(\'FLASK_SKIP_DOTENV\', \'1\')\n')"
	touch $@
endef
