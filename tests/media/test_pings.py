"""What the extension answers to pings is what the signalling machine would have said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from livekit.protocol import rtc
from websockets.frames import Frame, Opcode

media = pytest.importorskip("conclave._media", reason="the media engine is not built: make setup")
pytestmark = pytest.mark.unit

INT64 = st.integers(-(2**63), 2**63 - 1)
PINGS = st.builds(
    rtc.SignalRequest, ping_req=st.builds(rtc.Ping, timestamp=INT64, rtt=INT64)
) | st.builds(rtc.SignalRequest, ping=INT64)


def frame(request: rtc.SignalRequest) -> bytes:
    return Frame(Opcode.BINARY, request.SerializeToString()).serialize(mask=True)


def expected(request: rtc.SignalRequest, now: int) -> rtc.SignalResponse:
    if request.WhichOneof("message") == "ping":
        return rtc.SignalResponse(pong=now)
    asked = request.ping_req.timestamp
    return rtc.SignalResponse(pong_resp=rtc.Pong(last_ping_timestamp=asked, timestamp=now))


@given(st.lists(PINGS, max_size=4), INT64, st.binary(max_size=20))
def test_pings_are_answered_as_the_protocol_says(
    pings: list[rtc.SignalRequest], now: int, rest: bytes
) -> None:
    other = frame(rtc.SignalRequest(leave=rtc.LeaveRequest()))
    data = b"".join(map(frame, pings))
    answers, size, count = media.pongs(data + other + rest, now)
    assert (size, count) == (len(data), len(pings))
    for ping in pings:
        head, length = answers[0], answers[1]
        assert head == 0x82
        payload, answers = answers[2 : 2 + length], answers[2 + length :]
        assert rtc.SignalResponse.FromString(payload) == expected(ping, now)
    assert answers == b""


@given(st.binary(max_size=200), INT64)
def test_any_bytes_are_taken(data: bytes, now: int) -> None:
    answers, size, count = media.pongs(data, now)
    assert 0 <= size <= len(data)
    assert (count == 0) == (answers == b"") == (size == 0)
