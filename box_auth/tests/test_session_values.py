"""What a session keeps, in files and in Redis: each value as it was, or an error where it is set."""

import hashlib
import json
import struct
import time
import uuid
from collections import OrderedDict
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum

import pytest
from flask import current_app, session
from markupsafe import Markup

from box_auth.flask import BoxAuth
from box_auth.flask.file_sessions import FileSessions
from box_auth.flask.redis_sessions import RedisSessions
from box_auth.flask.session_json import check, decode, encode
from box_auth.stores.redis import connect

from .redis_server import RedisServer, needs_redis
from .small_apps import Browser, code_of
from .store_contract import APP

SID = "A-_" + "x" * 40


def file_of(sid: str) -> str:
    return hashlib.sha256(f"box:{APP}:session:{sid}".encode()).hexdigest()


@pytest.fixture(scope="module")
def server():
    with RedisServer() as server:
        yield server


@pytest.fixture(params=["files", pytest.param("redis", marks=needs_redis)])
def kind(request):
    return request.param


@pytest.fixture
def redis_client(kind, request):
    client = None
    if kind == "redis":
        client = connect(request.getfixturevalue("server").url)
        client.flushall()
    return client


@pytest.fixture
def store(redis_client, tmp_path):
    return RedisSessions(redis_client, "box", APP) if redis_client else FileSessions(tmp_path / "sessions", APP)


@pytest.fixture
def plant(redis_client, store, tmp_path):
    """Put bytes where a session with this id is, or as version 1 did where it was."""

    def plant(data: bytes, sid: str = SID, version: int = 2, method: str = "md5") -> None:
        if redis_client:
            digest = hashlib.sha256(sid.encode()).hexdigest()
            redis_client.set(f"box:{APP}:session:{digest}" if version == 2 else f"box:session:{sid}", data, ex=3600)
        else:
            name = hashlib.new(method, f"box:session:{sid}".encode()).hexdigest() if version == 1 else file_of(sid)
            (tmp_path / "sessions" / name).write_bytes(struct.pack("I", int(time.time()) + 3600) + data)

    return plant


@pytest.fixture
def site(make, redis_client, request):
    """An app with a page that keeps what a test wants, and a browser of somebody who is signed in."""
    if redis_client:
        make.set(**live_with_redis(request), REDIS_URL=request.getfixturevalue("server").url)
    box = BoxAuth()
    app = make(box)
    app.what = {}

    @app.get("/keep")
    def keep():
        app.what["do"]()
        return "kept"

    @app.get("/kept")
    def kept():
        return repr(session.get("kept"))

    browser = Browser(app)
    browser.sign_in()
    return browser


def live_with_redis(request):
    from .journey import live_settings
    from .small_apps import SITE

    emulator, box = request.getfixturevalue("emulator"), request.getfixturevalue("box")
    return live_settings(emulator, box, 80, REDIRECT_URI=f"{SITE}/callback", SECRET_KEY="of all machines")


ZONE = timezone(timedelta(hours=5, minutes=45))
VALUES = {
    "datetime": datetime(2024, 2, 29, 23, 59, 59, 123456),
    "with zone": datetime(2024, 2, 29, 12, 0, 0, 1, tzinfo=ZONE),
    "utc": datetime(1999, 1, 1, tzinfo=UTC),
    "date": date(2024, 2, 29),
    "uuid": uuid.UUID("12345678-1234-5678-1234-567812345678"),
    "bytes": b"\x00\xff\x80",
    "markup": Markup("<b>bold</b>"),
    "tuple": (1, (2, [3, (4,)]), ()),
    "decimal": Decimal("1.10"),
    "nested": [{"at": datetime(2024, 1, 1), "ids": (uuid.UUID(int=1), b"x")}, {"deep": {"er": (date(1, 1, 1),)}}],
    "tags": [{" t": 1}, {" d": "x"}, {" di": {" t": [1]}}, {" t__": 2}, {" p": [[1]]}, {"version": 1, "values": 2}],
    "keys": {1: "one", (2, "b"): "two", None: "none", 2.5: "x", "1": "text"},
    "texts": ["", "ü😀", "\ud800", "\x00\n", "a" * 5000],
    "numbers": [0, -1, 2**70, 1.5, 1e300, float("inf"), True, False, None],
    "_flashes": [("message", "Saved."), ("error", Markup("<i>no</i>"))],
}


