"""Representations of files, thumbnails, and what Box UI Elements ask for to share."""

import pytest
from box_sdk_gen.managers import files

from box_emulator.seeds import documents, photographs

from .typed import Sdk, refused

FIELD = ["representations"]


@pytest.fixture
def ask(sdk):
    """Upload a file, and ask for its representations."""

    def ask(name, content=b"some text", hints=None):
        file = sdk.upload(name, content)
        return sdk.files.get_file_by_id(file.id, fields=FIELD, x_rep_hints=hints).representations.entries

    return ask


@pytest.fixture
def fetch(sdk, http):
    def fetch(entry, asset="", **parameters):
        url = entry.content.url_template.replace("{+asset_path}", asset)
        return http.get(url, params=parameters, headers={"Authorization": f"Bearer {sdk.token}"})

    return fetch


def kinds(entries):
    return [(entry.representation, entry.properties.dimensions) for entry in entries]


def test_without_hints_all_are_named_and_none_is_given(ask):
    entries = ask("plan.pdf", documents.pdf("Plan", "one"))
    assert kinds(entries) == [
        *(("jpg", f"{size}x{size}") for size in (32, 94, 160, 320, 1024, 2048)),
        *(("png", f"{size}x{size}") for size in (1024, 2048)),
        ("pdf", None),
        ("extracted_text", None),
    ]
    assert [entry.properties.thumb for entry in entries[:5]] == ["true"] * 4 + ["false"]
    assert entries[0].info.url.endswith("/representations/jpg_thumb_32x32")
    assert {(entry.content, entry.status) for entry in entries} == {(None, None)}


@pytest.mark.parametrize(
    ("hints", "expected"),
    [
        ("[pdf]", [("pdf", None)]),
        ("[jpg?dimensions=32x32][jpg?dimensions=320x320]", [("jpg", "32x32"), ("jpg", "320x320")]),
        ("[jpg?dimensions=32x32&paged=false]", [("jpg", "32x32")]),
        ("[jpg?dimensions=33x33]", []),
        ("[jpg?paged=true]", []),
        ("[3d][mp3,pdf][extracted_text][extracted_text]", [("pdf", None), ("extracted_text", None)]),
        ("pdf", []),
        ("[[", []),
    ],
)
def test_hints_choose(ask, hints, expected):
    assert kinds(ask("plan.pdf", documents.pdf("Plan", "one"), hints)) == expected


def test_a_text_has_its_text_and_a_kind_that_nobody_knows_has_nothing(ask, fetch):
    (entry,) = ask("ü.md", "# Grüße".encode(), "[pdf][jpg?dimensions=32x32][extracted_text]")
    assert entry.status.state.value == "success"
    answer = fetch(entry)
    assert (answer.text, answer.headers["Content-Type"]) == ("# Grüße", "text/plain; charset=utf-8")
    assert ask("data.bin", b"\0") == []


def test_a_pdf_has_its_words_and_itself(ask, fetch):
    content = documents.pdf("Plan (new)", "Grüße\nand more")
    whole, words = ask("plan.pdf", content, "[pdf][extracted_text]")
    assert (fetch(whole).content, fetch(whole).headers["Content-Type"]) == (content, "application/pdf")
    assert fetch(words).text == "Plan (new)\nGrüße\nand more"


def test_a_picture_that_is_small_is_its_own_thumbnail(ask, fetch, sdk):
    for name, content, kind in (
        ("sea.png", photographs.landscape("sea"), "image/png"),
        ("sun.jpg", photographs.sunset("sun"), "image/jpeg"),
    ):
        (entry,) = ask(name, content, "[jpg?dimensions=160x160]")
        answer = fetch(entry)
        assert (answer.content, answer.headers["Content-Type"]) == (content, kind)
        file = sdk.search.search_for_content(query=name).entries[0]
        jpg = files.GetFileThumbnailByIdExtension.JPG
        assert sdk.client.files.get_file_thumbnail_by_id(file.id, jpg).read() == content


@pytest.mark.parametrize("content", [b"no picture", b"\x89PNG\r\n\x1a\n" + bytes(300_000)])
def test_of_what_is_large_or_no_picture_there_is_a_drawing(ask, fetch, content):
    jpg, png = ask("sea.png", content, "[jpg?dimensions=94x94][png?dimensions=2048x2048]")
    assert fetch(jpg).content.startswith(b"\xff\xd8\xff")
    assert fetch(png).content.startswith(b"\x89PNG")
    assert fetch(png).content != content


