"""LOG_FORMAT=json: every line is an object, with one for each request, and nothing is told twice."""

import json
import logging
import re
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
import requests

from box_auth import logs
from box_auth.flask import request_log
from box_auth.json_lines import JsonLines

from .journey import App, Process, Visitor, checkout, clean_environment, running

MORE = """

import logging, warnings


@app.get("/item/<int:number>")
def item(number):
    app.logger.warning("number %d", number)
    logging.getLogger("shop").warning("no %s", "stock")
    warnings.warn("old\\nway", stacklevel=1)
    raise LookupError("gone\\nfor good?code=abcdefgh")


@app.get("/parts")
def parts():
    return (part for part in ("a", "b"))


@app.get("/page")
@box.login_required
def page():
    return {"names": [account.login for account in box.at_once(*[lambda: box.client.users.get_user_me()] * 3)]}


@app.get("/stop")
def stop():
    raise SystemExit


@app.get("/half")
def half():
    yield "half"
    raise LookupError("the rest")


if __name__ == "__main__":
    box.run(app)
"""
KEYS = ["id", "method", "route", "status", "duration_ms", "box_ms", "box_request_ids", "user", "client"]


@pytest.fixture
def fork(tmp_path):
    fork = checkout(tmp_path / "fork", "gunicorn.conf.py")
    (fork / "app.py").write_text((fork / "app.py").read_text() + MORE)
    return fork


def start(kind, fork, settings, **more):
    settings = {**settings, "LOG_FORMAT": "json", **more}
    if kind == "flask run":
        return App(fork, **settings)
    command = [sys.executable, "app.py"] if kind == "python app.py" else [sys.executable, "-m", "gunicorn"]
    if kind == "gunicorn":
        command += ["--worker-tmp-dir", str(fork)]
    environment = clean_environment(**settings, WEB_CONCURRENCY="1")
    process = Process(command, fork, environment, "live, with Box: gunicorn" if kind == "gunicorn" else "Running on")
    process.url = f"http://127.0.0.1:{settings['CALLBACK_PORT']}"
    return process


def objects(process):
    """The lines as objects; Flask's development server begins with two of its own, which nobody can turn off."""
    lines = [line for line in process.lines if not line.startswith((" * Serving Flask app", " * Debug mode"))]
    return [json.loads(line) for line in lines]


def requests_in(lines):
    return [line for line in lines if line.get("event") == "request"]


@pytest.mark.parametrize("kind", ["gunicorn", "flask run", "python app.py"])
def test_every_line_is_an_object_and_each_request_has_one(emulator, settings, fork, kind):
    order = []
    with running(start(kind, fork, settings)) as site, Visitor(site.url) as visitor:
        visitor.http.hooks["response"].append(lambda answer, **_: order.append(answer.headers.get("X-Request-ID")))
        visitor.sign_in("ada@")
        ada = emulator.users.named("ada@example.com").id
        page = visitor.get("/page")
        assert page.json()["names"] == ["ada@example.com"] * 3
        failed = visitor.get("/item/7?code=abcdefgh")
        assert visitor.get("/parts").text == "ab"
        assert [visitor.get(path).status_code for path in ("/readyz", "/livez")] == [200, 200]  # they have no line
        visitor.get("/static/style.css")
        visitor.get("/nowhere/%0Aforged%1B[2J")
        visitor.sign_out()
        assert site.says(visitor.get("/end-of-it").headers["X-Request-ID"])
    lines = objects(site)
    seen = requests_in(lines)
    seen.sort(key=lambda line: order.index(line["id"]))  # a line may come after that of the next request
    assert [(line["method"], line["route"], line["status"]) for line in seen] == [
        ("GET", "/login", 302),
        ("GET", "/callback", 302),
        ("GET", "/dashboard", 200),
        ("GET", "/page", 200),
        ("GET", "/item/<int:number>", 500),
        ("GET", "/parts", 200),
        ("GET", "/static/<path:filename>", 200),
        ("GET", None, 404),
        ("GET", "/", 200),
        ("POST", "/logout", 302),
        ("GET", "/", 200),
        ("GET", None, 404),
    ]
    for line in seen:
        assert list(line) == ["time", "level", "logger", "event", *KEYS]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])
        assert line["client"] == "127.0.0.1"
        assert 0 <= line["box_ms"] <= line["duration_ms"] < 60_000
    named = next(line for line in seen if line["route"] == "/page")
    assert named["id"] == page.headers["X-Request-ID"]
    assert (named["user"], len(named["box_request_ids"])) == (ada, 3)
    assert [line["user"] for line in seen if line["route"] in ("/login", "/callback", "/logout")] == [None, ada, ada]
    of_item = [line for line in lines if line.get("id") == failed.headers["X-Request-ID"]]
    assert [line.get("message") for line in of_item[:2]] == ["number 7", "no stock"]
    warning, trace, shown, _ = of_item[2:]
    assert "old\nway" in warning["message"]
    assert shown["message"].startswith("GET /item/7: ")
    assert "LookupError: gone\n  for good?code=..." in trace["trace"]
    events = [(line["event"], line["user"]) for line in lines if line.get("logger") == "box_auth.events"]
    assert events == [("signed_in", ada), ("signed_out", ada)]
    assert "abcdefgh" not in site.output
    assert not [
        line for line in lines if "127.0.0.1 - -" in line.get("message", "") or '"GET' in line.get("message", "")
    ]


