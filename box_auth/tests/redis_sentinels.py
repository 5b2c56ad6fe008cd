"""A real Redis behind a real Sentinel: a primary, a replica and three sentinels, each a process."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

import redis

from .certificates import Certificate
from .redis_server import RedisServer

SERVICE = "sign-ins"
DOWN_AFTER = 0.5  # seconds without an answer after which sentinels take Redis for dead; without being told, 30


class Sentinel(RedisServer):
    """One sentinel. Of ``quorum`` sentinels, so many must take the primary for dead."""

    ready = "+monitor master"

    def __init__(
        self, primary: RedisServer, *lines: str, quorum: int = 2, password: str = "", tls: Certificate | None = None
    ) -> None:
        super().__init__("--sentinel", password=password, tls=tls)
        monitor = f"monitor {SERVICE} 127.0.0.1 {primary.port} {quorum}"
        self._file = Path(self._folder.name) / "sentinel.conf"
        self._file.write_text("".join(f"sentinel {line}\n" for line in (monitor, *lines)))
        self.arguments = (str(self._file),)


class Sentinels:
    """All of them, from entering to leaving. ``url`` names the sentinels, for who has Redis's ``password``."""

    def __init__(self, *options: str, password: str = "", down_after: float = DOWN_AFTER) -> None:
        options = ("--masterauth", password, "--repl-diskless-sync-delay", "0", *options)
        first = RedisServer(*options, password=password)
        second = RedisServer("--replicaof", "127.0.0.1", str(first.port), *options, password=password)
        self.servers = [first, second]
        lines = [f"down-after-milliseconds {SERVICE} {down_after * 1000:.0f}", f"failover-timeout {SERVICE} 1000"]
        lines += [f"auth-pass {SERVICE} {password}"] if password else []
        self.sentinels = [Sentinel(first, *lines) for _ in range(3)]
        self._password = password
        hosts = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels)
        self.url = f"redis+sentinel://{f':{password}@' if password else ''}{hosts}/{SERVICE}/0"

    def __enter__(self) -> Sentinels:
        with contextlib.ExitStack() as started:
            for server in self.servers:
                started.enter_context(server)
            _wait(lambda: self.client(self.servers[1]).info("replication")["master_link_status"] == "up")
            for sentinel in self.sentinels:
                started.enter_context(sentinel)
                periods = ("INFO-PERIOD", 100, "PUBLISH-PERIOD", 100)
                with contextlib.suppress(redis.ResponseError):  # before Redis 7 all takes longer
                    redis.Redis(port=sentinel.port).execute_command("SENTINEL", "DEBUG", *periods)
            self.wait_until_whole()
            self._started = started.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        for server in self.servers:
            server.kill()  # one that has just become a replica would not end otherwise
        self._started.close()

    def client(self, server: RedisServer) -> redis.Redis:
        return redis.Redis(port=server.port, password=self._password)

    @property
    def primary(self) -> RedisServer:
        """The server that all sentinels name."""
        (port,) = {redis.Redis(port=each.port).sentinel_master(SERVICE)["port"] for each in self.sentinels}
        return next(server for server in self.servers if server.port == port)

    def kill_primary(self) -> RedisServer:
        """Kill the primary where it stands, and return it; `start` brings it back, as a replica before long."""
        dead = self.primary
        dead.kill()
        return dead

    def wait_until_whole(self) -> None:
        """Wait until every sentinel knows the others, and a replica that follows and could take over. One that the
        sentinels call well can be behind by a second: a primary begins to stream when it was asked to."""
        _wait(lambda: all(self._is_whole(redis.Redis(port=sentinel.port)) for sentinel in self.sentinels))
        self.wait_until_copied()

    def wait_until_copied(self) -> None:
        """Wait until the replica has all that the primary was given."""
        with self.client(self.primary).pipeline(transaction=False) as together:
            assert together.set("probe", 1, px=1).execute_command("WAIT", 1, 20_000).execute()[1] == 1

    def _is_whole(self, sentinel: redis.Redis) -> bool:
        seen = sentinel.sentinel_master(SERVICE)
        replicas = sentinel.sentinel_slaves(SERVICE)
        well = seen["flags"] == "master" and [replica["flags"] for replica in replicas] == ["slave"]
        return well and seen["num-other-sentinels"] == 2 and replicas[0]["master-link-status"] == "ok"


def _wait(condition: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)
