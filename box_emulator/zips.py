"""Zip archives on the download host: made while they are sent, so that they may be of any size."""

from __future__ import annotations

import zipfile
from collections.abc import Generator, Iterator
from datetime import UTC, datetime
from urllib.parse import quote

from flask import Blueprint, Response

from .archives import Archive
from .emulator import Emulator, here
from .items import Item

_PIECE = 1 << 16
_NOTED_EACH = 50  # files
_EARLIEST, _LATEST = (1980, 1, 1, 0, 0, 0), (2107, 12, 31, 23, 59, 58)  # that the format knows

_Done = Generator[bytes, None, bool]

routes = Blueprint("zips", __name__)


@routes.get("/2.0/zip_downloads/<archive_id>/content")
def content(archive_id: str) -> Response:
    """The archive; its address needs no token, and is good for one download (OpenAPI)."""
    archive = here().archives.start(archive_id)
    response = Response(_stream(here(), archive), content_type="application/octet-stream")
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\' else "_" for c in archive.name)
    names = f"filename=\"{plain}\";filename*=UTF-8''{quote(archive.name, safe='')}"
    response.headers["Content-Disposition"] = f"attachment;{names}"
    return response


def _stream(emulator: Emulator, archive: Archive) -> Iterator[bytes]:
    counts, state, out = dict(archive.counts), "failed", _Buffer()
    try:
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archived:
            for number, (path, item_id) in enumerate(archive.plan, 1):
                item = emulator.items.find(item_id)
                if item is None or item.trash:  # gone since the archive was asked for
                    counts["skipped_folder_count" if path.endswith("/") else "skipped_file_count"] += 1
                elif path.endswith("/"):
                    archived.writestr(_entry(path, item), b"")
                else:
                    done = yield from _file(emulator, archived, path, item, out)
                    counts["downloaded_file_count" if done else "skipped_file_count"] += 1
                if number % _NOTED_EACH == 0:
                    emulator.archives.note(archive, counts)
        yield out.take()
        state = "succeeded"
    finally:  # also if the client goes away
        emulator.archives.note(archive, counts, state)


def _file(emulator: Emulator, archived: zipfile.ZipFile, path: str, item: Item, out: _Buffer) -> _Done:
    try:
        source = emulator.contents.path(str(item.sha1)).open("rb")
    except FileNotFoundError:  # deleted for good a moment ago
        return False
    with source, archived.open(_entry(path, item), "w", force_zip64=True) as target:
        while piece := source.read(_PIECE):
            target.write(piece)
            yield out.take()
    yield out.take()
    return True


def _entry(path: str, item: Item) -> zipfile.ZipInfo:
    at = datetime.fromtimestamp(item.content_modified_at or 0, UTC)
    entry = zipfile.ZipInfo(path, min(_LATEST, max(_EARLIEST, at.timetuple()[:6])))
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = (0o40755 << 16 | 0x10) if path.endswith("/") else 0o100644 << 16
    return entry


class _Buffer:
    """What the archive has written and nobody has sent yet."""

    def __init__(self) -> None:
        self._written = bytearray()

    def write(self, data: bytes) -> int:
        self._written += data
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """The archive is sent by then."""

    def take(self) -> bytes:
        taken = bytes(self._written)
        self._written.clear()
        return taken
