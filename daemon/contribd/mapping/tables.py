"""Tables that expressions look values up in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Table:
    """Rows by their key. A key is text; a number is looked up in plain digits without trailing zeros."""

    name: str
    rows: Mapping[str, Any]
    """A row is an object (column to value), or one constant."""
    columns: frozenset[str] | None
    """The columns that a row can have; None where rows are constants."""
