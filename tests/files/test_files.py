"""The pages in files/, asked for as a browser would. They go with that folder."""

import json
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


def test_a_name_is_not_changed_under_somebody_elses_hands(signed_in, emulator):
    emulator.add_item("nil@example.com", "plan.txt")
    browser, other = signed_in(app, "nil@example.com"), signed_in(app, "nil@example.com")
    item = key(browser, "plan.txt")
    form = browser.get(f"/files/{item}/rename").text
    token, etag = (re.search(rf'name="{name}"[^>]* value="([^"]+)"', form)[1] for name in ("csrf_token", "etag"))
    assert post(other, f"/files/{item}/rename", name="theirs.txt", etag=etag).location == "/files/"
    refused = browser.post(f"/files/{item}/rename", data={"csrf_token": token, "etag": etag, "name": "mine.txt"})
    assert (refused.status_code, 'value="mine.txt"' in refused.text, "theirs.txt" in refused.text) == (412, True, True)
    etag = re.search(r'name="etag"[^>]* value="([^"]+)"', refused.text)[1]
    assert post(browser, f"/files/{item}/rename", name="mine.txt", etag=etag).location == "/files/"
    assert key(browser, "mine.txt") == item


@pytest.mark.parametrize("name", ["", " ", "a/b", "..", "x" * 256])
def test_a_name_that_cannot_be_is_said_to_be_one_beside_the_form(signed_in, name):
    page = post(signed_in(app), "/files/0/new-folder", name=name)
    assert page.status_code == 400
    assert 'role="alert"' in page.text


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"status": 403, "body": '{"code": "access_denied_item_locked"}'}, "locked"),
        ({"status": 403, "body": '{"code": "access_denied_insufficient_permissions"}'}, "does not let you"),
        ({"status": 403, "body": '{"code": "storage_limit_exceeded"}'}, "not enough storage"),
        ({"status": 404, "body": ""}, "not there any more"),
        ({"status": 409, "body": '{"code": "item_name_in_use"}'}, "name already"),
        ({"status": 503, "body": "", "retry_after": 60}, "Box"),
    ],
)
def test_whatever_box_refuses_a_form_keeps_what_was_typed(signed_in, emulator, caplog, answer, said):
    browser = signed_in(app)
    item = key(browser, "Welcome.md")
    emulator.fault("PUT /2.0/files/*", content_type="application/json", **answer)
    with caplog.at_level("INFO"):
        page = post(browser, f"/files/{item}/rename", name="typed.txt")
    assert (page.status_code, 'value="typed.txt"' in page.text) == (
        502 if answer["status"] == 503 else answer["status"],
        True,
    )
    assert said in re.search(r'role="alert">([^<]+)', page.text)[1]
    if answer["status"] < 500:
        assert f"Box refused PUT /2.0/files/{item[5:]}: {answer['status']}" in caplog.text
    assert post(browser, f"/files/{item}/rename", name="typed.txt").location == "/files/"


def test_several_items_are_moved_copied_and_thrown_away(signed_in, emulator):
    for name in ("one.txt", "two.txt"):
        emulator.add_item("nil@example.com", name)
    browser = signed_in(app, "nil@example.com")
    post(browser, "/files/0/new-folder", name="There")
    there = key(browser, "There").partition(":")[2]
    items = [key(browser, "one.txt"), key(browser, "two.txt")]
    choose = post(browser, "/files/selected", on="/files/", act="copy", item=items, folder_id="0").location
    assert "There" in browser.get(choose).text
    assert post(browser, "/files/copy", on=choose, item=items, into=there).location == f"/files/{there}"
    taken = post(browser, "/files/move", on=choose, item=items, into=there)
    assert (taken.status_code, "name" in taken.text) == (409, True)
    assert all(name in browser.get(f"/files/{there}").text for name in ("one.txt", "two.txt"))
    post(browser, "/files/trash", on="/files/", item=items, folder_id="0")
    assert "one.txt" not in browser.get("/files/recent").text + browser.get("/files/").text
    inside = post(browser, "/files/move", on=choose, item=f"folder:{there}", into=there)
    assert (inside.status_code, "into itself" in inside.text or "inside it" in inside.text) == (400, True)


@pytest.mark.parametrize("item", ["file:x", "folder:0", "app:1", "file:", "file:1/../2"])
def test_an_item_that_box_cannot_have_is_refused(signed_in, item):
    browser = signed_in(app)
    assert post(browser, "/files/trash", on="/files/", item=item).status_code == 400
    assert browser.get(f"/files/{item}/rename").status_code in (400, 404)


