"""Bodies that can be sent once: not with a token about to end, and from streams that can do no more than read."""

import io
import time

import pytest
from box_sdk_gen import BoxAPIError, UploadFileAttributes, UploadFileAttributesParentField

from box_auth import config
from box_auth.errors import BoxUnavailable
from box_auth.flow import open_flow
from box_auth.stores.record import TokenRecord

from .journey import live_settings
from .store_contract import save

TOKEN, UPLOAD = "POST /oauth2/token", "POST /api/2.0/files/content"
TEXT = b"0123456789" * 20_000


class Bare:
    """Anything that has ``read``: a request's body, a decompressor, another program's output."""

    def __init__(self, text=TEXT):
        self._text = io.BytesIO(text)

    def read(self, size=-1):
        return self._text.read(size)

    @property
    def untouched(self):
        return self._text.tell() == 0


class OneWay(Bare):
    def seekable(self):
        return False


class Pretender(Bare):
    def seekable(self):
        return True  # and has no tell


class Broken(Bare):
    def seekable(self):
        raise OSError("not this one")


class Failing(Bare):
    """Gives half of the text, and then ``error``."""

    def __init__(self, error):
        super().__init__(TEXT[: len(TEXT) // 2])
        self._error = error

    def read(self, size=-1):
        if chunk := super().read(size):
            return chunk
        if self._error is None:
            return None  # as a stream that does not wait for what is to come
        raise self._error


class FailingPipe(Failing):
    def seekable(self):
        return False


@pytest.fixture
def flow(emulator, box, tmp_path):
    flow = open_flow(config.parse(live_settings(emulator, box, 5000), tmp_path))
    yield flow
    flow.network.close()


@pytest.fixture
def client(flow, emulator):
    """Makes the client of somebody whose token has ``left`` seconds to live."""

    def client(left=3600.0):
        user = emulator.users[0]
        pair = emulator.sign_in(user.login)
        tokens = pair.access_token, pair.refresh_token
        save(flow.store, TokenRecord(user.id, "", "", "grant", *tokens, time.time() + left - 3600, 3600.0))
        return flow.client(flow.find(user.id, "grant"))

    return client


def upload(client, stream, name="new.txt"):
    attributes = UploadFileAttributes(name, UploadFileAttributesParentField(id="0"))
    return client.uploads.upload_file(attributes, stream).entries[0]


@pytest.mark.parametrize("kind", [Bare, OneWay, Pretender, Broken])
def test_a_stream_that_can_only_be_read_is_uploaded_whole(client, kind):
    client = client()
    file = upload(client, kind())
    assert client.downloads.download_file(file.id).read() == TEXT


@pytest.mark.parametrize("kind", [Failing, FailingPipe])
@pytest.mark.parametrize("error", [OSError(5, "EIO"), ConnectionResetError(), BrokenPipeError(), TimeoutError()])
def test_what_a_stream_raises_is_raised_at_once_and_nothing_is_stored(client, kind, error):
    client, start = client(), time.monotonic()
    with pytest.raises(type(error)) as caught:
        upload(client, kind(error), "half.txt")
    assert caught.value is error
    assert time.monotonic() - start < 5
    assert "half.txt" not in [item.name for item in client.folders.get_folder_items("0").entries]


@pytest.mark.parametrize("kind", [Failing, FailingPipe])
def test_a_stream_that_does_not_wait_is_not_taken_for_one_that_ended(client, kind):
    client = client()
    with pytest.raises(BlockingIOError):
        upload(client, kind(None), "half.txt")
    assert "half.txt" not in [item.name for item in client.folders.get_folder_items("0").entries]


@pytest.mark.parametrize("kind", [Bare, OneWay])
def test_a_part_of_a_large_file_too(emulator, client, kind):
    client = client()
    size = 20_000_000
    session = client.chunked_uploads.create_file_upload_session("0", size, "large.bin")
    part = client.chunked_uploads.upload_file_part(
        session.id,
        kind(bytes(session.part_size)),
        "sha=" + _sha1(session.part_size),
        f"bytes 0-{session.part_size - 1}/{size}",
    )
    assert part.part.size == session.part_size


def _sha1(size):
    import base64
    import hashlib

    return base64.b64encode(hashlib.sha1(bytes(size)).digest()).decode()


@pytest.mark.parametrize("kind", [Bare, OneWay])
def test_what_can_be_sent_once_waits_for_a_fresh_token(emulator, flow, client, kind):
    client = client(left=100)
    emulator.fault(TOKEN, times=2, latency=3.5)  # longer than a page with a living token would wait
    upload(client, kind())
    assert flow.store.load(emulator.users[0].id).is_fresh(time.time())
    assert (emulator.requests.count(TOKEN), emulator.requests.count(UPLOAD)) == (1, 1)


@pytest.mark.parametrize("kind", [Bare, OneWay])
def test_without_a_fresh_token_nothing_of_it_is_read(emulator, client, kind):
    client, stream = client(left=100), kind()
    emulator.fault(TOKEN, times=9, status=503)
    for _ in range(2):
        with pytest.raises(BoxUnavailable) as caught:
            upload(client, stream)
        assert caught.value.code == "box_down"
    assert stream.untouched
    assert emulator.requests.count(UPLOAD) == 0
    assert client.users.get_user_me().id == emulator.users[0].id  # what can be repeated goes on with the old one
    upload(client, io.BytesIO(TEXT))


def test_after_a_401_the_next_try_has_a_new_token(emulator, client):
    client = client()
    emulator.expire_tokens("access")
    with pytest.raises(BoxAPIError) as caught:
        upload(client, Bare())
    assert caught.value.response_info.status_code == 401
    assert upload(client, Bare()).name == "new.txt"
    assert emulator.requests.count(TOKEN) == 1


def test_what_was_turned_away_is_not_sent_again_in_part(emulator, client):
    emulator.fault(UPLOAD, status=429, retry_after=0)
    with pytest.raises(BoxUnavailable) as caught:
        upload(client(), Bare())
    assert caught.value.code == "box_busy"
    assert emulator.requests.count(UPLOAD) == 1
