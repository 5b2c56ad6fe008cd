"""Hostile clients: large bodies, floods of sign-ins, forged prefixes."""

import io
import re
import tempfile

import pytest
from flask import request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_wtf.csrf import CSRFProtect

from box_auth.flask import sign_in_limit

from .journey import App, Visitor, running
from .journey import code_of as code_on
from .redis_server import RedisServer, needs_redis
from .small_apps import Browser, code_of

OWN = ["/login", "/callback", "/logout"]
FORM = "multipart/form-data; boundary=x"


def form(size):
    return b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n' + b"a" * size + b"\r\n--x--\r\n"


class TestLargeBodies:
    @pytest.fixture
    def no_disk(self, monkeypatch):
        """A machine whose folder for temporary files does not exist."""
        monkeypatch.setattr(tempfile, "tempdir", "/does/not/exist")

    @pytest.fixture(params=["ours", "the app's, registered before"])
    def app(self, make, request):
        from box_auth.flask import BoxAuth

        app, box = make.bare(), BoxAuth()
        app.before_request(read_form)  # of the app itself, on every page
        if request.param != "ours":
            CSRFProtect(app)
        box.init_app(app)
        make.add_pages(app, box)
        return app

    @pytest.mark.parametrize("path", OWN)
    @pytest.mark.parametrize("chunked", [False, True])
    def test_are_refused_before_anything_reads_them(self, app, no_disk, path, chunked):
        body = form(2_000_000)
        options = {"input_stream": io.BytesIO(body), "content_type": FORM}
        if chunked:
            options["environ_overrides"] = {"wsgi.input_terminated": True}
        else:
            options["content_length"] = len(body)
        page = app.test_client().post(path, **options)
        assert (page.status_code, code_of(page)) == (413, "too_large")
        assert options["input_stream"].tell() <= 16 * 1024

    def test_a_form_of_the_usual_size_is_read(self, app):
        browser = Browser(app)
        browser.sign_in()
        assert browser.sign_out().status_code == 302
        assert browser.get("/").text == "nobody"

    def test_other_pages_take_what_they_took(self, app):
        page = app.test_client().post("/token", data=form(2_000_000), content_type=FORM)
        assert page.status_code == 405
        app.config["MAX_CONTENT_LENGTH"] = 100
        assert app.test_client().post("/logout", data=form(200), content_type=FORM).status_code == 413

    @pytest.mark.parametrize("chunked", [False, True])
    def test_plain_forms_are_refused_everywhere_before_they_fill_the_memory(self, app, chunked):
        body = io.BytesIO(b"name=" + b"a" * 2_000_000)
        options = {"input_stream": body, "content_type": "application/x-www-form-urlencoded"}
        options |= {"environ_overrides": {"wsgi.input_terminated": True}} if chunked else {"content_length": 2_000_005}
        page = app.test_client().post("/form", **options)
        assert (page.status_code, code_of(page)) == (413, "too_large")
        assert body.tell() <= 600_000
        app.config["MAX_FORM_MEMORY_SIZE"] = None
        body.seek(0)
        assert app.test_client().post("/form", **options).status_code == 400  # read, and without a token

    @pytest.mark.parametrize("path", OWN)
    def test_are_not_waited_for_where_nobody_reads_them(self, make, path):
        page = make().test_client().get(path, environ_overrides={"CONTENT_LENGTH": "9000"})
        assert (page.status_code, code_of(page)) == (413, "too_large")

    def test_over_a_real_socket(self, live):
        with Visitor(live.url) as visitor:
            chunks = (form(50_000)[start : start + 1000] for start in range(0, 50_000, 1000))
            page = visitor.post("/logout", data=chunks, headers={"Content-Type": FORM})
            assert (page.status_code, code_on(page)) == (413, "too_large")


def read_form():
    _ = request.form


def sign_in_from(app, address, host="localhost:80", **headers):
    environ = {"REMOTE_ADDR": address}
    return app.test_client().get("/callback?state=x", base_url=f"http://{host}", environ_base=environ, headers=headers)


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(sign_in_limit, "SIGN_INS", "3 per minute")