def test_what_is_deleted_for_good_is_asked_first(signed_in, emulator):
    emulator.add_item("nil@example.com", "old.txt")
    browser = signed_in(app, "nil@example.com")
    item = key(browser, "old.txt")
    post(browser, "/files/trash", on="/files/", item=item)
    assert browser.get(f"/files/{item.replace(':', '/')}").status_code in (200, 404)
    assert "old.txt" in browser.get(f"/files/{item}/delete").text
    assert post(browser, f"/files/{item}/delete").location == "/files/trash"
    assert browser.get(f"/files/{item}/delete").status_code == 404
    assert "The trash is empty" in browser.get("/files/trash").text


def test_a_link_is_made_changed_and_switched_off(signed_in):
    browser = signed_in(app)
    item = key(browser, "Welcome.md")
    for access in ("open", "company", "none"):
        assert post(browser, f"/files/{item}/share", access=access).location == f"/files/{item}/share"
        assert ('id="link"' in browser.get(f"/files/{item}/share").text) == (access != "none")
    assert post(browser, f"/files/{item}/share", access="everybody").status_code == 400


def test_a_search_finds_by_page_and_by_script(signed_in, emulator):
    browser = signed_in(app)
    assert "Welcome.md" in browser.get("/files/search?q=welcome").text
    found = browser.get("/files/search?q=welcome", headers={"Accept": "application/json"}).json["found"]
    assert [item["name"] for item in found] == ["Welcome.md"]
    assert browser.get(found[0]["address"]).status_code == 200
    assert "found nothing" in browser.get("/files/search?q=nowhere-to-be-seen").text
    calls = emulator.requests.count("GET /2.0/search")
    assert browser.get("/files/search?q=+&offset=x").status_code == 200
    assert emulator.requests.count("GET /2.0/search") == calls  # Box refuses to look for nothing
    assert browser.get("/files/search?offset=99999999999&q=" + "x" * 6000).status_code == 200
    assert "first 255 characters" in browser.get("/files/search?q=" + "x" * 256).text
    assert "first 255 characters" not in browser.get("/files/search?q=" + "x" * 255).text
    stranger = app.test_client().get("/files/search?q=x", headers={"Accept": "application/json"})
    assert (stranger.status_code, stranger.json["error"]["code"]) == (401, "sign_in_needed")


def test_a_long_folder_is_sorted_and_read_by_pages(signed_in, emulator):
    browser = signed_in(app, "nil@example.com")
    post(browser, "/files/0/new-folder", name="Long")
    folder = key(browser, "Long").partition(":")[2]
    for number in range(250):
        emulator.add_item("nil@example.com", f"{number:03}.txt", parent=folder, content=b"x" * (250 - number))
    names = []
    page = f"/files/{folder}?sort=size&direction=DESC"
    while page:
        text = browser.get(page).text
        names += re.findall(r'aria-label="Select (\d+)\.txt"', text)
        onward = re.search(r'<a href="([^"]+)" rel="next"', text)
        page = onward and onward[1].replace("&amp;", "&")
    assert names == [f"{number:03}" for number in range(250)]
    for query in ("sort=nothing", "direction=up", "page=0", "page=x", "page=99999999999999"):
        assert browser.get(f"/files/{folder}?{query}").status_code == 200
    gone = browser.get(f"/files/{folder}?marker=no-such-marker")
    assert (gone.status_code, gone.location) == (302, f"/files/{folder}")


@pytest.mark.parametrize("where", ["folder", "root"])
def test_behind_the_last_offset_the_list_goes_on_by_markers(signed_in, emulator, monkeypatch, where):
    monkeypatch.setattr("files.listing.LAST_PAGE", 20)
    browser, folder = signed_in(app, "nil@example.com"), "0"
    if where == "folder":
        post(browser, "/files/0/new-folder", name="Long")
        folder = key(browser, "Long").partition(":")[2]
    for number in range(1130):
        emulator.add_item("nil@example.com", f"{number:04}.txt", parent=folder)
    first = url_for_page(browser, folder, "?page=20&direction=DESC")
    assert len(names_on(first)) == 50
    page, behind = first, []
    while onward := re.search(r'<a href="([^"]+)" rel="next"', page):
        page = browser.get(onward[1].replace("&amp;", "&")).text
        behind += names_on(page)
    if where == "folder":  # goes on where it was, in the same order
        assert behind == [f"{number:04}" for number in range(129, -1, -1)]
        assert "page=20" in re.search(r'<a href="([^"]+)" rel="prev"', page)[1]
    else:  # begins again, in Box's own order
        assert sorted(behind) == [f"{number:04}" for number in range(1130)]
        assert "cannot sort" in page


