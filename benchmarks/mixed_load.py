"""Half an hour of everything: pages, sign-ins and sign-outs, floods, tokens that always end, faults, and restarts.

    python benchmarks/mixed_load.py --redis --minutes 30

The exit status is 1 when a sign-in was lost that Box had not ended, a page was wrong, or something grew. README.md
beside this file tells what is counted, and what was measured.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.processes import Box, Gunicorn, Redis, ask, children, descriptors, status_of  # noqa: E402
from box_auth import config  # noqa: E402
from box_auth.stores.redis import connect  # noqa: E402
from box_auth.tests.journey import Visitor, checkout, code_of, free_port  # noqa: E402
from box_emulator import User  # noqa: E402

WORKERS, THREADS = 2, 16
TOKEN_LIFE = 20  # seconds; the app renews a tenth of it earlier
PARTS = 6  # of the whole time; each sees the same, but for the restarts of the app in two of the middle ones
FLAT = 0.05  # how much the last part may differ from the first
LATE = 150.0  # seconds that a mark may stay longer: it gets a minute, and a process clears them away once a minute
TOKENS = "POST /oauth2/token"
NEVER = ("sign-ins lost", "errors 500", "wrong pages", "cut off", "never answered", "never signed in again")
FIGURES = ("pages", "told to wait", "cut off by a restart", "sign-ins", "sign-outs", "GET /login of the floods")
FIGURES += ("events", "refreshes", "sign-ins ended by Box", *NEVER)
NEWEST = "SELECT refresh_token, first_used_at FROM pairs WHERE user = ? AND revoked_at IS NULL ORDER BY id DESC LIMIT 1"


class Load:
    """Box, Redis if wanted, the app, and what they went through, until ``stack`` closes."""

    def __init__(self, options: argparse.Namespace, stack: contextlib.ExitStack) -> None:
        self.tally: Counter[str] = Counter(dict.fromkeys(FIGURES, 0))
        self.said: Counter[str] = Counter()
        self.notes: list[str] = []
        self.over = threading.Event()
        self.last_sign_in = 0.0  # by the clock on the wall
        self.restarting = 0.0  # until when (monotonic) the app's connections may be cut
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        self.box = Box(folder, options.users, TOKEN_LIFE)
        stack.callback(self.box.inside.close)
        stack.callback(self.box.stop)
        settings = {**self.box.settings, "CALLBACK_PORT": str(free_port()), "SECRET_KEY": "a-secret-key-of-the-load"}
        self.redis = Redis(folder) if options.redis else None
        if self.redis:
            stack.callback(self.redis.stop)
            settings["REDIS_URL"] = self.redis.url
        self.instance = folder / "app" / "instance"
        self._settings, self._folder = settings, checkout(folder / "app", "gunicorn.conf.py")
        self.settings = config.parse(settings, self.instance)
        self.start_app()
        stack.callback(lambda: self.app.stop())
        self.browsers = [Browser(self, user, options.seed) for user in self.box.inside.users[: options.users]]

    def count(self, name: str, times: int = 1) -> None:
        self.tally[name] += times  # the interpreter's lock makes losing one rare, and nothing hangs on one

    def start_app(self) -> None:
        size = ["--workers", str(WORKERS), "--threads", str(THREADS)]
        self.app = Gunicorn(self._folder, *size, debug=False, **self._settings)

    @property
    def workers(self) -> list[int]:
        return children(self.app.process.pid)

    # What happens now and then

    def restart_app(self) -> None:
        self.restarting = time.monotonic() + 120
        self.app.stop()
        self.start_app()
        self.warm_up()

    def reload_app(self) -> None:
        """Have gunicorn replace its workers (SIGHUP); the old ones finish what they do."""
        old = set(self.workers)
        self.restarting = time.monotonic() + 120
        self.app.process.send_signal(signal.SIGHUP)
        end = time.monotonic() + 60
        while (old & set(self.workers) or len(self.workers) < WORKERS) and time.monotonic() < end:
            time.sleep(0.1)
        self.warm_up()

    def warm_up(self) -> None:
        self.burst()
        self.burst()
        self.restarting = time.monotonic() + 3

    def burst(self) -> None:
        """Have all threads of all workers busy at once, so that all of them are there from now on, and connections for
        all of them: first they wait for Redis, some of them with a lock, and then for Box."""
        self.box.inside.expire_tokens()
        self.box.switch("faults", route="GET /2.0/*", latency=1, times=4 * WORKERS * THREADS)
        cookies = [self.browsers[number % len(self.browsers)].cookie for number in range(3 * WORKERS * THREADS)]
        with ThreadPoolExecutor(len(cookies)) as pool:
            answers = [pool.submit(ask, self.app.url, "/dashboard", cookie) for cookie in cookies]
            for _ in range(3 if self.redis else 0):
                self.redis_stands_still(0.5)
                time.sleep(0.2)
            for answer in answers:
                answer.result()
        requests.delete(f"{self.box.url}/_emulator/faults", timeout=10)

    def flood(self) -> None:
        for _ in range(100):
            with contextlib.suppress(requests.RequestException):
                requests.get(f"{self.app.url}/login", allow_redirects=False, timeout=60)
                self.count("GET /login of the floods")

    def restart_redis(self) -> None:
        if self.redis:
            self.redis.stop()
            time.sleep(1)
            self.redis.start()

    def redis_stands_still(self, seconds: float = 2) -> None:
        if self.redis:
            self.redis.pause()
            time.sleep(seconds)
            self.redis.go_on()

    def play(self, seconds: float) -> None:
        """Let all of it happen, each part of the time in the same order, for so many seconds."""
        begun, part = time.monotonic(), seconds / PARTS
        for number in range(PARTS):
            for place, happen in self._events(number):
                self.over.wait(max(0.0, begun + (number + place) * part - time.monotonic()))
                happen()
                self.count("events")
        self.over.wait(max(0.0, begun + seconds - time.monotonic()))
        self.over.set()

    def _events(self, part: int) -> list[tuple[float, Callable[[], None]]]:
        def fault(**what: object) -> Callable[[], None]:
            return lambda: self.box.switch("faults", **what)

        middle = [(0.58, self.reload_app), (0.74, self.restart_app)] if part in (2, 3) else []
        always = [
            (0.02, self.burst),
            (0.10, fault(route=TOKENS, latency=4, times=4)),
            (0.18, fault(route=TOKENS, status=503, times=4)),
            (0.26, self.restart_redis),
            (0.34, self.box.inside.expire_tokens),
            (0.42, self.box.restart),
            (0.50, fault(route="GET /2.0/*", status=500, times=20)),
            (0.66, self.redis_stands_still),
            (0.82, fault(route=TOKENS, status=429, retry_after=1, times=2)),
            (0.90, fault(route=TOKENS, latency=12, times=2)),
        ]
        floods = [(place / 10 + 0.06, self.flood) for place in range(0, 10, 3)]
        return sorted([*always, *middle, *floods], key=lambda event: event[0])

    def broken(self, samples: Samples, rows: list[tuple[str, float, float]]) -> list[str]:
        found = [f"{name}: {self.tally[name]}" for name in NEVER if self.tally[name]]
        found += [f"not flat: {name}" for name, first, last in rows if abs(last - first) > FLAT * first]
        if overdue := samples.overdue_marks():
            found.append(f"marks of finished sign-ins that should be gone: {overdue}")
        return found


class Browser(threading.Thread):
    """One user, who looks at pages, signs out and in again now and then, and knows whether they are signed in."""

    def __init__(self, load: Load, user: User, seed: int) -> None:
        super().__init__(daemon=True)
        self._load, self.user = load, user
        self._chance = random.Random(f"{seed} {user.login}")
        self._visitor = Visitor(load.app.url)
        self.cookie = ""
        self.sign_in()

    def run(self) -> None:
        while not self._load.over.wait(self._chance.uniform(0.1, 0.6)):
            what = self._chance.random()
            if what < 0.02:
                self.sign_out()
            elif what < 0.03:
                self.sign_in()  # once more
            else:
                self.look()

    def look(self) -> None:
        page = self._call(lambda: self._visitor.get("/dashboard", allow_redirects=False))
        if page is None:
            return
        self._load.count("pages")
        if page.status_code in (302, 401):
            self._lost(code_of(page))
        elif page.status_code in (502, 503, 504):
            self._load.count("told to wait")
            self._load.said[code_of(page)] += 1
        elif page.status_code == 500:
            self._load.count("errors 500")
        elif page.status_code != 200 or self.user.login not in page.text:
            self._load.count("wrong pages")

    def sign_in(self) -> None:
        """Try until it is done: Box, Redis or the app may be away."""
        end = time.monotonic() + 90
        while time.monotonic() < end:
            self._load.last_sign_in = time.time()
            with contextlib.suppress(requests.RequestException, AssertionError):
                page = self._visitor.sign_in(self.user.login)
                if page.status_code == 200 and self.user.login in page.text:
                    self.cookie = self._visitor.session_cookie()
                    self._load.count("sign-ins")
                    return
            time.sleep(1)
        self._load.count("never signed in again")

    def sign_out(self) -> None:
        """Sign out, and in again whatever came of it."""
        with contextlib.suppress(requests.RequestException, TypeError):  # no page, or none with a form
            self._visitor.sign_out()
            self._load.count("sign-outs")
        self.sign_in()

    def _call(self, get: Callable[[], requests.Response]) -> requests.Response | None:
        try:
            return get()
        except requests.ReadTimeout:
            self._load.count("never answered")
        except requests.RequestException:
            time.sleep(0.2)
            allowed = time.monotonic() < self._load.restarting
            self._load.count("cut off by a restart" if allowed else "cut off")
        return None

    def _lost(self, code: str) -> None:
        """Box ended the sign-in if it took the refresh token and was restarted before its answer got out: what it gave
        was never used."""
        newest = self._load.box.inside.database.row(NEWEST, self.user.id)
        ended = newest is not None and newest["first_used_at"] is None
        ended = ended and time.monotonic() - self._load.box.restarted < 60
        self._load.count("sign-ins ended by Box" if ended else "sign-ins lost")
        self._load.notes.append(f"{time.strftime('%H:%M:%S')} {self.user.login} {code}, ended by Box: {ended}")
        self.sign_in()


class Samples(threading.Thread):
    """What the app holds, looked at once a second: while it is being restarted, not at all."""

    def __init__(self, load: Load) -> None:
        super().__init__(daemon=True)
        self._load, self._taken = load, list[tuple[float, dict[str, float]]]()

    def run(self) -> None:
        while not self._load.over.wait(1):
            with contextlib.suppress(Exception):  # Redis is away, a file has just gone
                if sample := self._take():
                    self._taken.append((time.monotonic(), sample))

    def _take(self) -> dict[str, float] | None:
        load = self._load
        tree = [load.app.process.pid, *load.workers]
        if time.monotonic() < load.restarting or len(tree) != WORKERS + 1:
            return None
        statuses = [status_of(process) for process in tree]
        sample: dict[str, float] = {
            "memory, MB": sum(status["VmRSS"] for status in statuses) / 1024,
            "descriptors": sum(len(descriptors(process)) for process in tree),
            "threads": sum(status["Threads"] for status in statuses),
            "files": len([path for path in load.instance.rglob("*") if path.parent.name != "used"]),
        }
        if load.redis:
            keys = [key.split(b":")[2] for key in connect(load.redis.url).scan_iter(count=10_000)]
            sample["keys in Redis"] = sum(kind in (b"token", b"session") for kind in keys)
            sample["other keys"] = sum(kind not in (b"token", b"session", b"used", b"room", b"lock") for kind in keys)
        return sample

    def overdue_marks(self) -> int:
        """Return how many marks of finished sign-ins are there that the last sign-in should not have left."""
        if self._load.redis:
            client = connect(self._load.redis.url)
            return sum(client.ttl(key) < 0 for key in client.scan_iter("*:used:*"))  # without an end
        used = self._load.settings.token_dir / "used"
        return sum(mark.stat().st_mtime < self._load.last_sign_in - LATE for mark in used.glob("*"))

    def rows(self, begun: float, seconds: float) -> list[tuple[str, float, float]]:
        """Return each figure's average in the first sixth of the time, the warm-up left out, and in the last one."""
        warm_up, part = min(60.0, seconds / 12), seconds / PARTS

        def average(name: str, since: float) -> float:
            return statistics.fmean(
                sample[name] for moment, sample in self._taken if begun + since <= moment < begun + since + part
            )

        return [(name, average(name, warm_up), average(name, seconds - part)) for name in self._taken[0][1]]


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--users", type=int, default=8, help="users, each in a browser of their own")
    parser.add_argument("--redis", action="store_true", help="start a Redis and keep sign-ins there, not in files")
    parser.add_argument("--seed", type=int, default=1, help="of everything random")
    options = parser.parse_args()
    if not 3 <= options.minutes <= 120 or not 1 <= options.users <= 32:
        parser.error("from 3 to 120 minutes, as all that happens takes its time, and from 1 to 32 users")
    return options


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started is stopped
    options = read_options()
    seconds = 60 * options.minutes
    with contextlib.ExitStack() as stack:
        load = Load(options, stack)
        samples = Samples(load)
        load.warm_up()
        begun = time.monotonic()
        threads = [samples, *load.browsers]
        for thread in threads:
            thread.start()
        try:
            load.play(seconds)
        finally:
            load.over.set()
            for thread in threads:
                thread.join(100)
        load.tally["refreshes"] = len(load.box.inside.database.rows("SELECT 1 FROM pairs WHERE parent IS NOT NULL"))
        for browser in load.browsers:  # whoever was left in the middle of something
            browser.look()
        rows = samples.rows(begun, seconds)
        broken = load.broken(samples, rows)
        for name, figure in load.tally.items():
            print(f"{name:26}{figure}")
        for code, times in load.said.most_common():
            print(f"pages with {code:15}{times}")
        print(f"{'':26}{'first':>10}{'last':>10}{'change':>10}")
        for name, first, last in rows:
            print(f"{name:26}{first:10.1f}{last:10.1f}{(last - first) / (first or 1):+10.1%}")
        print(f"{'marks left too long':26}{samples.overdue_marks():20}")
        if broken:
            log = Path(tempfile.gettempdir()) / f"mixed_load-{os.getpid()}.log"
            log.write_text("".join([*(f"{note}\n" for note in load.notes), load.app.output]))
            print(f"BROKEN: {'; '.join(broken)}. The app's log: {log}", file=sys.stderr)
        return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
