"""A person with a browser who uploads: many files, folders, a name that is taken, a session that ends on the way."""

import random

import pytest

from tests.files.person import press

expect = pytest.importorskip("playwright.sync_api").expect
PART = "PUT /api/2.0/files/upload_sessions/*"
WATCH = (
    "bar => { window.seen = []; const look = () => { seen.push(bar.value); requestAnimationFrame(look); }; look(); }"
)
LARGE = random.Random(1).randbytes(25_000_000)


def files(folder, **contents):
    """Make files to upload; ``__`` in a name stands for the dot."""
    made = []
    for name, content in contents.items():
        made.append(folder / name.replace("__", "."))
        made[-1].write_bytes(content)
    return made


def upload(page, name):
    """Return the row of an upload."""
    return page.get_by_role("list", name="Uploads").get_by_role("listitem").filter(has_text=name)


def drop(page, *paths):
    """Drop files and folders of the disk, as a person does."""
    box = page.locator(".drop").bounding_box()
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    browser = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        browser.send("Input.dispatchDragEvent", {"type": kind, "x": box["x"] + 9, "y": box["y"] + 9, "data": data})


def bytes_of(emulator, name):
    row = emulator.database.row("SELECT id FROM items WHERE name = ?", name)
    return emulator.contents.read(emulator.items.find(row["id"]).sha1)


