"""What is regular in the changes of a field, and what is not."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from contribd.mapping.outcome import FieldValue
from contribd.plan.patterns import SAMPLE, Regularity

PRICES = [Decimal(text) for text in ("1.08412", "1.27004", "152.1", "0.85311", "9.5", "101.25", "3.14159")]


def regularity(pairs: list[tuple[FieldValue, FieldValue]]) -> Regularity:
    found = Regularity()
    for old, new in pairs:
        found.add(old, new)
    return found


def words(*pairs: tuple[FieldValue, FieldValue]) -> str | None:
    found = regularity(list(pairs)).found()
    return None if found is None else found.text


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (lambda price: -price, "changes its sign"),
        (lambda price: price * 100, "is multiplied by 100"),
        (lambda price: price / 100, "is divided by 100"),
        (lambda price: price * Decimal("1.5"), "is multiplied by 1.5"),
        (lambda price: price * -100, "is multiplied by -100"),
        (lambda price: round(price * Decimal("1.2345"), 4), "is multiplied by 1.2345 and rounded to 4 decimals"),
        (lambda price: price / 32, "is divided by 32"),
        (lambda price: price + Decimal("0.5"), "is larger by 0.5"),
        (lambda price: price - 3, "is smaller by 3"),
        (lambda price: round(price, 1), "is rounded to 1 decimal"),
        (lambda price: round(price, 0), "is rounded to whole numbers"),
        (lambda price: price + Decimal("0.000001"), "is larger by 0.000001"),
        (lambda price: Decimal(int(price * 100)) / 100, "is rounded to 2 decimals"),
        (str, "becomes a text of the same digits"),
        (lambda price: None, "is always blank"),  # noqa: ARG005 - of any price
        (lambda price: 7, "is always 7"),  # noqa: ARG005 - of any price
    ],
)
def test_what_becomes_of_numbers_is_said_in_words(new: Callable[[Decimal], FieldValue], expected: str) -> None:
    pairs = [(price, new(price)) for price in PRICES]
    assert words(*(pair for pair in pairs if pair[0] != pair[1])) == expected


def test_what_was_rounded_and_is_no_longer_is_told() -> None:
    assert words(*((round(price, 1), price) for price in PRICES if round(price, 1) != price)) == (
        "is no longer rounded to 1 decimal"
    )


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([("eur", "EUR"), ("usd", "USD")], "is in capitals"),
        ([("EUR", "eur")], "is in small letters"),
        ([(" EUR", "EUR"), ("USD  ", "USD")], "loses the spaces around it"),
        ([("Deutsche Bank", "Deutsche"), ("Commerzbank", "Commerzb"), ("ING", "IN")], None),
        ([("Deutsche Bank", "Deutsche"), ("Commerzbank", "Commerzb")], "is cut to 8 characters"),
        ([("EUR=TRCC", "EUR=X"), ("JPY=TRCC", "JPY=X")], "ends with 'X' instead of 'TRCC'"),
        ([("EUR=", "EUR=X"), ("JPY=", "JPY=X")], "ends with 'X' in addition"),
        ([("EUR=X", "EUR="), ("JPY=X", "JPY=")], "no longer ends with 'X'"),
        ([("A.EUR", "BC.EUR"), ("A.JPY", "BC.JPY")], "begins with 'BC' instead of 'A'"),
        ([("10:15:30.5", "11:15:30.5"), ("23:30:00", "00:30:00")], "is 1 hour later"),
        ([("2026-11-22", "2026-11-21"), ("2026-03-01", "2026-02-28")], "is 1 day earlier"),
        ([("2026-11-22T10:00:00", "2026-11-22T04:30:00")], "is 330 minutes earlier"),
        (
            [("10:15:30", "2026-11-22T10:15:30"), ("10:15:31", "2026-11-22T10:15:31")],
            "begins with '2026-11-22T' in addition",
        ),
        ([("1.50", Decimal("1.5")), ("2", 2)], "becomes a number of the same digits"),
        ([("EUR", "978"), ("USD", "840")], None),
        ([("EUR", None), ("USD", None)], "is always blank"),
        ([("EUR", None), ("EUR", None)], 'is always blank (it was "EUR")'),
    ],
)
def test_what_becomes_of_texts_is_said_in_words(
    pairs: list[tuple[FieldValue, FieldValue]], expected: str | None
) -> None:
    assert words(*pairs) == expected


def test_numbers_without_a_rule_have_none() -> None:
    assert words(*zip(PRICES, reversed(PRICES), strict=True)) is None


def test_one_change_is_no_proof_but_of_a_sign_and_a_power_of_ten() -> None:
    assert words((Decimal("1.5"), Decimal("4.5"))) is None
    assert words((Decimal("1.5"), Decimal(150))) == "is multiplied by 100"
    assert words((Decimal("1.5"), Decimal("-1.5"))) == "changes its sign"
    assert words((0, 5)) is None


def test_a_rule_holds_where_a_few_records_do_not_obey_and_is_counted_exactly() -> None:
    pairs: list[tuple[FieldValue, FieldValue]] = [(Decimal(n), Decimal(n) * 100) for n in range(1, 1_000)]
    pairs[5::100] = [(Decimal(5), Decimal(6))] * len(pairs[5::100])
    assert regularity(pairs).found() == ("is multiplied by 100", 989, False)


def test_a_rule_that_ends_behind_the_sample_is_none() -> None:
    pairs: list[tuple[FieldValue, FieldValue]] = [(Decimal(n), Decimal(n) * 100) for n in range(1, SAMPLE + 1)]
    assert regularity(pairs + [(Decimal(n), Decimal(n) + n % 7 + 1) for n in range(500)]).found() is None
