"""Every setting of the server, typed: from the environment, one TOML file, and defaults.

Precedence: environment (`CONCLAVE_HTTP__PORT`) over the TOML file (`[http] port`) over the default.
The file is `conclave.toml` in the data folder, or what `CONCLAVE_CONFIG` names. Each field must
occur in docs/reference/settings.md (a test compares). Must never read anything but settings.
"""

from __future__ import annotations

import os
import re
import tomllib
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    IPvAnyAddress,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


def _parse_api_keys(value: object) -> object:
    """`"key: secret, key2: secret2"` as LiveKit writes it, or a table."""
    if not isinstance(value, str):
        return value
    pairs: dict[str, str] = {}
    for part in value.split(","):
        if not part.strip():
            continue
        key, separator, secret = part.partition(":")
        if not separator or not key.strip() or not secret.strip():
            msg = 'API keys are written as "key: secret, key2: secret2"'
            raise ValueError(msg)
        pairs[key.strip()] = secret.strip()
    return pairs


def _parse_list(value: object) -> object:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def _public_url(value: str | None) -> str | None:
    if not value:
        return None
    parts = urlsplit(value)
    try:
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none
        has_host = False
    if parts.scheme not in {"http", "https"} or not has_host:
        msg = "write it with its scheme: https://meet.example.org"
        raise ValueError(msg)
    if parts.path.strip("/") or parts.query or parts.fragment or parts.username:
        msg = "only scheme, name and port: https://meet.example.org:8443"
        raise ValueError(msg)
    return f"{parts.scheme}://{parts.netloc}".lower()


def _webhook_urls(values: list[str]) -> list[str]:
    for value in values:
        try:
            parts = urlsplit(value)
            is_usable = bool(parts.hostname) and parts.port != 0 and len(value) <= 2048
        except ValueError:
            is_usable = False
        if not is_usable or parts.scheme not in {"http", "https"}:
            msg = "write each with its scheme: https://example.org/livekit"
            raise ValueError(msg)
        if parts.username is not None or parts.fragment or not value.isascii():
            msg = "a webhook URL has no user, password or fragment, and ASCII characters only"
            raise ValueError(msg)
    return values


def _server_url(value: str | None, schemes: tuple[str, str], example: str) -> str | None:
    if not value:
        return None
    parts = urlsplit(value)
    try:
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none
        has_host = False
    if parts.scheme.lower() not in schemes or not has_host:
        msg = f"write it with its scheme: {example}"
        raise ValueError(msg)
    is_plain = re.fullmatch(r"[A-Za-z0-9.:\[\]_-]+", parts.netloc)
    if parts.path.strip("/") or parts.query or parts.fragment or not is_plain:
        msg = f"only scheme, name and port: {example}"
        raise ValueError(msg)
    return f"{parts.scheme}://{parts.netloc}".lower()


def _livekit_url(value: str | None) -> str | None:
    if value and "[" in value:
        # A content security policy has no word for it, so that browsers would not connect.
        msg = "write a name or an IPv4 address: pages cannot connect to an IPv6 address"
        raise ValueError(msg)
    return _server_url(value, ("ws", "wss"), "wss://livekit.example.org")


def _livekit_api_url(value: str | None) -> str | None:
    return _server_url(value, ("http", "https"), "https://livekit.example.org")


def _mail_host(value: str | None) -> str | None:
    if not value:
        return None
    if re.fullmatch(r"[A-Za-z0-9.:-]{1,253}", value) is None:
        msg = "only a name or an address: mail.example.org"
        raise ValueError(msg)
    return value


def _mail_address(value: str | None) -> str | None:
    if not value:
        return None
    if re.fullmatch(r"[!-?A-~]{1,64}@[A-Za-z0-9.-]{1,190}", value) is None:
        msg = "only the address: conclave@example.org"
        raise ValueError(msg)
    return value


def _networks(values: list[str]) -> list[str]:
    for value in values:
        try:
            ip_network(value)
        except ValueError:
            msg = "write addresses or networks: 127.0.0.1, 10.0.0.0/8"
            raise ValueError(msg) from None
    return values


def _database_url(value: SecretStr | None) -> SecretStr | None:
    if value is None or not value.get_secret_value():
        return None
    scheme, separator, _ = value.get_secret_value().partition("://")
    if not separator:
        msg = "write it as postgresql://user:password@host/database"
        raise ValueError(msg)
    if scheme.partition("+")[0] not in {"sqlite", "postgresql"}:
        msg = "only SQLite and PostgreSQL can be used"
        raise ValueError(msg)
    return value


