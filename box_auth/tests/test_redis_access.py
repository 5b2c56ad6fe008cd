"""What stands before Redis: encryption, certificates, user names and their rights. With real servers."""

import re
import time
from contextlib import contextmanager, suppress

import pytest
import redis

from box_auth.errors import StoreUnavailable
from box_auth.flask import sign_in_limit
from box_auth.flask.redis_sessions import RedisSessions
from box_auth.stores import redis_lock
from box_auth.stores.redis import RedisStore, connect

from .certificates import Certificate
from .journey import ROOT, App, Visitor, checkout, code_of, free_port, live_settings, running
from .redis_server import RedisServer, needs_redis
from .store_contract import APP, PLAIN, RECORD, save
from .terminal import flask_box
from .test_guards import sign_in_from

pytestmark = needs_redis


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Certificate(tmp_path_factory.mktemp("authority"), "authority")


@contextmanager
def failing(code, *, says=""):
    with pytest.raises(StoreUnavailable) as caught:
        yield
    assert caught.value.code == code
    assert says in str(caught.value)
    for secret in ("hush", "127.0.0.1", "private-ca"):
        assert secret not in str(caught.value)


def use(url):
    """Do what the app does: keep tokens and a session, under a lock, in several connections."""
    client = connect(url)
    try:
        store = RedisStore(client, PLAIN)
        store.check_writable()
        save(store, RECORD)
        assert store.load(RECORD.user_id) == RECORD
        assert store.users() == [RECORD.user_id]
        assert store.use_once(f"mark {time.time_ns()}", 60)
        with store.lock(RECORD.user_id) as held:
            assert redis_lock._is_open(client, client.get(f"box:{APP}:lock:{RECORD.user_id}"))
            lock = held.hold
            lock._run(redis_lock._BEAT_ON, lock.hold, lock._value(), 60_000)  # as it does each second
            store.set_aside(held)
            held.save(RECORD)
            held.delete()
        sessions = RedisSessions(client, "box", APP)
        assert sessions.get("id") is None
        sessions.set("id", {"a": 1}, 60)
        assert sessions.get("id") == {"a": 1}
        sessions.delete("id")
    finally:
        client.close()


def test_a_redis_whose_certificate_is_by_an_authority_of_ones_own(tmp_path, authority):
    with RedisServer(tls=Certificate(tmp_path, "redis", authority), password="hush") as server:
        use(f"{server.url}?ssl_ca_certs={authority.path}")
        with failing("redis_tls", says="unable to get local issuer certificate"):
            use(server.url)
        other = Certificate(tmp_path, "private-ca")
        with failing("redis_tls", says="certificate"):
            use(f"{server.url}?ssl_ca_certs={other.path}")
        with failing("redis_refused"):
            use(f"{server.url}?ssl_ca_certs={authority.path}".replace(":hush@", ":hush-hush@"))
        no_certificate = tmp_path / "private-ca.txt"
        no_certificate.write_text("hush")
        with failing("redis_tls"):
            use(f"{server.url}?ssl_ca_certs={no_certificate}")


@pytest.mark.parametrize(
    ("wrong", "says"), [({"days": -1}, "certificate has expired."), ({"host": "192.0.2.1"}, "is another host's.")]
)
def test_a_certificate_that_has_expired_or_is_another_hosts_is_named(tmp_path, authority, wrong, says):
    with RedisServer(tls=Certificate(tmp_path, "redis", authority, **wrong)) as server, failing("redis_tls", says=says):
        use(f"{server.url}?ssl_ca_certs={authority.path}")


def test_a_redis_that_wants_certificates_of_those_who_come(tmp_path, authority):
    mine = Certificate(tmp_path, "app", authority).path
    with RedisServer(tls=Certificate(tmp_path, "redis", authority), clients=authority) as server:
        use(f"{server.url}?ssl_ca_certs={authority.path}&ssl_certfile={mine}&ssl_keyfile={mine}")
        with pytest.raises(StoreUnavailable) as caught:
            use(f"{server.url}?ssl_ca_certs={authority.path}")
        assert caught.value.code in ("redis_tls", "redis_away")  # TLS 1.3: the connection's end can overtake the reason


