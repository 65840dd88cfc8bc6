"""Arithmetic on dates in expressions: total, bounded, and the same as the calendar's."""

import calendar
import contextlib
import decimal
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.mapping.refusals import refused

from contribd.mapping import date_functions as dates
from contribd.mapping.expression import compile_expression
from contribd.mapping.functions import FUNCTIONS
from contribd.mapping.mistakes import EvaluationError, ExpressionError
from contribd.mapping.numbers import CONTEXT

RECORD: dict[str, Any] = {
    "day": "2026-01-31",
    "at": "2026-07-01T09:15:30.25+01:00",
    "ms": 1795342530123,
    "d": Decimal("2.0"),
}


def value(source: str) -> Any:
    return compile_expression(source).evaluate(RECORD)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("add_days(day, 1)", "2026-02-01"),
        ("add_days(day, d)", "2026-02-02"),
        ("add_days(day, -31)", "2025-12-31"),
        ("add_days(at, 1)", "2026-07-02"),
        ("add_days(ms, 0)", "2026-11-22"),
        ("add_days('20260131', 1)", "2026-02-01"),
        ("add_days('2026-07-01T00:30:00+09:00', 0)", "2026-07-01"),
        ("add_months(day, 1)", "2026-02-28"),
        ("add_months('2024-01-31', 1)", "2024-02-29"),
        ("add_months(add_months(day, 1), 1)", "2026-03-28"),
        ("add_months(day, 12)", "2027-01-31"),
        ("add_months(day, -2)", "2025-11-30"),
        ("add_months('9999-11-30', 1)", "9999-12-30"),
        ("days_between(day, '2026-03-01')", 29),
        ("days_between('2026-03-01', day)", -29),
        ("weekday('2026-11-22')", 7),
        ("weekday('2026-11-23')", 1),
        ("month_code(day)", "F"),
        ("month_code('2026-12-01')", "Z"),
        ("date_text(day, 'DDMMMYY')", "31JAN26"),
        ("date_text(day, 'D Mmm YYYY')", "31 Jan 2026"),
        ("date_text(at, 'HH:mm:ss.SSS')", "09:15:30.250"),
        ("date_text(at, 'hh:mm A')", "09:15 AM"),
        ("date_text(ms, 'YYYYMMDD')", "20261122"),
        ("date_text('10:15', 'HHmm')", "1015"),
        ("read_date('22-NOV-2026', 'DD-MMM-YYYY')", "2026-11-22"),
        ("read_date('9:05 pm', 'h:mm A')", "21:05:00"),
        ("read_date('22.11.2026 10:15:30.5', 'DD.MM.YYYY HH:mm:ss.S')", "2026-11-22T10:15:30.5"),
        ("read_date('20261122 10:15-0330', 'YYYYMMDD HH:mmZ')", "2026-11-22T10:15:00-03:30"),
        ("read_date('23:59:60', 'HH:mm:ss')", "23:59:60"),
        ("add_seconds(at, 60)", "2026-07-01T08:16:30.25"),
        ("add_seconds(at, -0.5)", "2026-07-01T08:15:29.75"),
        ("add_seconds('2026-12-31T23:59:59', 1)", "2027-01-01T00:00:00"),
        ("add_seconds(ms, 0.001)", "2026-11-22T10:15:30.124"),
        ("in_zone(at, 'Europe/London')", "2026-07-01T09:15:30.25"),
        ("in_zone(ms, 'Asia/Tokyo')", "2026-11-22T19:15:30.123"),
        ("date_text(in_zone(ms, 'Asia/Tokyo'), 'DDMMMYY HH')", "22NOV26 19"),
    ],
)
def test_function_gives(source: str, expected: object) -> None:
    assert value(source) == expected


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("add_days('9999-12-31', 1)", "years 1 to 9999"),
        ("add_days(day, 0.5)", "n is a whole number from"),
        ("add_days(day, 1e9)", "n is a whole number from"),
        ("add_days('10:15', 1)", "add_days takes a date"),
        ("add_days('soon', 1)", "add_days: 'soon' is no date or time of ISO 8601"),
        ("add_months('9999-12-31', 1)", "years 1 to 9999"),
        ("add_months('0001-01-01', -1)", "years 1 to 9999"),
        ("weekday(93000)", "weekday: this number is no epoch"),
        ("date_text(day, 'HH:mm')", 'date_text: "2026-01-31" does not hold all of HH:mm'),
        ("date_text('10:15', 'DD')", "does not hold all of DD"),
        ("date_text(at, 'HH:mmZ')", "writes no offset"),
        ("date_text(day, upper('dd'))[0]", "takes a list or an object; this is text"),
        ("read_date('22', 'DD')", "says neither a whole date nor a time"),
        ("read_date('22', upper('dd'))", "says no date and no time"),
        ("read_date('x', 'DD.MM.YYYY')", "of the form DD.MM.YYYY"),
        ("add_seconds(day, 1)", "takes a date and a time"),
        ("add_seconds('9999-12-31T23:59:59', 1)", "years 1 to 9999"),
        ("add_seconds(at, 1e15)", "years 1 to 9999"),
        ("in_zone('9999-12-31T23:59:59', 'Asia/Tokyo')", "years 1 to 9999"),
        ("in_zone(day, 'Asia/Tokyo')", "takes a date and a time"),
        ("in_zone(at, lower('X'))", "there is no time zone 'x'"),
    ],
)
def test_function_refuses(source: str, says: str) -> None:
    with pytest.raises((EvaluationError, ExpressionError)) as caught:
        value(source)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("source", "code", "at", "cure"),
    [
        ("date_text(day, '%d%m')", "M321", 16, 'Write "DDMM"'),
        ("date_text(day, 'DD.yyyy')", "M321", 19, 'Write "DD.YYYY"'),
        ("read_date(day, 'DD/mm/YYYY')", "M321", 16, 'Write "DD/MM/YYYY"'),
        (
            "read_date(month, 'MMM-YY')",
            "M321",
            17,
            'Write all of it; of a month alone the first day is read_date("01-" + month, "DD-MMM-YY")',
        ),
        ("in_zone(day, 'Europe/Londn')", "M320", 13, "Write Europe/London"),
    ],
)
def test_a_constant_that_cannot_be_used_is_told_when_the_file_is_read(
    source: str, code: str, at: int, cure: str
) -> None:
    error = refused(source)
    assert (error.code, error.at, error.cure) == (code, at, cure)


