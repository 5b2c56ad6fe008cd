"""The emulator inside a Flask app, as the demo has it."""

import os
import stat
import subprocess
import sys
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from flask import Flask

from box_emulator import embed, embedding, stand_in
from box_emulator.server import WebServer

from .processes import ROOT, clean_environment


@pytest.fixture
def http():
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.fixture
def demo(tmp_path):
    """An app with the emulator in it, on a port of its own: its address and the settings it got."""
    app = Flask("demo")
    app.add_url_rule("/", view_func=lambda: "home")
    settings = embed(app, tmp_path / "instance")
    web = WebServer(app)
    web.start()
    yield web.url, settings
    web.stop()
    app.extensions["box_emulator"].stop()
    app.extensions["box_emulator"].emulator.close()


def authorize(http, url, settings, redirect_uri, login="bo@example.com", **headers):
    query = {
        "response_type": "code",
        "client_id": settings["CLIENT_ID"],
        "redirect_uri": redirect_uri,
        "state": "abc",
    }
    page = http.get(url + settings["BOX_AUTHORIZE_URL"], params=query, headers=headers)
    assert login in page.text
    user = page.text.partition(login)[0].rpartition('value="')[2].partition('"')[0]
    form = {"decision": "grant", "user": user}
    return http.post(page.url, data=form, headers=headers, allow_redirects=False)


def tokens(http, settings, answer):
    code = parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "client_id": settings["CLIENT_ID"],
        "client_secret": settings["CLIENT_SECRET"],
    }
    return http.post(f"{settings['BOX_API_URL']}/oauth2/token", data=form).json()


def test_a_visitor_signs_in_on_the_apps_port_and_the_app_calls_on_loopback(http, demo):
    url, settings = demo
    answer = authorize(http, url, settings, "https://some-proxy.example/callback", Host="some-proxy.example")
    assert answer.headers["Location"].startswith("/callback?code=")
    assert answer.headers["Location"].endswith("&state=abc")
    http.headers["Authorization"] = f"Bearer {tokens(http, settings, answer)['access_token']}"
    assert http.get(f"{settings['BOX_API_URL']}/2.0/users/me").json()["login"] == "bo@example.com"
    entries = http.get(f"{settings['BOX_API_URL']}/2.0/folders/0/items").json()["entries"]
    file = next(entry["id"] for entry in entries if entry["type"] == "file")
    assert http.get(f"{settings['BOX_API_URL']}/2.0/files/{file}/content").status_code == 200


def test_a_preview_is_on_the_download_port_which_no_visitor_has_to_sign_in_to(http, demo):
    url, settings = demo
    answer = authorize(http, url, settings, "/callback")
    bearer = {"Authorization": f"Bearer {tokens(http, settings, answer)['access_token']}"}
    found = http.get(f"{settings['BOX_API_URL']}/2.0/search?query=rules&fields=expiring_embed_link", headers=bearer)
    preview = found.json()["entries"][0]["expiring_embed_link"]["url"]
    assert not preview.startswith((url, settings["BOX_API_URL"]))
    assert "Answer every letter" in http.get(preview).text


def test_the_settings_say_where_everything_is(demo):
    _, settings = demo
    assert set(settings) == {"CLIENT_ID", "CLIENT_SECRET", "BOX_API_URL", "BOX_UPLOAD_URL", "BOX_AUTHORIZE_URL"}
    assert settings["BOX_API_URL"].startswith("http://127.0.0.1:")
    assert settings["BOX_AUTHORIZE_URL"] == "/_box/api/oauth2/authorize"


def test_the_app_itself_is_as_it_was_and_the_consent_page_finds_its_stylesheet(http, demo):
    url, _ = demo
    assert http.get(url).text == "home"
    assert http.get(f"{url}/nothing").status_code == 404
    assert http.get(f"{url}/_box/api/oauth2/emulator.css").headers["Content-Type"].startswith("text/css")


@pytest.mark.parametrize("path", ["/_emulator/", "/oauth2/token", "/download/1"])
def test_visitors_reach_neither_tokens_nor_switches(http, demo, path):
    url, settings = demo
    assert http.get(f"{url}/_box{path}").status_code == 404
    assert http.get(url + path).status_code == 404
    assert http.get(f"{settings['BOX_API_URL']}/_emulator/").status_code == 404


