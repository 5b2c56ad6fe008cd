"""docs/settings.md is what the code and `.env.sample` say."""

import re

from box_auth import config
from box_auth.cli.settings_document import document

from .journey import ROOT, needs
from .terminal import run

needs(".env.sample")


def rows() -> dict[str, tuple[str, str]]:
    """Return default and secrecy by name, as the document has them."""
    table = [line.strip("| ").split(" | ") for line in document().splitlines() if line.startswith("| `")]
    found = {}
    for cells in table:
        names, defaults, secrets = (cells[column].split("<br>") for column in (0, 1, 3))
        for name, default, secret in zip(names, defaults, secrets, strict=True):
            found[name.strip("`")] = (default.strip("`"), secret)
    return found


def test_the_document_is_what_the_command_prints():
    needs("docs/settings.md")
    written = (ROOT / "docs" / "settings.md").read_text("utf-8")
    assert written == document(), "run: python -m box_auth.cli.settings_document > docs/settings.md"
    command = re.search(r"python -m (box_auth\S+) > docs/settings.md", written)[1]
    assert run(ROOT, "-m", command).stdout == written


def test_it_has_every_setting_with_a_sentence_its_default_and_whether_it_is_secret():
    found = rows()
    assert set(found) == set(config.NAMES)
    assert {name for name, (_, secret) in found.items() if secret == "yes"} == set(config.SECRETS)
    assert {name for name, (_, secret) in found.items() if secret == "the file"} == {
        f"{n}_FILE" for n in config.SECRETS
    }
    defaults = {name: found[name][0] for name in ("REDIRECT_URI", "INSTANCE_DIR", "TOKEN_DIR", "CALLBACK_PORT", "PORT")}
    assert defaults == {
        "REDIRECT_URI": "http://127.0.0.1:5000/callback",
        "INSTANCE_DIR": "instance",
        "TOKEN_DIR": "instance/tokens",
        "CALLBACK_PORT": "5000",
        "PORT": "–",
    }
    texts = re.findall(r"^\| `.* \| (.*) \| .* \|$", document(), re.MULTILINE)
    assert len(texts) > 10
    assert all(re.fullmatch(r"\S.*\.", text) for text in texts), texts


def test_what_the_sample_shows_with_a_default_is_the_default():
    sample = (ROOT / ".env.sample").read_text("utf-8")
    shown = dict(re.findall(r"^(?:# )?([A-Z_]+) = (.*)$", sample, re.MULTILINE))
    differing = {name for name, (default, _) in rows().items() if default not in ("–", shown[name])}
    assert differing == {"TOKEN_DIR"}  # told relative to the instance folder there
