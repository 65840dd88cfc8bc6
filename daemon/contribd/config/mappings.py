"""The mapping files that a configuration names: found, read, checked, compiled."""

import glob
from collections import Counter
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from contribd.config.codes import FileCode
from contribd.config.cures import split
from contribd.config.document import Document
from contribd.config.errors import Problem
from contribd.config.holidays import HolidayReader
from contribd.config.library import Library
from contribd.config.mapping_repair import usable, written_lists
from contribd.config.merge import DEFAULTS
from contribd.config.model import Settings
from contribd.config.nodes import DataPath
from contribd.config.tables import TableReader
from contribd.config.validate import Validation
from contribd.config.wording import shown
from contribd.mapping.case_specs import CaseSpec
from contribd.mapping.codes import Code as MappingCode
from contribd.mapping.compile import compile_file
from contribd.mapping.compiled import CompiledMapping, MappingProblem, Site
from contribd.mapping.effects import unreached
from contribd.mapping.fieldtypes import NO_DICTIONARY, FieldTypes
from contribd.mapping.rules import MappingFile, MappingSpec

MAX_FILES = 1000
"""A mistaken pattern that matches a whole tree is an error, not a long wait."""


@dataclass(frozen=True, slots=True)
class Case:
    """A test case of a mapping file, and where it begins (lines count from 1)."""

    file: Path
    line: int
    test: CaseSpec


class Written(NamedTuple):
    """A mapping as its file has it."""

    document: Document
    path: DataPath
    spec: MappingSpec


@dataclass
class MappingFiles:
    """What the mapping files come to.

    ``data``, for the digest, is that of the mappings as they come out, one list a file; with the digests of the file's
    tables where it has any. ``documents`` are the files with their mappings so.
    """

    files: list[Path] = field(default_factory=list)
    below: list[Path] = field(default_factory=list)
    """What the files include, what their tables stand in, and files of holidays."""
    documents: list[Document] = field(default_factory=list)
    compiled: list[CompiledMapping] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)
    data: list[Any] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    sites: list[Site] = field(default_factory=list)
    """Every expression of the mappings."""
    written: dict[str, Written] = field(default_factory=dict)
    """The mappings by name, and where each stands."""

    def place(self, mapping: str, path: DataPath, offset: int = 0, *, key: bool = False) -> Problem:
        """File, line and column of what stands at ``path``: a problem with no text."""
        return self.written[mapping].document.problem(path, "", offset=offset, key=key)

    def place_of(self, site: Site) -> Problem:
        """The same of an expression."""
        return self.place(site.mapping, site.path, site.expression.at, key=site.in_key)


def load_mappings(
    configuration: Document, service: str, skipped: AbstractSet[DataPath], types: FieldTypes = NO_DICTIONARY
) -> MappingFiles:
    """Everything that the configuration's ``mappings`` name; the places in ``skipped`` are known to be wrong.

    ``types``: what is known of fields.
    """
    found = MappingFiles()
    for path, pattern in _patterns(configuration, skipped):
        matches, problem = _matches(configuration.file.parent, pattern)
        if problem:
            default = "" if "mappings" in _keys(configuration) else ", the default,"
            text = f"{shown(configuration, path, pattern)}{default} {problem}"
            cure = "Write the path of a mapping file, or a pattern of several, relative to the configuration file"
            found.problems.append(configuration.problem(path, **split(text, FileCode.NO_MAPPINGS, cure)._asdict()))
        cure = "Remove it, or name the files otherwise"  # nobody expects it to be passed over
        found.problems += [
            configuration.problem(path, f"{each} is {_what(each)}", code=MappingCode.NO_FILE, cure=cure)
            for each in matches
            if not each.is_file()
        ]
        found.files += [each for each in matches if each.is_file() and each not in found.files]
    _read_all(found, service, types)
    if found.files and not found.problems and not found.compiled:
        text = "the mapping files have no mapping: every record would be rejected"
        cure = "Write one below mappings: in a mapping file"
        found.problems.append(configuration.problem(("mappings",), text, code=MappingCode.NO_MAPPING, cure=cure))
    return found


def read_mapping_file(file: Path, service: str, types: FieldTypes = NO_DICTIONARY) -> MappingFiles:
    """One mapping file by itself, for when there is no configuration. ``service`` is where a mapping names none."""
    found = MappingFiles(files=[file])
    _read_all(found, service, types)
    found.problems = sorted(set(found.problems))
    return found


def _keys(configuration: Document) -> dict[str, Any]:
    return configuration.data if isinstance(configuration.data, dict) else {}


def _patterns(configuration: Document, skipped: AbstractSet[DataPath]) -> list[tuple[DataPath, str]]:
    data = _keys(configuration)
    if "mappings" not in data:
        return [(("mappings",), pattern) for pattern in Settings.model_fields["mappings"].default]
    given = data["mappings"]
    if isinstance(given, str):
        return [(("mappings",), given)] if ("mappings",) not in skipped else []
    items = enumerate(given) if isinstance(given, list) and ("mappings",) not in skipped else ()
    return [(("mappings", at), item) for at, item in items if ("mappings", at) not in skipped]


