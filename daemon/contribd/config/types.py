"""The kinds of value a configuration holds, each with the message for what is not one, and its JSON Schema.

A message says what was expected and never the value: whoever reports it decides whether the value may be shown.
"""

import difflib
import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
    SecretStr,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from contribd.config.scalars import Doubtful
from contribd.mapping.durations import DURATION_PATTERN, duration_text, seconds_of
from contribd.omm.numbers import NAK_CODES

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}\Z", re.ASCII)

MAX_DURATION = 24 * 3600.0
"""A day: nothing here waits longer, and clocks and socket timeouts take it everywhere."""
MAX_TEXT = 1024
"""No name or address comes near it."""
MAX_LIST = 1000
AUTO = "auto"
MAX_SOCKET_PATH = 100
"""The kernel has room for 107 bytes; the rest is for the name the socket has while it is made."""


def expected(text: str) -> PydanticCustomError:
    """A validation error that says what was expected."""
    return PydanticCustomError("expected", "{text}", {"text": text})


def listed(value: object) -> object:
    """One item stands for a list of one; an item given twice is a slip of the pen."""
    items = tuple(value) if isinstance(value, list | tuple) else (value,)
    if len(items) > MAX_LIST:
        raise expected(f"at most {MAX_LIST} items")
    if any(item in items[:place] for place, item in enumerate(items[:MAX_LIST])):
        raise expected("each item only once")
    return items


def _some(value: object) -> object:
    items = listed(value)
    if not items:
        raise expected("at least one item")
    return items


ONE_OR_MORE = BeforeValidator(_some)


def _duration(value: object) -> float:
    seconds = seconds_of(value) if isinstance(value, str) else None
    unit = "; write the unit" if isinstance(value, int | Decimal) and not isinstance(value, bool) else ""
    if seconds is None:
        raise expected(f"a duration such as 250ms, 15s, 2m or 1h{unit}")
    if not 0.001 <= seconds <= MAX_DURATION:
        raise expected("a duration between 1ms and 24h")
    return seconds


def text_of(value: object) -> str:
    if not isinstance(value, str):
        raise expected("text" + ("; write it in quotes" if isinstance(value, int | Decimal) else ""))
    if not value or len(value) > MAX_TEXT or _CONTROL.search(value) or value != value.strip():
        raise expected(f"text of 1 to {MAX_TEXT} characters without control characters or spaces around it")
    return str(value)


def _text_or_number(value: object) -> str:
    return text_of(str(value) if isinstance(value, int) and not isinstance(value, bool) else value)


def _secret(value: object) -> SecretStr:
    if isinstance(value, SecretStr):
        return value
    if not isinstance(value, str):
        raise expected("text" + ("; write it in quotes" if isinstance(value, int | Decimal) else ""))
    if not value:
        raise expected("a secret that is not empty")
    return SecretStr(str(value))


def _flag(value: object, info: ValidationInfo) -> bool:
    if isinstance(value, Doubtful):
        if isinstance(info.context, dict):
            info.context["accepted"].add(id(value))
        return value.truth
    if not isinstance(value, bool):
        raise expected("true or false")
    return value


@dataclass(frozen=True, slots=True)
class Whole:
    """Annotates an int with bounds, both included."""

    low: int
    high: int

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {**handler(core), "minimum": self.low, "maximum": self.high}

    def _check(self, value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not self.low <= value <= self.high:
            raise expected(f"a whole number from {self.low} to {self.high}")
        return value


def _rate(value: object) -> float:
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float | Decimal)
        or not Decimal("0.001") <= value <= 10**6
    ):
        raise expected("a number of posts a second, from 0.001 to 1000000")
    return float(value)


def _topic(value: object) -> str:
    if not isinstance(value, str) or not _TOPIC.match(value) or value in (".", ".."):
        raise expected("a topic name: 1 to 249 letters, digits, '.', '_' or '-'")
    return str(value)


