"""The configuration and its mapping files, checked together."""

import gc
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from contribd.answers.table import NO_ANSWERS, Answers
from contribd.config.answers import LoadedAnswers, load_answers
from contribd.config.checks import cross_problems, file_problems, rooted
from contribd.config.codes import FileCode
from contribd.config.cures import between, is_about_key
from contribd.config.digest import digest_of, public_settings, secret_values
from contribd.config.document import Document, load_document
from contribd.config.errors import ConfigError, Problem
from contribd.config.field_dictionary import DictionaryFiles, load_dictionary
from contribd.config.files_read import keeping
from contribd.config.interpolate import Interpolation
from contribd.config.mappings import Case, MappingFiles, load_mappings
from contribd.config.model import Settings
from contribd.config.nodes import DataPath
from contribd.config.reread import NOTHING, Reread, reread_of
from contribd.config.reshape import reshape
from contribd.config.rules import Rules, kept_files, written_mappings, written_tables
from contribd.config.validate import validate
from contribd.config.wording import told
from contribd.config.yaml_repair import repaired
from contribd.mapping.fieldtypes import FieldTypes
from contribd.mapping.mapper import Mapper

ENVIRONMENT = "CONTRIBD_CONFIG"
DEFAULT_FILE = Path("/etc/contribd/contribd.yaml")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration without a mistake, ready for use."""

    settings: Settings
    """Every path in it is absolute."""
    mapper: Mapper
    cases: tuple[Case, ...]
    """The test cases of the mapping files, in order."""
    digest: str
    """SHA-256 in hexadecimal, see :func:`contribd.config.digest.digest_of`."""
    files: tuple[Path, ...]
    """The configuration file, the mapping files in the order in which they are tried, then what these include, the
    files of their tables, and the site's known answers."""
    secrets: frozenset[str]
    """What must not appear in a log: secret settings, and values read from files and credentials."""
    kafka_client: Reread
    """What of ``kafka.client`` stands in files and credentials."""
    field_types: FieldTypes
    """What the dictionary knows of fields."""
    rules: Rules
    """What the digest stands for."""
    answers: Answers
    """The known answers of an ADS, those of the site first."""


@dataclass(frozen=True, slots=True)
class Inspected:
    """What can be told of a configuration, with or without mistakes."""

    file: Path
    problems: list[Problem]
    settings: Settings
    """With defaults and placeholders where there is a mistake."""
    mappings: MappingFiles
    secrets: frozenset[str]
    kafka_client: Reread = NOTHING
    dictionary: DictionaryFiles = field(default_factory=DictionaryFiles)
    answers: LoadedAnswers = field(default_factory=lambda: LoadedAnswers(NO_ANSWERS))
    read: Mapping[Path, bytes] = field(default_factory=dict)
    """All files as they were read, by absolute path."""

    def beside_mappings(self, settings: Settings) -> Iterator[tuple[DataPath, str, str]]:
        """What the mappings need of settings that may be others than the file's: path, what is wrong, cure."""
        return _rmtes_problems(settings, self.mappings)

    @property
    def files(self) -> tuple[Path, ...]:
        return (self.file, *self.mappings.files, *self.mappings.below, *self.answers.files)

    def loaded(self) -> Loaded:
        """What is there to use. Raises ConfigError where there is any problem."""
        if self.problems:
            raise ConfigError(self.problems)
        rules = self._rules()
        return Loaded(
            settings=rooted(self.settings, self.file.absolute().parent),
            mapper=rules.mapper,
            cases=tuple(self.mappings.cases),
            digest=rules.digest,
            files=self.files,
            secrets=self.secrets | secret_values(self.settings),
            kafka_client=self.kafka_client,
            field_types=self.dictionary.types,
            rules=rules,
            answers=self.answers.answers,
        )

    def _rules(self) -> Rules:
        shown, data = public_settings(self.settings, self.secrets), self.mappings.data
        return Rules(
            name=str(self.file),
            digest=digest_of(shown, data, self.dictionary.digest),
            settings=shown,
            mappings=written_mappings(data),
            tables=written_tables(data),
            mapper=Mapper(self.mappings.compiled),
            files=kept_files(self.file, self.mappings.files, self.dictionary.files, self._rules_read()),
        )

    def _rules_read(self) -> dict[Path, bytes]:
        """Of the files read, those that have to do with what is posted."""
        return {path: text for path, text in self.read.items() if path not in self.answers.files}


def resolve_path(path: Path | None, environ: Mapping[str, str]) -> Path:
    """The configuration file: the one given, else ``$CONTRIBD_CONFIG``, else ``/etc/contribd/contribd.yaml``."""
    return path or (Path(environ[ENVIRONMENT]) if environ.get(ENVIRONMENT) else DEFAULT_FILE)


