"""The emulator's switches: faults, time and counters, in Python and over HTTP."""

import os
import socket
import subprocess
import sys

import pytest
import requests

from .processes import ROOT, clean_environment

ADA, ME, TOKEN = "ada@example.com", "GET /2.0/users/me", "POST /oauth2/token"


@pytest.fixture
def http(box, emulator):
    with requests.Session() as session:
        session.trust_env = False
        session.headers["Authorization"] = f"Bearer {emulator.sign_in(ADA).access_token}"
        yield session


@pytest.fixture
def me(http, box):
    return lambda: http.get(f"{box.url}/2.0/users/me")


@pytest.fixture
def refresh(http, box, emulator):
    app = emulator.app

    def refresh(token):
        form = {"grant_type": "refresh_token", "client_id": app.client_id, "client_secret": app.client_secret}
        return http.post(f"{box.url}/oauth2/token", data={**form, "refresh_token": token})

    return refresh


@pytest.fixture
def switch(http, box):
    """Call a switch over HTTP and return the state it answers with."""

    def switch(method, path, body=None):
        answer = http.request(method, f"{box.url}/_emulator/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return switch


def test_the_next_answers_of_a_route_fail_and_no_others(emulator, me, http, box):
    emulator.fault(ME, status=503, times=2, retry_after=7)
    assert http.get(f"{box.url}/2.0/folders/0").status_code == 200
    answers = [me() for _ in range(3)]
    assert [answer.status_code for answer in answers] == [503, 503, 200]
    assert answers[0].headers["Retry-After"] == "7"
    assert answers[0].json()["code"] == "unavailable"
    assert answers[0].json()["type"] == "error"


def test_faults_have_boxs_shape_for_their_route_and_status(emulator, me, refresh):
    emulator.fault("GET /2.0/*", status=429, retry_after="Wed, 21 Oct 2026 07:28:00 GMT")
    limited = me()
    assert (limited.json()["code"], limited.headers["Retry-After"][:3]) == ("rate_limit_exceeded", "Wed")
    emulator.fault(ME, status=401)
    assert (me().status_code, me().status_code) == (401, 200)
    pair = emulator.sign_in(ADA)
    emulator.fault(TOKEN, status=500)
    failed = refresh(pair.refresh_token)
    assert (failed.status_code, set(failed.json())) == (500, {"error", "error_description"})
    assert refresh(pair.refresh_token).status_code == 200, "a failed answer has no effect"


def test_an_answer_can_be_html(emulator, me):
    emulator.fault(ME, status=200, body="<h1>Proxy login</h1>", content_type="text/html")
    answer = me()
    assert (answer.status_code, answer.text) == (200, "<h1>Proxy login</h1>")
    assert answer.headers["Content-Type"] == "text/html"


def test_faults_are_used_up_in_the_order_they_were_set(emulator, me):
    emulator.fault(ME, status=500)
    emulator.fault("*", status=503)
    assert [me().status_code for _ in range(3)] == [500, 503, 200]


def test_a_slow_answer_is_slow_once(emulator, me):
    emulator.fault(ME, latency=0.2)
    assert me().elapsed.total_seconds() >= 0.2
    assert me().elapsed.total_seconds() < 0.2


@pytest.mark.parametrize(("moment", "happened"), [("before", False), ("during", True), ("after", True)])
def test_a_connection_drops_before_or_after_the_effect(emulator, refresh, moment, happened):
    pair = emulator.sign_in(ADA)
    emulator.fault(TOKEN, drop=moment)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        refresh(pair.refresh_token)
    assert emulator.tokens.refreshes["accepted"] == happened
    assert refresh(pair.refresh_token).status_code == (400 if happened else 200)


def test_a_drop_during_the_answer_sends_its_head_and_half_its_body(emulator, box, http):
    emulator.fault(ME, drop="during")
    address = ("127.0.0.1", int(box.url.rpartition(":")[2]))
    with socket.create_connection(address, timeout=5) as connection:
        authorization = http.headers["Authorization"].encode()
        connection.sendall(b"GET /2.0/users/me HTTP/1.1\r\nHost: x\r\nAuthorization: " + authorization + b"\r\n\r\n")
        received = b""
        while data := connection.recv(65536):
            received += data
    head, _, body = received.partition(b"\r\n\r\n")
    length = int(head.partition(b"Content-Length: ")[2].split(b"\r\n")[0])
    assert len(body) == length // 2
    assert body.startswith(b'{"type":"user"')


@pytest.mark.parametrize(
    "wrong", [{"drop": "sometimes"}, {"status": 99}, {"status": 600}, {"times": 0}, {"latency": -1}]
)
def test_a_fault_that_makes_no_sense_is_refused(emulator, wrong):
    with pytest.raises(ValueError, match=r"\w"):
        emulator.fault(ME, **wrong)


def test_the_log_counts_by_route_and_status_and_keeps_no_secrets(emulator, me, http, box):
    me()
    emulator.fault(ME, status=500)
    me()
    emulator.fault(ME, drop="before")
    with pytest.raises(requests.ConnectionError):
        me()
    http.get(f"{box.url}/2.0/folders/0/items?access_token=secret&limit=1")
    assert emulator.requests.count(ME) == 3
    assert [emulator.requests.count(ME, status=status) for status in (200, 500)] == [1, 1]
    assert emulator.requests.count("GET /2.0/*") == 4
    assert emulator.requests.count() == len(emulator.requests) == 4
    assert [request.status for request in emulator.requests] == [200, 500, None, 200]
    assert "secret" not in repr(list(emulator.requests))
    emulator.requests.clear()
    assert emulator.requests.count() == 0


def test_a_clock_stands_still_when_frozen_and_goes_on_from_there(emulator):
    emulator.clock.freeze()
    then = emulator.clock.now()
    emulator.clock.freeze()
    assert emulator.clock.now() == then
    emulator.clock.advance(3600)
    assert emulator.clock.now() == then + 3600
    emulator.clock.unfreeze()
    assert then + 3600 <= emulator.clock.now() < then + 3660
    assert emulator.clock.now() < emulator.clock.now()
    with pytest.raises(ValueError, match="forward"):
        emulator.clock.advance(-1)


def test_a_reset_starts_over(emulator, me, refresh):
    refresh(emulator.sign_in(ADA).refresh_token)
    emulator.add_user("Extra", "extra@example.com")
    emulator.add_item(ADA, "extra.txt")
    emulator.clock.freeze()
    emulator.clock.advance(1e6)
    emulator.fault(ME, status=500)
    emulator.set_options(lenient_refresh=True)
    emulator.reset()
    assert [user.login for user in emulator.users] == [ADA, "bo@example.com", "nil@example.com"]
    assert me().status_code == 401
    assert (emulator.clock.frozen, emulator.options.lenient_refresh, list(emulator.faults)) == (False, False, [])
    assert emulator.tokens.refreshes == {"accepted": 0, "refused": 0}
    emulator.add_item(ADA, "extra.txt")


def test_over_http_the_clock_moves(switch, emulator):
    before = emulator.clock.now()
    state = switch("POST", "clock", {"advance": 7200, "frozen": True})
    assert state["now"] >= before + 7200
    assert state["frozen"]
    assert not switch("POST", "clock", {"frozen": False})["frozen"]


def test_over_http_tokens_expire_and_are_revoked(switch, me, emulator, http):
    switch("POST", "tokens/expire", {"user": "bo@example.com"})
    assert me().status_code == 200
    switch("POST", "tokens/expire", {"kind": "access", "user": ADA})
    assert me().status_code == 401
    http.headers["Authorization"] = f"Bearer {emulator.sign_in(ADA).access_token}"
    switch("POST", "tokens/revoke", {})
    assert me().status_code == 401


def test_over_http_faults_are_set_and_cleared(switch, me):
    state = switch("POST", "faults", {"route": ME, "status": 503, "retry_after": 3, "times": 5})
    assert state["faults"][0]["times"] == 5
    assert me().headers["Retry-After"] == "3"
    assert switch("DELETE", "faults")["faults"] == []
    assert me().status_code == 200


def test_over_http_options_are_set_and_requests_counted(switch, me, http, box):
    assert switch("POST", "options", {"lenient_refresh": True})["options"]["lenient_refresh"]
    me()
    expected = [{"method": "GET", "path": "/2.0/users/me", "status": 200, "count": 1}]
    assert switch("GET", "")["requests"] == expected
    log = http.get(f"{box.url}/_emulator/requests").json()
    assert [(entry["method"], entry["path"], entry["status"]) for entry in log] == [("GET", "/2.0/users/me", 200)]
    assert switch("DELETE", "requests")["requests"] == []
    assert not switch("POST", "reset", {})["options"]["lenient_refresh"]


def test_over_http_somebody_signs_in_origins_are_listed_and_a_seed_is_sown(switch, http, box, emulator):
    pair = http.post(f"{box.url}/_emulator/tokens", json={"user": "bo@example.com"}).json()
    bearer = {"Authorization": f"Bearer {pair['access_token']}", "Origin": "http://localhost:3000"}
    switch("POST", "origins", {"origins": ["http://localhost:3000"]})
    assert http.get(f"{box.url}/2.0/users/me", headers=bearer).json()["login"] == "bo@example.com"
    state = switch("POST", "reset", {"seed": {"users": [{"name": "Cleo", "login": "cleo@example.com"}]}})
    assert [user["login"] for user in state["users"]] == ["cleo@example.com"]
    assert emulator.apps.get(emulator.app.client_id).origins == ()


FORK = """
import os, threading
from box_emulator.locks import fork_safe_lock
lock = fork_safe_lock()
def work():
    while True:
        with lock:
            sum(range(1000))
threading.Thread(target=work, daemon=True).start()
for _ in range(20):  # the lock is held nearly always
    child = os.fork()
    if not child:
        os._exit(0 if lock.acquire(timeout=5) else 1)
    assert os.waitpid(child, 0)[1] == 0
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_finds_the_locks_free():
    command = [sys.executable, "-c", FORK]
    done = subprocess.run(command, cwd=ROOT, env=clean_environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("clock", {"advance": -1}),
        ("clock", {"advance": "soon"}),
        ("clock", {"speed": 2}),
        ("clock", [1]),
        ("faults", {}),
        ("faults", {"route": ME, "drop": "never"}),
        ("faults", {"route": 7}),
        ("options", {"colour": "red"}),
        ("options", {"lenient_refresh": "yes"}),
        ("options", {"access_token_lifetime": True}),
        ("tokens/revoke", {"user": "nobody@example.com"}),
        ("tokens/expire", {"kind": "both"}),
        ("tokens", {"user": "nobody@example.com"}),
        ("tokens", {}),
        ("origins", {"origins": "http://localhost"}),
        ("origins", {"origins": [], "client_id": "nobody"}),
        ("reset", {"seed": {"users": [{"name": "C"}]}}),
        ("reset", {"seed": 7}),
        (
            "reset",
            {"seed": {"users": [{"name": "C", "login": "c@x", "items": [{"name": "a", "file": "/etc/hostname"}]}]}},
        ),
    ],
)
def test_over_http_a_wrong_switch_is_a_400_that_says_why(http, box, path, body):
    answer = http.post(f"{box.url}/_emulator/{path}", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_pages_in_a_browser_cannot_turn_switches(http, box, emulator):
    form = http.post(f"{box.url}/_emulator/tokens/revoke", data="{}", headers={"Content-Type": "text/plain"})
    rebound = http.post(f"{box.url}/_emulator/tokens/revoke", json={}, headers={"Host": "evil.example"})
    assert (form.status_code, rebound.status_code) == (415, 403)
    assert http.get(f"{box.url}/2.0/users/me").status_code == 200
