"""What every page of an app has in common, and what a visitor sees when Box refuses."""

from dataclasses import replace

import pytest
from box_sdk_gen import BoxClient, BoxDeveloperTokenAuth

from box_auth.flask import BoxAuth
from box_auth.plain_page import problem_page
from box_auth.problems import problems

from .small_apps import Browser, code_of

# What a fork's problem page is likely to ask.
PROBLEM = """
<h1>{{ problem.title }}</h1>{{ problem.todo }} <code>{{ problem.code }}</code>
{% if box.user %}<a href="/">go on as {{ box.user.name }}</a>
{% else %}<a href="{{ url_for('box.login') }}">in</a>{% endif %}
"""


@pytest.fixture
def app(make):
    return make(templates={"problem.html": PROBLEM})


@pytest.fixture
def browser(app):
    return Browser(app)


@pytest.mark.parametrize(
    ("path", "status"), [("/", 200), ("/me", 200), ("/nowhere", 404), ("/logout", 405), ("/callback", 400)]
)
def test_no_page_is_framed_or_kept_by_a_browser_or_a_proxy(browser, path, status):
    browser.sign_in()
    page = browser.get(path)
    assert page.status_code == status
    assert page.headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    policy = set(page.headers["Content-Security-Policy"].split("; "))
    assert {f"{name} 'self'" for name in ("default-src", "base-uri", "form-action")} | {"object-src 'none'"} <= policy
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert {"private", "no-store"} == set(page.headers["Cache-Control"].split(", "))


def test_what_leads_to_box_and_back_is_kept_by_nobody_either(browser):
    answer = browser.answer()
    for page in (browser.get("/login"), browser.get("/me"), browser.get(answer)):
        assert page.status_code == 302
        assert "no-store" in page.headers["Cache-Control"]
        assert page.headers["X-Frame-Options"] == "DENY"


def test_an_app_that_cannot_start_says_so_with_the_same_headers(make):
    make.set(CLIENT_ID="half")
    page = Browser(make()).get("/")
    assert (page.status_code, code_of(page)) == (503, "settings")
    assert page.headers["X-Frame-Options"] == "DENY"
    assert "no-store" in page.headers["Cache-Control"]


def test_static_files_are_kept_and_asked_for_again_by_their_tag(browser):
    with browser.get("/static/style.css") as first:
        assert first.status_code == 200
        assert "no-store" not in first.headers["Cache-Control"]
        assert first.headers["X-Content-Type-Options"] == "nosniff"
    with browser.get("/static/style.css", headers={"If-None-Match": first.headers["ETag"]}) as again:
        assert again.status_code == 304


def test_headers_that_a_page_sets_itself_stay(make):
    app = make()
    kept = {"Cache-Control": "private, max-age=60", "X-Frame-Options": "SAMEORIGIN"}
    app.add_url_rule("/kept", view_func=lambda: ("kept", kept))
    page = Browser(app).get("/kept")
    assert {name: page.headers[name] for name in kept} == kept


def test_the_sessions_cookie_may_have_a_name_that_sibling_hosts_cannot_plant(make):
    """Browsers take a cookie named __Host-… over https, for this host alone and all of it, or not at all."""
    site = "https://files.example.com"
    make.set(**{**make.settings, "REDIRECT_URI": f"{site}/callback"})
    app, box = make.bare(), BoxAuth()
    app.config["SESSION_COOKIE_NAME"] = "__Host-files"
    box.init_app(app)
    make.add_pages(app, box)
    (cookie,) = Browser(app, site).get("/token").headers.getlist("Set-Cookie")
    parts = cookie.split("; ")
    assert parts[0].startswith("__Host-files=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(parts)
    assert "Domain" not in cookie


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_form_of_a_stranger_is_refused_and_sent_nowhere(make, method):
    """A redirect would become a GET after signing in, and what was typed would be lost without a word."""
    box = BoxAuth()
    app = make(box)
    app.add_url_rule("/change", "change", box.login_required(lambda: "changed"), methods=[method])
    browser = Browser(app)
    headers = {"X-CSRFToken": browser.get("/token").text}
    page = browser.client.open("/change", method=method, headers=headers, base_url="http://localhost:80")
    assert (page.status_code, code_of(page)) == (401, "sign_in_needed")
    assert "Location" not in page.headers
    assert browser.get("/me").status_code == 302


def test_a_form_from_before_the_sign_in_is_not_taken_after_it(browser):
    """Whoever planted the first token would know the second otherwise."""
    before = browser.get("/token").text
    with browser.client.session_transaction(base_url="http://localhost:80") as session:
        planted = session["csrf_token"]
    browser.sign_in()
    refused = browser.post("/form", data={"csrf_token": before})
    assert (refused.status_code, code_of(refused)) == (400, "form_expired")
    with browser.client.session_transaction(base_url="http://localhost:80") as session:
        assert session["csrf_token"] != planted
    assert browser.post("/form", data={"csrf_token": browser.get("/token").text}).text == "sent"


def test_every_text_of_a_plain_page_is_escaped():
    texts = dict.fromkeys(("title", "happened", "todo", "code"), "<b>'\"&")
    page = problem_page(replace(problems()["not_found"], **texts), "<b>'\"&", login_url="<b>'\"&")
    assert page.count("&lt;b&gt;&#x27;&quot;&amp;") == 7  # the title twice
    assert "<b>" not in page


@pytest.mark.parametrize("status", [400, 403, 404, 405, 409, 412, 415])
def test_a_page_that_box_refuses_has_the_status_of_the_refusal(emulator, browser, status):
    browser.sign_in()
    emulator.fault("GET /2.0/users/me", status=status)
    page = browser.get("/me")
    named = {403: "item_forbidden", 404: "item_not_found", 412: "item_changed"}
    assert (page.status_code, code_of(page)) == (status, named.get(status, "box_refused"))
    assert browser.get("/me").text == emulator.users[0].login


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ({"status": 404, "body": '{"code": "trashed"}'}, 404, "item_trashed"),
        ({"status": 409, "body": '{"code": "item_name_in_use"}'}, 409, "name_taken"),
        ({"status": 409, "body": '{"code": "operation_blocked_temporary"}'}, 409, "box_refused"),
        ({"status": 403, "body": '{"code": "storage_limit_exceeded"}'}, 403, "storage_full"),
        ({"status": 403, "body": '{"code": ["forbidden"]}'}, 403, "item_forbidden"),
        ({"status": 423, "body": ""}, 423, "item_locked"),
    ],
)
def test_a_refusal_that_has_a_reason_of_its_own_is_told_by_it_and_logged(
    app, emulator, browser, caplog, fault, status, code
):
    browser.sign_in()
    emulator.fault("GET /2.0/users/me", content_type="application/json", **fault)
    with caplog.at_level("INFO", app.logger.name):
        page = browser.get("/me")
    assert (page.status_code, code_of(page)) == (status, code)
    assert f"Box refused GET /2.0/users/me: {status} " in caplog.text


