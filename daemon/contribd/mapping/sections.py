"""What the sections of mapping files are made of: text, numbers, expressions, names.

Errors of type ``expected`` say what was expected.
"""

from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, ConfigDict, WithJsonSchema
from pydantic_core import PydanticCustomError

from contribd.mapping.syntax import Scalar

MAX_NAME = 100
"""Characters of a mapping's or a test's name: it stands in every result."""


def expected(text: str) -> PydanticCustomError:
    """The error for a value that is not what it should be: ``text`` says what was expected."""
    return PydanticCustomError("expected", "{text}", {"text": text})


def _scalar(value: object) -> Scalar:
    if value is None or isinstance(value, bool | int | Decimal):
        return value
    if isinstance(value, str):
        return str(value)
    raise expected("text, a number, true, false or null")


def _expression(value: object) -> object:
    """An expression is text; ``when: true`` reads as the expression ``true``."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        raise expected("an expression as text; a constant is {value: …}")
    if not isinstance(value, str):
        raise expected("an expression as text")
    return str(value)


def _name(value: str) -> str:
    if value and len(value) <= MAX_NAME and value.isprintable() and value == value.strip():
        return value
    raise expected(f"1 to {MAX_NAME} printable characters without spaces around them")


ScalarValue = Annotated[
    Any, BeforeValidator(_scalar), WithJsonSchema({"type": ["string", "number", "boolean", "null"]})
]
ExpressionText = Annotated[str, BeforeValidator(_expression), WithJsonSchema({"type": ["string", "boolean"]})]
Name = Annotated[
    str,
    AfterValidator(_name),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": MAX_NAME, "pattern": r"^\S(.*\S)?$"}),
]


STRICT: Final = ConfigDict(extra="forbid", strict=True, frozen=True)
"""Of every section: its keys are known, its values are taken as they are."""
