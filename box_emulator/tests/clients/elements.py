# ruff: noqa: T201
"""Box UI Elements' Content Explorer and Uploader in Chromium, through a day's work. By hand:

npm install --no-save --legacy-peer-deps --ignore-scripts --prefix DIR box-ui-elements@26.3.0
PYTHONPATH=. python box_emulator/tests/clients/elements.py DIR/node_modules/box-ui-elements/dist
"""

import re
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import requests
from playwright.sync_api import expect, sync_playwright

from box_emulator import Emulator, serve

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-features=LocalNetworkAccessChecks",  # the page counts as a public site, and the emulator is on loopback
]
SITE = "https://elements.example"
SCOPES = "base_explorer base_upload item_preview item_download item_rename item_share item_delete item_upload"
PAGE = """<!doctype html><meta charset="utf-8"><title>%(name)s</title><link rel="stylesheet" href="%(file)s.css">
<div class="element" style="height: 700px"></div><script src="%(file)s.js"></script><script>
const element = new Box.%(name)s();
window.seen = [];
for (const event of ["select", "upload", "complete", "error", "delete", "create", "rename", "download", "navigate"])
  element.addListener(event, (data) => window.seen.push(event));
element.show("%(folder)s", "%(token)s", {container: ".element", apiHost: "%(api)s", uploadHost: "%(upload)s",
  canPreview: false, logoUrl: "", isOnlyInit: false});
</script>"""


def main(dist: Path) -> None:
    folder = Path(tempfile.mkdtemp())
    emulator = Emulator(redirect_uris=["http://127.0.0.1/callback"])
    emulator.allow_origins(SITE)
    with serve(emulator) as box, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(viewport={"width": 1200, "height": 900}, accept_downloads=True)
        page.set_default_timeout(15_000)
        page.route(f"{SITE}/**", lambda route: site(route, folder, dist))
        page.on("pageerror", lambda error: print("  page error:", str(error)[:300]))
        try:
            drive(page, box, folder)
        finally:
            page.screenshot(path=folder / "last.png")
            print(f"the last picture: {folder / 'last.png'}")
            for (route, status), times in sorted(Counter(map(asked, emulator.requests)).items()):
                print(f"  {times:3} {route} {status}")
            browser.close()
    emulator.close()


def asked(request) -> tuple[str, str]:
    path = re.sub(r"\d{6,}|(?<=upload_sessions/)[^/]+", "…", request.path)
    return f"{request.method} {path}", str(request.status)


def site(route, folder: Path, dist: Path) -> None:
    """Serve the pages and Box's files as a site with https: without that, the uploader does not send in parts."""
    name = urlsplit(route.request.url).path.lstrip("/")
    path = next((path for path in (folder / name, dist / name) if path.is_file()), None)
    route.fulfill(path=path) if path else route.fulfill(status=404)


def write(folder: Path, file: str, name: str, token: str, box, root: str) -> str:
    parts = {"file": file, "name": name, "token": token, "folder": root, "api": box.url, "upload": box.url}
    (folder / f"{file}.html").write_text(PAGE % parts)
    return f"{file}.html"


