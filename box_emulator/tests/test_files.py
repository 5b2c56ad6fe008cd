"""Files through the official SDK: uploads, downloads, versions, locks, thumbnails."""

import hashlib
import io
import json

import pytest
from box_sdk_gen import FileFull, FileVersionFull
from box_sdk_gen.managers import file_versions, files, uploads

from .typed import Sdk, refused

ADA = "ada@example.com"


@pytest.fixture
def post(sdk, http, box):
    """Send a form to the upload host by hand, its parts in the given order."""

    def post(parts, path="/files/content", **headers):
        url = f"{box.url}/api/2.0{path}"
        return http.post(url, files=parts, headers={"Authorization": f"Bearer {sdk.token}"} | headers)

    return post


def attributes(name, parent="0"):
    return ("attributes", (None, json.dumps({"name": name, "parent": {"id": parent}})))


def stored(emulator):
    return {path.name for path in emulator.contents.folder.iterdir()}


def test_an_upload_can_be_downloaded_again(sdk):
    content = bytes(range(256)) * 5000
    file = sdk.upload("Ünï ©ode.bin", content)
    assert isinstance(file, FileFull)
    assert (file.size, file.sha_1, file.etag) == (len(content), hashlib.sha1(content).hexdigest(), "0")
    assert sdk.downloads.download_file(file.id).read() == content
    empty = sdk.upload("empty.txt", b"")
    assert (empty.size, sdk.downloads.download_file(empty.id).read()) == (0, b"")


def test_a_part_of_a_file_can_be_downloaded(sdk, http, box):
    file = sdk.upload("digits.txt", b"0123456789")
    assert sdk.downloads.download_file(file.id, range="bytes=2-4").read() == b"234"
    address = sdk.client.downloads.get_download_file_url(file.id)
    answer = http.get(address, headers={"Range": "bytes=-3"})
    assert (answer.status_code, answer.content, answer.headers["Content-Range"]) == (206, b"789", "bytes 7-9/10")
    assert http.get(address, headers={"Range": "bytes=10-"}).status_code == 416


def test_the_sha1_is_compared_and_nothing_wrong_is_stored(sdk, emulator):
    right, before = hashlib.sha1(b"right").hexdigest(), stored(emulator)
    assert refused(sdk.upload, "a.txt", b"wrong", content_md_5=right) == (400, "bad_digest")
    assert stored(emulator) == before
    assert sdk.upload("a.txt", b"right", content_md_5=right.upper()).sha_1 == right


def test_attributes_come_before_the_bytes(post, emulator):
    before = stored(emulator)
    answer = post([("file", ("x", b"bytes")), attributes("late.txt")])
    assert (answer.status_code, answer.json()["code"]) == (400, "metadata_after_file_contents")
    assert stored(emulator) == before


def test_the_part_with_the_bytes_may_have_any_name(post):
    assert post([attributes("odd.txt"), ("filename", ("x", b"bytes"))]).status_code == 201


def test_a_name_that_is_taken_is_a_conflict_with_one_file(post, sdk):
    file = sdk.upload("Taken.txt")
    answer = post([attributes("TAKEN.TXT"), ("file", ("x", b"bytes"))])
    assert (answer.status_code, answer.json()["code"]) == (409, "item_name_in_use")
    assert answer.json()["context_info"]["conflicts"]["id"] == file.id


def test_a_big_upload_that_is_refused_gets_its_answer(sdk):
    sdk.upload("taken.bin")
    assert refused(sdk.upload, "taken.bin", b"x" * (30 << 20)) == (409, "item_name_in_use")


def test_a_preflight_check_tells_what_an_upload_would_meet(sdk):
    def check(name, size=10, parent="0"):
        return sdk.uploads.preflight_file_upload_check(
            name=name, size=size, parent=uploads.PreflightFileUploadCheckParent(id=parent)
        )

    assert check("new.txt").upload_url.endswith("/api/2.0/files/content")
    sdk.upload("old.txt")
    assert refused(check, "old.txt") == (409, "item_name_in_use")
    assert refused(check, "new.txt", parent="424242") == (404, "not_found")
    assert refused(check, "a/b") == (400, "item_name_invalid")
    assert refused(check, "new.txt", size=8 << 30) == (403, "file_size_limit_exceeded")
    assert refused(check, "new.txt", size=20 << 30)[0] == 403


