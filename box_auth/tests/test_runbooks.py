"""docs/runbooks.md: its codes are the app's, and the commands that delete do what it says, and nothing more."""

import os
import re
import shutil
import subprocess

import pytest
from cryptography.fernet import Fernet

from ..problems import problems
from .journey import ROOT, App, Visitor, checkout, code_of, free_port, live_settings, needs, running
from .redis_server import RedisServer, needs_redis

needs("docs/runbooks.md")
RUNBOOKS = dict(
    re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", (ROOT / "docs/runbooks.md").read_text("utf-8"), re.M | re.S)
)
NO_CODES = {"noeviction", "appendonly", "sign_in_lost"}


@pytest.mark.parametrize("runbook", RUNBOOKS)
def test_each_names_codes_of_the_app(runbook):
    codes = {code for code in re.findall(r"`([a-z]+_[a-z_]+)`", RUNBOOKS[runbook]) if code not in NO_CODES}
    assert codes
    assert codes <= set(problems())


@needs_redis
@pytest.mark.skipif(
    not shutil.which("redis-cli"), reason="no redis-cli on this machine (Debian: apt-get install redis)"
)
def test_a_lost_key(emulator, box, tmp_path):
    fork, port = checkout(tmp_path / "fork"), free_port()
    first, second = (Fernet.generate_key().decode() for _ in range(2))
    with RedisServer() as redis, Visitor(f"http://127.0.0.1:{port}") as visitor:
        more = {"REDIS_URL": redis.url, "SECRET_KEY": "long-enough-for-a-test"}
        settings = live_settings(emulator, box, port, **more)
        with running(App(fork, **settings, TOKEN_ENCRYPTION_KEYS=first)):
            visitor.sign_in("Ada")
        with running(App(fork, **settings, TOKEN_ENCRYPTION_KEYS=second)):
            assert code_of(visitor.get("/dashboard")) == "key_wrong"
            assert code_of(visitor.http.get(visitor.callback_address("Ada"), timeout=60)) == "key_wrong"
            assert visitor.get("/readyz").status_code == 200
        with running(App(fork, **settings, TOKEN_ENCRYPTION_KEYS=f"{second},{first}")):  # it was found
            assert visitor.get("/dashboard").status_code == 200
        with running(App(fork, **settings, TOKEN_ENCRYPTION_KEYS=second)):  # it was not
            (command,) = re.findall(r"^```sh\n(.*?)^```", RUNBOOKS["A key is lost"], re.M | re.S)
            environment = {**os.environ, "REDIS_URL": redis.url}
            subprocess.run(["redis-cli", "-u", redis.url, "set", "other:token:1", "theirs"], check=True)
            subprocess.run(["sh", "-ec", command], env=environment, check=True, timeout=30)
            assert visitor.sign_in("Ada").url == f"{visitor.url}/dashboard"
            done = subprocess.run(
                ["redis-cli", "-u", redis.url, "get", "other:token:1"], capture_output=True, text=True
            )
            assert done.stdout == "theirs\n"


@needs_redis
def test_a_new_secret_key_signs_nobody_out(emulator, box, tmp_path):
    fork, port = checkout(tmp_path / "fork"), free_port()
    with RedisServer() as redis, Visitor(f"http://127.0.0.1:{port}") as visitor:
        settings = live_settings(emulator, box, port, REDIS_URL=redis.url)
        with running(App(fork, **{**settings, "SECRET_KEY": "long-enough-for-a-test"})):
            visitor.sign_in("Ada")
            token = visitor.csrf_token()
        with running(App(fork, **{**settings, "SECRET_KEY": "another-one-after-a-leak"})):
            assert visitor.get("/dashboard").status_code == 200
            assert code_of(visitor.post("/logout", data={"csrf_token": token})) == "form_expired"
            assert visitor.get("/dashboard").status_code == 200
            visitor.sign_out()
            assert "/authorize" in visitor.get("/dashboard").url


def test_a_client_secret_that_was_reset_deletes_nothing(emulator, box, tmp_path):
    fork, port = checkout(tmp_path / "fork"), free_port()
    settings = live_settings(emulator, box, port)
    with Visitor(f"http://127.0.0.1:{port}") as visitor:
        with running(App(fork, **settings)):
            visitor.sign_in("Ada")
        with running(App(fork, **{**settings, "CLIENT_SECRET": "the-old-one-as-Box-sees-it"})):
            emulator.clock.advance(3600)
            assert code_of(visitor.get("/dashboard")) == "client_refused"
        with running(App(fork, **settings)):
            assert visitor.get("/dashboard").status_code == 200
