"""One journey for each promise of the README, over real sockets, the app and its Box being processes and servers."""

import json
import re
import shutil
import stat
import sys

import pytest

from .journey import (
    ROOT,
    App,
    Form,
    Process,
    Visitor,
    checkout,
    clean_environment,
    code_of,
    free_port,
    live_settings,
    running,
)


def test_a_clone_shows_a_made_up_account_without_any_setting(demo):
    with Visitor(demo.url) as visitor:
        home = visitor.get("/")
        assert "Sign in with Box" in home.text
        consent = visitor.consent_page()
        assert consent.url.startswith(demo.url)  # the one port that is forwarded
        dashboard = visitor.answer(consent)
        assert dashboard.url == f"{demo.url}/dashboard"
        assert "<meter" in dashboard.text
        assert "#folder" in dashboard.text
        for page in (home, consent, dashboard):
            assert "demo: made-up users and files" in page.text
        assert "/setup" in home.text
        assert "http://127.0.0.1:" in visitor.get("/setup").text


def test_the_demo_has_users_with_different_files(demo):
    seen = set()
    with Visitor(demo.url) as visitor:
        users = [label for label in Form(visitor.consent_page().text).choices if "@" in label]
        assert len(users) >= 2
        for user in users:
            with Visitor(demo.url) as fresh:
                seen.add(fresh.sign_in(user.partition(" ")[0]).text.partition('id="files"')[2])
    assert len(seen) >= 2


def test_sign_in_and_demo_data_survive_a_restart(tmp_path):
    folder = checkout(tmp_path / "fork")
    port = str(free_port())
    with running(App(folder, CALLBACK_PORT=port)) as app, Visitor(app.url) as visitor:
        before = visitor.sign_in().text
        cookies = visitor.http.cookies
    with running(App(folder, CALLBACK_PORT=port)) as app, Visitor(app.url) as visitor:
        visitor.http.cookies = cookies
        again = visitor.get("/dashboard")
        assert again.url.endswith("/dashboard")
        assert again.text.partition('id="files"')[2] == before.partition('id="files"')[2]


def test_two_settings_lead_to_a_real_box_and_the_demo_is_gone(live, visitor, box):
    assert "demo:" not in visitor.get("/").text
    consent = visitor.consent_page()
    assert consent.url.startswith(box.url)
    dashboard = visitor.answer(consent)
    assert dashboard.url == f"{live.url}/dashboard"
    assert "demo:" not in dashboard.text
    for path in ("/setup", "/_box/api/oauth2/authorize", "/_emulator/", "/_box/"):
        assert visitor.get(path).status_code == 404


def test_the_dashboard_shows_who_is_signed_in_and_what_is_in_the_root_folder(emulator, visitor):
    user = emulator.users[0]
    page = visitor.sign_in(user.name)
    assert user.name in page.text
    assert user.login in page.text
    assert " used</p>" in page.text
    picture = visitor.get("/avatar")
    assert picture.headers["Content-Type"] == "image/png"
    assert picture.content.startswith(b"\x89PNG")


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


def test_signing_out_ends_the_sign_in_here_and_at_box(emulator, live, visitor):
    visitor.sign_in()
    (file,) = live.tokens.glob("*.json")
    refresh_token = json.loads(file.read_text())["refresh_token"]
    assert "Sign in with Box" in visitor.sign_out().text
    assert not file.exists()
    assert emulator.requests.count("POST /oauth2/revoke") == 2
    assert refresh_token not in live.output
    assert visitor.get("/dashboard").url.startswith(emulator_url(visitor, live))


def emulator_url(visitor, live):
    return visitor.get("/login").url.partition("/api/")[0]


def test_a_visitor_is_brought_back_to_the_page_asked_for(live, visitor):
    page = visitor.sign_in(start="/dashboard?page=2")
    assert page.url == f"{live.url}/dashboard?page=2"


def test_a_visitor_under_localhost_is_first_sent_to_the_host_of_the_redirect_uri(live):
    with Visitor(live.url.replace("127.0.0.1", "localhost")) as visitor:
        assert visitor.sign_in().url == f"{live.url}/dashboard"


def test_the_settings_may_all_stand_in_dot_env(emulator, box, tmp_path):
    folder = checkout(tmp_path / "fork")
    port = free_port()
    lines = live_settings(emulator, box, port)
    (folder / ".env").write_text("".join(f"{name} = {value}\n" for name, value in lines.items()))
    with running(App(folder, CALLBACK_PORT=str(port))) as app, Visitor(app.url) as visitor:
        assert visitor.sign_in().url.endswith("/dashboard")


@pytest.mark.parametrize("line", ["CALLBACK_PORT = {}", "REDIRECT_URI = http://127.0.0.1:{}/callback"])
def test_a_plain_flask_run_listens_where_the_settings_say(tmp_path, line):
    folder, port = checkout(tmp_path / "fork"), free_port()
    (folder / ".env").write_text(f"CLIENT_ID = i\nCLIENT_SECRET = s\n{line.format(port)}\n")
    command = [sys.executable, "-m", "flask", "run"]
    with running(Process(command, folder, clean_environment(), "Running on")) as app:
        assert f"Running on http://127.0.0.1:{port}" in app.output
        with Visitor(f"http://127.0.0.1:{port}") as visitor:
            assert visitor.get("/").status_code == 200


def test_a_page_of_ones_own_is_the_readmes_function_and_template(tmp_path):
    readme = (ROOT / "README.md").read_text()
    python, html = (re.search(rf"```{language}\n(.*?)```", readme, re.DOTALL)[1] for language in ("python", "html"))
    folder = checkout(tmp_path / "fork")
    with (folder / "app.py").open("a") as file:
        file.write("\n\n" + python)
    (folder / "templates" / "folder.html").write_text(html)
    with running(App(folder)) as app, Visitor(app.url) as visitor:
        page = visitor.sign_in(start="/folder/0")
        assert page.url.endswith("/folder/0")
        assert page.text.count("<li>") >= 3


def test_the_demo_can_be_deleted_as_the_readme_says(emulator, box, tmp_path):
    folder = checkout(tmp_path / "fork")
    app_py = folder / "app.py"
    lines = [line for line in app_py.read_text().splitlines() if "import embed" not in line]
    app_py.write_text("\n".join(lines).replace(", demo=embed", "") + "\n")
    assert "embed" not in app_py.read_text()
    shutil.rmtree(folder / "box_emulator")
    settings = live_settings(emulator, box, free_port())
    with running(App(folder, **settings)) as app, Visitor(app.url) as visitor:
        assert visitor.sign_in().url.endswith("/dashboard")


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


def test_the_session_id_changes_at_sign_in(live, visitor):
    page = visitor.consent_page()
    name, before = visitor.session_cookie().split("=")
    visitor.answer(page)
    assert visitor.http.cookies[name] != before
    visitor.http.cookies.set(name, before, domain="127.0.0.1")
    assert code_of(visitor.get("/dashboard")) == "session_unknown"


def test_no_login_code_reaches_the_servers_log(live, visitor):
    address = visitor.callback_address()
    code = address.partition("code=")[2].partition("&")[0]
    assert len(code) > 10
    visitor.http.get(address, timeout=60)
    assert "/callback" in live.stop()
    assert code not in live.output
