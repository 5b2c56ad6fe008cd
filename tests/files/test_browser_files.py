"""A person with a browser in folders: makes, renames, moves, copies, throws away, searches, shares."""

import re

import pytest

from tests.browser import GRANT, LOGIN, LOGOUT, asked_for_assets, serve
from tests.files.person import SCREENS, follow, press, row, select

expect = pytest.importorskip("playwright.sync_api").expect


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
    expect(page.get_by_role("heading", name="Move Plan.txt")).to_be_visible()
    page.look("move")
    press(page, "Minutes")
    press(page, "Move here")
    expect(row(page, "Plan.txt")).to_be_visible()
    select(page, "Plan.txt")
    press(page, "Copy")
    page.get_by_role("navigation", name="Where to").get_by_role("button", name="All Files").click()
    press(page, "Copy here")
    expect(row(page, "Plan.txt")).to_be_visible()

    follow(page, "Plan.txt")
    expect(page.get_by_role("heading", name="Plan.txt")).to_be_visible()
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
    expect(page.get_by_role("heading", name="Many")).to_be_visible()
    page.look("many")
    for first in ("2499", "0000"):
        page.get_by_role("columnheader", name="Name").get_by_role("link").click()
        expect(page.get_by_role("row").filter(has_text=".txt").first).to_contain_text(first)
    here, first = page.url.partition("?")[0], page.get_by_role("row").filter(has_text=".txt").first
    for number in (50, 100, 150):
        page.get_by_role("link", name="Next").click()
        expect(first).to_contain_text(f"{number:04}")
    page.goto(f"{here}?page=49")
    page.get_by_role("link", name="Next").click()
    expect(first).to_contain_text("2450")
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
def test_what_was_found_goes_when_somebody_turns_elsewhere(page, emulator):
    page.goto("/files/")
    box, found = page.get_by_role("searchbox"), page.locator(".found")
    box.press_sequentially("welcome")
    expect(found.get_by_role("link")).to_have_count(1)
    page.get_by_role("heading", level=1).click()
    expect(found).to_be_hidden()
    box.press_sequentially("s")
    box.press("Backspace")
    expect(found).to_be_visible()
    found.get_by_role("link").focus()
    expect(found).to_be_visible()
    page.keyboard.press("Escape")
    expect(found).to_be_hidden()
    expect(box).to_be_focused()

    emulator.fault("GET /2.0/search", latency=1)
    with page.expect_request("**/files/search**"):
        box.fill("welcome")
    with page.expect_event("requestfailed"):  # what would come after somebody has gone opens nothing
        page.get_by_role("heading", level=1).click()
    expect(found).to_be_hidden()


@pytest.mark.parametrize("page", ["wide"], indirect=True)
def test_a_search_that_fails_leaves_no_old_finds(page, emulator):
    page.expected.add(403)
    page.goto("/files/")
    box, found, status = page.get_by_role("searchbox"), page.locator(".found"), page.locator(".search [role=status]")
    box.press_sequentially("welcome")
    expect(status).to_have_text("1 found")
    emulator.fault("GET /2.0/search", status=403)
    box.press_sequentially("x")
    expect(status).to_have_text("")
    expect(found).to_be_hidden()


@pytest.mark.parametrize("page", ["wide"], indirect=True)
def test_a_full_page_weighs_little_and_asks_nobody_else(page, server, emulator):
    folder = emulator.add_item(emulator.users[0], "Full", "folder")
    for number in range(60):
        emulator.add_item(emulator.users[0], f"Report of the quarter {number:03}.pdf", parent=folder)
    weights, elsewhere = {}, []

    def note(answer):
        if not answer.url.startswith(server):
            elsewhere.append(answer.url)
        if "/thumbnail" not in answer.url and answer.status == 200:
            weights[answer.url] = len(answer.body())

    page.on("response", note)
    page.goto(f"/files/{folder.id}", wait_until="networkidle")
    assert elsewhere == []
    assert 20_000 < sum(weights.values()) < 60_000


@pytest.mark.parametrize("page", SCREENS, indirect=True)
def test_a_text_too_long_to_search_for_is_cut_and_fits_the_page(page):
    page.goto("/files/")
    page.get_by_role("searchbox").fill("y" * 300)
    press(page, "Search")
    expect(page.get_by_role("alert")).to_contain_text("255 characters")
    expect(page.get_by_role("searchbox")).to_have_value("y" * 255)
    page.look("search-cut")


def test_a_folder_that_is_looked_at_again_brings_no_asset_again(chromium, emulator, tmp_path):
    with serve(tmp_path) as app:
        page = chromium.new_page()
        page.goto(f"{app.url}/login?next=/files/")
        page.locator(GRANT).click()
        page.wait_for_url("**/files/")
        for path in ("/files/", "/files/recent", "/files/trash", "/files/"):
            page.goto(app.url + path)
        asked = asked_for_assets(page, app)
        assert len(asked) == len(set(asked)) > 3, asked
        page.close()
