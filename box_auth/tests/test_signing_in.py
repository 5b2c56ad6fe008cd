"""Sign-ins under way: a cookie each, nothing on the server, and a state that counts once, whoever comes at once."""

import base64
import json
import os
import random
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
import requests
from itsdangerous import URLSafeSerializer

from box_auth import PendingLogin, SignInFailed, config, login_cookie, open_flow, pending_login
from box_auth.flow import CLOCKS_DIFFER
from box_auth.pending import LOGIN_SECONDS
from box_auth.stores.files import FileStore
from box_auth.stores.redis import connect

from .journey import App, Visitor, checkout, free_port, live_settings, running
from .programs import processes
from .redis_server import RedisServer, needs_redis
from .small_apps import SITE, Browser, code_of
from .store_contract import PLAIN
from .walker import consent

KEYS = ["a key of this app"]


def state_of(address: str) -> str:
    return parse_qs(urlsplit(address).query)["state"][0]


def kept(folder) -> set[str]:
    return {str(path) for path in folder.rglob("*") if path.is_file()}


class TestTheCookie:
    def test_it_is_private_short_lived_and_only_for_the_callback(self, make):
        browser = Browser(make())
        page = browser.get("/login?next=/me")
        (cookie,) = page.headers.getlist("Set-Cookie")  # and there is no other: no session
        parts = set(cookie.split("; ")[1:])
        assert {"HttpOnly", "SameSite=Lax", "Max-Age=600", "Path=/callback"} < parts
        assert len(cookie.split("; ")[0]) < 100
        assert state_of(page.headers["Location"]) not in cookie

    def test_forty_of_them_are_a_small_header(self, make):
        browser = Browser(make())
        cookies = [browser.get("/login?next=/dashboard").headers["Set-Cookie"].split(";")[0] for _ in range(40)]
        assert len({cookie.partition("=")[0] for cookie in cookies}) == 40
        assert len("; ".join(cookies)) < 4096

    def test_a_page_with_a_long_address_is_not_gone_back_to(self, make):
        browser = Browser(make())
        long = "/me?" + "x" * 396
        assert browser.sign_in(start="/login?" + urlencode({"next": long})).headers["Location"] == long
        page = browser.get("/login?" + urlencode({"next": long + "x"}))
        assert len(page.headers["Set-Cookie"]) < 200
        assert browser.sign_in(start="/login?" + urlencode({"next": long + "x"})).headers["Location"] == "/"

    def test_it_says_what_was_begun_also_after_the_key_was_replaced(self):
        pending = PendingLogin("the-state", 1_700_000_000.75, "/page?q=ü")
        name, value = login_cookie(pending, ["old"])
        found = pending_login("the-state", {name: value}, ["old", "new"])
        assert found == PendingLogin("the-state", 1_700_000_000, "/page?q=ü")
        assert pending_login("the-state", {name: value}, ["new"]) is None

    def test_nothing_shows_the_state(self):
        assert "the-state" not in repr(PendingLogin("the-state", 1.0, "/"))
        assert "the-state" not in str(login_cookie(PendingLogin("the-state", 1.0), KEYS))

    @pytest.mark.parametrize(
        "values",
        [
            *(None, True, 7, "text", {}, [], [1], [1, 2], ["1", "/"], [1.5, "/"], [True, "/"], [1, None]),
            *([1, "/", 3], [-1, "/"], [10**400, "/"], [float("nan"), "/"], [[1], ["/"]], {"0": 1, "1": "/"}),
        ],
    )
    def test_one_that_we_signed_but_do_not_understand_is_none(self, values):
        name, _ = login_cookie(PendingLogin("s", 1.0), KEYS)
        value = URLSafeSerializer(KEYS, salt=b"box login s").dumps(values)
        assert pending_login("s", {name: value}, KEYS) is None

    def test_one_that_is_forged_cut_off_or_of_another_sign_in_is_none(self):
        name, value = login_cookie(PendingLogin("s", 1.0), KEYS)
        payload = base64.urlsafe_b64encode(json.dumps([1, "//evil"]).encode()).decode()
        others = [login_cookie(PendingLogin("another", 1.0), KEYS)[1], login_cookie(PendingLogin("s", 1.0), ["x"])[1]]
        deep = URLSafeSerializer(KEYS, salt=b"box login s").dump_payload("").decode() + "[" * 5000
        for bad in ("", ".", value[:-1], value[1:], f"{payload}.{value.rpartition('.')[2]}", "\x00ü😀", deep, *others):
            assert pending_login("s", {name: bad}, KEYS) is None
        assert pending_login("s", {name: value}, KEYS) == PendingLogin("s", 1, "")

    @pytest.mark.parametrize("state", ["", "\x00", "😀", "\ud800", "a" * 9000])
    def test_any_state_may_be_asked_for(self, state):
        assert pending_login(state, {}, KEYS) is None


