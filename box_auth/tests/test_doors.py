"""The doors for what a fork adds or takes away: small Flask apps in this process, against a local Box."""

import copy
import json
import os
import pickle
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import pytest
from flask import Blueprint, Flask, abort, session
from werkzeug.exceptions import TooManyRequests

from box_auth import BoxAuthError, ConfigError, Settings, SignInBusy, StoreUnavailable, config, open_flow
from box_auth.flask import BoxAuth, SignInRefused, User
from box_auth.flask import box as shared_box
from box_auth.flask.sessions import cookie_name
from box_auth.script import connect
from box_auth.script.saved_user import SavedUser

from .journey import live_settings, local_box
from .small_apps import Browser, code_of

HERE = Path(__file__).parent  # where there are no templates


@pytest.fixture
def environment(monkeypatch, tmp_path):
    """An environment in which nothing speaks for a live app; a function sets more."""

    def put(**values):
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    put(**{**dict.fromkeys(config.NAMES, ""), "INSTANCE_DIR": str(tmp_path / "instance")})
    return put


@pytest.fixture
def live(environment, emulator, box):
    """The same, with the settings of a live app whose Box is the emulator."""
    environment(**live_settings(emulator, box, 80), CALLBACK_HOSTNAME="localhost")  # where a test client is
    return environment


def an_app(box, name="fork", **options):
    """An app of two pages, without a single template."""
    app = Flask(name, root_path=str(HERE))
    box.init_app(app, **options)

    @app.get("/")
    def home():
        return box.user.login if box.user else "nobody"

    @app.get("/private")
    @box.login_required
    def private():
        return box.client.users.get_user_me().login

    return app


class TestOnSignIn:
    def test_it_gets_the_user_and_the_record_before_anything_is_kept(self, live, emulator, tmp_path):
        box, seen = BoxAuth(), []
        app = an_app(box)

        @box.on_sign_in
        def hook(user, record):
            files = list((tmp_path / "instance" / "tokens").glob("*.json"))
            seen.append((user, record.user_id, files, "box_user" in session))

        assert Browser(app).sign_in().status_code == 302
        ada = emulator.users[0]
        assert seen == [(User(ada.id, ada.name, ada.login), ada.id, [], False)]

    def test_it_refuses_in_its_own_words_and_leaves_nothing(self, live, emulator, tmp_path):
        box = BoxAuth()
        app = an_app(box)

        @box.on_sign_in
        def only_example_inc(user, record):
            raise SignInRefused("Only people of <Example Inc.>")

        client = Browser(app)
        page = client.sign_in()
        assert (page.status_code, code_of(page)) == (403, "sign_in_refused")
        assert "Only people of &lt;Example Inc.&gt;" in page.text
        assert client.get("/").text == "nobody"
        assert not list((tmp_path / "instance").rglob("*.json"))
        assert emulator.requests.count("POST /oauth2/revoke") == 2

    @pytest.mark.parametrize("broken", ["raises", "False", "True", "text"])
    def test_one_that_fails_or_answers_nonsense_leaves_nobody_half_signed_in(self, live, caplog, broken):
        box, let_in = BoxAuth(), []
        app = an_app(box)

        @box.on_sign_in
        def hook(user, record):
            if let_in:
                return None
            if broken == "raises":
                raise ZeroDivisionError
            return {"False": False, "True": True, "text": "no"}[broken]

        client, other = Browser(app), Browser(app)
        let_in.append("the other")
        other.sign_in()
        let_in.clear()
        page = client.sign_in()
        assert (page.status_code, code_of(page)) == (500, "hook_failed")
        assert client.get("/").text == "nobody"
        assert other.get("/").text == "ada@example.com"  # a sign-in from before is untouched
        assert "hook" in caplog.text

    def test_while_it_hangs_others_are_served_and_nobody_is_signed_in(self, live):
        box, inside, go_on = BoxAuth(), threading.Event(), threading.Event()
        app = an_app(box)

        @box.on_sign_in
        def slow(user, record):
            if user.login.startswith("ada"):
                inside.set()
                assert go_on.wait(30)

        client, same_user, other = Browser(app), Browser(app), Browser(app)
        back = client.answer()
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(client.get, back)
            try:
                assert inside.wait(30)
                assert other.sign_in("Bo").status_code == 302
                assert other.get("/private").text == "bo@example.com"
                assert same_user.get("/").text == "nobody"
            finally:
                go_on.set()
            assert waiting.result().status_code == 302
        assert client.get("/").text == "ada@example.com"

    def test_all_of_several_must_let_them_in(self, live):
        box, asked = BoxAuth(), []
        app = an_app(box)

        @box.on_sign_in
        def first(user, record):
            asked.append("first")

        @box.on_sign_in
        def second(user, record):
            asked.append("second")
            raise SignInRefused

        assert Browser(app).sign_in().status_code == 403
        assert asked == ["first", "second"]


