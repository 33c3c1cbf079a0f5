"""Certificates: made, kept, renewed, and refused with a reason."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from conclave.kernel.tls import (
    LIFETIME,
    Certificate,
    CertificateUnusable,
    certificate_for,
    expires_at,
)
from conclave.settings import HttpSettings, Settings

pytestmark = pytest.mark.unit

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def _settings(tmp_path: Path, **http: object) -> Settings:
    return Settings(data_dir=tmp_path, http=HttpSettings.model_validate(http))


def _self_signed(tmp_path: Path, now: datetime, **http: object) -> Certificate:
    made = certificate_for(_settings(tmp_path, tls="self-signed", **http), now)
    assert made is not None
    return made


def test_off_is_off(tmp_path: Path) -> None:
    assert certificate_for(_settings(tmp_path), NOW) is None


def test_one_of_our_own_is_made_once_and_for_us_alone(tmp_path: Path) -> None:
    made = _self_signed(tmp_path, NOW, public_url="https://meet.example:8443")
    first = made.cert_file.read_bytes()
    assert made.key_file.stat().st_mode & 0o777 == 0o600
    loaded = x509.load_pem_x509_certificate(first)
    names = loaded.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "meet.example" in names.get_values_for_type(x509.DNSName)
    assert "127.0.0.1" in [str(ip) for ip in names.get_values_for_type(x509.IPAddress)]
    assert expires_at(made) == NOW + LIFETIME
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(made.cert_file, made.key_file)
    again = _self_signed(
        tmp_path, NOW + timedelta(days=360), public_url="https://meet.example:8443"
    )
    assert again.cert_file.read_bytes() == first


def test_it_is_renewed_before_it_ends_and_when_the_name_changes(tmp_path: Path) -> None:
    first = _self_signed(tmp_path, NOW).cert_file.read_bytes()
    renewed = _self_signed(tmp_path, NOW + timedelta(days=368)).cert_file.read_bytes()
    assert renewed != first
    other = _self_signed(tmp_path, NOW + timedelta(days=368), public_url="https://x.example")
    assert other.cert_file.read_bytes() != renewed


@pytest.mark.parametrize("damage", ["", "garbage"])
def test_a_damaged_one_is_made_anew(tmp_path: Path, damage: str) -> None:
    made = _self_signed(tmp_path, NOW)
    made.cert_file.write_text(damage)
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
        _self_signed(tmp_path, NOW).cert_file, made.key_file
    )


def test_the_operators_files_are_tried_at_once(tmp_path: Path) -> None:
    made = _self_signed(tmp_path, NOW)
    files = {"tls": "files", "tls_cert": made.cert_file, "tls_key": made.key_file}
    assert certificate_for(_settings(tmp_path, **files), NOW) == made
    missing = {**files, "tls_key": tmp_path / "missing.pem"}
    with pytest.raises(CertificateUnusable, match="No such file"):
        certificate_for(_settings(tmp_path, **missing), NOW)
    swapped = {"tls": "files", "tls_cert": made.key_file, "tls_key": made.cert_file}
    with pytest.raises(CertificateUnusable, match="CONCLAVE_HTTP__TLS_CERT"):
        certificate_for(_settings(tmp_path, **swapped), NOW)