class TestTheBrowser:
    def test_hundreds_who_only_ask_for_login_leave_nothing(self, make):
        app = make()
        Browser(app).sign_in()
        before = kept(make.folder / "instance")
        for _ in range(300):
            assert Browser(app).get("/login").status_code == 302
        assert kept(make.folder / "instance") == before

    @needs_redis
    def test_hundreds_who_only_ask_for_login_leave_nothing_in_redis(self, make, emulator, box):
        with RedisServer() as server:
            more = {"REDIS_URL": server.url, "SECRET_KEY": "of all machines", "REDIRECT_URI": f"{SITE}/callback"}
            make.set(**live_settings(emulator, box, 80, **more))
            app = make()
            Browser(app).sign_in()
            client = connect(server.url)
            before = set(client.keys("*"))
            for _ in range(300):
                assert Browser(app).get("/login").status_code == 302
            assert set(client.keys("*")) == before
            client.close()

    def test_that_looks_before_it_goes_there_spends_nothing(self, make):
        browser = Browser(make())
        address = browser.answer()
        looked = browser.client.head(address, base_url=SITE)
        assert (looked.status_code, looked.headers["Allow"]) == (405, "GET")
        assert browser.get("/").text == "nobody"
        assert browser.get(address).status_code == 302
        assert browser.get("/").text != "nobody"

    def test_forty_sign_ins_at_once_are_all_answered_in_any_order(self, live):
        """Requests of one browser, each with the cookies that it has by then, as tabs that are restored send them."""
        with Visitor(live.url) as visitor, ThreadPoolExecutor(8) as pool:
            tabs = list(pool.map(lambda _: visitor.callback_address(), range(40)))
            random.shuffle(tabs)
            pages = list(pool.map(visitor.get, tabs))
        assert [page.url for page in pages] == [f"{live.url}/dashboard"] * 40

    def test_one_that_finishes_while_others_begin_loses_none(self, live):
        with Visitor(live.url) as visitor, ThreadPoolExecutor(8) as pool:
            waiting = [visitor.callback_address() for _ in range(12)]
            both = [(tab, pool.submit(visitor.get, tab), pool.submit(visitor.callback_address)) for tab in waiting]
            assert [done.result().url for _, done, _ in both] == [f"{live.url}/dashboard"] * 12
            assert [visitor.get(begun.result()).url for *_, begun in both] == [f"{live.url}/dashboard"] * 12

    def test_that_keeps_few_cookies_loses_the_oldest_and_is_told_so(self, live):
        with Visitor(live.url) as visitor:
            tabs = [visitor.callback_address() for _ in range(5)]
            names = [cookie.name for cookie in visitor.http.cookies if cookie.name.startswith("box_login_")]
            dropped = login_cookie(PendingLogin(state_of(tabs[0]), 0.0), KEYS)[0]
            assert dropped in names
            visitor.http.cookies.clear("127.0.0.1", "/callback", dropped)
            assert "<code>state_unknown</code>" in visitor.get(tabs[0]).text
            assert all(visitor.get(tab).url.endswith("/dashboard") for tab in tabs[1:])

    def test_without_cookies_is_told_to_allow_them(self, make, emulator):
        app = make()
        browser = Browser(app)
        browser.client = app.test_client(use_cookies=False)
        page = browser.sign_in()
        assert (page.status_code, code_of(page)) == (400, "state_unknown")
        assert "cookies allowed" in page.text
        assert emulator.requests.count("POST /oauth2/token") == 0

    def test_that_comes_back_twice_is_told_so_and_stays_signed_in(self, make, emulator):
        browser = Browser(make())
        answer = browser.answer()
        assert browser.get(answer).status_code == 302
        for _ in range(2):
            page = browser.get(answer)
            assert (page.status_code, code_of(page)) == (400, "state_used")
        assert browser.get("/").text == "ada@example.com"
        assert emulator.requests.count("POST /oauth2/token") == 1

    def test_a_no_counts_once_too(self, make):
        browser = Browser(make())
        answer = browser.answer(button="deny")
        assert [code_of(browser.get(answer)) for _ in range(2)] == ["access_denied", "state_used"]

    def test_a_cookie_of_eight_kilobytes_is_an_unknown_session(self, live, visitor):
        name = visitor.sign_in().request.headers["Cookie"].partition("=")[0]
        page = requests.get(f"{live.url}/dashboard", headers={"Cookie": f"{name}={'x' * 8192}"}, timeout=60)
        assert (page.status_code, re.search(r"<code>(\w+)</code>", page.text)[1]) == (401, "session_unknown")