class TestOnSignOut:
    @pytest.fixture
    def told(self):
        return []

    @pytest.fixture
    def app(self, live, told):
        box = BoxAuth()
        app = an_app(box)
        app.config["WTF_CSRF_ENABLED"] = False
        box.on_sign_out(lambda user, reason: told.append((user.login, reason)))
        return app

    def test_the_button(self, app, told):
        client = Browser(app)
        client.sign_in()
        client.post("/logout")
        client.get("/")
        client.post("/logout")
        assert told == [("ada@example.com", "button")]

    def test_another_browser_is_told_of_once_at_its_next_visit(self, app, told):
        client, other = Browser(app), Browser(app)
        client.sign_in()
        other.sign_in()
        other.post("/logout")
        for _ in range(3):
            assert client.get("/").text == "nobody"
        assert (client.get("/private").status_code, told) == (
            401,
            [("ada@example.com", "button"), ("ada@example.com", "elsewhere")],
        )

    @pytest.mark.parametrize("how", ["script", "by hand"])
    def test_a_script_and_a_file_deleted_by_hand(self, app, told, how, tmp_path):
        client = Browser(app)
        client.sign_in()
        (file,) = (tmp_path / "instance" / "tokens").glob("*.json")
        if how == "script":
            flow = open_flow()
            saved = SavedUser(flow, tmp_path / "instance")
            saved.remember(flow.store.load(file.stem.partition("-")[0]))
            saved.end()
            flow.network.close()
        else:
            file.unlink()
        assert client.get("/").text == "nobody"
        client.get("/")
        assert told == [("ada@example.com", "elsewhere")]

    def test_box(self, app, told, emulator):
        client = Browser(app)
        client.sign_in()
        emulator.revoke_tokens()
        page = client.get("/private")
        assert (page.status_code, code_of(page)) == (401, "token_ended")
        assert client.get("/").text == "nobody"
        assert told == [("ada@example.com", "box")]

    def test_somebody_else_in_the_same_browser(self, app, told):
        client = Browser(app)
        client.sign_in()
        client.sign_in("Bo")
        client.sign_in("Bo")
        assert told == [("ada@example.com", "switched")]
        assert client.get("/").text == "bo@example.com"

    def test_one_that_raises_keeps_nobody_signed_in(self, live, caplog, tmp_path):
        box = BoxAuth()
        app = an_app(box)
        app.config["WTF_CSRF_ENABLED"] = False

        @box.on_sign_out
        def fails(user, reason):
            raise ZeroDivisionError

        client = Browser(app)
        client.sign_in()
        assert client.post("/logout").status_code == 302
        assert client.get("/").text == "nobody"
        assert not list((tmp_path / "instance" / "tokens").glob("*.json"))
        assert "fails" in caplog.text


class TestTheUser:
    def test_is_right_before_and_after_the_callback_in_one_request(self, live):
        box, seen = BoxAuth(), []
        app = an_app(box)
        app.before_request(lambda: seen.append(box.user and box.user.login))

        @app.after_request
        def after(response):
            seen.append(box.user and box.user.login)
            return response

        client = Browser(app)
        back = client.answer()
        seen.clear()
        client.get(back)
        assert seen == [None, "ada@example.com"]

    def test_at_once_on_a_page_that_does_not_require_a_sign_in(self, live):
        box = BoxAuth()
        app = an_app(box)

        @app.get("/open")
        def page():
            names = box.at_once(*[lambda: box.client.users.get_user_me().login] * 3)
            return ",".join({*names, box.user.login})

        client = Browser(app)
        client.sign_in()
        cookie = client.client.get_cookie(app.config["SESSION_COOKIE_NAME"], "localhost").value

        def view(_):
            visitor = Browser(app)
            visitor.client.set_cookie(app.config["SESSION_COOKIE_NAME"], cookie, domain="localhost")
            return visitor.get("/open").text

        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(view, range(100))) == {"ada@example.com"}
        assert Browser(app).get("/open").status_code == 401

    def test_a_request_asks_the_store_once(self, live, monkeypatch):
        box, loads = BoxAuth(), []
        app = an_app(box)
        client = Browser(app)
        client.sign_in()
        store = app.extensions["box_auth"].flow.store
        load = store.load
        monkeypatch.setattr(store, "load", lambda user_id: loads.append(user_id) or load(user_id))
        assert client.get("/private").text == "ada@example.com"
        assert len(loads) == 1


