"""A whole life with every logger at DEBUG: no token, code, state, password, secret or cookie is in any line of it."""

import sys
from contextlib import ExitStack
from urllib.parse import parse_qsl, urlsplit

import pytest

from .journey import App, Process, Visitor, checkout, clean_environment, running
from .redis_server import PROGRAM, RedisServer

LIFE = '''
import io
import logging

from box_sdk_gen import BoxAPIError
from box_sdk_gen.managers import shared_links_files as links
from box_sdk_gen.managers.uploads import UploadFileAttributes, UploadFileAttributesParentField
from flask import request, session

logging.basicConfig()
logging.getLogger().setLevel(logging.DEBUG)


def secrets():
    """What must not be seen, for the test: the tokens of who is signed in."""
    record = box.flow.find(session["box_user"], session["box_grant"])
    return {"access": record.access_token, "refresh": record.refresh_token, "grant": record.grant}


@app.get("/life")
@box.login_required
def life():
    files = box.client
    parent = UploadFileAttributesParentField(id="0")
    file = files.uploads.upload_file(UploadFileAttributes(name="a.txt", parent=parent), io.BytesIO(b"text")).entries[0]
    address = files.downloads.get_download_file_url(file.id)
    assert files.downloads.download_file(file.id).read() == b"text"
    less = files.auth.downscope_token(["item_download"])
    link = links.AddShareLinkToFileSharedLink(access="open", password=request.headers["X-Word"])
    made = files.shared_links_files.add_share_link_to_file(file.id, "shared_link", shared_link=link).shared_link
    for_link = "shared_link={}&shared_link_password={}".format
    files.shared_links_files.find_file_for_shared_link(for_link(made.url, request.headers["X-Word"]))
    wrong = for_link(made.url + "x", request.headers["X-Wrong"])
    for call in (
        lambda: files.shared_links_files.find_file_for_shared_link(wrong),
        lambda: files.shared_links_files.add_share_link_to_file("404", "shared_link", shared_link=link),
        lambda: box.get("/files/404/content", access_token=less.access_token),
    ):
        try:
            call()
            raise AssertionError("Box did not refuse")
        except BoxAPIError as error:
            box.explain(error)
            app.logger.exception("a page of the fork's own logs what Box refused")
    files.avatars.get_user_avatar(box.user.id).read()
    return {**secrets(), "less": less.access_token, "signature": address}


@app.get("/secrets")
@box.login_required
def show():
    box.client.users.get_user_me()
    return secrets()


@app.get("/broken")
@box.login_required
def broken():
    token = secrets()["access"]
    return {}[f"an error of the fork's own {len(token)}"]
'''
KINDS = [
    ("flask run", "text", False),
    ("gunicorn", "text", True),
    ("gunicorn", "json", True),
    ("flask run", "json", False),
]


@pytest.fixture(params=KINDS, ids=[f"{kind[0]} {kind[1]}" for kind in KINDS])
def site(request, tmp_path, settings):
    server, form, on_redis = request.param
    fork = checkout(tmp_path / "fork", "gunicorn.conf.py")
    (fork / "app.py").write_text((fork / "app.py").read_text() + LIFE)
    settings |= {"LOG_FORMAT": form, "SECRET_KEY": "the-secret-key-of-this-app"}
    with ExitStack() as stack:
        if on_redis and PROGRAM:
            redis = stack.enter_context(RedisServer(password="the-password-of-redis"))
            settings["REDIS_URL"] = redis.url
        if server == "flask run":
            process = App(fork, **settings)
        else:
            options = ["--worker-tmp-dir", str(tmp_path), "--log-level", "debug"]
            environment = clean_environment(**settings, WEB_CONCURRENCY="1")
            command = [sys.executable, "-m", "gunicorn", *options]
            process = Process(command, fork, environment, "live, with Box: gunicorn")
            process.url = f"http://127.0.0.1:{settings['CALLBACK_PORT']}"
        yield stack.enter_context(running(process))


def test_nothing_secret_is_in_any_line_whoever_logs_it(emulator, site, settings):
    secrets = {"the-secret-key-of-this-app", "the-password-of-redis", settings["CLIENT_SECRET"]}
    secrets |= {"the-pass-word", "a-wrong-word"}  # of shared links

    def keep_cookies(visitor):
        secrets.update(cookie.value for cookie in visitor.http.cookies)

    def keep_answer(address):
        query = dict(parse_qsl(urlsplit(address).query))
        secrets.update(value for name, value in query.items() if name in ("code", "state"))
        return address

    with Visitor(site.url) as visitor:
        for button in ("deny", "grant"):
            address = keep_answer(visitor.callback_address("ada@", button))
            keep_cookies(visitor)
            visitor.get(address, headers={"Referer": address})
        visitor.get(address)  # the same again
        visitor.get("/callback?state=another-state&code=another-code")
        secrets |= {"another-state", "another-code"}
        keep_cookies(visitor)
        answer = visitor.get("/life", headers={"X-Word": "the-pass-word", "X-Wrong": "a-wrong-word"})
        assert answer.status_code == 200, site.output[-6000:]
        made = answer.json()
        secrets.update(made.pop(name) for name in ("access", "refresh", "grant", "less"))
        secrets.add(dict(parse_qsl(urlsplit(made["signature"]).query))["signature"])
        emulator.clock.advance(3600)
        secrets.update(visitor.get("/secrets").json().values())
        assert visitor.get("/broken").status_code == 500
        secrets.add(visitor.csrf_token())
        keep_cookies(visitor)
        visitor.sign_out()
        last = visitor.get("/end-of-it").headers["X-Request-ID"]
        assert site.says(last if settings["LOG_FORMAT"] == "json" else "/end-of-it")
    assert len(secrets) > 20
    said = site.output
    for line in ("an error of the fork's own", "a page of the fork's own logs", "urllib3.connectionpool", "Traceback"):
        assert line in said  # all of them did speak
    assert not [secret for secret in secrets if secret in said]
