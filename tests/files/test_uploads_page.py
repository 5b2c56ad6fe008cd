"""Uploads, by the plain form and as the script sends them. They go with files/."""

import random
import re

import pytest
import requests

from app import app
from files import upload_parts, upload_target

NIL = "nil@example.com"  # somebody without files
PATH = "/files/0/upload"
JSON, KIND = {"Accept": "application/json"}, "multipart/form-data; boundary=b"
SMALL, PART, LARGE = "POST /api/2.0/files/content", "PUT /api/2.0/files/upload_sessions/*", 25_000_000
COMMIT = "POST /api/2.0/files/upload_sessions/*/commit"
MADE = random.Random(1).randbytes(LARGE)


@pytest.fixture
def browser(signed_in, emulator):
    browser = signed_in(app, NIL)
    emulator.requests.clear()
    return browser


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(upload_parts, "PAUSE", 0)


def token_of(browser):
    return re.search(r'name="csrf_token"[^>]* value="([^"]+)"', browser.get(PATH).text)[1]


def form(fields, filename, content):
    """Write a form as browsers do: its fields, and the file as the last part. Flask's test client uses the disk."""
    body = b""
    for name, value in fields.items():
        body += f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
    filename = filename.replace('"', "%22")
    body += f'--b\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n\r\n'.encode()
    return body + content + b"\r\n--b--\r\n"


def send(browser, filename="new.txt", content=b"text", *, path=PATH, headers=JSON, **fields):
    """Send a file as the script does; with other ``headers`` as the plain form."""
    body = form({"csrf_token": token_of(browser), **fields}, filename, content)
    return browser.post(path, data=body, content_type=KIND, headers=headers)


def names(emulator, folder="0"):
    """Return what is in a folder, and check that no upload is under way."""
    assert not emulator.database.rows("SELECT id FROM sessions WHERE NOT committed")
    owner = emulator.users.named(NIL).id
    inside = emulator.database.rows("SELECT name FROM items WHERE owner = ? AND parent = ?", owner, folder)
    return sorted(row["name"] for row in inside)


def content(browser, file_id):
    return requests.get(browser.get(f"/files/file/{file_id}/download").location, timeout=20).content


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
    assert "“new.txt” was uploaded" in browser.get("/files/").text
    nothing = send(browser, "", b"", headers={})
    assert (nothing.location, "Choose a file" in browser.get(PATH).text) == (PATH, True)
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


def test_a_token_behind_the_file_is_too_late(browser, emulator):
    token = token_of(browser).encode()
    body = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\ntext\r\n--b\r\n'
    body += b'Content-Disposition: form-data; name="csrf_token"\r\n\r\n' + token + b"\r\n--b--\r\n"
    refused = browser.post(PATH, data=body, content_type=KIND, headers=JSON)
    assert (refused.status_code, refused.json["error"]["code"]) == (400, "form_expired")
    assert names(emulator) == []


def raw(browser, body, length=None):
    """Send a form by hand: a field with the token, then ``body``; it breaks off if that is shorter than ``length``."""
    body = f'--b\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{token_of(browser)}\r\n'.encode() + body
    environ = {"CONTENT_LENGTH": str(length or len(body))}
    return browser.post(PATH, data=body, content_type=KIND, headers=JSON, environ_overrides=environ)


FILE = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n'


@pytest.mark.parametrize("size", [100, LARGE])
@pytest.mark.parametrize(
    "behind", [b"\r\n--b\r\nContent-Disposition: form-data; name=x\r\n\r\ny\r\n--b--\r\n", b"\r\n--b--"]
)
def test_a_file_that_is_not_the_last_part_is_not_kept(browser, emulator, size, behind):
    assert raw(browser, FILE + MADE[:size] + behind).status_code == 400
    assert names(emulator) == []


