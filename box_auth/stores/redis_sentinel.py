"""Redis behind Sentinel: connections lead to the primary that the sentinels name, and wait while there is none."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import parse_qs, unquote

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from redis.sentinel import SentinelConnectionPool, SentinelManagedConnection, SentinelManagedSSLConnection

from ..addresses import redis_parts, sentinel_address
from .redis_errors import SentinelsAway, UnknownService, code_for

PATIENCE = 10.0  # seconds after the first failure in which calls wait for a new primary; then they fail at once
_PAUSE = 0.1  # seconds between two looks for it
_DEAF = 10.0  # seconds without asking a sentinel that did not answer, as long as another does
_TIMEOUT = 1.0  # seconds for a sentinel to connect, and to answer, before the next one is asked


def sentinel_pool(url: str, **options: Any) -> SentinelConnectionPool:
    """Return connections to the primary of the service that ``url`` names; ``options`` are redis-py's."""
    parts = redis_parts(url)
    addresses, service, database = sentinel_address(url)
    given = {name: values[0] for name, values in parse_qs(parts.query).items()}
    own = {name: given.pop(f"sentinel_{name}", None) for name in ("username", "password")}
    tls = given | {name: value for name, value in options.items() if name.startswith("ssl_")}
    encrypted = parts.scheme == "rediss+sentinel"
    options["retry_on_error"] = [*options["retry_on_error"], _CutOff]
    return SentinelConnectionPool(  # type: ignore[no-untyped-call]
        service,
        _Sentinels(addresses, ssl=encrypted, **own, **tls),
        connection_class=_EncryptedConnection if encrypted else _Connection,
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        db=database,
        **options | tls,
    )


class _Sentinels:
    """The sentinels of one address, in redis-py's place of its own `Sentinel`: that takes a wrong password or an
    unknown service for one that is away, and loses some of them when many threads ask at once."""

    def __init__(self, addresses: list[tuple[str, int]], **options: Any) -> None:
        times: dict[str, Any] = {
            "socket_timeout": _TIMEOUT,
            "socket_connect_timeout": _TIMEOUT,
            "retry": Retry(NoBackoff(), 0),
        }
        self._clients = [
            redis.Redis(host=host, port=port, decode_responses=True, **times, **options) for host, port in addresses
        ]
        self._deaf_until = dict.fromkeys(self._clients, 0.0)
        self._away_since: float | None = None

    def discover_master(self, service: str) -> tuple[str, int]:
        """Return host and port of the primary. Of all sentinels the one counts that has heard of the newest failover
        (the highest epoch): another may still name the old primary, which may be back with its old data."""
        failures: list[Exception] = []
        newest: dict[str, Any] = {}
        now = time.monotonic()
        asked = [each for each in self._clients if self._deaf_until[each] <= now] or self._clients
        for sentinel in asked:
            try:
                told: Any = sentinel.sentinel_master(service)
            except (redis.ConnectionError, redis.TimeoutError) as error:
                failures.append(error)
                self._deaf_until[sentinel] = now + _DEAF
                continue
            except redis.ResponseError as error:
                if "No such master" not in str(error):
                    raise
                continue
            if not newest or told["config-epoch"] > newest["config-epoch"]:
                newest = told
        if newest:
            return newest["ip"], newest["port"]
        if len(failures) < len(asked):
            raise UnknownService
        raise SentinelsAway from failures[0]

    def wait(self) -> bool:
        """Wait a moment if Redis has not been away for too long; tell whether it is worth another try."""
        now = time.monotonic()
        self._away_since = self._away_since or now
        if now - self._away_since > PATIENCE:
            return False
        time.sleep(_PAUSE)
        return True

    def found(self) -> None:
        self._away_since = None


class _CutOff(redis.ResponseError):
    """A primary hears of too few replicas. It may be cut off, and another one be the primary by now: tried once more
    over a new connection, which the sentinels are asked for."""


class _Connection(SentinelManagedConnection):
    """A connection that waits for the sentinels to name a new primary, which takes them some seconds."""

    def connect(self) -> None:
        sentinels = self.connection_pool.sentinel_manager
        while True:
            try:
                super().connect()  # type: ignore[no-untyped-call]
                return
            except (redis.ConnectionError, redis.TimeoutError) as error:
                if code_for(error) != "redis_away" or not sentinels.wait():
                    raise

    def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        self.connect()  # if it is not: redis-py, since version 6, would go where the primary was before
        super().send_packed_command(command, check_health)  # type: ignore[no-untyped-call]

    def read_response(self, *arguments: Any, **options: Any) -> Any:
        try:
            return super().read_response(*arguments, **options)
        except redis.ResponseError as error:
            if "NOREPLICAS" in str(error):
                raise _CutOff(str(error)) from None
            raise

    def connect_to(self, address: tuple[str, int]) -> None:
        super().connect_to(address)  # type: ignore[no-untyped-call]
        self.connection_pool.sentinel_manager.found()


class _EncryptedConnection(_Connection, SentinelManagedSSLConnection):
    pass