def drive(page, box, folder) -> None:
    app, emulator = box.emulator.app, box.emulator
    back = f"{box.url}/callback"  # nothing is there, and nothing needs to be
    page.goto(f"{box.url}/api/oauth2/authorize?response_type=code&client_id={app.client_id}&redirect_uri={back}")
    page.get_by_text("Bo Sample").click()
    page.get_by_role("button", name="Grant access").click()
    page.wait_for_url("**/callback?*")
    code = parse_qs(urlsplit(page.url).query)["code"][0]
    credentials = {"client_id": app.client_id, "client_secret": app.client_secret}
    form = {"grant_type": "authorization_code", "code": code, **credentials}
    whole = requests.post(f"{box.url}/oauth2/token", data=form, timeout=5).json()
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token": whole["access_token"],
        "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "scope": SCOPES,
        "resource": f"{box.url}/2.0/folders/0",
    }
    token = requests.post(f"{box.url}/oauth2/token", data=form, timeout=5).json()["access_token"]
    print("sign in: seen")

    emulator.requests.clear()
    page.goto(f"{SITE}/{write(folder, 'explorer', 'ContentExplorer', token, box, '0')}")
    expect(page.get_by_text("Matters")).to_be_visible()
    expect(page.get_by_text("Deadlines.csv")).to_be_visible()
    print("list: seen")
    page.get_by_text("Matters").click()
    expect(page.get_by_text("2026-021 Lease")).to_be_visible()
    page.get_by_role("button", name="All Files").first.click()
    expect(page.get_by_role("row", name="Deadlines.csv")).to_be_visible()
    print("open a folder: seen")

    page.get_by_role("button", name="Add").click()
    page.get_by_text("New Folder").click()
    page.get_by_role("dialog").get_by_role("textbox").fill("From the explorer")
    page.wait_for_timeout(600)  # the dialog takes no click within half a second of the last
    page.get_by_role("dialog").get_by_role("button", name="Create").click()
    expect(row(page, "From the explorer")).to_be_visible()
    print("create a folder: seen")

    menu(page, "Deadlines.csv", "Rename")
    page.get_by_role("dialog").get_by_role("textbox").fill("Dates")
    page.wait_for_timeout(600)
    page.get_by_role("dialog").get_by_role("button", name="Rename").click()
    expect(row(page, "Dates.csv")).to_be_visible()
    print("rename: seen")

    with page.expect_download() as download:
        menu(page, "Office rules", "Download")
    expected = "# Office rules\n\nAnswer every letter within a week. File it the same day.\n"
    assert Path(download.value.path()).read_text() == expected, "another content"
    print("download: seen,", download.value.suggested_filename)

    menu(page, "Dates.csv", "Share")
    expect(page.get_by_role("dialog").get_by_role("textbox")).to_have_value(re.compile("^http"))
    page.get_by_role("dialog").get_by_role("button", name="Close").last.click()
    print("share: seen")

    menu(page, "Dates.csv", "Delete")
    page.wait_for_timeout(600)
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(row(page, "Dates.csv")).to_be_hidden()
    print("delete: seen")

    page.get_by_role("searchbox").fill("rules")
    page.get_by_role("searchbox").press("Enter")
    expect(row(page, "Office rules")).to_be_visible()
    expect(row(page, "Matters")).to_be_hidden()
    print("search: seen")

    made = emulator.items.named(emulator.items.get(whole_user(emulator), "0"), "from the explorer")
    page.goto(f"{SITE}/{write(folder, 'uploader', 'ContentUploader', token, box, made.id)}")
    (folder / "small.txt").write_text("from the uploader")
    (folder / "large.bin").write_bytes(b"abcdefg" * (15 << 20))
    page.locator("input[type=file]").first.set_input_files([folder / "small.txt", folder / "large.bin"])
    page.wait_for_timeout(500)
    if page.get_by_role("button", name="Upload", exact=True).count():
        page.get_by_role("button", name="Upload", exact=True).click()
    page.wait_for_function("window.seen.includes('complete')", timeout=60_000)
    sizes = {item.name: item.size for item in emulator.items.children(made)}
    assert sizes == {"small.txt": 17, "large.bin": 7 * (15 << 20)}, sizes
    print("upload, whole and in parts: seen")


def row(page, name):
    return page.get_by_role("row", name=name)


def menu(page, name, choice):
    row(page, name).hover()
    row(page, name).get_by_role("button", name="More options").click()
    page.get_by_role("menuitem", name=choice).click()


def whole_user(emulator) -> str:
    return emulator.users.named("bo@example.com").id


if __name__ == "__main__":
    main(Path(sys.argv[1]))
