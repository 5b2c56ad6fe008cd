"""What happens is told, once and where it happens; receivers cannot break anything, and learn no secret."""

import dataclasses
import inspect
import io
from contextlib import ExitStack
from urllib.parse import parse_qsl, urlsplit

import pytest
from box_sdk_gen.managers.uploads import UploadFileAttributes, UploadFileAttributesParentField

from box_auth import config, request_id, signals
from box_auth.errors import BoxUnavailable, SignInFailed, SignInRefused, SignInRequired
from box_auth.flask import BoxAuth
from box_auth.flow import open_flow
from box_auth.logs import path_without_ids

from .journey import live_settings
from .small_apps import Browser
from .store_contract import save
from .walker import consent

ALL = [value for value in vars(signals).values() if isinstance(value, signals.NamedSignal)]


@pytest.fixture
def told():
    """What was told, as (name, keywords), by whatever signal."""
    told = []
    with ExitStack() as stack:
        for signal in ALL:

            def receive(sender, name=signal.name, **data):
                assert sender is None
                told.append((name, data))

            stack.enter_context(signal.connected_to(receive))
        yield told


@pytest.fixture
def flow(emulator, box, tmp_path):
    flow = open_flow(config.parse(live_settings(emulator, box, 5000), tmp_path))
    yield flow
    flow.network.close()


def sign_in(flow, button="grant", **options):
    address, pending = flow.start()
    return flow.finish(dict(parse_qsl(urlsplit(consent(address, button)).query)), pending, **options)


def outlived(flow, record):
    """Have the record's access token be over since a while; return what is stored now."""
    old = dataclasses.replace(record, issued_at=record.issued_at - 4000)
    save(flow.store, old)
    return old


def events(told):
    """What was told of sign-ins, without the id of the request and without calls."""
    return [
        (name, {key: value for key, value in data.items() if key != "request_id"})
        for name, data in told
        if name != "box-called"
    ]


def calls(told):
    return [data for name, data in told if name == "box-called"]


def test_there_are_six_and_each_says_what_it_brings():
    assert len(ALL) == 6
    documents = inspect.getsource(signals)
    for signal in ALL:
        assert f"{signal.name.replace('-', '_')} = " in documents
        assert "``" in signal.__doc__


def test_a_whole_life_is_told_with_no_secret_in_it(flow, told):
    record = sign_in(flow)
    user = {"user_id": record.user_id}
    assert events(told) == [("signed-in", user)]
    pages = calls(told)
    assert [(call["method"], call["path"], call["status"]) for call in pages] == [
        ("POST", "/oauth2/token", 200),
        ("GET", "/2.0/users/me", 200),
    ]
    assert all(len(call["box_request_id"]) == 16 and 0 < call["seconds"] < 10 for call in pages)
    told.clear()
    old = outlived(flow, record)
    assert flow.client(old).users.get_user_me().id == record.user_id
    assert events(told) == [("token-refreshed", user)]
    newer = flow.find(record.user_id, record.grant)
    flow.forget(record.user_id, record.grant)
    assert events(told)[1:] == [("signed-out", {**user, "reason": "asked"})]
    flow.forget(record.user_id, record.grant)  # nobody is signed in any more
    assert len(events(told)) == 2
    for secret in (flow.settings.client_secret, record.access_token, newer.access_token, newer.refresh_token):
        assert secret not in str(told)


def test_a_refused_sign_in_is_told_with_its_code_and_with_the_user_once_known(flow, told):
    def nobody(record):
        raise SignInRefused("Not today.")

    with pytest.raises(SignInFailed):
        flow.finish({"state": "s"}, None)
    with pytest.raises(SignInFailed):
        sign_in(flow, "deny")
    with pytest.raises(SignInRefused):
        sign_in(flow, let_in=nobody)
    with pytest.raises(ZeroDivisionError):
        sign_in(flow, let_in=lambda record: 1 / 0)
    assert {name for name, _ in events(told)} == {"sign-in-refused"}
    assert [(data["code"], bool(data["user_id"])) for _, data in events(told)] == [
        ("state_unknown", False),
        ("access_denied", False),
        ("sign_in_refused", True),
        ("internal", True),
    ]


def test_a_sign_in_that_box_ended_is_lost_once(flow, told):
    record = outlived(flow, sign_in(flow))
    flow.oauth.revoke(record.refresh_token)
    for _ in range(2):
        with pytest.raises(SignInRequired):
            flow.client(record).users.get_user_me()
    lost = ("sign-in-lost", {"user_id": record.user_id, "code": "token_ended"})
    assert events(told)[1:] == [lost]


def test_a_record_that_cannot_be_read_is_a_lost_sign_in(flow, told):
    record = sign_in(flow)
    (path,) = flow.settings.token_dir.glob(f"{record.user_id}-*.json")
    path.write_bytes(b"{")
    assert flow.find(record.user_id, record.grant) is None
    lost = ("sign-in-lost", {"user_id": record.user_id, "code": "record_unreadable"})
    assert events(told)[1:] == [lost]


