"""One measurement: pages asked for by a number of users at once, and what they took, of whom."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass

from benchmarks.speed.answers import name_of
from benchmarks.speed.box import start, stop
from benchmarks.speed.servers import HERE, Failed, Server


@dataclass
class Run:
    """What came of some views: ``seconds`` of each, ``elapsed`` in all, ``cpu`` seconds of the app's processes, calls
    and connections to Box, and how often an answer was wrong in which way."""

    seconds: list[float]
    elapsed: float
    cpu: float
    calls: int
    connections: int
    wrong: dict[str, int]
    spread: list[int]
    load_cpu: float

    @property
    def views(self) -> int:
        return len(self.seconds)


def views(
    server: Server,
    path: str,
    words: bool = True,
    *,
    at_once: int = 1,
    views: int = 1_000_000,
    seconds: float = 30,
    rows: int = 100,
    users: list[int] | None = None,
) -> Run:
    """Have pages asked for, by ``at_once`` users at a time, each as soon as it has the one before."""
    chosen = users or sorted(server.cookies)
    job = {
        "port": server.port,
        "path": path,
        "users": [(server.cookies[user], f"<bdi>{name_of(user)}</bdi>" if words else "</html>") for user in chosen],
        "rows": rows,
        "at_once": at_once,
        "workers": server.workers,
        "views": views,
        "seconds": seconds,
    }
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    process = start([sys.executable, "-S", str(HERE / "load.py")], server.folder / "load.log", **pipes)
    assert process.stdin
    assert process.stdout
    try:
        print(json.dumps(job), file=process.stdin, flush=True)
        if not process.stdout.readline():
            raise Failed(f"the load came to nothing: {(server.folder / 'load.log').read_text()[-300:]}")
        server.box.switch("counts")
        cpu = server.cpu()
        print("go", file=process.stdin, flush=True)
        line = process.stdout.readline()
        if not line:
            raise Failed(f"the load came to nothing: {(server.folder / 'load.log').read_text()[-300:]}")
        cpu = server.cpu() - cpu
        counts, came = server.box.switch("counts"), json.loads(line)
    finally:
        stop(process)
    calls = sum(counts["calls"].values())
    connections = counts["connections"]
    return Run(came["seconds"], came["elapsed"], cpu, calls, connections, came["wrong"], came["spread"], came["cpu"])
