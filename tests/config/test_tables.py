"""Tables: what expressions find in them, and what is wrong with their files."""

from decimal import Decimal
from pathlib import Path

import pytest
from tests.config.conftest import Write

from contribd.config.csv_table import MAX_TOLD
from contribd.config.errors import ConfigError
from contribd.config.load import load
from contribd.mapping.mapper import Mapper
from contribd.mapping.outcome import Mapped, Rejected

CSV = "id,ric,tick\nA,EUR=,0.01\nB,GBP=,\n1.5,X=,2\n"
SPOT = """\
tables:
  instruments: %s
mappings:
  - name: spot
    ric: "{instruments[id].ric}"
    fields: {BID: {from: "number(instruments[id].tick)", missing: skip}, ASK: ask}
"""
FILE = "{file: ../inst.csv, key: id}"


def mapper(write: Write, table: str = FILE, csv: str | bytes = CSV) -> Mapper:
    file = write(spot=SPOT % table)
    (file.parent / "inst.csv").write_bytes(csv if isinstance(csv, bytes) else csv.encode())
    return load(file, environ={}).mapper


def problems(write: Write, table: str = FILE, csv: str | bytes = CSV) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        mapper(write, table, csv)
    return [f"{each.file.name}:{each.line}:{each.column}: {each.path}: {each.text}" for each in raised.value.problems]


def post(found: Mapper, record: bytes) -> tuple[str, dict[str, object]]:
    outcome = found.map(record)
    assert isinstance(outcome, Mapped), outcome
    return outcome.ric, dict(outcome.fields)


INLINE = "{A: {ric: EUR=, tick: 0.01}, B: {ric: GBP=}, '1.5': {ric: X=, tick: 2}}"


@pytest.mark.parametrize("table", [FILE, INLINE])
def test_a_row_is_found_by_its_key_and_an_empty_cell_is_none(write: Write, table: str) -> None:
    found = mapper(write, table)
    assert [*map(str, post(found, b'{"id": "A", "ask": 1}'))] == ["EUR=", "{'BID': Decimal('0.01'), 'ASK': 1}"]
    assert post(found, b'{"id": "B", "ask": 1}') == ("GBP=", {"ASK": 1})
    assert post(found, b'{"id": 1.50, "ask": 1}')[0] == "X="


def test_a_row_that_is_not_there_says_which_key_of_which_table(write: Write) -> None:
    outcome = mapper(write).map(b'{"id": "C", "ask": 1}')
    assert isinstance(outcome, Rejected)
    assert (outcome.code, outcome.text) == ("MissingField", 'ric: the table instruments has no row "C"')


def test_a_table_may_stand_in_a_yaml_file_and_a_row_may_be_one_value(write: Write, tmp_path: Path) -> None:
    (tmp_path / "rows.yaml").write_text("A: {ric: EUR=}\nB: {tick: 1}\n")
    assert post(mapper(write, "{file: ../rows.yaml}"), b'{"id": "A", "ask": 1}') == ("EUR=", {"ASK": 1})
    spot = 'tables: {rics: {A: EUR=}}\nmappings:\n  - {name: s, ric: "{rics[id]}", fields: {ASK: ask}}\n'
    assert post(load(write(spot=spot), environ={}).mapper, b'{"id": "A", "ask": 1}')[0] == "EUR="


@pytest.mark.parametrize(
    "csv",
    [
        b"\xef\xbb\xbfid,ric\nA,EUR=\n",
        b"id,ric\r\nA,EUR=\r\n",
        b"ric,id\nEUR=,A",
        b'id,ric,note\nA,EUR=,"two\nlines, ""one"" comma"\n\n',
    ],
)
def test_csv_as_spreadsheets_write_it(write: Write, csv: bytes) -> None:
    spot = f"tables: {{instruments: {FILE}}}\n"
    spot += 'mappings:\n  - {name: s, ric: "{instruments[id].ric}", fields: {F: x}}\n'
    file = write(spot=spot)
    (file.parent / "inst.csv").write_bytes(csv)
    assert post(load(file, environ={}).mapper, b'{"id": "A", "x": 1}')[0] == "EUR="


