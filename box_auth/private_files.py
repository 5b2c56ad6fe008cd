"""Files that are whole or absent, and nobody else's: tokens, the script's user, the key that signs forms."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import StoreUnavailable
from .pauses import pause_after

if TYPE_CHECKING:
    from filelock import FileLock

_PAUSES = (0.01, 0.02, 0.05, 0.1, 0.2)  # seconds between tries to replace a file that is in use


def make_folder(folder: Path) -> None:
    """Make ``folder`` and those above it that are missing (mode 0700), and close it if it was open to others."""
    _make(folder)
    _close(folder)


def close_folder(folder: Path) -> None:
    """Close ``folder`` if it was open to others: who can write there puts other files in the place of those in it. One
    that is missing, somebody else's or on a read-only disk stays as it is."""
    with contextlib.suppress(OSError):
        _close(folder)


def create(path: Path) -> bool:
    """Make an empty file (mode 0600); return False if there is one, whoever made it."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        return False
    return True


def write(path: Path, data: bytes, check: Callable[[], None] = lambda: None, *, crowded: bool = False) -> None:
    """Replace what is at ``path`` (mode 0600) in one step that survives a crash. Call it with ``path``'s lock held.

    ``check`` may raise just before that step; then nothing is changed. What processes that died here left goes, unless
    the folder is ``crowded``: to look through that takes too long for each file.
    """
    for left in () if crowded else path.parent.glob(f".{path.stem}.*.tmp"):
        left.unlink(missing_ok=True)
    _put(_draft(path, data), path, check)
    try:
        descriptor = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError:  # Windows and some network disks cannot do that to a folder; the file is in its place all the same
        pass


def write_unsynced(path: Path, data: bytes) -> None:
    """Replace what is at ``path`` (mode 0600) in one step, as `write` does, but without waiting for the disk: a power
    cut may lose it. No lock is needed."""
    _put(_draft(path, data, sync=False), path)


def check_writable(path: Path, size: int = 8192) -> None:
    """Raise `OSError` if ``size`` bytes could not be written to ``path`` now; what is there stays. Needs no lock, and
    does not wait for the disk: room is taken when it is written to."""
    _draft(path, b" " * size, sync=False).unlink(missing_ok=True)


def lock(path: Path, wait: float) -> FileLock:
    """Take the lock on ``path`` between threads and processes; the system frees it if its holder dies.

    Raises `TimeoutError` after ``wait`` seconds.
    """
    from filelock import FileLock  # here, as it takes its time, and most pages change nothing

    # One of its own for each call, so that it works between threads, too.
    lock = FileLock(lock_file(path), mode=0o600, thread_local=False)
    begun = time.monotonic()
    while True:
        try:
            lock.acquire(timeout=0)
            return lock
        except TimeoutError:
            waited = time.monotonic() - begun
            if waited >= wait:
                raise
        time.sleep(min(pause_after(waited), wait - waited))


def lock_file(path: Path) -> Path:
    """Return where the lock on ``path`` is."""
    return path.with_name(f".{path.stem}.lock")


@contextlib.contextmanager
def locked(path: Path, wait: float = 15.0) -> Iterator[None]:
    """Hold the lock on ``path``, whose folder is made if need be. Raises `TimeoutError` after ``wait`` seconds."""
    _make(path.parent)
    held = lock(path, wait)
    try:
        yield
    finally:
        held.release()


@contextlib.contextmanager
def named_errors(name: str) -> Iterator[None]:
    """Turn what the system says of a file into `StoreUnavailable`, with ``name`` instead of a path."""
    try:
        yield
    except OSError as error:
        raise StoreUnavailable("store_unavailable", f"{name}: {error.strerror or error}.") from None


def _close(folder: Path) -> None:
    if os.name == "posix" and folder.stat().st_mode & 0o077:
        folder.chmod(0o700)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700)
    except FileNotFoundError:
        _make(folder.parent)  # mkdir's own `parents` would leave the mode of those to the umask
        _make(folder)
    except OSError:
        if not folder.is_dir():
            raise


def _draft(path: Path, data: bytes, sync: bool = True) -> Path:
    """Write ``data`` to a new file beside ``path``, safe on the disk with ``sync``. Where that fails, none is left."""
    _make(path.parent)
    draft = path.with_name(f".{path.stem}.{secrets.token_hex(8)}.tmp")
    try:
        with open(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            if sync:
                os.fsync(file.fileno())
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    return draft


def _put(draft: Path, path: Path, check: Callable[[], None] = lambda: None) -> None:
    """Move a draft to its place, or remove it."""
    try:
        check()
        for pause in _PAUSES:
            try:
                os.replace(draft, path)
                return
            except PermissionError:  # on Windows: somebody reads the file just now
                time.sleep(pause)
        os.replace(draft, path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
