"""Each bad input gets a page that says what happened and what to do, with its code, and nothing stored is lost."""

import re
import time
from html import unescape
from urllib.parse import urlencode

import pytest

from box_auth import PendingLogin, login_cookie
from box_auth.problems import problems

from .journey import App, Visitor, code_of, running

SIGNS_OF_A_TRACE = ("Traceback", "File &#34;", "box_sdk_gen", "werkzeug")


def check(page, status: int, code: str) -> None:
    assert (page.status_code, code_of(page)) == (status, code)
    told = [problems()[code].todo, problems()[code].for_visitor().todo]
    assert any(what_to_do in unescape(page.text) for what_to_do in told)
    for sign in SIGNS_OF_A_TRACE:
        assert sign not in page.text


def state_of(address: str) -> str:
    return re.search(r"state=([^&]+)", address)[1]


def code_in(address: str) -> str:
    return re.search(r"code=([^&]+)", address)[1]


class TestTheCallback:
    def test_without_state(self, visitor):
        check(visitor.get("/callback?code=abc"), 400, "state_missing")
        check(visitor.get("/callback"), 400, "state_missing")

    def test_with_another_browsers_state(self, live, visitor):
        with Visitor(live.url) as other:
            address = other.callback_address()
        check(visitor.get(address), 400, "state_unknown")
        assert not list(live.tokens.glob("*.json"))

    def test_with_a_state_used_before(self, visitor):
        address = visitor.callback_address()
        assert visitor.get(address).url.endswith("/dashboard")
        check(visitor.get(address), 400, "state_used")
        assert visitor.get("/dashboard").status_code == 200  # still signed in

    @pytest.mark.parametrize(("age", "code"), [(601, "state_expired"), (590, ""), (-60, ""), (-3600, "state_expired")])
    def test_with_a_state_older_than_ten_minutes_or_begun_before_a_clock_was_set_back(self, live, visitor, age, code):
        address = visitor.callback_address()
        key = (live.folder / "instance" / "secret_key").read_text()
        name, value = login_cookie(PendingLogin(state_of(address), time.time() - age), [key])
        (cookie,) = [cookie for cookie in visitor.http.cookies if cookie.name.startswith("box_login_")]
        assert cookie.name == name
        cookie.value = value
        page = visitor.get(address)
        if code:
            check(page, 400, code)
        else:
            assert page.url.endswith("/dashboard")

    def test_with_an_error_of_a_sign_in_that_never_was(self, visitor):
        check(visitor.get("/callback?error=access_denied"), 400, "state_missing")
        check(visitor.get("/callback?error=access_denied&state=invented"), 400, "state_unknown")

    def test_with_several_sign_ins_under_way_at_once(self, visitor):
        first, second = visitor.callback_address(), visitor.callback_address()
        assert visitor.get(first).url.endswith("/dashboard")
        assert visitor.get(second).url.endswith("/dashboard")

    def test_when_the_person_says_no(self, visitor):
        check(visitor.answer(visitor.consent_page(), button="deny"), 403, "access_denied")

    def test_with_another_error_and_html_in_its_description(self, visitor):
        state = state_of(visitor.callback_address())
        words = "<script>alert(1)</script>"
        page = visitor.get("/callback?" + urlencode({"state": state, "error": "<b>x", "error_description": words}))
        check(page, 400, "box_said_no")
        assert "<script>" not in page.text
        assert "&lt;script&gt;" in page.text

    def test_when_an_enterprise_blocks_the_app(self, visitor):
        state = state_of(visitor.callback_address())
        page = visitor.get(f"/callback?state={state}&error=server_error&error_description=107")
        check(page, 403, "app_blocked")

    def test_without_a_code(self, visitor):
        check(visitor.get(f"/callback?state={state_of(visitor.callback_address())}"), 400, "code_missing")

    def test_with_an_expired_code(self, emulator, visitor):
        address = visitor.callback_address()
        emulator.clock.advance(31)
        page = visitor.get(address)
        check(page, 400, "code_refused")
        assert code_in(address) not in page.text

    def test_with_a_used_code(self, live, visitor):
        used = visitor.callback_address()
        visitor.get(used)
        fresh = visitor.callback_address()
        page = visitor.get(fresh.replace(code_in(fresh), code_in(used)))
        check(page, 400, "code_refused")
        assert len(list(live.tokens.glob("*.json"))) == 1  # the sign-in from before is untouched
        assert visitor.get("/dashboard").status_code == 200

    @pytest.mark.parametrize("state", ["%00", "%F0%9F%98%80", "a" * 5000, "%ED%A0%80"])
    def test_with_a_state_that_is_no_state(self, visitor, state):
        check(visitor.get(f"/callback?state={state}&code=x"), 400, "state_unknown")