def url_for_page(browser, folder, query):
    return browser.get(f"/files/{'' if folder == '0' else folder}{query}").text


def names_on(page):
    return re.findall(r'aria-label="Select (\d+)\.txt"', page)


def test_a_small_picture_or_nothing_in_its_place(signed_in, emulator):
    browser = signed_in(app)
    picture = re.search(r'src="(/files/file/\d+/thumbnail[^"]*)"', browser.get("/files/").text)[1]
    with browser.get(picture) as answer:
        assert (answer.mimetype, "max-age" in answer.headers["Cache-Control"]) == ("image/png", True)
    faults = [{"status": status} for status in (202, 403, 404)] + [{"status": 429, "retry_after": 60}]
    for fault in (*faults, {"status": 200, "body": ""}, {"drop": "during"}):
        emulator.fault("GET /2.0/files/*/thumbnail.png", times=1, **fault)
        with browser.get(picture) as answer:
            assert (answer.status_code, answer.mimetype) == (200, "image/svg+xml"), fault
            assert "max-age=86400" not in answer.headers["Cache-Control"]


def test_a_folder_that_vanishes_between_two_clicks(signed_in, emulator):
    emulator.add_item("nil@example.com", "here.txt")
    browser = signed_in(app, "nil@example.com")
    item = key(browser, "here.txt")
    post(browser, "/files/trash", on="/files/", item=item)
    page = browser.get(f"/files/{item}/rename")
    assert (page.status_code, "item_trashed" in page.text or "item_not_found" in page.text) == (404, True)
    assert 'href="/files/trash"' in page.text


def test_strangers_are_sent_to_sign_in():
    for path in ("/files/", "/files/1", "/files/recent", "/files/trash", "/files/search", "/files/file/1"):
        assert app.test_client().get(path).location == f"/login?next={path}"


ODD = (
    {},
    dict.fromkeys(("id", "type", "name", "etag", "parent", "path_collection", "permissions", "entries", "total_count")),
    {"type": "file", "id": "7", "name": "theirs.txt", "etag": "1", "parent": None, "permissions": None},
    {"type": ["x"], "id": {}, "name": 7, "total_count": "many", "entries": [{"type": "file", "name": "noid.jpg"}]},
    {"entries": [{"type": ["file"], "id": 5, "name": None}], "total_count": -1, "path_collection": {"entries": None}},
    {"type": "file", "id": "7", "name": "odd.txt", "entries": 7, "path_collection": {"entries": 7}, "shared_link": 7},
    {"entries": [None, 7, "x", [7]], "path_collection": {"entries": [None, 7, "x"]}, "shared_link": {"access": [7]}},
    {"entries": [{"created_by": 7, "message": "hi", "item": 7}], "allowed_shared_link_access_levels": 7},
)
PAGES = [
    "",
    "recent",
    "trash",
    "search?q=x",
    "file/7",
    "file/7/versions",
    "file/7/comments",
    "0/upload",
    "0/new-folder",
]
PAGES += [
    "7/download",
    "move?item=file:7",
    "copy?item=file:7&into=8",
    *(f"file:7/{act}" for act in ("rename", "share")),
]
PAGES += ["folder:7/rename", "web_link:7/share", "file:7/restore", "file:7/delete", "file/7/versions/8/delete"]


@pytest.mark.parametrize("path", PAGES)
def test_an_odd_answer_of_box_is_a_page_all_the_same(signed_in, emulator, path):
    browser = signed_in(app)
    for odd in ODD:
        emulator.faults.clear()  # they are used up in the order in which they were set
        emulator.fault("*", status=200, times=20, body=json.dumps(odd), content_type="application/json")
        for headers in ({}, {"Accept": "application/json"}):
            assert browser.get(f"/files/{path}", headers=headers).status_code in (200, 302, 502), odd


def test_a_web_link_is_shared_too(signed_in, emulator):
    emulator.add_item("nil@example.com", "Our site", "web_link", url="https://example.com/")
    browser = signed_in(app, "nil@example.com")
    item = key(browser, "Our site")
    assert post(browser, f"/files/{item}/share", access="open").location == f"/files/{item}/share"
    page = browser.get(f"/files/{item}/share").text
    assert 'id="link"' in page
    assert 'href="/files/"' in page.partition("Back")[0].rpartition("<a ")[2]


