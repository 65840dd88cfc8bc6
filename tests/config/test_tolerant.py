"""A file that breaks YAML's grammar: each mistake is told where it begins, and hides nothing else."""

import time
from pathlib import Path

import pytest

from contribd.config.codes import FileCode
from contribd.config.document import Document, parse_document


def parsed(text: str) -> Document:
    return parse_document(text.encode(), Path("m.yaml"))


def told(text: str) -> list[tuple[str, int, int, str]]:
    return [(each.code, each.line, each.column, each.advice) for each in sorted(parsed(text).problems)]


BEFORE, AFTER = "x:\n  k: 1\n", "z: 5\n"

VALUES = [
    ('"FX" == asset', FileCode.AFTER_QUOTE, 4, """write '"FX" == asset'"""),
    ("{pair}=X", FileCode.AFTER_BRACE, 4, 'write "{pair}=X"'),
    ("{pair}", FileCode.BRACES, 4, 'write "{pair}"'),
    ("{{ pair }}", FileCode.BRACES, 4, 'write "{pair}"'),
    ("@key", FileCode.FIRST, 4, 'write "@key"'),
    ("`x`", FileCode.FIRST, 4, 'write "`x`"'),
    ("%x", FileCode.FIRST, 4, 'write "%x"'),
    ("> 5", FileCode.FIRST, 4, 'write "> 5"'),
    (", x", FileCode.FIRST, 4, 'write ", x"'),
    ("& x", FileCode.FIRST, 4, 'write "& x"'),
    ("*key", FileCode.ALIAS, 4, 'write "*key" in quotes where text is meant, or &key before the section meant'),
    ("!x y", FileCode.TAG, 4, "remove it"),
    ("b: c", FileCode.COLON, 5, 'write "b: c"'),
    ("- c", FileCode.ITEM_INLINE, 4, "write - c on a line of its own, below the key"),
    ('"abc', FileCode.QUOTE, 4, 'write "abc"'),
    ("'it's'", FileCode.AFTER_QUOTE, 4, """write "it's\""""),
    (r'"a\d"', FileCode.ESCAPE, 6, r"write the text in single quotes, or \\ for a backslash"),
    ("{a: 1", FileCode.BRACKET, 4, "write the '}'"),
    ("[1, 2", FileCode.BRACKET, 4, "write the ']'"),
    ("{a: [1}", FileCode.BRACKET, 8, "write the ']'"),
    ("[1, 2}", FileCode.BRACKET, 9, "write ']'"),
    ("[1, 2]]", FileCode.BRACKET, 10, "remove it"),
    ("{from: sizes[0].bid, missing: skip}", FileCode.INSIDE, 11, 'write "sizes[0].bid"'),
    ("{from: round(bid, 2)}", FileCode.INSIDE, 11, 'write "round(bid, 2)"'),
    ("[round(a, 2) > 0, b]", FileCode.INSIDE, 5, 'write "round(a, 2) > 0"'),
    ('{from: "FX" == asset}', FileCode.AFTER_QUOTE, 11, """write '"FX" == asset'"""),
    ("{from: {pair}=X}", FileCode.INSIDE, 11, 'write "{pair}=X"'),
    ("{from: @key}", FileCode.FIRST, 11, 'write "@key"'),
    ("{a: b: c}", FileCode.COLON, 8, 'write "b: c"'),
    ('{from: "abc, round: 2}', FileCode.QUOTE, 11, 'write "abc"'),
    ("{from:ask, round: 2}", FileCode.NO_SPACE, 5, "write from: ask"),
    ("{a: 1 # x", FileCode.BRACKET, 4, "write the '}'"),
    ("{a: 1,, b: 2}", FileCode.INSIDE, 10, "remove it"),
    ("“x”", FileCode.SMART_QUOTE, 4, 'write "x"'),
    ('b == " #x"', FileCode.HASH, 11, """write 'b == " #x"'"""),
    ("max(b, #c)", FileCode.HASH, 11, 'write "max(b, #c)"'),
]


