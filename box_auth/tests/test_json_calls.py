"""Calls with JSON in and out: sent and answered as by the SDK's own client, which they go past."""

import gzip
import json
import shutil
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import requests
import urllib3
from box_sdk_gen import BoxAPIError, BoxDeveloperTokenAuth, BoxSDKError, NetworkSession
from box_sdk_gen.networking import BoxNetworkClient
from box_sdk_gen.networking.fetch_options import FetchOptions, ResponseFormat

from box_auth import signals
from box_auth.errors import BoxUnavailable
from box_auth.network.http import PooledSession
from box_auth.network.json_calls import JsonCalls
from box_auth.network.retries import NoRetries, RetryingClient

ME = "/2.0/users/me"


@pytest.fixture
def http():
    with PooledSession() as http:
        yield http


@pytest.fixture
def token(emulator):
    return BoxDeveloperTokenAuth(emulator.sign_in("ada@example.com").access_token)


@pytest.fixture
def ask(box, http, token):
    """Makes a call by either client, and returns what it gave or raised in a form to compare."""
    clients = {"ours": JsonCalls(http), "sdk": BoxNetworkClient(http)}

    def ask(which, path, method="GET", **more):
        session = NetworkSession(retry_strategy=NoRetries(), additional_headers={"X-Mine": "yes"})
        options = FetchOptions(f"{box.url}{path}", method, auth=token, network_session=session, **more)
        try:
            if which == "ours":
                answer = clients["ours"].fetch(options, urllib3.Timeout(connect=3, read=6), time.monotonic() + 5)
                assert answer is not None
            else:
                answer = clients["sdk"].fetch(options)
        except BoxAPIError as error:
            asked, said = error.request_info, error.response_info
            return error.message, vars(said) | {"headers": lasting(said.headers)}, vars(asked) | {"headers": None}
        return answer.status, answer.data, answer.content.read(), lasting(answer.headers)

    return ask


def lasting(headers):
    """Return the headers of an answer that the next one has, too."""
    passing = ("date", "box-request-id", "x-request-id", "set-cookie")
    return {name.lower(): value for name, value in headers.items() if name.lower() not in passing}


def without_ids(told):
    """Two refusals differ by the id of the request, also within their texts."""
    message, said, asked = told
    number = said["request_id"]
    return json.loads(json.dumps([message, said, asked], default=str).replace(str(number), "id"))


@pytest.mark.parametrize(
    ("path", "more"),
    [
        (ME, {}),
        (ME, {"params": {"fields": "name,login", "none": None}}),
        (f"{ME}?fields=name", {"params": {"x": "ä &=/?#"}, "headers": {"X-One": "1"}}),
        ("/2.0/folders/0/items", {"params": {"limit": "2", "offset": "1"}}),
        (ME, {"headers": {"Content-Type": "text/plain", "User-Agent": "mine"}}),
        (ME, {"headers": {"x-mine": "yes", "content-type": "text/plain", "authorization": "no", "X-None": None}}),
        (ME, {"params": {"a": ["1", "2"], "b": None}}),
        (f"{ME}#part", {"params": {"fields": "name"}}),
        ("/2.0/folders/0", {"response_format": ResponseFormat.NO_CONTENT}),
    ],
)
def test_a_read_is_sent_and_answered_as_by_the_sdk(ask, sent, path, more):
    ours, theirs = ask("ours", path, **more), ask("sdk", path, **more)
    assert ours == theirs
    assert ours[0] == 200
    assert_same(*sent)


def assert_same(ours, theirs):
    assert (ours.method, ours.url.partition("#")[0], ours.body) == (theirs.method, theirs.url, theirs.body)
    apart = ("accept-encoding", "accept", "connection", "content-length", "cookie")  # what requests adds on its own
    headers = [
        sorted((name.lower(), value) for name, value in request.headers.items() if name.lower() not in apart)
        for request in (ours, theirs)
    ]
    assert headers[0] == headers[1]
    assert ("x-mine", "yes") in headers[0]


@pytest.mark.parametrize(
    ("method", "path", "more"),
    [
        ("PUT", "/2.0/folders/{folder}", {"data": {"name": "ü \ud83d\ude00", "tags": ["a"]}}),
        ("POST", "/2.0/folders/{folder}/copy", {"data": {"name": "b", "parent": {"id": "404"}}}),
        ("POST", "/2.0/folders", {"data": {"name": "a/b", "parent": {"id": "0"}}}),
        ("GET", "/2.0/files/404404", {}),
        ("GET", "/2.0/nothing", {}),
        (
            "POST",
            "/oauth2/token",
            {"data": {"a": "b &", "c": "d"}, "content_type": "application/x-www-form-urlencoded"},
        ),
        ("DELETE", "/2.0/folders/404", {"params": {"recursive": "true"}}),
    ],
)
def test_a_change_and_a_refusal_are_as_by_the_sdk(emulator, ask, sent, method, path, more):
    folder = emulator.add_item(emulator.users[0], "before", "folder")
    answers = [ask(which, path.format(folder=folder.id), method, **more) for which in ("ours", "sdk")]
    if len(answers[0]) == 3:
        answers = [without_ids(answer) for answer in answers]
    else:
        for answer in answers:
            answer[1].pop("modified_at"), answer[1].pop("etag", 0), answer[1].pop("sequence_id", 0)
        answers = [answer[:2] for answer in answers]
    assert answers[0] == answers[1]
    assert_same(*sent)