def same(one, other) -> bool:
    if type(one) is not type(other) or one != other:
        return False
    if isinstance(one, dict):
        return all(same(one[key], other[key]) for key in one) and list(map(type, one)) == list(map(type, other))
    if isinstance(one, (list, tuple)):
        return all(map(same, one, other))
    return not isinstance(one, datetime) or one.utcoffset() == other.utcoffset()


@pytest.mark.parametrize("name", VALUES)
def test_a_value_comes_back_as_what_it_was(store, name):
    store.set(SID, {name: VALUES[name]}, 3600)
    assert same(store.get(SID), {name: VALUES[name]})


def test_a_whole_session_comes_back(store):
    store.set(SID, VALUES, 3600)
    assert same(store.get(SID), VALUES)
    store.set(SID, {}, 3600)
    assert store.get(SID) == {}
    store.delete(SID)
    assert store.get(SID) is None


def test_pages_see_them_as_they_were(site):
    values = {name: value for name, value in VALUES.items() if name != "_flashes"}
    site.app.what["do"] = lambda: session.update(kept=values)
    assert site.get("/keep").text == "kept"
    assert site.get("/kept").text == repr(values)


def itself():
    items = []
    items.append(items)
    return items


def deep(levels):
    value = 1
    for _ in range(levels):
        value = [value]
    return value


class Color(Enum):
    RED = object()


BAD = {
    "object": object(),
    "set": {1, 2},
    "timedelta": timedelta(1),
    "enum": Color.RED,
    "function": print,
    "inside": [1, {"a": (object(),)}],
    "itself": itself(),
    "deep": deep(200),
    "very deep": deep(100_000),
    "digits": 10**5000,
    "complex": 1j,
}


@pytest.mark.parametrize("value", BAD.values(), ids=BAD)
def test_what_would_not_come_back_raises_where_it_is_set(site, value):
    ways = (
        lambda: session.__setitem__("kept", value),
        lambda: session.setdefault("kept", value),
        lambda: session.update({"kept": value}),
        lambda: session.update([("kept", value)]),
        lambda: session.update(kept=value),
        lambda: session.__ior__({"kept": value}),
    )

    def set_it():
        for way in ways:
            with pytest.raises(TypeError):
                way()
        session["good"] = "kept"

    site.app.what["do"] = set_it
    assert site.get("/keep").text == "kept"
    assert site.get("/kept").text == "None"
    assert site.get("/").text == "ada@example.com"


def test_a_key_that_would_not_come_back_raises_too():
    with pytest.raises(TypeError, match="session"):
        check((object(),), 1)


def test_what_is_there_already_may_be_asked_for_with_any_default(site):
    site.app.what["do"] = lambda: (session.setdefault("kept", 1), session.setdefault("kept", object()))
    assert site.get("/keep").text == "kept"
    assert site.get("/kept").text == "1"


def test_what_slips_into_a_list_later_is_an_error_that_names_the_key_and_loses_nothing(site, caplog):
    site.app.what["do"] = lambda: session.update(kept=["before"])
    site.get("/keep")

    class Secret:
        def __repr__(self):
            return "not for the log"

    def slip():
        session["kept"].append(Secret())
        session["other"] = "changed"

    site.app.what["do"] = slip
    page = site.get("/keep")
    assert (page.status_code, code_of(page)) == (500, "internal")
    assert "Set-Cookie" not in page.headers
    assert "Redis" not in page.text + caplog.text
    assert "session['kept']" in caplog.text
    assert "finalizing failed" not in caplog.text  # as it does where the page of the error tries to save it again
    assert "not for the log" not in caplog.text
    assert site.get("/kept").text == "['before']"
    assert site.get("/me").text == "ada@example.com"


def test_a_page_that_was_under_way_when_its_session_ended_does_not_bring_it_back(site):
    def end_and_write():
        current_app.session_interface._delete_session(session.sid)  # as /logout does, beside this page
        session["kept"] = "late"

    site.app.what["do"] = end_and_write
    assert site.get("/keep").status_code == 200
    assert site.get("/kept").text == "None"
    assert site.get("/").text == "nobody"


