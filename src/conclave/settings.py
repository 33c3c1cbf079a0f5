"""Every setting of the server, typed: from the environment, one TOML file, and defaults.

Precedence: environment (`CONCLAVE_HTTP__PORT`) over the TOML file (`[http] port`) over the default.
The file is `conclave.toml` in the data folder, or what `CONCLAVE_CONFIG` names. Each field must
occur in docs/reference/settings.md (a test compares). Must never read anything but settings.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, IPvAnyAddress, SecretStr
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)


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


class HttpSettings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    host: str = "::"
    port: int = Field(default=8080, ge=0, le=65535)
    tls: Literal["off", "files", "self-signed"] = "off"
    tls_cert: Path | None = None
    tls_key: Path | None = None
    public_url: str | None = None


class MediaSettings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    engine: Literal["embedded", "livekit", "fake"] = "embedded"
    udp_port: int = Field(default=7882, ge=1, le=65535)
    shards: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1, le=256)
    addresses: Annotated[list[IPvAnyAddress] | None, NoDecode, BeforeValidator(_parse_list)] = None
    public_ip: IPvAnyAddress | None = None
    api_keys: Annotated[
        dict[str, SecretStr] | None, NoDecode, BeforeValidator(_parse_api_keys)
    ] = None


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="CONCLAVE_", env_nested_delimiter="__", extra="forbid"
    )

    data_dir: Path = Path("data")
    http: HttpSettings = HttpSettings()
    media: MediaSettings = Field(default_factory=MediaSettings)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        data_dir = Path(os.environ.get("CONCLAVE_DATA_DIR", "data"))
        file = Path(os.environ.get("CONCLAVE_CONFIG", data_dir / "conclave.toml"))
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=file)
