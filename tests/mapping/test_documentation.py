"""docs/mapping.md: its example works, and what it lists is what there is."""

import re
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from contribd.config.document import parse_document
from contribd.config.mappings import read_mapping_file
from contribd.mapping.cases import run_cases
from contribd.mapping.compile import compile_file
from contribd.mapping.cursor import MAX_NESTING, MAX_NODES
from contribd.mapping.expression import compile_expression
from contribd.mapping.field_specs import FieldSpec
from contribd.mapping.functions import FUNCTIONS
from contribd.mapping.lexer import MAX_SOURCE
from contribd.mapping.list_functions import MAX_ELEMENTS
from contribd.mapping.mapper import Mapper
from contribd.mapping.mistakes import ExpressionError
from contribd.mapping.operators import MAX_TEXT
from contribd.mapping.outcome import MAX_POSTS
from contribd.mapping.patterns import MAX_PATTERN
from contribd.mapping.rules import MappingFile, MappingSpec, PostSpec
from contribd.mapping.several_posts import MOST_TOGETHER
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


def test_example_of_several_posts_passes_its_own_tests(tmp_path: Path) -> None:
    section = PAGE[PAGE.index("## Several posts of one record") :]
    file = tmp_path / "m.yaml"
    file.write_text(section[section.index("```yaml\n") + 8 : section.index("```\n")])
    found = read_mapping_file(file, "TRCC")
    assert found.problems == []
    results = run_cases([case.test for case in found.cases], Mapper(found.compiled))
    assert [result.differences for result in results] == [(), ()]


def test_every_key_of_a_post_is_described() -> None:
    section = PAGE[PAGE.index("## Several posts of one record") : PAGE.index("## Pages and text")]
    keys = {*PostSpec.model_fields, *MappingSpec.model_fields} - {"name", "ignore"}
    assert {key for key in keys if f"`{key}`" not in section and f"`{key}: " not in section} == set()


def test_every_function_and_setting_is_described() -> None:
    assert {name for name in FUNCTIONS if f"`{name}(" not in PAGE} == set()
    settings = {field.alias or name for name, field in FieldSpec.model_fields.items()}
    assert {name for name in settings if f"| `{name}` |" not in PAGE} == set()


RECORD = msgspec.json.Decoder(float_hook=Decimal).decode(re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)[0])
EXAMPLES = re.findall(r"^\|.*\| `([^|]+)` \| `([^|`]+)` \|$", PAGE, re.MULTILINE)
"""What the tables of operators and functions give: expression and value."""


@pytest.mark.parametrize(("example", "gives"), EXAMPLES)
def test_an_example_of_the_page_gives_what_it_says(example: str, gives: str) -> None:
    found, said = compile_expression(example).evaluate(RECORD), compile_expression(gives).evaluate({})
    assert (found, isinstance(found, bool)) == (said, isinstance(said, bool))


def test_every_function_and_operator_has_an_example() -> None:
    rows = [row for row in PAGE.split("\n") if re.search(r" \| .*\| `[^|]+` \| `[^|`]+` \|$", row)]
    told = {name for row in rows for name in re.findall(r"`(\w+)\(", row.split(" | ")[0])}
    assert told == set(FUNCTIONS)
    operators = [row.split(" | ")[0] for row in rows if "(" not in row.split(" | ")[0]]
    assert len(operators) == 8


def test_bounds_are_those_of_the_code() -> None:
    bounds = (MAX_SOURCE, MAX_NODES, MAX_NESTING, MAX_TEXT, MAX_PATTERN, MAX_PIECES, MAX_ELEMENTS)
    for bound in (*bounds, MOST_TOGETHER, MAX_POSTS):
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
