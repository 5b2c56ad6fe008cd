"""Browser sessions in the Redis that many machines share."""

from __future__ import annotations

from typing import Any

from cachelib import RedisCache
from redis import Redis

from ..stores.redis import get_bytes, redis_errors
from .session_json import SessionJson


class RedisSessions(RedisCache):
    """cachelib's Redis cache with sessions as JSON objects: anything else there reads as no session, never a pickle."""

    def __init__(self, client: Redis) -> None:
        super().__init__(client)
        self.serializer = SessionJson()  # type: ignore[assignment]

    def get(self, key: str) -> Any:
        with redis_errors():
            return self.serializer.loads(get_bytes(self._read_client, key))

    def set(self, key: str, value: Any, timeout: Any = None) -> Any:
        with redis_errors():
            return super().set(key, value, timeout)

    def delete(self, key: str) -> Any:
        with redis_errors():
            return super().delete(key)
