"""Fields whose types are known: what they take, at check and at run time, and what is told of the rest."""

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.dictionary.dictionary_samples import FIELDS, made, sample

from contribd.config.document import parse_document
from contribd.mapping.cases import run_cases
from contribd.mapping.codes import Code
from contribd.mapping.compile import compile_file
from contribd.mapping.compiled import Compiled, MappingProblem
from contribd.mapping.fieldtypes import UNREAD, FieldTypes
from contribd.mapping.mapper import Mapper
from contribd.mapping.outcome import Mapped, Rejected
from contribd.mapping.rules import MappingFile

SAMPLE = sample()


def compiled(fields: dict[str, Any], types: FieldTypes = SAMPLE, **more: Any) -> Compiled:
    mapping = {"name": "one", "ric": "EUR=", "fields": fields, **more}
    return compile_file(MappingFile.model_validate({"mappings": [mapping]}), "TRCC", (), types)


def problem(fields: dict[str, Any], types: FieldTypes = SAMPLE, **more: Any) -> MappingProblem:
    (found,) = compiled(fields, types, **more).problems
    return found


def mapped(fields: dict[str, Any], record: dict[str, Any], **more: Any) -> Mapped | Rejected:
    made = compiled(fields, **more)
    assert made.problems == []
    outcome = Mapper(made.mappings).map(json.dumps(record).encode())
    assert isinstance(outcome, Mapped | Rejected)
    return outcome


def posted(name: str, value: Any, **spec: Any) -> Any:
    outcome = mapped({name: {"from": "x", **spec}}, {"x": value})
    assert isinstance(outcome, Mapped), outcome
    return outcome.fields[name]


def rejected(name: str, value: Any, **spec: Any) -> str:
    outcome = mapped({name: {"from": "x", **spec}}, {"x": value})
    assert isinstance(outcome, Rejected), outcome
    assert outcome.code == "BadValue"
    return outcome.text


@pytest.mark.parametrize(
    ("name", "given", "wanted"),
    [
        ("BID", 1.0841, Decimal("1.0841")),
        ("BID", 7, 7),
        ("BID", None, None),
        ("RATIO", 0.5, Decimal("0.5")),
        ("RDNDISPLAY", 255, 255),
        ("RDNDISPLAY", 7.0, 7),
        ("ONE_BYTE", -128, -128),
        ("FIVE_BYTES", 2**40 - 1, 2**40 - 1),
        ("TRADE_ID", 2**64 - 1, 2**64 - 1),
        ("CHANGES", -(2**47), -(2**47)),
        ("DSPLY_NAME", "sixteen letters!", "sixteen letters!"),
        ("SEG_FORW", "", ""),
        ("NOTE", "a note", "a note"),
        ("NO_LIMIT", "any length", "any length"),
        ("NO_LIMIT_B", "AAEC", "AAEC"),
        ("CURRENCY", "USD", 840),
        ("CURRENCY", 978, 978),
        ("CURRENCY", 978.0, 978),
        ("CURRENCY", "£", 993),
        ("CURRENCY", "", 0),
        ("CURRENCY", None, None),
        ("NO_TABLE", 255, 255),
        ("ACTIV_DATE", "2026-11-22", "2026-11-22"),
        ("ACTIV_DATE", "20261122", "2026-11-22"),
        ("ACTIV_DATE", 1763810130, "2025-11-22"),
        ("QUOTIM", "10:15:30", "10:15:30"),
        ("QUOTIM", "10:15:30.123", "10:15:30.123"),
        ("QUOTIM", "2026-11-22T10:15:30.123999Z", "10:15:30.123"),
        ("QUOTIM", "2026-11-22T23:59:59.9999Z", "23:59:59.999"),
        ("QUOTIM_NS", "10:15:30.123456789", "10:15:30.123456789"),
        ("QUOTIM_NS", 1763810130123456789, "11:15:30.123456789"),
        ("MINUTES", "10:15:59", "10:15"),
        ("SECONDS", "10:15:59.9", "10:15:59"),
        ("MICROS", "10:15:30.123456789", "10:15:30.123456"),
        ("QUOTED_AT", "2026-11-22T10:15:30.123456Z", "2026-11-22T10:15:30.123"),
        ("RAW", "AAEC", "AAEC"),
    ],
)
def test_values_are_made_to_fit_without_being_asked(name: str, given: Any, wanted: Any) -> None:
    value = posted(name, given)
    assert value == wanted
    assert type(value) is type(wanted)


