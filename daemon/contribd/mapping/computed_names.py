"""Names of fields that the record gives: ``"ROW64_{row}"``."""

from collections.abc import Callable
from dataclasses import dataclass

from contribd.mapping.mistakes import out_of_range
from contribd.mapping.numbers import NUMBERS, key_text
from contribd.mapping.operators import Value, no_text
from contribd.mapping.outcome import FieldValue
from contribd.mapping.syntax import Node


@dataclass(frozen=True, slots=True)
class ComputedName:
    """A field's name that each record gives: texts and nodes in turn, and what makes the field's name of them."""

    parts: tuple[str | Node, ...]
    resolve: Callable[[str], str]
    """Raises EvaluationError for what is no field."""
    names: frozenset[str]
    """All that it can become."""


def name_text(value: Value) -> str:
    """A part of a field's name: text as it is, a number in plain digits without trailing zeros."""
    if type(value) is str:
        return value
    text = key_text(value) if type(value) in NUMBERS else None
    if text is None:
        raise no_text("a part of a field's name", value)
    return text


def different(fields: dict[str, FieldValue], count: int) -> dict[str, FieldValue]:
    """``fields``, if ``count`` of them were put in: none stands for two. Raises EvaluationError."""
    if len(fields) != count:
        raise out_of_range("one of the fields is set twice")
    return fields
