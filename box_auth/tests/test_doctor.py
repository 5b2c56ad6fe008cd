"""`flask box doctor`: each fault is really there, and it is found, named, and told how to fix."""

import json
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from box_auth import config
from box_auth.cli.doctor import diagnose
from box_auth.problems import problems

from .certificates import Certificate
from .journey import App, free_port, running
from .redis_server import RedisServer, needs_redis
from .terminal import flask_box, off_clock, run, signed_in

KEY = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3I="


def examine(fork, **settings) -> tuple[int, dict[str, dict[str, str]]]:
    """Run it; return its status and the findings by check."""
    done = flask_box(fork, "doctor", "--json", **settings)
    findings = json.loads(done.stdout)
    for finding in findings:
        assert finding["todo"] == (problems()[finding["code"]].todo if finding["code"] else "")
        assert bool(finding["code"]) == (finding["state"] in ("warn", "fail"))
    return done.returncode, {finding["check"]: finding for finding in findings}


def test_when_all_is_well_it_says_so_plainly_and_tells_no_secret(fork, settings):
    lines = "".join(f"{name} = {value}\n" for name, value in settings.items())
    (fork / ".env").write_text(lines + "SECRET_KEY = very-very-long-and-secret\n")
    signed_in(fork, settings)
    done = flask_box(fork, "doctor")
    assert (done.returncode, done.stderr) == (0, "")
    assert all(line.startswith("ok  ") for line in done.stdout.splitlines()), done.stdout
    assert f"The Box console must hold http://127.0.0.1:{settings['CALLBACK_PORT']}/callback" in done.stdout
    assert "Box knows the app's id and secret." in done.stdout
    assert "1 are stored." in done.stdout
    assert "\x1b[" not in done.stdout
    for secret in (settings["CLIENT_SECRET"], "very-very-long-and-secret"):
        assert secret not in done.stdout


def test_in_a_fresh_clone_it_says_that_this_is_the_demo(demo_fork):
    status, found = examine(demo_fork, CALLBACK_PORT=str(free_port()))
    assert status == 0
    assert (found["settings"]["state"], found["settings"]["code"]) == ("warn", "env_missing")
    assert found["Box"]["state"] == "skip"
    assert "sign-ins" not in found  # they belong to the demo's own Box app, whose id is not known here


def test_placeholders_odd_versions_and_others_on_the_port(tmp_path, demo_fork):
    """One visit, many faults."""
    fork = demo_fork
    (fork / ".env").write_text("CLIENT_ID = YOUR_CLIENT_ID\n")
    (fork / "requirements.txt").write_text("flask>=3.1,<4\nboxsdk>=10.18,<11\n")
    old = tmp_path / "old" / "boxsdk-4.1.0.dist-info"
    old.mkdir(parents=True)
    (old / "METADATA").write_text("Metadata-Version: 2.1\nName: boxsdk\nVersion: 4.1.0\n")
    tokens = fork / "instance" / "demo" / "tokens"
    tokens.mkdir(parents=True)
    tokens.chmod(0o755)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        status, found = examine(
            fork, PYTHONPATH=str(old.parent), CALLBACK_PORT=port, SECRET_KEY="short", FLASK_RUN_PORT="5000"
        )
    assert status == 1
    codes = {check: finding["code"] for check, finding in found.items() if finding["code"]}
    assert codes == {
        "versions": "version_unfit",
        "settings": "env_placeholders",
        "port": "port_taken",
        "secret key": "secret_key_short",
        "tokens": "folder_open",
    }
    assert "boxsdk is 4.1.0, and should be >=10" in found["versions"]["said"]
    assert port in found["port"]["said"]


def test_every_mistake_in_the_settings_is_a_finding(fork):
    (fork / ".env").write_text(
        "CLIENT_ID = id\nCLIENT_SECRET = YOUR_SECRET\nCALLBACK_HOSTNAME = localhost\nCALLBACK_PORT = 5001\n"
        f"REDIRECT_URI = http://127.0.0.1:5000/callback\nTOKEN_ENCRYPTION_KEYS = {KEY},short-secret\n"
    )
    done = flask_box(fork, "doctor")
    assert done.returncode == 1
    for said in ("CLIENT_SECRET is not set", "names the host 127.0.0.1", "names port 5000", "key 2 is not 32 bytes"):
        assert said in done.stdout
    assert done.stdout.count("fail  settings") == 4
    assert "short-secret" not in done.stdout + done.stderr


