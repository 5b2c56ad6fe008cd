"""`python -m benchmarks.speed`: the app beside the floor and its peers, in one run."""

from __future__ import annotations

import argparse
import signal
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.speed.servers import ROOT, App, Box, Server, clean_environment, views

APPS = [App("floor", "floor"), App("ours", "ours")]


def p(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] * 1000


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="floor,ours")
    parser.add_argument("--scheme", default="http,https")
    parser.add_argument("--path", default="/dashboard", help="/files/1000 for the folder page")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    seconds = 1.0 if options.quick else 2.0
    words = options.path == "/dashboard"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        box = Box(folder)
        settings = clean_environment(CLIENT_ID="a", CLIENT_SECRET="b", INSTANCE_DIR=str(folder / "rules"))
        rules = subprocess.run(
            [sys.executable, "-m", "benchmarks.speed.apps.rules"],
            cwd=ROOT,
            env=settings,
            capture_output=True,
            check=True,
        )
        (folder / "rules.json").write_bytes(rules.stdout)
        for scheme in options.scheme.split(","):
            servers = [Server(app, box, scheme, folder) for app in APPS if app.name in options.only.split(",")]
            box.set_delay(0)
            for server in servers:
                server.sign_in()
                views(server, options.path, words, at_once=32, seconds=1)
            box.set_delay(0.05)
            for server in servers:
                views(server, options.path, words, at_once=32, seconds=1)
            figures = {}
            for _ in range(options.rounds):
                for delay in (0, 0.05):
                    box.set_delay(delay)
                    for users in (1, 8, 32):
                        for server in servers:
                            run = views(server, options.path, words, at_once=users, seconds=seconds)
                            if run.wrong:
                                print(server.app.name, run.wrong)
                            mine = figures.setdefault((delay, users), {}).setdefault(server.app.name, [])
                            mine.append(
                                (
                                    p(run.seconds, 0.5),
                                    p(run.seconds, 0.95),
                                    run.views / run.elapsed,
                                    run.cpu / run.views * 1000,
                                    run.calls / run.views,
                                    run.connections,
                                    run.load_cpu,
                                    run.spread,
                                )
                            )
            for (delay, users), by in figures.items():
                for name, rows in by.items():
                    med = [statistics.median(row[i] for row in rows) for i in range(7)]
                    base = by.get("floor", rows)
                    ratio = [statistics.median(a[i] / b[i] for a, b in zip(rows, base, strict=True)) for i in (0, 2, 3)]
                    said = (
                        f"{scheme:5} {delay * 1000:3.0f} ms {users:2} users {name:6} p50 {med[0]:7.2f} ({ratio[0]:.2f})"
                    )
                    said += (
                        f"  p95 {med[1]:7.2f}  {med[2]:6.1f}/s ({ratio[1]:.2f})  CPU {med[3]:5.2f} ms ({ratio[2]:.2f})"
                    )
                    print(said, f" calls {med[4]:.2f}  new {med[5]:.0f} {rows[0][7]}", flush=True)
            for server in servers:
                print(server.app.name, f"{server.memory():.1f} MB", f"started {server.started:.2f} s")
                server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
