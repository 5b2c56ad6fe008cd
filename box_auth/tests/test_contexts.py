"""An error of ours can be handed to any log collector: nothing that hangs on it holds a token, a code or a secret."""

import copy
import json
import pickle
import secrets
import time
import traceback
from dataclasses import replace

import pytest
from box_sdk_gen import BoxAPIError

from box_auth import config
from box_auth.errors import BoxAuthError, SignInRequired
from box_auth.flow import open_flow
from box_auth.script.saved_user import SavedUser
from box_auth.stores import open_store
from box_auth.stores.record import TokenRecord

from .journey import live_settings
from .redis_server import RedisServer, needs_redis
from .store_contract import save

ME, TOKEN = "GET /2.0/users/me", "POST /oauth2/token"
KEY, OTHER_KEY = "QUFB" * 10 + "QUE=", "QkJC" * 10 + "QkI="
GRANT, CODE, PASSWORD, WRONG, *GIVEN = (secrets.token_hex() for _ in range(6))  # no line of code quotes them


class Chain:
    """A flow, somebody signed in, and a walk along whatever hangs on the errors that come of it."""

    def __init__(self, emulator, box, folder, **settings):
        values = live_settings(emulator, box, 5000, **settings)
        self.emulator, self.folder = emulator, folder
        self.flow = open_flow(config.parse(values, folder))
        user = emulator.users[0]
        pair = emulator.sign_in(user.login)
        self.user_id = user.id
        self.record = TokenRecord(user.id, "", "", GRANT, pair.access_token, pair.refresh_token, time.time(), 3600.0)
        self.secrets = {
            *values["CLIENT_SECRET"].split(),
            pair.access_token,
            pair.refresh_token,
            GRANT,
            CODE,
        }
        save(self.flow.store, self.record)
        self.file = next((folder / "tokens").glob("*.json"), None)

    def me(self):
        return self.flow.client(self.flow.find(self.user_id, GRANT)).users.get_user_me()

    def old(self):
        """Make the access token one that has ended, as far as the record says."""
        save(self.flow.store, _aged(self.record))

    def finish(self, **answer):
        _, pending = self.flow.start()
        self.secrets.add(pending.state)
        return self.flow.finish({"state": pending.state, "code": CODE, **answer}, pending)

    def check(self, call, code=None):
        with pytest.raises(BoxAuthError) as caught:
            call()
        error = caught.value
        if code:
            assert error.code == code
        for one in (error, copy.copy(error), pickle.loads(pickle.dumps(error))):
            said = "\n".join(_texts(one, set()))
            printed = "".join(traceback.format_exception(one))
            for secret in self.secrets:
                assert secret not in said
                assert secret not in printed
            assert "box_sdk_gen.box.errors" not in printed


def _aged(record):
    return replace(record, issued_at=record.issued_at - 7200)


def _texts(thing, seen, depth=9):
    """Everything that can be read off an error: its texts, attributes, and what came before it."""
    if id(thing) in seen or not depth:
        return
    seen.add(id(thing))
    yield repr(thing)
    if isinstance(thing, bytes):
        yield thing.decode("latin-1")
    elif isinstance(thing, dict):
        for key, value in thing.items():
            yield from _texts(key, seen, depth - 1)
            yield from _texts(value, seen, depth - 1)
    elif isinstance(thing, (list, tuple)):
        for value in thing:
            yield from _texts(value, seen, depth - 1)
    elif hasattr(thing, "__dict__") and not isinstance(thing, type):
        yield from _texts(vars(thing), seen, depth - 1)
    if isinstance(thing, BaseException):
        yield str(thing)
        for other in (thing.args, thing.__cause__, thing.__context__):
            yield from _texts(other, seen, depth - 1)


@pytest.fixture
def chain(emulator, box, tmp_path):
    chain = Chain(emulator, box, tmp_path)
    yield chain
    chain.flow.network.close()


def test_the_walk_finds_what_the_sdk_says(chain):
    chain.emulator.fault(ME, status=404)
    with pytest.raises(BoxAPIError) as caught:
        chain.me()
    assert chain.record.access_token in "\n".join(_texts(caught.value, set()))


BAD = [
    ({"status": 400, "body": '{"error": "invalid_grant"}'}, None),
    ({"status": 400, "body": '{"error": "invalid_client"}'}, "client_refused"),
    ({"status": 400, "body": '{"error": "invalid_request", "error_description": "grant type"}'}, "wrong_app_type"),
    ({"status": 400, "body": "[1]"}, "box_bad_answer"),
    ({"status": 503, "retry_after": 600}, "box_down"),
    ({"status": 429, "retry_after": 600}, "box_busy"),
    ({"status": 200, "body": "<h1>Portal</h1>"}, "box_bad_answer"),
    ({"status": 200, "body": "[" * 100_000}, "box_bad_answer"),
    ({"status": 200, "body": '{"access_token": 7}'}, "box_bad_answer"),
    ({"drop": "before"}, None),
    ({"drop": "during"}, None),
]


