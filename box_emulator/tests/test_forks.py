"""A fork's tests, run by pytest in a process of its own: what the plugin gives them, and what it leaves behind."""

import importlib.util
import re
import subprocess
import sys

import pytest

from .processes import ROOT, clean_environment

PAGE = (ROOT / "box_emulator" / "README.md").read_text(encoding="utf-8")
CONFTEST, OF_PAGES, OF_THE_CLIENT, _ = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)

AT_THE_END = """
import atexit, os, threading
from pathlib import Path

def tell(folder=[]):
    left = [thread.name for thread in threading.enumerate() if thread.name.startswith("box-emulator")]
    print("end:", os.environ.get("CLIENT_ID"), os.environ.get("INSTANCE_DIR"), Path(folder[0]).exists(), left)

def pytest_collection_finish():
    tell.__defaults__[0].append(os.environ["INSTANCE_DIR"])
    atexit.register(tell)
"""

ENV = """
CLIENT_ID = real-id
CLIENT_SECRET = real-secret
BOX_API_URL = https://api.box.com
REDIS_URL = redis://127.0.0.1:1/0
TOKEN_DIR = /nowhere/tokens
CALLBACK_PORT = 5005
TRUSTED_PROXIES = 2
"""

APP = """
from flask import Flask
try:
    from box_auth.flask import box
except ImportError:
    from box_auth.flask import BoxAuth
    box = BoxAuth()

app = Flask(__name__)
box.init_app(app)

@app.get("/dashboard")
@box.login_required
def dashboard():
    items = box.client.folders.get_folder_items("0")
    return "\\n".join([box.client.users.get_user_me().login, *(item.name for item in items.entries)])
"""

# An app that has nothing of this template but its settings.
PLAIN_APP = """
import os
from urllib.parse import urlencode

import requests
from flask import Flask, redirect, request, session

def make_app():
    settings = dict(os.environ)
    app = Flask(__name__)
    app.secret_key = "test"

    @app.get("/login")
    def login():
        query = {"response_type": "code", "client_id": settings["CLIENT_ID"], "redirect_uri": settings["REDIRECT_URI"]}
        return redirect(f"{settings['BOX_AUTHORIZE_URL']}?{urlencode(query)}")

    @app.get("/callback")
    def callback():
        form = {"grant_type": "authorization_code", "code": request.args["code"]}
        form |= {"client_id": settings["CLIENT_ID"], "client_secret": settings["CLIENT_SECRET"]}
        answer = requests.post(f"{settings['BOX_API_URL']}/oauth2/token", data=form)
        if answer.status_code != 200:
            return "<title>x</title><h1>Box said no</h1><p>Try again.", 502
        session["token"] = answer.json()["access_token"]
        return redirect("/")

    @app.get("/")
    def home():
        headers = {"Authorization": "Bearer " + session["token"]}
        return requests.get(f"{settings['BOX_API_URL']}/2.0/users/me", headers=headers).json()["login"]

    return app
"""

