"""What the processes say: no line of it is somebody else's, nothing steers a terminal, and no login code is in it."""

import contextlib
import logging
import socket
import sys
from urllib.parse import urlsplit

import pytest
import requests

from box_auth.logs import hide_addresses, hide_login_codes, own_logger, printable, without_codes

from .journey import App, Process, Visitor, checkout, clean_environment, code_of, running

MORE = """

from urllib.parse import unquote

from box_auth import BoxUnavailable
from flask import request


@app.before_request
def fail():
    if name := request.args.get("fail"):
        raise ValueError(name)
    if name := request.args.get("away"):
        raise BoxUnavailable("box_down", name)


@app.get("/stream")
def stream():
    def parts(name=request.args["fail_later"]):
        yield "a"
        raise KeyError from ValueError("no such folder: " + name)

    return parts()


def outermost(environ, start_response, inner=app.wsgi_app):
    if "fail_outside" in environ["QUERY_STRING"]:
        raise ValueError(unquote(environ["QUERY_STRING"]))
    return inner(environ, start_response)


app.wsgi_app = outermost


@box.on_sign_in
def broken(user, record):
    raise RuntimeError("hook:\\r\\n" + FORGED + user.name)


FORGED = "forged [2026] POST /admin 200 \\x1b[2J"
"""


@pytest.fixture
def fork(tmp_path):
    fork = checkout(tmp_path / "fork", "gunicorn.conf.py")
    (fork / "app.py").write_text((fork / "app.py").read_text() + MORE)
    return fork


@pytest.fixture(params=["flask run", "gunicorn"])
def site(request, fork, tmp_path, settings):
    settings |= {"TRUSTED_PROXIES": "1", "REDIRECT_URI": f"http://127.0.0.1:{settings['CALLBACK_PORT']}/callback"}
    if request.param == "flask run":
        with running(App(fork, **settings)) as app:
            yield app
        return
    environment = clean_environment(**settings, WEB_CONCURRENCY="1")
    command = [sys.executable, "-m", "gunicorn", "--worker-tmp-dir", str(tmp_path)]
    with running(Process(command, fork, environment, "live, with Box: gunicorn")) as process:
        process.url = f"http://127.0.0.1:{settings['CALLBACK_PORT']}"
        yield process


def test_nothing_that_others_write_begins_a_line_or_steers_the_terminal(emulator, site):
    forged = "forged%20[2026]%20POST%20/admin%20200%20%1B[2J"
    with Visitor(site.url) as visitor:
        for path in (
            f"/%0A{forged}",
            f"/x%0D%0A{forged}?fail=%0A{forged}",
            f"/y%0A{forged}?away=%0A{forged}",
            f"/%E2%80%A8{forged}",
            "/%E2%80%AEturned",
            "/%E2%81%A6turned?fail=1",
            f"/?fail_outside=%0A{forged}",
        ):
            assert visitor.get(path).status_code in (404, 500, 502)
        with contextlib.suppress(requests.RequestException):  # the end of the answer does not come
            visitor.get(f"/stream?fail_later=%0A{forged}")
        visitor.get("/", headers={"User-Agent": forged, "Referer": f"http://a/{forged}"})
        assert code_of(visitor.sign_in()) == "hook_failed"
        parts = urlsplit(site.url)
        for raw in (
            b"GET /\x1b[2Jraw HTTP/1.1\r\n",
            b"\x1b[2JGET /method?fail=1 HTTP/1.1\r\nHost: x\r\n",
            b"\x1b[2JGET /method?away=1 HTTP/1.1\r\nHost: x\r\n",
            b"\x9b2JGET /method?fail=1 HTTP/1.1\r\nHost: x\r\n",
            b"GET / HTTP/1.1\r\nHost\x1b[2J: x\r\n",
            b"GET /far HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: \x9b2J\r\n",
            b"\x1b[2J\r\n",
            b"\x9b2J\r\n",
        ):
            with socket.create_connection((parts.hostname, parts.port)) as connection:
                connection.sendall(raw + b"Connection: close\r\n\r\n")
                connection.settimeout(10)
                connection.recv(65536)
        error = "&error=%0Aforged%1B[2J&error_description=%0Aforged%1B[2J"
        state = visitor.get("/login", allow_redirects=False).headers["Location"].partition("state=")[2]
        assert code_of(visitor.get(f"/callback?state={state}{error}")) == "box_said_no"
        visitor.get("/end-of-it")
        assert site.says("/end-of-it")
    for expected in ("Exception on /x", "GET /y", "ValueError", "RuntimeError", "no such folder", "?fail_outside"):
        assert expected in site.output
    assert "\x1b[2J" not in site.output
    assert not [sign for sign in "\x9b\u202e\u2066" if sign in site.output]
    lines = site.output.replace("\u2028", "\n").replace("\r", "\n").split("\n")
    assert not [line for line in lines if line.startswith("forged")]


def test_no_code_reaches_the_log_however_the_page_ends(site):
    with Visitor(site.url) as visitor:
        address = visitor.callback_address()
        visitor.get(address)
        visitor.get("/x?fail=1&next=" + address.replace("=", "%3D").replace("&", "%26"), headers={"Referer": address})
        visitor.get("/end-of-it")
        assert site.says("/end-of-it")
    for part in urlsplit(address).query.split("&"):
        assert part.partition("=")[2] not in site.output


