"""Uploads, by the plain form and as the script sends them: bytes, names, folders."""

import json

import pytest

from app import app
from files import upload_target
from tests.files.sent_files import JSON, KIND, LARGE, MADE, NIL, PART, PATH, SMALL, content, form, names, send, token_of


@pytest.fixture
def browser(signed_in, emulator):
    browser = signed_in(app, NIL)
    emulator.requests.clear()
    return browser


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 200_001, 19_999_999, 20_000_000, LARGE])
def test_what_is_uploaded_is_there_byte_by_byte(browser, emulator, size):
    made = send(browser, content=MADE[:size]).json
    assert made["name"] == "new.txt"
    assert content(browser, made["id"]) == MADE[:size]
    assert names(emulator) == ["new.txt"]
    assert emulator.requests.count(SMALL) == (size < 20_000_000)


def test_lines_and_dashes_in_a_file_do_not_end_it(browser):
    text = b"\r\n--\r\n------WebKitFormBoundary\r\n\n--\r" * 9000 + b"\r\n--"
    assert content(browser, send(browser, content=text).json["id"]) == text


def test_the_plain_form_goes_back_to_the_folder(browser, emulator):
    assert f'href="{PATH}"' in browser.get("/files/").text
    done = send(browser, headers={}, conflict="keep")
    assert (done.status_code, done.location) == (302, "/files/")
    assert "“\u2068new.txt\u2069” was uploaded" in browser.get("/files/").text
    send(browser, "\u202egnp.exe", headers={}, conflict="skip")
    send(browser, "\u202egnp.exe", headers={}, conflict="skip")
    assert "“\u2068\u202egnp.exe\u2069” was skipped" in browser.get("/files/").text
    nothing = send(browser, "", b"", headers={})
    assert (nothing.location, "Choose a file" in browser.get(PATH).text) == (PATH, True)
    assert send(browser, "", b"").status_code == 400
    refused = send(browser, "../up.txt", headers={})
    assert (refused.status_code, 'role="alert"' in refused.text, "no slash" in refused.text) == (400, True, True)


@pytest.mark.parametrize("size", [5, LARGE])
def test_a_name_that_is_taken(browser, emulator, size):
    first = send(browser, "plan.txt", b"old").json["id"]
    new = MADE[:size]
    asked = send(browser, "Plan.txt", new)
    assert (asked.status_code, asked.json["error"]["code"]) == (409, "name_taken")
    assert send(browser, "plan.txt", new, conflict="skip").json == {"id": None}
    assert (names(emulator), content(browser, first)) == (["plan.txt"], b"old")
    kept = [send(browser, "plan.txt", new, conflict="keep").json["name"] for _ in range(2)]
    assert kept == ["plan (1).txt", "plan (2).txt"]
    version = send(browser, "plan.txt", new, conflict="version").json
    assert version == {"id": first, "name": "plan.txt"}
    assert content(browser, first) == new
    assert names(emulator) == ["plan (1).txt", "plan (2).txt", "plan.txt"]


def test_a_folder_has_the_name(browser, emulator):
    emulator.add_item(NIL, "plan", "folder")
    for conflict in ("", "version"):
        refused = send(browser, "plan", conflict=conflict)
        assert (refused.status_code, refused.json["error"]["code"]) == (409, "name_taken")
    assert send(browser, "plan", conflict="keep").json["name"] == "plan (1)"


def test_numbered_names_are_no_longer_than_box_allows():
    assert upload_target.numbered("x" * 251 + ".txt", 12) == "x" * 246 + " (12).txt"


@pytest.mark.parametrize("token", ["", "forged"])
@pytest.mark.parametrize("headers", [JSON, {}])
def test_without_the_token_nothing_reaches_box(browser, emulator, token, headers):
    browser.get(PATH)
    emulator.requests.clear()
    body = form({"csrf_token": token}, "new.bin", MADE)
    refused = browser.post(PATH, data=body, content_type=KIND, headers=headers)
    assert (refused.status_code, "form_expired" in refused.text) == (400, True)
    assert not emulator.requests.counts()
    for path in (f"{PATH}/check", f"{PATH}/folder"):
        assert browser.post(path, data={"name": "x"}, headers=headers).status_code == 400


