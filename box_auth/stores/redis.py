"""The token store of many machines: records and locks in one Redis."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import secrets
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, cast

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from ..addresses import is_sentinel_address
from ..errors import LockLost, SignInBusy
from .base import Held, TokenStore, check_id
from .record import Codec
from .redis_errors import redis_errors
from .redis_lock import FENCE, RedisLock
from .redis_sentinel import sentinel_pool

RECORD_LIFE = timedelta(days=60)  # as long as Box's refresh tokens live unused (guides, expiration)
MOST_CONNECTIONS = 10_000  # in effect as many as there are threads; redis-py's own limit is 100
_TIMEOUT = 2.0  # seconds to connect, and to answer


@functools.cache
def connect(url: str) -> redis.Redis:
    """Return a client for `REDIS_URL`. It connects when first used, and again by itself after an outage."""
    options: dict[str, Any] = {
        "socket_connect_timeout": _TIMEOUT,
        "socket_timeout": _TIMEOUT,
        "max_connections": MOST_CONNECTIONS,
        # Once more over a new connection: the old one had died, or leads to what is no longer the primary.
        "retry": Retry(NoBackoff(), 1),
        "retry_on_error": [redis.ConnectionError, redis.TimeoutError, redis.ReadOnlyError],
    }
    if url.startswith("rediss"):
        options["ssl_check_hostname"] = True  # redis-py 5 does not by itself
    if is_sentinel_address(url):
        return redis.Redis.from_pool(sentinel_pool(url, **options))
    return redis.Redis.from_url(url, **options)


class RedisStore(TokenStore):
    """Keeps ``<prefix>:<app id>:token:<user id>`` for each user; it expires when its refresh token would.

    Version 1 had neither prefix nor app: what is at ``box:token:<user id>`` is read where there is nothing else, and
    goes with the next change.
    """

    away = "redis_away"

    def __init__(self, client: redis.Redis, codec: Codec, prefix: str = "box") -> None:
        super().__init__(codec)
        self._redis, self._prefix = client, f"{prefix}:{codec.app}"

    def use_once(self, mark: str, seconds: float) -> bool:
        key = self._key("used:", hashlib.sha256(mark.encode("utf-8", "surrogatepass")).hexdigest())
        ours = secrets.token_bytes(16)
        with redis_errors():
            if self._redis.set(key, ours, nx=True, px=int(seconds * 1000)):
                return True
            return get_bytes(self._redis, key) == ours  # set before its connection broke, and then sent again

    def users(self) -> list[str]:
        ids = set()
        with redis_errors():
            for prefix in (self._key("token:"), _first_key("")):
                for key in self._redis.scan_iter(f"{prefix}*", count=1000):
                    ids.add(str(key, "utf-8", "replace").removeprefix(prefix))
        return sorted(user_id for user_id in ids if user_id.isdigit())

    @contextlib.contextmanager
    def acquire(self, user_id: str, wait: float) -> Iterator[RedisLock]:
        with redis_errors():
            lock = RedisLock(self._redis, self._key("lock:", check_id(user_id)))
            try:
                if not lock.acquire(wait):
                    raise SignInBusy
            except BaseException:
                lock.close()
                raise
        try:
            yield lock
        finally:
            lock.release()

    def read(self, user_id: str) -> bytes | None:
        with redis_errors():
            key = self._key("token:", user_id)
            for place in (key, _first_key(user_id), key):  # it may have been moved on between the two
                data = get_bytes(self._redis, place)
                if data is not None:
                    return data
        return None

    def write(self, held: Held, data: bytes) -> None:
        life = int(RECORD_LIFE.total_seconds())
        script = "redis.call('set', KEYS[2], ARGV[2], 'ex', ARGV[3]) redis.call('del', KEYS[3]) return 1"
        self._fenced(held, script, data, life)

    def delete(self, held: Held) -> None:
        self._fenced(held, "redis.call('del', KEYS[2], KEYS[3]) return 1")

    def set_aside(self, held: Held) -> None:
        aside = f"{self._key('token:', held.user_id)}:unreadable-{time.time_ns()}"
        script = "redis.call('rename', KEYS[redis.call('exists', KEYS[2]) == 1 and 2 or 3], ARGV[2]) return 1"
        self._fenced(held, script, aside)

    def try_write(self, user_id: str) -> None:
        """Do all that `write` does, in the same way, under keys that are nobody's."""
        keys = [self._key("room:", part, user_id) for part in ("", "token:", "first:")]
        script = "redis.call('set', KEYS[1], ARGV[1], 'px', 1000) redis.call('del', KEYS[2], KEYS[3])"
        with redis_errors():
            self._redis.eval(script, 3, *keys, b" " * 8192)

    def _fenced(self, held: Held, script: str, *arguments: bytes | str | int) -> None:
        """Run ``script`` in one step with the check that the lock is still ours."""
        lock: RedisLock = held.hold
        keys = lock.name, self._key("token:", held.user_id), _first_key(held.user_id)
        with redis_errors():
            if not self._redis.eval(FENCE + script, 3, *keys, lock.hold, *arguments):
                raise LockLost

    def _key(self, *parts: str) -> str:
        return ":".join((self._prefix, "".join(parts)))


def get_bytes(client: redis.Redis, key: str) -> bytes | None:
    """Return what is at ``key``, b"" if that is no text."""
    try:
        return cast(bytes | None, client.get(key))
    except redis.ResponseError as error:
        if "WRONGTYPE" in str(error):  # somebody else's list or set: there, but nothing of ours
            return b""
        raise


def _first_key(user_id: str) -> str:
    return f"box:token:{user_id}"
