"""Expiring embed links: pages that show a file in a frame."""

import re

import pytest

from .typed import refused

PNG = b"\x89PNG\r\n\x1a\n and so on"
FIELD = ["expiring_embed_link"]


@pytest.fixture
def preview(sdk, http, emulator):
    """Upload a file, and open the preview that Box gives for it: the address and the answer."""

    def preview(name, content):
        file = sdk.upload(name, content)
        url = sdk.files.get_file_by_id(file.id, fields=FIELD).expiring_embed_link.url
        return url, http.get(url)

    return preview


def inside(http, url, page):
    """Get what the page has in it, as a browser would."""
    address = re.search(r'(?:src|data)="(/inline/[^"]+)"', page.text)[1].replace("&amp;", "&")
    return http.get(url.partition("/embed/")[0] + address)


def test_a_text_is_shown_and_none_of_it_is_markup(preview, box):
    url, page = preview("ü <b>.md", "Grüße <script>alert(1)</script>".encode())
    assert url.startswith(f"{box.download_url}/")
    assert page.status_code == 200
    assert "Grüße &lt;script&gt;alert(1)&lt;/script&gt;" in page.text
    assert "<script" not in page.text
    assert "<b>" not in page.text


def test_of_a_long_text_the_beginning_is_shown(preview):
    _, page = preview("long.txt", b"beginning" + b"." * 300_000 + b"end")
    assert "beginning" in page.text
    assert "end</pre>" not in page.text
    assert "Only the beginning is shown" in page.text


@pytest.mark.parametrize(
    ("name", "content", "kind"), [("sea.PNG", PNG, "image/png"), ("contract.pdf", b"%PDF-1.4 ...", "application/pdf")]
)
def test_pictures_and_pdfs_are_in_the_page_as_they_are(preview, http, name, content, kind):
    url, page = preview(name, content)
    shown = inside(http, url, page)
    assert (shown.status_code, shown.content) == (200, content)
    assert shown.headers["Content-Type"] == kind
    assert shown.headers["Content-Disposition"] == f"inline; filename*=UTF-8''{name}"
    assert shown.headers["X-Content-Type-Options"] == "nosniff"


def test_a_drawing_with_a_script_in_it_cannot_run(preview, http):
    url, page = preview("logo.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>")
    shown = inside(http, url, page)
    assert shown.headers["Content-Type"].startswith("image/svg+xml")
    assert "sandbox" in shown.headers["Content-Security-Policy"]


def test_a_picture_that_becomes_a_page_is_not_sent_to_be_shown(preview, http, emulator):
    url, page = preview("logo.png", b"<script>alert(1)</script>")
    file = emulator.items.find(url.rpartition("/")[2].partition("-")[0])
    emulator.tree.change(file, {"name": "logo.html"})
    assert inside(http, url, page).status_code == 404


def test_a_page_may_be_framed_by_all_and_runs_nothing(preview):
    _, page = preview("a.txt", b"a")
    policy = page.headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in page.headers
    assert "frame-ancestors" not in policy
    assert policy.startswith("default-src 'none'; style-src 'self';")
    assert "script-src" not in policy
    assert page.headers["Cache-Control"] == "no-store"


def test_the_page_finds_its_stylesheet(preview, http):
    url, page = preview("a.txt", b"a")
    assert 'href="emulator.css"' in page.text
    assert http.get(f"{url.partition('/embed/')[0]}/embed/emulator.css").headers["Content-Type"].startswith("text/css")


def test_what_box_shows_and_the_emulator_does_not_is_a_sentence(preview):
    _, page = preview("talk.pptx", b"PK")
    assert "has no preview for this kind of file" in page.text


def test_what_box_does_not_show_either_is_a_415(sdk):
    file = sdk.upload("data.bin")
    assert refused(sdk.files.get_file_by_id, file.id, fields=FIELD) == (415, "unsupported_media_type")


def test_a_link_opens_for_60_seconds_and_what_is_in_the_page_for_an_hour(preview, http, emulator):
    url, page = preview("sea.png", PNG)
    emulator.clock.advance(61)
    late = http.get(url)
    assert late.status_code == 403
    assert "This preview cannot be shown" in late.text
    assert late.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert inside(http, url, page).status_code == 200
    emulator.clock.advance(3600)
    assert inside(http, url, page).status_code == 403


def test_a_link_is_good_for_its_file_and_its_purpose_alone(preview, http, sdk):
    url, _ = preview("sea.png", PNG)
    other = sdk.upload("other.png", PNG)
    path = url.partition("?")[0]
    file, version = path.rpartition("/")[2].split("-")
    for tried in (
        url.replace(file, other.id),
        url.replace("/embed/", "/inline/"),
        url.replace(f"/embed/{file}-{version}", f"/download/{file}/{version}"),
        path,
        url + "0",
    ):
        assert http.get(tried).status_code == 403, tried


def test_a_file_that_is_gone_by_then_says_so(sdk, http, emulator):
    file = sdk.upload("a.txt")
    url = sdk.files.get_file_by_id(file.id, fields=FIELD).expiring_embed_link.url
    emulator.tree.trash(emulator.items.find(file.id))
    emulator.tree.purge(emulator.items.find(file.id))
    gone = http.get(url)
    assert (gone.status_code, gone.headers["Content-Type"]) == (404, "text/html; charset=utf-8")


def test_the_token_that_comes_with_it_may_look_at_this_file_and_nothing_else(sdk, http, box):
    file, other = sdk.upload("a.txt"), sdk.upload("b.txt")
    link = sdk.files.get_file_by_id(file.id, fields=FIELD).expiring_embed_link
    assert (link.token_type.value, link.expires_in) == ("bearer", 3600)
    assert link.restricted_to[0].scope.value == "base_preview"
    assert link.access_token not in link.url
    bearer = {"Authorization": f"Bearer {link.access_token}"}
    found = [http.get(f"{box.url}/2.0/files/{each.id}", headers=bearer).status_code for each in (file, other)]
    assert found == [200, 403]


def test_the_standard_form_has_no_link(sdk):
    assert sdk.files.get_file_by_id(sdk.upload("a.txt").id).raw_data.get("expiring_embed_link") is None
