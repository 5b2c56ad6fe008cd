"""What every token store must do. A store's tests are one class that inherits `StoreContract` and makes the store."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from box_auth.errors import SignInBusy, StoreUnavailable
from box_auth.stores.base import TokenStore
from box_auth.stores.record import TokenRecord

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


def save(store: TokenStore, record: TokenRecord) -> None:
    with store.lock(record.user_id) as held:
        held.save(record)


def write(store: TokenStore, user_id: str, data: bytes) -> None:
    """Put there what is no record."""
    with store.lock(user_id) as held:
        store.write(held, data)


class StoreContract:
    """Subclasses give a fixture ``store`` and a fixture ``other``: a second store object over the same place."""

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

    def test_a_lock_that_was_given_back_changes_nothing_any_more(self, store: TokenStore):
        save(store, RECORD)
        with store.lock(RECORD.user_id) as held:
            pass
        for attempt in (held.load, held.delete, held.check_writable, lambda: held.save(replace(RECORD, grant="late"))):
            with pytest.raises(RuntimeError):
                attempt()
        assert store.load(RECORD.user_id) == RECORD

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