@pytest.mark.parametrize(
    ("name", "given", "text"),
    [
        ("BID", "1.0841", 'BID (FID 22, Real): it takes a number, not the text "1.0841"'),
        ("BID", "", 'BID (FID 22, Real): it takes a number, not the text ""'),
        ("BID", True, "BID (FID 22, Real): a field takes a number, text or null, not true or false"),
        ("BID", [], "BID (FID 22, Real): a field takes a number, text or null, not a list"),
        ("BID", 1e15, "BID (FID 22, Real): a number's magnitude must be below 1e15"),
        ("RATIO", "1", 'RATIO (FID 9008, Double): it takes a number, not the text "1"'),
        ("RDNDISPLAY", 256, "RDNDISPLAY (FID 2, UInt): it takes 0 to 255 (1 bytes), not 256"),
        ("RDNDISPLAY", -1, "RDNDISPLAY (FID 2, UInt): it takes 0 to 255 (1 bytes), not -1"),
        ("RDNDISPLAY", 2.5, "RDNDISPLAY (FID 2, UInt): it takes a whole number, not 2.5"),
        ("RDNDISPLAY", 1e300, "RDNDISPLAY (FID 2, UInt): it takes a whole number"),
        ("RDNDISPLAY", True, "RDNDISPLAY (FID 2, UInt): it takes a number, not true or false"),
        ("ONE_BYTE", 128, "ONE_BYTE (FID 9006, Int): it takes -128 to 127 (1 bytes), not 128"),
        ("FIVE_BYTES", 2**40, "FIVE_BYTES (FID 9004, UInt): it takes 0 to 1099511627775 (5 bytes)"),
        ("TRADE_ID", 2**64, "TRADE_ID (FID 9003, UInt): it takes 0 to 18446744073709551615 (8 bytes)"),
        ("DSPLY_NAME", "seventeen letters", "DSPLY_NAME (FID 3, Rmtes): it holds 16 bytes, this has 17"),
        ("DSPLY_NAME", 7, "DSPLY_NAME (FID 3, Rmtes): it takes text, not 7"),
        ("DSPLY_NAME", "caf\u00e9", "DSPLY_NAME (FID 3, Rmtes): text is printable ASCII"),
        ("CURRENCY", "XYZ", 'CURRENCY (FID 15, Enum): its table has no display text "XYZ"; it has CAD, GBP, USD'),
        ("CURRENCY", "usd", 'CURRENCY (FID 15, Enum): its table has no display text "usd"'),
        ("CURRENCY", "840", 'CURRENCY (FID 15, Enum): its table has no display text "840"'),
        ("CURRENCY", "XX", 'CURRENCY (FID 15, Enum): its display text "XX" stands for 991 and 992'),
        ("CURRENCY", 841, "CURRENCY (FID 15, Enum): its table has no value 841; it has CAD, GBP, USD"),
        ("CURRENCY", -1, "CURRENCY (FID 15, Enum): its table has no value -1"),
        ("CURRENCY", 840.5, "CURRENCY (FID 15, Enum): it takes a whole number, not 840.5"),
        ("NO_TABLE", 256, "NO_TABLE (FID 9011, Enum): it takes 0 to 255, not 256"),
        ("NO_TABLE", "A", "NO_TABLE (FID 9011, Enum): it takes a value as a number: no table has the display text"),
        ("ACTIV_DATE", "2026-02-30", "ACTIV_DATE (FID 17, Date): "),
        ("ACTIV_DATE", "10:15:30", "ACTIV_DATE (FID 17, Date): "),
        ("ACTIV_DATE", 20261122, "ACTIV_DATE (FID 17, Date): "),
        ("ACTIV_DATE", False, "ACTIV_DATE (FID 17, Date): "),
        ("QUOTIM", "25:99", "QUOTIM (FID 1025, Time): "),
        ("QUOTED_AT", "2026-11-22", "QUOTED_AT (FID 9002, DateTime): "),
        ("RAW", "not base64!", "RAW (FID 9007, Buffer): it takes bytes as text in base64"),
        ("RAW", "AAECAwQ=", "RAW (FID 9007, Buffer): it holds 4 bytes, this has 5"),
    ],
)
def test_what_does_not_fit_is_rejected_with_field_fid_and_type(name: str, given: Any, text: str) -> None:
    assert rejected(name, given).startswith(text)


