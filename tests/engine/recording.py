"""Which rows of a table of states a test has used."""

from typing import Any

from contribd.engine.states import Transitions


class Recording(dict[Any, Any]):
    """A table that knows which of its rows were used."""

    def __init__(self, table: Transitions[Any, Any], seen: set[Any]) -> None:
        super().__init__(table)
        self._table, self._seen = table, seen

    def __getitem__(self, row: Any) -> Any:
        self._seen.add(row)
        return self._table[row]