def test_dicts_of_other_kinds_and_infinite_numbers_are_plain_ones(store):
    store.set(SID, {"kept": OrderedDict(b=1, a=2)}, 3600)
    assert list(store.get(SID)["kept"].items()) == [("b", 1), ("a", 2)]


@pytest.mark.parametrize("name", ["tuples", "lists", "dicts"])
@pytest.mark.parametrize("levels", [40, 45, 50, 90, 97, 98, 99, 100, 150])
def test_whatever_can_be_set_can_be_read_and_written_again(levels, name):
    value = 1
    for _ in range(levels):
        value = {"tuples": (value,), "lists": [value], "dicts": {"a": value}}[name]
    try:
        check("kept", value)
    except TypeError:
        return
    values = decode(encode({"kept": value}))
    assert values == {"kept": value}
    assert decode(encode(values)) == values


VERSION_1 = {"_permanent": True, "box_user": "11446498", "box_grant": "g", "box_touched": 1.5, "own": {" t": [1]}}


@pytest.mark.parametrize("method", ["md5", "sha256"])
def test_a_session_of_version_1_is_found_read_and_moved_on(store, plant, redis_client, tmp_path, method):
    plant(json.dumps(VERSION_1).encode(), version=1, method=method)
    assert store.get(SID) == VERSION_1
    digest = hashlib.sha256(SID.encode()).hexdigest()
    if redis_client:
        assert redis_client.keys("*") == [f"box:{APP}:session:{digest}".encode()]
        assert 3500 < redis_client.ttl(f"box:{APP}:session:{digest}") <= 3600
    else:
        (file,) = (tmp_path / "sessions").iterdir()
        assert file.name == file_of(SID)
    assert store.get(SID) == VERSION_1
    store.delete(SID)
    assert store.get(SID) is None


def test_another_box_apps_session_is_none(store, redis_client, tmp_path):
    theirs = (
        RedisSessions(redis_client, "box", "other") if redis_client else FileSessions(tmp_path / "sessions", "other")
    )
    theirs.set(SID, {"box_user": "1"}, 3600)
    assert store.get(SID) is None
    assert theirs.get(SID) == {"box_user": "1"}


@needs_redis
@pytest.mark.parametrize("kind", ["redis"], indirect=False)
def test_what_a_backup_of_redis_shows_opens_no_door(site, redis_client):
    (cookie,) = [found for found in site.client._cookies.values() if found.key.startswith("box_session")]
    (key,) = redis_client.keys("box:*:session:*")
    assert cookie.value not in str(redis_client.keys("*"))
    for stolen in (key.decode().rpartition(":")[2], key.decode(), key.decode().removeprefix("box:")):
        thief = Browser(site.app)
        thief.client.set_cookie(cookie.key, stolen, domain="localhost")
        page = thief.get("/me")
        assert page.headers.get("Location", "").startswith("/login") or code_of(page) == "session_unknown"
    assert redis_client.keys("box:*:session:*") == [key]
    assert site.get("/me").text == "ada@example.com"


@needs_redis
@pytest.mark.parametrize("kind", ["redis"], indirect=False)
def test_what_is_no_id_of_ours_is_not_looked_for(site, redis_client):
    """It could be the rest of another key's name: what version 1 had is found by the id as it came."""
    (cookie,) = [found for found in site.client._cookies.values() if found.key.startswith("box_session")]
    (key,) = redis_client.keys("box:*:session:*")
    redis_client.set("box:session:another:session:1", redis_client.get(key))
    thief = Browser(site.app)
    thief.client.set_cookie(cookie.key, "another:session:1", domain="localhost")
    assert code_of(thief.get("/me")) == "session_unknown"
    assert redis_client.exists("box:session:another:session:1")


