"""The parts of an item in JSON that have to be looked up, or worked out from its name and its token."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .clock import iso
from .errors import refused
from .file_kinds import shown_as
from .forms import Form, link_form, mini, user_mini
from .items import Item
from .representations import Representation, chosen, possible
from .scopes import PERMISSIONS, allows
from .signatures import signed
from .tokens import Grant
from .users import User

if TYPE_CHECKING:
    from .emulator import Emulator

NOBODY = {"type": "user", "id": "", "name": "", "login": ""}  # who made a root folder, in Box's answers
_TRASH = {"type": "folder", "id": "1", "sequence_id": None, "etag": None, "name": "Trash"}
_EMBED_LINK_LIFETIME = 60  # seconds in which a preview has to be opened (OpenAPI, expiring_embed_link)


class ItemParts:
    """Looks things up for one user in one request: what it looked up, it does not look up again.

    ``root`` and ``downloads`` are the addresses of the API and of the download host, without a slash at the end.
    ``grant`` is the token's: what it does not allow is not among the permissions. ``hints`` are `X-Rep-Hints`.
    """

    def __init__(
        self, emulator: Emulator, viewer: User, root: str, downloads: str, grant: Grant, hints: str = ""
    ) -> None:
        self.emulator = emulator
        self.viewer = viewer
        self.root = root
        self.downloads = downloads
        self.grant = grant
        self.hints = hints
        self._people: dict[str, Form] = {}
        self._paths: dict[tuple[str, str | None], list[Form]] = {}

    def person(self, user_id: str) -> Form:
        if user_id not in self._people:
            user = self.emulator.users.get(user_id)
            self._people[user_id] = user_mini(user) if user else NOBODY
        return self._people[user_id]

    def path(self, item: Item) -> Form:
        """The folders above; of somebody else's item, none. Of what is in the trash, the trash."""
        if item.trash:
            return {"total_count": 1, "entries": [_TRASH]}
        above = self._above(item) if item.owner == self.viewer.id else []
        return {"total_count": len(above), "entries": above}

    def parent(self, item: Item) -> Form | None:
        folder = self.emulator.items.get(item.owner, item.parent) if item.parent is not None else None
        return mini(folder) if folder and item.owner == self.viewer.id else None

    def shared_link(self, item: Item) -> Form | None:
        link = self.emulator.links.of(item)
        return link_form(link, item, self.root, self.downloads) if link else None

    def lock(self, item: Item) -> Form | None:
        lock = lock_of(item, self.emulator.clock.now())
        if lock is None:
            return None
        form: Form = {
            "type": "lock",
            "id": item.id,
            "created_by": self.person(item.owner),
            "created_at": iso(lock["created_at"]),
            "expired_at": iso(lock["expires_at"]),
            "is_download_prevented": lock["is_download_prevented"],
            "app_type": None,
        }
        return {name: value for name, value in form.items() if name == "app_type" or value is not None}

    def upload_email(self, item: Item) -> Form | None:
        access = detail(item, "folder_upload_email", None)
        return access and {"access": access, "email": f"upload.{item.id}@u.box.com"}

    def version_number(self, item: Item) -> str:
        return str(self.emulator.versions.get(item, str(item.version)).number)

    def permissions(self, item: Item) -> Form:
        """Box UI Elements show what these allow, so they follow the token's scopes (Box: guides, dedicated scopes)."""
        names = ["can_download", "can_upload", "can_rename", "can_delete", "can_share", "can_invite_collaborator"]
        names.append("can_set_share_access")
        if item.type == "file":
            names += ["can_preview", "can_comment", "can_annotate"]
            names += ["can_view_annotations_all", "can_view_annotations_self"]
        return {name: self._allows(name) for name in names}

    def version_permissions(self) -> Form:
        """What Box UI Elements ask of a version (box-ui-elements, BoxItemVersionPermission)."""
        return {name: self._allows(name) for name in ("can_delete", "can_download", "can_preview", "can_upload")}

    def download_url(self, file_id: str, version_id: str = "") -> str:
        """The address at which the token gets the bytes (box-ui-elements, getDownloadUrl)."""
        return f"{self.root}/2.0/files/{file_id}/content{version_id and f'?version={version_id}'}"

    def embed_link(self, file: Item) -> Form:
        """The address of a page that shows the file, for a minute (OpenAPI, expiring_embed_link and get_files_id)."""
        if shown_as(file.name) is None:
            raise refused("unsupported_media_type")
        lifetime = self.emulator.options.access_token_lifetime
        grant = Grant(self.grant.client_id, self.viewer.id, "base_preview", file.id)
        path = signed(self.emulator, f"/embed/{file.id}-{file.version}", _EMBED_LINK_LIFETIME)
        return {
            "access_token": self.emulator.tokens.issue_access(grant, lifetime),
            "expires_in": lifetime,
            "token_type": "bearer",
            "restricted_to": [{"scope": "base_preview", "object": mini(file)}],
            "url": self.downloads + path,
        }

    def representations(self, file: Item) -> Form:
        """All that there are; with hints, those, and where their contents are (Box: guides, representations)."""
        if not self.hints:
            address = self._representations(file, str(file.version))
            return {"entries": [each.form(address) for each in possible(file.name)]}
        found = chosen(file.name, self.hints)
        return {"entries": [self.representation(file, str(file.version), each) for each in found]}

    def representation(self, file: Item, version_id: str, found: Representation) -> Form:
        state = "pending" if self.emulator.options.representations_pending else "success"
        return found.form(self._representations(file, version_id), state)

    def _representations(self, file: Item, version_id: str) -> str:
        return f"{self.root}/2.0/internal_files/{file.id}/versions/{version_id}/representations"

    def _allows(self, permission: str) -> bool:
        return allows(self.grant.scope, PERMISSIONS.get(permission, "PUT /files/:id"))

    def _above(self, item: Item) -> list[Form]:
        key = (item.owner, item.parent)
        if key not in self._paths:
            self._paths[key] = [mini(folder) for folder in self.emulator.items.ancestors(item)]
        return self._paths[key]


def lock_of(item: Item, now: float) -> dict[str, Any] | None:
    """Return a file's lock, if it has one that is not over."""
    lock: dict[str, Any] | None = detail(item, "lock", None)
    return lock if lock and (lock["expires_at"] is None or lock["expires_at"] > now) else None


def detail(item: Item, name: str, default: Any) -> Any:
    """Return one of the things that are seldom set."""
    return json.loads(item.details).get(name, default)
