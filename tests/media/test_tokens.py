"""LiveKit tokens and the keys behind them."""

from __future__ import annotations

import base64
import json
import stat
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import OctKey
from livekit.protocol import models
from pydantic import SecretStr

from conclave.kernel.errors import Invalid
from conclave.media.engine import Permission
from conclave.media.keys import FILE_NAME, ApiKeys, load_keys
from conclave.media.tokens import MAX_TOKEN, Claims, TokenRefused, mint, verify
from conclave.settings import MediaSettings, Settings

pytestmark = pytest.mark.unit

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SECRET = "a secret with enough characters"
KEYS = ApiKeys({"key1": SECRET, "key2": "another secret, long enough"})
MINUTE = timedelta(minutes=1)


def _sign(payload: dict[str, Any], secret: str = SECRET, alg: str = "HS256") -> str:
    # json.dumps writes lone surrogates as escapes, as other token makers may.
    key = OctKey.import_key(secret)
    content = json.dumps(payload).encode()
    return jws.serialize_compact({"alg": alg}, content, key, algorithms=[alg])


def _payload(**changes: Any) -> dict[str, Any]:
    payload = {
        "iss": "key1",
        "sub": "alice",
        "exp": int(NOW.timestamp()) + 60,
        "video": {"room": "room", "roomJoin": True},
    }
    return {k: v for k, v in (payload | changes).items() if v is not None}


def _reason(token: str, now: datetime = NOW, room: str = "") -> str:
    with pytest.raises(TokenRefused) as refusal:
        verify(token, KEYS, now, room=room)
    assert str(refusal.value)
    return refusal.value.reason


def test_what_is_minted_is_verified() -> None:
    claims = Claims(
        identity="alice",
        room="room",
        name="Älice",
        metadata="m",
        attributes={"role": "host"},
        permission=Permission(
            can_publish=False,
            can_update_own_metadata=True,
            hidden=True,
            publish_sources=("camera",),
        ),
        is_admin=True,
        is_recorder=True,
    )
    assert verify(mint(claims, KEYS, NOW, MINUTE), KEYS, NOW, room="room") == claims
    plain = Claims(identity="a", room="r")
    assert verify(mint(plain, KEYS, NOW, MINUTE), KEYS, NOW) == plain


def test_defaults_are_livekits() -> None:
    permission = verify(_sign(_payload()), KEYS, NOW).permission
    assert permission == Permission()
    quiet = _payload(video={"room": "room", "roomJoin": True, "canPublish": False})
    assert not verify(_sign(quiet), KEYS, NOW).permission.can_publish_data


def test_second_key_verifies() -> None:
    token = _sign(_payload(iss="key2"), "another secret, long enough")
    assert verify(token, KEYS, NOW).identity == "alice"


def test_agents() -> None:
    claims = verify(_sign(_payload(kind="agent")), KEYS, NOW)
    assert claims.is_agent
    assert claims.kind_number == models.ParticipantInfo.Kind.AGENT
    assert verify(mint(claims, KEYS, NOW, MINUTE), KEYS, NOW) == claims


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"exp": int(NOW.timestamp()) - 11}, "expired"),
        ({"nbf": int(NOW.timestamp()) + 11}, "not_yet"),
        ({"exp": None}, "claims"),
        ({"exp": "soon"}, "claims"),
        ({"exp": True}, "claims"),
        ({"exp": 1e300}, "claims"),
        ({"exp": float("nan")}, "claims"),
        ({"nbf": float("nan")}, "claims"),
        ({"video": None}, "no_room_join"),
        ({"video": {}}, "no_room_join"),
        ({"video": []}, "no_room_join"),
        ({"video": {"room": "room"}}, "no_room_join"),
        ({"video": {"room": "room", "roomJoin": "yes"}}, "no_room_join"),
        ({"video": {"roomJoin": True}}, "no_room_join"),
        ({"video": {"room": "x" * 257, "roomJoin": True}}, "claims"),
        ({"video": {"room": 1, "roomJoin": True}}, "claims"),
        ({"video": {"room": "room", "roomJoin": True, "canPublish": "no"}}, "claims"),
        ({"video": {"room": "room", "roomJoin": True, "canPublishSources": "camera"}}, "claims"),
        ({"video": {"room": "room", "roomJoin": True, "canPublishSources": ["tv"]}}, "claims"),
        ({"sub": None}, "no_identity"),
        ({"sub": ""}, "no_identity"),
        ({"sub": 5}, "claims"),
        ({"sub": "x" * 257}, "claims"),
        ({"sub": "\ud800"}, "claims"),
        ({"name": "x" * 257}, "claims"),
        ({"attributes": []}, "claims"),
        ({"attributes": {"a": 1}}, "claims"),
        ({"attributes": {"a": "\udfff"}}, "claims"),
        ({"roomConfig": {"egress": {"room": {"fileOutputs": [{"fileType": "\ud800"}]}}}}, "claims"),
        ({"iss": None}, "malformed"),
        ({"iss": 5}, "malformed"),
        ({"iss": "nobody"}, "unknown_key"),
    ],
)
def test_reasons(changes: dict[str, Any], reason: str) -> None:
    assert _reason(_sign(_payload(**changes))) == reason


