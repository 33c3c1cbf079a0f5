"""`conclave doctor`: does this machine have what the server needs?

Each check gives one line; a fault has one line more that says how to repair it. Notes are no
faults. Exit code 1 when there is a fault. Looks and tries, and must never change anything but
files of its own that it removes again; sends only to this machine itself, and to the LiveKit and
SMTP servers that the settings name, if they do.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import shutil
import socket
import ssl
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from conclave.kernel.clock import Clock, SystemClock
from conclave.settings import Settings

Level = Literal["ok", "note", "fault"]
DISK_FAULT = 100 * 1024**2
DISK_NOTE = 1024**3
# This program is not older than that; a clock that says so makes tokens and certificates fail.
RELEASED = datetime.fromisoformat("2026-01-01T00:00:00+00:00")
_SIGNS = {"ok": "ok   ", "note": "note ", "fault": "FAULT"}


@dataclass(frozen=True, slots=True)
class Finding:
    level: Level
    text: str
    repair: str = ""


def run(settings: Settings) -> int:
    from conclave.kernel.telemetry import configure_logging

    configure_logging(form="console", level="error")
    findings = list(examine(settings, SystemClock()))
    for finding in findings:
        print(f"{_SIGNS[finding.level]} {finding.text}")
        if finding.repair:
            print(f"      -> {finding.repair}")
    faults = sum(1 for finding in findings if finding.level == "fault")
    print(f"{faults} fault{'' if faults == 1 else 's'} found" if faults else "all is well")
    return 1 if faults else 0


def examine(settings: Settings, clock: Clock) -> Iterator[Finding]:
    """All checks, in the order in which one would repair."""
    checks: Sequence[Callable[[], Iterable[Finding]]] = (
        lambda: check_clock(clock),
        lambda: check_data_folder(settings.data_dir),
        lambda: check_database(settings),
        lambda: check_ports(settings),
        lambda: check_tls(settings, clock),
        lambda: check_engine(settings, clock),
        lambda: check_mail(settings, clock),
        check_web_client,
    )
    for check in checks:
        yield from check()


def check_clock(clock: Clock, is_synchronised: bool | None = None) -> Iterator[Finding]:
    now = clock.now()
    if now < RELEASED:
        yield Finding(
            "fault",
            f"clock: it is {now:%Y-%m-%d %H:%M} UTC here, which cannot be",
            "set the clock, best by a time service: timedatectl set-ntp true",
        )
        return
    synchronised = kernel_clock_is_synchronised() if is_synchronised is None else is_synchronised
    if synchronised is False:
        yield Finding(
            "note",
            f"clock: {now:%Y-%m-%d %H:%M} UTC, not kept right by a time service",
            "switch one on: timedatectl set-ntp true (on a virtual machine or in a container the "
            "host may do it)",
        )
        return
    yield Finding("ok", f"clock: {now:%Y-%m-%d %H:%M} UTC")


def kernel_clock_is_synchronised() -> bool | None:
    """What the kernel says (ntp_adjtime(3): TIME_ERROR); None where it cannot be asked."""
    if sys.platform != "linux":
        return None
    try:
        # struct timex is at most 208 bytes; `modes` = 0 only reads.
        state = ctypes.CDLL(None).ntp_adjtime(ctypes.create_string_buffer(512))
    except (OSError, AttributeError):
        return None
    return None if state < 0 else state != 5


def check_data_folder(folder: Path) -> Iterator[Finding]:
    path = folder.absolute()
    existing = next(parent for parent in (path, *path.parents) if parent.exists())
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        yield Finding(
            "fault",
            f"data folder: {path} cannot be written ({error.strerror})",
            f"give it to the account that runs conclave: chown -R {_account()} {path}",
        )
        return
    free = shutil.disk_usage(existing).free
    if free < DISK_FAULT:
        yield Finding(
            "fault",
            f"disk: only {free // 1024**2} MB are free for {path}",
            "make room, or set CONCLAVE_DATA_DIR to a folder on a larger disk",
        )
    elif free < DISK_NOTE:
        yield Finding("note", f"disk: {free // 1024**2} MB are free for {path}", "make room soon")
    else:
        yield Finding("ok", f"data folder: {path}, {free / 1024**3:.0f} GB free")


def check_database(settings: Settings) -> Iterator[Finding]:
    from conclave.app import database_url
    from conclave.kernel.errors import ConclaveError

    url = database_url(settings)
    where = url.render_as_string(hide_password=True)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        yield Finding("ok", f"database: {where} (made at the first start)")
        return
    try:
        version = asyncio.run(_schema_version(settings))
    except ConclaveError as error:
        yield Finding(
            "fault",
            f"database: {where} cannot be read",
            error.detail
            if type(error).__name__ == "SchemaTooNew"
            else "check that it runs, CONCLAVE_DB__URL, its rights, and that nobody holds a lock",
        )
    except Exception as error:
        yield Finding(
            "fault",
            f"database: {where} cannot be read ({type(error).__name__})",
            "it may be damaged: restore the last backup",
        )
    else:
        yield Finding("ok", f"database: {where}, schema {version}")


async def _schema_version(settings: Settings) -> int:
    from conclave.app import database_url
    from conclave.kernel.db import Database
    from conclave.kernel.migrate import usable_version

    db = Database(database_url(settings), busy_timeout_ms=500)
    try:
        return await usable_version(db)
    finally:
        await db.close()


def check_ports(settings: Settings) -> Iterator[Finding]:
    from conclave.kernel.listen import AddressUnusable, PortTaken, bind

    http = settings.http
    try:
        for bound in bind(http.host, http.port):
            bound.close()
    except PortTaken as error:
        if _is_served_by_conclave(settings):
            yield Finding("ok", f"port {http.port}: served by conclave, which is running")
            return
        yield Finding("fault", f"port {http.port} (TCP) cannot be used", error.detail)
    except AddressUnusable as error:
        yield Finding("fault", f"address {http.host} cannot be used", error.detail)
    else:
        yield Finding("ok", f"port {http.port} (TCP): free")
    if settings.media.engine == "embedded":
        yield from check_udp(settings)


def check_udp(settings: Settings) -> Iterator[Finding]:
    from conclave.media.addresses import media_addresses

    media = settings.media
    addresses = media_addresses(media.addresses)
    ports = range(media.udp_port, media.udp_port + media.shards)
    if ports[-1] > 65535:
        yield Finding(
            "fault",
            f"UDP: {media.shards} shards from port {media.udp_port} on end above 65535",
            "choose a smaller CONCLAVE_MEDIA__UDP_PORT or fewer CONCLAVE_MEDIA__SHARDS",
        )
        return
    for address in addresses:
        for port in ports:
            fault = udp_fault(address, port)
            if fault:
                yield Finding(
                    "fault",
                    f"UDP port {port} on {address}: {fault}",
                    "stop what uses it or choose another CONCLAVE_MEDIA__UDP_PORT; allow it in the "
                    "firewall; set CONCLAVE_MEDIA__ADDRESSES to addresses of this machine",
                )
                break
        else:
            yield Finding("ok", f"UDP ports {ports[0]}-{ports[-1]} on {address}: open")
    yield Finding(
        "note",
        f"UDP ports {ports[0]}-{ports[-1]} must also be open from outside; only somebody outside "
        "can tell",
    )


def udp_fault(address: str, port: int) -> str | None:
    """Bind, and see whether a datagram from this machine comes through; None when it does."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with (
            socket.socket(family, socket.SOCK_DGRAM) as receiver,
            socket.socket(family, socket.SOCK_DGRAM) as sender,
        ):
            receiver.bind((address, port))
            receiver.settimeout(1.0)
            sender.bind((address, 0))
            token = os.urandom(16)
            sender.sendto(token, receiver.getsockname())
            return None if receiver.recv(64) == token else "something else sends to it"
    except TimeoutError:
        return "packets do not come through"
    except OSError as error:
        return error.strerror or "cannot be used"


