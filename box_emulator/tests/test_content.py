"""The emulator's content API, read by the official SDK over real sockets."""

import datetime
import inspect
import struct
import zlib

import pytest
import requests
from box_sdk_gen import (
    BaseUrls,
    BoxAPIError,
    BoxClient,
    BoxDeveloperTokenAuth,
    BoxNetworkClient,
    BoxRetryStrategy,
    File,
    FileFull,
    Folder,
    FolderFull,
    FolderMini,
    NetworkSession,
    User,
    UserFull,
    WebLink,
)
from box_sdk_gen.internal.base_object import BaseObject
from box_sdk_gen.managers.folders import GetFolderItemsDirection, GetFolderItemsSort

ADA, BO, NIL = "ada@example.com", "bo@example.com", "nil@example.com"


@pytest.fixture
def http():
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.fixture
def sdk(box, http):
    """Make an SDK client for a user, which does not try again when something fails."""

    def client(login=ADA):
        network = NetworkSession(
            network_client=BoxNetworkClient(http),
            base_urls=BaseUrls(base_url=box.url, upload_url=f"{box.url}/api", oauth_2_url=f"{box.url}/oauth2"),
            retry_strategy=BoxRetryStrategy(max_attempts=1),
        )
        token = box.emulator.sign_in(login).access_token
        return BoxClient(BoxDeveloperTokenAuth(token), network_session=network)

    return client


@pytest.fixture
def get(box, http):
    """Get a path as a user, without an SDK in between."""

    def get(path, login=ADA, **options):
        headers = {"Authorization": f"Bearer {box.emulator.sign_in(login).access_token}"} | options.pop("headers", {})
        return http.get(f"{box.url}/2.0{path}", headers=headers, allow_redirects=False, **options)

    return get


def keys_of(sdk_class):
    """The keys of a form, as the SDK's class for it has them from Box's description of the API."""
    names = set(inspect.signature(sdk_class.__init__).parameters) - {"self", "kwargs"}
    return {"sha1" if name == "sha_1" else name for name in names}


def assert_typed(value):
    """Everything below is an object of the SDK, and nothing came that the SDK has no name for."""
    if isinstance(value, BaseObject):
        known = set(inspect.signature(type(value).__init__).parameters) | {"_raw_data"}
        assert set(vars(value)) <= known
        assert not isinstance(value, dict)
        for part in (part for name, part in vars(value).items() if name != "_raw_data"):
            assert_typed(part)
    elif isinstance(value, list):
        for part in value:
            assert_typed(part)
    else:
        assert value is None or isinstance(value, str | int | bool | datetime.datetime)


def names(answer):
    return [entry["name"] for entry in answer.json()["entries"]]


def crowd(emulator, count, login=NIL):
    """Fill a root folder with folders, files and web links, and return their names in Box's order."""
    kinds = ("web_link", "file", "folder")
    made = [(kinds[number % 3], f"{number:04}") for number in range(count)]
    for kind, name in made:
        emulator.add_item(login, name, kind, url="https://example.com/" if kind == "web_link" else None)
    return [name for _, name in sorted(made, key=lambda item: (-kinds.index(item[0]), item[1]))]


def test_the_sdk_reads_every_answer_as_typed_objects(sdk, get):
    client = sdk()
    user = client.users.get_user_me()
    root = client.folders.get_folder_by_id("0")
    listing = client.folders.get_folder_items("0")
    file = client.files.get_file_by_id(next(entry.id for entry in listing.entries if entry.type == "file"))
    assert [type(answer) for answer in (user, root, file)] == [UserFull, FolderFull, FileFull]
    assert {type(entry) for entry in listing.entries} == {FileFull, FolderMini, WebLink}
    for answer in (user, root, listing, file):
        assert_typed(answer)


@pytest.mark.parametrize(
    ("path", "form"),
    [("/users/me", User), ("/folders/0", Folder), ("/folders/{folder}", Folder), ("/files/{file}", File)],
)
def test_standard_forms_carry_every_key(get, path, form):
    entries = get("/folders/0/items").json()["entries"]
    ids = {entry["type"]: entry["id"] for entry in entries}
    answer = get(path.format(**ids)).json()
    assert set(answer) == keys_of(form)


def test_the_user_has_an_avatar_whose_address_is_given(get, http, box):
    me = get("/users/me").json()
    assert me["avatar_url"] == f"{box.url}/2.0/users/{me['id']}/avatar"
    answer = get(f"/users/{me['id']}/avatar")
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.content.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", answer.content[16:24])
    start = answer.content.index(b"IDAT") + 4
    length = struct.unpack(">I", answer.content[start - 8 : start - 4])[0]
    assert len(zlib.decompress(answer.content[start : start + length])) == height * (width + 1)


