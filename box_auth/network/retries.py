"""How long a page waits for Box, what is tried again, and what never is."""

from __future__ import annotations

import copy
import email.utils
import json
import random
import time
from typing import Any, cast

import requests
import urllib3
from box_sdk_gen import BoxAPIError, BoxSDKError, NetworkSession
from box_sdk_gen.networking import BoxNetworkClient, NetworkClient
from box_sdk_gen.networking.fetch_options import FetchOptions, ResponseFormat
from box_sdk_gen.networking.fetch_response import FetchResponse
from box_sdk_gen.networking.retries import RetryStrategy
from box_sdk_gen.networking.timeout_config import TimeoutConfig

from ..errors import BoxAuthError, BoxUnavailable
from .body import RequestBody, StreamFailed
from .condition import why_untrusted
from .http import PooledSession
from .json_calls import JsonCalls

BUDGET = 10.0  # seconds a page waits for one call to Box, retries and all
SHORT_BUDGET = 2.5  # the same where the page can go on without an answer
LONG_BUDGET = 40.0  # the same for a refresh, which goes on when the page has given up
CONNECT = 3.0  # seconds to make a connection
READ = 6.0  # seconds for Box to begin its answer; contents (uploads, downloads) get READ_CONTENT
READ_CONTENT = 60.0
# A POST may have taken effect although its answer was lost; a DELETE repeated would answer 404.
REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS", "PUT"})


