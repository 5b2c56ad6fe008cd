"""Plays the browser for scripts that open one: walker.py PAGES HABITS ADDRESS goes to Box's consent page and answers.

It writes what it saw to PAGES. Habits: `grant` or `deny` is the button; `noise` calls the port with everything but the
right answer first; `twice` goes to the callback two times. The standard library is enough, and starts fast.
"""

import http.client
import json
import re
import socket
import sys
from pathlib import Path
from urllib.parse import urlencode, urljoin, urlsplit

NOISE = ("/favicon.ico", "/", "/callback", "/callback?code=abc", "/callback?state=stale&code=abc")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def call(method: str, address: str, body: str | None = None) -> tuple[int, str, str]:
    """Return status, text and Location."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    try:
        connection.request(method, f"{parts.path}?{parts.query}", body, FORM if body else {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), answer.headers.get("Location", "")
    finally:
        connection.close()


def consent(address: str, button: str) -> str:
    """Press a button on the consent page, and return where Box sends the browser, without going there."""
    user = re.search(r'name="user" value="(\d+)"', call("GET", address)[1])[1]
    return urljoin(address, call("POST", address, urlencode({"user": user, "decision": button}))[2])


def walk(address: str, habits: list[str]) -> list[tuple[int, str, str]]:
    seen = []
    callback = consent(address, "deny" if "deny" in habits else "grant")
    if "noise" in habits:
        parts = urlsplit(callback)
        socket.create_connection((parts.hostname, parts.port)).close()  # a port scan
        with socket.create_connection((parts.hostname, parts.port)) as scan:  # and one that says nonsense
            scan.sendall(b"\x16\x03\x01\x00\r\n\r\n")
        seen += [call("GET", urljoin(callback, path)) for path in NOISE]
        seen.append(call("POST", callback, "x"))
    seen.append(call("GET", callback))
    if "twice" in habits:
        try:
            seen.append(call("GET", callback))
        except (OSError, http.client.HTTPException):  # nobody listens any more
            pass
    return seen


if __name__ == "__main__":
    pages, habits, address = sys.argv[1:]
    Path(pages).write_text(json.dumps([page[:2] for page in walk(address, habits.split(","))]))
