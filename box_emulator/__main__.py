"""Run the emulator alone: ``python -m box_emulator``."""

from __future__ import annotations

import argparse
import logging
import signal
import sqlite3
import sys
import threading
from pathlib import Path

from .database import WrongDatabase
from .emulator import Emulator
from .seed_file import BadSeed, Seed
from .serving import is_loopback, serve


def main(arguments: list[str] | None = None) -> int:
    """Serve until Ctrl-C or SIGTERM; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m box_emulator", description="A Box with made-up users and files.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on, of this machine (default 127.0.0.1)")
    parser.add_argument("--port", type=int, default=8081, help="port of the API (default 8081)")
    parser.add_argument("--data", default=":memory:", metavar="FILE", help="keep the data here (default: in memory)")
    parser.add_argument("--seed", type=Path, metavar="FILE", help="begin with these users and files (JSON or YAML)")
    chosen = parser.parse_args(arguments)
    if not is_loopback(chosen.host):
        return _fail(f"{chosen.host} is not this machine: use 127.0.0.1, localhost or ::1.")
    try:
        emulator = Emulator(chosen.data, seed=Seed.read(chosen.seed) if chosen.seed else None)
    except (WrongDatabase, BadSeed, OSError, sqlite3.Error) as error:
        return _fail(f"{error}")
    try:
        server = serve(emulator, chosen.port, chosen.host)
    except (OSError, ValueError) as error:
        emulator.close()
        return _fail(f"Port {chosen.port} cannot be used ({error}). Choose another with --port.")

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    stop = threading.Event()
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, lambda number, frame: stop.set())
    with server:
        print(f"The Box emulator listens on {server.url}. Put this into your app's .env:\n")
        for name, value in server.settings.items():
            print(f"{name} = {value}")
        print(f"\nSee users, files and switches at {server.url}/_emulator/")
        print("Stop it with Ctrl-C.", flush=True)
        while not stop.wait(0.5):  # in steps, because Windows does not let Ctrl-C end a longer wait
            pass
    emulator.close()
    return 0


def _fail(text: str) -> int:
    print(text, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
