"""A sign-in is not lost: the engine's refresh against the emulator's one-use refresh tokens."""

import io
import threading
import time
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest
from box_sdk_gen import BoxAPIError, UploadFileAttributes, UploadFileAttributesParentField

from box_auth import config, flow, refresh, user_client
from box_auth.errors import BoxUnavailable, LockLost, SignInFailed, SignInRequired, StoreUnavailable, TokensUnsaved
from box_auth.flow import Flow
from box_auth.network import pool
from box_auth.network.pool import Network
from box_auth.network.retries import LONG_BUDGET
from box_auth.stores import open_store
from box_auth.stores.base import LOCK_WAIT
from box_auth.stores.record import TokenRecord

from .journey import Visitor, live_settings
from .programs import processes
from .store_contract import save

TOKEN = "POST /oauth2/token"


class Engine:
    """A flow over its own store object and connections, as another process would have it, and a signed-in user."""

    def __init__(self, emulator, box, folder, clock=time.time):
        settings = config.parse(live_settings(emulator, box, 5000), folder)
        self.emulator = emulator
        self.store = open_store(settings)
        self.network = Network(settings)
        self.flow = Flow(settings, self.store, self.network, clock)

    def sign_in(self) -> TokenRecord:
        user = self.emulator.users[0]
        pair = self.emulator.sign_in(user.login)
        record = TokenRecord(
            user.id, user.name, user.login, "grant", pair.access_token, pair.refresh_token, time.time(), 3600.0
        )
        save(self.store, record)
        return record

    def age(self, seconds: float) -> TokenRecord:
        """Make the stored record look older, as if the time had passed."""
        record = self.record
        record = replace(record, issued_at=record.issued_at - seconds)
        save(self.store, record)
        return record

    def answer(self):
        """Grant access on Box's consent page; return the callback's query and the sign-in it belongs to."""
        address, pending = self.flow.start()
        with Visitor(address) as visitor:
            answer = visitor.answer(visitor.consent_page(address), allow_redirects=False)
        return dict(parse_qsl(urlsplit(answer.headers["Location"]).query)), pending

    @property
    def record(self) -> TokenRecord:
        return self.store.load(self.emulator.users[0].id)

    def me(self) -> str:
        return self.client().users.get_user_me().id

    def client(self, grant: str = "grant"):
        """The client of a page, which loads the record when it begins."""
        record = self.flow.find(self.emulator.users[0].id, grant)
        if record is None:
            raise SignInRequired("signed_out")
        return self.flow.client(record)


@pytest.fixture
def engine(emulator, box, tmp_path):
    engine = Engine(emulator, box, tmp_path)
    engine.sign_in()
    yield engine
    engine.network.close()


@pytest.fixture
def second(emulator, box, tmp_path):
    engine = Engine(emulator, box, tmp_path)
    yield engine
    engine.network.close()


def test_a_fresh_token_is_used_as_it_is(engine, emulator):
    engine.me()
    engine.me()
    assert emulator.requests.count(TOKEN) == 0


def test_a_token_near_its_end_is_refreshed_before_use(engine, emulator):
    before = engine.age(3600 - 200)
    engine.me()
    assert emulator.requests.count(TOKEN) == 1
    assert engine.record.access_token != before.access_token
    assert engine.record.refresh_token != before.refresh_token
    assert engine.record.grant == before.grant
    engine.me()
    assert emulator.requests.count(TOKEN) == 1


def test_the_lifetime_comes_from_box_and_is_no_constant(engine, emulator):
    emulator.set_options(access_token_lifetime=4123)
    engine.age(4000)
    engine.me()
    assert engine.record.lifetime == 4123


def test_a_token_that_box_refuses_is_replaced_with_one_failed_call_and_one_refresh(engine, emulator):
    emulator.expire_tokens("access")
    engine.me()
    assert emulator.requests.count("GET /2.0/users/me", 401) == 1
    assert emulator.requests.count("GET /2.0/users/me") == 2
    assert emulator.requests.count(TOKEN) == 1


def test_a_second_refusal_is_final_and_burns_no_further_refresh_token(engine, emulator):
    emulator.fault("GET /2.0/users/me", times=9, status=401)
    with pytest.raises(SignInRequired) as caught:
        engine.me()
    assert caught.value.code == "token_refused"
    assert emulator.requests.count(TOKEN) == 1
    assert engine.record is not None


