"""A person at a terminal: runs commands in a checkout, and a browser that is really a small script."""

from __future__ import annotations

import json
import os
import select
import shlex
import signal
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from box_auth import config
from box_auth.flow import open_flow
from box_auth.script.saved_user import SavedUser

from . import programs
from .journey import free_port, live_settings
from .programs import clean_environment
from .walker import consent

HERE = Path(__file__).resolve().parent
PYTHON = sys.executable


def browser(folder: Path, *habits: str) -> dict[str, str]:
    """The setting under which a script's browser is `walker.py`, with ``habits`` (see there)."""
    pages = folder / "pages.json"
    command = shlex.join([PYTHON, "-S", "-E", str(HERE / "walker.py"), str(pages), ",".join(habits)])
    return {"BROWSER": f"{command} %s"}


def pages_seen(folder: Path) -> list[tuple[int, str]]:
    """What the walker saw last, in order: status and text."""
    return [tuple(page) for page in json.loads((folder / "pages.json").read_text())]


def run(folder: Path, *command: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return programs.run([PYTHON, *command], folder, clean_environment(**settings))


def flask_box(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return run(folder, "-m", "flask", "box", *arguments, **settings)


class Terminal:
    """A command that waits for its person. What it says is read until something that is expected comes."""

    def __init__(self, folder: Path, *command: str, **settings: str) -> None:
        environment = clean_environment(BROWSER="no-such-browser", **settings)
        read_typed, typed = os.pipe()
        said, write_said = os.pipe()
        self.process = programs.start([PYTHON, *command], folder, environment, read_typed, write_said, write_said)
        os.close(read_typed)
        os.close(write_said)
        self.stdin, self.stdout = os.fdopen(typed, "w"), os.fdopen(said)
        self._watch = threading.Timer(50, self.process.kill)
        self._watch.start()
        self.output = ""

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self._watch.cancel()
        self.process.kill()
        self.process.wait()
        self.stdin.close()
        self.stdout.close()

    def read_until(self, words: str) -> str:
        """Return the line with ``words``."""
        for line in self.stdout:
            self.output += line
            if words in line:
                return line.strip()
        raise AssertionError(f"“{words}” was not said:\n{self.output}")

    def address(self) -> str:
        """The consent address that it says to open."""
        return self.read_until("response_type=code")

    def type(self, line: str) -> None:
        self.stdin.write(line + "\n")
        self.stdin.flush()

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)

    def end(self) -> int:
        """Read the rest and return the exit status."""
        self.output += self.stdout.read()
        return self.process.wait()


class Pty:
    """A command in a terminal of its own, which shows what is typed unless the command asks it not to."""

    def __init__(self, folder: Path, *command: str, **settings: str) -> None:
        import pty  # not on Windows

        self._ours, theirs = pty.openpty()
        take_it = (  # and hear Ctrl-C, which commands that run in the background inherit to ignore
            "import fcntl, os, signal, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
            "signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"
        )
        self.process = subprocess.Popen(
            [PYTHON, "-S", "-E", "-c", take_it, PYTHON, *command],
            cwd=folder,
            env=clean_environment(**settings),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self._watch = threading.Timer(50, self.process.kill)
        self._watch.start()
        self.output, self._answered = "", 0

    def __enter__(self) -> Pty:
        return self

    def __exit__(self, *_: object) -> None:
        self._watch.cancel()
        self.process.kill()
        self.process.wait()
        os.close(self._ours)

    def _more(self) -> bool:
        try:
            said = os.read(self._ours, 65536)
        except OSError:  # how Linux says that the other end is closed
            return False
        self.output += said.decode(errors="replace")
        return bool(said)

    def answer(self, question: str, answer: str, end: str = "\n") -> None:
        """Wait until ``question`` is asked, later than what was answered before, and type ``answer``."""
        while (found := self.output.find(question, self._answered)) < 0:
            assert self._more(), f"“{question}” was not asked:\n{self.output}"
        self._answered = found + len(question)
        os.write(self._ours, (answer + end).encode())

    def press(self, keys: str, heard: str = "Stopped.") -> int:
        """Press ``keys`` until the command says ``heard``, and return its exit status. Once may not do: a signal that
        comes just before Python begins to read is seen when the reading ends. Afterwards it would be one too many."""
        os.write(self._ours, keys.encode())
        while heard not in self.output:
            if not select.select([self._ours], [], [], 5.0)[0]:
                os.write(self._ours, keys.encode())
            elif not self._more():
                break
        return self.end()

    def end(self) -> int:
        """Read the rest and return the exit status."""
        while self._more():
            pass
        return self.process.wait()


def as_nobody(program: str) -> tuple[str, str]:
    """The command for a process that imports `script`, and if it is root, who may write anywhere, becomes nobody."""
    drop = "os.geteuid() or (os.setgroups([]), os.setgid(65534), os.setuid(65534))"
    return "-c", f"import os, sys, script; from box_auth.script import run; {drop}; sys.exit({program})"


def settings_for(emulator, box, **more: str) -> dict[str, str]:
    """Settings of an app the emulator knows, on a port of its own unless given."""
    return {**live_settings(emulator, box, free_port()), **more}


def signed_in(folder: Path, settings: dict[str, str]) -> None:
    """Leave ``folder`` as a first run of the script does, without the time that its process takes to start."""
    flow = open_flow(config.parse(settings, folder / "instance"))
    address, pending = flow.start()
    record = flow.finish(dict(parse_qsl(urlsplit(consent(address, "grant")).query)), pending)
    SavedUser(flow, folder / "instance").remember(record)
    flow.network.close()


def off_clock(folder, seconds: str) -> dict[str, str]:
    """Settings under which a process believes that it is some seconds later."""
    module = folder / "off" / "sitecustomize.py"
    module.parent.mkdir(exist_ok=True)
    module.write_text("import os, time\nreal = time.time\ntime.time = lambda: real() + float(os.environ['OFF'])\n")
    return {"PYTHONPATH": str(module.parent), "OFF": seconds}
