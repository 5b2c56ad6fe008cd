"""What a round of the storm can be instead: Box answers late, Redis is away or dies, workers stand still.

Each mode interrupts refreshes where it matters, asks for pages meanwhile, and leaves every token expired, so that the
page that the storm asks for afterwards shows whether what was stored still works.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.processes import Answer, Redis
from box_auth.tests.journey import Visitor
from box_auth.tests.redis_sentinels import Sentinels

if TYPE_CHECKING:
    from benchmarks.refresh_storm import Storm
    from box_emulator import User

Answers = list[tuple["User", Answer]]
KINDS = ("near", "clock", "token")  # see Storm.expire
AIMS = ("before", "answer", "save")  # Box has not taken the token yet; it is about to answer; some milliseconds later
SETTLE = 20.0  # seconds after an interruption until all must be well
NEWEST = "SELECT refresh_token FROM pairs WHERE user = ? AND revoked_at IS NULL ORDER BY id DESC LIMIT 1"


class Mode(NamedTuple):
    """``play`` is one round. Pages may show the codes in ``may_say``; the figures in ``never`` must stay 0."""

    play: Callable[[Storm, float], Answers]
    help: str
    rounds: int
    users: int
    workers: int
    may_say: frozenset[str]
    never: tuple[str, ...]


class Asking:
    """Somebody at each user's browser who asks for the dashboard again and again, from entering to leaving."""

    def __init__(self, storm: Storm, users: Iterable[User], each: int = 1) -> None:
        self.answers: Answers = []
        self._storm, self._over = storm, threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(user,)) for user in list(users) * each]

    def __enter__(self) -> Asking:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, user: User) -> None:
        while not self._over.is_set():
            self.answers.append((user, self._storm.ask(user, len(self.answers))))
            self._over.wait(0.3)


class Stopped:
    """Processes that stand still for so many seconds each, and none any more after leaving."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._news = seconds, threading.Condition()
        self._timers: list[tuple[int, threading.Timer]] = []

    def __enter__(self) -> Stopped:
        return self

    def __exit__(self, *_: object) -> None:
        for process, timer in self._timers:
            timer.cancel()
            _signal(process, signal.SIGCONT)

    def stop(self, process: int) -> None:
        timer = threading.Timer(self._seconds, _signal, (process, signal.SIGCONT))
        with self._news:
            _signal(process, signal.SIGSTOP)
            timer.start()
            self._timers.append((process, timer))
            self._news.notify_all()

    def stop_in(self, seconds: float, process: int) -> None:
        threading.Timer(seconds, self.stop, (process,)).start()

    def wait_for(self, count: int) -> bool:
        with self._news:
            return self._news.wait_for(lambda: len(self._timers) >= count, 10)

    def wait_until_over(self) -> None:
        for _, timer in self._timers:
            timer.join()


def late(storm: Storm, seconds: float) -> Answers:
    """The token endpoint answers so many seconds late."""
    kinds = _expire(storm, storm.cookies)
    refreshes, due = storm.emulator.tokens.refreshes, storm.emulator.tokens.refreshes["accepted"] + len(kinds)
    storm.emulator.fault("POST /oauth2/token", latency=seconds, times=len(kinds))
    with Asking(storm, kinds, each=2) as asking:
        _wait(lambda: refreshes["accepted"] >= due, seconds + SETTLE)
    good = [answer for user, answer in asking.answers if kinds[user] == "near"]
    storm.tally["good tokens not used"] += sum(answer.status != 200 for answer in good)
    _settle(storm, kinds)
    return asking.answers


def outage(storm: Storm, seconds: float) -> Answers:
    """Redis is away for so many seconds from the middle of a refresh on: restarted, or in every other round stopped."""
    redis = storm.redis
    assert isinstance(redis, Redis)
    restarted, aim = storm.tally["rounds"] % 2 == 0, AIMS[storm.tally["rounds"] // 2 % len(AIMS)]
    kinds = _expire(storm, storm.cookies)
    with Asking(storm, kinds, each=2) as asking:
        with _in_the_middle(storm, aim, redis.stop if restarted else redis.pause):
            time.sleep(seconds)
        (redis.start if restarted else redis.go_on)()
        _wait_for_right_pages(storm, kinds)
    _settle(storm, kinds)
    return asking.answers


def failover(storm: Storm, seconds: float) -> Answers:
    """Redis dies in the middle of a refresh, or in every other round stands still, and its replica takes over after so
    many seconds and some."""
    redis = storm.redis
    assert isinstance(redis, Sentinels)
    primary, kinds = redis.primary, _expire(storm, storm.cookies)
    killed, aim = storm.tally["rounds"] % 2 == 0, AIMS[storm.tally["rounds"] // 2 % len(AIMS)]
    with Asking(storm, kinds, each=2) as asking:
        with _in_the_middle(storm, aim, primary.kill if killed else lambda: _signal(primary.pid, signal.SIGSTOP)):
            pass
        _wait_for_right_pages(storm, kinds)
    if not killed:
        primary.kill()
    primary.start()
    redis.wait_until_whole()
    _settle(storm, kinds)
    return asking.answers


@contextlib.contextmanager
def _in_the_middle(storm: Storm, aim: str, interrupt: Callable[[], None]) -> Iterator[None]:
    """Interrupt once, in the middle of the next refresh, and go on when that is done."""
    begun, once = threading.Event(), threading.Lock()

    def begin(process: int = 0) -> None:
        with once:
            if not begun.is_set():
                interrupt()
                begun.set()

    def begin_and_answer_later(process: int) -> None:
        begin()
        time.sleep(0.5)

    def begin_in_a_moment(process: int) -> None:
        threading.Timer(storm.chance.uniform(0, 0.01), begin).start()

    storm.refreshes.before = begin_and_answer_later if aim == "before" else None
    storm.refreshes.after = {"answer": begin, "save": begin_in_a_moment}.get(aim)
    assert begun.wait(SETTLE), "No refresh came by."
    yield
    storm.refreshes.before = storm.refreshes.after = None


def _wait_for_right_pages(storm: Storm, users: Iterable[User]) -> None:
    begun = time.monotonic()
    for user in users:
        _wait(lambda: storm.ask(user).status == 200, SETTLE)  # noqa: B023 - called at once
    storm.worst("longest until right again", time.monotonic() - begun)


def stop(storm: Storm, seconds: float) -> Answers:
    """As many workers as there are users stand still, each in the middle of a refresh of its own: just before the
    answer comes or just after. Meanwhile others are asked; one user signs out there, and one signs in once more."""
    users = storm.chance.sample(list(storm.cookies), k=min(len(storm.cookies), storm.options.workers - 2))
    with ThreadPoolExecutor(len(users) + 2) as pool, Stopped(seconds) as stopped:
        first = [pool.submit(storm.ask, user) for user in _stop_each(storm, users, stopped)]
        leaving, coming, *staying = users
        left, came = pool.submit(_sign_out, storm, leaving), pool.submit(_sign_in, storm, coming)
        with Asking(storm, [coming, *staying]) as asking:
            stopped.wait_until_over()
            answers = [(user, answer.result()) for user, answer in zip(users, first, strict=True)]
            ended = time.monotonic()
            storm.tally["sign-outs meanwhile"] += left.result()
            storm.tally["sign-ins meanwhile"] += came.result()
            storm.worst("longest until right again", time.monotonic() - ended)
    _settle(storm, users[1:] if left.result() else users)
    if left.result():
        back = storm.store.load(leaving.id) is not None or not storm.ask(leaving).says_signed_out
        storm.tally["back after sign-out"] += back
        storm.sign_in(leaving)
    return answers[1:] + asking.answers


def _stop_each(storm: Storm, users: list[User], stopped: Stopped) -> Iterable[User]:
    """Give out a user whose tokens have ended, and go on when the worker that refreshes them stands still."""
    for number, (user, _) in enumerate(_expire(storm, users).items()):
        moment = storm.chance.uniform(0, 0.02)
        early = number % 2 == 0
        storm.refreshes.before = stopped.stop if early else None
        storm.refreshes.after = None if early else lambda process, moment=moment: stopped.stop_in(moment, process)
        yield user
        storm.tally["workers stopped"] += stopped.wait_for(number + 1)
    storm.refreshes.before = storm.refreshes.after = None


def _sign_out(storm: Storm, user: User) -> bool:
    with Visitor(storm.apps[0].url) as visitor:
        visitor.http.headers["Connection"] = "close"  # the next request may meet another worker
        visitor.http.cookies.set(*storm.cookies[user].split("=", 1))
        return visitor.sign_out().status_code == 200


def _sign_in(storm: Storm, user: User) -> bool:
    with Visitor(storm.apps[0].url) as visitor:
        visitor.http.headers["Connection"] = "close"
        return user.login in visitor.sign_in(user.login).text


def _expire(storm: Storm, users: Iterable[User]) -> dict[User, str]:
    """Let the users' tokens end in one way or another, and return in which."""
    kinds = dict(zip(users, itertools.cycle(KINDS), strict=False))
    for user, kind in kinds.items():
        storm.expire([user], kind)
    return kinds


