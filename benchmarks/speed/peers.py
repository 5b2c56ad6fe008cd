"""The apps that are measured, and how the packages of the peers get into folders of their own."""

from __future__ import annotations

import importlib.metadata
import re
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.speed.processes import die_with_parent
from benchmarks.speed.servers import HERE, App, Failed

FLOOR = App("floor", "floor")
OURS = App("ours", "ours")
IMPORTED = App("sdk_imported", "Flask, SDK imported")
PEERS = [
    App("sdk_kept", "SDK, kept client"),
    App("sdk_new", "SDK, new client"),
    App("with_flask_dance", "Flask-Dance", login="/login/provider", package="flask-dance"),
    App("with_authlib", "Authlib", package="authlib"),
]
APPS = [FLOOR, OURS, *PEERS]
INSTALLED_WITHIN = 120.0  # seconds


def install(app: App, folder: Path, *options: str, requirements: Path = HERE / "peers.txt") -> None:
    """Install what a peer needs into ``folder``, unless that was done before. Raises `Failed` with pip's reason."""
    if not app.package:
        return
    lines = [line for line in requirements.read_text().splitlines() if re.match(rf"{app.package}\b", line)]
    target, done = folder / app.package, folder / f"{app.package}.done"
    constraints = _versions_of_ours()
    app.folder = target
    if done.exists() and done.read_text() == f"{sys.version}\n{lines}\n{constraints}":
        return
    for old in (target, done):
        shutil.rmtree(old) if old.is_dir() else old.unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    held = folder / "constraints.txt"
    held.write_text(constraints)
    # Wheels alone: nothing is built, and so no process of pip's own outlives this one.
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--only-binary",
        ":all:",
    ]
    command += ["--target", str(target), "--constraint", str(held), *options, *lines]
    try:
        pip = subprocess.run(
            command, capture_output=True, text=True, timeout=INSTALLED_WITHIN, preexec_fn=die_with_parent
        )
    except subprocess.TimeoutExpired:
        raise Failed(f"not installed within {INSTALLED_WITHIN:.0f} s") from None
    if pip.returncode:
        shutil.rmtree(target, ignore_errors=True)
        said = re.findall(r"^ERROR: (.*)", pip.stderr, re.MULTILINE) or [pip.stderr.strip()[-200:]]
        raise Failed(said[-1])
    done.write_text(f"{sys.version}\n{lines}\n{constraints}")


def _versions_of_ours() -> str:
    """Return what is installed here as constraints, so that peers run on the same Flask and requests as the app."""
    found = {each.metadata["Name"]: each.version for each in importlib.metadata.distributions()}
    return "".join(f"{name}=={version}\n" for name, version in sorted(found.items()) if name and "+" not in version)
