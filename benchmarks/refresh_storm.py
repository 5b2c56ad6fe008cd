"""Proves that no sign-in gets lost: gunicorn's workers, a Box of our own, everything expired, many requests at once.

    python benchmarks/refresh_storm.py --rounds 200 --kill

Each round lets the tokens expire, fires all requests at the same moment, and then asks for one more page of each user.
The exit status is 1 when a promise was broken; README.md beside this file tells which, and what was measured.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import http.client
import os
import random
import re
import signal
import statistics
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from box_auth import config  # noqa: E402
from box_auth.network.retries import READ  # noqa: E402
from box_auth.stores import open_store  # noqa: E402
from box_auth.stores.base import LOCK_WAIT  # noqa: E402
from box_auth.stores.redis import connect  # noqa: E402
from box_auth.tests.journey import Process, Visitor, checkout, clean_environment, free_port, running  # noqa: E402
from box_emulator import Emulator, User, serve  # noqa: E402

FAULTS = {  # what happens to the next requests at the token endpoint, each round anew
    "none": {},
    "500": {"status": 500, "times": 2},
    "429": {"status": 429, "times": 2, "retry_after": 1},
    "delay": {"latency": READ + 0.5},
    "drop": {"drop": "after"},
}
PATIENCE = 2 * LOCK_WAIT  # seconds until a request counts as never answered
LIMIT = 1200.0  # seconds for all rounds
BUSY, SIGNED_OUT = (502, 503, 504), (302, 401)
DEBUG = """[loggers]\nkeys=root\n[handlers]\nkeys=all\n[formatters]\nkeys=
[logger_root]\nlevel=DEBUG\nhandlers=all\n[handler_all]\nclass=StreamHandler\nargs=(sys.stderr,)\n"""
SECRET_KEY = "a-secret-key-of-the-storm"
NEVER = ("errors 500", "never answered", "unexpected pages", "unreadable records", "stuck locks", "leaked secrets")
FIGURES = ("rounds", "requests", "answered", "told to wait", "told to sign in", "cut off by a kill")
FIGURES += ("refreshes accepted", "refreshes refused", "sign-ins lost", "of these ended by Box", *NEVER)


class Gunicorn(Process):
    """The app of a checkout under gunicorn on a port of its own, with every log at DEBUG."""

    def __init__(self, folder: Path, *arguments: str, **settings: str) -> None:
        (folder / "debug.ini").write_text(DEBUG)
        command = [sys.executable, "-m", "gunicorn", "--log-level", "debug", "--log-config", "debug.ini", *arguments]
        environment = clean_environment(**{"CALLBACK_PORT": str(free_port()), **settings})
        super().__init__(command, folder, environment, "Listening at")
        self.url = f"http://127.0.0.1:{environment['CALLBACK_PORT']}"
        self._killed: set[int] = set()

    @property
    def workers(self) -> list[int]:
        """The process ids of the workers that were not killed."""
        return sorted({int(pid) for pid in re.findall(r"Booting worker with pid: (\d+)", self.output)} - self._killed)

    def kill(self, worker: int) -> None:
        self._killed.add(worker)
        os.kill(worker, signal.SIGKILL)

    def wait_for_workers(self, count: int) -> None:
        """Ask for pages until ``count`` workers have answered, each more than once."""
        end, seen = time.monotonic() + 60, len(self.lines)
        while time.monotonic() < end:
            assert ask(self.url).status == 200
            answers, workers = "".join(self.lines[seen:]), self.workers
            if len(workers) == count and all(answers.count(f"<{worker}>") > 1 for worker in workers):
                return
        raise AssertionError(f"Not all of {count} workers answer:\n{self.output}")


class Answer(NamedTuple):
    """What came back. ``status`` is 0 where the connection was cut, -1 where nothing came in time."""

    status: int
    page: str
    seconds: float


def ask(url: str, path: str = "/", cookie: str = "") -> Answer:
    """Get a page over a connection of its own."""
    begun = time.monotonic()
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE)
    try:
        connection.request("GET", path, headers={"Cookie": cookie})
        response = connection.getresponse()
        status, page = response.status, response.read().decode()
    except TimeoutError:
        status, page = -1, ""
    except (OSError, http.client.HTTPException):
        status, page = 0, ""
    finally:
        connection.close()
    return Answer(status, page, time.monotonic() - begun)


class Storm:
    """An emulator, one or two apps, and their signed-in users, until ``stack`` closes. ``tally`` is the result."""

    def __init__(self, options: argparse.Namespace, stack: contextlib.ExitStack) -> None:
        self.options, self.chance = options, random.Random(options.seed)
        self.tally: dict[str, Any] = dict.fromkeys(FIGURES, 0) | {"longest wait": 0.0}
        self.cookies: dict[User, str] = {}
        self.codes: set[str] = set()
        self.pages: set[str] = set()
        self.span = 0.2  # seconds that the last round took
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        self.emulator = Emulator()
        stack.callback(self.emulator.close)
        self.emulator.set_options(lenient_refresh=options.lenient)
        settings = {**stack.enter_context(serve(self.emulator)).settings, "SECRET_KEY": SECRET_KEY}
        if options.redis:
            port = str(free_port())
            command = ["redis-server", "--port", port, "--bind", "127.0.0.1", "--save", ""]
            stack.enter_context(running(Process(command, folder, clean_environment(), "Ready to accept connections")))
            settings["REDIS_URL"] = f"redis://127.0.0.1:{port}/0"
        self.settings = config.parse(settings, folder / "app0" / "instance")
        self.store = open_store(self.settings)
        size = ["--workers", str(options.workers), "--threads", str(options.threads)]
        folders = [checkout(folder / f"app{number}", "gunicorn.conf.py") for number in range(options.apps)]
        self.apps = [stack.enter_context(running(Gunicorn(folder, *size, **settings))) for folder in folders]
        for number in range(len(self.emulator.users), options.users):
            self.emulator.add_user(f"User {number}", f"user{number}@example.com")
        for user in self.emulator.users[: options.users]:
            self.sign_in(user)
        self.wait_for_workers()

    def sign_in(self, user: User) -> None:
        with Visitor(self.apps[0].url) as visitor:
            address = visitor.callback_address(user.login)
            self.codes |= set(parse_qs(urlsplit(address).query)["code"])
            dashboard = visitor.http.get(address, timeout=PATIENCE)
            assert user.login in dashboard.text, dashboard.text
            self.cookies[user] = visitor.session_cookie()

    def ask(self, user: User, number: int = 0) -> Answer:
        answer = ask(self.apps[number % len(self.apps)].url, "/dashboard", self.cookies[user])
        self.pages.add(answer.page)
        return answer

    def wait_for_workers(self) -> None:
        for app in self.apps:
            app.wait_for_workers(self.options.workers)

    def expire(self) -> None:
        """Let all access tokens expire at Box; with ``clock`` the app can tell by their age, else only by a 401."""
        self.emulator.expire_tokens("access")
        for user in self.cookies if self.options.expire == "clock" else ():
            with self.store.lock(user.id) as held:
                record = held.load()
                held.save(replace(record, issued_at=record.issued_at - 3600))

    def measure(self) -> None:
        """Take the time of a warm page and of the first one after expiry, and count their calls to Box."""
        user, warm, first = next(iter(self.cookies)), [], []
        for _ in range(50):
            for taken in (warm, first):
                if taken is first:
                    self.expire()
                before = self.emulator.requests.count()
                taken.append((self.ask(user).seconds, self.emulator.requests.count() - before))
        texts, medians = [], []
        for taken in (warm, first):
            seconds, calls = zip(*taken[20:], strict=True)  # by then all of it is loaded and connected
            medians.append(statistics.median(seconds))
            texts.append(f"{medians[-1] * 1000:.0f} ms, {'/'.join(map(str, sorted(set(calls))))} calls to Box")
        self.tally["warm page"] = texts[0]
        self.tally["first page after expiry"] = f"{texts[1]}, {medians[1] / medians[0]:.1f} times a warm one"

    def run(self) -> None:
        end = time.monotonic() + LIMIT
        while self.tally["rounds"] < self.options.rounds and time.monotonic() < end:
            self.round()
        self.search()

    def round(self) -> None:
        before = dict(self.emulator.tokens.refreshes)
        self.expire()
        if fault := FAULTS[self.options.fault]:
            self.emulator.fault("POST /oauth2/token", **fault)
        answers = self._fire()
        for user, answer in answers:
            self._count(user, answer)
        self.tally["requests"] += len(answers)
        self.tally["longest wait"] = max(self.tally["longest wait"], *(answer.seconds for _, answer in answers))
        if self.options.kill and not fault:  # nothing but the dead worker's lock can have made anybody wait
            self.tally["stuck locks"] += any(answer.status in BUSY for _, answer in answers)
        self.emulator.faults.clear()
        for user in list(self.cookies):
            self._look_after(user)
        if self.options.kill:
            self.wait_for_workers()
        after = self.emulator.tokens.refreshes
        self.tally["rounds"] += 1
        self.tally["refreshes accepted"] += after["accepted"] - before["accepted"]
        self.tally["refreshes refused"] += after["refused"] - before["refused"]

    def _fire(self) -> list[tuple[User, Answer]]:
        """Ask for all pages at the same moment, and kill a worker meanwhile."""
        users = list(self.cookies) * self.options.requests
        start = threading.Barrier(len(users) + 1)

        def fire(number: int, user: User) -> tuple[User, Answer]:
            start.wait()
            return user, self.ask(user, number)

        with ThreadPoolExecutor(len(users)) as pool:
            answers = [pool.submit(fire, number, user) for number, user in enumerate(users)]
            start.wait()
            begun = time.monotonic()
            if self.options.kill:
                self._kill(begun)
        self.span = min(1.0, time.monotonic() - begun)
        return [answer.result() for answer in answers]

    def _kill(self, begun: float) -> None:
        """Kill a worker at any instant of the round; every other time soon after a refresh, when it matters most."""
        app = self.chance.choice(self.apps)
        worker, wait = self.chance.choice(app.workers), self.chance.uniform(0, self.span)
        if self.tally["rounds"] % 2:
            accepted = self.emulator.tokens.refreshes["accepted"]
            while self.emulator.tokens.refreshes["accepted"] == accepted and time.monotonic() < begun + self.span:
                time.sleep(0.0005)
            wait = self.chance.uniform(0, 0.02)
        time.sleep(wait)
        app.kill(worker)

    def _count(self, user: User, answer: Answer) -> None:
        tally, status, kill = self.tally, answer.status, self.options.kill
        right = status == 200 and user.login in answer.page
        tally["answered"] += right
        tally["told to wait"] += status in BUSY
        tally["told to sign in"] += status in SIGNED_OUT
        tally["cut off by a kill"] += status == 0 and kill
        tally["never answered"] += status == -1 or (status == 0 and not kill)
        tally["errors 500"] += status == 500
        tally["unexpected pages"] += not right and status not in (-1, 0, 500, *BUSY, *SIGNED_OUT)

    def _look_after(self, user: User) -> None:
        """See how the round left the user: a page must come in time, and the sign-in still be there."""
        query = "SELECT refresh_token, first_used_at FROM pairs WHERE user = ? ORDER BY id DESC LIMIT 1"
        stored, newest = self.store.load(user.id), self.emulator.database.row(query, user.id)
        answer = self.ask(user)
        if answer.status in SIGNED_OUT:
            self.tally["sign-ins lost"] += 1
            # Box took the refresh token and its answer reached nobody: what it gave was never stored and never used.
            unsaved = stored is None or stored.refresh_token != newest["refresh_token"]
            may_be = (self.options.kill or self.options.fault == "drop") and not self.options.lenient
            self.tally["of these ended by Box"] += may_be and unsaved and newest["first_used_at"] is None
            self.sign_in(user)
        elif answer.status == 200:
            self.tally["stuck locks"] += answer.seconds > LOCK_WAIT
        else:
            self._count(user, answer)
            self.tally["stuck locks"] += 1

    def search(self) -> None:
        """Look for records that cannot be read, and for secrets in all logs and pages."""
        redis = self.settings.redis_url
        names = map(str, connect(redis).keys() if redis else self.settings.token_dir.iterdir())
        self.tally["unreadable records"] = sum("unreadable" in name for name in names)
        self.tally["unreadable records"] += sum(self.store.load(user.id) is None for user in self.cookies)
        pairs = self.emulator.database.rows("SELECT access_token, refresh_token FROM pairs")
        secrets = self.codes | set(self.cookies.values()) | {token[:16] for pair in pairs for token in pair if token}
        text = "".join([*self.pages, *(app.output for app in self.apps)])
        assert "POST /oauth2/token" in text, "The logs do not tell of refreshes, so that their silence proves nothing."
        secrets |= {self.emulator.app.client_secret, SECRET_KEY}
        self.tally["leaked secrets"] = sum(secret in text for secret in secrets)

    def broken(self) -> list[str]:
        """Name the promises that were broken."""
        tally = self.tally
        found = [f"{name}: {tally[name]}" for name in NEVER if tally[name]]
        if tally["rounds"] < self.options.rounds:
            found.append(f"not all rounds were done in {LIMIT:.0f} seconds")
        if tally["sign-ins lost"] > tally["of these ended by Box"]:
            found.append("a sign-in was lost that Box had not ended")
        quiet = not self.options.kill and self.options.fault == "none"
        each_once = tally["requests"], tally["rounds"] * len(self.cookies), 0
        if quiet and each_once != (tally["answered"], tally["refreshes accepted"], tally["refreshes refused"]):
            found.append("not all were answered with one refresh for each user and round")
        return found


def read_options(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    number = functools.partial(parser.add_argument, type=int)
    number("--workers", default=2, help="gunicorn workers of each app")
    number("--threads", default=8, help="threads of each worker")
    number("--requests", default=32, help="requests of each user at once")
    number("--rounds", default=20, help="how often everything expires")
    number("--users", default=1, help="users, each signed in once")
    number("--apps", default=1, choices=(1, 2), help="separate apps on ports of their own; two need --redis")
    number("--seed", default=1, help="of everything random")
    switch = functools.partial(parser.add_argument, action="store_true")
    switch("--redis", help="start a Redis and keep sign-ins there, not in files")
    switch("--kill", help="SIGKILL a random worker at a random instant of each round")
    switch("--lenient", help="a Box that gives the same pair again until it is used")
    parser.add_argument("--fault", default="none", choices=FAULTS, help="what goes wrong at the token endpoint")
    parser.add_argument("--expire", default="clock", choices=("clock", "token"), help="foreseen, or told by a 401 only")
    options = parser.parse_args(arguments)
    if options.apps > 1 and not options.redis:
        parser.error("two apps share their sign-ins in Redis: add --redis")
    return options


def main() -> int:
    with contextlib.ExitStack() as stack:
        storm = Storm(read_options(), stack)
        storm.run()
        broken = storm.broken()
        if not broken:
            storm.measure()
        for name, figure in storm.tally.items():
            print(f"{name:26}{f'{figure:.2f} s' if name == 'longest wait' else figure}")
        if broken:
            log = Path(tempfile.gettempdir()) / f"refresh_storm-{os.getpid()}.log"
            log.write_text("".join(app.output for app in storm.apps))
            print(f"BROKEN: {'; '.join(broken)}. The app's log: {log}", file=sys.stderr)
        return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
