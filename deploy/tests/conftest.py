"""nginx with the configuration of this folder, before two instances of an app on one Redis."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from box_auth.tests.certificates import Certificate
from box_auth.tests.conftest import box, box_ports, emulator  # noqa: F401
from box_auth.tests.journey import (
    Process,
    Visitor,
    checkout,
    clean_environment,
    free_port,
    live_settings,
    local_box,
)
from box_auth.tests.redis_server import RedisServer

DEPLOY = Path(__file__).parent.parent
NGINX = shutil.which("nginx")
HOST = "localhost"  # a name that leads here, in place of the one in site.conf


class Proxy:
    """nginx in ``folder``, at ports that are free. ``http``, ``https`` are where it answers; ``log`` is all it said."""

    def __init__(self, folder: Path, instances: list[str], *, subpath: bool = False) -> None:
        self.certificate = Certificate(folder, "site").path  # and its key
        plain, secure = free_port(), free_port()
        self.http, self.https = f"http://{HOST}:{plain}", f"https://{HOST}:{secure}"
        self._folder, self._log = folder, folder / "log"
        # What a fork writes into site.conf, its name and where its certificate is, is ours here.
        public = re.search(r"server_name (\S+);", (DEPLOY / "nginx" / "site.conf").read_text("utf-8"))[1]
        for name in ("nginx.conf", "proxy.conf", "away.conf", "site.conf", "upstream.conf", "subpath.conf"):
            text = (DEPLOY / "nginx" / name).read_text("utf-8")
            text = text.replace(f"server_name {public};", f"server_name {HOST};").replace(
                " $host;", f" $host:{secure};"
            )
            text = re.sub(r"(ssl_certificate|ssl_certificate_key) [^;]+;", rf"\1 {self.certificate};", text)
            text = text.replace("/var/log/nginx/access.log", "log").replace("/var/log/nginx/error.log", "log")
            text = text.replace("listen 80", f"listen 127.0.0.1:{plain}").replace(
                "listen 443", f"listen 127.0.0.1:{secure}"
            )
            for number, instance in enumerate(instances, 1):
                text = text.replace(f"127.0.0.1:800{number} ", f"{instance} ")
            (folder / name).write_text(text, "utf-8")
        if subpath:  # another site's server block, with this in it
            site = (folder / "site.conf").read_text("utf-8")
            end = site.rindex("}")
            other = site[: site.index("    location @box_away {")]
            other = other.replace("access_log log box;", "access_log log combined;")  # which has queries
            other += "    error_page 500 502 504 /50x.html;\n    location = /50x.html { return 502; }\n"
            (folder / "site.conf").write_text(f"{other}    include subpath.conf;\n{site[end:]}", "utf-8")
        kept = "".join(
            f"{name}_temp_path {folder}/{name}; " for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        kept += "gzip on; gzip_types *; gzip_min_length 1; "  # as other sites on the same machine may want it
        main = (folder / "nginx.conf").read_text("utf-8").replace("http {", f"http {{ {kept}")
        (folder / "nginx.conf").write_text(f"daemon off; pid {folder}/pid;\n{main}", "utf-8")

    @property
    def log(self) -> str:
        return self._log.read_text("utf-8")

    def __enter__(self) -> Proxy:
        command = [NGINX, "-p", self._folder, "-c", self._folder / "nginx.conf"]
        self._journal, journal = socket.socketpair()  # what systemd gives it, so there is no /dev/stdout to open
        self._process = subprocess.Popen(command, stdout=journal, stderr=journal)
        journal.close()
        end = time.monotonic() + 30
        while True:
            try:
                requests.get(self.http, timeout=5, allow_redirects=False)
                return self
            except requests.ConnectionError:
                assert time.monotonic() < end
                assert self._process.poll() is None, self.log if self._log.exists() else "it did not start"
                os.sched_yield()

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(20)
        self._journal.close()

    def visitor(self, path: str = "") -> Visitor:
        visitor = Visitor(self.https + path)
        visitor.http.verify = str(self.certificate)
        visitor.http.headers["Referer"] = self.https + "/"  # a browser's; over https forms without one are refused
        return visitor


class Deployment:
    """What a test gets: ``proxy``, the two ``instances`` (processes), and the URL of the ``site``."""

    def __init__(self, proxy: Proxy, site: str, starts: list[Callable[[], Process]]) -> None:
        self.proxy, self.site, self._starts = proxy, site, starts
        self.instances: list[Process] = []
        for start in starts:
            self.instances.append(start())

    def restart(self, number: int) -> None:
        """Start a new process where one was stopped."""
        self.instances[number] = self._starts[number]()

    def stop(self) -> None:
        for instance in self.instances:
            if instance.process.poll() is None:
                instance.stop()


UPLOAD = """

@app.post("/files/<folder_id>/upload")
@app.extensions["csrf"].exempt
def upload(folder_id):
    from flask import request

    return str(len(request.get_data()))
"""


@contextlib.contextmanager
def deployed(emulator, box, folder: Path, *, subpath: str = "") -> Iterator[Deployment]:  # noqa: F811
    ports = [free_port(), free_port()]
    (folder / "nginx").mkdir()
    proxy = Proxy(folder / "nginx", [f"127.0.0.1:{port}" for port in ports], subpath=bool(subpath))
    fork = checkout(folder / "fork", "gunicorn.conf.py")
    with open(fork / "app.py", "a") as source:
        source.write(UPLOAD)
    with contextlib.ExitStack() as stack:
        redis = stack.enter_context(RedisServer())
        site = proxy.https + subpath
        more = {"REDIS_URL": redis.url, "SECRET_KEY": "the-same-everywhere", "TRUSTED_PROXIES": "1"}
        app = emulator.add_app("Deployed", redirect_uris=[f"{site}/callback"])
        more |= {"CLIENT_ID": app.client_id, "CLIENT_SECRET": app.client_secret}
        settings = live_settings(emulator, box, 0, REDIRECT_URI=f"{site}/callback", **more)
        command = [sys.executable, "-m", "gunicorn", "--workers", "1"]
        starts = []
        for port in ports:
            environment = clean_environment(**{**settings, "CALLBACK_PORT": str(port)})
            starts.append(functools.partial(Process, command, fork, environment, "live, with Box"))
        deployment = Deployment(proxy, site, starts)
        stack.callback(deployment.stop)
        stack.enter_context(proxy)
        yield deployment


@pytest.fixture(scope="module")
def deployment(tmp_path_factory):
    """One that all tests share which leave it whole."""
    of_all = local_box().Emulator()
    with (
        contextlib.closing(of_all),
        local_box().serve(of_all) as server,
        deployed(of_all, server, tmp_path_factory.mktemp("deployment")) as deployment,
    ):
        yield deployment
