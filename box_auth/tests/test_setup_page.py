"""/setup: from the demo to one's own Box app, with exact values, and never a secret through the browser."""

import re

from .journey import App, Visitor, free_port, running


def test_it_gives_the_exact_values_for_the_console_and_for_dot_env(demo):
    with Visitor(demo.url) as visitor:
        page = visitor.get("/setup").text
    port = demo.url.rpartition(":")[2]
    assert f"<pre><code>http://127.0.0.1:{port}/callback</code></pre>" in page
    assert f"CALLBACK_HOSTNAME = 127.0.0.1\nCALLBACK_PORT = {port}\n" in page


def test_it_takes_nothing(demo):
    with Visitor(demo.url) as visitor:
        visitor.sign_in()
        form = {"CLIENT_SECRET": "x", "csrf_token": visitor.csrf_token()}
        assert visitor.post("/setup", data=form).status_code == 405


def test_seen_from_another_host_it_names_that_host(demo):
    with Visitor(demo.url) as visitor:
        page = visitor.get("/setup", headers={"Host": "files.example.com"}).text
        assert "<pre><code>https://files.example.com/callback</code></pre>" in page
        assert "REDIRECT_URI = https://files.example.com/callback\nTRUSTED_PROXIES = 1\n" in page
        assert "<b>x" not in visitor.get("/setup", headers={"Host": "<b>x"}).text


SAMPLE = "CLIENT_ID = YOUR_CLIENT_ID\nCLIENT_SECRET = YOUR_CLIENT_SECRET\n"


def test_it_follows_what_is_done_in_dot_env_and_shows_no_value_of_it(demo_fork):
    port = str(free_port())
    with running(App(demo_fork, CALLBACK_PORT=port)) as app, Visitor(app.url) as visitor:

        def done(dot_env: str) -> list[str]:
            (demo_fork / ".env").write_text(dot_env)
            page = visitor.get("/setup").text
            assert "hush" not in page
            assert ("<strong>finished" in page) == ("CLIENT_SECRET = hush" in dot_env)
            return re.findall(r"<li>([✓○✗]) ", page)

        assert re.findall(r"<li>([✓○✗]) ", visitor.get("/setup").text) == ["○", "○", "○"]
        assert done(SAMPLE) == ["✓", "○", "○"]
        assert done("CLIENT_ID = id\n") == ["✓", "✓", "○"]
        assert done("CLIENT_ID = id\nREDIRECT_URI = hashed\n") == ["✓", "✓", "○", "✗"]
        assert done("\ufeffCLIENT_ID = id\r\nCLIENT_SECRET = hush#=\r\n") == ["✓", "✓", "✓"]


def test_in_live_mode_there_is_no_such_page(visitor):
    assert visitor.get("/setup").status_code == 404
    assert "/setup" not in visitor.get("/").text
