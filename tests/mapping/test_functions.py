"""What each function gives, and how it fails."""

import time
from decimal import Decimal
from typing import Any

import pytest
from tests.mapping.refusals import failed, refused

from contribd.mapping.expression import compile_expression
from contribd.mapping.functions import FUNCTIONS
from contribd.mapping.list_functions import MAX_ELEMENTS
from contribd.mapping.mistakes import ErrorKind

BOOK = [
    {"side": "B", "price": Decimal("1.1"), "size": 5, "by": [{"who": "x", "n": 1}, {"who": "y", "n": 2}]},
    {"side": "S", "price": Decimal("1.3"), "size": 7, "by": []},
    {"side": "B", "price": Decimal("1.2"), "size": 9, "by": [{"who": "y", "n": 4}]},
]
RECORD: dict[str, Any] = {
    "bid": Decimal("1.08412"),
    "ask": Decimal("1.08415"),
    "n": 3,
    "asset": "FX",
    "pair": "EUR/USD",
    "yes": True,
    "none": None,
    "sizes": [{"bid": 5}, {"bid": 7}],
    "tags": ["a", 1, True],
    "book": BOOK,
    "prices": [3, Decimal("1.5"), 2],
    "empty": [],
    "long": [1] * (MAX_ELEMENTS + 1),
    "hundred": [1] * 100,
    "text": "x" * 60_000,
}

GIVES: list[tuple[str, object]] = [
    ("round((bid + ask) / 2, 5)", Decimal("1.08414")),
    ("round(2.5)", 2),
    ("round(n, 3)", Decimal("3.000")),
    ("abs(-2.5)", Decimal("2.5")),
    ("min(n, 2.5, 4)", Decimal("2.5")),
    ("max(n, 2.5, 4)", 4),
    ("floor(-1.5)", -2),
    ("ceil(-1.5)", -1),
    ("upper('fx')", "FX"),
    ("lower(asset)", "fx"),
    ("trim('  a ')", "a"),
    ("replace('EUR/USD', '/', '')", "EURUSD"),
    ("slice('EURUSD', 0, 3)", "EUR"),
    ("slice('EURUSD', -3)", "USD"),
    ("len(asset) + len(tags)", 5),
    ("text(1.50)", "1.50"),
    ("text(0.0000001)", "0.0000001"),
    ("text(yes)", "true"),
    ("number('-1.5e2')", -150),
    ("partial('ABC', 7)", "\x1b[7`ABC"),
    ("add_days('2026-11-30', 2)", "2026-12-02"),
    ("add_months('2026-01-31', 1)", "2026-02-28"),
    ("add_seconds('2026-11-30T23:59:59', 1)", "2026-12-01T00:00:00"),
    ("days_between('2026-11-30', '2026-12-02')", 2),
    ("weekday('2026-11-22')", 7),
    ("month_code('2026-11-22')", "X"),
    ("date_text('2026-11-22', 'DDMMMYY')", "22NOV26"),
    ("read_date('22-NOV-2026', 'DD-MMM-YYYY')", "2026-11-22"),
    ("in_zone('2026-07-01T09:15:30Z', 'Europe/London')", "2026-07-01T10:15:30"),
    ("fraction('99-16+')", Decimal("99.515625")),
    ("starts_with(asset, 'F')", True),
    ("ends_with(asset, 'F')", False),
    ("exists(sizes[1].bid)", True),
    ("exists(sizes[2].bid)", False),
    ("exists(none)", True),
    ("coalesce(nope, none, n)", 3),
    ("coalesce(nope, none)", None),
    ("coalesce(nope + 1, 2)", 2),
    ("text(round(n, 3))", "3.000"),
    ("text(round(1, 5))", "1.00000"),
    ("text(round(1.0, 5))", "1.00000"),
    ("text(round(0, 2))", "0.00"),
    ("round(bid, 4 / 2)", Decimal("1.08")),
    ("round(bid, 2.0)", Decimal("1.08")),
    ("slice(pair, 8 / 2, floor(6.5))", "US"),
    ("slice(pair, number('04'))", "USD"),
    ("fixed(1.5, 3)", "1.500"),
    ("fixed(2, 2)", "2.00"),
    ("fixed(2.5, 0)", "2"),
    ("fixed(-0.001, 2)", "0.00"),
    ("fixed(0.0000001, 8)", "0.00000010"),
    ("pad_left(text(n), 3, '0')", "003"),
    ("pad_left(asset, 4)", "  FX"),
    ("pad_right(asset, 4, '.')", "FX.."),
    ("pad_right(asset, 1)", "FX"),
    ("find(pair, '/')", 3),
    ("coalesce(find(pair, '-'), 99)", 99),
    ("slice(pair, 0, find(pair, '/'))", "EUR"),
    ("split(pair, '/')[0]", "EUR"),
    ("entries(sizes[0])[0].key", "bid"),
    ("first(entries(book[0]), item.key == 'size').value", 5),
    ("split(pair, '/')[-1]", "USD"),
    ("len(split(pair, '/'))", 2),
    ("'EUR' in split(pair, '/')", True),
    ("coalesce(split(pair, '/')[2], 'none')", "none"),
    ('matches(pair, r"^[A-Z]{3}/[A-Z]{3}$")', True),
    ("matches(pair, '/')", True),
    ("matches(pair, '^USD')", False),
    (r"""matches('5\\d', r"^\d\\d$")""", True),
    ("capture(pair, '/(.+)')", "USD"),
    ("capture(pair, '(?P<base>[A-Z]+)/', 'base')", "EUR"),
    ("capture(pair, '[A-Z]+', 0)", "EUR"),
    ("coalesce(capture(pair, 'x()'), 'none')", "none"),
    ("first(book, item.side == 'B').price", Decimal("1.1")),
    ("first(prices, item < 3)", Decimal("1.5")),
    ("coalesce(first(book, item.side == 'X').price, 0)", 0),
    ("count(book, item.side == 'B')", 2),
    ("len(filter(book, item.side == 'B'))", 2),
    ("filter(prices, item > 100)", []),
    ("largest(filter(book, item.side == 'B'), item.price)", Decimal("1.2")),
    ("largest(filter(prices, item < 3))", 2),
    ("sum(filter(book, item.side != 'B'), item.size)", 7),
    ("filter(book, item.size > 5)[0].side", "S"),
    ("coalesce(smallest(filter(empty, item > 1)), 0)", 0),
    ("sum(book, item.size)", 21),
    ("sum(book, item.size if item.side == 'B' else 0)", 14),
    ("sum(prices)", Decimal("6.5")),
    ("sum(empty)", 0),
    ("smallest(book, item.price)", Decimal("1.1")),
    ("largest(prices)", 3),
    ("smallest(book, item.side)", "B"),
    ("any(book, item.price > 1.25)", True),
    ("all(book, item.price > 1.25)", False),
    ("all(empty, item)", True),
    ("sum(book, sum(item.by, item.n))", 7),
    ("first(book, any(item.by, item.n == 4)).size", 9),
    ("first(book, item.size == largest(book, item.size)).side", "B"),
    ("count(hundred, item > 0 and any(hundred, item == 1))", 100),
    ("coalesce(item, 1)", 1),
]


