"""A table in a CSV file with a header row: its rows by one of its columns, or by any of several.

Every cell is text, but for those of columns that are said to hold numbers; an empty one is none.
"""

import csv
import io
from collections.abc import Collection, Iterator, Sequence
from decimal import Decimal
from difflib import get_close_matches
from typing import NamedTuple

from contribd.mapping.codes import Code
from contribd.mapping.numbers import parse_number
from contribd.mapping.tables import Table

MAX_TABLE_BYTES = 32 * 1024 * 1024
"""Some hundred thousand rows. A path to something else by mistake is refused, not read."""
MAX_TOLD = 20
"""Mistakes of one kind that are told one by one: a wrong delimiter makes one of each row."""


class TableProblem(NamedTuple):
    """One thing wrong with a table's file; lines count from 1."""

    line: int
    code: Code
    text: str
    cure: str = ""


class CsvTable(NamedTuple):
    """The table, as far as it can be read, and what is wrong with it."""

    table: Table
    problems: list[TableProblem]


def read_csv(name: str, content: bytes, keys: Sequence[str], delimiter: str, numbers: Collection[str] = ()) -> CsvTable:
    """``content`` as the table ``name`` with its rows by the columns ``keys``; the columns ``numbers`` hold numbers.

    Every row has the first key; the others may be empty.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1  # without the byte order mark
        what = f"byte 0x{error.object[error.start]:02x} is not UTF-8"
        return CsvTable(Table(name, {}, frozenset()), [TableProblem(line, Code.TABLE_FILE, what, "Save it as UTF-8")])
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    reading = _Reading(name, keys, delimiter, numbers)
    try:
        for line, cells in _rows(reader):
            reading.add(line, cells)
    except csv.Error as error:
        cure = 'Close the quote, and write "" for a quote within one'
        reading.problems.append(TableProblem(reader.line_num, Code.TABLE_ROW, f"no CSV: {error}", cure))
    return reading.finish()


def _rows(reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """Every row that is not empty, with the line where it begins: one in quotes may have several."""
    line = 1
    for cells in reader:
        if cells:
            yield line, cells
        line = reader.line_num + 1  # type: ignore[attr-defined] # of csv's own reader


class _Reading:
    def __init__(self, name: str, keys: Sequence[str], delimiter: str, numbers: Collection[str]) -> None:
        self._name, self._keys, self._delimiter, self._numbers = name, keys, delimiter, numbers
        self._header: list[str] | None = None
        self._ats: list[int] = []
        """Where the keys stand in a row; none while one of them is missing."""
        self._rows: dict[str, dict[str, str | Decimal]] = {}
        self._lines: dict[str, int] = {}
        self._told: dict[Code, int] = {}
        self.problems: list[TableProblem] = []

    def add(self, line: int, cells: list[str]) -> None:
        """One row; the first is the header."""
        if self._header is None:
            self._header = cells
            self._check_header(line, cells)
        elif len(cells) != len(self._header):
            self._tell(
                line,
                Code.TABLE_ROW,
                f"the row has {len(cells)} cell{'' if len(cells) == 1 else 's'}; the header has {len(self._header)}",
                "Write as many cells as the header has; in quotes one that holds the delimiter",
            )
        elif self._ats:
            self._row(line, cells, self._header)

    def _row(self, line: int, cells: list[str], header: list[str]) -> None:
        row: dict[str, str | Decimal] = {column: cell for column, cell in zip(header, cells, strict=True) if cell}
        for number, at in enumerate(self._ats):
            if cells[at] or not number:
                self._under(line, cells[at], header[at], row)
        for column in self._numbers:
            self._make_number(line, row, column)

    def _under(self, line: int, key: str, column: str, row: dict[str, str | Decimal]) -> None:
        """The row by one of its keys. Two of them may be the same."""
        if not key.strip():
            self._tell(line, Code.TABLE_KEY, f"the row has no {column}", "Give it one, or remove the row")
        elif key != key.strip():
            self._tell(line, Code.TABLE_KEY, f'"{key}" has spaces around it', "Remove them: it would not be found")
        elif self._lines.setdefault(key, line) != line:
            text = f'{column} "{key}" is given again; the first is on line {self._lines[key]}'
            self._tell(line, Code.TABLE_KEY, text, "Remove one of the rows")
        else:
            self._rows[key] = row

    def _make_number(self, line: int, row: dict[str, str | Decimal], column: str) -> None:
        cell = row.get(column)
        number = parse_number(cell) if isinstance(cell, str) else None
        if number is not None:
            row[column] = number
        elif cell is not None:
            cure = f"Write it as 1234.5, or take {column} out of the table's numbers"
            self._tell(line, Code.TABLE_NUMBER, f'{column} "{cell}" is no number', cure)

    def _check_header(self, line: int, header: list[str]) -> None:
        for number, column in enumerate(header, 1):
            if not column or column != column.strip():
                what = "has no name" if not column.strip() else "has spaces around its name"
                self._tell(line, Code.TABLE_HEADER, f"column {number} {what}", "Correct it in the header row")
            elif column in header[: number - 1]:
                self._tell(line, Code.TABLE_HEADER, f"there are two columns {column}", "Name one of them otherwise")
        self._numbers = [column for column in self._numbers if self._is_number(line, header, column)]
        missing = [key for key in self._keys if key not in header]
        for key in missing:
            text = f"there is no column {key}; there are {', '.join(header)}"
            self._tell(line, Code.TABLE_HEADER, text, self._cure(header))
        self._ats = [] if missing else [header.index(key) for key in self._keys]

    def _is_number(self, line: int, header: list[str], column: str) -> bool:
        """Whether it is a column that can hold numbers."""
        if column in self._keys:
            self._tell(line, Code.TABLE_HEADER, f"{column} is a key, which is text", "Take it out of numbers")
        elif column not in header:
            near = get_close_matches(column, header, n=1)
            cure = f"Write {near[0]} under numbers" if near else "Take it out of numbers"
            text = f"there is no column {column}, which numbers names; there are {', '.join(header)}"
            self._tell(line, Code.TABLE_HEADER, text, cure)
        else:
            return True
        return False

    def _cure(self, header: list[str]) -> str:
        other = next((mark for mark in ";\t|," if mark in header[0] and mark != self._delimiter), None)
        if len(header) == 1 and other:
            return f'Write delimiter: "{other}"'.replace("\t", "\\t")
        return "Write key with the name of one of them"

    def _tell(self, line: int, code: Code, text: str, cure: str = "") -> None:
        told = self._told[code] = self._told.get(code, 0) + 1
        if told <= MAX_TOLD:
            self.problems.append(TableProblem(line, code, text, cure))

    def finish(self) -> CsvTable:
        """What was read."""
        if self._header is None:
            self._tell(
                1,
                Code.TABLE_HEADER,
                "the file is empty; expected a row with the names of the columns",
                "Write the header row, as in id,ric",
            )
        more = [(code, told - MAX_TOLD) for code, told in self._told.items() if told > MAX_TOLD]
        self.problems += [
            TableProblem(1, code, f"{count} more rows have the same problem", "Correct these first")
            for code, count in more
        ]
        return CsvTable(Table(self._name, self._rows, frozenset(self._header or ())), self.problems)
