"""The files of holidays that publish rules name: dates, one a line; what stands behind a comma is for people."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from contribd.config.document import Document
from contribd.config.errors import Problem
from contribd.config.files_read import read_file, why_not_read
from contribd.config.nodes import DataPath
from contribd.mapping.codes import Code

MAX_BYTES: Final = 1_000_000
"""Of a file: the holidays of all markets for centuries."""

_KEY: Final = ("publish", "holidays")
_TOLD: Final = 3


@dataclass
class HolidayReader:
    """Reads each file once, however many mappings name it."""

    files: list[Path] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    digests: dict[tuple[Path, str], str] = field(default_factory=dict)
    """Of the dates, by the mapping file and the name that it has for the file of holidays."""
    _read: dict[Path, frozenset[date]] = field(default_factory=dict)

    def holidays(self, document: Document) -> dict[DataPath, frozenset[date]]:
        """Those that a mapping file names, by the place of the mapping or post whose rules name them."""
        found: dict[DataPath, frozenset[date]] = {}
        for place, written in _named(document.data):
            path = (*place, *_KEY)
            file = document.home(path).document.file.parent / written
            if file not in self._read:
                self._read[file] = self._dates(document, path, file)
            found[place] = self._read[file]
            dates = " ".join(map(str, sorted(found[place])))
            self.digests[document.file, f"{written} (holidays)"] = sha256(dates.encode()).hexdigest()
        return found

    def digests_of(self, document: Document) -> dict[str, str]:
        """Of the files that a mapping file names, by their names, for the digest of the configuration."""
        return {name: digest for (file, name), digest in self.digests.items() if file == document.file}

    def _dates(self, document: Document, path: DataPath, file: Path) -> frozenset[date]:
        try:
            text = read_file(file, MAX_BYTES + 1).decode("utf-8-sig")
        except (OSError, ValueError) as error:
            text = f"{file} cannot be read: {why_not_read(error)}"
            cure = "Name a file of dates, relative to this one"
            self.problems.append(document.problem(path, text, code=Code.HOLIDAYS, cure=cure))
            return frozenset()
        if len(text) > MAX_BYTES:
            text, cure = f"{file} is larger than {MAX_BYTES} bytes", "Name a file of dates, one a line"
            self.problems.append(document.problem(path, text, code=Code.HOLIDAYS, cure=cure))
            return frozenset()
        self.files.append(file)
        return self._of_lines(file, text.splitlines())

    def _of_lines(self, file: Path, lines: list[str]) -> frozenset[date]:
        found: set[date] = set()
        wrong: list[Problem] = []
        for number, line in enumerate(lines, 1):
            cell = line.partition("#")[0].partition(",")[0].strip().strip('"')
            if not cell or (number == 1 and cell.lower() == "date"):
                continue
            try:
                found.add(_date(cell))
            except ValueError:
                text, cure = f"{cell[:40]!r} is no date", "Write it as YYYY-MM-DD"
                wrong.append(Problem(file, number, 1, "holidays", text, Code.HOLIDAYS, cure))
        self.problems += wrong[:_TOLD]
        return frozenset(found)


def _date(text: str) -> date:
    """``2026-12-25`` and nothing else: Python would take ``20261225`` and week dates too. Raises ValueError."""
    found = date.fromisoformat(text)
    if found.isoformat() != text:
        raise ValueError(text)
    return found


def _named(data: Any) -> Iterator[tuple[DataPath, str]]:
    """Every mapping and post whose rules name a file."""
    for at, mapping in _sections(data, "mappings"):
        for place, part in ((("mappings", at), mapping), *_posts(at, mapping)):
            rules = part.get("publish")
            written = rules.get("holidays") if isinstance(rules, dict) else None
            if isinstance(written, str):
                yield place, written


def _posts(at: int, mapping: dict[str, Any]) -> Iterator[tuple[DataPath, dict[str, Any]]]:
    yield from ((("mappings", at, "posts", each), post) for each, post in _sections(mapping, "posts"))


def _sections(data: Any, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    listed = data.get(name) if isinstance(data, dict) else None
    for at, each in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(each, dict):
            yield at, each
