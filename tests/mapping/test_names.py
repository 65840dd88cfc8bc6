"""What an expression can name beside the record, and keys and positions behind any value."""

from decimal import Decimal
from typing import Any

import pytest
from tests.mapping.refusals import failed, refused

from contribd.mapping.expression import compile_expression
from contribd.mapping.mistakes import ErrorKind, EvaluationError, missing_path, out_of_range
from contribd.mapping.scope import EMPTY, POST, SURROUNDINGS, LetName, Scope, Surroundings
from contribd.mapping.tables import Table
from contribd.mapping.template import compile_template

ROW, LATE = LetName("row"), LetName("late")
SCOPE = Scope(
    lets={"row": ROW, "late": LATE},
    tables={
        "instruments": Table(
            "instruments",
            {"EURUSD": {"ric": "EUR=", "lot": 100}, "7": {"ric": "SEVEN=", "lot": 1}},
            frozenset({"ric", "lot"}),
        ),
        "units": Table("units", {"bbl": 42, "t": None}, None),
    },
    post=frozenset({"BID", "ASK", "22"}),
)
RECORD: dict[Any, Any] = {
    "pair": "EURUSD",
    "bid": Decimal("1.5"),
    "n": 1,
    "ladder": {"1M": {"bid": 5}, "2M": {"bid": 6}},
    "tenor": "2M",
    "sizes": [{"bid": 10}, {"bid": 20}],
    "@key": "of the record",
    SURROUNDINGS: Surroundings("EUR/USD", "prices", 3, 1812, 1_764_400_000_000, {"source": "desk", "x-y": "z"}),
    POST: {"BID": Decimal("1.5"), "22": None},
    ROW: {"ric": "EUR=", "lot": 100},
}
LATE.failure = missing_path(("quote", "ask"))


def value(source: str, record: dict[Any, Any] = RECORD) -> Any:
    return compile_expression(source, SCOPE).evaluate(record)


def failure(source: str, record: dict[Any, Any] = RECORD) -> EvaluationError:
    return failed(source, record, SCOPE)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("@key", "EUR/USD"),
        ("@topic + text(@partition)", "prices3"),
        ("@offset", 1812),
        ("@timestamp", 1_764_400_000_000),
        ("@headers.source", "desk"),
        ('@headers["x-y"]', "z"),
        ("exists(@headers.nope)", False),
        ('["@key"]', "of the record"),
        ("@post.BID", Decimal("1.5")),
        ('@post["22"]', None),
        ("exists(@post.ASK)", False),
        ("@empty", False),
        ("row.ric", "EUR="),
        ("row.lot * 2", 200),
        ("exists(late)", False),
        ("coalesce(late, 5)", 5),
        ("coalesce(late.x, 5)", 5),
        ("instruments[pair].ric", "EUR="),
        ('instruments["EURUSD"].lot', 100),
        ("instruments[7].ric", "SEVEN="),
        ("instruments[7.0].ric", "SEVEN="),
        ("instruments[slice(pair, 0, 3) + 'USD']['ric']", "EUR="),
        ("units['bbl'] * 2", 84),
        ("units['t']", None),
        ("pair in instruments", True),
        ("tenor in instruments", False),
        ("7.00 not in instruments", False),
        ("exists(instruments[tenor])", False),
        ("coalesce(instruments[tenor].lot, 1)", 1),
        ("ladder[tenor].bid", 6),
        ("sizes[n].bid", 20),
        ("sizes[n - 2].bid", 20),
        ("sizes[2 / 2].bid", 20),
        ("sizes[0.0].bid", 10),
        ("(sizes if n == 1 else ladder)[0].bid", 10),
        ("coalesce(nope, ladder)['1M'].bid", 5),
        ("exists(ladder[pair])", False),
        ("-sizes[0].bid", -10),
    ],
)
def test_name_gives(source: str, expected: object) -> None:
    assert value(source) == expected


def test_record_without_value_is_told() -> None:
    assert value("@empty", {EMPTY: True}) is True


