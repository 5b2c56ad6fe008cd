"""A person with a browser on the file pages: a phone and a wide screen, light and dark, with and without JavaScript."""

import re
from pathlib import Path

import pytest

from tests.browser import GRANT, LOGIN, LOGOUT, picture

expect = pytest.importorskip("playwright.sync_api").expect
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
    """The page fits the screen, and the smallest one; axe finds nothing that keeps people out."""
    if scripts:
        picture(page, name)
        size = page.viewport_size
        page.set_viewport_size({"width": 320, "height": 700})
        page.wait_for_function("document.documentElement.clientWidth <= 320")
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, name
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


@pytest.mark.parametrize("page", SCREENS, indirect=True)
def test_folders_and_files_are_made_renamed_moved_copied_thrown_away_and_found(page, emulator):
    user = emulator.users[0]
    emulator.add_item(user, "Plan.txt", content=b"the plan")
    emulator.add_item(user, "<img src=x onerror=alert(1)>\u202e.txt")
    page.goto("/files/")
    page.look("folder")
    follow(page, "New folder")
    page.get_by_label("Name").fill("projects")
    page.expected.add(409)
    press(page, "Create")
    expect(page.get_by_role("alert")).to_contain_text("name")
    page.look("name-taken")
    expect(page.get_by_label("Name")).to_have_value("projects")
    page.get_by_label("Name").fill("Minutes")
    press(page, "Create")
    expect(page.get_by_role("status").first).to_contain_text("Minutes")

    select(page, "Plan.txt")
    press(page, "Move")
    page.look("move")
    follow(page, "Minutes")
    press(page, "Move here")
    expect(row(page, "Plan.txt")).to_be_visible()
    select(page, "Plan.txt")
    press(page, "Copy")
    page.get_by_role("navigation", name="Where to").get_by_role("link", name="All Files").click()
    press(page, "Copy here")
    expect(row(page, "Plan.txt")).to_be_visible()

    follow(page, "Plan.txt")
    page.look("file")
    follow(page, "Rename")
    page.get_by_label("Name").fill("Better plan.txt")
    press(page, "Rename")
    select(page, "Better plan.txt")
    press(page, "Move to trash")
    expect(row(page, "Better plan.txt")).to_have_count(0)
    page.goto("/files/trash")
    page.look("trash")
    row(page, "Better plan.txt").get_by_role("button", name=re.compile("^Restore")).click()
    expect(page.get_by_role("status").first).to_contain_text("Better plan.txt")
    page.goto("/files/search?q=better")
    page.look("search")
    follow(page, "Better plan.txt")
    follow(page, "Share")
    press(page, "Make a link")
    expect(page.locator("#link")).to_be_visible()
    page.look("share")
    assert re.search(r"https?://", page.locator("#link").inner_text())
    page.goto("/files/recent")
    page.look("recent")
    page.expected.add(404)
    page.goto("/files/999999")
    page.look("missing")
    page.locator(LOGOUT).click()
    expect(page.locator(LOGIN).first).to_be_visible()


@pytest.mark.parametrize("page", ["wide"], indirect=True)
def test_a_folder_of_many_is_sorted_and_paged_through(page, emulator):
    user = emulator.users[0]
    folder = emulator.add_item(user, "Many", "folder")
    for number in range(2500):
        emulator.add_item(user, f"{number:04}.txt", parent=folder)
    page.goto("/files/")
    follow(page, "Many")
    page.look("many")
    for first in ("2499", "0000"):
        page.get_by_role("columnheader", name="Name").get_by_role("link").click()
        expect(page.get_by_role("row").filter(has_text=".txt").first).to_contain_text(first)
    for number in range(100, 2500, 100):
        page.get_by_role("link", name="Next").click()
        expect(page.get_by_role("row").filter(has_text=".txt").first).to_contain_text(f"{number:04}")
    expect(page.get_by_role("link", name="Next")).to_have_count(0)


@pytest.mark.parametrize("page", ["wide"], indirect=True)
def test_what_is_found_shows_while_somebody_types(page, emulator):
    page.goto("/files/")
    asked = emulator.requests.count("GET /2.0/search")
    page.get_by_role("searchbox").press_sequentially("welcome", delay=20)
    page.locator(".found").get_by_role("link", name="Welcome.md").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Welcome.md")
    assert emulator.requests.count("GET /2.0/search") - asked <= 2  # not one a key


@pytest.mark.parametrize("page", ["wide"], indirect=True)
def test_a_page_weighs_little_and_asks_nobody_else(page, server):
    weights, elsewhere = {}, []

    def note(answer):
        if not answer.url.startswith(server):
            elsewhere.append(answer.url)
        if "/thumbnail" not in answer.url and answer.status == 200:
            weights[answer.url] = len(answer.body())

    page.on("response", note)
    page.goto("/files/", wait_until="networkidle")
    assert elsewhere == []
    assert 5_000 < sum(weights.values()) < 60_000
