"""Join requests and frames from bytes: bounded, and never an exception but `Unreadable`."""

from __future__ import annotations

import base64
import gzip
import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from livekit.protocol import rtc

from conclave.media.signal.wire import (
    MAX_FRAME,
    MAX_JOIN_REQUEST,
    Unreadable,
    parse_frame,
    parse_join_request,
    to_json,
)

pytestmark = pytest.mark.unit

REQUEST = rtc.JoinRequest(
    connection_settings=rtc.ConnectionSettings(auto_subscribe=True),
    publisher_offer=rtc.SessionDescription(type="offer", sdp="v=0 " * 100, id=1),
)


def _wrap(content: bytes, compression: int = 0) -> str:
    wrapped = rtc.WrappedJoinRequest(join_request=content)
    wrapped.compression = compression  # type: ignore[assignment]
    return base64.urlsafe_b64encode(wrapped.SerializeToString()).decode()


@pytest.mark.parametrize("strip", [True, False])
def test_plain_and_gzip_with_and_without_padding(strip: bool) -> None:
    content = REQUEST.SerializeToString()
    for text in (_wrap(content), _wrap(gzip.compress(content), 1)):
        assert parse_join_request(text.rstrip("=") if strip else text) == REQUEST


def test_standard_base64_is_tolerated() -> None:
    text = _wrap(gzip.compress(REQUEST.SerializeToString()), 1)
    assert parse_join_request(text.replace("-", "+").replace("_", "/")) == REQUEST


def test_bombs_do_not_unfold() -> None:
    bomb = gzip.compress(b"\0" * 200_000_000, 9)[:60_000]
    started = time.process_time()
    with pytest.raises(Unreadable, match="too large"):
        parse_join_request(_wrap(bomb[:40_000], 1))
    assert time.process_time() - started < 0.5


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not hold|not base64|"),
        ("!", "base64"),
        ("a", "base64"),
        ("é", "base64"),
        ("////", "WrappedJoinRequest"),
        (_wrap(b"\xff"), "JoinRequest"),
        (_wrap(b"", 7), "unknown way"),
        (_wrap(b"no gzip", 1), "gzip"),
        (_wrap(gzip.compress(REQUEST.SerializeToString(), mtime=0)[:-12], 1), "middle"),
        (_wrap(gzip.compress(b"\0" * (MAX_JOIN_REQUEST + 1), mtime=0), 1), "too large"),
        ("A" * 200_000, "too large"),
        (
            _wrap(
                rtc.JoinRequest(
                    publisher_offer=rtc.SessionDescription(type="answer", sdp="v=0")
                ).SerializeToString()
            ),
            "not an offer",
        ),
    ],
    ids=range(12),
)
def test_what_cannot_be_read_is_said_in_words(text: str, words: str) -> None:
    if text == "":
        assert parse_join_request(text) == rtc.JoinRequest()
        return
    with pytest.raises(Unreadable, match=words):
        parse_join_request(text)


def test_frames() -> None:
    ping = rtc.SignalRequest(ping_req=rtc.Ping(timestamp=5))
    assert parse_frame(ping.SerializeToString()) == ping
    assert parse_frame('{"pingReq": {"timestamp": "5"}, "later": 1}') == ping
    pong = rtc.SignalResponse(pong_resp=rtc.Pong(last_ping_timestamp=5))
    assert "lastPingTimestamp" in to_json(pong)
    for frame in (
        b"\xff", "{", "1", '{"pingReq": 1}', '{"offer": {"sdp": "\\ud800"}}',
        '{"addTrack": {"type": "\\ud800"}}', '{"addTrack": {"audioFeatures": ["\\udfff"]}}',
    ):  # fmt: skip
        with pytest.raises(Unreadable):
            parse_frame(frame)
    for large in (b"\0" * (MAX_FRAME + 1), " " * (MAX_FRAME + 1)):
        with pytest.raises(Unreadable, match="too large"):
            parse_frame(large)


def test_deep_json_is_refused() -> None:
    with pytest.raises(Unreadable):
        parse_frame('{"offer":' * 5000)
    with pytest.raises(Unreadable):
        parse_frame("[" * 60_000)


@given(st.text(alphabet=st.characters(max_codepoint=127)) | st.text())
def test_any_join_request_text(text: str) -> None:
    with suppress(Unreadable):
        parse_join_request(text)


@given(st.binary(max_size=300), st.integers(0, 3))
def test_any_join_request_content(content: bytes, compression: int) -> None:
    for inner in (content, gzip.compress(content)):
        with suppress(Unreadable):
            parse_join_request(_wrap(inner, compression))


@given(st.binary() | st.text())
def test_any_frame(frame: bytes | str) -> None:
    with suppress(Unreadable):
        parse_frame(frame)
