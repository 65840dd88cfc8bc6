"""Field values to JSON: numbers always in plain digits, never with an exponent, never through a binary float."""

from collections.abc import Mapping
from decimal import Decimal

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