def test_in_debug_mode_the_debuggers_traces_are_apart_and_without_codes_too(fork, settings):
    command = [sys.executable, "-m", "flask", "run", "--debug", "--no-reload"]
    with running(Process(command, fork, clean_environment(**settings), "Running on")) as process:
        url = f"http://127.0.0.1:{settings['CALLBACK_PORT']}"
        with Visitor(url) as visitor:
            assert "ValueError" in visitor.get("/?fail=x%0Aforged%1B[2J%26code=abcdefgh").text
            visitor.get("/end-of-it")
        assert process.says("/end-of-it")
    assert "ValueError: x\n  forged�[2J&code=...\n" in process.output
    assert "abcdefgh" not in process.output
    assert "\n * Running on" in process.output


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Ünïcode 😀", "Ünïcode 😀"),
        ("a\nb\rc\x1bd\x85e\u2028f\u2029g\u202eh\ud800i\x7fj\x9bk", "a�b�c�d�e�f�g�h�i�j�k"),
        (None, ""),
        (7, "7"),
    ],
)
def test_what_is_printable(text, shown):
    assert printable(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{'access_token': 'abc', 'code': 'not_found'}", "{'access_token': '...', 'code': 'not_found'}"),
        ('{"refresh_token":"a\'b","code": "Xy1","state": "on"}', '{"refresh_token":"...","code": "...","state": "on"}'),
        (
            "'boxapi': 'shared_link=http://a&shared_link_password=p w'",
            "'boxapi': 'shared_link=http://a&shared_link_password=... w'",
        ),
        ('"GET /d?signature=1f HTTP/1.1"', '"GET /d?signature=... HTTP/1.1"'),
        ("'password': None, 'token': 1", "'password': None, 'token': 1"),
    ],
)
def test_what_is_hidden_of_texts_that_quote_dicts_and_addresses(text, shown):
    assert without_codes(text) == shown


class TestLoggers:
    @pytest.fixture
    def logged(self):
        """A logger of its own with a formatter that asks for each argument, as uvicorn's does."""
        logger, said = logging.getLogger("test.server"), []

        class Keep(logging.Handler):
            def emit(self, record):
                said.append((self.format(record), record.args))

        logger.addHandler(handler := Keep())
        logger.setLevel("INFO")
        yield logger, said
        logger.removeHandler(handler)
        logger.filters.clear()

    def test_arguments_stay_as_many_and_as_they_are(self, logged):
        logger, said = logged
        hide_login_codes("test.server")
        hide_login_codes("test.server")
        assert len(logger.filters) == 1
        logger.info("%s %d", "/callback?code=abc&state=def&next=/x", 302)
        logger.info("GET /callback?code=%s", "abc")
        logger.info("%(U)s", {"U": "/?next=%2Fcallback%3Fcode%3Dabc"})
        assert said[0] == ("/callback?code=...&state=...&next=/x 302", ("/callback?code=...&state=...&next=/x", 302))
        assert [text for text, _ in said[1:]] == ["GET /callback?code=...", "/?next=%2Fcallback%3Fcode%3D..."]

    def test_an_http_clients_show_no_query_and_no_id(self, logged):
        logger, said = logged
        hide_addresses("test.server")
        address = "/d/1/b1!SSzrPW6cHG/download?a=b"
        logger.info('%s://%s:%s "%s %s %s" %s %s', "https", "dl.boxcloud.com", 443, "GET", address, "HTTP/1.1", 200, 4)
        logger.info("Redirecting %s -> %s", "https://a.example:1/2.0/files/7?x=y", address)
        assert [text for text, _ in said] == [
            'https://dl.boxcloud.com:443 "GET /d/{id}/{id}/download HTTP/1.1" 200 4',
            "Redirecting https://a.example:1/2.0/files/{id} -> /d/{id}/{id}/download",
        ]

    @pytest.mark.parametrize("keep", [hide_login_codes, own_logger])
    def test_arguments_that_do_not_fit_are_no_failure_of_the_app(self, logged, keep, monkeypatch):
        logger, said = logged
        keep("test.server")
        monkeypatch.setattr(logging, "raiseExceptions", False)
        for wrong in (("%d", "x"), ("%s %s", "x"), ("%(a)s", {"b": 1})):
            with pytest.raises((TypeError, ValueError, KeyError)):  # where it is written, and not before
                logger.info(*wrong)
        logger.info("%s", "right")
        assert said[-1][0] == "right"

    def test_what_does_not_show_itself_is_no_failure_of_a_page(self, make, monkeypatch):
        class Silent:
            def __str__(self):
                raise RuntimeError("not now")

        app = make()

        @app.get("/silent")
        def silent():
            app.logger.warning("it is %s", Silent())
            return "a page"

        monkeypatch.setattr(logging, "raiseExceptions", False)
        app.logger.handlers = [logging.StreamHandler()]
        app.logger.propagate = False
        assert app.test_client().get("/silent").text == "a page"

    def test_a_trace_is_apart_and_without_codes(self, logged):
        logger, said = logged
        own_logger("test.server")
        try:
            raise ValueError("x\nINFO forged code=abc\x1b[2J")
        except ValueError:
            logger.exception("a\nb")
        first, *trace = said[0][0].split("\n")
        assert first == "a�b"
        assert trace[-1] == "  INFO forged code=..."
        assert all(line.startswith("  ") for line in trace)
