"""The longer proofs for our own app: its memory after thousands of views, and how many threads serve best."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.speed import peers, table
from benchmarks.speed.box import Box
from benchmarks.speed.machine import BUSY
from benchmarks.speed.measures import Bench
from benchmarks.speed.servers import Server
from benchmarks.speed.steps import WARM
from benchmarks.speed.views import views

FEW = 100
GROWTH = 1.05  # of what a worker holds after FEW views
AT_ONCE = 128  # users who wait for a page, with each number of threads
DELAYS = (0.05, 0.2)  # seconds a call


def run(options: argparse.Namespace, box: Box, folder: Path) -> int:
    status = 0
    if options.views:
        status |= memory(box, folder, options.views)
    if options.threads:
        status |= threads(box, folder, options.threads)
    return status


def memory(box: Box, folder: Path, many: int) -> int:
    """What a worker holds after ``many`` views of the dashboard and of folders is what it held after a few."""
    server = Server(peers.OURS, box, "http", folder)
    try:
        server.wait()
        server.sign_in(WARM)
        for path in ("/files/1000", "/dashboard"):  # all threads, all connections
            views(server, path, path == "/dashboard", at_once=32, views=FEW)
        print("| views | memory of a worker, MB |\n|---|---|")
        before = server.memory()
        print(f"| {FEW} | {before:.1f} |", flush=True)
        seen, wrong = FEW, {}
        for part in range(4):
            came = views(server, "/dashboard", at_once=32, views=many // 4 if part else many // 4 - FEW, seconds=600)
            seen, wrong = seen + came.views, wrong | came.wrong
            after = server.memory()
            print(f"| {seen} | {after:.1f} |", flush=True)
    finally:
        server.stop()
    if wrong:
        print(f"FAULT: wrong pages: {wrong}")
    growth = after / before
    limit = f"memory after {seen} views, to that after {FEW}: {growth:.3f}, at most {GROWTH}"
    print(f"\n{table.verdicts([(limit, growth <= GROWTH)])}")
    return int(bool(wrong) or growth > GROWTH)


def threads(box: Box, folder: Path, numbers: list[int]) -> int:
    """Print views a second, and the memory of a worker, with each number of threads, at each delay."""
    print(f"{AT_ONCE} users who wait for a page, two workers:\n")
    columns = ["threads", "ms a call", "views a second", "p50, ms", "p95, ms", "CPU a view, ms", "MB a worker"]
    print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    wrong: dict[str, int] = {}
    for number in numbers:
        bench = Bench(box, 1.0, 0.0)
        box.set_delay(0)
        server = Server(peers.OURS, box, "http", folder, threads=number)
        bench.servers.append(server)
        try:
            server.wait()
            server.sign_in(WARM)
            for delay in DELAYS:
                bench.run(server, delay, AT_ONCE, 3)
                watch = bench.watch()
                came, _ = bench.run(server, delay, AT_ONCE, 6)
                busy = " \\*" if watch.others() > BUSY else ""
                wrong |= came.wrong
                times = sorted(came.seconds)
                print(
                    f"| {number} | {1000 * delay:.0f} | {came.views / came.elapsed:.0f}{busy}"
                    f" | {1000 * times[len(times) // 2]:.0f} | {1000 * times[int(0.95 * len(times))]:.0f}"
                    f" | {1000 * came.cpu / came.views:.2f} | {server.memory():.1f} |",
                    flush=True,
                )
        finally:
            server.stop()
    if wrong:
        print(f"FAULT: wrong pages: {wrong}")
    return int(bool(wrong))