def test_a_scope_that_the_app_was_not_given_is_named(make, emulator):
    box = BoxAuth()
    app = make(box)

    @app.get("/narrow")
    @box.login_required
    def narrow():
        token = box.client.auth.downscope_token(["base_preview"]).access_token
        BoxClient(BoxDeveloperTokenAuth(token), network_session=box.flow.network.session).users.get_users()

    browser = Browser(app)
    browser.sign_in()
    page = browser.get("/narrow")
    assert (page.status_code, code_of(page)) == (403, "scope_missing")


def test_who_asks_for_json_gets_the_same_errors_as_json(emulator, browser):
    json = {"headers": {"Accept": "application/json"}}
    for path, status, code in (("/me", 401, "sign_in_needed"), ("/nowhere", 404, "not_found")):
        answer = browser.get(path, **json)
        assert (answer.status_code, answer.json["error"]["code"]) == (status, code)
    browser.sign_in()
    emulator.fault("GET /2.0/users/me", status=404)
    answer = browser.get("/me", **json)
    problem = problems()["item_not_found"]
    texts = {"title": problem.title, "happened": problem.happened, "todo": problem.todo}
    request = answer.headers["X-Request-ID"]
    assert answer.json == {"error": {"code": "item_not_found", **texts, "details": [], "request": request}}
    assert browser.post("/form", **json).json["error"]["code"] == "form_expired"
    for accept in ("text/html,*/*;q=0.8", "*/*", ""):
        assert browser.get("/nowhere", headers={"Accept": accept}).mimetype == "text/html"


def test_lists_come_as_plain_json(make, emulator):
    box, got = BoxAuth(), {}
    app = make(box)

    @app.get("/list")
    def plain_list():
        got["items"] = box.get("/folders/0/items", fields=["name", "size"], limit=2, usemarker=True, marker=None)
        for path in ("folders/0", "/folders/../users", "/folders/0?x", "/folders//items", "/folders/0/\u0660"):
            with pytest.raises(ValueError, match="segments"):
                box.get(path)
        return "listed"

    browser = Browser(app)
    browser.sign_in()
    assert browser.get("/list").text == "listed"
    assert len(got["items"]["entries"]) == 2
    assert {"type", "id", "name", "size"} <= set(got["items"]["entries"][0])
    assert got["items"]["next_marker"]
    emulator.expire_tokens()
    assert browser.get("/list").text == "listed"
    assert Browser(app).get("/list").status_code == 401


@pytest.mark.parametrize("ended", ["token_ended", "token_refused"])
def test_who_was_signed_out_by_box_is_nobody_on_the_page_that_says_so(emulator, browser, ended):
    browser.sign_in()
    if ended == "token_ended":
        emulator.revoke_tokens()
    else:
        emulator.fault("GET /2.0/users/me", times=2, status=401)
    page = browser.get("/me")
    assert (page.status_code, code_of(page)) == (401, ended)
    assert 'href="/login"' in page.text
    assert 'href="/"' not in page.text
    assert browser.get("/").text == "nobody"
    assert browser.sign_in().headers["Location"] == "/"
    assert browser.get("/me").text == emulator.users[0].login


def test_an_app_without_templates_offers_to_sign_in_again_all_the_same(emulator, make):
    browser = Browser(make())
    browser.sign_in()
    emulator.revoke_tokens()
    page = browser.get("/me")
    assert (page.status_code, code_of(page)) == (401, "token_ended")
    assert 'href="/login"' in page.text
    assert "href=" not in browser.get("/nowhere").text
