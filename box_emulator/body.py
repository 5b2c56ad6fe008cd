"""A request's body as it comes over the wire: of a known length, or in chunks."""

from __future__ import annotations

import io
from email.message import Message
from io import BufferedIOBase
from typing import Any

from werkzeug.exceptions import BadRequest

_LONGEST_LINE = 4096


class BadBody(BadRequest):
    """The body does not follow HTTP/1.1, or breaks off. An app that reads it answers 400."""


class Body(io.RawIOBase):
    """Ends where the body ends, so that the next request on the connection can be read."""

    def __init__(self, source: BufferedIOBase, length: int, *, chunked: bool = False) -> None:
        self._source = source
        self._left = length  # of the body, or of the chunk at hand
        self._more = chunked  # chunks to come

    @classmethod
    def of(cls, headers: Message, source: BufferedIOBase) -> Body:
        """Raise `BadBody` for lengths that are none, and for codings that nobody here knows."""
        coding = headers.get("Transfer-Encoding", "").strip().lower()
        lengths = set(headers.get_all("Content-Length", []))
        if coding:
            if coding != "chunked" or lengths:
                raise BadBody
            return cls(source, 0, chunked=True)
        if len(lengths) > 1:
            raise BadBody
        text = lengths.pop().strip() if lengths else "0"
        if not (text.isascii() and text.isdecimal() and len(text) < 19):
            raise BadBody
        return cls(source, int(text))

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._left and self._more:
            self._next_chunk()
        if not self._left:
            return 0
        data = self._source.read1(min(self._left, len(memoryview(buffer))))
        if not data:
            raise BadBody
        memoryview(buffer)[: len(data)] = data
        self._left -= len(data)
        if not self._left and self._more:
            self._line()  # the end of a chunk
        return len(data)

    def drained(self, most: int) -> bool:
        """Read and forget what the app left unread, up to ``most`` bytes. Tell whether that was all."""
        while most > 0 and (data := self.read(1 << 16)):
            most -= len(data)
        return most > 0

    def _next_chunk(self) -> None:
        try:
            self._left = int(self._line().partition(b";")[0], 16)
        except ValueError:
            raise BadBody from None
        if self._left < 0:
            raise BadBody
        if not self._left:
            self._more = False
            while self._line():  # trailers
                pass

    def _line(self) -> bytes:
        line = self._source.readline(_LONGEST_LINE)
        if not line.endswith(b"\n"):
            raise BadBody
        return line.strip()
