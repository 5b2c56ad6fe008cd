"""Calls side by side on a few shared threads, which can neither wait for each other without end nor starve."""

from __future__ import annotations

import contextvars
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from typing import Any

from ..errors import BoxUnavailable


def run_at_once(threads: ThreadPoolExecutor, calls: tuple[Callable[[], Any], ...], seconds: float) -> list[Any]:
    """Make the calls and return their results in order; of several errors, the first in that order is raised.

    The calling thread makes the first call, then each that no thread has begun: so a call may itself make calls at
    once, and somebody's thousand calls keep nobody else waiting. All of them see the caller's context. Raises
    `BoxUnavailable` where they take longer than ``seconds``.
    """
    deadline = time.monotonic() + seconds
    begin: list[Callable[[], Any]] = [partial(contextvars.copy_context().run, call) for call in calls]
    futures: list[Future[Any]] = [threads.submit(call) for call in begin[1:]]
    try:
        results: list[Any] = [begin[0]()] if begin else []
        for number, call in enumerate(begin[1:]):
            if not futures[number].cancel():  # a thread has begun it, or is done with it
                continue
            if time.monotonic() > deadline:
                raise BoxUnavailable("box_slow")
            own: Future[Any] = Future()
            futures[number] = own
            try:
                own.set_result(call())
            except Exception as error:
                own.set_exception(error)
                break  # no later call can come before it
        for future in futures:
            wait([future], max(0.0, deadline - time.monotonic()))
            if not future.done():  # a TimeoutError of the call's own is not this
                raise BoxUnavailable("box_slow")
            results.append(future.result())
        return results
    finally:
        for future in futures:
            future.cancel()
