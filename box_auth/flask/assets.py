"""Static files at addresses that change with what is in them, so that browsers keep them for ever; compressed once.

Pages are not compressed: they hold what a visitor sent beside the token that protects forms, which could then be
guessed by the length of the answers (BREACH).
"""

from __future__ import annotations

import gzip
import hashlib
import os
import stat
import threading
import time
from pathlib import Path
from typing import Any

from flask import Flask, Response, request
from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.security import safe_join

FOREVER = "public, max-age=31536000, immutable"
LARGEST = 2 * 1024 * 1024  # bytes of a file that is read whole; larger ones are served as Flask does it
SMALLEST = 1400  # bytes that one packet has room for: compressing fewer gains nothing
KEPT = 8 * 1024 * 1024  # bytes of compressed files in memory
_SETTLED = 2_000_000_000  # nanoseconds: the coarsest clock of a file system that is in use
_TEXT = ("text/", "application/javascript", "application/json", "application/manifest+json", "application/wasm",
         "application/xml", "image/svg+xml")  # fmt: skip


def install(app: Flask) -> None:
    """Have ``url_for("static", filename=…)``, and that of every blueprint, name the content of the file in its query
    (``?v=…``). With that the answer may be kept for ever; without it, or with another, it is asked for again as Flask
    has it. What the app says itself of how long its files may be kept stays."""
    assets = _Assets(app)
    app.url_defaults(assets.name_content)
    app.after_request(assets.finish)


def keep_from_others(response: Response) -> None:
    """Have no cache but the browser's keep a static file that a hook of the app's looked at the session for."""
    if response.headers.get("Cache-Control") == FOREVER:
        response.headers["Cache-Control"] = FOREVER.replace("public", "private")


def _is_static(endpoint: str | None) -> bool:
    """Tell whether an endpoint is Flask's own for static files, the app's or a blueprint's."""
    return endpoint is not None and (endpoint == "static" or endpoint.endswith(".static"))


class _Assets:
    """What is known of an app's files. The name of what is in one is a hash of all its bytes."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._names: dict[tuple[str, str], tuple[str, tuple[int, ...], str]] = {}
        self._compressed: dict[str, bytes] = {}
        self._compressing = threading.Lock()

    def name_content(self, endpoint: str, values: dict[str, Any]) -> None:
        """Add ``v`` to the values that an address is made of; nothing where there is no such file."""
        if _is_static(endpoint) and "v" not in values and (name := self._name(endpoint, values.get("filename"))):
            values["v"] = name

    def _name(self, endpoint: str, filename: object) -> str | None:
        """Return the name of what is in a file now. It is read again when it has changed, whoever changed it."""
        if not isinstance(filename, str):
            return None
        path, state, name = self._names.get((endpoint, filename)) or (self._path(endpoint, filename), None, None)
        try:
            if path is None or (now := _state(path)) == state:
                return name
            if not stat.S_ISREG(now[0]) or now[1] > LARGEST:
                return None
            # A second change within one tick of the clock would not show, so what is that new is not remembered.
            settled = time.time_ns() - max(now[2:4]) > _SETTLED
            name = _hash(Path(path).read_bytes())
        except (OSError, ValueError):  # no file, or not even a path
            return None
        if settled and path.endswith(f"/{filename}"):  # written with dots between, it would have names without end
            self._names[endpoint, filename] = path, now, name
        return name

    def _path(self, endpoint: str, filename: str) -> str | None:
        of = self._app if endpoint == "static" else self._app.blueprints.get(endpoint.removesuffix(".static"))
        return safe_join(of.static_folder, filename) if of and of.static_folder else None

    def finish(self, response: Response) -> Response:
        """Say how long a static file may be kept, and compress it. Parts and answers without a body are as Flask has
        them."""
        # What is no file is a page of the app's own that has such a name.
        if not _is_static(request.endpoint) or not response.direct_passthrough:
            return response
        is_text, length = (response.mimetype or "").startswith(_TEXT), response.content_length
        if is_text:
            response.vary.add("Accept-Encoding")
        by_others = "Content-Encoding" in response.headers or "X-Sendfile" in response.headers
        if response.status_code == 200 and not by_others and length is not None and length <= LARGEST:
            response.direct_passthrough = False
            self._finish(response, response.get_data(), is_text)
        return response

    def _finish(self, response: Response, body: bytes, is_text: bool) -> None:
        """The bytes that go out are what counts: the file may have changed since its address was made, or another
        instance have made that. Nothing is kept under the name of something else."""
        name, headers = _hash(body), response.headers
        by_flask = headers.get("Cache-Control") == "no-cache" and "Set-Cookie" not in headers
        if by_flask and request.args.get("v") == name:
            headers["Cache-Control"] = FOREVER
        if is_text and len(body) >= SMALLEST and request.accept_encodings.quality("gzip") > 0:
            response.set_data(self._gzip(name, body))
            response.set_etag(f"{name}-gzip")
            headers["Content-Encoding"] = "gzip"
            headers.pop("Accept-Ranges", None)
            response.make_conditional(request.environ)
            return
        response.set_etag(name)
        try:
            response.make_conditional(request.environ, accept_ranges=True, complete_length=len(body))
        except RequestedRangeNotSatisfiable:  # all of it will do
            pass

    def _gzip(self, name: str, body: bytes) -> bytes:
        """Return the compressed form of a file. The first that was compressed goes first when there are too many."""
        if known := self._compressed.get(name):
            return known
        with self._compressing:
            compressed = self._compressed.get(name) or gzip.compress(body, mtime=0)
            while self._compressed and sum(map(len, self._compressed.values())) + len(compressed) > KEPT:
                del self._compressed[next(iter(self._compressed))]
            self._compressed[name] = compressed
            return compressed


def _hash(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:12]


def _state(path: str) -> tuple[int, ...]:
    """Return what no change leaves as it was: a copy may keep the time of the content, but not that of the inode."""
    now = os.stat(path)
    return now.st_mode, now.st_size, now.st_mtime_ns, now.st_ctime_ns, now.st_ino
