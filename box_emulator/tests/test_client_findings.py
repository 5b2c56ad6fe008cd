"""What clients that nobody here wrote ran into."""

import io

import pytest
from box_sdk_gen import UploadPart
from box_sdk_gen.managers import file_versions, uploads

from box_emulator.forms import ENTERPRISE

from .test_chunks import CONTENT, SIZE, digest, put
from .typed import Sdk, refused

ADA, BO = "ada@example.com", "bo@example.com"


@pytest.fixture
def call(sdk, http, box):
    """Make a call as Ada, or with another token."""

    def call(method, path, token="", **options):
        headers = {"Authorization": f"Bearer {token or sdk.token}"} | options.pop("headers", {})
        return http.request(method, f"{box.url}/2.0{path}", headers=headers, **options)

    return call


@pytest.fixture
def service(http, box):
    """A token of the app's service account."""
    form = {
        "grant_type": "client_credentials",
        "client_id": box.settings["CLIENT_ID"],
        "client_secret": box.settings["CLIENT_SECRET"],
        "box_subject_type": "enterprise",
        "box_subject_id": ENTERPRISE["id"],
    }
    return http.post(f"{box.url}/oauth2/token", data=form).json()["access_token"]


@pytest.mark.parametrize("kind", ["file", "web_link"])
def test_a_trashed_file_or_web_link_is_still_shown_and_says_so(call, emulator, kind):
    item = emulator.add_item(ADA, "gone", kind, url="https://example.com/" if kind == "web_link" else None)
    emulator.tree.trash(item)
    answer = call("GET", f"/{kind}s/{item.id}")
    assert (answer.status_code, answer.json()["item_status"], answer.json()["name"]) == (200, "trashed", "gone")


def test_what_went_to_the_trash_with_its_folder_is_shown_too(call, emulator):
    folder = emulator.add_item(ADA, "folder", "folder")
    file = emulator.add_item(ADA, "file", parent=folder)
    emulator.tree.trash(folder)
    assert call("GET", f"/files/{file.id}").json()["item_status"] == "trashed"


def test_a_trashed_folder_stays_an_error_and_so_does_all_that_is_done_to_what_is_trashed(call, emulator):
    folder, file = emulator.add_item(ADA, "folder", "folder"), emulator.add_item(ADA, "file")
    for item in (folder, file):
        emulator.tree.trash(item)
    for method, path in (
        ("GET", f"/folders/{folder.id}"),
        ("GET", f"/folders/{folder.id}/items"),
        ("GET", f"/files/{file.id}/content"),
        ("GET", f"/files/{file.id}?fields=expiring_embed_link"),
        ("GET", f"/files/{file.id}/versions"),
        ("PUT", f"/files/{file.id}"),
        ("DELETE", f"/files/{file.id}"),
        ("POST", f"/files/{file.id}/copy"),
    ):
        answer = call(method, path, json=None if method == "GET" else {"parent": {"id": "0"}})
        assert (answer.status_code, answer.json()["code"]) == (404, "trashed"), (method, path)


def test_a_preflight_check_with_a_negative_size_is_refused(call, emulator):
    file = emulator.add_item(ADA, "file")
    for path, more in (("/files/content", {"name": "new", "parent": {"id": "0"}}), (f"/files/{file.id}/content", {})):
        assert call("OPTIONS", path, json={"size": 1} | more).status_code == 200
        answer = call("OPTIONS", path, json={"size": -1} | more)
        assert answer.status_code == 400
        assert answer.json()["context_info"]["errors"][0]["name"] == "size"


def renamed(sdk):
    """A file that was ``old.txt`` and is ``new.txt``, and the id of its first version."""
    file = sdk.upload("old.txt", b"old")
    attributes = uploads.UploadFileVersionAttributes(name="new.txt")
    sdk.uploads.upload_file_version(file.id, attributes, io.BytesIO(b"new"))
    return file.id, file.file_version.id


def promote(sdk, file, version):
    kind = file_versions.PromoteFileVersionType.FILE_VERSION
    return sdk.file_versions.promote_file_version(file, id=version, type=kind)


def test_promoting_an_old_version_brings_back_its_name(sdk):
    file, old = renamed(sdk)
    assert promote(sdk, file, old).name == "old.txt"
    now = sdk.files.get_file_by_id(file)
    assert (now.name, now.size, now.etag) == ("old.txt", 3, "2")
    assert sdk.upload("new.txt").name == "new.txt"  # that name is free


def test_a_version_that_was_uploaded_with_a_new_name_brings_back_that_one(sdk):
    file, old = renamed(sdk)
    new = sdk.files.get_file_by_id(file).file_version.id
    promote(sdk, file, old)
    assert promote(sdk, file, new).name == "new.txt"
    assert sdk.files.get_file_by_id(file).name == "new.txt"


