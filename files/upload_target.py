"""Where an upload goes: to a new name in a folder, or to a file that is there, as whoever uploads wants it."""

import os
from dataclasses import dataclass

from box_sdk_gen import BoxAPIError, PreflightFileUploadCheckParent

from box_auth import BoxAuthError
from box_auth.flask import box

LONGEST = 255  # characters of a name
COPIES = 50  # names tried for who wants to keep both


@dataclass(frozen=True)
class Target:
    """A file of this name in the folder; a new version of ``file_id`` if there is one."""

    folder_id: str
    name: str
    file_id: str = ""

    def made(self, sha1):
        """Return the file if it is at Box with these contents; else None, as where Box cannot tell."""
        try:
            file_id = self.file_id or self._taken_by()
            file = box.client.files.get_file_by_id(file_id, fields=["name", "sha1"]) if file_id else None
        except (BoxAPIError, BoxAuthError):
            return None
        return file if file and file.sha_1 == sha1 else None

    def _taken_by(self):
        """Return the id of the file that has the name. Asked with no size: the file itself may have taken the room."""
        try:
            ask(self.folder_id, self.name, 0)
        except BoxAPIError as error:
            there = in_the_way(error) or {}
            return there.get("id") if there.get("type") == "file" else None
        return None


def ask(folder_id, name, size):
    """Ask Box whether it would take a new file, before anything of it is sent. Raises `BoxAPIError`."""
    parent = PreflightFileUploadCheckParent(id=folder_id)
    box.client.uploads.preflight_file_upload_check(name=name, size=size, parent=parent)


def choose(folder_id, name, size, conflict):
    """Return the target of a file, or None if there is one of its name and it is to be skipped.

    ``conflict`` says what to do about one: ``keep`` both, ``version`` or ``skip``; anything else raises what Box said.
    """
    try:
        ask(folder_id, name, size)
    except BoxAPIError as error:
        there = in_the_way(error)
        if there is None or conflict not in ("keep", "version", "skip"):
            raise
        if conflict == "skip":
            return None
        if conflict == "keep":
            return Target(folder_id, _free_name(folder_id, name, size))
        if there.get("type") != "file" or not there.get("id"):
            raise
        box.send("OPTIONS", f"/files/{there['id']}/content", {"size": size})
        return Target(folder_id, there.get("name") or name, there["id"])
    return Target(folder_id, name)


def in_the_way(error):
    """Return the item that has the name already, or None if Box refused for another reason."""
    if error.response_info.status_code != 409:
        return None
    found = (error.response_info.context_info or {}).get("conflicts")
    found = found[0] if isinstance(found, list) and found else found  # the description has a list, Box sends an object
    return found if isinstance(found, dict) else None


def numbered(name, number):
    """Return ``name (1).ext`` for ``name.ext``, no longer than Box allows."""
    stem, extension = os.path.splitext(name)
    addition = f" ({number}){extension}"
    return stem[: LONGEST - len(addition)] + addition


def _free_name(folder_id, name, size):
    for number in range(1, COPIES):
        try:
            ask(folder_id, numbered(name, number), size)
        except BoxAPIError as error:
            if error.response_info.status_code != 409:
                raise
        else:
            return numbered(name, number)
    return name  # let Box say that it is taken
