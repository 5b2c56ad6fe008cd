"""What clients should not send, and states that should not be: Box's errors, never a plain 500."""

import shutil
import sqlite3

import pytest
from flask import Flask
from werkzeug.test import Client

from box_emulator import Emulator, WrongDatabase, embed
from box_emulator.database import Database
from box_emulator.web import api_app

ADA = "ada@example.com"


@pytest.fixture
def send(emulator, box, http):
    bearer = {"Authorization": f"Bearer {emulator.sign_in(ADA).access_token}"}

    def send(method, path, data=None, **headers):
        return http.request(method, f"{box.url}/2.0{path}", data=data, headers=bearer | headers, allow_redirects=False)

    return send


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff\xfe",
        b"[]",
        b'"text"',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"name": 5, "parent": {"id": "0"}}',
        b'{"name": "x", "parent": "0"}',
        b'{"name": "x", "parent": {"id": []}}',
        b'{"name": "x", "parent": {"id": true}}',
        b'{"name": "x", "parent": {"id": "abc"}}',
        b'{"name": "x", "parent": {}}',
        b'{"name": "\\ud800", "parent": {"id": "0"}}',
        b'{"name": null, "parent": {"id": "0"}}',
        b'{"name": "x"}',
        b"",
    ],
    ids=range(16),
)
def test_bodies_that_make_no_sense_are_a_400(send, body):
    answer = send("POST", "/folders", body)
    assert (answer.status_code, answer.json()["type"]) == (400, "error")


def test_a_body_without_end_is_a_413(send):
    assert send("POST", "/folders", b'"' + b"x" * (2 << 20)).status_code == 413


def test_ids_may_be_numbers_and_slashes_may_trail(send):
    assert send("POST", "/folders/", b'{"name": "x", "parent": {"id": 0}, "colour": "blue"}').status_code == 201


@pytest.mark.parametrize(
    "change",
    [
        b'{"tags": [1]}',
        b'{"tags": "one"}',
        b'{"description": "%s"}' % (b"d" * 257),
        b'{"lock": {"type": "chain"}}',
        b'{"lock": {"type": "lock", "expires_at": "soon"}}',
        b'{"shared_link": {"access": "everybody"}}',
        b'{"shared_link": {"unshared_at": "0001-01-01T00:00:00+14:00"}}',
        b'{"shared_link": {"permissions": {"can_download": "yes"}}}',
        b'{"parent": {"id": "99999999999999999999"}}',
    ],
    ids=range(9),
)
def test_changes_that_make_no_sense_are_a_400_and_change_nothing(send, emulator, change):
    file = emulator.add_item(ADA, "same.txt")
    assert send("PUT", f"/files/{file.id}", change).status_code == 400
    assert emulator.items.find(file.id) == file


@pytest.mark.parametrize("noun", ["files", "folders", "web_links", "comments", "users"])
@pytest.mark.parametrize("unknown", ["424242", "9" * 18, "9" * 40, "abc", "%00", "-1", "1.5"])
def test_unknown_ids_are_errors_of_boxs_shape(send, noun, unknown):
    for method in ("GET", "PUT", "DELETE"):
        answer = send(method, f"/{noun}/{unknown}", b'{"message": "m"}' if method == "PUT" else None)
        assert answer.status_code in (404, 405)
        assert answer.json()["type"] == "error"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/folders/trash/items?usemarker=true&sort=name", 400),
        ("GET", "/folders/trash/items?marker=abc", 400),
        ("GET", "/folders/trash/items?offset=10000", 400),
        ("GET", "/recent_items?marker=abc", 400),
        ("GET", "/recent_items?limit=0", 400),
        ("GET", "/users?offset=10000", 400),
        ("GET", "/users?usemarker=true&marker=x", 400),
        ("GET", "/search?query=a&limit=-1", 400),
        ("GET", "/search?query=a&sort=colour", 400),
        ("GET", "/search?query=a&content_types=smell", 400),
        ("GET", "/search?query=a&trash_content=some", 400),
        ("GET", "/search?query=a&mdfilters=x", 400),
        ("GET", "/search?query=" + "a%20" * 2000, 200),
        ("GET", "/shared_items", 404),
        ("POST", "/files/content", 400),
        ("POST", "/files/upload_sessions", 400),
        ("PUT", "/files/upload_sessions/ABC", 404),
        ("POST", "/comments", 400),
        ("POST", "/web_links", 400),
        ("GET", "/events", 404),
        ("POST", "/zip_downloads", 400),
        ("GET", "/files/1/collaborations", 404),
        ("GET", "/folders/0/metadata", 404),
    ],
)
def test_bad_questions_have_clear_answers(send, method, path, status):
    answer = send(method, path)
    assert answer.status_code == status
    assert "entries" in answer.json() or answer.json()["status"] == status