@pytest.mark.parametrize(
    ("values", "listed"),
    [(12, "it has V0, V1, V2, V3, V4, V5, V6, V7, V8, V9, V10, V11"), (14, "V9, V10, V11 and 2 more")],
)
def test_of_a_long_table_the_first_texts_are_told(values: int, listed: str) -> None:
    table = "CURRENCY 15\n" + "".join(f' {value} "V{value}"\n' for value in range(values))
    found = problem({"CURRENCY": {"value": "W"}}, made(FIELDS, table.encode()))
    assert found.text.endswith(listed)


def test_what_is_asked_for_comes_before_the_type() -> None:
    assert posted("BID", "1.0841", **{"as": "real"}) == Decimal("1.0841")
    assert posted("BID", 1.08415, round=4) == Decimal("1.0842")
    assert posted("RDNDISPLAY", "7", **{"as": "int"}) == 7
    assert posted("DSPLY_NAME", 7, **{"as": "text"}) == "7"
    assert posted("CURRENCY", "dollar", lookup={"dollar": "USD", "euro": 978}) == 840
    assert posted("ACTIV_DATE", "2026-11-22T10:15:30Z", **{"as": "datetime"}) == "2026-11-22"


def test_a_field_for_dates_and_times_reads_as_its_settings_say() -> None:
    assert posted("ACTIV_DATE", "22.11.2026", format="DD.MM.YYYY") == "2026-11-22"
    assert posted("QUOTIM", "2026-06-22T10:15:30.1239", zone="Europe/London") == "09:15:30.123"
    assert posted("QUOTIM", "2026-06-22T10:15:30.1239", zone="Europe/London", **{"as": "time"}) == "09:15:30.123"
    assert posted("QUOTED_AT", 1763810130, unit="s") == "2025-11-22T11:15:30"
    assert posted("QUOTIM", None, zone="Europe/London") is None
    assert rejected("ACTIV_DATE", "2026-11-22", format="DD.MM.YYYY").startswith("ACTIV_DATE (FID 17, Date): ")
    assert problem({"BID": {"from": "x", "zone": "Europe/London"}}).path[-1] == "zone"


def test_a_missing_field_names_fid_and_type_too() -> None:
    outcome = mapped({"BID": "bid"}, {})
    assert isinstance(outcome, Rejected)
    assert outcome.text.startswith("BID (FID 22, Real): the record has no bid")


@pytest.mark.parametrize(("name", "acronym"), [("22", "BID"), ("-17", "OWN_FIELD"), ("9003", "TRADE_ID")])
def test_a_fid_is_the_field_that_it_stands_for(name: str, acronym: str) -> None:
    outcome = mapped({name: "x"}, {"x": 1}, withdraw=[name])
    assert isinstance(outcome, Mapped)
    assert outcome.fields == {acronym: 1}
    assert compiled({name: "x"}, withdraw=[name]).mappings[0].withdraw == set(outcome.fields)


@pytest.mark.parametrize(
    ("name", "cure"),
    [
        ("bid", "Write BID"),
        ("B ID", "Write BID"),
        ("BID SIZE", "Write BIDSIZE"),
        ("MIDPRICE", "Write MID_PRICE"),
        ("MID_PRICES", "Write MID_PRICE"),
        ("MONROW 2", "Write ROW64_2"),
        ("MID_", "Write MID_PRICE"),
        ("ROW", "Write one of ROW64_1, ROW64_2, ROW64_3, ROW80_1"),
        ("RO", "See the acronyms in the file that dictionary.fields names"),
        ("COMPLETELY_ELSE", "See the acronyms in the file that dictionary.fields names"),
        ("99", "See the acronyms in the file that dictionary.fields names"),
        ("22.0", "See the acronyms in the file that dictionary.fields names"),
        ("022", "See the acronyms in the file that dictionary.fields names"),
        ("9999999", "See the acronyms in the file that dictionary.fields names"),
    ],
)
def test_an_unknown_name_is_told_with_the_nearest(name: str, cure: str) -> None:
    found = problem({name: "x"})
    assert (found.path, found.key, found.code, found.cure) == (("mappings", 0, "fields", name), True, "M401", cure)
    assert found.text == f"the dictionary has no field {name}"


