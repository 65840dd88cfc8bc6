"""What expressions give, and how they fail: at load with a place, at run time with one typed error."""

import decimal
import threading
import time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.mapping.refusals import failed, refused

from contribd.mapping.cursor import MAX_NESTING, MAX_NODES
from contribd.mapping.expression import compile_expression
from contribd.mapping.kind import Kind
from contribd.mapping.mistakes import ErrorKind
from contribd.mapping.operators import equal
from contribd.mapping.template import compile_template

RECORD: dict[str, Any] = {
    "bid": Decimal("1.08412"),
    "ask": Decimal("1.08415"),
    "n": 3,
    "one": 1,
    "zero": 0,
    "nothing": "",
    "NaN": "NaN",
    "grouped": "1_0",
    "arabic": "\u0661",
    "asset": "FX",
    "yes": True,
    "none": None,
    "sizes": [{"bid": 5}, {"bid": 7}],
    "tags": ["a", 1, True],
    "odd key": {"in": 7},
    "huge": Decimal("1e999999999"),
    "tiny": Decimal("1e-999999999"),
    "digits": int("9" * 4000),
    "long": "x" * 60_000,
}

GIVES: list[tuple[str, object]] = [
    ("bid", Decimal("1.08412")),
    ("sizes[0].bid", 5),
    ("sizes[-1].bid", 7),
    ('["odd key"].in', 7),
    ("sizes[0]['bid']", 5),
    ("1 + 2 * 3", 7),
    ("(1 + 2) * 3", 9),
    ("10 - 4 - 3", 3),
    ("-n + 1", -2),
    ("2 - -3", 5),
    ("7 / 2", Decimal("3.5")),
    ("7 % 3", 1),
    ("-7 % 3", -1),
    ("-7.5 % 2", Decimal("-1.5")),
    ("asset + '/' + asset", "FX/FX"),
    ("1 if yes else 2", 1),
    ("1 if n > 5 else 2 if n > 2 else 3", 2),
    ("n > 2 and not n > 5 or bid / zero > 1", True),
    ("false and bid / zero > 1", False),
    ("not n == 3", False),
    ("n == 3.0", True),
    ("yes == 1", False),
    ("n == '3'", False),
    ("none == null", True),
    ("sizes == null", False),
    ("'B' < 'a'", True),
    ("asset in ['FX', 'MM']", True),
    ("n in [1, 3.00]", True),
    ("yes in [1]", False),
    ("one in [true]", False),
    ("asset not in ['FX']", False),
    ("-3 in [-3]", True),
    ("'a' in tags", True),
    ("2 in tags", False),
    ("'F' in asset", True),
    (r'"tab\t \u20ac \"q\""', 'tab\t € "q"'),
    ("huge > 1", True),
    ("huge == 1", False),
    ("huge in [1]", False),
    ("tiny + 1", 1),
    ("digits > 1", True),
]


def value(source: str) -> Any:
    return compile_expression(source).evaluate(RECORD)


