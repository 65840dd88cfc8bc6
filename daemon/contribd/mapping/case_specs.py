"""The shape of a mapping file's ``tests:``."""

from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from contribd.mapping.case_expectations import (
    ExpectedPost,
    ExpectedPosts,
    ExpectedRejection,
    ExpectedSuppression,
    exactly_one,
    with_code,
)
from contribd.mapping.inputs import TIMES, milliseconds
from contribd.mapping.scope import Surroundings
from contribd.mapping.sections import STRICT, Name, expected

MAX_SIZE = 64 * 1024 * 1024
"""Bytes that a test can ask a value to have."""


class RawValue(BaseModel):
    """A value that is written as neither an object nor text."""

    model_config = ConfigDict(**STRICT, json_schema_extra=exactly_one("base64", "size"))

    base64: Annotated[
        Annotated[str, Field(pattern=r"^[A-Za-z0-9+/\s]*={0,2}\s*$")] | None, Field(description="The bytes")
    ] = None
    size: Annotated[
        Annotated[int, Field(ge=1, le=MAX_SIZE)] | None, Field(description="So many bytes of JSON, as for TooLarge")
    ] = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "RawValue":
        if (self.base64 is None) == (self.size is None):
            raise expected("either base64 (the bytes) or size (so many bytes of JSON)")
        return self


def _raw(value: object) -> object:
    if value is None or isinstance(value, str | dict | RawValue):
        return value
    raise expected("text, null, {base64: …} or {size: …}")


def _written(value: object) -> object:
    """Keys and headers are text in Kafka: a number stands for itself as it is written."""
    return str(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else value


def _milliseconds(value: object) -> object:
    """As Kafka has it; a time is written with its zone."""
    if not isinstance(value, str):
        return value
    if (found := milliseconds(value)) is None:
        raise expected(TIMES)
    return found


KafkaText = Annotated[str, BeforeValidator(_written), WithJsonSchema({"type": ["string", "number"]})]
Timestamp = Annotated[int, Field(ge=0), BeforeValidator(_milliseconds), WithJsonSchema({"type": ["integer", "string"]})]


def _last(value: object) -> object:
    """Values by field, or by RIC and field."""
    if not isinstance(value, dict):
        raise expected("the fields last posted with their values, as in {BID: 1.08}")
    sections = [each for each in value.values() if isinstance(each, dict)]
    if sections and len(sections) < len(value):
        raise expected("either fields with their values, or for each RIC a section of them")
    if any(isinstance(each, list | dict | bool) for part in sections or [value] for each in part.values()):
        raise expected("one value for each field: text, a number or null")
    return value


_LAST_FIELDS: Final[dict[str, Any]] = {
    "type": "object",
    "additionalProperties": {"type": ["string", "number", "null"]},
}
_LAST_SCHEMA: Final[dict[str, Any]] = {
    "anyOf": [_LAST_FIELDS, {"type": "object", "additionalProperties": _LAST_FIELDS}]
}


class CaseSpec(BaseModel):
    """A test: a record, what surrounds it in Kafka, and what it comes to."""

    model_config = ConfigDict(
        **STRICT,
        json_schema_extra={
            "allOf": [exactly_one("record", "value"), exactly_one("post", "posts", "rejected", "suppressed", "ignored")]
        },
    )

    name: Name | None = None
    record: Annotated[
        dict[str, Any] | None, WithJsonSchema({"type": "object"}), Field(description="The record's value, an object")
    ] = None
    value: Annotated[
        str | RawValue | None,
        BeforeValidator(_raw),
        Field(description="In the record's place, what is no record or must be exact: text, null, base64 or size"),
    ] = None
    key: Annotated[KafkaText | None, Field(description="@key")] = None
    headers: Annotated[dict[str, KafkaText], Field(description="@headers, by their names")] = Field(
        default_factory=dict
    )
    timestamp: Annotated[
        Timestamp | None, Field(description="@timestamp: milliseconds since 1970, or a time with its zone")
    ] = None
    topic: Annotated[str, Field(description="@topic")] = "prices"
    partition: Annotated[int, Field(ge=0, description="@partition")] = 0
    offset: Annotated[int, Field(ge=0, description="@offset")] = 0
    mapping: Annotated[str | None, Field(description="The mapping that must take the record")] = None
    post: Annotated[ExpectedPost | None, Field(description="The post that it must come to")] = None
    posts: Annotated[
        ExpectedPosts | None,
        Field(description="The posts that it must come to, where it makes several: all of them, or including some"),
    ] = None
    ignored: Annotated[Literal[True] | None, Field(description="It must be ignored")] = None
    rejected: Annotated[
        ExpectedRejection | None,
        BeforeValidator(with_code),
        Field(description="The code with which it must be rejected, or code and a part of the text"),
    ] = None
    suppressed: Annotated[
        ExpectedSuppression | None,
        BeforeValidator(with_code),
        Field(description="The code with which a publish rule must suppress it, or code and a part of the text"),
    ] = None
    last: Annotated[
        dict[str, Any],
        BeforeValidator(_last),
        WithJsonSchema(_LAST_SCHEMA),
        Field(description="The fields last posted for its RIC; where it makes several posts, by their RICs"),
    ] = Field(default_factory=dict)
    last_at: Annotated[Timestamp | None, Field(description="When they were posted; default: long enough ago")] = None
    at: Annotated[
        Timestamp | None, Field(description="When the record arrives, for publish rules. Default: its timestamp")
    ] = None

    @model_validator(mode="after")
    def _one_of_each(self) -> "CaseSpec":
        if ("value" in self.model_fields_set) == (self.record is not None):
            raise expected("either record (an object) or value (what is none)")
        said = (self.post, self.posts, self.rejected, self.suppressed, self.ignored)
        if sum(each is not None for each in said) != 1:
            raise expected("one of post, posts, rejected, suppressed, ignored: what the record comes to")
        if self.last_at is not None and (not self.last or self.arrives is None or self.arrives < self.last_at):
            raise expected(
                "beside last_at the fields last posted, last, and when the record arrives, at, not before it"
            )
        return self

    @property
    def arrives(self) -> int | None:
        """Milliseconds since 1970; None where the test does not say."""
        return self.timestamp if self.at is None else self.at

    def last_of(self, ric: str) -> dict[str, Any]:
        """The fields last posted for a RIC."""
        by_ric = any(isinstance(each, dict) for each in self.last.values())
        return self.last.get(ric, {}) if by_ric else self.last

    @property
    def surroundings(self) -> Surroundings:
        """What the expressions call ``@key``, ``@headers`` and so on."""
        return Surroundings(self.key, self.topic, self.partition, self.offset, self.timestamp, dict(self.headers))