@pytest.mark.parametrize("page", ["phone", "wide"], indirect=True)
def test_several_files_each_with_its_progress(page, emulator, tmp_path):
    emulator.add_item(emulator.users[0], "plan.txt", content=b"old")
    emulator.fault(PART, times=20, latency=1)
    page.expected.add(409)
    page.goto("/files/")
    page.get_by_role("main").get_by_role("link", name="Upload", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Upload")
    page.look("upload")
    chosen = files(tmp_path, plan__txt=b"new", small__txt=b"small", large__bin=LARGE, never__bin=LARGE * 2)
    page.get_by_label("Files").set_input_files(chosen)

    expect(upload(page, "plan.txt")).to_contain_text("of this name")
    page.evaluate(WATCH, upload(page, "large.bin").get_by_role("progressbar").element_handle())
    expect(upload(page, "never.bin")).to_contain_text("%")
    upload(page, "never.bin").get_by_role("button", name="Cancel").click()
    page.look("uploading")
    expect(upload(page, "large.bin").locator(".state")).to_have_text("Uploaded")
    seen = page.evaluate("window.seen")
    assert seen == sorted(seen)
    assert len({value for value in seen if 0 < value < 1}) > 1
    expect(upload(page, "never.bin")).to_contain_text("Cancelled")
    upload(page, "plan.txt").get_by_role("button", name="Keep both").click()
    expect(upload(page, "plan.txt")).to_contain_text("Uploaded as plan (1).txt")
    expect(page.locator("#uploaded")).to_have_text("3 of 4 uploaded, 1 cancelled. That is all.")
    page.look("uploaded")
    assert bytes_of(emulator, "large.bin") == LARGE
    assert bytes_of(emulator, "plan (1).txt") == b"new"
    assert emulator.database.row("SELECT id FROM items WHERE name = 'never.bin'") is None

    emulator.faults.clear()
    upload(page, "never.bin").get_by_role("button", name="Try again").click()
    expect(upload(page, "never.bin")).to_contain_text("Uploaded")
    page.get_by_label("same name").select_option("version")
    page.get_by_label("Files").set_input_files(chosen[:1])
    expect(page.locator("#uploaded")).to_have_text("5 of 5 uploaded. That is all.")
    assert bytes_of(emulator, "plan.txt") == b"new"


@pytest.mark.parametrize("page", ["no-script"], indirect=True)
def test_without_a_script_there_is_a_form_for_one_file(page, emulator, tmp_path):
    emulator.add_item(emulator.users[0], "plan.txt", content=b"old")
    page.goto("/files/0/upload")
    page.get_by_label("same name").select_option("version")
    page.get_by_label("File", exact=True).set_input_files(files(tmp_path, plan__txt=b"new"))
    press(page, "Upload")
    expect(page.get_by_role("status").first).to_contain_text("“\u2068plan.txt\u2069” was uploaded")
    assert bytes_of(emulator, "plan.txt") == b"new"


@pytest.mark.parametrize("page", ["wide"], indirect=True)
def test_a_folder_with_all_that_is_in_it(page, emulator, tmp_path):
    inside = tmp_path / "Photos" / "2024" / "May"
    inside.mkdir(parents=True)
    for number in range(30):
        (inside / f"{number}.txt").write_text(str(number))
    (tmp_path / "Photos" / "top.txt").write_text("top")
    emulator.add_item(emulator.users[0], "photos", "folder")
    page.goto("/files/0/upload")
    page.get_by_label("Folder", exact=True).set_input_files(tmp_path / "Photos")
    expect(page.locator("#uploaded")).to_have_text("31 of 31 uploaded. That is all.")
    rows = emulator.database.rows("SELECT name, parent FROM items WHERE name IN ('2024', 'May', '7.txt', 'top.txt')")
    assert len(rows) == 4
    assert emulator.database.row("SELECT COUNT(*) AS many FROM items WHERE name = 'photos' COLLATE NOCASE")["many"] == 1


@pytest.mark.parametrize("page", ["wide"], indirect=True)
def test_a_session_that_ends_meanwhile(page, emulator, tmp_path):
    page.expected.update((400, 401))
    page.goto("/files/0/upload")
    emulator.fault(PART, times=2, latency=1)
    page.get_by_label("Files").set_input_files(files(tmp_path, large__bin=LARGE))
    expect(upload(page, "large.bin")).to_contain_text("%")
    emulator.revoke_tokens()
    expect(page.get_by_role("alert")).to_contain_text("signed out")
    page.look("upload-signed-out")
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Sign in again").click()
    opened.value.locator("button[value=grant]").click()
    opened.value.wait_for_url("**/files/")
    press(page, "Go on")
    expect(page.locator("#uploaded")).to_be_focused()  # the button is gone
    expect(page.locator("#uploaded")).to_have_text("1 of 1 uploaded. That is all.")
    assert bytes_of(emulator, "large.bin") == LARGE


@pytest.mark.parametrize("page", ["wide"], indirect=True)
def test_what_is_dropped_goes_on_when_box_was_busy(page, emulator):
    page.expected.add(503)
    page.goto("/files/0/upload")
    emulator.fault("POST /api/2.0/files/content", status=429, retry_after=1)
    page.evaluate(
        """() => {
            const dataTransfer = new DataTransfer();
            for (const name of ["one.txt", "two.txt"]) dataTransfer.items.add(new File([name], name));
            document.querySelector(".drop").dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true }));
        }"""
    )
    expect(page.locator("#uploaded")).to_have_text("2 of 2 uploaded. That is all.")
    assert bytes_of(emulator, "two.txt") == b"two.txt"


@pytest.mark.parametrize("page", ["wide"], indirect=True)
def test_the_keyboard_stays_in_the_row_whose_button_was_pressed(page, emulator, tmp_path):
    names = [f"{number}.txt" for number in range(4)]
    for name in names:
        emulator.add_item(emulator.users[0], name, content=b"old")
    page.expected.add(409)
    page.goto("/files/0/upload")
    page.get_by_label("Files").set_input_files(files(tmp_path, **{name.replace(".", "__"): b"new" for name in names}))
    pressed = {"Keep both": "Uploaded as", "New version": "Uploaded", "Skip": "Skipped", "Cancel": "Cancelled"}
    for name, (button, state) in zip(names, pressed.items(), strict=True):
        upload(page, name).get_by_role("button", name=button).press("Enter")
        expect(upload(page, name)).to_contain_text(state)
        assert page.evaluate("document.activeElement.closest('.uploads li')?.innerText").startswith(name)
        assert page.evaluate("!document.activeElement.closest('[hidden]')")
    expect(upload(page, "3.txt").get_by_role("button", name="Try again")).to_be_focused()
    page.keyboard.press("Enter")  # the focus is not taken from where somebody is by now
    page.get_by_label("same name").focus()
    expect(upload(page, "3.txt")).to_contain_text("of this name")
    expect(page.get_by_label("same name")).to_be_focused()
    page.look("upload-focus")


@pytest.mark.parametrize("page", ["wide"], indirect=True)
def test_the_keyboard_stays_while_a_large_file_is_stored(page, emulator, tmp_path):
    emulator.fault("POST /api/2.0/files/upload_sessions/*/commit", latency=1)
    page.goto("/files/0/upload")
    page.get_by_label("Files").set_input_files(files(tmp_path, large__bin=LARGE))
    upload(page, "large.bin").get_by_role("button", name="Cancel").focus()
    expect(upload(page, "large.bin")).to_contain_text("Box is storing it")
    expect(upload(page, "large.bin")).to_be_focused()
    expect(upload(page, "large.bin").locator(".state")).to_have_text("Uploaded")
    expect(upload(page, "large.bin")).to_be_focused()


@pytest.mark.parametrize("page", ["wide"], indirect=True)
def test_a_folder_that_is_dropped_brings_its_empty_ones(page, emulator, tmp_path):
    for folder in ("Trip/empty", "Trip/deep/deeper", "Trip/full", "Nothing"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "Trip/full/a.txt").write_text("a")
    page.goto("/files/0/upload")
    drop(page, tmp_path / "Trip", tmp_path / "Nothing")
    expect(page.locator("#uploaded")).to_have_text("4 of 4 uploaded. That is all.")
    expect(upload(page, "Trip/deep/deeper")).to_contain_text("The folder is there")
    page.look("uploaded-folders")
    rows = emulator.database.rows(
        "SELECT inner.name, outer.name AS parent FROM items AS inner JOIN items AS outer ON inner.parent = outer.id"
    )
    made = {(row["parent"], row["name"]) for row in rows}
    assert {("Trip", "empty"), ("Trip", "deep"), ("deep", "deeper"), ("Trip", "full"), ("full", "a.txt")} <= made
    assert emulator.database.row("SELECT id FROM items WHERE name = 'Nothing' AND type = 'folder'")


@pytest.mark.parametrize("page", ["wide"], indirect=True)
def test_an_empty_folder_that_box_refuses_can_be_tried_again(page, emulator, tmp_path):
    (tmp_path / "Trip").mkdir()
    page.expected.add(403)
    page.goto("/files/0/upload")
    emulator.fault("POST /2.0/folders", status=403)
    drop(page, tmp_path / "Trip")
    upload(page, "Trip").get_by_role("button", name="Try again").click()
    expect(page.locator("#uploaded")).to_have_text("1 of 1 uploaded. That is all.")
