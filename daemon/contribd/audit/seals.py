"""Seals: signed checkpoints of the results topic, each beginning where the one before ended.

Theory of operation
===================

A seal has, for each partition, the offsets that it covers and the RFC 6962 root over all records there (``merkle``). It
is a text of lines, signed as a note (``notes``), so that anybody can read it, keep it elsewhere, and verify it without
contribd::

    contribd-seal 1
    topic contribution-results bGVuZ3RoLW9mLTE2IQ
    sealed 2026-11-29T23:00:00Z
    previous 0a1b… (SHA-256 of the seal before, as it was written) or none
    partition 0 from 0 to 1812 records 1790 root BASE64

Each covers what was written since the one before, from its end on: retention may take away what older ones covered, and
the newer ones are verified all the same. ``previous`` chains them: one that is taken away, exchanged or signed anew
afterwards shows in the next.

Keys change. Each is trusted from a time on, and until another where it was given up: a seal must be signed by a key
trusted at the time that the seal names. A newer key cannot vouch for an older seal.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from itertools import pairwise
from typing import Final, NamedTuple

from contribd.audit.findings import Finding, Wrong
from contribd.audit.notes import NoteError, PublicKey, parse_note, parse_public

_FIRST: Final = "contribd-seal 1"
_PARTITION: Final = re.compile(
    r"partition (\d{1,9}) from (\d{1,19}) to (\d{1,19}) records (\d{1,19}) root ([A-Za-z0-9+/=]{44})", re.ASCII
)
_HEAD: Final = re.compile(
    rf"{_FIRST}\ntopic ([A-Za-z0-9._-]+) ([A-Za-z0-9_-]+|none)\nsealed (\S+)\nprevious ([0-9a-f]{{64}}|none)\n",
    re.ASCII,
)


class Sealed(NamedTuple):
    """What is sealed of a partition: offsets from ``first`` on and below ``end``, and how many records those are."""

    first: int
    end: int
    records: int
    root: bytes


class Seal(NamedTuple):
    """``previous``: SHA-256 of the one before as it was written, None where there is none. ``at``: UTC."""

    topic: str
    topic_id: str | None
    at: datetime
    previous: str | None
    partitions: Mapping[int, Sealed]

    def text(self) -> str:
        """As it is signed."""
        lines = [
            _FIRST,
            f"topic {self.topic} {self.topic_id or 'none'}",
            f"sealed {self.at.astimezone(UTC).isoformat(timespec='seconds').replace('+00:00', 'Z')}",
            f"previous {self.previous or 'none'}",
        ]
        for number, sealed in sorted(self.partitions.items()):
            root = b64encode(sealed.root).decode()
            lines.append(f"partition {number} from {sealed.first} to {sealed.end} records {sealed.records} root {root}")
        return "\n".join(lines) + "\n"


def parse_seal(text: str) -> Seal:
    """The text of a seal. Raises ``NoteError``."""
    head = _HEAD.match(text)
    lines = text[head.end() :].splitlines() if head else []
    found = [_PARTITION.fullmatch(line) for line in lines]
    if head is None or not all(found):
        raise NoteError("no seal: expected what contribd audit seal writes")
    topic, topic_id, at, previous = head.groups()
    try:
        when = datetime.fromisoformat(at)
    except ValueError:
        raise NoteError(f"no seal: {at!r} is no time") from None
    partitions = {
        int(each[1]): Sealed(int(each[2]), int(each[3]), int(each[4]), b64decode(each[5])) for each in found if each
    }
    names = None if topic_id == "none" else topic_id, None if previous == "none" else previous
    return Seal(topic, names[0], when if when.tzinfo else when.replace(tzinfo=UTC), names[1], partitions)


def digest_of(written: bytes) -> str:
    """By which the next one names it."""
    return sha256(written).hexdigest()


class Trusted(NamedTuple):
    """A key, and from when until when it is trusted; None: without a bound."""

    key: PublicKey
    since: datetime | None = None
    until: datetime | None = None

    def holds(self, when: datetime) -> bool:
        """Whether it was trusted then."""
        return (self.since is None or self.since <= when) and (self.until is None or when <= self.until)


def parse_trust(text: str) -> list[Trusted]:
    """A file of trusted keys: in each line a public key, and, where there are any, ``since TIME`` and ``until TIME``.

    Empty lines and those that begin with # are passed over. Raises ``NoteError``, with the line.
    """
    trusted = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        try:
            trusted.append(Trusted(parse_public(words[0]), **_bounds(words[1:])))
        except NoteError as error:
            raise NoteError(f"line {number}: {error}") from None
    return trusted


def _bounds(words: Sequence[str]) -> dict[str, datetime]:
    if len(words) % 2 or not {*words[::2]} <= {"since", "until"}:
        raise NoteError("expected a public key, and behind it at most since TIME and until TIME")
    found: dict[str, datetime] = {}
    for name, text in zip(words[::2], words[1::2], strict=False):
        try:
            when = datetime.fromisoformat(text)
        except ValueError:
            raise NoteError(f"{text!r} is no time: expected one such as 2026-11-29T23:00Z") from None
        found[name] = when if when.tzinfo else when.replace(tzinfo=UTC)
    return found


class SealFile(NamedTuple):
    """One as it lies somewhere: ``name`` for people."""

    name: str
    written: bytes


def is_trusted_at(file: SealFile, trust: Sequence[Trusted], when: datetime) -> bool:
    """Whether a key that has signed it was trusted at another time than the seal's own. Raises ``NoteError``."""
    signers = parse_note(file.written.decode()).signed_by([each.key for each in trust])
    return any(each.key in signers and each.holds(when) for each in trust)