def test_a_delimiter_can_be_named(write: Write) -> None:
    semicolons = CSV.replace(",", ";")
    assert (
        post(mapper(write, FILE.replace("}", ', delimiter: ";"}'), semicolons), b'{"id": "A", "ask": 1}')[0] == "EUR="
    )
    with pytest.raises(ConfigError) as raised:
        mapper(write, FILE, semicolons)
    [problem] = raised.value.problems
    assert (problem.code, problem.cure) == ("M511", 'Write delimiter: ";"')


def test_columns_of_numbers_hold_numbers(write: Write) -> None:
    spot = f"tables: {{instruments: {FILE.replace('}', ', numbers: [tick, lot]}')}}}\n"
    spot += 'mappings:\n  - {name: s, ric: "{instruments[id].ric}", fields: {F: "bid * instruments[id].tick"}}\n'
    file = write(spot=spot)
    table = file.parent / "inst.csv"
    table.write_text("id,ric,tick,lot\nA,EUR=,0.50,\nB,GBP=,-2e-1,1\n")
    using = load(file, environ={}).mapper
    assert post(using, b'{"id": "A", "bid": 3}') == ("EUR=", {"F": Decimal("1.50")})
    assert post(using, b'{"id": "B", "bid": 3}') == ("GBP=", {"F": Decimal("-0.6")})
    table.write_text("id,ric,tick,lot\nA,EUR=,0.5,\nB,GBP=,1 000,1\nC,CHF=,2,NaN\n")
    with pytest.raises(ConfigError) as raised:
        load(file, environ={})
    assert [(each.line, each.code, each.text, each.cure) for each in raised.value.problems] == [
        (3, "M516", 'tick "1 000" is no number', "Write it as 1234.5, or take tick out of the table's numbers"),
        (4, "M516", 'lot "NaN" is no number', "Write it as 1234.5, or take lot out of the table's numbers"),
    ]


@pytest.mark.parametrize(
    ("numbers", "text", "cure"),
    [
        ("[tikc]", "there is no column tikc, which numbers names; there are id, ric, tick", "Write tick under numbers"),
        ("[id]", "id is a key, which is text", "Take it out of numbers"),
        ("tick", "expected the columns that hold numbers", "Write them as a list, as in numbers: [tick, lot]"),
        ("[[tick]]", "expected the columns that hold numbers", "Write them as a list, as in numbers: [tick, lot]"),
    ],
)
def test_columns_of_numbers_that_are_none_are_told(write: Write, numbers: str, text: str, cure: str) -> None:
    with pytest.raises(ConfigError) as raised:
        mapper(write, FILE.replace("}", f", numbers: {numbers}}}"))
    assert [(each.text, each.cure) for each in raised.value.problems] == [(text, cure)]


def test_a_row_is_found_by_any_of_its_keys(write: Write) -> None:
    table = FILE.replace("id}", "[id, isin]}")
    found = mapper(write, table, "id,isin,ric,tick\nA,US1,EUR=,0.01\nB,,GBP=,\nC,C,CHF=,\n")
    for key, ric in {"A": "EUR=", "US1": "EUR=", "B": "GBP=", "C": "CHF="}.items():
        assert post(found, b'{"id": "%b", "ask": 1}' % key.encode())[0] == ric
    assert problems(write, table, "id,isin,ric,tick\nA,US1,EUR=,\nB,A,GBP=,\n,US2,CHF=,\n") == [
        'inst.csv:3:1: tables.instruments: isin "A" is given again; the first is on line 2',
        "inst.csv:4:1: tables.instruments: the row has no id",
    ]
    assert problems(write, FILE.replace("id}", "[id, isni]}"), "id,isin,ric,tick\nA,US1,EUR=,\n") == [
        "inst.csv:1:1: tables.instruments: there is no column isni; there are id, isin, ric, tick"
    ]
    assert problems(write, FILE.replace("id}", "[]}")) == [
        "spot.yaml:2:41: tables.instruments.key: expected one column, or several"
    ]


