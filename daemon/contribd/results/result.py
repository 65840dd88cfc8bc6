"""Results as their readers see them: the types, the decoder and the JSON Schema. They are written by the engine."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from contribd.engine.limits import MAX_AHEAD
from contribd.engine.records.price import Reason, Reply, Status
from contribd.mapping.outcome import PostType

Time = Annotated[datetime, Meta(tz=True, description="UTC, to the microsecond")]
_AHEAD = timedelta(microseconds=MAX_AHEAD)
_Count = Annotated[int, Meta(ge=0)]


class Source(Struct, frozen=True):
    """A record of a prices topic."""

    topic: str
    partition: _Count
    offset: _Count
    timestamp: Annotated[
        Time | None,
        Meta(description="The record's Kafka timestamp, right or not; null where it has none, or one after 9999"),
    ]
    key: Annotated[
        str | None, Meta(description="The record's key as UTF-8, what is not valid replaced; null where it has none")
    ]
    part: Annotated[
        _Count | None,
        Meta(
            description="Only where the record has several posts: which one this is, from 0 in the order in which its "
            "mapping makes them"
        ),
    ] = None
    parts: Annotated[
        Annotated[int, Meta(ge=2)] | None, Meta(description="Only where the record has several posts: how many")
    ] = None
    sha256: Annotated[
        str | None,
        Meta(
            description="Only of the result's own record: SHA-256 of its value as it was read, in hexadecimal. null "
            "where it has none, or nobody could read it; missing in results of versions before this key",
            extra_json_schema={"pattern": "^[0-9a-f]{64}$"},
        ),
    ] = None
    value: Annotated[
        str | None,
        Meta(
            description="Only with results.input: include: the record's value as it was read, in base64; null where "
            "sha256 is. Missing where the result would have been too large with it: its text says so",
            extra_json_schema={"contentEncoding": "base64"},
        ),
    ] = None
    topic_id: Annotated[
        str | None,
        Meta(
            description="Kafka's id of the topic: one made anew under the same name gives the same offsets to other "
            "records. null where the broker has none (before 2.8), missing in results of versions before this key"
        ),
    ] = None

    def __str__(self) -> str:
        return f"{self.topic}:{self.partition}:{self.offset}"

    @property
    def place(self) -> str:
        """The same, and which post of the record it is, where it has several: ``prices:3:1812 3/40``."""
        return str(self) if self.part is None else f"{self} {self.part}/{self.parts}"


class Post(Struct, frozen=True):
    """One post of the price, and what became of it."""

    post_id: Annotated[int, Meta(ge=0, lt=2**32)]
    type: PostType
    endpoint: str
    session: Annotated[str, Meta(description="Which session it was sent on; another one after every reconnect")]
    sent_at: Time
    answered_at: Annotated[Time | None, Meta(description="null where no answer came")]
    answer: Reply
    code: Annotated[str | None, Meta(description="The ADS's own NakCode")]
    text: Annotated[str | None, Meta(description="The ADS's own text")]

    @property
    def ack_seconds(self) -> float | None:
        """From sending to the answer; None where none came."""
        if self.answered_at is None or self.answer in {Reply.TIMEOUT, Reply.LOST}:
            return None
        return (self.answered_at - self.sent_at).total_seconds()


class Hint(Struct, frozen=True):
    """What the ADS's answer means, as the table of known answers has it."""

    meaning: str
    cause: Annotated[str, Meta(description="The usual reason")]
    owner: Annotated[str, Meta(description="Who can cure it")]
    cure: Annotated[str, Meta(description="What they do")]


class Withdrawal(Struct, frozen=True):
    """A quote that gave way to blanks, and the partition whose prices had kept it up."""

    reason: Annotated[
        Reason,
        Meta(
            description="stop: the daemon was stopped; silent: the partition had no record for too long; "
            "order: somebody ordered it"
        ),
    ]
    topic: str
    partition: _Count

    def __str__(self) -> str:
        return f"{self.topic}:{self.partition} ({self.reason})"


