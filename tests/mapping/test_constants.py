"""What is known of an expression before there is a record."""

import pytest
from tests.mapping.refusals import refused

from contribd.mapping.expression import compile_expression


@pytest.mark.parametrize(
    ("source", "at", "text"),
    [
        ("bid + 1 / 0", 8, "1 / 0 fails with every record: division by zero"),
        ("(1 - 1) / 2 + bid % (2 - 2)", 23, "bid % (2 - 2) fails with every record: division by zero"),
        ("bid if ask > 1 else 1 / 0", 22, "division by zero"),
        ("false and 1 / 0 > 1", 12, "division by zero"),
        ("coalesce(bid, 1 / 0)", 16, "division by zero"),
        ("round(bid, 40)", 11, "places is a whole number from 0 to 34, not 40"),
        ("round(bid, 20 + 20)", 14, "places is a whole number from 0 to 34, not 40"),
        ("fixed(bid, -1)", 11, "places is a whole number from 0 to 34, not -1"),
        ("slice(pair, 1.5)", 12, "a position is a whole number, not 1.5"),
        ("pad_left(pair, 70000)", 15, "width is a whole number from 0 to 65536"),
        ("pad_left(pair, 5, 'ab')", 18, 'fill is one character, not "ab"'),
        ("replace(pair, '', 'x')", 14, "old is empty"),
        ("number('1,5')", 0, '"1,5" is not a number'),
        ("sum(book, item.size / 0)", 22, "division by zero"),
    ],
)
def test_constant_that_always_fails_is_refused_at_its_place(source: str, at: int, text: str) -> None:
    error = refused(source)
    assert text in error.text
    assert (error.at, error.code) == (at, "M131")


@pytest.mark.parametrize(
    "source",
    [
        "1 / bid",
        "0 / bid",
        "bid * 9999999999999999999999999999999999",
        "bid + 9999999999999999999999999999999999",
        "coalesce(find('abc', 'x'), bid)",
        "slice('', bid)",
        "fraction(price, 32)",
        "round(2.5) + bid",
        "pad_left(pair, 0)",
        "split(pair, '/')[0]",
        "min(bid, 1)",
        "1 - bid",
    ],
)
def test_constant_that_may_serve_is_none(source: str) -> None:
    compile_expression(source)


@pytest.mark.parametrize(
    ("source", "always"),
    [
        ("true", True),
        ("1 < 2", True),
        ("'a' in ['b']", False),
        ("not (1 > 2)", True),
        ("upper('fx') == 'FX' or bid > 1", True),
        ("bid > 1 and false", False),
        ("bid <= bid", True),
        ("bid + 1 != bid + 1", False),
        ("bid > 1 or not true", None),
        ("asset == 'FX' and asset == 'MM'", False),
        ("asset == 'FX' and bid > 0 and asset in ['MM', 'IR']", False),
        ("asset in ['FX', 'MM'] and asset in ['MM', 'IR']", None),
        ("n == 1 and n == 1.0", None),
        ("n == 1 and n == true", False),
        ("asset != 'FX' or asset != 'MM'", True),
        ("asset == 'FX' or asset == 'MM'", None),
        ("bid > 1", None),
        ("exists(bid)", None),
        ("bid == ask", None),
        ("name in name", None),
        ("name not in name", None),
        ("true if bid > 1 else false", None),
    ],
)
def test_condition_that_is_always_the_same_is_known(source: str, always: bool | None) -> None:
    assert compile_expression(source).always is always


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("asset == 'FX' and tenor == 'SP'", 'tenor == "SP" and "FX" == asset', True),
        ("a == 1 and (b == 2 and c == 3)", "(c == 3 and a == 1.0) and b == 2", True),
        ("not (bid > ask)", "ask >= bid", True),
        ("asset in ['FX']", "asset == 'FX'", True),
        ("asset in ['FX', 'MM']", "asset in ['MM', 'FX', 'FX']", True),
        ("not (asset in ['FX', 'MM'])", "asset not in ['FX', 'MM']", True),
        ("not not yes", "yes", True),
        ("['bid'] > 0", "bid > 0.00", True),
        ("a == 1 or b == 2", "b == 2 or a == 1", True),
        ("a + b == 1", "b + a == 1", False),
        ("a == 1", "a == '1'", False),
        ("a == 1", "a == true", False),
        ("a == 1 and b == 2", "a == 1 or b == 2", False),
        ("a - b > c", "c > a - b", False),
    ],
)
def test_expressions_that_say_the_same_are_told(one: str, other: str, *, same: bool) -> None:
    assert (compile_expression(one).normal == compile_expression(other).normal) is same


def test_condition_that_demands_all_of_another_is_never_true_without_it() -> None:
    wide, narrow = compile_expression("asset == 'FX'"), compile_expression("tenor == 'SP' and 'FX' == asset")
    assert wide.demands < narrow.demands
    assert not narrow.demands <= wide.demands
