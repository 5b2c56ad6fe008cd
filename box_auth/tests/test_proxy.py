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
        assert 'href="/app/static/style.css?v=' in visitor.get("/", headers=FORWARDED).text
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
        assert 'href="/static/style.css?v=' in visitor.get("/", headers=FORWARDED).text


def test_a_visitor_under_another_name_is_sent_to_the_public_one_once(start):
    with start(TRUSTED_PROXIES="1") as app, Visitor(app.url) as visitor:
        first = visitor.get("/login?next=/dashboard", allow_redirects=False)
        assert first.headers["Location"] == "https://files.example.com/app/login?next=/dashboard&moved=1"
        # A proxy that does not pass the name on would send the visitor round in circles.
        second = visitor.get("/login?next=/dashboard&moved=1")
        assert (second.status_code, code_of(second)) == (400, "wrong_host")
        named = visitor.get("/login", headers={"Host": "files.example.com"}, allow_redirects=False)
        assert "/api/oauth2/authorize" in named.headers["Location"]


def test_with_https_every_answer_keeps_browsers_on_it_and_without_none_does(start, make):
    with start(REDIRECT_URI="https://files.example.com/callback") as app, Visitor(app.url) as visitor:
        for path in ("/", "/static/style.css", "/nowhere", "/dashboard", "/callback"):
            answer = visitor.get(path, allow_redirects=False)
            assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    for uri in ("http://localhost:80/callback", "https://localhost:8443/callback"):
        make.set(**{**make.settings, "REDIRECT_URI": uri})
        assert "Strict-Transport-Security" not in make().test_client().get("/").headers


class TestHosts:
    @pytest.fixture
    def client(self, make):
        public = {"REDIRECT_URI": "https://files.example.com/callback", "TRUSTED_HOSTS": "files.example.com,.b.example"}
        make.set(**{**make.settings, **public})
        return make(templates={"problem.html": "{{ url_for('home') }} {{ problem.code }}"}).test_client()

    @pytest.mark.parametrize("host", ["files.example.com", "files.example.com:8443", "b.example", "a.b.example"])
    def test_that_are_trusted_get_pages(self, client, host):
        assert client.get("/", headers={"Host": host}).text == "nobody"

    @pytest.mark.parametrize("host", ["evil.example", "files.example.com.evil.example", "127.0.0.1", "", "<script>"])
    def test_that_are_not_get_a_page_that_says_so(self, client, host, caplog):
        for path in ("/", "/login", "/callback?state=x", "/static/style.css", "/nowhere"):
            page = client.get(path, headers={"Host": host})
            assert (page.status_code, code_of(page)) == (400, "host_unknown")
            assert "script" not in page.text
            assert "Location" not in page.headers
        assert client.post("/logout", headers={"Host": host}).status_code == 400
        told = client.get("/", headers={"Host": host, "Accept": "application/json"})
        assert (told.status_code, told.json["error"]["code"]) == (400, "host_unknown")
        assert caplog.records == []

    def test_that_a_proxy_names_count_where_it_is_trusted(self, start):
        hosts = {"TRUSTED_HOSTS": "files.example.com", "TRUSTED_PROXIES": "1"}
        with start(**hosts) as app, Visitor(app.url) as visitor:
            assert visitor.get("/", headers=FORWARDED).status_code == 200
            assert visitor.get("/", headers={**FORWARDED, "X-Forwarded-Host": "evil.example"}).status_code == 400
            assert visitor.get("/", headers={"Host": "files.example.com"}).status_code == 200
