"""The certificate to serve with: the operator's files, or one of our own making.

A self-signed certificate is kept in the data folder with its key (mode 600) and renewed when it
expires within a month. Browsers ask about it once; the connection is encrypted, but who answers is
proven only by comparing the fingerprint.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from conclave.kernel.errors import ConclaveError

if TYPE_CHECKING:
    from cryptography.x509 import GeneralName

    from conclave.settings import Settings

LIFETIME = dt.timedelta(days=397)  # what Apple's devices accept at most
RENEW_BEFORE = dt.timedelta(days=30)


class CertificateUnusable(ConclaveError):
    title = "The TLS certificate cannot be used"


@dataclass(frozen=True, slots=True)
class Certificate:
    cert_file: Path
    key_file: Path


def certificate_for(settings: Settings, now: dt.datetime) -> Certificate | None:
    """None when TLS is off. Raises `CertificateUnusable` with what to do."""
    http = settings.http
    if http.tls == "off":
        return None
    if http.tls == "files":
        return trial(settings)
    certificate = Certificate(settings.data_dir / "tls.crt", settings.data_dir / "tls.key")
    names = _names(http.public_url)
    if not _is_fresh(certificate, names, now):
        _make(certificate, names, now)
    return certificate


def trial(settings: Settings) -> Certificate:
    """The operator's files, loaded once to see that they fit."""
    http = settings.http
    if http.tls_cert is None or http.tls_key is None:
        raise CertificateUnusable("tls = files needs tls_cert and tls_key.")
    certificate = Certificate(http.tls_cert, http.tls_key)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
            certificate.cert_file, certificate.key_file
        )
    except (OSError, ssl.SSLError) as error:
        reason = error.strerror or "they are no PEM certificate and key that belong together"
        raise CertificateUnusable(
            f"The TLS files {certificate.cert_file} and {certificate.key_file} cannot be used: "
            f"{reason}. Check CONCLAVE_HTTP__TLS_CERT and CONCLAVE_HTTP__TLS_KEY."
        ) from None
    return certificate


def expires_at(certificate: Certificate) -> dt.datetime:
    from cryptography import x509

    try:
        return x509.load_pem_x509_certificate(
            certificate.cert_file.read_bytes()
        ).not_valid_after_utc
    except (OSError, ValueError) as error:
        raise CertificateUnusable(f"{certificate.cert_file} is no PEM certificate.") from error


def _names(public_url: str | None) -> list[str]:
    names = ["localhost", "127.0.0.1", "::1"]
    if public_url is not None and (host := urlsplit(public_url).hostname):
        names.insert(0, host)
    hostname = socket.gethostname()
    if hostname and hostname not in names:
        names.append(hostname)
    return names


def _is_fresh(certificate: Certificate, names: list[str], now: dt.datetime) -> bool:
    from cryptography import x509

    if not certificate.key_file.is_file():
        return False
    try:
        loaded = x509.load_pem_x509_certificate(certificate.cert_file.read_bytes())
        alternatives = loaded.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, x509.ExtensionNotFound):
        return False
    known = {
        *alternatives.get_values_for_type(x509.DNSName),
        *(str(address) for address in alternatives.get_values_for_type(x509.IPAddress)),
    }
    return loaded.not_valid_after_utc - RENEW_BEFORE > now and set(names) <= known


def _make(certificate: Certificate, names: list[str], now: dt.datetime) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
        .sign(key, hashes.SHA256())
    )
    key_pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    _write(certificate.key_file, key_pem)
    _write(certificate.cert_file, built.public_bytes(serialization.Encoding.PEM))


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, and readable by nobody else from the first byte on."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    temporary.replace(path)


def _general(name: str) -> GeneralName:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