class HttpSettings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    host: str = "::"
    port: int = Field(default=8080, ge=0, le=65535)
    tls: Literal["off", "files", "self-signed"] = "off"
    tls_cert: Path | None = None
    tls_key: Path | None = None
    public_url: Annotated[str | None, AfterValidator(_public_url)] = None
    trusted_proxies: Annotated[
        list[str], NoDecode, BeforeValidator(_parse_list), AfterValidator(_networks)
    ] = []

    @model_validator(mode="after")
    def _files_are_named(self) -> Self:
        if self.tls == "files" and (self.tls_cert is None or self.tls_key is None):
            msg = "tls = files needs tls_cert and tls_key (two PEM files)"
            raise ValueError(msg)
        return self


class DbSettings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    url: Annotated[SecretStr | None, AfterValidator(_database_url)] = None
    busy_timeout_ms: int = Field(default=5_000, ge=0, le=60_000)


class LogSettings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    format: Literal["auto", "console", "json"] = "auto"
    level: Literal["debug", "info", "warning", "error"] = "info"
    pii: bool = False


class MeetingsSettings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    empty_minutes: int = Field(default=60, ge=1, le=60 * 24 * 30)
    unused_hours: int = Field(default=24, ge=1, le=24 * 365)


class AccountsSettings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    registration: Literal["closed", "open"] = "closed"
    max_members: int = Field(default=1_000, ge=1, le=1_000_000)
    bind_sessions: bool = True


class MailSettings(BaseModel):
    """The SMTP server that letters go out by; without `host` none are sent."""

    model_config = ConfigDict(extra="forbid")

    host: Annotated[str | None, AfterValidator(_mail_host)] = None
    port: int | None = Field(default=None, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str | None = None
    password: SecretStr | None = None
    sender: Annotated[str | None, AfterValidator(_mail_address)] = None

    @property
    def used_port(self) -> int:
        """As said, else the usual one (RFC 8314, 3.3; RFC 5321)."""
        return self.port or {"starttls": 587, "tls": 465, "none": 25}[self.security]

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if self.host is not None and self.sender is None:
            msg = "mail.host needs mail.sender, the address that letters come from"
            raise ValueError(msg)
        if (self.user is None) != (self.password is None):
            msg = "mail.user and mail.password go together"
            raise ValueError(msg)
        if self.user is not None and self.security == "none":
            msg = "mail.password is not sent without TLS: set mail.security to starttls or tls"
            raise ValueError(msg)
        return self


class LimitsSettings(BaseModel):
    """How often one source (an IPv4 address or an IPv6 /64) may do what anybody may do."""

    model_config = ConfigDict(extra="forbid")

    lookups_per_source: int = Field(default=240, ge=1)
    sign_ins_per_source: int = Field(default=20, ge=1)
    sign_ins_per_account: int = Field(default=10, ge=1)
    registrations_per_source: int = Field(default=5, ge=1)


class MediaSettings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    engine: Literal["embedded", "livekit", "fake"] = "embedded"
    udp_port: int = Field(default=7882, ge=1, le=65535)
    shards: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1, le=256)
    addresses: Annotated[list[IPvAnyAddress] | None, NoDecode, BeforeValidator(_parse_list)] = None
    public_ip: IPvAnyAddress | None = None
    room_participants: int = Field(default=1000, ge=1, le=10_000)
    participant_tracks: int = Field(default=50, ge=1, le=1000)
    api_keys: Annotated[dict[str, SecretStr] | None, NoDecode, BeforeValidator(_parse_api_keys)] = (
        None
    )
    webhook_urls: Annotated[
        list[str], NoDecode, BeforeValidator(_parse_list), AfterValidator(_webhook_urls)
    ] = []
    webhook_api_key: str | None = None
    livekit_url: Annotated[str | None, AfterValidator(_livekit_url)] = None
    livekit_api_url: Annotated[str | None, AfterValidator(_livekit_api_url)] = None

    @property
    def livekit_api(self) -> str:
        """Where the cluster's RoomService is: as said, else beside what browsers connect to."""
        if self.livekit_api_url is not None:
            return self.livekit_api_url
        # ws -> http, wss -> https
        return (self.livekit_url or "").replace("ws", "http", 1)

    @property
    def livekit_origins(self) -> tuple[str, ...]:
        """What pages may connect to: signalling, and the same host's answers in words (HTTP)."""
        if self.engine != "livekit" or self.livekit_url is None:
            return ()
        return self.livekit_url, self.livekit_url.replace("ws", "http", 1)

    @model_validator(mode="after")
    def _cluster_is_named(self) -> Self:
        if self.engine == "livekit" and self.livekit_url is None:
            msg = "engine = livekit needs livekit_url, where browsers reach the LiveKit server"
            raise ValueError(msg)
        if self.engine == "livekit" and not self.api_keys:
            msg = (
                "engine = livekit needs api_keys, one of the key pairs in the LiveKit server's "
                'own settings: "key: secret"'
            )
            raise ValueError(msg)
        if self.engine == "livekit" and self.webhook_urls:
            msg = "with engine = livekit, webhooks are a setting of the LiveKit server"
            raise ValueError(msg)
        return self


