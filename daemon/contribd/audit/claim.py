"""What a result claims of its record, as far as it can be checked, and small enough to be kept by the million."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final, NamedTuple, TypeAlias

import msgspec

from contribd.engine.clock import Stamp
from contribd.engine.records.price import Reply, Status
from contribd.mapping.outcome import PostType

NO_DIGEST: Final = ""
"""In place of the SHA-256 where a result does not have the key: one of a version before it."""

_SHORTENED: Final = "[shortened:"
_MICROSECONDS: Final = 1_000_000

Headers: TypeAlias = Sequence[tuple[str, bytes | None]]


class RawResult(NamedTuple):
    """A record of the results topic as it was read."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers


class Place(NamedTuple):
    """Of a record of a prices topic, and which of its posts: ``part`` from 0."""

    topic: str
    partition: int
    offset: int
    part: int = 0

    def __str__(self) -> str:
        return f"{self.topic}:{self.partition}:{self.offset}"


class Claim(msgspec.Struct, array_like=True, gc=False, frozen=True):
    """Times in microseconds since 1970.

    ``at``: partition and offset in the results topic.

    ``fields``: JSON text as it stands in the result; ``sent``: when each of its posts was; ``answer``: of the
    last one; ``parts``: 1 where the record has a single post.
    """

    at: tuple[int, int]
    status: Status
    ric: str | None
    service: str | None
    mapping: str | None
    fields: bytes | None
    code: str | None
    text: str | None
    part: int
    parts: int
    sha256: str | None
    topic_id: str | None
    carried_by: tuple[str, int, int, int] | None
    was_refresh: bool
    sent: tuple[int, ...]
    answer: Reply | None
    instance: str
    version: str
    config: str

    @property
    def is_shortened(self) -> bool:
        """Whether it had to be made smaller than it was."""
        return self.text is not None and self.text.startswith(_SHORTENED)

    @property
    def carrier(self) -> Place | None:
        """The record whose post carried this one."""
        return None if self.carried_by is None else Place(*self.carried_by)


_Number: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class _Source(msgspec.Struct):
    topic: str
    partition: _Number
    offset: _Number
    key: str | None = None
    part: _Number | None = None
    parts: _Number | None = None
    sha256: str | msgspec.UnsetType | None = msgspec.UNSET
    topic_id: str | None = None


class _Post(msgspec.Struct):
    type: PostType
    sent_at: datetime
    answer: Reply


class _Said(msgspec.Struct):
    status: Status
    ric: str | None
    service: str | None
    mapping: str | None
    fields: msgspec.Raw
    code: str | None
    text: str | None
    source: _Source | None
    carried_by: _Source | None
    posts: list[_Post]
    instance: str
    version: str
    config: str
    withdrawal: dict[str, Any] | None = None


_decode: Final = msgspec.json.Decoder(_Said).decode
_encode: Final = msgspec.msgpack.Encoder().encode
_unpack: Final = msgspec.msgpack.Decoder(Claim).decode
_NULL: Final = b"null"


class NoResult(ValueError):
    """A record of the results topic that is no result; the text says what is wrong."""


class Contradiction(NoResult):
    """Its key or its headers do not say what its value says."""


class Placed(NamedTuple):
    """A claim, and the record that it is of; None for a withdrawal, which is of none."""

    place: Place | None
    claim: Claim


def claim_of(result: RawResult) -> Placed:
    """What it claims. Raises ``NoResult``."""
    if result.value is None:
        raise NoResult("it has no value (a tombstone)")
    try:
        said = _decode(result.value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise NoResult(f"it is no result: {error}") from None
    fields = bytes(said.fields)
    if fields != _NULL and not fields.startswith(b"{"):
        raise NoResult("it is no result: fields are an object, or null")
    if said.source is None and said.withdrawal is None:
        raise NoResult("it is no result: it is of no record, and no withdrawal")
    _agreeing(result, said)
    source, posts, carrier = said.source, said.posts, said.carried_by
    part = 0 if source is None else source.part or 0
    claim = Claim(
        at=(result.partition, result.offset),
        status=said.status,
        ric=said.ric,
        service=said.service,
        mapping=said.mapping,
        fields=None if fields == _NULL else fields,
        code=said.code,
        text=said.text,
        part=part,
        parts=1 if source is None else source.parts or 1,
        sha256=None if source is None else NO_DIGEST if source.sha256 is msgspec.UNSET else source.sha256,
        topic_id=None if source is None else source.topic_id,
        carried_by=None if carrier is None else _carrier(carrier),
        was_refresh=bool(posts) and posts[-1].type is PostType.REFRESH,
        answer=posts[-1].answer if posts else None,
        sent=tuple(_micros(post.sent_at) for post in posts),
        instance=said.instance,
        version=said.version,
        config=said.config,
    )
    place = None if source is None else Place(source.topic, source.partition, source.offset, part)
    return Placed(place, claim)


def packed(claim: Claim) -> bytes:
    """As ``unpacked`` takes it."""
    return _encode(claim)


def unpacked(data: bytes) -> Claim:
    """The claim that ``packed`` made these bytes of."""
    return _unpack(data)


def _carrier(source: _Source) -> tuple[str, int, int, int]:
    return source.topic, source.partition, source.offset, source.part or 0


def _micros(when: datetime) -> int:
    return round(when.timestamp() * _MICROSECONDS)


def _agreeing(result: RawResult, said: _Said) -> None:
    """Raises ``Contradiction`` where the record's key or headers do not say what its value says."""
    source = said.source
    told = {
        "status": said.status.value,
        "ric": said.ric or "",
        "service": said.service or "",
        "source": "" if source is None else f"{source.topic}:{source.partition}:{source.offset}",
    }
    if source is not None and source.parts is not None:
        told["part"] = f"{source.part}/{source.parts}"
    given = dict(result.headers)
    for name, text in told.items():
        if given.get(name) != text.encode():
            raise Contradiction(f"its header {name} is {_shown(given.get(name))}, its value says {text!r}")
    key = _shown_key(said, told["source"])
    if result.key is not None and key is not None and result.key.decode("utf-8", "replace") != key:
        raise Contradiction(f"its key is {_shown(result.key)}, its value says {key!r}")


def _shown_key(said: _Said, source: str) -> str | None:
    """The key that the value asks for: the RIC, else the record's key, else the record's place."""
    if said.ric is not None:
        return said.ric
    if said.source is None or said.source.key is None:
        return source or None
    return None if (said.text or "").startswith(_SHORTENED) else said.source.key


def _shown(value: bytes | None) -> str:
    return "missing" if value is None else repr(value.decode("utf-8", "replace"))


def stamped(micros: int) -> str:
    """As results show it."""
    return Stamp()(micros)
