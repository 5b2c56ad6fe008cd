"""The token store on one machine: a private folder with one JSON file a user."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from .. import private_files
from ..errors import LockLost, SignInBusy
from ..sweeper import Sweeper
from .base import Held, TokenStore, check_id
from .record import Codec, TokenRecord

REMEMBERED = 1000  # records kept in memory, a kilobyte each


class FileStore(TokenStore):
    """Keeps ``<user id>-<app id>.json`` for each user (mode 0600) in a folder of its own (mode 0700).

    In ``used`` is an empty file for each mark, whose time of change is when it may go. Version 1 had no app in the name
    of a record. Such a file is read where there is no other, and goes with the next change.
    """

    def __init__(self, folder: Path, codec: Codec) -> None:
        super().__init__(codec)
        self.folder = folder
        self._used = folder / "used"
        self._sweeper = Sweeper(self._clear_leftovers, 60.0)
        # Reading a file costs ten times as much as asking whether it changed; a change always makes a new file.
        self._memory: dict[str, tuple[tuple[int, int, int], TokenRecord]] = {}

    def load(self, user_id: str) -> TokenRecord | None:
        with self._errors():
            try:
                status = os.stat(self._path(user_id))
            except FileNotFoundError:
                self._memory.pop(user_id, None)
                return super().load(user_id)  # there may be one of version 1
        stamp = status.st_ino, status.st_mtime_ns, status.st_size
        known = self._memory.get(user_id)
        if known and known[0] == stamp:
            return known[1]
        record = super().load(user_id)
        if record:
            if len(self._memory) >= REMEMBERED:
                self._memory.clear()  # each is read again when it is needed
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

    def _clear_leftovers(self) -> None:
        """Remove the marks that may go, and drafts that a killed process left and nobody writes over."""
        _remove_older(self.folder.glob(".*.tmp"), 3600)
        _remove_older(self._used.iterdir(), 60)  # those being made have no time of their own yet

    def users(self) -> list[str]:
        with self._errors():
            if not self.folder.is_dir():
                return []
            names = [path.stem for path in self.folder.glob("*.json")]
        ids = {name.removesuffix(f"-{self.codec.app}") for name in names}
        return sorted(user_id for user_id in ids if user_id.isdigit())

    @contextlib.contextmanager
    def acquire(self, user_id: str, wait: float) -> Iterator[int]:
        path = self._path(user_id)
        with self._errors():
            private_files.make_folder(self.folder)
            try:
                lock = private_files.lock(path, wait)
            except TimeoutError:  # somebody else holds it; nothing is wrong with the folder
                raise SignInBusy from None
        try:
            yield _inode(private_files.lock_file(path))
        finally:
            lock.release()

    def read(self, user_id: str) -> bytes | None:
        with self._errors():
            path = self._path(user_id)
            for place in (path, self._first_path(user_id), path):  # it may have been moved on between the two
                with contextlib.suppress(FileNotFoundError):
                    return place.read_bytes()
        return None

    def write(self, held: Held, data: bytes) -> None:
        with self._errors():
            check = functools.partial(self._check, held)
            private_files.write(self._path(held.user_id), data, check, crowded=True)
            self._first_path(held.user_id).unlink(missing_ok=True)
        self._sweeper.start_if_due()

    def delete(self, held: Held) -> None:
        with self._errors():
            self._check(held)
            for path in (self._path(held.user_id), self._first_path(held.user_id)):
                path.unlink(missing_ok=True)

    def set_aside(self, held: Held) -> None:
        path = self._path(held.user_id)
        with self._errors():
            self._check(held)
            path = path if path.exists() else self._first_path(held.user_id)
            os.replace(path, path.with_name(f"{path.name}.unreadable-{time.time_ns()}"))

    def try_write(self, user_id: str) -> None:
        with self._errors():
            private_files.check_writable(self._path(user_id))

    def _check(self, held: Held) -> None:
        """A lock ends with its process, and else only if somebody removes its file, to start over."""
        if _inode(private_files.lock_file(self._path(held.user_id))) != held.hold:
            raise LockLost

    def _path(self, user_id: str) -> Path:
        return self.folder / f"{check_id(user_id)}-{self.codec.app}.json"

    def _first_path(self, user_id: str) -> Path:
        return self.folder / f"{check_id(user_id)}.json"

    def _errors(self) -> contextlib.AbstractContextManager[None]:
        return private_files.named_errors(self.folder.name)


def _remove_older(paths: Iterable[Path], seconds: float) -> None:
    limit = time.time() - seconds
    for path in paths:
        with contextlib.suppress(FileNotFoundError):  # another process clears, too
            if path.stat().st_mtime < limit:
                path.unlink()


def _inode(path: Path) -> int:
    """Return the number of the file at ``path``; 0 if there is none."""
    try:
        return os.stat(path).st_ino
    except FileNotFoundError:
        return 0