class TestBox:
    def test_a_wrong_client_secret(self, fork, settings):
        wrong = {**settings, "CLIENT_SECRET": "not-the-secret"}
        with running(App(fork, **wrong)) as app, Visitor(app.url) as visitor:
            page = visitor.sign_in()
            check(page, 400, "client_refused")
            assert "not-the-secret" not in page.text + app.output

    def test_unreachable_while_signing_in_and_while_signed_in(self, box, live, visitor):
        address = visitor.callback_address()
        visitor.get(visitor.callback_address())
        box.stop()
        check(visitor.get(address), 502, "box_unreachable")
        check(visitor.get("/dashboard"), 502, "box_unreachable")
        assert "GET /dashboard: No connection to Box could be made." in live.output
        assert code_in(address) not in live.output
        assert len(list(live.tokens.glob("*.json"))) == 1

    def test_slow(self, emulator, visitor):
        visitor.sign_in()
        emulator.fault("GET /2.0/users/me", times=5, latency=30)
        check(visitor.get("/dashboard"), 504, "box_slow")

    @pytest.mark.parametrize("route", ["POST /oauth2/token", "GET /2.0/users/me"])
    def test_answering_html_while_signing_in(self, emulator, visitor, route):
        emulator.fault(route, status=200, body="<h1>Portal</h1>", content_type="text/html")
        page = visitor.sign_in()
        check(page, 502, "box_bad_answer")
        assert "Portal" not in page.text

    def test_answering_html_while_signed_in(self, emulator, visitor):
        visitor.sign_in()
        emulator.fault("GET /2.0/folders/0/items", status=200, body="<h1>Portal</h1>", content_type="text/html")
        check(visitor.get("/dashboard"), 502, "box_bad_answer")
        assert visitor.get("/dashboard").status_code == 200

    def test_refusing_a_page_what_it_asks_for(self, emulator, visitor):
        visitor.sign_in()
        emulator.fault("GET /2.0/folders/0/items", status=404)
        check(visitor.get("/dashboard"), 404, "item_not_found")


class TestWhereToGoNext:
    @pytest.mark.parametrize(
        "target",
        [
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "https:evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            "/\t/evil.example",
            "/\n/evil.example",
            "\t//evil.example",
            " //evil.example",
            "///evil.example",
            "dashboard",
            "/\r\nLocation: https://evil.example",
            "/\x00",
        ],
    )
    def test_another_site_in_any_spelling_is_refused(self, visitor, target):
        check(visitor.get("/login", params={"next": target}), 400, "next_elsewhere")

    def test_a_page_of_this_site_may_have_any_name(self, live, visitor):
        page = visitor.sign_in(start="/login?" + urlencode({"next": "/dashboard?page=1&q=//x 😀\u200f"}))
        assert page.url.startswith(f"{live.url}/dashboard?page=1")


class TestSigningOut:
    def test_by_a_link_is_refused_and_explained(self, visitor):
        visitor.sign_in()
        page = visitor.get("/logout")
        check(page, 405, "wrong_method")
        assert set(page.headers["Allow"].split(", ")) == {"OPTIONS", "POST"}
        assert visitor.get("/dashboard").status_code == 200

    def test_without_the_forms_token_is_refused(self, live, visitor):
        visitor.sign_in()
        check(visitor.post("/logout"), 400, "form_expired")
        check(visitor.post("/logout", data={"csrf_token": "forged"}), 400, "form_expired")
        with Visitor(live.url) as other:
            other.sign_in()
            check(visitor.post("/logout", data={"csrf_token": other.csrf_token()}), 400, "form_expired")
        assert visitor.get("/dashboard").status_code == 200

    def test_works_although_box_is_away(self, box, live, visitor):
        visitor.sign_in()
        token = visitor.csrf_token()
        box.stop()
        assert visitor.post("/logout", data={"csrf_token": token}).status_code == 200
        assert not list(live.tokens.glob("*.json"))


