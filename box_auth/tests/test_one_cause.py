"""What goes wrong has one name: the page, the log's line, /readyz and `flask box doctor` say the same code.

Each fault is a real one: a system that writes no more, Redis full or standing still, a certificate that has expired, a
clock that moves while a sign-in is under way.
"""

import json
import os
import signal
import ssl
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import redis

from .certificates import Certificate
from .journey import Process, Visitor, clean_environment, code_of, running
from .redis_server import RedisServer, needs_redis

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has neither such limits nor such signals")

NAMED = {503: "code", 200: "warning"}
CLOCK = "import os, time\nreal = time.time\ntime.time = lambda: real() + float(open(os.environ['OFF']).read())\n"


class Site:
    """The app under `flask run`, and doctor, both started by ``wrapping``, a shell's words before a command."""

    def __init__(self, fork, wrapping="", **settings):
        self.fork, self.settings, self._wrapping = fork, {"SECRET_KEY": "a-long-random-text", **settings}, wrapping
        port = settings["CALLBACK_PORT"]
        self.url = f"http://127.0.0.1:{port}"
        command = self._command("run", "--port", port, "--no-reload", "--no-debugger")
        self.process = Process(command, fork, clean_environment(**self.settings), "Running on")

    def _command(self, *arguments):
        command = [sys.executable, "-m", "flask", *arguments]
        return ["sh", "-c", f'{self._wrapping} && exec "$@"', "sh", *command] if self._wrapping else command

    def doctor(self):
        """The codes that it names."""
        said = subprocess.run(
            self._command("box", "doctor", "--json"),
            cwd=self.fork,
            env=clean_environment(**self.settings),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=50,
        )
        return {finding["code"] for finding in json.loads(said.stdout)}

    def all_name(self, code, page, ready=(503, {"ready": False})):
        """Look at the four, at the same time as far as that goes; ``page`` opens one that fails."""
        with ThreadPoolExecutor(2) as pool:
            doctor, opened = pool.submit(self.doctor), pool.submit(page)
            assert code_of(opened.result()) == code
            assert self.process.says(f"[{code}]")
            with Visitor(self.url) as visitor:
                told = visitor.get("/readyz")
            assert (told.status_code, told.json()) == (ready[0], {**ready[1], NAMED[ready[0]]: code})
            assert code in doctor.result()


@pytest.fixture
def start(fork, settings):
    sites = []

    def start(wrapping="", **more):
        sites.append(Site(fork, wrapping, **{**settings, **more}))
        return sites[-1]

    yield start
    for site in sites:
        with running(site.process):
            pass


def sign_in(site):
    with Visitor(site.url) as visitor:
        return visitor.sign_in()


def test_a_disk_that_takes_nothing_more(start):
    site = start("ulimit -f 0")
    site.all_name("store_unavailable", lambda: sign_in(site))


@needs_redis
def test_a_redis_that_is_full(start):
    with RedisServer("--maxmemory-policy", "noeviction") as server:
        site = start(REDIS_URL=server.url)
        with redis.Redis.from_url(server.url) as client:
            client.config_set("maxmemory", 1)
        site.all_name("redis_full", lambda: sign_in(site))


@needs_redis
def test_a_redis_that_hangs(start):
    with RedisServer() as server:
        site = start(REDIS_URL=server.url)
        with Visitor(site.url) as visitor:
            visitor.sign_in()
            os.kill(server.pid, signal.SIGSTOP)
            try:
                site.all_name("redis_away", lambda: visitor.get("/dashboard"))
            finally:
                os.kill(server.pid, signal.SIGCONT)
            assert visitor.get("/dashboard").status_code == 200


def test_a_certificate_that_has_expired(start, tmp_path):
    certificate = Certificate(tmp_path, "Expired", days=-1).path
    with speaking_tls(certificate) as url:
        site = start(BOX_API_URL=url, REQUESTS_CA_BUNDLE=str(certificate))
        site.all_name("box_tls", lambda: sign_in(site), ready=(200, {"ready": True}))
    assert "certificate has expired" in site.process.output


def test_a_clock_that_is_ten_minutes_off(start, tmp_path):
    (tmp_path / "off").mkdir()
    (tmp_path / "off" / "sitecustomize.py").write_text(CLOCK)
    (offset := tmp_path / "offset").write_text("0")
    site = start(PYTHONPATH=str(tmp_path / "off"), OFF=str(offset))
    with Visitor(site.url) as visitor:
        address = visitor.callback_address()
        offset.write_text("601")
        assert sign_in(site).url.endswith("/dashboard")  # most works as ever
        site.all_name("clock_off", lambda: visitor.get(address), ready=(200, {"ready": True}))
        assert "seconds ahead of Box's" in site.process.output
        offset.write_text("0")
        assert sign_in(site).status_code == 200
        assert visitor.get("/readyz").json() == {"ready": True}


class speaking_tls:  # noqa: N801
    """A server that shows this certificate; gives its address."""

    def __init__(self, certificate):
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
        self._server.handle_error = lambda *_: None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return f"https://127.0.0.1:{self._server.server_address[1]}"

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
