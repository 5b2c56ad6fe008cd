"""The engine under other frameworks, and the snippets of examples/README.md, as they stand there."""

import json
import re
import sys
from urllib.parse import parse_qsl, urlsplit

import pytest

from .journey import ROOT, Process, Visitor, checkout, clean_environment, free_port, needs, running
from .small_apps import Browser
from .terminal import browser, run, signed_in
from .walker import consent

needs("examples/README.md", "examples/fastapi_app.py")

SNIPPETS = dict(re.findall(r"^```python (\w+)\n(.*?)^```$", (ROOT / "examples/README.md").read_text(), re.M | re.S))

DJANGO_SITE = """
import django
from django.conf import settings
settings.configure(
    SECRET_KEY="test", ROOT_URLCONF=__name__, DEBUG=True, ALLOWED_HOSTS=["127.0.0.1"],
    SESSION_ENGINE="django.contrib.sessions.backends.file",
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware"],
)
django.setup()
from django.urls import path
import views
urlpatterns = [path("", views.dashboard), path("login", views.login), path("callback", views.callback)]
if __name__ == "__main__":
    import sys
    from django.core.management import execute_from_command_line
    execute_from_command_line([__file__, "runserver", "--noreload", sys.argv[1]])
"""


ODD = [None, 7, True, "text", ["x"], [None], [{}], {"a": 1}]


def odd_items(name, **changed):
    entries = [{"type": "file", "id": "1", "name": name}, {"type": "spacecraft", "id": "2"}]
    return "folders/0/items", {"entries": entries, **changed}


def odd_user(text):
    return "users/me", {"type": "user", "id": "1", "name": text, "login": text}


def say(emulator, route, answer):
    """Have Box give this answer once."""
    emulator.fault(f"GET /2.0/{route}", status=200, body=json.dumps(answer), content_type="application/json")


@pytest.fixture
def fork(tmp_path):
    return checkout(tmp_path / "fork", "examples")


