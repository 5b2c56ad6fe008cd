"""What a call costs by the ways there are, and what the SDK could save: the figures of docs/calling-box.md.

    python benchmarks/sdk_costs.py

CPU time of this process alone (user and system), the median of rounds that take turns, against a stand-in for Box on
127.0.0.1 that answers at once (`speed/quiet_box.py`).
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, datetime
from enum import EnumMeta
from functools import cache
from pathlib import Path
from typing import Any, Union, get_args, get_origin

import requests
import urllib3
from box_sdk_gen import BoxClient, BoxDeveloperTokenAuth, NetworkSession
from box_sdk_gen.internal.base_object import BaseObject
from box_sdk_gen.networking import BaseUrls, BoxNetworkClient
from box_sdk_gen.networking.fetch_options import FetchOptions
from box_sdk_gen.schemas import Items, UserFull

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.speed import servers
from box_auth import config
from box_auth.flow import open_flow
from box_auth.stores.record import TokenRecord
from box_auth.user_client import get

ROUNDS, CALLS = 15, 60
FIELDS = ["name", "size", "modified_at", "url"]
CALLED = {"users/me": "/users/me", "100 items": "/folders/0/items"}
TYPES = {"users/me": UserFull, "100 items": Items}


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        box = servers.Box(Path(name))
        try:
            costs = {called: calls(box, called, Path(name)) for called in CALLED}
        finally:
            servers.stop(box.process)
    print("| CPU microseconds a call | " + " | ".join(CALLED) + " |\n|---|" + "---|" * len(CALLED))
    for way in costs["users/me"]:
        print(f"| {way} | " + " | ".join(f"{costs[called][way]:.0f}" for called in CALLED) + " |")
    print("\n| start of a process, CPU milliseconds | |\n|---|---|")
    for words, code in (("`import flask`", "import flask"), ("`import box_sdk_gen`", "import box_sdk_gen")):
        print(f"| {words} | {start(code):.0f} |")
    return 0


def calls(box: servers.Box, called: str, folder: Path) -> dict[str, float]:
    """Return the microseconds of a call by each way."""
    url, user = box.address("http"), 20_000_000
    pair = requests.post(f"{url}/oauth2/token", data=_form("code-0"), timeout=10).json()
    token, more = pair["access_token"], {"fields": FIELDS, "limit": 100} if called == "100 items" else {}
    settings = {"CLIENT_ID": servers.CLIENT_ID, "CLIENT_SECRET": servers.CLIENT_SECRET, "BOX_API_URL": url}
    flow = open_flow(config.parse(settings, folder))
    ours = flow.client(TokenRecord(str(user), "", "", "g", token, pair["refresh_token"], time.time(), 3600.0))
    network = NetworkSession(network_client=BoxNetworkClient(requests.Session()), base_urls=BaseUrls(base_url=url))
    sdk = BoxClient(auth=BoxDeveloperTokenAuth(token), network_session=network)
    pool = urllib3.HTTPConnectionPool("127.0.0.1", box.ports["http"])
    query = {name: ",".join(value) if isinstance(value, list) else str(value) for name, value in more.items()}
    target = f"/2.0{CALLED[called]}"
    whole = FetchOptions(f"{url}{target}", "GET", params=query)
    head = {"Authorization": f"Bearer {token}"}
    answer = get(ours, CALLED[called], **more)
    kind = TYPES[called]
    assert plan_of(kind)(answer).to_dict() == kind.from_dict(answer).to_dict()

    def typed(client: BoxClient) -> Callable[[], Any]:
        if called == "users/me":
            return client.users.get_user_me
        return lambda: client.folders.get_folder_items("0", fields=FIELDS, limit=100)

    ways: dict[str, Callable[[], Any]] = {
        "`urllib3` and `json.loads`": lambda: json.loads(pool.request("GET", target, fields=query, headers=head).data),
        "`box.get`: plain dicts, with token, time limits, retries": lambda: get(ours, CALLED[called], **more),
        "`box.client`: the SDK's objects, the same": typed(ours),
        "the SDK alone, `client.make_request`: plain dicts": lambda: sdk.make_request(whole),
        "the SDK alone: its objects": typed(sdk),
        "of that, making the objects": lambda: kind.from_dict(answer),
        "making them with the decisions taken once": lambda: plan_of(kind)(answer),
    }
    seen: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(ROUNDS):
        for way, call in ways.items():
            begun = time.process_time()
            for _ in range(CALLS):
                call()
            seen[way].append((time.process_time() - begun) / CALLS * 1e6)
    flow.network.close()
    pool.close()
    return {way: statistics.median(times) for way, times in seen.items()}


def start(code: str) -> float:
    """Return the CPU milliseconds of a process that runs ``code``, beyond those of one that runs nothing."""

    def once(code: str) -> float:
        show = "import os; print(sum(os.times()[:2]))"
        done = subprocess.run([sys.executable, "-c", f"{code}\n{show}"], capture_output=True, check=True, text=True)
        return float(done.stdout) * 1000

    return statistics.median(once(code) for _ in range(11)) - statistics.median(once("") for _ in range(11))


def _form(code: str) -> dict[str, str]:
    secrets = {"client_id": servers.CLIENT_ID, "client_secret": servers.CLIENT_SECRET}
    return {"grant_type": "authorization_code", "code": code, **secrets}


# What is proposed: the rules of BaseObject._deserialize, asked of each annotation once instead of each value.


@cache
def plan_of(kind: type[BaseObject]) -> Callable[[dict[str, Any]], BaseObject]:
    annotations = kind.__init__.__annotations__
    names = {**{name: name for name in annotations}, **kind._json_to_fields_mapping}
    plan = {key: (name, converter(annotations.get(name))) for key, name in names.items()}
    other = (None, None)

    def make(data: dict[str, Any]) -> BaseObject:
        values = {}
        for key, value in data.items():
            name, convert = plan.get(key, other)
            values[name or key] = value if convert is None or value is None else convert(value)
        return kind(**values)

    return make


@cache
def converter(annotation: Any) -> Callable[[Any], Any] | None:
    """Return what makes a value of a type; None where it stays as it is."""
    origin, arguments = get_origin(annotation), [arg for arg in get_args(annotation) if arg is not type(None)]
    if origin is Union and len(arguments) == 1:
        return converter(arguments[0])
    if origin is list:
        one = converter(arguments[0])
        return one and _or_as_it_is(lambda value: [one(each) for each in value])
    if origin is Union:
        return _or_as_it_is(_of_several(arguments))
    if isinstance(annotation, EnumMeta):
        return _or_as_it_is(lambda value: getattr(annotation, value.upper().replace(" ", "_")))
    if annotation is datetime:
        return _or_as_it_is(lambda value: datetime.fromisoformat(value.replace("Z", "+00:00")))
    if annotation is date:
        return _or_as_it_is(date.fromisoformat)
    if isinstance(annotation, type) and issubclass(annotation, BaseObject):
        return _or_as_it_is(lambda value: plan_of(annotation)(value))
    return None


def _of_several(kinds: list[Any]) -> Callable[[Any], Any]:
    named = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseObject)]

    def convert(value: Any) -> Any:
        for kind in named:
            if value.get(kind._discriminator[0]) in kind._discriminator[1]:
                return plan_of(kind)(value)
        first = converter(kinds[0])
        return first(value) if first else value

    return convert


def _or_as_it_is(convert: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def careful(value: Any) -> Any:
        try:
            return convert(value)
        except Exception:
            return value

    return careful


if __name__ == "__main__":
    sys.exit(main())
