"""Throw generated requests at every operation that the emulator serves, and look for answers of 500 and more.

By hand: ``pip install schemathesis``, then ``python -m box_emulator.benchmarks.fuzz openapi.json [examples]``. The
description is Box's own; it is not part of this repository.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from werkzeug.exceptions import MethodNotAllowed, NotFound

from box_emulator import Emulator, serve
from box_emulator.web import _whole

_KNOWN = {("POST", "/2.0/folders/0/copy", 500)}  # as the description has it
_METHODS = ("get", "post", "put", "delete", "options")


def known_ids(emulator: Emulator) -> dict[str, list[str]]:
    """Ids of what is there, so that requests get further than 404; and of what is not."""
    ada = emulator.users[0]
    items = {
        kind: emulator.items.where("owner = ? AND type = ?", ada.id, kind) for kind in ("file", "folder", "web_link")
    }
    file = items["file"][0]
    comment = emulator.comments.add(file, ada.id, "hello", "", None)
    session = emulator.sessions.start(ada.id, None, "0", "large.bin", 30_000_000)
    return {
        "file_id": [item.id for item in items["file"]] + ["404"],
        "folder_id": [item.id for item in items["folder"]] + ["0", "404"],
        "web_link_id": [item.id for item in items["web_link"]] + ["404"],
        "file_version_id": [item.version for item in items["file"]] + ["404"],
        "user_id": [user.id for user in emulator.users] + ["404"],
        "comment_id": [comment.id, "404"],
        "upload_session_id": [session.id, "404"],
    }


def covered(description: dict, emulator: Emulator) -> dict:
    """The description with the operations that the emulator has a route for, as served on one host."""
    routes, ids = _whole().url_map.bind("localhost"), known_ids(emulator)
    paths: dict[str, dict] = {}
    for path, operations in description["paths"].items():
        sample = "/2.0" + path.partition("#")[0].replace("{extension}", "png")
        while "{" in sample:
            sample = sample[: sample.index("{")] + "1" + sample[sample.index("}") + 1 :]
        for method in _METHODS:
            try:
                routes.match(sample, method=method.upper())
            except (NotFound, MethodNotAllowed):
                continue
            if method in operations and "#" not in path:
                paths.setdefault(path, {})[method] = {**operations[method], "servers": [{"url": "/2.0"}]}
                for parameter in operations[method].get("parameters", ()):
                    if parameter["name"] in ids:
                        parameter["schema"] = {"type": "string", "enum": ids[parameter["name"]]}
    return {**description, "paths": paths, "servers": [{"url": "/2.0"}]}


def main(description: Path, examples: int) -> int:
    emulator = Emulator()
    trimmed = covered(json.loads(description.read_text()), emulator)
    count = sum(len(operations) for operations in trimmed["paths"].values())
    with serve(emulator) as server, tempfile.TemporaryDirectory() as folder:
        spec = Path(folder) / "covered.json"
        spec.write_text(json.dumps(trimmed))
        token = emulator.sign_in("ada@example.com").access_token
        command = [
            *(shutil.which("schemathesis", path=str(Path(sys.executable).parent)) or "schemathesis", "run", str(spec)),
            *("--url", f"{server.url}/2.0", "--header", f"Authorization: Bearer {token}"),
            *("--checks", "not_a_server_error", "--phases", "examples,coverage,fuzzing", "--no-shrink"),
            *("--max-examples", str(examples), "--suppress-health-check", "all", "--continue-on-failure"),
        ]
        done = subprocess.run(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
    counts = emulator.requests.counts()
    failed = {key: times for key, times in counts.items() if key not in _KNOWN and (key[2] or 599) >= 500}
    print("\n".join(done.stdout.splitlines()[-12:]))
    print(f"{count} operations, {sum(counts.values())} requests, {sum(failed.values())} failed")
    for (method, path, status), times in sorted(failed.items(), key=str):
        print(f"{times:4} {method} {path[:100]!r} {status}")
    emulator.close()
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 50))
