"""Uploads as forms: read piece by piece, in the order in which the parts come."""

from __future__ import annotations

from collections.abc import Callable
from typing import IO

from werkzeug.datastructures import Headers
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from .contents import Contents, Draft
from .errors import ApiError, refused

_PIECE = 1 << 16
_LONGEST_FIELD = 1 << 20


class Form:
    """A form with one file in it. Use it in a ``with`` block, at the end of which the file's bytes are gone."""

    def __init__(self, contents: Contents) -> None:
        self.fields: dict[str, bytes] = {}
        self.filename = ""
        self.content_type = ""
        self.draft: Draft | None = None
        self._contents = contents

    def read(self, stream: IO[bytes], boundary: str | None, before_file: Callable[[Form], None]) -> Draft:
        """Read all of it, and return the file: the first part with a file name, whatever its name (or ``file``).

        ``before_file`` is called where the file begins, to refuse it before its bytes come.
        """
        if not boundary:
            raise ApiError(400, "The body is no multipart form")
        decoder, name, size = MultipartDecoder(boundary.encode("latin-1", "replace"), 1 << 20), "", 0
        try:
            while True:
                event = decoder.next_event()
                if isinstance(event, NeedData):
                    piece = stream.read(_PIECE)
                    decoder.receive_data(piece or None)
                elif isinstance(event, Field | File):
                    name, is_file = event.name or "", isinstance(event, File) or event.name == "file"
                    if is_file and name != "attributes" and self.draft is None:
                        self._begin(event.headers, getattr(event, "filename", None))
                        before_file(self)
                        self.draft, name = self._contents.draft(), ""
                    elif name == "attributes" and self.draft:
                        raise refused("metadata_after_file_contents")
                    elif name:
                        self.fields[name], size = b"", 0
                elif isinstance(event, Data):
                    size += len(event.data)
                    if not name and self.draft:
                        self.draft.write(event.data)
                    elif size > _LONGEST_FIELD:
                        raise ApiError(413)
                    elif name:
                        self.fields[name] += event.data
                elif isinstance(event, Epilogue):
                    break
        except (ValueError, RequestEntityTooLarge):
            raise ApiError(400, "The form breaks off, or cannot be read") from None
        if self.draft is None:
            raise ApiError(400, "The form has no file")
        return self.draft

    def _begin(self, headers: Headers, filename: str | None) -> None:
        self.filename, self.content_type = filename or "", headers.get("Content-Type", "")

    def __enter__(self) -> Form:
        return self

    def __exit__(self, *error: object) -> None:
        if self.draft:
            self.draft.__exit__(None, None, None)
