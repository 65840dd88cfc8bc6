"""Any text gives an expression or one error with a place, a number and a cure; any record a value or one error."""

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from contribd.mapping.expression import compile_expression
from contribd.mapping.functions import FUNCTIONS, Form
from contribd.mapping.kind import Kind
from contribd.mapping.mistakes import ErrorKind, EvaluationError, ExpressionError
from contribd.mapping.scope import EMPTY, POST, SURROUNDINGS, LetName, Scope, Surroundings
from contribd.mapping.tables import Table
from contribd.mapping.template import compile_template
from contribd.mapping.written import written

ROW = LetName("row")
SCOPE = Scope({"row": ROW}, {"t": Table("t", {"a": {"x": 1}, "1": {"x": "b"}}, frozenset({"x"}))}, frozenset({"BID"}))

PIECES = [
    *"()[]{}.,+-*/%<>=!&|?:;@$#~^\\\"'` \t\n",
    *("a", "b", "item", "t", "row", "x", "1", "2.5", "1e3", "0", "00", ".5", "1_0", "0x1"),
    *("'q'", '"7"', "r'\\d'", "f'", "'\\d'"),
    *("and", "or", "not", "in", "if", "else", "true", "null", "None", "True", "is", "AND", "NOT", "then", "between"),
    *("==", "!=", "<=", ">=", "&&", "||", "??", "?.", "//", "**", "<>", "=>", "->", "t[", "in [", "in (", "@key"),
    *("@headers.", "@post.BID", "@post.X", "@empty", "this.", "record.", "\u00a0", "\u2212", "\u201c", "\ud800", "é"),
    *(f"{name}(" for name in FUNCTIONS),
]

NAMES = st.sampled_from(["a", "b", "c", "row", "t['a'].x", "a.x", "a[0].x", "b[c]", "@headers.h", "@post.BID"])
EACH = ["sum(a)", "first(a, item.x == 1)", "largest(b, item.x)", "count(b, any(a, item == 1))", "smallest(a, item)"]


def _of(kind: Kind) -> st.SearchStrategy[str]:
    """Expressions that may give what is of this kind."""
    ways = [way for one, way in ((Kind.NUMBER, NUMBERS), (Kind.TEXT, TEXTS), (Kind.BOOLEAN, CONDITIONS)) if one in kind]
    return st.one_of(ways) if ways else NAMES | st.just("split(c, 'a')")


def _calls(kind: Kind) -> st.SearchStrategy[str]:
    """Calls that may give what is of this kind."""
    fitting = sorted(
        name
        for name, function in FUNCTIONS.items()
        if kind & function.gives and function.form in {Form.PLAIN, Form.UNEVALUATED} and name != "exists"
    )
    return st.sampled_from(fitting).flatmap(_call)


def _call(name: str) -> st.SearchStrategy[str]:
    function = FUNCTIONS[name]
    kinds = [*function.takes, *[function.takes[-1]] * 3]
    return st.integers(function.least, min(function.most, 3)).flatmap(
        lambda count: st.tuples(*map(_of, kinds[:count])).map(lambda arguments: f"{name}({', '.join(arguments)})")
    )


def _joined(*parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*parts).map(lambda found: f"({' '.join(found)})")


