"""The tables of a mapping file: read from where it says, or from the file itself."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from contribd.config.csv_table import MAX_TABLE_BYTES, MAX_TOLD, CsvTable, read_csv
from contribd.config.document import Document, load_document
from contribd.config.errors import Problem
from contribd.config.files_read import read_file, why_not_read
from contribd.config.interpolate import refuse
from contribd.config.nodes import DataPath
from contribd.config.scalars import kind
from contribd.config.validate import doubtful_words
from contribd.config.wording import doubtful
from contribd.mapping.codes import Code
from contribd.mapping.given_names import unfit_name
from contribd.mapping.tables import Table

_OPTIONS = ("file", "key", "delimiter", "numbers")
_encode = msgspec.json.Encoder(decimal_format="number", enc_hook=str).encode


class _AnyColumn(frozenset[str]):
    """Stands in for the columns of a table that cannot be read: nothing more is said about them."""

    def __contains__(self, _column: object) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class LoadedTable:
    """A table, and the SHA-256 of its rows in hexadecimal."""

    table: Table
    sha256: str


class _Source(NamedTuple):
    """Which file, read how."""

    file: Path
    keys: tuple[str, ...]
    delimiter: str
    numbers: tuple[str, ...]


@dataclass
class TableReader:
    """Reads tables, and each file once however many mapping files name it."""

    files: list[Path] = field(default_factory=list)
    """Those that tables stand in."""
    problems: list[Problem] = field(default_factory=list)
    _read: dict[tuple[_Source, str], LoadedTable] = field(default_factory=dict)

    def tables(self, document: Document) -> dict[str, LoadedTable]:
        """Every table of a mapping file, merged with what it includes. One that is wrong has a stand-in."""
        data = document.data.get("tables") if isinstance(document.data, dict) else None
        if not isinstance(data, dict):
            return {}
        return {name: self._table(document, ("tables", name), name, written) for name, written in data.items()}

    def _table(self, document: Document, path: DataPath, name: str, written: Any) -> LoadedTable:
        if text := unfit_name(name, "table"):
            problem = document.problem(path, text, key=True, code=Code.TABLE_NAME, cure="Give it another name")
            self.problems.append(problem)
        if not isinstance(written, dict):
            return _stand_in(name)  # its shape is told already
        if isinstance(written.get("file"), str):
            return self._from_file(document, path, name, written)
        return self._inline(document, path, name, written)

    # In a file of its own

    def _from_file(self, document: Document, path: DataPath, name: str, written: dict[str, Any]) -> LoadedTable:
        options = list(_option_problems(document, path, written))
        self.problems += options
        if options:
            return _stand_in(name)
        file = document.home(path).document.file.parent / written["file"]
        is_yaml = file.suffix.lower() in {".yaml", ".yml"}
        if problem := _unfit(document, (*path, "file"), file) or _unfit_key(document, path, written, is_yaml=is_yaml):
            self.problems.append(problem)
            return _stand_in(name)
        key = written.get("key", "")
        keys = (key,) if isinstance(key, str) else tuple(key)
        source = _Source(file, keys, written.get("delimiter", ","), tuple(written.get("numbers", ())))
        if (source, name) not in self._read:
            self._read[source, name] = self._yaml(name, file) if is_yaml else self._csv(name, source)
        return self._read[source, name]

    def _csv(self, name: str, source: _Source) -> LoadedTable:
        self._note(source.file)
        read: CsvTable = read_csv(name, read_file(source.file), *source[1:])
        where = f"tables.{name}"
        self.problems += [
            Problem(source.file, each.line, 1, where, each.text, each.code, each.cure) for each in read.problems
        ]
        return _loaded(read.table) if not read.problems else _stand_in(name)

    def _yaml(self, name: str, file: Path) -> LoadedTable:
        self._note(file)
        document = load_document(file, refuse)
        self.problems += document.problems
        words = doubtful_words(document.data)
        self.problems += [document.problem(path, **doubtful(document, path, word)._asdict()) for path, word in words]
        if not isinstance(document.data, dict):
            if not document.problems:
                text = f"expected rows by their keys, got {kind(document.data)}"
                self.problems.append(
                    document.problem(
                        (), text, code=Code.TABLE_SHAPE, cure="Write each row behind its key, as in EUR: {ric: EUR=}"
                    )
                )
            return _stand_in(name)
        return self._inline(document, (), name, document.data)

    def _note(self, file: Path) -> None:
        if file not in self.files:
            self.files.append(file)

    # As YAML

    def _inline(self, document: Document, path: DataPath, name: str, rows: dict[str, Any]) -> LoadedTable:
        wrong = list(_row_problems(rows))
        for key, inside, text in wrong[:MAX_TOLD]:
            self.problems.append(
                document.problem(
                    (*path, key, *inside),
                    text,
                    code=Code.TABLE_SHAPE,
                    cure="Write one constant, or one section of constants, for each key",
                )
            )
        if wrong or not rows:
            if not rows:
                self.problems.append(
                    document.problem(
                        path, "the table is empty", code=Code.TABLE_SHAPE, cure="Write its rows, as in EUR: {ric: EUR=}"
                    )
                )
            return _stand_in(name)
        sections = [row for row in rows.values() if isinstance(row, dict)]
        columns = frozenset(column for row in sections for column in row) if sections else None
        return _loaded(Table(name, rows, columns))


_COLUMNS = {
    "numbers": ("expected the columns that hold numbers", "Write them as a list, as in numbers: [tick, lot]"),
    "key": ("expected one column, or several", "Write key: id, or key: [cusip, isin] where any of them finds a row"),
}


def _option_problems(document: Document, path: DataPath, written: dict[str, Any]) -> Iterator[Problem]:
    for option, value in written.items():
        if option not in _OPTIONS:
            text = f"unknown key; a table in a file has {', '.join(_OPTIONS)}"
            yield document.problem(
                (*path, option), text, key=True, code=Code.TABLE_SHAPE, cure="Remove it, or write one of these"
            )
        elif option == "numbers" or (option == "key" and isinstance(value, list)):
            if not value or not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
                text, cure = _COLUMNS[option]
                yield document.problem((*path, option), text, code=Code.TABLE_SHAPE, cure=cure)
        elif not isinstance(value, str) or not value:
            yield document.problem(
                (*path, option), f"expected text, got {kind(value)}", code=Code.TABLE_SHAPE, cure="Write it in quotes"
            )
    delimiter = written.get("delimiter")
    if isinstance(delimiter, str) and (len(delimiter) != 1 or delimiter in '"\r\n '):
        text = 'expected one character between the cells of a row, such as ";" or "\\t"'
        yield document.problem((*path, "delimiter"), text, code=Code.TABLE_SHAPE, cure='Write delimiter: ";"')


def _unfit(document: Document, path: DataPath, file: Path) -> Problem | None:
    """Why a table's file cannot be read."""
    try:
        if file.is_dir():
            text = f"{file} is a folder"
        elif file.stat().st_size > MAX_TABLE_BYTES:
            text = f"{file} is larger than {MAX_TABLE_BYTES} bytes"
        else:
            with file.open("rb") as opened:
                opened.read(1)
            return None
    except (OSError, ValueError) as error:
        text = f"{file} cannot be read: {why_not_read(error)}"
    return document.problem(path, text, code=Code.TABLE_FILE, cure="Name a file, relative to the one that names it")


