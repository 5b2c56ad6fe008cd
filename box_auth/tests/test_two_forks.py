"""Two forks on one host, one of them at a prefix behind nginx: one browser is signed in at both."""

import os
import shutil
import subprocess
import time

import pytest
import requests

from .journey import App, Visitor, checkout, free_port, live_settings, running

NGINX = shutil.which("nginx")
pytestmark = pytest.mark.skipif(not NGINX, reason="no nginx on this machine (Debian: apt-get install nginx-light)")

CONFIGURATION = """
daemon off; pid {folder}/nginx.pid; error_log stderr; worker_processes 1; events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    location /second/ {{
      proxy_pass http://127.0.0.1:{behind}/;
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto http;
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header X-Forwarded-Prefix /second;
    }}
  }}
}}
"""


@pytest.fixture
def proxied(tmp_path):
    """Two free ports: nginx's, and that of the app it passes /second/ on to."""
    port, behind = free_port(), free_port()
    file = tmp_path / "nginx.conf"
    file.write_text(CONFIGURATION.format(folder=tmp_path, port=port, behind=behind))
    nginx = subprocess.Popen([NGINX, "-p", tmp_path, "-c", file], stderr=subprocess.DEVNULL)
    end = time.monotonic() + 30
    while True:
        try:
            requests.get(f"http://127.0.0.1:{port}/", timeout=5)
            break
        except requests.ConnectionError:
            assert time.monotonic() < end
            assert nginx.poll() is None
            os.sched_yield()
    yield port, behind
    nginx.terminate()
    nginx.wait(20)


def test_one_browser_is_signed_in_at_both_and_signs_out_of_one(emulator, box, tmp_path, proxied):
    port, behind = proxied
    first = App(checkout(tmp_path / "first"), **live_settings(emulator, box, free_port()))
    redirect_uri = f"http://127.0.0.1:{port}/second/callback"
    theirs = emulator.add_app("Second", redirect_uris=[redirect_uri])
    own = {"CLIENT_ID": theirs.client_id, "CLIENT_SECRET": theirs.client_secret}
    settings = live_settings(emulator, box, behind, REDIRECT_URI=redirect_uri, TRUSTED_PROXIES="1", **own)
    with running(first), running(App(checkout(tmp_path / "second"), **settings)), Visitor(first.url) as visitor:
        second = f"http://127.0.0.1:{port}/second"
        visitor.sign_in("Ada")
        page = visitor.answer(visitor.http.get(f"{second}/login", timeout=60), "Bo")
        assert page.url.startswith(second)
        names = {cookie.name: cookie.path for cookie in visitor.http.cookies if "session" in cookie.name}
        assert sorted(names.values()) == ["/", "/second"]
        assert len(names) == 2
        for _ in range(2):
            assert visitor.get("/dashboard", allow_redirects=False).status_code == 200
            assert visitor.http.get(f"{second}/dashboard", allow_redirects=False, timeout=60).status_code == 200
        visitor.sign_out()
        assert visitor.get("/dashboard", allow_redirects=False).status_code == 302
        assert visitor.http.get(f"{second}/dashboard", allow_redirects=False, timeout=60).status_code == 200
