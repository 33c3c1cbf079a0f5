"""API keys and secrets of the LiveKit interface: from settings, else made once in the data folder.

`media_keys.json` holds what the first start has made: `{"APIxxxxxxxxxxxx": "secret"}`, readable by
the owner only. Must never log a secret, nor write a file that settings have made needless.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from conclave.kernel.errors import Invalid
from conclave.settings import Settings

FILE_NAME = "media_keys.json"
MIN_SECRET = 16
"""Fewer characters can be guessed from one captured token."""


class ApiKeys:
    """The pairs that sign and verify; the first one signs."""

    def __init__(self, pairs: Mapping[str, str]) -> None:
        if not pairs:
            msg = "at least one API key is needed"
            raise Invalid(msg)
        for key, secret in pairs.items():
            if len(secret) < MIN_SECRET:
                msg = f"the secret of API key {key} has fewer than {MIN_SECRET} characters"
                raise Invalid(msg)
        self._pairs = dict(pairs)
        self.primary = next(iter(self._pairs))
        self.decoy = secrets.token_urlsafe(32)
        """Verifies nothing; an unknown key costs the same time with it."""

    def __contains__(self, key: str) -> bool:
        return key in self._pairs

    def secret(self, key: str) -> str:
        return self._pairs[key]


def load_keys(settings: Settings) -> ApiKeys:
    """Keys from settings, from the data folder, or freshly made there (also for CLI tools).

    Raises `Invalid` when the file or a secret cannot be used, `OSError` when it cannot be read
    or written.
    """
    configured = settings.media.api_keys
    if configured:
        return ApiKeys({key: secret.get_secret_value() for key, secret in configured.items()})
    path = settings.data_dir / FILE_NAME
    if not path.exists():
        _make(path)
    return ApiKeys(_read(path))


def _read(path: Path) -> dict[str, str]:
    try:
        pairs = json.loads(path.read_text())
    except ValueError:
        pairs = None
    if not isinstance(pairs, dict) or not all(
        isinstance(key, str) and isinstance(secret, str) for key, secret in pairs.items()
    ):
        msg = f'{path} must hold {{"key": "secret"}}; remove it to have a new pair made'
        raise Invalid(msg)
    return pairs


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pair = {f"API{secrets.token_hex(6)}": secrets.token_urlsafe(32)}
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            json.dump(pair, file)
            file.flush()
            os.fsync(file.fileno())
        # A link, unlike a rename, does not replace what another process has made meanwhile.
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
