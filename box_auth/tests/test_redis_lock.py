"""The lock in Redis: who is dead loses it soon, who is stopped or cut off keeps it. Against a real redis-server."""

import os
import signal
import threading
import time
from contextlib import ExitStack

import pytest
import redis

from box_auth.errors import SignInBusy
from box_auth.stores import redis_lock
from box_auth.stores.redis import RedisStore, connect

from .programs import processes
from .redis_server import RedisServer, needs_redis
from .store_contract import APP, PLAIN, RECORD, save

USER = RECORD.user_id
LOCK = f"box:{APP}:lock:{USER}"

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
    return RedisStore(client, PLAIN)


def hold(url, held, over):
    with RedisStore(connect(url), PLAIN).lock(USER):
        held.set()
        over.wait(60)


@pytest.fixture
def holder(server, store):
    """Another process, which holds the lock."""
    context = processes()
    held, over = context.Event(), context.Event()
    process = context.Process(target=hold, args=(server.url, held, over))
    process.start()
    assert held.wait(60)
    process.over = over
    yield process
    process.kill()
    process.join(30)


def test_the_lock_has_a_life_and_is_freed(client, store):
    with store.lock(USER):
        assert redis_lock.LOCK_LIFE - 5 < client.ttl(LOCK) <= redis_lock.LOCK_LIFE
    assert not client.exists(LOCK)


def test_a_holder_that_finishes_lets_the_next_one_in(store, holder):
    holder.over.set()
    with store.lock(USER):
        pass


def test_the_lock_of_a_killed_process_is_free_before_a_page_gives_up(store, holder):
    os.kill(holder.pid, signal.SIGKILL)
    begun = time.monotonic()
    with store.lock(USER, wait=8):
        assert time.monotonic() - begun < redis_lock.GONE + 3


def test_a_stopped_process_keeps_its_lock(client, store, holder, monkeypatch):
    monkeypatch.setattr(redis_lock, "GONE", 0.5)
    monkeypatch.setattr(redis_lock, "_LOOK", 0.1)
    os.kill(holder.pid, signal.SIGSTOP)
    value = client.get(LOCK)
    with pytest.raises(SignInBusy), store.lock(USER, wait=2):
        pytest.fail("two holders at once")
    os.kill(holder.pid, signal.SIGCONT)
    holder.over.set()
    with store.lock(USER):
        assert client.get(LOCK) != value


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(redis_lock, "_BEAT", 0.2)
    monkeypatch.setattr(redis_lock, "LOCK_LIFE", 1.0)


def test_a_living_holder_keeps_its_lock_for_as_long_as_it_needs(client, store, quick):
    with store.lock(USER), pytest.raises(SignInBusy), store.lock(USER, wait=2.5):  # more than two lives
        pytest.fail("two holders at once")
    assert not client.exists(LOCK)


@pytest.mark.parametrize("outage", ["restarted", "stopped"])
def test_a_holder_whose_redis_was_away_has_its_lock_still(server, client, outage, monkeypatch):
    monkeypatch.setattr(redis_lock, "_BEAT", 0.2)
    quick = redis.Redis.from_url(server.url, socket_timeout=0.3)
    store, other = RedisStore(quick, PLAIN), RedisStore(client, PLAIN)
    save(store, RECORD)
    with ExitStack() as after, store.lock(USER) as held:
        before = client.get(LOCK)
        if outage == "restarted":
            server.stop()
            server.start()
        else:
            os.kill(server.pid, signal.SIGSTOP)
            after.callback(os.kill, server.pid, signal.SIGCONT)
            with pytest.raises(Exception, match="redis_away"):
                held.load()
            os.kill(server.pid, signal.SIGCONT)
        with pytest.raises(SignInBusy), other.lock(USER, wait=redis_lock.GONE + 1):
            pytest.fail("two holders at once")
        held.save(RECORD)
        assert client.get(LOCK)[:32] == before[:32]
    assert not client.exists(LOCK)
    quick.close()


def test_where_connections_may_not_be_asked_for_a_dead_holders_lock_ends_by_itself(server, client, monkeypatch):
    client.acl_setuser("plain", enabled=True, passwords=["+pw"], keys=["*"], commands=["+@all", "-client|list"])
    monkeypatch.setattr(redis_lock, "LOCK_LIFE", 1.0)
    plain = redis.Redis.from_url(server.url.replace("redis://", "redis://plain:pw@"))
    store = RedisStore(plain, PLAIN)
    client.set(LOCK, "0" * 32 + ":999999", px=4000)
    with pytest.raises(SignInBusy), store.lock(USER, wait=redis_lock.GONE + 0.7):
        pytest.fail("nobody knows that its holder is dead")
    with store.lock(USER, wait=5):
        assert 0 < client.pttl(LOCK) <= 1000
    plain.close()


def test_a_lock_whose_holders_connection_has_gone_to_somebody_else_is_free_soon(client, store):
    """After a restart Redis counts connections anew."""
    client.set(LOCK, f"{'0' * 32}:{client.client_id()}")
    client.client_setname("somebody")
    with store.lock(USER, wait=8):
        pass


def test_a_redis_that_is_full_takes_no_lock_away(client, store, quick):
    with store.lock(USER):
        client.config_set("maxmemory", 1)
        try:
            end = time.monotonic() + 2.2  # more than two lives
            while time.monotonic() < end:
                assert client.blpop("nothing", timeout=0.2) is None
                assert client.exists(LOCK)
        finally:
            client.config_set("maxmemory", 0)


def test_nobody_gets_an_answer_that_was_anothers_while_locks_come_and_go(client, store, monkeypatch):
    monkeypatch.setattr(redis_lock, "_BEAT", 0.001)
    stop, wrong = threading.Event(), []
    for number in range(4):
        client.set(f"of {number}", number)

    def read(number):
        while not stop.is_set():
            try:
                if (answer := client.get(f"of {number}")) != b"%d" % number:
                    wrong.append(answer)
            except Exception as error:
                wrong.append(error)

    def hold(number):
        for _ in range(60):
            with store.lock(str(number)):
                client.get("of 0")

    readers = [threading.Thread(target=read, args=(number,)) for number in range(4)]
    holders = [threading.Thread(target=hold, args=(number,)) for number in range(4)]
    for thread in readers + holders:
        thread.start()
    for thread in holders:
        thread.join()
    stop.set()
    for thread in readers:
        thread.join()
    assert wrong == []


def test_a_lock_that_passed_to_somebody_else_is_not_freed_by_its_first_holder(client, store):
    with store.lock(USER):
        client.set(LOCK, "somebody else's")
    assert client.get(LOCK) == b"somebody else's"


def test_connections_go_back_to_the_pool(client, store):
    for _ in range(20):
        with store.lock(USER):
            pass
    assert len(client.client_list()) < 6