def test_what_could_not_be_moved_is_named_and_stays_selected(signed_in, emulator):
    there = emulator.add_item("nil@example.com", "There", "folder")
    for name, where in (("one.txt", "0"), ("two.txt", "0"), ("three.txt", "0"), ("two.txt", there)):
        emulator.add_item("nil@example.com", name, parent=where)
    browser = signed_in(app, "nil@example.com")
    items = [key(browser, name) for name in ("one.txt", "two.txt", "three.txt")]
    emulator.fault(f"PUT /2.0/files/{items[2][5:]}", status=503, times=20)
    page = post(browser, "/files/move", on=f"/files/move?item={items[0]}", item=items, into=there.id)
    assert page.status_code == 409
    said = re.findall(r'role="alert"><bdi>([^<]+)</bdi>: ([^<]+)', page.text)
    assert [name for name, _ in said] == ["two.txt", "three.txt"]
    assert "name already" in said[0][1]
    assert "One item was moved" in page.text
    assert set(re.findall(r'name="item" value="([^"]+)"', page.text)) == set(items[1:])


@pytest.mark.parametrize("into", ["../users/me", "", "0?x=1", "é", "abc", "0/items"])
def test_a_folder_that_box_cannot_have_is_refused(signed_in, into):
    browser = signed_in(app)
    assert browser.get("/files/move", query_string={"item": "file:1", "into": into}).status_code == 400
    for path in ("/files/selected", "/files/trash"):
        assert post(browser, path, on="/files/", item="file:1", folder_id=into).status_code == 400


def test_what_was_in_a_folder_that_is_gone_comes_back_among_all_files(signed_in, emulator):
    there = emulator.add_item("nil@example.com", "There", "folder")
    emulator.add_item("nil@example.com", "in.txt", parent=there)
    browser = signed_in(app, "nil@example.com")
    item = key(browser, "in.txt", on=f"/files/{there.id}")
    post(browser, "/files/trash", on="/files/", item=item)
    post(browser, "/files/trash", on="/files/", item=f"folder:{there.id}")
    assert post(browser, f"/files/{item}/restore", name="in.txt").location == "/files/trash"
    assert "is gone" in browser.get("/files/").text
    assert key(browser, "in.txt") == item


def test_a_script_gets_what_a_form_says_as_json(signed_in):
    browser = signed_in(app)
    token = re.search(r'name="csrf_token"[^>]* value="([^"]+)"', browser.get("/files/").text)[1]
    for path, fields, status, code in (
        ("/files/0/new-folder", {"name": "projects"}, 409, "name_taken"),
        ("/files/0/new-folder", {"name": ""}, 400, "bad_request"),
        ("/files/trash", {"item": "file:999999"}, 404, "item_not_found"),
        ("/files/move", {"item": "file:999999", "into": "0"}, 404, "item_not_found"),
        ("/files/move", {"into": "0"}, 400, "bad_request"),
        ("/files/trash", {}, 400, "bad_request"),
        ("/files/0/zip", {}, 400, "bad_request"),
        ("/files/0/zip", {"item": "web_link:7"}, 400, "bad_request"),
    ):
        headers = {"Accept": "application/json"}
        answer = browser.post(path, data={"csrf_token": token, **fields}, headers=headers)
        assert (answer.status_code, answer.json["error"]["code"]) == (status, code), path


def test_a_name_that_is_written_from_right_to_left_turns_no_sentence_round(signed_in):
    browser = signed_in(app)
    post(browser, "/files/0/new-folder", name="\u202egnp.exe")
    assert "\u2068\u202egnp.exe\u2069" in browser.get("/files/").text


def test_what_is_in_the_trash_already_is_told_beside_what_went_there(signed_in, emulator):
    for name in ("one.txt", "two.txt"):
        emulator.add_item("nil@example.com", name)
    browser = signed_in(app, "nil@example.com")
    items = [key(browser, name) for name in ("one.txt", "two.txt")]
    post(browser, "/files/trash", on="/files/", item=items[0])
    browser.get("/files/")
    again = post(browser, "/files/trash", on="/files/trash", item=items, folder_id="0")
    assert again.location == "/files/"
    page = browser.get("/files/").text
    assert "One item was moved to the trash." in page
    assert re.search(r'role="alert">([^<]+)', page)[1].startswith("“\u2068one.txt\u2069”: The file or folder was moved")


def test_what_box_refused_is_told_even_where_it_names_nothing_any_more(signed_in, emulator):
    emulator.add_item("nil@example.com", "one.txt")
    browser = signed_in(app, "nil@example.com")
    item = key(browser, "one.txt")
    for route in ("PUT /2.0/files/*", "GET /2.0/files/*"):
        emulator.fault(route, status=503, times=20)
    page = post(browser, "/files/move", on="/files/move", item=item, into="0")
    assert re.findall(r'role="alert"><bdi>([^<]+)</bdi>: Box answered', page.text) == [item]
