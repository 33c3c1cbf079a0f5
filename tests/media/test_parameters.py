"""The query parameters of clients with two connections, and what is not quite one."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from livekit.protocol import models

from conclave.media.signal.parameters import MAX_SAID, parse_parameters
from conclave.media.signal.wire import Unreadable

pytestmark = pytest.mark.unit


def encoded(value: object) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()


def test_what_the_go_sdk_sends() -> None:
    request = parse_parameters(
        {
            "protocol": "16",
            "sdk": "go",
            "version": "2.19.0",
            "auto_subscribe": "1",
            "os": "linux",
            "network": "",
            "client_protocol": "1",
            "capabilities": "CAP_PACKET_TRAILER,CAP_OF_ANOTHER_TIME",
            "attributes": encoded({"hand": "up"}),
        }
    )
    client = request.client_info
    assert (client.sdk, client.version, client.os) == (models.ClientInfo.SDK.GO, "2.19.0", "linux")
    assert (client.protocol, client.client_protocol) == (16, 1)
    assert list(client.capabilities) == [models.ClientInfo.CAP_PACKET_TRAILER]
    assert request.connection_settings.auto_subscribe
    assert not request.connection_settings.adaptive_stream
    assert dict(request.participant_attributes) == {"hand": "up"}
    assert not request.reconnect
    assert not request.HasField("publisher_offer")


def test_reconnecting() -> None:
    request = parse_parameters(
        {"reconnect": "1", "sid": "PA_x", "reconnect_reason": "3", "auto_subscribe": "0"}
    )
    assert request.reconnect
    assert request.participant_sid == "PA_x"
    assert request.reconnect_reason == models.ReconnectReason.RR_SUBSCRIBER_FAILED
    assert not request.connection_settings.auto_subscribe
    # Whom a fresh join names is nobody's business.
    assert not parse_parameters({"sid": "PA_x", "reconnect": "0"}).participant_sid


def test_nothing_said_is_a_client_that_wants_everything() -> None:
    request = parse_parameters({})
    assert request.connection_settings.auto_subscribe
    assert not request.connection_settings.HasField("subscriber_allow_pause")
    assert request.client_info.sdk == models.ClientInfo.SDK.UNKNOWN


def test_what_cannot_be_used_is_passed_over() -> None:
    request = parse_parameters(
        {
            "protocol": "9" * 10,
            "client_protocol": "-1",
            "sdk": "../../etc/passwd",
            "version": "1" * 10_000,
            "os": "\ud800",
            "reconnect": "1",
            "reconnect_reason": "77",
            "auto_subscribe": "perhaps",
            "capabilities": "CAP_PACKET_TRAILER," * 1000,
            "publish": "screen",
            "unknown": "x",
        }
    )
    assert (request.client_info.protocol, request.client_info.client_protocol) == (0, 0)
    assert len(request.client_info.version) == MAX_SAID
    assert request.client_info.os == ""
    assert request.reconnect_reason == models.ReconnectReason.RR_UNKNOWN
    assert not request.connection_settings.auto_subscribe
    assert len(request.client_info.capabilities) <= 32


@pytest.mark.parametrize(
    "text",
    [
        "!",
        "A",
        encoded(["a"]),
        encoded({"a": 1}),
        encoded({"a": {"b": "c"}}),
        base64.b64encode(b"{").decode(),
        base64.b64encode(b"\xff\xfe").decode(),
        base64.b64encode(b'{"a": "\\ud800"}').decode(),
        base64.b64encode(b"[" * 20_000).decode(),
        encoded({"a": "b" * 200_000}),
    ],
)
def test_attributes_that_cannot_be_read_are_refused(text: str) -> None:
    with pytest.raises(Unreadable, match="attributes"):
        parse_parameters({"attributes": text})


NAMES = st.sampled_from(
    ["protocol", "sdk", "version", "attributes", "reconnect", "sid", "reconnect_reason",
     "capabilities", "auto_subscribe", "client_protocol", "os"]
)  # fmt: skip


@given(st.dictionaries(NAMES, st.text(st.characters(exclude_categories=()))))
def test_any_parameters_are_read_or_refused(query: dict[str, str]) -> None:
    try:
        request = parse_parameters(query)
    except Unreadable:
        return
    assert len(request.SerializeToString()) < 100_000
