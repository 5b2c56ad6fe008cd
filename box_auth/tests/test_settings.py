"""Settings: the article's names and form, and every mistake named at once."""

import os
import re
from pathlib import Path

import pytest

from box_auth import config
from box_auth.addresses import same_host, sentinel_address
from box_auth.errors import ConfigError
from box_auth.secret_files import SECRETS

from .terminal import Pty, run

HERE = Path(__file__).resolve().parent.parent.parent
APP = {"CLIENT_ID": "id", "CLIENT_SECRET": "secret"}


def problems(values: dict[str, str], port: int | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        config.parse(values, Path("data"), port)
    return "\n".join(caught.value.mistakes)


def test_the_env_form_of_the_article_is_read_with_spaces_quotes_windows_line_ends_and_byte_order_mark(tmp_path):
    (tmp_path / ".env").write_bytes(
        b"\xef\xbb\xbfCLIENT_ID = abc\r\nCLIENT_SECRET = 'x#y=z'\r\nCALLBACK_PORT= 8080 # mine\r\n"
    )
    assert config.read(tmp_path, {}) == {"CLIENT_ID": "abc", "CLIENT_SECRET": "x#y=z", "CALLBACK_PORT": "8080"}


def test_an_unquoted_secret_may_hold_hash_and_equals_signs(tmp_path):
    (tmp_path / ".env").write_text("CLIENT_SECRET = a#b=c\n")
    assert config.read(tmp_path, {})["CLIENT_SECRET"] == "a#b=c"


def test_the_environment_wins_and_may_unset_a_line(tmp_path):
    (tmp_path / ".env").write_text("CLIENT_ID = file\nCALLBACK_PORT = 8080\n")
    assert config.read(tmp_path, {"CLIENT_ID": "environment", "CALLBACK_PORT": ""}) == {"CLIENT_ID": "environment"}


def test_the_sample_as_it_comes_means_the_demo(tmp_path):
    (tmp_path / ".env").write_text((HERE / ".env.sample").read_text())
    assert config.is_demo(config.read(tmp_path, {}))


def test_an_id_without_a_secret_is_a_mistake_and_no_demo():
    values = {"CLIENT_ID": "id"}
    assert not config.is_demo(values)
    assert "CLIENT_SECRET is not set" in problems(values)


def test_the_redirect_uri_follows_from_host_name_and_port():
    settings = config.parse({**APP, "CALLBACK_HOSTNAME": "localhost", "CALLBACK_PORT": "8080"}, Path("data"))
    assert settings.redirect_uri == "http://localhost:8080/callback"
    assert config.parse(APP, Path("data")).redirect_uri == "http://127.0.0.1:5000/callback"
    assert config.parse(APP, Path("data"), 5001).redirect_uri == "http://127.0.0.1:5001/callback"
    any_address = config.parse({**APP, "CALLBACK_HOSTNAME": "0.0.0.0"}, Path("data"))
    assert any_address.redirect_uri == "http://127.0.0.1:5000/callback"


def test_behind_a_proxy_the_redirect_uri_is_independent_of_where_the_app_listens():
    values = {**APP, "REDIRECT_URI": "https://files.example.com/app/callback", "TRUSTED_PROXIES": "1"}
    assert config.parse(values, Path("data"), 8000).redirect_uri == "https://files.example.com/app/callback"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"CALLBACK_PORT": "five"}, "CALLBACK_PORT must be a number from 1 to 65535"),
        ({"CALLBACK_PORT": "0"}, "from 1 to 65535"),
        ({"CALLBACK_PORT": "70000"}, "from 1 to 65535"),
        ({"CALLBACK_PORT": "²"}, "must be a number"),
        ({"CALLBACK_HOSTNAME": "http://localhost"}, "host name alone"),
        ({"CALLBACK_HOSTNAME": "files.example.com"}, "Box requires https"),
        ({"REDIRECT_URI": "127.0.0.1:5000/callback"}, "must be a full address"),
        ({"REDIRECT_URI": "/callback"}, "must be a full address"),
        ({"BOX_AUTHORIZE_URL": "/authorize"}, "BOX_AUTHORIZE_URL must be a full address"),
        ({"REDIRECT_URI": "http://127.0.0.1:port/callback"}, "must be a full address"),
        ({"REDIRECT_URI": "http://[::1/callback"}, "must be a full address"),
        ({"REDIRECT_URI": "http://127.0.0.1:5000/"}, "must end in /callback"),
        ({"REDIRECT_URI": "http://files.example.com/callback"}, "Box requires https"),
        ({"REDIRECT_URI": "http://localhost:5000/callback", "CALLBACK_HOSTNAME": "127.0.0.1"}, "names the host"),
        ({"REDIRECT_URI": "http://127.0.0.1:8080/callback", "CALLBACK_PORT": "5000"}, "names port 8080"),
        ({"BOX_API_URL": "api.box.com"}, "BOX_API_URL must be a full address"),
        ({"BOX_API_URL": "https://me:hush@api.box.com"}, "without user name and password"),
        ({"REDIRECT_URI": "https://me:hush@files.example.com/callback"}, "without user name and password"),
        ({"CALLBACK_PORT": "9" * 5000}, "from 1 to 65535"),
        ({"TRUSTED_PROXIES": "-1"}, "TRUSTED_PROXIES"),
        ({"REDIS_URL": "localhost:6379"}, "REDIS_URL is not an address"),
        ({"REDIS_URL": "redis://:hush@host:port/0"}, "REDIS_URL is not an address"),
        ({"REDIS_URL": "redis://"}, "REDIS_URL is not an address"),
        ({"REDIS_URL": "redis://host/one"}, "REDIS_URL is not an address"),
        ({"REDIS_URL": "http://host"}, "REDIS_URL is not an address"),
        ({"REDIS_URL": "redis://host/0?socket_timeout=soon"}, "REDIS_URL is not an address"),
        ({"REDIS_URL": "redis+cluster://HUSH@host:6379/0"}, "REDIS_URL names a cluster, which"),
        ({"REDIS_URL": "redis+sentinel://host:26379"}, "redis+sentinel://:password@host:26379,host:26379/service/0"),
        ({"REDIS_URL": "redis+sentinel://host/service/one"}, "REDIS_URL is not an address"),
        ({"REDIS_URL": "redis+sentinel://a:26379,,b/service"}, "REDIS_URL is not an address"),
        ({"REDIS_URL": "redis+sentinel://a:26379,b:port/service"}, "REDIS_URL is not an address"),
        ({"REDIS_URL": "redis+sentinel:///service"}, "REDIS_URL is not an address"),
        ({"REDIS_URL": "redis+sentinel://host/service?ssl_ca_certs=/ca.pem"}, "REDIS_URL is not an address"),
        ({"REDIS_URL": "redis://host,host/0"}, "REDIS_URL is not an address"),
        ({"REDIS_URL": "redis://host/0?ssl_ca_certs=/ca.pem"}, "REDIS_URL is not an address"),
        ({"REDIS_URL": "rediss://host/0?ssl_cert_reqs=none"}, "REDIS_URL is not an address"),
        ({"REDIS_URL": "rediss://host/0?ssl_ca_certs"}, "REDIS_URL is not an address"),
        ({"REDIS_URL": "unix:///redis.sock?db=one"}, "REDIS_URL is not an address"),
        ({"REDIS_URL": "rediss://host/0?ssl_ca_certs=/no/HUSH.pem"}, "REDIS_URL: ssl_ca_certs is not the full path"),
        ({"REDIS_URL": "rediss://host/0?ssl_keyfile=LICENSE"}, "REDIS_URL: ssl_keyfile is not the full path"),
        ({"TOKEN_ENCRYPTION_KEYS": "short"}, "key 1 is not 32 bytes"),
        ({"TOKEN_ENCRYPTION_KEYS": "A" * 44}, "key 1 is not 32 bytes"),
        ({"TOKEN_ENCRYPTION_KEYS": "ключ"}, "key 1 is not 32 bytes"),
    ],
)
def test_a_mistake_is_named_with_its_setting(values, said):
    assert said in problems({**APP, **values})


