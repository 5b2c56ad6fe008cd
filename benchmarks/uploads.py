"""Large uploads through the app, and the same files down: the workers' memory, and what another visitor notices.

    python benchmarks/uploads.py --megabytes 500 --at-once 4

The exit status is 1 when a worker's memory grew by more than 64 MB over what it was, a file failed, or the other
visitor's dashboard took more than twice as long, apart from what Box itself took longer. README.md beside this file
tells what was measured.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import itertools
import json
import os
import shutil
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import requests

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.processes import Box, Gunicorn, ask, children, status_of  # noqa: E402
from box_auth.tests.journey import Visitor  # noqa: E402

MOST = 64.0  # MB that a worker may have more than before
MEGABYTE = os.urandom(1_000_000)
HEAD = '--b\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{}\r\n--b\r\nContent-Disposition: form-data; '
HEAD += 'name="file"; filename="{}"\r\n\r\n'
PARTS = ("app.py", "gunicorn.conf.py", "files", "templates", "static", "box_auth", "box_emulator")


class App:
    """Box as a process, the app under gunicorn, two people signed in, and a look at the workers' memory."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        self.box = Box(folder, 2, 3600)
        stack.callback(self.box.inside.close)
        stack.callback(self.box.stop)
        for user in self.box.inside.users:
            self.box.inside.users.change(user, space_amount=1 << 40)
        (folder / "app").mkdir()
        for part in PARTS:
            copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
            copy(ROOT / part, folder / "app" / part)
        size = ["--workers", "2", "--threads", "16"]
        self.gunicorn = Gunicorn(folder / "app", *size, debug=False, **self.box.settings, SECRET_KEY="a-key-of-uploads")
        stack.callback(self.gunicorn.stop)
        self.uploader = stack.enter_context(self._signed_in(0))
        self.other = stack.enter_context(self._signed_in(1))
        self.direct = stack.enter_context(requests.Session())
        token = self.box.inside.sign_in(self.box.inside.users[1].login).access_token
        self.direct.headers["Authorization"] = f"Bearer {token}"
        self.files: dict[str, str] = {}  # the id of each that was uploaded
        self.token = self.uploader.get("/files/0/upload", headers={"Accept": "application/json"}).json()["csrf_token"]

    def _signed_in(self, number: int) -> Visitor:
        visitor = Visitor(self.gunicorn.url)
        visitor.sign_in(self.box.inside.users[number].name)
        return visitor

    def up(self, name: str, megabytes: int, rate: float) -> float:
        """Send a file at ``rate`` MB a second at most; return the seconds that took. Raises what went wrong."""
        head, tail = HEAD.format(self.token, name).encode(), b"\r\n--b--\r\n"
        begun = time.monotonic()

        def body() -> Iterator[bytes]:
            yield head
            for number in range(megabytes):
                time.sleep(max(0.0, begun + number / rate - time.monotonic()))
                yield MEGABYTE
            yield tail

        connection = http.client.HTTPConnection(urlsplit(self.gunicorn.url).netloc, timeout=120)
        with contextlib.closing(connection):
            headers = {
                "Cookie": self.uploader.session_cookie(),
                "Accept": "application/json",
                "Content-Type": "multipart/form-data; boundary=b",
                "Content-Length": str(len(head) + len(tail) + megabytes * len(MEGABYTE)),
            }
            connection.request("POST", "/files/0/upload", body(), headers)
            answer = connection.getresponse()
            text = answer.read()
            assert answer.status == 200 and json.loads(text)["name"] == name, text  # noqa: PT018
        self.files[name] = json.loads(text)["id"]
        return time.monotonic() - begun

    def down(self, name: str, megabytes: int, rate: float) -> float:
        """Fetch a file as a browser does, by the app's redirect; otherwise as `up`."""
        url = f"{self.gunicorn.url}/files/file/{self.files[name]}/download"
        begun, got = time.monotonic(), 0
        with requests.get(url, headers={"Cookie": self.uploader.session_cookie()}, stream=True, timeout=120) as answer:
            for block in answer.iter_content(len(MEGABYTE)):
                got += len(block)
                time.sleep(max(0.0, begun + got / len(MEGABYTE) / rate - time.monotonic()))
        assert got == megabytes * len(MEGABYTE), (answer, got)
        return time.monotonic() - begun

    def memory(self) -> dict[int, float]:
        """Return what each worker has in memory (RSS), in MB."""
        return {worker: status_of(worker)["VmRSS"] / 1000 for worker in children(self.gunicorn.process.pid)}

    def dashboard(self) -> float:
        answer = ask(self.gunicorn.url, "/dashboard", self.other.session_cookie())
        assert answer.status == 200, answer
        return answer.seconds * 1000

    def asked_directly(self) -> float:
        """Return how long Box itself takes for what a dashboard asks (ms): it has the uploads to store, too."""
        begun = time.monotonic()
        for path in ("users/me", "folders/0/items"):
            assert self.direct.get(f"{self.box.url}/2.0/{path}", timeout=30).status_code == 200
        return (time.monotonic() - begun) * 1000

    def watch(self, running: list[Future[float]]) -> tuple[dict[int, float], list[tuple[float, float]]]:
        """Until all that runs is done: the most that each worker had, and how long dashboards and Box took (ms)."""
        most, times, at = self.memory(), [], 0.0
        while not all(each.done() for each in running):
            if time.monotonic() > at:
                times.append((self.dashboard(), self.asked_directly()))
                at = time.monotonic() + 0.3
            for worker, now in self.memory().items():
                most[worker] = max(most.get(worker, 0.0), now)
            time.sleep(0.05)
        return most, times


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=500, help="of each file (%(default)s; 2000 at most)")
    parser.add_argument("--at-once", type=int, default=4, help="files at the same time (%(default)s; 16 at most)")
    parser.add_argument("--rate", type=float, default=10, help="MB a second for each (%(default)s)")
    options = parser.parse_args()
    if not (20 <= options.megabytes <= 2000 and 1 <= options.at_once <= 16 and options.rate >= 1):
        parser.error("20 to 2000 MB, 1 to 16 at once, at least 1 MB a second")
    return options


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started is stopped
    options = read_options()
    failed = False
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(options.at_once) as threads:
        app = App(stack)
        for number in range(8):  # both workers have loaded all that they will
            threading.Thread(target=app.dashboard).start()
            app.up(f"warm-up {number}", 1, 1000)
        idle = app.memory()
        alone = [statistics.median(asked() for _ in range(30)) for asked in (app.dashboard, app.asked_directly)]
        titles = f"{'files':>8}{'MB each':>9}{'MB/s each':>11}{'more memory (MB)':>18}"
        print(titles + f"{'dashboard (ms)':>16}{'Box (ms)':>10}")
        print(f"{0:8}{'':38}{alone[0]:16.1f}{alone[1]:10.1f}", flush=True)
        for count, move in itertools.product(sorted({1, options.at_once}), (app.up, app.down)):
            names = [f"{number} of {count}" for number in range(count)]
            running = [threads.submit(move, name, options.megabytes, options.rate) for name in names]
            most, times = app.watch(running)
            more = max(most[worker] - idle.get(worker, 0.0) for worker in most)
            page, box = (statistics.median(column) for column in zip(*times, strict=True))
            speed = options.megabytes / max(each.result() for each in running)
            title = f"{count} {move.__name__}"
            print(f"{title:>8}{options.megabytes:9}{speed:11.1f}{more:18.1f}{page:16.1f}{box:10.1f}", flush=True)
            failed |= more > MOST or page - alone[0] > alone[0] + max(0.0, box - alone[1])
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
