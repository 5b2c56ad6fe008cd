"""The measurements, each of one server at one load, and what of it goes into which row of the table."""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.speed.answers import name_of
from benchmarks.speed.box import Box
from benchmarks.speed.figures import Figures
from benchmarks.speed.machine import BUSY, Watch
from benchmarks.speed.servers import Failed, Server, rows_of
from benchmarks.speed.steps import DELAY, EXPIRED, OTHERS, PAGES, PAIR, PATIENCE, REVOKED, SHORT_LIFE, WARM, Step
from benchmarks.speed.views import Run, views


@dataclass
class Bench:
    """What a run of the bench knows: ``scale`` makes each measurement longer or shorter, and measuring again because
    the machine was busy may take ``spare`` seconds in all."""

    box: Box
    scale: float
    spare: float
    figures: Figures = field(default_factory=Figures)
    faults: list[str] = field(default_factory=list)
    wrong: Counter[tuple[str, str]] = field(default_factory=Counter)  # pages, by app and what was wrong
    seen: Counter[str] = field(default_factory=Counter)  # pages, by app
    servers: list[Server] = field(default_factory=list)

    def watch(self) -> Watch:
        """Begin to look at what others on the machine do."""
        return Watch(lambda: [self.box.process.pid, *(each for server in self.servers for each in server.processes)])

    def quietly(self, measure: Callable[[], Run]) -> tuple[Run, bool]:
        """Measure, again up to twice where the machine was busy; return the quietest, and whether that was busy."""
        tries: list[tuple[float, Run]] = []
        for _ in range(3):
            watch, began = self.watch(), time.monotonic()
            run = measure()
            if tries:
                self.spare -= time.monotonic() - began
            tries.append((watch.others(), run))
            if tries[-1][0] <= BUSY or self.spare <= 0:
                break
        others, run = min(tries, key=lambda each: each[0])
        return run, others > BUSY

    def run(
        self, server: Server, delay: float, at_once: int, seconds: float, path: str = "/dashboard"
    ) -> tuple[Run, bool]:
        """Measure some views, and note what was wrong with any of them."""
        self.box.set_delay(delay)
        names, rows = path == "/dashboard", rows_of(path)

        def measure() -> Run:
            users = [user for user in WARM if user in server.cookies]
            took = seconds * self.scale * (1 if server.app.name in PAIR else OTHERS)
            run = views(server, path, names, at_once=at_once, seconds=took, rows=rows, users=users)
            self.look_at(server, run)
            return run

        return self.quietly(measure)

    def look_at(self, server: Server, run: Run) -> None:
        self.seen[server.app.words] += run.views
        for what, times in run.wrong.items():
            self.wrong[server.app.words, what] += times
        if run.wrong and server.app.name in PAIR:
            self.faults.append(f"{server.app.words}: wrong pages: {run.wrong}")
        if len(set(run.spread)) > 1:
            self.faults.append(
                f"{server.app.words}: the load did not spread over the workers: {run.spread} connections"
            )

    # What goes into the table

    def one_round(self, servers: list[Server], steps: tuple[Step, ...]) -> None:
        """Take each step with each server, one right after the other, so that what else happens is the same to all."""
        for step in steps:
            for server in servers:
                if server in self.servers:
                    self.of(server, lambda step=step, server=server: self.take(step, server))

    def take(self, step: Step, server: Server) -> None:
        run, busy = self.run(server, step.delay, step.at_once, step.seconds, step.path)
        values = {
            "p50": 1000 * statistics.median(run.seconds),
            "p95": 1000 * share(run.seconds, 0.95),
            "rate": run.views / run.elapsed,
            "cpu": 1000 * run.cpu / run.views,
            "calls": run.calls / run.views,
            "connections": run.connections / run.views,
        }
        for row, value in step.rows.items():
            self.figures.add(row, server.app.name, values[value], busy and value not in ("calls", "connections"))

    def folder_sizes(self, rounds: int) -> None:
        """Pages of folders of all sizes, by turns; of the peers the first pages alone, and once."""
        for number in range(rounds):
            for row, path in PAGES.items():
                for server in list(self.servers):
                    if server.app.name in PAIR or not (number or "?" in path):
                        self.of(server, lambda row=row, path=path, server=server: self.folder_size(server, row, path))

    def folder_size(self, server: Server, row: str, path: str) -> None:
        run, busy = self.run(server, 0, 1, 0.5, path)
        self.figures.add(row, server.app.name, 1000 * statistics.median(run.seconds), busy)
        if row in ("1000", "100000"):
            self.figures.add(f"memory {row}", server.app.name, server.memory())

    def first_views(self, row: str, server: Server, users: list[int]) -> None:
        """The first view of users whose tokens have just ended, and what it took more than the next one."""
        self.box.set_delay(DELAY)
        watch, end = self.watch(), time.monotonic() + PATIENCE
        took: list[float] = []
        for user in users:
            if took and time.monotonic() > end:
                break
            times = []
            for _ in range(2):
                began = time.perf_counter()
                status, body = server.view(user, "/dashboard")
                times.append(1000 * (time.perf_counter() - began))
                if status != 200 or f"<bdi>{name_of(user)}</bdi>".encode() not in body:
                    self.figures.note(row, server.app.name, "signed out" if status in (302, 401) else f"error {status}")
                    return
            took.append(times[0])
            self.figures.add(f"{row} more", server.app.name, times[0] - times[1])
        self.figures.add(row, server.app.name, statistics.median(took), watch.others() > BUSY)

    def tokens_end(self) -> None:
        """Have the tokens of some users end after their time, and of others early, which only Box knows."""
        self.box.set_delay(0)
        self.box.switch("set", life=SHORT_LIFE)
        for server in list(self.servers):
            self.of(server, lambda server=server: server.sign_in(EXPIRED))
        over = time.monotonic() + SHORT_LIFE + 0.1
        self.box.switch("set", life=3600)
        time.sleep(max(0.0, over - time.monotonic()))
        for row, users in (("expired", EXPIRED), ("revoked", REVOKED)):
            self.box.switch("end", users=",".join(map(str, REVOKED)))
            for server in list(self.servers):
                self.of(server, lambda row=row, server=server, users=users: self.first_views(row, server, users))

    def of(self, server: Server, measure: Callable[[], None]) -> None:
        """Measure; what fails is noted as failed, and that app is left out from there on."""
        try:
            measure()
        except (Failed, OSError) as error:
            self.fail(server.app.name, server.app.words, str(error))
            self.servers.remove(server)
            server.stop()

    def fail(self, name: str, words: str, reason: str) -> None:
        self.figures.failed[name] = reason
        if name in PAIR:
            self.faults.append(f"{words}: failed: {reason}")


def share(values: list[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, int(part * len(values)))]