@pytest.mark.parametrize("kind", ["files"], indirect=False)
def test_what_a_copy_of_the_folder_shows_opens_no_door(site, make):
    (cookie,) = [found for found in site.client._cookies.values() if found.key.startswith("box_session")]
    folder = make.folder / "instance"
    (file,) = (folder / "sessions").iterdir()
    for kept in folder.rglob("*"):
        assert cookie.value not in kept.name
        assert not kept.is_file() or cookie.value.encode() not in kept.read_bytes()
    key = (folder / "secret_key").read_text()
    for stolen in (file.name, file.name[:43], f"../sessions/{file.name}", key, (key + "A")[:43]):
        thief = Browser(site.app)
        thief.client.set_cookie(cookie.key, stolen, domain="localhost")
        page = thief.get("/me")
        assert page.headers.get("Location", "").startswith("/login") or code_of(page) == "session_unknown"
    assert site.get("/me").text == "ada@example.com"


def v2(**values):
    return json.dumps({"version": 2, "values": values}).encode()


USER = {"_permanent": True, "box_user": "11446498", "box_grant": "g", "box_touched": 1.0}
PLANTED = {
    "a number for a user": v2(**{**USER, "box_user": 7}),
    "a list for a user": v2(**{**USER, "box_user": ["1"]}),
    "a word for a user": v2(**{**USER, "box_user": "../../1"}),
    "a number for a grant": v2(**{**USER, "box_grant": 1}),
    "a surrogate for a grant": v2(**{**USER, "box_grant": "\ud800"}),
    "a grant of nobody": v2(**{name: value for name, value in USER.items() if name != "box_user"}),
    "a user without a grant": v2(**{name: value for name, value in USER.items() if name != "box_grant"}),
    "a text for a time": v2(**{**USER, "box_touched": "now"}),
    "a list for a time": v2(**{**USER, "box_touched": [1]}),
    "no number for a time": v2(**{**USER, "box_touched": float("nan")}),
    "a huge time": v2(**{**USER, "box_touched": 10**400}),
    "a list for a name": v2(**{**USER, "box_name": []}),
    "a dict for what was told": v2(**{**USER, "box_told": {}}),
    "a list for the forms' token": v2(**{**USER, "csrf_token": [1]}),
    "letters for the forms' token": v2(**{**USER, "csrf_token": "ü"}),
    "version 1 with a number for a user": json.dumps({**USER, "box_user": 7}).encode(),
    "a later version": v2(**USER).replace(b"2", b"3", 1),
    "a list": b"[1]",
    "a list in version 2": b'{"version":2,"values":[1]}',
    "a number": b"7",
    "nothing": b"",
    "no JSON": b"\x80\x04\x95pickle",
    "deep": b'{"version":2,"values":{"a":' + b"[" * 100_000,
    "deep and whole": b'{"version":2,"values":{"a":' + b"[" * 400 + b"]" * 400 + b"}}",
    "deep in version 1": b'{"a":' + b"[" * 400 + b"]" * 400 + b"}",
    **{
        f"a wrong tag {number}": v2(**USER, kept=wrong)
        for number, wrong in enumerate(
            [
                *({" u": 5}, {" u": "x"}, {" t": 5}, {" b": "x"}, {" b": 5}, {" d": 5}, {" d": "x"}, {" da": "x"}),
                *({" de": "x"}, {" de": {}}, {" di": {}}, {" di": 5}, {" di": "x"}, {" p": 5}, {" p": [[[], 1]]}),
                *({" p": [[1]]}, {" p": [[1, 2, 3]]}),
            ]
        )
    },
}


def test_what_was_planted_reads_as_no_session_and_never_as_an_error(site, plant_for_site):
    for name, planted in PLANTED.items():
        plant_for_site(planted)
        assert site.get("/").text == "nobody", name
        page = site.get("/me")
        assert (page.status_code, code_of(page)) == (401, "session_unknown"), name
        assert site.post("/form", data={"csrf_token": "x"}).status_code == 400, name
    site.sign_in()
    assert site.get("/me").text == "ada@example.com"


@pytest.fixture
def plant_for_site(site, kind, redis_client, make):
    def plant(data: bytes) -> None:
        if redis_client:
            (key,) = redis_client.keys("box:*:session:*")
            redis_client.set(key, data)
        else:
            (file,) = (make.folder / "instance" / "sessions").iterdir()
            file.write_bytes(file.read_bytes()[:4] + data)

    return plant


def test_a_strange_number_in_what_a_fork_keeps_is_the_forks(site, plant_for_site):
    plant_for_site(v2(_permanent=True, kept=float("nan")))
    assert site.get("/kept").text == "nan"
