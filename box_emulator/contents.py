"""File contents: one file on disk for each different content, beside the database."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import weakref
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import IO

from .database import Database

_PIECE = 1 << 16
_BINARY = getattr(os, "O_BINARY", 0)  # Windows has it


class Draft:
    """Bytes that came in and are not part of any file yet. They are gone at the end of the ``with`` block."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] = os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | _BINARY, 0o600), "wb")
        self._digest = hashlib.sha1(usedforsecurity=False)  # Box's choice
        self.size = 0

    @property
    def sha1(self) -> str:
        return self._digest.hexdigest()

    def write(self, data: bytes | bytearray) -> None:
        self._file.write(data)
        self._digest.update(data)
        self.size += len(data)

    def content(self) -> bytes:
        """Return what came in; for little."""
        self._file.flush()
        return self._path.read_bytes()

    def move(self, target: Path) -> None:
        """Put the finished bytes in their place, whole or not at all."""
        self._file.close()
        os.replace(self._path, target)

    def __enter__(self) -> Draft:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        self._path.unlink(missing_ok=True)


class Contents:
    """All contents, found by their SHA-1. Those of a database in memory lie in a temporary folder."""

    def __init__(self, database: Database) -> None:
        self._database = database
        if database.path == ":memory:":
            self.folder = Path(tempfile.mkdtemp(prefix="box-emulator-"))
            self._end = weakref.finalize(self, _remove, self.folder, os.getpid())
        else:
            self.folder = Path(f"{database.path}.contents")
            self.folder.mkdir(mode=0o700, exist_ok=True)

    def draft(self) -> Draft:
        """Begin to take in bytes."""
        return Draft(self.folder / f"draft-{os.urandom(8).hex()}")

    def keep(self, draft: Draft) -> str:
        """Store what came in, and return its SHA-1. Call it in the transaction that refers to it."""
        draft.move(self.folder / draft.sha1)
        return draft.sha1

    def path(self, sha1: str) -> Path:
        return self.folder / sha1

    def read(self, sha1: str) -> bytes:
        """Return a whole content; for small ones."""
        return self.path(sha1).read_bytes()

    def join(self, parts: Iterable[str], draft: Draft) -> None:
        """Append contents to a draft, one after the other."""
        for sha1 in parts:
            with self.path(sha1).open("rb") as source:
                while piece := source.read(_PIECE):
                    draft.write(piece)

    def forget(self, digests: Iterable[str]) -> None:
        """Delete those that nothing refers to any more. Call it after the transaction that let go of them."""
        used = "SELECT 1 FROM versions WHERE sha1 = ? UNION SELECT 1 FROM parts WHERE sha1 = ?"
        for sha1 in set(digests):
            with self._database.transaction():  # nobody stores the same bytes meanwhile
                if not self._database.row(used, sha1, sha1):
                    try:
                        self.path(sha1).unlink(missing_ok=True)
                    except PermissionError:  # Windows, while it is being read
                        pass

    def tidy(self) -> None:
        """Forget what is left over when everything else was thrown away."""
        self.forget(path.name for path in self.folder.iterdir() if not path.name.startswith("draft"))

    def close(self) -> None:
        if self._database.path == ":memory:":
            self._end()


def _remove(folder: Path, process: int) -> None:
    if os.getpid() == process:  # a forked child leaves its parent's files alone
        shutil.rmtree(folder, ignore_errors=True)
