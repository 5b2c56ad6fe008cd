"""A server that is told to stop, twice, while a page, an upload and a refresh are under way loses none of them."""

import contextlib
import os
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from box_auth import config
from box_auth.stores import open_store

from .journey import App, Process, Visitor, checkout, clean_environment, free_port, live_settings, running
from .store_contract import save

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM that could be heard")

MORE = """

from box_sdk_gen import UploadFileAttributes, UploadFileAttributesParentField
from flask import request
from flask_wtf.csrf import generate_csrf


@app.get("/token")
@box.login_required
def token():
    return generate_csrf()


@app.post("/upload")
@box.login_required
def upload():
    print("the upload has begun", flush=True)
    attributes = UploadFileAttributes("sent.bin", UploadFileAttributesParentField("0"))
    sent = box.client.uploads.upload_file(attributes, request.stream).entries[0]
    account, _ = box.at_once(box.client.users.get_user_me, lambda: box.get("/folders/0"))
    return f"{sent.name} of {sent.size} bytes for {account.login}"
"""
PART = os.urandom(1 << 20)


@pytest.fixture
def settings(emulator, box):
    return live_settings(emulator, box, free_port())


@pytest.fixture(params=["flask run", "python app.py", "gunicorn"])
def site(request, tmp_path, settings):
    fork = checkout(tmp_path / "fork", *(["gunicorn.conf.py"] if request.param == "gunicorn" else []))
    (fork / "app.py").write_text((fork / "app.py").read_text() + MORE)
    if request.param == "flask run":
        process = App(fork, **settings)
    else:
        command, ready = ["-c", "import app; app.box.run(app.app)"], "Running on"
        if request.param == "gunicorn":
            command, ready = ["-m", "gunicorn", "--worker-tmp-dir", str(tmp_path)], "live, with Box: gunicorn"
        process = Process([sys.executable, *command], fork, clean_environment(**settings), ready)
        process.url = f"http://127.0.0.1:{settings['CALLBACK_PORT']}"
    with running(process):
        process.store = open_store(config.parse(settings, fork / "instance"))
        yield process


class Upload:
    """A file on its way to the app, of which the first half was sent."""

    def __init__(self, visitor: Visitor) -> None:
        parts = urlsplit(visitor.url)
        token = visitor.get("/token").text
        self._socket = socket.create_connection((parts.hostname, parts.port), timeout=30)
        head = f"POST /upload HTTP/1.1\r\nHost: {parts.netloc}\r\nCookie: {visitor.session_cookie()}\r\n"
        head += f"X-CSRFToken: {token}\r\nContent-Length: {2 * len(PART)}\r\nConnection: close\r\n\r\n"
        self._socket.sendall(head.encode() + PART)

    def __enter__(self) -> "Upload":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def finish(self) -> str:
        self._socket.sendall(PART)
        answer = b""
        while more := self._socket.recv(65536):
            answer += more
        return answer.decode()


def is_refused(url: str) -> bool:
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname, parts.port), timeout=5).close()
    except ConnectionRefusedError:
        return True
    except OSError:  # it was closed before it was accepted
        return False
    return False


def test_nobody_new_is_let_in_and_what_is_under_way_is_finished(emulator, site):
    user, store = emulator.users[0], site.store
    with Visitor(site.url) as visitor, Visitor(site.url) as other, ThreadPoolExecutor(1) as pool:
        visitor.sign_in(user.name)
        other.sign_in(emulator.users[1].name)
        with Upload(other) as upload:
            assert site.says("the upload has begun")
            before = store.load(user.id)
            before = replace(before, issued_at=before.issued_at - 3400)  # near its end
            save(store, before)
            emulator.fault("POST /oauth2/token", times=1, latency=3)
            emulator.fault("GET /2.0/users/me", times=1, latency=2)
            page = pool.submit(visitor.get, "/dashboard")
            end = time.monotonic() + 20
            while list(emulator.faults):  # until both have reached Box
                assert time.monotonic() < end
            site.process.terminate()
            told = time.monotonic()
            while not is_refused(site.url):
                assert time.monotonic() < told + 10
            seconds = time.monotonic() - told
            assert site.process.poll() is None
            with contextlib.suppress(ProcessLookupError):
                site.process.terminate()
            answer = page.result()
            assert (answer.status_code, user.login in answer.text) == (200, True)
            assert is_refused(site.url)
            while store.load(user.id).refresh_token == before.refresh_token:  # so that nothing else keeps it alive
                assert time.monotonic() < told + 20
            answer = upload.finish()
            assert answer.startswith("HTTP/1.1 200"), answer
            assert f"sent.bin of {2 * len(PART)} bytes for {emulator.users[1].login}" in answer
            assert site.process.wait(30) == 0
    assert seconds < 2.0
    assert "Traceback" not in site.output


def test_visitors_who_went_away_are_not_waited_for(fork, settings):
    with running(App(fork, **settings)) as app:
        parts = urlsplit(app.url)
        for _ in range(30):  # one of two is gone before the server has closed its answer
            with socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:
                connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
                connection.recv(1)
        app.process.terminate()
        assert app.process.wait(10) == 0