class TestFastAPI:
    @pytest.fixture
    def site(self, fork, settings):
        port = settings["CALLBACK_PORT"]
        command = [sys.executable, "-m", "uvicorn", "examples.fastapi_app:app", "--port", port]
        with running(Process(command, fork, clean_environment(**settings), "running on")) as process:
            process.url = f"http://127.0.0.1:{port}"
            process.tokens = fork / "instance" / "tokens"
            yield process

    def test_sign_in_dashboard_and_sign_out(self, emulator, site):
        emulator.add_item("ada@example.com", "<b>bold<b>.txt")
        with Visitor(site.url) as visitor, Visitor(site.url) as other:
            assert 'href="/login"' in visitor.get("/").text
            page = visitor.sign_in("Ada")
            assert page.url == f"{site.url}/"
            assert "<h1>Ada Example</h1>" in page.text
            assert "<li>Projects</li>" in page.text
            assert "&lt;b&gt;bold&lt;b&gt;" in page.text  # a name is text
            assert "<h1>Bo Sample</h1>" in other.sign_in("Bo").text
            assert "<h1>Ada Example</h1>" in visitor.get("/").text
            emulator.expire_tokens("access")
            assert "<h1>Ada Example</h1>" in visitor.get("/").text
            assert 'href="/login"' in visitor.post("/logout").text
            assert [path.stem.partition("-")[0] for path in site.tokens.glob("*.json")] == [emulator.users[1].id]

    def test_what_watches_it_is_told_whether_it_lives_and_can_store_sign_ins(self, site):
        with Visitor(site.url) as visitor:
            assert visitor.get("/livez").json() == {"alive": True}
            assert visitor.get("/readyz").json() == {"ready": True}
            site.tokens.rename(site.tokens.with_name("kept"))
            site.tokens.write_text("")
            away = visitor.get("/readyz")
            assert (away.status_code, away.json()) == (503, {"ready": False, "code": "store_unavailable"})

    def test_tabs_do_not_lose_each_others_sign_ins(self, site):
        with Visitor(site.url) as visitor:
            tabs = [visitor.callback_address() for _ in range(5)]
            for tab in (tabs[3], tabs[0], tabs[4]):
                assert visitor.get(tab).url == f"{site.url}/"

    def test_failures_have_the_same_words_and_codes(self, emulator, site):
        with Visitor(site.url) as visitor, Visitor(site.url) as other:
            assert "<code>access_denied</code>" in visitor.answer(visitor.consent_page(), button="deny").text
            stale = consent(visitor.get("/login", allow_redirects=False).headers["Location"], "grant")
            unknown = other.get(stale)
            assert (unknown.status_code, "<code>state_unknown</code>" in unknown.text) == (400, True)
            assert visitor.get(stale).status_code == 200
            assert "<code>state_used</code>" in visitor.get(stale).text  # it counts once
            emulator.fault("GET /2.0/folders/0/items", status=404)
            assert "<code>item_not_found</code>" in visitor.get("/").text
            emulator.revoke_tokens()
            ended = visitor.get("/")
            assert ended.status_code == 401
            assert (
                "<code>token_ended</code>" in ended.text or "<code>signed_out</code>" in ended.text
            )  # two calls at once
            assert 'href="/login"' in visitor.get("/").text

    def test_odd_answers_of_box_are_a_page_too(self, emulator, site):
        with Visitor(site.url) as visitor:
            visitor.sign_in()
            for odd in ODD:
                for route, answer in (odd_user(odd), odd_items(odd), odd_items("", entries=odd)):
                    say(emulator, route, answer)
                    page = visitor.get("/")
                    as_told = (page.status_code, "<code>box_bad_answer</code>" in page.text)
                    assert as_told in ((200, False), (502, True)), answer
        assert "Traceback" not in site.output

    def test_without_settings_it_is_a_demo_that_says_so(self, demo_site):
        fork, site = demo_site
        data = fork.resolve() / "instance" / "demo"
        assert (
            f"demo, with made-up users and files: Box's answer comes to {site.url}/callback, data in {data}\n"
            in site.output
        )
        with Visitor(site.url) as visitor:
            consent_page = visitor.consent_page()
            assert not consent_page.url.startswith(site.url)
            page = visitor.answer(consent_page, "Ada")
            assert page.url == f"{site.url}/"
            assert "<h1>Ada Example</h1>" in page.text
            assert "<li>Projects</li>" in page.text
            visitor.post("/logout")
            assert 'href="/login"' in visitor.get("/").text
        assert not (fork / "instance" / "tokens").exists()  # where a real account's would be

    @pytest.fixture
    def demo_site(self, demo_fork, fork):
        port = str(free_port())
        command = [sys.executable, "-m", "uvicorn", "examples.fastapi_app:app", "--port", port]
        with running(Process(command, fork, clean_environment(CALLBACK_PORT=port), "running on")) as process:
            process.url = f"http://127.0.0.1:{port}"
            yield fork, process

    def test_with_half_the_credentials_it_says_what_is_missing(self, fork):
        done = run(fork, "-m", "uvicorn", "examples.fastapi_app:app", CLIENT_ID="half")
        assert done.returncode
        assert "CLIENT_SECRET is not set: copy it from your app's Configuration page" in done.stderr
        assert "Traceback" not in done.stderr

    def test_no_login_code_reaches_uvicorns_log(self, site):
        with Visitor(site.url) as visitor:
            nothing_of_a_sign_in_is_logged(site, visitor)

    def test_no_token_is_in_the_cookie(self, site):
        with Visitor(site.url) as visitor:
            visitor.sign_in()
            import base64

            (file,) = site.tokens.glob("*.json")
            cookie = visitor.http.cookies["box_session_fastapi"].partition(".")[0]
            session = base64.b64decode(cookie + "==").decode()
            assert file.stem.partition("-")[0] in session
            for name in ("access_token", "refresh_token"):
                assert re.search(rf'"{name}": ?"([^"]+)"', file.read_text())[1] not in session


def nothing_of_a_sign_in_is_logged(site, visitor):
    """Sign in twice with one answer, so that it is granted and refused, and look for it in what the process said."""
    address = visitor.callback_address()
    query = dict(parse_qsl(urlsplit(address).query))
    for _ in range(2):
        visitor.http.get(address, timeout=60)
    visitor.get("/the%0Aend?done=1")
    assert site.says("/the%0Aend?done=1")  # what else an address says stays
    assert len(re.findall(r"GET /callback\?code=\.\.\.&state=\.\.\. HTTP", site.output)) >= 2
    for secret in ("code", "state"):
        assert len(query[secret]) > 10
        assert query[secret] not in site.output


