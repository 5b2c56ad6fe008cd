"""Tokens encrypted at rest: the store's contract, plain files from before, key rotation, and wrong keys."""

import json
import time
from dataclasses import replace

import pytest
from cryptography.fernet import Fernet

from box_auth.errors import StoreUnavailable
from box_auth.stores.encryption import EncryptedCodec, rotate
from box_auth.stores.files import FileStore

from . import terminal
from .store_contract import APP, FILE, PLAIN, RECORD, StoreContract, save
from .store_contract import FIRST as STORED_FIRST

USER = RECORD.user_id
FIRST, SECOND = Fernet.generate_key().decode(), Fernet.generate_key().decode()


@pytest.fixture
def store(tmp_path):
    return FileStore(tmp_path / "tokens", EncryptedCodec([FIRST], APP))


@pytest.fixture
def other(store):
    return FileStore(store.folder, EncryptedCodec([FIRST], APP))


def stored(store) -> bytes:
    return (store.folder / FILE).read_bytes()


@pytest.fixture
def neighbour(store):
    return FileStore(store.folder, EncryptedCodec([FIRST], "another"))


@pytest.fixture
def put_first(store):
    store.folder.mkdir()
    return (store.folder / f"{USER}.json").write_bytes


@pytest.fixture
def lose(store):
    return lambda user_id: next(store.folder.glob(f".{user_id}*.lock")).unlink()


class TestEncryptedFileStore(StoreContract):
    pass


def test_nothing_of_a_record_can_be_read_on_the_disk(store):
    save(store, RECORD)
    for text in (RECORD.access_token, RECORD.refresh_token, RECORD.name, RECORD.login, RECORD.grant, USER):
        assert text.encode() not in stored(store)


def test_a_plain_file_from_before_is_read_and_written_again_encrypted(store):
    save(FileStore(store.folder, PLAIN), RECORD)
    assert RECORD.refresh_token.encode() in stored(store)
    record = store.load(USER)
    assert record.refresh_token == RECORD.refresh_token
    assert RECORD.refresh_token.encode() not in stored(store)
    assert store.load(USER) == record


def test_a_plain_record_is_not_believed_who_may_use_it(store):
    """Whoever can write files could otherwise open anybody's account with a session of their own."""
    save(FileStore(store.folder, PLAIN), RECORD)
    assert not store.load(USER).has_grant(RECORD.grant)


def test_what_version_1_encrypted_is_read_with_its_grant_and_marked(store):
    store.folder.mkdir()
    token = Fernet(FIRST).encrypt(json.dumps(STORED_FIRST).encode())
    (store.folder / f"{USER}.json").write_bytes(token)
    assert store.load(USER) == RECORD
    assert stored(store).startswith(b"box-2:")


def test_the_first_key_writes_and_all_keys_read(store):
    save(store, RECORD)
    both = FileStore(store.folder, EncryptedCodec([SECOND, FIRST], APP))
    assert both.load(USER) == RECORD
    save(both, RECORD)
    with pytest.raises(StoreUnavailable):
        FileStore(store.folder, EncryptedCodec([FIRST], APP)).load(USER)
    assert FileStore(store.folder, EncryptedCodec([SECOND], APP)).load(USER) == RECORD


def test_rotation_moves_every_record_to_the_first_key(store):
    save(store, RECORD)
    assert rotate(FileStore(store.folder, EncryptedCodec([SECOND, FIRST], APP))) == 1
    assert FileStore(store.folder, EncryptedCodec([SECOND], APP)).load(USER) == RECORD


@pytest.mark.parametrize(("codec", "code"), [(EncryptedCodec([SECOND], APP), "key_wrong"), (None, "key_missing")])
def test_a_wrong_or_missing_key_is_a_clear_error_and_changes_nothing(store, codec, code):
    save(store, RECORD)
    before = stored(store)
    locked_out = FileStore(store.folder, codec) if codec else FileStore(store.folder, PLAIN)
    with pytest.raises(StoreUnavailable) as caught:
        locked_out.load(USER)
    assert caught.value.code == code
    assert stored(store) == before
    assert store.load(USER) == RECORD


@pytest.mark.parametrize("cut", [7, 40, 101])
def test_a_truncated_record_is_set_aside(store, cut):
    save(store, RECORD)
    (store.folder / FILE).write_bytes(stored(store)[:-cut])
    assert store.load(USER) is None
    assert list(store.folder.glob("*unreadable*"))


def flask_box(folder, *arguments, **settings):
    return terminal.flask_box(folder, *arguments, CLIENT_ID="i", CLIENT_SECRET="s", **settings)


def test_the_command_makes_keys_and_rotates_to_the_first_and_says_what_is_wrong(fork):
    folder = fork
    new = flask_box(folder, "new-key").stdout.strip()
    tokens = folder / "instance" / "tokens"
    save(FileStore(tokens, EncryptedCodec([FIRST], APP)), RECORD)
    done = flask_box(folder, "rotate-keys", TOKEN_ENCRYPTION_KEYS=f"{new}, {FIRST}")
    assert (done.returncode, done.stdout) == (0, "1 stored sign-ins are now under the first key.\n")
    assert FileStore(tokens, EncryptedCodec([new], APP)).load(USER) == RECORD
    wrong = flask_box(folder, "rotate-keys", TOKEN_ENCRYPTION_KEYS=FIRST)
    assert wrong.returncode == 1
    assert "[key_wrong]" in wrong.stderr
    assert "not set" in flask_box(folder, "rotate-keys").stderr
    assert "key 2 is not 32 bytes" in flask_box(folder, "rotate-keys", TOKEN_ENCRYPTION_KEYS=f"{new},short").stderr
    assert FileStore(tokens, EncryptedCodec([new], APP)).load(USER) == RECORD


def test_rotation_encrypts_what_was_kept_plain_and_waits_for_nobody(store):
    for user_id in (USER, "7"):
        save(FileStore(store.folder, PLAIN), replace(RECORD, user_id=user_id))
    begun = time.monotonic()
    assert rotate(FileStore(store.folder, EncryptedCodec([FIRST], APP, trust_plain=True))) == 2
    assert time.monotonic() - begun < 5  # a lock that it would take twice is waited for much longer
    assert RECORD.refresh_token.encode() not in stored(store)
    assert FileStore(store.folder, EncryptedCodec([FIRST], APP)).load(USER) == RECORD


def test_the_command_encrypts_what_was_kept_plain(make):
    make.set(CLIENT_ID="i", CLIENT_SECRET="s", TOKEN_ENCRYPTION_KEYS=FIRST)
    tokens = make.folder / "instance" / "tokens"
    save(FileStore(tokens, PLAIN), RECORD)
    done = make().test_cli_runner().invoke(args=["box", "rotate-keys"])
    assert (done.exit_code, done.output) == (0, "1 stored sign-ins are now under the first key.\n")
    assert RECORD.refresh_token.encode() not in (tokens / FILE).read_bytes()
    assert FileStore(tokens, EncryptedCodec([FIRST], APP)).load(USER) == RECORD  # its grant, too: nobody is signed out
