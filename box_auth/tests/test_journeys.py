"""One journey for each promise of the README, over real sockets, the app and its Box being processes and servers."""

import json
import stat
import sys

import pytest

from .journey import App, Form, Process, Visitor, clean_environment, code_of, free_port, running


def test_a_clone_shows_a_made_up_account_without_any_setting(demo):
    with Visitor(demo.url) as visitor:
        home = visitor.get("/")
        assert 'href="/login"' in home.text
        consent = visitor.consent_page()
        assert consent.url.startswith(demo.url)  # the one port that is forwarded
        dashboard = visitor.answer(consent)
        assert dashboard.url == f"{demo.url}/dashboard"
        assert "<li>" in dashboard.text
        for page in (home, dashboard):
            assert 'role="note"' in page.text
        assert 'href="/setup"' in home.text
        assert "http://127.0.0.1:" in visitor.get("/setup").text


def test_the_demo_has_users_with_different_files(demo):
    seen = set()
    with Visitor(demo.url) as visitor:
        users = [label for label in Form(visitor.consent_page().text).choices if "@" in label]
        assert len(users) >= 2
        for user in users:
            with Visitor(demo.url) as fresh:
                seen.add(fresh.sign_in(user.partition(" ")[0]).text.partition("<ul>")[2])
    assert len(seen) >= 2


def test_sign_in_and_demo_data_survive_a_restart(demo_fork):
    port = str(free_port())
    with running(App(demo_fork, CALLBACK_PORT=port)) as app, Visitor(app.url) as visitor:
        before = visitor.sign_in().text
        cookies = visitor.http.cookies
    with running(App(demo_fork, CALLBACK_PORT=port)) as app, Visitor(app.url) as visitor:
        visitor.http.cookies = cookies
        again = visitor.get("/dashboard")
        assert again.url.endswith("/dashboard")
        assert "<li>" in before
        assert again.text.partition("<main>")[2] == before.partition("<main>")[2]


def test_two_settings_lead_to_a_real_box_and_the_demo_is_gone(live, visitor, box):
    assert 'role="note"' not in visitor.get("/").text
    consent = visitor.consent_page()
    assert consent.url.startswith(box.url)
    dashboard = visitor.answer(consent)
    assert dashboard.url == f"{live.url}/dashboard"
    assert 'role="note"' not in dashboard.text
    for path in ("/setup", "/_box/api/oauth2/authorize", "/_emulator/", "/_box/"):
        assert visitor.get(path).status_code == 404


def test_a_page_sees_who_is_signed_in_and_what_is_in_the_root_folder(emulator, visitor):
    user = emulator.users[0]
    page = visitor.sign_in(user.name).text
    assert f"<h1>{user.name}</h1>" in page
    assert user.login in page
    assert "<li>Projects</li>" in page


def test_tokens_are_kept_in_one_private_file_for_each_user_and_never_in_a_cookie(live, visitor):
    visitor.sign_in()
    (file,) = live.tokens.glob("*.json")
    record = json.loads(file.read_text())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(live.tokens.stat().st_mode) == 0o700
    for path in (live.folder / "instance").rglob("*"):
        if path.is_file() and path != file:
            assert record["refresh_token"].encode() not in path.read_bytes(), path
    assert not any(record["access_token"] in cookie.value for cookie in visitor.http.cookies)


def test_signing_out_ends_the_sign_in_here_and_at_box(emulator, box, live, visitor):
    visitor.sign_in()
    (file,) = live.tokens.glob("*.json")
    refresh_token = json.loads(file.read_text())["refresh_token"]
    assert 'href="/login"' in visitor.sign_out().text
    assert not file.exists()
    assert emulator.requests.count("POST /oauth2/revoke") == 2
    assert refresh_token not in live.output
    assert visitor.get("/dashboard").url.startswith(box.url)


def test_a_visitor_is_brought_back_to_the_page_asked_for(live, visitor):
    page = visitor.sign_in(start="/dashboard?page=2")
    assert page.url == f"{live.url}/dashboard?page=2"


def test_a_visitor_under_localhost_is_first_sent_to_the_host_of_the_redirect_uri(live):
    with Visitor(live.url.replace("127.0.0.1", "localhost")) as visitor:
        assert visitor.sign_in().url == f"{live.url}/dashboard"


def test_the_settings_may_all_stand_in_dot_env(fork, settings):
    (fork / ".env").write_text("".join(f"{name} = {value}\n" for name, value in settings.items()))
    with running(App(fork, CALLBACK_PORT=settings["CALLBACK_PORT"])) as app, Visitor(app.url) as visitor:
        assert visitor.sign_in().url.endswith("/dashboard")


@pytest.mark.parametrize("line", ["CALLBACK_PORT = {}", "REDIRECT_URI = http://127.0.0.1:{}/callback"])
def test_a_plain_flask_run_listens_where_the_settings_say(fork, line):
    port = free_port()
    (fork / ".env").write_text(f"CLIENT_ID = i\nCLIENT_SECRET = s\n{line.format(port)}\n")
    command = [sys.executable, "-m", "flask", "run"]
    with running(Process(command, fork, clean_environment(), "Running on")) as app:
        assert f"Running on http://127.0.0.1:{port}" in app.output
        with Visitor(f"http://127.0.0.1:{port}") as visitor:
            assert visitor.get("/").status_code == 200


def test_two_browsers_share_one_record_and_signing_out_in_one_ends_both(live, visitor):
    with Visitor(live.url) as other:
        visitor.sign_in()
        other.sign_in()
        assert len(list(live.tokens.glob("*.json"))) == 1
        visitor.sign_out()
        refused = other.get("/dashboard")
        assert (refused.status_code, code_of(refused)) == (401, "signed_out")
        visitor.sign_in()  # the old cookie stays dead after the next sign-in
        assert code_of(other.get("/dashboard")) == "signed_out"
        assert visitor.get("/dashboard").status_code == 200


def test_an_old_cookie_stays_dead_when_its_user_signs_in_again(live, visitor):
    """One that was taken, and not used before its owner had signed out and in again."""
    visitor.sign_in()
    with Visitor(live.url) as thief:
        name, taken = visitor.session_cookie().split("=")
        other = Visitor(live.url)
        with other:
            other.sign_in()
            other.sign_out()
            other.sign_in()
        thief.http.cookies.set(name, taken, domain="127.0.0.1")
        assert code_of(thief.get("/dashboard")) == "signed_out"
        assert visitor.sign_in().url.endswith("/dashboard")
        assert code_of(thief.get("/dashboard")) == "session_unknown"


def test_the_session_id_changes_at_sign_in(live, visitor):
    visitor.sign_in()
    name, before = visitor.session_cookie().split("=")
    visitor.sign_in()
    assert visitor.http.cookies[name] != before
    visitor.http.cookies.set(name, before, domain="127.0.0.1")
    assert code_of(visitor.get("/dashboard")) == "session_unknown"
    visitor.http.cookies.clear()
    visitor.http.cookies.set(name, "x" * 43, path="/", domain="127.0.0.1")  # one that somebody else chose
    visitor.sign_in()
    assert visitor.http.cookies[name] != "x" * 43
    assert len(visitor.http.cookies[name]) == 43


def test_no_login_code_reaches_the_servers_log(live, visitor):
    address = visitor.callback_address()
    code = address.partition("code=")[2].partition("&")[0]
    assert len(code) > 10
    visitor.http.get(address, timeout=60)
    assert live.says("GET /callback")
    assert code not in live.output
