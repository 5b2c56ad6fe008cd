"""The token store on one machine: a private folder with one JSON file a user."""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from .. import private_files
from ..errors import SignInBusy
from ..sweeper import Sweeper
from .base import Held, TokenStore, check_id
from .record import PLAIN, Codec, TokenRecord


class FileStore(TokenStore):
    """Keeps ``<user id>.json`` for each user (mode 0600) in a folder of its own (mode 0700), and in ``used`` an empty
    file for each mark, whose time of change is when it may go."""

    def __init__(self, folder: Path, codec: Codec = PLAIN) -> None:
        super().__init__(codec)
        self.folder = folder
        self._used = folder / "used"
        self._sweeper = Sweeper(self._clear_marks, 60.0)
        # Reading a file costs ten times as much as asking whether it changed; a change always makes a new file.
        self._memory: dict[str, tuple[tuple[int, int, int], TokenRecord]] = {}

    def load(self, user_id: str) -> TokenRecord | None:
        with self._errors():
            try:
                status = os.stat(self._path(user_id))
            except FileNotFoundError:
                self._memory.pop(user_id, None)
                return None
        stamp = status.st_ino, status.st_mtime_ns, status.st_size
        known = self._memory.get(user_id)
        if known and known[0] == stamp:
            return known[1]
        record = super().load(user_id)
        if record:
            self._memory[user_id] = (stamp, record)
        return record

    def use_once(self, mark: str, seconds: float) -> bool:
        path = self._used / hashlib.sha256(mark.encode("utf-8", "surrogatepass")).hexdigest()
        with self._errors():
            private_files.make_folder(self._used)
            if not private_files.create(path):
                return False
            until = time.time() + seconds
            os.utime(path, (until, until))
        self._sweeper.start_if_due()
        return True

    def _clear_marks(self) -> None:
        limit = time.time() - 60  # those being made have no time of their own yet
        with os.scandir(self._used) as marks:
            for mark in marks:
                if mark.stat().st_mtime < limit:
                    os.unlink(mark)

    def users(self) -> list[str]:
        with self._errors():
            if not self.folder.is_dir():
                return []
            return sorted(path.stem for path in self.folder.glob("*.json") if path.stem.isdigit())

    @contextlib.contextmanager
    def acquire(self, user_id: str, wait: float) -> Iterator[None]:
        lock = private_files.lock(self._path(user_id))
        with self._errors():
            private_files.make_folder(self.folder)
            try:
                lock.acquire(timeout=wait)
            except TimeoutError:  # somebody else holds it; nothing is wrong with the folder
                raise SignInBusy from None
        try:
            yield
        finally:
            lock.release()

    def read(self, user_id: str) -> bytes | None:
        with self._errors():
            try:
                return self._path(user_id).read_bytes()
            except FileNotFoundError:
                return None

    def write(self, held: Held, data: bytes) -> None:
        with self._errors():
            private_files.write(self._path(held.user_id), data)

    def delete(self, held: Held) -> None:
        with self._errors():
            self._path(held.user_id).unlink(missing_ok=True)

    def set_aside(self, held: Held) -> None:
        path = self._path(held.user_id)
        with self._errors():
            os.replace(path, path.with_name(f"{path.name}.unreadable-{time.time_ns()}"))

    def try_write(self, held: Held) -> None:
        with self._errors():
            private_files.check_writable(self._path(held.user_id))

    def _path(self, user_id: str) -> Path:
        return self.folder / f"{check_id(user_id)}.json"

    def _errors(self) -> contextlib.AbstractContextManager[None]:
        return private_files.named_errors(self.folder.name)