def test_a_plain_http_redirect_uri_away_from_this_machine(fork, monkeypatch):
    app = {"CLIENT_ID": "a", "CLIENT_SECRET": "b"}
    found = findings(fork, monkeypatch, **app, REDIRECT_URI="http://files.example.com/callback")
    assert "Box requires https" in found["settings"]["said"]


def test_wrong_credentials_a_clock_that_is_off_and_sign_ins_under_another_key(tmp_path, emulator, fork, settings):
    signed_in(fork, {**settings, "TOKEN_ENCRYPTION_KEYS": KEY})
    wrong = {**settings, "CLIENT_SECRET": "not-the-secret", **off_clock(tmp_path, "300")}
    status, found = examine(fork, **wrong)
    assert status == 1
    assert found["Box app"]["code"] == "client_refused"
    assert "The client credentials are invalid" in found["Box app"]["said"]
    assert found["sign-ins"]["code"] == "key_missing"
    assert (found["clock"]["code"], found["clock"]["state"]) == ("clock_off", "warn")
    assert "seconds ahead of Box's" in found["clock"]["said"]
    assert 295 <= int(found["clock"]["said"].partition("It is ")[2].split()[0]) <= 305
    assert not list((fork / "instance").rglob("*unreadable*"))  # looking changes nothing
    assert "not-the-secret" not in json.dumps(found)


def test_the_app_itself_on_its_port_is_no_fault_and_airplay_is_recognised(fork, settings, monkeypatch):
    with running(App(fork, **settings)):
        assert "The app runs on port" in examine(fork, **settings)[1]["port"]["said"]
    with answering(403, {"Server": "AirTunes/610.20.41"}) as port:
        found = findings(fork, monkeypatch, **{**settings, "CALLBACK_PORT": str(port)})
        assert found["port"]["code"] == "port_airplay"


def test_an_address_that_is_not_this_machines_and_a_redis_that_is_away(fork, settings):
    elsewhere = {"CALLBACK_HOSTNAME": "192.0.2.1", "REDIRECT_URI": "https://files.example.com/callback"}
    status, found = examine(fork, **settings, **elsewhere, REDIS_URL="redis://:hush@127.0.0.1:1/0")
    assert status == 1
    assert found["port"]["code"] == "address_unusable"
    assert found["tokens"]["code"] == "redis_away"
    assert found["secret key"]["code"] == "secret_key_missing"
    assert "hush" not in json.dumps(found)


@needs_redis
def test_redis_that_works_and_redis_that_wants_another_password(fork, settings, monkeypatch):
    with RedisServer(password="right") as server:
        well = examine(fork, **settings, REDIS_URL=server.url, SECRET_KEY="a-long-random-text")[1]
        assert well["tokens"]["said"] == "Redis answers, and takes what it is given."
        refused = findings(fork, monkeypatch, **settings, REDIS_URL=server.url.replace("right", "wrong"))
        assert refused["tokens"]["code"] == "redis_refused"


def test_an_instance_folder_that_others_may_write_to(fork, settings, monkeypatch):
    signed_in(fork, settings)
    assert findings(fork, monkeypatch, **settings)["tokens"]["state"] == "ok"
    (fork / "instance").chmod(0o777)
    found = findings(fork, monkeypatch, **settings)["tokens"]
    assert (found["state"], found["code"], found["said"][-12:]) == ("warn", "folder_open", "is instance.")


def test_a_port_and_a_folder_that_this_user_may_not_have(open_fork, settings):
    fork = open_fork
    (fork / "instance").mkdir(mode=0o555)
    program = (
        "import json, os, sys, box_auth.cli.doctor as d, cryptography.x509; from pathlib import Path;"
        "os.geteuid() or (os.setgroups([]), os.setgid(65534), os.setuid(65534));"
        "print(json.dumps([f.as_dict() for f in d.diagnose()]))"
    )
    done = run(fork, "-c", program, **{**settings, "CALLBACK_PORT": "81"})
    found = {finding["check"]: finding["code"] for finding in json.loads(done.stdout)}
    assert found["port"] == "port_forbidden"
    assert found["tokens"] == "store_unavailable"