OWN = {
    "SESSION_COOKIE_NAME": "mine",
    "SESSION_COOKIE_PATH": "/private",
    "SESSION_COOKIE_SAMESITE": "Strict",
    "PERMANENT_SESSION_LIFETIME": timedelta(days=31),  # what is Flask's default, too
    "SECRET_KEY": "a key of its own",
}


class TestSessions:
    @pytest.mark.parametrize("when", ["before", "after"])
    def test_what_the_app_sets_itself_wins(self, live, when):
        app = Flask("fork", root_path=str(HERE))
        if when == "before":
            app.config.update(OWN)
        BoxAuth(app)
        if when == "after":
            app.config.update(OWN)
        app.add_url_rule("/private/keep", view_func=lambda: session.setdefault("kept", "text"))
        cookie = Browser(app).get("/private/keep").headers["Set-Cookie"]
        assert cookie.startswith("mine=")
        assert "Path=/private" in cookie
        assert "SameSite=Strict" in cookie
        assert app.permanent_session_lifetime.days == 31
        assert app.secret_key == "a key of its own"

    def test_without_own_ones_they_are_ours(self, live):
        app = Flask("fork", root_path=str(HERE))
        BoxAuth(app)
        assert app.permanent_session_lifetime.days == 60
        app.add_url_rule("/keep", view_func=lambda: session.setdefault("kept", "text"))
        cookie = Browser(app).get("/keep").headers["Set-Cookie"]
        assert all(part in cookie for part in ("box_session_", "HttpOnly", "SameSite=Lax", "Path=/;"))

    def test_the_cookies_name_is_one_forks_own_and_with_redis_one_apps(self, tmp_path):
        here, there = tmp_path / "here", tmp_path / "there"
        alone, shared = Settings("i", "s"), Settings("i", "s", redis_url="redis://host/0")
        assert cookie_name(here, alone) == cookie_name(here, alone) != cookie_name(there, alone)
        assert cookie_name(here, shared) == cookie_name(there, shared)
        other = replace(shared, redirect_uri="https://files.example.com/callback")
        assert cookie_name(here, other) != cookie_name(here, shared)


class TestInstanceDir:
    def test_it_moves_everything_for_every_door(self, live, tmp_path, monkeypatch):
        def kept():  # by the checkout, which somebody may have used
            return {(file, file.stat().st_mtime_ns) for file in (config.ROOT / "instance").rglob("*")}

        before = kept()
        box = BoxAuth()
        folder = tmp_path / "elsewhere"
        live(INSTANCE_DIR=str(folder))
        app = an_app(box)
        client = Browser(app)
        client.sign_in()
        assert app.instance_path == str(folder)
        assert {path.name for path in folder.iterdir()} >= {"tokens", "sessions", "secret_key"}
        flow = open_flow()
        (user_id,) = flow.store.users()
        SavedUser(flow, folder).remember(flow.store.load(user_id))
        flow.network.close()
        assert connect().user.login == "ada@example.com"
        assert "ada@example.com" in app.test_cli_runner().invoke(args=["box", "whoami"]).output
        assert kept() == before

    def test_a_relative_one_is_taken_from_the_project(self):
        assert config.instance_folder({"INSTANCE_DIR": "data"}) == config.ROOT / "data"
        assert config.instance_folder({}) == config.ROOT / "instance"

    def test_one_that_cannot_be_used_is_one_sentence(self, live, tmp_path, capsys):
        (tmp_path / "file").write_text("in the way")
        live(INSTANCE_DIR=str(tmp_path / "file"))
        app = an_app(BoxAuth())
        page = Browser(app).get("/")
        assert page.status_code == 503
        assert code_of(page) in ("store_unavailable", "settings")
        assert "Traceback" not in capsys.readouterr().err
        with pytest.raises(BoxAuthError):
            connect()
        flow = open_flow()
        with pytest.raises(StoreUnavailable):
            flow.store.check_writable()


