"""What a result says of its input: SHA-256 of the raw value, or that value itself (contract: the result)."""

from base64 import b64encode
from hashlib import sha256
from typing import Final

from contribd.mapping.outcome import UnreadValue

_NO_VALUE: Final = b',"sha256":null'


def digest_member(value: bytes | None) -> bytes:
    """The member ``sha256`` of ``source``, as JSON with the comma before it: null where the record has no value, or one
    that nobody could read."""
    if not value and (value is None or type(value) is UnreadValue):
        return _NO_VALUE
    return b',"sha256":"%s"' % sha256(value).hexdigest().encode()


def value_member(value: bytes | None) -> bytes:
    """The member ``value`` in the same way: base64; null where ``sha256`` is."""
    if not value and (value is None or type(value) is UnreadValue):
        return b',"value":null'
    return b',"value":"%s"' % b64encode(value)


def size_included(value: bytes | None) -> int:
    """Bytes that a result grows by where it holds its input."""
    return 4 * ((len(value) + 2) // 3) if value else 0
