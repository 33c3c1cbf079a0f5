"""Twirp, the protocol under LiveKit's server API: bodies and errors, no routes.

A body is a protobuf message, binary or JSON (proto names or lowerCamelCase; answers have proto
names and every field, as livekit-server's). Must never raise anything but `TwirpError` for what
comes in.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Literal, TypeVar

from google.protobuf import json_format
from google.protobuf.message import DecodeError, EncodeError, Message

from conclave.media.protojson import from_json

JSON = "application/json"
PROTOBUF = "application/protobuf"

Code = Literal[
    "bad_route", "malformed", "invalid_argument", "unauthenticated", "permission_denied",
    "not_found", "failed_precondition", "resource_exhausted", "unimplemented", "unavailable",
    "internal",
]  # fmt: skip

_STATUS: Mapping[Code, HTTPStatus] = {
    "bad_route": HTTPStatus.NOT_FOUND,
    "malformed": HTTPStatus.BAD_REQUEST,
    "invalid_argument": HTTPStatus.BAD_REQUEST,
    "unauthenticated": HTTPStatus.UNAUTHORIZED,
    "permission_denied": HTTPStatus.FORBIDDEN,
    "not_found": HTTPStatus.NOT_FOUND,
    "failed_precondition": HTTPStatus.PRECONDITION_FAILED,
    "resource_exhausted": HTTPStatus.TOO_MANY_REQUESTS,
    "unimplemented": HTTPStatus.NOT_IMPLEMENTED,
    "unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
    "internal": HTTPStatus.INTERNAL_SERVER_ERROR,
}

Request = TypeVar("Request", bound=Message)


class TwirpError(Exception):
    """`str()` is for the person at the client; it never repeats what was sent."""

    def __init__(self, code: Code, words: str, **meta: str) -> None:
        super().__init__(words)
        self.code: Code = code
        self.meta = meta

    @property
    def status(self) -> int:
        return _STATUS[self.code]

    def body(self) -> bytes:
        fields: dict[str, object] = {"code": self.code, "msg": str(self)}
        if self.meta:
            fields["meta"] = self.meta
        return json.dumps(fields).encode()


def encoding_of(content_type: str) -> str:
    """`JSON` or `PROTOBUF`; parameters behind a semicolon say nothing here."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in (JSON, PROTOBUF):
        raise TwirpError("bad_route", f"the Content-Type must be {PROTOBUF} or {JSON}")
    return kind


def parse(kind: type[Request], encoding: str, body: bytes) -> Request:
    message = kind()
    try:
        if encoding == JSON:
            from_json(message, _object(body))
        else:
            message.ParseFromString(body)
            message.SerializeToString()
    except (DecodeError, EncodeError, ValueError, RecursionError):
        form = "JSON" if encoding == JSON else "protobuf"
        words = f"the body is not a {message.DESCRIPTOR.name} as {form}"
        raise TwirpError("malformed", words) from None
    return message


def _object(body: bytes) -> dict[str, Any]:
    fields = json.loads(body)
    if not isinstance(fields, dict):
        msg = "not an object"
        raise ValueError(msg)
    return fields


def render(message: Message, encoding: str) -> bytes:
    if encoding == PROTOBUF:
        return message.SerializeToString()
    text: str = json_format.MessageToJson(
        message,
        preserving_proto_field_name=True,
        always_print_fields_with_no_presence=True,
        indent=None,
        ensure_ascii=False,
    )
    return text.encode()