def load(path: Path | None = None, *, environ: Mapping[str, str] | None = None) -> Loaded:
    """Read and check everything. Raises ConfigError with every problem found in all files.

    ``environ`` replaces the process's environment.
    """
    return inspect(path, environ=environ).loaded()


def inspect(path: Path | None = None, *, environ: Mapping[str, str] | None = None, lenient: bool = False) -> Inspected:
    """Find out what is wrong, without raising.

    With ``lenient`` no variable, secret or file outside the configuration and its mappings is looked at: they count
    as present and right.
    """
    environ = os.environ if environ is None else environ
    with keeping() as read, _without_collector():
        found = _inspect(resolve_path(path, environ), environ, lenient=lenient)
    return replace(found, read=read)


@contextmanager
def _without_collector() -> Iterator[None]:
    """Trees of some ten thousand nodes are made, and none is garbage before the end: looking for it takes a sixth."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _inspect(file: Path, environ: Mapping[str, str], *, lenient: bool) -> Inspected:
    interpolation = Interpolation(environ, lenient=lenient)
    document = load_document(file, interpolation)
    if document.root is None and not file.exists():
        cure = f"Name another with --config FILE or ${ENVIRONMENT}"
        document.problems = [Problem(file, 1, 1, "", "there is no such file", FileCode.UNREADABLE, cure)]
    elif document.root is None and not document.problems:
        text, cure = "the file is empty; expected kafka, ads and mappings", "Write at least kafka: and ads:"
        document.problems.append(Problem(file, 1, 1, "", text, FileCode.EMPTY, cure))
    if document.root is None:
        return _without_configuration(document)
    reshape(document, Settings)
    outcome = validate(document, Settings, interpolation.unknown)
    bad = outcome.bad | interpolation.unknown
    settings = outcome.model or repaired(document.data, bad)
    absolute = rooted(settings, file.absolute().parent)
    further = [
        document.problem(path, **between(path, told(document, path, text))._asdict(), key=is_about_key(text))
        for path, text in _contradictions(settings, absolute, lenient=lenient)
        if path not in bad  # a stand-in's problem is not the user's
    ]
    dictionary = load_dictionary(document, absolute, bad, lenient=lenient)
    mappings = load_mappings(document, settings.ads.service, bad, dictionary.types)
    answers = load_answers(absolute, bad, lenient=lenient)
    if _withdraws_nothing(settings, mappings):
        text, cure = "no mapping lists fields to blank", "Add withdraw: [BID, ASK] to one, or leave this off"
        place = ("contribution", "withdraw")
        further.append(document.problem(place, text, code=FileCode.CONTRADICTION, cure=cure))
    further += [
        document.problem(path, text, code=FileCode.CONTRADICTION, cure=cure)
        for path, text, cure in _rmtes_problems(settings, mappings)
    ]
    problems = {
        *document.problems,
        *outcome.problems,
        *further,
        *dictionary.problems,
        *mappings.problems,
        *answers.problems,
    }
    reread = reread_of(document.root, environ)
    secrets = frozenset(interpolation.secrets)
    return Inspected(file, sorted(problems), settings, mappings, secrets, reread, dictionary, answers)


def _without_configuration(document: Document) -> Inspected:
    """Nothing of it can be read: the mapping files that it would have by default are looked at all the same."""
    settings = repaired({}, set())
    mappings = load_mappings(document, settings.ads.service, frozenset())
    others = [problem for problem in mappings.problems if problem.file != document.file]
    return Inspected(document.file, sorted({*document.problems, *others}), settings, mappings, frozenset())


def _withdraws_nothing(settings: Settings, mappings: MappingFiles) -> bool:
    wanted = settings.contribution.withdraw.wanted and bool(mappings.compiled) and not mappings.problems
    return wanted and not any(mapping.withdraw for mapping in mappings.compiled)


def _rmtes_problems(settings: Settings, mappings: MappingFiles) -> Iterator[tuple[DataPath, str, str]]:
    """What mappings with ``as: rmtes`` need of the configuration."""
    escaped = next((mapping for mapping in mappings.compiled if mapping.rmtes), None)
    if escaped is not None and settings.ads.rmtes_escape is None:
        text = f"mapping {escaped.name} posts {escaped.rmtes[0]} as: rmtes; how this ADS takes the escapes must be said"
        yield ("ads", "rmtes_escape"), text, "Write rmtes_escape: raw or json, once you have seen which one arrives"
    partly = next((mapping for mapping in mappings.compiled if mapping.partly), None)
    if partly is not None and settings.contribution.conflate:
        text = f"mapping {partly.name} posts partial updates: of two that wait only the newer would be posted"
        yield ("contribution", "conflate"), text, "Write conflate: false"


def _contradictions(settings: Settings, absolute: Settings, *, lenient: bool) -> Iterator[tuple[DataPath, str]]:
    """What is wrong between keys, and with the files they name, whose paths are ``absolute`` there."""
    yield from cross_problems(settings)
    if not lenient:
        yield from file_problems(absolute)