class TestTheTokenFile:
    @pytest.mark.parametrize("damage", ["truncated", "binary", "another version", "empty"])
    def test_damaged_while_signed_in(self, live, visitor, damage):
        visitor.sign_in()
        (file,) = live.tokens.glob("*.json")
        good = file.read_bytes()
        bad = {
            "truncated": good[:40],
            "binary": b"\x80\x04\x95\x00\xff",
            "another version": good.replace(b'"version": 2', b'"version": 9'),
            "empty": b"",
        }[damage]
        assert bad != good
        file.write_bytes(bad)
        check(visitor.get("/dashboard"), 401, "signed_out")
        (aside,) = live.tokens.glob("*unreadable*")
        assert aside.read_bytes() == bad
        assert visitor.sign_in().url.endswith("/dashboard")

    def test_damaged_when_its_user_signs_in_with_a_fresh_browser(self, live, visitor):
        visitor.sign_in()
        (file,) = live.tokens.glob("*.json")
        file.write_text("junk")
        with Visitor(live.url) as fresh:
            assert fresh.sign_in().url.endswith("/dashboard")
        assert code_of(visitor.get("/dashboard")) == "signed_out"

    def test_a_token_folder_that_cannot_be_used_while_signed_in(self, live, visitor):
        visitor.sign_in()
        kept = live.tokens.rename(live.tokens.with_name("kept"))
        live.tokens.write_text("in the way")
        for path in ("/", "/dashboard"):
            page = visitor.get(path)
            check(page, 503, "store_unavailable")
            assert "Not a directory" not in page.text  # it is for whoever runs the app
            assert live.says(f"GET {path}: ")
            assert "tokens: Not a directory" in live.output
        check(visitor.get("/nowhere"), 404, "not_found")
        live.tokens.unlink()
        kept.rename(live.tokens)
        assert visitor.get("/dashboard").status_code == 200

    def test_deleted_while_signed_in(self, live, visitor):
        visitor.sign_in()
        (file,) = live.tokens.glob("*.json")
        file.unlink()
        check(visitor.get("/dashboard"), 401, "signed_out")
        assert visitor.sign_in().url.endswith("/dashboard")


class TestTheSession:
    def test_unknown_or_tampered(self, live, visitor):
        visitor.sign_in()
        name, real = visitor.session_cookie().split("=")
        for cookie in ("unknown", real[:-1], real + "x", "../../secret_key", "%00", "a" * 3000):
            with Visitor(live.url) as other:
                other.http.cookies.set(name, cookie, domain="127.0.0.1")
                check(other.get("/dashboard"), 401, "session_unknown")
                assert other.get("/").status_code == 200
                assert other.sign_in().url.endswith("/dashboard")

    @pytest.mark.parametrize("content", [b"", b"\x00", b"\xff\xff\xff\x7f[1,2]", b"\xff\xff\xff\x7f{not json"])
    def test_damaged_on_disk(self, live, visitor, content):
        visitor.sign_in()
        for file in (live.folder / "instance" / "sessions").glob("*"):
            file.write_bytes(content)
        check(visitor.get("/dashboard"), 401, "session_unknown")
        assert visitor.sign_in().url.endswith("/dashboard")


class TestSettings:
    def test_all_mistakes_are_on_one_page_and_in_the_terminal(self, fork):
        settings = {"CLIENT_ID": "id", "CALLBACK_PORT": "five", "REDIRECT_URI": "nowhere", "SECRET_KEY": "hush-hush"}
        (fork / ".env").write_text("".join(f"{name} = {value}\n" for name, value in settings.items()))
        with running(App(fork, FLASK_DEBUG="1")) as app, Visitor(app.url) as visitor:
            for path in ("/", "/dashboard", "/login", "/callback?code=x"):
                page = visitor.get(path)
                check(page, 503, "settings")
                for named in ("CLIENT_SECRET is not set", "CALLBACK_PORT must be", "REDIRECT_URI must be"):
                    assert named in page.text
                    assert named in app.output
            assert visitor.get("/static/style.css").status_code == 200
            for value in ("hush-hush", "nowhere", "five"):
                assert value not in page.text + app.output

    def test_an_instance_folder_that_cannot_be_used(self, fork):
        (fork / "instance").write_text("in the way")
        with running(App(fork, CLIENT_ID="i", CLIENT_SECRET="s")) as app, Visitor(app.url) as visitor:
            for path in ("/", "/dashboard", "/login"):
                check(visitor.get(path), 503, "store_unavailable")

    def test_an_instance_folder_that_the_demo_cannot_use(self, demo_fork):
        (demo_fork / "instance").write_text("in the way")
        with running(App(demo_fork)) as app, Visitor(app.url) as visitor:
            for path in ("/", "/dashboard", "/login"):
                check(visitor.get(path), 503, "settings")

    def test_a_demo_whose_data_are_damaged_says_what_to_remove(self, demo_fork):
        (demo_fork / "instance" / "demo").mkdir(parents=True)
        (demo_fork / "instance" / "demo" / "box.sqlite3").write_bytes(b"no database at all" * 100)
        with running(App(demo_fork, FLASK_DEBUG="1")) as app, Visitor(app.url) as visitor:
            page = visitor.get("/")
            assert page.status_code == 200 or "to start it over" in page.text

    def test_a_page_that_does_not_exist(self, visitor):
        check(visitor.get("/nowhere"), 404, "not_found")