@pytest.mark.parametrize(("source", "expected"), GIVES)
def test_expression_gives(source: str, expected: object) -> None:
    got = value(source)
    assert got == expected
    assert isinstance(got, bool) == isinstance(expected, bool)


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("nope", ErrorKind.MISSING),
        ("sizes[2].bid", ErrorKind.MISSING),
        ("asset[0]", ErrorKind.MISSING),
        ("bid.real", ErrorKind.MISSING),
        ("none.x", ErrorKind.MISSING),
        ("['__class__']", ErrorKind.MISSING),
        ("coalesce(nope, nope)", ErrorKind.MISSING),
        ("asset + 1", ErrorKind.WRONG_TYPE),
        ("asset * 3", ErrorKind.WRONG_TYPE),
        ("yes + 1", ErrorKind.WRONG_TYPE),
        ("-yes", ErrorKind.WRONG_TYPE),
        ("none + 1", ErrorKind.WRONG_TYPE),
        ("none < 1", ErrorKind.WRONG_TYPE),
        ("1 if n else 2", ErrorKind.WRONG_TYPE),
        ("n and yes", ErrorKind.WRONG_TYPE),
        ("not n", ErrorKind.WRONG_TYPE),
        ("sizes == sizes", ErrorKind.WRONG_TYPE),
        ("sizes in [1]", ErrorKind.WRONG_TYPE),
        ("1 in asset", ErrorKind.WRONG_TYPE),
        ("upper(n)", ErrorKind.WRONG_TYPE),
        ("coalesce(asset + 1, 2)", ErrorKind.WRONG_TYPE),
        ("bid / zero", ErrorKind.OUT_OF_RANGE),
        ("n % zero", ErrorKind.OUT_OF_RANGE),
        ("huge + 1", ErrorKind.OUT_OF_RANGE),
        ("huge % 3", ErrorKind.OUT_OF_RANGE),
        ("round(huge, 2)", ErrorKind.OUT_OF_RANGE),
        ("text(huge)", ErrorKind.OUT_OF_RANGE),
        ("text(digits)", ErrorKind.OUT_OF_RANGE),
        ("digits * digits", ErrorKind.OUT_OF_RANGE),
        ("long + long", ErrorKind.OUT_OF_RANGE),
        ("replace(long, 'x', 'yy')", ErrorKind.OUT_OF_RANGE),
        ("replace(asset, nothing, 'y')", ErrorKind.OUT_OF_RANGE),
        ("number(NaN)", ErrorKind.OUT_OF_RANGE),
        ("number(grouped)", ErrorKind.OUT_OF_RANGE),
        ("number(arabic)", ErrorKind.OUT_OF_RANGE),
        ("round(bid, n * 100)", ErrorKind.OUT_OF_RANGE),
    ],
)
def test_evaluation_fails_with_one_typed_error(source: str, kind: ErrorKind) -> None:
    assert failed(source, RECORD).kind is kind


def test_coalesce_says_of_each_argument_why_it_is_none() -> None:
    text = "coalesce finds nothing: the record has no nope, the record has no quote.x"
    assert failed("coalesce(nope, quote['x'])", RECORD).text == text


def test_missing_path_is_named_as_it_is_written() -> None:
    assert failed('sizes[1]["the ask"].size', RECORD).text == 'the record has no sizes[1]["the ask"].size'
    assert failed("['no such']", RECORD).text == 'the record has no ["no such"]'


@pytest.mark.parametrize(
    ("source", "at", "text"),
    [
        ("", 0, "an expression is missing"),
        ("bid <", 5, "expected a value, found the end"),
        ("bid ~ 2", 4, "'~' has no meaning"),
        ("bid = 2", 4, "write '=='"),
        ("yes && no", 4, "write 'and'"),
        ("!yes", 0, "write 'not'"),
        ("1 < n < 3", 6, "comparisons do not chain"),
        ("n == 1 == yes", 7, "comparisons do not chain"),
        ("(1 + 2", 0, "this '(' is not closed"),
        ("(1 + 2 n", 7, "to close the '(' at character 1"),
        ("bid ask", 4, "expected an operator or the end, found 'ask'"),
        ("'abc", 0, "not closed"),
        (r"'a\x'", 2, "unknown escape"),
        (r"'\ud800'", 1, "no surrogates"),
        ("1 if yes", 8, "expected 'else'"),
        ("a[1.5]", 2, "expected a position"),
        ("a.", 2, "expected a name"),
        ("[1, 2]", 0, "a list stands only after 'in'"),
        ("n in [n]", 6, "constants only"),
        ("2x", 0, "cannot start with a digit"),
        ("1e999999999", 0, "exponent within 99"),
        ("1e34", 0, "magnitude lies between"),
        ("1e-34", 0, "magnitude lies between"),
        ("9" * 35, 0, "at most 34 digits"),
        ("rond(bid)", 0, "did you mean round?"),
        ("eval(bid)", 0, "there is no function eval"),
        ("bid + round()", 6, "round(number, places)"),
        ("exists(1)", 7, "takes a path"),
        ("upper(1)", 6, "takes text; this is a number"),
        ("'a' * 2", 0, "takes a number; this is text"),
        ("'a' + 2", 4, "not text and a number"),
        ("1 if 2 else 3", 5, "takes true or false"),
        ("not 1", 4, "takes true or false"),
        ("and", 0, 'a key of that name is ["and"]'),
        ("a" * 5000, 4096, "at most 4096 characters"),
    ],
)
def test_wrong_expression_is_refused_at_its_place(source: str, at: int, text: str) -> None:
    error = refused(source)
    assert text in error.text
    assert error.at == at


