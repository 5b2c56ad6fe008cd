"""Several workers on one machine, as gunicorn.conf.py starts them: short storms, and what gunicorn logs and trusts.

`benchmarks/refresh_storm.py`, which these tests borrow from, does the same at length, with faults and with Redis.
"""

import contextlib
import os
import re
import runpy
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from urllib.parse import quote

import pytest
import requests

from box_auth import config
from box_auth.stores import open_store

from .journey import (
    ROOT,
    App,
    Process,
    Visitor,
    checkout,
    clean_environment,
    code_of,
    free_port,
    live_settings,
    local_box,
    needs,
    running,
)
from .store_contract import save
from .terminal import run

local_box()
needs("benchmarks", "gunicorn.conf.py")

from benchmarks.processes import PROC, Gunicorn, ask, stop  # noqa: E402
from benchmarks.refresh_storm import FIGURES, Storm, read_options  # noqa: E402

HELD = """

@app.get("/held")
def held():
    import gc, sys

    gc.collect()
    return {"frozen": gc.get_freeze_count(), "blocks": sys.getallocatedblocks()}
"""

VIEWS = 400

pytestmark = pytest.mark.skipif(os.name == "nt", reason="gunicorn does not run on Windows")


@pytest.fixture(scope="module")
def storm():
    with contextlib.ExitStack() as stack:
        yield Storm(read_options(["--workers", "2", "--threads", "8", "--requests", "32", "--rounds", "3"]), stack)


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The app as it comes out of a clone, under gunicorn."""
    with running(Gunicorn(checkout(tmp_path_factory.mktemp("demo"), "gunicorn.conf.py"))) as app:
        app.wait_for_workers(2)
        yield app


@pytest.mark.parametrize("expiry", ["clock", "token"])
def test_32_requests_at_expiry_over_2_workers_are_all_answered_with_one_refresh(storm, expiry):
    storm.options.expire = expiry
    storm.tally.update(dict.fromkeys(FIGURES, 0))
    storm.run()
    assert storm.broken() == []
    names = ("rounds", "requests", "answered", "refreshes accepted", "refreshes refused", "leaked secrets")
    assert [storm.tally[name] for name in names] == [3, 96, 96, 3, 0, 0]


def test_a_worker_killed_in_the_middle_of_a_refresh_leaves_the_next_request_answered(storm):
    (app,), (user,), before = storm.apps, storm.cookies, dict(storm.emulator.tokens.refreshes)
    storm.expire()
    storm.emulator.fault("POST /oauth2/token", status=503, latency=60)
    end = time.monotonic() + 20
    with ThreadPoolExecutor(1) as pool:
        refreshing = pool.submit(storm.ask, user)
        while list(storm.emulator.faults):  # until the refresh has reached Box
            assert ask(app.url).status == 200
            assert time.monotonic() < end
        for worker in app.workers:
            app.kill(worker)
        assert refreshing.result().status == 0
    answer = storm.ask(user)
    assert (answer.status, user.login in answer.page) == (200, True)
    assert answer.seconds < 10
    assert storm.emulator.tokens.refreshes == before | {"accepted": before["accepted"] + 1}
    app.wait_for_workers(2)


@pytest.mark.skipif(not PROC.exists(), reason="only Linux's /proc tells which worker refreshes")
def test_a_worker_stopped_in_the_middle_of_a_refresh_uses_the_answer_it_finds(storm):
    (user,), accepted = storm.cookies, storm.emulator.tokens.refreshes["accepted"]
    stopped, taken = [], threading.Event()

    def stand_still(worker):
        if not stopped:
            stop(worker)
        stopped.append(worker)

    storm.expire([user], "near")
    before, end = storm.store.load(user.id), time.monotonic() + 20
    storm.refreshes.before, storm.refreshes.after = stand_still, lambda worker: taken.set()
    try:
        with ThreadPoolExecutor(1) as pool:
            first = pool.submit(storm.ask, user)
            assert taken.wait(20)
            answers = [storm.ask(user) for _ in range(4)]  # of the other worker, which waits half a second each time
            assert storm.store.load(user.id) == before
            os.kill(stopped[0], signal.SIGCONT)
            answers.append(first.result())
    finally:
        storm.refreshes.before = storm.refreshes.after = None
        for worker in stopped[:1]:
            os.kill(worker, signal.SIGCONT)
    assert [(answer.status, user.login in answer.page) for answer in answers] == [(200, True)] * 5
    while storm.store.load(user.id) == before:
        assert time.monotonic() < end
        assert storm.ask(user).status == 200
    storm.expire([user], "clock")
    assert storm.ask(user).status == 200
    refreshes = storm.emulator.tokens.refreshes
    assert (refreshes["accepted"], len(stopped), storm.refreshes.twice) == (accepted + 2, 1, 0)


def test_a_server_that_is_told_to_stop_finishes_the_refresh_under_way(emulator, box, tmp_path):
    """Although no page waits for it: Box takes the refresh token once, and here its answer takes two seconds."""
    settings = live_settings(emulator, box, free_port())
    folder = checkout(tmp_path / "fork", "gunicorn.conf.py")
    user, store = emulator.users[0], open_store(config.parse(settings, folder / "instance"))
    app = Gunicorn(folder, "--workers", "1", **settings)
    with running(app), Visitor(app.url) as visitor:
        visitor.sign_in(user.name)
        before = store.load(user.id)
        before = replace(before, issued_at=before.issued_at - 3400)  # near its end, so that the page goes on without
        save(store, before)
        emulator.fault("POST /oauth2/token", times=1, latency=2)
        assert ask(app.url, "/dashboard", visitor.session_cookie()).status == 200
        assert store.load(user.id) == before
        app.process.terminate()
        assert app.process.wait(30) == 0
    assert store.load(user.id).refresh_token != before.refresh_token
    assert emulator.requests.count("POST /oauth2/token") == 2  # the sign-in, and one refresh


def test_what_a_worker_holds_does_not_grow_with_the_pages_that_it_shows(emulator, box, tmp_path):
    settings = live_settings(emulator, box, free_port())
    folder = checkout(tmp_path / "fork", "gunicorn.conf.py")
    with open(folder / "app.py", "a") as source:
        source.write(HELD)
    with running(Gunicorn(folder, "--workers", "1", **settings)) as app, Visitor(app.url) as visitor:
        visitor.sign_in()
        held = []
        for _ in range(2):
            assert {visitor.get("/dashboard").status_code for _ in range(VIEWS)} == {200}
            held.append(visitor.get("/held").json())
    assert held[0]["frozen"] > 50_000  # what was loaded before its first page: no collection looks through that
    assert held[1]["blocks"] - held[0]["blocks"] < 2 * VIEWS  # of memory; caches still take a few


def test_flask_run_that_is_told_to_stop_finishes_the_refresh_under_way(emulator, box, tmp_path):
    settings = live_settings(emulator, box, free_port())
    folder = checkout(tmp_path / "fork")
    user, store = emulator.users[0], open_store(config.parse(settings, folder / "instance"))
    with running(App(folder, **settings)) as app, Visitor(app.url) as visitor:
        visitor.sign_in(user.name)
        before = store.load(user.id)
        before = replace(before, issued_at=before.issued_at - 3400)
        save(store, before)
        emulator.fault("POST /oauth2/token", times=1, latency=2)
        assert visitor.get("/dashboard").status_code == 200
        assert store.load(user.id) == before
        app.process.terminate()
        app.process.wait(30)
    assert store.load(user.id).refresh_token != before.refresh_token


def test_many_people_sign_in_to_the_demo_at_once_over_several_workers(demo):
    def content(page):
        assert page.url == f"{demo.url}/dashboard"
        return page.text.partition("<main>")[2]

    def sign_in(number):
        with Visitor(demo.url) as visitor:
            first = content(visitor.sign_in(("Ada", "Bo", "Nil")[number % 3]))
            return {content(visitor.get("/dashboard", headers={"Connection": "close"})) for _ in range(8)} == {first}

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(sign_in, range(6)))
    assert len(set(re.findall(r'<(\d+)> "GET /dashboard ', demo.output))) == 2


def test_no_login_code_reaches_gunicorns_log_and_no_path_forges_a_line(demo):
    with Visitor(demo.url) as visitor:
        address = visitor.callback_address()
        code = re.search(r"code=([\w-]{10,})", address)[1]
        visitor.http.get(address, timeout=60)
        visitor.get("/", headers={"Referer": address})
        visitor.get("/%0Aforged%20line")
        demo.wait_for_workers(2)
    assert re.search(r'"GET /callback HTTP/1.1" 302 ', demo.output)
    assert code not in demo.output
    assert '"GET /%0Aforged%20line HTTP/1.1" 404 ' in demo.output


def test_a_cookie_of_ten_kilobytes_is_an_unknown_session_and_no_bare_400(demo):
    with Visitor(demo.url) as visitor:
        visitor.sign_in()
        name = visitor.session_cookie().partition("=")[0]
    page = requests.get(f"{demo.url}/dashboard", headers={"Cookie": f"{name}={'x' * 10_000}"}, timeout=60)
    assert (page.status_code, code_of(page)) == (401, "session_unknown")


def test_gunicorn_believes_no_forwarded_headers(demo):
    forged = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "elsewhere.example", "X-Forwarded-Prefix": "/elsewhere"}
    with Visitor(demo.url) as visitor:
        answer = visitor.get("/login", headers=forged, allow_redirects=False)
        assert quote(f"{demo.url}/callback", safe="") in answer.headers["Location"]


@pytest.mark.parametrize(
    ("settings", "bind"),
    [
        ({}, "127.0.0.1:5000"),
        ({"CALLBACK_PORT": "8080"}, "127.0.0.1:8080"),
        ({"CALLBACK_HOSTNAME": "::1"}, "[::1]:5000"),
        ({"CALLBACK_HOSTNAME": "0.0.0.0", "REDIRECT_URI": "https://box.example/callback"}, "0.0.0.0:5000"),
        ({"CALLBACK_PORT": "wrong"}, "127.0.0.1:5000"),
        ({"PORT": "8000", "CALLBACK_PORT": "5001"}, "0.0.0.0:8000"),
        ({"PORT": "8000", "CALLBACK_HOSTNAME": "127.0.0.1"}, "127.0.0.1:8000"),
        ({"PORT": ""}, "127.0.0.1:5000"),
    ],
)
def test_gunicorn_listens_where_the_settings_say(settings, bind, monkeypatch):
    for name in ("PORT", "CALLBACK_HOSTNAME", "CALLBACK_PORT", "REDIRECT_URI", "WEB_CONCURRENCY"):
        monkeypatch.setenv(name, "")  # and taken back after the test, whatever the file sets
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    chosen = runpy.run_path(str(ROOT / "gunicorn.conf.py"))
    assert (chosen["bind"], chosen["workers"]) == (bind, 2)
    monkeypatch.setenv("WEB_CONCURRENCY", "5")
    assert runpy.run_path(str(ROOT / "gunicorn.conf.py"))["workers"] == 5


def test_on_a_platform_gunicorn_listens_at_its_port_and_box_answers_come_there(emulator, box, tmp_path):
    port = str(free_port())
    settings = live_settings(emulator, box, free_port(), PORT=port, WEB_CONCURRENCY="1")
    folder = checkout(tmp_path / "fork", "gunicorn.conf.py")
    command = [sys.executable, "-m", "gunicorn"]
    with running(Process(command, folder, clean_environment(**settings), "live, with Box")) as process:
        assert f"Listening at: http://0.0.0.0:{port}" in process.output
        with Visitor(f"http://127.0.0.1:{port}") as visitor:
            assert visitor.sign_in().url == f"http://127.0.0.1:{port}/dashboard"


def test_a_port_that_is_no_number_ends_gunicorns_start_and_is_named(tmp_path):
    done = run(checkout(tmp_path / "fork", "gunicorn.conf.py"), "-m", "gunicorn", PORT="abc")
    assert (done.returncode, done.stderr.strip()) == (1, "PORT must be a number from 1 to 65535.")