def test_a_dictionary_with_mistakes_knows_no_unknown_names() -> None:
    broken = made(FIELDS)
    object.__setattr__(broken, "whole", False)
    assert compiled({"SOMETHING": "x"}, broken).problems == []
    assert problem({"BID": {"value": "x"}}, broken).code == Code.FIELD_KIND


@pytest.mark.parametrize(
    ("name", "value", "code", "text", "cure"),
    [
        ("BID", "1.5", "M402", 'BID (FID 22, Real): it takes a number, not the text "1.5"', "Write the number without"),
        ("CTBTR_1", 7, "M402", "CTBTR_1 (FID 831, Rmtes): it takes text, not 7", "Write the text in quotes"),
        (
            "CURRENCY",
            "USX",
            "M403",
            'CURRENCY (FID 15, Enum): its table has no display text "USX"',
            "Write one of its display",
        ),
        ("CURRENCY", "usd", "M403", "CURRENCY (FID 15, Enum): ", 'Write "USD"'),
        ("CURRENCY", "840", "M403", "CURRENCY (FID 15, Enum): ", "Write 840 without quotes"),
        ("CURRENCY", 841, "M403", "CURRENCY (FID 15, Enum): its table has no value 841", "Write one of its display"),
        ("CURRENCY", "XX", "M404", 'CURRENCY (FID 15, Enum): its display text "XX" stands for', "Write the value that"),
        (
            "NO_TABLE",
            "A",
            "M403",
            "NO_TABLE (FID 9011, Enum): ",
            "Write the value as a number, or set dictionary.enums",
        ),
        ("CTBTR_1", "x" * 17, "M405", "CTBTR_1 (FID 831, Rmtes): it holds 16 bytes, this has 17", "Shorten it"),
        ("RDNDISPLAY", 256, "M406", "RDNDISPLAY (FID 2, UInt): it takes 0 to 255", "Write a number from 0 to 255"),
        ("ACTIV_DATE", "22/11/2026", "M407", "ACTIV_DATE (FID 17, Date): ", "Write it as 2026-11-22"),
        ("QUOTIM", "25:99", "M407", "QUOTIM (FID 1025, Time): ", "Write it as 10:15:30"),
    ],
)
def test_a_constant_that_does_not_fit_is_told_at_check(name: str, value: Any, code: str, text: str, cure: str) -> None:
    found = problem({name: {"value": value}})
    assert (found.path[-1], found.code) == ("value", code)
    assert found.text.startswith(text)
    assert found.cure.startswith(cure)


def test_constants_are_posted_as_they_fit() -> None:
    outcome = mapped({"CURRENCY": {"value": "USD"}, "BID": {"value": None}, "ACTIV_DATE": {"value": "20261122"}}, {})
    assert isinstance(outcome, Mapped)
    assert outcome.fields == {"CURRENCY": 840, "BID": None, "ACTIV_DATE": "2026-11-22"}


def test_constants_in_lookups_and_expressions_are_checked_where_they_stand() -> None:
    found = compiled(
        {
            "CURRENCY": {"from": "ccy", "lookup": {"dollar": "USD", "euro": "EUX"}, "default": 7},
            "TICK_1": "'U' if up else 'DOWN'",
            "BID": "coalesce(bid, 'none')",
            "ASK": "'1.5'",
        }
    ).problems
    assert [(each.path[3:], each.offset, each.code) for each in found] == [
        (("CURRENCY", "lookup", "euro"), 0, "M403"),
        (("CURRENCY", "default"), 0, "M403"),
        (("TICK_1",), 15, "M403"),
        (("BID",), 14, "M402"),
        (("ASK",), 0, "M402"),
    ]


