"""Settings: from where, in which form, and what is said of bad ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from conclave.settings import SettingsFault, load

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_defaults() -> None:
    settings = load()
    assert settings.data_dir == Path("data")
    assert (settings.http.host, settings.http.port, settings.http.tls) == ("::", 8080, "off")
    assert (settings.media.engine, settings.media.udp_port) == ("embedded", 7882)
    assert settings.media.api_keys is None
    assert settings.meetings.empty_minutes == 60
    assert settings.log.pii is False


def test_environment_over_file_over_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "conclave.toml").write_text("[http]\nport = 1111\nhost = '127.0.0.1'\n")
    monkeypatch.setenv("CONCLAVE_HTTP__PORT", "2222")
    settings = load()
    assert (settings.http.host, settings.http.port) == ("127.0.0.1", 2222)


def test_the_file_can_be_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "other.toml").write_text("[media]\nshards = 3\naddresses = ['127.0.0.1', '::1']\n")
    monkeypatch.setenv("CONCLAVE_CONFIG", str(tmp_path / "other.toml"))
    settings = load()
    assert settings.media.shards == 3
    assert [str(address) for address in settings.media.addresses or ()] == ["127.0.0.1", "::1"]


def test_lists_and_keys_as_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONCLAVE_MEDIA__ADDRESSES", "127.0.0.1, ::1")
    monkeypatch.setenv("CONCLAVE_MEDIA__API_KEYS", "one: aaa, two: bbb")
    monkeypatch.setenv("CONCLAVE_HTTP__TRUSTED_PROXIES", "127.0.0.1,10.0.0.0/8")
    settings = load()
    keys = settings.media.api_keys or {}
    assert {key: secret.get_secret_value() for key, secret in keys.items()} == {
        "one": "aaa",
        "two": "bbb",
    }
    assert settings.http.trusted_proxies == ["127.0.0.1", "10.0.0.0/8"]
    assert "aaa" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("CONCLAVE_HTTP__PORT", "http", "CONCLAVE_HTTP__PORT: input should be a valid integer"),
        ("CONCLAVE_HTTP__PORT", "70000", "CONCLAVE_HTTP__PORT: input should be less than"),
        ("CONCLAVE_HTTP__TLS", "yes", "CONCLAVE_HTTP__TLS: input should be 'off', 'files' or"),
        ("CONCLAVE_HTTP__TLS", "files", "CONCLAVE_HTTP: tls = files needs tls_cert and tls_key"),
        ("CONCLAVE_HTTP__PUBLIC_URL", "meet.example", "CONCLAVE_HTTP__PUBLIC_URL: write it with"),
        ("CONCLAVE_HTTP__PUBLIC_URL", "https://a/b", "CONCLAVE_HTTP__PUBLIC_URL: only scheme"),
        ("CONCLAVE_HTTP__PUBLIC_URL", "https://x:hunter2@a", "only scheme"),
        ("CONCLAVE_HTTP__PUBLIC_URL", "https://a:99999", "CONCLAVE_HTTP__PUBLIC_URL"),
        ("CONCLAVE_HTTP__TRUSTED_PROXIES", "proxy", "CONCLAVE_HTTP__TRUSTED_PROXIES"),
        ("CONCLAVE_DB__URL", "hunter2", "CONCLAVE_DB__URL: write it as"),
        ("CONCLAVE_DB__URL", "mysql://root:hunter2@a/b", "CONCLAVE_DB__URL: only SQLite and"),
        ("CONCLAVE_MEDIA__API_KEYS", "hunter2", "CONCLAVE_MEDIA__API_KEYS: API keys are written"),
        ("CONCLAVE_MEDIA__ADDRESSES", "eth0", "CONCLAVE_MEDIA__ADDRESSES"),
        ("CONCLAVE_HTPP__PORT", "1", "CONCLAVE_HTPP__PORT: there is no such setting"),
        ("CONCLAVE_HTTP__PROT", "1", "CONCLAVE_HTTP__PROT: there is no such setting"),
    ],
)
def test_each_fault_is_one_readable_line(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsFault) as fault:
        load()
    text = "\n".join(fault.value.lines)
    assert said in text
    assert "hunter2" not in text
    assert all("\n" not in line for line in fault.value.lines)


def test_all_faults_are_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONCLAVE_HTTP__PORT", "x")
    monkeypatch.setenv("CONCLAVE_MEDIA__UDP_PORT", "0")
    monkeypatch.setenv("CONCLAVE_NOTHING", "x")
    with pytest.raises(SettingsFault) as fault:
        load()
    assert len(fault.value.lines) == 3


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[http\nport = 1", "not valid TOML"),
        ("[http]\nprot = 1\n", "CONCLAVE_HTTP__PROT"),
        ("[htpp]\nport = 1\n", "CONCLAVE_HTPP"),
        ("http = 3\n", "CONCLAVE_HTTP"),
    ],
)
def test_faults_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, said: str
) -> None:
    (tmp_path / "conclave.toml").write_text(content)
    monkeypatch.setenv("CONCLAVE_CONFIG", str(tmp_path / "conclave.toml"))
    with pytest.raises(SettingsFault) as fault:
        load()
    assert said in "\n".join(fault.value.lines)


def test_a_file_that_is_named_must_be_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONCLAVE_CONFIG", str(tmp_path / "missing.toml"))
    with pytest.raises(SettingsFault, match="CONCLAVE_CONFIG"):
        load()


def _livekit(monkeypatch: pytest.MonkeyPatch, **more: str) -> None:
    settings = {
        "ENGINE": "livekit",
        "LIVEKIT_URL": "wss://livekit.example.org",
        "API_KEYS": "key: secret",
        **more,
    }
    for name, value in settings.items():
        monkeypatch.setenv(f"CONCLAVE_MEDIA__{name}", value)


def test_a_livekit_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    _livekit(monkeypatch)
    media = load().media
    assert media.livekit_api == "https://livekit.example.org"
    assert media.livekit_origins == ("wss://livekit.example.org", "https://livekit.example.org")
    _livekit(monkeypatch, LIVEKIT_URL="ws://LiveKit:7880/", LIVEKIT_API_URL="http://inside:7880")
    media = load().media
    assert (media.livekit_url, media.livekit_api) == ("ws://livekit:7880", "http://inside:7880")
    monkeypatch.setenv("CONCLAVE_MEDIA__ENGINE", "embedded")
    assert load().media.livekit_origins == (), "nothing is connected to that is not used"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("LIVEKIT_URL", "", "needs livekit_url"),
        ("LIVEKIT_URL", "livekit.example.org", "with its scheme"),
        ("LIVEKIT_URL", "https://livekit.example.org", "with its scheme"),
        ("LIVEKIT_URL", "wss://", "with its scheme"),
        ("LIVEKIT_URL", "wss://a:b:c", "with its scheme"),
        ("LIVEKIT_URL", "wss://livekit.example.org/path", "only scheme, name and port"),
        ("LIVEKIT_URL", "wss://user:hunter2@livekit.example.org", "only scheme, name and port"),
        ("LIVEKIT_URL", "wss://a; script-src *", "only scheme, name and port"),
        ("LIVEKIT_URL", "wss://a,b", "only scheme, name and port"),
        ("LIVEKIT_URL", "wss://*", "only scheme, name and port"),
        ("LIVEKIT_URL", "wss://[::1]:7880", "IPv4"),
        ("LIVEKIT_API_URL", "wss://livekit.example.org", "with its scheme"),
        ("API_KEYS", "", "needs api_keys"),
    ],
)
def test_a_livekit_cluster_that_cannot_be(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    _livekit(monkeypatch, **{name: value})
    with pytest.raises(SettingsFault) as fault:
        load()
    (line,) = fault.value.lines
    assert line.startswith("CONCLAVE_MEDIA")
    assert words in line
    assert "hunter2" not in line
