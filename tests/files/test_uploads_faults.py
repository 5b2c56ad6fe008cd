"""Uploads that go wrong: forms that break off, a Box that is busy or away, a sign-in that ends on the way."""

import pytest
from box_sdk_gen.managers.chunked_uploads import ChunkedUploadsManager
from box_sdk_gen.managers.uploads import UploadsManager
from box_sdk_gen.schemas import Files

from app import app
from box_auth import BoxUnavailable
from files import upload_parts, upload_target
from tests.files.sent_files import (
    COMMIT,
    JSON,
    KIND,
    LARGE,
    MADE,
    NIL,
    PART,
    PATH,
    SMALL,
    content,
    names,
    raw,
    send,
    token_of,
)


@pytest.fixture
def browser(signed_in, emulator):
    browser = signed_in(app, NIL)
    emulator.requests.clear()
    return browser


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(upload_parts, "PAUSE", 0)


def test_a_token_behind_the_file_is_too_late(browser, emulator):
    token = token_of(browser).encode()
    body = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\ntext\r\n--b\r\n'
    body += b'Content-Disposition: form-data; name="csrf_token"\r\n\r\n' + token + b"\r\n--b--\r\n"
    refused = browser.post(PATH, data=body, content_type=KIND, headers=JSON)
    assert (refused.status_code, refused.json["error"]["code"]) == (400, "form_expired")
    assert names(emulator) == []


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


FAULTS = [
    *((PART, fault) for fault in ({"status": 503}, {"status": 429}, {"drop": "before"}, {"drop": "after"})),
    *((COMMIT, fault) for fault in ({"status": 503}, {"status": 429})),
]


@pytest.mark.parametrize(("route", "fault"), FAULTS)
def test_what_fails_on_the_way_of_a_large_file_is_sent_again(browser, emulator, route, fault):
    emulator.fault(route, times=2, **fault)
    made = send(browser, content=MADE).json
    assert content(browser, made["id"]) == MADE


@pytest.mark.parametrize("conflict", ["keep", "version"])
@pytest.mark.parametrize("fault", [{"drop": "after"}, {"drop": "during"}])
def test_a_commit_whose_answer_is_lost_is_done(browser, emulator, conflict, fault):
    send(browser, content=b"old")
    emulator.fault(COMMIT, **fault)
    made = send(browser, content=MADE, conflict=conflict).json
    assert made["name"] == ("new (1).txt" if conflict == "keep" else "new.txt")
    assert content(browser, made["id"]) == MADE
    assert (len(names(emulator)), emulator.requests.count(COMMIT)) == (1 + (conflict == "keep"), 1)


@pytest.mark.parametrize(("conflict", "name"), [("keep", "new (1).txt"), ("version", "new.txt")])
def test_a_small_upload_whose_answer_is_lost_is_done(browser, emulator, conflict, name):
    send(browser, content=b"old")
    for route in (SMALL, "POST /api/2.0/files/*/content"):
        emulator.fault(route, drop="after")
    made = send(browser, content=b"new", conflict=conflict).json
    assert (made["name"], content(browser, made["id"])) == (name, b"new")


@pytest.mark.parametrize("name", ["upload_file", "upload_file_version"])
def test_a_small_upload_whose_answer_names_no_file_is_done(browser, emulator, monkeypatch, name):
    def upload_and_forget(*arguments):
        upload(*arguments)
        return Files()

    upload = getattr(UploadsManager, name)
    monkeypatch.setattr(UploadsManager, name, upload_and_forget)
    if name == "upload_file_version":
        emulator.add_item(NIL, "new.txt", content=b"old")
    assert content(browser, send(browser, conflict="version").json["id"]) == b"text"


@pytest.mark.parametrize("route", [SMALL, "POST /api/2.0/files/upload_sessions", PART, COMMIT])
@pytest.mark.parametrize("body", ["{}", '{"entries": []}'])
def test_an_odd_answer_to_an_upload_is_told(browser, emulator, route, body):
    emulator.fault(route, times=9, status=200, body=body, content_type="application/json")
    refused = send(browser, content=b"text" if route == SMALL else MADE)
    assert (refused.status_code, refused.json["error"]["code"]) == (502, "box_bad_answer")


def test_a_small_upload_that_never_reached_box_is_told(browser, emulator):
    emulator.fault(SMALL, drop="before")
    assert send(browser).json["error"]["code"] == "box_unreachable"
    assert names(emulator) == []


def test_a_commit_that_a_gateway_answered_is_done(browser, emulator, monkeypatch):
    def commit_and_fail(*arguments):
        commit(*arguments)
        raise BoxUnavailable("box_down")

    commit = ChunkedUploadsManager.create_file_upload_session_commit
    monkeypatch.setattr(ChunkedUploadsManager, "create_file_upload_session_commit", commit_and_fail)
    assert content(browser, send(browser, content=MADE).json["id"]) == MADE
    assert emulator.requests.count(COMMIT) == 1


def test_a_lost_commit_is_seen_where_it_took_the_last_room(browser, emulator):
    emulator.users.change(emulator.users.named(NIL), space_amount=LARGE)
    emulator.fault(COMMIT, drop="after")
    assert content(browser, send(browser, content=MADE).json["id"]) == MADE


def test_a_commit_that_never_reached_box_is_told(browser, emulator):
    emulator.fault(COMMIT, drop="before")
    assert send(browser, content=MADE).json["error"]["code"] == "box_unreachable"
    assert names(emulator) == []


def test_a_file_of_somebody_else_is_not_taken_for_ours(browser, emulator, monkeypatch):
    def come_between(*arguments):
        emulator.add_item(NIL, "new.txt", content=b"theirs")
        return send_parts(*arguments)

    send_parts = upload_parts._send_parts
    monkeypatch.setattr(upload_parts, "_send_parts", come_between)
    emulator.fault(COMMIT, drop="before")
    assert send(browser, content=MADE).json["error"]["code"] == "box_unreachable"
    assert names(emulator) == ["new.txt"]


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


def test_nothing_of_it_is_written_here(browser, monkeypatch):
    def no_file(*arguments, **options):
        raise AssertionError("a temporary file")

    monkeypatch.setattr("werkzeug.formparser.default_stream_factory", no_file)
    assert send(browser, content=MADE).status_code == 200
    assert send(browser, content=MADE[:1_000_000], conflict="keep").status_code == 200