@pytest.mark.parametrize(
    "body",
    [
        b"no form at all",
        b"--b--\r\n",
        b'--b\r\nContent-Disposition: form-data; name="attributes"\r\n\r\n{}\r\n--b--\r\n',
        b"--b\r\nX: y\r\n\r\nz\r\n--b--\r\n",
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\nno attributes\r\n--b--\r\n',
    ],
    ids=range(5),
)
def test_forms_that_are_none_are_a_400_and_leave_nothing(send, emulator, body):
    before = sorted(emulator.contents.folder.iterdir())
    answer = send("POST", "/files/content", body, **{"Content-Type": "multipart/form-data; boundary=b"})
    assert (answer.status_code, answer.json()["type"]) == (400, "error")
    assert sorted(emulator.contents.folder.iterdir()) == before


def test_a_database_that_somebody_else_holds_is_a_503(tmp_path):
    emulator = Emulator(tmp_path / "box.sqlite3")
    bearer = {"Authorization": f"Bearer {emulator.sign_in(ADA).access_token}"}
    client = Client(api_app(emulator, "http://localhost"))
    assert client.get("/2.0/users/me", headers=bearer).status_code == 200
    emulator.database.rows("PRAGMA busy_timeout = 1")
    other = sqlite3.connect(tmp_path / "box.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    folder = {"name": "x", "parent": {"id": "0"}}
    answer = client.post("/2.0/folders", json=folder, headers=bearer)
    assert (answer.status_code, answer.json["code"], answer.headers["Retry-After"]) == (503, "unavailable", "1")
    assert client.get("/2.0/folders/0", headers=bearer).status_code == 200  # reading goes on
    other.execute("COMMIT")
    other.close()
    emulator.database.rows("PRAGMA query_only = ON")  # as a read-only file has it
    answer = client.post("/2.0/folders", json=folder, headers=bearer)
    assert (answer.status_code, "readonly" in answer.json["message"]) == (503, True)
    emulator.database.rows("PRAGMA query_only = OFF")
    assert client.post("/2.0/folders", json=folder, headers=bearer).status_code == 201
    emulator.close()


def test_a_demo_of_another_version_is_set_aside_and_made_anew(tmp_path):
    folder = tmp_path / "instance"
    folder.mkdir()
    with sqlite3.connect(folder / "box.sqlite3") as old:
        old.execute("CREATE TABLE notes (text)")
        old.execute("PRAGMA user_version = 1")
    old.close()
    with pytest.raises(WrongDatabase):
        Database(folder / "box.sqlite3")
    app = Flask("demo")
    embed(app, folder)
    server = app.extensions["box_emulator"]
    assert len(server.emulator.users) == 3
    server.stop()
    server.emulator.close()
    with sqlite3.connect(folder / "box.sqlite3.old") as old:
        assert old.execute("SELECT name FROM sqlite_master").fetchall() == [("notes",)]
    old.close()
    shutil.rmtree(folder)