def test_in_a_browser_a_switch_of_users_and_a_token_that_box_refuses_are_told_once(emulator, make, told):
    browser = Browser(make())
    browser.sign_in("ada@")
    browser.sign_in("bo@")
    ada, bo = (emulator.users.named(f"{name}@example.com").id for name in ("ada", "bo"))
    assert events(told)[1:] == [
        ("signed-in", {"user_id": bo}),
        ("signed-out", {"user_id": ada, "reason": "switched"}),
    ]
    told.clear()
    emulator.fault("GET /2.0/users/me", status=401, times=2)
    assert browser.get("/me").status_code == 401
    browser.get("/me")
    assert [name for name, _ in events(told)] == ["token-refreshed", "sign-in-lost"]
    assert events(told)[-1][1] == {"user_id": bo, "code": "token_refused"}


def test_each_attempt_is_a_call_and_one_without_an_answer_has_no_status(emulator, flow, told):
    record = sign_in(flow)
    told.clear()
    emulator.fault("GET /2.0/users/me", status=500)
    emulator.fault("GET /2.0/users/me", drop="before")
    flow.client(record).users.get_user_me()
    assert [call["status"] for call in calls(told)] == [500, None, 200]
    told.clear()
    emulator.fault("GET /2.0/users/me", status=404)
    with pytest.raises(Exception, match="404"):
        flow.client(record).users.get_user_me()
    assert calls(told)[0]["box_request_id"]


def test_where_box_leads_on_each_address_is_one_call(emulator, flow, told):
    record = sign_in(flow, "grant")
    file = emulator.add_item(emulator.users.named(record.login), "a.txt", content=b"text")
    told.clear()
    assert flow.client(record).downloads.download_file(file.id).read() == b"text"
    assert sorted((call["path"], call["status"]) for call in calls(told)) == [
        ("/2.0/files/{id}/content", 302),
        ("/download/{id}/{id}", 200),
    ]


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://api.box.com/2.0/files/123/versions?fields=a", "/2.0/files/{id}/versions"),
        ("https://api.box.com/2.0/files/1/thumbnail.png", "/2.0/files/{id}/thumbnail.png"),
        (
            "https://upload.box.com/api/2.0/files/upload_sessions/F97AB/commit",
            "/api/2.0/files/upload_sessions/{id}/commit",
        ),
        ("https://dl.boxcloud.com/d/1/b1!SSzrPW6cHG_Dsw/download", "/d/{id}/{id}/download"),
        ("https://dl.boxcloud.com/2.0/zip_downloads/29l00nfxDy_w==/content", "/2.0/zip_downloads/{id}/content"),
        ("http://127.0.0.1:1", ""),
    ],
)
def test_a_path_keeps_its_words_and_nothing_else(url, path):
    assert path_without_ids(url) == path


class TestAReceiverThatRaises:
    @pytest.fixture
    def broken(self):
        def receive(sender, **data):
            raise RuntimeError("no such counter: code=abcdef")

        with ExitStack() as stack:
            for signal in ALL:
                stack.enter_context(signal.connected_to(receive))
            yield

    def test_breaks_no_sign_in_loses_no_token_and_is_logged(self, flow, broken, told, caplog):
        record = outlived(flow, sign_in(flow))
        assert flow.client(record).users.get_user_me().id == record.user_id
        assert flow.find(record.user_id, record.grant).access_token != record.access_token
        flow.forget(record.user_id, record.grant)
        assert [name for name, _ in events(told)] == ["signed-in", "token-refreshed", "signed-out"]
        assert "a receiver of the signal token-refreshed failed" in caplog.text
        assert "no such counter: code=..." in caplog.text
        assert "abcdef" not in "".join(record.exc_text or "" for record in caplog.records)

    def test_breaks_no_page(self, make, broken):
        browser = Browser(make())
        browser.sign_in("ada@")
        assert browser.get("/me").text == "ada@example.com"
        browser.sign_out()
        assert browser.get("/").text == "nobody"


def ids_of(sent):
    return [request.headers.get("X-Request-ID") for request in sent]


class TestTheIdOfARequest:
    @pytest.fixture
    def named(self):
        request_id.use("visitor-1")
        yield "visitor-1"
        request_id.use("")

    def test_goes_to_box_with_every_call_uploads_and_refreshes_among_them(self, flow, sent, named, told):
        record = outlived(flow, sign_in(flow))
        client = flow.client(record)
        flow.network.at_once(*[client.users.get_user_me] * 3)
        attributes = UploadFileAttributes(name="a.txt", parent=UploadFileAttributesParentField(id="0"))
        client.uploads.upload_file(attributes, io.BytesIO(b"x"))
        flow.forget(record.user_id, record.grant)
        assert ids_of(sent) == [named] * 9  # code, whose, refresh, three at once, the upload, two ends
        assert {data["request_id"] for _, data in told} == {named}

    def test_outside_of_a_request_there_is_none(self, flow, sent, told):
        request_id.use("")  # what an answer that no test has closed may have left
        sign_in(flow)
        assert ids_of(sent) == [None, None]
        assert {data["request_id"] for _, data in told} == {""}


def test_a_page_that_box_does_not_answer_tells_of_calls_without_status(emulator, make, told):
    box = BoxAuth()
    browser = Browser(make(box))
    browser.sign_in("ada@")
    told.clear()
    emulator.fault("GET /2.0/users/me", drop="before", times=5)
    assert browser.get("/me").status_code == BoxUnavailable("box_unreachable").problem.status
    assert [call["status"] for call in calls(told)] == [None] * 3