class TestFactoriesAndBlueprints:
    def test_a_blueprint_in_another_module_imports_the_ready_made_object(self, live, monkeypatch):
        module = ModuleType("reports")
        exec(  # a module of the fork, which imports neither the app nor its module
            "from flask import Blueprint\n"
            "from box_auth.flask import box\n"
            "reports = Blueprint('reports', __name__)\n"
            "@reports.get('/reports')\n"
            "@box.login_required\n"
            "def index(): return box.user.login\n",
            vars(module),
        )
        monkeypatch.setitem(sys.modules, "reports", module)
        app = Flask("fork", root_path=str(HERE))
        shared_box.init_app(app, after_login="reports.index")
        app.register_blueprint(module.reports)
        client = Browser(app)
        assert client.get("/reports").headers["Location"] == "/login?next=/reports"
        assert client.sign_in().headers["Location"] == "/reports"
        assert client.get("/reports").text == "ada@example.com"

    @pytest.mark.parametrize(
        ("after_login", "place"), [("private", "/private"), ("/here", "/here"), ("gone", "/"), ("", "/")]
    )
    def test_after_login_is_an_endpoint_or_a_path_and_home_when_it_is_gone(self, live, caplog, after_login, place):
        app = an_app(BoxAuth(), after_login=after_login)
        assert Browser(app).sign_in().headers["Location"] == place
        assert ("no endpoint of this app" in caplog.text) == (after_login in ("gone", ""))

    def test_two_apps_and_a_factory_called_twice_in_one_process(self, live, tmp_path):
        apps = [an_app(shared_box, "one"), an_app(shared_box, "two")]
        live(INSTANCE_DIR=str(tmp_path / "other"))
        apps.append(an_app(BoxAuth(), "three"))
        clients = [Browser(app) for app in apps]
        for client, user in zip(clients, ("Ada", "Bo", "Nil"), strict=True):
            client.sign_in(user)
        logins = [client.get("/private").text for client in clients]
        assert logins[:2] == ["ada@example.com", "bo@example.com"]
        assert len(set(logins)) == 3

    def test_an_endpoint_named_box(self, live):
        box = BoxAuth()
        app = an_app(box, after_login="box")

        @app.get("/box", endpoint="box")
        @box.login_required
        def view():
            return box.user.login

        client = Browser(app)
        assert client.sign_in(start="/login").headers["Location"] == "/box"
        assert client.get("/box").text == "ada@example.com"
        with pytest.raises(ValueError, match="box"):  # Flask says so when the app starts
            an_app(box).register_blueprint(Blueprint("box", "mine"))


class TestPages:
    def test_an_app_without_a_template_has_plain_pages(self, live):
        client = Browser(an_app(BoxAuth()))
        for path, status, code in (
            ("/nowhere", 404, "not_found"),
            ("/callback", 400, "state_missing"),
            ("/logout", 405, "wrong_method"),
        ):
            page = client.get(path)
            assert (page.status_code, code_of(page)) == (status, code)
            assert page.text.startswith("<!doctype html>")

    def test_the_setup_page_needs_no_template(self, environment, tmp_path):
        app = an_app(BoxAuth(), demo=lambda app, folder: {"CLIENT_ID": "i", "CLIENT_SECRET": "s"})
        page = Browser(app).get("/setup")
        assert (page.status_code, "http://127.0.0.1:5000/callback" in page.text) == (200, True)
        assert "flask box setup" in page.text

    @pytest.mark.parametrize(
        "template", ["{{ url_for('gone') }}", "{% extends 'base.html' %}", "{% if %}", "{{ 1/0 }}"]
    )
    def test_a_template_that_fails_or_shows_nothing_gives_way_to_a_plain_page(self, live, tmp_path, template):
        folder = tmp_path / "templates"
        folder.mkdir()
        (folder / "problem.html").write_text(template)
        (folder / "base.html").write_text("<title>no place for a child's words</title>")
        app = Flask("fork", root_path=str(HERE), template_folder=folder)
        BoxAuth(app)
        page = Browser(app).get("/nowhere")
        assert (page.status_code, code_of(page)) == (404, "not_found")

    def test_a_forks_own_words(self, live, caplog):
        box = BoxAuth()
        app = an_app(box)

        @box.on_problem
        def translated(problem):
            if problem.code == "wrong_method":
                raise ZeroDivisionError
            if problem.code == "state_missing":
                return "nonsense"
            return replace(problem, title="Seite nicht gefunden") if problem.code == "not_found" else None

        client = Browser(app)
        assert "Seite nicht gefunden" in client.get("/nowhere").text
        for path, code in (("/logout", "wrong_method"), ("/callback", "state_missing")):
            page = client.get(path)
            assert code_of(page) == code
            assert "<h1" in page.text
        assert caplog.text.count("translated failed") == 2

    @pytest.mark.parametrize("told", [False, True])
    def test_what_is_the_operators_to_fix_visitors_are_not_told(self, live, caplog, tmp_path, told):
        box = BoxAuth()
        app = an_app(box)
        app.debug = told
        client = Browser(app)
        client.sign_in()
        tokens = tmp_path / "instance" / "tokens"
        tokens.rename(tmp_path / "kept")
        tokens.write_text("in the way")
        page = client.get("/private")
        assert (page.status_code, code_of(page)) == (503, "store_unavailable")
        assert ("TOKEN_DIR" in page.text) == ("Not a directory" in page.text) == told
        assert "Not a directory" in caplog.text

    def test_wrong_settings_are_told_in_the_terminal_and_not_to_visitors(self, live, capsys):
        live(REDIS_URL="nowhere", CLIENT_SECRET="")
        page = Browser(an_app(BoxAuth())).get("/")
        assert (page.status_code, code_of(page)) == (503, "settings")
        assert "REDIS_URL" not in page.text
        said = capsys.readouterr().err
        assert "REDIS_URL is not an address" in said
        assert "CLIENT_SECRET is not set" in said