def value(source: str) -> Any:
    return compile_expression(source).evaluate(RECORD)


@pytest.mark.parametrize(("source", "expected"), GIVES)
def test_function_gives(source: str, expected: object) -> None:
    got = value(source)
    assert got == expected
    assert isinstance(got, bool) == isinstance(expected, bool)


@pytest.mark.parametrize(
    ("source", "at", "cure"),
    [
        ("first(book, price > 1)", 12, "Write item.price for a key of the element"),
        ("first(book, not any(book, item.price > 1))", 20, "Write item.book for a key of the element"),
        ("sum(book, n * size)", 10, "Write item.n for a key of the element"),
        ("all(book, 1 + 1 == 2)", 16, "Write item for the element"),
    ],
)
def test_what_is_asked_of_each_element_names_it(source: str, at: int, cure: str) -> None:
    error = refused(source)
    assert (error.code, error.at, error.cure) == ("M128", at, cure)


def test_constants_are_the_same_for_each_element_on_purpose() -> None:
    assert value("count(book, true)") == value("sum(book, 1)") == value("len(book)")


def test_every_function_is_tried_here() -> None:
    assert {name for name in FUNCTIONS if not any(f"{name}(" in source for source, _ in GIVES)} == set()


@pytest.mark.parametrize(
    ("source", "kind", "text"),
    [
        ("round(bid, n * 100)", ErrorKind.OUT_OF_RANGE, "round: places is a whole number from 0 to 34, not 300"),
        ("round(bid, n / 2)", ErrorKind.OUT_OF_RANGE, "round: places is a whole number from 0 to 34, not 1.5"),
        ("slice(pair, n / 2)", ErrorKind.WRONG_TYPE, "slice: a position is a whole number, not 1.5"),
        ("slice(pair, 0, none)", ErrorKind.WRONG_TYPE, "slice: a position is a whole number, not null"),
        ("fixed(asset, 2)", ErrorKind.WRONG_TYPE, "fixed takes a number, not text"),
        ("pad_left(n, 2)", ErrorKind.WRONG_TYPE, "pad_left takes text, not a number"),
        ("pad_left(asset, n * 1e6)", ErrorKind.OUT_OF_RANGE, "pad_left: width is a whole number from 0 to 65536"),
        ("pad_left(asset, n, asset)", ErrorKind.OUT_OF_RANGE, 'pad_left: fill is one character, not "FX"'),
        ("find(pair, '-')", ErrorKind.MISSING, 'find: there is no "-" in "EUR/USD"'),
        ("split(pair, slice(pair, 0, 0))", ErrorKind.OUT_OF_RANGE, "split: the separator is empty"),
        ("split(text, 'x')", ErrorKind.OUT_OF_RANGE, "split: the text has more than 10000 pieces"),
        ("entries(sizes)", ErrorKind.WRONG_TYPE, "entries takes an object, not a list"),
        ("split(pair, '/')[2]", ErrorKind.MISSING, 'there is no split(pair, "/")[2]'),
        ("capture(pair, '(x)')", ErrorKind.MISSING, 'capture: the pattern finds nothing in "EUR/USD"'),
        ("capture(pair, '(x)?/')", ErrorKind.MISSING, 'capture: the pattern finds nothing in "EUR/USD"'),
        ("matches(n, '3')", ErrorKind.WRONG_TYPE, "matches takes text, not a number"),
        ("first(book, item.side == 'X').price", ErrorKind.MISSING, "first: the condition is true for no element"),
        ("first(book, item.x == 1)", ErrorKind.MISSING, "there is no item.x"),
        ("first(book, item.size)", ErrorKind.WRONG_TYPE, "a condition is true or false, not a number"),
        ("sum(tags)", ErrorKind.WRONG_TYPE, "'+' takes two numbers or two texts, not a number and text"),
        ("largest(empty)", ErrorKind.MISSING, "largest: the list is empty"),
        ("count(asset, item == 1)", ErrorKind.WRONG_TYPE, 'count takes a list, not "FX"'),
        ("count(long, item == 1)", ErrorKind.OUT_OF_RANGE, "count: the list has 10001 elements, more than the 10000"),
        (
            "count(hundred, item > 0 and any(long, item == 2))",
            ErrorKind.OUT_OF_RANGE,
            "more than the 100 that a list within a list",
        ),
    ],
)
def test_function_fails_with_one_typed_error(source: str, kind: ErrorKind, text: str) -> None:
    error = failed(source, RECORD)
    assert error.kind is kind
    assert text in error.text