@pytest.mark.parametrize("size", [100, 300_000, LARGE])
def test_an_upload_that_breaks_off_leaves_nothing(browser, emulator, size):
    assert raw(browser, FILE + MADE[:size], size + 1_000_000).status_code == 400
    assert names(emulator) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--b--\r\n",
        b"--b\r\n\r\n\r\n--b--\r\n",
        b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\ny\r\n--b--\r\n',
    ],
)
def test_a_form_without_a_file_is_none(browser, body):
    assert raw(browser, body).status_code == 400


def test_a_body_that_is_no_form(browser):
    for kind in ("text/plain", "multipart/form-data", "application/json"):
        assert browser.post(PATH, data=b"x", content_type=kind).status_code == 400
    field = b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n' + b"y" * 100_000 + b"\r\n"
    assert raw(browser, field + FILE + b"z\r\n--b--\r\n").status_code == 413


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


FAULTS = [
    *((PART, fault) for fault in ({"status": 503}, {"status": 429}, {"drop": "before"}, {"drop": "after"})),
    *((COMMIT, fault) for fault in ({"status": 503}, {"status": 429})),
]


@pytest.mark.parametrize(("route", "fault"), FAULTS)
def test_what_fails_on_the_way_of_a_large_file_is_sent_again(browser, emulator, route, fault):
    emulator.fault(route, times=2, **fault)
    made = send(browser, content=MADE).json
    assert content(browser, made["id"]) == MADE


def test_a_commit_whose_answer_is_lost_is_not_repeated(browser, emulator):
    emulator.fault(COMMIT, drop="after")
    assert send(browser, content=MADE).json["error"]["code"] == "box_unreachable"
    assert (names(emulator), emulator.requests.count(COMMIT)) == (["new.txt"], 1)


def test_a_commit_that_takes_box_a_while(browser, emulator):
    emulator.fault(COMMIT, times=3, status=202, body="{}")
    assert content(browser, send(browser, content=MADE).json["id"]) == MADE


@pytest.mark.parametrize(("route", "status", "code"), [(PART, 403, "item_forbidden"), (COMMIT, 503, "box_down")])
def test_a_large_file_that_box_does_not_take_leaves_nothing(browser, emulator, route, status, code):
    emulator.fault(route, times=99, status=status)
    assert send(browser, content=MADE).json["error"]["code"] == code
    assert names(emulator) == []


def test_the_token_is_renewed_between_two_parts(browser, emulator, monkeypatch):
    sent = upload_parts.Part.send

    def send_and_expire(*arguments):
        made = sent(*arguments)
        emulator.expire_tokens("access")
        return made

    monkeypatch.setattr(upload_parts.Part, "send", send_and_expire)
    assert content(browser, send(browser, content=MADE).json["id"]) == MADE
    assert emulator.requests.count("POST /oauth2/token") > 1


@pytest.mark.parametrize("size", [100, LARGE])
def test_a_sign_in_that_ends_meanwhile_is_told(browser, emulator, monkeypatch, size):
    choose = upload_target.choose

    def choose_and_end(*arguments):
        target = choose(*arguments)
        emulator.revoke_tokens()
        return target

    monkeypatch.setattr("files.upload.choose", choose_and_end)
    refused = send(browser, content=MADE[:size])
    assert (refused.status_code, refused.json["error"]["code"]) == (401, "token_ended")


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


def test_a_folder_that_is_gone(browser):
    assert browser.get("/files/999999/upload").status_code == 404
    assert send(browser, path="/files/999999/upload").status_code == 404
    assert browser.get("/files/999999999999999999999/upload").status_code == 404


def test_nothing_of_it_is_written_here(browser, monkeypatch):
    def no_file(*arguments, **options):
        raise AssertionError("a temporary file")

    monkeypatch.setattr("werkzeug.formparser.default_stream_factory", no_file)
    assert send(browser, content=MADE).status_code == 200
    assert send(browser, content=MADE[:1_000_000], conflict="keep").status_code == 200
