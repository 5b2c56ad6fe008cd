"""The first hour: the app started in each way, what the terminal says, and pages that are edited while it runs."""

import os
import socket
import stat
import subprocess
import sys

import pytest

from .journey import App, Process, Visitor, checkout, clean_environment, free_port, live_settings, running
from .terminal import run

FLASK_RUN = ("-m", "flask", "run")
RUN_OF_APP = ("-c", "import app; app.box.run(app.app)")  # `python app.py`
GUNICORN = pytest.param(("-m", "gunicorn"), marks=pytest.mark.skipif(os.name == "nt", reason="no gunicorn on Windows"))
AS_MAKE_DOES = {"FLASK_SKIP_DOTENV": "1"}
# What the commands, a sign-in, a failure, Redis, encryption and the demo need, and the pages of a live app do not.
ELSEWHERE = {"box_auth.cli.commands", "box_auth.cli.doctor", "box_auth.script", "box_auth.stores.redis", "box_emulator"}
ELSEWHERE |= {"asyncio", "cryptography", "filelock", "flask_limiter", "limits", "redis", "rich", "sqlite3"}
PAGE = '\n\n@app.get("/second")\n@box.login_required\ndef second():\n    return box.user.login\n'


class Reloading(Process):
    """What `make run` starts."""

    def __init__(self, folder, more=""):
        port = free_port()
        (folder / ".env").write_text(f"CALLBACK_PORT = {port}\n{more}")
        self.url = f"http://127.0.0.1:{port}"
        command = [sys.executable, *FLASK_RUN, "--debug"]
        super().__init__(command, folder, clean_environment(**AS_MAKE_DOES), "Debugger is active")


def test_a_page_that_is_added_shows_while_the_app_runs_and_nobody_is_signed_out(demo_fork):
    with running(Reloading(demo_fork)) as app, Visitor(app.url) as visitor:
        assert visitor.sign_in("Ada").url == f"{app.url}/dashboard"
        assert visitor.get("/second").status_code == 404
        source = demo_fork / "app.py"
        source.write_text(source.read_text() + PAGE)
        assert app.says("Detected change in")
        assert visitor.get_when_there("/second").text == "ada@example.com"
        assert visitor.get("/dashboard").status_code == 200
        assert app.output.count("data in") == 1


def test_a_port_that_changes_while_the_app_runs_needs_a_new_start_and_it_says_so(fork):
    credentials = "CLIENT_ID = id\nCLIENT_SECRET = secret\n"
    with running(Reloading(fork, credentials)) as app, Visitor(app.url) as visitor:
        assert visitor.get("/").status_code == 200  # by now it watches its files
        (fork / ".env").write_text(f"CALLBACK_PORT = 8080\n{credentials}")
        (fork / "app.py").touch()
        assert app.says("CALLBACK_PORT is 8080, but the app listens on port")
        assert visitor.get("/").status_code == 503


@pytest.mark.parametrize("command", [FLASK_RUN, RUN_OF_APP, GUNICORN])
def test_a_port_that_is_taken_is_one_sentence_that_names_the_setting(tmp_path, command):
    folder = checkout(tmp_path / "fork", *(["gunicorn.conf.py"] if "gunicorn" in command else []))
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        done = run(folder, *command, CLIENT_ID="id", CLIENT_SECRET="secret", CALLBACK_PORT=port)
    assert done.returncode
    assert f"It is port {port} of 127.0.0.1." in done.stderr
    assert "set CALLBACK_PORT in .env to another port" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("encoding", "command"), [("utf-16", ("script.py",)), ("latin-1", ("-m", "flask", "box", "doctor"))]
)
def test_an_env_that_is_not_utf_8_is_a_sentence(fork, encoding, command):
    (fork / ".env").write_bytes("CALLBACK_PORT = 5081 # café\n".encode(encoding))
    done = run(fork, *command, **AS_MAKE_DOES)
    assert done.returncode == 1
    assert "The file .env cannot be read: save it as UTF-8 text" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("command", "settings"), [(RUN_OF_APP, {}), ((*FLASK_RUN, "--no-reload"), AS_MAKE_DOES)])
def test_the_env_of_a_folder_above_is_not_read_whatever_is_in_it(demo_fork, command, settings):
    (demo_fork.parent / ".env").write_bytes("CLIENT_ID = café\n".encode("latin-1"))
    environment = clean_environment(CALLBACK_PORT=str(free_port()), **settings)
    with running(Process([sys.executable, *command], demo_fork, environment, "Running on")) as app:
        assert "demo, with made-up users" in app.output