@pytest.mark.parametrize(
    ("source", "kind", "text"),
    [
        ("@headers.nope", ErrorKind.MISSING, "the record has no @headers.nope"),
        ("@post.ASK", ErrorKind.MISSING, "the post has no ASK"),
        ("row.nope", ErrorKind.MISSING, "there is no row.nope"),
        ("late", ErrorKind.MISSING, "late: the record has no quote.ask"),
        ("late.x", ErrorKind.MISSING, "late: the record has no quote.ask"),
        ("instruments[tenor].ric", ErrorKind.MISSING, 'the table instruments has no row "2M"'),
        ("instruments[sizes]", ErrorKind.WRONG_TYPE, "the key of a row of instruments is text or a number, not a list"),
        (
            'instruments[number("1e200")]',
            ErrorKind.OUT_OF_RANGE,
            "the key of a row of instruments is a number with too many digits",
        ),
        ("ladder[pair].bid", ErrorKind.MISSING, 'there is no ladder[pair]; pair is "EURUSD"'),
        ("ladder[n]", ErrorKind.MISSING, "there is no ladder[n]; n is 1"),
        ("sizes[n + 1]", ErrorKind.MISSING, "there is no sizes[n + 1]; n + 1 is 2"),
        ("sizes[n / 2]", ErrorKind.WRONG_TYPE, "a key is text and a position a whole number; n / 2 is 0.5"),
        ("coalesce(nope, ladder).x", ErrorKind.MISSING, "there is no coalesce(nope, ladder).x"),
        ("coalesce(nope, pair)[0]", ErrorKind.MISSING, "there is no coalesce(nope, pair)[0]"),
    ],
)
def test_what_is_not_there_is_named(source: str, kind: ErrorKind, text: str) -> None:
    error = failure(source)
    assert (error.kind, error.text) == (kind, text)


def test_record_without_key_has_no_key() -> None:
    record = {SURROUNDINGS: Surroundings(None, "prices", 0, 0, None, {})}
    assert failure("@key", record).text == "the record has no @key"
    assert value("coalesce(@timestamp, 1)", record) == 1
    assert failure("@offset", {}).kind is ErrorKind.MISSING


def test_failed_let_keeps_its_kind_and_is_forgotten_where_it_has_a_value() -> None:
    let = LetName("mid")
    scope = Scope(lets={"mid": let})
    let.failure = out_of_range("division by zero")
    error = failed("mid + 1", {}, scope)
    assert (error.kind, error.text) == (ErrorKind.OUT_OF_RANGE, "mid: division by zero")
    assert compile_expression("mid + 1", scope).evaluate({let: 1}) == 2


def test_path_that_the_record_lacks_is_known() -> None:
    assert failure("bid + nope.x").path == ("nope", "x")
    assert failure("nope").path == ("nope",)
    assert failure("late").path == ("quote", "ask")


def test_expression_tells_what_it_reads() -> None:
    expression = compile_expression("@key + row.ric + instruments[pair].ric", SCOPE)
    assert expression.reads(SURROUNDINGS)
    assert expression.reads(ROW)
    assert not expression.reads(POST)
    assert not expression.reads(LATE)
    assert expression.tables == {"instruments"}
    assert compile_expression("@empty or @post.BID > 0", SCOPE).reads(EMPTY)
    assert not compile_expression("['@key']").reads(SURROUNDINGS)


@pytest.mark.parametrize(
    ("source", "at", "text", "cure"),
    [
        ("1 + @kye", 4, "there is no @kye", 'Write @key; a key of the record that is called so is ["@kye"]'),
        ("@value.bid", 0, "the record itself has no name", "Write its keys by themselves, as in bid"),
        ("@headers", 0, "@headers takes the name of a header", "Write @headers.source, for example"),
        ("@key.x", 0, "@key is no list or object: nothing is within it", "Write @key"),
        ("@post", 0, "@post takes the name of a field", "Write @post.22"),
        ("@post.BDI", 0, "this mapping posts no field BDI", "Write BID"),
        (
            "@timestamp + 'x'",
            11,
            "'+' takes two numbers or two texts, not a number and text",
            'Write text(@timestamp), or number("x")',
        ),
        (
            "1 + instruments",
            4,
            "instruments is a table; a key in brackets takes a row of it",
            "Write instruments[key].lot",
        ),
        ("instruments.ric", 0, "instruments is a table", "Write instruments[key].lot, with the expression"),
        ("instruments.EURUSD.ric", 0, "instruments is a table", 'Write instruments["EURUSD"]'),
        ("instruments[pair].rci", 18, "the table instruments has no column rci", "Write ric"),
        ("units[pair].ric", 0, "a row of units is one value, it has no columns", "Write units[pair]"),
        ("instruments[true]", 12, "expected a position such as [0] or [-1], or a key", 'Write ["true"] for a key'),
        ("instruments[pair] + 1", 0, "'+' takes", "Write something that gives a number or text"),
        ("(1 + 2).x", 3, "takes a list or an object", "Write something that gives a list or an object"),
    ],
)
def test_wrong_name_is_refused_at_its_place(source: str, at: int, text: str, cure: str) -> None:
    error = refused(source, SCOPE)
    assert text in error.text
    assert (error.at, cure in error.cure) == (at, True)


def test_post_is_known_in_checks_alone() -> None:
    assert refused("@post.BID").text.startswith("@post is known in checks alone")


def test_template_has_the_same_names() -> None:
    template = compile_template("{instruments[pair].ric}{@key}", SCOPE)
    assert [part if isinstance(part, str) else part.evaluate(RECORD) for part in template.parts] == ["EUR=", "EUR/USD"]
