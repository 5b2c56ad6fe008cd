"""The emulator's HTTP server, spoken to byte by byte where that matters."""

import http.client
import logging
import socket
import threading
import time

import pytest
import requests

from box_emulator import Emulator, serve
from box_emulator.server import WebServer

ME = "/2.0/users/me"


def echo(environ, start_response):
    """A WSGI app that says what it read, in pieces and without a length."""
    path, body = environ["PATH_INFO"], environ["wsgi.input"]
    if path == "/explode":
        raise RuntimeError("on purpose")
    read = b"" if path == "/unread" else body.read()
    start_response("200 OK", [("Content-Type", "text/plain"), ("X-Query", environ["QUERY_STRING"])])
    return iter([b"read ", b"", str(len(read)).encode()])


@pytest.fixture
def web():
    web = WebServer(echo)
    web.start()
    yield web
    web.stop()


@pytest.fixture
def talk(web):
    """Send bytes on a new connection, say that there will be no more, and return all that comes back."""

    def talk(data, port=web.port):
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            received = b""
            while data := connection.recv(65536):
                received += data
            return received

    return talk


def test_two_requests_use_one_connection(box, emulator):
    headers = {"Authorization": f"Bearer {emulator.sign_in('ada@example.com').access_token}"}
    connection = http.client.HTTPConnection("127.0.0.1", int(box.url.rpartition(":")[2]), timeout=5)
    connection.request("GET", ME, headers=headers)
    first = connection.getresponse().read()
    local = connection.sock.getsockname()
    connection.request("GET", ME, headers=headers)
    second = connection.getresponse().read()
    assert first == second
    assert connection.sock.getsockname() == local
    connection.close()


def test_requests_sent_at_once_are_answered_in_turn(talk):
    answers = talk(
        b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc" * 2 + b"GET /b HTTP/1.1\r\nHost: x\r\n\r\n"
    )
    assert answers.count(b"HTTP/1.1 200 OK") == 3
    assert answers.count(b"1\r\n3\r\n") == 2