@pytest.mark.parametrize(
    ("source", "at", "text"),
    [
        ("matches(pair, asset)", 14, "the pattern of matches is a constant text"),
        ("matches(pair, 'a[b')", 16, "missing ]"),
        (r"matches(pair, r'a\q')", 17, "invalid escape"),
        ("matches(pair, '(?=a)')", 15, "invalid perl operator"),
        ("matches(pair, '" + "a" * 1001 + "')", 14, "at most 1000 characters"),
        ("capture(pair, 'a')", 0, "the pattern has no group 1"),
        ("capture(pair, '(a)', 'x')", 21, "the pattern has no group x"),
        ("capture(pair, '(a)', n)", 21, "the group of capture is a constant"),
        ("first(book)", 0, "first(list, condition)"),
        ("count(item.side == 'B', book)", 16, "count takes a list; this is true or false"),
        ("any(a, any(item.b, any(item.c, item == 1)))", 31, "at most 2 deep"),
    ],
)
def test_wrong_call_is_refused_at_its_place(source: str, at: int, text: str) -> None:
    error = refused(source)
    assert text in error.text
    assert error.at == at


def test_time_of_a_search_never_runs_away() -> None:
    started = time.perf_counter()
    assert compile_expression("matches(x, '^(a+)+$')").evaluate({"x": "a" * 60_000 + "b"}) is False
    assert time.perf_counter() - started < 30


def test_half_a_character_is_refused_by_a_pattern() -> None:
    assert failed("matches(x, 'a')", {"x": "\ud800a"}).kind is ErrorKind.OUT_OF_RANGE


@pytest.mark.parametrize("source", ["y < x", "x <= y", "x > y", "smallest(list)", "any(list, item >= y)", "z >= x"])
def test_numbers_that_came_as_text_have_no_order(source: str) -> None:
    record = {"x": "9.5", "y": "10.2", "z": "1e2", "list": ["9.5", "10.2"]}
    error = failed(source, record)
    assert error.kind is ErrorKind.WRONG_TYPE
    assert "as text, not as numbers; write number() around each" in error.text


def test_text_that_is_no_number_keeps_its_order() -> None:
    assert compile_expression("'1M' < x and x < 'a' and '2026-11-22' < '2026-11-23'").evaluate({"x": "9.5"}) is True
