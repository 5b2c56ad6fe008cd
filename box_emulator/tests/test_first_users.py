"""The accounts that a new emulator has, and the hostile names that it no longer has."""

import io
import re
import zipfile
import zlib
from pathlib import Path
from xml.etree import ElementTree

import pytest

from box_emulator import Emulator, Seed
from box_emulator.file_kinds import extension
from box_emulator.seeds import documents, photographs

from .typed import Sdk

ADA, BO, NIL = "ada@example.com", "bo@example.com", "nil@example.com"
HOSTILE = Path(__file__).with_name("hostile_names.json")


def files(emulator, login):
    """What a user has: the content of each file by its path."""
    user, found = emulator.users.named(login), {}
    todo = [("", emulator.items.get(user.id, "0"))]
    while todo:
        path, folder = todo.pop()
        for item in emulator.items.children(folder):
            if item.type == "folder":
                todo.append((f"{path}/{item.name}", item))
            else:
                found[f"{path}/{item.name}"] = emulator.items.content(item.id)
    return found


def check_pdf(content):
    start = int(re.search(rb"startxref\n(\d+)\n%%EOF\n$", content)[1])
    assert content[start:].startswith(b"xref\n")
    places = [int(line[:10]) for line in content[start:].split(b"\n") if line.endswith(b" n ")]
    for number, place in enumerate(places, 1):
        assert content[place:].startswith(b"%d 0 obj\n" % number)
    assert len(places) >= 5
    for length, stream in re.findall(rb"/Length (\d+) >>\nstream\n(.*?)\nendstream", content, re.DOTALL):
        assert int(length) == len(stream)


def check_office(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert {"[Content_Types].xml", "_rels/.rels"} < set(archive.namelist())
        types = archive.read("[Content_Types].xml").decode()
        for name in archive.namelist():
            assert ElementTree.fromstring(archive.read(name)) is not None
            assert name.endswith((".rels", "Types].xml")) or f'PartName="/{name}"' in types


def check_png(content):
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = (int.from_bytes(content[at : at + 4]) for at in (16, 20))
    at = content.index(b"IDAT")
    pixels = zlib.decompress(content[at + 4 : at + 4 + int.from_bytes(content[at - 4 : at])])
    assert len(pixels) == height * (width + 1)


def check_jpeg(content):
    assert content.startswith(b"\xff\xd8\xff\xe0")
    assert content.endswith(b"\xff\xd9")


def check_text(content):
    assert content.decode().strip()


CHECKS = {
    "pdf": check_pdf,
    "png": check_png,
    "jpg": check_jpeg,
    **dict.fromkeys(("xlsx", "docx"), check_office),
    **dict.fromkeys(("txt", "md", "csv"), check_text),
}


@pytest.mark.parametrize(
    ("login", "kinds"),
    [
        (ADA, {"png", "jpg", "pdf", "xlsx", "csv", "md"}),
        (BO, {"pdf", "xlsx", "docx", "csv", "md", "txt"}),
        (NIL, set()),
    ],
)
def test_each_has_what_a_customer_has_and_every_file_is_what_it_says(emulator, login, kinds):
    found = files(emulator, login)
    found.pop("/Box developer documentation", None)
    assert {extension(path) for path in found} == kinds
    for path, content in found.items():
        CHECKS[extension(path)](content)
        assert len(content) < 20_000, path


def test_no_name_of_theirs_is_there_to_break_a_page(emulator):
    for login in (ADA, BO):
        for path in files(emulator, login):
            assert re.fullmatch(r"[\w/ .,-]{,60}", path, re.ASCII), path


def test_a_file_of_the_law_office_has_a_history(box, http, emulator):
    sdk = Sdk(box, http, BO)
    content = sdk.search.search_for_content(query="Statement of claim").entries[0]
    versions = sdk.file_versions.get_file_versions(content.id).entries
    assert [version.name for version in versions] == ["Statement of claim.pdf"] * 2
    times = [content.modified_at, *(version.created_at for version in versions)]
    assert times == sorted(times, reverse=True)
    comments = sdk.comments.get_file_comments(content.id).entries
    assert [comment.created_by.login for comment in comments] == [BO] * 3
    assert comments[0].created_at < comments[2].created_at
    assert len({sdk.downloads.download_file(content.id, version=each.id).read() for each in versions}) == 2


@pytest.mark.parametrize("login", [ADA, BO])
def test_there_is_something_recent_newest_first(box, http, login):
    entries = Sdk(box, http, login).recent_items.get_recent_items().entries
    assert len(entries) >= 2
    assert [entry.interacted_at for entry in entries] == sorted((e.interacted_at for e in entries), reverse=True)


def test_documents_are_the_same_each_time_and_may_hold_any_text():
    text = "Grüße (an Müller & Söhne) \\ <alle>\n" * 60
    made = [documents.pdf("Titel", text), documents.spreadsheet([["<a> & b", 1.5]]), documents.letter(text)]
    documents.pdf.cache_clear()
    assert [documents.pdf("Titel", text), documents.spreadsheet([["<a> & b", 1.5]]), documents.letter(text)] == made
    check_pdf(made[0])
    assert made[0].count(b"/Type /Page ") == 2
    check_office(made[1])
    check_office(made[2])


def test_each_picture_is_another_one():
    names = [f"{number}" for number in range(5)]
    for draw in (photographs.landscape, photographs.sunset):
        assert len({draw(name, 64, 48) for name in names}) == 5


def test_hostile_names_are_a_seed_for_tests(box, http):
    emulator = Emulator(seed=Seed.read(HOSTILE))
    try:
        names = [path.rpartition("/")[2] for path in files(emulator, "hostile@example.com")]
    finally:
        emulator.close()
    assert len(names) == 10
    assert any("\u202e" in name for name in names)
    assert max(map(len, names)) == 255
    box.emulator.reset(Seed.read(HOSTILE))
    entries = Sdk(box, http, "hostile@example.com").folders.get_folder_items("0").entries
    assert "<b>bold<b> <img src=x onerror=alert(1)>" in [entry.name for entry in entries]