def test_nesting_and_size_are_bounded() -> None:
    assert value("(" * (MAX_NESTING - 1) + "1" + ")" * (MAX_NESTING - 1)) == 1
    assert "nested more than" in refused("(" * 2000 + "1" + ")" * 2000).text
    assert "nested more than" in refused("-" * 2000 + "n").text
    assert "nested more than" in refused("not " * 1000 + "yes").text
    assert "nested more than" in refused("n if yes else " * 100 + "n").text
    assert value("+".join(["1"] * (MAX_NODES // 2))) == MAX_NODES // 2
    assert f"more than {MAX_NODES}" in refused("+".join(["1"] * MAX_NODES)).text


def test_long_list_of_codes_is_no_large_expression() -> None:
    codes = ", ".join(f"'C{index}'" for index in range(500))
    assert value(f"asset in [{codes}, 'FX']") is True


def test_computed_integers_stay_below_the_limit() -> None:
    record = {"x": 9999999999}
    assert compile_expression("x * x * x").evaluate(record) == 9999999999**3
    assert failed("x * x * x * x", record).kind is ErrorKind.OUT_OF_RANGE


def test_result_does_not_depend_on_the_decimal_context_of_the_caller() -> None:
    expression = compile_expression("round((bid + ask) / 2, 5)")
    with decimal.localcontext() as context:
        context.prec, context.rounding = 3, decimal.ROUND_UP
        context.traps[decimal.Inexact] = True
        assert expression.evaluate(RECORD) == Decimal("1.08414")
        assert decimal.getcontext().prec == 3


def test_result_is_the_same_in_another_thread() -> None:
    results: list[object] = []
    thread = threading.Thread(target=lambda: results.append(value("1 / 3")))
    thread.start()
    thread.join(10)
    assert results == [value("1 / 3")] == [Decimal("0." + "3" * 34)]


@pytest.mark.parametrize("source", ["huge == digits", "huge > digits", "huge in [1, 2]", "tiny * tiny", "floor(huge)"])
def test_extreme_numbers_take_no_time(source: str) -> None:
    started = time.perf_counter()
    value(source)
    assert time.perf_counter() - started < 30


def test_kind_of_result_is_known_where_it_can_be() -> None:
    assert compile_expression("bid").kind is Kind.ANY
    assert compile_expression("bid + 1").kind is Kind.NUMBER
    assert compile_expression("bid < 1").kind is Kind.BOOLEAN
    assert compile_expression("1 if bid > 2 else 'x'").kind == Kind.NUMBER | Kind.TEXT


def test_template_finds_its_expressions_and_keeps_its_braces() -> None:
    template = compile_template("{a}/{replace(b, '}', '')}{{1,}}")
    assert [part if isinstance(part, str) else part.source for part in template.parts] == [
        "a",
        "/",
        "replace(b, '}', '')",
        "{1,}",
    ]


@pytest.mark.parametrize(
    ("source", "at", "text"),
    [
        ("EUR{pair", 3, "not closed"),
        ("EUR}", 3, "closes nothing"),
        ("EUR={}", 5, "expression is missing"),
        ("EUR={bid +}", 10, "found the end"),
        ("{bid > 1}=", 1, "gives text or a number"),
    ],
)
def test_wrong_template_is_refused_at_its_place(source: str, at: int, text: str) -> None:
    error = refused(source, by=compile_template)
    assert text in error.text
    assert error.at == at


MIXED = st.lists(st.sampled_from([0, 1, Decimal("1.0"), Decimal("2.5"), "1", "", True, False, None, [1], {"a": 1}]))


@given(st.sampled_from([0, 1, Decimal("1.00"), 3, "1", "x", True, False, None]), MIXED)
def test_a_list_holds_what_is_equal_to_one_of_its_entries(value: Any, entries: list[Any]) -> None:
    held = compile_expression("value in entries").evaluate({"value": value, "entries": entries})
    assert held is any(equal(value, each) for each in entries)
