"""A configuration with a field dictionary: mappings are checked by it, and its content is part of the rules."""

import time
from pathlib import Path

import pytest
from tests.config.conftest import MINIMAL, Write
from tests.dictionary.dictionary_samples import ENUMS, FIELDS

from contribd.config.errors import Problem
from contribd.config.field_dictionary import MAX_FILE_BYTES
from contribd.config.load import inspect, load
from contribd.mapping.outcome import Mapped

BOTH = "dictionary: {fields: RDMFieldDictionary, enums: enumtype.def}\n"
MAPPING = """\
mappings:
  - name: spot
    ric: "{pair}=TRCC"
    fields: {"22": bid, CURRENCY: ccy, "ROW64_{number(row)}": {from: text, missing: skip}}
tests:
  - record: {pair: EUR, bid: 1.5, ccy: USD, row: 3, text: x}
    post: {ric: EUR=TRCC, fields: {"22": 1.5, CURRENCY: 840, ROW64_3: x}}
"""


@pytest.fixture
def dictionary(tmp_path: Path) -> Path:
    """Where the two files are."""
    (tmp_path / "RDMFieldDictionary").write_bytes(FIELDS)
    (tmp_path / "enumtype.def").write_bytes(ENUMS)
    return tmp_path


def told(file: Path, **options: bool) -> list[Problem]:
    return inspect(file, environ={}, **options).problems


@pytest.mark.usefixtures("dictionary")
def test_mappings_are_made_with_the_dictionary(write: Write) -> None:
    loaded = load(write(MINIMAL + BOTH, spot=MAPPING), environ={})
    outcome = loaded.mapper.map(b'{"pair": "EUR", "bid": 1.5, "ccy": "EUR", "row": 10, "text": "x"}')
    assert isinstance(outcome, Mapped)
    assert list(outcome.fields) == ["BID", "CURRENCY", "ROW64_10"]
    assert outcome.fields["CURRENCY"] == 978
    expected = loaded.cases[0].test.post
    assert expected is not None
    assert list(expected.fields or ()) == ["BID", "CURRENCY", "ROW64_3"]


def test_mistakes_of_mappings_and_of_the_dictionary_are_told_together(write: Write, dictionary: Path) -> None:
    fields = FIELDS.replace(b'"ASK"', b"ASK")
    (dictionary / "RDMFieldDictionary").write_bytes(fields)
    mapping = "mappings: [{name: one, ric: A=, fields: {BID: {value: x}, ASK: ask, SOMETHING: x}}]"
    found = told(write(MINIMAL + BOTH, spot=mapping))
    line = fields.split(b"\n").index(next(each for each in fields.split(b"\n") if each.startswith(b"ASK "))) + 1
    assert [(each.file.name, each.line, each.code) for each in found] == [
        ("RDMFieldDictionary", line, "M420"),
        ("spot.yaml", 1, "M402"),
    ]
    assert found[0].excerpt is not None
    assert found[0].excerpt.text[found[0].excerpt.start : found[0].excerpt.end] == "ASK"
    assert found[0].end == (line, found[0].column + len("ASK"))


@pytest.mark.usefixtures("dictionary")
def test_unknown_names_have_the_place_of_the_key(write: Write) -> None:
    mapping = "mappings:\n  - name: one\n    ric: A=\n    fields:\n      BID: bid\n      B ID: bid\n"
    (found,) = told(write(MINIMAL + BOTH, spot=mapping))
    assert (found.line, found.column, found.code, found.cure) == (6, 7, "M401", "Write BID")


@pytest.mark.usefixtures("dictionary")
def test_the_enums_may_be_left_out(write: Write) -> None:
    only = "dictionary: {fields: RDMFieldDictionary}\n"
    mapping = "mappings: [{name: one, ric: A=, fields: {CURRENCY: {value: USD}}}]"
    (found,) = told(write(MINIMAL + only, spot=mapping))
    assert "dictionary.enums" in found.cure
    assert told(write(MINIMAL + only, spot=mapping.replace("USD", "840"))) == []


@pytest.mark.usefixtures("dictionary")
def test_enums_alone_are_refused(write: Write) -> None:
    (found,) = told(write(MINIMAL + "dictionary: {enums: enumtype.def}\n"))
    assert (found.path, found.code) == ("dictionary.enums", "M423")


@pytest.mark.usefixtures("dictionary")
def test_files_taken_for_each_other_are_told(write: Write) -> None:
    exchanged = "dictionary: {fields: enumtype.def, enums: RDMFieldDictionary}\n"
    found = told(write(MINIMAL + exchanged))
    assert [(each.file.name, each.line, each.code) for each in found] == [
        ("RDMFieldDictionary", 1, "M422"),
        ("enumtype.def", 1, "M422"),
    ]
    assert {each.cure for each in found} == {"Exchange dictionary.fields and dictionary.enums"}


