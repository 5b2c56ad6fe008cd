"""What a table takes: servers started, signed in and warm, rounds by turns, and how the apps start."""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.speed import peers
from benchmarks.speed.figures import Figures
from benchmarks.speed.machine import BUSY, Watch
from benchmarks.speed.measures import Bench
from benchmarks.speed.pages import different
from benchmarks.speed.servers import App, Failed, Server
from benchmarks.speed.steps import DASHBOARD_STEPS, DELAY, EXPIRED, FEW, FOLDER_STEPS, PAIR, REVOKED, WARM

STARTS = 5
LONGEST = 120.0  # seconds after which no further round of a table begins
BEGAN = time.monotonic()


@contextlib.contextmanager
def started(bench: Bench, apps: list[App], scheme: str, folder: Path) -> Iterator[None]:
    """Start the apps that can be started, sign their users in, and warm them up."""
    try:
        bench.box.set_delay(0)
        for app in apps:
            bench.servers.append(Server(app, bench.box, scheme, folder))
        for server in list(bench.servers):
            bench.of(server, server.wait)
        for server in list(bench.servers):
            users = WARM if server.app.name in PAIR else WARM[:FEW]
            bench.of(server, lambda server=server, users=users: server.sign_in([*users, *EXPIRED, *REVOKED]))
        for server in list(bench.servers):
            bench.of(server, lambda server=server: warm_up(bench, server))
        yield
    finally:
        for server in bench.servers:
            server.stop()
        bench.servers.clear()


def warm_up(bench: Bench, server: Server) -> None:
    """Have all threads at work, and all connections opened that they can need."""
    for path in ("/files/1000", "/dashboard"):
        bench.run(server, 0, 32, 0.6, path)
        bench.run(server, DELAY, 32, 0.8, path)
    bench.figures.add("warm memory", server.app.name, server.memory())


def say(words: str) -> None:
    """Tell who waits how far it is."""
    print(f"{time.monotonic() - BEGAN:4.0f} s  {words}", file=sys.stderr, flush=True)


def measure(bench: Bench, options: argparse.Namespace) -> int:
    """Fill a table: the floor and ours by turns in every round, the others in the first. On a slow machine there are
    fewer rounds; how many there were is returned."""
    end = time.monotonic() + LONGEST
    rounds = 0
    for number in range(1 if options.quick else options.rounds):
        if number and time.monotonic() > end:
            break
        rounds += 1
        say(f"round {number + 1}")
        pair = [server for server in bench.servers if server.app.name in PAIR]
        pair = pair[::-1] if number % 2 else pair
        bench.one_round(pair if number else list(bench.servers), DASHBOARD_STEPS)
        bench.one_round(pair, FOLDER_STEPS)
    say("folders of all sizes")
    bench.folder_sizes(1 if options.quick else options.rounds)
    say("tokens that end")
    bench.tokens_end()
    for server in list(bench.servers):
        bench.of(server, lambda server=server: bench.figures.add("memory", server.app.name, server.memory()))
    bench.faults += different(bench)
    return rounds


def measure_starts(bench: Bench, apps: list[App], folder: Path) -> Figures:
    """Start each app with one worker, by turns; the first time, which compiles, does not count."""
    figures = Figures()
    figures.failed = dict(bench.figures.failed)
    for number in range(STARTS + 1):
        for app in [*apps, peers.IMPORTED]:
            if app.name in figures.failed or (number > 3 and app in peers.PEERS):
                continue
            servers: list[Server] = []
            watch = Watch(lambda servers=servers: [each for server in servers for each in server.processes])
            try:
                servers.append(Server(app, bench.box, "http", folder, workers=1))
                seconds = servers[0].wait()
            except Failed as failed:
                figures.failed[app.name] = str(failed)
                continue
            cpu, memory, others = servers[0].cpu(), servers[0].memory(), watch.others()
            servers[0].stop()
            if number:
                figures.add("start", app.name, seconds, others > BUSY)
                figures.add("start cpu", app.name, cpu)
                figures.add("start memory", app.name, memory)
    return figures
