"""The pages in files/, asked for as a browser would. They go with that folder."""

import re

import pytest

from app import app


def post(browser, path, on=None, **fields):
    """Send a form: with the token of the page ``on``, or of the one at ``path``."""
    token = re.search(r'name="csrf_token"[^>]* value="([^"]+)"', browser.get(on or path).text)[1]
    return browser.post(path, data={"csrf_token": token, **fields})


def key(browser, name, on="/files/"):
    """Return the item with this name as forms name it."""
    row = re.search(
        rf'name="item" value="([a-z_]+:\d+)"[^>]*aria-label="Select {re.escape(name)}"', browser.get(on).text
    )
    return row[1]


def test_folders_lead_into_each_other(signed_in):
    browser = signed_in(app)
    projects = key(browser, "Projects").partition(":")[2]
    page = browser.get(f"/files/{projects}")
    assert page.status_code == 200
    assert 'href="/files/"' in page.text
    assert browser.get("/files/0").location.endswith("/files/")


@pytest.mark.parametrize("path", ["/files/abc", "/files/999999", "/files/file/999999", "/files/file/-1"])
def test_an_address_of_nothing_is_said_to_be_one(signed_in, path):
    page = signed_in(app).get(path)
    assert page.status_code == 404
    assert 'href="/files/"' in page.text


def test_a_folder_is_made_renamed_and_thrown_away_and_comes_back(signed_in):
    browser = signed_in(app)
    assert post(browser, "/files/0/new-folder", name="Minutes").location == "/files/"
    again = post(browser, "/files/0/new-folder", name="minutes")
    assert (again.status_code, 'value="minutes"' in again.text) == (409, True)
    item = key(browser, "Minutes")
    assert post(browser, f"/files/{item}/rename", name="Notes").location == "/files/"
    assert "Notes" in browser.get("/files/").text
    assert post(browser, "/files/trash", on="/files/", item=item, folder_id="0").location == "/files/"
    assert "Notes" not in re.findall('Select ([^"]+)', browser.get("/files/").text)
    assert "Notes" in browser.get("/files/trash").text
    assert post(browser, f"/files/{item}/restore", name="Notes").location == "/files/trash"
    assert key(browser, "Notes") == item
