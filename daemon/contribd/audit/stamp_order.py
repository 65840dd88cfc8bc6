"""The certificates of a time stamp in the order of DER, which many authorities do not keep.

They are a SET OF, which DER has in ascending order of its bytes (X.690, 11.6). OpenSSL, and who builds on it, writes
the signer's first; the library that reads time stamps refuses that. They are outside of what is signed (RFC 5652, 5.4),
so their order can be mended: nothing else changes, not even a length.
"""

from typing import Final

_CERTIFICATES: Final = 0xA0
"""The tag [0] of SignedData."""


def in_order(answer: bytes) -> bytes:
    """A ``TimeStampResp`` with its certificates in order; as it is where it has none, or is something else."""
    try:
        token = _inside(answer, _behind(answer, _inside(answer, 0)))
        signed = _inside(answer, _inside(answer, _behind(answer, token)))
        at = signed
        for _ in ("version", "digestAlgorithms", "encapContentInfo"):
            at = _behind(answer, at)
        first, end = _bounds(answer, at)
        if answer[at] != _CERTIFICATES:
            return answer
        return answer[:first] + b"".join(sorted(_each(answer, first, end))) + answer[end:]
    except IndexError:
        return answer


def _each(der: bytes, at: int, end: int) -> list[bytes]:
    found = []
    while at < end:
        behind = _behind(der, at)
        found.append(der[at:behind])
        at = behind
    return found


def _inside(der: bytes, at: int) -> int:
    return _bounds(der, at)[0]


def _behind(der: bytes, at: int) -> int:
    return _bounds(der, at)[1]


def _bounds(der: bytes, at: int) -> tuple[int, int]:
    """Where the content of the element there begins and ends. Raises IndexError where it does not end in here."""
    first, length = at + 2, der[at + 1]
    if length & 0x80:
        first += length & 0x7F
        length = int.from_bytes(der[at + 2 : first])
    if first + length > len(der):
        raise IndexError(at)
    return first, first + length