def test_an_old_version_whose_name_is_taken_is_not_promoted(sdk):
    file, old = renamed(sdk)
    sdk.upload("OLD.txt")
    assert refused(promote, sdk, file, old) == (409, "item_name_in_use")
    assert sdk.files.get_file_by_id(file).name == "new.txt"


def test_an_upload_session_may_be_deleted_after_its_commit(sdk):
    session = sdk.chunked_uploads.create_file_upload_session("0", SIZE, "big.bin")
    size = session.part_size
    parts = [put(sdk, session, start, CONTENT[start : start + size]) for start in range(0, SIZE, size)]
    parts = [UploadPart(part_id=part.part_id, offset=part.offset, size=part.size) for part in parts]
    made = sdk.chunked_uploads.create_file_upload_session_commit(session.id, parts, digest(CONTENT)).entries[0]
    assert refused(sdk.chunked_uploads.get_file_upload_session_by_id, session.id) == (404, "not_found")
    sdk.chunked_uploads.delete_file_upload_session_by_id(session.id)
    assert sdk.files.get_file_by_id(made.id).size == SIZE
    assert refused(sdk.chunked_uploads.delete_file_upload_session_by_id, session.id) == (404, "not_found")
    assert refused(sdk.chunked_uploads.delete_file_upload_session_by_id, "ABC") == (404, "not_found")


@pytest.mark.parametrize("password", ["1aaaaaaa", "Aaaaaaaa", "!aaaaaaa", "aaaa aaaa"])
def test_a_password_with_a_number_or_an_upper_case_letter_or_another_character_is_good(call, emulator, password):
    file = emulator.add_item(ADA, "file")
    link = {"shared_link": {"access": "open", "password": password}}
    answer = call("PUT", f"/files/{file.id}?fields=shared_link", json=link)
    assert answer.status_code == 200
    assert answer.json()["shared_link"]["is_password_enabled"]


@pytest.mark.parametrize("password", ["", "aaaaaaaa", "1A!aaaa"])
def test_a_password_of_small_letters_or_of_seven_characters_is_not(call, emulator, password):
    file = emulator.add_item(ADA, "file")
    link = {"shared_link": {"access": "open", "password": password}}
    assert call("PUT", f"/files/{file.id}", json=link).status_code == 400


def test_the_apps_service_account_lists_and_creates_users_and_acts_for_them(call, service, emulator):
    assert call("GET", "/users/me", service).json()["login"].startswith("AutomationUser_")
    assert ADA in [user["login"] for user in call("GET", "/users", service).json()["entries"]]
    made = call("POST", "/users", service, json={"name": "App user", "is_platform_access_only": True})
    assert made.status_code == 201
    for user in (made.json()["id"], emulator.users.named(ADA).id):
        answer = call("GET", "/users/me", service, headers={"As-User": user})
        assert answer.json()["id"] == user


def test_nobody_else_may(http, box, call):
    bo = Sdk(box, http, BO)
    for method, path, options in (
        ("GET", "/users", {}),
        ("POST", "/users", {"json": {"name": "x", "login": "x@example.com"}}),
        ("GET", "/users/me", {"headers": {"As-User": box.emulator.users.named(ADA).id}}),
    ):
        assert call(method, path, bo.token, **options).status_code == 403


def test_the_token_endpoints_are_at_the_old_addresses_too(http, box, emulator):
    pair = emulator.sign_in(ADA)
    client = {"client_id": box.settings["CLIENT_ID"], "client_secret": box.settings["CLIENT_SECRET"]}
    form = {"grant_type": "refresh_token", "refresh_token": pair.refresh_token} | client
    answer = http.post(f"{box.url}/api/oauth2/token", data=form)
    assert answer.status_code == 200
    token = answer.json()["access_token"]
    assert http.post(f"{box.url}/api/oauth2/revoke", data={"token": token} | client).status_code == 200
    assert http.get(f"{box.url}/2.0/users/me", headers={"Authorization": f"Bearer {token}"}).status_code == 401
    emulator.fault("POST /api/oauth2/token", status=503)
    assert http.post(f"{box.url}/api/oauth2/token", data=form).json()["error"] == "server_error"


@pytest.mark.parametrize(("method", "path"), [("GET", "/events"), ("POST", "/webhooks"), ("PATCH", "/users/me")])
def test_what_is_not_served_is_answered_so_that_no_sdk_tries_again(call, method, path):
    answer = call(method, path)
    assert (answer.status_code, answer.json()["status"]) == (404, 404)
    assert answer.json()["code"] == "not_implemented"
    assert answer.json()["message"] == f"The Box emulator does not serve {method} /2.0{path}."
