"""Prices in fractions: each form of each market, exactly; nothing is guessed."""

import contextlib
import decimal
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contribd.mapping.fraction_prices import TREASURIES, Notation, Point, ThirdDigit, fraction, from_fraction
from contribd.mapping.mistakes import EvaluationError
from contribd.mapping.numbers import CONTEXT
from contribd.mapping.values import field_value

FUTURES = Notation(third_digit=ThirdDigit.DECIMAL)
GRAINS = Notation(of=8)
OPTIONS = Notation(of=64)
POINTED = Notation(point=Point.FRACTION)
DECIMALS = Notation(point=Point.DECIMALS)


@pytest.fixture(autouse=True)
def _context() -> Iterator[None]:
    with decimal.localcontext(CONTEXT):
        yield


@pytest.mark.parametrize(
    ("text", "notation", "price"),
    [
        ("99-16", TREASURIES, "99.5"),
        ("99-16+", TREASURIES, "99.515625"),
        ("99-162", TREASURIES, "99.5078125"),
        ("101-086", TREASURIES, "101.2734375"),
        ("99-165", TREASURIES, "99.51953125"),
        ("99-164", TREASURIES, "99.515625"),
        ("99-16.5", TREASURIES, "99.515625"),
        ("99-16.125", TREASURIES, "99.50390625"),
        ("99'16", TREASURIES, "99.5"),
        ("99'16+", TREASURIES, "99.515625"),
        ("99-00", TREASURIES, "99"),
        ("0-01", TREASURIES, "0.03125"),
        ("99-31+", TREASURIES, "99.984375"),
        ("99 16/32", TREASURIES, "99.5"),
        ("99  1/2", TREASURIES, "99.5"),
        ("1/2", TREASURIES, "0.5"),
        ("0/32", TREASURIES, "0"),
        ("1023/1024", TREASURIES, "0.9990234375"),
        ("99", TREASURIES, "99"),
        (99, TREASURIES, "99"),
        ("-99-16+", TREASURIES, "-99.515625"),
        ("-0-16", TREASURIES, "-0.5"),
        ("-1/2", TREASURIES, "-0.5"),
        ("-1 1/2", TREASURIES, "-1.5"),
        ("+0-02", TREASURIES, "0.0625"),
        ("112'165", FUTURES, "112.515625"),
        ("112'162", FUTURES, "112.5078125"),
        ("112-167", FUTURES, "112.5234375"),
        ("112'161", FUTURES, "112.50390625"),
        ("112'168", FUTURES, "112.52734375"),
        ("450'2", GRAINS, "450.25"),
        ("450-2+", GRAINS, "450.3125"),
        ("1-32", OPTIONS, "1.5"),
        ("99.16", POINTED, "99.5"),
        ("99.16+", POINTED, "99.515625"),
        ("99.162", POINTED, "99.5078125"),
        (Decimal("99.16"), POINTED, "99.5"),
        ("99-16", POINTED, "99.5"),
        ("99.16", DECIMALS, "99.16"),
        (Decimal("99.16"), DECIMALS, "99.16"),
    ],
)
def test_a_fraction_is_exactly_its_decimal(text: Any, notation: Notation, price: str) -> None:
    assert from_fraction(text, notation) == Decimal(price)


@pytest.mark.parametrize(
    ("text", "notation", "says"),
    [
        ("33/32", TREASURIES, "'33/32' is 0 and 33 of 32; that is one or more"),
        ("99 4/4", TREASURIES, "'99 4/4' is 99 and 4 of 4; that is one or more"),
        ("1/3", TREASURIES, "'1/3' is 0 and 1 of 3; a price is counted in halves"),
        ("1/0", TREASURIES, "1 of 0"),
        ("1/1", TREASURIES, "1 of 1"),
        ("1/2048", TREASURIES, "to 1024ths"),
        ("99-32", TREASURIES, "'99-32' is 99 and 32 of 32"),
        ("99-5", TREASURIES, "'99-5' is 99 and 5 of 32; 32nds have 2 digits there"),
        ("99-1625", TREASURIES, "99 and 16 of 32; 32nds have 2 digits"),
        ("99-162+", TREASURIES, "32nds have 2 digits"),
        ("99-168", TREASURIES, "a third digit 8; third_digit: eighths knows 0 to 7"),
        ("112'164", FUTURES, "a third digit 4; third_digit: decimal knows 0, 1, 2, 3, 5, 6, 7, 8"),
        ("450'8", GRAINS, "450 and 8 of 8"),
        ("450'25", GRAINS, "8ths have 1 digit there"),
        ("99.16", TREASURIES, "has a point: decimals in one market"),
        (Decimal("99.16"), TREASURIES, "has a point"),
        (Decimal("99.1"), POINTED, "32nds have 2 digits"),
        ("", TREASURIES, "'' is no fraction (as in 99-16"),
        (" 99-16", TREASURIES, "is no fraction"),
        ("99-", TREASURIES, "is no fraction"),
        ("99+", TREASURIES, "is no fraction"),
        ("99-1/2", TREASURIES, "is no fraction"),
        ("99--16", TREASURIES, "is no fraction"),
        ("99-\u0661\u0666", TREASURIES, "is no fraction"),
        ("-", TREASURIES, "is no fraction"),
        ("1e2", TREASURIES, "is no fraction"),
        (Decimal("1E+999999999"), DECIMALS, "is no fraction"),
        (True, TREASURIES, "takes text or a number, not true or false"),
        ([], TREASURIES, "takes text or a number, not a list"),
    ],
)
def test_what_is_no_fraction_says_what_was_understood(text: Any, notation: Notation, says: str) -> None:
    with pytest.raises(EvaluationError) as caught:
        from_fraction(text, notation)
    assert says in caught.value.text


@given(st.integers(0, 9999), st.integers(0, 31), st.integers(0, 7), st.sampled_from(["", "-"]), st.sampled_from("-'"))
def test_thirty_seconds_and_their_eighths_read_back(whole: int, parts: int, eighths: int, sign: str, mark: str) -> None:
    with decimal.localcontext(CONTEXT):
        price = Decimal(from_fraction(f"{sign}{whole}{mark}{parts:02}{eighths}"))
        assert field_value(price) == price
        assert abs(price) * 256 == whole * 256 + parts * 8 + eighths
        assert (price < 0) == (bool(sign) and (whole + parts + eighths) > 0)


@given(st.text("0123456789-+'/. ", max_size=12) | st.text() | st.decimals(allow_nan=False, allow_infinity=False))
@pytest.mark.parametrize("notation", [TREASURIES, FUTURES, GRAINS, POINTED, DECIMALS])
def test_anything_is_a_number_within_bounds_or_refused(notation: Notation, value: Any) -> None:
    with decimal.localcontext(CONTEXT), contextlib.suppress(EvaluationError):
        price = from_fraction(value, notation)
        assert field_value(price) == price


@pytest.mark.parametrize(("of", "price"), [(8, "4.25"), (Decimal("8.0"), "4.25")])
def test_the_function_counts_what_it_is_told(of: Any, price: str) -> None:
    assert fraction("4-2", of) == Decimal(price)
    assert fraction("4-16") == Decimal("4.5")


@pytest.mark.parametrize("of", [0, 3, 10, 512, Decimal("8.5"), "8", True, None])
def test_the_function_counts_powers_of_two(of: Any) -> None:
    with pytest.raises(EvaluationError, match="of is one of 2, 4, 8"):
        fraction("4-2", of)
