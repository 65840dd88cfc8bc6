"""docs/mapping.md: its example works, and what it lists is what there is."""

import re
from pathlib import Path

import pytest

from contribd.config.document import parse_document
from contribd.mapping.cases import run_cases
from contribd.mapping.compile import compile_file
from contribd.mapping.cursor import MAX_NESTING, MAX_NODES
from contribd.mapping.expression import compile_expression
from contribd.mapping.functions import FUNCTIONS
from contribd.mapping.lexer import MAX_SOURCE
from contribd.mapping.list_functions import MAX_ELEMENTS
from contribd.mapping.mapper import Mapper
from contribd.mapping.mistakes import ExpressionError
from contribd.mapping.operators import MAX_TEXT
from contribd.mapping.patterns import MAX_PATTERN
from contribd.mapping.rules import FieldSpec, MappingFile
from contribd.mapping.template import compile_template
from contribd.mapping.text_functions import MAX_PIECES

PAGE = (Path(__file__).parents[2] / "docs" / "mapping.md").read_text()


def test_example_passes_its_own_tests() -> None:
    example = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert example is not None
    document = parse_document(example[1].encode(), Path("mapping.md"))
    assert document.problems == []
    compiled = compile_file(MappingFile.model_validate(document.data), "TRCC")
    assert compiled.problems == []
    results = run_cases(compiled.tests, Mapper(compiled.mappings))
    assert [result.differences for result in results] == [(), ()]


def test_every_function_and_setting_is_described() -> None:
    assert {name for name in FUNCTIONS if f"`{name}(" not in PAGE} == set()
    settings = {field.alias or name for name, field in FieldSpec.model_fields.items()}
    assert {name for name in settings if f"| `{name}` |" not in PAGE} == set()


def test_what_the_page_says_that_a_call_gives_it_gives() -> None:
    said = re.findall(r"`(\w+\([^`]*\))` is `([^`]*)`", PAGE)
    assert len(said) >= 5
    for call, result in said:
        assert compile_expression(call).evaluate({}) == compile_expression(result).evaluate({}), call


def test_bounds_are_those_of_the_code() -> None:
    for bound in (MAX_SOURCE, MAX_NODES, MAX_NESTING, MAX_TEXT, MAX_PATTERN, MAX_PIECES, MAX_ELEMENTS):
        assert re.search(rf"\b{bound:,}\b", PAGE)


def test_what_other_languages_write_is_told_as_the_page_says() -> None:
    rows = re.search(r"\| written \| here \|\n\|---\|---\|\n(.*?)\n\n", PAGE, re.DOTALL)
    assert rows is not None
    for row in rows[1].split("\n"):
        written, here = (re.findall(r"`([^`]+)`", cell) for cell in re.split(r" \| ", row.strip("| ")))
        for index, source in enumerate(written):
            expected = f"Write {here[index] if len(here) > 1 else here[0]}"
            with pytest.raises(ExpressionError) as caught:
                compile_template(source) if "as a RIC" in row else compile_expression(source)
            cure = caught.value.cure
            assert cure.startswith(expected) or "%s" in source, (source, cure)
