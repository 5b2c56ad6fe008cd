"""The emulator as a page: users, files, tokens, the request log, and buttons for the switches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

from flask import redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from .clock import iso
from .emulator import Emulator, here
from .items import ROOT
from .paging import Listing

_SHOWN = 50  # requests, tokens and items

Form = Mapping[str, str]


def is_own_form() -> bool:
    """Tell whether the page itself sent this request: browsers say so, and no other site can."""
    own = request.headers.get("Origin") == request.host_url.rstrip("/")
    return own or request.headers.get("Sec-Fetch-Site") == "same-origin"


def page(problem: str = "") -> str:
    """Write the page, with the folder that the query names."""
    emulator = here()
    user = emulator.users.get(request.args.get("user", "")) or next(iter(emulator.users), None)
    folder = user and emulator.items.get(user.id, request.args.get("folder", ROOT))
    items, more = emulator.items.page(folder, Listing(limit=_SHOWN)) if folder else ([], None)
    return render_template(
        "console.html",
        emulator=emulator,
        problem=problem,
        now=emulator.clock.now(),
        iso=iso,
        names={other.id: other.name for other in emulator.users},
        tokens=emulator.tokens.latest(_SHOWN),
        log=list(islice(reversed(list(emulator.requests)), _SHOWN)),
        user=user,
        folder=folder,
        items=items,
        more=more,
    )


def press() -> BaseResponse:
    """Turn the switch that the form names, and show the page again."""
    try:
        _BUTTONS[request.form.get("switch", "")](here(), request.form)
    except (KeyError, TypeError, ValueError) as error:
        return BaseResponse(page(str(error) or "There is no such switch."), 400, mimetype="text/html")
    return redirect("./", 303)


def _fault(emulator: Emulator, form: Form) -> None:
    given: dict[str, Any] = {name: form[name] for name in ("retry_after", "drop", "body") if form.get(name)}
    given |= {name: int(form[name]) for name in ("times", "status") if form.get(name)}
    emulator.fault(form["route"], latency=float(form.get("latency") or 0), content_type="text/html", **given)


_BUTTONS: dict[str, Callable[[Emulator, Form], None]] = {
    "advance": lambda emulator, form: emulator.clock.advance(float(form["seconds"])),
    "freeze": lambda emulator, form: emulator.clock.freeze(),
    "unfreeze": lambda emulator, form: emulator.clock.unfreeze(),
    "expire access": lambda emulator, form: emulator.expire_tokens("access", form.get("user") or None),
    "expire refresh": lambda emulator, form: emulator.expire_tokens("refresh", form.get("user") or None),
    "revoke": lambda emulator, form: emulator.revoke_tokens(form.get("user") or None),
    "fault": _fault,
    "clear faults": lambda emulator, form: emulator.faults.clear(),
    "clear log": lambda emulator, form: emulator.requests.clear(),
    "rate limits": lambda emulator, form: emulator.set_options(rate_limits=form.get("on") == "on"),
    "reset": lambda emulator, form: emulator.reset(),
}
