"""Users and avatars through the official SDK."""

import io

import pytest
from box_sdk_gen import UserFull

from box_emulator.pictures import picture

from .typed import Sdk, refused

NOT_ALLOWED = (403, "access_denied_insufficient_permissions")


@pytest.fixture
def bo(box, http, sdk):
    """Somebody who is no admin."""
    return Sdk(box, http, "bo@example.com")


def test_an_admin_makes_finds_changes_and_deletes_users(sdk):
    made = sdk.users.create_user("Cy Fake", login="cy@example.com", job_title="Baker", space_amount=1000)
    assert isinstance(made, UserFull)
    assert (made.login, made.job_title, made.space_amount, made.status.value) == (
        "cy@example.com",
        "Baker",
        1000,
        "active",
    )
    found = sdk.users.get_users(filter_term="CY")
    assert [user.id for user in found.entries] == [made.id]
    assert sdk.users.update_user_by_id(made.id, name="Cy Young", phone="555").phone == "555"
    assert sdk.users.get_user_by_id(made.id, fields=["role", "enterprise"]).role.value == "user"
    sdk.users.delete_user_by_id(made.id)
    assert refused(sdk.users.get_user_by_id, made.id) == (404, "not_found")


def test_an_app_user_needs_no_login(sdk):
    assert "@" in sdk.users.create_user("App user", is_platform_access_only=True).login
    assert refused(sdk.users.create_user, "No login")[0] == 400


def test_a_login_belongs_to_one_user(sdk):
    assert refused(sdk.users.create_user, "Bo again", login="BO@example.com") == (409, "user_login_already_used")


def test_a_user_with_items_is_deleted_only_by_force(sdk, emulator):
    bo = emulator.users.named("bo@example.com")
    assert refused(sdk.users.delete_user_by_id, bo.id)[0] == 409
    sdk.users.delete_user_by_id(bo.id, force=True)
    assert refused(sdk.users.get_user_by_id, bo.id)[0] == 404


def test_others_may_see_and_change_themselves_only(bo, emulator):
    me, ada = bo.users.get_user_me(), emulator.users.named("ada@example.com")
    assert bo.users.update_user_by_id(me.id, name="Bo Changed", address="Here 1").name == "Bo Changed"
    assert refused(bo.users.get_users) == NOT_ALLOWED
    assert refused(bo.users.get_user_by_id, ada.id) == NOT_ALLOWED
    assert refused(bo.users.create_user, "x", login="x@example.com") == NOT_ALLOWED
    assert refused(bo.users.update_user_by_id, me.id, space_amount=1 << 40) == NOT_ALLOWED
    assert refused(bo.users.delete_user_by_id, me.id) == NOT_ALLOWED


def test_an_admin_acts_as_somebody_else_and_others_do_not(sdk, bo, emulator):
    ada, other = emulator.users.named("ada@example.com"), emulator.users.named("bo@example.com")
    assert sdk.users.get_user_me(extra_headers={"As-User": other.id}).id == other.id
    as_bo = sdk.folders.get_folder_items("0", extra_headers={"As-User": other.id})
    assert [entry.id for entry in as_bo.entries] == [entry.id for entry in bo.folders.get_folder_items("0").entries]
    assert refused(bo.users.get_user_me, extra_headers={"As-User": ada.id}) == NOT_ALLOWED
    assert refused(sdk.users.get_user_me, extra_headers={"As-User": "nobody"}) == NOT_ALLOWED


def test_users_are_listed_by_offset_and_by_marker(sdk):
    every = [user.id for user in sdk.users.get_users().entries]
    assert [user.id for user in sdk.users.get_users(offset=1, limit=1).entries] == every[1:2]
    page = sdk.users.get_users(usemarker=True, limit=2)
    rest = sdk.users.get_users(usemarker=True, limit=2, marker=page.next_marker)
    assert [user.id for user in page.entries + rest.entries] == every


def test_an_avatar_is_uploaded_shown_and_deleted(sdk, emulator):
    me = sdk.users.get_user_me()
    drawn = picture("somebody new")
    urls = sdk.avatars.create_user_avatar(
        me.id, io.BytesIO(drawn), pic_file_name="me.png", pic_content_type="image/png"
    )
    assert urls.pic_urls.large.startswith("http")
    assert sdk.avatars.get_user_avatar(me.id).read() == drawn
    sdk.avatars.delete_user_avatar(me.id)
    assert refused(sdk.avatars.get_user_avatar, me.id) == (404, "not_found")
    assert sdk.users.get_user_me().avatar_url == ""
    assert refused(sdk.avatars.create_user_avatar, me.id, io.BytesIO(b"no picture"))[0] == 400
    assert refused(sdk.avatars.create_user_avatar, me.id, io.BytesIO(drawn + b"x" * (1 << 20)))[0] == 400


@pytest.mark.parametrize(
    "options",
    [
        {"name": " "},
        {"name": "n" * 51},
        {"login": "nobody"},
        {"space_amount": -2},
        {"job_title": "j" * 101},
    ],
)
def test_bad_user_data_is_refused(sdk, options, emulator):
    nil = emulator.users.named("nil@example.com")
    assert refused(sdk.users.update_user_by_id, nil.id, **options)[0] == 400