@pytest.mark.parametrize(("value", "code", "column", "cure"), VALUES, ids=[value for value, *_ in VALUES])
def test_a_value_that_is_wrong_is_told_with_what_to_write_and_what_stands_around_it_is_read(
    value: str, code: str, column: int, cure: str
) -> None:
    text = f"{BEFORE}a: {value}\n{AFTER}"
    assert told(text) == [(code, 3, column, cure)]
    data = parsed(text).data
    assert (data["x"], data["z"]) == ({"k": 1}, 5)


@pytest.mark.parametrize("value", ['it\'s # a "note"', "a # (b)", "f(a) # ) b", "x: # {", "'a' # '"])
def test_a_comment_is_a_comment(value: str) -> None:
    assert told(f"a:\n  {value}\n" if value.startswith("x:") else f"a: {value}\n") == []


LINES = [
    ("a: 1\nb:X\nc: 1\n", FileCode.NO_SPACE, 2, 1, "write b: X"),
    ('a: 1\nb:"X"\nc: 1\n', FileCode.NO_SPACE, 2, 1, 'write b: "X"'),
    ("a: 1\nb X\nc: 1\n", FileCode.NO_COLON, 2, 1, "write b: X"),
    ("a: 1\nb = X\nc: 1\n", FileCode.NO_COLON, 2, 1, "write b: X"),
    ("a: 1\nb\n  d: 1\nc: 1\n", FileCode.NO_COLON, 2, 1, "write b:"),
    ("a: 1\n@b: 2\nc: 1\n", FileCode.FIRST, 2, 1, "remove it"),
    ("a:\n  - 1\n  -b: 2\n  - 3\n", FileCode.NO_SPACE, 3, 3, "write - b: 2"),
    ("a:\n  - b: 1\n    c: 2\n  b: 3\n    c: 4\n", FileCode.NO_DASH, 4, 3, "write '- ' before it"),
    ("a:\n  - b: 1\n    c: 2\n   b: 3\n    c: 4\n", FileCode.NO_DASH, 4, 4, "write '- ' before it"),
    ("a:\n  b: 1\n  - c: 2\nd: 1\n", FileCode.NO_DASH, 3, 3, "remove the '- '"),
    ("a:\n  - b: 1\n    c: 1\n    - b: 2\n", FileCode.INDENTATION, 4, 5, "indent it like the other items of its list"),
    ("a:\n  b: 1\n    c: 1\n  d: 1\n", FileCode.INDENTATION, 3, 5, "write 2 spaces before it"),
    ("a:\n    b: 1\n  c: 1\n    d: 1\n", FileCode.INDENTATION, 3, 3, "write 4 spaces before it"),
    ("a:\n   b: 1\n  c: 1\n  d: 1\n", FileCode.INDENTATION, 2, 4, "write 2 spaces before it"),
    ("a:\n  b: 1\n\tc: 1\n", FileCode.TAB, 3, 1, "write 2 spaces in place of it"),
    ("a:\n  -\tb: 1\n", FileCode.TAB, 2, 4, "write a space in place of it"),
    ("a: b: 1\n   c: 2\n", FileCode.COLON, 1, 4, "write b: 1 on a line of its own, below the key"),
    ("a: {\n  b: 1\n  c: 2\nd: 1\n", FileCode.BRACKET, 1, 4, "remove it"),
    ("a: {b: 1\n    c: 2}\nd: 1\n", FileCode.INSIDE, 2, 5, "write ',' at the end of what is before it"),
    ("a: 1\n---\nb: [\n", FileCode.DOCUMENT, 2, 1, "remove the '---', or put what follows into a file of its own"),
    ('a: "x\nb: y"\nc: 1\n', FileCode.QUOTE, 1, 4, 'write the closing "'),
    ('- a == "b: c"\n- d\n', FileCode.COLON, 1, 10, """write 'a == "b: c"'"""),
]


@pytest.mark.parametrize(("text", "code", "line", "column", "cure"), LINES, ids=[text for text, *_ in LINES])
def test_a_line_that_is_wrong_is_told_once_with_what_to_write(
    text: str, code: str, line: int, column: int, cure: str
) -> None:
    assert told(text) == [(code, line, column, cure)]


