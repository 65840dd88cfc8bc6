"""What an expression can name beside the record: the record's surroundings, values computed before, tables, the post.

All of it is kept in the record's own dict, under keys that are no text: no key of a JSON object can be taken for one of
them, and a mapping that names none of them pays nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeAlias

from contribd.mapping.outcome import FieldValue
from contribd.mapping.tables import Table


class Surroundings(NamedTuple):
    """Of the record in Kafka: ``@key``, ``@topic``, ``@partition``, ``@offset``, ``@timestamp``, ``@headers.NAME``."""

    key: str | None
    """UTF-8; None where the record has no key, or one that is no text."""
    topic: str
    partition: int
    offset: int
    timestamp: int | None
    """Milliseconds since 1970 (UTC), as Kafka has it."""
    headers: dict[str, str]
    """Of a name given twice the last counts; those that are no UTF-8 are left out."""


class Place:
    """A key of the record's dict that no record can have."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class LetName(Place):
    """Where the value of a ``let`` stands; nothing stands there while it could not be computed."""

    __slots__ = ("failure",)

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.failure: Exception | None = None
        """Of ``mistakes.RAISED``: why it could not be computed for the record at hand; told where it is used."""


SURROUNDINGS: Final = Place("@")
"""Where the record's Surroundings stand."""

POST: Final = Place("@post")
"""Where the fields stand that will be posted, while checks are run."""

LAST: Final = Place("@last")
"""Where the values stand that were last posted for the post's RIC and service, once its RIC is known."""

LAST_VIEW: Final = Place("@last of a RIC")
"""Where what knows them stands."""

LastView: TypeAlias = Callable[[str, str], Mapping[str, FieldValue]]
"""The values last posted for (service, RIC), by field: none of a field without one, None of a blank."""

ITEM: Final = Place("item")
"""The element of a list, while a list function runs over it."""

ELEMENT: Final = Place("item")
"""The element that a post is made of, where a mapping or a post has ``each``."""

MEMBERS: Final = Place("item's members")
"""The same where it is an object, and an empty object where it is none: nothing can be read of it by name."""

INDEX: Final = Place("index")
"""Its position in the list, from 0."""

MOST: Final = Place("@most")
"""How many elements a list function may look at, where there are posts for each element of another list."""

EMPTY: Final = Place("@empty")
"""Stands in the dict, as True, where the record has no value: its bytes are none, or there is nothing at all."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The names that one expression can use beside the record."""

    lets: Mapping[str, LetName] = field(default_factory=dict)
    """Those computed before it."""
    tables: Mapping[str, Table] = field(default_factory=dict)
    post: frozenset[str] | None = None
    """The fields that ``@post`` can name; None where there is no post yet."""
    last: frozenset[str] | None = None
    """The fields that ``@last`` can name; None where the RIC is not known yet."""
    element: bool = False
    """Whether ``item`` and ``index`` stand for an element and its position."""
    mapping: str = "this mapping"
    """Whose expression it is, for people: one of a file's defaults is that of several."""


RECORD_ONLY: Final = Scope()