@pytest.mark.parametrize(
    "body", ["", "no JSON", "[1]", "7", '{"message": "ä", "code": null, "context_info": {"a": 1}}']
)
@pytest.mark.parametrize("status", [200, 202, 404, 409, 503])
def test_odd_answers_are_read_as_by_the_sdk(emulator, ask, status, body):
    emulator.fault(f"GET {ME}", times=2, status=status, body=body, content_type="application/json")
    told = []
    for which in ("ours", "sdk"):
        try:
            told.append(ask(which, ME))
        except Exception as error:  # the SDK fails at a refusal that is no object: that is what retries.py names
            told.append(type(error).__name__)
    if told[1] == "AttributeError":
        assert told[0] == "BoxUnavailable"
    else:
        assert told[0] == told[1]


class Elsewhere(BaseHTTPRequestHandler):
    """Answers a path with what a test says, as often as it is asked."""

    protocol_version = "HTTP/1.1"

    def answer(self):
        self.server.cookies.append(self.headers["Cookie"])
        self.server.asked.append((self.command, self.path))
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status, headers, body = self.server.answers[self.path]
        self.send_response(status)
        for name, value in {**headers, "Content-Length": len(body), "Set-Cookie": "who=somebody"}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_DELETE = answer  # noqa: N815 - so the server calls them

    def log_message(self, *_):
        pass


@pytest.fixture
def elsewhere():
    with ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        server.daemon_threads, server.answers, server.cookies, server.asked = True, {}, [], []
        server.url = f"http://127.0.0.1:{server.server_port}"
        Thread(target=server.serve_forever, args=(0.01,)).start()
        yield server
        server.shutdown()


BARE = {"response_format": ResponseFormat.NO_CONTENT}


def options(url, method="GET", **more):
    return FetchOptions(url, method, network_session=NetworkSession(retry_strategy=NoRetries()), **more)


def fetch(calls, url, **more):
    return calls.fetch(options(url, **more), urllib3.Timeout(connect=3, read=6), time.monotonic() + 5)


def test_an_answer_that_box_has_compressed_is_read(http, elsewhere):
    elsewhere.answers["/"] = 200, {"Content-Encoding": "gzip"}, gzip.compress(b'{"a": 1}')
    assert fetch(JsonCalls(http), elsewhere.url).data == {"a": 1}


@pytest.mark.parametrize("value", ["a\nX-Forged: 1", "a\r\n X-Folded: 1", " a", "日本"])
def test_a_header_that_cannot_be_is_not_sent(http, elsewhere, value):
    with pytest.raises(BoxSDKError):
        fetch(JsonCalls(http), elsewhere.url, headers={"If-Match": value})
    assert elsewhere.cookies == []


def test_no_cookie_of_one_call_goes_with_the_next(http, elsewhere):
    elsewhere.answers["/"] = 200, {}, b"{}"
    calls = JsonCalls(http)
    for _ in range(2):
        fetch(calls, elsewhere.url)
    assert elsewhere.cookies == [None, None]


def test_contents_are_left_to_the_sdk(http, elsewhere):
    calls = JsonCalls(http)
    assert fetch(calls, elsewhere.url, response_format=ResponseFormat.BINARY) is None
    assert fetch(calls, elsewhere.url, content_type="multipart/form-data") is None
    assert elsewhere.asked == []


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_call_that_is_led_on_elsewhere_is_sent_once(http, elsewhere, method, status):
    """What was sent may have taken effect: a refresh token, for one, works once."""
    elsewhere.answers["/"] = status, {"Location": "/there"}, b""
    client = RetryingClient(http, 5.0)
    with pytest.raises(BoxUnavailable, match="box_bad_answer"):
        client.fetch(options(elsewhere.url, method))
    assert client.fetch(options(elsewhere.url, method, follow_redirects=False, **BARE)).headers["location"] == "/there"
    assert elsewhere.asked == [(method, "/")] * 2


def test_a_proxy_for_plain_http_is_left_to_the_sdk(http, elsewhere, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", elsewhere.url)
    told = []
    with signals.box_called.connected_to(lambda sender, **call: told.append(call)):
        assert fetch(JsonCalls(http), "http://box.example/2.0/users/me") is None
    assert elsewhere.cookies == told == []


@pytest.mark.parametrize(
    "proxy",
    ["http://user:sec/ret@127.0.0.1:80", "http://user:secret@127.0.0.1:99999", "http://", "socks5://127.0.0.1:9"],
)
def test_an_address_of_a_proxy_that_is_none_is_a_way_that_leads_nowhere(http, monkeypatch, caplog, proxy):
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(BoxUnavailable, match="box_unreachable") as caught:
        RetryingClient(http, 2.0).fetch(options("https://box.example/2.0/users/me"))
    assert "sec" not in f"{caught.value!r}{caught.value.__cause__!r}{caplog.text}"


def test_a_file_with_certificates_that_goes_away_is_named(http, elsewhere, tmp_path, monkeypatch):
    address = elsewhere.url.replace("http:", "https:")
    http.verify = str(shutil.copy(requests.certs.where(), tmp_path / "ca.pem"))
    calls = JsonCalls(http)
    with pytest.raises(BoxSDKError):
        fetch(calls, address)
    Path(http.verify).unlink()
    with pytest.raises(OSError, match=r"ca\.pem"):
        fetch(calls, address)


def test_connections_that_made_way_for_those_to_other_hosts_are_opened_anew(http, elsewhere):
    elsewhere.answers["/"] = 200, {}, b"{}"
    calls = JsonCalls(http)
    for _ in range(2):
        assert fetch(calls, elsewhere.url).status == 200
        http.close()


def test_contents_go_over_the_same_connection(ask, http, box, emulator, token):
    assert ask("ours", ME)[0] == ask("sdk", ME)[0] == 200
    pools = http.get_adapter(box.url).poolmanager.pools
    (pool,) = [pools[key] for key in pools.keys()]  # noqa: SIM118 - it is no dict
    assert (pool.num_requests, pool.num_connections) == (2, 1)
