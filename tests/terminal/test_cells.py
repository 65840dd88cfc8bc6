"""Values as people read them, and columns that fit."""

import pytest

from contribd.terminal.cells import (
    Column,
    Value,
    age,
    chart,
    clock,
    clock_ms,
    cut,
    duration,
    fitting,
    per_second,
    shown,
)
from contribd.terminal.cells import share as part


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (shown(None), "-"),
        (shown(True), "yes"),
        (shown(1234567), "1,234,567"),
        (shown("a\x1b[31m\nb"), "a\\x1b[31m\\nb"),
        (per_second(1480.2), "1,480/s"),
        (per_second(2.25), "2.2/s"),
        (per_second(0.254), "0.25/s"),
        (per_second(0), "0/s"),
        (per_second(None), "-"),
        (duration(0.0012), "1.2 ms"),
        (duration(2.5), "2.50 s"),
        (duration(None), "-"),
        (age(12.9), "12 s"),
        (age(303), "5 m 3 s"),
        (age(7200), "2 h"),
        (age(3 * 86_400 + 4 * 3600), "3 d 4 h"),
        (part(0.0134), "1.3 %"),
        (clock(1_700_000_000), "22:13:20Z"),
        (clock_ms(1_700_000_000.25), "22:13:20.250Z"),
        (cut("abcdef", 4), "abc…"),
        (cut("ab", 4), "ab  "),
        (cut("ab", 4, right=True), "  ab"),
        (chart([0, 1, 2]), "▁▅█"),
        (chart([0, 0]), "▁▁"),
    ],
)
def test_a_value_is_shown_as_people_write_it(text: str, expected: str) -> None:
    assert text == expected


COLUMNS = (Column("a", "A", 10), Column("b", "B", 10, grows=True), Column("c", "C", 10, rank=2), Column("d", "D", 5, 1))


@pytest.mark.parametrize(
    ("width", "shown_columns"),
    [
        (60, [(0, 10), (1, 32), (2, 10), (3, 5)]),
        (38, [(0, 10), (1, 10), (2, 10), (3, 5)]),
        (37, [(0, 10), (1, 20), (3, 5)]),
        (26, [(0, 10), (1, 15)]),
        (12, [(0, 10), (1, 10)]),
    ],
)
def test_columns_give_way_by_their_rank_and_one_takes_what_is_left(
    width: int, shown_columns: list[tuple[int, int]]
) -> None:
    assert fitting(COLUMNS, width) == shown_columns


def test_what_is_no_number_has_no_duration() -> None:
    values: list[Value] = ["text", None]
    assert [duration(value) for value in values] == ["-", "-"]
