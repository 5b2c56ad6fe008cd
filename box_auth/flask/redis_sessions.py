"""Browser sessions in the Redis that many machines share."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from redis import Redis, ResponseError

from ..stores.redis import get_bytes
from ..stores.redis_errors import redis_errors
from .session_json import decode, encode


class RedisSessions:
    """Keeps ``<prefix>:<app id>:session:<hash>``: a hash of the session's id, so that a backup opens no door."""

    def __init__(self, client: Redis, prefix: str, app: str) -> None:
        self._redis, self._prefix = client, f"{prefix}:{app}:session"

    def get(self, sid: str) -> dict[Any, Any] | None:
        """Return the session's values; None if there is none, or nothing readable. Raises `StoreUnavailable`."""
        key = self._key(sid)
        with redis_errors():
            data = get_bytes(self._redis, key)
            if data is None:
                self._move_on(sid, key)
                data = get_bytes(self._redis, key)
        return None if data is None else decode(data)

    def set(self, sid: str, values: Mapping[Any, Any], seconds: float, *, only_if_there: bool = False) -> None:
        """Keep the values. Raises `TypeError` for one that cannot be, or `StoreUnavailable`; nothing changes then."""
        data = encode(values)
        with redis_errors():
            self._redis.set(self._key(sid), data, ex=max(1, int(seconds)), xx=only_if_there)

    def delete(self, sid: str) -> None:
        with redis_errors():
            self._redis.delete(self._key(sid))

    def check_writable(self) -> None:
        """Do nothing: the token store, which is in the same Redis, can tell."""

    def _move_on(self, sid: str, key: str) -> None:
        """In version 1 the key was the id itself. A stolen hash is none: it has another length (`sessions.is_id`)."""
        try:
            self._redis.renamenx(f"box:session:{sid}", key)
        except ResponseError as error:
            if "no such key" not in str(error):  # there is none, or another request has moved it
                raise

    def _key(self, sid: str) -> str:
        return f"{self._prefix}:{hashlib.sha256(sid.encode()).hexdigest()}"
