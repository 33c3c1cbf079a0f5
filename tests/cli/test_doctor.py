"""`conclave doctor`: finds what is wrong, says how to repair it, and does no harm."""

from __future__ import annotations

import contextlib
import shutil
import socket
import socketserver
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from conclave import app as composition
from conclave import doctor
from conclave.doctor import Finding
from conclave.kernel.clock import ManualClock
from conclave.kernel.tls import certificate_for
from conclave.settings import DbSettings, HttpSettings, MailSettings, MediaSettings, Settings

pytestmark = pytest.mark.unit


@pytest.fixture
def good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    static = tmp_path / "static"
    static.mkdir()
    (static / "index.html").write_text("x")
    monkeypatch.setattr(composition, "STATIC", static)
    return Settings(
        data_dir=tmp_path / "data",
        http=HttpSettings(host="127.0.0.1", port=0),
        media=MediaSettings(engine="fake"),
    )


def _levels(findings: Iterator[Finding]) -> list[str]:
    return [finding.level for finding in findings]


@contextlib.contextmanager
def _taken_tcp() -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def test_a_good_machine_has_no_fault(good: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor.run(good) == 0
    out = capsys.readouterr().out
    assert out.endswith("all is well\n")
    assert "FAULT" not in out
    assert not good.data_dir.exists(), "looking makes nothing"


def test_each_fault_has_a_line_of_repair(
    good: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    with _taken_tcp() as port:
        bad = good.model_copy(update={"http": HttpSettings(host="127.0.0.1", port=port)})
        assert doctor.run(bad) == 1
    lines = capsys.readouterr().out.splitlines()
    fault = next(number for number, line in enumerate(lines) if line.startswith("FAULT"))
    assert str(port) in lines[fault]
    assert "CONCLAVE_HTTP__PORT" in lines[fault + 1]
    assert lines[-1] == "1 fault found"


def test_a_port_held_by_conclave_itself_is_fine(good: Settings) -> None:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"name":"conclave","version":"0.1.0"}')

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        running = good.model_copy(
            update={"http": HttpSettings(host="127.0.0.1", port=server.server_port)}
        )
        (finding,) = doctor.check_ports(running)
        assert finding.level == "ok"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_an_address_of_another_machine_is_a_fault(good: Settings) -> None:
    bad = good.model_copy(update={"http": HttpSettings(host="192.0.2.1", port=0)})
    (finding,) = doctor.check_ports(bad)
    assert finding.level == "fault"
    assert "CONCLAVE_HTTP__HOST" in finding.repair


def test_udp_that_is_open_and_udp_that_is_taken(good: Settings) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        assert doctor.udp_fault("127.0.0.1", port) == "Address already in use"
        media = {"udp_port": port, "shards": 1, "addresses": "127.0.0.1"}
        bad = good.model_copy(update={"media": MediaSettings.model_validate(media)})
        fault, note = doctor.check_udp(bad)
        assert (fault.level, note.level) == ("fault", "note")
        assert str(port) in fault.text
        assert "CONCLAVE_MEDIA__UDP_PORT" in fault.repair
    assert doctor.udp_fault("127.0.0.1", port) is None


def test_more_shards_than_ports(good: Settings) -> None:
    media = {"udp_port": 65530, "shards": 10, "addresses": "127.0.0.1"}
    (finding,) = doctor.check_udp(
        good.model_copy(update={"media": MediaSettings.model_validate(media)})
    )
    assert finding.level == "fault"


def test_clocks() -> None:
    right = ManualClock(datetime(2026, 6, 1, tzinfo=UTC))
    assert _levels(doctor.check_clock(right, True)) == ["ok"]
    assert _levels(doctor.check_clock(right, False)) == ["note"]
    assert _levels(doctor.check_clock(ManualClock(datetime(1970, 1, 1, tzinfo=UTC)))) == ["fault"]
    assert doctor.kernel_clock_is_synchronised() in {True, False, None}


def test_a_full_disk(good: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for free, level in ((10 * 1024**2, "fault"), (500 * 1024**2, "note"), (2 * 1024**3, "ok")):
        usage = SimpleNamespace(free=free)
        monkeypatch.setattr(shutil, "disk_usage", lambda _path, usage=usage: usage)
        assert _levels(doctor.check_data_folder(good.data_dir)) == [level]


def test_a_data_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("x")
    (finding,) = doctor.check_data_folder(tmp_path / "data")
    assert finding.level == "fault"
    assert "chown" in finding.repair


@pytest.mark.parametrize("content", [b"this is no database, but a text that is long enough" * 100])
def test_a_damaged_database(good: Settings, content: bytes) -> None:
    good.data_dir.mkdir()
    (good.data_dir / "conclave.db").write_bytes(content)
    (finding,) = doctor.check_database(good)
    assert finding.level == "fault"


def test_a_database_that_is_away(good: Settings, tmp_path: Path) -> None:
    url = f"postgresql://conclave:hunter2@/conclave?host={tmp_path}"
    away = good.model_copy(update={"db": DbSettings.model_validate({"url": url})})
    (finding,) = doctor.check_database(away)
    assert finding.level == "fault"
    assert "hunter2" not in finding.text + finding.repair


def test_certificates(good: Settings) -> None:
    good.data_dir.mkdir()
    now = datetime(2026, 1, 1, tzinfo=UTC)
    own = good.model_copy(update={"http": HttpSettings(tls="self-signed")})
    made = certificate_for(own, now)
    assert made is not None
    files = good.model_copy(
        update={"http": HttpSettings(tls="files", tls_cert=made.cert_file, tls_key=made.key_file)}
    )
    for age, level in ((0, "ok"), (390, "note"), (400, "fault")):
        clock = ManualClock(now + timedelta(days=age))
        assert _levels(doctor.check_tls(files, clock)) == [level]
    clock = ManualClock(now)
    assert _levels(doctor.check_tls(own, clock)) == ["ok"]
    assert _levels(doctor.check_tls(good, clock)) == ["note"]
    made.cert_file.unlink()
    assert _levels(doctor.check_tls(files, clock)) == ["fault"]


def test_a_client_that_is_not_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(composition, "STATIC", tmp_path)
    (finding,) = doctor.check_web_client()
    assert (finding.level, finding.repair) == ("fault", "run make setup")


def _livekit(port: int, **more: object) -> MediaSettings:
    settings = {
        "engine": "livekit",
        "livekit_url": f"ws://127.0.0.1:{port}",
        "api_keys": {"key": "a secret of some length"},
    }
    return MediaSettings.model_validate({**settings, **more})


@contextlib.contextmanager
def _room_service(status: int, body: bytes) -> Iterator[int]:
    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("status", "body", "level", "words"),
    [
        (200, b"", "ok", "takes our key, 0 rooms"),
        (401, b"invalid API key", "fault", "does not accept the API key"),
        (404, b"<html>", "fault", "not as a LiveKit server does"),
        (200, b"<html>", "fault", "cannot be read"),
    ],
)
def test_a_livekit_server(good: Settings, status: int, body: bytes, level: str, words: str) -> None:
    with _room_service(status, body) as port:
        settings = good.model_copy(update={"media": _livekit(port)})
        first, note = doctor.check_engine(settings, ManualClock())
    assert (first.level, note.level) == (level, "note")
    assert words in first.text
    assert "/livekit/webhook" in note.text
    assert "a secret" not in str([first, note])


def test_a_livekit_server_that_is_away_or_has_a_key_too_short(good: Settings) -> None:
    with _taken_tcp() as port:
        pass
    for media, words in (
        (_livekit(port), "cannot be reached"),
        (_livekit(port, api_keys={"key": "short"}), "fewer than 16 characters"),
    ):
        settings = good.model_copy(update={"media": media})
        fault, _ = doctor.check_engine(settings, ManualClock())
        assert fault.level == "fault"
        assert words in fault.text
        assert "CONCLAVE_MEDIA__API_KEYS" in fault.repair


def test_an_insecure_livekit_server_for_secure_pages(good: Settings) -> None:
    with _room_service(200, b"") as port:
        http = HttpSettings(public_url="https://meet.example.org")
        settings = good.model_copy(update={"media": _livekit(port), "http": http})
        _, fault, note = doctor.check_engine(settings, ManualClock())
    assert fault.level == "fault"
    assert "wss://" in fault.repair
    assert "https://meet.example.org/livekit/webhook" in note.text


class _Smtp(socketserver.StreamRequestHandler):
    """Says what an SMTP server without TLS says."""

    def handle(self) -> None:
        self.wfile.write(b"220 test\r\n")
        while line := self.rfile.readline():
            is_end = line.startswith(b"QUIT")
            self.wfile.write(b"221 bye\r\n" if is_end else b"250 test\r\n")
            if is_end:
                return


@pytest.mark.parametrize(
    ("security", "level", "words"),
    [("none", "ok", "answers"), ("starttls", "fault", "has no TLS"), (None, "ok", "none")],
)
def test_the_smtp_server_is_tried(
    good: Settings, security: str | None, level: str, words: str
) -> None:
    with socketserver.TCPServer(("127.0.0.1", 0), _Smtp) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            values = {"port": server.server_address[1], "sender": "conclave@example.org"}
            if security is not None:
                values |= {"host": "127.0.0.1", "security": security}
            mail = MailSettings.model_validate(values)
            (finding,) = doctor.check_mail(good.model_copy(update={"mail": mail}), ManualClock())
        finally:
            server.shutdown()
            thread.join()
    assert finding.level == level
    assert words in finding.text
    assert bool(finding.repair) == (level == "fault")


def test_an_smtp_server_that_is_away_is_a_fault(good: Settings) -> None:
    with _taken_tcp() as port:
        pass
    mail = MailSettings.model_validate(
        {"host": "127.0.0.1", "port": port, "security": "none", "sender": "a@example.org"}
    )
    (finding,) = doctor.check_mail(good.model_copy(update={"mail": mail}), ManualClock())
    assert (finding.level, "cannot be reached" in finding.text) == ("fault", True)
    assert "CONCLAVE_MAIL__HOST" in finding.repair