@pytest.mark.parametrize(
    ("url", "meant"),
    [
        ("redis+sentinel://one/service", ([("one", 26379)], "service", 0)),
        ("redis+sentinel://u:p%40@one:1,two:2,[::1]:3/a%20b/4", ([("one", 1), ("two", 2), ("::1", 3)], "a b", 4)),
        ("rediss+sentinel://one:1/s/?sentinel_password=p&sentinel_username=u", ([("one", 1)], "s", 0)),
    ],
)
def test_an_address_of_sentinels_is_taken_apart(url, meant):
    assert config.parse({**APP, "REDIS_URL": url}, Path("data")).redis_url == url
    assert sentinel_address(url) == meant


PASTED = [
    *("HUSH", "HUSH HUSH", "HUSH,HUSH", "/HUSH", "//HUSH", "~HUSH/x", "[HUSH", "\x1b[2JHUSH", "CLIENT_SECRET=HUSH"),
    *(
        "redis://:HUSH@redis.example.com:6379/0",
        "redis://:HUSH@redis.example.com:6379/x?y",
        "rediss://:HUSH@redis.example.com:6379/0?ssl_ca_certs=HUSH",
        "redis+sentinel://:HUSH@HUSH:26379/HUSH/HUSH?sentinel_password=HUSH",
        "http://HUSH@127.0.0.1/callback",
    ),
    *(
        "https://me:HUSH@files.example.com/callback",
        "https://me:HUSH@localhost:5000/x",
        "https://files.example.com/HUSH",
    ),
    *(
        "https://files.example.com/callback?token=HUSH",
        "http://HUSH.example/callback",
        "https://a.example:HUSH/callback",
    ),
    *("http://127.0.0.1:5000/HUSH/callback", "https://127.0.0.1:5000/HUSH/callback"),
]


