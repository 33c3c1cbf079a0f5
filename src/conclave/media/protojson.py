"""Protobuf messages from JSON of strangers: one way in, with one error.

The library has many, also such as its documentation does not name. Must never let a message out
that cannot be written again.
"""

from __future__ import annotations

from typing import Any, TypeVar

from google.protobuf import json_format
from google.protobuf.message import EncodeError, Message

DEPTH = 24

Kind = TypeVar("Kind", bound=Message)


def from_json(message: Kind, source: str | bytes | dict[str, Any]) -> Kind:
    """`message`, filled with JSON, written or read already; unknown fields are passed over.

    Raises `ValueError`, whatever comes in.
    """
    try:
        if isinstance(source, str | bytes):
            json_format.Parse(
                source, message, ignore_unknown_fields=True, max_recursion_depth=DEPTH
            )
        else:
            json_format.ParseDict(
                source, message, ignore_unknown_fields=True, max_recursion_depth=DEPTH
            )
        # What cannot be written again has got in by a gap of the parser.
        message.SerializeToString()
    except (
        json_format.Error,
        EncodeError,
        ValueError,
        TypeError,
        AttributeError,
        RecursionError,
        OverflowError,
        # By the C code, for the name of an enum that is no Unicode.
        SystemError,
    ):
        msg = f"this is not a {message.DESCRIPTOR.name} as JSON"
        raise ValueError(msg) from None
    return message
