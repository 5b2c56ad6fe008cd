"""The floor: the least that the pages can be made with. Plain dicts, two kept urllib3 calls at once, tokens at hand.

It checks nothing, keeps sign-ins for nobody, and is no example of anything.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode

import urllib3
from flask import redirect, request, session

from . import starter_pages as starter

app = starter.make(__name__, flat=True)
app.permanent_session_lifetime = 86400
http = urllib3.PoolManager(maxsize=32, retries=False, ca_certs=os.environ.get("REQUESTS_CA_BUNDLE"))
pool = ThreadPoolExecutor(32)
tokens: dict[str, dict[str, Any]] = {}  # by user; the workers share them in files, which are read when need be
ITEMS = "&".join((f"limit={starter.SIZE}", "offset="))


def ask(token: str, path: str) -> Any:
    answer = http.request("GET", starter.API + path, headers={"Authorization": token})
    return json.loads(answer.data) if answer.status == 200 else answer.status


def both(*paths: str) -> tuple[Any, Any]:
    """Make both calls at once; where Box refuses the token, with the next one."""
    user = session["user"]
    token = tokens.get(user)
    if token is None or token["end"] < time.time():
        token = renew(user)
    answers = at_once(token["header"], *paths)
    return at_once(renew(user, token["header"])["header"], *paths) if 401 in answers else answers


def at_once(token: str, first: str, second: str) -> tuple[Any, Any]:
    elsewhere = pool.submit(ask, token, first)
    here = ask(token, second)
    return elsewhere.result(), here


def renew(user: str, refused: str = "") -> dict[str, Any]:
    """Return the tokens that another worker has kept, or where these are no better, what Box gives for them."""
    with open(starter.FOLDER / user, "r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        kept = json.load(file)
        if kept["header"] == refused or kept["end"] < time.time():
            kept = from_box(grant_type="refresh_token", refresh_token=kept["refresh_token"])
            keep(file, kept)
    tokens[user] = kept
    return kept


def from_box(**proof: str) -> dict[str, Any]:
    fields = {"client_id": starter.CLIENT_ID, "client_secret": starter.CLIENT_SECRET, **proof}
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = http.request("POST", f"{starter.API}/oauth2/token", body=urlencode(fields), headers=kind)
    pair = json.loads(answer.data)
    return {**pair, "header": f"Bearer {pair['access_token']}", "end": time.time() + pair["expires_in"]}


def keep(file: Any, pair: dict[str, Any]) -> None:
    file.seek(0)
    file.truncate()
    json.dump(pair, file)
    file.flush()


def login() -> Any:
    return redirect(f"{starter.AUTHORIZE}?{urlencode({'redirect_uri': starter.REDIRECT_URI, 'state': 'none'})}")


def callback() -> Any:
    pair = from_box(grant_type="authorization_code", code=request.args["code"])
    user = ask(pair["header"], "/2.0/users/me")["id"]
    with open(starter.FOLDER / user, "w") as file:
        keep(file, pair)
    return starter.remember(user)


def dashboard() -> str:
    page = starter.page_number()
    fields, offset = ",".join(starter.DASHBOARD_FIELDS), (page - 1) * starter.SIZE
    account = f"/2.0/users/me?fields={','.join(starter.ACCOUNT_FIELDS)}"
    return starter.dashboard(*both(account, f"/2.0/folders/0/items?fields={fields}&{ITEMS}{offset}"), page)


def folder(folder_id: str) -> str:
    page = starter.page_number()
    fields, offset = ",".join(starter.FOLDER_FIELDS), (page - 1) * starter.SIZE
    about = f"/2.0/folders/{folder_id}?fields={','.join(starter.ABOUT_FIELDS)}"
    answers = both(about, f"/2.0/folders/{folder_id}/items?fields={fields}&{ITEMS}{offset}")
    return starter.folder(*answers, folder_id, page)


app.view_functions |= {"box.login": login, "box.callback": callback, "dashboard": dashboard, "files.folder": folder}
