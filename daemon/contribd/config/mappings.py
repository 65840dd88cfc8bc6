"""The mapping files that a configuration names: found, read, checked, compiled."""

import glob
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from contribd.config.document import Document, load_document
from contribd.config.errors import Problem
from contribd.config.interpolate import refuse
from contribd.config.model import Settings
from contribd.config.nodes import DataPath
from contribd.config.validate import Validation, validate
from contribd.config.wording import shown
from contribd.mapping.case_specs import CaseSpec
from contribd.mapping.compile import CompiledMapping, Site, compile_file
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
    """What the mapping files come to. ``data`` is that of the mappings alone, one list a file, for the digest."""

    files: list[Path] = field(default_factory=list)
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


def load_mappings(configuration: Document, service: str, skipped: AbstractSet[DataPath]) -> MappingFiles:
    """Everything that the configuration's ``mappings`` name; the places in ``skipped`` are known to be wrong."""
    found = MappingFiles()
    for path, pattern in _patterns(configuration, skipped):
        files, problem = _matches(configuration.file.parent, pattern)
        if problem:
            found.problems.append(configuration.problem(path, f"{shown(configuration, path, pattern)} {problem}"))
        found.files += [file for file in files if file not in found.files]
    for file in found.files:
        _read(found, load_document(file, refuse), service)
    return found


def read_mapping_file(file: Path, service: str) -> MappingFiles:
    """One mapping file by itself, for when there is no configuration. ``service`` is where a mapping names none."""
    found = MappingFiles(files=[file])
    _read(found, load_document(file, refuse), service)
    return found


def _patterns(configuration: Document, skipped: AbstractSet[DataPath]) -> list[tuple[DataPath, str]]:
    data = configuration.data if isinstance(configuration.data, dict) else {}
    if "mappings" not in data:
        return [(("mappings",), pattern) for pattern in Settings.model_fields["mappings"].default]
    given = data["mappings"]
    if isinstance(given, str):
        return [(("mappings",), given)] if ("mappings",) not in skipped else []
    items = enumerate(given) if isinstance(given, list) and ("mappings",) not in skipped else ()
    return [(("mappings", at), item) for at, item in items if ("mappings", at) not in skipped]


def _matches(base: Path, pattern: str) -> tuple[list[Path], str | None]:
    if "**" in pattern:
        return [], "holds **, which is not supported; name each folder"
    names = sorted(glob.glob(pattern, root_dir=base))  # noqa: PTH207 - Path.glob refuses an absolute pattern
    files = [file for name in names if (file := base / name).is_file()]
    if not files:
        return [], f"matches no file in {base.absolute()}"
    if len(files) > MAX_FILES:
        return [], f"matches {len(files)} files; at most {MAX_FILES} are read"
    return files, None


def _read(found: MappingFiles, document: Document, service: str) -> None:
    found.problems += document.problems
    if document.root is None:
        if not document.problems:
            found.problems.append(document.problem((), "the file is empty; expected mappings"))
        return
    outcome = validate(document, MappingFile)
    found.problems += outcome.problems
    model, places = _usable(document, outcome)
    if model is None:
        return
    compiled = compile_file(model, service, [mapping.name for mapping in found.compiled])
    for problem in compiled.problems:
        path = _original(problem.path, places)
        found.problems.append(
            document.problem(
                path, problem.text, key=problem.key, offset=problem.offset, code=problem.code, cure=problem.cure
            )
        )
    found.compiled += compiled.mappings
    found.sites += compiled.sites
    found.written |= {name: Written(document, path, spec) for name, (path, spec) in compiled.specs.items()}
    lines = [document.position(("tests", at))[0] for at in places["tests"]]
    found.cases += [Case(document.file, line, test) for line, test in zip(lines, compiled.tests, strict=True)]
    found.data.append(_lists(document)["mappings"])


def _usable(document: Document, outcome: Validation[MappingFile]) -> tuple[MappingFile | None, dict[str, list[int]]]:
    """The model less the mappings and tests that are wrong, and where those left stand in the file.

    So a mistake in the shape of one mapping does not hide the mistakes in the expressions of another.
    """
    wrong = {path[:2] for path in outcome.bad}
    lists = _lists(document)
    places = {name: [at for at in range(len(items)) if (name, at) not in wrong] for name, items in lists.items()}
    if outcome.model is not None and not wrong:
        return outcome.model, places
    try:
        kept = {name: [lists[name][at] for at in indexes] for name, indexes in places.items()}
        return MappingFile.model_validate(kept), places
    except ValidationError:
        return None, places


def _lists(document: Document) -> dict[str, list[Any]]:
    data = document.data if isinstance(document.data, dict) else {}
    return {name: data[name] if isinstance(data.get(name), list) else [] for name in ("mappings", "tests")}


def _original(path: DataPath, places: dict[str, list[int]]) -> DataPath:
    """A place in the model as the place in the file."""
    name, at = str(path[0]) if path else "", path[1] if len(path) > 1 else None
    return (name, places[name][at], *path[2:]) if isinstance(at, int) and name in places else path
