"""Shared links, comments, web links, search and recent items through the official SDK."""

import datetime

import pytest
from box_sdk_gen import CommentFull, FileFull, FolderFull, WebLink, null
from box_sdk_gen.managers import comments, search, shared_links_files, shared_links_folders, web_links
from box_sdk_gen.managers.web_links import CreateWebLinkParent

from .typed import Sdk, refused

ADA, BO = "ada@example.com", "bo@example.com"


@pytest.fixture
def other(box, http, sdk):
    """Somebody else."""
    return Sdk(box, http, BO)


def share(sdk, file, **options):
    link = shared_links_files.AddShareLinkToFileSharedLink(**options)
    return sdk.shared_links_files.add_share_link_to_file(file.id, "shared_link", shared_link=link).shared_link


def test_a_shared_link_is_made_shown_and_removed(sdk):
    file = sdk.upload("shared.txt")
    made = share(sdk, file)
    assert (made.access.value, made.effective_permission.value, made.permissions.can_download) == (
        "open",
        "can_download",
        True,
    )
    assert sdk.files.get_file_by_id(file.id).shared_link.url == made.url
    gone = sdk.shared_links_files.remove_shared_link_from_file(file.id, "shared_link", shared_link=null)
    assert gone.shared_link is None
    folder = sdk.folders.get_folder_items("0").entries[0]
    in_folder = shared_links_folders.AddShareLinkToFolderSharedLink(access="company")
    shared = sdk.shared_links_folders.add_share_link_to_folder(folder.id, "shared_link", shared_link=in_folder)
    assert (shared.shared_link.access.value, shared.shared_link.download_url) == ("company", None)


def test_whoever_has_a_link_sees_the_item_and_what_is_below_it(sdk, other, emulator):
    folder = emulator.add_item(ADA, "open", "folder")
    file = sdk.upload("inside.txt", b"for all", folder.id)
    link = shared_links_folders.AddShareLinkToFolderSharedLink(access="open")
    url = sdk.shared_links_folders.add_share_link_to_folder(folder.id, "shared_link", shared_link=link).shared_link.url
    header = f"shared_link={url}"
    found = other.shared_links_folders.find_folder_for_shared_link(header)
    assert isinstance(found, FolderFull)
    assert (found.id, found.path_collection.total_count) == (folder.id, 0)
    assert refused(other.files.get_file_by_id, file.id) == (404, "not_found")
    assert other.files.get_file_by_id(file.id, boxapi=header).name == "inside.txt"
    assert [entry.id for entry in other.folders.get_folder_items(folder.id, boxapi=header).entries] == [file.id]
    assert other.downloads.download_file(file.id, boxapi=header).read() == b"for all"
    assert refused(other.files.delete_file_by_id, file.id, extra_headers={"boxapi": header})[0] == 404


def test_a_link_may_need_a_password_have_an_end_or_forbid_downloads(sdk, other, emulator):
    file = sdk.upload("secret.txt", b"secret")
    url = share(sdk, file, password="Str0ng-password").url
    find = other.shared_links_files.find_file_for_shared_link
    assert refused(find, f"shared_link={url}") == (403, "incorrect_shared_item_password")
    assert find(f"shared_link={url}&shared_link_password=Str0ng-password").id == file.id
    assert refused(share, sdk, file, password="weak")[0] == 400
    may_not = shared_links_files.AddShareLinkToFileSharedLinkPermissionsField(can_download=False)
    shown = share(sdk, file, password=null, permissions=may_not)
    assert (shown.is_password_enabled, shown.effective_permission.value) == (False, "can_preview")
    assert refused(other.downloads.download_file, file.id, boxapi=f"shared_link={url}")[0] == 403
    end = datetime.datetime.fromtimestamp(emulator.clock.now() + 60, datetime.UTC)
    assert share(sdk, file, unshared_at=end).unshared_at == end.replace(microsecond=0)
    emulator.clock.advance(61)
    assert refused(find, f"shared_link={url}") == (404, "not_found")
    assert sdk.files.get_file_by_id(file.id).shared_link is None
    assert refused(share, sdk, file, unshared_at=end)[0] == 400