def test_the_env_of_a_folder_above_that_flask_has_read_itself_is_taken_back(demo_fork):
    above = demo_fork.parent / ".env"
    above.write_text("CLIENT_ID = theirs\nCLIENT_SECRET = theirs\nREDIS_URL = redis://theirs/0\nFLASK_DEBUG = 1\n")
    command = [sys.executable, *FLASK_RUN, "--no-reload"]
    environment = clean_environment(CALLBACK_PORT=str(free_port()), FLASK_SKIP_DOTENV="")
    with running(Process(command, demo_fork, environment, "Running on")) as app:
        assert "demo, with made-up users" in app.output
        assert "Debug mode: off" in app.output
        assert f"Not used, because only the project's own .env counts: {above}" in app.output
    (demo_fork / ".env").write_text("CLIENT_ID = ours\nCLIENT_SECRET = ours\n")
    with running(Process(command, demo_fork, environment, "Running on")) as app:
        assert "live, with Box" in app.output
        assert "Not used" not in app.output


def test_a_demo_is_loaded_when_it_plays_and_not_by_a_live_app(demo_fork):
    program = "import sys, app; print('box_emulator' in sys.modules)"
    assert run(demo_fork, "-c", program).stdout == "True\n"
    assert run(demo_fork, "-c", program, CLIENT_ID="id", CLIENT_SECRET="secret").stdout == "False\n"


def test_a_live_app_imports_only_what_its_pages_need(fork):
    (fork / "instance").mkdir()
    (fork / "instance" / "secret_key").write_text("of an earlier start")
    program = """if True:
        import sys, flask, box_sdk_gen
        before = set(sys.modules)
        from app import app
        visitor = app.test_client()
        answers = [visitor.get(path, base_url="http://127.0.0.1:5000") for path in ("/", "/dashboard", "/login")]
        assert [answer.status_code for answer in answers] == [200, 302, 302]
        assert answers[1].location == "/login?next=/dashboard"
        assert answers[2].location.startswith("https://account.box.com/")
        print(*sys.modules.keys() - before)
    """
    environment = clean_environment(CLIENT_ID="id", CLIENT_SECRET="secret")
    command = [sys.executable, "-c", program]  # not by `run`, whose processes begin with many libraries
    done = subprocess.run(command, cwd=fork, env=environment, capture_output=True, text=True)
    imported = set(done.stdout.split())
    assert "box_auth.flask" in imported, done.stderr
    assert imported & ELSEWHERE == set()


@pytest.mark.parametrize("name", ["missing_demo:embed", "missing.demo:embed"])
def test_a_demo_that_was_left_out_is_none(fork, name):
    source = fork / "app.py"
    source.write_text(source.read_text().replace("box_emulator:embed", name))
    program = "import app; print(app.app.test_client().get('/').status_code)"
    done = run(fork, "-c", program)
    assert done.stdout == "503\n", done.stderr
    assert "CLIENT_ID is not set" in done.stderr


def test_a_folder_for_data_that_cannot_be_used_is_named_with_its_setting(demo_fork):
    (demo_fork / "file").write_text("")
    done = run(demo_fork, "script.py", INSTANCE_DIR="file/instance")
    assert done.returncode == 1
    assert "cannot be used" in done.stderr
    assert "set INSTANCE_DIR" in done.stderr
    with running(App(demo_fork, INSTANCE_DIR="file/instance")) as app, Visitor(app.url) as visitor:
        assert visitor.get("/").status_code == 503


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such users")
def test_an_open_instance_folder_that_is_somebody_elses_stops_nothing(open_fork, settings):
    (open_fork / "instance").mkdir()
    (open_fork / "instance").chmod(0o777)
    program = (
        "import os, flask, box_auth.flask, cryptography.x509;"
        "flask.Flask('first').test_client().get('/');"  # imports what nobody may not: Python can lie in a closed folder
        "os.geteuid() or (os.setgroups([]), os.setgid(65534), os.setuid(65534));"
        "from app import app; print(app.test_client().get('/healthz').json)"
    )
    done = run(open_fork, "-c", program, **settings)
    assert done.stdout == "{'ready': True}\n", done.stderr


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask")
def test_with_a_umask_of_0_all_that_is_kept_is_the_apps_users_alone(emulator, box, fork):
    port = free_port()
    folder = fork / "kept" / "here"
    folder.mkdir(parents=True)
    folder.parent.chmod(0o700)
    folder.chmod(0o777)  # by whoever set the machine up
    settings = live_settings(emulator, box, port, INSTANCE_DIR=str(folder), TOKEN_DIR="more/tokens")
    flask = [sys.executable, "-m", "flask", "run", "--port", str(port), "--no-reload", "--no-debugger"]
    command = ["sh", "-c", 'umask 0 && exec "$@"', "sh", *flask]
    with (
        running(Process(command, fork, clean_environment(**settings), "Running on")),
        Visitor(f"http://127.0.0.1:{port}") as visitor,
    ):
        assert visitor.sign_in().url.endswith("/dashboard")
    kept = [folder.parent, *folder.parent.rglob("*")]
    names = {path.relative_to(folder).parts[0] for path in kept if path != folder.parent and path != folder}
    assert names >= {"secret_key", "sessions", "more"}
    assert (folder / "more" / "tokens" / "used").is_dir()
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in kept}
    wrong = {path: oct(modes[path.name]) for path in kept if modes[path.name] != (0o700 if path.is_dir() else 0o600)}
    assert wrong == {}