@given(st.dates(), st.integers(-200_000, 200_000))
def test_months_are_added_as_the_calendar_has_them(day: date, months: int) -> None:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    try:
        got = date.fromisoformat(dates.add_months(day.isoformat(), months))
    except EvaluationError:
        assert abs(months) > 120_000 or not 1 <= year <= 9999
        return
    assert (got.year, got.month) == (year, month + 1)
    assert got.day == min(day.day, calendar.monthrange(year, month + 1)[1])


@given(st.dates(), st.dates())
def test_days_between_are_those_to_add(first: date, second: date) -> None:
    assert (
        dates.add_days(first.isoformat(), dates.days_between(first.isoformat(), second.isoformat()))
        == second.isoformat()
    )


@given(
    st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)),  # noqa: DTZ001
    st.decimals(-(10**9), 10**9, places=6),
    st.sampled_from(["Europe/London", "America/New_York", "Asia/Kolkata"]),
)
def test_seconds_and_zones_are_those_of_the_calendar(at: datetime, seconds: Decimal, zone: str) -> None:
    with decimal.localcontext(CONTEXT):
        got = datetime.fromisoformat(dates.add_seconds(at.isoformat(), seconds))
    assert got == at + timedelta(microseconds=int(seconds * 10**6))
    local = at.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    assert datetime.fromisoformat(dates.in_zone(at.isoformat(), zone)) == local


ANYTHING = (
    st.text("0123456789-:T Z.+", max_size=24) | st.text(max_size=8) | st.integers() | st.none() | st.booleans()
    | st.decimals(allow_nan=False, allow_infinity=False) | st.dates().map(str) | st.datetimes().map(datetime.isoformat)
)  # fmt: skip
SECOND = ANYTHING | st.sampled_from(["DDMMMYY", "HH:mm:ss.SSS", "Europe/London"])


@given(ANYTHING, SECOND)
@pytest.mark.parametrize(
    "name", ["add_days", "add_months", "add_seconds", "days_between", "date_text", "read_date", "in_zone"]
)
def test_two_of_anything_give_a_value_or_the_one_error(name: str, first: Any, second: Any) -> None:
    with decimal.localcontext(CONTEXT), contextlib.suppress(EvaluationError, decimal.DecimalException):
        assert isinstance(FUNCTIONS[name].call(first, second), str | int)


@given(ANYTHING)
@pytest.mark.parametrize("name", ["weekday", "month_code"])
def test_anything_gives_a_value_or_the_one_error(name: str, first: Any) -> None:
    with decimal.localcontext(CONTEXT), contextlib.suppress(EvaluationError, decimal.DecimalException):
        assert isinstance(FUNCTIONS[name].call(first), str | int)
