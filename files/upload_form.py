"""An upload as it comes in: a form whose file is the last part, read piece by piece, and kept nowhere."""

import hashlib

from flask import abort, current_app, request
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.exceptions import ClientDisconnected
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

PIECE = 1 << 16  # bytes read at a time
MOST_FIELDS = 1 << 16  # bytes that all fields before the file may have
MOST_DRAINED = 1 << 28  # bytes read and forgotten so that a browser, which sends all before it listens, hears a refusal


class UploadForm:
    """The form of the request at hand, read up to its file: ``name`` and ``size`` (bytes) of that, and `read` for it;
    ``sha1`` is the hash of what was read.

    Flask's own `request.form` would write the file to the disk first. The fields before the file are put there.
    """

    def __init__(self):
        boundary = request.mimetype_params.get("boundary", "")
        if request.mimetype != "multipart/form-data" or not boundary or request.content_length is None:
            abort(400, "An upload is a form with a file, and says how long it is.")
        self._decoder = MultipartDecoder(boundary.encode("latin-1", "replace"), 4 * PIECE, max_parts=20)
        self._stream, self._received, self._passed = request.stream, 0, 0
        self._piece, self._ended = memoryview(b""), False
        self.sha1 = hashlib.sha1()  # noqa: S324 - Box's
        fields, filename = self._fields()
        request.form, request.files = ImmutableMultiDict(fields), ImmutableMultiDict()
        self.name = fields.get("name") or filename
        # The file is the last part: behind it there is nothing but the form's last line.
        behind = len(f"\r\n--{boundary}--\r\n")
        at = self._received - len(self._decoder.buffer) + len("\r\n")
        self.size = request.content_length - at - behind

    def check_token(self):
        """Do what Flask-WTF does for every other form; it leaves this one out, as it would read all of it first."""
        if current_app.config["WTF_CSRF_ENABLED"]:
            current_app.extensions["csrf"].protect()

    def read(self, size=-1):
        """Return up to ``size`` bytes of the file, b"" at its end. Raises `ClientDisconnected` where it breaks off."""
        while not self._piece and not self._ended:
            event = self._next()
            if isinstance(event, Data):
                self._passed += len(event.data)
                self._piece, self._ended = memoryview(event.data), not event.more_data
                if self._passed > self.size or (self._ended and self._passed != self.size):
                    abort(400, "The file has to be the last part of the form.")
        piece, self._piece = self._piece[: size if size >= 0 else None], self._piece[size if size >= 0 else PIECE :]
        self.sha1.update(piece)
        return bytes(piece)

    @property
    def ended(self):
        """Whether all of the file was read."""
        return self._ended and not self._piece

    def drain(self):
        """Read and forget what is left, within bounds."""
        for _ in range(MOST_DRAINED // PIECE):
            if not self._some():
                return

    def _fields(self):
        """Return the fields before the file, and the file's name."""
        fields, name = {}, ""
        while True:
            event = self._next()
            if isinstance(event, File):
                return {name: value.decode("utf-8", "replace") for name, value in fields.items()}, event.filename or ""
            if isinstance(event, Field):
                name = event.name or ""
                fields[name] = b""
            elif isinstance(event, Data):
                fields[name] += event.data
            elif isinstance(event, Epilogue):
                abort(400, "The form has no file.")
            if sum(map(len, fields.values())) > MOST_FIELDS:
                abort(413)

    def _next(self):
        try:
            while isinstance(event := self._decoder.next_event(), NeedData):
                piece = self._some()
                if not piece:
                    raise ClientDisconnected
                self._received += len(piece)
                self._decoder.receive_data(piece)
        except ValueError:
            abort(400, "The form cannot be read.")
        return event

    def _some(self):
        try:
            return self._stream.read(PIECE)
        except (OSError, ClientDisconnected):  # a connection that was cut; servers tell it in ways of their own
            return b""