@pytest.mark.parametrize("name", config.NAMES)
def test_whatever_stands_in_the_wrong_line_no_mistake_shows_it(name):
    mistakes = []
    for pasted in PASTED:
        for others in (
            {},
            APP,
            {**APP, "TRUSTED_PROXIES": "1"},
            {**APP, "REDIRECT_URI": "http://localhost:80/callback"},
        ):
            try:
                values = {**others, name: pasted}
                config.parse(values, config.instance_folder(values), 5000)
            except ConfigError as error:
                mistakes += [*error.mistakes, str(error), repr(error)]
    assert "hush" not in " ".join(mistakes).lower()
    assert mistakes


def test_a_server_on_another_port_than_the_settings_say_is_a_mistake():
    assert "flask run --port 8080" in problems({**APP, "CALLBACK_PORT": "8080"}, 5000)


def test_all_mistakes_are_named_at_once():
    said = problems({"CLIENT_ID": "id", "CALLBACK_PORT": "x", "REDIRECT_URI": "nowhere", "BOX_API_URL": "ftp://x"})
    assert all(name in said for name in ("CLIENT_SECRET", "CALLBACK_PORT", "REDIRECT_URI", "BOX_API_URL"))


def test_only_a_whole_placeholder_counts_as_unset():
    values = {
        "CLIENT_ID": "YOUR_CLIENT_ID",
        "CLIENT_SECRET": "<your secret>",
        "SECRET_KEY": "YOUR_x",
        "TOKEN_DIR": "<x",
    }
    assert config.read(Path("nowhere"), values) == {"SECRET_KEY": "YOUR_x", "TOKEN_DIR": "<x"}


def test_a_host_is_the_same_with_or_without_its_usual_port():
    assert same_host("files.example.com", "https://files.example.com:443/callback")
    assert same_host("Files.example.com:443", "https://files.example.com/callback")
    assert not same_host("files.example.com:80", "https://files.example.com/callback")
    assert not same_host("localhost:5000", "http://127.0.0.1:5000/callback")


def test_secrets_stay_out_of_the_repr():
    secrets = {"CLIENT_SECRET": "hush", "SECRET_KEY": "quiet", "REDIS_URL": "redis://:pst@host/0"}
    settings = config.parse({**APP, **secrets, "TOKEN_ENCRYPTION_KEYS": KEY}, Path("data"))
    assert settings.token_encryption_keys == (KEY,)
    for secret in ("hush", "quiet", "pst", KEY):
        assert secret not in repr(settings)


KEY = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3I="


