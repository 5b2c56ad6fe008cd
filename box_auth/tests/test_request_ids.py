"""Each request has an id, which its answer, its error page and Box are told."""

import re

import pytest
from flask import request, send_file
from werkzeug.test import create_environ
from werkzeug.wsgi import FileWrapper

from box_auth import request_id
from box_auth.flask import BoxAuth

from .small_apps import SITE, Browser

PROBLEM = "{{ problem.code }} Request: <code>{{ request_id }}</code>"


def shown(page):
    return re.search(r"Request: <code>([^<]*)</code>", page.text)[1]


def test_every_answer_has_one_of_its_own(make):
    browser = Browser(make())
    answers = [browser.get(path) for path in ("/", "/", "/static/style.css", "/login", "/me", "/nowhere")]
    ids = [answer.headers.getlist("X-Request-ID") for answer in answers]
    assert all(len(one) == 1 and re.fullmatch("[0-9a-f]{16}", one[0]) for one in ids)
    assert len({one[0] for one in ids}) == len(ids)
    for answer in answers:
        answer.close()


@pytest.mark.parametrize("templates", [None, {"problem.html": PROBLEM}])
def test_an_error_page_shows_it_and_so_does_its_json(make, templates):
    browser = Browser(make(templates=templates))
    page = browser.get("/nowhere")
    assert shown(page) == page.headers["X-Request-ID"]
    answer = browser.get("/me", headers={"Accept": "application/json"})
    assert answer.json["error"]["request"] == answer.headers["X-Request-ID"]


def test_the_log_line_of_a_failure_and_the_page_name_the_same(make, emulator, caplog):
    browser = Browser(make())
    browser.sign_in("ada@")
    emulator.fault("GET /2.0/users/me", status=503, times=50)
    page = browser.get("/me")
    assert page.status_code == 502
    assert f"(request {shown(page)})" in caplog.text


def test_an_app_that_cannot_start_has_them_too(make, capsys):
    make.set(CLIENT_ID="id")
    page = Browser(make()).get("/")
    assert "CLIENT_SECRET" in capsys.readouterr().err
    assert shown(page) == page.headers["X-Request-ID"]


def test_a_visitors_is_not_believed(make):
    asked = {"X-Request-ID": "forged"}
    assert Browser(make()).get("/", headers=asked).headers["X-Request-ID"] != "forged"


class TestBehindATrustedProxy:
    @pytest.fixture
    def browser(self, make):
        make.set(**make.settings, TRUSTED_PROXIES="1")
        return Browser(make())

    @pytest.mark.parametrize("name", ["f9a0", "1-67891233-abcdef012345678912345678", "A.b_c-9", "a" * 100])
    def test_its_id_is_taken(self, browser, name):
        page = browser.get("/nowhere", headers={"X-Request-ID": name})
        assert page.headers["X-Request-ID"] == shown(page) == name

    @pytest.mark.parametrize("name", ["", " ", "a b", "a,b", "<b>", "a" * 101, "-a", "ä", "a=b", "a%0Ab"])
    def test_one_that_is_not_plain_is_replaced(self, browser, name):
        page = browser.get("/nowhere", headers={"X-Request-ID": name})
        assert re.fullmatch("[0-9a-f]{16}", page.headers["X-Request-ID"])
        assert shown(page) == page.headers["X-Request-ID"]


def test_box_gets_it_with_the_calls_of_a_page_side_by_side_too(make, sent):
    box = BoxAuth()
    app = make(box)

    @app.get("/three")
    @box.login_required
    def three():
        return str(len(box.at_once(*[lambda: (box.get("/users/me"), request.path)] * 3)))

    browser = Browser(app)
    browser.sign_in("ada@")
    sent.clear()
    page = browser.get("/three")
    assert page.text == "3"
    assert [request.headers["X-Request-ID"] for request in sent] == [page.headers["X-Request-ID"]] * 3


def test_it_lasts_until_the_answer_is_sent_and_no_longer(make):
    app = make()
    app.add_url_rule("/parts", "parts", lambda: (request_id.current() for _ in range(2)))

    @app.get("/broken")
    def broken():
        raise ValueError

    request_id.use("")  # what an answer that no test has closed may have left
    page = Browser(app).get("/parts")
    assert page.text == 2 * page.headers["X-Request-ID"]
    page.close()
    assert request_id.current() == ""
    app.config["PROPAGATE_EXCEPTIONS"] = True
    with pytest.raises(ValueError):
        Browser(app).get("/broken")
    assert request_id.current() == ""


def test_a_file_is_left_to_the_server_to_send(make, tmp_path):
    (tmp_path / "file").write_text("text")
    app = make()
    app.add_url_rule("/file", "file", lambda: send_file(tmp_path / "file", "text/plain"))
    environ = {"wsgi.file_wrapper": FileWrapper}
    body = app.wsgi_app(create_environ("/file", SITE) | environ, lambda status, headers, exc_info=None: None)
    assert isinstance(body, FileWrapper)
    assert request_id.current() == ""
    body.close()
