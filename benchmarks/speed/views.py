"""One measurement: pages asked for by a number of users at once, and what they took, of whom."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass

from benchmarks.speed.answers import name_of
from benchmarks.speed.box import start, stop
from benchmarks.speed.load import ANOTHERS
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
    """Have pages asked for, by ``at_once`` users at a time, each as soon as it has the one before. Raises `Failed` if
    most of what came was no such page."""
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

    def say(words: str) -> str:
        print(words, file=process.stdin, flush=True)
        answer = process.stdout.readline()
        if not answer:
            last = (server.folder / "load.log").read_text().strip().rpartition("\n")[2]
            raise Failed(f"the load came to nothing: {last}")
        return answer

    try:
        say(json.dumps(job))
        server.box.switch("counts")
        cpu = server.cpu()
        came = json.loads(say("go"))
        cpu = server.cpu() - cpu
        counts = server.box.switch("counts")
    finally:
        stop(process)
    run = Run(cpu=cpu, calls=sum(counts["calls"].values()), connections=counts["connections"], **came)
    no_page = sum(times for what, times in run.wrong.items() if what != ANOTHERS)
    if not run.views:
        raise Failed("no page came")
    if 2 * no_page >= run.views:
        raise Failed(f"wrong pages: {run.wrong}")
    return run
