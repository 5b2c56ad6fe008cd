"""Where a demo's app may be sent back to: a path of its own, whatever the host's name is."""

import pytest

from box_emulator import App
from box_emulator.apps import RedirectRefused


@pytest.mark.parametrize("path", ["//evil.example/callback", "/\\evil.example/callback", "/callback?x=1", "/other"])
def test_a_path_of_its_own_never_leads_to_another_host(path):
    demo = App("id", "secret", "Demo", ("/callback",))
    assert demo.redirect("https://anywhere.example/app/callback") == "/app/callback"
    with pytest.raises(RedirectRefused):
        demo.redirect(f"https://anywhere.example{path}")