@pytest.fixture
def folder(http, demo):
    """What a page of the app has: the address of a folder, and a token for that. ``.whole`` is the app's own token."""
    url, settings = demo
    whole = tokens(http, settings, authorize(http, url, settings, "/callback"))["access_token"]
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token": whole,
        "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "scope": "base_explorer item_download item_share base_upload",
        "resource": f"{settings['BOX_API_URL']}/2.0/folders/0",
    }
    part = http.post(f"{settings['BOX_API_URL']}/oauth2/token", data=form).json()["access_token"]
    return SimpleNamespace(url=f"{url}/_box/2.0/folders/0", part=part, whole=whole, site=url)


def get(http, address, token="", **headers):
    return http.get(address, headers={"Authorization": f"Bearer {token}"} | headers)


def test_a_page_of_the_app_reaches_the_api_with_an_exchanged_token_and_only_with_that(http, folder):
    assert get(http, folder.url, folder.part).json()["id"] == "0"
    assert get(http, folder.url, folder.whole).status_code == 403
    assert get(http, folder.url).status_code == 401
    assert get(http, folder.url.replace("folders/0", "recent_items"), folder.part).status_code == 403


def test_pages_of_other_sites_do_not_reach_it(http, folder):
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://[::1"},
        {"Origin": folder.site, "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ):
        answer = get(http, folder.url, folder.part, **headers)
        assert answer.status_code == 403
        assert "Access-Control-Allow-Origin" not in answer.headers
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"}
    assert "Access-Control-Allow-Origin" not in http.options(folder.url, headers=asked).headers
    for headers in ({"Origin": folder.site}, {"Origin": "https://proxy.example", "Sec-Fetch-Site": "same-origin"}):
        assert get(http, folder.url, folder.part, **headers).status_code == 200


def test_what_it_tells_a_page_leads_back_to_the_apps_own_port(http, folder):
    fields = {"fields": "authenticated_download_url"}
    entries = http.get(f"{folder.url}/items", params=fields, headers={"Authorization": f"Bearer {folder.part}"})
    file = next(entry for entry in entries.json()["entries"] if entry["type"] == "file")
    assert file["authenticated_download_url"] == f"/_box/2.0/files/{file['id']}/content"
    there = f"{folder.site}{file['authenticated_download_url']}?access_token={folder.part}"
    answer = http.get(there, allow_redirects=False)
    assert answer.headers["Location"].startswith("/_box/download/")
    assert http.get(there).status_code == 200
    assert http.get(there).headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    wanted = {"name": "new.txt", "parent": {"id": "0"}, "size": 1}
    asked = http.options(
        f"{folder.site}/_box/2.0/files/content", json=wanted, headers={"Authorization": f"Bearer {folder.part}"}
    )
    assert (asked.status_code, asked.json()) == (200, {"upload_token": ""})


def test_the_folder_and_the_file_are_for_their_owner_alone(demo, tmp_path):
    folder = tmp_path / "instance"
    modes = {(path.is_dir(), stat.S_IMODE(path.stat().st_mode)) for path in [folder, *folder.rglob("*")]}
    assert modes == {(True, 0o700), (False, 0o600)}


def test_sign_ins_survive_a_restart_of_the_app(http, tmp_path):
    bearer = {}
    for _ in range(2):
        app = Flask("demo")
        settings = embed(app, tmp_path)
        server = app.extensions["box_emulator"]
        bearer = bearer or {"Authorization": f"Bearer {server.emulator.sign_in('ada@example.com').access_token}"}
        assert http.get(f"{settings['BOX_API_URL']}/2.0/users/me", headers=bearer).status_code == 200
        server.stop()
        server.emulator.close()


WORKER = """
import sys, pathlib, requests
from flask import Flask
from box_emulator import embed
sys.stdin.readline()
app = Flask("demo")
settings = embed(app, pathlib.Path(sys.argv[1]))
query = {"response_type": "code", "client_id": settings["CLIENT_ID"], "redirect_uri": "/callback"}
client = app.test_client()
users = app.extensions["box_emulator"].emulator.users
page = client.post(settings["BOX_AUTHORIZE_URL"], query_string=query, data={"decision": "grant", "user": users[0].id})
code = page.headers["Location"].partition("code=")[2]
print(settings["BOX_API_URL"], code, flush=True)
form = {"grant_type": "authorization_code", "code": sys.stdin.readline().strip(), "client_id": settings["CLIENT_ID"],
        "client_secret": settings["CLIENT_SECRET"]}
print(requests.post(settings["BOX_API_URL"] + "/oauth2/token", data=form).status_code, len(users))
"""


def test_two_workers_may_start_at_once_on_an_empty_folder_and_share_sign_ins(tmp_path):
    command = [sys.executable, "-c", WORKER, str(tmp_path / "instance")]
    options = {"cwd": ROOT, "env": clean_environment(), "text": True}
    workers = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **options) for _ in range(2)]
    for worker in workers:
        worker.stdin.write("go\n")
        worker.stdin.flush()
    (first_url, first_code), (second_url, second_code) = (worker.stdout.readline().split() for worker in workers)
    outputs = [
        worker.communicate(f"{code}\n", timeout=20)[0]
        for worker, code in zip(workers, (second_code, first_code), strict=True)
    ]
    assert first_url != second_url
    assert outputs == ["200 3\n", "200 3\n"]