class TestDotEnv:
    @pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
    def test_one_that_is_no_utf_8_is_one_sentence(self, tmp_path, encoding):
        (tmp_path / ".env").write_bytes("CLIENT_ID = café\n".encode(encoding))
        with pytest.raises(ConfigError) as caught:
            config.read(tmp_path, {})
        assert len(caught.value.mistakes) == 1
        assert "UTF-8" in caught.value.mistakes[0]

    def test_one_of_a_folder_above_is_not_read(self, tmp_path):
        (tmp_path / ".env").write_text("CLIENT_ID = theirs\n")
        (tmp_path / "project").mkdir()
        assert config.read(tmp_path / "project", {}) == {}

    def test_the_project_is_the_same_for_an_app_in_a_package(self, environment, tmp_path):
        app = Flask("some.package", root_path=str(tmp_path))
        (tmp_path / ".env").write_text("CLIENT_ID = theirs\n")
        BoxAuth(app, demo=lambda app, folder: {"CLIENT_ID": "i", "CLIENT_SECRET": "s"})
        assert app.extensions["box_auth"].demo


class TestTheDemo:
    def demo(self, app, folder):
        return {"CLIENT_ID": "i", "CLIENT_SECRET": "s"}

    def test_it_starts_where_nothing_is_set(self, environment):
        box = BoxAuth()
        app = an_app(box, demo=self.demo)
        with app.test_request_context():
            assert box.demo
            assert box.is_set_up

    @pytest.mark.parametrize(
        "sign",
        [
            {"REDIRECT_URI": "http://localhost/callback"},
            {"REDIS_URL": "redis://host/0"},
            {"TRUSTED_PROXIES": "1"},
            {"CLIENT_ID": "half"},
            {"CLIENT_SECRET": "half"},
        ],
    )
    def test_it_never_starts_where_something_speaks_for_a_live_app(self, environment, sign, capsys):
        environment(**sign)
        started = []
        app = an_app(BoxAuth(), demo=lambda app, folder: started.append(folder))
        page = Browser(app).get("/")
        assert (page.status_code, code_of(page), started) == (503, "settings", [])
        assert "is not set" in capsys.readouterr().err
        assert Browser(app).get("/setup").status_code == 503

    def test_no_proxy_is_no_sign(self, environment):
        environment(TRUSTED_PROXIES="0")
        box = BoxAuth()
        with an_app(box, demo=self.demo).test_request_context():
            assert box.demo