def _matches(base: Path, pattern: str) -> tuple[list[Path], str | None]:
    """All that a pattern matches, files and what is none; or why nothing of it is read."""
    if "**" in pattern:
        return [], "holds **, which is not supported; name each folder"
    names = sorted(glob.glob(pattern, root_dir=base))  # noqa: PTH207 - Path.glob refuses an absolute pattern
    matches = [base / name for name in names]
    files = sum(each.is_file() for each in matches)
    if not files and (not matches or (base / pattern).is_dir()):
        folder = f"; it is a folder: write {pattern}/*.yaml" if (base / pattern).is_dir() else ""
        return [], f"matches no file in {base.absolute()}{folder}"
    if files > MAX_FILES:
        return [], f"matches {files} files; at most {MAX_FILES} are read"
    return matches, None


def _what(path: Path) -> str:
    if path.is_symlink() and not path.exists():
        return f"a link to {path.readlink()}, which does not exist"
    return "a folder" if path.is_dir() else "no file"


def _read_all(found: MappingFiles, service: str, types: FieldTypes) -> None:
    library, tables, holidays = Library(), TableReader(), HolidayReader()
    for file in found.files:
        _read(found, *library.mapping_file(file), tables, holidays, service, types)
    found.problems += [
        found.written[each.mapping].document.problem(
            _asked(found, each.mapping), each.text, code=each.code, cure=each.cure
        )
        for each in unreached(found.compiled)
    ]
    found.problems += [*library.problems, *library.not_taken(found.files), *tables.problems, *holidays.problems]
    found.below += [*library.included, *tables.files, *holidays.files]


def _read(
    found: MappingFiles,
    document: Document,
    outcome: Validation[MappingFile],
    tables: TableReader,
    holidays: HolidayReader,
    service: str,
    types: FieldTypes,
) -> None:
    found.problems += document.problems + outcome.problems
    if document.root is None:
        if not document.problems:
            text, cure = "the file is empty; expected mappings", "Write mappings:, or remove the file"
            found.problems.append(document.problem((), text, code=FileCode.EMPTY, cure=cure))
        return
    found.documents.append(document)
    read = tables.tables(document)
    model, kept = usable(document, outcome)
    if model is None:
        return
    names = [mapping.name for mapping in found.compiled]
    tables_read = {name: loaded.table for name, loaded in read.items()}
    compiled = compile_file(
        model, service, names, tables=tables_read, types=types, holidays=holidays.holidays(document)
    )
    found.problems += _told(document, compiled.problems, kept)
    found.compiled += compiled.mappings
    found.sites += compiled.sites
    found.written |= {name: Written(document, path, spec) for name, (path, spec) in compiled.specs.items()}
    lines = [document.position(("tests", at))[0] for at in kept]
    found.cases += [Case(document.file, line, test) for line, test in zip(lines, compiled.tests, strict=True)]
    # In which order a mapping says its parts is layout.
    mappings = [
        dict(sorted(mapping.items())) for mapping in written_lists(document)["mappings"] if isinstance(mapping, dict)
    ]
    digests = {name: loaded.sha256 for name, loaded in read.items()} | holidays.digests_of(document)
    found.data.append({"mappings": mappings, "tables": digests} if digests else mappings)


def _asked(found: MappingFiles, name: str) -> DataPath:
    """Where a mapping says which records it takes."""
    written = found.written[name]
    return (*written.path, "name" if written.spec.when is None else "when")


def _told(document: Document, problems: list[MappingProblem], tests: list[int]) -> list[Problem]:
    """The problems at their places; ``tests``: which of the file's tests were looked at."""
    told: list[Problem] = []
    unused = Counter(_written_at(document, each.path) for each in problems if each.code == MappingCode.LET_UNUSED)
    for problem in problems:
        path = problem.path
        if path[0] == "tests" and isinstance(path[1], int):
            path = ("tests", tests[path[1]], *path[2:])
        if problem.code != MappingCode.LET_UNUSED or _is_for_one(document, path, unused):
            told.append(
                document.problem(
                    path, problem.text, key=problem.key, offset=problem.offset, code=problem.code, cure=problem.cure
                )
            )
    return told


def _is_for_one(document: Document, path: DataPath, unused: Counter[tuple[Path, DataPath]]) -> bool:
    """Whether a ``let`` that is not used is of no use: what is there for all need not be used by each."""
    file, place = _written_at(document, path)
    if place[:1] == (DEFAULTS,):
        return False
    if path[2] != "posts" or place[2] == "posts":
        return True
    posts = written_lists(document)["mappings"][int(path[1])]["posts"]
    takes = [at for at in range(len(posts)) if _written_at(document, (*path[:3], at, *path[4:])) == (file, place)]
    return unused[file, place] == len(takes)


def _written_at(document: Document, path: DataPath) -> tuple[Path, DataPath]:
    home = document.home(path)
    return home.document.file, home.path
