"""A lock in Redis that ends when its holder is gone, and not while the holder is only slow or stopped.

Its value names the hold and the holder's connection. Redis notices at once when the connection of a dead process
closes, and that of a stopped process stays open: so the others can tell the two apart. What a hold writes, it writes in
one step with the check that the lock is still its own (`FENCE`).
"""

from __future__ import annotations

import functools
import secrets
import threading
import time
from typing import Any, cast

import redis

LOCK_LIFE = 120.0  # seconds after which a lock ends whose holder seems connected but gives no sign of life
BLIND_LIFE = 10.0  # the same where Redis does not let us ask for connections (CLIENT LIST, Redis 6.2)
GONE = 2.5  # seconds that a holder without a connection has to come back: after a restart of Redis it takes one
_BEAT = 1.0  # seconds between two signs of life
_PAUSE = 0.02  # seconds between two tries to get the lock
_LOOK = 0.5  # seconds between two looks at the holder

# KEYS[1] is the lock, ARGV[1] the hold; a script goes on below only while the lock is that hold's.
FENCE = "if string.sub(redis.call('get', KEYS[1]) or '', 1, 32) ~= ARGV[1] then return 0 end "
_BEAT_ON = FENCE + "redis.call('set', KEYS[1], ARGV[2], 'px', ARGV[3]) return 1"
_RELEASE = FENCE + "return redis.call('del', KEYS[1])"
_TAKE_OVER = (
    "if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end "
    "redis.call('set', KEYS[1], ARGV[2], 'px', ARGV[3]) return 1"
)


class RedisLock:
    """One hold of the lock ``name``, or the wait for it. Raises redis-py's errors."""

    def __init__(self, client: redis.Redis, name: str) -> None:
        self.name = name
        self.hold = secrets.token_hex(16)
        self._client = client
        # One connection of the pool's is this hold's own until it ends.
        self._own: redis.Redis = client.client()  # type: ignore[no-untyped-call]
        self._released = threading.Event()
        self._life = LOCK_LIFE

    def acquire(self, wait: float) -> bool:
        """Get the lock, or return False after ``wait`` seconds."""
        end, look = time.monotonic() + wait, 0.0
        seen, since = b"", 0.0
        value = self._value()
        if not _can_look(self._client):
            self._life = BLIND_LIFE
        while not self._own.set(self.name, value, nx=True, px=int(self._life * 1000)):
            now = time.monotonic()
            if now >= look:
                look = now + _LOOK
                holder = cast(bytes, self._client.get(self.name) or b"")
                if holder == value:  # the answer was lost, and the command sent again
                    break
                if holder != seen or _is_open(self._client, holder):
                    seen, since = holder, now
                elif now - since >= GONE and self._run(_TAKE_OVER, holder, value, int(self._life * 1000)):
                    break
            if now >= end:
                return False
            time.sleep(_PAUSE)
        try:
            threading.Thread(target=self._beat, name="box-lock", daemon=True).start()
        except RuntimeError:  # the process is about to end; it has the lock's life left
            pass
        return True

    def release(self) -> None:
        """Give the lock back, if it is still this hold's."""
        self._released.set()
        try:
            self._run(_RELEASE, self.hold)
        except redis.RedisError:  # the connection is closed below, so that others can tell
            if self._own.connection:
                self._own.connection.disconnect()  # type: ignore[no-untyped-call]
        finally:
            self.close()

    def close(self) -> None:
        """Give the connection back."""
        self._own.close()

    def _value(self) -> bytes:
        return f"{self.hold}:{self._own.client_id()}".encode()

    def _beat(self) -> None:
        """Show that the holder lives, over a connection that it may have had to open anew."""
        pause = _BEAT
        while not self._released.wait(pause):
            try:
                if not self._run(_BEAT_ON, self.hold, self._value(), int(self._life * 1000)):
                    return  # it is not ours any more; the next write will say so
                pause = _BEAT
            except redis.RedisError:
                pause = _BEAT / 5

    def _run(self, script: str, *arguments: Any) -> Any:
        return self._own.eval(script, 1, self.name, *arguments)


@functools.cache
def _can_look(client: redis.Redis) -> bool:
    """Tell whether this Redis lets us ask for a connection."""
    try:
        client.client_list(client_id=[str(client.client_id())])
        return True
    except redis.ResponseError:
        return False


def _is_open(client: redis.Redis, value: bytes) -> bool:
    """Tell whether the connection that a lock's value names is open; True if nobody can tell."""
    number = value.rpartition(b":")[2].decode("ascii", "replace")
    return not (number.isdigit() and _can_look(client)) or bool(client.client_list(client_id=[number]))
