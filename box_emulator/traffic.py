"""The wire between clients and the emulator: what came by, and what shall go wrong on the way."""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from flask import Response

from .clock import Clock
from .errors import ApiError, OAuthError, unauthorized
from .locks import fork_safe_lock

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

_KEPT = 10_000  # requests that the log remembers; the counters have no end


@dataclass(frozen=True)
class Request:
    """A request that came by. ``status`` is None if there was no answer. Never a query string, never a token."""

    method: str
    path: str
    status: int | None
    at: float


class RequestLog:
    """The requests that came by, oldest first, and how many there were of each kind."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = fork_safe_lock()
        self.clear()

    def add(self, method: str, path: str, status: int | None) -> None:
        request = Request(method, path, status, self._clock.now())
        with self._lock:
            self._requests.append(request)
            self._counts[method, path, status] += 1

    def count(self, route: str = "*", status: int | None = None) -> int:
        """Count requests of a route, such as ``POST /oauth2/token`` or ``GET /2.0/*``, and of a status if given."""
        return sum(
            times
            for (method, path, got), times in self.counts().items()
            if fnmatchcase(f"{method} {path}", route) and status in (None, got)
        )

    def counts(self) -> dict[tuple[str, str, int | None], int]:
        """Return how often each method, path and status occurred."""
        with self._lock:
            return dict(self._counts)

    def clear(self) -> None:
        with self._lock:
            self._requests: deque[Request] = deque(maxlen=_KEPT)
            self._counts: Counter[tuple[str, str, int | None]] = Counter()

    def __iter__(self) -> Iterator[Request]:
        with self._lock:
            return iter(list(self._requests))

    def __len__(self) -> int:
        with self._lock:
            return len(self._requests)


@dataclass
class Fault:
    """Something that goes wrong; `Emulator.fault` tells what the parts mean."""

    route: str
    times: int
    status: int | None
    retry_after: int | str | None
    body: str | None
    content_type: str
    latency: float
    drop: str | None

    def __post_init__(self) -> None:
        if self.drop not in (None, "before", "during", "after"):
            raise ValueError("A connection drops before, during or after.")
        if type(self.times) is not int or (self.status is not None and type(self.status) is not int):
            raise ValueError("Status and times are whole numbers.")
        if isinstance(self.body, (dict, list)):
            self.body = json.dumps(self.body)
        if not isinstance(self.body, (str, type(None))):
            raise ValueError("A body is text, or JSON.")
        if not isinstance(self.retry_after, (int, str, type(None))) or not isinstance(self.content_type, str):
            raise ValueError("A Retry-After is a number or text, a content type is text.")
        if any(character in f"{self.content_type}{self.retry_after}" for character in "\r\n"):
            raise ValueError("A content type and a Retry-After have one line.")
        if type(self.latency) not in (int, float) or not 0 <= self.latency <= 3600:
            raise ValueError("A latency is from 0 to 3600 seconds.")
        if self.status is not None and not 200 <= self.status <= 599:
            raise ValueError("A status is a number from 200 to 599.")
        if not isinstance(self.route, str) or self.times < 1:
            raise ValueError("A fault has a route, and one time or more.")

    def answer(self, path: str) -> Response:
        """The answer that stands in for the real one: the given body, or an error of the shape Box would use."""
        status = self.status or 500
        if self.body is not None:
            response = Response(self.body, status, content_type=self.content_type)
        elif status < 400:
            response = Response(status=status)
        elif path.startswith(("/oauth2/", "/api/oauth2/")):
            response = OAuthError("server_error", "The Box emulator was asked to fail").response()
            response.status_code = status
        else:
            response = unauthorized(token_given=True) if status == 401 else ApiError(status).response()
        if self.retry_after is not None:
            response.headers["Retry-After"] = str(self.retry_after)
        return response


class Faults:
    """The faults that wait for a request, oldest first."""

    def __init__(self) -> None:
        self._lock = fork_safe_lock()
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._waiting.append(fault)

    def take(self, method: str, path: str) -> Fault | None:
        """Use up one time of the first fault for this route."""
        with self._lock:
            for fault in self._waiting:
                if fnmatchcase(f"{method} {path}", fault.route):
                    fault.times -= 1
                    if not fault.times:
                        self._waiting.remove(fault)
                    return fault
        return None

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()

    def __iter__(self) -> Iterator[Fault]:
        with self._lock:
            return iter(list(self._waiting))


class Traffic:
    """WSGI middleware that applies the faults and keeps the log. Needs the emulator's own server to cut connections."""

    def __init__(self, app: WSGIApplication, faults: Faults, requests: RequestLog) -> None:
        self._app = app
        self._faults = faults
        self._requests = requests

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        method, path = str(environ["REQUEST_METHOD"]), str(environ.get("PATH_INFO", ""))
        if path.startswith("/_emulator/"):
            return self._app(environ, start_response)
        fault = self._faults.take(method, path)
        if fault and fault.latency and environ["box_emulator.stopping"].wait(fault.latency):
            environ["box_emulator.drop"]()
        if fault and fault.drop == "before":
            self._requests.add(method, path, None)
            environ["box_emulator.drop"]()
        app = fault.answer(path) if fault and fault.status else self._app
        if isinstance(app, Response) and "HTTP_ORIGIN" in environ:  # a page in a browser shall see what went wrong
            app.headers["Access-Control-Allow-Origin"] = "*"
        return self._answer(app, fault.drop if fault else None, environ, start_response)

    def _answer(
        self, app: WSGIApplication, drop: str | None, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            logged = None if drop == "after" else int(status[:3])
            self._requests.add(str(environ["REQUEST_METHOD"]), str(environ.get("PATH_INFO", "")), logged)
            return (lambda data: None) if drop == "after" else start_response(status, headers, exc_info)

        answer = app(environ, start)
        return answer if drop is None else _cut(answer, environ, half=drop == "during")


def _cut(answer: Iterable[bytes], environ: WSGIEnvironment, *, half: bool) -> Iterator[bytes]:
    """Let the answer be made, send half of it or nothing, and cut the connection."""
    body = b"".join(answer)
    if hasattr(answer, "close"):
        answer.close()
    if half:
        yield body[: len(body) // 2]
    environ["box_emulator.drop"]()
