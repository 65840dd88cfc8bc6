"""Signed notes: a text, and below it lines with signatures (the form of C2SP signed-note, Ed25519).

    text, of whole lines

    — NAME BASE64(key id, signature)

A private key is a line ``PRIVATE+KEY+NAME+ID+BASE64``, a public one ``NAME+ID+BASE64``, as the tools of that form write
them. The id is the beginning of a hash over name and key. The extra ``seal`` has what signs.
"""

import base64
import binascii
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final, NamedTuple

_PRIVATE: Final = "PRIVATE+KEY+"
_ED25519: Final = b"\x01"
_DASH: Final = "— "
_ID_BYTES: Final = 4
_KEY_BYTES: Final = 32
_SIGNATURE_BYTES: Final = 64


class NoteError(ValueError):
    """A note or a key that is none, or a signature that nobody trusted has made. The text says why."""


class PublicKey(NamedTuple):
    """``key``: the 32 bytes of an Ed25519 public key (RFC 8032)."""

    name: str
    key: bytes

    @property
    def id(self) -> bytes:
        """Four bytes that tell it from others of its name."""
        return sha256(self.name.encode() + b"\n" + _ED25519 + self.key).digest()[:_ID_BYTES]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(_ED25519 + self.key).decode()}"


class PrivateKey(NamedTuple):
    """``seed``: the 32 bytes of an Ed25519 private key (RFC 8032)."""

    name: str
    seed: bytes

    @property
    def public(self) -> PublicKey:
        """What verifies its signatures."""
        return PublicKey(self.name, _signer(self.seed).public_key().public_bytes_raw())

    def line(self) -> str:
        """As it stands in its file. A secret."""
        return f"{_PRIVATE}{self.name}+{self.public.id.hex()}+{base64.b64encode(_ED25519 + self.seed).decode()}"


def new_key(name: str) -> PrivateKey:
    """A new one. Raises ``NoteError`` where the name cannot be one."""
    if not name or not name.isprintable() or any(each in name for each in " +"):
        raise NoteError(f"{name!r} cannot name a key: expected text without spaces and without +")
    return PrivateKey(name, _ed25519().Ed25519PrivateKey.generate().private_bytes_raw())


def parse_private(text: str) -> PrivateKey:
    """A line of a file with a private key. Raises ``NoteError``, which has nothing of the key in it."""
    if not text.startswith(_PRIVATE):
        raise NoteError("no private key: expected PRIVATE+KEY+NAME+ID+BASE64")
    name, key_id, data = _three(text.removeprefix(_PRIVATE), "no private key: expected PRIVATE+KEY+NAME+ID+BASE64")
    key = PrivateKey(name, data)
    if key.public.id.hex() != key_id:
        raise NoteError("the private key is damaged: its id is not that of its key")
    return key


def parse_public(text: str) -> PublicKey:
    """A public key. Raises ``NoteError``."""
    name, key_id, data = _three(text, f"{text!r} is no public key: expected NAME+ID+BASE64")
    key = PublicKey(name, data)
    if key.id.hex() != key_id:
        raise NoteError(f"the public key {name} is damaged: its id is not that of its key")
    return key


def _three(text: str, otherwise: str) -> tuple[str, str, bytes]:
    parts = text.split("+", 2)
    try:
        name, key_id, encoded = parts
        data = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error):
        raise NoteError(otherwise) from None
    if not name or data[:1] != _ED25519 or len(data) != 1 + _KEY_BYTES:
        raise NoteError(otherwise)
    return name, key_id, data[1:]


class Note(NamedTuple):
    """``text`` ends with an end of line; ``signatures``: name, key id and signature of each."""

    text: str
    signatures: tuple[tuple[str, bytes, bytes], ...]

    def signed_by(self, keys: Sequence[PublicKey]) -> list[PublicKey]:
        """Those of these keys that have signed it. Raises ``NoteError`` where a signature of one of them is wrong."""
        found = []
        for name, key_id, signature in self.signatures:
            for key in keys:
                if (key.name, key.id) != (name, key_id):
                    continue
                if not _verifies(key, signature, self.text):
                    raise NoteError(
                        f"the signature of {name} is not of this text: the text or the signature was altered"
                    )
                found.append(key)
        return found


def sign(text: str, keys: Sequence[PrivateKey]) -> str:
    """The note of a text, with a signature of each key. Raises ``NoteError``."""
    if not text.endswith("\n"):
        raise NoteError("the text of a note ends with an end of line")
    lines = []
    for key in keys:
        signature = _signer(key.seed).sign(text.encode())
        lines.append(f"{_DASH}{key.name} {base64.b64encode(key.public.id + signature).decode()}\n")
    return f"{text}\n{''.join(lines)}"


def parse_note(written: str) -> Note:
    """A note as it was written. Raises ``NoteError``."""
    text, between, below = written.rpartition("\n\n")
    lines = below.splitlines()
    if not between or not lines or not below.endswith("\n"):
        raise NoteError("no signed note: expected a text, an empty line, and lines with signatures")
    return Note(text + "\n", tuple(map(_signature, lines)))


def _signature(line: str) -> tuple[str, bytes, bytes]:
    name, _, encoded = line.removeprefix(_DASH).rpartition(" ")
    try:
        data = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error):
        data = b""
    if not line.startswith(_DASH) or not name or len(data) != _ID_BYTES + _SIGNATURE_BYTES:
        raise NoteError(f"no signature: {line[:80]!r}")
    return name, data[:_ID_BYTES], data[_ID_BYTES:]


def _verifies(key: PublicKey, signature: bytes, text: str) -> bool:
    from cryptography.exceptions import InvalidSignature

    try:
        _ed25519().Ed25519PublicKey.from_public_bytes(key.key).verify(signature, text.encode())
    except InvalidSignature:
        return False
    return True


def _signer(seed: bytes) -> Any:
    return _ed25519().Ed25519PrivateKey.from_private_bytes(seed)


def _ed25519() -> Any:
    """Loaded where it is used: the extra ``seal`` may not be there. Raises ``NoteError``."""
    try:
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError:
        raise NoteError("signing needs the extra seal: pip install 'contribd[seal]'") from None
    return ed25519
