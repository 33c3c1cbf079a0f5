"""Bytes and text from clients into messages, and responses into frames.

Bounded before anything is parsed: a join request may unfold to 64 kB, a frame may have 64 kB. Must
never raise anything but `Unreadable`, whatever comes in.
"""

from __future__ import annotations

import binascii
import re
import zlib
from base64 import urlsafe_b64decode

from google.protobuf import json_format
from google.protobuf.message import DecodeError
from livekit.protocol import rtc

from conclave.media.protojson import from_json

MAX_JOIN_REQUEST = 65_536
MAX_FRAME = 65_536
MAX_ENCODED = MAX_JOIN_REQUEST * 4 // 3 + 64
_BASE64 = re.compile(r"[A-Za-z0-9_\-+/]*={0,2}")


class Unreadable(Exception):
    """`str()` says in plain words what is wrong."""


def parse_join_request(text: str) -> rtc.JoinRequest:
    """The `join_request` parameter: urlsafe base64 of a `WrappedJoinRequest`."""
    if len(text) > MAX_ENCODED:
        msg = "join_request is too large"
        raise Unreadable(msg)
    if not _BASE64.fullmatch(text):
        msg = "join_request is not base64"
        raise Unreadable(msg)
    bare = text.rstrip("=").replace("+", "-").replace("/", "_")
    try:
        wrapped = rtc.WrappedJoinRequest.FromString(
            urlsafe_b64decode(bare + "=" * (-len(bare) % 4))
        )
    except (binascii.Error, ValueError):
        msg = "join_request is not base64"
        raise Unreadable(msg) from None
    except DecodeError:
        msg = "join_request does not hold a WrappedJoinRequest"
        raise Unreadable(msg) from None
    if wrapped.compression == rtc.WrappedJoinRequest.Compression.NONE:
        content = wrapped.join_request
    elif wrapped.compression == rtc.WrappedJoinRequest.Compression.GZIP:
        content = _gunzip(wrapped.join_request)
    else:
        msg = "join_request is compressed in an unknown way"
        raise Unreadable(msg)
    try:
        request = rtc.JoinRequest.FromString(content)
    except DecodeError:
        msg = "join_request does not hold a JoinRequest"
        raise Unreadable(msg) from None
    if request.HasField("publisher_offer"):
        offer = request.publisher_offer
        if offer.type != "offer" or not offer.sdp:
            msg = "the publisher_offer of join_request is not an offer"
            raise Unreadable(msg)
    return request


def _gunzip(data: bytes) -> bytes:
    """Unfold at most the limit; what comes after it is never produced."""
    inflater = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        content = inflater.decompress(data, MAX_JOIN_REQUEST + 1)
    except zlib.error:
        msg = "join_request is not gzip"
        raise Unreadable(msg) from None
    if len(content) > MAX_JOIN_REQUEST:
        msg = "join_request is too large"
        raise Unreadable(msg)
    if not inflater.eof:
        msg = "join_request ends in the middle"
        raise Unreadable(msg)
    return content


def parse_frame(data: bytes | str) -> rtc.SignalRequest:
    """One WebSocket message: binary protobuf, or JSON text."""
    if len(data) > MAX_FRAME:
        msg = "the frame is too large"
        raise Unreadable(msg)
    try:
        if isinstance(data, str):
            return from_json(rtc.SignalRequest(), data)
        return rtc.SignalRequest.FromString(data)
    except (DecodeError, ValueError):
        msg = "the frame holds no SignalRequest"
        raise Unreadable(msg) from None


def to_binary(message: rtc.SignalResponse) -> bytes:
    return message.SerializeToString()


def to_json(message: rtc.SignalResponse) -> str:
    return json_format.MessageToJson(message, indent=None)