class TestSecretsInFiles:
    """`CLIENT_SECRET_FILE` and the like: what containers and service managers hand over."""

    def read(self, folder, **values):
        return config.parse({"CLIENT_ID": "id", **config.read(folder, values)}, Path("data"))

    def mistakes(self, folder, **values):
        with pytest.raises(ConfigError) as caught:
            self.read(folder, **values)
        assert "hush" not in str(caught.value) + repr(caught.value)
        return caught.value.mistakes

    def test_hold_each_of_the_four_without_white_space_at_the_ends(self, tmp_path):
        texts = {"CLIENT_SECRET": "s p", "SECRET_KEY": "k", "TOKEN_ENCRYPTION_KEYS": KEY, "REDIS_URL": "redis://h/1"}
        assert set(texts) == set(SECRETS)
        for name, text in texts.items():
            (tmp_path / name.lower()).write_bytes(f"\ufeff  {text}\r\n\n".encode())
        (tmp_path / ".env").write_text("CLIENT_SECRET = YOUR_CLIENT_SECRET\nSECRET_KEY =\n")
        found = self.read(tmp_path, **{f"{name}_FILE": name.lower() for name in texts})  # beside .env
        assert (found.client_secret, found.secret_key, found.redis_url) == ("s p", "k", "redis://h/1")
        assert found.token_encryption_keys == (KEY,)
        assert self.read(Path("elsewhere"), CLIENT_SECRET_FILE=str(tmp_path / "client_secret")).client_secret == "s p"

    def test_speak_for_a_live_app_as_the_secrets_do(self):
        assert config.live_signs({"CLIENT_SECRET_FILE": "/x"}) == ["CLIENT_SECRET"]
        assert config.live_signs({"REDIS_URL_FILE": "/x"}) == ["REDIS_URL"]
        assert config.is_demo({"SECRET_KEY_FILE": "/x", "TRUSTED_PROXIES": "0"})

    @pytest.mark.parametrize("name", SECRETS)
    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (None, "there is no such file."),
            (b"", "the file is empty, or a placeholder."),
            (b" \r\n", "the file is empty, or a placeholder."),
            (b"YOUR_CLIENT_SECRET\n", "the file is empty, or a placeholder."),
            (b"hush\xff", "the file is not UTF-8 text."),
            (b"hush" * 20_000, "the file is larger than 64 kB."),
        ],
    )
    def test_that_cannot_be_used_are_named_with_their_setting(self, tmp_path, name, content, said):
        if content is not None:
            (tmp_path / "secret").write_bytes(content)
        others = {} if name == "CLIENT_SECRET" else {"CLIENT_SECRET": "x"}
        assert self.mistakes(tmp_path, **others, **{f"{name}_FILE": "secret"}) == (f"{name}_FILE: {said}",)

    @pytest.mark.skipif(os.name == "nt", reason="Windows has no such pipes")
    def test_that_are_pipes_or_folders_are_told_at_once_and_not_waited_for(self, tmp_path):
        os.mkfifo(tmp_path / "pipe")
        said = self.mistakes(tmp_path, CLIENT_SECRET_FILE="pipe", SECRET_KEY_FILE=".")
        assert said == ("CLIENT_SECRET_FILE: it is no ordinary file.", "SECRET_KEY_FILE: it is no ordinary file.")

    def test_beside_the_secret_itself_are_a_mistake_told_with_all_others(self, tmp_path):
        (tmp_path / "secret").write_text("hush")
        said = self.mistakes(
            tmp_path, CLIENT_SECRET="hush2", CLIENT_SECRET_FILE="secret", SECRET_KEY_FILE="none", TRUSTED_PROXIES="x"
        )
        assert said[:2] == (
            "CLIENT_SECRET and CLIENT_SECRET_FILE are both set: remove one of them.",
            "SECRET_KEY_FILE: there is no such file.",
        )
        assert "TRUSTED_PROXIES" in said[2]

    @pytest.mark.skipif(os.name == "nt", reason="Windows has no such terminals")
    def test_are_read_by_the_script_and_setup_leaves_them_alone(self, fork, settings):
        (fork / "secret").write_text(settings.pop("CLIENT_SECRET") + "\n")
        settings["CLIENT_SECRET_FILE"] = "secret"
        program = "from box_auth import open_flow; print(open_flow().settings.client_secret)"
        assert run(fork, "-c", program, **settings).stdout == (fork / "secret").read_text()
        with Pty(fork, "-m", "flask", "box", "setup", **settings) as terminal:
            assert terminal.end() == 1
            assert "CLIENT_SECRET_FILE is set: put the secret into that file by hand" in terminal.output
        done = run(fork, "script.py", **{**settings, "CLIENT_SECRET_FILE": "none"})
        assert (done.returncode, "CLIENT_SECRET_FILE: there is no such file." in done.stderr) == (1, True)


@pytest.mark.parametrize("hosts", ["https://a.example", "a.example:443", "a/b", "*", "a..b", "[::1]", "é.example"])
def test_trusted_hosts_are_plain_names(hosts):
    assert "TRUSTED_HOSTS must be host names" in problems({**APP, "TRUSTED_HOSTS": hosts})


def test_trusted_hosts_have_the_one_that_box_sends_people_back_to():
    public = {**APP, "REDIRECT_URI": "https://Files.example.com/callback"}
    for hosts, names in (
        ("files.example.com", ("files.example.com",)),
        ("a.example, .Example.com,", ("a.example", ".example.com")),
        ("", ()),
    ):
        assert config.parse({**public, "TRUSTED_HOSTS": hosts}, Path("data")).trusted_hosts == names
    for hosts in ("a.example", "example.com", ".les.example.com"):
        assert "leaves out the host of REDIRECT_URI" in problems({**public, "TRUSTED_HOSTS": hosts})