def test_what_is_recovered_is_what_was_meant() -> None:
    text = (
        "a:\n  - n: 1\n    f:X\n  n: 2\n    f: {from: max(b, 2), x: [1]\n"
        "  -n: 3\n    f: &anchor {v: @k}\nb: *anchor\nc: 'x\n"
    )
    assert parsed(text).data == {
        "a": [{"n": 1, "f": "X"}, {"n": 2, "f": {"from": "max(b, 2)", "x": [1]}}, {"n": 3, "f": {"v": "@k"}}],
        "b": {"v": "@k"},
        "c": "'x",
    }


def test_what_cannot_be_known_is_marked_so_that_nothing_more_is_said_of_it() -> None:
    document = parsed("a: 'x\nb:\n  ]] y\n  c: 1\n")
    assert document.broken == {("a",)}
    assert document.torn == {("b",)}


def test_a_mistake_told_twice_by_the_parser_and_by_the_reader_is_told_once() -> None:
    assert told("a: 1\na: 2\nb: [\n") == [
        (FileCode.DUPLICATE, 2, 1, "remove one of the two, or give it another name"),
        (FileCode.BRACKET, 3, 4, "write the ']'"),
    ]


@pytest.mark.parametrize(
    ("content", "code", "line", "column"),
    [
        ("a: é\n".encode("cp1252"), FileCode.ENCODING, 1, 4),
        ("a: “x”\n".encode("cp1252"), FileCode.ENCODING, 1, 4),
        ("\ufeffa: [\n".encode("utf-16-le"), FileCode.ENCODING, 1, 1),
        ("a: x\u2028b\n".encode(), FileCode.CHARACTER, 1, 5),
        (b"a: x\nb: \x07y\n", FileCode.CHARACTER, 2, 4),
    ],
)
def test_a_file_in_another_encoding_is_told_and_its_other_mistakes_too(
    content: bytes, code: str, line: int, column: int
) -> None:
    document = parse_document(content + b"z: [1", Path("m.yaml")) if b"\0" not in content else parse_document(
        content, Path("m.yaml")
    )  # fmt: skip
    first, second = sorted(document.problems)
    assert (first.code, first.line, first.column) == (code, line, column)
    assert second.code == FileCode.BRACKET


def test_line_ends_of_other_systems_do_not_shift_places() -> None:
    for end in ("\r\n", "\r"):
        assert told(f"a: 1{end}b: 'x{end}c: 1") == [(FileCode.QUOTE, 2, 4, "write 'x'")]


@pytest.mark.parametrize(
    "text", ["a: {\n b: 1\n}\n", "a: [\n1,\n2\n]\n", "a:\n- b: 1\n- c\n", "? a\n: b\n", "--- \na: 1\n...\n"]
)
def test_what_yaml_takes_is_taken(text: str) -> None:
    assert parsed(text).problems == []


def test_a_secret_stays_out_of_text_and_cure() -> None:
    for value in ("hunt: er2", "{hunter2}x", '"hunter2', "@hunter2", "[hunter2", "'a' hunter2"):
        problems = parsed(f"client:\n  ssl_password: {value}\n").problems
        assert problems
        assert "er2" not in "".join(map(repr, problems)) + "".join(str(each.excerpt) for each in problems)


@pytest.mark.parametrize(
    "text",
    [
        "t: [" + "(a, " * 3000 + "]\n",
        "t: [" + "(a, " * 3000 + "@]\n",
        "t: [" + "'a, " * 3000 + "]\n",
        "t: {" + "".join(f"k{number}: {number}, " for number in range(3000)) + "x: @y}\n",
        "t:\n" + "".join(f"  k{number}: {{x: @{number}}}\n" for number in range(1000)),
        "t:\n" + "  - *a\n" * 3000 + "b: [\n",
    ],
    ids=["open brackets", "open brackets and a mistake", "open quotes", "long braces", "many mistakes", "aliases"],
)
def test_long_files_full_of_mistakes_are_answered_soon(text: str) -> None:
    begun = time.process_time()
    parsed(text)
    assert time.process_time() - begun < 30