@pytest.mark.parametrize(
    ("name", "spec", "key", "code"),
    [
        ("BID", "upper(x)", "", "M402"),
        ("BID", {"from": "x", "as": "text"}, "as", "M402"),
        ("BID", {"from": "x", "as": "time"}, "as", "M402"),
        ("DSPLY_NAME", "x * 2", "", "M402"),
        ("DSPLY_NAME", {"from": "x", "as": "real"}, "as", "M402"),
        ("DSPLY_NAME", {"from": "x", "as": "fraction"}, "as", "M402"),
        ("DSPLY_NAME", {"from": "x", "round": 2}, "round", "M402"),
        ("RDNDISPLAY", {"from": "x", "round": 2}, "round", "M402"),
        ("ACTIV_DATE", {"from": "x", "as": "time"}, "as", "M402"),
        ("QUOTIM", {"from": "x", "as": "date"}, "as", "M402"),
        ("QUOTED_AT", {"from": "x", "as": "date"}, "as", "M402"),
        ("CURRENCY", {"from": "x", "as": "date"}, "as", "M402"),
        ("MANY", "x", "", "M408"),
    ],
)
def test_settings_that_cannot_go_with_the_type_are_told_at_check(name: str, spec: Any, key: str, code: str) -> None:
    found = problem({name: spec})
    assert found.code == code
    assert found.path[4:] == ((key,) if key else ())
    assert name in found.text


@pytest.mark.parametrize(
    ("name", "spec"),
    [
        ("BID", {"from": "x", "as": "int"}),
        ("BID", {"from": "x", "as": "fraction", "round": 2}),
        ("BID", "null if x else y"),
        ("RDNDISPLAY", {"from": "x / 2", "round": 0}),
        ("DSPLY_NAME", {"from": "x", "as": "date"}),
        ("ACTIV_DATE", {"from": "x", "as": "int"}),
        ("CURRENCY", {"from": "x", "as": "int"}),
        ("CURRENCY", "upper(x)"),
    ],
)
def test_settings_that_go_with_the_type_are_taken(name: str, spec: Any) -> None:
    assert compiled({name: spec}).problems == []


def test_one_field_under_two_names_is_told_at_check() -> None:
    found = problem({"BID": "a", "22": "b"})
    assert (found.path, found.key, found.code) == (("mappings", 0, "fields", "22"), True, "M409")
    assert found.text == "22 is BID (FID 22, Real), which the mapping sets already as BID"


ROWS = {"ROW64_{number(n)}": "text"}


def test_a_name_with_braces_becomes_the_field_that_the_record_names() -> None:
    assert mapped(ROWS, {"n": 3, "text": "x"}).fields == {"ROW64_3": "x"}
    assert mapped(ROWS, {"n": "10", "text": "x"}).fields == {"ROW64_10": "x"}
    assert mapped(ROWS, {"n": 10.0, "text": "x"}).fields == {"ROW64_10": "x"}
    assert compiled(ROWS, withdraw=list(ROWS)).mappings[0].withdraw == {"ROW64_1", "ROW64_2", "ROW64_3", "ROW64_10"}


def test_a_record_that_names_no_field_of_the_template_is_rejected() -> None:
    outcome = mapped(ROWS, {"n": 4, "text": "x"})
    assert isinstance(outcome, Rejected)
    assert (outcome.code, outcome.text) == (
        "BadValue",
        'ROW64_{number(n)} (Rmtes): "ROW64_4" is none of its fields (ROW64_1, ROW64_2, ROW64_3, ROW64_10)',
    )


def test_values_under_a_name_with_braces_are_made_to_fit() -> None:
    outcome = mapped(ROWS, {"n": 1, "text": "x" * 65})
    assert isinstance(outcome, Rejected)
    assert outcome.text.startswith("ROW64_{number(n)} (Rmtes): it holds 64 bytes, this has 65")
    assert problem({"ROW64_{number(n)}": {"value": 7}}).code == "M402"


@pytest.mark.parametrize(
    "fields",
    [
        {"ROW64_{number(n)}": "'a'", "ROW64_3": "'b'"},
        {"ROW64_3": "'b'", "ROW64_{number(n)}": "'a'"},
        {"ROW64_{number(n)}": "'a'", "ROW64_{number(n) + 0}": "'b'"},
    ],
)
def test_two_names_that_come_to_one_field_reject_the_record(fields: dict[str, str]) -> None:
    outcome = mapped(fields, {"n": 3})
    assert isinstance(outcome, Rejected)
    assert outcome.code == "BadValue"
    assert outcome.text.endswith("the record gives it the name of another field, ROW64_3")


def test_two_names_with_braces_that_differ_are_two_fields() -> None:
    fields = {"ROW64_{number(n)}": "'a'", "ROW64_{number(n) + 1}": "'b'"}
    assert mapped(fields, {"n": 1}).fields == {"ROW64_1": "a", "ROW64_2": "b"}