@pytest.mark.parametrize(("fault", "code"), BAD)
def test_finish(chain, fault, code):
    chain.emulator.fault(TOKEN, times=9, **fault)
    chain.check(chain.finish, code)


@pytest.mark.parametrize("fault", [{"status": 401}, {"status": 503, "retry_after": 600}, {"status": 200, "body": "{}"}])
def test_finish_when_nobody_says_whose_the_tokens_are(chain, fault):
    pair = {"access_token": GIVEN[0], "refresh_token": GIVEN[1], "expires_in": 3600}
    chain.secrets |= {GIVEN[0], GIVEN[1]}
    chain.emulator.fault(TOKEN, status=200, body=json.dumps(pair))
    chain.emulator.fault(ME, times=9, **fault)
    chain.check(chain.finish)


def test_finish_with_what_is_no_answer(chain):
    chain.check(lambda: chain.finish(state=""))
    chain.check(lambda: chain.finish(state="another"))
    chain.check(lambda: chain.finish(code=""))
    chain.check(lambda: chain.finish(error="access_denied", error_description="x"))


@pytest.mark.parametrize(("fault", "code"), BAD)
def test_a_refresh(chain, fault, code):
    chain.old()
    chain.emulator.fault(TOKEN, times=9, **fault)
    chain.check(chain.me, code)


@pytest.mark.parametrize(("fault", "code"), BAD)
def test_a_refresh_after_a_401(chain, fault, code):
    chain.emulator.expire_tokens("access")
    chain.emulator.fault(TOKEN, times=9, **fault)
    chain.check(chain.me, code)


def test_a_token_refused_twice(chain):
    chain.emulator.fault(ME, times=9, status=401)
    chain.check(chain.me, "token_refused")


@pytest.mark.parametrize("fault", [{"status": 503}, {"status": 200, "body": "no"}, {"drop": "before"}])
def test_a_call(chain, fault):
    chain.emulator.fault(ME, times=99, **fault, **({"retry_after": 600} if "status" in fault else {}))
    chain.check(chain.me)
    client = chain.flow.client(chain.record)
    chain.check(lambda: chain.flow.network.at_once(str, client.users.get_user_me))


def test_a_sign_in_that_was_ended(chain):
    client = chain.flow.client(chain.record)
    chain.emulator.expire_tokens("access")
    chain.flow.forget(chain.user_id, GRANT)
    chain.check(client.users.get_user_me, "signed_out")


def test_a_store_that_is_in_the_way(chain):
    chain.old()
    client = chain.flow.client(_aged(chain.record))
    chain.file.rename(chain.folder / "kept")
    chain.file.mkdir()
    chain.check(client.users.get_user_me)
    chain.check(lambda: chain.flow.forget(chain.user_id, GRANT))
    chain.check(lambda: chain.flow.find(chain.user_id, GRANT))


def test_records_under_another_key_and_none(emulator, box, tmp_path):
    for keys in ("", OTHER_KEY):
        chain = Chain(emulator, box, tmp_path, TOKEN_ENCRYPTION_KEYS=KEY)
        chain.secrets |= {KEY, OTHER_KEY, chain.file.read_text()}
        other = open_store(config.parse(live_settings(emulator, box, 5000, TOKEN_ENCRYPTION_KEYS=keys), tmp_path))
        chain.check(lambda other=other, chain=chain: other.load(chain.user_id), "key_wrong" if keys else "key_missing")


def test_a_scripts_user(chain):
    saved = SavedUser(chain.flow, chain.folder)
    (chain.folder / "script.json").write_text(json.dumps({"user_id": "1", "grant": GRANT})[:-1])
    chain.check(saved.record, "signed_out")


@needs_redis
def test_a_redis_that_is_away_or_refuses(emulator, box, tmp_path):
    with RedisServer(password=PASSWORD) as server:
        chain = Chain(emulator, box, tmp_path, REDIS_URL=server.url)
        chain.secrets |= {PASSWORD, server.url}
        wrong = server.url.replace(PASSWORD, WRONG)
        chain.secrets.add(WRONG)
        store = open_store(config.parse(live_settings(emulator, box, 5000, REDIS_URL=wrong), tmp_path))
        chain.check(lambda: store.load(chain.user_id), "redis_refused")
        server.stop()
        chain.check(lambda: chain.flow.find(chain.user_id, GRANT), "redis_away")
        chain.check(lambda: chain.flow.forget(chain.user_id, GRANT), "redis_away")
        chain.check(chain.flow.client(_aged(chain.record)).users.get_user_me, "redis_away")
        server.start()


def test_what_a_fork_raises_while_it_handles_an_error_of_the_sdk(chain):
    def page():
        chain.emulator.fault(ME, status=403)
        try:
            chain.me()
        except BoxAPIError:
            raise SignInRequired("signed_out")  # noqa: B904 - as a fork may write it

    chain.check(page)
