"""RDMFieldDictionary and enumtype.def: what they say, and the place of whatever is wrong with them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.dictionary.dictionary_samples import ENUMS, FIELDS, full_size, made, sample

from contribd.dictionary.enums_file import parse_enums
from contribd.dictionary.fields_file import Field, parse_fields
from contribd.dictionary.lines import FileProblem
from contribd.dictionary.pair import parse_pair
from contribd.dictionary.rwf import RwfType
from contribd.mapping.codes import Code

BID = 'BID "BID" 22 NULL PRICE 17 REAL64 7'


def test_a_line_of_a_field_is_read_to_its_end() -> None:
    parsed = parse_fields(FIELDS)
    assert parsed.problems == []
    assert parsed.fields["TRDPRC_1"] == Field(
        "TRDPRC_1", "LAST", 6, "TRDPRC_2", "PRICE", 17, None, RwfType.REAL, 7, line=10
    )
    currency = parsed.fields["CURRENCY"]
    assert (currency.display_length, currency.enum_length, currency.length) == (5, 3, 2)
    assert parsed.by_fid[-17].name == "OWN_FIELD"


def test_tables_belong_to_all_the_fields_above_them() -> None:
    parsed = parse_enums(ENUMS)
    assert parsed.problems == []
    assert parsed.owners[14].table is parsed.owners[3111].table
    assert parsed.owners[14].table is not parsed.owners[15].table
    assert parsed.owners[15].table.displays[826] == "GBP"


def test_a_display_text_counts_without_the_spaces_at_its_end() -> None:
    table = parse_enums(ENUMS).owners[15].table
    assert table.values("USD") == table.values("USD ") == (840,)
    assert table.values("XX") == (991, 992)
    assert table.values("") == (0,)
    assert table.values("usd") == ()


def test_spaces_at_the_start_count_only_where_nothing_else_tells_two_apart() -> None:
    table = parse_enums(ENUMS).owners[14].table
    assert table.values("USD") == table.values(" USD") == (8,)
    assert table.values("-") == (7,)
    assert table.values(" -") == (6,)
    assert table.texts() == ["Þ", "þ", "U", "-", "USD"]


def test_hexadecimal_display_texts_are_utf8_or_latin1() -> None:
    owners = parse_enums(ENUMS).owners
    assert owners[15].table.values("£") == (993,)
    assert owners[14].table.values("Þ") == (1,)


def test_files_of_windows_and_with_a_mark_at_the_start_are_read() -> None:
    fields = b"\xef\xbb\xbf" + FIELDS.replace(b"\n", b"\r\n")
    assert parse_fields(fields).fields == parse_fields(FIELDS).fields
    assert parse_enums(ENUMS.replace(b"\n", b"\r\n")).problems == []


def test_what_is_not_utf8_is_latin1() -> None:
    parsed = parse_fields(BID.replace('"BID"', '"CO\xdbT"').encode("latin-1"))
    assert parsed.fields["BID"].dde_name == "CO\xdbT"


@pytest.mark.parametrize(
    ("line", "column", "expected"),
    [
        ("BID BID 22 NULL PRICE 17 REAL64 7", 5, "expected the DDE acronym in double quotes, got 'BID'"),
        ('BID "BID 22 NULL PRICE 17 REAL64 7', 5, "expected the DDE acronym in double quotes, got '\"BID'"),
        ('BID "BID" x22 NULL PRICE 17 REAL64 7', 11, "expected a FID, got 'x22'"),
        ('BID "BID" 22 NULL PRICE 17.5 REAL64 7', 25, "expected a length as 17 or 3 ( 5 ), got '17.5'"),
        ('BID "BID" 22 NULL ENUMERATED 3 ( x ) ENUM 1', 32, "expected an RWF type as REAL64"),
        ('BID "BID" 22 NULL PRICE 17 REAL64', 34, "expected the RWF length, got the end of the line"),
        ('BID "BID" 22 NULL PRICE 17 REAL64 7 8', 37, "expected the end of the line, got '8'"),
        ('BID "BID" 22 NULL PRICE 17 REEL64 7', 28, "expected an RWF type as REAL64, UINT64, ENUM or RMTES_STRING"),
        ('BID "BID" 0 NULL PRICE 17 REAL64 7', 11, "expected a FID between -32768 and 32767 other than 0, got 0"),
        ('BID "BID" 40000 NULL PRICE 17 REAL64 7', 11, "expected a FID between -32768 and 32767 other than 0"),
        ('BID "BID" 22 NULL PRICE 17 RMTES_STRING 99999', 41, "expected an RWF length of at most 65535, got 99999"),
    ],
)
def test_a_wrong_line_of_a_field_says_what_was_expected_where(line: str, column: int, expected: str) -> None:
    (problem,) = parse_fields(f"! comment\n\n{line}\n".encode()).problems
    assert (problem.line, problem.column, problem.code) == (3, column, Code.DICTIONARY_LINE)
    assert problem.text.startswith(expected)


@pytest.mark.parametrize(
    ("lines", "line", "column", "expected"),
    [
        ('CURRENCY fifteen\n 0 "A"', 1, 10, "expected a FID, got 'fifteen'"),
        ("CURRENCY 15\n 840 USD dollar", 2, 6, "expected a display text in double quotes, or hexadecimal"),
        ('CURRENCY 15\n 840 "USD', 2, 6, "expected a display text in double quotes, or hexadecimal"),
        ("CURRENCY 15\n 840 #C2A# pound", 2, 6, "expected a display text in double quotes, or hexadecimal"),
        ('CURRENCY 15\n 70000 "USD"', 2, 2, "expected a value of at most 65535, got 70000"),
        ('  840 "USD"', 1, 3, "expected a field's acronym and FID above the first value"),
        ('CURRENCY 99999\n 0 "A"', 1, 10, "expected a FID between"),
        ('CURRENCY 15\n 0 "A"\nTICK 14\n', 3, 1, "expected values below TICK, got the end of the file"),
    ],
)
def test_a_wrong_line_of_a_table_says_what_was_expected_where(
    lines: str, line: int, column: int, expected: str
) -> None:
    problem = parse_enums(lines.encode()).problems[0]
    assert (problem.line, problem.column) == (line, column)
    assert problem.text.startswith(expected)


def test_what_is_defined_twice_and_differently_is_told_with_the_first_line() -> None:
    twice = f'{BID}\nBID "BID" 23 NULL PRICE 17 REAL64 7\nOFFER "OFFER" 22 NULL PRICE 17 REAL64 7\n'
    assert [(problem.line, problem.text) for problem in parse_fields(twice.encode()).problems] == [
        (2, "BID is defined already in line 1, as BID with FID 22"),
        (3, "FID 22 is defined already in line 1, as BID with FID 22"),
    ]
    tables = 'A 1\n 0 "x"\n 0 "y"\nB 1\n 0 "z"\n'
    assert [(problem.line, problem.code) for problem in parse_enums(tables.encode()).problems] == [
        (3, Code.DICTIONARY_TWICE),
        (4, Code.DICTIONARY_TWICE),
    ]


def test_the_same_line_twice_is_no_mistake() -> None:
    assert parse_fields(f"{BID}\n{BID}\n".encode()).problems == []
    assert parse_enums(b'A 1\n 0 "x"\n 0 "x"\n').problems == []


@pytest.mark.parametrize("content", [b"", b"! only\n! comments\n"])
def test_files_that_hold_nothing_are_refused(content: bytes) -> None:
    assert [problem.code for problem in parse_fields(content).problems] == [Code.DICTIONARY_FILE]
    assert [problem.code for problem in parse_enums(content).problems] == [Code.DICTIONARY_FILE]


def test_every_mistake_is_told_at_once() -> None:
    lines = FIELDS.decode().splitlines()
    wrong = [number for number, line in enumerate(lines) if line.startswith(("BID ", "ASK ", "QUOTIM "))]
    for number in wrong:
        lines[number] = lines[number].replace('"', "'")
    assert [problem.line - 1 for problem in parse_fields("\n".join(lines).encode()).problems] == wrong


def holds(problems: list[FileProblem], content: bytes) -> bool:
    """Whether each problem stands in a line that there is."""
    lines = content.count(b"\n") + 1
    return all(1 <= problem.line <= lines and problem.column >= 1 and problem.text for problem in problems)


WORDS = st.sampled_from(
    rb"""BID "BID" 22 -1 NULL PRICE 17 3(5) REAL64 ENUM 7 #DE# ! " # 99999999""".split()
    + b"\t|\n|\r\n|\x00|\xff|\xc2\x85|\xe2\x80\xa8|\x0b| ".split(b"|")
)
CONTENT = (
    st.binary(max_size=200) | st.lists(WORDS, max_size=60).map(b" ".join) | st.lists(WORDS, max_size=60).map(b"".join)
)