def test_the_notebook(fork, settings):
    code = SNIPPETS["notebook"] + "print(names)"
    first = run(fork, "-c", code, **settings, **browser(fork, "grant"))
    assert "'Projects'" in first.stdout, first.stderr
    (fork / "pages.json").unlink()
    again = run(fork, "-c", code, **settings, **browser(fork, "grant"))
    assert again.stdout == first.stdout
    assert "response_type=code" not in again.stderr


def test_the_cron_job(emulator, fork, settings):
    signed_in(fork, settings)
    emulator.expire_tokens("access")
    emulator.clock.advance(30 * 86400)
    assert re.fullmatch(r"ada@example.com: \d+ items\n", run(fork, "-c", SNIPPETS["cron"], **settings).stdout)
    emulator.clock.advance(61 * 86400)
    ended = run(fork, "-c", SNIPPETS["cron"], **settings)
    assert ended.returncode == 0, ended.stderr
    assert "[token_ended]" in ended.stdout


def test_the_cron_job_goes_on_whatever_is_wrong_with_one_user(emulator, make, capsys):
    ended, forbidden, damaged, encrypted, well = users = [
        emulator.add_user(f"User {number}", f"user{number}@example.com") for number in range(5)
    ]
    browser = Browser(make())
    for user in users:
        browser.sign_in(user.login)
    emulator.revoke_tokens(ended.login)
    emulator.fault("GET /2.0/folders/0/items", status=401)
    emulator.fault("GET /2.0/folders/0/items", status=403)
    tokens = make.folder / "instance" / "tokens"
    for user, content in ((damaged, "{"), (encrypted, "gAAAAAencrypted")):
        next(tokens.glob(f"{user.id}-*.json")).write_text(content)
    names = {}
    exec(SNIPPETS["cron"], names)
    names["flow"].network.close()
    said = capsys.readouterr().out
    assert re.findall(r"^(.+?): .*?(?:\[(\w+)\]|items)$", said, re.MULTILINE) == [
        (f"user {ended.id}", "token_ended"),
        (f"user {forbidden.id}", "item_forbidden"),
        (f"user {encrypted.id}", "key_missing"),
        (well.login, ""),
    ]
    assert list(tokens.glob(f"{damaged.id}-*.json.unreadable*"))


def test_the_django_view(emulator, fork, settings):
    emulator.add_item("ada@example.com", "<b>bold<b>.txt")
    (fork / "views.py").write_text(SNIPPETS["django"])
    (fork / "site_of_mine.py").write_text(DJANGO_SITE)
    port = settings["CALLBACK_PORT"]
    environment = clean_environment(**settings, TMPDIR=str(fork))
    with (
        running(Process([sys.executable, "site_of_mine.py", port], fork, environment, "Quit the server")) as site,
        Visitor(f"http://127.0.0.1:{port}") as visitor,
    ):
        assert 'href="/login"' in visitor.get("/").text
        page = visitor.sign_in()
        assert "<li>Projects</li>" in page.text
        assert "&lt;b&gt;bold&lt;b&gt;" in page.text
        for odd in ODD:
            for route, answer in (odd_items(odd), odd_items("", entries=odd)):
                say(emulator, route, answer)
                page = visitor.get("/")
                assert (page.status_code, "[box_bad_answer]" in page.text) in ((200, False), (502, True)), answer
        for status, code in ((403, "item_forbidden"), (503, "box_down"), (404, "item_not_found")):
            emulator.fault("GET /2.0/folders/0/items", status=status, retry_after=600)
            refused = visitor.get("/")
            assert (refused.status_code >= 400, f"[{code}]" in refused.text) == (True, True)
        assert "Traceback" not in site.output
        denied = visitor.answer(visitor.consent_page(), button="deny")
        assert (denied.status_code, "[access_denied]" in denied.text) == (403, True)
        nothing_of_a_sign_in_is_logged(site, visitor)


def test_the_example_is_short_and_copies_nothing():
    text = (ROOT / "examples" / "fastapi_app.py").read_text()
    assert len(text.splitlines()) <= 95
    for engine in ("oauth2", "grant_type", "refresh_token", "requests"):
        assert engine not in text


def test_every_snippet_is_tested():
    assert set(SNIPPETS) == {"notebook", "cron", "django"}
