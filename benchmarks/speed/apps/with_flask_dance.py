"""Flask-Dance as its documents have it for a provider of one's own: a blueprint, the token in Flask's session.

What the documents of the blueprint's class say about refreshing is there, too: auto_refresh_url.
"""

from __future__ import annotations

from typing import Any

from flask import redirect, session, url_for
from flask_dance.consumer import OAuth2ConsumerBlueprint, oauth_authorized

from . import starter_pages as starter

app = starter.make(__name__)
TOKENS = f"{starter.API}/oauth2/token"
blueprint = OAuth2ConsumerBlueprint(
    "provider",
    __name__,
    client_id=starter.CLIENT_ID,
    client_secret=starter.CLIENT_SECRET,
    base_url=starter.API,
    token_url=TOKENS,
    token_url_params={"include_client_id": True},  # Box takes them in the body alone
    authorization_url=starter.AUTHORIZE,
    auto_refresh_url=TOKENS,
    auto_refresh_kwargs={"client_id": starter.CLIENT_ID, "client_secret": starter.CLIENT_SECRET},
    redirect_url="/dashboard",
)
app.register_blueprint(blueprint, url_prefix="/login")


@oauth_authorized.connect_via(blueprint)
def signed_in(_: Any, token: dict[str, Any]) -> None:
    blueprint.token = token
    account = blueprint.session.get("/2.0/users/me").json()
    session.update(user=account["id"], csrf="a-token-against-forged-forms")


def ask(path: str, **query: Any) -> Any:
    answer = blueprint.session.get(path, params=query)
    return answer.json() if answer.ok else None


def dashboard() -> Any:
    page = starter.page_number()
    if not blueprint.session.authorized:
        return redirect(url_for("provider.login"))
    account = ask("/2.0/users/me", fields=",".join(starter.ACCOUNT_FIELDS))
    items = ask("/2.0/folders/0/items", **starter.page_query(starter.DASHBOARD_FIELDS, page))
    if not (account and items):
        return redirect(url_for("provider.login"))
    return starter.dashboard(account, items, page)


def folder(folder_id: str) -> Any:
    page = starter.page_number()
    if not blueprint.session.authorized:
        return redirect(url_for("provider.login"))
    about = ask(f"/2.0/folders/{folder_id}", fields=",".join(starter.ABOUT_FIELDS))
    items = ask(f"/2.0/folders/{folder_id}/items", **starter.page_query(starter.FOLDER_FIELDS, page))
    if not (about and items):
        return redirect(url_for("provider.login"))
    return starter.folder(about, items, folder_id, page)


app.view_functions |= {"dashboard": dashboard, "files.folder": folder}
