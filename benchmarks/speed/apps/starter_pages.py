"""The starter's two pages for apps that are not the starter: its templates, with what they ask for handed in.

The floor's rows come from `templates/_items.html` beside this file, which is flat. The addresses come from a file that
the bench wrote (``BENCH_RULES``), so that nothing of the starter is imported here.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from flask import Flask, redirect, render_template, request, session, url_for
from jinja2 import ChoiceLoader, FileSystemLoader, PrefixLoader
from werkzeug.routing import Rule

ROOT = Path(__file__).resolve().parents[3]
SIZE = 100
DASHBOARD_FIELDS = ("name", "size", "modified_at", "url")
ACCOUNT_FIELDS = ("name", "login", "space_used", "space_amount")
FOLDER_FIELDS = ("name", "size", "modified_at", "etag", "url")
ABOUT_FIELDS = ("name", "path_collection", "permissions", "item_status")
API = os.environ.get("BOX_API_URL", "")
AUTHORIZE = os.environ.get("BOX_AUTHORIZE_URL", "")
REDIRECT_URI = os.environ.get("REDIRECT_URI", "")
CLIENT_ID, CLIENT_SECRET = os.environ.get("CLIENT_ID", ""), os.environ.get("CLIENT_SECRET", "")
FOLDER = Path(os.environ.get("INSTANCE_DIR", "."))  # for what an app keeps


class Listing:
    """Where in a folder a page is, as the folder's template asks."""

    sortable, sort, direction, marker = True, "name", "ASC", None

    def __init__(self, folder_id: str, page: int) -> None:
        self.folder_id, self.page = folder_id, page

    def by(self, sort: str) -> dict[str, str]:
        return {"sort": sort, "direction": "DESC" if sort == "name" else "ASC"}

    def before(self) -> dict[str, Any] | None:
        return {"sort": "name", "direction": "ASC", "page": self.page - 1} if self.page > 1 else None

    def behind(self, items: Any) -> dict[str, Any] | None:
        behind = {"sort": "name", "direction": "ASC", "page": self.page + 1}
        return behind if self.page * SIZE < items["total_count"] and self.page < 10_000 // SIZE else None


def page_number() -> int:
    return max(1, min(request.args.get("page", 1, type=int), 100))


def page_query(fields: tuple[str, ...], page: int) -> dict[str, Any]:
    return {"fields": ",".join(fields), "limit": SIZE, "offset": (page - 1) * SIZE}


class PageOf(dict[str, str]):
    """Where an item's row leads: the first address for its type."""

    def __getitem__(self, item: Any) -> Any:
        address = self.get(item["type"])
        return address and address.format(**item)


PAGES = PageOf(file="/files/file/{id}", folder="/files/{id}")
PICTURES = PageOf(file="/files/file/{id}/thumbnail?of={etag}")


def make(name: str, *, flat: bool = False) -> Flask:
    """Return an app with the starter's addresses, none of which has a page yet. Its lists are the starter's own, or
    ``flat``."""
    app = Flask(name, root_path=str(ROOT))
    app.secret_key = "the-same-everywhere-and-no-secret"
    own, starter = Path(__file__).parent / "templates", FileSystemLoader(ROOT / "templates")
    files = FileSystemLoader(ROOT / "files" / "templates")
    loaders = [starter, files, PrefixLoader({"starter": starter})]
    app.jinja_env.loader = ChoiceLoader([FileSystemLoader(own), *loaders] if flat else loaders)
    known = {rule.rule for rule in app.url_map.iter_rules()}
    addresses = json.loads(Path(os.environ["BENCH_RULES"]).read_text())
    for rule in addresses["rules"]:
        if rule["rule"] not in known:
            app.url_map.add(Rule(rule["rule"], endpoint=rule["endpoint"], defaults=rule["defaults"]))
    app.jinja_env.globals["csrf_token"] = lambda: session.get("csrf", "")
    app.view_functions["home"] = lambda: "Hello."

    versions = addresses["versions"]

    @app.url_defaults
    def name_content(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint.endswith("static"):
            values["v"] = versions.get(f"{endpoint}/{values['filename']}")

    @app.context_processor
    def what_templates_ask_for() -> dict[str, Any]:
        links = [("files.folder", "Files"), ("files.recent", "Recent"), ("files.trash", "Trash")]
        user = SimpleNamespace(id=session["user"]) if "user" in session else None
        return {
            "box": SimpleNamespace(demo=False, user=user),
            "file_links": [(url_for(endpoint), words) for endpoint, words in links],
            "item_addresses": PAGES,
            "thumbnail_addresses": PICTURES,
            "path_to": lambda about: about["path_collection"]["entries"],
            "count_of": lambda items: items["total_count"],
        }

    return app


def remember(user_id: str) -> Any:
    """Keep who signed in in a signed cookie, and lead on."""
    session.clear()
    session.update(user=user_id, csrf="a-token-against-forged-forms")
    session.permanent = True
    return redirect("/dashboard")


def dashboard(account: Any, items: Any, page: int) -> str:
    return render_template("dashboard.html", account=account, items=items, page=page, size=SIZE)


def folder(about: Any, items: Any, folder_id: str, page: int) -> str:
    return render_template("files/folder.html", folder=about, items=items, listing=Listing(folder_id, page))