def test_a_user_may_have_no_avatar_no_space_figures_and_no_files(get):
    me = get("/users/me", NIL).json()
    assert me["avatar_url"] == ""
    assert not {"space_amount", "space_used"} & set(me)
    assert get(f"/users/{me['id']}/avatar", NIL).status_code == 404
    listing = get("/folders/0/items", NIL).json()
    assert (listing["entries"], listing["total_count"]) == ([], 0)


def test_fields_gives_the_mini_form_and_what_was_asked_for(get):
    assert set(get("/users/me?fields=space_used,nonsense").json()) == {"type", "id", "name", "login", "space_used"}
    mini = {"type", "id", "sequence_id", "etag", "name"}
    assert set(get("/folders/0?fields=size").json()) == mini | {"size"}
    entries = get("/folders/0/items?fields=modified_at,size").json()["entries"]
    found = {entry["type"]: set(entry) for entry in entries}
    assert found["folder"] == mini | {"modified_at", "size"}
    assert found["file"] == mini | {"sha1", "file_version", "modified_at", "size"}
    assert found["web_link"] == mini | {"url", "modified_at"}


def test_space_used_grows_with_files_and_so_do_the_folders_above(emulator, get):
    before = get("/users/me").json()["space_used"]
    outer = emulator.add_item(ADA, "outer", "folder")
    inner = emulator.add_item(ADA, "inner", "folder", parent=outer)
    emulator.add_item(ADA, "seven", parent=inner, content=b"7 bytes")
    assert get("/users/me").json()["space_used"] == before + 7
    assert [get(f"/folders/{folder.id}").json()["size"] for folder in (outer, inner)] == [7, 7]


def test_times_are_iso_8601_with_an_offset_and_follow_the_clock(emulator, sdk):
    emulator.clock.freeze()
    item = emulator.add_item(ADA, "now.txt")
    emulator.clock.advance(86400)
    file = sdk().files.get_file_by_id(item.id)
    assert file.created_at.utcoffset() is not None
    assert file.created_at.timestamp() == int(emulator.clock.now() - 86400)


def test_a_path_names_the_folders_from_the_root_down(emulator, sdk):
    outer = emulator.add_item(ADA, "outer", "folder")
    inner = emulator.add_item(ADA, "inner", "folder", parent=outer)
    file = sdk().files.get_file_by_id(emulator.add_item(ADA, "deep.txt", parent=inner).id)
    assert [folder.name for folder in file.path_collection.entries] == ["All Files", "outer", "inner"]
    assert file.parent.id == inner.id


def test_names_come_back_as_they_were(emulator, get):
    odd = ["‮txt.exe", "👩‍👩‍👧", "<b>&\"'", "ñ" * 255, "e\u0301", "𝔘"]
    folder = emulator.add_item(NIL, "odd", "folder")
    for name in odd:
        emulator.add_item(NIL, name, parent=folder)
    assert set(names(get(f"/folders/{folder.id}/items", NIL))) == set(odd)


@pytest.mark.parametrize("name", ["", " ", "a/b", "a\\b", "a\0b", "n" * 256, ".", "..", "trailing "])
def test_names_that_box_refuses_are_refused(emulator, name):
    with pytest.raises(ValueError, match="name"):
        emulator.add_item(ADA, name)


def test_names_are_taken_whatever_their_case(emulator):
    emulator.add_item(ADA, "Straße.txt")
    with pytest.raises(ValueError, match="same name already exists"):
        emulator.add_item(ADA, "STRASSE.TXT")


def test_folders_come_first_then_files_then_web_links_whatever_the_direction(emulator, get):
    expected = crowd(emulator, 7)
    assert names(get("/folders/0/items", NIL)) == expected
    answer = get("/folders/0/items?sort=name&direction=DESC", NIL)
    assert names(answer) == ["0005", "0002", "0004", "0001", "0006", "0003", "0000"]
    assert answer.json()["order"] == [{"by": "type", "direction": "ASC"}, {"by": "name", "direction": "DESC"}]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [("id", ["b", "C", "a"]), ("name", ["a", "b", "C"]), ("date", ["a", "C", "b"]), ("size", ["C", "a", "b"])],
)
def test_the_second_sort_key_can_be_chosen(emulator, get, sort, expected):
    for name, size, age in (("b", 9, 1), ("C", 1, 50), ("a", 5, 100)):
        emulator.add_item(NIL, name, content=b"x" * size, age=age)
    assert names(get(f"/folders/0/items?sort={sort}", NIL)) == expected
    assert names(get(f"/folders/0/items?sort={sort}&direction=desc", NIL)) == expected[::-1]