def read_chain(files: Sequence[SealFile], trust: Sequence[Trusted]) -> tuple[list[tuple[str, Seal]], list[Finding]]:
    """The seals, oldest first, and what is off about them by themselves: signatures, times, gaps."""
    seals, findings = list[tuple[str, Seal, bytes]](), list[Finding]()
    for file in files:
        try:
            seals.append((file.name, _verified(file, trust), file.written))
        except (NoteError, UnicodeDecodeError) as error:
            findings.append(Finding(Wrong.SEAL, file.name, str(error)))
    seals.sort(key=lambda each: (each[1].at, each[0]))
    findings += _breaks(seals)
    return [(name, seal) for name, seal, _ in seals], findings


def _verified(file: SealFile, trust: Sequence[Trusted]) -> Seal:
    note = parse_note(file.written.decode())
    seal = parse_seal(note.text)
    signers = note.signed_by([each.key for each in trust])
    if not signers:
        named = ", ".join(name for name, _, _ in note.signatures)
        raise NoteError(f"signed by {named}, and none of these is a trusted key")
    if not any(each.key in signers and each.holds(seal.at) for each in trust):
        raise NoteError(f"signed by {signers[0].name}, which is not trusted at the time that the seal names, {seal.at}")
    return seal


def _breaks(seals: Sequence[tuple[str, Seal, bytes]]) -> Iterator[Finding]:
    """Between one and the next."""
    for (before, older, written), (name, newer, _) in pairwise(seals):
        if newer.previous != digest_of(written):
            text = f"it follows a seal that is not here, or not as it was then: {before} is not the one that it names"
            yield Finding(Wrong.SEAL, name, text)
        for number, sealed in older.partitions.items():
            first = newer.partitions[number].first if number in newer.partitions else None
            if first != sealed.end and newer.topic_id == older.topic_id:
                text = f"partition {number} was sealed up to {sealed.end} and goes on at {first}"
                yield Finding(Wrong.SEAL, name, text)


def compared(
    name: str, seal: Seal, number: int, found: tuple[int, bytes] | None, log: tuple[int, int]
) -> tuple[Finding | None, str | None]:
    """What is sealed of a partition, beside what there is: a finding, or a note of what cannot be verified any more.

    ``found``: records and root of the same offsets, None where they were not read; ``log``: its first offset and end.
    """
    sealed = seal.partitions[number]
    place = f"{seal.topic}:{number}:{sealed.first}..{sealed.end - 1}"
    first, end = log
    if end < sealed.end:
        text = f"it ends at {end}, and was sealed up to {sealed.end}: its end was cut off, or the topic is another one"
        return Finding(Wrong.SEAL, place, text, name), None
    if first > sealed.first:
        return None, f"{place}: the log begins at {first} now (retention), so this cannot be verified any more ({name})"
    if found is None or found == (sealed.records, sealed.root):
        return None, None
    text = "the records are not those that were sealed: one was altered, removed, added or exchanged"
    if found[0] != sealed.records:
        text += f" (there are {found[0]}, {sealed.records} were sealed)"
    return Finding(Wrong.SEAL, place, text, name), None
