"""The two files together: the dictionary that they come to, and what is wrong with them."""

from typing import Final, NamedTuple

from contribd.dictionary.dictionary import Dictionary
from contribd.dictionary.enums_file import EnumsFile, parse_enums
from contribd.dictionary.fields_file import FieldsFile, parse_fields
from contribd.dictionary.lines import MAX_PROBLEMS, FileProblem
from contribd.mapping.codes import Code

MAX_TOLD: Final = 20
"""Problems of one file that are told one by one."""

_FILES: Final = ("RDMFieldDictionary", "enumtype.def")


class Pair(NamedTuple):
    """``dictionary`` holds what could be read; it is whole where there is no problem."""

    dictionary: Dictionary
    of_fields: list[FileProblem]
    of_enums: list[FileProblem]


def parse_pair(fields: bytes, enums: bytes | None) -> Pair:
    """Of the contents of RDMFieldDictionary and enumtype.def, where there is one. Any bytes are taken."""
    parsed = parse_fields(fields)
    tables = parse_enums(enums) if enums is not None else EnumsFile({}, [])
    of_enums = tables.problems + _other_names(parsed, tables)
    whole = not parsed.problems and not of_enums
    dictionary = Dictionary(parsed.fields, parsed.by_fid, tables.owners, whole)
    if parsed.problems and not parsed.fields:
        of_fields = [_no_such_file(parsed.problems[0], 0, other=bool(parse_enums(fields).owners))]
    else:
        of_fields = _told(parsed.problems)
    if tables.problems and not tables.owners:
        of_enums = [_no_such_file(tables.problems[0], 1, other=enums is not None and bool(parse_fields(enums).fields))]
    return Pair(dictionary, of_fields, _told(of_enums))


def _other_names(parsed: FieldsFile, tables: EnumsFile) -> list[FileProblem]:
    """A table would go to the wrong field where the two files name a FID differently."""
    found: list[FileProblem] = []
    for owner in tables.owners.values():
        field = parsed.by_fid.get(owner.fid)
        if field is not None and field.name != owner.name:
            text = f"FID {owner.fid} is {owner.name} here, and {field.name} in line {field.line} of {_FILES[0]}"
            found.append(FileProblem(owner.line, 1, text, Code.DICTIONARY_TWICE, "Name two files that belong together"))
    return found


def _no_such_file(first: FileProblem, which: int, *, other: bool) -> FileProblem:
    """One problem instead of one for each line, where no line is what it should be."""
    name, what = _FILES[which], ("field", "table")[which]
    if other:
        text = f"this is {_FILES[1 - which]}, where {name} is expected"
        return FileProblem(1, 1, text, Code.DICTIONARY_FILE, "Exchange dictionary.fields and dictionary.enums")
    text = f"no {what} could be read: {first.text}"
    return FileProblem(first.line, first.column, text, Code.DICTIONARY_FILE, f"Name the vendor's {name}")


def _told(problems: list[FileProblem]) -> list[FileProblem]:
    if len(problems) <= MAX_TOLD:
        return problems
    last = problems[MAX_TOLD]
    least = "at least " if len(problems) >= MAX_PROBLEMS else ""
    text = f"and {least}{len(problems) - MAX_TOLD} more from here on: {last.text}"
    return [*problems[:MAX_TOLD], last._replace(text=text)]
