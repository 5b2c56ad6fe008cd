"""One pooled, time-bounded connection to Box for the whole process."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

from box_sdk_gen import BaseUrls, NetworkSession

from ..config import Settings
from .at_once import run_at_once
from .http import PooledSession
from .retries import BUDGET, LONG_BUDGET, READ, SHORT_BUDGET, NoRetries, RetryingClient

THREADS = 32  # that make calls at once, beside those that serve pages, which make calls themselves


class Network:
    """Makes the SDK's network sessions over one connection pool; a forked process gets a pool of its own."""

    def __init__(self, settings: Settings) -> None:
        self._urls = BaseUrls(
            base_url=settings.box_api_url,
            upload_url=settings.box_upload_url,
            oauth_2_url=f"{settings.box_api_url}/oauth2",
        )
        self._lock = threading.Lock()
        self._pid = 0
        self._session: NetworkSession | None = None
        self._short: NetworkSession | None = None
        self._long: NetworkSession | None = None
        self._threads: ThreadPoolExecutor | None = None
        self._http: PooledSession | None = None

    @property
    def session(self) -> NetworkSession:
        self._once_a_process()
        return cast(NetworkSession, self._session)

    @property
    def client(self) -> RetryingClient:
        """What sends this process's requests; it knows no user."""
        return cast(RetryingClient, self.session.network_client)

    @property
    def warning(self) -> str:
        """The code of what Box's latest answer to this process, or its certificate, showed to be wrong; or nothing."""
        return self._http.condition.warning if self._http is not None and self._pid == os.getpid() else ""

    @property
    def short_session(self) -> NetworkSession:
        """A session over the same connections for calls that the page can do without."""
        self._once_a_process()
        return cast(NetworkSession, self._short)

    @property
    def long_session(self) -> NetworkSession:
        """A session over the same connections for calls whose answer must not be lost, and that no page waits for."""
        self._once_a_process()
        return cast(NetworkSession, self._long)

    def at_once(self, *calls: Callable[[], Any]) -> list[Any]:
        """Make several calls side by side and return their results in order; see `run_at_once`."""
        self._once_a_process()
        return run_at_once(cast(ThreadPoolExecutor, self._threads), calls, BUDGET + READ)

    def close(self) -> None:
        """Close this process's connections; the next call opens new ones."""
        with self._lock:
            if self._http is not None and self._pid == os.getpid():
                self._http.close()
                cast(ThreadPoolExecutor, self._threads).shutdown(wait=False, cancel_futures=True)
            self._pid = 0

    def _once_a_process(self) -> None:
        if self._pid == os.getpid():
            return
        with self._lock:
            if self._pid != os.getpid():
                self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="box")
                self._http = PooledSession()
                self._session = self._make_session(BUDGET, READ)
                self._short = self._make_session(SHORT_BUDGET, READ)
                self._long = self._make_session(LONG_BUDGET, LONG_BUDGET)
                self._pid = os.getpid()

    def _make_session(self, budget: float, read: float) -> NetworkSession:
        client = RetryingClient(cast(PooledSession, self._http), budget, read)
        return NetworkSession(network_client=client, retry_strategy=NoRetries(), base_urls=self._urls)
