"""Uploads in parts, for files of 20 MB and more."""

from __future__ import annotations

import base64
import binascii
import re

from flask import Response, jsonify, request

from ..clock import iso
from ..content import check_etag, item, me, root, routes, target
from ..emulator import here
from ..errors import ApiError, bad_parameter, refused
from ..forms import Form
from ..json_body import ID, TIME, json_body
from ..names import check_name
from ..paging import MAX_LIMIT, number, offset_of
from ..upload_sessions import PART_SIZE, Part, Session
from .uploads import answer, check_new

_SESSION = "/files/upload_sessions/<session_id>"
_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})")
_PIECE = 1 << 16


@routes.post("/files/upload_sessions")
def start() -> tuple[Response, int]:
    wanted = json_body({"folder_id": ID, "file_size": int, "file_name": str}, "folder_id", "file_size", "file_name")
    check_new(wanted["file_name"], wanted["folder_id"])
    here().versions.check_space(me().id, wanted["file_size"])
    opened = here().sessions.start(me().id, None, wanted["folder_id"], wanted["file_name"], wanted["file_size"])
    return jsonify(_form(opened)), 201


@routes.post("/files/<file_id>/upload_sessions")
def start_version(file_id: str) -> tuple[Response, int]:
    file = item("file", file_id, "write")
    wanted = json_body({"file_size": int, "file_name": str}, "file_size")
    name = check_name(wanted.get("file_name", file.name))
    here().tree.check_free(here().tree.folder(me().id, str(file.parent)), name, "file", file.id)
    here().versions.check_space(me().id, wanted["file_size"])
    opened = here().sessions.start(me().id, file.id, str(file.parent), name, wanted["file_size"])
    return jsonify(_form(opened)), 201


@routes.get(_SESSION)
def status(session_id: str) -> Response:
    return jsonify(_form(_session(session_id)))


@routes.put(_SESSION)
def put_part(session_id: str) -> Response:
    """One part: its place in ``Content-Range``, its SHA-1 in ``Digest`` (OpenAPI, put_files_upload_sessions_id)."""
    session, place = _session(session_id), _RANGE.fullmatch(request.headers.get("Content-Range", "").strip())
    if not place:
        raise bad_parameter("content-range", request.headers.get("Content-Range", "")[:100])
    begin, end, total = map(int, place.groups())
    here().sessions.check_range(session, begin, end, total)
    digest = _digest()
    with here().contents.draft() as draft:
        while draft.size <= PART_SIZE and (piece := request.stream.read(_PIECE)):
            draft.write(piece)
        if draft.size != end - begin + 1:
            raise refused("invalid_range")
        if draft.sha1 != digest:
            raise refused("precondition_failed", "The digest is not that of the part")
        part = here().sessions.put(session, begin, draft)
    return jsonify({"part": _part_form(part)})


@routes.delete(_SESSION)
def abort(session_id: str) -> Response:
    """Forget a session; after its commit, too (reported of a client that cleans up behind itself)."""
    here().sessions.end(_session(session_id, committed=True).id)
    return Response(status=204)


@routes.get(f"{_SESSION}/parts")
def list_parts(session_id: str) -> Response:
    parts = here().sessions.parts(_session(session_id))
    limit, offset = number(request.args, "limit", MAX_LIMIT, 1, MAX_LIMIT), offset_of(request.args)
    entries = [_part_form(part) for part in parts[offset : offset + limit]]
    return jsonify({"total_count": len(parts), "entries": entries, "limit": limit, "offset": offset, "order": []})


@routes.post(f"{_SESSION}/plan")
def plan(session_id: str) -> Response:
    """Say that all parts must be uploaded. Not in the description; the official SDK asks (box_sdk_gen 10.18)."""
    session, wanted = _session(session_id), json_body({"parts": list}, "parts")
    return jsonify({"upload_session_id": session.id, "hits": [], "misses": wanted["parts"]})


@routes.post(f"{_SESSION}/commit")
def commit(session_id: str) -> tuple[Response, int]:
    """Make the file or the version (OpenAPI, post_files_upload_sessions_id_commit)."""
    session, emulator = _session(session_id), here()
    times = {"content_created_at": (TIME,), "content_modified_at": (TIME,)}
    wanted = json_body({"parts": list, "attributes": {"description": str} | times}, "parts")
    attributes, digest = wanted.get("attributes", {}), _digest()
    named = [part.get("part_id") if isinstance(part, dict) else None for part in wanted["parts"]]
    with emulator.contents.draft() as draft:
        emulator.sessions.join(session, named, draft)
        if draft.sha1 != digest:
            raise refused("bad_digest")
        with emulator.database.transaction():
            if session.item:
                file = item("file", session.item, "write")
                check_etag(file)
                made = emulator.tree.add_version(file, draft, session.name, attributes.get("content_modified_at"))
            else:
                made = emulator.tree.add(me().id, session.name, parent=session.parent, draft=draft, **attributes)
    emulator.sessions.finish(session)
    return answer(made, "item_modify" if session.item else "item_upload")


def _session(session_id: str, *, committed: bool = False) -> Session:
    if not re.fullmatch(r"[0-9A-Fa-f]+", session_id):
        raise refused("invalid_upload_session_id")
    session = here().sessions.get(me().id, session_id.upper(), committed=committed)
    target(session.item or session.parent)
    return session


def _digest() -> str:
    """Read ``Digest: sha=…`` in base64, and return it in hex (RFC 3230)."""
    kind, _, value = request.headers.get("Digest", "").strip().partition("=")
    try:
        digest = base64.b64decode(value, validate=True).hex()
    except (binascii.Error, ValueError):
        digest = ""
    if kind.lower() != "sha" or len(digest) != 40:
        raise ApiError(400, "The header Digest is no sha=BASE64_OF_SHA1")
    return digest


def _form(session: Session) -> Form:
    at = f"{root()}/api/2.0/files/upload_sessions/{session.id}"
    return {
        "type": "upload_session",
        "id": session.id,
        "session_expires_at": iso(session.expires_at),
        "part_size": PART_SIZE,
        "total_parts": session.total_parts,
        "num_parts_processed": len(here().sessions.parts(session)),
        "session_endpoints": {
            "plan": f"{at}/plan",
            "upload_part": at,
            "commit": f"{at}/commit",
            "abort": at,
            "list_parts": f"{at}/parts",
            "status": at,
            "log_event": f"{at}/log",
        },
    }


def _part_form(part: Part) -> Form:
    return {"part_id": part.id, "offset": part.start, "size": part.size, "sha1": part.sha1}
