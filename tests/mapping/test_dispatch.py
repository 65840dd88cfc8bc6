"""Looking mappings up gives what asking each in turn gives, whatever the record holds."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from contribd.mapping import dispatch
from contribd.mapping.compile import compile_file
from contribd.mapping.compiled import CompiledMapping
from contribd.mapping.dispatch import candidates
from contribd.mapping.mapper import Mapper
from contribd.mapping.rules import MappingFile

CONDITIONS = [
    *(f'asset == "{asset}" and tenor == "{tenor}"' for asset in "ABC" for tenor in "XYZ"),
    *(f'"{asset}" == asset and size > 1' for asset in "ABC"),
    'tenor == "X"',
    'tenor == "Y" and asset == "B"',
    'asset == "A" or tenor == "X"',
    'not (asset == "A")',
    "size > 2 and asset == 'A'",
    'nested.asset == "A"',
    "size == 1",
]
TEXTS = st.sampled_from(["A", "B", "C", "X", "Y", "Z", "", "other"])
VALUES = st.one_of(TEXTS, st.none(), st.integers(0, 3), st.lists(TEXTS, max_size=1), st.booleans())
RECORDS = st.dictionaries(st.sampled_from(["asset", "tenor", "size", "nested"]), VALUES)


def compiled(conditions: list[str]) -> list[CompiledMapping]:
    mappings = [
        {"name": f"m{number}", "when": condition, "ric": "R=", "fields": {"F": {"value": number}}}
        for number, condition in enumerate(conditions)
    ]
    found = compile_file(MappingFile.model_validate({"mappings": mappings}), "S")
    assert found.problems == []
    return found.mappings


@given(st.lists(st.sampled_from(CONDITIONS), max_size=30), RECORDS)
def test_a_lookup_decides_as_asking_every_mapping_does(conditions: list[str], record: dict[str, Any]) -> None:
    mappings = compiled(conditions)
    looked_up, asked = Mapper(mappings), Mapper(mappings)
    asked._dispatch = asked.mappings
    value = json.dumps(record).encode()
    assert looked_up.map(value) == asked.map(value)


def test_one_mapping_of_hundreds_is_asked_where_their_first_condition_tells_them_apart() -> None:
    mappings = compiled([f'asset == "A{number}" and tenor == "SP"' for number in range(500)])
    found = candidates(dispatch.dispatch(mappings), {"asset": "A321", "tenor": "SP"})
    assert [mapping.name for mapping in found] == ["m321"]


def test_the_second_condition_is_looked_up_too() -> None:
    mappings = compiled([f'asset == "FX" and tenor == "T{number}"' for number in range(500)])
    found = candidates(dispatch.dispatch(mappings), {"asset": "FX", "tenor": "T7"})
    assert [mapping.name for mapping in found] == ["m7"]


def test_a_record_without_the_name_is_shown_to_every_mapping() -> None:
    mappings = compiled([f'asset == "A{number}"' for number in range(10)])
    assert len(candidates(dispatch.dispatch(mappings), {"tenor": "SP"})) == 10


def test_mappings_that_begin_otherwise_are_asked_in_their_place() -> None:
    conditions = [f'asset == "A{number}"' for number in range(5)]
    mappings = compiled(["size > 1", *conditions, "size > 0"])
    names = [mapping.name for mapping in candidates(dispatch.dispatch(mappings), {"asset": "A3", "size": 1})]
    assert names == ["m0", "m4", "m6"]
