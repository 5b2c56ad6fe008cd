"""What a request sends from streams: whether it can be sent a second time, and how."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from box_sdk_gen.networking.fetch_options import FetchOptions

_CHUNK = 65536  # bytes


class RequestBody:
    """The streams that one request sends, which must be rewound before it is sent again.

    ``options`` are those to send. A stream there may be anything that has ``read``, although the SDK asks for more.
    """

    def __init__(self, options: FetchOptions) -> None:
        self.options = copy.copy(options)
        self.rewindable = True
        self._places: list[tuple[Any, int]] = []
        if options.file_stream is not None:
            self.options.file_stream = self._taken(options.file_stream)
        if options.multipart_data:
            self.options.multipart_data = parts = [copy.copy(part) for part in options.multipart_data]
            for part in parts:
                if part.file_stream is not None:
                    part.file_stream = self._taken(part.file_stream)

    def rewind(self) -> None:
        for stream, place in self._places:
            stream.seek(place)

    def _taken(self, stream: Any) -> Any:
        """Note where the stream is, and return what the SDK can send of it."""
        try:
            if stream.seekable():
                self._places.append((stream, stream.tell()))
                return stream
        except (AttributeError, OSError):  # it does not say, or fails when asked
            pass
        self.rewindable = False
        return stream if isinstance(stream, _OneWay) else _OneWay(stream)


class StreamFailed(Exception):
    """A stream of the caller's raised ``error``, which nobody on the way must take for a failure of Box's: urllib3 goes
    on after a BrokenPipeError, and waits for Box's answer."""

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error


class _OneWay:
    """A stream that can be read once, from its beginning to its end, and says so. Reading raises `StreamFailed`."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def seekable(self) -> bool:
        return False

    def read(self, size: int = -1) -> Any:
        try:
            data = self._stream.read(size)
            if data is None:  # it does not wait; taken for its end, half of it would be uploaded
                raise BlockingIOError("the stream to upload has nothing to read yet")
        except Exception as error:
            raise StreamFailed(error) from None
        return data

    def __iter__(self) -> Iterator[Any]:
        return iter(lambda: self.read(_CHUNK), b"")