def _is_served_by_conclave(settings: Settings) -> bool:
    """Ask whoever has the port, on this machine only."""
    import http.client

    http_settings = settings.http
    host = http_settings.host if http_settings.host not in {"::", "0.0.0.0"} else "127.0.0.1"  # noqa: S104
    if http_settings.tls == "off":
        connection = http.client.HTTPConnection(host, http_settings.port, timeout=2)
    else:
        trusting = ssl._create_unverified_context()  # noqa: S323  only asks for a name
        connection = http.client.HTTPSConnection(
            host, http_settings.port, timeout=2, context=trusting
        )
    try:
        connection.request("GET", "/api/v1/server")
        return b'"name":"conclave"' in connection.getresponse().read(4096)
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def check_tls(settings: Settings, clock: Clock) -> Iterator[Finding]:
    from conclave.kernel.errors import ConclaveError
    from conclave.kernel.tls import expires_at, trial

    http = settings.http
    if http.tls == "files":
        try:
            certificate = trial(settings)
            ends = expires_at(certificate)
        except ConclaveError as error:
            yield Finding("fault", "TLS: the certificate cannot be used", error.detail)
            return
        days = (ends - clock.now()).days
        if days < 0:
            yield Finding("fault", f"TLS: the certificate expired on {ends:%Y-%m-%d}", "renew it")
        elif days < 14:
            yield Finding("note", f"TLS: the certificate expires in {days} days", "renew it soon")
        else:
            yield Finding("ok", f"TLS: the certificate is good until {ends:%Y-%m-%d}")
    elif http.tls == "self-signed":
        yield Finding("ok", "TLS: self-signed; browsers ask once whether to trust it")
    elif (http.public_url or "").startswith("https:"):
        yield Finding("ok", "TLS: ended by what stands in front of this server")
    else:
        yield Finding(
            "note",
            "TLS is off: browsers give camera and microphone on http://localhost only",
            "for other devices set CONCLAVE_HTTP__TLS=self-signed, or files with a certificate, or "
            "CONCLAVE_HTTP__PUBLIC_URL behind a proxy",
        )