def test_a_platforms_port_is_where_a_server_listens_on_every_address():
    assert config.serving_address({"PORT": "8000", "CALLBACK_PORT": "5001"}) == ("0.0.0.0", 8000)
    assert config.serving_address({"PORT": "8000", "CALLBACK_HOSTNAME": "::1"}) == ("::1", 8000)
    assert config.serving_address({"CALLBACK_PORT": "5001"}) == ("127.0.0.1", 5001)
    for wrong in ("abc", "0", "65536", "8000 ", "-1", "²"):
        with pytest.raises(ConfigError, match="PORT must be a number from 1 to 65535"):
            config.serving_address({"PORT": wrong})
    assert config.listening_address({"PORT": "8000"}) == ("127.0.0.1", 5000)  # `flask run`


def test_a_mistake_in_a_secret_does_not_quote_it():
    said = problems({**APP, "REDIS_URL": "redis://:hush@host:port/0", "TOKEN_ENCRYPTION_KEYS": "hush"})
    assert "hush" not in said


def test_every_setting_is_in_the_sample_and_the_reverse():
    in_sample = set(re.findall(r"^(?:# )?([A-Z_]+) =", (HERE / ".env.sample").read_text(), re.MULTILINE))
    assert in_sample == set(config.NAMES)


@pytest.mark.parametrize(
    "values",
    [
        {"REDIRECT_URI": "https://localhost/callback"},  # a proxy of this machine that speaks https
        {"REDIRECT_URI": "https://127.0.0.1:8443/callback"},
        {"REDIRECT_URI": "https://localhost/box/callback", "TRUSTED_PROXIES": "1"},
        {"REDIRECT_URI": "http://127.0.0.1:8080/callback", "CALLBACK_HOSTNAME": "0.0.0.0", "CALLBACK_PORT": "5000"},
        {"REDIRECT_URI": "http://localhost:8080/callback", "CALLBACK_HOSTNAME": "::", "CALLBACK_PORT": "5000"},
        {"REDIRECT_URI": "http://localhost/callback", "CALLBACK_HOSTNAME": "0.0.0.0"},
        {"REDIRECT_URI": "http://localhost:8080/box/callback", "TRUSTED_PROXIES": "1"},
        {"REDIRECT_URI": "http://[::1]:5000/callback"},
    ],
)
def test_a_way_back_by_a_proxy_or_a_mapped_port_of_this_machine_is_taken(values):
    assert config.parse({**APP, **values}, Path("data")).redirect_uri == values["REDIRECT_URI"]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"REDIRECT_URI": "https://127.0.0.1:5000/callback"}, "the app itself speaks plain http on port 5000"),
        (
            {"REDIRECT_URI": "https://localhost:8080/callback", "CALLBACK_PORT": "8080"},
            "speaks plain http on port 8080",
        ),
        ({"REDIRECT_URI": "https://localhost/callback", "CALLBACK_PORT": "443"}, "plain http on port 443"),
        ({"REDIRECT_URI": "http://127.0.0.1:5000/oauth/callback"}, "its path must be /callback"),
        ({"REDIRECT_URI": "http://127.0.0.1:80/oauth/callback", "CALLBACK_HOSTNAME": "0.0.0.0"}, "must be /callback"),
        ({"REDIRECT_URI": "http://127.0.0.1:5000/callback?from=box"}, "must end in /callback"),
        ({"REDIRECT_URI": "http://127.0.0.1:5000/callback#box"}, "must end in /callback"),
        ({"REDIRECT_URI": "http://box.localhost:5000/callback"}, "Box requires https"),
    ],
)
def test_a_way_back_that_would_not_arrive_here_is_a_mistake(values, said):
    assert said in problems({**APP, **values})


def test_a_path_before_the_callback_needs_a_proxy_that_is_trusted():
    values = {**APP, "REDIRECT_URI": "https://files.example.com/oauth/callback"}
    assert "TRUSTED_PROXIES must be set" in problems(values)
    assert config.parse({**values, "TRUSTED_PROXIES": "1"}, Path("data")).redirect_uri.endswith("/oauth/callback")


def test_where_to_listen_is_known_although_other_settings_are_wrong():
    values = {"CALLBACK_HOSTNAME": "localhost", "CALLBACK_PORT": "5952", "REDIS_URL": "nowhere"}
    assert config.listening_address(values) == ("localhost", 5952)
    assert config.listening_address({"CALLBACK_HOSTNAME": "http://x", "CALLBACK_PORT": "five"}) == ("127.0.0.1", 5000)
    assert config.listening_address({"REDIRECT_URI": "http://127.0.0.1:8080/callback"}) == ("127.0.0.1", 8080)