def test_links_for_collaborators_and_links_of_what_is_in_the_trash_lead_nowhere(sdk, other):
    file = sdk.upload("mine.txt")
    header = f"shared_link={share(sdk, file, access='collaborators').url}"
    find = other.shared_links_files.find_file_for_shared_link
    assert refused(find, header)[0] == 404
    assert sdk.shared_links_files.find_file_for_shared_link(header).id == file.id
    share(sdk, file, access="open")
    assert isinstance(find(header), FileFull)
    sdk.files.delete_file_by_id(file.id)
    assert refused(find, header)[0] == 404


def test_a_direct_link_gives_the_bytes_and_counts(sdk, http):
    file = sdk.upload("photo.png", b"picture")
    link = share(sdk, file)
    assert http.get(link.download_url).content == b"picture"
    assert sdk.files.get_file_by_id(file.id).shared_link.download_count == 1
    share(sdk, file, access="company")
    assert http.get(link.download_url).status_code == 403


def test_a_link_may_have_a_name_of_its_own_that_nobody_else_has(sdk):
    first, second = sdk.upload("1.txt"), sdk.upload("2.txt")
    assert share(sdk, first, vanity_name="my-own-name-1").vanity_url.endswith("/v/my-own-name-1")
    assert refused(share, sdk, second, vanity_name="My-Own-Name-1")[0] == 400
    assert refused(share, sdk, second, vanity_name="short")[0] == 400


def test_comments_are_written_read_changed_answered_and_deleted(sdk, other):
    file = sdk.upload("discussed.txt")
    kinds = comments.CreateCommentItemTypeField
    made = sdk.comments.create_comment("Nice.", comments.CreateCommentItem(id=file.id, type=kinds.FILE))
    assert isinstance(made, CommentFull)
    assert (made.message, made.created_by.login, made.item.id) == ("Nice.", ADA, file.id)
    reply = sdk.comments.create_comment("Thanks.", comments.CreateCommentItem(id=made.id, type=kinds.COMMENT))
    assert (reply.is_reply_comment, reply.item.type) == (True, "comment")
    assert sdk.comments.update_comment_by_id(made.id, message="Very nice.").message == "Very nice."
    listing = sdk.comments.get_file_comments(file.id)
    assert ([entry.message for entry in listing.entries], listing.total_count) == (["Very nice.", "Thanks."], 2)
    assert sdk.files.get_file_by_id(file.id, fields=["comment_count"]).comment_count == 2
    assert refused(other.comments.get_comment_by_id, made.id)[0] == 404
    sdk.comments.delete_comment_by_id(made.id)
    assert sdk.comments.get_file_comments(file.id).total_count == 0
    empty = comments.CreateCommentItem(id=file.id, type=kinds.FILE)
    assert refused(sdk.comments.create_comment, " ", empty) == (400, "bad_request")


def test_web_links_go_the_way_of_all_items(sdk):
    link = sdk.web_links.create_web_link("https://example.com/a/b", CreateWebLinkParent(id="0"))
    assert isinstance(link, WebLink)
    assert (link.name, link.url) == ("https://example.com/a/b", "https://example.com/a/b")
    changed = sdk.web_links.update_web_link_by_id(link.id, name="Example", url="https://example.com/")
    assert (changed.name, sdk.web_links.get_web_link_by_id(link.id).url) == ("Example", "https://example.com/")
    shared = web_links.UpdateWebLinkByIdSharedLink(access="open")
    assert sdk.web_links.update_web_link_by_id(link.id, shared_link=shared).shared_link.access.value == "open"
    sdk.web_links.delete_web_link_by_id(link.id)
    assert sdk.trashed_web_links.get_trashed_web_link_by_id(link.id).item_status.value == "trashed"
    assert sdk.trashed_web_links.restore_weblink_from_trash(link.id, name="Back").name == "Back"
    sdk.web_links.delete_web_link_by_id(link.id)
    sdk.trashed_web_links.delete_trashed_web_link_by_id(link.id)
    assert refused(sdk.web_links.get_web_link_by_id, link.id) == (404, "not_found")
    assert refused(sdk.web_links.create_web_link, "ftp://example.com", CreateWebLinkParent(id="0"))[0] == 400


def found(sdk, query, **options):
    return [entry.name for entry in sdk.search.search_for_content(query=query, **options).entries]