def test_a_full_account_takes_no_more(emulator, box, http):
    emulator.add_user("Small", "small@example.com", space_amount=10)
    small, before = Sdk(box, http, "small@example.com"), stored(emulator)
    file = small.upload("fits.txt", b"0123456789")
    assert refused(small.upload, "too much.txt", b"1") == (403, "storage_limit_exceeded")
    version = uploads.UploadFileVersionAttributes(name="fits.txt")
    assert refused(small.uploads.upload_file_version, file.id, version, io.BytesIO(b"1"))[0] == 403
    copy = refused(small.files.copy_file, file.id, files.CopyFileParent(id="0"), name="copy")
    assert copy == (403, "storage_limit_exceeded")
    assert stored(emulator) == before | {file.sha_1}
    assert small.users.get_user_me().space_used == 10


def test_new_versions_keep_the_old_ones(sdk):
    file = sdk.upload("notes.txt", b"first")
    attributes = uploads.UploadFileVersionAttributes(name="notes v2.txt")
    newer = sdk.uploads.upload_file_version(file.id, attributes, io.BytesIO(b"second!"), if_match="0").entries[0]
    assert (newer.id, newer.name, newer.size, newer.etag) == (file.id, "notes v2.txt", 7, "1")
    stale = refused(sdk.uploads.upload_file_version, file.id, attributes, io.BytesIO(b"x"), if_match="0")
    assert stale == (412, "precondition_failed")
    (old,) = sdk.file_versions.get_file_versions(file.id, fields=["version_number", "name", "size"]).entries
    assert isinstance(old, FileVersionFull)
    assert (old.id, old.size, old.version_number) == (file.file_version.id, 5, "1")
    assert sdk.downloads.download_file(file.id, version=old.id).read() == b"first"
    assert sdk.downloads.download_file(file.id).read() == b"second!"
    assert sdk.file_versions.get_file_version_by_id(file.id, old.id).sha_1 == file.sha_1


def test_an_old_version_is_promoted_deleted_and_restored(sdk):
    file = sdk.upload("notes.txt", b"first")
    attributes = uploads.UploadFileVersionAttributes(name="notes.txt")
    sdk.uploads.upload_file_version(file.id, attributes, io.BytesIO(b"second!"))
    old = file.file_version.id
    version = file_versions.PromoteFileVersionType.FILE_VERSION
    top = sdk.file_versions.promote_file_version(file.id, id=old, type=version)
    assert (top.sha_1, top.id != old) == (file.sha_1, True)
    assert sdk.downloads.download_file(file.id).read() == b"first"
    assert sdk.file_versions.get_file_versions(file.id).total_count == 2
    sdk.file_versions.delete_file_version_by_id(file.id, old)
    assert sdk.file_versions.get_file_version_by_id(file.id, old).trashed_at is not None
    assert refused(sdk.file_versions.promote_file_version, file.id, id=old, type=version) == (404, "trashed")
    from box_sdk_gen import null

    back = sdk.file_versions.update_file_version_by_id(file.id, old, trashed_at=null)
    assert (back.trashed_at, back.restored_at is not None) == (None, True)
    assert refused(sdk.file_versions.delete_file_version_by_id, file.id, top.id)[0] == 403
    assert refused(sdk.file_versions.get_file_version_by_id, file.id, "424242") == (404, "not_found")


def test_a_file_is_renamed_moved_copied_and_deleted(sdk, emulator):
    folder = emulator.add_item(ADA, "folder", "folder")
    file = sdk.upload("a.txt", b"abc")
    moved = sdk.files.update_file_by_id(file.id, name="b.txt", parent=files.UpdateFileByIdParent(id=folder.id))
    assert (moved.name, moved.parent.id) == ("b.txt", folder.id)
    copied = sdk.files.copy_file(file.id, files.CopyFileParent(id="0"), name="c.txt")
    assert (copied.name, copied.parent.id, copied.sha_1) == ("c.txt", "0", file.sha_1)
    sdk.files.delete_file_by_id(file.id)
    assert sdk.folders.get_folder_by_id(folder.id).size == 0
    assert sdk.trashed_files.restore_file_from_trash(file.id).name == "b.txt"
    assert sdk.folders.get_folder_by_id(folder.id).size == 3
    sdk.files.delete_file_by_id(file.id)
    sdk.trashed_files.delete_trashed_file_by_id(file.id)
    assert sdk.downloads.download_file(copied.id).read() == b"abc"  # the bytes have another owner still


def test_bytes_that_nobody_needs_any_more_leave_the_disk(sdk, emulator):
    file = sdk.upload("once.txt", b"just this once")
    assert file.sha_1 in stored(emulator)
    sdk.files.delete_file_by_id(file.id)
    sdk.trashed_files.delete_trashed_file_by_id(file.id)
    assert file.sha_1 not in stored(emulator)