def test_behind_a_proxy_it_is_the_visitors_address_and_the_proxys_id(fork, settings):
    forwarded = {"X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": "https", "X-Request-ID": "from-nginx"}
    more = {"TRUSTED_PROXIES": "1", "REDIRECT_URI": "https://files.example.com/callback"}
    with running(start("flask run", fork, settings, **more)) as site, Visitor(site.url) as visitor:
        visitor.get("/parts", headers=forwarded)
        assert site.says("198.51.100.7")
    (line,) = requests_in(objects(site))
    assert (line["client"], line["id"]) == ("198.51.100.7", "from-nginx")


@pytest.mark.parametrize("kind", ["gunicorn", "flask run"])
def test_an_answer_that_broke_off_or_never_began_says_why_and_whose_it_was(fork, settings, kind):
    with running(start(kind, fork, settings)) as site, Visitor(site.url) as visitor:
        for path in ("/half", "/stop"):
            with suppress(requests.RequestException):  # gunicorn 23 may leave the second without an answer
                visitor.http.get(site.url + path, timeout=5)
            assert site.says(f'"{path}"')
    told = [line for line in requests_in(objects(site)) if line["route"] in ("/half", "/stop")]
    assert [(line["status"], line["error"]) for line in told] == [(200, "LookupError"), (500, "SystemExit")]
    assert all(len(line["id"] or "") == 16 for line in told)


def test_users_can_be_hashed_so_that_only_the_app_can_tell_who_it_is(emulator, fork, settings):
    with running(start("flask run", fork, settings, LOG_HASH_USERS="1")) as site, Visitor(site.url) as visitor:
        visitor.sign_in("ada@")
        visitor.get("/page")
        emulator.fault("POST /oauth2/token", status=503, times=9)
        emulator.clock.advance(3600)
        visitor.get("/page")
        assert site.says("could not be refreshed")
    lines = objects(site)
    users = {line["user"] for line in lines if line.get("user")}
    assert len(users) == 1
    (user,) = users
    assert re.fullmatch("[0-9a-f]{16}", user)
    assert f"the tokens of user {user} could not be refreshed" in site.output
    assert emulator.users.named("ada@example.com").id not in site.output


def test_a_refusal_a_refresh_and_a_lost_sign_in_have_a_line_each(emulator, fork, settings):
    with running(start("gunicorn", fork, settings)) as site, Visitor(site.url) as visitor:
        visitor.get("/callback?code=abcdefgh&state=nobodys")
        visitor.sign_in("ada@")
        emulator.clock.advance(3600)
        visitor.get("/page")
        emulator.tokens.revoke_all()
        visitor.get("/page")
        assert site.says("sign_in_lost")
    lines = [line for line in objects(site) if line.get("logger") == "box_auth.events"]
    assert [(line["event"], line.get("code"), line["level"]) for line in lines] == [
        ("sign_in_refused", "state_unknown", "WARNING"),
        ("signed_in", None, "INFO"),
        ("token_refreshed", None, "INFO"),
        ("sign_in_lost", "token_ended", "WARNING"),
    ]
    assert all(re.fullmatch("[0-9a-f]{16}", line["id"]) for line in lines)
    assert "abcdefgh" not in site.output


