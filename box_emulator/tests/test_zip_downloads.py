"""Several files and folders as one zip archive."""

import hashlib
import io
import zipfile
from datetime import datetime

import pytest
from box_sdk_gen.managers.zip_downloads import CreateZipDownloadItems
from werkzeug.test import Client

from box_emulator import archives
from box_emulator.web import download_app

from .typed import Sdk, refused

BO = "bo@example.com"


@pytest.fixture
def ask(sdk):
    """Ask for an archive of items, given as Box's objects."""

    def ask(*items, **more):
        wanted = [CreateZipDownloadItems(type=getattr(item.type, "value", item.type), id=item.id) for item in items]
        return sdk.zip_downloads.create_zip_download(wanted, **more)

    return ask


@pytest.fixture
def folder(emulator):
    """A folder of Ada's with a file, an empty folder, a folder with a file, and a web link."""
    ada = "ada@example.com"
    top = emulator.add_item(ada, "Wedding", "folder")
    emulator.add_item(ada, "Notes ü.txt", parent=top, content=b"notes")
    emulator.add_item(ada, "Empty", "folder", parent=top)
    inner = emulator.add_item(ada, "Church", "folder", parent=top)
    emulator.add_item(ada, "large.bin", parent=inner, content=bytes(300_000))
    emulator.add_item(ada, "site", "web_link", parent=top, url="https://example.com/")
    return top


