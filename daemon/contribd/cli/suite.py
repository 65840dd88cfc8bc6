"""Which test cases are to be run, and against which mappings."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from contribd.config.errors import ConfigError
from contribd.config.load import DEFAULT_FILE, ENVIRONMENT, inspect
from contribd.config.mappings import Case, MappingFiles, read_mapping_file
from contribd.mapping.case_specs import CaseSpec
from contribd.mapping.cases import CaseResult, judge_of, run_case, value_of
from contribd.mapping.coverage import Coverage
from contribd.mapping.explain import Explanation, explain
from contribd.mapping.fieldtypes import NO_DICTIONARY, FieldTypes
from contribd.mapping.mapper import Mapper
from contribd.mapping.noted import NotedMapper
from contribd.mapping.tape import Tape, recording


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line asks for. ``service``: where a mapping names none and there is no configuration."""

    files: tuple[Path, ...]
    config: Path | None
    service: str


@dataclass(frozen=True, slots=True)
class Group:
    """Cases that are run against the same mappings."""

    mappings: MappingFiles
    cases: tuple[Case, ...]
    measured: frozenset[str]
    """The mappings whose coverage is asked for."""

    def mapper(self) -> Mapper:
        """As in the daemon."""
        return Mapper(self.mappings.compiled)

    def coverage(self) -> Coverage:
        """Nothing tried yet."""
        written = self.mappings.written
        sites = [site for site in self.mappings.sites if site.mapping in self.measured]
        return Coverage([(each.path, each.spec) for name, each in written.items() if name in self.measured], sites)


@dataclass(frozen=True, slots=True)
class Ran:
    """A test case that was run."""

    case: Case
    result: CaseResult
    seconds: float
    group: int


def by_themselves(wanted: Wanted) -> bool:
    """Whether the files are tried without a configuration, since there is none."""
    there_is_one = wanted.config is not None or os.environ.get(ENVIRONMENT) or DEFAULT_FILE.is_file()
    return bool(wanted.files) and not there_is_one


def read_groups(wanted: Wanted, seen: set[Path]) -> list[Group]:
    """Raises ConfigError; even then ``seen`` gets all files that the outcome depends on, those with mistakes too."""
    if by_themselves(wanted):
        return [_alone(file, wanted.service, seen) for file in wanted.files]
    everything = inspect(wanted.config)
    seen.update([*everything.files, *everything.dictionary.files])
    if everything.problems:
        raise ConfigError(everything.problems)
    if not wanted.files:
        return [_whole(everything.mappings)]
    return [
        _of_file(everything.mappings, file)
        if any(file.samefile(other) for other in everything.files[1:] if other.exists())
        else _alone(file, everything.settings.ads.service, seen, everything.dictionary.types)
        for file in wanted.files
    ]


def noted_groups(wanted: Wanted) -> tuple[list[Group], Tape]:
    """The same, compiled so that what happens is told on the tape."""
    tape = Tape()
    with recording(tape):
        return read_groups(wanted, set()), tape


def run_group(number: int, group: Group) -> Iterator[Ran]:
    """Every case of the group, in order."""
    mapper = group.mapper()
    for case in group.cases:
        begun = time.perf_counter()
        result = run_case(case.test, mapper, f"line {case.line}")
        yield Ran(case, result, time.perf_counter() - begun, number)


def explained(ran: list[Ran], wanted: Wanted) -> dict[int, tuple[Explanation, Group]]:
    """The way of each record to its outcome, by the identity of what was run."""
    if not ran:
        return {}
    groups, tape = noted_groups(wanted)
    mappers = [_noted(group, tape) for group in groups]
    return {id(one): (_explain(mappers[one.group], one.case.test), groups[one.group]) for one in ran}


def measured(wanted: Wanted) -> list[tuple[Group, Coverage]]:
    """What the cases of each group try."""
    groups, tape = noted_groups(wanted)
    found = []
    for group in groups:
        coverage, mapper = group.coverage(), _noted(group, tape)
        for case in group.cases:
            coverage.add(mapper.map(value_of(case.test), case.test.surroundings, judge_of(case.test)))
        found.append((group, coverage))
    return found


def _explain(mapper: NotedMapper, test: CaseSpec) -> Explanation:
    return explain(mapper, value_of(test), test.surroundings, judge_of(test))


def _noted(group: Group, tape: Tape) -> NotedMapper:
    return NotedMapper(group.mappings.compiled, group.mappings.sites, tape)


def _whole(mappings: MappingFiles) -> Group:
    return Group(mappings, tuple(mappings.cases), frozenset(mappings.written))


def _of_file(mappings: MappingFiles, only: Path) -> Group:
    """The cases of one file, against the mappings of all."""
    return Group(
        mappings,
        tuple(case for case in mappings.cases if only.samefile(case.file)),
        frozenset(name for name, each in mappings.written.items() if only.samefile(each.document.file)),
    )


def _alone(file: Path, service: str, seen: set[Path], types: FieldTypes = NO_DICTIONARY) -> Group:
    seen.add(file)
    mappings = read_mapping_file(file, service, types)
    seen.update(mappings.files, mappings.below)
    if mappings.problems:
        raise ConfigError(mappings.problems)
    return _whole(mappings)
