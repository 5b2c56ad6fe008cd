"""Chromium, and the app as `flask run` serves it, for the tests that are a person with a browser."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from box_auth.tests.journey import Process, free_port, running

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ROOT = Path(__file__).resolve().parent.parent
FLAGS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync")
LOGIN, LOGOUT = 'a[href$="/login"]', 'form[action$="/logout"] button'
GRANT, DENY = "button[value=grant]", "button[value=deny]"
# Whether the page is no wider than its window, within 300 frames: scripts lay out anew when a size changes. It looks by
# itself because Playwright's own waiting evaluates text, which the pages' content security policy forbids.
FITS = """() => new Promise((done) => {
  const look = (left) => {
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth <= clientWidth || !left) done(scrollWidth <= clientWidth);
    else requestAnimationFrame(() => look(left - 1));
  };
  look(300);
})"""


def serve(folder, **settings):
    """The app as a process, with its data in ``folder``."""
    port = str(free_port())
    environment = {**os.environ, "INSTANCE_DIR": str(folder), "REDIRECT_URI": "", "CALLBACK_PORT": port, **settings}
    app = Process([sys.executable, "-m", "flask", "run", "--port", port], ROOT, environment, "Running on")
    app.url = f"http://127.0.0.1:{port}"
    return running(app)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Where the app is; the Box that it talks to is this process's."""
    with serve(tmp_path_factory.mktemp("instance")) as app:
        yield app.url


@pytest.fixture(scope="module")
def chromium():
    needs = "needs playwright: pip install -r requirements-dev.txt"
    sync_api = pytest.importorskip("playwright.sync_api", reason=needs)
    if not CHROMIUM:
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium; elsewhere: Google Chrome)")
    short = {**os.environ, "TMPDIR": "/tmp"}  # Chromium opens a socket there, whose path has 100 characters at most
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS, env=short)
        yield browser
        browser.close()


def asked_for_assets(page, app):
    """The addresses of static files that a process has been asked for until now."""
    page.goto(f"{app.url}/the-end")
    assert app.says("/the-end")
    return [line.split()[-4] for line in app.lines if "/static/" in line]


def picture(page, name):
    if "SCREENSHOTS" in os.environ:  # a folder for pictures to look at
        page.screenshot(path=f"{os.environ['SCREENSHOTS']}/{name}.png", full_page=True)
    assert page.evaluate(FITS), name
