"""What so many signed-in users cost in Redis: one signs in at the app, and what that leaves is there so many times.

    python benchmarks/redis_size.py --users 10000 [--encrypted]

It starts a redis-server, the app and the Box emulator, all on 127.0.0.1, and prints Redis's own `used_memory` before
and after, the size of its append-only file, and a row for README.md beside this file.
"""

from __future__ import annotations

import argparse
import contextlib
import secrets
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import redis  # noqa: E402
from cryptography.fernet import Fernet  # noqa: E402

from benchmarks.processes import Redis  # noqa: E402
from box_auth.tests.journey import App, Visitor, checkout, free_port, live_settings, running  # noqa: E402
from box_emulator import Emulator, serve  # noqa: E402

KINDS = ("token", "session")


def sign_in(stack: contextlib.ExitStack, folder: Path, url: str, encrypted: bool) -> None:
    emulator = Emulator()
    stack.callback(emulator.close)
    box = stack.enter_context(serve(emulator))
    settings = live_settings(emulator, box, free_port(), REDIS_URL=url, SECRET_KEY="a-secret-key-of-sizes")
    if encrypted:
        settings["TOKEN_ENCRYPTION_KEYS"] = Fernet.generate_key().decode()
    with running(App(checkout(folder / "app"), **settings)) as app, Visitor(app.url) as visitor:
        assert visitor.sign_in().url.endswith("/dashboard")


def multiply(client: redis.Redis, kind: str, users: int) -> tuple[int, int]:
    """Keep what the one user has under as many keys of the same length; return Redis's bytes for one, and for all."""
    (key,) = client.keys(f"box:*:{kind}:*")
    data, life, before = client.dump(key), client.pttl(key), client.info("memory")["used_memory"]
    head, _, own = key.decode().rpartition(":")
    pipe = client.pipeline(transaction=False)
    for number in range(1, users):
        other = f"{number:0{len(own)}d}" if kind == "token" else secrets.token_hex(len(own) // 2)
        pipe.restore(f"{head}:{other}", life, data)
        if number % 1000 == 0:
            pipe.execute()
    pipe.execute()
    assert len(client.keys(f"{head}:*")) == users
    return client.memory_usage(key), client.info("memory")["used_memory"] - before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--users", type=int, default=10_000)
    parser.add_argument("--encrypted", action="store_true", help="with TOKEN_ENCRYPTION_KEYS")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = Redis(folder)
        stack.callback(server.stop)
        client = stack.enter_context(redis.Redis.from_url(server.url))
        empty = client.info("memory")["used_memory"]
        sign_in(stack, folder, server.url, options.encrypted)
        sizes = {kind: multiply(client, kind, options.users) for kind in KINDS}
        memory = client.info("memory")
        for kind, (one, more) in sizes.items():
            print(f"{kind}: MEMORY USAGE {one} bytes, for all {more / 1e6:.2f} MB")
        print(f"used_memory: {empty / 1e6:.2f} MB empty, {memory['used_memory'] / 1e6:.2f} MB with all")
        written = sum(file.stat().st_size for file in folder.glob("appendonlydir/*"))
        print(f"append-only file: {written / 1e6:.2f} MB")
        cells = [f"{options.users}{' `--encrypted`' if options.encrypted else ''}"]
        cells += [f"{more / 1e6:.1f} MB" for _, more in sizes.values()]
        print(
            "|", " | ".join([*cells, f"{(memory['used_memory'] - empty) / 1e6:.1f} MB", f"{written / 1e6:.1f} MB"]), "|"
        )


if __name__ == "__main__":
    main()
