"""A person with a real browser at a deployment that loses an instance, and then Redis's primary, while they work.

    python benchmarks/deployment.py --rounds 3

nginx with TLS and the files of deploy/ stands before two instances of the app, which share a Redis behind three
sentinels; Box is a process of its own, with tokens that end every few seconds. In each round somebody signs in, walks
through folders, uploads 100 MB, looks for the file and signs out, while an instance is killed and, a little later,
Redis's primary; both come back. The exit status is 1 when a round showed more than one page or row that says to try
again, when any other error showed, when anything was lost, or when a sign-out did not last.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

from playwright.sync_api import Page, Response, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.processes import Box, Gunicorn  # noqa: E402
from box_auth.tests.journey import free_port  # noqa: E402
from box_auth.tests.redis_sentinels import Sentinels  # noqa: E402
from deploy.tests.conftest import Proxy  # noqa: E402
from tests.browser import CHROMIUM, FLAGS, GRANT, LOGIN, LOGOUT  # noqa: E402

LIFE = 8  # seconds that an access token lives: each round has several refreshes
PARTS = ("app.py", "gunicorn.conf.py", "files", "templates", "static", "box_auth")
BUSY = (502, 503, 504)


class Site:
    """Everything, from nginx to Box."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        self.redis = stack.enter_context(Sentinels())
        self.box = Box(folder, 3, LIFE)
        stack.callback(self.box.inside.close)
        stack.callback(self.box.stop)
        self._fork = folder / "app"
        self._fork.mkdir()
        for part in PARTS:
            copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
            copy(ROOT / part, self._fork / part)
        self._ports = [free_port(), free_port()]
        (folder / "nginx").mkdir()
        self.proxy = Proxy(folder / "nginx", [f"127.0.0.1:{port}" for port in self._ports])
        app = self.box.inside.add_app("Deployed", redirect_uris=[f"{self.proxy.https}/callback"])
        self._settings = {
            **self.box.settings,
            "CLIENT_ID": app.client_id,
            "CLIENT_SECRET": app.client_secret,
            "REDIRECT_URI": f"{self.proxy.https}/callback",
            "REDIS_URL": self.redis.url,
            "SECRET_KEY": "the-same-everywhere",
            "TRUSTED_PROXIES": "1",
        }
        self.instances = [self._start(port) for port in self._ports]
        stack.callback(lambda: [instance.stop() for instance in self.instances])
        stack.enter_context(self.proxy)

    def _start(self, port: int) -> Gunicorn:
        return Gunicorn(self._fork, debug=False, CALLBACK_PORT=str(port), **self._settings)

    def kill_an_instance(self, number: int) -> None:
        """Kill it with all its workers, and start it again three seconds later."""
        instance = self.instances[number]
        for process in (instance.process.pid, *instance.workers):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        instance.process.wait(20)
        time.sleep(3)
        self.instances[number] = self._start(self._ports[number])

    def kill_redis(self) -> None:
        """Kill the primary; start it again when another one was made."""
        dead = self.redis.kill_primary()
        time.sleep(4)
        dead.start()
        self.redis.wait_until_whole()


class Person:
    """Somebody who tries again once where a page says so, and notes it in ``told``; ``wrong`` is what should not be."""

    def __init__(self, page: Page, site: Site) -> None:
        self.page, self.site = page, site
        self.told: list[str] = []
        self.wrong: list[str] = []
        self.pages = 0
        page.set_default_timeout(60_000)
        page.on("response", self._look)

    def _look(self, answer: Response) -> None:
        if answer.status >= 500 and answer.status not in BUSY:
            self.wrong.append(f"{answer.status} of {answer.url}")

    def open(self, path: str) -> None:
        """Open a page, and once more if it says that it is busy."""
        for _ in range(5):
            self.pages += 1
            answer = self.page.goto(f"{self.site.proxy.https}{path}")
            if answer is not None and answer.status in BUSY:
                self.told.append(f"{path}: {answer.status} {self.page.locator('h1').first.inner_text()}")
                continue
            break
        if "/authorize" in self.page.url:
            self.wrong.append(f"{path}: signed out")

    def sign_in(self) -> None:
        self.open("/")
        self.page.locator(LOGIN).first.click()
        self.page.locator(GRANT).click()
        self.page.wait_for_url("**/dashboard")

    def upload(self, file: Path) -> None:
        self.open("/files/0/upload")
        self.page.locator("#file").set_input_files(file)
        again = self.page.locator("ul.uploads .retry")
        done = self.page.locator("ul.uploads li.done")
        for _ in range(5):
            done.or_(again.locator("visible=true")).first.wait_for()
            if done.count():
                return
            self.told.append(f"upload: {self.page.locator('ul.uploads .state').inner_text()}")
            again.click()
        self.wrong.append("the upload did not end")

    def sign_out(self) -> None:
        self.open("/dashboard")
        self.page.locator(LOGOUT).first.click()
        self.page.locator(LOGIN).first.wait_for()
        self.open_signed_out()

    def open_signed_out(self) -> None:
        self.page.goto(f"{self.site.proxy.https}/dashboard")
        if "/authorize" not in self.page.url:
            self.wrong.append("still signed in after signing out")


def one_round(number: int, site: Site, page: Page, file: Path) -> Person:
    person = Person(page, site)
    person.sign_in()
    troubles = [lambda: site.kill_an_instance(number % 2), site.kill_redis]
    for trouble in troubles:
        thread = threading.Thread(target=trouble)
        thread.start()
        end = time.monotonic() + LIFE
        while thread.is_alive() or time.monotonic() < end:
            for path in ("/dashboard", "/files/0", "/files/recent"):
                person.open(path)
    thread = threading.Thread(target=lambda: (time.sleep(1), site.kill_an_instance(1 - number % 2), site.kill_redis()))
    thread.start()
    person.upload(file)
    thread.join()
    person.open("/files/0")
    if not page.get_by_text(file.name).count():
        person.wrong.append("the upload is not there")
    person.sign_out()
    return person


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started is stopped
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, choices=range(1, 51), metavar="N", help="(%(default)s)")
    parser.add_argument("--megabytes", type=int, default=100, help="of the upload (%(default)s)")
    options = parser.parse_args()
    failed = False
    with contextlib.ExitStack() as stack:
        site = Site(stack)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        stack.callback(browser.close)
        print(f"{'round':>6}{'pages':>7}{'told to try again':>19}{'wrong':>7}", flush=True)
        for number in range(options.rounds):
            file = folder / f"large {number}.bin"
            file.write_bytes(os.urandom(options.megabytes * 1_000_000))
            context = browser.new_context(ignore_https_errors=True)
            page = context.new_page()
            # a quick line, so that the upload takes as long as what happens meanwhile
            session = context.new_cdp_session(page)
            line = {"offline": False, "latency": 5, "downloadThroughput": -1, "uploadThroughput": 10_000_000}
            session.send("Network.emulateNetworkConditions", line)
            person = one_round(number, site, page, file)
            context.close()
            print(f"{number:6}{person.pages:7}{len(person.told):19}{len(person.wrong):7}", flush=True)
            for line_ in (*person.told, *person.wrong):
                print(f"{'':6} {line_}", flush=True)
            failed |= len(person.told) > 1 or bool(person.wrong)
            file.unlink()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
