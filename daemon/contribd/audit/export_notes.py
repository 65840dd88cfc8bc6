"""Signatures of manifests: a note beside each that is signed, of its name, its time and its SHA-256."""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from contribd.audit.export_folder import NOTE, WrittenManifest
from contribd.audit.manifest import Manifest
from contribd.audit.notes import NoteError, PrivateKey, parse_note, sign
from contribd.audit.seals import Trusted


def signed(name: str, manifest: Manifest, text: bytes, keys: Sequence[PrivateKey]) -> str | None:
    """The note of a manifest as it is written; None where there is no key. Raises ``NoteError``."""
    return sign(_text(name, manifest, text), keys) if keys else None


def _text(name: str, manifest: Manifest, text: bytes) -> str:
    at = f"{manifest.exported_at:%Y-%m-%dT%H:%M:%SZ}"
    return f"contribd-export 1\nmanifest {name}\nexported {at}\nsha256 {sha256(text).hexdigest()}\n"


def why_not_trusted(folder: Path, written: WrittenManifest, trust: Sequence[Trusted]) -> str | None:
    """Why a manifest is not vouched for by a trusted key; None: it is. Raises OSError."""
    path = folder / f"{written.name}{NOTE}"
    if not path.exists():
        return f"it is not signed: there is no {path.name}"
    try:
        note = parse_note(path.read_text())
        signers = note.signed_by([each.key for each in trust])
    except (NoteError, UnicodeDecodeError) as error:
        return f"{path.name}: {error}"
    if note.text != _text(written.name, written.manifest, written.text):
        return f"{path.name} is of another manifest, or of this one as it was before it was altered"
    at = written.manifest.exported_at
    if any(each.key in signers and each.holds(at) for each in trust):
        return None
    named = ", ".join(name for name, _, _ in note.signatures)
    return f"signed by {named}, and none of these is a key trusted at the time that it names, {at}"