def _settle(storm: Storm, users: Iterable[User]) -> None:
    """See that the newest tokens of each user come to be stored, and stay so; then let them expire."""
    end = well_since = time.monotonic()
    end += SETTLE
    while well_since + 0.5 > time.monotonic() < end:
        if not all(_is_newest(storm, user) for user in users):
            well_since = time.monotonic()
        time.sleep(0.05)
    storm.tally["records not the newest"] += sum(not _is_newest(storm, user) for user in users)
    storm.expire(users, "clock")


def _is_newest(storm: Storm, user: User) -> bool:
    record, newest = storm.store.load(user.id), storm.emulator.database.row(NEWEST, user.id)
    return record is not None and newest is not None and record.refresh_token == newest["refresh_token"]


def _wait(condition: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)


def _signal(process: int, number: int) -> None:
    if process:  # 0 is one that is not known, and to `kill` a whole group
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, number)


MODES = {
    "late": Mode(
        late,
        "the token endpoint answers so many SECONDS late",
        rounds=6,
        users=6,
        workers=2,
        may_say=frozenset({"box_slow"}),
        never=("good tokens not used", "records not the newest"),
    ),
    "outage": Mode(
        outage,
        "Redis is restarted, or stopped, for SECONDS in the middle of a refresh; needs --redis",
        rounds=6,
        users=6,
        workers=2,
        may_say=frozenset({"box_slow", "redis_away", "tokens_unsaved", "sign_in_busy"}),
        never=("records not the newest",),
    ),
    "failover": Mode(
        failover,
        "Redis is killed, or stopped, in the middle of a refresh, and Sentinel notices after SECONDS",
        rounds=12,
        users=6,
        workers=2,
        may_say=frozenset({"box_slow", "redis_away", "tokens_unsaved", "sign_in_busy"}),
        never=("records not the newest",),
    ),
    "stop": Mode(
        stop,
        "workers stand still for SECONDS in the middle of a refresh each",
        rounds=10,
        users=10,
        workers=12,
        may_say=frozenset({"box_slow", "sign_in_busy"}),
        never=("records not the newest", "back after sign-out"),
    ),
}