class TestFloodsOfSignIns:
    def test_hold_up_the_address_they_come_from_and_nobody_else(self, make, few):
        app = make()
        for _ in range(3):
            assert code_of(sign_in_from(app, "198.51.100.1")) == "state_unknown"
        page = sign_in_from(app, "198.51.100.1")
        assert (page.status_code, code_of(page)) == (429, "too_many_sign_ins")
        assert 1 <= int(page.headers["Retry-After"]) <= 60
        assert code_of(sign_in_from(app, "198.51.100.2")) == "state_unknown"
        browser = app.test_client()
        for path in ("/", "/login", "/me", "/healthz"):
            for _ in range(5):
                answer = browser.get(path, base_url="http://localhost:80", environ_base={"REMOTE_ADDR": "198.51.100.1"})
                assert answer.status_code in (200, 302)
                assert not any("RateLimit" in name for name in answer.headers.keys())  # noqa: SIM118

    def test_a_hundred_a_minute_are_let_through(self, make):
        app = make()
        assert {sign_in_from(app, "198.51.100.1").status_code for _ in range(100)} == {400}
        assert sign_in_from(app, "198.51.100.1").status_code == 429

    def test_behind_a_proxy_count_for_the_visitors_address(self, make, few):
        make.set(**make.settings, TRUSTED_PROXIES="1")
        app = make()

        def through(visitor):
            return code_of(sign_in_from(app, "10.0.0.1", **{"X-Forwarded-For": f"203.0.113.9, {visitor}"}))

        assert [through("198.51.100.1") for _ in range(4)][2:] == ["state_unknown", "too_many_sign_ins"]
        assert through("198.51.100.2") == "state_unknown"

    @pytest.mark.parametrize(
        "addresses",
        [
            ["2001:db8::1", "2001:db8::2", "[2001:DB8::ffff]:9", "2001:db8:0:0:7::"],  # one /64
            ["fe80::1%eth0", "fe80::2", "fe80::3%eth1", "fe80::4"],
            ["198.51.100.8", "198.51.100.8:10000", "::ffff:198.51.100.8", "[::FFFF:198.51.100.8]:10001"],
            ["x", "a" * 8000, "1.2.3.4.5", "[::1"],
            ["unknown", "_hidden", "198.51.100.8:x:y", "\N{ARABIC-INDIC DIGIT ONE}.1.1.1"],
        ],
    )
    def test_of_one_visitor_count_together_however_the_address_is_written(self, make, few, addresses):
        make.set(**make.settings, TRUSTED_PROXIES="1")
        app = make()
        codes = [code_of(sign_in_from(app, "10.0.0.1", **{"X-Forwarded-For": text})) for text in addresses]
        assert codes == ["state_unknown"] * 3 + ["too_many_sign_ins"]
        for other in ("2001:db8:0:1::1", "198.51.100.9:10000", "203.0.113.8"):
            assert code_of(sign_in_from(app, "10.0.0.1", **{"X-Forwarded-For": other})) == "state_unknown"

    def test_without_a_proxy_nobody_chooses_an_address(self, make, few):
        app = make()
        codes = [code_of(sign_in_from(app, "10.0.0.1", **{"X-Forwarded-For": f"1.2.3.{n}"})) for n in range(4)]
        assert codes[-1] == "too_many_sign_ins"

    def test_the_demo_has_no_limit(self, make, few):
        from box_emulator import embed

        make.set()
        app = make(demo=embed)
        assert {sign_in_from(app, "10.0.0.1").status_code for _ in range(9)} == {400}

    def test_two_apps_count_apart(self, make, few):
        apps = [make(), make()]
        for app in apps:
            assert [sign_in_from(app, "10.0.0.1").status_code for _ in range(4)] == [400, 400, 400, 429]

    def test_the_apps_own_settings_win(self, make, few):
        from box_auth.flask import BoxAuth

        app = make.bare()
        app.config["RATELIMIT_ENABLED"] = False
        BoxAuth().init_app(app)
        assert {sign_in_from(app, "10.0.0.1").status_code for _ in range(9)} == {400}

    @pytest.mark.parametrize("own", ["", "before", "after"])
    def test_a_limiter_of_the_apps_own_counts_as_it_would_alone(self, make, few, own):
        from box_auth.flask import BoxAuth

        app, box = make.bare(), BoxAuth()
        app.config.update(RATELIMIT_DEFAULT="5 per minute", RATELIMIT_HEADERS_ENABLED=True)
        if own == "before":
            Limiter(get_remote_address, app=app, storage_uri="memory://")
        box.init_app(app)
        if own == "after":
            Limiter(get_remote_address, app=app, storage_uri="memory://")
        make.add_pages(app, box)
        client = app.test_client()
        if not own:
            assert {client.get("/").status_code for _ in range(9)} == {200}
            return
        answers = [client.get("/") for _ in range(6)]
        assert [page.status_code for page in answers] == [200] * 5 + [429]
        assert len(answers[0].headers.getlist("X-RateLimit-Limit")) == 1
        assert code_of(answers[-1]) != "too_many_sign_ins"
        assert [sign_in_from(app, "10.0.0.9").status_code for _ in range(4)] == [400, 400, 400, 429]

    def test_a_store_that_is_away_keeps_nobody_out_and_its_address_out_of_the_log(self, make, few, caplog):
        from box_auth.flask import BoxAuth

        app = make.bare()
        app.config["RATELIMIT_STORAGE_URI"] = "redis://:hush-hush@127.0.0.1:9/0"
        BoxAuth().init_app(app)
        with caplog.at_level("INFO"):
            assert [sign_in_from(app, "10.0.0.1").status_code for _ in range(4)] == [400, 400, 400, 429]
        assert "hush-hush" not in caplog.text
        assert "redis:" not in caplog.text
        assert caplog.text.count("is away") == 1  # nor does each sign-in wait for it

    @needs_redis
    def test_with_redis_all_machines_count_together_and_go_on_when_it_was_away(self, make, few):
        with RedisServer(password="hush-hush") as server:
            make.set(**make.settings, REDIS_URL=server.url, SECRET_KEY="the same everywhere")
            one, other = make(), make()
            codes = [code_of(sign_in_from(app, "10.0.0.1")) for app in (one, other, one, other)]
            assert codes == ["state_unknown"] * 3 + ["too_many_sign_ins"]
            from box_auth.stores.redis import connect

            keys = [key.decode() for key in connect(server.url).keys("*") if b"10.0.0.1" in key]
            assert [":limit:" in key for key in keys] == [True]
            assert 0 < connect(server.url).ttl(keys[0]) <= 60