class Result(Struct, frozen=True):
    """What became of one record of a prices topic, or of one of its posts.

    Every record gets exactly one, or one for each RIC and service that it is posted to where there are several. A
    withdrawal's is of no record.
    """

    status: Status
    ric: Annotated[
        str | None, Meta(description="null where the record has none: ignored, or rejected before it had one")
    ]
    service: str | None
    mapping: Annotated[str | None, Meta(description="Name of the mapping that took the record")]
    fields: Annotated[
        dict[str, Any] | None,
        Meta(
            description="The fields as posted, those of merged records included",
            extra_json_schema={"additionalProperties": {"type": ["number", "string", "null"]}},
        ),
    ]
    code: Annotated[
        str | None,
        Meta(
            description="NAK: the ADS's NakCode. REJECTED: why (MissingField and so on). SUPPRESSED: by what "
            "rule or order (Paused). Else often null"
        ),
    ]
    text: Annotated[
        str | None,
        Meta(
            description="The ADS's own text, what was wrong with the record, which order suppresses it, or who "
            "ignores it"
        ),
    ]
    source: Annotated[Source | None, Meta(description="The record this is the result of; null for a withdrawal")]
    carried_by: Annotated[Source | None, Meta(description="CONFLATED: the record whose post carried this one")]
    posts: Annotated[tuple[Post, ...], Meta(description="Every post of it this process knows of, in order")]
    consumed_at: Time
    settled_at: Time
    instance: Annotated[str, Meta(description="Names the process that wrote it")]
    version: Annotated[str, Meta(description="contribd's version")]
    config: Annotated[str, Meta(description="SHA-256 of the configuration and mappings in force")]
    withdrawal: Annotated[
        Withdrawal | None, Meta(description="Only where no record was posted but blanks in place of a quote")
    ] = None
    hint: Annotated[
        Hint | None, Meta(description="Only for a NAK or Error that is known: what it means, and who can cure it")
    ] = None

    @property
    def record(self) -> Source:
        """The record this is the result of. Raises ``ValueError`` for a withdrawal, which has none."""
        if self.source is None:
            raise ValueError(f"the result of a withdrawal ({self.withdrawal}) is of no record")
        return self.source

    @property
    def origin(self) -> str:
        """Where it comes from, as ``topic:partition:offset``; for a withdrawal its partition and reason."""
        return str(self.source or self.withdrawal)

    @property
    def place(self) -> str:
        """The same, and which post of the record it is, where it has several."""
        return self.source.place if self.source is not None else self.origin

    @property
    def ack_seconds(self) -> float | None:
        """From sending the last post to its answer; None where it has none."""
        return self.posts[-1].ack_seconds if self.posts else None

    @property
    def delivery_seconds(self) -> float | None:
        """From the record's Kafka timestamp to sending its first post; None where there is either missing.

        A timestamp in the future is none: the record's arrival counts.
        """
        if not self.posts or self.source is None or self.source.timestamp is None:
            return None
        stamped = self.source.timestamp
        since = stamped if stamped <= self.consumed_at + _AHEAD else self.consumed_at
        return (self.posts[0].sent_at - since).total_seconds()


class ResultError(ValueError):
    """A value that is not a result; the text says what is wrong with it, and where."""


# Numbers as written: a float could not hold every price with 14 decimals.
_decoder = msgspec.json.Decoder(Result, float_hook=Decimal)


def decode_result(value: bytes | None) -> Result:
    """The result in a record's value. ``fields`` holds int, Decimal, str and None; unknown keys are ignored.

    Raises ``ResultError``, and nothing else, for anything that is not a result.
    """
    if value is None:
        raise ResultError("not a result: the record has no value (a tombstone)")
    try:
        return _decoder.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ResultError(f"not a result: {error}") from None


def result_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a result."""
    (reference,), definitions = msgspec.json.schema_components([Result], ref_template="#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "contribd result",
        **reference,
        "$defs": definitions,
    }
