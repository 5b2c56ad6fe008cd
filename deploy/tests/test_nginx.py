"""The site behind nginx: a browser's way, what it may claim about itself, slow clients, an instance that is gone."""

import contextlib
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import urlsplit

import pytest
import requests

from box_auth.tests.journey import free_port, needs
from box_auth.tests.redis_server import needs_redis

from .conftest import DEPLOY, NGINX, Proxy, deployed

needs("gunicorn.conf.py")
needs_nginx = pytest.mark.skipif(not NGINX, reason="no nginx on this machine (Debian: apt-get install nginx-light)")
pytestmark = [needs_nginx, needs_redis]


def test_a_browser_signs_in_over_tls_and_no_log_has_what_box_gave_it(deployment):
    with deployment.proxy.visitor() as visitor:
        page = visitor.sign_in("Ada")
        assert page.url == f"{deployment.site}/dashboard"
        for _ in range(4):  # either instance answers
            assert "Ada" in visitor.get("/dashboard").text
        cookie = next(cookie for cookie in visitor.http.cookies if "session" in cookie.name)
        assert cookie.secure
        plain = requests.get(deployment.proxy.http + "/dashboard?page=2", timeout=20, allow_redirects=False)
        assert plain.headers["Location"].endswith("/dashboard?page=2")
        assert plain.headers["Location"].startswith("https://localhost/")
        assert visitor.sign_out().status_code == 200
    assert all("data in Redis\n" in instance.output for instance in deployment.instances)
    log = deployment.proxy.log
    assert '"GET /callback" 302' in log
    assert "code=" not in log
    answered = [instance.output.count('"GET /dashboard HTTP') for instance in deployment.instances]
    assert min(answered) > 0, answered


def test_what_a_browser_claims_about_its_way_counts_for_nothing(deployment):
    claims = {
        "X-Forwarded-For": "203.0.113.9",
        "X-Forwarded-Proto": "http",
        "X-Forwarded-Host": "evil.example.com",
        "X-Forwarded-Prefix": "/evil",
        "Forwarded": "for=203.0.113.9;host=evil.example.com;proto=http",
    }
    with deployment.proxy.visitor() as visitor:
        answer = visitor.get("/dashboard", headers=claims, allow_redirects=False)
        assert answer.headers["Location"] == "/login?next=/dashboard"
        started = visitor.get("/login", headers=claims, allow_redirects=False)
        visitor.sign_in("Ada")
        form = {"csrf_token": visitor.csrf_token()}
        no_page_of_ours = {**claims, "Referer": None}  # over https, where the app must believe that it is, a refusal
        assert visitor.post("/logout", data=form, headers=no_page_of_ours).status_code == 400
    assert urlsplit(started.headers["Location"]).path == "/api/oauth2/authorize"
    assert "evil" not in started.headers["Location"]
    assert "; Secure" in started.headers["Set-Cookie"]
    assert "203.0.113.9" not in "".join(instance.output for instance in deployment.instances)


def test_another_host_name_is_told_so_before_the_app_is_asked(deployment):
    with deployment.proxy.visitor() as visitor:
        assert visitor.get("/", headers={"Host": "evil.example.com"}).status_code == 421
    assert requests.get(deployment.proxy.http, headers={"Host": "x"}, timeout=20).status_code == 421
    address = urlsplit(deployment.site)
    trusting = ssl.create_default_context(cafile=deployment.proxy.certificate)
    with socket.create_connection(("127.0.0.1", address.port), 20) as raw, pytest.raises(ssl.SSLError):
        trusting.wrap_socket(raw, server_hostname="evil.example.com")


class Mirror(BaseHTTPRequestHandler):
    """An instance that answers with the headers that it got."""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"{self.path}\n{self.headers}".encode())

    def log_message(self, *_):
        pass


