"""YAML with positions: what is read, what is refused, and where things stand."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from contribd.config import compose
from contribd.config.document import MAX_FILE_BYTES, Document, dotted, load_document, parse_document
from contribd.config.nodes import MAX_DEPTH, MAX_NODES
from contribd.config.scalars import Doubtful


def parsed(text: str) -> Document:
    return parse_document(text.encode(), Path("c.yaml"))


def first_problem(text: str) -> str:
    return str(parsed(text).problems[0])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12),
        ("-3", -3),
        ("1.50", Decimal("1.50")),
        ("1e3", Decimal("1e3")),
        (".5", Decimal("0.5")),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("plain text", "plain text"),
        ('"12"', "12"),
        ("'true'", "true"),
        ("010", "010"),
        ("0o17", "0o17"),
        ("0x1F", "0x1F"),
        ("1:30", "1:30"),
        ("1_000", "1_000"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("2026-11-22", "2026-11-22"),
        ("1.2.3", "1.2.3"),
    ],
)
def test_scalars_are_read_by_the_core_schema_with_decimal_numbers_only(text: str, value: object) -> None:
    read = parsed(f"a: {text}").data["a"]
    assert read == value
    assert type(read) is type(value)
    assert str(read) == str(value)


def test_a_number_keeps_its_decimals() -> None:
    assert str(parsed("a: 1.10").data["a"]) == "1.10"


@pytest.mark.parametrize("word", ["yes", "No", "ON", "off", "y", "N"])
def test_a_yaml_1_1_boolean_stays_the_word_it_is_and_is_marked(word: str) -> None:
    read = parsed(f"a: {word}").data["a"]
    assert isinstance(read, Doubtful)
    assert read == word
    assert read.truth is (word.lower() in ("yes", "on", "y"))


def test_a_quoted_yaml_1_1_boolean_is_plain_text() -> None:
    assert type(parsed('a: "no"').data["a"]) is str


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1\nb: 2\na: 3", "c.yaml:3:1: duplicate key a; the first is on line 1, column 1"),
        ("a: {x: 1,\n  x: 2}", "c.yaml:2:3: a: duplicate key x; the first is on line 1, column 5"),
        ("lookup:\n  NO: 578", 'c.yaml:2:3: lookup.NO: key NO is a boolean in YAML 1.1; write "NO" in quotes'),
        ("1: x", 'c.yaml:1:1: 1: key 1 is not text; write "1" in quotes'),
        ("true: x", 'c.yaml:1:1: true: key true is not text; write "true" in quotes'),
        ("~: x", 'c.yaml:1:1: ~: an empty key; expected text, or "null" in quotes'),
        ("? [a]\n: x", "c.yaml:1:3: a key that is a section or a list; expected text"),
        ("a: !!python/name:os.system x", "c.yaml:1:4: a: tag tag:yaml.org,2002:python/name:os.system"),
        ("a: !secret x", "c.yaml:1:4: a: tag !secret: tags are not supported; remove it"),
        ("a: *b", "c.yaml:1:4: a: alias *b has no anchor &b before it"),
        ("a: &b [*b]", "c.yaml:1:8: a[0]: alias *b has no anchor &b before it"),
        ("a: 1\n---\nb: 2", "c.yaml:2:1: a second document; expected one document a file"),
        ("a: [1", "c.yaml:1:4: a: this '[' is not closed; write the ']'"),
        ("a: {b: ${C}, d: 1}", "inside [ ] and { } write ${NAME} in quotes"),
        ("a: b: c", "c.yaml:1:5: a: not YAML: text without quotes cannot hold ': '; write \"b: c\""),
        ("a:\n\t- b", "c.yaml:2:1: a tab in the indentation; YAML takes spaces only; write 2 spaces in place of it"),
        ("a: 1e400", "c.yaml:1:4: a: a number with an exponent beyond 308"),
        (f"a: {'9' * 65}", "c.yaml:1:4: a: a number of more than 64 characters"),
        (
            "a: {b: round(c, 2)}",
            'c.yaml:1:8: a.b: inside { } and [ ] a text without quotes ends at the comma; write "round(c, 2)"',
        ),
        ("a: {b: 1, c}", "c.yaml:1:12: a.c: no value; expected key: value; write text that holds a comma in quotes"),
        ("a:\n  <<: 3", "c.yaml:2:3: a: << takes a section or a list of sections"),
        ("- " * (MAX_DEPTH + 2) + "x", f"nested more than {MAX_DEPTH} deep"),
        ("a: \x00", "c.yaml:1:4: a: not YAML: a character not allowed"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, problem: str) -> None:
    assert problem in first_problem(text)


def test_a_file_that_is_not_utf_8_is_named_with_the_place_of_the_byte() -> None:
    document = parse_document("a: é\nb: ".encode() + b"\xff", Path("c.yaml"))
    assert (
        str(document.problems[0])
        == "c.yaml:2:4: b: byte 0xff is not UTF-8 (in Windows-1252 it is ÿ); save the file as UTF-8"
    )


def test_a_byte_order_mark_does_not_shift_places() -> None:
    document = parse_document(b"\xef\xbb\xbfabc: 1", Path("c.yaml"))
    assert document.data == {"abc": 1}
    assert document.position(("abc",)) == (1, 6)


def test_every_problem_is_told_at_once() -> None:
    assert len(parsed("a: 1\na: 2\nNO: 1\nb: !x 1\nc: 1e999").problems) == 4


def test_a_file_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    assert "cannot be read: No such file" in str(load_document(tmp_path / "absent").problems[0])
    assert "cannot be read: Is a directory" in str(load_document(tmp_path).problems[0])


def test_a_file_too_large_to_be_a_configuration_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "large.yaml"
    file.write_bytes(b"#" * (MAX_FILE_BYTES + 1))
    assert "larger than" in str(load_document(file).problems[0])


def test_aliases_share_a_value_and_merge_keys_fill_in_what_is_missing() -> None:
    text = "a: &a {x: 1, y2: 2}\nb: *a\nc:\n  <<: *a\n  x: 3\nd:\n  <<: [{x: 5}, *a]\n"
    document = parsed(text)
    assert document.problems == []
    assert document.data["b"] == {"x": 1, "y2": 2}
    assert document.data["c"] == {"x": 3, "y2": 2}
    assert document.data["d"] == {"x": 5, "y2": 2}
    assert document.position(("c", "y2")) == (1, 18)


def test_aliases_cannot_blow_up() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    document = parsed("\n".join(lines))
    assert f"more than {MAX_NODES} values, aliases expanded" in str(document.problems[0])
    assert document.data is None


def test_positions_are_those_of_values_keys_and_the_nearest_section_around_what_is_missing() -> None:
    document = parsed("kafka:\n  prices: [a,\n    b]\nads: {}\n")
    assert document.position(("kafka", "prices", 1)) == (3, 5)
    assert document.position(("kafka", "prices"), key=True) == (2, 3)
    assert document.position(("kafka", "results")) == (1, 1)
    assert document.position(("ads", "tls", "ca_file")) == (4, 1)
    assert document.position(("nothing",)) == (1, 1)


SCALARS = """\
plain: bid + ask
unicode: "😀é + ask"
escapes: "a\\tb\\u00e9c\\x41d\\"e"
quotes: 'it''s ask'
folded plain: bid +
   ask * 2
