"""The query parameters with which clients of two peer connections join (`/rtc`, signalling v0).

They are made into the `JoinRequest` that newer clients send, so that nothing behind this knows the
difference. What a client says of itself is cut to size, unknown values are passed over; what would
change what it gets is refused when it cannot be read. Must never raise anything but `Unreadable`.
"""

from __future__ import annotations

import binascii
import json
from base64 import b64decode
from collections.abc import Mapping
from contextlib import suppress

from livekit.protocol import models, rtc

from conclave.media.signal.wire import MAX_ENCODED, Unreadable
from conclave.media.tokens import is_encodable

MAX_SAID = 256
"""Characters kept of each thing a client says of itself."""
MAX_CAPABILITIES = 32
_INT32 = 2**31
_SDK = models.ClientInfo.SDK
_SDKS = {
    "js": _SDK.JS, "ios": _SDK.SWIFT, "swift": _SDK.SWIFT, "android": _SDK.ANDROID,
    "flutter": _SDK.FLUTTER, "go": _SDK.GO, "unity": _SDK.UNITY, "reactnative": _SDK.REACT_NATIVE,
    "rust": _SDK.RUST, "python": _SDK.PYTHON, "cpp": _SDK.CPP, "unityweb": _SDK.UNITY_WEB,
    "node": _SDK.NODE,
}  # fmt: skip


def parse_parameters(query: Mapping[str, str]) -> rtc.JoinRequest:
    """Unknown parameters are passed over: `publish`, an old client's wish, is one of them."""
    settings = rtc.ConnectionSettings(
        auto_subscribe=_flag(query, "auto_subscribe", default=True),
        adaptive_stream=_flag(query, "adaptive_stream"),
        disable_ice_lite=_flag(query, "disable_ice_lite"),
    )
    if query.get("subscriber_allow_pause"):
        settings.subscriber_allow_pause = _flag(query, "subscriber_allow_pause")
    request = rtc.JoinRequest(
        client_info=_client(query),
        connection_settings=settings,
        participant_attributes=_attributes(query.get("attributes", "")),
    )
    if _flag(query, "reconnect"):
        request.reconnect = True
        request.participant_sid = _said(query, "sid")
        reason = _number(query, "reconnect_reason")
        if reason in models.ReconnectReason.values():
            request.reconnect_reason = reason  # type: ignore[assignment]
    return request


def _flag(query: Mapping[str, str], name: str, *, default: bool = False) -> bool:
    value = query.get(name, "")
    return value in ("1", "true") if value else default


def _number(query: Mapping[str, str], name: str) -> int:
    """0 for what is no number of 32 bits."""
    value = query.get(name, "")
    if not (value.isascii() and value.isdigit() and len(value) <= 10):
        return 0
    number = int(value)
    return number if number < _INT32 else 0


def _said(query: Mapping[str, str], name: str) -> str:
    value = query.get(name, "")[:MAX_SAID]
    return value if is_encodable(value) else ""


def _client(query: Mapping[str, str]) -> models.ClientInfo:
    client = models.ClientInfo(
        version=_said(query, "version"),
        protocol=_number(query, "protocol"),
        client_protocol=_number(query, "client_protocol"),
        os=_said(query, "os"),
        os_version=_said(query, "os_version"),
        device_model=_said(query, "device_model"),
        browser=_said(query, "browser"),
        browser_version=_said(query, "browser_version"),
        network=_said(query, "network"),
    )
    client.sdk = _SDKS.get(query.get("sdk", ""), _SDK.UNKNOWN)
    for name in query.get("capabilities", "").split(",")[:MAX_CAPABILITIES]:
        with suppress(ValueError):
            capability = models.ClientInfo.Capability.Value(name.strip())
            client.capabilities.append(capability)  # type: ignore[arg-type]
    return client


def _attributes(text: str) -> dict[str, str]:
    """Base64 (of either alphabet) of a JSON object of strings."""
    if not text:
        return {}
    if len(text) > MAX_ENCODED:
        msg = "attributes are too large"
        raise Unreadable(msg)
    bare = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        decoded = b64decode(bare + "=" * (-len(bare) % 4), validate=True)
        attributes = json.loads(decoded)
    except (binascii.Error, ValueError, RecursionError):
        msg = "attributes are not base64 of a JSON object"
        raise Unreadable(msg) from None
    if not isinstance(attributes, dict) or not all(
        isinstance(value, str) and is_encodable(value) and is_encodable(key)
        for key, value in attributes.items()
    ):
        msg = "attributes are not a JSON object of strings"
        raise Unreadable(msg)
    return attributes
