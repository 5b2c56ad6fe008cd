"""The pages of app.py, asked for as a browser would. Copy a test, and change it with your page."""

import json
import re

import pytest
from flask import render_template_string

from app import app


def test_a_stranger_can_sign_in():
    page = app.test_client().get("/")
    assert page.status_code == 200
    assert 'href="/login"' in page.text


def test_the_dashboard_sends_strangers_to_sign_in():
    page = app.test_client().get("/dashboard")
    assert (page.status_code, page.location) == (302, "/login?next=/dashboard")


def test_the_dashboard_shows_the_user_and_the_root_folder(signed_in):
    page = signed_in(app, "ada@example.com").get("/dashboard")
    for shown in ("Ada Example", "ada@example.com", "Projects", "Welcome.md"):
        assert shown in page.text


def test_everybody_sees_their_own_files(signed_in):
    page = signed_in(app, "bo@example.com").get("/dashboard")
    assert "Matters" in page.text
    assert "Projects" not in page.text


def test_signing_out(signed_in):
    browser = signed_in(app)
    token = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/").text)[1]
    assert 'href="/login"' in browser.post("/logout", data={"csrf_token": token}, follow_redirects=True).text
    assert browser.get("/dashboard").location == "/login?next=/dashboard"


def test_a_picture_of_the_user_or_one_in_its_place(signed_in):
    for login, kind in (("ada@example.com", "image/png"), ("bo@example.com", "image/svg+xml")):
        with signed_in(app, login).get("/avatar") as picture:
            assert (picture.status_code, picture.mimetype) == (200, kind)


def test_names_are_text_whatever_is_in_them(signed_in, emulator):
    user = emulator.add_user("<i>Nobody<i> O'Example", "names@example.com")
    emulator.add_item(user, '<b>bold<b> & "quotes".txt')
    emulator.add_item(user, "\u202eright-to-left.doc")
    page = signed_in(app, user.login).get("/dashboard").text
    assert "&lt;i&gt;Nobody&lt;i&gt; O&#39;Example" in page
    assert "&lt;b&gt;bold&lt;b&gt; &amp; &#34;quotes&#34;.txt" in page
    assert "<bdi>\u202eright-to-left.doc</bdi>" in page  # turns no other text round


def test_an_account_with_nothing_in_it(signed_in, emulator):
    user = emulator.add_user("Bare Example", "bare@example.com", space_amount=None)
    page = signed_in(app, user.login).get("/dashboard")
    assert page.status_code == 200
    assert user.name in page.text
    assert "<meter" not in page.text


def test_a_root_folder_of_several_pages(signed_in, emulator):
    for number in range(80):
        emulator.add_item("nil@example.com", f"item {number:03}.txt")
    browser = signed_in(app, "nil@example.com")
    first, second = browser.get("/dashboard").text, browser.get("/dashboard?page=2").text
    assert "item 049.txt" in first
    assert "item 050.txt" not in first
    assert '?page=2"' in first
    assert "item 079.txt" in second
    for page in ("0", "-1", "x", "99999999999999999999"):
        assert browser.get(f"/dashboard?page={page}").status_code == 200


def test_box_out_of_order_is_told_in_place_of_the_page(signed_in, emulator):
    browser = signed_in(app)
    emulator.fault("GET /2.0/folders/0/items", status=404)
    page = browser.get("/dashboard")
    assert page.status_code == 404
    assert "<code>item_not_found</code>" in page.text


@pytest.mark.parametrize(
    "odd", [None, "much", "", True, -1, 10**400, float("inf"), float("nan"), [None], {"a": 1}, "\ud800"]
)
def test_whatever_box_says_in_place_of_a_name_a_number_or_a_list_is_a_page(signed_in, emulator, odd):
    me = dict.fromkeys(("name", "login", "space_amount", "space_used"), odd)
    item = dict.fromkeys(("name", "size", "modified_at"), odd)
    browser = signed_in(app)
    items = [{"type": "file", "id": "1", **item}, {"type": odd}]
    for listed, status in (
        ({"entries": None, "total_count": odd}, 200),
        ({"entries": items, "total_count": odd}, 200),
        ({"entries": odd}, 200 if odd is None else 502),  # no list of items: the engine says so
    ):
        for route, answer in (("users/me", {"type": "user", "id": "1", **me}), ("folders/0/items", listed)):
            emulator.fault(f"GET /2.0/{route}", status=200, body=json.dumps(answer), content_type="application/json")
        assert browser.get("/dashboard").status_code == status


ROW_AND_MACROS = """{% from "_items.html" import table, date, icon, kind_of, size with context %}{{ table([item]) }}
|||{{ icon(kind_of(item), url_for("static", filename="icons.svg")) }}|||<td class="size">{{ size(item.size) }}</td>
{{- "|||" }}<td class="date">{{ date(item.modified_at) }}</td>"""


@pytest.mark.parametrize(
    "odd",
    [
        *("absent", None, "a.PDF", "x", "update", "x.Items", "", "<b>"),
        *(True, -1, 0, 1023, 1.5, 10**400, float("nan"), [1]),
    ],
)
def test_a_row_of_a_list_says_what_the_macros_for_pages_of_ones_own_say(odd):
    for kind in ("file", "folder", "web_link", "other"):
        item = {} if odd == "absent" else dict.fromkeys(("name", "size", "modified_at"), odd)
        with app.test_request_context("/"):
            row, *parts = render_template_string(ROW_AND_MACROS, item={"type": kind, "id": "1", **item}).split("|||")
        assert len(parts) == 3
        assert all(part in row for part in parts)
        assert re.search('<svg class="icon (file|folder|web_link|pdf)"', row)