def test_an_answer_without_a_length_comes_in_chunks(talk):
    answer = talk(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b"Transfer-Encoding: chunked" in answer
    assert answer.endswith(b"\r\n\r\n5\r\nread \r\n1\r\n0\r\n0\r\n\r\n")


def test_an_old_client_gets_its_answer_up_to_the_end_of_the_connection(talk):
    answer = talk(b"GET / HTTP/1.0\r\n\r\n")
    assert b"chunked" not in answer
    assert answer.endswith(b"\r\n\r\nread 0")


def test_a_body_in_chunks_is_put_together(talk):
    head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = talk(head + b"3\r\nabc\r\nA;ext=1\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n")
    assert b"2\r\n13\r\n" in answer


@pytest.mark.parametrize(
    "request_",
    [
        b"POST /unread HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\nGET /x HTTP",
        b"POST /unread HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nGET /\r\n0\r\n\r\n",
    ],
)
def test_a_body_that_nobody_read_does_not_become_the_next_request(talk, request_):
    answers = talk(request_ + b"GET /next?q HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answers.count(b"HTTP/1.1 200 OK") == 2
    assert b"X-Query: q\r\n" in answers


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: x",
        b"Content-Length: -1",
        b"Content-Length: 1\r\nContent-Length: 2",
        b"Content-Length: 1\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: gzip",
    ],
)
def test_a_body_of_no_clear_length_is_refused_and_ends_the_connection(talk, head):
    answers = talk(b"POST / HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answers.startswith(b"HTTP/1.1 400 ")
    assert answers.count(b"HTTP/1.1 ") == 1


def test_a_form_that_breaks_off_changes_nothing(box, emulator, talk):
    pair, app = emulator.sign_in("ada@example.com"), emulator.app
    form = f"client_id={app.client_id}&client_secret={app.client_secret}&token={pair.access_token}".encode()
    head = b"POST /oauth2/revoke HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    port = int(box.url.rpartition(":")[2])
    answer = talk(head + b"Content-Length: %d\r\n\r\n" % (len(form) + 1) + form, port)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert emulator.tokens.authenticate(pair.access_token)
    answer = talk(head + b"Content-Length: %d\r\n\r\n" % len(form) + form, port)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert not emulator.tokens.authenticate(pair.access_token)


def test_a_client_that_waits_to_send_its_body_is_told_to_go_on(web):
    with socket.create_connection(("127.0.0.1", web.port), timeout=5) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        assert connection.recv(1000).startswith(b"HTTP/1.1 100 ")
        connection.sendall(b"ok")
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 ")


def test_head_has_the_length_and_no_body(box, emulator):
    with requests.Session() as session:
        session.trust_env = False
        session.headers["Authorization"] = f"Bearer {emulator.sign_in('ada@example.com').access_token}"
        for _ in range(2):
            whole, head = session.get(box.url + ME), session.head(box.url + ME)
            assert head.content == b""
            assert head.headers["Content-Length"] == str(len(whole.content))


def test_head_keeps_back_a_body_that_the_app_gave(talk):
    answers = talk(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answers.startswith(b"HTTP/1.1 200 OK")
    assert answers.endswith(b"\r\n\r\n")
    assert b"read" not in answers


def test_a_failing_app_is_a_500_and_a_line_in_the_log_without_the_query(talk, caplog):
    with caplog.at_level(logging.INFO):
        assert talk(b"GET /explode?code=secret HTTP/1.1\r\nHost: x\r\n\r\n").startswith(b"HTTP/1.1 500 ")
        talk(b"GET /fine?code=secret HTTP/1.1\r\nHost: x\r\n\r\n")
        talk(b"GET /bad?code=secret HTTP/9.9 what\r\n\r\n")
    assert "GET /explode failed" in caplog.text
    assert "GET /fine 200" in caplog.text
    assert "secret" not in caplog.text


def test_forty_connections_are_served_at_once(box, emulator):
    emulator.fault("GET *", times=40, latency=0.3)
    headers = {"Authorization": f"Bearer {emulator.sign_in('ada@example.com').access_token}"}
    statuses, ready = [], threading.Barrier(40)

    def ask():
        with requests.Session() as session:
            session.trust_env = False
            ready.wait()
            statuses.append(session.get(box.url + ME, headers=headers, timeout=10).status_code)

    threads = [threading.Thread(target=ask) for _ in range(40)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 40
    assert time.monotonic() - began < 0.3 * 20


def test_an_emulator_starts_in_under_half_a_second_and_stops_as_fast():
    starts, stops = [], []
    for _ in range(3):  # of which the fastest counts: the machine may be busy with something else
        began = time.monotonic()
        emulator = Emulator()
        with serve(emulator) as server, requests.Session() as session:
            session.trust_env = False
            assert session.get(server.url + ME).status_code == 401
            starts.append(time.monotonic() - began)
            began = time.monotonic()
        stops.append(time.monotonic() - began)
        emulator.close()
    assert min(starts) < 0.5
    assert min(stops) < 0.5


def test_stopping_frees_the_ports_and_wakes_what_waits(emulator):
    emulator.fault("GET *", latency=60)
    before = set(threading.enumerate())
    server = serve(emulator)
    port = int(server.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=5) as waiting:
        waiting.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        while list(emulator.faults):
            time.sleep(0.01)
        server.stop()
        assert waiting.recv(1000) == b""
    assert set(threading.enumerate()) == before
    with serve(emulator, port=port) as again:
        assert again.url == server.url


def test_a_taken_port_is_an_oserror_and_leaves_nothing_open(box, emulator):
    with pytest.raises(OSError, match="in use"):
        serve(emulator, port=int(box.url.rpartition(":")[2]))


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.0.1", "example.com", "::", ""])
def test_only_this_machine_is_served(emulator, host):
    with pytest.raises(ValueError, match="not this machine"):
        serve(emulator, host=host)