class TestAState:
    @pytest.fixture
    def flow(self, settings, tmp_path):
        flow = open_flow(config.parse(settings, tmp_path))
        yield flow
        flow.network.close()

    def test_counts_once_for_every_door(self, emulator, flow):
        address, pending = flow.start()
        query = dict(parse_qsl(urlsplit(consent(address, "grant")).query))
        assert flow.finish(query, pending).login == "ada@example.com"
        with pytest.raises(SignInFailed) as caught:
            flow.finish(query, pending)
        assert caught.value.code == "state_used"
        assert emulator.requests.count("POST /oauth2/token") == 1

    @pytest.mark.parametrize("state", ["\ud800", "😀", "\x00"])
    def test_that_is_none_is_an_unknown_one(self, flow, state):
        with pytest.raises(SignInFailed) as caught:
            flow.finish({"state": state, "code": "c"}, flow.start()[1])
        assert caught.value.code == "state_unknown"

    def test_is_remembered_as_used_for_longer_than_it_could_be_used(self, flow, monkeypatch):
        seconds = []
        monkeypatch.setattr(flow.store, "use_once", lambda mark, for_seconds: seconds.append(for_seconds))
        _, pending = flow.start()
        with pytest.raises(SignInFailed):
            flow.finish({"state": pending.state, "code": "c"}, pending)
        assert seconds == [LOGIN_SECONDS + CLOCKS_DIFFER]

    @pytest.mark.parametrize("redis", [False, pytest.param(True, marks=needs_redis)])
    def test_that_comes_twice_at_the_same_moment_sends_one_code_to_box(self, emulator, box, tmp_path, redis):
        """Two processes of the app, eight threads, five rounds."""
        with RedisServer() if redis else Nothing() as server:
            more = {"REDIS_URL": server.url, "SECRET_KEY": "the same on both"} if redis else {}
            folder = checkout(tmp_path / "fork")
            ports = [free_port() for _ in range(2)]
            settings = [live_settings(emulator, box, port, **more) for port in ports]
            with running(App(folder, **settings[0])) as one, running(App(folder, **settings[1])) as other:
                for round in range(1, 6):
                    with Visitor(one.url) as visitor:
                        answer = visitor.callback_address()
                        cookie = "; ".join(f"{cookie.name}={cookie.value}" for cookie in visitor.http.cookies)
                    path = answer.removeprefix(one.url)
                    pages = at_once([f"{app.url}{path}" for app in (one, other) * 4], cookie)
                    assert sorted(page.status_code for page in pages) == [302] + [400] * 7
                    assert all("state_used" in page.text for page in pages if page.status_code == 400)
                    assert emulator.requests.count("POST /oauth2/token") == round


class Nothing:
    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def at_once(addresses: list[str], cookie: str) -> list[requests.Response]:
    start = threading.Barrier(len(addresses))

    def ask(address):
        start.wait()
        return requests.get(address, headers={"Cookie": cookie}, allow_redirects=False, timeout=60)

    with ThreadPoolExecutor(len(addresses)) as pool:
        return list(pool.map(ask, addresses))


def use(folder, url, start, results):
    store = open_flow(config.parse({"CLIENT_ID": "i", "CLIENT_SECRET": "s", "REDIS_URL": url}, folder)).store
    start.wait(60)
    results.put([store.use_once(f"mark {number}", 60) for number in range(50)])


@pytest.mark.parametrize("redis", [False, pytest.param(True, marks=needs_redis)])
def test_a_mark_is_used_by_one_of_six_processes(tmp_path, redis):
    context = processes()
    results, start = context.Queue(), context.Barrier(6)
    with RedisServer() if redis else Nothing() as server:
        url = server.url if redis else ""
        users = [context.Process(target=use, args=(tmp_path, url, start, results)) for _ in range(6)]
        for process in users:
            process.start()
        outcomes = [results.get(timeout=60) for _ in users]
        for process in users:
            process.join(30)
        assert [sum(each) for each in zip(*outcomes, strict=True)] == [1] * 50
        if redis:
            client = connect(url)
            keys = client.keys("*used*")
            assert len(keys) == 50
            assert all(0 < client.ttl(key) <= 60 for key in keys)
            client.close()


def test_marks_in_files_are_cleared_away_when_their_time_is_over(tmp_path):
    store = FileStore(tmp_path / "tokens", PLAIN)
    for name in ("old", "new"):
        assert store.use_once(name, 600)
    used = sorted((tmp_path / "tokens" / "used").iterdir())
    assert all(time.time() + 590 < path.stat().st_mtime < time.time() + 610 for path in used)
    os.utime(used[0], (1, 1))
    for thread in threading.enumerate():  # the first clearing, after the first mark
        if thread.name == "box-sweeper":
            thread.join(10)
    store = FileStore(tmp_path / "tokens", PLAIN)
    store.use_once("newer", 600)
    for thread in threading.enumerate():
        if thread.name == "box-sweeper":
            thread.join(10)
    assert len(list((tmp_path / "tokens" / "used").iterdir())) == 2
    assert store.users() == []
