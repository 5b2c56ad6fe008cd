"""What the two apps on Box's SDK share: its documents' Flask app, with a client for each user, and typed objects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from box_sdk_gen import BaseUrls, BoxClient, BoxOAuth, NetworkSession, OAuthConfig
from box_sdk_gen.box.token_storage import TokenStorage
from flask import Flask, redirect, request, session

from . import starter_pages as starter

URLS = BaseUrls(base_url=starter.API, upload_url=f"{starter.API}/api", oauth_2_url=f"{starter.API}/oauth2")


def client_of(storage: TokenStorage) -> BoxClient:
    config = OAuthConfig(starter.CLIENT_ID, starter.CLIENT_SECRET, token_storage=storage)
    return BoxClient(auth=BoxOAuth(config), network_session=NetworkSession(base_urls=URLS))


def make(name: str, storage_of: Callable[[str], TokenStorage], client_for: Callable[[str], BoxClient]) -> Flask:
    """Return the app; ``storage_of`` and ``client_for`` take a name that a user's tokens are kept under."""
    app = starter.make(name)

    def login() -> Any:
        return redirect(f"{starter.AUTHORIZE}?{urlencode({'redirect_uri': starter.REDIRECT_URI, 'state': 'none'})}")

    def callback() -> Any:
        name = request.args["code"]  # another one for each user here, so it serves
        client = client_of(storage_of(name))
        client.auth.get_tokens_authorization_code_grant(request.args["code"], network_session=client.network_session)
        answer = starter.remember(client.users.get_user_me().id)
        session["kept"] = name
        return answer

    def dashboard() -> str:
        page, client = starter.page_number(), client_for(session["kept"])
        account = client.users.get_user_me(fields=list(starter.ACCOUNT_FIELDS))
        return starter.dashboard(account, list_of(client, "0", page, starter.DASHBOARD_FIELDS), page)

    def folder(folder_id: str) -> str:
        page, client = starter.page_number(), client_for(session["kept"])
        about = client.folders.get_folder_by_id(folder_id, fields=list(starter.ABOUT_FIELDS))
        items = list_of(client, folder_id, page, starter.FOLDER_FIELDS)
        return starter.folder(about.to_dict(), items, folder_id, page)

    app.view_functions |= {"box.login": login, "box.callback": callback, "dashboard": dashboard, "files.folder": folder}
    return app


def list_of(client: BoxClient, folder_id: str, page: int, fields: tuple[str, ...]) -> dict[str, Any]:
    offset = (page - 1) * starter.SIZE
    items = client.folders.get_folder_items(folder_id, fields=list(fields), limit=starter.SIZE, offset=offset)
    return {"total_count": items.total_count, "entries": [row(item) for item in items.entries or []]}


def row(item: Any) -> dict[str, Any]:
    """What the table shows of a typed object. Only files have all of it typed."""
    moment = item.modified_at
    return {
        "type": item.type.value,
        "id": item.id,
        "etag": item.etag,
        "name": item.name,
        "size": getattr(item, "size", None),
        "modified_at": moment if isinstance(moment, str) else moment.isoformat(),
        "url": getattr(item, "url", None),
    }
