"""The files that ``dictionary`` names: read, and checked."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path

from contribd.config.document import Document
from contribd.config.errors import Problem
from contribd.config.excerpt import Excerpt
from contribd.config.files_read import read_file
from contribd.config.model import Settings
from contribd.config.nodes import DataPath
from contribd.dictionary.dictionary import Dictionary
from contribd.dictionary.lines import FileProblem, decoded
from contribd.dictionary.pair import parse_pair
from contribd.mapping.codes import Code
from contribd.mapping.fieldtypes import NO_DICTIONARY, UNREAD, FieldTypes

MAX_FILE_BYTES = 16 * 1024 * 1024
"""The vendor's have 2 and 1 MB. A path to something else by mistake (a log, a device) is refused, not read."""


@dataclass(frozen=True, slots=True)
class DictionaryFiles:
    """What the files come to; ``dictionary`` is None where none was read."""

    files: tuple[Path, ...] = ()

    types: FieldTypes = NO_DICTIONARY
    dictionary: Dictionary | None = None
    problems: list[Problem] = field(default_factory=list)

    @property
    def digest(self) -> str | None:
        """SHA-256 of the content, in hexadecimal; None where there is none."""
        return None if self.dictionary is None else self.dictionary.digest()


def load_dictionary(
    configuration: Document, settings: Settings, skipped: AbstractSet[DataPath], *, lenient: bool
) -> DictionaryFiles:
    """The files of ``settings``, whose paths are absolute; the places in ``skipped`` are known to be wrong.

    Those that cannot be read are left to who checks the configuration's files; ``lenient``: none is looked at.
    """
    given = settings.dictionary
    if any(path[:1] == ("dictionary",) for path in skipped):
        return DictionaryFiles(types=UNREAD)
    if given.fields is None:
        return DictionaryFiles(problems=_enums_alone(configuration) if given.enums is not None else [])
    files = (given.fields,) if given.enums is None else (given.fields, given.enums)
    if lenient:
        return DictionaryFiles(files, UNREAD)
    fields = _content(given.fields)
    enums = _content(given.enums) if given.enums is not None else None
    if fields is None or (enums is None and given.enums is not None):
        return DictionaryFiles(files, UNREAD)
    large = [
        configuration.problem(
            ("dictionary", name),
            f"the file has more than {MAX_FILE_BYTES} bytes",
            code=Code.DICTIONARY_FILE,
            cure="Check that this is the file meant",
        )
        for name, content in (("fields", fields), ("enums", enums))
        if content is not None and len(content) > MAX_FILE_BYTES
    ]
    if large:
        return DictionaryFiles(files, UNREAD, problems=large)
    pair = parse_pair(fields, enums)
    problems = [_problem(given.fields, fields, each) for each in pair.of_fields]
    if given.enums is not None and enums is not None:
        problems += [_problem(given.enums, enums, each) for each in pair.of_enums]
    return DictionaryFiles(files, pair.dictionary, pair.dictionary, problems)


def _enums_alone(configuration: Document) -> list[Problem]:
    text = "enumerated types have no effect without the fields that have them"
    cure = "Set dictionary.fields to the RDMFieldDictionary that belongs to it"
    return [configuration.problem(("dictionary", "enums"), text, code=Code.ENUMS_ALONE, cure=cure)]


def _content(file: Path) -> bytes | None:
    """At most a byte more than is allowed."""
    try:
        return read_file(file, MAX_FILE_BYTES + 1)
    except OSError:
        return None


def _problem(file: Path, content: bytes, found: FileProblem) -> Problem:
    line = decoded(content).split("\n", found.line)[found.line - 1].rstrip("\r")
    start = min(found.column - 1, len(line))
    end = start + len((line[start:].split(maxsplit=1) or [""])[0])
    shown = Excerpt(line, start, end)
    place = (found.line, end + 1)
    return Problem(file, found.line, found.column, "", found.text, found.code, found.cure, end=place, excerpt=shown)