STARTS = ("latest", "earliest", "refuse")


def start_time(text: str) -> datetime | None:
    """The time that a start is given by, None where it is none, or does not name its zone."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    return when if when.tzinfo is not None and when.timestamp() >= 0 else None


def _start(value: object) -> str:
    if isinstance(value, str) and (value in STARTS or start_time(value) is not None):
        return str(value)
    near = difflib.get_close_matches(value, STARTS, 1) if isinstance(value, str) else []
    hint = f"; did you mean {near[0]}?" if near else ""
    raise expected(f"latest, earliest, refuse, or a time with its zone such as 2026-11-22T10:15:00Z{hint}")


def nak_code(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 256:
        return NAK_CODES.get(value, str(value))
    if isinstance(value, str) and value in NAK_CODES.values():
        return str(value)
    near = difflib.get_close_matches(value, NAK_CODES.values(), 1) if isinstance(value, str) else []
    hint = f"; did you mean {near[0]}?" if near else ""
    raise expected(f"a NakCode ({', '.join(NAK_CODES.values())}) or the number of another{hint}")


def _socket_path(value: object) -> str:
    text = text_of(value)
    if text != AUTO and (not text.startswith("/") or len(text.encode()) > MAX_SOCKET_PATH):
        raise expected(f"auto, or an absolute path of at most {MAX_SOCKET_PATH} bytes; null: no socket")
    return text


def _path(value: object) -> Path:
    return value if isinstance(value, Path) else Path(text_of(value))


def schema(kind: str, **more: Any) -> WithJsonSchema:
    return WithJsonSchema({"type": kind, **more})


def list_schema(item: dict[str, Any]) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [item, {"type": "array", "items": item, "minItems": 1, "uniqueItems": True}]})


Duration = Annotated[
    float,
    BeforeValidator(_duration),
    PlainSerializer(duration_text, return_type=str, when_used="json"),
    schema("string", pattern=DURATION_PATTERN, examples=["250ms", "15s", "2m", "1h"]),
]
"""Seconds; written ``15s``."""
Text = Annotated[str, BeforeValidator(text_of), schema("string", minLength=1)]
TextOrNumber = Annotated[str, BeforeValidator(_text_or_number), WithJsonSchema({"type": ["string", "integer"]})]
Secret = Annotated[SecretStr, BeforeValidator(_secret), schema("string", minLength=1, writeOnly=True)]
Flag = Annotated[bool, BeforeValidator(_flag), schema("boolean")]
Rate = Annotated[float, BeforeValidator(_rate), schema("number", exclusiveMinimum=0)]
_TOPIC_SCHEMA = {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,249}$"}
Topic = Annotated[str, BeforeValidator(_topic), WithJsonSchema(_TOPIC_SCHEMA)]
StartFrom = Annotated[
    str,
    BeforeValidator(_start),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": list(STARTS)},
                {
                    "type": "string",
                    "format": "date-time",
                    "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ].*(Z|[+-][0-9:]+)$",
                },
            ]
        }
    ),
]
"""Where to start in a partition for which the group has no committed offset."""
Topics = Annotated[tuple[Topic, ...], ONE_OR_MORE, list_schema(_TOPIC_SCHEMA)]
Texts = Annotated[tuple[Text, ...], ONE_OR_MORE, list_schema({"type": "string"})]
File = Annotated[Path, BeforeValidator(_path), schema("string")]
SocketPath = Annotated[str, BeforeValidator(_socket_path), schema("string", examples=["auto", "/run/contribd/fx.sock"])]
"""``auto``, or an absolute path."""
CODE_SCHEMA: dict[str, Any] = {"anyOf": [{"enum": list(NAK_CODES.values())}, {"type": "integer"}]}
NakCodes = Annotated[
    tuple[Annotated[str, BeforeValidator(nak_code)], ...],
    BeforeValidator(listed),
    WithJsonSchema({"type": "array", "items": CODE_SCHEMA}),
]
