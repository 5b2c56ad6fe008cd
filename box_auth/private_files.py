"""Files that are whole or absent, and nobody else's: tokens, the script's user, the key that signs forms."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

from filelock import FileLock

from .errors import StoreUnavailable


def make_folder(folder: Path) -> None:
    """Make ``folder`` (mode 0700), and close one that was open to others."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.name == "posix" and folder.stat().st_mode & 0o077:
        folder.chmod(0o700)


def write(path: Path, data: bytes, check: Callable[[], None] = lambda: None) -> None:
    """Replace what is at ``path`` (mode 0600) in one step that survives a crash. Call it with ``path``'s lock held.

    ``check`` may raise just before that step; then nothing is changed.
    """
    for left in path.parent.glob(f".{path.stem}.*.tmp"):  # by a process that died here; the lock is held
        left.unlink(missing_ok=True)
    draft = _draft(path, data)
    try:
        check()
        os.replace(draft, path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    try:
        descriptor = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError:  # Windows and some network disks cannot do that to a folder; the file is in its place all the same
        pass


def check_writable(path: Path, size: int = 8192) -> None:
    """Raise `OSError` if ``size`` bytes could not be written to ``path`` now; what is there stays. Needs no lock."""
    _draft(path, b" " * size).unlink(missing_ok=True)


def lock(path: Path) -> FileLock:
    """Return a lock on ``path`` between threads and processes; the system frees it if its holder dies.

    Each call makes a lock of its own, so that it works between threads, too. Acquiring it raises `TimeoutError`.
    """
    return FileLock(path.with_name(f".{path.stem}.lock"), mode=0o600, poll_interval=0.01, thread_local=False)


@contextlib.contextmanager
def locked(path: Path, wait: float = 15.0) -> Iterator[None]:
    """Hold the lock on ``path``, whose folder is made if need be. Raises `TimeoutError` after ``wait`` seconds."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with lock(path).acquire(timeout=wait):
        yield


@contextlib.contextmanager
def named_errors(name: str) -> Iterator[None]:
    """Turn what the system says of a file into `StoreUnavailable`, with ``name`` instead of a path."""
    try:
        yield
    except OSError as error:
        raise StoreUnavailable("store_unavailable", f"{name}: {error.strerror or error}.") from None


def _draft(path: Path, data: bytes) -> Path:
    """Write ``data`` to a new file beside ``path``, safe on the disk."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.stem}.{secrets.token_hex(8)}.tmp")
    try:
        with open(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    return draft