def test_leeway() -> None:
    at = int(NOW.timestamp())
    verify(_sign(_payload(exp=at - 9)), KEYS, NOW)
    verify(_sign(_payload(nbf=at + 9)), KEYS, NOW)


def test_signature() -> None:
    token = _sign(_payload())
    head, body, signature = token.split(".")
    assert _reason(_sign(_payload(), "a wrong secret, long enough")) == "bad_signature"
    assert _reason(_sign(_payload(), alg="HS512")) == "malformed"
    forged = base64.urlsafe_b64encode(json.dumps(_payload(sub="eve")).encode()).decode()
    assert _reason(f"{head}.{forged.rstrip('=')}.{signature}") == "bad_signature"
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    assert _reason(f"{none}.{body}.") in {"malformed", "bad_signature"}


def test_rest() -> None:
    assert _reason("") == "missing"
    assert _reason("x" * (MAX_TOKEN + 1)) == "too_large"
    for junk in ("x", "a.b", "a.b.c", "....", "a.b.c.d", "é.é.é", "e30.e30.e30"):
        assert _reason(junk) == "malformed"
    deep = base64.urlsafe_b64encode(b"[" * 9000).decode().rstrip("=")
    assert _reason(f"e30.{deep}.x") == "malformed"
    assert _reason(_sign(_payload()), room="other") == "wrong_room"


@given(st.text() | st.from_regex(r"[\w-]{0,40}\.[\w-]{0,80}\.[\w-]{0,40}", fullmatch=True))
def test_any_text_is_refused_in_words(text: str) -> None:
    _reason(text)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(
    st.fixed_dictionaries(
        {"iss": st.just("key1")},
        optional=dict.fromkeys(
            ("sub", "exp", "nbf", "video", "name", "metadata", "attributes", "kind"), _JSON
        ),
    )
)
def test_any_signed_claims_are_accepted_or_refused_in_words(payload: dict[str, Any]) -> None:
    with suppress(TokenRefused):
        verify(_sign(payload), KEYS, NOW)


def test_keys_are_made_once_and_for_the_owner_only(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    keys = load_keys(settings)
    file = tmp_path / "data" / FILE_NAME
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert keys.primary.startswith("API")
    again = load_keys(settings)
    assert again.secret(again.primary) == keys.secret(keys.primary)
    assert [p.name for p in file.parent.iterdir()] == [FILE_NAME]


def test_keys_of_settings_come_first(tmp_path: Path) -> None:
    media = MediaSettings(api_keys={"mine": SecretStr(SECRET)})
    keys = load_keys(Settings(data_dir=tmp_path, media=media))
    assert keys.primary == "mine"
    assert not (tmp_path / FILE_NAME).exists()


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"a": 1}', '{"a": "short"}'])
def test_unusable_key_files_are_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE_NAME).write_text(content)
    with pytest.raises(Invalid) as refusal:
        load_keys(Settings(data_dir=tmp_path))
    assert "short" not in str(refusal.value)
