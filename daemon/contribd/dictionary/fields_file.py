"""RDMFieldDictionary: one field a line, with its acronym, FID and type."""

import re
from typing import Final, NamedTuple

from contribd.dictionary.lines import MAX_PROBLEMS, FileProblem, content_lines, is_fid, out_of_range_fid, unreadable
from contribd.dictionary.rwf import NAMES, RwfType
from contribd.mapping.codes import Code

MAX_LENGTH: Final = 65535
"""Of a field on the wire."""

_FORM: Final = 'Write ACRONYM "DDE ACRONYM" FID RIPPLES_TO FIELD_TYPE LENGTH RWF_TYPE RWF_LENGTH, or ! before a comment'
_LINE: Final = re.compile(
    r'\s*([!-~]+)\s+"([^"]*)"\s+(-?[0-9]{1,6})\s+([!-~]+)\s+([!-~]+)'
    r"\s+([0-9]{1,6})(?:\s*\(\s*([0-9]{1,6})\s*\))?\s+([!-~]+)\s+([0-9]{1,6})\s*(?:!.*)?",
    re.ASCII,
)
_WORD: Final = re.compile(r"[!-~]+(?=\s|$)", re.ASCII)
_COLUMNS: Final = (
    (_WORD, "a field's acronym in printable ASCII"),
    (re.compile(r'"[^"]*"(?=\s|$)'), "the DDE acronym in double quotes"),
    (re.compile(r"-?[0-9]{1,6}(?=\s|$)", re.ASCII), "a FID"),
    (_WORD, "the field that it ripples to, or NULL"),
    (_WORD, "a field type as ALPHANUMERIC or PRICE"),
    (re.compile(r"[0-9]{1,6}(?:\s*\(\s*[0-9]{1,6}\s*\))?(?=\s|$)", re.ASCII), "a length as 17 or 3 ( 5 )"),
    (re.compile(r"[A-Za-z0-9_]+(?=\s|$)", re.ASCII), "an RWF type as REAL64"),
    (re.compile(r"[0-9]{1,6}(?=\s|$)", re.ASCII), "the RWF length"),
)


class Field(NamedTuple):
    """One field. ``length`` is what a cache holds of it, in bytes; 0: no limit is told."""

    name: str
    """The acronym: its name in posts."""
    dde_name: str
    fid: int
    ripples_to: str | None
    field_type: str
    """Of Marketfeed, as written."""
    display_length: int
    enum_length: int | None
    """Of an enumerated field: characters of its display text."""
    type: RwfType
    length: int
    line: int


class FieldsFile(NamedTuple):
    """What the file holds, and what is wrong with it."""

    fields: dict[str, Field]
    """By acronym."""
    by_fid: dict[int, Field]
    problems: list[FileProblem]


def parse_fields(content: bytes) -> FieldsFile:
    """Read a whole file. Any bytes give fields, or problems with lines."""
    parsed = FieldsFile({}, {}, [])
    for number, line in content_lines(content):
        if len(parsed.problems) >= MAX_PROBLEMS:
            break
        found = _LINE.fullmatch(line)
        if found is None:
            parsed.problems.append(unreadable(number, line, _COLUMNS, _FORM))
            continue
        name, dde_name, fid, ripples_to, field_type, length, enum_length, rwf_type, rwf_length = found.groups()
        kind = NAMES.get(rwf_type)
        field = Field(
            name,
            dde_name,
            int(fid),
            None if ripples_to == "NULL" else ripples_to,
            field_type,
            int(length),
            int(enum_length) if enum_length else None,
            kind or RwfType.OTHER,
            int(rwf_length),
            number,
        )
        if kind is None or not is_fid(field.fid) or field.length > MAX_LENGTH:
            parsed.problems.append(_out_of_range(found, number, field, known=kind is not None))
        else:
            _add(parsed, field)
    if not parsed.fields and not parsed.problems:
        text = "the file holds no field"
        parsed.problems.append(FileProblem(1, 1, text, Code.DICTIONARY_FILE, "Name the vendor's RDMFieldDictionary"))
    return parsed


def _out_of_range(found: re.Match[str], number: int, field: Field, *, known: bool) -> FileProblem:
    if not known:
        text = f"expected an RWF type as REAL64, UINT64, ENUM or RMTES_STRING, got {found[8][:20]}"
        return FileProblem(number, found.start(8) + 1, text, Code.DICTIONARY_LINE)
    if field.length > MAX_LENGTH:
        text = f"expected an RWF length of at most {MAX_LENGTH}, got {field.length}"
        return FileProblem(number, found.start(9) + 1, text, Code.DICTIONARY_LINE)
    return out_of_range_fid(number, field.fid, found.start(3) + 1)


def _add(parsed: FieldsFile, field: Field) -> None:
    """A field given twice alike is no mistake."""
    for other, what in (
        (parsed.fields.get(field.name), f"{field.name}"),
        (parsed.by_fid.get(field.fid), f"FID {field.fid}"),
    ):
        if other is not None and other[:-1] != field[:-1]:
            text = f"{what} is defined already in line {other.line}, as {other.name} with FID {other.fid}"
            cure = "Remove one of the two lines"
            parsed.problems.append(FileProblem(field.line, 1, text, Code.DICTIONARY_TWICE, cure))
            return
    parsed.fields.setdefault(field.name, field)
    parsed.by_fid.setdefault(field.fid, field)
