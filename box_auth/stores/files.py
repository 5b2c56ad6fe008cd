"""The token store on one machine: a private folder with one JSON file a user."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock

from ..errors import SignInBusy, StoreUnavailable
from .base import LOCK_WAIT, PLAIN, Codec, TokenRecord, TokenStore, check_id


class FileStore(TokenStore):
    """Keeps ``<user id>.json`` for each user (mode 0600) in a folder of its own (mode 0700)."""

    def __init__(self, folder: Path, codec: Codec = PLAIN) -> None:
        super().__init__(codec)
        self.folder = folder
        # Reading a file costs ten times as much as asking whether it changed; a change always makes a new file.
        self._memory: dict[str, tuple[tuple[int, int, int], TokenRecord]] = {}

    def load(self, user_id: str, *, locked: bool = False) -> TokenRecord | None:
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
        record = super().load(user_id, locked=locked)
        if record:
            self._memory[user_id] = (stamp, record)
        return record

    def users(self) -> list[str]:
        with self._errors():
            if not self.folder.is_dir():
                return []
            return sorted(path.stem for path in self.folder.glob("*.json") if path.stem.isdigit())

    @contextlib.contextmanager
    def lock(self, user_id: str, wait: float = LOCK_WAIT) -> Iterator[None]:
        path = self._path(user_id)
        # One object a hold, so that it also works between threads; the system frees it if the process dies.
        lock = FileLock(self.folder / f".{path.stem}.lock", mode=0o600, poll_interval=0.01, thread_local=False)
        with self._errors():
            self._make_folder()
            lock.acquire(timeout=wait)
        try:
            yield
        finally:
            lock.release()

    def delete(self, user_id: str) -> None:
        with self._errors():
            self._path(user_id).unlink(missing_ok=True)

    def check_room(self, user_id: str) -> None:
        with self._errors():
            self._draft(user_id, b" " * 8192).unlink()

    def read(self, user_id: str) -> bytes | None:
        with self._errors():
            try:
                return self._path(user_id).read_bytes()
            except FileNotFoundError:
                return None

    def write(self, user_id: str, data: bytes) -> None:
        with self._errors():
            os.replace(self._draft(user_id, data), self._path(user_id))
            if os.name == "posix":  # Windows cannot open a folder, and needs no such thing
                descriptor = os.open(self.folder, os.O_RDONLY)
                try:
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)

    def set_aside(self, user_id: str) -> None:
        path = self._path(user_id)
        with self._errors():
            os.replace(path, path.with_name(f"{path.name}.unreadable-{time.time_ns()}"))

    def _draft(self, user_id: str, data: bytes) -> Path:
        """Write ``data`` to a new file beside the user's, safe on the disk."""
        self._make_folder()
        for left in self.folder.glob(f".{user_id}.*.tmp"):  # by a process that died here; we hold the lock
            left.unlink(missing_ok=True)
        draft = self.folder / f".{user_id}.{secrets.token_hex(8)}.tmp"
        try:
            with open(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            draft.unlink(missing_ok=True)
            raise
        return draft

    def _path(self, user_id: str) -> Path:
        return self.folder / f"{check_id(user_id)}.json"

    def _make_folder(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.name == "posix" and self.folder.stat().st_mode & 0o077:
            self.folder.chmod(0o700)

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except TimeoutError:  # somebody else holds the lock; nothing is wrong with the folder
            raise SignInBusy from None
        except OSError as error:
            raise StoreUnavailable("store_unavailable", f"{self.folder.name}: {error.strerror or error}.") from None