class RetryingClient(NetworkClient):
    """Sends the SDK's requests with a retry policy made for pages: bounded in time, and never a blind repeat.

    Raises `BoxUnavailable` when Box is away, slow, busy or down, and leaves Box's refusals (401, 404, 409 …) to the
    caller as the SDK's `BoxAPIError`.
    """

    def __init__(self, http: PooledSession, budget: float, read: float = READ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._http = http
        self._budget, self._read = budget, read
        self._json = JsonCalls(http)
        self._sdk = BoxNetworkClient(requests_session=http)

    def fetch(self, options: FetchOptions) -> FetchResponse:
        return self.fetch_by(time.monotonic() + self._budget, options)

    def fetch_by(self, deadline: float, options: FetchOptions) -> FetchResponse:
        """Fetch, and begin no attempt after ``deadline`` (monotonic seconds)."""
        body = RequestBody(options)
        options = body.options
        method = options.method.upper()
        attempt = 0
        while True:
            attempt += 1
            try:
                response = self._send(options, deadline)
                # For a thumbnail that is not made yet Box names a picture in its place; a page can go without.
                later = response.status == 202 and method in REPEATABLE and "/thumbnail." not in options.url
                wait = _pause(response.headers, attempt) if later else None
                if wait is None or not _fits(wait, deadline):
                    return response
            except BoxAPIError as error:
                status = error.response_info.status_code
                if status != 429 and (status < 500 or status == 501):
                    raise
                wait = _pause(error.response_info.headers, attempt, default=0.3)
                repeatable = status == 429 or method in REPEATABLE
                if wait is None or not (repeatable and body.rewindable and _fits(wait, deadline)):
                    raise _unavailable(error) from None
            except BoxSDKError as error:
                problem = _no_answer(error.error)
                wait = 0.3 * attempt
                again = problem.code == "box_unreachable" and method in REPEATABLE
                if not (again and attempt < 3 and body.rewindable and _fits(wait, deadline)):
                    raise problem from None
            time.sleep(wait)
            body.rewind()

    def _send(self, options: FetchOptions, deadline: float) -> FetchResponse:
        """Make one attempt, within the time left."""
        session = cast(NetworkSession, options.network_session)
        contents = options.response_format == ResponseFormat.BINARY or options.url.startswith(
            session.base_urls.upload_url + "/"
        )
        left = max(0.1, deadline - time.monotonic())
        connect, read = min(CONNECT, left), READ_CONTENT if contents else min(self._read, left)
        timeout = urllib3.Timeout(connect=connect, read=read)
        try:
            response = None if contents else self._json.fetch(options, timeout, deadline)
            if response is None:
                once = copy.copy(options)
                config = TimeoutConfig(connection_timeout_ms=int(connect * 1000), read_timeout_ms=int(read * 1000))
                once.network_session = session.with_timeout_config(config)
                self._http.read_whole_by(None if contents else deadline)
                response = self._sdk.fetch(once)
        except StreamFailed as failed:
            raise failed.error from failed.error.__cause__
        except OSError:  # the file that REQUESTS_CA_BUNDLE names; what the network does comes as an SDK error
            raise BoxUnavailable("ca_bundle_missing") from None
        except (RecursionError, AttributeError):  # JSON nested beyond reading; a refusal whose body is no object
            if options.file_stream or options.multipart_data:  # it may be a stream's own
                raise
            raise BoxUnavailable("box_bad_answer") from None
        if options.response_format == ResponseFormat.JSON and response.status != 202 and not _makes_sense(response):
            raise BoxUnavailable("box_bad_answer")
        _mend_halves(response)
        return response


class NoRetries(RetryStrategy):
    """Keeps the SDK from repeating anything: it sleeps after a 401 and repeats refreshes (`RetryingClient` decides)."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    def should_retry(self, fetch_options: FetchOptions, fetch_response: FetchResponse, attempt_number: int) -> bool:
        return False

    def retry_after(self, fetch_options: FetchOptions, fetch_response: FetchResponse, attempt_number: int) -> float:
        return 0.0


def _fits(wait: float, deadline: float) -> bool:
    return time.monotonic() + wait + 0.5 < deadline


def _pause(headers: Any, attempt: int, default: float | None = None) -> float | None:
    """Return the seconds to wait before the next attempt: what Box asks for, or a growing pause with jitter."""
    asked = _retry_after(headers)
    if asked is not None:
        return asked
    return None if default is None else default * 2 ** (attempt - 1) * random.uniform(0.5, 1.5)  # noqa: S311


def _retry_after(headers: Any) -> float | None:
    """Read Retry-After, in seconds or as an HTTP date (RFC 9110, 10.2.3)."""
    text = next((str(value) for name, value in dict(headers).items() if name.lower() == "retry-after"), "").strip()
    if text.isascii() and text.isdigit():
        return float(min(int(text), 86400)) if len(text) < 10 else 86400.0
    try:
        return min(max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time()), 86400.0)
    except (ValueError, TypeError, OverflowError):
        return None


def _unavailable(error: BoxAPIError) -> BoxUnavailable:
    asked = _retry_after(error.response_info.headers)
    code = "box_busy" if error.response_info.status_code == 429 else "box_down"
    return BoxUnavailable(code, retry_after=None if asked is None else int(asked) + 1)


def _no_answer(cause: Exception | None) -> BoxAuthError:
    if isinstance(cause, requests.exceptions.SSLError | urllib3.exceptions.SSLError):
        return BoxUnavailable("box_tls", why_untrusted(cause))
    if isinstance(cause, requests.exceptions.ProxyError | urllib3.exceptions.ProxyError):
        return BoxUnavailable("box_proxy")
    if isinstance(cause, requests.exceptions.ReadTimeout | urllib3.exceptions.ReadTimeoutError):
        return BoxUnavailable("box_slow")
    return BoxUnavailable("box_unreachable")


def _makes_sense(response: FetchResponse) -> bool:
    # The SDK reads a body that is no JSON as an empty object, and then fails far from the cause; so it does for a list,
    # and for entries, all of which Box documents as objects, that are none.
    data: Any = response.data
    if not isinstance(data, dict):
        return False
    if not data:
        return bool(getattr(response.content, "getvalue", bytes)() == b"{}")
    entries = [] if data.get("entries") is None else data["entries"]
    return isinstance(entries, list) and all(isinstance(entry, dict) and entry for entry in entries)


def _mend_halves(response: FetchResponse) -> None:
    """Put “?” for half a character (a lone surrogate), which JSON can write and no page, file or terminal can."""
    raw = getattr(response.content, "getvalue", bytes)()
    # The first question is the quickest to answer, and few answers have a backslash.
    if b"\\" in raw and (b"\\ud" in raw or b"\\uD" in raw) and response.data:
        response.data = json.loads(json.dumps(response.data, ensure_ascii=False).encode("utf-8", "replace"))
