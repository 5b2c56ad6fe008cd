"""Proves that no sign-in gets lost: gunicorn's workers, a Box of our own, everything expired, many requests at once.

    python benchmarks/refresh_storm.py --rounds 200 --kill

Each round lets the tokens expire, fires all requests at the same moment, and then asks for one more page of each user.
The exit status is 1 when a promise was broken; README.md beside this file tells which, and what was measured.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import os
import random
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.interruptions import MODES, Answers  # noqa: E402
from benchmarks.processes import Answer, Gunicorn, Redis, Refreshes, ask  # noqa: E402
from box_auth import config  # noqa: E402
from box_auth.network.retries import READ  # noqa: E402
from box_auth.stores import open_store  # noqa: E402
from box_auth.stores.redis import connect  # noqa: E402
from box_auth.tests.journey import Visitor, checkout, free_port, running  # noqa: E402
from box_auth.tests.redis_sentinels import Sentinels  # noqa: E402
from box_emulator import Emulator, User, serve  # noqa: E402

FAULTS = {  # what happens to the next requests at the token endpoint, each round anew
    "none": {},
    "500": {"status": 500, "times": 2},
    "429": {"status": 429, "times": 2, "retry_after": 1},
    "delay": {"latency": READ + 0.5},
    "drop": {"drop": "after"},
}
STUCK = 15.0  # seconds after which a page that others hold up counts as stuck
PATIENCE = 2 * STUCK  # seconds until a request counts as never answered
LIMIT = 1200.0  # seconds for all rounds
SECRET_KEY = "a-secret-key-of-the-storm"
NEVER = ("errors 500", "never answered", "unexpected pages", "unreadable records", "stuck locks", "leaked secrets")
NEVER += ("tokens sent twice",)
FIGURES = ("rounds", "requests", "answered", "told to wait", "told to sign in", "cut off by a kill")
FIGURES += ("refreshes accepted", "refreshes refused", "sign-ins lost", "of these ended by Box", *NEVER)


class Storm:
    """An emulator, one or two apps, and their signed-in users, until ``stack`` closes. ``tally`` is the result."""

    def __init__(self, options: argparse.Namespace, stack: contextlib.ExitStack) -> None:
        self.options, self.chance = options, random.Random(options.seed)
        self.tally: dict[str, Any] = defaultdict(int, dict.fromkeys(FIGURES, 0) | {"longest wait": 0.0})
        self.cookies: dict[User, str] = {}
        self.mode = next((mode for name, mode in MODES.items() if getattr(options, name)), None)
        self.said: Counter[str] = Counter()  # the codes on the pages
        self.codes: set[str] = set()
        self.pages: set[str] = set()
        self.span = 0.2  # seconds that the last round took
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        self.emulator = Emulator()
        stack.callback(self.emulator.close)
        self.emulator.set_options(lenient_refresh=options.lenient)
        settings = {**stack.enter_context(serve(self.emulator)).settings, "SECRET_KEY": SECRET_KEY}
        self.redis: Redis | Sentinels | None = None
        if options.failover:
            self.redis = stack.enter_context(Sentinels(down_after=options.failover))
        elif options.redis:
            self.redis = Redis(folder)
            stack.callback(self.redis.stop)
        if self.redis:
            settings["REDIS_URL"] = self.redis.url
        self.settings = config.parse(settings, folder / "app0" / "instance")
        self.store = open_store(self.settings)
        size = ["--workers", str(options.workers), "--threads", str(options.threads)]
        folders = [checkout(folder / f"app{number}", "gunicorn.conf.py") for number in range(options.apps)]
        settings["CALLBACK_PORT"] = str(free_port())  # all of them: as behind one address, where the cookie counts
        ports = [int(settings["CALLBACK_PORT"]), *(free_port() for _ in folders[1:])]
        self.apps = [
            stack.enter_context(running(Gunicorn(folder, *size, port=port, **settings)))
            for folder, port in zip(folders, ports, strict=True)
        ]
        self.refreshes = Refreshes(self.emulator, self.apps)
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
        answer = ask(self.apps[number % len(self.apps)].url, "/dashboard", self.cookies[user], PATIENCE)
        self.pages.add(answer.page)
        return answer

    def wait_for_workers(self) -> None:
        for app in self.apps:
            app.wait_for_workers(self.options.workers)

    def expire(self, users: Iterable[User] = (), kind: str = "") -> None:
        """Let the access tokens of these users, or of all, come to their end: ``token`` is at Box alone, so that a 401
        tells of it; ``clock`` is for the app to see, too; ``near`` is for the app to see, and does not yet count."""
        kind = kind or self.options.expire
        for user in users or self.cookies:
            if kind != "near":
                self.emulator.expire_tokens("access", user.login)
            if kind != "token":
                with self.store.lock(user.id) as held:
                    if record := held.load():  # else the sign-in is lost, and counted as that
                        held.save(replace(record, issued_at=record.issued_at - (3400 if kind == "near" else 3600)))

    def worst(self, name: str, seconds: float) -> None:
        self.tally[name] = max(self.tally.get(name, 0.0), seconds)

    def measure(self) -> None:
        """Take the time of a warm page and of the first one after expiry, and count their calls to Box."""
        user, warm, first = next(iter(self.cookies)), [], []
        self.refreshes.watching = False
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
        answers = self._interrupt() if self.mode else self._storm()
        for user, answer in answers:
            self._count(user, answer)
            self.worst("longest wait", answer.seconds)
        self.tally["requests"] += len(answers)
        self.emulator.faults.clear()
        for user in list(self.cookies):
            self._look_after(user)
        if self.options.kill:
            self.wait_for_workers()
        after = self.emulator.tokens.refreshes
        self.tally["rounds"] += 1
        self.tally["refreshes accepted"] += after["accepted"] - before["accepted"]
        self.tally["refreshes refused"] += after["refused"] - before["refused"]
        self.tally["tokens sent twice"] = self.refreshes.twice

    def _interrupt(self) -> Answers:
        assert self.mode
        answers = self.mode.play(self, max(getattr(self.options, name) for name in MODES))
        wrong = [answer.code for _, answer in answers if answer.says_busy and answer.code not in self.mode.may_say]
        self.tally["unexpected pages"] += len(wrong)
        return answers

    def _storm(self) -> Answers:
        self.expire()
        if fault := FAULTS[self.options.fault]:
            self.emulator.fault("POST /oauth2/token", **fault)
        answers = self._fire()
        if self.options.kill and not fault:  # nothing but the dead worker's lock can have made anybody wait
            self.tally["stuck locks"] += any(answer.says_busy for _, answer in answers)
        return answers

    def _fire(self) -> Answers:
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
        told = answer.says_busy or answer.says_signed_out
        tally["answered"] += right
        tally["told to wait"] += answer.says_busy
        tally["told to sign in"] += answer.says_signed_out
        tally["cut off by a kill"] += status == 0 and kill
        tally["never answered"] += status == -1 or (status == 0 and not kill)
        tally["errors 500"] += status == 500
        tally["unexpected pages"] += not right and not told and status not in (-1, 0, 500)
        if told:
            self.said[answer.code or str(status)] += 1

    def _look_after(self, user: User) -> None:
        """See how the round left the user: a page must come in time, and the sign-in still be there."""
        query = "SELECT refresh_token, first_used_at FROM pairs WHERE user = ? ORDER BY id DESC LIMIT 1"
        stored, newest = self.store.load(user.id), self.emulator.database.row(query, user.id)
        answer = self.ask(user)
        if answer.says_signed_out:
            self.tally["sign-ins lost"] += 1
            # Box took the refresh token and its answer reached nobody: what it gave was never stored and never used.
            unsaved = stored is None or stored.refresh_token != newest["refresh_token"]
            may_be = (self.options.kill or self.options.fault == "drop") and not self.options.lenient
            self.tally["of these ended by Box"] += may_be and unsaved and newest["first_used_at"] is None
            self.sign_in(user)
        elif answer.status == 200:
            self.tally["stuck locks"] += answer.seconds > STUCK
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

    def row(self) -> str:
        """Return what README.md's tables have in a row."""
        shares = ("{answered} of {requests}", "{told to wait}", "{told to sign in}", "{cut off by a kill}")
        shares += ("{refreshes accepted}, {refreshes refused}", "{sign-ins lost}, {of these ended by Box}")
        cells = [f"`{' '.join(sys.argv[1:])}`" if sys.argv[1:] else "(no option)"]
        return " | ".join(["", *cells, *shares, "{longest wait:.2f} s", ""]).strip().format_map(self.tally)

    def broken(self) -> list[str]:
        """Name the promises that were broken."""
        tally = self.tally
        never = NEVER + ((*self.mode.never, "told to sign in") if self.mode else ())
        found = [f"{name}: {tally[name]}" for name in never if tally[name]]
        if tally["rounds"] < self.options.rounds:
            found.append(f"not all rounds were done in {LIMIT:.0f} seconds")
        if tally["sign-ins lost"] > tally["of these ended by Box"]:
            found.append("a sign-in was lost that Box had not ended")
        quiet = not self.options.kill and self.options.fault == "none" and not self.mode
        each_once = tally["requests"], tally["rounds"] * len(self.cookies), 0
        if quiet and each_once != (tally["answered"], tally["refreshes accepted"], tally["refreshes refused"]):
            found.append("not all were answered with one refresh for each user and round")
        return found