@pytest.mark.parametrize("kind", ["gunicorn", "flask run"])
def test_wrong_settings_are_told_as_json_too(fork, settings, kind):
    del settings["CLIENT_SECRET"]
    ready = "Booting worker" if kind == "gunicorn" else "Running on"
    command = [
        sys.executable,
        "-m",
        *(["gunicorn", "--worker-tmp-dir", str(fork)] if kind == "gunicorn" else kind.split()),
    ]
    environment = clean_environment(**settings, LOG_FORMAT="json", WEB_CONCURRENCY="1")
    with running(Process(command, fork, environment, ready)) as site:
        assert site.says("CLIENT_SECRET is not set")
    assert any("CLIENT_SECRET is not set" in line["message"] for line in objects(site))


def test_text_is_as_it_was(fork, settings):
    with running(start("flask run", fork, settings, LOG_FORMAT="text")) as site, Visitor(site.url) as visitor:
        visitor.get("/parts")
        assert site.says('"GET /parts HTTP/1.1" 200 -')
    assert "{" not in site.output


class Silent:
    """Something that cannot be written down, as an object of a database whose session is over."""

    def __str__(self):
        raise RuntimeError("not now")


class TestBoxesShareOfARequest:
    @pytest.mark.parametrize(
        ("calls", "covered"),
        [
            ([], 0),
            ([(1, 2)], 1),
            ([(1, 2), (3, 5)], 3),
            ([(1, 4), (2, 3)], 3),
            ([(2, 3), (1, 4)], 3),
            ([(1, 3), (2, 5)], 4),
            ([(-5, 1)], 1),  # a refresh that another request began
        ],
    )
    def test_counts_calls_side_by_side_once(self, calls, covered):
        assert request_log._Seen(began=0.0, calls=calls).box_seconds() == covered


class TestALine:
    @pytest.fixture
    def line(self):
        def line(*arguments, **more):
            record = logging.LogRecord("a", logging.WARNING, "f.py", 1, *arguments, more.get("exc_info"))
            return JsonLines().format(record)

        return line

    def test_is_one_and_ascii_whatever_is_in_it(self, line):
        text = line("%s", ("a\nb\r\x1b[31mc\x1b[0m\u2028\u202e\x9b\ud800ü?code=abc&x",))
        assert text.isascii()
        assert text.isprintable()
        assert json.loads(text)["message"] == "a\nb\rc\u2028\u202e\x9b\ud800ü?code=...&x"

    def test_is_written_where_arguments_do_not_fit(self, line):
        assert json.loads(line("%d of %s", ("x",)))["message"] == "%d of %s"

    def test_is_written_where_something_does_not_show_itself(self, line):
        assert json.loads(line("it is %s", (Silent(),)))["message"] == "it is %s"
        assert json.loads(line(Silent(), ()))["message"] == "RuntimeError in place of a message"

    def test_has_the_time_in_utc(self, line, monkeypatch):
        monkeypatch.setenv("TZ", "Asia/Kolkata")
        time.tzset()
        try:
            told = json.loads(line("x", ()))["time"]
            assert abs(time.time() - time.mktime(time.strptime(told[:19], "%Y-%m-%dT%H:%M:%S")) - 19800) < 60
        finally:
            monkeypatch.undo()
            time.tzset()


def test_a_hash_follows_from_the_secret():
    try:
        logs.hash_users("one secret")
        one = logs.shown_user("10000001")
        logs.hash_users("another")
        assert one != logs.shown_user("10000001") != "10000001"
        assert logs.shown_user("") == ""
    finally:
        logs.hash_users("")
    assert logs.shown_user("10000001") == "10000001"


def test_a_handler_of_the_apps_that_writes_elsewhere_stays_as_it_is(fork, settings):
    own = "\nimport logging\nlogging.getLogger().addHandler(logging.FileHandler('own.log'))\n"
    (fork / "app.py").write_text(
        (fork / "app.py").read_text().replace("app = Flask(__name__)", own + "app = Flask(__name__)")
    )
    with running(start("flask run", fork, settings)) as site, Visitor(site.url) as visitor:
        assert site.says(visitor.get("/item/7").headers["X-Request-ID"] + '", "method"')
    assert "no stock\n" in Path(fork / "own.log").read_text()
    assert len(requests_in(objects(site))) == 1
