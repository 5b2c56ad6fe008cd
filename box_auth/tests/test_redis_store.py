"""The token store in Redis, against a real redis-server: the contract, and what only Redis can suffer."""

import time

import pytest
import redis

from box_auth.errors import StoreUnavailable
from box_auth.network.retries import CONNECT, READ
from box_auth.stores.base import LOCK_WAIT
from box_auth.stores.redis import LOCK_LIFE, RedisStore, connect

from .journey import App, Visitor, checkout, code_of, free_port, live_settings, running
from .redis_server import RedisServer, needs_redis
from .store_contract import RECORD, StoreContract, save

USER = RECORD.user_id
KEY = f"box:token:{USER}"

pytestmark = needs_redis


@pytest.fixture(scope="module")
def server():
    with RedisServer() as server:
        yield server


@pytest.fixture
def client(server):
    client = connect(server.url)
    client.flushall()
    yield client
    client.close()


@pytest.fixture
def store(client):
    return RedisStore(client)


@pytest.fixture
def other(server, client):
    second = redis.Redis.from_url(server.url)
    yield RedisStore(second)
    second.close()


class TestRedisStore(StoreContract):
    pass


def test_a_record_expires_with_its_refresh_token(client, store):
    save(store, RECORD)
    assert 59 * 86400 < client.ttl(KEY) <= 60 * 86400


def test_a_lock_ends_by_itself_after_its_holder_died_and_not_before_a_refresh_can(client, store):
    with store.lock(USER):
        assert LOCK_LIFE - 5 < client.ttl(f"box:lock:{USER}") <= LOCK_LIFE
    assert not client.exists(f"box:lock:{USER}")


def test_a_living_holder_keeps_its_lock_for_as_long_as_it_needs(client, store, monkeypatch):
    monkeypatch.setattr("box_auth.stores.redis.LOCK_LIFE", 1.0)
    with store.lock(USER):
        first = client.get(f"box:lock:{USER}")
        deadline = time.monotonic() + 2.5  # more than two lives
        while time.monotonic() < deadline:
            assert client.get(f"box:lock:{USER}") == first
            client.blpop("nothing", timeout=0.1)  # leaves the time to the thread that prolongs the lock
    assert not client.exists(f"box:lock:{USER}")


def test_a_dead_holders_lock_ends_before_others_stop_waiting():
    assert CONNECT + READ < LOCK_LIFE < LOCK_WAIT


def test_a_lock_that_passed_to_somebody_else_is_not_freed_by_its_first_holder(client, store):
    with store.lock(USER):
        client.set(f"box:lock:{USER}", "somebody else's")
    assert client.get(f"box:lock:{USER}") == b"somebody else's"


@pytest.mark.parametrize("foreign", [b"", b"\x80\x04\x95binary", b'{"version": 1, "user_id": "1144', b'{"version": 7}'])
def test_a_foreign_or_truncated_value_is_set_aside(client, store, foreign):
    client.set(KEY, foreign)
    assert store.load(USER) is None
    (aside,) = client.keys("*unreadable*")
    assert client.get(aside) == foreign
    assert store.users() == []


def test_a_value_of_another_type_is_set_aside(client, store):
    client.rpush(KEY, "a list")
    assert store.load(USER) is None
    assert client.keys("*unreadable*")
    save(store, RECORD)
    assert store.load(USER) == RECORD


def test_nobody_at_the_address_is_a_clear_error_without_the_password():
    store = RedisStore(connect(f"redis://:hush-hush@127.0.0.1:{free_port()}/0"))
    for attempt in (lambda: store.load(USER), lambda: save(store, RECORD), store.users, lambda: store.check_writable()):
        with pytest.raises(StoreUnavailable) as caught:
            attempt()
        assert caught.value.code == "redis_away"
        assert "hush" not in str(caught.value)


@pytest.mark.parametrize("given", [":hush-hush@", "", "nobody:hush-hush@"])
def test_a_wrong_or_missing_password_is_a_clear_error_without_it(given):
    with RedisServer(password="right") as server:
        store = RedisStore(connect(server.url.replace(":right@", given)))
        check_refused(store)


def check_refused(store):
    with pytest.raises(StoreUnavailable) as caught:
        store.load(USER)
    assert caught.value.code == "redis_refused"
    assert "hush" not in str(caught.value)


def test_two_apps_share_sign_ins_and_survive_an_outage_of_redis(emulator, box, tmp_path):
    with RedisServer() as server:
        folder = checkout(tmp_path / "fork")
        more = {"REDIS_URL": server.url, "SECRET_KEY": "the same on both"}
        first = App(folder, **live_settings(emulator, box, free_port(), **more))
        second = App(folder, **live_settings(emulator, box, free_port(), **more))
        with running(first), running(second), Visitor(first.url) as visitor:
            assert visitor.sign_in().url.endswith("/dashboard")
            assert visitor.get(f"{second.url}/dashboard").status_code == 200
            assert not (folder / "instance" / "tokens").exists()
            assert visitor.get("/healthz").json() == {"ready": True}
            server.stop()
            page = visitor.get("/dashboard")
            assert (page.status_code, code_of(page)) == (503, "redis_away")
            assert visitor.get("/static/style.css").status_code == 200
            readiness = visitor.get("/healthz")
            assert (readiness.status_code, readiness.json()) == (503, {"ready": False, "code": "redis_away"})
            server.start()
            assert visitor.get("/healthz").status_code == 200
            assert visitor.get("/dashboard").status_code == 200  # still signed in: nothing was deleted
            assert "Traceback" not in first.output