class TestPrefix:
    def link(self, app, *prefixes):
        answer = app.test_client().get(
            "/me", base_url="http://localhost:80", headers=[("X-Forwarded-Prefix", prefix) for prefix in prefixes]
        )
        assert answer.status_code == 302
        return answer.headers["Location"]

    @pytest.fixture
    def app(self, make):
        make.set(**make.settings, TRUSTED_PROXIES="1")
        return make()

    @pytest.mark.parametrize("prefix", ["/app", "/a/b-c/d.e/~f_g", "/..a/...", "/elsewhere, /app", ""])
    def test_one_of_plain_segments_counts(self, app, prefix):
        last = prefix.rpartition(", ")[2]
        assert self.link(app, prefix) == f"{last}/login?next={last}/me"

    @pytest.mark.parametrize(
        "prefix",
        ["//evil.example", "/\\evil.example", "evil.example", "https://evil.example", "/a/", "/a//b", "/a/../b",
         "/.", "/..", "/a b", "/a%2fb", '/"><script>', "/a?b", "/a#b", "/a;b", "/ä", "/a\x0bb", "/a\tb",
         "/app, //evil.example", "//evil.example, /app"],
    )  # fmt: skip
    def test_any_other_is_no_prefix(self, app, prefix):
        assert self.link(app, prefix) == "/login?next=/me"

    def test_in_the_running_app(self, fork, settings):
        with running(App(fork, **settings, TRUSTED_PROXIES="1")) as app, Visitor(app.url) as visitor:
            for prefix, found in (("/app", "/app/static"), ("//evil.example", "/static"), ("/a/../..", "/static")):
                page = visitor.get("/", headers={"X-Forwarded-Prefix": prefix})
                assert re.search(r'href="([^"?]*)/style.css', page.text)[1] == found
