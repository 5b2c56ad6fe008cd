"""The pure parts of the retry policy (what it does on the wire is in test_box_connection.py)."""

import email.utils
import time

import pytest

from box_auth.network.retries import _retry_after
from box_auth.oauth import usable_lifetime
from box_auth.stores.record import TokenRecord


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), ("7", 7), ("99999999999999", 86400), ("", None), ("-1", None), ("soon", None), ("²", None)],
)
def test_retry_after_in_seconds(text, seconds):
    assert _retry_after({"retry-after": text}) == seconds


def test_retry_after_as_a_date():
    later = email.utils.formatdate(time.time() + 30, usegmt=True)
    assert 27 < _retry_after({"Retry-After": later}) <= 30
    assert _retry_after({"Retry-After": "Sun, 06 Nov 1994 08:49:37 GMT"}) == 0
    assert _retry_after({"Retry-After": "Sun, 99 Nov 1994 08:49:37 GMT"}) is None


@pytest.mark.parametrize(
    ("expires_in", "lifetime"),
    [
        (4123, 4123.0),
        ("3600", 3600.0),
        (None, None),
        (0, None),
        (-5, None),
        ("soon", None),
        (10**12, None),
        (float("nan"), None),
        (True, None),
        ([], None),
        ("9" * 5000, None),
    ],
)
def test_an_unusable_expires_in_counts_as_unknown(expires_in, lifetime):
    assert usable_lifetime(expires_in) == lifetime


def record(issued_at: float, lifetime: float | None) -> TokenRecord:
    return TokenRecord("1", "", "", "", "", "", issued_at, lifetime)


def test_a_token_is_refreshed_five_minutes_early_and_usable_to_the_end():
    token = record(1000, 3600)
    assert token.is_fresh(1000 + 3299)
    assert not token.is_fresh(1000 + 3300)
    assert token.is_alive(1000 + 3599)
    assert not token.is_alive(1000 + 3600)


def test_a_short_lived_token_is_not_refreshed_on_every_request():
    assert record(1000, 60).is_fresh(1053)
    assert not record(1000, 60).is_fresh(1054)


def test_a_token_of_unknown_lifetime_is_used_until_box_refuses_it():
    assert record(1000, None).is_fresh(10**9)


def test_after_the_clock_jumped_back_the_age_is_unknown_and_the_token_refreshed():
    for apart in (30, 61, 299):  # the clocks of two machines may differ by minutes
        assert record(10_000, 3600).is_fresh(10_000 - apart)
    assert not record(10_000, 3600).is_fresh(10_000 - 301)
    assert not record(10_000, 3600).is_fresh(10_000 - 3600)
    assert record(10_000, 3600).is_alive(10_000 - 3600)
