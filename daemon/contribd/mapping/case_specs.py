"""The shape of a mapping file's ``tests:``."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    WithJsonSchema,
    model_validator,
)
from pydantic.config import JsonDict, JsonValue
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from contribd.mapping.inputs import TIMES, milliseconds
from contribd.mapping.outcome import RejectCode
from contribd.mapping.scope import Surroundings
from contribd.mapping.sections import STRICT, Name, ScalarValue, expected
from contribd.mapping.syntax import Scalar

MAX_SIZE = 64 * 1024 * 1024
"""Bytes that a test can ask a value to have."""


def _exactly_one(*keys: str) -> JsonDict:
    """One of the keys is given; null is as good as nothing, but for a value, where it says that there is none."""
    choices: list[JsonValue] = []
    for key in keys:
        given: JsonDict = {key: {}} if key == "value" else {key: {"not": {"type": "null"}}}
        choices.append({"required": [key], "properties": given})
    return {"oneOf": choices}


FieldsExpected = Annotated[dict[str, ScalarValue], Field(min_length=1)]


class ExpectedPost(BaseModel):
    """The post that a test expects; service and type are compared only where they are given."""

    model_config = ConfigDict(**STRICT, json_schema_extra=_exactly_one("fields", "including"))

    ric: str
    service: str | None = None
    type: Literal["update", "refresh"] | None = None
    fields: Annotated[dict[str, ScalarValue] | None, Field(description="All fields of the post")] = None
    including: Annotated[FieldsExpected | None, Field(description="Some fields of the post")] = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "ExpectedPost":
        if (self.fields is None) == (self.including is None):
            raise expected("either fields (all of the post's) or including (some of them)")
        return self

    @property
    def wanted(self) -> Mapping[str, Scalar]:
        """The fields that it must have, with these values."""
        return self.including or self.fields or {}


def _code(value: object) -> RejectCode:
    if isinstance(value, str) and value in set(RejectCode):
        return RejectCode(value)
    raise expected(f"one of {', '.join(RejectCode)}")


class ExpectedRejection(BaseModel):
    """The rejection that a test expects; ``text`` must be part of the rejection's text."""

    model_config = STRICT

    code: Annotated[RejectCode, BeforeValidator(_code)]
    text: str | None = None

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [{"type": "string", "enum": [*RejectCode]}, handler(core)]}


def _rejection(value: object) -> object:
    return {"code": value} if isinstance(value, str) else value


class RawValue(BaseModel):
    """A value that is written as neither an object nor text."""

    model_config = ConfigDict(**STRICT, json_schema_extra=_exactly_one("base64", "size"))

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


class CaseSpec(BaseModel):
    """A test: a record, what surrounds it in Kafka, and what it comes to."""

    model_config = ConfigDict(
        **STRICT,
        json_schema_extra={"allOf": [_exactly_one("record", "value"), _exactly_one("post", "rejected", "ignored")]},
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
    ignored: Annotated[Literal[True] | None, Field(description="It must be ignored")] = None
    rejected: Annotated[
        ExpectedRejection | None,
        BeforeValidator(_rejection),
        Field(description="The code with which it must be rejected, or code and a part of the text"),
    ] = None

    @model_validator(mode="after")
    def _one_of_each(self) -> "CaseSpec":
        if ("value" in self.model_fields_set) == (self.record is not None):
            raise expected("either record (an object) or value (what is none)")
        if sum(each is not None for each in (self.post, self.rejected, self.ignored)) != 1:
            raise expected("one of post, rejected, ignored: what the record comes to")
        return self

    @property
    def surroundings(self) -> Surroundings:
        """What the expressions call ``@key``, ``@headers`` and so on."""
        return Surroundings(self.key, self.topic, self.partition, self.offset, self.timestamp, dict(self.headers))
