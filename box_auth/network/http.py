"""The connections to Box: kept open, through the proxy in force, and never waited on without end."""

from __future__ import annotations

import functools
import os
import threading
import time
from collections.abc import Mapping, MutableMapping
from typing import Any, cast
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies, select_proxy

from .. import request_id, signals
from ..addresses import LOOPBACK
from ..logs import hide_addresses, path_without_ids, printable
from .condition import Condition

CONNECTIONS = 64  # kept open at most for each host: two for each of 32 threads that serve pages
hide_addresses("urllib3.connectionpool", "urllib3.poolmanager", "urllib3.util.retry")


class PooledSession(requests.Session):
    """A requests session with a pool, proxies looked up once a host, and a limit on how long an answer may drip.

    ``trust_env`` is off because it would let a `.netrc` entry replace the Authorization header, and asks the
    environment anew for every request; the proxy and certificate settings are honoured all the same.
    """

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False
        self._adapter = _Adapter(pool_connections=8, pool_maxsize=CONNECTIONS)
        self.mount("https://", self._adapter)
        self.mount("http://", self._adapter)
        self.verify = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
        self.condition = Condition()
        self._local = threading.local()
        self._proxies_for = functools.lru_cache(maxsize=64)(_proxies_for)

    def read_whole_by(self, deadline: float | None) -> None:
        """Have this thread's next answers read whole before ``deadline`` (monotonic seconds), or streamed if None."""
        self._local.deadline = deadline

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        settings = super().merge_environment_settings(url, proxies, stream, verify, cert)
        parts = urlsplit(str(url))
        return {**settings, "proxies": dict(self._proxies_for(parts.scheme, parts.netloc))}

    def pool_for(self, site: str) -> urllib3.HTTPConnectionPool | None:
        """Return the connections that go to ``site``, such as https://api.box.com; None if a proxy stands in between
        that wants whole addresses. Raises `OSError` where the file with certificates is missing."""
        proxies = self._proxies_for(*site.split("://"))
        if site.startswith("http:") and select_proxy(site, proxies):
            return None
        return self._adapter.pool_for(site, self.verify or False, dict(proxies))

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        if name := request_id.current():
            request.headers[request_id.HEADER] = name
        began, answer = time.monotonic(), None
        try:
            response = super().send(request, **kwargs)
            self.condition.answered(response.headers.get("Date", ""))
            deadline = getattr(self._local, "deadline", None)
            if deadline is not None:
                response._content = read_whole(response.raw, deadline)  # what .content and .text give from here on
            answer = response
            return response
        except requests.exceptions.SSLError:
            self.condition.untrusted()
            raise
        finally:
            seconds = time.monotonic() - began
            if answer is not None and answer.history:  # what Box led on to was told as a call of its own
                answer, seconds = answer.history[0], answer.history[0].elapsed.total_seconds()
            status, headers = (None, {}) if answer is None else (answer.status_code, answer.headers)
            tell(str(request.method), str(request.url), status, headers, seconds)


class _Adapter(HTTPAdapter):
    """Shows the pools that requests go through."""

    def pool_for(self, site: str, verify: bool | str, proxies: dict[str, str]) -> urllib3.HTTPConnectionPool:
        request = requests.Request("GET", site).prepare()
        pool = cast(urllib3.HTTPConnectionPool, self.get_connection_with_tls_context(request, verify, proxies))
        self.cert_verify(pool, site, verify, None)  # type: ignore[no-untyped-call]
        return pool


def tell(method: str, url: str, status: int | None, headers: Mapping[str, str], seconds: float) -> None:
    """Tell of one call. Without an answer ``status`` is None."""
    if not signals.box_called.receivers:  # what they would be told takes time, on each call
        return
    signals.tell(
        signals.box_called,
        method=method,
        path=path_without_ids(url),
        status=status,
        seconds=seconds,
        box_request_id=printable(headers.get("BOX-REQUEST-ID", ""))[:100],
    )


def read_whole(answer: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
    """Read the body, whatever comes at a time: the socket's own time-out starts anew with each byte.

    An answer that has begun gets a second at least: a process that was stopped finds all of it in its socket. Raises
    errors of `requests`.
    """
    deadline = max(deadline, time.monotonic() + 1.0)
    chunks = []
    try:
        while chunk := answer.read1(65536, decode_content=True):
            chunks.append(chunk)
            if time.monotonic() > deadline:
                raise requests.exceptions.ReadTimeout("the answer took too long")
    except urllib3.exceptions.ReadTimeoutError as error:
        raise requests.exceptions.ReadTimeout(error) from None
    except urllib3.exceptions.HTTPError as error:  # cut off, or not what its headers say
        raise requests.exceptions.ConnectionError(error) from None
    finally:
        if answer.length_remaining:
            answer.close()  # not to be used again
    answer.release_conn()
    return b"".join(chunks)


def _proxies_for(scheme: str, netloc: str) -> MutableMapping[str, str]:
    host = urlsplit(f"//{netloc}").hostname
    if host in LOOPBACK:  # a proxy elsewhere cannot reach this machine's own ports
        return {}
    return cast(MutableMapping[str, str], get_environ_proxies(f"{scheme}://{netloc}/"))