def test_a_name_can_be_given_to_what_is_fetched(ask, fetch):
    (entry,) = ask("ü.txt", hints="[extracted_text]")
    assert "Content-Disposition" not in fetch(entry).headers
    inline = fetch(entry, set_content_disposition_type="inline").headers["Content-Disposition"]
    assert inline == "inline; filename*=UTF-8''%C3%BC.txt.txt"
    named = {"set_content_disposition_type": "attachment", "set_content_disposition_filename": 'a\r\n"b'}
    assert fetch(entry, **named).headers["Content-Disposition"] == "attachment; filename*=UTF-8''a%0D%0A%22b"
    assert fetch(entry, set_content_disposition_type="none").status_code == 400


def test_what_is_still_being_made_is_pending_and_a_202(ask, fetch, sdk, http, box, emulator):
    emulator.set_options(representations_pending=True)
    (entry,) = ask("sea.png", photographs.landscape("sea"), "[jpg?dimensions=32x32]")
    bearer = {"Authorization": f"Bearer {sdk.token}"}
    assert entry.status.state.value == "pending"
    assert (fetch(entry).status_code, fetch(entry).headers["Retry-After"]) == (202, "1")
    file = entry.info.url.split("/internal_files/")[1].split("/")[0]
    thumbnail = http.get(f"{box.url}/2.0/files/{file}/thumbnail.png", headers=bearer)
    assert (thumbnail.status_code, thumbnail.headers["Retry-After"], thumbnail.content) == (202, "1", b"")
    assert http.get(thumbnail.headers["Location"]).headers["Content-Type"] == "image/png"
    emulator.set_options(representations_pending=False)
    assert http.get(entry.info.url, headers=bearer).json()["status"] == {"state": "success"}
    assert fetch(entry).status_code == 200


def test_what_there_is_not_is_a_404_and_other_peoples_too(ask, sdk, http, box):
    (entry,) = ask("a.txt", hints="[extracted_text]")
    other = Sdk(box, http, "bo@example.com")
    for url, token in (
        (entry.info.url, other.token),
        (entry.info.url.replace("extracted_text", "pdf"), sdk.token),
        (entry.info.url.replace("/versions/", "/versions/1"), sdk.token),
    ):
        assert http.get(url, headers={"Authorization": f"Bearer {token}"}).status_code == 404
        assert http.get(f"{url}/content/", headers={"Authorization": f"Bearer {token}"}).status_code == 404
    assert http.get(entry.info.url).status_code == 401


def test_a_page_may_have_the_token_in_the_address(ask, sdk, http):
    (entry,) = ask("a.txt", hints="[extracted_text]")
    url = entry.content.url_template.replace("{+asset_path}", "")
    assert http.get(f"{url}?access_token={sdk.token}").text == "some text"
    assert http.get(f"{entry.info.url}?access_token={sdk.token}").status_code == 200


def test_the_largest_thumbnail_that_may_be_asked_for_stays_320(sdk):
    file = sdk.upload("sea.png", photographs.landscape("sea"))
    png = files.GetFileThumbnailByIdExtension.PNG
    wrong = refused(sdk.client.files.get_file_thumbnail_by_id, file.id, png, min_height=1024)
    assert wrong == (400, "requested_preview_unavailable")


@pytest.mark.parametrize(("kind", "direct"), [("files", True), ("folders", False), ("web_links", False)])
def test_who_asks_hears_how_an_item_may_be_shared(sdk, http, box, emulator, kind, direct):
    url = "https://example.com/" if kind == "web_links" else None
    item = emulator.add_item("ada@example.com", "shared", kind[:-1], url=url)
    bearer = {"Authorization": f"Bearer {sdk.token}"}
    asked = "shared_link_features,allowed_shared_link_access_levels_disabled_reasons"
    answer = http.get(f"{box.url}/2.0/{kind}/{item.id}?fields={asked}", headers=bearer).json()
    assert answer["shared_link_features"] == {"download_url": direct, "password": True, "vanity_name": True}
    assert answer["allowed_shared_link_access_levels_disabled_reasons"] == {}
    plain = http.get(f"{box.url}/2.0/{kind}/{item.id}", headers=bearer).json()
    assert not set(asked.split(",")) & set(plain)


def test_a_root_folder_cannot_be_shared(sdk):
    asked = ["allowed_shared_link_access_levels"]
    assert sdk.folders.get_folder_by_id("0", fields=asked).allowed_shared_link_access_levels == []