class TestEdges:
    def test_another_user_in_the_same_browser_starts_with_nothing_of_the_first(self, live):
        box = BoxAuth()
        app = an_app(box)
        app.add_url_rule("/draft/<text>", view_func=lambda text: session.setdefault("draft", text))
        browser = Browser(app)
        browser.sign_in()
        assert browser.get("/draft/secret").text == "secret"
        browser.sign_in()
        assert browser.get("/draft/other").text == "secret"  # it is the same person
        browser.sign_in("Bo")
        assert browser.get("/draft/other").text == "other"

    def test_a_sign_in_whose_session_cannot_be_kept_leaves_the_earlier_one(self, live):
        box = BoxAuth()
        browser = Browser(an_app(box))
        browser.sign_in()
        box.on_sign_in(lambda user, record: session.setdefault("list", []).append(object()))
        assert browser.sign_in().status_code == 500
        assert browser.get("/").text == "ada@example.com"

    def test_the_same_user_again_after_an_end_elsewhere_is_told_of_too(self, live, tmp_path):
        box, told = BoxAuth(), []
        app = an_app(box)
        box.on_sign_out(lambda user, reason: told.append(reason))
        browser = Browser(app)
        browser.sign_in()
        (file,) = (tmp_path / "instance" / "tokens").glob("*.json")
        file.unlink()
        browser.sign_in()
        assert told == ["elsewhere"]
        assert browser.get("/").text == "ada@example.com"

    def test_somebody_elses_ended_sign_in_is_not_the_visitors(self, live, emulator, tmp_path):
        box, told = BoxAuth(), []
        app = an_app(box)
        box.on_sign_out(lambda user, reason: told.append(reason))

        @app.get("/of-bo")
        def of_bo():
            flow = box.flow
            record = next(flow.store.load(name) for name in flow.store.users() if name != box.user.id)
            flow.forget(record.user_id, record.grant)
            return flow.client(replace(record, issued_at=0)).users.get_user_me().login

        ada, bo = Browser(app), Browser(app)
        ada.sign_in()
        bo.sign_in("Bo")
        page = ada.get("/of-bo")
        assert (page.status_code, code_of(page)) == (401, "signed_out")
        assert (ada.get("/").text, told) == ("ada@example.com", [])

    @pytest.mark.parametrize("path", ["/files/a%3Fb", "/files/a%5Cb", "/files/caf%C3%A9?q=a%26b&q=%2F%2Fx"])
    def test_after_signing_in_a_visitor_is_back_at_the_address_as_it_was(self, live, path):
        box = BoxAuth()
        app = an_app(box)
        app.add_url_rule("/files/<name>", view_func=box.login_required(lambda name: name))
        browser = Browser(app)
        assert browser.sign_in(start=browser.get(path).headers["Location"]).headers["Location"] == path

    def test_an_apps_own_abort_keeps_its_words_and_headers(self, live):
        def busy():
            raise TooManyRequests(retry_after=7)

        app = an_app(BoxAuth())
        app.add_url_rule("/no", "no", view_func=lambda: abort(403, "That folder is somebody else's."))
        app.add_url_rule("/busy", "busy", view_func=busy)
        app.add_url_rule("/broken", "broken", view_func=lambda: abort(503))
        browser = Browser(app)
        page = browser.get("/no")
        assert (page.status_code, code_of(page)) == (403, "forbidden")
        assert "That folder is somebody else&#x27;s." in page.text
        page = browser.get("/busy")
        assert (page.status_code, page.headers["Retry-After"]) == (429, "7")
        page = browser.get("/broken")
        assert (page.status_code, code_of(page)) == (503, "internal")

    def test_box_being_away_inside_a_hook_is_no_fault_of_the_hook(self, live, emulator):
        box = BoxAuth()
        app = an_app(box)

        @box.on_sign_in
        def asks_box(user, record):
            box.flow.client(record).users.get_user_me()

        browser = Browser(app)
        answer = browser.answer()
        emulator.fault("GET /2.0/users/me", times=9, status=503, retry_after=99)
        page = browser.get(answer)
        assert (page.status_code, code_of(page)) == (502, "box_down")

    def test_a_sign_in_that_cannot_be_stored_leaves_no_token_at_box(self, live, emulator, tmp_path):
        browser = Browser(an_app(BoxAuth()))
        answer, another = browser.answer(), browser.answer()
        tokens = tmp_path / "instance" / "tokens"
        (tokens / f"{emulator.users[0].id}.json").mkdir(parents=True)
        assert code_of(browser.get(answer)) == "store_unavailable"
        assert emulator.requests.count("POST /oauth2/revoke") == 2
        tokens.rename(tmp_path / "away")
        tokens.write_text("in the way")
        assert code_of(browser.get(another)) == "store_unavailable"
        assert emulator.requests.count("POST /oauth2/token") == 1  # a state that cannot be marked sends no code to Box

    @pytest.mark.parametrize("error", [SignInBusy(), SignInRefused("no"), ConfigError(["a", "b"])])
    def test_errors_can_be_copied_and_pickled(self, error):
        for twin in (copy.copy(error), pickle.loads(pickle.dumps(error))):
            assert (type(twin), str(twin), twin.code) == (type(error), str(error), error.code)
            assert getattr(twin, "mistakes", None) == getattr(error, "mistakes", None)


