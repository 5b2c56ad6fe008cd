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
    """A file's name is a hash of the session's id, and its first four bytes say when it ends; it is kept until then."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._sweeper = Sweeper(self.clear_expired, _SWEEP)
        with self._errors():
            private_files.make_folder(folder)

    def get(self, sid: str) -> dict[Any, Any] | None:
        """Return the session's values; None if there is none, or nothing readable. Raises `StoreUnavailable`."""
        path = self._path(sid)
        with self._errors():
            data = _read(path)
            if data is None:
                _move_on(self._path(sid, "md5"), path)
                data = _read(path)
        if data is None or len(data) < 4:
            return None
        (ends,) = struct.unpack("I", data[:4])
        return decode(data[4:]) if not ends or ends >= time.time() else None

    def set(self, sid: str, values: Mapping[Any, Any], seconds: float) -> None:
        """Keep the values. Raises `TypeError` for one that cannot be, or `StoreUnavailable`; nothing changes then."""
        data = struct.pack("I", min(int(time.time() + seconds), _NEVER)) + encode(values)
        with self._errors():
            private_files.write_unsynced(self._path(sid), data)
        self._sweeper.start_if_due()

    def delete(self, sid: str) -> None:
        with self._errors():
            self._path(sid).unlink(missing_ok=True)

    def clear_expired(self) -> None:
        """Remove sessions that ended, and what processes that died while writing left."""
        limit = time.time() - _SWEEP
        with os.scandir(self._folder) as files:
            for file in files:
                with contextlib.suppress(OSError):
                    if file.is_file() and 0 < _end_of(file) < limit:
                        os.unlink(file)

    def _path(self, sid: str, method: str = "sha256") -> Path:
        """Return a session's file. In version 1 its name depended on the version of cachelib: it may be of MD5."""
        name = hashlib.new(method, f"box:session:{sid}".encode(), usedforsecurity=False).hexdigest()
        return self._folder / name

    def _errors(self) -> contextlib.AbstractContextManager[None]:
        return private_files.named_errors(self._folder.name)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _move_on(earlier: Path, path: Path) -> None:
    try:
        os.replace(earlier, path)
    except FileNotFoundError:  # there is none, or another request has moved it
        pass


def _end_of(file: os.DirEntry[str]) -> float:
    """Return when a session ends, 0 for never; when a draft was begun."""
    if file.name.endswith((".tmp", ".__wz_cache")):  # version 1 had the latter
        return file.stat().st_mtime
    with open(file, "rb") as content:
        start = content.read(4)
    return float(struct.unpack("I", start)[0]) if len(start) == 4 else 0.0