@given(CONTENT)
def test_any_bytes_are_fields_or_problems_with_lines(content: bytes) -> None:
    parsed = parse_fields(content)
    assert parsed.fields or parsed.problems
    assert holds(parsed.problems, content)
    assert {field.fid for field in parsed.fields.values()} == set(parsed.by_fid)


@given(CONTENT)
def test_any_bytes_are_tables_or_problems_with_lines(content: bytes) -> None:
    parsed = parse_enums(content)
    assert parsed.owners or parsed.problems
    assert holds(parsed.problems, content)
    if not parsed.problems:
        assert all(owner.table.displays for owner in parsed.owners.values())


@given(st.integers(0, len(FIELDS) - 1), st.binary(min_size=1, max_size=3))
def test_a_broken_place_in_a_file_of_fields_is_found_in_its_line_or_does_no_harm(at: int, garbage: bytes) -> None:
    content = FIELDS[:at] + garbage + FIELDS[at + 1 :]
    parsed = parse_fields(content)
    line = FIELDS.count(b"\n", 0, at) + 1
    assert all(
        line <= problem.line <= line + garbage.count(b"\n") + 1 or "already" in problem.text
        for problem in parsed.problems
    )


@given(CONTENT, st.none() | CONTENT)
def test_any_two_files_are_a_dictionary_or_problems_with_lines(fields: bytes, enums: bytes | None) -> None:
    pair = parse_pair(fields, enums)
    assert pair.dictionary.whole is not bool(pair.of_fields or pair.of_enums)
    assert holds(pair.of_fields, fields)
    assert holds(pair.of_enums, enums or b"")
    for name in pair.dictionary.fields:
        known = pair.dictionary.field(name)
        assert known is None or known.name
    assert len(pair.dictionary.digest()) == 64


def test_a_full_size_pair_is_read() -> None:
    fields, enums = full_size()
    parsed, tables = parse_fields(fields), parse_enums(enums)
    assert (len(parsed.fields), parsed.problems) == (16_000, [])
    assert (len({id(owner.table) for owner in tables.owners.values()}), tables.problems) == (1_000, [])


def test_the_digest_is_of_the_content_and_not_of_the_layout() -> None:
    digest = sample().digest()
    assert re.fullmatch("[0-9a-f]{64}", digest)
    assert made(b"! more\n" + FIELDS.replace(b"  ", b" "), ENUMS).digest() == digest
    assert made(FIELDS.replace(b" 7\n", b" 8\n", 1), ENUMS).digest() != digest
    assert made(FIELDS, ENUMS.replace(b'"CAD"', b'"CAN"')).digest() != digest
