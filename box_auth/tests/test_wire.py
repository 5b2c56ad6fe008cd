"""What travels between the app and Box: secrets in bodies and headers, never in an address, and to nobody else."""

import dataclasses
import time
from urllib.parse import parse_qsl, urlsplit

import pytest
from box_sdk_gen import BoxAPIError
from box_sdk_gen.networking.fetch_options import FetchOptions

from box_auth import config
from box_auth.errors import refusal
from box_auth.flow import open_flow
from box_auth.stores.record import TokenRecord

from .journey import live_settings
from .store_contract import save
from .walker import consent


@pytest.fixture
def flow(emulator, box, tmp_path):
    flow = open_flow(config.parse(live_settings(emulator, box, 5000), tmp_path))
    yield flow
    flow.network.close()


@pytest.fixture
def answer(flow):
    address, pending = flow.start()
    return dict(parse_qsl(urlsplit(consent(address, "grant")).query)), pending


def test_secrets_travel_in_bodies_and_headers_and_never_in_an_address(flow, sent, answer):
    record = flow.finish(*answer)
    pair = flow.oauth.refresh(record.refresh_token)
    flow.oauth.downscope(pair.access_token, ["item_preview"], None, None)
    save(flow.store, dataclasses.replace(record, access_token=pair.access_token, refresh_token=pair.refresh_token))
    flow.client(flow.find(record.user_id, record.grant)).users.get_user_me()
    flow.forget(record.user_id, record.grant)
    secrets = {flow.settings.client_secret, answer[0]["code"], record.access_token, record.refresh_token}
    secrets |= {pair.access_token, pair.refresh_token}
    assert len(sent) == 7  # code, whose, refresh, downscope, whose, two ends
    bodies = " ".join(str(request.body) + str(request.headers) for request in sent)
    for secret in secrets:
        assert secret in bodies
        assert not [request.url for request in sent if secret in request.url]


def test_no_token_goes_where_a_download_leads(emulator, flow, sent):
    """To another host, where the address that Box made is enough."""
    user = emulator.users[0]
    file = emulator.add_item(user, "a.txt", content=b"text")
    pair = emulator.sign_in(user.login)
    record = TokenRecord(user.id, "", "", "g", pair.access_token, pair.refresh_token, time.time(), 3600.0)
    save(flow.store, record)
    assert flow.client(record).downloads.download_file(file.id).read() == b"text"
    first, second = sent
    assert pair.access_token in str(first.headers)
    assert urlsplit(first.url).netloc != urlsplit(second.url).netloc
    assert pair.access_token not in str(second.headers) + second.url


def test_a_request_of_the_sdk_that_asks_for_no_token_gets_none(box, flow, sent):
    """What the SDK sends without authentication has an address that speaks for itself, wherever that is."""
    record = TokenRecord("1", "", "", "g", "the-access-token", "r", time.time(), 3600.0)
    session = flow.client(record).users.network_session
    with pytest.raises(BoxAPIError):
        session.network_client.fetch(FetchOptions(f"{box.url}/2.0/users/me", "GET", network_session=session))
    assert "the-access-token" not in str(sent[0].headers)


def test_what_box_gave_and_what_it_refused_show_no_secret(emulator, flow, answer):
    pair = flow.oauth.exchange(answer[0]["code"])
    assert pair.access_token not in repr(pair)
    assert pair.refresh_token not in repr(pair)
    record = TokenRecord("1", "", "", "the grant", pair.access_token, pair.refresh_token, time.time(), 3600.0)
    assert not [text for text in ("the grant", pair.access_token, pair.refresh_token) if text in repr(record)]
    emulator.fault("GET /2.0/users/me", status=404)
    with pytest.raises(BoxAPIError) as caught:
        flow.client(record).users.get_user_me()
    assert pair.access_token in str(caught.value.request_info.headers)
    ours = refusal(caught.value)
    assert pair.access_token not in str(ours) + repr(ours) + repr(vars(ours))
