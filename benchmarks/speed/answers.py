"""What the quiet Box answers: one account a user, and folders that are named for their size. Each is made once."""

from __future__ import annotations

import json
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

USERS = 64
SIZES = {"0": 100, "10": 10, "100": 100, "1000": 1_000, "100000": 100_000}  # items of the folders
LAST_OFFSET = 9999  # as Box has it (guides, pagination)
MINI = ("type", "id", "sequence_id", "etag", "name", "sha1", "file_version", "url")  # whatever ``fields`` asks for
KINDS = ("pdf", "docx", "xlsx", "jpg", "txt", "zip", "mp4", "pptx", "csv", "bin")


def name_of(user: int) -> str:
    return f"Person {user:02} Example"


@cache
def account(user: int, query: str) -> bytes:
    number = str(20_000_000 + user)
    values = {
        "type": "user",
        "id": number,
        "name": name_of(user),
        "login": f"person{user:02}@example.com",
        "created_at": "2024-06-10T07:30:59-08:00",
        "modified_at": "2026-06-10T07:30:59-08:00",
        "language": "en",
        "timezone": "America/Los_Angeles",
        "space_amount": 10737418240,
        "space_used": 3650766503,
        "max_upload_size": 5368709120,
        "status": "active",
        "job_title": "",
        "phone": "",
        "address": "",
        "avatar_url": f"https://app.box.com/api/avatar/large/{number}",
        "notification_email": None,
    }
    return json.dumps(asked_for(values, query)).encode()


def item(folder: str, place: int) -> dict[str, Any]:
    """Return an item in full. Folders come first, ten at most; one item in twenty is a web link."""
    number = str(int(folder) * 1_000_000 + 5_000_000_000 + place)
    common = {
        "id": number,
        "sequence_id": "1",
        "etag": str(place % 7),
        "modified_at": f"2026-{1 + place % 12:02}-{1 + place % 28:02}T09:{place % 60:02}:00-08:00",
    }
    if place < min(10, SIZES[folder] // 10):
        return {"type": "folder", **common, "name": f"Matter {place:06} & more", "size": place * 7919}
    if place % 20 == 19:
        link = {"name": f"Minutes {place:06}", "url": f"https://example.com/minutes/{place}"}
        return {"type": "web_link", **common, **link}
    sha1 = f"{place:040x}"
    version = {"type": "file_version", "id": number, "sha1": sha1}
    name = f"Report {place:06}, second version.{KINDS[place % len(KINDS)]}"
    return {"type": "file", **common, "name": name, "size": place * 104_729, "sha1": sha1, "file_version": version}


@cache
def items(folder: str, query: str) -> tuple[int, bytes]:
    """Answer a list call as Box does, by offset or by marker."""
    asked = dict(parse_qsl(query))
    limit, size = min(int(asked.get("limit", 100)), 1000), SIZES[folder]
    by_marker = asked.get("usemarker") == "true"
    begin = int(asked.get("marker") or 0) if by_marker else int(asked.get("offset", 0))
    if begin > LAST_OFFSET and not by_marker:
        return refusal(400, "bad_request", "offset may not exceed 9999")
    wanted = {*MINI, *asked.get("fields", "").split(",")}
    whole = [item(folder, place) for place in range(begin, min(begin + limit, size))]
    entries = [{name: value for name, value in each.items() if name in wanted} for each in whole]
    order = [{"by": by, "direction": asked.get("direction", "ASC")} for by in ("type", asked.get("sort", "name"))]
    if by_marker:
        following = str(begin + limit) if begin + limit < size else ""
        return 200, json.dumps({"entries": entries, "limit": limit, "next_marker": following}).encode()
    answer = {"total_count": size, "entries": entries, "offset": begin, "limit": limit, "order": order}
    return 200, json.dumps(answer).encode()


@cache
def about(folder: str, query: str) -> tuple[int, bytes]:
    """Answer with a folder itself."""
    top = folder == "0"
    root = {"type": "folder", "id": "0", "sequence_id": None, "etag": None, "name": "All Files"}
    may = ("can_download", "can_upload", "can_rename", "can_delete", "can_share", "can_invite_collaborator")
    values = {
        "type": "folder",
        "id": folder,
        "sequence_id": None if top else "0",
        "etag": None if top else "0",
        "name": "All Files" if top else f"Folder of {SIZES[folder]}",
        "description": "",
        "size": 629426,
        "path_collection": {"total_count": 0 if top else 1, "entries": [] if top else [root]},
        "permissions": {**dict.fromkeys(may, True), "can_set_share_access": True},
        "item_status": "active",
        "created_at": None if top else "2024-06-10T07:30:59-08:00",
        "modified_at": None if top else "2026-06-10T07:30:59-08:00",
        "parent": None if top else root,
        "shared_link": None,
    }
    return 200, json.dumps(asked_for(values, query)).encode()


def asked_for(values: dict[str, Any], query: str) -> dict[str, Any]:
    """Return the fields that the query asks for, and those that come with any; all of them where it asks for none."""
    asked = dict(parse_qsl(query)).get("fields")
    wanted = {*MINI, *asked.split(",")} if asked else set(values)
    return {name: value for name, value in values.items() if name in wanted}


def refusal(status: int, code: str, message: str) -> tuple[int, bytes]:
    url = "https://developer.box.com/guides/api-calls/permissions-and-errors/common-errors/"
    words = {"type": "error", "status": status, "code": code, "help_url": url, "message": message, "request_id": "0"}
    return status, json.dumps(words).encode()
