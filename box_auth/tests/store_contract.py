"""What every token store must do. A store's tests are one class that inherits `StoreContract` and makes the store."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace

import pytest

from box_auth.errors import LockLost, SignInBusy, StoreUnavailable
from box_auth.stores.base import TokenStore
from box_auth.stores.record import Plain, TokenRecord, app_id

APP = app_id("i")  # the client id that tests of commands set
PLAIN = Plain(APP)
RECORD = TokenRecord(
    user_id="11446498",
    name="Ada “Ünïcode” 😀",
    login="ada@example.com",
    grant="grant-1",
    access_token="access-1",
    refresh_token="refresh-1",
    issued_at=1_700_000_000.25,
    lifetime=3600.0,
)


FILE = f"{RECORD.user_id}-{APP}.json"
FIRST = {"version": 1, **asdict(RECORD)}  # as version 1 wrote it


def save(store: TokenStore, record: TokenRecord) -> None:
    with store.lock(record.user_id) as held:
        held.save(record)


def write(store: TokenStore, user_id: str, data: bytes) -> None:
    """Put there what is no record."""
    with store.lock(user_id) as held:
        store.write(held, data)


class StoreContract:
    """Subclasses give these fixtures:

    ``store``; ``other``, a second store object over the same place; ``neighbour``, another Box app's over that place;
    ``lose``, called with a user id, which makes whoever holds this user's lock lose it; ``put_first``, called with
    bytes, which writes them where version 1 had `RECORD`.
    """

    def test_a_record_comes_back_as_it_was_saved(self, store: TokenStore, other: TokenStore):
        save(store, RECORD)
        assert store.load(RECORD.user_id) == RECORD
        assert other.load(RECORD.user_id) == RECORD

    def test_an_unknown_lifetime_is_kept_unknown(self, store: TokenStore, other: TokenStore):
        save(store, replace(RECORD, lifetime=None))
        assert other.load(RECORD.user_id).lifetime is None

    def test_nobody_is_there_at_first(self, store: TokenStore):
        assert store.load("42") is None
        assert store.users() == []

    def test_a_save_by_one_process_is_seen_by_the_other_at_once(self, store: TokenStore, other: TokenStore):
        save(store, RECORD)
        other.load(RECORD.user_id)
        for number in range(20):
            save(store, replace(RECORD, access_token=f"access-{number}"))
            assert other.load(RECORD.user_id).access_token == f"access-{number}"

    def test_users_do_not_meet(self, store: TokenStore):
        save(store, RECORD)
        save(store, replace(RECORD, user_id="7", access_token="seven"))
        assert store.load(RECORD.user_id) == RECORD
        assert store.load("7").access_token == "seven"
        assert store.users() == sorted([RECORD.user_id, "7"])

    def test_a_deleted_record_is_gone_for_everybody(self, store: TokenStore, other: TokenStore):
        save(store, RECORD)
        other.load(RECORD.user_id)
        with store.lock(RECORD.user_id) as held:
            held.delete()
        assert other.load(RECORD.user_id) is None
        assert store.users() == []
        with store.lock(RECORD.user_id) as held:
            held.delete()  # twice is fine

    def test_two_apps_in_one_place_know_nothing_of_each_other(self, store: TokenStore, neighbour: TokenStore):
        save(store, RECORD)
        assert neighbour.load(RECORD.user_id) is None
        assert neighbour.users() == []
        theirs = replace(RECORD, access_token="theirs", grant="grant-2")
        with store.lock(RECORD.user_id), neighbour.lock(RECORD.user_id, wait=0) as held:
            held.save(theirs)
        assert store.load(RECORD.user_id) == RECORD
        with store.lock(RECORD.user_id) as held:
            held.delete()
        assert neighbour.load(RECORD.user_id) == theirs

    def test_another_apps_record_is_none_wherever_it_was_put(self, store: TokenStore, neighbour: TokenStore):
        write(store, RECORD.user_id, neighbour.codec.encode(RECORD))
        assert store.load(RECORD.user_id) is None

    @pytest.mark.parametrize("who", ["reader", "holder", "writer"])
    def test_a_record_of_version_1_is_read_and_moved_on(self, store, other, neighbour, put_first, who):
        put_first(json.dumps(FIRST, indent=1).encode())
        assert store.users() == [RECORD.user_id]
        if who == "reader":
            assert replace(store.load(RECORD.user_id), grant="") == replace(RECORD, grant="")
        elif who == "holder":
            with store.lock(RECORD.user_id) as held:
                assert replace(held.load(), grant="") == replace(RECORD, grant="")
        else:
            save(store, RECORD)
        assert replace(other.load(RECORD.user_id), grant="") == replace(RECORD, grant="")
        assert neighbour.load(RECORD.user_id) is None
        assert neighbour.users() == []

    @pytest.mark.parametrize("content", [b"{", json.dumps(FIRST).encode()])
    def test_a_record_of_version_1_can_be_deleted_and_set_aside(self, store, other, put_first, content):
        put_first(content)
        with store.lock(RECORD.user_id) as held:
            held.delete() if content != b"{" else held.load()
        assert other.load(RECORD.user_id) is None
        assert other.users() == []

    def test_a_lock_that_was_given_back_changes_nothing_any_more(self, store: TokenStore):
        save(store, RECORD)
        with store.lock(RECORD.user_id) as held:
            pass
        for attempt in (held.load, held.delete, held.check_writable, lambda: held.save(replace(RECORD, grant="late"))):
            with pytest.raises(RuntimeError):
                attempt()
        assert store.load(RECORD.user_id) == RECORD

    @pytest.mark.parametrize("change", ["save", "delete", "set aside"])
    def test_a_lock_that_was_lost_changes_nothing_any_more(self, store, other, lose, change: str):
        save(store, RECORD)
        newer = replace(RECORD, refresh_token="newer")
        with store.lock(RECORD.user_id) as held:
            lose(RECORD.user_id)
            with other.lock(RECORD.user_id, wait=0) as later:
                later.save(newer)
                attempts = {
                    "save": lambda: held.save(RECORD),
                    "delete": held.delete,
                    "set aside": lambda: store.set_aside(held),
                }
                with pytest.raises(LockLost):
                    attempts[change]()
            assert store.load(RECORD.user_id) == newer
            with pytest.raises(LockLost):  # nor when the other has finished
                held.save(RECORD)
            assert store.load(RECORD.user_id) == newer
        with other.lock(RECORD.user_id, wait=0):
            pass

    def test_health_is_told_while_others_hold_every_lock(self, store: TokenStore, other: TokenStore):
        with other.lock("0"), other.lock(RECORD.user_id):
            store.check_writable()

    def test_the_lock_of_one_user_writes_no_other(self, store: TokenStore):
        with store.lock("42") as held, pytest.raises(ValueError, match="lock"):
            held.save(RECORD)
        assert store.users() == []

    @pytest.mark.parametrize("bad", [b"", b"half a rec", b"\x80\x04\x95binary", b"[]", b'{"version": 2}'])
    def test_what_cannot_be_read_is_set_aside_also_by_who_holds_the_lock(self, store: TokenStore, bad: bytes):
        write(store, RECORD.user_id, bad)
        with store.lock(RECORD.user_id) as held:
            assert held.load() is None
        assert store.users() == []
        write(store, RECORD.user_id, bad)
        assert store.load(RECORD.user_id) is None
        save(store, RECORD)
        assert store.load(RECORD.user_id) == RECORD

    def test_the_lock_keeps_a_second_holder_out_until_it_is_free(self, store: TokenStore, other: TokenStore):
        with store.lock("42"), pytest.raises(SignInBusy), other.lock("42", wait=0):
            pytest.fail("two holders at once")
        with other.lock("42", wait=0):
            pass

    def test_the_lock_is_freed_when_its_holder_fails(self, store: TokenStore, other: TokenStore):
        with pytest.raises(ZeroDivisionError), store.lock("42"):
            raise ZeroDivisionError
        with other.lock("42", wait=0):
            pass

    def test_the_lock_of_one_user_does_not_hold_up_another(self, store: TokenStore, other: TokenStore):
        with store.lock("42"), other.lock("43", wait=0):
            pass

    def test_the_lock_works_between_threads(self, store: TokenStore):
        inside, most = 0, 0
        guard = threading.Lock()

        def hold():
            nonlocal inside, most
            for _ in range(5):
                with store.lock("42"):
                    with guard:
                        inside += 1
                        most = max(most, inside)
                    time.sleep(0)
                    with guard:
                        inside -= 1

        threads = [threading.Thread(target=hold) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (inside, most) == (0, 1)

    def test_a_mark_is_used_once_by_whoever_comes_first(self, store: TokenStore, other: TokenStore):
        assert store.use_once("a mark, of any form: /../\x00\ud800😀", 60)
        assert not other.use_once("a mark, of any form: /../\x00\ud800😀", 60)
        assert other.use_once("another", 60)
        assert store.users() == []

    def test_of_many_threads_one_uses_a_mark(self, store: TokenStore, other: TokenStore):
        start = threading.Barrier(8)

        def use(number: int) -> bool:
            start.wait()
            return (store, other)[number % 2].use_once("a mark", 60)

        with ThreadPoolExecutor(8) as threads:
            assert sum(threads.map(use, range(8))) == 1

    def test_there_is_room_for_a_record_and_asking_changes_nothing(self, store: TokenStore):
        save(store, RECORD)
        store.check_writable()
        assert store.load(RECORD.user_id) == RECORD

    @pytest.mark.parametrize("name", ["../up", "", "1/2", "me", "1\n", "²", "1" * 33])
    def test_only_box_ids_name_a_record(self, store: TokenStore, name: str):
        with pytest.raises(StoreUnavailable):
            store.load(name)
        with pytest.raises(StoreUnavailable):
            save(store, replace(RECORD, user_id=name))
