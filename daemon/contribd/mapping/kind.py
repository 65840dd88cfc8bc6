"""The kinds of value an expression can give, as far as that is known before there is a record."""

from decimal import Decimal
from enum import Flag, auto

from contribd.mapping.syntax import Scalar


class Kind(Flag):
    """A set of value kinds. A path into the record can be ANY."""

    NUMBER = auto()
    TEXT = auto()
    BOOLEAN = auto()
    NULL = auto()
    LIST = auto()
    OBJECT = auto()
    ANY = NUMBER | TEXT | BOOLEAN | NULL | LIST | OBJECT


_WORDS = {
    Kind.NUMBER: "a number",
    Kind.TEXT: "text",
    Kind.BOOLEAN: "true or false",
    Kind.NULL: "null",
    Kind.LIST: "a list",
    Kind.OBJECT: "an object",
}


def kind_of(value: Scalar) -> Kind:
    """The kind of a constant."""
    if value is None:
        return Kind.NULL
    if isinstance(value, bool):
        return Kind.BOOLEAN
    return Kind.NUMBER if isinstance(value, int | Decimal) else Kind.TEXT


def words(kind: Kind) -> str:
    """``kind`` for people: "text or a number"."""
    return " or ".join(word for one, word in _WORDS.items() if one in kind)
