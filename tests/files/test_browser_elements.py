"""Box UI Elements in Chromium, on the pages of the demo: each does its main thing, through the app's own port."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.browser import serve
from tests.files.elements_demo import CDN, DIST, LOGIN, demo, from_the_package, look, page  # noqa: F401 - fixtures, too

# ruff: noqa: F811 - a fixture has the name of the argument that it is for
expect = pytest.importorskip("playwright.sync_api").expect
pytestmark = pytest.mark.skipif(
    not DIST.is_dir(),
    reason="Box UI Elements are not there: npm install --prefix tests/files --legacy-peer-deps --ignore-scripts",
)


def hosts(page):
    return {urlsplit(url).netloc for _, url in page.asked} - {urlsplit(page.url).netloc, ""}


def tokens_asked_for(page):
    return sum(method == "POST" and "/token?" in url for method, url in page.asked)


def test_the_explorer_lists_opens_and_downloads(demo, page):
    page.goto(f"{demo.url}/elements/explorer?folder=0")
    page.get_by_text("Plans").click()
    row = page.get_by_role("row", name="plan.txt")
    expect(row).to_be_visible()
    look(page, "explorer")
    row.click()
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    expect(page.get_by_role("status").get_by_role("link", name="plan.txt")).to_have_attribute(
        "href", f"/files/file/{demo.file.id}"
    )
    with page.expect_download() as download:
        row.hover()
        row.get_by_role("button", name="More options").click()
        page.get_by_role("menuitem", name="Download").click()
    assert Path(download.value.path()).read_bytes() == b"first"
    assert hosts(page) == {urlsplit(CDN).netloc}
    assert tokens_asked_for(page) == 1


def test_the_picker_tells_what_was_chosen(demo, page):
    page.goto(f"{demo.url}/elements/picker?folder={demo.folder.id}")
    page.get_by_role("row", name="plan.txt").get_by_role("checkbox").check(force=True)
    page.get_by_role("button", name="Choose").click()
    expect(page.get_by_role("status").get_by_role("link", name="plan.txt")).to_be_visible()
    look(page, "picker")


def test_the_uploader_uploads(demo, page):
    page.goto(f"{demo.url}/elements/uploader?folder={demo.folder.id}")
    files = [{"name": name, "mimeType": "text/plain", "buffer": name.encode()} for name in ("one.txt", "two.txt")]
    page.locator("input[type=file]").first.set_input_files(files)
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(page.get_by_text("Success! Your files have been uploaded.")).to_be_visible()
    look(page, "uploader")
    assert demo.names() >= {"one.txt", "two.txt"}


def test_the_sidebar_shows_details_and_versions_and_takes_a_comment(demo, page):
    file = demo.emulator.add_item(demo.user, "told.txt", content=b"one", age=86400)
    with demo.emulator.contents.draft() as draft:
        draft.write(b"one and two")
        demo.emulator.tree.add_version(file, draft)
    page.goto(f"{demo.url}/elements/sidebar?file={file.id}")
    page.get_by_role("textbox").first.click()
    page.keyboard.type("Looks right")
    page.get_by_role("button", name="Post").click()
    expect(page.get_by_text("Looks right")).to_be_visible()
    expect(page.get_by_text("Elements Example").first).to_be_visible()
    page.get_by_role("tab", name="Details").click()
    expect(page.get_by_text("File Properties")).to_be_visible()
    page.get_by_text("2 Saved Versions").click()
    expect(page.get_by_role("button", name="Version number 2 Current Version")).to_be_visible()
    expect(page.get_by_role("button", name="Version number 1 Uploaded by Elements Example")).to_be_visible()
    look(page, "sidebar")


def test_the_preview_asks_for_the_file_and_for_boxs_library(demo, page):
    """What that library shows is not seen here: it is on Box's CDN alone."""
    with page.expect_request(f"{CDN}/platform/preview/**/preview.js"), page.expect_response("**/_box/2.0/**") as answer:
        page.goto(f"{demo.url}/elements/preview?file={demo.file.id}")
    assert urlsplit(answer.value.url).path == f"/_box/2.0/files/{demo.file.id}"
    assert answer.value.json()["name"] == "plan.txt"
    expect(page.get_by_role("button", name="Download")).to_be_visible()
    look(page, "preview")


def test_a_token_is_renewed_before_it_ends(demo, page):
    page.clock.install()
    page.goto(f"{demo.url}/elements/explorer?folder=0")
    expect(page.get_by_text("Plans")).to_be_visible()
    page.clock.fast_forward("40:00")
    page.get_by_text("Plans").click()
    expect(page.get_by_text("plan.txt")).to_be_visible()
    assert tokens_asked_for(page) == 1
    page.clock.fast_forward("15:00")
    page.get_by_role("button", name="All Files").first.click()
    expect(page.get_by_role("row", name="Plans")).to_be_visible()
    assert tokens_asked_for(page) == 2


def test_a_sign_in_that_ended_is_told_on_the_page_with_a_way_to_sign_in_again(demo, page):
    page.goto(f"{demo.url}/elements/explorer?folder=0")
    expect(page.get_by_text("Plans")).to_be_visible()
    demo.emulator.revoke_tokens(LOGIN)
    page.get_by_text("Plans").click()
    page.get_by_role("alert").get_by_role("link").click()
    expect(page.locator('a[href*="/login"]').first).to_be_visible()


def test_a_token_that_box_ended_early_is_replaced(demo, page):
    page.goto(f"{demo.url}/elements/explorer?folder=0")
    expect(page.get_by_text("Plans")).to_be_visible()
    demo.emulator.expire_tokens(user=LOGIN)
    page.get_by_text("Plans").click()
    expect(page.get_by_role("row", name="plan.txt")).to_be_visible()
    expect(page.get_by_role("alert")).to_be_hidden()
    assert tokens_asked_for(page) == 2


def test_a_cdn_that_is_not_there_is_told_on_the_page(demo, page):
    page.route(f"{CDN}/**", lambda route: route.abort())
    page.goto(f"{demo.url}/elements/explorer?folder=0")
    expect(page.get_by_role("alert")).to_be_visible()
    look(page, "no-cdn")


def test_a_live_apps_pages_talk_to_box_itself(chromium, tmp_path, emulator):
    with serve(tmp_path) as app:
        emulator.allow_origins(app.url)
        page = chromium.new_page()
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        page.route(f"{CDN}/**", from_the_package)
        page.goto(f"{app.url}/login")
        page.locator("button[value=grant]").click()
        page.wait_for_url("**/dashboard")
        page.goto(f"{app.url}/elements/explorer?folder=0")
        name = next(item.name for item in emulator.items.children(emulator.items.get(emulator.users[0].id, "0")))
        expect(page.get_by_text(name)).to_be_visible()
        assert any("/2.0/folders/0?" in url and not url.startswith(app.url) for url in asked)
        assert not any("/_box" in url for url in asked)
        page.close()
