"""Makes each edit that README.md and docs/forking.md show in a scratch clone, and runs the tests there: ``make forks``.

The documents are what is tested: a code block whose fence names a file (```` ```python app.py ````) is written to that
file, or added to it if it is there; a ``diff`` block must fit the file once; a ``sh`` block is run. The clones are of
the last commit. ``docs/forks.py page factory`` makes only the edits with these words in their names.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from box_auth.config import NAMES  # noqa: E402
from box_auth.tests.journey import Process, Visitor, free_port, running  # noqa: E402
from box_auth.tests.terminal import browser  # noqa: E402

README, FORKING = "README.md", "docs/forking.md"
EVERYTHING = ""
PAGES = "tests --ignore=tests/files"  # most edits leave the file pages alone
FILE_PAGES = "tests --ignore-glob=*/tests/files/test_browser*"  # a browser looks at them where nothing is edited
PAGES_AND_ENGINE = f"{PAGES} box_auth/tests"  # the emulator's own tests see nothing of these edits
WORDS = {EVERYTHING: "everything", PAGES: "pages", FILE_PAGES: "pages and file pages"}
# What failed runs again, alone: an edit fails it each time, a busy machine does not.
AGAIN = " --last-failed --last-failed-no-failures none -n 0"
OLDEST = 11  # Python 3.11

Watch = Callable[[Path, str], AbstractContextManager[None]]


@dataclass(frozen=True)
class Fork:
    """An edit: where the documents show it, what is tested after it, and what else is watched while it is made.

    The engine's tests have an app of their own. They run after the edits that could reach them: an app that is
    elsewhere, hooks, a part that is gone; pages, names and colours are nothing new to them.

    ``again`` is what is tested on the newest Python, None where nothing is: a Python that breaks edited pages breaks
    them without the edit, and that is tried. Unedited on the oldest Python is what `make test` is for.
    """

    name: str
    shown: tuple[tuple[str, str], ...] = ()
    tests: str = PAGES_AND_ENGINE
    again: str | None = None
    watch: Watch | None = None


# -------- What is watched beside the tests


def served_at_once(path: str) -> Watch:
    """The app runs while the edit is made: its page appears, and the visitor stays signed in."""

    @contextlib.contextmanager
    def watch(folder: Path, python: str) -> Iterator[None]:
        with serve(folder, python, "--debug") as app, Visitor(app.url) as visitor:
            visitor.sign_in()
            assert visitor.get(path).status_code == 404
            yield
            assert visitor.get_when_there(path).status_code == 200, app.output

    return watch


@contextlib.contextmanager
def runs_live(folder: Path, python: str) -> Iterator[None]:
    """Afterwards there is no demo, and app and script sign in to a Box elsewhere: an emulator of this checkout."""
    yield
    with serve(folder, python) as app, Visitor(app.url) as visitor:
        assert "CLIENT_ID is not set" in app.output
        assert visitor.get("/").status_code == 503
    command = [sys.executable, "-m", "box_emulator", "--port", str(free_port())]
    with running(Process(command, ROOT, environment(), "/_emulator/")) as box:
        settings = dict(re.findall(r"^([A-Z_]+) ?= ?(.+)$", box.output, re.MULTILINE))
        with serve(folder, python, **settings) as app, Visitor(app.url) as visitor:
            assert "live, with Box" in app.output
            assert visitor.sign_in("Ada").url == f"{app.url}/dashboard"
        script = environment(CALLBACK_PORT=str(free_port()), **settings, **browser(folder, "grant"))
        done = subprocess.run([python, "main.py"], cwd=folder, env=script, capture_output=True, text=True, timeout=60)
        assert "Projects" in done.stdout, done.stderr


@contextlib.contextmanager
def runs_without_app_py(folder: Path, python: str) -> Iterator[None]:
    """Afterwards the package alone is enough."""
    yield
    with serve(folder, python, app="shop") as app, Visitor(app.url) as visitor:
        assert visitor.sign_in("Ada").url == f"{app.url}/dashboard"


FORKS = (
    Fork("as it is", tests=EVERYTHING, again=EVERYTHING),
    Fork("a second page", ((README, "Make it yours"),), PAGES, watch=served_at_once("/folder/0")),
    Fork("a blueprint in a module", ((README, "A module of its own"),), PAGES, watch=served_at_once("/recent")),
    Fork("name, colours, cookie", ((FORKING, "Name, colours, cookie"),), PAGES),
    Fork("four more pages", ((FORKING, "More pages"),), PAGES),
    Fork("an element of Box's", ((FORKING, "Box UI Elements"),), FILE_PAGES, watch=served_at_once("/choose")),
    Fork("the dashboard renamed", ((FORKING, "Rename a page"),), PAGES),
    Fork(
        "a factory in a package",
        ((FORKING, "A factory"),),
        f"{FILE_PAGES} box_auth/tests",
        again=PAGES,
        watch=runs_without_app_py,
    ),
    Fork("rules of its own", ((FORKING, "Who may sign in, who has left, and in which words"),)),
    Fork("without the file pages", ((FORKING, "Without the file pages"),), PAGES),
    Fork("without the files for servers", ((FORKING, "Without the files for servers"),), PAGES),
    Fork("without the demo", ((FORKING, "Without the demo"),), PAGES, watch=runs_live),
    Fork(
        "without the emulator",
        ((FORKING, "Without the demo"), (FORKING, "Without the emulator")),
        again=PAGES_AND_ENGINE,
        watch=runs_live,
    ),
)


# -------- The edits, as the documents show them


def edit(folder: Path, document: str, heading: str) -> None:
    """Make the edit that a section shows, block by block."""
    text = (folder / document).read_text("utf-8")
    sections = dict(re.findall(r"^##+ ([^\n]+)\n(.*?)(?=^##+ |\Z)", text, re.MULTILINE | re.DOTALL))
    blocks = re.findall(r"^```(sh$|\w+ \S+$)\n(.*?)^```$", sections[heading], re.MULTILINE | re.DOTALL)
    assert blocks, f"{document} shows nothing under “{heading}”"
    for kind, block in blocks:
        language, _, path = kind.partition(" ")
        file = folder / path
        if language == "sh":
            subprocess.run(["sh", "-ec", block], cwd=folder, check=True)
        elif language == "diff":
            file.write_text(changed(file.read_text("utf-8"), block, path), "utf-8")
        elif file.exists():
            file.write_text(with_more(file.read_text("utf-8"), block), "utf-8")
        else:
            file.parent.mkdir(exist_ok=True)
            file.write_text(block, "utf-8")


def changed(text: str, diff: str, path: str) -> str:
    lines = diff.splitlines(keepends=True)
    before = "".join(line[1:] for line in lines if line[0] in " -")
    after = "".join(line[1:] for line in lines if line[0] in " +")
    assert text.count(before) == 1, f"found {text.count(before)} times in {path}:\n{before}"
    return text.replace(before, after)


def with_more(text: str, code: str) -> str:
    """Add functions to a module, above the lines that run it."""
    body, main, rest = text.partition("\n\nif __name__ ==")
    return f"{body.rstrip()}\n\n\n{code.rstrip()}\n{main}{rest}"


# -------- Clones, Pythons, tests


def environment(**settings: str) -> dict[str, str]:
    """The environment without what would set the app up, or belongs to the make that runs this."""
    ours = {*NAMES, "MAKEFLAGS", "MFLAGS", "MAKELEVEL", "VIRTUAL_ENV"}
    kept = {name: value for name, value in os.environ.items() if name not in ours and not name.startswith("FLASK_")}
    return {**kept, "PYTHONUNBUFFERED": "1", **settings}


@contextlib.contextmanager
def serve(folder: Path, python: str, *options: str, app: str = "", **settings: str) -> Iterator[Process]:
    """`flask run` in a fork. ``url`` is where it answers."""
    port = str(free_port())
    command = [python, "-m", "flask", *(["--app", app] if app else []), "run", *options]
    ready = "Debugger is active" if "--debug" in options else "Running on"
    with running(
        Process(command, folder, environment(CALLBACK_PORT=port, FLASK_RUN_PORT=port, **settings), ready)
    ) as it:
        it.url = f"http://127.0.0.1:{port}"
        yield it


def python_of(minor: int) -> str | None:
    """Return the command of Python 3.minor, from the PATH or from pyenv."""
    homes = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    known = [shutil.which(f"python3.{minor}"), *sorted(map(str, homes.glob(f"3.{minor}.*/bin/python")))]
    works = f"import sys, venv; sys.exit(sys.version_info[:2] != (3, {minor}))"
    for python in filter(None, reversed(known)):
        if subprocess.run([python, "-c", works], capture_output=True).returncode == 0:
            return python
    return None


@functools.cache
def prepared(minor: int) -> Path | None:
    """Return a virtual environment of Python 3.minor with everything that the tests need, for all clones."""
    if minor == sys.version_info.minor:
        return Path(sys.prefix)
    python = python_of(minor)
    if python is None:
        return None
    venv = ROOT / ".venv" / "forks" / f"3.{minor}"
    here = venv.relative_to(ROOT)  # make knows no blanks in the names of what it makes
    command = ["make", "-s", f"{here}/test.stamp", f"VENV={here}", f"PYTHON={python}"]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True)
    if done.returncode:
        print(f"Python 3.{minor} is left out, because packages could not be installed:\n{done.stderr[-500:]}")
        return None
    return venv


def tried(fork: Fork, venv: Path, tests: str, folder: Path, log: Path) -> str:
    """Make the edit in a clone, run its tests, and return what failed; an empty text if nothing did."""
    subprocess.run(["git", "clone", "--quiet", ROOT, folder], check=True)
    python = str(venv / "bin" / "python")
    try:
        with fork.watch(folder, python) if fork.watch else contextlib.nullcontext():
            for document, heading in fork.shown:
                edit(folder, document, heading)
    except (AssertionError, OSError, subprocess.SubprocessError) as error:
        log.write_text(str(error), "utf-8")
        return f"{type(error).__name__} while it was made"
    (folder / ".venv").symlink_to(venv)
    (venv / "test.stamp").touch()  # its packages are those of the clone's requirements
    caches = {"MYPY_CACHE_DIR": str(venv / "mypy_cache")}
    with log.open("w", encoding="utf-8") as output:
        for more in ("", AGAIN):
            command = ["make", "test", f"TESTS={tests}{more}"]
            done = subprocess.run(
                command, cwd=folder, env=environment(**caches), stdout=output, stderr=subprocess.STDOUT
            )
            if done.returncode == 0:
                return ""
    return "the tests fail"


def main(words: list[str]) -> int:
    if subprocess.run(["git", "diff", "--quiet", "HEAD"], cwd=ROOT).returncode:
        sys.exit("Commit or stash first: the clones are of the last commit.")
    chosen = [fork for fork in FORKS if not words or any(word in fork.name for word in words)]
    newest = next((minor for minor in range(20, OLDEST, -1) if prepared(minor)), None)
    runs = [(OLDEST, fork, fork.tests) for fork in chosen if fork.shown]
    runs += [(newest, fork, fork.again) for fork in chosen if newest and fork.again is not None]
    print("Each edit is tried with ruff, mypy and the tests named in its line.")
    results = Path(tempfile.mkdtemp(prefix="forks-"))
    begun, failures, known = time.monotonic(), 0, set[str]()
    for minor, fork, tests in runs:
        venv = prepared(minor)
        if venv is None:
            sys.exit(f"Python 3.{minor} is not on this machine.")
        at, log = time.monotonic(), results / f"{fork.name.replace(' ', '-')}-3.{minor}.log"
        wrong = tried(fork, venv, tests, results / "clone", log)
        failures += bool(wrong)
        text = log.read_text("utf-8")
        summary = re.findall(r"^=+ (.+) in [\d.]+s", text, re.MULTILINE) or [""]
        said = f"{'; alone: '.join(summary)} in {time.monotonic() - at:.0f} s"
        shown = WORDS.get(tests, "pages and engine")
        print(f"{fork.name:30}3.{minor}  {shown:22}{said}", flush=True)
        skips = {reason for _, reason in re.findall(r"^SKIPPED \[\d+\] (.+?): (.+)$", text, re.MULTILINE)}
        for line in sorted(skips - known):
            print(f"{'':8}skipped: {line}")
        known |= skips
        if wrong:
            print(f"{'':8}RED: {wrong}; see {log}")
            print(*(f"{'':8}{line}" for line in re.findall(r"^(?:FAILED|ERROR) .+", text, re.MULTILINE)[:10]), sep="\n")
        shutil.rmtree(results / "clone")
    print(f"{len(runs)} runs, {failures} red, in {(time.monotonic() - begun) / 60:.0f} minutes")
    if not failures:
        shutil.rmtree(results)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
