"""Field values to JSON: numbers always in plain digits, never with an exponent, never through a binary float."""

import re
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum

import msgspec

from contribd.mapping.outcome import FieldValue


def plain_digits(value: object) -> msgspec.Raw:
    """The ``enc_hook`` for any msgspec JSON encoder that meets field values: ``PlainDecimal`` in plain digits."""
    if isinstance(value, Decimal):
        return msgspec.Raw(str(value).encode())
    raise NotImplementedError(f"{type(value).__name__} is no field value")


ENCODER = msgspec.json.Encoder(decimal_format="number", enc_hook=plain_digits)
"""Encodes messages and results that hold field values."""


def encode_fields(fields: Mapping[str, FieldValue]) -> bytes:
    """A JSON object of the fields, in their order."""
    return ENCODER.encode(fields)


class RmtesEscape(StrEnum):
    """How a server is sent the escapes of RMTES text.

    The vendor's Java code reads JSON as it is meant, and drops a whole message in silence for a control character in
    it (measured). Its C code takes the backslash of any JSON escape away and keeps the letter, so that ``\\u001b`` is
    stored as ``u001b``, and takes the bare byte as it is (published source). No form serves both.
    """

    JSON = "json"
    RAW = "raw"


_ESCAPED = re.compile(rb"\\(u001b|.)")


def encode_raw(fields: Mapping[str, FieldValue]) -> bytes:
    """``encode_fields`` with the bare byte for each ESC in text: no JSON, but what the vendor's C code takes."""
    encoded = encode_fields(fields)
    if b"\\u001b" not in encoded:
        return encoded
    return _ESCAPED.sub(lambda match: b"\x1b" if match[1] == b"u001b" else match[0], encoded)