def _unfit_key(document: Document, path: DataPath, written: dict[str, Any], *, is_yaml: bool) -> Problem | None:
    if is_yaml and written.keys() & {"key", "delimiter", "numbers"}:
        text = "a YAML file has its rows by their keys already: key, delimiter and numbers are for CSV"
        return document.problem(path, text, code=Code.TABLE_SHAPE, cure="Remove them")
    if "key" not in written and not is_yaml:
        text = "expected key: the column that rows are found by"
        return document.problem(path, text, code=Code.TABLE_SHAPE, cure="Write {file: …, key: id}, for example")
    return None


def _row_problems(rows: dict[str, Any]) -> Iterator[tuple[str, DataPath, str]]:
    """What is wrong with rows in YAML: the key of the row, the place in it, and what is said."""
    sections = next((isinstance(row, dict) for row in rows.values()), False)
    for key, row in rows.items():
        if not key or key != key.strip():
            yield key, (), "a key that is empty, or has spaces around it, would not be found"
        elif isinstance(row, list) or isinstance(row, dict) != sections:
            wanted = "a section (column: value), as the first row is" if sections else "one value, as the first row is"
            yield key, (), f"expected {wanted}, got {kind(row)}"
        elif isinstance(row, dict):
            for column, value in row.items():
                if isinstance(value, dict | list):
                    yield key, (column,), f"expected one value, got {kind(value)}"


def _loaded(table: Table) -> LoadedTable:
    return LoadedTable(table, sha256(_encode(table.rows)).hexdigest())


def _stand_in(name: str) -> LoadedTable:
    return LoadedTable(Table(name, {}, _AnyColumn()), "")
