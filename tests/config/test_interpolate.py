"""Variables, files and credentials in scalars."""

from pathlib import Path

import pytest

from contribd.config.document import Document, parse_document
from contribd.config.interpolate import MAX_VALUE_BYTES, Interpolation, refuse
from contribd.config.scalars import Doubtful


def parsed(text: str, **environ: str) -> Document:
    return parse_document(text.encode(), Path("c.yaml"), Interpolation(environ))


def value(text: str, **environ: str) -> object:
    document = parsed(f"a: {text}", **environ)
    assert document.problems == []
    return document.data["a"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${X}", "text"),
        ("pre-${X}-${X}", "pre-text-text"),
        ("${UNSET:-other}", "other"),
        ("${EMPTY:-other}", "other"),
        ("${X:-other}", "text"),
        ("${UNSET:-}", None),
        ("${X:?needed}", "text"),
        ("${EMPTY}", None),
        ('"${EMPTY}"', ""),
        ("$${X}", "${X}"),
        ("$$${X}", "$${X}"),
        ("${N}", 5),
        ('"${N}"', "5"),
        ("${N}0", 50),
        ("${T}", True),
        ("${UNSET:-1h}", "1h"),
        ("$X and {X}", "$X and {X}"),
        ("${NESTED}", "${X}"),
    ],
)
def test_variables_are_put_in_and_unquoted_scalars_are_typed_again(text: str, expected: object) -> None:
    assert value(text, X="text", EMPTY="", N="5", T="true", NESTED="${X}") == expected


def test_what_comes_in_cannot_change_the_structure() -> None:
    assert value("${X}", X="1\nb: [2, # {") == "1\nb: [2, # {"


def test_comments_and_keys_are_never_looked_at() -> None:
    document = parsed("# ${UNSET}\n${UNSET}: 1 # ${UNSET:?no}\n")
    assert document.problems == []
    assert document.data == {"${UNSET}": 1}


def test_every_missing_variable_is_told_with_its_place_and_what_to_do() -> None:
    document = parsed("a: ${ONE}\nb: [x, '${TWO} ${THREE:?give it}']\n")
    assert [str(problem) for problem in document.problems] == [
        "c.yaml:1:4: a: ${ONE} is not set; set it in the environment, or write ${ONE:-default}",
        "c.yaml:2:8: b[1]: ${TWO} is not set; set it in the environment, or write ${TWO:-default}",
        "c.yaml:2:8: b[1]: ${THREE} is not set: give it; set THREE in the environment",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("${", "${ without its }"),
        ("${X", "${ without its }"),
        ("${}", "${} is not understood"),
        ("${X-y}", "${X-y} is not understood"),
        ("${file:relative}", "${file:relative}: expected the absolute path of a file"),
        ("${file:/nonexistent/secret}", "/nonexistent/secret cannot be read: No such file"),
        ("${credential:../x}", "expected the name of a credential"),
        ("${credential:..}", "expected the name of a credential"),
        ("${credential:key}", "$CREDENTIALS_DIRECTORY is not set; add LoadCredential=key:/path/to/secret"),
    ],
)
def test_a_mistake_in_an_interpolation_says_what_was_expected(text: str, problem: str) -> None:
    assert problem in str(parsed(f"a: '{text}'").problems[0])


def test_files_and_credentials_lose_one_line_end_and_are_secret(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("secret one\n\n")
    (tmp_path / "short").write_text("abc\r\n")
    interpolation = Interpolation({"CREDENTIALS_DIRECTORY": str(tmp_path)})
    text = f"a: ${{credential:key}}\nb: ${{file:{tmp_path}/short}}"
    document = parse_document(text.encode(), Path("c.yaml"), interpolation)
    assert document.problems == []
    assert document.data == {"a": "secret one\n", "b": "abc"}
    assert interpolation.secrets == {"secret one\n"}


def test_a_file_too_large_or_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * (MAX_VALUE_BYTES + 1))
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    document = parsed(f"a: ${{file:{tmp_path}/large}}\nb: ${{file:{tmp_path}/binary}}")
    assert "larger than" in str(document.problems[0])
    assert "is not UTF-8 text" in str(document.problems[1])


def test_a_variable_that_is_not_text_is_refused() -> None:
    assert "${X} is not UTF-8 text" in str(parsed("a: ${X}", X="\udcff").problems[0])


def test_a_yaml_1_1_boolean_from_a_variable_is_as_doubtful_as_one_written() -> None:
    assert isinstance(parsed("a: ${X}", X="NO").data["a"], Doubtful)


def test_leniently_defaults_are_taken_and_the_rest_is_unknown_but_no_problem() -> None:
    interpolation = Interpolation({"X": "not looked at"}, lenient=True)
    text = "a: ${X}\nb: ${X:-default}\nc: ${credential:key}\nd: ${file:/nonexistent}\ne: ${X:?must}"
    document = parse_document(text.encode(), Path("c.yaml"), interpolation)
    assert document.problems == []
    assert document.data["b"] == "default"
    assert interpolation.unknown == {("a",), ("c",), ("d",), ("e",)}


def test_a_scalar_behind_aliases_is_interpolated_once() -> None:
    document = parsed("a: &a $${X}\nb: *a", X="no")
    assert document.data == {"a": "${X}", "b": "${X}"}


def test_a_scalar_behind_aliases_is_unknown_wherever_it_stands() -> None:
    interpolation = Interpolation({})
    parse_document(b"a: &a ${X}\nb: *a", Path("c.yaml"), interpolation)
    assert interpolation.unknown == {("a",), ("b",)}


def test_an_offset_in_an_interpolated_scalar_is_the_scalar_itself() -> None:
    assert parsed("a: ${X}", X="long text").position(("a",), offset=5) == (1, 4)


def test_a_mapping_file_refuses_variables() -> None:
    document = parse_document(b'ric: "{pair}=${SUFFIX}"', Path("m.yaml"), refuse)
    assert "variables are read in the configuration only" in str(document.problems[0])