@pytest.fixture
def library(sdk, emulator):
    folder = emulator.add_item(ADA, "zebra", "folder", age=100)
    emulator.add_item(ADA, "Zebra report.TXT", parent=folder, content=b"x" * 100, description="stripes", age=50)
    emulator.add_item(ADA, "zebra picture.png", content=b"x" * 10, age=10)
    emulator.add_item(ADA, "zebra site", "web_link", url="https://example.com/")
    emulator.add_item(BO, "zebra of another")
    return folder


def test_search_finds_words_in_names_and_descriptions(sdk, library):
    everything = {"zebra", "Zebra report.TXT", "zebra picture.png", "zebra site"}
    assert set(found(sdk, "ZEBRA")) == everything
    assert found(sdk, "stripes") == ["Zebra report.TXT"]
    assert found(sdk, "zebra NOT report NOT site NOT picture") == ["zebra"]
    assert set(found(sdk, '"zebra report" OR picture')) == {"Zebra report.TXT", "zebra picture.png"}
    assert found(sdk, "100%_!") == []
    names = [search.SearchForContentContentTypes.NAME]
    assert found(sdk, "stripes", content_types=names) == []


def test_search_has_filters_an_order_and_pages(sdk, library, emulator):
    kinds, sorts = search.SearchForContentType, search.SearchForContentSort
    assert found(sdk, "zebra", type=kinds.FOLDER) == ["zebra"]
    assert found(sdk, "zebra", file_extensions=["txt", "md"]) == ["Zebra report.TXT"]
    assert found(sdk, "zebra", size_range=[50, 200]) == ["Zebra report.TXT"]
    assert found(sdk, "zebra", ancestor_folder_ids=[library.id]) == ["Zebra report.TXT"]
    assert found(sdk, "zebra", owner_user_ids=["424242"]) == []
    now = datetime.datetime.fromtimestamp(emulator.clock.now() - 30, datetime.UTC).isoformat()
    assert set(found(sdk, "zebra", updated_at_range=[now, ""])) == {"zebra picture.png", "zebra site"}
    newest = found(sdk, "zebra", sort=sorts.MODIFIED_AT)
    assert newest == ["zebra site", "zebra picture.png", "Zebra report.TXT", "zebra"]
    assert found(sdk, "zebra", sort=sorts.MODIFIED_AT, limit=2, offset=1) == newest[1:3]
    sdk.folders.delete_folder_by_id(library.id, recursive=True)
    trashed = search.SearchForContentTrashContent.TRASHED_ONLY
    assert set(found(sdk, "zebra", trash_content=trashed)) == {"zebra", "Zebra report.TXT"}
    linked = sdk.search.search_for_content(query="zebra", include_recent_shared_links=True)
    assert {entry.item.name for entry in linked.entries} == {"zebra picture.png", "zebra site"}


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({}, 400),
        ({"query": "a", "offset": 10001}, 400),
        ({"query": "a", "size_range": [1, 2, 3]}, 400),
        ({"query": "a", "created_at_range": ["soon", ""]}, 400),
        ({"query": "a", "ancestor_folder_ids": ["424242"]}, 404),
        ({"query": "a", "scope": search.SearchForContentScope.ENTERPRISE_CONTENT}, 403),
    ],
)
def test_searches_that_box_refuses_are_refused(sdk, options, status):
    assert refused(sdk.search.search_for_content, **options)[0] == status


def test_recent_items_are_those_touched_last(sdk, emulator):
    first, second = sdk.upload("first.txt"), sdk.upload("second.txt")
    emulator.clock.advance(60)
    sdk.downloads.download_file(first.id).read()
    answer = sdk.recent_items.get_recent_items()
    assert answer.raw_data["order"] == {"by": "interacted_at", "direction": "DESC"}
    recent = answer.entries[:2]
    assert [(entry.item.id, entry.interaction_type.value) for entry in recent] == [
        (first.id, "item_open"),
        (second.id, "item_upload"),
    ]
    page = sdk.recent_items.get_recent_items(limit=1)
    assert sdk.recent_items.get_recent_items(limit=1, marker=page.next_marker).entries[0].item.id == second.id
    sdk.files.delete_file_by_id(first.id)
    assert sdk.recent_items.get_recent_items().entries[0].item.id == second.id
