"""Sends the load and looks at each answer, in a process of its own that does as little as can be.

    python load.py < job

The first line is the job, as JSON. It opens its connections, an equal number to each worker, prints a line, waits for
another line to go on, and prints what came of it. ``users`` are pairs of a cookie and the words that this user's page
must show, and ``at_once`` is how many of them wait for a page at any time.
"""

from __future__ import annotations

import collections
import json
import select
import socket
import sys
import time
from typing import Any

ROW = b"<tr>"
ANOTHERS = "another user's page"


class Connection:
    def __init__(self, port: int) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.parts: list[bytes] = []
        self.got, self.length = 0, 0
        self.began, self.words = 0.0, b""

    def ask(self, request: bytes, words: bytes) -> None:
        self.words, self.parts, self.got, self.length = words, [], 0, 0
        self.began = time.perf_counter()
        self.sock.sendall(request)

    def read(self) -> bytes | None:
        """Read what is there; return the answer once it is whole."""
        chunk = self.sock.recv(262144)
        if not chunk:
            raise ConnectionError("the connection was closed")
        self.parts.append(chunk)
        self.got += len(chunk)
        if not self.length:
            head = b"".join(self.parts)
            end = head.find(b"\r\n\r\n")
            if end < 0:
                return None
            at = head.lower().index(b"content-length: ") + 16
            self.length = end + 4 + int(head[at : head.index(b"\r\n", at)])
        return b"".join(self.parts) if self.got >= self.length else None

    def whole(self) -> bytes:
        while (answer := self.read()) is None:
            pass
        return answer


class Load:
    def __init__(self, job: dict[str, Any]) -> None:
        self._job, self._rows = job, job["rows"] + 1  # and the heads
        end = f" HTTP/1.1\r\nHost: 127.0.0.1:{job['port']}\r\n"
        head = f"GET {job['path']}{end}Cookie: "
        self._home = f"GET /{end}\r\n".encode()
        self._users = [((head + cookie + "\r\n\r\n").encode(), words.encode()) for cookie, words in job["users"]]
        self._next = 0
        self.seconds: list[float] = []
        self.wrong: collections.Counter[str] = collections.Counter()

    def connect(self) -> list[Connection]:
        """Open as many connections to each worker as to the others, or nearly so where one takes them all."""
        workers, at_once = self._job["workers"], self._job["at_once"]
        share = -(-max(at_once, workers) // workers)
        kept: dict[bytes, list[Connection]] = collections.defaultdict(list)
        spare = []
        for _ in range(40 * share * workers):
            connection = Connection(self._job["port"])
            connection.ask(self._home, b"")  # the answer tells whose it is
            answer = connection.whole()
            at = answer.index(b"X-Worker: ") + 10
            mine = kept[answer[at : answer.index(b"\r\n", at)]]
            (mine if len(mine) < share else spare).append(connection)
            if sum(map(len, kept.values())) >= share * workers:
                break
        self.spread = sorted(map(len, kept.values()))
        missing = share * workers - sum(self.spread)
        turns = [each for turn in zip(*kept.values(), strict=False) for each in turn]
        turns += [each for mine in kept.values() for each in mine if each not in turns] + spare[:missing]
        for connection in spare[missing:]:
            connection.sock.close()
        return turns

    def run(self, connections: list[Connection]) -> dict[str, Any]:
        loop, idle = select.epoll(), collections.deque(connections)
        by_number = {each.sock.fileno(): each for each in connections}
        for number in by_number:
            loop.register(number, select.EPOLLIN)
        began = last = time.perf_counter()
        end, most = began + self._job["seconds"], self._job["views"]
        sent = busy = 0
        while True:
            while idle and busy < self._job["at_once"] and sent < most and time.perf_counter() < end:
                self._ask(idle.popleft())
                busy, sent = busy + 1, sent + 1
            if not busy:
                break
            for number, _ in loop.poll():
                connection = by_number[number]
                try:
                    answer = connection.read()
                except OSError as error:
                    self.wrong[str(error)] += 1
                    loop.unregister(number)
                    busy -= 1
                    continue
                if answer is not None:
                    last = time.perf_counter()
                    self.seconds.append(last - connection.began)
                    self._look(connection, answer)
                    idle.append(connection)
                    busy -= 1
        return {
            "elapsed": last - began,
            "seconds": self.seconds,
            "wrong": dict(self.wrong),
            "spread": self.spread,
        }

    def _ask(self, connection: Connection) -> None:
        connection.ask(*self._users[self._next])
        self._next = (self._next + 1) % len(self._users)

    def _look(self, connection: Connection, answer: bytes) -> None:
        if not answer.startswith(b"HTTP/1.1 200"):
            self.wrong[answer[:12].decode()] += 1
        elif connection.words not in answer:
            self.wrong[ANOTHERS] += 1
        elif answer.count(ROW) != self._rows:
            self.wrong["not all rows"] += 1


def main() -> None:
    load = Load(json.loads(sys.stdin.readline()))
    connections = load.connect()
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps(load.run(connections)), flush=True)


if __name__ == "__main__":
    main()