@pytest.mark.parametrize("subpath", ["", "/box"])
def test_the_app_hears_the_host_that_was_looked_at_and_no_other(tmp_path, subpath):
    """A request can name a host twice, and have something behind the port."""
    with HTTPServer(("127.0.0.1", 0), Mirror) as mirror:
        threading.Thread(target=mirror.serve_forever, daemon=True).start()
        instance = f"127.0.0.1:{mirror.server_port}"
        with Proxy(tmp_path, [instance, instance], subpath=bool(subpath)) as proxy:
            here = urlsplit(proxy.https)
            trusting = ssl.create_default_context(cafile=proxy.certificate)
            for target, host in (
                (f"{proxy.https}{subpath}/", "evil.example.com"),
                (f"{subpath}/", "localhost:1@evil.example.com"),
            ):
                with (
                    socket.create_connection(("127.0.0.1", here.port), 20) as raw,
                    trusting.wrap_socket(raw, server_hostname="localhost") as client,
                ):
                    client.sendall(f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
                    answer = client.makefile("rb").read().decode()
                assert f"\nX-Forwarded-Host: {here.netloc}\n" in answer
                assert f"\nX-Forwarded-Prefix: {subpath}\n" in answer if subpath else "Prefix" not in answer
                assert "evil" not in answer
        mirror.shutdown()


@pytest.mark.parametrize("subpath", ["", "/box"])
def test_a_code_that_finds_no_instance_is_in_no_log(tmp_path, subpath):
    nobody = [f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"]
    with Proxy(tmp_path, nobody, subpath=bool(subpath)) as proxy, proxy.visitor() as visitor:
        assert visitor.get(f"{subpath}/callback?code=hush&state=hush").status_code == 502
        page = visitor.get(f"{subpath}/page")
        log = proxy.log
    assert page.status_code == 502
    assert "Please try again" in page.text
    assert page.headers["Retry-After"] == "5"
    assert f"{subpath}/page" in log
    assert "Connection refused" in log
    assert "hush" not in log


def test_clients_that_send_half_a_request_keep_nobody_waiting(deployment):
    """More of them than the instances have threads, each with half of its head or half of its form."""
    address = urlsplit(deployment.site)
    trusting = ssl.create_default_context(cafile=deployment.proxy.certificate)
    with contextlib.ExitStack() as stack:
        visitor = stack.enter_context(deployment.proxy.visitor())
        visitor.sign_in("Ada")
        head = f"POST /logout HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Length: 100\r\n"
        head += f"Content-Type: application/x-www-form-urlencoded\r\nCookie: {visitor.session_cookie()}\r\n"
        for number in range(80):
            raw = stack.enter_context(socket.create_connection(("127.0.0.1", address.port), 20))
            client = stack.enter_context(trusting.wrap_socket(raw, server_hostname="localhost"))
            client.sendall((head if number % 2 else head + "\r\nhalf").encode())
        begun = time.monotonic()
        assert visitor.get("/dashboard").status_code == 200
        assert time.monotonic() - begun < 20  # they are cut off after 30


def test_one_instance_stopped_and_then_the_other_is_not_noticed(emulator, box, tmp_path):
    with deployed(emulator, box, tmp_path) as deployment, deployment.proxy.visitor() as visitor:
        visitor.sign_in("Ada")
        deployment.instances[0].stop()
        answers = [visitor.get("/dashboard") for _ in range(6)]
        assert {answer.status_code for answer in answers} == {200}
        deployment.restart(0)
        deployment.instances[1].stop()  # at once: nginx must not remember that the first one was away
        answers = [visitor.get("/dashboard") for _ in range(6)]
        assert {answer.status_code for answer in answers} == {200}
        visitor.sign_out()
        assert visitor.get("/dashboard", allow_redirects=False).status_code == 302


def test_large_bodies_go_where_uploads_go_and_nowhere_else(deployment):
    body = b"x" * 2_000_000
    with deployment.proxy.visitor() as visitor:
        assert visitor.post("/logout", data=body).status_code == 413
        assert "nginx" in visitor.post("/files/0/other", data=body).text
        assert visitor.post("/files/0/upload", data=body).text == str(len(body))


def test_the_same_below_a_path(emulator, box, tmp_path):
    with deployed(emulator, box, tmp_path, subpath="/box") as deployment, deployment.proxy.visitor("/box/") as visitor:
        assert visitor.sign_in("Ada", "login").url == f"{deployment.site}/dashboard"
        cookie = next(cookie for cookie in visitor.http.cookies if "session" in cookie.name)
        assert cookie.secure
        assert cookie.path == "/box"
        bare = visitor.http.get(deployment.site, timeout=20, allow_redirects=False)
        assert bare.status_code == 301
        body = b"x" * 2_000_000
        assert visitor.post("files/0/upload", data=body).text == str(len(body))
        assert visitor.post("logout", data=body).status_code == 413


@pytest.mark.parametrize("subpath", ["", "/box"])
def test_static_files_come_compressed_and_to_be_kept_as_the_app_sends_them(emulator, box, tmp_path, subpath):
    with deployed(emulator, box, tmp_path, subpath=subpath) as deployment:
        sheet = tmp_path / "fork" / "static" / "style.css"
        sheet.write_text("p { margin: 0 }" * 200)
        with deployment.proxy.visitor(f"{subpath}/") as visitor:
            page = visitor.get("", headers={"Accept-Encoding": "gzip"})
            assert "Content-Encoding" not in page.headers
            address = re.search(rf'href="({subpath}/static/style.css\?v=[^"]+)"', page.text)[1]
            for _ in deployment.instances:
                kept = visitor.get(address, headers={"Accept-Encoding": "gzip"})
                assert kept.headers["Cache-Control"] == "public, max-age=31536000, immutable"
                assert (kept.headers["Content-Encoding"], kept.headers["Vary"]) == ("gzip", "Accept-Encoding")
                assert kept.text == sheet.read_text()
            again = visitor.get(address, headers={"Accept-Encoding": "gzip", "If-None-Match": kept.headers["ETag"]})
            assert again.status_code == 304
            plain = visitor.get(address.partition("?")[0], headers={"Accept-Encoding": "identity"})
            assert (plain.headers["Cache-Control"], plain.headers.get("Content-Encoding")) == ("no-cache", None)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd on this machine")
@pytest.mark.parametrize("with_redis", [True, False])
def test_systemd_reads_its_unit(tmp_path, with_redis):
    unit = (DEPLOY / "box-app@.service").read_text("utf-8")
    if not with_redis:  # as docs/deploy.md says
        unit = "".join(line for line in unit.splitlines(True) if "redis_url" not in line)
        unit = unit.replace("[Install]", "StateDirectory=box-app\nEnvironment=INSTANCE_DIR=%S/box-app\n\n[Install]")
    handed_over = re.findall(r"([A-Z_]+)_FILE=%d/([a-z_]+)", unit)
    kept = {"CLIENT_SECRET", "SECRET_KEY", "TOKEN_ENCRYPTION_KEYS"} | ({"REDIS_URL"} if with_redis else set())
    assert {setting for setting, _ in handed_over} == kept
    assert {name for _, name in handed_over} == set(re.findall("LoadCredential=([a-z_]+):", unit))
    (tmp_path / "box-app@.service").write_text(unit.replace("/opt/box-app/.venv/bin/gunicorn", "/bin/true"))
    command = ["systemd-analyze", "verify", "--man=no", tmp_path / "box-app@.service"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
