"""Browser sessions on one machine: a private folder with a file each."""

from __future__ import annotations

import contextlib
import hashlib
import os
import struct
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .. import private_files
from ..sweeper import Sweeper
from .session_json import decode, encode

_SWEEP = 3600.0  # seconds between two clean-ups by one process, and until what is over or left is surely nobody's
_NEVER = 2**32 - 1  # the latest moment that a file can name


class FileSessions:
    """A file's name is a hash of the Box app and the session's id, its first four bytes say when it ends."""

    def __init__(self, folder: Path, app: str) -> None:
        self._folder, self._app = folder, app
        self._sweeper = Sweeper(self.clear_expired, _SWEEP)
        with self._errors():
            private_files.make_folder(folder)

    def get(self, sid: str) -> dict[Any, Any] | None:
        """Return the session's values; None if there is none, or nothing readable. Raises `StoreUnavailable`."""
        path = self._path(sid)
        with self._errors():
            data = _read(path)
            if data is None:
                self._move_on(sid, path)
                data = _read(path)
        if data is None or len(data) < 4:
            return None
        (ends,) = struct.unpack("I", data[:4])
        return decode(data[4:]) if not ends or ends >= time.time() else None

    def set(self, sid: str, values: Mapping[Any, Any], seconds: float, *, only_if_there: bool = False) -> None:
        """Keep the values. Raises `TypeError` for one that cannot be, or `StoreUnavailable`; nothing changes then."""
        data = struct.pack("I", min(int(time.time() + seconds), _NEVER)) + encode(values)
        with self._errors():
            path = self._path(sid)
            if not only_if_there or path.exists():
                private_files.write_unsynced(path, data)
        self._sweeper.start_if_due()

    def delete(self, sid: str) -> None:
        with self._errors():
            self._path(sid).unlink(missing_ok=True)

    def check_writable(self) -> None:
        """Raise `StoreUnavailable` if no session could be written now."""
        with self._errors():
            private_files.check_writable(self._folder / "0")

    def clear_expired(self) -> None:
        """Remove sessions that ended, and what processes that died while writing left."""
        limit = time.time() - _SWEEP
        with os.scandir(self._folder) as files:
            for file in files:
                with contextlib.suppress(OSError):
                    if file.is_file() and 0 < _end_of(file) < limit:
                        os.unlink(file)

    def _path(self, sid: str) -> Path:
        return self._folder / hashlib.sha256(f"box:{self._app}:session:{sid}".encode()).hexdigest()

    def _move_on(self, sid: str, path: Path) -> None:
        """In version 1 the name said nothing of the app, and depended on the version of cachelib."""
        for method in ("sha256", "md5"):
            name = hashlib.new(method, f"box:session:{sid}".encode(), usedforsecurity=False).hexdigest()
            with contextlib.suppress(FileNotFoundError):  # there is none, or another request has moved it
                os.replace(self._folder / name, path)

    def _errors(self) -> contextlib.AbstractContextManager[None]:
        return private_files.named_errors(self._folder.name)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _end_of(file: os.DirEntry[str]) -> float:
    """Return when a session ends, 0 for never; when a draft was begun."""
    if file.name.endswith((".tmp", ".__wz_cache")):  # version 1 had the latter
        return file.stat().st_mtime
    with open(file, "rb") as content:
        start = content.read(4)
    return float(struct.unpack("I", start)[0]) if len(start) == 4 else 0.0
