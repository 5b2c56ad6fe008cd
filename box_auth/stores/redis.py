"""The token store of many machines: records and locks in one Redis."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import secrets
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import cast

import redis
from redis.backoff import NoBackoff
from redis.exceptions import LockError
from redis.lock import Lock
from redis.retry import Retry

from ..errors import SignInBusy, StoreUnavailable
from .base import Held, TokenStore, check_id
from .record import PLAIN, Codec

RECORD_LIFE = timedelta(days=60)  # as long as Box's refresh tokens live unused (guides, expiration)
# Seconds after which a dead holder's lock ends by itself: more than one try of a refresh takes (`CONNECT` and `READ`),
# less than others wait for it (`LOCK_WAIT`). A living holder prolongs its lock for as long as it needs.
LOCK_LIFE = 10.0
_TIMEOUT = 2.0  # seconds to connect, and to answer


@functools.cache
def connect(url: str) -> redis.Redis:
    """Return a client for `REDIS_URL`. It connects when first used, and again by itself after an outage."""
    return redis.Redis.from_url(
        url,
        socket_connect_timeout=_TIMEOUT,
        socket_timeout=_TIMEOUT,
        retry=Retry(NoBackoff(), 1),  # one new connection, if the pooled one had died
    )


class RedisStore(TokenStore):
    """Keeps ``box:token:<user id>`` for each user; it expires when its refresh token would."""

    def __init__(self, client: redis.Redis, codec: Codec = PLAIN) -> None:
        super().__init__(codec)
        self._redis = client

    def use_once(self, mark: str, seconds: float) -> bool:
        key = f"box:used:{hashlib.sha256(mark.encode('utf-8', 'surrogatepass')).hexdigest()}"
        ours = secrets.token_bytes(16)
        with redis_errors():
            if self._redis.set(key, ours, nx=True, px=int(seconds * 1000)):
                return True
            return get_bytes(self._redis, key) == ours  # set before its connection broke, and then sent again

    def users(self) -> list[str]:
        with redis_errors():
            keys = [str(key, "utf-8") for key in self._redis.scan_iter("box:token:*", count=1000)]
        return sorted(name for key in keys if (name := key.rpartition(":")[2]).isdigit() and key == _key(name))

    @contextlib.contextmanager
    def acquire(self, user_id: str, wait: float) -> Iterator[None]:
        name = f"box:lock:{check_id(user_id)}"
        # Each holder has a token of its own, so nobody frees a lock that has passed to somebody else.
        lock = self._redis.lock(name, timeout=LOCK_LIFE, sleep=0.02, blocking_timeout=wait, thread_local=False)
        with redis_errors():
            if not lock.acquire():
                raise SignInBusy
        released = threading.Event()
        threading.Thread(target=_prolong, args=(lock, released), daemon=True).start()
        try:
            yield
        finally:
            released.set()
            try:
                lock.release()
            except (LockError, redis.RedisError):  # it ended by itself, or will
                pass

    def read(self, user_id: str) -> bytes | None:
        with redis_errors():
            return get_bytes(self._redis, _key(user_id))

    def write(self, held: Held, data: bytes) -> None:
        with redis_errors():
            self._redis.set(_key(held.user_id), data, ex=RECORD_LIFE)

    def delete(self, held: Held) -> None:
        with redis_errors():
            self._redis.delete(_key(held.user_id))

    def set_aside(self, held: Held) -> None:
        key = _key(held.user_id)
        with redis_errors():
            self._redis.rename(key, f"{key}:unreadable-{time.time_ns()}")

    def try_write(self, held: Held) -> None:
        with redis_errors():
            self._redis.set(f"box:room:{held.user_id}", b" " * 8192, px=1000)


def _prolong(lock: Lock, released: threading.Event) -> None:
    while not released.wait(LOCK_LIFE / 3):
        try:
            lock.reacquire()
        except LockError:  # it is not ours any more
            return
        except redis.RedisError:  # away for a moment; it may be ours still
            continue


def get_bytes(client: redis.Redis, key: str) -> bytes | None:
    """Return what is at ``key``, b"" if that is no text."""
    try:
        return cast(bytes | None, client.get(key))
    except redis.ResponseError as error:
        if "WRONGTYPE" in str(error):  # somebody else's list or set: there, but nothing of ours
            return b""
        raise


@contextlib.contextmanager
def redis_errors() -> Iterator[None]:
    """Turn Redis's errors into `StoreUnavailable`, in words that hold no address and no password."""
    try:
        yield
    except (redis.AuthenticationError, redis.exceptions.NoPermissionError):
        raise StoreUnavailable("redis_refused") from None
    except redis.RedisError as error:
        raise StoreUnavailable("redis_away", f"{type(error).__name__}.") from None


def _key(user_id: str) -> str:
    return f"box:token:{check_id(user_id)}"
