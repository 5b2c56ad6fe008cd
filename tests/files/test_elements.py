"""The pages with Box UI Elements, and the tokens that they get. They go with the folder files/."""

import json
import re
from pathlib import Path

import pytest
import requests

from app import app
from box_auth.flask import box

LOGIN = "bo@example.com"
ELEMENTS = {"explorer": "folder", "picker": "folder", "uploader": "folder", "preview": "file", "sidebar": "file"}
JSON = {"Accept": "application/json"}


@pytest.fixture
def place(emulator):
    """Make a folder with a file in it, and another folder beside it."""
    folder = emulator.add_item(LOGIN, "For elements", "folder")
    file = emulator.add_item(LOGIN, "inside.txt", parent=folder, content=b"inside")
    other = emulator.add_item(LOGIN, "Beside", "folder")
    beside = emulator.add_item(LOGIN, "beside.txt", content=b"beside")
    return {"folder": folder.id, "file": file.id, "other folder": other.id, "other file": beside.id}


def csrf(page):
    return re.search(r'data-csrf="([^"]+)"', page.text)[1]


def ask(browser, name, place, **headers):
    """Ask for a token, as the script on the page does."""
    address = f"/elements/{name}?{ELEMENTS[name]}={place[ELEMENTS[name]]}"
    page = browser.get(address)
    sent = {**JSON, "X-CSRFToken": csrf(page), **headers}
    return browser.post(address.replace("?", "/token?"), headers=sent)


def at_box(path, token):
    url = f"{app.extensions['box_auth'].flow.settings.box_api_url}/2.0{path}"
    return requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=5).status_code


def whole_tokens(emulator):
    """The tokens that may do everything."""
    with app.app_context():
        record = box.flow.store.load(emulator.users.named(LOGIN).id)
    return record.access_token, record.refresh_token


