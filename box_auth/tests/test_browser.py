"""A person with a browser: headless Chromium clicks through the demo and reads the dashboard."""

import os
import shutil

import pytest

from .journey import App, checkout, running

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

FAILURES = {404, 500, 502, 503, 504}

pytestmark = pytest.mark.skipif(
    not CHROMIUM, reason="no Chromium on this machine (Debian: apt-get install chromium; elsewhere: Google Chrome)"
)


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(params=["wide", "phone", "dark"])
def page(browser, request):
    size = {"width": 375, "height": 740} if request.param == "phone" else {"width": 1200, "height": 860}
    context = browser.new_context(viewport=size, color_scheme="dark" if request.param == "dark" else "light")
    page = context.new_page()
    page.set_default_timeout(20_000)
    problems = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("response", lambda response: problems.append(response.url) if response.status in FAILURES else None)
    page.look = lambda name: picture(page, f"{name}-{request.param}")
    yield page
    context.close()
    assert problems == []


def picture(page, name):
    """Save a picture to look at, where SCREENSHOTS names a folder."""
    if "SCREENSHOTS" in os.environ:
        page.screenshot(path=f"{os.environ['SCREENSHOTS']}/{name}.png", full_page=True)


def fits(page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_a_person_signs_in_by_clicking_and_reads_the_dashboard(demo, page):
    page.goto(demo.url)
    page.look("home")
    assert fits(page)
    page.get_by_role("link", name="Sign in with Box").click()
    page.look("consent")
    assert fits(page)
    page.get_by_role("button", name="Grant access").click()
    page.wait_for_url("**/dashboard")
    page.look("dashboard")
    assert fits(page)
    assert page.get_by_role("note").inner_text().startswith("demo: made-up users and files")
    assert page.get_by_role("meter", name="Storage").is_visible()
    assert page.get_by_role("img", name="Folder", exact=True).first.is_visible()
    assert page.locator(".avatar").evaluate("image => image.naturalWidth") > 0
    name = page.get_by_role("heading", level=1).inner_text()
    page.get_by_role("link", name="Box starter").click()
    assert name in page.locator("main").inner_text()
    page.get_by_role("button", name="Sign out").click()
    assert page.get_by_role("link", name="Sign in with Box").is_visible()


def test_every_step_can_be_taken_with_the_keyboard_alone(demo, page):
    page.goto(demo.url)
    press_until(page, "Sign in with Box")
    page.keyboard.press("Enter")
    page.wait_for_url("**/authorize*")
    press_until(page, "Grant access")
    page.keyboard.press("Enter")
    page.wait_for_url("**/dashboard")
    press_until(page, "Sign out")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{demo.url}/")


def press_until(page, text: str) -> None:
    for _ in range(12):
        page.keyboard.press("Tab")
        if text in page.evaluate("document.activeElement.innerText || ''"):
            return
    pytest.fail(f"the Tab key does not reach “{text}”")


def test_a_problem_says_what_to_do(demo, browser, page):
    page.goto(demo.url)
    page.get_by_role("link", name="Sign in with Box").click()
    page.get_by_role("button", name="Deny").click()
    page.look("denied")
    assert fits(page)
    assert page.get_by_role("heading", level=1).inner_text() == "Access was not granted"
    assert page.get_by_role("heading", name="What to do").is_visible()


def test_settings_that_are_wrong_are_explained_in_the_browser(browser, tmp_path):
    with running(App(checkout(tmp_path), CLIENT_ID="only-an-id", BOX_API_URL="box", FLASK_DEBUG="1")) as app:
        page = browser.new_page(viewport={"width": 1200, "height": 860})
        page.goto(app.url)
        picture(page, "settings")
        assert page.get_by_role("listitem").count() == 2
        page.close()
