"""How much of a page's time is ours: ``make bench``, or ``python -m benchmarks.speed``.

It starts a quiet stand-in for Box, a floor, the app of this checkout and its peers, one after the other under the same
load, and prints tables of what they took, and whether what must hold does. The exit status is 1 where it does not, or
where something was wrong. README.md of this folder's parent tells what is measured. All of it stays on 127.0.0.1.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.speed import long_runs, peers, table
from benchmarks.speed.box import Box
from benchmarks.speed.figures import ROWS
from benchmarks.speed.machine import machine, processors
from benchmarks.speed.measures import Bench
from benchmarks.speed.pages import write_rules
from benchmarks.speed.processes import die_with_parent
from benchmarks.speed.readme import Copy, put
from benchmarks.speed.rounds import BEGAN, measure, measure_starts, say, started
from benchmarks.speed.servers import Failed

SPARE = 30.0  # seconds in each table for measuring again while the machine is busy


def numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [app.name for app in peers.APPS]
    parser.add_argument("--only", default=",".join(names), help="apps, with commas (%(default)s)")
    parser.add_argument("--schemes", default="http,https", help="to Box: http is plain, https is TLS (%(default)s)")
    parser.add_argument("--rounds", type=at_least(1), default=3, help="of the floor and ours, by turns (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="a fourth of the time each, one round, no start measured")
    folder = Path(sys.prefix) / "bench"
    parser.add_argument(
        "--peers", type=Path, default=folder, help="folder that the peers are installed into (%(default)s)"
    )
    parser.add_argument(
        "--views", type=at_least(1000), help="instead: memory of ours after 100 views and after so many"
    )
    parser.add_argument(
        "--threads", type=numbers, help="instead: views/s and memory of ours with so many threads, such as 8,16,32,64"
    )
    parser.add_argument("--readme", action="store_true", help="put what is printed into benchmarks/README.md")
    parser.add_argument("--end-with-parent", action="store_true", help=argparse.SUPPRESS)  # for make
    options = parser.parse_args()
    options.apps = [app for app in peers.APPS if app.name in options.only.split(",")]
    if unknown := set(options.only.split(",")) - set(names):
        parser.error(f"--only knows {', '.join(names)}, not {', '.join(sorted(unknown))}")
    if not set(options.schemes.split(",")) <= {"http", "https"}:
        parser.error("--schemes are http and https")
    return options


def at_least(least: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if int(text) < least:
            raise argparse.ArgumentTypeError(f"at least {least}")
        return int(text)

    return number


def run(options: argparse.Namespace, folder: Path, stack: contextlib.ExitStack) -> int:
    box = Box(folder)
    stack.callback(box.stop)
    try:
        write_rules(folder)
    except Failed as failed:
        print(f"The app of this checkout cannot be imported: {failed}", file=sys.stderr)
        return 1
    if options.views or options.threads:
        return long_runs.run(options, box, folder)
    failed = {}
    say("what the peers need is installed")
    for app in options.apps:
        try:
            peers.install(app, options.peers)
        except Failed as why:
            failed[app.name] = f"not installed: {why}"
    print(f"{machine()}\n")
    if len(processors()) == 1:
        print("One core: load, Box and app take turns on it. Ratios say less here, and views a second least of all.\n")
    judged: list[table.Limit] = []
    faults: list[str] = []
    busy = False
    for scheme in options.schemes.split(","):
        bench = Bench(box, 0.25 if options.quick else 1.0, 0.0 if options.quick else SPARE)
        for name, why in failed.items():
            bench.figures.failed[name] = why
        usable = [app for app in options.apps if app.name not in failed]
        say(f"{scheme}: starting, signing in, warming up")
        with started(bench, usable, scheme, folder):
            rounds = measure(bench, options)
        rows = [row for row in ROWS if not row.startswith("start")]
        print(f"### {'Plain' if scheme == 'http' else 'TLS'} to Box\n\nRounds of the floor and ours: {rounds}.\n")
        print(table.table(bench.figures, rows, options.apps), flush=True)
        print_notes(bench)
        these = list(table.limits(bench.figures, options.apps))
        print(f"\n{table.verdicts(these)}\n", flush=True)
        judged, faults = judged + these, faults + bench.faults
        busy |= any(cell.busy for cell in bench.figures.cells.values())
    if not options.quick:
        say("starts")
        figures = measure_starts(bench, usable, folder)
        print("### Start\n")
        print(table.table(figures, table.START, [*options.apps, peers.IMPORTED], peers.IMPORTED.name))
        these = list(table.start_limits(figures, options.apps))
        print(f"\n{table.verdicts(these)}\n")
        judged += these
    if busy:
        print(
            "\\* The machine was busy with something else for more than a tenth of the time, so that this is in doubt. "
            "Views were measured again where there was time for it, first views and starts were not.\n"
        )
    for fault in faults:
        print(f"FAULT: {fault}")
    broken = [limit for limit, holds in judged if holds is False]
    print(f"{len(broken)} of {len(judged)} limits not met, {len(faults)} faults, {time.monotonic() - BEGAN:.0f} s.")
    return 1 if broken or faults else 0


def print_notes(bench: Bench) -> None:
    for name, why in bench.figures.failed.items():
        print(f"\n{next(app.words for app in peers.APPS if app.name == name)}: failed: {why}")
    for (words, what), times in bench.wrong.items():
        print(f"\n{words}: {what}: {times} of {bench.seen[words]} pages")


def main() -> int:
    for end in (signal.SIGTERM, signal.SIGHUP):  # so that what was started is stopped
        signal.signal(end, lambda number, _: sys.exit(128 + number))
    options = read_options()
    if options.end_with_parent:
        die_with_parent(signal.SIGTERM)
    try:
        with tempfile.TemporaryDirectory(prefix="bench-") as name, contextlib.ExitStack() as stack:
            said = Copy()
            with contextlib.redirect_stdout(said):  # type: ignore[type-var]
                status = run(options, Path(name), stack)
            if options.readme:
                put(said.text)
            return status
    except KeyboardInterrupt:
        print("Stopped, with all that was started.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