def read_options(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    number = functools.partial(parser.add_argument, type=int)
    number("--workers", help="gunicorn workers of each app (default 2)")
    number("--threads", default=8, help="threads of each worker")
    number("--requests", default=32, help="requests of each user at once")
    number("--rounds", help="how often everything expires (default 20)")
    number("--users", help="users, each signed in once (default 1)")
    number("--apps", default=1, choices=(1, 2), help="separate apps on ports of their own; two need --redis")
    number("--seed", default=1, help="of everything random")
    switch = functools.partial(parser.add_argument, action="store_true")
    switch("--redis", help="start a Redis and keep sign-ins there, not in files")
    switch("--kill", help="SIGKILL a random worker at a random instant of each round")
    switch("--lenient", help="a Box that gives the same pair again until it is used")
    parser.add_argument("--fault", default="none", choices=FAULTS, help="what goes wrong at the token endpoint")
    parser.add_argument("--expire", default="clock", choices=("clock", "token"), help="foreseen, or told by a 401 only")
    modes = parser.add_argument_group("modes", "Instead of a storm, one of these. Each has defaults of its own.")
    for name, mode in MODES.items():
        ours = f"{mode.rounds} rounds, {mode.users} users, {mode.workers} workers"
        modes.add_argument(f"--{name}", type=float, default=0, metavar="SECONDS", help=f"{mode.help} ({ours})")
    options = parser.parse_args(arguments)
    chosen = [MODES[name] for name in MODES if getattr(options, name)]
    if len(chosen) > 1 or (chosen and (options.kill or options.fault != "none")):
        parser.error("one mode at a time, without --kill and --fault")
    if options.outage and not options.redis:
        parser.error("only Redis can be away: add --redis")
    for name, usual in {"rounds": 20, "users": 1, "workers": 2}.items():
        if getattr(options, name) is None:
            setattr(options, name, getattr(chosen[0], name) if chosen else usual)
    if options.apps > 1 and not options.redis:
        parser.error("two apps share their sign-ins in Redis: add --redis")
    return options


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started is stopped
    with contextlib.ExitStack() as stack:
        storm = Storm(read_options(), stack)
        storm.run()
        broken = storm.broken()
        if not broken and not storm.mode:
            storm.measure()
        for name, figure in storm.tally.items():
            print(f"{name:26}{f'{figure:.2f} s' if isinstance(figure, float) else figure}")
        for code, times in storm.said.most_common():
            print(f"pages with {code:15}{times}")
        print(storm.row())
        if broken:
            log = Path(tempfile.gettempdir()) / f"refresh_storm-{os.getpid()}.log"
            log.write_text("".join(app.output for app in storm.apps))
            print(f"BROKEN: {'; '.join(broken)}. The app's log: {log}", file=sys.stderr)
        return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
