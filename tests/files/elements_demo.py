"""The demo, with Box UI Elements, in Chromium: Box's CDN is their npm package, and has nothing else."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from box_auth.tests.journey import local_box
from tests.browser import picture, serve

MODULES = Path(__file__).parent / "node_modules"
DIST, AXE = MODULES / "box-ui-elements" / "dist", MODULES / "axe-core" / "axe.min.js"
UNSET = dict.fromkeys(("CLIENT_ID", "CLIENT_SECRET", "BOX_API_URL", "BOX_UPLOAD_URL", "BOX_AUTHORIZE_URL"), "")
CDN = "https://cdn01.boxcdn.net"
LOGIN = "elements@example.com"


class Demo:
    """The app as a demo, and the Box in it: the same data, opened a second time."""

    def __init__(self, app, emulator):
        self.url, self.emulator = app.url, emulator
        self.user = emulator.add_user("Elements Example", LOGIN)
        self.folder = emulator.add_item(self.user, "Plans", "folder")
        self.file = emulator.add_item(self.user, "plan.txt", parent=self.folder, content=b"first")

    def names(self):
        return {item.name for item in self.emulator.items.children(self.folder)}


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("instance")
    with serve(folder, **UNSET) as app:
        data = folder / "demo" / "box.sqlite3"
        if not data.exists():
            pytest.skip("app.py has no demo")
        emulator = local_box().Emulator(data, redirect_uris=["/callback"])
        yield Demo(app, emulator)
        emulator.close()


@pytest.fixture
def page(demo, chromium):
    """A browser that is signed in. It notes what it asks for; nothing that the policy forbids may be tried."""
    context = chromium.new_context(viewport={"width": 1200, "height": 800})
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.asked, problems = [], []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda said: problems.append(said.text) if "Content Security Policy" in said.text else None)
    page.on("request", lambda request: page.asked.append((request.method, request.url)))
    page.route(f"{CDN}/**", from_the_package)
    page.goto(f"{demo.url}/login")
    page.get_by_text(LOGIN).click()
    page.locator("button[value=grant]").click()
    page.wait_for_url("**/dashboard")
    yield page
    context.close()
    assert problems == []


def from_the_package(route):
    folder, _, name = urlsplit(route.request.url).path.rpartition("/")
    file = DIST / name
    if folder.startswith("/platform/elements/") and file.is_file():
        route.fulfill(path=file)
    else:
        route.abort()


def look(page, name):
    """What is around the element fits wide and narrow screens, and axe finds nothing in it that keeps people out."""
    for width in (1200, 390, 320):
        page.set_viewport_size({"width": width, "height": 800})
        picture(page, f"element-{name}-{width}")
    page.set_viewport_size({"width": 1200, "height": 800})
    if AXE.exists():
        page.evaluate(f"{AXE.read_text('utf-8')}; 0")
        found = "({violations}) => violations.map(({id, nodes}) => [id, nodes[0].html])"
        assert page.evaluate(f"axe.run({{exclude: ['.place']}}, {{preload: false}}).then({found})") == []