def test_a_file_that_is_something_else_is_one_problem(write: Write, dictionary: Path) -> None:
    (dictionary / "enumtype.def").write_bytes(bytes(range(1, 256)) * 100)
    (found,) = told(write(MINIMAL + BOTH))
    assert (found.file.name, found.code) == ("enumtype.def", "M422")


def test_of_many_wrong_lines_the_first_are_told_one_by_one(write: Write, dictionary: Path) -> None:
    (dictionary / "RDMFieldDictionary").write_bytes(FIELDS + b"X\n" * 30)
    found = told(write(MINIMAL + BOTH))
    assert len(found) == 21
    assert found[-1].text.startswith("and 10 more from here on: ")


def test_a_large_file_of_something_else_is_told_soon(write: Write, dictionary: Path) -> None:
    (dictionary / "RDMFieldDictionary").write_bytes(FIELDS + b"X\n" * 1_000_000)
    begun = time.process_time()
    found = told(write(MINIMAL + BOTH))
    assert found[-1].text.startswith("and at least 980 more from here on: ")
    assert time.process_time() - begun < 10
    (dictionary / "RDMFieldDictionary").write_bytes(b"\n" * (MAX_FILE_BYTES + 1))
    (one,) = told(write(MINIMAL + BOTH))
    assert (one.path, one.text) == ("dictionary.fields", "the file has more than 16777216 bytes")


def test_two_files_that_name_a_fid_differently_do_not_belong_together(write: Write, dictionary: Path) -> None:
    (dictionary / "enumtype.def").write_bytes(ENUMS.replace(b"CURRENCY", b"CURRENCE"))
    (found,) = told(write(MINIMAL + BOTH))
    assert found.text == "FID 15 is CURRENCE here, and CURRENCY in line 15 of RDMFieldDictionary"


def test_a_file_that_is_not_there_is_told_once_and_hides_nothing_else(write: Write) -> None:
    mapping = "mappings: [{name: one, ric: A=, fields: {BID: bid +, 'ROW64_{n}': text}}]"
    found = told(write(MINIMAL + BOTH, spot=mapping))
    assert [each.path for each in found] == ["dictionary.fields", "dictionary.enums", "mappings[0].fields.BID"]


def test_enums_that_are_not_there_are_told_once_and_nothing_follows_from_it(write: Write, dictionary: Path) -> None:
    (dictionary / "enumtype.def").unlink()
    mapping = "mappings: [{name: one, ric: A=, fields: {CURRENCY: {value: USD}}}]"
    assert [each.path for each in told(write(MINIMAL + BOTH, spot=mapping))] == ["dictionary.enums"]


def test_nothing_follows_from_a_dictionary_that_is_no_path(write: Write) -> None:
    mapping = "mappings: [{name: one, ric: A=, fields: {'ROW64_{n}': text}}]"
    assert [each.path for each in told(write(MINIMAL + "dictionary: {fields: 7}\n", spot=mapping))] == [
        "dictionary.fields"
    ]


def test_the_files_are_told_in_their_order(write: Write, dictionary: Path) -> None:
    both = inspect(write(MINIMAL + BOTH, spot=MAPPING), environ={}).dictionary
    assert both.files == (dictionary / "RDMFieldDictionary", dictionary / "enumtype.def")
    only = inspect(write(MINIMAL + "dictionary: {fields: RDMFieldDictionary}\n", spot=MAPPING), environ={}).dictionary
    assert only.files == (dictionary / "RDMFieldDictionary",)


def test_a_build_server_without_the_files_checks_the_rest(write: Write) -> None:
    assert told(write(MINIMAL + BOTH, spot=MAPPING), lenient=True) == []
    (found,) = told(write(MINIMAL + BOTH, spot=MAPPING.replace('"22": bid', '"22": bid +')), lenient=True)
    assert found.path == "mappings[0].fields.22"


def test_the_content_is_part_of_the_digest_and_its_place_is_not(write: Write, dictionary: Path) -> None:
    def digest(text: str) -> str:
        return load(write(MINIMAL + text, spot=MAPPING), environ={}).digest

    first = digest(BOTH)
    (dictionary / "Other").write_bytes(b"! comment\n" + FIELDS.replace(b"\n", b"\r\n"))
    assert digest(BOTH.replace("RDMFieldDictionary", "Other")) == first
    (dictionary / "enumtype.def").write_bytes(ENUMS.replace(b'"CAD"', b'"CAN"'))
    assert digest(BOTH) != first