literal: |
   bid +
   ask
folded: >-
   bid +
   ask
spaced: >
   bid

   ask
"""


@pytest.mark.parametrize("loader", [compose.LOADER, yaml.SafeLoader])
@pytest.mark.parametrize(
    ("key", "wanted", "place"),
    [
        ("plain", "ask", (1, 14)),
        ("unicode", "ask", (2, 16)),
        ("escapes", "b", (3, 14)),
        ("escapes", "c", (3, 21)),
        ("escapes", "e", (3, 29)),
        ("quotes", "s ask", (4, 14)),
        ("folded plain", "ask", (6, 4)),
        ("folded plain", "2", (6, 10)),
        ("literal", "ask", (9, 4)),
        ("folded", "ask", (12, 4)),
        ("spaced", "ask", (13, 9)),  # cannot be told for certain: the scalar itself
    ],
)
def test_an_offset_in_a_scalar_points_at_its_character(
    monkeypatch: pytest.MonkeyPatch, loader: Any, key: str, wanted: str, place: tuple[int, int]
) -> None:
    monkeypatch.setattr(compose.compose, "__defaults__", (loader,))
    document = parsed(SCALARS)
    offset = document.data[key].index(wanted)
    assert document.position((key,), offset=offset) == place


def test_an_offset_at_the_end_points_just_past_the_last_character() -> None:
    assert parsed("a: bid +").position(("a",), offset=5) == (1, 9)


def test_both_parsers_of_pyyaml_read_the_same() -> None:
    reports: list[Any] = []
    trees = [
        compose.compose(SCALARS, lambda *told: reports.append(told), loader)
        for loader in (compose.LOADER, yaml.SafeLoader)
    ]
    assert reports == []
    assert [list(tree.entries) for tree in trees] == [list(parsed(SCALARS).data)] * 2  # type: ignore[union-attr]


def test_a_path_is_written_with_dots_and_indexes() -> None:
    assert dotted(("ads", "endpoints", 0, "x")) == "ads.endpoints[0].x"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a: 1\nads:\n  endpoints: [ws://a:1/W] x\n  service: S\n", "ads.endpoints"),  # Y113
        ("ads: {endpoints: [a, round(b, 2)]}", "ads.endpoints[1]"),  # Y115
        ("a:\n  - b: 1\n    c: {d: [1}\n", "a[0].c.d"),
        ("a:\n  b: 1\n  b: 2\n", "a"),  # the second b is of no path
        ("a:\n  b: 1\n'c\n", ""),
    ],
)
def test_what_is_no_yaml_has_the_path_of_what_it_stands_in(text: str, path: str) -> None:
    assert parse_document(text.encode(), Path("c.yaml")).problems[0].path == path
