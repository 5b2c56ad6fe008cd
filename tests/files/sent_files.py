"""Forms with a file as browsers send them, and what came of them, for the tests of uploads."""

import random
import re

import requests

NIL = "nil@example.com"  # somebody without files
PATH = "/files/0/upload"
JSON, KIND = {"Accept": "application/json"}, "multipart/form-data; boundary=b"
SMALL, PART, LARGE = "POST /api/2.0/files/content", "PUT /api/2.0/files/upload_sessions/*", 25_000_000
COMMIT = "POST /api/2.0/files/upload_sessions/*/commit"
MADE = random.Random(1).randbytes(LARGE)


def token_of(browser):
    return re.search(r'name="csrf_token"[^>]* value="([^"]+)"', browser.get(PATH).text)[1]


def form(fields, filename, content):
    """Write a form as browsers do: its fields, and the file as the last part. Flask's test client uses the disk."""
    body = b""
    for name, value in fields.items():
        body += f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
    filename = filename.replace('"', "%22")
    body += f'--b\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n\r\n'.encode()
    return body + content + b"\r\n--b--\r\n"


def send(browser, filename="new.txt", content=b"text", *, path=PATH, headers=JSON, **fields):
    """Send a file as the script does; with other ``headers`` as the plain form."""
    body = form({"csrf_token": token_of(browser), **fields}, filename, content)
    return browser.post(path, data=body, content_type=KIND, headers=headers)


def names(emulator, folder="0"):
    """Return what is in a folder, and check that no upload is under way."""
    assert not emulator.database.rows("SELECT id FROM sessions WHERE NOT committed")
    owner = emulator.users.named(NIL).id
    inside = emulator.database.rows("SELECT name FROM items WHERE owner = ? AND parent = ?", owner, folder)
    return sorted(row["name"] for row in inside)


def content(browser, file_id):
    return requests.get(browser.get(f"/files/file/{file_id}/download").location, timeout=20).content


def raw(browser, body, length=None):
    """Send a form by hand: a field with the token, then ``body``; it breaks off if that is shorter than ``length``."""
    body = f'--b\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{token_of(browser)}\r\n'.encode() + body
    environ = {"CONTENT_LENGTH": str(length or len(body))}
    return browser.post(PATH, data=body, content_type=KIND, headers=JSON, environ_overrides=environ)
