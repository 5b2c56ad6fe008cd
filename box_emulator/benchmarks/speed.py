"""How quick the emulator is: ``python -m box_emulator.benchmarks.speed``.

Client and server share nothing but a socket.
"""

from __future__ import annotations

import http.client
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from box_emulator import Emulator, serve

LOGIN = "nil@example.com"
MANY = 100_000


def main() -> None:
    started = time.perf_counter()
    emulator = Emulator()
    with serve(emulator):
        print(f"start, with the first users and files: {time.perf_counter() - started:.3f} s")
    emulator.close()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "box.sqlite3"
        token, big = _fill(file)
        ours, theirs = multiprocessing.get_context("spawn").Pipe()
        server = multiprocessing.get_context("spawn").Process(target=_serve, args=(str(file), theirs))
        server.start()
        host, port = ours.recv().removeprefix("http://").split(":")
        connection = http.client.HTTPConnection(host, int(port))
        headers = {"Authorization": f"Bearer {token}"}
        _rate(connection, headers, ours)
        _pages(connection, headers, big)
        ours.send("stop")
        server.join()


def _fill(file: Path) -> tuple[str, str]:
    """Make a root folder of 100 items, and a folder of very many."""
    emulator = Emulator(file)
    with emulator.database.transaction() as transaction:
        for number in range(99):
            emulator.add_item(LOGIN, f"file {number:03}.txt", content=b"x" * number)
        big = emulator.add_item(LOGIN, "big", "folder")
        row = "INSERT INTO items (type, rank, owner, parent, name, name_key, description, size, url, etag, created_at,"
        row += " modified_at) VALUES ('web_link', 2, ?, ?, ?, ?, '', ?, 'https://example.com', 0, ?, ?)"
        names = [f"item {number * 7919 % MANY:06}" for number in range(MANY)]
        rows = [(big.owner, big.id, name, name, i, i * 3 % MANY, i * 3 % MANY) for i, name in enumerate(names)]
        transaction.executemany(row, rows)
    token = emulator.sign_in(LOGIN).access_token
    emulator.close()
    return token, big.id


def _rate(connection: http.client.HTTPConnection, headers: dict[str, str], server: Any, count: int = 1000) -> None:
    started, cpu = time.perf_counter(), _ask(server, "cpu")
    for _ in range(count):
        _get(connection, "/2.0/folders/0/items?limit=100", headers)
    rate, cost = count / (time.perf_counter() - started), (_ask(server, "cpu") - cpu) / count
    print(f"folders/0/items with 100 entries: {rate:.0f} requests/s from one client, one after the other")
    print(f"  the server takes {cost * 1000:.2f} ms of its one core for each: room for {1 / cost:.0f} requests/s")


def _pages(connection: http.client.HTTPConnection, headers: dict[str, str], big: str) -> None:
    import json

    print(f"pages of 100 from a folder of {MANY} items, in ms (median of 30):")
    for sort in ("name", "date", "size", "id"):
        path = f"/2.0/folders/{big}/items?limit=100&sort={sort}"
        times = {f"offset {offset}": _median(connection, f"{path}&offset={offset}", headers) for offset in (0, 9999)}
        marker, page = "", 0
        while page < MANY // 1000 // 2:  # half-way through
            more = f"{path.replace('limit=100', 'limit=1000')}&usemarker=true&marker={marker}"
            marker, page = json.loads(_get(connection, more, headers))["next_marker"], page + 1
        times["marker at the middle"] = _median(connection, f"{path}&usemarker=true&marker={marker}", headers)
        print(f"  by {sort}: " + ", ".join(f"{name} {value:.1f}" for name, value in times.items()))


def _median(connection: http.client.HTTPConnection, path: str, headers: dict[str, str]) -> float:
    times = []
    for _ in range(30):
        started = time.perf_counter()
        _get(connection, path, headers)
        times.append(time.perf_counter() - started)
    return statistics.median(times) * 1000


def _ask(server: Any, question: str) -> float:
    server.send(question)
    answer: float = server.recv()
    return answer


def _get(connection: http.client.HTTPConnection, path: str, headers: dict[str, str]) -> bytes:
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        sys.exit(f"{path}: {answer.status} {body!r}")
    return body


def _serve(file: str, pipe: Any) -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    emulator = Emulator(file)
    with serve(emulator) as server:
        pipe.send(server.url)
        while pipe.recv() == "cpu":
            pipe.send(time.process_time())
    emulator.close()


if __name__ == "__main__":
    main()
