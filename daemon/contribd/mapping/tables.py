"""Tables that expressions look values up in."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any


@dataclass(frozen=True)
class Table:
    """Rows by their key. A key is text; a number is looked up in plain digits without trailing zeros."""

    name: str
    rows: Mapping[str, Any]
    """A row is an object (column to value), or one constant."""
    columns: frozenset[str] | None
    """The columns that a row can have; None where rows are constants."""

    @cached_property
    def samples(self) -> Mapping[str, Mapping[type, Any]]:
        """Of each column one value of every type that it holds: a table may be long, and many expressions ask."""
        found: dict[str, dict[type, Any]] = {}
        for row in self.rows.values():
            for column, value in row.items() if isinstance(row, dict) else ():
                found.setdefault(column, {})[type(value)] = value
        return found