def test_offsets_page_through_a_folder(emulator, get):
    expected, seen = crowd(emulator, 11), []
    for offset in range(0, 11, 4):
        page = get(f"/folders/0/items?limit=4&offset={offset}", NIL)
        assert (page.json()["limit"], page.json()["offset"], page.json()["total_count"]) == (4, offset, 11)
        seen += names(page)
    assert seen == expected
    assert names(get("/folders/0/items?offset=9999", NIL)) == []


def test_the_limit_is_100_unless_told_and_1000_at_most(emulator, get):
    crowd(emulator, 120)
    usual = get("/folders/0/items", NIL)
    assert (len(names(usual)), usual.json()["limit"]) == (100, 100)
    assert get("/folders/0/items?limit=5000", NIL).json()["limit"] == 1000
    assert len(get("/folders/0", NIL).json()["item_collection"]["entries"]) == 100


@pytest.mark.parametrize(("sort", "direction"), [("name", "ASC"), ("date", "DESC"), ("size", "ASC"), ("id", "DESC")])
def test_markers_page_through_a_folder_without_gaps_or_repeats(emulator, sdk, sort, direction):
    folder = emulator.add_item(NIL, "full", "folder")
    for number in range(11):
        kind = ("file", "folder")[number % 2]
        emulator.add_item(NIL, f"{number}", kind, parent=folder, content=b"x" * (number % 3) * (kind == "file"))
    client, options = sdk(NIL), {"sort": GetFolderItemsSort(sort), "direction": GetFolderItemsDirection(direction)}
    at_once = [entry.id for entry in client.folders.get_folder_items(folder.id, **options).entries]
    seen, marker = [], None
    while marker != "":
        page = client.folders.get_folder_items(folder.id, usemarker=True, marker=marker, limit=2, **options)
        assert page.total_count is None
        seen += [entry.id for entry in page.entries]
        marker = page.next_marker or ""
    assert seen == at_once
    assert len(seen) == 11


def test_the_root_folder_pages_by_marker_in_its_own_order(emulator, get):
    expected = crowd(emulator, 5)
    first = get("/folders/0/items?usemarker=true&limit=3", NIL)
    second = get("/folders/0/items", NIL, params={"usemarker": "true", "marker": first.json()["next_marker"]})
    assert names(first) + names(second) == expected
    assert second.json()["next_marker"] is None


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("limit=0", "limit"),
        ("limit=-1", "limit"),
        ("limit=ten", "limit"),
        ("limit=1.5", "limit"),
        ("limit=", "limit"),
        ("limit=" + "9" * 30, "limit"),
        ("offset=10000", "offset"),
        ("offset=-1", "offset"),
        ("offset=x", "offset"),
        ("sort=colour", "sort"),
        ("direction=UP", "direction"),
        ("usemarker=maybe", "usemarker"),
        ("usemarker=true&marker=nonsense", "marker"),
        ("usemarker=true&marker=W10", "marker"),
        ("usemarker=true&marker=%C3%BC", "marker"),
        ("marker=W10", "marker"),
        ("usemarker=true&offset=1", "offset"),
        ("usemarker=true&sort=date", "sort"),
    ],
)
def test_bad_paging_is_a_400_that_names_the_parameter(get, query, name):
    answer = get(f"/folders/0/items?{query}")
    body = answer.json()
    assert answer.status_code == 400
    assert set(body) == {"type", "status", "code", "message", "context_info", "help_url", "request_id"}
    assert (body["type"], body["status"], body["code"], body["message"]) == ("error", 400, "bad_request", "Bad Request")
    assert body["context_info"]["errors"][0]["name"] == name


