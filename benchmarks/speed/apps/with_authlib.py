"""Authlib's Flask client as its documents have it: a registry, fetch_token, and update_token for what was refreshed.

The documents keep tokens in a database; here a small file for each user stands for it.
"""

from __future__ import annotations

import json
from typing import Any

from authlib.integrations.flask_client import OAuth
from flask import g, redirect, session

from . import starter_pages as starter


def fetch_token(name: str) -> dict[str, Any] | None:
    kept = starter.FOLDER / session.get("user", "nobody")
    return json.loads(kept.read_text()) if kept.exists() else None


def update_token(
    name: str, token: dict[str, Any], refresh_token: str | None = None, access_token: str | None = None
) -> None:
    g.token = token
    if "user" in session:
        (starter.FOLDER / session["user"]).write_text(json.dumps(token))


app = starter.make(__name__)
oauth = OAuth(app, fetch_token=fetch_token, update_token=update_token)
oauth.register(
    "provider",
    client_id=starter.CLIENT_ID,
    client_secret=starter.CLIENT_SECRET,
    access_token_url=f"{starter.API}/oauth2/token",
    authorize_url=starter.AUTHORIZE,
    api_base_url=f"{starter.API}/2.0/",
    client_kwargs={"token_endpoint_auth_method": "client_secret_post"},  # Box takes them in the body alone
)


def login() -> Any:
    return oauth.provider.authorize_redirect(starter.REDIRECT_URI)


def callback() -> Any:
    g.token = token = oauth.provider.authorize_access_token()
    account = oauth.provider.get("users/me", token=token).json()
    answer = starter.remember(account["id"])
    update_token("provider", g.token)  # which may be a newer one already
    return answer


def ask(path: str, **query: Any) -> Any:
    answer = oauth.provider.get(path, params=query)
    return answer.json() if answer.ok else None


def dashboard() -> Any:
    page = starter.page_number()
    account = ask("users/me", fields=",".join(starter.ACCOUNT_FIELDS))
    items = ask("folders/0/items", **starter.page_query(starter.DASHBOARD_FIELDS, page))
    return starter.dashboard(account, items, page) if account and items else redirect("/login")


def folder(folder_id: str) -> Any:
    page = starter.page_number()
    about = ask(f"folders/{folder_id}", fields=",".join(starter.ABOUT_FIELDS))
    items = ask(f"folders/{folder_id}/items", **starter.page_query(starter.FOLDER_FIELDS, page))
    return starter.folder(about, items, folder_id, page) if about and items else redirect("/login")


app.view_functions |= {"box.login": login, "box.callback": callback, "dashboard": dashboard, "files.folder": folder}