class TestTheWayToBox:
    def test_nobody_there(self, fork, settings, monkeypatch):
        found = findings(fork, monkeypatch, **{**settings, "BOX_API_URL": f"http://127.0.0.1:{free_port()}"})
        assert found["Box"]["code"] == "box_unreachable"

    def test_a_portal_that_answers_in_boxs_place(self, fork, settings, monkeypatch):
        with answering(200) as port:
            found = findings(fork, monkeypatch, **{**settings, "BOX_API_URL": f"http://127.0.0.1:{port}"})
        assert found["Box"]["code"] == "box_bad_answer"
        assert "it answered 200" in found["Box"]["said"]

    def test_a_proxy_that_is_not_there_and_one_that_wants_a_password(self, fork, settings, monkeypatch):
        elsewhere = {**settings, "BOX_API_URL": "https://box.example"}
        nobody = f"127.0.0.1:{free_port()}"
        found = findings(fork, monkeypatch, **elsewhere, HTTPS_PROXY=f"http://me:hush@{nobody}")
        assert found["Box"]["code"] == "box_proxy"
        assert f"through the proxy {nobody}, to box.example" in found["Box"]["said"]
        assert "hush" not in json.dumps(found)
        with answering(407) as port:
            refused = findings(fork, monkeypatch, **elsewhere, HTTPS_PROXY=f"http://127.0.0.1:{port}")
        assert refused["Box"]["code"] == "box_proxy"

    def test_a_proxy_that_shows_its_own_certificate_and_a_bundle_that_is_not_there(
        self, tmp_path, fork, settings, monkeypatch
    ):
        certificate = Certificate(tmp_path, "Example Inspection").path
        with answering(401, tls=certificate) as port:
            inspected = {**settings, "BOX_API_URL": f"https://127.0.0.1:{port}"}
            found = findings(fork, monkeypatch, **inspected)
            missing = findings(fork, monkeypatch, **inspected, REQUESTS_CA_BUNDLE=str(tmp_path / "none.pem"))
            trusted = findings(fork, monkeypatch, **inspected, REQUESTS_CA_BUNDLE=str(certificate))
        assert found["Box"]["code"] == "box_tls"
        assert "issued by CN=Example Inspection" in found["Box"]["said"]
        assert missing["Box"]["code"] == "ca_bundle_missing"
        assert trusted["Box"]["state"] == "ok"

    def test_an_app_of_another_kind_and_a_host_that_gives_no_tokens(self, emulator, fork, settings, monkeypatch):
        for words, code in (
            ("The grant type is unauthorized for this client_id.", "wrong_app_type"),
            ("Invalid grant_type parameter or parameter missing.", "wrong_box_host"),
        ):
            body = json.dumps({"error": "invalid_request", "error_description": words})
            emulator.fault("POST /oauth2/token", status=400, body=body)
            found = findings(fork, monkeypatch, **settings)["Box app"]
            assert found["code"] == code
            assert words in found["said"]


def findings(fork, monkeypatch, **settings) -> dict[str, dict[str, str]]:
    """What `examine` does, without a process of its own: the sockets and the faults are as real."""
    with monkeypatch.context() as patch:
        for name in (*config.NAMES, "HTTPS_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
            patch.delenv(name, raising=False)
        for name, value in settings.items():
            patch.setenv(name, value)
        return {finding.check: finding.as_dict() for finding in diagnose(fork)}


class answering:  # noqa: N801
    """A server that gives every request the same answer; with ``tls`` it shows that certificate."""

    def __init__(self, status, headers=None, tls=None):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response_only(status)
                for name, value in {"Content-Length": "0", **(headers or {})}.items():
                    self.send_header(name, value)
                self.end_headers()

            do_CONNECT = do_POST = do_GET  # noqa: N815

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.handle_error = lambda *_: None
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self.server.server_address[1]

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