def test_mistakes_in_a_file_are_told_with_its_lines(write: Write) -> None:
    csv = 'id,ric,tick\nA,"two\nlines",1\nB,x\nA,y,2\n,z,3\n C,q,4\n'
    assert problems(write, csv=csv) == [
        "inst.csv:4:1: tables.instruments: the row has 2 cells; the header has 3",
        'inst.csv:5:1: tables.instruments: id "A" is given again; the first is on line 2',
        "inst.csv:6:1: tables.instruments: the row has no id",
        'inst.csv:7:1: tables.instruments: " C" has spaces around it',
    ]


@pytest.mark.parametrize(
    ("csv", "text"),
    [
        ("", "1:1: tables.instruments: the file is empty"),
        ("nr,ric,tick\n1,a,b\n", "1:1: tables.instruments: there is no column id; there are nr, ric, tick"),
        ("id,ric,ric,tick\n", "1:1: tables.instruments: there are two columns ric"),
        ("id,,ric,tick\n", "1:1: tables.instruments: column 2 has no name"),
        ("id, ric,tick\n", "1:1: tables.instruments: column 2 has spaces around its name"),
        ('id,ric,tick\nA,"b,c\n', "2:1: tables.instruments: no CSV: unexpected end of data"),
        (b"id,ric,tick\nA,\xe9,1\n", "2:1: tables.instruments: byte 0xe9 is not UTF-8"),
    ],
)
def test_a_file_that_is_no_table_is_told_at_its_line(write: Write, csv: str | bytes, text: str) -> None:
    assert [found.startswith(f"inst.csv:{text}") for found in problems(write, csv=csv)] == [True]


def test_of_very_many_mistakes_of_one_kind_the_first_are_told(write: Write) -> None:
    csv = "id,ric,tick\n" + "A,b\n" * 500
    found = problems(write, csv=csv)
    assert len(found) == MAX_TOLD + 1
    assert f"{500 - MAX_TOLD} more rows have the same problem" in found[0]


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ("{file: nope.csv, key: id}", "cannot be read: No such file"),
        ("{file: .., key: id}", "is a folder"),
        ("{file: ../inst.csv}", "expected key: the column that rows are found by"),
        ("{file: ../inst.csv, key: id, sep: ;}", "unknown key; a table in a file has file, key, delimiter"),
        ("{file: ../inst.csv, key: 5}", "expected text, got a number"),
        ('{file: ../inst.csv, key: id, delimiter: ", "}', "expected one character"),
        ("[1]", "expected a section: file and key, or rows by their keys"),
        ("{}", "the table is empty"),
        ("{A: {ric: x}, B: 2}", "expected a section (column: value), as the first row is, got a number"),
        ("{A: 1, B: {ric: x}}", "expected one value, as the first row is, got a section"),
        ("{A: {ric: [1]}}", "expected one value, got a list"),
        ("{A: {ric: NO, tick: 1}}", "NO is a boolean in YAML 1.1"),
    ],
)
def test_what_is_no_table_is_told_in_the_mapping_file(write: Write, table: str, text: str) -> None:
    found = problems(write, table)
    assert len(found) == 1, found
    assert text in found[0]
    assert found[0].startswith("spot.yaml:2:")


@pytest.mark.parametrize("name", ["in", "item", "round", "a-b", "2a"])
def test_a_table_has_a_name_that_an_expression_can_say(write: Write, name: str) -> None:
    spot = f'tables: {{{name}: {{A: 1}}}}\nmappings:\n  - {{name: s, ric: "{{x}}", fields: {{F: x}}}}\n'
    with pytest.raises(ConfigError) as raised:
        load(write(spot=spot), environ={})
    assert [(problem.code, problem.line, problem.column) for problem in raised.value.problems] == [("M514", 1, 10)]


def test_an_unknown_column_is_told_where_it_is_named(write: Write) -> None:
    with pytest.raises(ConfigError) as raised:
        mapper(write, csv=CSV.replace("ric", "name"))
    assert "the table instruments has no column ric" in str(raised.value)
