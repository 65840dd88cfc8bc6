"""RMTES text: partial updates and characters outside ASCII, and how a server is sent their escapes."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contribd.mapping.compile import compile_file
from contribd.mapping.conversions import As, Reading, conversion
from contribd.mapping.encode import encode_fields, encode_raw
from contribd.mapping.mapper import Mapper
from contribd.mapping.mistakes import EvaluationError
from contribd.mapping.outcome import Mapped
from contribd.mapping.rmtes import partial, rmtes_bytes
from contribd.mapping.rules import MappingFile

RMTES = conversion(None, Reading(As.RMTES), None)


@pytest.mark.parametrize(
    ("value", "posted"),
    [
        ("plain", "plain"),
        ("", ""),
        (15, "15"),
        (True, "true"),
        (None, None),
        ("Société", "\x1b%0Société"),
        ("日本 €", "\x1b%0日本 €"),
        ("\x1b[7`ABC", "\x1b[7`ABC"),
        ("\x1b[7`ABC\x1b[20`D", "\x1b[7`ABC\x1b[20`D"),
        ("NaN", "NaN"),
    ],
)
def test_text_gets_the_escapes_that_it_needs(value: Any, posted: str | None) -> None:
    assert RMTES(value) == posted


@pytest.mark.parametrize(
    "value",
    [
        "a\nb",
        "\x00",
        "\x1b",
        "\x1b[7`",
        "\x1b[7`é",
        "\x1b%0é",
        "\x1b[7Aabc",
        "a\x1b[7`b",
        "😀",
        "\ud800",
        "\x85",
        "é" * 4097,
        [],
        {},
    ],
)
def test_what_would_arrive_as_something_else_is_refused(value: Any) -> None:
    with pytest.raises(EvaluationError):
        RMTES(value)


def test_partial_changes_a_row_from_a_column_on() -> None:
    assert partial("1.0841", 12) == "\x1b[12`1.0841"
    for text, column in (("", 0), ("é", 0), ("\x1b", 0), ("a", -1), ("a", 255), ("a", "0"), ("a", None), (1, 0)):
        with pytest.raises(EvaluationError):
            partial(text, column)


@pytest.mark.parametrize(
    ("text", "length"), [("abc", 3), ("\x1b%0é", 5), ("\x1b[7`ABC", 10), ("\x1b[60`AB\x1b[0`C", 62)]
)
def test_length_is_what_the_field_has_to_hold(text: str, length: int) -> None:
    assert rmtes_bytes(text) == length


@given(st.text(max_size=40))
def test_the_bare_form_differs_in_the_escapes_alone(text: str) -> None:
    try:
        fields = {"F": RMTES(text), "G": partial("x", 3), "H": 'a "b" \\u001b \\\\u001b'}
    except EvaluationError:
        return
    assert json.loads(encode_fields(fields)) == fields
    assert json.loads(encode_raw(fields), strict=False) == fields
    assert b"\\u001b" not in encode_raw(fields).replace(b"\\\\", b"")


def test_without_escapes_both_forms_are_one() -> None:
    fields = {"F": 'a "quoted" \\ text', "G": 1}
    assert encode_raw(fields) == encode_fields(fields)  # type: ignore[arg-type]


@given(st.text(st.characters(min_codepoint=33, max_codepoint=0xFFFF), min_size=1, max_size=60))
def test_what_is_posted_reads_back(text: str) -> None:
    try:
        posted = RMTES(text)
    except EvaluationError:
        assert not text.isprintable()
        return
    assert str(posted).removeprefix("\x1b%0") == text


def test_an_escape_needs_a_field_that_asks_for_it() -> None:
    fields = {"ROW64_1": {"from": "partial(text(bid), 12)", "as": "rmtes"}, "ROW64_2": "bid"}
    compiled = compile_file(
        MappingFile.model_validate({"mappings": [{"name": "page", "ric": "PAGE", "fields": fields}]}), "S"
    )
    assert [(mapping.rmtes, mapping.partly) for mapping in compiled.mappings] == [(("ROW64_1",), True)]
    outcome = Mapper(compiled.mappings).map(b'{"bid": 1.25}')
    assert isinstance(outcome, Mapped)
    assert outcome.fields["ROW64_1"] == "\x1b[12`1.25"
    plain = compile_file(
        MappingFile.model_validate({"mappings": [{"name": "p", "ric": "P", "fields": {"ROW64_2": "x"}}]}), "S"
    )
    rejected = Mapper(plain.mappings).map(b'{"x": "\\u001b[12`1.25"}')
    assert "U+001B" in str(rejected)


def test_partial_without_its_as_is_told_when_the_file_is_read() -> None:
    fields = {"ROW64_1": "partial(t, 3) if t != null else null"}
    model = MappingFile.model_validate({"mappings": [{"name": "p", "ric": "P", "fields": fields}]})
    assert [(found.code, found.cure) for found in compile_file(model, "S").problems] == [("M305", "Add as: rmtes")]
