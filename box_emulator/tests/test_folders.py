"""Folders, and what items of every kind have in common, through the official SDK."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from box_sdk_gen import FolderFull, TrashFile, TrashFolder, TrashFolderRestored
from box_sdk_gen.managers.folders import CopyFolderParent, CreateFolderParent, UpdateFolderByIdParent

from .typed import refused

ROOT = CreateFolderParent(id="0")


@pytest.fixture
def make(sdk):
    """Make a folder in another, or in the root."""
    return lambda name, parent="0": sdk.folders.create_folder(name, CreateFolderParent(id=parent))


def names(sdk, folder="0"):
    return {entry.name for entry in sdk.folders.get_folder_items(folder).entries}


def test_a_folder_is_made_renamed_moved_and_described(sdk, make):
    outer, folder = make("outer"), make("folder")
    assert isinstance(folder, FolderFull)
    assert (folder.etag, folder.parent.id, folder.item_collection.total_count) == ("0", "0", 0)
    changed = sdk.folders.update_folder_by_id(
        folder.id, name="Renamed", description="why", parent=UpdateFolderByIdParent(id=outer.id), tags=["a", "b"]
    )
    assert (changed.name, changed.description, changed.parent.id, changed.etag) == ("Renamed", "why", outer.id, "1")
    assert [above.name for above in changed.path_collection.entries] == ["All Files", "outer"]
    assert sdk.folders.get_folder_by_id(folder.id, fields=["tags"]).tags == ["a", "b"]
    assert names(sdk, outer.id) == {"Renamed"}


def test_a_copy_has_all_that_is_below_with_ids_of_its_own(sdk, make):
    folder = make("original")
    inner = make("inner", folder.id)
    file = sdk.upload("deep.txt", b"12345", inner.id)
    copied = sdk.folders.copy_folder(folder.id, CopyFolderParent(id="0"), name="copy")
    assert (copied.name, copied.size) == ("copy", 5)
    (inner_copy,) = sdk.folders.get_folder_items(copied.id).entries
    (file_copy,) = sdk.folders.get_folder_items(inner_copy.id).entries
    assert (file_copy.name, file_copy.sha_1) == ("deep.txt", file.sha_1)
    assert file_copy.id != file.id
    assert sdk.downloads.download_file(file_copy.id).read() == b"12345"


def test_names_are_unique_in_a_folder_whatever_their_case(sdk, make):
    first = make("Straße")
    with pytest.raises(Exception) as caught:
        make("STRASSE")
    error = caught.value.response_info
    assert (error.status_code, error.code) == (409, "item_name_in_use")
    assert error.context_info["conflicts"][0]["id"] == first.id
    other = make("other")
    assert refused(sdk.folders.update_folder_by_id, other.id, name="strasse") == (409, "item_name_in_use")
    assert refused(sdk.folders.copy_folder, other.id, CopyFolderParent(id="0")) == (409, "item_name_in_use")
    assert sdk.folders.update_folder_by_id(first.id, name="STRASSE").name == "STRASSE"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("a/b", "item_name_invalid"),
        ("a\\b", "item_name_invalid"),
        ("a\tb", "item_name_invalid"),
        ("  ", "item_name_invalid"),
        ("..", "item_name_invalid"),
        ("end ", "item_name_invalid"),
        ("n" * 256, "item_name_too_long"),
    ],
)
def test_bad_names_are_refused_everywhere(sdk, make, name, code):
    assert refused(make, name) == (400, code)
    folder = make("good")
    assert refused(sdk.folders.update_folder_by_id, folder.id, name=name) == (400, code)
    assert refused(sdk.folders.copy_folder, folder.id, CopyFolderParent(id="0"), name=name) == (400, code)
    assert refused(sdk.upload, name) == (400, code)


def test_a_folder_goes_neither_into_itself_nor_below(sdk, make):
    outer = make("outer")
    inner = make("inner", outer.id)
    for target in (outer, inner):
        there = UpdateFolderByIdParent(id=target.id)
        move = refused(sdk.folders.update_folder_by_id, outer.id, parent=there)
        assert move == (400, "cyclical_folder_structure")
        assert refused(sdk.folders.copy_folder, outer.id, CopyFolderParent(id=target.id))[0] == 400
    for unknown in (UpdateFolderByIdParent(id="424242"), UpdateFolderByIdParent(id=sdk.upload("file").id)):
        assert refused(sdk.folders.update_folder_by_id, inner.id, parent=unknown) == (404, "not_found")


def test_the_root_stays_as_it_is(sdk):
    assert refused(sdk.folders.update_folder_by_id, "0", name="mine")[0] == 403
    assert refused(sdk.folders.delete_folder_by_id, "0", recursive=True)[0] == 403
    assert refused(sdk.folders.copy_folder, "0", CopyFolderParent(id="0"))[0] == 500  # as the description has it


def test_a_folder_with_items_is_deleted_only_if_told_to(sdk, make):
    folder = make("full")
    file = sdk.upload("file.txt", parent=folder.id)
    assert refused(sdk.folders.delete_folder_by_id, folder.id) == (400, "folder_not_empty")
    sdk.folders.delete_folder_by_id(folder.id, recursive=True)
    assert "full" not in names(sdk)
    assert refused(sdk.folders.get_folder_by_id, folder.id) == (404, "trashed")
    assert sdk.files.get_file_by_id(file.id).item_status.value == "trashed"
    trashed = sdk.trashed_folders.get_trashed_folder_by_id(folder.id)
    assert isinstance(trashed, TrashFolder)
    assert (trashed.item_status.value, trashed.path_collection.entries[0].name) == ("trashed", "Trash")
    assert refused(sdk.trashed_files.get_trashed_file_by_id, file.id)[0] == 404  # only what went there by itself


def test_what_is_in_the_trash_comes_back_with_all_below_it(sdk, make):
    folder = make("folder")
    inner = make("inner", folder.id)
    sdk.upload("file.txt", b"123", inner.id)
    sdk.folders.delete_folder_by_id(folder.id, recursive=True)
    make("folder")
    assert refused(sdk.trashed_folders.restore_folder_from_trash, folder.id) == (409, "item_name_in_use")
    back = sdk.trashed_folders.restore_folder_from_trash(folder.id, name="folder again")
    assert isinstance(back, TrashFolderRestored)
    assert (back.name, back.item_status.value, back.trashed_at) == ("folder again", "active", None)
    assert names(sdk, inner.id) == {"file.txt"}
    assert sdk.folders.get_folder_by_id(folder.id).size == 3
    assert refused(sdk.trashed_folders.restore_folder_from_trash, folder.id) == (404, "not_trashed")


def test_the_trash_lists_what_went_there_by_itself(sdk, make, emulator):
    folder = make("folder")
    file, alone = sdk.upload("in folder.txt", parent=folder.id), sdk.upload("alone.txt")
    sdk.files.delete_file_by_id(alone.id)
    sdk.folders.delete_folder_by_id(folder.id, recursive=True)
    listing = sdk.trashed_items.get_trashed_items()
    assert ([entry.name for entry in listing.entries], listing.total_count) == (["folder", "alone.txt"], 2)
    page = sdk.trashed_items.get_trashed_items(limit=1, usemarker=True)
    rest = sdk.trashed_items.get_trashed_items(limit=1, usemarker=True, marker=page.next_marker)
    assert (rest.entries[0].name, rest.next_marker) == ("alone.txt", None)
    trashed = sdk.trashed_files.get_trashed_file_by_id(alone.id)
    assert isinstance(trashed, TrashFile)
    assert trashed.purged_at.timestamp() == pytest.approx(emulator.clock.now() + 30 * 86400, abs=60)
    assert refused(sdk.trashed_files.delete_trashed_file_by_id, file.id)[0] == 404


def test_space_comes_back_when_the_trash_is_emptied(sdk, make):
    used = sdk.users.get_user_me().space_used
    folder = make("folder")
    file = sdk.upload("big.bin", b"x" * 1000, folder.id)
    sdk.folders.delete_folder_by_id(folder.id, recursive=True)
    assert sdk.users.get_user_me().space_used == used + 1000
    sdk.trashed_folders.delete_trashed_folder_by_id(folder.id)
    assert sdk.users.get_user_me().space_used == used
    assert refused(sdk.trashed_folders.get_trashed_folder_by_id, folder.id) == (404, "not_found")
    assert refused(sdk.files.get_file_by_id, file.id) == (404, "not_found")


def test_an_item_comes_back_elsewhere_if_its_folder_is_gone(sdk, make):
    folder = make("folder")
    file = sdk.upload("file.txt", parent=folder.id)
    sdk.files.delete_file_by_id(file.id)
    sdk.folders.delete_folder_by_id(folder.id)
    assert refused(sdk.trashed_files.restore_file_from_trash, file.id)[0] == 404
    assert sdk.trashed_files.restore_file_from_trash(file.id, parent=ROOT).parent.id == "0"


def test_a_change_based_on_an_old_version_is_refused(sdk, make):
    folder = make("folder")
    sdk.folders.update_folder_by_id(folder.id, name="newer", if_match="0")
    stale = (412, "precondition_failed")
    assert refused(sdk.folders.update_folder_by_id, folder.id, name="x", if_match="0") == stale
    assert refused(sdk.folders.delete_folder_by_id, folder.id, if_match="0") == stale
    sdk.folders.delete_folder_by_id(folder.id, if_match="1")


def test_of_many_that_make_the_same_folder_one_succeeds(sdk, make, emulator):
    def attempt(number):
        try:
            return make("only one").name
        except Exception as error:
            return error.response_info.code

    with ThreadPoolExecutor(8) as pool:
        outcomes = sorted(pool.map(attempt, range(8)))
    assert outcomes == ["item_name_in_use"] * 7 + ["only one"]