def test_missing_goes_for_the_name_as_for_the_value() -> None:
    skipping = {"ROW64_{number(n)}": {"from": "text", "missing": "skip"}, "BID": "bid"}
    assert mapped(skipping, {"bid": 1}).fields == {"BID": 1}
    assert mapped(skipping, {"bid": 1, "n": 1}).fields == {"BID": 1}
    blanking = {"ROW64_{number(n)}": {"from": "text", "missing": "blank"}, "BID": "bid"}
    assert mapped(blanking, {"bid": 1, "n": 1}).fields == {"ROW64_1": None, "BID": 1}
    outcome = mapped(blanking, {"bid": 1})
    assert isinstance(outcome, Rejected)
    assert outcome.code == "MissingField"


@pytest.mark.parametrize(
    ("name", "code", "text"),
    [
        ("ROW64_{n}", "M411", "ROW64_{n} can become ROW64_1 (Rmtes, 64 bytes) and ROW64_TIME (Time, 5 bytes)"),
        (
            "ROW{number(n)}_1",
            "M411",
            "ROW{number(n)}_1 can become ROW64_1 (Rmtes, 64 bytes) and ROW80_1 (Rmtes, 80 bytes)",
        ),
        ("{name}", "M411", "{name} can become "),
        ("LINE_{n}", "M410", "the dictionary has no field that LINE_{n} can become"),
        ("ROW64_{n", "", "this '{' is not closed"),
    ],
)
def test_a_name_with_braces_must_become_fields_of_one_type(name: str, code: str, text: str) -> None:
    found = problem({name: "x"})
    assert found.key
    assert found.text.startswith(text)
    assert not code or found.code == code


def test_a_name_with_braces_needs_a_dictionary() -> None:
    mapping = {"name": "one", "ric": "EUR=", "fields": ROWS}
    (found,) = compile_file(MappingFile.model_validate({"mappings": [mapping]}), "TRCC").problems
    assert (found.code, found.key) == ("M303", True)
    assert "dictionary.fields" in found.cure
    assert compiled(ROWS, UNREAD).problems == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=3,
)
EVERY = {name: {"from": "x"} for name in SAMPLE.fields if name != "MANY"}


@given(st.sampled_from(sorted(EVERY)), JSON)
def test_any_value_fits_or_is_rejected_with_its_field_named(name: str, value: Any) -> None:
    outcome = mapped({name: EVERY[name]}, {"x": value})
    if isinstance(outcome, Rejected):
        assert outcome.text.startswith(f"{name} (FID ")


def test_the_example_of_the_documentation_passes_its_own_tests() -> None:
    page = (Path(__file__).parents[2] / "docs" / "mapping.md").read_text()
    example = re.search(r"## The field dictionary\n.*?```yaml\n(.*?)```", page, re.DOTALL)
    assert example is not None
    document = parse_document(example[1].encode(), Path("mapping.md"))
    assert document.problems == []
    made = compile_file(MappingFile.model_validate(document.data), "TRCC", types=SAMPLE)
    assert made.problems == []
    assert [result.differences for result in run_cases(made.tests, Mapper(made.mappings))] == [(), ()]


@pytest.mark.parametrize("key", ["fields", "including"])
def test_a_test_names_fields_by_fid_as_mappings_do(key: str) -> None:
    case = {"record": {"bid": 1}, "post": {"ric": "EUR=", key: {"22": 1}}}
    model = {"mappings": [{"name": "one", "ric": "EUR=", "fields": {"22": "bid"}}], "tests": [case]}
    made = compile_file(MappingFile.model_validate(model), "TRCC", types=SAMPLE)
    [result] = run_cases(made.tests, Mapper(made.mappings))
    assert result.passed, result.differences


def test_rmtes_text_goes_into_rmtes_fields_as_long_as_they_hold_it() -> None:
    assert posted("ROW64_1", "\x1b[60`ABCD", **{"as": "rmtes"}) == "\x1b[60`ABCD"
    assert posted("ROW64_1", "S\xf3", **{"as": "rmtes"}) == "\x1b%0S\xf3"
    assert "it holds 64 bytes, this takes 65" in rejected("ROW64_1", "\x1b[60`ABCDE", **{"as": "rmtes"})
    for name in ("BID", "QUOTIM"):
        assert problem({name: {"from": "x", "as": "rmtes"}}).code == "M402"