def test_a_marker_belongs_to_its_folder_and_order(emulator, get):
    crowd(emulator, 5)
    marker = get("/folders/0/items?usemarker=true&limit=2", NIL).json()["next_marker"]
    other = emulator.add_item(NIL, "other", "folder").id
    for path in (f"/folders/{other}/items", "/folders/0/items?direction=DESC"):
        assert get(path, NIL, params={"usemarker": "true", "marker": marker}).status_code == 400


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/folders/424242", 404, "not_found"),
        ("/folders/424242/items", 404, "not_found"),
        ("/files/0", 404, "not_found"),
        ("/files/99999999999999999999999", 404, "not_found"),
        ("/files/424242/content", 404, "not_found"),
        ("/folders/abc", 405, "method_not_allowed"),
        ("/files/1%C2%B2", 405, "method_not_allowed"),
        ("/users/424242/avatar", 404, "not_found"),
        ("/collaborations/1", 404, "not_implemented"),
    ],
)
def test_what_is_not_there_is_an_error_of_boxs_shape(get, path, status, code):
    answer = get(path)
    assert answer.status_code == status
    assert (answer.json()["status"], answer.json()["code"]) == (status, code)


def test_an_unserved_route_is_a_404_that_names_it(http, box):
    answer = http.post(f"{box.url}/2.0/webhooks?secret=1", json={})
    assert answer.status_code == 404
    assert answer.json()["message"] == "The Box emulator does not serve POST /2.0/webhooks."


def test_a_user_sees_nobody_elses_files_and_a_file_is_no_folder(emulator, get):
    file, folder = emulator.add_item(BO, "hers.txt"), emulator.add_item(BO, "hers", "folder")
    assert [get(path, BO).status_code for path in (f"/files/{file.id}", f"/folders/{folder.id}")] == [200, 200]
    assert [get(path, ADA).status_code for path in (f"/files/{file.id}", f"/folders/{folder.id}")] == [404, 404]
    assert [get(path, BO).status_code for path in (f"/files/{folder.id}", f"/folders/{file.id}")] == [404, 404]
    with pytest.raises(ValueError, match="not found"):
        emulator.add_item(ADA, "intruder", parent=folder)


def test_an_unchanged_item_is_not_sent_again(emulator, get):
    file = emulator.add_item(ADA, "same.txt")
    answer = get(f"/files/{file.id}", headers={"If-None-Match": file.etag})
    assert (answer.status_code, answer.content) == (304, b"")
    assert get(f"/files/{file.id}", headers={"If-None-Match": "7"}).status_code == 200


@pytest.mark.parametrize("header", ["Bearer nonsense", "bearer ü", "Bearer  "])
def test_a_bad_token_is_a_401_with_an_empty_body(http, box, header):
    answer = http.get(f"{box.url}/2.0/users/me", headers={"Authorization": header.encode()})
    assert (answer.status_code, answer.content) == (401, b"")
    assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="Service"')


def test_an_expired_token_is_a_401_with_an_empty_body(emulator, http, box):
    pair = emulator.sign_in(ADA)
    emulator.expire_tokens()
    answer = http.get(f"{box.url}/2.0/folders/0", headers={"Authorization": f"Bearer {pair.access_token}"})
    assert (answer.status_code, answer.content) == (401, b"")
    assert answer.headers["WWW-Authenticate"] == (
        'Bearer realm="Service", error="invalid_token", error_description="The access token provided is invalid."'
    )


def test_the_sdk_raises_boxs_error_for_what_is_missing(sdk):
    with pytest.raises(BoxAPIError) as caught:
        sdk().files.get_file_by_id("424242")
    assert caught.value.response_info.status_code == 404
    assert caught.value.response_info.code == "not_found"


def test_content_comes_from_a_second_host_without_a_token(emulator, get, http, box, sdk):
    file = emulator.add_item(ADA, "“ü”.txt", content="grüß Gott".encode())
    answer = get(f"/files/{file.id}/content")
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(f"{box.download_url}/")
    assert box.download_url != box.url
    content = http.get(answer.headers["Location"])
    assert content.content == "grüß Gott".encode()
    assert content.headers["Content-Disposition"].endswith("%E2%80%9C%C3%BC%E2%80%9D.txt")
    assert sdk().downloads.download_file(file.id).read() == content.content


def test_a_download_address_lives_15_minutes_and_cannot_be_changed(emulator, get, http):
    file, other = emulator.add_item(ADA, "a.txt", content=b"a"), emulator.add_item(BO, "b.txt", content=b"b")
    address = get(f"/files/{file.id}/content").headers["Location"]
    assert http.get(address.replace(file.id, other.id)).status_code == 403
    assert http.get(address + "0").status_code == 403
    assert http.get(address.partition("?")[0]).status_code == 403
    emulator.clock.advance(14 * 60)
    assert http.get(address).status_code == 200
    emulator.clock.advance(61)
    assert http.get(address).status_code == 403