def test_a_lock_is_shown_until_it_is_over(sdk, emulator):
    file = sdk.upload("locked.docx")
    until = emulator.clock.now() + 600
    import datetime

    lock = files.UpdateFileByIdLock(
        access=files.UpdateFileByIdLockAccessField.LOCK,
        expires_at=datetime.datetime.fromtimestamp(until, datetime.UTC),
        is_download_prevented=True,
    )
    locked = sdk.files.update_file_by_id(file.id, lock=lock, fields=["lock"])
    assert (locked.lock.is_download_prevented, locked.lock.created_by.login) == (True, ADA)
    emulator.clock.advance(601)
    assert sdk.files.get_file_by_id(file.id, fields=["lock"]).lock is None
    from box_sdk_gen import null

    assert sdk.files.update_file_by_id(file.id, lock=null, fields=["lock"]).lock is None


@pytest.mark.parametrize(("extension", "start"), [("PNG", b"\x89PNG"), ("JPG", b"\xff\xd8\xff")])
def test_pictures_have_thumbnails(sdk, extension, start):
    file = sdk.upload("photo.jpg", b"not really")
    kind = files.GetFileThumbnailByIdExtension[extension]
    assert sdk.client.files.get_file_thumbnail_by_id(file.id, kind, min_height=100).read().startswith(start)
    wrong = refused(sdk.client.files.get_file_thumbnail_by_id, file.id, kind, min_height=200, max_height=210)
    assert wrong == (400, "requested_preview_unavailable")


def test_other_files_have_a_placeholder(sdk, http, box):
    file = sdk.upload("words.txt")
    headers = {"Authorization": f"Bearer {sdk.token}"}
    url = f"{box.url}/2.0/files/{file.id}/thumbnail.png"
    assert http.get(url, headers=headers, allow_redirects=False).status_code == 302
    assert http.get(url, headers=headers).headers["Content-Type"] == "image/png"


def test_asked_for_fields_of_the_full_form_are_served(sdk):
    file = sdk.upload("report.final.pdf")
    asked = ["version_number", "comment_count", "permissions", "tags", "lock", "extension", "is_package"]
    asked += ["watermark_info", "is_accessible_via_shared_link", "allowed_invitee_roles", "is_externally_owned"]
    asked += ["has_collaborations", "expires_at", "representations", "classification", "uploader_display_name"]
    asked += ["disposition_at", "shared_link_permission_options", "is_associated_with_app_item"]
    full = sdk.files.get_file_by_id(file.id, fields=asked)
    assert (full.extension, full.version_number, full.permissions.can_delete) == ("pdf", "1", True)
    assert {name for name in asked if not hasattr(full, name)} == set()


def test_an_upload_that_is_cut_off_leaves_nothing(sdk, emulator, box):
    import socket

    before, body = stored(emulator), b"--b\r\nContent-Disposition: form-data; name="
    body += b'"attributes"\r\n\r\n{"name": "cut.txt", "parent": {"id": "0"}}\r\n--b\r\n'
    body += b'Content-Disposition: form-data; name="file"; filename="x"\r\n\r\nhalf of '
    head = f"POST /api/2.0/files/content HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {sdk.token}\r\n"
    head += "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 99999\r\n\r\n"
    host, port = box.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(head.encode() + body)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(1 << 16):
            pass
    assert stored(emulator) == before
    assert "cut.txt" not in {entry.name for entry in sdk.folders.get_folder_items("0").entries}


def test_a_version_tells_what_box_ui_elements_ask_for(sdk, http, box):
    file = sdk.upload("plan.txt", b"old")
    old = file.file_version.id
    sdk.uploads.upload_file_version(file.id, uploads.UploadFileVersionAttributes(name="plan.txt"), io.BytesIO(b"new"))
    asked = "permissions,is_download_available,authenticated_download_url,extension,version_number"
    bearer = {"Authorization": f"Bearer {sdk.token}"}
    answer = http.get(f"{box.url}/2.0/files/{file.id}/versions?fields={asked}", headers=bearer)
    (version,) = answer.json()["entries"]
    assert version["permissions"] == dict.fromkeys(("can_delete", "can_download", "can_preview", "can_upload"), True)
    assert (version["is_download_available"], version["extension"]) == (True, "txt")
    url = version["authenticated_download_url"]
    assert url == f"{box.url}/2.0/files/{file.id}/content?version={old}"
    assert http.get(f"{url}&access_token={sdk.token}").content == b"old"
    one = http.get(f"{box.url}/2.0/files/{file.id}/versions/{old}", headers=bearer).json()
    assert "permissions" not in one
