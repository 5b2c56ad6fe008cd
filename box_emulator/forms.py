"""How things look in JSON: the mini form, the standard form, and the fields that were asked for."""

from __future__ import annotations

import os.path
from collections.abc import Callable, Sequence
from typing import Any

from .clock import iso
from .comments import Comment
from .items import Item
from .links import Link
from .users import User
from .versions import Version

Form = dict[str, Any]
Fields = Sequence[str] | None

ENTERPRISE = {"type": "enterprise", "id": "900001", "name": "Example"}


def asked(text: str | None) -> Fields:
    """Split the ``fields`` parameter. None, for the standard form, if there is none."""
    return [name.strip() for name in text.split(",") if name.strip()] if text else None


def choose(mini: Form, standard: Form, fields: Fields, more: Form | None = None) -> Form:
    """Box: with ``fields``, the mini form plus those; without, the standard form (OpenAPI, get_users_me)."""
    if fields is None:
        return mini | standard
    known = standard | (more or {})
    return mini | {name: known[name] for name in fields if name in known}


def mini(item: Item) -> Form:
    form: Form = {"type": item.type, "id": item.id, "sequence_id": item.etag, "etag": item.etag, "name": item.name}
    if item.type == "file":
        form["sha1"] = item.sha1
        form["file_version"] = {"type": "file_version", "id": item.version, "sha1": item.sha1}
    elif item.type == "web_link":
        form["url"] = item.url
    return form


def user_mini(user: User) -> Form:
    return {"type": "user", "id": user.id, "name": user.name, "login": user.login}


def user_form(user: User, avatar_url: str, fields: Fields = None) -> Form:
    """A user who may have no space figures: some accounts get none from Box."""
    standard: Form = {
        "created_at": iso(user.created_at),
        "modified_at": iso(user.modified_at),
        "language": user.language,
        "timezone": user.timezone,
        "space_amount": user.space_amount,
        "space_used": user.space_used,
        "max_upload_size": user.max_upload_size,
        "status": user.status,
        "job_title": user.job_title,
        "phone": user.phone,
        "address": user.address,
        "avatar_url": avatar_url,
        "notification_email": user.notification_email and {"email": user.notification_email, "is_confirmed": True},
    }
    if user.space_amount is None:
        del standard["space_amount"], standard["space_used"]
    more: Form = {
        "role": user.role,
        "enterprise": ENTERPRISE,
        "tracking_codes": [],
        "my_tags": [],
        "can_see_managed_users": True,
        "is_sync_enabled": True,
        "is_external_collab_restricted": False,
        "is_exempt_from_device_limits": False,
        "is_exempt_from_login_verification": False,
        "is_platform_access_only": False,
        "hostname": "https://app.box.com/",
    }
    return choose(user_mini(user), standard, fields, more)


def version_form(version: Version, owner: User, fields: Fields = None, more: Form | None = None) -> Form:
    """A version. ``more`` are fields for who asks."""
    person = user_mini(owner)
    standard = {
        "name": version.name,
        "size": version.size,
        "created_at": iso(version.created_at),
        "modified_at": iso(version.modified_at),
        "modified_by": person,
        "trashed_at": iso(version.trashed_at),
        "trashed_by": person if version.trashed_at is not None else None,
        "restored_at": iso(version.restored_at),
        "restored_by": person if version.restored_at is not None else None,
        "purged_at": None,
        "uploader_display_name": owner.name,
    }
    form: Form = {"type": "file_version", "id": version.id, "sha1": version.sha1}
    return choose(form, standard, fields, {"version_number": str(version.number)} | (more or {}))


def link_form(link: Link, item: Item, root: str, downloads: str) -> Form:
    """A shared link; open ones of files have a direct address on the download host too."""
    direct = f"{downloads}/shared/static/{link.slug}{os.path.splitext(item.name)[1]}"
    return {
        "url": f"{root}/s/{link.slug}",
        "download_url": direct if item.type == "file" and link.access == "open" and link.can_download else None,
        "vanity_url": f"{root}/v/{link.vanity}" if link.vanity else None,
        "vanity_name": link.vanity,
        "access": link.access,
        "effective_access": link.access,
        "effective_permission": "can_edit" if link.can_edit else "can_download" if link.can_download else "can_preview",
        "unshared_at": iso(link.unshared_at),
        "is_password_enabled": link.password is not None,
        "permissions": {"can_preview": True, "can_download": link.can_download, "can_edit": link.can_edit},
        "download_count": link.downloads,
        "preview_count": link.previews,
    }


def comment_form(comment: Comment, person: Callable[[str], Form], fields: Fields = None) -> Form:
    standard = {
        "is_reply_comment": comment.reply_to is not None,
        "message": comment.message,
        "created_by": person(comment.author),
        "created_at": iso(comment.created_at),
        "modified_at": iso(comment.modified_at),
        "item": {"type": "comment", "id": comment.reply_to}
        if comment.reply_to
        else {"type": "file", "id": comment.item},
    }
    form: Form = {"type": "comment", "id": comment.id}
    return choose(form, standard, fields, {"tagged_message": comment.tagged_message})
