"""What watches the app is told in time whether it lives, and whether a sign-in could be stored."""

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from box_auth.errors import StoreUnavailable
from box_auth.flask import BoxAuth
from box_auth.readiness import LONGEST, Readiness

from .journey import App, running
from .redis_server import RedisServer, needs_redis
from .small_apps import Browser

READY = (200, {"ready": True})


def asked(app, path="/readyz", **headers):
    answer = app.test_client().get(path, headers=headers)
    assert answer.mimetype == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.status_code, answer.json


def timed(ask):
    began = time.monotonic()
    return ask(), time.monotonic() - began


def looks():
    return sum(thread.name == "box-ready" for thread in threading.enumerate())


class TestAddresses:
    def test_tell_of_an_app_that_is_well(self, make):
        app = make()
        assert asked(app, "/livez") == (200, {"alive": True})
        assert asked(app) == asked(app, "/healthz") == asked(app, Accept="text/html") == READY
        assert app.test_client().head("/readyz").data == b""

    def test_of_the_demo_in_a_process(self, demo_fork):
        with running(App(demo_fork)) as app:
            told = {path: requests.get(f"{app.url}{path}", timeout=10).json() for path in ("/livez", "/readyz")}
        assert told == {"/livez": {"alive": True}, "/readyz": {"ready": True}}

    def test_of_wrong_settings(self, make, capsys):
        make.set(**make.settings, TRUSTED_PROXIES="many")
        app = make()
        assert asked(app, "/livez") == (200, {"alive": True})
        assert asked(app) == asked(app, "/healthz") == (503, {"ready": False, "code": "settings"})

    def test_of_folders_in_whose_place_is_a_file(self, make):
        app = make()
        for name in ("sessions", "tokens"):
            folder = make.folder / "instance" / name
            assert asked(app) == READY
            folder.rename(kept := folder.with_name("kept"))
            folder.write_text("")
            assert asked(app) == (503, {"ready": False, "code": "store_unavailable"})
            folder.unlink()
            kept.rename(folder)
        assert asked(app) == READY

    def test_answer_under_any_host_and_whatever_the_apps_hooks_ask(self, make):
        make.set(
            **{
                **make.settings,
                "TRUSTED_HOSTS": "files.example.com",
                "REDIRECT_URI": "https://files.example.com/callback",
            }
        )
        box = BoxAuth()
        app = make(box)

        @app.before_request
        def members_only():
            if box.user is None:
                return "no entry", 403
            return None

        assert app.test_client().get("/", headers={"Host": "files.example.com"}).status_code == 403
        assert app.test_client().get("/", headers={"Host": "10.0.0.7:8000"}).status_code == 400
        assert asked(app, Host="10.0.0.7:8000") == READY
        assert asked(app, "/livez", Host="") == (200, {"alive": True})


@needs_redis
class TestRedis:
    @pytest.fixture
    def server(self):
        with RedisServer() as server:
            yield server

    def test_that_hangs_is_told_within_a_second_and_one_thread_waits_however_often_it_is_asked(self, make, server):
        make.set(**make.settings, REDIS_URL=server.url, SECRET_KEY="the same everywhere")
        app = make()
        browser = Browser(app)
        assert browser.sign_in().status_code == 302
        assert asked(app) == READY
        os.kill(server.pid, signal.SIGSTOP)
        try:
            answers = [timed(lambda: asked(app)) for _ in range(3)]
            answers.append(timed(lambda: (lambda page: (page.status_code, page.json))(browser.get("/readyz"))))
            with ThreadPoolExecutor(8) as pool:
                many = [pool.submit(timed, lambda: asked(app)) for _ in range(40)]
                assert looks() == 1
                answers += [each.result() for each in many]
            assert [told for told, _ in answers] == [(503, {"ready": False, "code": "redis_away"})] * 44
            seconds = sorted(taken for _, taken in answers)
            assert seconds[len(seconds) // 2] < 1.0
            assert seconds[-1] < 3.0  # also on a machine that is busy: Redis itself is given up after four
            assert asked(app, "/livez") == (200, {"alive": True})
        finally:
            os.kill(server.pid, signal.SIGCONT)
        end = time.monotonic() + 20
        while asked(app) != READY:
            assert time.monotonic() < end
        assert browser.get("/").text == "ada@example.com"

    def test_that_is_away_full_or_wants_another_password_is_named(self, make):
        with RedisServer(password="right") as server:
            make.set(**make.settings, REDIS_URL=server.url, SECRET_KEY="the same everywhere")
            app = make()
            make.set(**make.settings, REDIS_URL=server.url.replace("right", "wrong"), SECRET_KEY="the same everywhere")
            refused = make()
            assert asked(app) == READY
            assert asked(refused) == (503, {"ready": False, "code": "redis_refused"})
            server.stop()
            assert asked(app) == (503, {"ready": False, "code": "redis_away"})
            server.start()
            assert asked(app) == READY


class TestALook:
    def test_that_takes_too_long_is_shared_and_its_end_is_seen(self):
        go_on, begun = threading.Event(), []

        def check():
            begun.append(1)
            assert go_on.wait(20)

        readiness = Readiness(check, "redis_away")
        told, seconds = timed(readiness.trouble)
        assert told == "redis_away"
        assert seconds >= LONGEST
        assert timed(readiness.trouble)[1] < LONGEST  # who comes later does not begin to wait anew
        assert len(begun) == 1
        go_on.set()
        end = time.monotonic() + 20
        while readiness.trouble():
            assert time.monotonic() < end
        assert looks() == 0 or time.monotonic() < end

    def test_that_fails_in_whatever_way_is_an_answer(self, caplog):
        def refuse():
            raise StoreUnavailable("redis_full")

        assert Readiness(refuse, "redis_away").trouble() == "redis_full"
        assert Readiness(lambda: 1 / 0, "redis_away").trouble() == "internal"
        assert "ZeroDivisionError" in caplog.text

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
    def test_that_is_under_way_does_not_come_along_into_a_forked_process(self):
        go_on = threading.Event()
        parent = os.getpid()
        readiness = Readiness(lambda: os.getpid() != parent or go_on.wait(20), "redis_away")
        assert readiness.trouble() == "redis_away"
        if not (child := os.fork()):
            os._exit(7 if readiness.trouble() == "" else 1)
        go_on.set()
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