TESTS = """
import os
from pathlib import Path

import pytest
from flask import Flask
from plain_app import make_app

from box_emulator.pytest_plugin import CannotSignIn

AT_IMPORT = dict(os.environ)

def test_the_environment_is_that_of_a_test_from_the_start():
    assert AT_IMPORT["CLIENT_ID"] == "emulator-client-id"
    assert AT_IMPORT["BOX_AUTHORIZE_URL"].startswith("http://127.0.0.1:")
    assert AT_IMPORT["REDIS_URL"] == AT_IMPORT["TOKEN_DIR"] == AT_IMPORT["TRUSTED_PROXIES"] == ""
    assert Path(AT_IMPORT["INSTANCE_DIR"]).is_dir()

def test_any_app_can_be_signed_in_to(signed_in, emulator):
    emulator.add_user("Cy", "cy@example.com")
    app = make_app()
    visitors = [signed_in(app), signed_in(app, "cy@example.com"), signed_in(make_app(), "bo@example.com")]
    assert [visitor.get("/").text for visitor in visitors] == ["ada@example.com", "cy@example.com", "bo@example.com"]

def test_an_unknown_login_is_told_the_known_ones(signed_in):
    with pytest.raises(CannotSignIn, match="no user cy@example.com. It has: ada@example.com, bo@example.com, nil@"):
        signed_in(make_app(), "cy@example.com")

def test_an_app_with_other_settings_is_told_what_to_do(signed_in, monkeypatch):
    monkeypatch.setenv("BOX_AUTHORIZE_URL", "https://account.box.com/api/oauth2/authorize")
    with pytest.raises(CannotSignIn, match="/login leads to https://account.box.com/.*not at the top of conftest.py"):
        signed_in(make_app())

def test_what_the_consent_page_refuses_is_told(signed_in, monkeypatch):
    monkeypatch.setenv("REDIRECT_URI", "http://localhost/elsewhere")
    with pytest.raises(CannotSignIn, match="consent page refuses .* redirect_uri_mismatch"):
        signed_in(make_app())

def test_a_callback_that_fails_is_told(signed_in, emulator):
    emulator.fault("POST /oauth2/token", status=400)
    with pytest.raises(CannotSignIn, match="/callback answered 502 and did not redirect. It says: Box said no Try"):
        signed_in(make_app())

def test_an_app_without_a_login_page_is_told_so(signed_in):
    with pytest.raises(CannotSignIn, match="/login answered 404"):
        signed_in(Flask("bare"))

@pytest.mark.parametrize("time", [1, 2])
def test_what_one_test_does_is_over_for_the_next(signed_in, emulator, time):
    visitor = signed_in(make_app())
    assert visitor.get("/").text == "ada@example.com"
    assert not list(emulator.faults)
    assert not emulator.clock.frozen
    assert not emulator.options.lenient_refresh
    assert emulator.requests.count("GET /2.0/users/me") == 1
    assert [user.login for user in emulator.users] == ["ada@example.com", "bo@example.com", "nil@example.com"]
    emulator.fault("*", status=503, times=9)
    emulator.clock.freeze()
    emulator.set_options(lenient_refresh=True)
    emulator.add_user("Cy", "cy@example.com")
"""


@pytest.fixture(scope="module")
def fork(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fork")
    files = {
        "conftest.py": CONFTEST + AT_THE_END,
        ".env": ENV,
        "app.py": APP,
        "plain_app.py": PLAIN_APP,
        "test_client.py": OF_THE_CLIENT,
        "test_plugin.py": TESTS,
    }
    if importlib.util.find_spec("box_auth"):
        files["test_pages.py"] = OF_PAGES
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def pytest_in(fork):
    """Run pytest in the fork, once for each set of options, and return all that it prints."""
    printed = {}

    def run(*options):
        if options not in printed:
            command = [sys.executable, "-m", "pytest", "-W", "error", "-p", "no:cacheprovider", "-rfE", *options]
            environment = clean_environment(PYTHONPATH=str(ROOT), CLIENT_ID="of-the-shell")
            done = subprocess.run(
                command, cwd=fork, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
            )
            printed[options] = done.stdout
        return printed[options]

    return run


def of(count, printed):
    assert f"{count} passed" in printed, printed
    assert not re.search("failed|error", printed), printed


def test_a_forks_tests_pass_and_leave_the_process_as_it_was(pytest_in):
    printed = pytest_in()
    of(15 if importlib.util.find_spec("box_auth") else 12, printed)
    assert printed.splitlines()[-1] == "end: of-the-shell None False []"


def test_they_pass_in_several_processes_at_once(pytest_in):
    pytest.importorskip("xdist", reason="pytest-xdist is not installed (pip install pytest-xdist)")
    of(9, pytest_in("-n", "2", "test_plugin.py"))


def test_the_checkouts_own_folder_is_left_alone(pytest_in, fork):
    pytest_in()
    assert not (fork / "instance").exists()