def _chosen(way: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return _joined(way, st.just("if"), CONDITIONS, st.just("else"), way)


NUMBERS: st.SearchStrategy[str] = st.deferred(
    lambda: (
        NAMES
        | st.sampled_from(["0", "1", "2.50", "-3", "1e20", "34", "@offset", "capture(c, '[0-9]')", *EACH])
        | _joined(NUMBERS, st.sampled_from("+-*/%"), NUMBERS)
        | NUMBERS.map(lambda part: f"-{part}")
        | _chosen(NUMBERS)
        | _calls(Kind.NUMBER)
    )
)
TEXTS: st.SearchStrategy[str] = st.deferred(
    lambda: (
        NAMES
        | st.sampled_from(["''", "'a'", "'7'", "'/'", "@key", "@topic", "capture(c, '(.)b')"])
        | _joined(TEXTS, st.just("+"), TEXTS)
        | TEXTS.map(lambda part: f"t[{part}].x")
        | TEXTS.map(lambda part: f"split({part}, 'a')[0]")
        | _chosen(TEXTS)
        | _calls(Kind.TEXT)
    )
)
CONDITIONS: st.SearchStrategy[str] = st.deferred(
    lambda: (
        NAMES
        | st.sampled_from(["true", "@empty", "exists(a.x)", "matches(c, 'a+')", "all(a, item == b)"])
        | _joined(NUMBERS, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), NUMBERS)
        | _joined(TEXTS, st.sampled_from(["<", "==", "!=", "in"]), TEXTS)
        | _joined(TEXTS, st.sampled_from(["in", "not in"]), st.sampled_from(["t", "['a', 1, null]", "a"]))
        | _joined(CONDITIONS, st.sampled_from(["and", "or"]), CONDITIONS)
        | CONDITIONS.map(lambda part: f"(not {part})")
        | _calls(Kind.BOOLEAN)
    )
)
EXPRESSIONS = NUMBERS | TEXTS | CONDITIONS
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([Decimal("1.5"), Decimal("1e999999"), Decimal("1e-999999"), Decimal("-0.0"), Decimal(2)])
    | st.text(max_size=5)
    | st.sampled_from(["a", "7", "2026-11-22", "99-16+"]),
    lambda smaller: st.lists(smaller, max_size=3) | st.dictionaries(st.sampled_from("xa0"), smaller, max_size=3),
    max_leaves=8,
)


@st.composite
def records(draw: st.DrawFn) -> dict[Any, Any]:
    record: dict[Any, Any] = draw(st.dictionaries(st.sampled_from(["a", "b", "c"]), VALUES, max_size=3))
    if draw(st.booleans()):
        record[SURROUNDINGS] = Surroundings(draw(st.none() | st.just("k")), "topic", 0, 1, None, {"h": "v"})
        record[POST] = draw(st.dictionaries(st.just("BID"), st.just(Decimal(1))))
        record[ROW] = draw(VALUES)
    if draw(st.booleans()):
        record[EMPTY] = True
    return record


def told(error: ExpressionError, source: str) -> None:
    assert 0 <= error.at <= len(source)
    assert error.text
    assert error.code.startswith("M")
    assert error.cure
    assert "\n" not in error.cure or "\n" in source


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join) | st.text(max_size=12) | EXPRESSIONS)
def test_any_text_gives_an_expression_or_one_error(source: str) -> None:
    try:
        compile_expression(source, SCOPE)
    except ExpressionError as error:
        told(error, source)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from([*PIECES, "{", "}", "{{", "}}", "${", "<a>", "%s", "{a}"]), max_size=10).map("".join))
def test_any_text_gives_a_template_or_errors(source: str) -> None:
    try:
        compile_template(source, SCOPE)
    except ExpressionError as error:
        for each in (error, *error.others):
            told(each, source)


@settings(max_examples=100, deadline=None)
@given(EXPRESSIONS, records())
def test_any_record_gives_a_value_or_one_error(source: str, record: dict[Any, Any]) -> None:
    try:
        expression = compile_expression(source, SCOPE)
    except ExpressionError as error:
        told(error, source)
        return
    value = outcome(expression.evaluate, record)
    assert type(value) in {str, int, Decimal, bool, type(None), list, dict, ErrorKind}
    if expression.always is not None:
        assert value is expression.always or type(value) is ErrorKind


@settings(max_examples=100, deadline=None)
@given(EXPRESSIONS, records())
def test_what_is_written_of_an_expression_says_the_same(source: str, record: dict[Any, Any]) -> None:
    try:
        expression = compile_expression(source, SCOPE)
    except ExpressionError:
        return
    again = compile_expression(written(expression.node), SCOPE)
    assert again.normal == expression.normal
    assert outcome(again.evaluate, record) == outcome(expression.evaluate, record)


def outcome(evaluate: Any, record: dict[Any, Any]) -> object:
    try:
        return evaluate(record)
    except EvaluationError as error:
        return error.kind
