"""Calls side by side: they cannot wait for themselves, starve others, or hide what a call says."""

import threading

import pytest
from flask import request

from box_auth import config
from box_auth.errors import BoxUnavailable
from box_auth.network import at_once
from box_auth.network.pool import THREADS, Network


@pytest.fixture
def network(tmp_path):
    network = Network(config.parse({"CLIENT_ID": "i", "CLIENT_SECRET": "s"}, tmp_path))
    yield network
    network.close()


@pytest.fixture
def busy(network):
    """Have somebody else's calls hold every thread, with as many again in the queue."""
    begun, go_on = threading.Semaphore(0), threading.Event()

    def hold():
        begun.release()
        go_on.wait(30)

    other = threading.Thread(target=network.at_once, args=[hold] * (3 * THREADS))
    other.start()
    for _ in range(THREADS + 1):  # the threads, and the one that waits
        assert begun.acquire(timeout=10)
    yield go_on
    go_on.set()
    other.join(30)
    assert not other.is_alive()


@pytest.mark.timeout(30)
@pytest.mark.parametrize(("wide", "deep"), [(33, 2), (12, 3), (2, 9)])
def test_calls_within_calls_end_at_once_however_wide_and_deep(network, wide, deep):
    def call(level):
        return sum(network.at_once(*[lambda: call(level - 1)] * wide)) if level else 1

    assert call(deep) == wide**deep


@pytest.mark.timeout(10)
def test_a_nested_wave_that_meets_in_all_threads_does_not_stop(network):
    meet = threading.Barrier(THREADS + 1)  # every thread is taken before any asks for more

    def call():
        meet.wait(5)
        return network.at_once(lambda: 1, lambda: 2, lambda: 3)

    assert network.at_once(*[call] * (THREADS + 1)) == [[1, 2, 3]] * (THREADS + 1)


def test_somebodys_many_calls_keep_nobody_else_waiting(network, busy):
    assert network.at_once(lambda: 1, lambda: 2, lambda: 3) == [1, 2, 3]
    assert not busy.is_set()


def test_calls_that_the_waiting_thread_makes_see_the_request_and_keep_their_order(network, busy, make):
    app = make.bare()
    with app.test_request_context("/page"):
        assert network.at_once(*[lambda: request.path] * 3) == ["/page"] * 3


def test_a_result_is_in_its_place_whoever_made_the_call(network):
    calls = [lambda number=number: number for number in range(1000)]
    assert network.at_once(*calls) == list(range(1000))
    assert network.at_once() == []


def test_a_timeout_of_a_calls_own_is_its_own(network):
    mine = TimeoutError("the fork's own")

    def fail():
        raise mine

    for calls in ([fail], [fail, str], [str, fail], [str] * 50 + [fail]):
        with pytest.raises(TimeoutError) as caught:
            network.at_once(*calls)
        assert caught.value is mine


def test_a_timeout_of_a_call_that_the_waiting_thread_makes_is_its_own_too(network, busy):
    with pytest.raises(TimeoutError):
        network.at_once(str, lambda: (_ for _ in ()).throw(TimeoutError()))


@pytest.mark.parametrize("held", [False, True])
def test_of_several_errors_the_first_in_order_is_raised(network, held, request):
    if held:  # so that the waiting thread makes all the calls
        request.getfixturevalue("busy")

    def fail(error):
        raise error

    with pytest.raises(KeyError):
        network.at_once(str, lambda: fail(KeyError()), lambda: fail(ValueError()), str)


def test_an_error_waits_for_the_calls_before_it(network):
    seen, go_on = threading.Event(), threading.Event()

    def late():
        go_on.wait(10)
        raise KeyError

    def early():
        seen.set()
        raise ValueError

    def first():
        seen.wait(10)
        go_on.set()

    with pytest.raises(KeyError):
        network.at_once(first, late, early)


def test_calls_that_take_too_long_are_a_slow_box(network):
    network.at_once()  # so that there are threads
    go_on = threading.Event()
    with pytest.raises(BoxUnavailable) as caught:
        at_once.run_at_once(network._threads, (str, lambda: go_on.wait(30)), 0.2)
    go_on.set()
    assert caught.value.code == "box_slow"