@pytest.mark.parametrize("name", ELEMENTS)
def test_a_page_names_its_element_and_loads_what_that_needs_and_no_more(signed_in, place, name):
    page = signed_in(app, LOGIN).get(f"/elements/{name}?{ELEMENTS[name]}={place[ELEMENTS[name]]}")
    assert page.status_code == 200
    assert f'data-item="{place[ELEMENTS[name]]}"' in page.text
    policy = dict(part.split(" ", 1) for part in page.headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert "unsafe" not in policy["script-src"]
    assert not re.search(r"(^| )(\*|https?:)( |$)", " ".join(policy.values()))
    assert ("/platform/preview/" in policy["script-src"]) == (name in ("explorer", "preview"))
    for address in re.findall(r'<(?:script|link)[^>]*(?:src|href)="(https?:[^"]+)"', page.text):
        assert address.startswith(policy["script-src"].split()[1])
    assert not re.search(r"<script(?![^>]* src=)|<style| style=| on[a-z]+=", page.text)


def test_other_pages_stay_strict(signed_in):
    assert "boxcdn" not in signed_in(app, LOGIN).get("/files/").headers["Content-Security-Policy"]


@pytest.mark.parametrize("name", ELEMENTS)
def test_a_token_is_for_one_element_and_one_item(signed_in, emulator, place, name):
    answer = ask(signed_in(app, LOGIN), name, place)
    assert answer.status_code == 200
    assert "no-store" in answer.headers["Cache-Control"]
    token = answer.json["token"]
    assert 0 < answer.json["expires_in"] <= 3600
    kind = ELEMENTS[name]
    assert at_box(f"/{kind}s/{place[kind]}", token) == 200
    assert at_box(f"/{kind}s/{place[f'other {kind}']}", token) == 403
    assert at_box("/folders/0/items", token) == 403
    assert at_box("/recent_items", token) == 403


@pytest.mark.parametrize("name", ELEMENTS)
def test_a_browser_never_sees_the_whole_token(signed_in, emulator, place, name):
    browser = signed_in(app, LOGIN)
    page = browser.get(f"/elements/{name}?{ELEMENTS[name]}={place[ELEMENTS[name]]}")
    given = ask(browser, name, place)
    seen = f"{page.text} {page.headers} {given.text} {given.headers}"
    for token in whole_tokens(emulator):
        assert token
        assert token not in seen
    assert given.json["token"] not in page.text


def test_a_new_token_comes_when_box_has_ended_the_old_ones(signed_in, emulator, place):
    browser = signed_in(app, LOGIN)
    first = ask(browser, "explorer", place).json["token"]
    emulator.expire_tokens()
    assert at_box(f"/folders/{place['folder']}", first) == 401
    assert at_box(f"/folders/{place['folder']}", ask(browser, "explorer", place).json["token"]) == 200


@pytest.mark.parametrize("path", ["/elements/explorer?folder=0", "/elements/sidebar?file=1"])
def test_strangers_sign_in_first_and_their_scripts_are_told_so(monkeypatch, path):
    browser = app.test_client()
    assert browser.get(path).location.startswith("/login?next=/elements/")
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", False)
    answer = browser.post(path.replace("?", "/token?"), headers=JSON)
    assert (answer.status_code, answer.json["error"]["code"]) == (401, "sign_in_needed")


def test_a_sign_in_that_ended_is_told_as_json(signed_in, emulator, place):
    browser = signed_in(app, LOGIN)
    page = browser.get(f"/elements/explorer?folder={place['folder']}")
    emulator.revoke_tokens()
    sent = {**JSON, "X-CSRFToken": csrf(page)}
    answer = browser.post(f"/elements/explorer/token?folder={place['folder']}", headers=sent)
    assert answer.status_code == 401
    assert answer.json["error"]["todo"]


def test_another_site_gets_no_token(signed_in, place):
    browser = signed_in(app, LOGIN)
    answer = browser.post(f"/elements/explorer/token?folder={place['folder']}", headers=JSON)
    assert (answer.status_code, answer.json["error"]["code"]) == (400, "form_expired")
    assert browser.get(f"/elements/explorer/token?folder={place['folder']}").status_code == 405


@pytest.mark.parametrize(
    "query", ["sidebar?file=", "sidebar?file=../1", "sidebar?folder=0", "explorer?folder=x", "x?file=1"]
)
def test_what_no_item_can_be_is_not_found(signed_in, query):
    browser = signed_in(app, LOGIN)
    assert browser.get(f"/elements/{query}").status_code == 404


def test_what_somebody_else_owns_is_not_found(signed_in, emulator, place):
    hers = emulator.add_item("ada@example.com", "hers.txt", content=b"hers").id
    browser = signed_in(app, LOGIN)
    assert browser.get(f"/elements/sidebar?file={hers}").status_code == 404
    sent = {**JSON, "X-CSRFToken": csrf(browser.get(f"/elements/sidebar?file={place['file']}"))}
    answer = browser.post(f"/elements/sidebar/token?file={hers}", headers=sent)
    assert answer.status_code == 404
    assert "token" not in answer.json


def test_box_refuses_to_cut_the_token_down(signed_in, emulator, place):
    browser = signed_in(app, LOGIN)
    page = browser.get(f"/elements/explorer?folder={place['folder']}")
    refused = json.dumps({"error": "invalid_scope", "error_description": "no such scope"})
    emulator.fault("POST /oauth2/token", status=400, body=refused)
    sent = {**JSON, "X-CSRFToken": csrf(page)}
    answer = browser.post(f"/elements/explorer/token?folder={place['folder']}", headers=sent)
    assert answer.status_code == 400
    assert answer.json["error"]["happened"]


def test_scripts_may_come_from_elsewhere_and_be_held_to_a_hash(signed_in, place, monkeypatch):
    monkeypatch.setitem(app.config, "BOX_ELEMENTS_URL", "https://cdn.example/1.2.3")
    monkeypatch.setitem(app.config, "BOX_ELEMENTS_INTEGRITY", {"picker.js": "sha384-abc"})
    page = signed_in(app, LOGIN).get(f"/elements/picker?folder={place['folder']}")
    assert (
        '<script src="https://cdn.example/1.2.3/picker.js" integrity="sha384-abc" crossorigin="anonymous"' in page.text
    )
    assert "script-src 'self' https://cdn.example/1.2.3/;" in page.headers["Content-Security-Policy"]
    assert "boxcdn" not in page.headers["Content-Security-Policy"]


def test_copies_of_ones_own_need_no_other_host(signed_in, place, monkeypatch):
    monkeypatch.setitem(app.config, "BOX_ELEMENTS_URL", "/static/elements")
    policy = signed_in(app, LOGIN).get(f"/elements/picker?folder={place['folder']}").headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "font-src 'self'" in policy


def test_a_live_app_has_no_box_on_its_own_port(signed_in, place, monkeypatch):
    monkeypatch.setitem(app.config, "BOX_ELEMENTS_API", "/_box")  # even if somebody sets it
    browser = signed_in(app, LOGIN)
    assert "/_box" not in browser.get(f"/elements/picker?folder={place['folder']}").text
    assert browser.get("/_box/2.0/folders/0").status_code == 404


def test_the_tests_look_at_the_version_that_the_pages_load():
    from files.elements_policy import DEFAULTS

    wanted = json.loads(Path(__file__).with_name("package.json").read_text("utf-8"))
    assert f"/{wanted['dependencies']['box-ui-elements']}/" in DEFAULTS["BOX_ELEMENTS_URL"]