@pytest.mark.parametrize("name", ["../up.txt", "a\r\nb.txt", "..", ".", " ", "x" * 256, "a/b", "a\0b"])
def test_a_name_that_cannot_be(browser, emulator, name):
    for refused in (
        send(browser, "x", name=name),
        browser.post(f"{PATH}/check", data={"csrf_token": token_of(browser), "name": name, "size": 1}, headers=JSON),
        browser.post(f"{PATH}/folder", data={"csrf_token": token_of(browser), "name": name}, headers=JSON),
    ):
        assert (refused.status_code, refused.json["error"]["code"]) == (400, "name_refused")
    assert names(emulator) == []


@pytest.mark.parametrize("name", ["😀.txt", "\u202ecod.exe", "<img src=x onerror=alert(1)>", 'a"b.txt', "é%22.txt"])
def test_a_name_that_is_odd(browser, emulator, name):
    assert send(browser, "x", name=name).json["name"] == name
    assert names(emulator) == [name]
    assert "<img src=x" not in browser.get("/files/").text


def test_no_room_is_said_before_the_file_is_sent(browser, emulator):
    user = emulator.users.named(NIL)
    emulator.users.change(user, space_amount=1000)
    for size in (1001, LARGE):
        refused = send(browser, content=MADE[:size])
        assert (refused.status_code, refused.json["error"]["code"]) == (403, "storage_full")
    assert "not enough storage" in send(browser, content=MADE[:1001], headers={}).text
    assert emulator.requests.count(SMALL) == emulator.requests.count(PART) == 0
    assert send(browser, content=MADE[:1000]).status_code == 200


def test_strangers_are_told_to_sign_in(browser):
    stranger = app.test_client()
    assert stranger.get(PATH).location == f"/login?next={PATH}"
    assert stranger.post(PATH, data=form({}, "x", b"x"), content_type=KIND, headers=JSON).status_code == 401
    assert stranger.get(PATH, headers=JSON).status_code == 401
    assert browser.get(PATH, headers=JSON).json["csrf_token"]


def test_a_tree_of_folders_fifty_deep(browser, emulator):
    token, folder = token_of(browser), "0"
    for depth in range(50):
        path = f"/files/{folder}/upload/folder"
        made = [browser.post(path, data={"csrf_token": token, "name": f"level {depth}"}).json["id"] for _ in range(2)]
        assert made[0] == made[1]
        folder = made[0]
    assert send(browser, path=f"/files/{folder}/upload").json["name"] == "new.txt"
    assert names(emulator, folder) == ["new.txt"]
    emulator.add_item(NIL, "file")
    taken = browser.post(f"{PATH}/folder", data={"csrf_token": token, "name": "file"}, headers=JSON)
    assert (taken.status_code, taken.json["error"]["code"]) == (409, "name_taken")


def test_a_conflict_that_names_no_item(browser, emulator):
    conflict = {"type": "error", "status": 409, "code": "item_name_in_use"}
    conflict["context_info"] = {"conflicts": [{"type": "folder"}]}
    emulator.fault("POST /2.0/folders", status=409, body=json.dumps(conflict))
    refused = browser.post(f"{PATH}/folder", data={"csrf_token": token_of(browser), "name": "x"}, headers=JSON)
    assert (refused.status_code, refused.json["error"]["code"]) == (409, "name_taken")
    conflict["context_info"] = {"conflicts": {"type": "file"}}
    emulator.fault("OPTIONS /2.0/files/content", status=409, body=json.dumps(conflict))
    refused = send(browser, conflict="version")
    assert (refused.status_code, refused.json["error"]["code"]) == (409, "name_taken")


def test_a_folder_that_is_gone(browser):
    assert browser.get("/files/999999/upload").status_code == 404
    assert send(browser, path="/files/999999/upload").status_code == 404
    assert browser.get("/files/999999999999999999999/upload").status_code == 404


def test_an_answer_that_names_no_folder(browser, emulator):
    emulator.fault("POST /2.0/folders", status=201, body="{}")
    odd = browser.post(f"{PATH}/folder", data={"csrf_token": token_of(browser), "name": "x"}, headers=JSON)
    assert (odd.status_code, odd.json["error"]["code"]) == (502, "box_bad_answer")