def test_an_expired_certificate_is_told_alike_by_page_readiness_and_doctor(emulator, box, tmp_path, authority):
    folder = checkout(tmp_path / "fork")
    with RedisServer(tls=Certificate(tmp_path, "redis", authority, days=-1), password="hush") as server:
        url = f"{server.url}?ssl_ca_certs={authority.path}"
        settings = live_settings(emulator, box, free_port(), REDIS_URL=url, SECRET_KEY="the same everywhere")
        with running(App(folder, **settings)) as app, Visitor(app.url) as visitor:
            page = visitor.get(visitor.callback_address())
            assert (page.status_code, code_of(page)) == (503, "redis_tls")
            assert visitor.get("/healthz").json() == {"ready": False, "code": "redis_tls"}
            assert app.says("certificate has expired.")
        told = flask_box(folder, "doctor", **settings).stdout
        assert "certificate has expired." in told
        assert "[redis_tls]" in told
        for text in (told, app.output, page.text):
            assert "hush" not in text


def documented_rights(name):
    """The rules after each `ACL SETUSER name` in docs/operations.md."""
    text = (ROOT / "docs" / "operations.md").read_text("utf-8")
    return " ".join(re.findall(rf"^    ACL SETUSER {name} (.+)", text, re.MULTILINE)).split()


@pytest.fixture
def limited():
    """A Redis, and its address for a user with the rights that the documents give."""
    rights = [rule.replace(">password", ">hush") for rule in documented_rights("app")]
    with RedisServer(password="admin") as server:
        admin = redis.Redis.from_url(server.url)
        admin.execute_command("ACL SETUSER", "app", *rights)
        yield server.url.replace(":admin@", "app:hush@"), admin
        admin.close()


def test_a_user_with_the_documented_rights_can_do_all_that_the_app_does(limited, make, monkeypatch):
    url, admin = limited
    monkeypatch.setattr(sign_in_limit, "SIGN_INS", "1 per minute")
    use(url)
    make.set(**make.settings, REDIS_URL=url, SECRET_KEY="the same everywhere")
    app = make()
    assert [code_of(sign_in_from(app, "10.0.0.1")) for _ in range(2)] == ["state_unknown", "too_many_sign_ins"]
    assert [key for key in admin.scan_iter() if b":limit:" in key]
    assert app.test_client().get("/healthz").json == {"ready": True}
    assert admin.acl_log() == []


def test_no_documented_right_is_more_than_the_app_needs(limited, make, monkeypatch):
    url, admin = limited
    monkeypatch.setattr(sign_in_limit, "SIGN_INS", "1 per minute")
    make.set(**make.settings, REDIS_URL=url, SECRET_KEY="the same everywhere")
    for command in [rule[1:] for rule in documented_rights("app") if rule.startswith("+")]:
        admin.flushall()
        admin.script_flush()
        admin.acl_log_reset()
        admin.execute_command("ACL SETUSER", "app", f"-{command}")
        connect(url).connection_pool.disconnect()
        with suppress(StoreUnavailable, redis.RedisError, AssertionError):
            use(url)
        app = make()
        for _ in range(2):
            sign_in_from(app, "10.0.0.1")
        assert admin.acl_log(), command
        admin.execute_command("ACL SETUSER", "app", f"+{command}")


def test_who_has_other_keys_or_less_rights_is_named(limited):
    url, admin = limited
    admin.execute_command("ACL SETUSER", "app", "resetkeys", "~elsewhere:*")
    with failing("redis_refused"):
        use(url)
    admin.execute_command("ACL SETUSER", "app", "~box:*", "-eval")
    with failing("redis_refused"):
        RedisStore(connect(url), PLAIN).check_writable()  # before a refresh token is spent
    with failing("redis_refused"):
        use(url.replace("hush", "hush-hush"))
    with failing("redis_refused"):
        use(url.replace("app:", "nobody:"))