class TestWhatAForkCanRelyOn:
    def test_a_broken_hook_leaves_no_token_anywhere_and_an_earlier_sign_in_as_it_was(self, make, emulator):
        box, broken = BoxAuth(), []
        app = make(box)

        @box.on_sign_in
        def hook(user, record):
            return broken or None

        before = Browser(app)
        before.sign_in()
        broken.append("nonsense")
        (file,) = (make.folder / "instance" / "tokens").glob("*.json")
        kept = file.read_bytes()
        page = Browser(app).sign_in()
        assert (page.status_code, code_of(page)) == (500, "hook_failed")
        assert (file.read_bytes(), before.get("/me").text) == (kept, "ada@example.com")
        assert emulator.requests.count("POST /oauth2/revoke") == 2
        users = [
            json.loads(path.read_bytes()[4:])["values"] for path in (make.folder / "instance" / "sessions").iterdir()
        ]
        assert ["box_user" in user for user in users] == [True]

    @pytest.mark.parametrize(
        ("redirect_uri", "path"),
        [("https://files.example.com/below/box/callback", "/below/box"), ("https://files.example.com/callback", "/")],
    )
    def test_the_cookies_are_for_the_prefix_that_the_redirect_uri_has(self, make, redirect_uri, path):
        make.set(CLIENT_ID="i", CLIENT_SECRET="s", REDIRECT_URI=redirect_uri, TRUSTED_PROXIES="1")
        app = make()
        app.add_url_rule("/keep", view_func=lambda: session.setdefault("kept", "text"))
        browser = Browser(app, "https://files.example.com")
        for place, cookie_path in (("/keep", path), ("/login", f"{path.rstrip('/')}/callback")):
            cookie = browser.get(place).headers["Set-Cookie"]
            assert f"Path={cookie_path};" in f"{cookie};"
            assert "Secure" in cookie

    def test_a_relative_instance_dir_is_the_same_place_for_app_and_engine(self, make, monkeypatch):
        folder = make.folder / "kept here"
        monkeypatch.setenv("INSTANCE_DIR", os.path.relpath(folder, config.ROOT))
        monkeypatch.chdir(make.folder)
        app = make()
        Browser(app).sign_in()
        assert Path(app.instance_path).resolve() == folder
        flow = open_flow()
        (user_id,) = flow.store.users()
        flow.network.close()
        SavedUser(flow, folder).remember(flow.store.load(user_id))
        assert connect().user.login == "ada@example.com"
        assert app.test_cli_runner().invoke(args=["box", "whoami"]).exit_code == 0

    @pytest.mark.parametrize("command", ["whoami", "ls", "logout", "login", "rotate-keys"])
    def test_a_command_whose_folder_cannot_be_used_is_a_sentence(self, make, command):
        (make.folder / "file").write_text("in the way")
        make.set(CLIENT_ID="i", CLIENT_SECRET="s", INSTANCE_DIR=str(make.folder / "file" / "instance"))
        done = make().test_cli_runner().invoke(args=["box", command])
        assert done.exit_code == 1
        assert "[settings]" in done.output or "[store_unavailable]" in done.output
        assert done.exception is None or isinstance(done.exception, SystemExit)

    def test_open_flows_demo_gets_a_folder_of_its_own_and_nothing_where_live_is_meant(self, make, capsys):
        got = []

        def demo(folder):
            got.append(folder)
            return {"CLIENT_ID": "i", "CLIENT_SECRET": "s", "BOX_API_URL": "http://127.0.0.1:9"}

        make.set()
        flow = open_flow(demo=demo, announce=True)
        assert got == [make.folder / "instance" / "demo"]
        assert flow.settings.token_dir == got[0] / "tokens"
        said = capsys.readouterr().err
        assert said.startswith("demo, with made-up users and files: ")
        assert f"http://127.0.0.1:5000/callback, data in {got[0]}" in said
        make.set(REDIRECT_URI="https://files.example.com/callback")
        with pytest.raises(ConfigError, match="CLIENT_ID is not set"):
            open_flow(demo=demo, announce=True)
        make.set(CLIENT_ID="i", CLIENT_SECRET="s")
        open_flow(demo=demo, announce=True)
        assert len(got) == 1
        assert capsys.readouterr().err.startswith(
            "live, with Box: Box's answer comes to http://127.0.0.1:5000/callback, data in "
        )

    def test_a_demo_without_templates_says_everything_to_whoever_tries_it(self, make):
        make.set()
        app = make(demo=local_box().embed)
        browser = Browser(app)
        assert browser.sign_in("bo@example.com").headers["Location"] == "/"
        assert browser.get("/me").text == "bo@example.com"
        assert "127.0.0.1" in browser.get("/setup").text
        tokens = make.folder / "instance" / "demo" / "tokens"
        tokens.rename(make.folder / "away")
        tokens.write_text("in the way")
        page = browser.get("/me")
        assert (page.status_code, code_of(page)) == (503, "store_unavailable")
        assert "TOKEN_DIR" in page.text

    def test_a_blueprint_may_have_the_prefix_box(self, make):
        box = BoxAuth()
        app = make(box)
        pages = Blueprint("own", "own", url_prefix="/box")
        pages.add_url_rule("/login", "login", lambda: "the fork's")
        pages.add_url_rule("/me", "me", box.login_required(lambda: box.user.login))
        app.register_blueprint(pages)
        browser = Browser(app)
        assert browser.get("/box/login").text == "the fork's"
        assert browser.get("/box/me").headers["Location"] == "/login?next=/box/me"
        browser.sign_in()
        assert browser.get("/box/me").text == "ada@example.com"

    def test_a_made_up_name_cannot_steer_the_terminal_of_a_command(self, make, emulator):
        nasty = "\x1b]0;mine\x07\x1b[2JAda\u202eadA"
        user = emulator.add_user(nasty, "nasty@example.com")
        emulator.add_item(user, "\u202efdp.exe")
        app = make()
        Browser(app).sign_in(user.login)
        flow = app.extensions["box_auth"].opened
        SavedUser(flow, make.folder / "instance").remember(flow.store.load(user.id))
        said = [app.test_cli_runner().invoke(args=["box", name]).output for name in ("whoami", "ls", "logout")]
        assert "]0;mine" in said[0]
        assert "fdp.exe" in said[1]
        assert "]0;mine" in said[2]
        assert not {"\x1b", "\x07", "\u202e"} & set("".join(said))

    def test_a_form_lives_as_long_as_the_session(self, live):
        assert an_app(BoxAuth()).config["WTF_CSRF_TIME_LIMIT"] is None
        app = Flask("own", root_path=str(HERE))
        app.config["WTF_CSRF_TIME_LIMIT"] = 60
        BoxAuth(app)
        assert app.config["WTF_CSRF_TIME_LIMIT"] == 60

    def test_after_a_new_token_was_refused_the_same_browser_can_sign_in_again(self, live, emulator):
        browser = Browser(an_app(BoxAuth()))
        browser.sign_in()
        emulator.fault("GET /2.0/users/me", times=2, status=401)
        assert code_of(browser.get("/private")) == "token_refused"
        assert browser.get("/").text == "nobody"
        browser.sign_in()
        assert browser.get("/private").text == "ada@example.com"

    def test_the_client_is_the_users_before_and_after_another_signs_in_within_one_request(self, live):
        box, seen = BoxAuth(), []
        app = an_app(box)
        app.before_request(lambda: seen.append(box.user and box.client.users.get_user_me().login))

        @app.after_request
        def after(response):
            seen.append(box.user and box.client.users.get_user_me().login)
            return response

        browser = Browser(app)
        browser.sign_in()
        answer = browser.answer("Bo")
        seen.clear()
        browser.get(answer)
        assert seen == ["ada@example.com", "bo@example.com"]

    @pytest.mark.parametrize("after_login", ["/private", "private"])
    def test_below_a_prefix_the_way_after_signing_in_has_the_prefix(self, live, emulator, after_login):
        at_box = emulator.apps.add("below", ["http://localhost/prefix/callback"])
        live(CLIENT_ID=at_box.client_id, CLIENT_SECRET=at_box.client_secret)
        live(REDIRECT_URI="http://localhost/prefix/callback", TRUSTED_PROXIES="1")
        app = an_app(BoxAuth(), after_login=after_login)
        browser = Browser(app)
        answer = browser.answer().removeprefix("/prefix")
        page = browser.client.get(answer, base_url="http://localhost/prefix")
        assert page.headers["Location"] == "/prefix/private"

    def test_when_box_asks_for_a_pause_the_page_passes_that_on(self, live, emulator):
        browser = Browser(an_app(BoxAuth()))
        browser.sign_in()
        emulator.fault("GET /2.0/users/me", status=503, retry_after=99)
        page = browser.get("/private")
        assert (page.status_code, page.headers["Retry-After"]) == (502, "100")

    @pytest.mark.parametrize("wrong", [{"title": None}, {"code": 7}, {"happened": ["a"]}])
    def test_a_problem_whose_texts_are_none_is_told_in_ours(self, live, caplog, wrong):
        box = BoxAuth()
        app = an_app(box)
        box.on_problem(lambda problem: replace(problem, **wrong))
        page = Browser(app).get("/nowhere")
        assert (page.status_code, code_of(page)) == (404, "not_found")
        assert "are texts" in caplog.text

    @pytest.mark.parametrize("name", ["INSTANCE_DIR", "TOKEN_DIR"])
    def test_the_folder_of_a_user_who_is_none_is_a_mistake_in_the_settings(self, live, capsys, name):
        live(**{name: "~no-such-user/data"})
        assert code_of(Browser(an_app(BoxAuth())).get("/")) == "settings"
        said = capsys.readouterr().err
        assert f"{name} begins with the home of a user who is not on this machine" in said
        assert "no-such-user" not in said
