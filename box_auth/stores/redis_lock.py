"""A lock in Redis that ends when its holder is gone, and not while the holder is only slow or stopped.

Its value names the hold and the holder's connection. Redis notices at once when the connection of a dead process
closes, and that of a stopped process stays open: so the others can tell the two apart. What a hold writes, it writes in
one step with the check that the lock is still its own (`FENCE`).
"""

from __future__ import annotations

import secrets
import threading
import time
from typing import Any, cast

import redis

from ..pauses import pause_after

LOCK_LIFE = 60.0  # seconds after which a lock ends without a sign of life, whatever the connection tells, if anything
GONE = 2.5  # seconds that a holder without a connection has to come back: after a restart of Redis it takes one
_BEAT = 1.0  # seconds between two signs of life
_LOOK = 0.5  # seconds between two looks at the holder

# KEYS[1] is the lock, ARGV[1] the hold; a script goes on below only while the lock is that hold's.
FENCE = "if string.sub(redis.call('get', KEYS[1]) or '', 1, 32) ~= ARGV[1] then return 0 end "
_BEAT_ON = FENCE + (  # a Redis that is full lets nobody set anything, but prolong
    "if redis.call('get', KEYS[1]) == ARGV[2] then redis.call('pexpire', KEYS[1], ARGV[3]) "
    "else redis.call('set', KEYS[1], ARGV[2], 'px', ARGV[3]) end return 1"
)
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
        self._named = b""  # that connection's number, once it has this hold's name
        self._released = threading.Event()
        self._beats: threading.Thread | None = None

    def acquire(self, wait: float) -> bool:
        """Get the lock, or return False after ``wait`` seconds."""
        begun, look = time.monotonic(), 0.0
        seen, since = b"", 0.0
        value, life = self._value(), int(LOCK_LIFE * 1000)
        while not self._own.set(self.name, value, nx=True, px=life):
            now = time.monotonic()
            if now >= look:
                if now >= look + _LOOK:  # Redis was away, and the holder may be a moment later than we are
                    since = now
                look = now + _LOOK
                holder = cast(bytes, self._client.get(self.name) or b"")
                if holder == value:  # the answer was lost, and the command sent again
                    break
                if holder != seen or _is_open(self._client, holder):
                    seen, since = holder, now
                elif now - since >= GONE and self._run(_TAKE_OVER, holder, value, life):
                    break
            if now - begun >= wait:
                return False
            time.sleep(pause_after(now - begun))
        beats = threading.Thread(target=self._beat, name="box-lock", daemon=True)
        try:
            beats.start()
        except RuntimeError:  # the process is about to end; it has the lock's life left
            return True
        self._beats = beats
        return True

    def release(self) -> None:
        """Give the lock back, if it is still this hold's."""
        self._released.set()
        if self._beats:
            self._beats.join()  # it may be using the connection, which is somebody else's from here on
        try:
            self._run(_RELEASE, self.hold)
        except redis.RedisError:  # the connection is closed, so that others can tell
            if self._own.connection:
                self._own.connection.disconnect()  # type: ignore[no-untyped-call]
        finally:
            self.close()

    def close(self) -> None:
        """Give the connection back."""
        self._own.close()

    def _value(self) -> bytes:
        """Return the lock's value, and give the connection this hold's name: after a restart of Redis another one may
        have its number."""
        number = str(self._own.client_id()).encode()
        if number != self._named:
            try:
                self._own.client_setname(self.hold)
            except redis.ResponseError:  # not allowed: nobody can tell anything by the connection
                number = b""
            self._named = number
        return b":".join((self.hold.encode(), number))

    def _beat(self) -> None:
        """Show that the holder lives, over a connection that it may have had to open anew."""
        pause = _BEAT
        while not self._released.wait(pause):
            try:
                if not self._run(_BEAT_ON, self.hold, self._value(), int(LOCK_LIFE * 1000)):
                    return  # it is not ours any more; the next write will say so
                pause = _BEAT
            except redis.RedisError:
                pause = _BEAT / 5

    def _run(self, script: str, *arguments: Any) -> Any:
        return self._own.eval(script, 1, self.name, *arguments)


def _is_open(client: redis.Redis, value: bytes) -> bool:
    """Tell whether the connection that a lock's value names is open; True if nobody can tell."""
    hold, _, number = value.decode("ascii", "replace").rpartition(":")
    if not number.isdigit():
        return True
    try:
        return any(known.get("name") == hold for known in client.client_list(client_id=[number]))
    except redis.ResponseError:  # not allowed, or Redis before 6.2
        return True