def check_engine(settings: Settings, clock: Clock) -> Iterator[Finding]:
    kind = settings.media.engine
    if kind == "fake":
        yield Finding("note", "media engine: fake, nobody will see or hear anybody")
        return
    if kind == "livekit":
        yield from check_cluster(settings, clock)
        return
    try:
        from conclave import _media
    except ImportError:
        yield Finding(
            "fault",
            "media engine: the extension conclave._media is not there",
            "install Rust and run make setup, or install the released package",
        )
        return
    from conclave.media.digest import is_stale

    if is_stale(_media.DIGEST):
        yield Finding("fault", "media engine: older than its sources in media/", "run make setup")
    else:
        yield Finding("ok", "media engine: there, and built from these sources")


def check_cluster(settings: Settings, clock: Clock) -> Iterator[Finding]:
    """Does the LiveKit server answer, and take our key?"""
    from conclave.kernel.errors import ConclaveError
    from conclave.media.livekit import probe

    media, http = settings.media, settings.http
    try:
        rooms = asyncio.run(probe(settings, clock))
    except ConclaveError as error:
        yield Finding(
            "fault",
            f"media engine: {error.detail}",
            "check that it runs and is reached from here at "
            f"{media.livekit_api}, and that CONCLAVE_MEDIA__API_KEYS holds one of its key pairs",
        )
    else:
        yield Finding(
            "ok", f"media engine: the LiveKit server takes our key, {rooms} rooms are open"
        )
    is_secure = http.tls != "off" or (http.public_url or "").startswith("https:")
    if is_secure and (media.livekit_url or "").startswith("ws:"):
        yield Finding(
            "fault",
            "media engine: browsers refuse ws: from pages that came over https:",
            "give the LiveKit server TLS and write CONCLAVE_MEDIA__LIVEKIT_URL with wss://",
        )
    yield Finding(
        "note",
        "media engine: only the LiveKit server knows whether its webhooks reach "
        f"{http.public_url or 'this server'}/livekit/webhook",
    )


def check_mail(settings: Settings, clock: Clock) -> Iterator[Finding]:
    """Does the SMTP server answer, with TLS as wanted, and take our password? Sends nothing."""
    from prometheus_client import CollectorRegistry

    from conclave.kernel.mail import Mailer, MailFailed

    mail = settings.mail
    if mail.host is None:
        yield Finding("ok", "mail: none; invitations are handed over as links")
        return
    where = f"{mail.host}:{mail.used_port}"
    try:
        asyncio.run(Mailer(mail, clock, CollectorRegistry()).probe())
    except MailFailed as error:
        yield Finding("fault", f"mail: {where} {_MAIL_FAULTS[error.fault]}", _MAIL_REPAIR)
    else:
        yield Finding("ok", f"mail: {where} answers")


_MAIL_FAULTS = {
    "unreachable": "cannot be reached",
    "tls": "has no TLS as wanted, or a certificate that is not trusted here",
    "credentials": "does not take user and password",
    "recipient": "takes no letters",
    "refused": "refuses us",
}
_MAIL_REPAIR = (
    "check CONCLAVE_MAIL__HOST, CONCLAVE_MAIL__PORT, CONCLAVE_MAIL__SECURITY, CONCLAVE_MAIL__USER "
    "and CONCLAVE_MAIL__PASSWORD"
)


def check_web_client() -> Iterator[Finding]:
    from conclave.app import STATIC

    if (STATIC / "index.html").is_file():
        yield Finding("ok", "web client: built")
    else:
        yield Finding("fault", "web client: not built", "run make setup")


def _account() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return str(os.getuid())
