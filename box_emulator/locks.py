"""Locks that survive a fork."""

from __future__ import annotations

import os
import threading
import weakref


def fork_safe_lock() -> threading.Lock:
    """Return a lock that no thread can hold while the process forks, so that the child finds it free.

    Whoever holds it must not wait for another.
    """
    lock = threading.Lock()
    reference = weakref.ref(lock)

    def acquire() -> None:
        if lock := reference():
            lock.acquire()

    def release() -> None:
        if lock := reference():
            lock.release()

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=acquire, after_in_parent=release, after_in_child=release)
    return lock
