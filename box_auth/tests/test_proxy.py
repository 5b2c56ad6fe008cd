"""Behind a proxy, under another name and path than the app itself listens on."""

from urllib.parse import parse_qs, urlsplit

import pytest

from .journey import App, Visitor, code_of, running

PUBLIC = "https://files.example.com/app/callback"
FORWARDED = {
    "X-Forwarded-For": "198.51.100.7",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "files.example.com",
    "X-Forwarded-Prefix": "/app",
}


@pytest.fixture
def start(fork, settings):
    def start(**more: str) -> App:
        return running(App(fork, **settings, **{"REDIRECT_URI": PUBLIC, **more}))

    return start


def test_links_cookie_and_redirect_uri_are_the_public_ones(start):
    with start(TRUSTED_PROXIES="1") as app, Visitor(app.url) as visitor:
        assert 'href="/app/static/style.css"' in visitor.get("/", headers=FORWARDED).text
        to_box = visitor.get("/login", headers=FORWARDED, allow_redirects=False)
        assert parse_qs(urlsplit(to_box.headers["Location"]).query)["redirect_uri"] == [PUBLIC]
        cookie = to_box.headers["Set-Cookie"]
        assert all(part in cookie for part in ("Secure", "HttpOnly", "SameSite=Lax"))
        page = visitor.get("/dashboard", headers=FORWARDED, allow_redirects=False)
        assert page.headers["Location"] == "/app/login?next=/app/dashboard"


def test_there_is_no_demo_where_a_proxy_is_set_up(demo_fork):
    with running(App(demo_fork, TRUSTED_PROXIES="1")) as app, Visitor(app.url) as visitor:
        assert code_of(visitor.get("/")) == "settings"
        assert "with TRUSTED_PROXIES set the app is no demo" in app.output
        assert visitor.get("/_box/api/oauth2/authorize").status_code == 503


def test_forwarded_headers_count_for_nothing_unless_a_proxy_is_trusted(start):
    with start(REDIRECT_URI="https://files.example.com/callback") as app, Visitor(app.url) as visitor:
        assert 'href="/static/style.css"' in visitor.get("/", headers=FORWARDED).text


def test_a_visitor_under_another_name_is_sent_to_the_public_one_once(start):
    with start(TRUSTED_PROXIES="1") as app, Visitor(app.url) as visitor:
        first = visitor.get("/login?next=/dashboard", allow_redirects=False)
        assert first.headers["Location"] == "https://files.example.com/app/login?next=/dashboard&moved=1"
        # A proxy that does not pass the name on would send the visitor round in circles.
        second = visitor.get("/login?next=/dashboard&moved=1")
        assert (second.status_code, code_of(second)) == (400, "wrong_host")
        named = visitor.get("/login", headers={"Host": "files.example.com"}, allow_redirects=False)
        assert "/api/oauth2/authorize" in named.headers["Location"]
