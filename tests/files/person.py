"""A person with a browser on the file pages: a phone and a wide screen, light and dark, with and without JavaScript."""

from pathlib import Path

import pytest

from tests.browser import FITS, GRANT, LOGIN, picture

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
SCREENS = {
    "phone": {"viewport": {"width": 390, "height": 800}, "color_scheme": "dark"},
    "wide": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
    "no-script": {"viewport": {"width": 1280, "height": 900}, "java_script_enabled": False},
}


@pytest.fixture
def page(chromium, request, emulator, server):
    """A fresh browser, signed in. Nothing may fail in it that the test does not name in ``page.expected``."""
    context = chromium.new_context(**SCREENS[request.param], base_url=server)
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.expected, problems = set(), []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("response", lambda answer: problems.append((answer.status, answer.url)) if answer.status >= 400 else None)
    page.on("console", lambda said: problems.append(said.text) if "Content Security Policy" in said.text else None)
    page.look = lambda name: look(page, f"files-{name}-{request.param}", request.param != "no-script")
    page.goto("/")
    page.locator(LOGIN).first.click()
    page.locator(GRANT).click()
    page.wait_for_url("**/dashboard")
    yield page
    context.close()
    assert [it for it in problems if not (isinstance(it, tuple) and it[0] in page.expected)] == []


def look(page, name, scripts):
    """The page fits the screen, and the smallest one; axe finds nothing that keeps people out.

    It has to be there already: a click returns before the next page is."""
    if scripts:
        picture(page, name)
        size = page.viewport_size
        page.set_viewport_size({"width": 320, "height": 700})
        assert page.evaluate(FITS), name
        page.set_viewport_size(size)
    if scripts and AXE.exists():
        page.evaluate(f"{AXE.read_text('utf-8')}; 0")
        found = page.evaluate("axe.run().then(({violations}) => violations.map(({id, nodes}) => [id, nodes[0].html]))")
        assert found == [], name


def row(page, name):
    return page.get_by_role("row").filter(has_text=name)


def select(page, name):
    row(page, name).get_by_role("checkbox").check()


def press(page, name):
    page.get_by_role("main").get_by_role("button", name=name, exact=True).click()


def follow(page, name):
    page.get_by_role("main").get_by_role("link", name=name, exact=True).click()
