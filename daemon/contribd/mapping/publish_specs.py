"""The shape of ``publish:``: when a mapped price is worth a post.

Data comes from YAML as dict, list, str, int, bool, None and Decimal. Errors of type ``expected`` say what was expected.
"""

import re
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, Field, PlainSerializer, WithJsonSchema

from contribd.mapping.durations import DURATION_PATTERN, duration_text, seconds_of
from contribd.mapping.publish import Limit
from contribd.mapping.sections import STRICT, expected

IGNORE: Final = "ignore"
MAX_INTERVAL: Final = 3600.0
"""Seconds: who posts more seldom than once an hour has no use for conflated prices that wait."""
MAX_WITHIN: Final = 24 * 3600.0

_PERCENT: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?) ?%", re.ASCII)
_LIMIT_TEXT: Final = "a number, or a percentage such as 5%"


def _limit(value: object, wanted: str = _LIMIT_TEXT) -> Limit:
    if isinstance(value, Limit):
        return value
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        found = Limit(Decimal(value))
    elif isinstance(value, str) and (match := _PERCENT.fullmatch(value)):
        found = Limit(Decimal(match[1]), percent=True)
    else:
        raise expected(wanted)
    if not 0 < found.value < 10**15:
        raise expected(f"{wanted}, above 0")
    return found


def _change(value: object) -> Limit | str:
    if isinstance(value, str) and value == IGNORE:
        return IGNORE
    return _limit(value, f"{_LIMIT_TEXT}, or {IGNORE}")


def _seconds(value: object, most: float) -> float:
    if isinstance(value, float):
        return value
    found = seconds_of(value) if isinstance(value, str) else None
    if found is None:
        unit = "; write the unit" if isinstance(value, int | Decimal) and not isinstance(value, bool) else ""
        raise expected(f"a duration such as 250ms, 15s, 2m or 1h{unit}")
    if not 0.001 <= found <= most:
        raise expected(f"a duration between 1ms and {duration_text(most)}")
    return found


def _texts(value: object) -> object:
    """One text stands for a list of one."""
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list | tuple) or not items or not all(isinstance(each, str) for each in items):
        raise expected('text such as "Mon-Fri 07:00-18:00 Europe/London", or a list of them')
    return tuple(map(str, items))


_LIMIT_SCHEMA: Final[dict[str, Any]] = {
    "anyOf": [
        {"type": "number", "exclusiveMinimum": 0},
        {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)? ?%$"},
    ]
}
_CHANGE_SCHEMA: Final[dict[str, Any]] = {"anyOf": [*_LIMIT_SCHEMA["anyOf"], {"const": IGNORE}]}
_DURATION_SCHEMA: Final[dict[str, Any]] = {"type": "string", "pattern": DURATION_PATTERN}
_HOURS_SCHEMA: Final[dict[str, Any]] = {
    "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]
}

Move = Annotated[Any, BeforeValidator(_limit), WithJsonSchema(_LIMIT_SCHEMA)]
Change = Annotated[Any, BeforeValidator(_change), WithJsonSchema(_CHANGE_SCHEMA)]
Interval = Annotated[
    float,
    BeforeValidator(lambda value: _seconds(value, MAX_INTERVAL)),
    PlainSerializer(duration_text, return_type=str, when_used="json"),
    WithJsonSchema(_DURATION_SCHEMA),
]
Within = Annotated[
    float,
    BeforeValidator(lambda value: _seconds(value, MAX_WITHIN)),
    PlainSerializer(duration_text, return_type=str, when_used="json"),
    WithJsonSchema(_DURATION_SCHEMA),
]
HoursTexts = Annotated[tuple[str, ...], BeforeValidator(_texts), WithJsonSchema(_HOURS_SCHEMA)]


class PublishSpec(BaseModel):
    """When a mapped price is worth a post. A rule that is null is none: so a mapping does without one of its file's
    defaults."""

    model_config = STRICT

    min_change: Annotated[
        Annotated[dict[str, Change], Field(min_length=1)] | None,
        Field(
            description="By field: a post in which each moved less, and nothing else changed, is suppressed as "
            "Unchanged; ignore: changes of this field do not count"
        ),
    ] = None
    min_interval: Annotated[
        Interval | None, Field(description="The shortest time between two posts of a RIC; what comes sooner waits")
    ] = None
    max_move: Annotated[
        Annotated[dict[str, Move], Field(min_length=1)] | None,
        Field(description="By field: a price that moved more from the value last posted is suppressed as TooFar"),
    ] = None
    max_move_within: Annotated[
        Within | None,
        Field(description="A value last posted longer ago does not count for max_move. Default: 1h"),
    ] = None
    hours: Annotated[
        HoursTexts | None,
        Field(description='When records may arrive to be posted: "Mon-Fri 07:00-18:00 Europe/London", or several'),
    ] = None
    holidays: Annotated[
        str | None,
        Field(description="A file of dates (YYYY-MM-DD, one a line) without hours, relative to this one"),
    ] = None
