"""A person with a browser on the pages about a single file."""

from io import BytesIO
from zipfile import ZipFile

import pytest

from tests.files.person import SCREENS, follow, press, select

expect = pytest.importorskip("playwright.sync_api").expect

pages = pytest.mark.parametrize("page", SCREENS, indirect=True)


def kept(page, act):
    """Return the name and the bytes of what is downloaded when ``act`` is called."""
    with page.expect_download() as download:
        act()
    return download.value.suggested_filename, download.value.path().read_bytes()


@pages
def test_a_text_a_picture_and_a_pdf_are_shown_in_the_frame_or_beside_it(page):
    page.goto("/files/")
    follow(page, "Welcome.md")
    frame = page.frame_locator("iframe")
    expect(frame.get_by_text("You are looking at made-up files")).to_be_visible()
    page.look("text")
    page.goto("/files/")
    follow(page, "Harbour at dawn.jpg")
    expect(frame.get_by_role("img", name="Harbour at dawn.jpg")).to_be_visible()
    page.look("photograph")
    with page.context.expect_page() as tab:
        follow(page, "open the preview in a tab of its own")
    expect(tab.value.get_by_role("img", name="Harbour at dawn.jpg")).to_be_visible()
    page.goto("/files/")
    follow(page, "Contracts")
    with page.expect_response(lambda answer: "/inline/" in answer.url) as shown:
        follow(page, "Coast calendar.pdf")
    assert shown.value.headers["content-type"] == "application/pdf"


@pages
def test_what_is_downloaded_is_what_is_in_box(page, emulator):
    user = emulator.users[0]
    file = emulator.add_item(user, "plan.txt", content=b"one")
    emulator.add_version(file, b"two")
    emulator.add_item(user, "a.txt", parent=emulator.add_item(user, "Notes", "folder"), content=b"a")
    page.goto("/files/")
    for name in ("plan.txt", "Notes", "Box developer documentation"):
        select(page, name)
    name, content = kept(page, lambda: press(page, "Download"))
    assert (name, ZipFile(BytesIO(content)).read("Notes/a.txt")) == ("All Files.zip", b"a")
    expect(page.get_by_text("One web link is not in it")).to_be_visible()
    page.look("zip")
    follow(page, "Back to the folder")
    select(page, "plan.txt")
    assert kept(page, lambda: press(page, "Download")) == ("plan.txt", b"two")
    follow(page, "Back to the folder")
    follow(page, "plan.txt")
    assert kept(page, lambda: follow(page, "Download")) == ("plan.txt", b"two")
    follow(page, "Versions")
    first = page.get_by_role("group", name="Version 1")
    assert kept(page, first.get_by_role("link", name="Download").click) == ("plan.txt", b"one")
    page.goto("/files/")
    follow(page, "Notes")
    name, content = kept(page, lambda: follow(page, "Download"))
    assert (name, ZipFile(BytesIO(content)).read("Notes/a.txt")) == ("Notes.zip", b"a")


@pages
def test_versions_come_back_and_go_and_people_comment(page, emulator):
    file = emulator.add_item(emulator.users[0], "plan.txt", content=b"one")
    emulator.add_version(file, b"two")
    status = page.get_by_role("status").first
    page.goto(f"/files/file/{file.id}/versions")
    page.look("versions")
    press(page, "Make it the newest")
    expect(status).to_contain_text("is the newest one now")
    page.get_by_role("group", name="Version 2").get_by_role("link", name="Delete").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Delete")
    page.look("delete-version")
    press(page, "Delete the version")
    expect(page.get_by_text("in the trash since")).to_be_visible()
    follow(page, "Comments")
    page.get_by_label("Add a comment").fill("<b>Looks</b>\ngood.")
    press(page, "Add the comment")
    expect(page.get_by_text("<b>Looks</b>")).to_be_visible()
    page.look("comments")
    page.get_by_role("link", name="Delete").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Delete")
    page.look("delete-comment")
    press(page, "Delete the comment")
    expect(status).to_contain_text("was deleted")


@pytest.mark.parametrize("page", ["wide"], indirect=True)
def test_a_second_press_of_the_button_sends_nothing(page, emulator):
    file = emulator.add_item(emulator.users[0], "plan.txt")
    page.goto(f"/files/file/{file.id}/comments")
    page.get_by_label("Add a comment").fill("Yes.")
    emulator.fault("POST /2.0/comments", latency=1)
    posts = []
    page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    twice = "form => { form.requestSubmit(); setTimeout(() => form.requestSubmit(), 200); }"
    page.locator("main form[action$=comments]").evaluate(twice)
    expect(page.get_by_role("status").first).to_contain_text("Your comment is there")
    assert len(posts) == 1