class SealingSettings(BaseModel):
    """The delivery service for members' keys and messages: sizes, and what one seat may send."""

    model_config = ConfigDict(extra="forbid")

    members: int = Field(default=200, ge=2, le=200)
    waiting: int = Field(default=200, ge=1, le=1000)
    messages_per_second: int = Field(default=20, ge=1, le=1000)
    messages_burst: int = Field(default=60, ge=1, le=10_000)
    free_knocks_per_source: int = Field(default=30, ge=1)
    free_knocks_per_meeting: int = Field(default=60, ge=1)
    knocks_per_source: int = Field(default=60, ge=1)
    knocks_per_meeting: int = Field(default=240, ge=1)
    sockets_per_source: int = Field(default=120, ge=1)
    log_rows: int = Field(default=2_000, ge=10, le=100_000)
    log_bytes: int = Field(default=32 * 1024 * 1024, ge=1024 * 1024)


class AuditSettings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    days: int = Field(default=365, ge=1, le=36_500)


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="CONCLAVE_", env_nested_delimiter="__", extra="forbid"
    )

    data_dir: Path = Path("data")
    http: HttpSettings = HttpSettings()
    db: DbSettings = DbSettings()
    media: MediaSettings = Field(default_factory=MediaSettings)
    accounts: AccountsSettings = AccountsSettings()
    mail: MailSettings = MailSettings()
    meetings: MeetingsSettings = MeetingsSettings()
    limits: LimitsSettings = LimitsSettings()
    sealing: SealingSettings = SealingSettings()
    audit: AuditSettings = AuditSettings()
    log: LogSettings = LogSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        data_dir = Path(os.environ.get("CONCLAVE_DATA_DIR", "data"))
        file = Path(os.environ.get("CONCLAVE_CONFIG", data_dir / "conclave.toml"))
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=file)


class SettingsFault(Exception):
    """What is wrong with the settings: a readable line for each fault, without any value."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("; ".join(lines))
        self.lines = lines


def load() -> Settings:
    """The settings of this process. Raises `SettingsFault`."""
    lines: list[str] = [
        f"{name}: there is no such setting (docs/reference/settings.md lists them)"
        for name in sorted(os.environ)
        if name.startswith("CONCLAVE_") and name not in _known_variables()
    ]
    named = os.environ.get("CONCLAVE_CONFIG")
    if named and not Path(named).is_file():
        lines.append("CONCLAVE_CONFIG: there is no such file")
    try:
        settings = Settings()
    except ValidationError as error:
        lines += [_line(fault) for fault in error.errors(include_input=False, include_url=False)]
    except tomllib.TOMLDecodeError as error:
        lines.append(f"the settings file is not valid TOML: {error}")
    except OSError as error:
        lines.append(f"the settings file cannot be read: {error.strerror}")
    except SettingsError as error:
        lines.append(str(error))
    if lines:
        raise SettingsFault(lines)
    return settings


def variables() -> dict[str, FieldInfo]:
    """Each setting by the name of its environment variable."""
    found: dict[str, FieldInfo] = {}
    for name, field in Settings.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            for inner, inner_field in section.model_fields.items():
                found[f"CONCLAVE_{name}__{inner}".upper()] = inner_field
        else:
            found[f"CONCLAVE_{name}".upper()] = field
    return found


def _known_variables() -> set[str]:
    return {*variables(), "CONCLAVE_CONFIG"}


def _line(fault: ErrorDetails) -> str:
    name = "CONCLAVE_" + "__".join(str(part) for part in fault["loc"][:2]).upper()
    message = fault["msg"].removeprefix("Value error, ")
    if message[1:2].islower():
        message = message[0].lower() + message[1:]
    return f"{name}: {message}"