@pytest.mark.parametrize("expiry", ["early", "refused"])
def test_32_threads_over_two_engines_make_one_refresh_and_all_get_through(engine, second, emulator, expiry):
    if expiry == "early":
        engine.age(3600)
    emulator.expire_tokens("access")
    start, results = threading.Barrier(32), []

    def ask(which):
        start.wait()
        results.append(which.me())

    threads = [threading.Thread(target=ask, args=((engine, second)[number % 2],)) for number in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [emulator.users[0].id] * 32
    assert emulator.requests.count(TOKEN) == 1


def test_a_refresh_token_that_box_no_longer_takes_ends_the_sign_in(engine, emulator):
    emulator.revoke_tokens()
    with pytest.raises(SignInRequired) as caught:
        engine.me()
    assert caught.value.code == "token_ended"
    assert engine.record is None


def test_calls_side_by_side_all_learn_that_box_ended_the_sign_in(engine, emulator):
    client = engine.client()
    emulator.revoke_tokens()
    said = []

    def call():
        try:
            client.users.get_user_me()
        except SignInRequired as error:
            said.append(error.code)

    engine.network.at_once(*[call] * 8)
    assert said == ["token_ended"] * 8


def test_a_refusal_is_forgiven_when_another_process_refreshed_meanwhile(engine, emulator):
    stale = engine.age(3600)
    fresh = emulator.sign_in(emulator.users[0].login)
    emulator.tokens.revoke(emulator.app.client_id, stale.refresh_token)
    newer = replace(stale, access_token=fresh.access_token, refresh_token=fresh.refresh_token, issued_at=2e9)
    refresh = engine.flow.oauth.refresh

    def refresh_while_another_process_saves(token, **how):
        (file,) = engine.store.folder.glob("*.json")  # without our lock
        file.write_bytes(engine.store.codec.encode(newer))
        return refresh(token, **how)

    engine.flow.oauth.refresh = refresh_while_another_process_saves
    assert engine.me() == emulator.users[0].id
    assert engine.record == newer


@pytest.mark.parametrize("fault", [{"status": 500}, {"status": 503}, {"drop": "before"}])
def test_box_failing_to_refresh_keeps_the_tokens_and_goes_on_while_the_old_one_lives(engine, emulator, fault):
    before = engine.age(3600 - 200)
    emulator.fault(TOKEN, times=9, **fault)
    assert engine.me() == emulator.users[0].id
    engine.flow.refresher.wait()
    assert engine.record == before
    asked = emulator.requests.count(TOKEN)
    assert engine.me() == emulator.users[0].id
    engine.flow.refresher.wait()
    assert emulator.requests.count(TOKEN) == asked  # not asked again on every page


def test_a_busy_box_is_asked_again_when_it_said_while_pages_go_on(engine, emulator):
    before = engine.age(3600 - 200)
    emulator.fault(TOKEN, times=1, status=429, retry_after=1)
    assert engine.me() == emulator.users[0].id
    engine.flow.refresher.wait()
    assert emulator.requests.count(TOKEN) == 2
    assert engine.record.refresh_token != before.refresh_token


def test_box_failing_to_refresh_a_dead_token_says_so_and_keeps_it(engine, emulator):
    before = engine.age(3700)
    emulator.fault(TOKEN, times=1, status=503, retry_after=7)
    with pytest.raises(BoxUnavailable) as caught:
        engine.me()
    assert caught.value.retry_after is not None
    assert engine.record == before
    assert engine.me() == emulator.users[0].id  # and the next page recovers


@pytest.mark.parametrize("moment", ["after", "during"])
def test_a_lost_answer_is_asked_for_once_more(engine, emulator, moment):
    emulator.set_options(lenient_refresh=True)
    engine.age(3700)
    emulator.fault(TOKEN, drop=moment)
    assert engine.me() == emulator.users[0].id
    assert emulator.requests.count(TOKEN) == 2


def test_where_box_is_strict_a_lost_answer_means_signing_in_again(engine, emulator):
    engine.age(3700)
    emulator.fault(TOKEN, drop="after")
    with pytest.raises(SignInRequired):
        engine.me()
    assert emulator.requests.count(TOKEN) == 2


def test_an_error_answer_is_never_followed_by_the_same_refresh_token_again(engine, emulator):
    engine.age(3700)
    emulator.fault(TOKEN, status=500)
    with pytest.raises(BoxUnavailable):
        engine.me()
    assert emulator.requests.count(TOKEN) == 1


def test_a_wrong_secret_keeps_the_tokens(engine, emulator):
    before = engine.age(3700)
    engine.flow.oauth._credentials["client_secret"] = "wrong"
    with pytest.raises(SignInFailed) as caught:
        engine.me()
    assert caught.value.code == "client_refused"
    assert "wrong" not in str(caught.value)
    assert engine.record == before


@pytest.mark.parametrize("claim", [None, 0, -1, "3600", "soon", 10**12])
def test_whatever_box_claims_about_the_lifetime_the_next_page_works(engine, emulator, claim):
    emulator.set_options(token_overrides={"expires_in": claim})
    engine.age(3600)
    engine.me()
    engine.me()
    assert emulator.requests.count(TOKEN) == 1
    emulator.expire_tokens("access")
    assert engine.me() == emulator.users[0].id
    assert emulator.requests.count(TOKEN) == 2


def test_without_room_to_save_the_refresh_token_is_not_spent(engine, emulator, monkeypatch):
    def no_room(held):
        raise StoreUnavailable("store_unavailable", "tokens: no room.")

    engine.age(3700)
    monkeypatch.setattr(engine.store, "try_write", no_room)
    with pytest.raises(StoreUnavailable):
        engine.me()
    assert emulator.requests.count(TOKEN) == 0
    monkeypatch.undo()
    assert engine.me() == emulator.users[0].id


class Full:
    """A store that has no room, until it is ``mended``; ``tried`` is set at each try to write."""

    def __init__(self, engine, monkeypatch):
        self.tried, self._mended, self._write = threading.Semaphore(0), threading.Event(), engine.store.write
        monkeypatch.setattr(engine.store, "write", self.write)

    def write(self, held, data):
        if not self._mended.is_set():
            self.tried.release()
            raise StoreUnavailable("store_unavailable", "tokens: no room.")
        self._write(held, data)

    def mend(self):
        self._mended.set()


def test_new_tokens_that_cannot_be_saved_are_kept_until_they_can(engine, second, emulator, monkeypatch, caplog):
    monkeypatch.setattr(refresh, "BUDGET", 1.0)
    before = engine.age(3700)
    full = Full(engine, monkeypatch)
    with pytest.raises(TokensUnsaved):
        engine.me()
    assert full.tried.acquire(timeout=5)
    with pytest.raises(TokensUnsaved):  # the next page does not wait long
        engine.me()
    assert "are not saved yet" in caplog.text
    assert before.refresh_token not in caplog.text
    assert engine.record == before
    full.mend()
    engine.flow.refresher.wait()
    assert engine.me() == second.me() == emulator.users[0].id
    assert emulator.requests.count(TOKEN) == 1


def test_a_page_with_a_living_token_goes_on_while_new_ones_cannot_be_saved(engine, emulator, monkeypatch):
    engine.age(3600 - 200)
    full = Full(engine, monkeypatch)
    assert engine.me() == engine.me() == emulator.users[0].id
    full.mend()
    engine.flow.refresher.wait()
    assert emulator.requests.count(TOKEN) == 1


def test_signing_out_deletes_the_record_and_ends_both_tokens_at_box(engine, emulator):
    record = engine.record
    engine.flow.forget(record.user_id, "grant")
    assert engine.record is None
    assert emulator.tokens.authenticate(record.access_token) is None
    with pytest.raises(SignInRequired) as caught:
        engine.me()
    assert caught.value.code == "signed_out"


def test_signing_in_and_out_wait_for_a_refresh_under_way(engine, second, emulator):
    record = engine.record
    for work in (
        lambda: second.flow.finish(*second.answer()),
        lambda: second.flow.forget(record.user_id, "grant"),
    ):
        before = engine.record
        with engine.store.lock(record.user_id):
            thread = threading.Thread(target=work)
            thread.start()
            thread.join(0.4)
            assert thread.is_alive()
            assert engine.record == before
        thread.join(20)
        assert engine.record != before


def sign_in_again_and_again(settings, box_url, results):
    network = Network(settings)
    flow = Flow(settings, open_store(settings), network)
    try:
        for _ in range(6):
            address, pending = flow.start()
            with Visitor(box_url) as visitor:
                answer = visitor.answer(visitor.consent_page(address), allow_redirects=False)
            flow.finish(dict(parse_qsl(urlsplit(answer.headers["Location"]).query)), pending)
        results.put("signed in")
    except BaseException as error:
        results.put(repr(error))
    finally:
        network.close()


def read_again_and_again(settings, user_id, results, stop):
    store = open_store(settings)
    while not stop.is_set():
        if store.load(user_id) is None:
            results.put("a read failed")
            return
    results.put("always read")


def test_eight_processes_sign_in_and_read_the_same_users_file_and_no_read_ever_fails(engine, box):
    settings, context = engine.flow.settings, processes()
    signed_in, read, stop = context.Queue(), context.Queue(), context.Event()
    writers = [context.Process(target=sign_in_again_and_again, args=(settings, box.url, signed_in)) for _ in range(4)]
    user_id = engine.record.user_id
    readers = [context.Process(target=read_again_and_again, args=(settings, user_id, read, stop)) for _ in range(4)]
    for process in writers + readers:
        process.start()
    outcomes = [signed_in.get(timeout=90) for _ in writers]
    stop.set()
    outcomes += [read.get(timeout=30) for _ in readers]
    for process in writers + readers:
        process.join(30)
    assert outcomes == ["signed in"] * 4 + ["always read"] * 4
    assert engine.record.grant == "grant"  # kept through every further sign-in
    assert not list(settings.token_dir.glob("*unreadable*"))


def test_another_grant_cannot_use_or_end_a_sign_in(engine, emulator):
    record = engine.record
    assert engine.flow.find(record.user_id, "guess") is None
    with pytest.raises(SignInRequired):  # nor when it would have to be refreshed
        engine.flow.client(replace(record, grant="guess", issued_at=0)).users.get_user_me()
    engine.flow.forget(record.user_id, "guess")
    assert engine.record == record
    assert emulator.requests.count("*") == 0


def test_secrets_stay_out_of_reprs_and_error_texts(engine, emulator):
    record = engine.record
    emulator.fault("GET /2.0/users/me", times=9, status=401)
    with pytest.raises(SignInRequired) as caught:
        engine.me()
    for secret in (record.access_token, record.refresh_token, record.grant):
        assert secret not in repr(record)
        assert secret not in str(caught.value) + repr(caught.value)


def test_an_upload_whose_token_is_refused_begins_anew_with_its_first_byte(engine, emulator):
    emulator.expire_tokens("access")
    stream = io.BytesIO(b"read by nobody" + b"0123456789" * 20_000)
    stream.seek(len(b"read by nobody"))
    attributes = UploadFileAttributes(name="digits.txt", parent=UploadFileAttributesParentField(id="0"))
    client = engine.client()
    (file,) = client.uploads.upload_file(attributes, stream).entries
    assert emulator.requests.count("POST /api/2.0/files/content") == 2
    assert client.downloads.download_file(file.id).read() == b"0123456789" * 20_000


@pytest.mark.parametrize("expiry", ["early", "refused"])
def test_the_time_of_a_refresh_is_not_taken_from_the_call(engine, emulator, expiry, monkeypatch):
    monkeypatch.setattr(user_client, "BUDGET", 2.5)  # the call's; the refresh has its own
    if expiry == "early":
        engine.age(3700)
    else:
        emulator.fault("GET /2.0/users/me", status=401)
    emulator.fault(TOKEN, times=1, latency=2.1)
    emulator.fault("GET /2.0/users/me", status=503, retry_after=0)  # repeated if there is time left
    assert engine.me() == emulator.users[0].id
    assert emulator.requests.count(TOKEN) == 1


def test_a_refresh_that_fails_is_the_answer_for_all_who_waited_for_it(engine, second, emulator, monkeypatch):
    engine.age(3700)
    emulator.fault(TOKEN, times=8, status=503)
    waiting, codes = threading.Semaphore(0), []
    join = engine.flow.refresher._join

    def counted(*arguments):
        waiting.release()
        return join(*arguments)

    monkeypatch.setattr(engine.flow.refresher, "_join", counted)

    def ask():
        try:
            codes.append(engine.me())
        except BoxUnavailable as error:
            codes.append(error.code)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    with second.store.lock(engine.record.user_id):  # another process is at it, until all of them wait
        for thread in threads:
            thread.start()
        assert all(waiting.acquire(timeout=30) for _ in threads)
    for thread in threads:
        thread.join(30)
    assert codes == ["box_down"] * 8
    assert emulator.requests.count(TOKEN) == 1


def test_who_was_refused_does_not_get_the_refused_token_from_a_refresh_that_others_began(engine, second, monkeypatch):
    record, got = engine.record, []
    begin = engine.flow.refresher.renew
    threads = [
        threading.Thread(target=lambda: got.append(begin(replace(record, issued_at=0, access_token="older")))),
        threading.Thread(target=lambda: got.append(begin(record, refused_token=record.access_token))),
    ]
    joined, join = threading.Semaphore(0), engine.flow.refresher._join

    def counted(*arguments):
        try:
            return join(*arguments)
        finally:
            joined.release()

    monkeypatch.setattr(engine.flow.refresher, "_join", counted)
    with second.store.lock(record.user_id):
        for thread in threads:
            thread.start()
            assert joined.acquire(timeout=30)
    for thread in threads:
        thread.join(30)
    assert sorted(token.access_token == record.access_token for token in got) == [False, True]


@pytest.mark.parametrize("age", [3700, 3600 - 200])
def test_a_slow_answer_is_waited_for_and_saved_whatever_the_page_does(engine, second, emulator, age, monkeypatch):
    """Against a Box that takes a refresh token once."""
    monkeypatch.setattr(refresh, "BUDGET", 0.3)
    for limit in ("BUDGET", "READ"):
        monkeypatch.setattr(pool, limit, 1.0)
    before = engine.age(age)
    emulator.fault(TOKEN, times=1, latency=1.5)
    begun = time.monotonic()
    if age > 3600:
        for _ in range(2):
            with pytest.raises(BoxUnavailable) as caught:
                engine.me()
            assert caught.value.code == "box_slow"
    else:
        assert engine.me() == emulator.users[0].id
    assert time.monotonic() - begun < 1.4
    assert engine.record == before
    engine.flow.refresher.wait()
    assert emulator.requests.count(TOKEN) == 1
    assert engine.me() == second.me() == emulator.users[0].id
    assert emulator.requests.count(TOKEN) == 1


def test_a_spent_refresh_token_leaves_a_living_access_token_to_its_end(engine, emulator):
    record = engine.age(3600 - 200)
    emulator.fault(TOKEN, drop="after")  # a strict Box: the token is spent, the answer lost
    for _ in range(3):
        assert engine.me() == emulator.users[0].id
    engine.flow.refresher.wait()
    assert engine.record == record
    engine.age(100)
    engine.flow.refresher._failures.clear()  # as another process, or later
    assert engine.me() == emulator.users[0].id
    engine.age(200)
    with pytest.raises(SignInRequired) as caught:
        engine.me()
    assert caught.value.code == "token_ended"
    assert engine.record is None


def test_a_user_who_signs_out_during_a_refresh_stays_signed_out(engine, second, emulator, monkeypatch):
    """Their lock was lost, as if the machine had slept: what it got is ended at Box, and written nowhere."""
    record = engine.age(3700)
    ask = engine.flow.oauth.refresh

    def slept(token):
        pair = ask(token)
        for file in engine.store.folder.glob(".*.lock"):
            file.unlink()
        second.flow.forget(record.user_id, "grant")
        return pair

    monkeypatch.setattr(engine.flow.oauth, "refresh", slept)
    with pytest.raises(SignInRequired) as caught:
        engine.me()
    assert caught.value.code == "signed_out"
    assert engine.record is None
    newest = emulator.database.row("SELECT refresh_token FROM pairs ORDER BY id DESC LIMIT 1")
    with pytest.raises(SignInRequired):
        second.flow.oauth.refresh(newest["refresh_token"])


def test_an_older_pair_is_not_written_over_a_newer_one(engine, second, emulator, monkeypatch):
    engine.age(3700)
    ask = engine.flow.oauth.refresh

    def slept(token):
        pair = ask(token)
        for file in engine.store.folder.glob(".*.lock"):
            file.unlink()
        second.flow.finish(*second.answer())
        return pair

    monkeypatch.setattr(engine.flow.oauth, "refresh", slept)
    assert engine.me() == emulator.users[0].id
    newest = emulator.database.row("SELECT refresh_token FROM pairs ORDER BY id DESC LIMIT 1")
    assert engine.record.refresh_token == newest["refresh_token"]
    assert engine.me() == second.me() == emulator.users[0].id


def test_a_lost_lock_alone_loses_nothing(engine, emulator, monkeypatch):
    engine.age(3700)
    ask = engine.flow.oauth.refresh

    def slept(token):
        pair = ask(token)
        for file in engine.store.folder.glob(".*.lock"):
            file.unlink()
        return pair

    monkeypatch.setattr(engine.flow.oauth, "refresh", slept)
    assert engine.me() == emulator.users[0].id
    assert engine.record.is_fresh(time.time())
    assert emulator.requests.count(TOKEN) == 1


def test_who_has_a_living_token_does_not_wait_for_another_process_to_refresh_it(engine, second, emulator):
    record = engine.age(3600 - 200)
    with second.store.lock(record.user_id):
        begun = time.monotonic()
        assert engine.me() == emulator.users[0].id
        assert time.monotonic() - begun < 5
    assert engine.record == record


def test_a_tokens_age_counts_from_before_it_was_asked_for(emulator, box, tmp_path, monkeypatch):
    """Box's hour begins when Box makes the token, and its answer may take its time."""
    clock = Clock()
    engine = Engine(emulator, box, tmp_path, clock)
    for name in ("exchange", "refresh"):
        monkeypatch.setattr(engine.flow.oauth, name, clock.slowed(getattr(engine.flow.oauth, name)))
    answer, pending = engine.answer()
    begun = clock.now
    record = engine.flow.finish(answer, pending)
    assert (record.issued_at, clock.now) == (begun, begun + 40)
    clock.now = begun = begun + 3600
    engine.flow.client(record).users.get_user_me()
    assert (engine.record.issued_at, clock.now) == (begun, begun + 40)
    engine.network.close()


class Clock:
    def __init__(self):
        self.now = time.time()

    def __call__(self):
        return self.now

    def slowed(self, call):
        """Have ``call`` take 40 seconds."""

        def slow(*arguments, **options):
            result = call(*arguments, **options)
            self.now += 40
            return result

        return slow


def test_an_upload_that_cannot_be_sent_again_leaves_a_new_token_for_the_next_try(engine, emulator):
    class Stream(io.BytesIO):
        def seekable(self):
            return False

    client = engine.client()
    attributes = UploadFileAttributes("new.txt", UploadFileAttributesParentField(id="0"))
    emulator.expire_tokens("access")
    with pytest.raises(BoxAPIError) as caught:
        client.uploads.upload_file(attributes, Stream(b"first"))
    assert caught.value.response_info.status_code == 401
    assert client.uploads.upload_file(attributes, Stream(b"second")).entries[0].name == "new.txt"
    assert emulator.requests.count(TOKEN) == 1


def test_a_sign_in_that_replaces_another_ends_the_replaced_tokens_at_box(engine, emulator):
    before = engine.record
    record = engine.flow.finish(*engine.answer())
    assert emulator.tokens.authenticate(before.access_token) is None
    with pytest.raises(SignInRequired):
        engine.flow.oauth.refresh(before.refresh_token)
    assert engine.record == record
    assert record.has_grant(before.grant)
    assert engine.me() == emulator.users[0].id


def test_a_new_sign_in_is_saved_although_the_store_is_away_for_a_moment(engine, monkeypatch):
    answer = engine.answer()
    full = Full(engine, monkeypatch)
    threading.Thread(target=lambda: full.tried.acquire(timeout=30) and full.mend()).start()
    assert engine.flow.finish(*answer) == engine.record


@pytest.mark.parametrize("written", [True, False])
def test_a_sign_in_that_may_be_stored_or_not_leaves_tokens_that_work(engine, monkeypatch, written):
    """Redis may run a command that it was sent, long after nobody waits for its answer."""
    answer, write = engine.answer(), engine.store.write
    monkeypatch.setattr(flow, "SAVE_SECONDS", 0.0)

    def unsure(held, data):
        if written:
            write(held, data)
        raise StoreUnavailable("redis_away")

    monkeypatch.setattr(engine.store, "write", unsure)
    before = engine.record
    with pytest.raises(StoreUnavailable):
        engine.flow.finish(*answer)
    monkeypatch.undo()
    assert (engine.record != before) == written
    assert engine.me() == engine.emulator.users[0].id
    engine.age(3700)
    assert engine.me() == engine.emulator.users[0].id


def test_new_tokens_whose_save_was_not_answered_before_the_lock_was_lost_are_kept(engine, emulator, monkeypatch):
    engine.age(3700)
    write = engine.store.write

    def unsure(held, data):
        write(held, data)
        monkeypatch.undo()
        raise LockLost

    monkeypatch.setattr(engine.store, "write", unsure)
    assert engine.me() == emulator.users[0].id
    engine.age(3700)
    assert engine.me() == emulator.users[0].id
    assert emulator.requests.count(TOKEN) == 2


def test_who_signs_in_or_out_waits_longer_than_a_refresh_may_take():
    assert LOCK_WAIT > LONG_BUDGET
