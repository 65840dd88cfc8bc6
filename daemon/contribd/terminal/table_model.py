"""Which rows of a table are shown, in which order, and which one is selected. Pure: it knows no terminal."""

from collections.abc import Sequence
from typing import Any

from contribd.terminal.cells import Column, Row, Value


class TableModel:
    """Sorted, filtered, with a cursor that stays on its row while rows come, go and change places.

    At the first row the cursor stays at the first row: whoever looks at the newest wants to go on seeing the newest.
    """

    def __init__(self, columns: tuple[Column, ...]) -> None:
        self.columns = columns
        self.sorted_by: int | None = None
        """The place of a column; None: in the order in which the rows were given."""
        self.descending = False
        self.words = ""
        self.cursor = 0
        self._given: Sequence[Row] = ()
        self._rows: list[Row] = []

    @property
    def rows(self) -> Sequence[Row]:
        """Those that are shown, in their order."""
        return self._rows

    @property
    def hidden(self) -> int:
        """How many the filter leaves out."""
        return len(self._given) - len(self._rows)

    @property
    def selected(self) -> Row | None:
        """The row under the cursor."""
        return self._rows[self.cursor] if self._rows else None

    def set_rows(self, rows: Sequence[Row]) -> None:
        """These rows in the place of all others."""
        if rows is not self._given:
            self._given = rows
            self._arrange()

    def filter(self, words: str) -> None:
        """Only rows with all of these words in what they show, in either case; ``!word``: without that one."""
        self.words = words
        self._arrange()

    def sort_by(self, place: int) -> None:
        """By this column; a second time: the other way round."""
        self.descending = not self.descending if place == self.sorted_by else False
        self.sorted_by = place
        self._arrange()

    def sort_next(self, step: int) -> None:
        """By the next column, or with -1 the one before; between last and first there is the order as given."""
        places = [None, *range(len(self.columns))]
        self.sorted_by = places[(places.index(self.sorted_by) + step) % len(places)]
        self.descending = False
        self._arrange()

    def reverse(self) -> None:
        """The other way round."""
        self.descending = not self.descending
        self._arrange()

    def move(self, by: int) -> None:
        """The cursor, as far as there are rows."""
        self.move_to(self.cursor + by)

    def move_to(self, index: int) -> None:
        """The cursor to this row, or the nearest there is."""
        self.cursor = max(0, min(index, len(self._rows) - 1))

    def _arrange(self) -> None:
        kept = self.selected.key if self.selected is not None and self.cursor > 0 else None
        rows = [row for row in self._given if self._passes(row)] if self.words else list(self._given)
        self._rows = self._sorted(rows)
        found = next((index for index, row in enumerate(self._rows) if row.key == kept), self.cursor)
        self.move_to(found)

    def _passes(self, row: Row) -> bool:
        text = " ".join(column.show(value) for column, value in zip(self.columns, row.values, strict=True)).casefold()
        return all(_holds(text, word) for word in self.words.casefold().split())

    def _sorted(self, rows: list[Row]) -> list[Row]:
        place = self.sorted_by
        if place is None:
            return rows[::-1] if self.descending else rows
        known = [row for row in rows if row.values[place] is not None]
        known.sort(key=lambda row: _order(row.values[place]), reverse=self.descending)
        # What is not known is at the end either way.
        return known + [row for row in rows if row.values[place] is None]


def _holds(text: str, word: str) -> bool:
    if word.startswith("!") and len(word) > 1:
        return word[1:] not in text
    return word in text


def _order(value: Value) -> tuple[bool, Any]:
    """Numbers before texts; texts in either case."""
    return (True, value.casefold()) if isinstance(value, str) else (False, value)
