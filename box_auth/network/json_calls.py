"""Calls with JSON in and out, nearly all there are, straight over urllib3: `requests` would double what they cost."""

from __future__ import annotations

import contextlib
import io
import json
import time
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

import requests
import urllib3
from box_sdk_gen import BoxAPIError, BoxSDKError, NetworkSession
from box_sdk_gen.box.errors import RequestInfo, ResponseInfo
from box_sdk_gen.networking.box_network_client import USER_AGENT_HEADER, X_BOX_UA_HEADER
from box_sdk_gen.networking.fetch_options import FetchOptions, ResponseFormat
from box_sdk_gen.networking.fetch_response import FetchResponse
from requests.utils import check_header_validity

from .. import request_id
from ..errors import BoxUnavailable
from .http import PooledSession, read_whole, tell

_WRITERS: dict[str, Any] = {"application/json": json.dumps, "application/x-www-form-urlencoded": urlencode}
_ALWAYS = {"User-Agent": USER_AGENT_HEADER, "X-Box-UA": X_BOX_UA_HEADER, "Accept-Encoding": "gzip, deflate"}
_RAW: dict[str, Any] = {"retries": urllib3.Retry(False), "redirect": False}
_RAW |= {"preload_content": False, "decode_content": False}


class JsonCalls:
    """Sends calls once each, over the connections of ``http``, and leaves alone what the SDK's own client must send."""

    def __init__(self, http: PooledSession) -> None:
        self._http = http
        self._pools: dict[str, urllib3.HTTPConnectionPool | None] = {}

    def fetch(self, options: FetchOptions, timeout: urllib3.Timeout, deadline: float) -> FetchResponse | None:
        """Return the answer, read whole by ``deadline`` (monotonic seconds); None where the SDK's client must send it:
        a call with contents, or plain HTTP by a proxy. No redirect is followed: what was sent may have taken effect.

        Raises what the SDK's client does: `BoxAPIError` for a refusal, `BoxSDKError` where there was no answer, and
        `OSError` where the file with certificates is missing; `BoxUnavailable` for an answer that is none.
        """
        write = _WRITERS.get(options.content_type)
        if write is None or options.file_stream or options.response_format == ResponseFormat.BINARY:
            return None
        method, began, status, answered = options.method.upper(), 0.0, None, cast(Mapping[str, str], {})
        try:
            site, target = _address(options)
            headers, body = _headers(options), write(options.data) if options.data else None
            pool = self._pool(site)
            if pool is None:
                return None
            request, began = {"headers": headers, "body": body, "timeout": timeout}, time.monotonic()
            try:
                answer = pool.urlopen(method, target, **request, **_RAW)
            except urllib3.exceptions.ClosedPoolError:  # it made way for connections to other hosts
                answer = self._pool(site, anew=True).urlopen(method, target, **request, **_RAW)
            self._http.condition.answered(answer.headers.get("Date", ""))
            content = read_whole(answer, deadline)
            status, answered = answer.status, answer.headers
        except (urllib3.exceptions.HTTPError, requests.RequestException, ValueError) as error:  # no address, no header
            if isinstance(error, urllib3.exceptions.SSLError):
                self._pool(site, anew=True)  # is the file with certificates there still?
                self._http.condition.untrusted()
            raise BoxSDKError(message=type(error).__name__, error=error) from None
        finally:
            if began:
                tell(method, options.url, status, answered, time.monotonic() - began)
        text, data = content.decode("utf-8", "replace"), cast(Any, {})  # what is no JSON is {} to the SDK's client, too
        with contextlib.suppress(ValueError):
            data = json.loads(text)
        if status >= 400:
            raise _refusal(options, headers, body, answer, data, text)
        if answer.get_redirect_location() and options.follow_redirects:
            raise BoxUnavailable("box_bad_answer")
        return FetchResponse(status, cast(Any, answered), url=options.url, data=data, content=io.BytesIO(content))

    def _pool(self, site: str, anew: bool = False) -> Any:
        """Return the connections to ``site``, or None: `PooledSession.pool_for`."""
        if anew or site not in self._pools:
            self._pools[site] = self._http.pool_for(site)
        return self._pools[site]


def _address(options: FetchOptions) -> tuple[str, str]:
    """Return the site, such as https://api.box.com, and what is asked for there."""
    parts = urlsplit(options.url)
    given = urlencode({key: value for key, value in (options.params or {}).items() if value is not None}, doseq=True)
    query = "&".join(filter(None, (parts.query, given)))
    return f"{parts.scheme}://{parts.netloc}", f"{parts.path or '/'}?{query}" if query else parts.path or "/"


def _headers(options: FetchOptions) -> dict[str, str]:
    session, own = cast(NetworkSession, options.network_session), {**_ALWAYS, "Content-Type": options.content_type}
    if options.auth:
        own["Authorization"] = options.auth.retrieve_authorization_header(network_session=session)
    if name := request_id.current():
        own[request_id.HEADER] = name
    given: list[Any] = [*session.additional_headers.items(), *(options.headers or {}).items()]
    for header in (given := [header for header in given if header[1] is not None]):
        check_header_validity(header)
    return dict({name.lower(): (name, value) for name, value in (*given, *own.items())}.values())


def _refusal(
    options: FetchOptions, headers: dict[str, str], body: str | None, answer: Any, data: Any, text: str
) -> Exception:
    if not isinstance(data, dict):
        return BoxUnavailable("box_bad_answer")
    asked = RequestInfo(options.method, options.url, options.params or {}, headers, body, options.content_type)
    more = {name: data.get(name) for name in ("code", "request_id", "help_url")}
    more["context_info"] = data.get("context_info", {})
    words = f"{answer.status} {data.get('message', '')}; Request ID: {data.get('request_id', '')}"
    said = ResponseInfo(answer.status, dict(answer.headers), data, text, **more)
    return BoxAPIError(asked, said, words, data_sanitizer=cast(NetworkSession, options.network_session).data_sanitizer)