def read(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_an_archive_has_the_folder_as_it_is_and_its_status_counts(ask, sdk, http, folder, box):
    extra = sdk.upload("extra.txt", b"extra")
    answer = ask(folder, extra, download_file_name="Grüße")
    assert answer.download_url.startswith(f"{box.download_url}/2.0/zip_downloads/")
    assert answer.status_url.startswith(f"{box.url}/2.0/zip_downloads/")
    assert isinstance(answer.expires_at, datetime)
    assert answer.name_conflicts == []
    assert refused(sdk.zip_downloads.get_zip_download_status, answer.status_url) == (404, "not_found")
    download = http.get(answer.download_url)  # with no token
    assert download.headers["Content-Disposition"] == (
        "attachment;filename=\"Gr__e.zip\";filename*=UTF-8''Gr%C3%BC%C3%9Fe.zip"
    )
    assert "Content-Length" not in download.headers
    assert read(download.content) == {
        "Wedding/": b"",
        "Wedding/Notes ü.txt": b"notes",
        "Wedding/Empty/": b"",
        "Wedding/Church/": b"",
        "Wedding/Church/large.bin": bytes(300_000),
        "extra.txt": b"extra",
    }
    status = sdk.zip_downloads.get_zip_download_status(answer.status_url)
    counts = (status.total_file_count, status.downloaded_file_count)
    assert (status.state.value, *counts) == ("succeeded", 3, 3)
    assert (status.skipped_file_count, status.skipped_folder_count) == (0, 0)


def test_the_sdk_downloads_it_in_one_go(sdk, folder):
    content = sdk.client.zip_downloads.download_zip([CreateZipDownloadItems(type="folder", id=folder.id)]).read()
    assert "Wedding/Notes ü.txt" in read(content)


def test_items_of_one_name_are_both_renamed_and_the_answer_says_how(ask, sdk, http, emulator):
    places = [emulator.add_item("ada@example.com", name, "folder") for name in "ab"]
    first, second = (sdk.upload(name, parent=place.id) for name, place in zip(("x.PDF", "X.pdf"), places, strict=True))
    answer = ask(first, second)
    (pair,) = answer.name_conflicts
    assert [(each.id, each.type.value, each.original_name) for each in pair] == [
        (first.id, "file", "x.PDF"),
        (second.id, "file", "X.pdf"),
    ]
    names = [each.download_name for each in pair]
    assert [name.rpartition(".")[2] for name in names] == ["PDF", "pdf"]
    assert sorted(read(http.get(answer.download_url).content)) == sorted(names)


def test_what_is_gone_by_the_time_of_the_download_is_skipped_and_counted(ask, sdk, http, folder, emulator):
    kept, lost = sdk.upload("kept.txt"), sdk.upload("lost.txt")
    answer = ask(folder, kept, lost)
    emulator.tree.trash(emulator.items.find(lost.id))
    emulator.tree.trash(emulator.items.find(folder.id))
    assert list(read(http.get(answer.download_url).content)) == ["kept.txt"]
    status = sdk.zip_downloads.get_zip_download_status(answer.status_url)
    assert (status.total_file_count, status.downloaded_file_count) == (4, 1)
    assert (status.skipped_file_count, status.skipped_folder_count) == (3, 3)


def test_an_archive_is_downloaded_once_and_soon(ask, sdk, http, emulator, box):
    file = sdk.upload("a.txt")
    twice, late = ask(file), ask(file)
    assert [http.get(twice.download_url).status_code for _ in range(2)] == [200, 404]
    emulator.clock.advance(archives.LIFETIME + 1)
    assert http.get(late.download_url).status_code == 404
    assert http.get(late.download_url.replace("/content", "x/content")).status_code == 404
    assert sdk.zip_downloads.get_zip_download_status(twice.status_url).state.value == "succeeded"
    emulator.clock.advance(archives.STATUS_LIFETIME)
    sdk = Sdk(box, http, "ada@example.com")
    assert refused(sdk.zip_downloads.get_zip_download_status, twice.status_url) == (404, "not_found")


def test_a_download_that_was_given_up_has_failed(ask, sdk, emulator):
    answer = ask(*(sdk.upload(f"{number}.bin", bytes(10)) for number in range(3)))
    client = Client(download_app(emulator))
    download = client.get(answer.download_url, buffered=False)
    next(download.iter_encoded())
    assert sdk.zip_downloads.get_zip_download_status(answer.status_url).state.value == "in_progress"
    download.close()
    status = sdk.zip_downloads.get_zip_download_status(answer.status_url)
    assert (status.state.value, status.downloaded_file_count) == ("failed", 0)


def test_only_who_asked_sees_the_status(ask, sdk, http, box):
    answer = ask(sdk.upload("a.txt"))
    http.get(answer.download_url)
    other = Sdk(box, http, BO)
    assert refused(other.zip_downloads.get_zip_download_status, answer.status_url) == (
        403,
        "access_denied_insufficient_permissions",
    )


@pytest.mark.parametrize(
    "items",
    [
        None,
        [],
        "all",
        [1],
        [{"type": "file"}],
        [{"type": "folder", "id": "0"}],
        [{"type": "web_link", "id": "1"}],
        [{"type": "file", "id": "1"}],
        [{"type": "file", "id": "x"}],
        [{"type": "file", "id": "9" * 30}],
    ],
)
def test_what_is_no_list_of_files_and_folders_is_a_400(sdk, http, box, items):
    bearer = {"Authorization": f"Bearer {sdk.token}"}
    answer = http.post(f"{box.url}/2.0/zip_downloads", json={"items": items}, headers=bearer)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


def test_somebody_elses_file_is_a_403(ask, emulator):
    file = emulator.add_item(BO, "hers.txt")
    assert refused(ask, file) == (403, "access_denied_insufficient_permissions")


def test_there_is_an_end_to_files_and_bytes(ask, emulator, folder, monkeypatch):
    emulator.users.change(emulator.users[0], max_upload_size=300_000)
    assert refused(ask, folder) == (400, "zip_download_pre_compressed_bytes_exceeded_limit")
    monkeypatch.setattr(archives, "MOST_FILES", 1)
    assert refused(ask, folder) == (400, "zip_download_file_count_exceeded_limit")


def test_five_downloads_at_once_are_the_most_for_a_user(ask, sdk, http, emulator):
    file = sdk.upload("a.txt")
    for _ in range(5):
        emulator.archives.start(ask(file).download_url.split("/")[-2])
    refusal = http.get(ask(file).download_url)
    assert (refusal.status_code, refusal.json()["code"]) == (429, "user_too_many_concurrent_downloads")


def test_an_item_that_is_asked_for_twice_is_there_once(ask, sdk, http):
    file = sdk.upload("a.txt")
    answer = ask(file, file)
    assert answer.name_conflicts == []
    assert list(read(http.get(answer.download_url).content)) == ["a.txt"]


@pytest.mark.parametrize("at", ["1901-01-01T00:00:00Z", "2026-02-03T04:05:06Z", "9998-01-01T00:00:00Z"])
def test_a_file_of_any_age_goes_in(ask, sdk, http, emulator, at):
    file = sdk.upload("a.txt")
    stamp = datetime.fromisoformat(at).timestamp()
    emulator.tree.change(emulator.items.find(file.id), {"content_modified_at": stamp})
    with zipfile.ZipFile(io.BytesIO(http.get(ask(file).download_url).content)) as archive:
        year = archive.getinfo("a.txt").date_time[0]
    assert year == min(2107, max(1980, int(at[:4])))


def test_bytes_that_are_deleted_for_good_meanwhile_are_skipped(ask, sdk, http, emulator):
    answer = ask(sdk.upload("kept.txt", b"kept"), sdk.upload("lost.txt", b"lost"))
    emulator.contents.path(hashlib.sha1(b"lost").hexdigest()).unlink()
    assert list(read(http.get(answer.download_url).content)) == ["kept.txt"]
    assert sdk.zip_downloads.get_zip_download_status(answer.status_url).skipped_file_count == 1