FORKED = """
import os, sys, threading, time, pathlib, requests
from flask import Flask
from box_emulator import embed
app = Flask("demo")
settings = embed(app, pathlib.Path(sys.argv[1]))
emulator = app.extensions["box_emulator"].emulator
token = emulator.sign_in("ada@example.com").access_token

@app.get("/who")
def who():
    headers = {"Authorization": "Bearer " + token}
    return requests.get(settings["BOX_API_URL"] + "/2.0/users/me", headers=headers, timeout=5).json()["name"]

def write_for_ever():
    while True:
        with emulator.database.transaction():
            writing.set()
            time.sleep(0.2)
        time.sleep(0.05)

writing, parent = threading.Event(), os.getpid()
threading.Thread(target=write_for_ever, daemon=True).start()
writing.wait()
if os.fork():  # while a thread, which the child will not have, is at the database
    os._exit(0)
while os.getppid() == parent:  # so that nobody but the child can answer
    time.sleep(0.01)
print(app.test_client().get("/who").text)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_process_forked_later_answers_by_itself(tmp_path):
    command = [sys.executable, "-W", "ignore", "-c", FORKED, str(tmp_path / "instance")]
    done = subprocess.run(
        command, cwd=ROOT, env=clean_environment(), text=True, capture_output=True, timeout=20, check=True
    )
    assert (done.stdout, done.stderr) == ("Ada Example\n", "")


@pytest.fixture
def beside(tmp_path, monkeypatch):
    """The settings of an emulator that plays Box beside an app, on the data of a demo that ran before."""
    servers = []

    def kept(*arguments):
        servers.append(embedding_server(*arguments))
        return servers[-1]

    embedding_server = embedding.Server
    monkeypatch.setattr(embedding, "Server", kept)
    embed(Flask("demo"), tmp_path)
    yield stand_in(tmp_path)
    for server in servers:
        server.stop()
        server.emulator.close()


@pytest.mark.parametrize("app", ["http://127.0.0.1:5000/callback", "http://localhost:8080/below/callback"])
def test_beside_an_app_it_leads_the_browser_back_to_the_apps_port(http, beside, app):
    assert beside["BOX_AUTHORIZE_URL"] == f"{beside['BOX_API_URL']}/api/oauth2/authorize"
    answer = authorize(http, "", beside, app)
    assert answer.headers["Location"].startswith(f"{app}?code=")
    assert answer.headers["Location"].endswith("&state=abc")
    http.headers["Authorization"] = f"Bearer {tokens(http, beside, answer)['access_token']}"
    assert http.get(f"{beside['BOX_API_URL']}/2.0/users/me").json()["login"] == "bo@example.com"


@pytest.mark.parametrize("elsewhere", ["https://app.example/callback", "//app.example/callback", "http://[/callback"])
def test_beside_an_app_it_leads_nobody_to_another_machine(http, beside, elsewhere):
    query = {"response_type": "code", "client_id": beside["CLIENT_ID"], "redirect_uri": elsewhere}
    form = {"decision": "deny"}
    answer = http.post(beside["BOX_AUTHORIZE_URL"], params=query, data=form, allow_redirects=False)
    assert answer.status_code == 400 or answer.headers["Location"].startswith("/callback?")


def test_beside_an_app_it_has_no_switches(http, beside):
    assert http.get(f"{beside['BOX_API_URL']}/_emulator/").status_code == 404
