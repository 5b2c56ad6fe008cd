"""A person with a browser: Chromium, by mouse and keyboard, on the app as `flask run` serves it."""

import pytest

from tests.browser import DENY, GRANT, LOGIN, LOGOUT, asked_for_assets, picture, serve

expect = pytest.importorskip("playwright.sync_api").expect  # waits: a click returns before the next page is there
FAILURES = {404, 500, 502, 503, 504}


@pytest.fixture
def page(chromium, request, emulator):
    """A fresh browser. Nothing may fail in it, and each page that a test looks at must fit the screen."""
    screen = getattr(request, "param", "phone")
    size = {"width": 375, "height": 740} if screen == "phone" else {"width": 1200, "height": 860}
    context = chromium.new_context(viewport=size, color_scheme="dark" if screen == "dark" else "light")
    page = context.new_page()
    page.set_default_timeout(20_000)
    problems = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("response", lambda response: problems.append(response.url) if response.status in FAILURES else None)
    page.picture = lambda name: picture(page, f"{name}-{screen}")
    yield page
    context.close()
    assert problems == []


def press_tab_until(page, selector):
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    pytest.fail(f"the Tab key does not reach {selector}")


@pytest.mark.parametrize("page", ["wide", "phone", "dark"], indirect=True)
def test_a_person_signs_in_reads_the_dashboard_and_signs_out(server, page, emulator):
    page.goto(server)
    page.picture("home")
    page.locator(LOGIN).first.click()
    page.locator(GRANT).click()
    page.wait_for_url("**/dashboard")
    page.picture("dashboard")
    user = emulator.users[0]
    assert user.name in page.get_by_role("heading", level=1).inner_text()
    expect(page.get_by_role("meter")).to_be_visible()
    assert page.get_by_role("row").count() > 5
    expect(page.get_by_role("img").first).to_be_visible()
    avatar = page.locator('img[src*="/avatar"]')
    avatar.evaluate("image => image.decode()")  # waits until it is there, and fails if it is none
    page.goto(server)
    assert user.name in page.get_by_role("main").inner_text()
    page.locator(LOGOUT).click()
    expect(page.locator(LOGIN).first).to_be_visible()


def test_every_step_can_be_taken_with_the_keyboard_alone(server, page):
    page.goto(server)
    for selector, address in ((LOGIN, "**/authorize*"), (GRANT, "**/dashboard"), (LOGOUT, f"{server}/")):
        press_tab_until(page, selector)
        page.keyboard.press("Enter")
        page.wait_for_url(address)


def test_a_problem_says_what_to_do(server, page):
    page.goto(server)
    page.locator(LOGIN).first.click()
    page.locator(DENY).click()
    expect(page.locator("code", has_text="access_denied")).to_be_visible()
    page.picture("denied")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator(LOGIN).first).to_be_visible()


def test_a_page_that_is_looked_at_again_brings_no_asset_again(chromium, emulator, tmp_path):
    with serve(tmp_path) as app:
        page = chromium.new_page()
        page.goto(app.url)
        page.locator(LOGIN).first.click()
        page.locator(GRANT).click()
        page.wait_for_url("**/dashboard")
        assert len(asked_for_assets(page, app)) > 2
        for path in ("/", "/dashboard", "/"):
            page.goto(app.url + path)
        asked = asked_for_assets(page, app)
        assert len(asked) == len(set(asked)), asked
        page.close()


def test_mistakes_in_the_settings_are_each_a_line_of_a_list(chromium, tmp_path):
    wrong = {"CLIENT_SECRET": "", "BOX_API_URL": "box"}
    with serve(tmp_path, **wrong, FLASK_DEBUG="1") as app:
        page = chromium.new_page()
        page.goto(app.url)
        picture(page, "settings")
        assert page.get_by_role("listitem").count() == 2
        page.close()


UNSET = dict.fromkeys(("CLIENT_ID", "CLIENT_SECRET", "BOX_API_URL", "BOX_UPLOAD_URL", "BOX_AUTHORIZE_URL"), "")


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Where the app is without any settings."""
    with serve(tmp_path_factory.mktemp("demo"), **UNSET) as app:
        yield app.url


@pytest.fixture
def setup_page(chromium, demo):
    """Opens /setup in a fresh browser."""
    contexts = []

    def open_it(**options):
        contexts.append(chromium.new_context(**options))
        page = contexts[-1].new_page()
        if page.goto(f"{demo}/setup").status != 200:
            pytest.skip("app.py has no demo")
        return page

    yield open_it
    for context in contexts:
        context.close()


def test_the_demo_shows_how_to_connect_an_app_of_ones_own(setup_page, demo):
    for width, scheme in ((320, "dark"), (1280, "light")):
        page = setup_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
        picture(page, f"setup-{width}")
        assert f"{demo}/callback" in page.get_by_role("main").inner_text()
        assert page.locator("input, textarea").count() == 0  # secrets go into .env, and never through the browser
        page.goto(demo)
        picture(page, f"demo-home-{width}")
        expect(page.get_by_role("note")).to_be_visible()


def test_what_the_console_and_dot_env_need_is_copied_by_a_button_each(setup_page, demo):
    page = setup_page(permissions=["clipboard-read", "clipboard-write"])
    for button in page.locator("[data-copy]").all():
        button.focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_have_text("Copied")
        expect(button).to_have_text("Copied")
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied == page.locator(f"#{button.get_attribute('data-copy')}").text_content().strip()
    assert page.locator("#redirect-uri").text_content() == f"{demo}/callback"


def test_where_the_clipboard_is_closed_the_older_way_copies_or_the_text_is_selected(setup_page, demo):
    page = setup_page(permissions=["clipboard-read"])
    page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page.get_by_role("button", name="Copy the redirect URI").click()
    expect(page.get_by_role("status")).to_have_text("Copied")
    page.evaluate("document.execCommand = () => false")
    page.get_by_role("button", name="Copy the redirect URI").click()
    expect(page.get_by_role("status")).to_contain_text("Ctrl+C")
    assert page.evaluate("getSelection().toString()").strip() == f"{demo}/callback"


def test_without_javascript_there_are_no_copy_buttons_and_nothing_else_is_missing(setup_page, demo):
    page = setup_page(java_script_enabled=False)
    assert page.get_by_role("button").count() == 0
    expect(page.get_by_text(f"{demo}/callback", exact=True)).to_be_visible()
