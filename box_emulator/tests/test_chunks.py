"""Uploads in parts through the official SDK."""

import base64
import hashlib
import io

import pytest
from box_sdk_gen import UploadPart

from .typed import Sdk, refused

SIZE = 20_000_000
CONTENT = hashlib.sha256(b"seed").digest() * (SIZE // 32)


def digest(data):
    return "sha=" + base64.b64encode(hashlib.sha1(data).digest()).decode()


def put(sdk, session, start, data, total=SIZE, claimed=None):
    content_range = f"bytes {start}-{start + len(data) - 1}/{total}"
    stream = io.BytesIO(data)
    return sdk.chunked_uploads.upload_file_part(session.id, stream, claimed or digest(data), content_range).part


@pytest.fixture
def session(sdk):
    return sdk.chunked_uploads.create_file_upload_session("0", SIZE, "big.bin")


def test_a_big_file_comes_in_parts(sdk, emulator):
    file = sdk.chunked_uploads.upload_big_file(io.BytesIO(CONTENT), "big.bin", SIZE, "0")
    assert (file.size, file.sha_1) == (SIZE, hashlib.sha1(CONTENT).hexdigest())
    assert hashlib.sha1(sdk.downloads.download_file(file.id).read()).hexdigest() == file.sha_1
    left = {path.name for path in emulator.contents.folder.iterdir() if path.stat().st_size > 1 << 20}
    assert left == {file.sha_1}  # the parts are gone


def test_a_new_version_comes_in_parts(sdk):
    file = sdk.upload("big.bin", b"small")
    newer = sdk.chunked_uploads.upload_big_file_version(file.id, io.BytesIO(CONTENT), SIZE, file_name="bigger.bin")
    assert (newer.id, newer.name, newer.size) == (file.id, "bigger.bin", SIZE)
    assert sdk.file_versions.get_file_versions(file.id).total_count == 1


def test_a_session_tells_how_far_it_is_and_can_be_aborted(sdk, session):
    assert (session.total_parts, session.num_parts_processed) == (3, 0)
    first = put(sdk, session, 0, CONTENT[: session.part_size])
    assert sdk.chunked_uploads.get_file_upload_session_by_id(session.id).num_parts_processed == 1
    parts = sdk.chunked_uploads.get_file_upload_session_parts(session.id)
    assert [part.part_id for part in parts.entries] == [first.part_id]
    sdk.chunked_uploads.delete_file_upload_session_by_id(session.id)
    assert refused(sdk.chunked_uploads.get_file_upload_session_by_id, session.id) == (404, "not_found")


def test_wrong_parts_are_refused(sdk, session):
    size = session.part_size
    first = put(sdk, session, 0, CONTENT[:size])
    assert put(sdk, session, 0, CONTENT[:size]).part_id == first.part_id  # once more, after a lost answer
    assert refused(put, sdk, session, 0, b"y" * size)[0] == 409
    assert refused(put, sdk, session, 5, CONTENT[5 : size + 5]) == (416, "invalid_range")
    assert refused(put, sdk, session, size, b"short") == (416, "invalid_range")
    assert refused(put, sdk, session, size, CONTENT[:size], total=SIZE + 1) == (416, "invalid_range")
    assert refused(put, sdk, session, size, CONTENT[:size], claimed=digest(b"other"))[0] == 412
    assert refused(put, sdk, session, size, CONTENT[:size], claimed="sha=?")[0] == 400
    named = [UploadPart(part_id=first.part_id, offset=0, size=size)]
    commit = sdk.chunked_uploads.create_file_upload_session_commit
    assert refused(commit, session.id, named, digest(CONTENT)) == (400, "bad_request")


def test_sessions_are_refused_for_small_files_taken_names_and_bad_ones(sdk):
    start = sdk.chunked_uploads.create_file_upload_session
    sdk.upload("taken.bin")
    assert refused(start, "0", SIZE - 1, "small.bin") == (400, "file_size_too_small")
    assert refused(start, "0", SIZE, "TAKEN.bin") == (409, "item_name_in_use")
    assert refused(start, "0", SIZE, "a/b") == (400, "item_name_invalid")
    assert refused(start, "424242", SIZE, "a") == (404, "not_found")
    assert refused(start, "0", 100 << 30, "huge.bin")[0] == 403
    assert refused(sdk.chunked_uploads.get_file_upload_session_by_id, "nonsense") == (400, "invalid_upload_session_id")


def test_a_session_lives_for_seven_days_and_belongs_to_one_user(sdk, session, emulator, box, http):
    other = Sdk(box, http, "bo@example.com")
    assert refused(other.chunked_uploads.get_file_upload_session_by_id, session.id)[0] == 403
    emulator.clock.advance(7 * 86400 + 1)
    later = Sdk(box, http, "ada@example.com")
    assert refused(later.chunked_uploads.get_file_upload_session_by_id, session.id) == (410, "session_expired")
