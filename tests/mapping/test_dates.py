"""Dates and times: zones and their changes, forms, units. What is posted reads back as the same moment."""

import contextlib
import decimal
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contribd.mapping import times
from contribd.mapping.compile import compile_file
from contribd.mapping.compiled import MappingProblem
from contribd.mapping.conversions import conversion
from contribd.mapping.date_forms import MONTHS, date_form
from contribd.mapping.field_specs import FieldSpec
from contribd.mapping.mistakes import EvaluationError
from contribd.mapping.numbers import CONTEXT
from contribd.mapping.readings import reading_of
from contribd.mapping.rules import MappingFile

LONDON = {"zone": "Europe/London"}


@pytest.fixture(autouse=True)
def _context() -> Iterator[None]:
    with decimal.localcontext(CONTEXT):
        yield


def posted(to: str, value: Any, **settings: Any) -> Any:
    spec = FieldSpec.model_validate({"from": "x", "as": to, **settings})
    return conversion(None, reading_of(spec), None)(value)


def problems(**settings: Any) -> list[MappingProblem]:
    data = {"mappings": [{"name": "m", "ric": "{r}", "fields": {"QUOTIM": {"from": "x", **settings}}}]}
    return compile_file(MappingFile.model_validate(data), "TRCC").problems


@pytest.mark.parametrize(
    ("to", "value", "settings", "expected"),
    [
        # A text without an offset is in the zone; times go out in UTC.
        ("time", "2026-07-01T10:15:30", LONDON, "09:15:30"),
        ("time", "2026-01-05 10:15:30.25", LONDON, "10:15:30.25"),
        ("datetime", "2026-07-01T00:30:00", LONDON, "2026-06-30T23:30:00"),
        ("datetime", "2026-07-01T00:30:00Z", LONDON, "2026-07-01T00:30:00"),
        ("datetime", "2026-07-01T00:30:00", {"zone": "Asia/Kolkata"}, "2026-06-30T19:00:00"),
        ("time", "10:15:30Z", LONDON, "10:15:30"),
        ("time", "10:15:30+01:00", LONDON, "09:15:30"),
        # A date is the one written, or that of the zone at an instant.
        ("date", "2026-07-01", LONDON, "2026-07-01"),
        ("date", "2026-07-01T00:30:00", LONDON, "2026-07-01"),
        ("date", "2026-07-01T23:30:00Z", LONDON, "2026-07-02"),
        ("date", "2026-07-01T23:30:00Z", {}, "2026-07-01"),
        ("date", "2026-07-01T23:30:00Z", {"zone": "America/New_York"}, "2026-07-01"),
        ("date", 1795390200, {"zone": "Asia/Tokyo"}, "2026-11-23"),
        ("date", 1795390200, {}, "2026-11-22"),
        # The hour that exists twice, and the one that does not.
        ("time", "2026-10-25T01:30:00", LONDON, "00:30:00"),
        ("time", "2026-10-25T01:30:00", {**LONDON, "fold": "later"}, "01:30:00"),
        ("time", "2026-10-25T00:59:59", {**LONDON, "fold": "later"}, "23:59:59"),
        ("time", "2026-10-25T02:00:00", {**LONDON, "fold": "reject"}, "02:00:00"),
        ("time", "2026-03-29T01:30:00", {**LONDON, "gap": "forward"}, "01:30:00"),
        ("datetime", "2026-03-29T02:00:00", LONDON, "2026-03-29T01:00:00"),
        # Forms.
        ("date", "22.11.2026", {"format": "DD.MM.YYYY"}, "2026-11-22"),
        ("date", "2.1.2026", {"format": "D.M.YYYY"}, "2026-01-02"),
        ("date", "22-NOV-2026", {"format": "DD-MMM-YYYY"}, "2026-11-22"),
        ("date", "22Nov26", {"format": "DDMMMYY"}, "2026-11-22"),
        ("date", "20261122", {"format": "YYYYMMDD"}, "2026-11-22"),
        ("date", 20261122, {"format": "YYYYMMDD"}, "2026-11-22"),
        ("date", 1022026, {"format": "DDMMYYYY"}, "2026-02-01"),
        ("date", Decimal("20261122.0"), {"format": "YYYYMMDD"}, "2026-11-22"),
        ("time", 93000, {"format": "HHmmss"}, "09:30:00"),
        ("time", "09:30:00 PM", {"format": "hh:mm:ss A"}, "21:30:00"),
        ("time", "12:05am", {"format": "hh:mmA"}, "00:05:00"),
        ("time", "12:05 PM", {"format": "hh:mm A"}, "12:05:00"),
        ("time", "9:05 am", {"format": "h:mm A"}, "09:05:00"),
        ("datetime", "22.11.2026 10:15:30", {"format": "DD.MM.YYYY HH:mm:ss"}, "2026-11-22T10:15:30"),
        ("datetime", "20261122-10:15:30.123", {"format": "YYYYMMDD-HH:mm:ss.SSS"}, "2026-11-22T10:15:30.123"),
        ("datetime", "2026-11-22T10:15+0100", {"format": "YYYY-MM-DDTHH:mmZ"}, "2026-11-22T09:15:00"),
        ("datetime", "22/11/2026 at 10h", {"format": "DD/MM/YYYY [at] HH[h]"}, "2026-11-22T10:00:00"),
        (
            "datetime",
            "01.07.2026 10:00",
            {"format": "DD.MM.YYYY HH:mm", "zone": "Europe/Berlin"},
            "2026-07-01T08:00:00",
        ),
        ("date", "01.07.2026 10:00", {"format": "DD.MM.YYYY HH:mm"}, "2026-07-01"),
        ("time", "23:59:60", {"format": "HH:mm:ss"}, "23:59:59"),
        # Units.
        ("datetime", 1795342530, {"unit": "s"}, "2026-11-22T10:15:30"),
        ("datetime", "1795342530123", {"unit": "ms"}, "2026-11-22T10:15:30.123"),
        ("datetime", 1795342530123456, {"unit": "us"}, "2026-11-22T10:15:30.123456"),
        ("datetime", 1795342530123456789, {"unit": "ns"}, "2026-11-22T10:15:30.123456789"),
        ("time", 36930000, {"unit": "ms"}, "10:15:30.000"),
        ("date", 20779, {"unit": "days"}, "2026-11-22"),
        ("date", -1, {"unit": "days"}, "1969-12-31"),
        ("date", 0, {"unit": "s"}, "1970-01-01"),
        ("date", None, {"unit": "s"}, None),
    ],
)
def test_a_date_or_time_is_read_as_the_field_says(to: str, value: Any, settings: dict[str, Any], expected: Any) -> None:
    assert posted(to, value, **settings) == expected


@pytest.mark.parametrize(
    ("to", "value", "settings", "says"),
    [
        ("time", "10:15:30", LONDON, "a time of day in Europe/London is no moment without its date"),
        ("time", "2026-03-29T01:30:00", LONDON, "there was no 2026-03-29 01:30:00 in Europe/London"),
        ("time", "2026-10-25T01:30:00", {**LONDON, "fold": "reject"}, "came twice"),
        ("date", "22/11/2026", {"format": "DD.MM.YYYY"}, "'22/11/2026' is no date or time of the form DD.MM.YYYY"),
        ("date", "31.02.2026", {"format": "DD.MM.YYYY"}, "of the form DD.MM.YYYY"),
        ("date", "22-NOX-2026", {"format": "DD-MMM-YYYY"}, "of the form DD-MMM-YYYY"),
        ("date", "22.11.2026 ", {"format": "DD.MM.YYYY"}, "of the form"),
        ("date", "2\u0662.11.2026", {"format": "DD.MM.YYYY"}, "of the form"),
        ("date", 120261122, {"format": "YYYYMMDD"}, "is text, not a number"),
        ("date", 22112026, {"format": "DD.MM.YYYY"}, "is text, not a number"),
        ("date", Decimal("20261122.5"), {"format": "YYYYMMDD"}, "is text, not a number"),
        ("date", True, {"format": "YYYYMMDD"}, "is text, not true or false"),
        ("time", "13:05 PM", {"format": "hh:mm A"}, "of the form hh:mm A"),
        ("time", "00:05 AM", {"format": "hh:mm A"}, "of the form hh:mm A"),
        ("time", "10:15:60", {"format": "HH:mm:ss"}, "of the form"),
        ("time", "10:15+25:00", {"format": "HH:mmZ"}, "of the form"),
        ("datetime", "yesterday", {"unit": "ms"}, "unit: ms takes a number, 'yesterday' is none"),
        ("datetime", [], {"unit": "ms"}, "unit: ms takes a number"),
        ("datetime", 10**19, {"unit": "ms"}, "in ms since 1970, is not between the years 1900 and 2199"),
        ("datetime", Decimal("1E+999999999"), {"unit": "ns"}, "in ns since 1970"),
        ("date", Decimal("1.5"), {"unit": "days"}, "whole days"),
        ("date", 100_000, {"unit": "days"}, "in days since 1970"),
    ],
)
def test_what_cannot_be_read_says_how_it_was_tried(to: str, value: Any, settings: dict[str, Any], says: str) -> None:
    with pytest.raises(EvaluationError) as caught:
        posted(to, value, **settings)
    assert says in caught.value.text


@pytest.mark.parametrize(
    ("settings", "key", "code", "text", "cure"),
    [
        ({"zone": "Europe/London"}, "zone", "M305", "zone goes with as: date, time or datetime", "Add as: date"),
        ({"as": "real", "unit": "ms"}, "unit", "M305", "unit goes with as", "Add as: date, or take unit away"),
        ({"as": "time", "fold": "later"}, "fold", "M305", "fold goes with zone", "Add zone"),
        ({"as": "time", "gap": "forward"}, "gap", "M305", "gap goes with zone", "Add zone"),
        ({"as": "time", "zone": "Europe/Londn"}, "zone", "M320", "no time zone 'Europe/Londn'", "Europe/London"),
        ({"as": "time", "zone": "london"}, "zone", "M320", "'london'", "Write Europe/London"),
        ({"as": "time", "zone": "New York"}, "zone", "M320", "'New York'", "Write America/New_York"),
        ({"as": "time", "zone": "BST"}, "zone", "M320", "'BST'", "Write a name such as"),
        ({"as": "time", "zone": "../etc/passwd"}, "zone", "M320", "there is no time zone", "Write a name such as"),
        ({"as": "time", "zone": "localtime"}, "zone", "M320", "there is no time zone", "Write a name such as"),
        ({"as": "time", "zone": "Europe"}, "zone", "M320", "there is no time zone", "Write a name such as"),
        ({"as": "time", "zone": "right/Europe/London"}, "zone", "M320", "there is no time zone", "Europe/London"),
        ({"as": "time", "zone": ""}, "zone", "M320", "there is no time zone ''", "Write a name such as"),
        ({"as": "time", "zone": "Europe/London", "unit": "ms"}, "zone", "M322", "an epoch is in UTC", "Take zone away"),
        (
            {"as": "time", "zone": "Europe/London", "format": "YYYY-MM-DD HH:mmZ"},
            "zone", "M322", "the form has its offset", "Take zone away",
        ),
        ({"as": "time", "zone": "Europe/London", "format": "HH:mm"}, "format", "M321", "without its date", "Join"),
        ({"as": "date", "unit": "s", "format": "YYYY"}, "format", "M321", "needs a date", "Write all of it"),
        ({"as": "date", "unit": "s", "format": "YYYYMMDD"}, "unit", "M305", "a field has one of them", "Take one away"),
        ({"as": "time", "unit": "days"}, "unit", "M305", "days have no time of day", "as: date"),
        ({"as": "time", "format": "DD.MM.YYYY"}, "format", "M321", "as: time needs a time", "Write all of it"),
        ({"as": "datetime", "format": "HH:mm"}, "format", "M321", "as: datetime needs a date", "Write all of it"),
        ({"as": "date", "format": "%d.%m.%Y"}, "format", "M321", "not with %", 'Write "DD.MM.YYYY"'),
        ({"as": "datetime", "format": "%Y-%m-%dT%H:%M:%S"}, "format", "M321", "not with %", '"YYYY-MM-DDTHH:mm:ss"'),
        ({"as": "date", "format": "dd/MM/yyyy"}, "format", "M321", "dd is no piece", 'Write "DD/MM/YYYY"'),
        ({"as": "date", "format": "dd/mm/yyyy"}, "format", "M321", "dd is no piece", 'Write "DD/MM/YYYY"'),
        ({"as": "date", "format": "DD/mm/YYYY"}, "format", "M321", "mm are minutes", 'Write "DD/MM/YYYY"'),
        ({"as": "date", "format": "TT.MM.JJJJ"}, "format", "M321", "TT is no piece", "Write one such as"),
        ({"as": "date", "format": "DMYYYY"}, "format", "M321", "M follows at once", "Write DD"),
        ({"as": "date", "format": "DD.MM.YYYY DD"}, "format", "M321", "says what an earlier piece", "each piece once"),
        ({"as": "date", "format": "DD MM MMM YYYY"}, "format", "M321", "one thing in two ways", "each piece once"),
        ({"as": "time", "format": "hh:mm"}, "format", "M321", "AM or PM is missing", "Add A"),
        ({"as": "time", "format": "HH:mm A"}, "format", "M321", "HH counts to 23", "Write hh with A"),
        ({"as": "time", "format": "HH:ss"}, "format", "M321", "no minutes", "Write mm before ss"),
        ({"as": "date", "format": "DD[.MM"}, "format", "M321", "this bracket has no other", "Write [ and ]"),
        ({"as": "date", "format": ""}, "format", "M321", "a form has 1 to 60 characters", "Write one such as"),
    ],
)  # fmt: skip
def test_settings_that_cannot_work_are_a_problem(
    settings: dict[str, Any], key: str, code: str, text: str, cure: str
) -> None:
    found = problems(**settings)
    assert [(problem.path[-1], problem.code) for problem in found if key == problem.path[-1]] == [(key, code)]
    (problem,) = (problem for problem in found if key == problem.path[-1])
    assert text in problem.text
    assert cure in problem.cure


def test_a_form_is_marked_where_its_mistake_stands() -> None:
    assert [problem.offset for problem in problems(**{"as": "date", "format": "DD.MM.yyyy"})] == [6]


EARLIEST, Y2K, Y2099, LATEST, EPOCH = (datetime(year, 1, 1) for year in (1901, 2000, 2099, 2199, 1970))  # noqa: DTZ001
MOMENTS = st.datetimes(EARLIEST, LATEST).map(lambda moment: moment.replace(microsecond=0))
ZONES = st.sampled_from(
    ["Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC", "Africa/Casablanca"]
)
FORMS = [
    "YYYY-MM-DD HH:mm:ss",
    "DD.MM.YYYY hh:mm:ss A",
    "MMMDDYYYY[ x ]HHmmss",
    "D/M/YYYY H:mm:ss",
    "YYYYMMDDTHHmmss.SSSZ",
]


@given(MOMENTS, ZONES, st.sampled_from(["earlier", "later"]))
def test_a_local_time_is_posted_as_the_moment_it_is(moment: datetime, zone: str, fold: str) -> None:
    local = moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    got = posted("datetime", local.isoformat(), zone=zone, fold=fold)
    back = datetime.fromisoformat(got).replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    assert back == local
    assert posted("date", local.isoformat(), zone=zone) == local.date().isoformat()
    assert posted("date", moment.isoformat() + "Z", zone=zone) == local.date().isoformat()


@given(st.datetimes(Y2K, Y2099).map(lambda moment: moment.replace(microsecond=0)))
@pytest.mark.parametrize("form", FORMS)
def test_what_a_form_writes_it_reads(form: str, moment: datetime) -> None:
    text = date_form(form).write(moment.date(), moment.time(), "")
    got = posted("datetime", text, format=form)
    assert datetime.fromisoformat(got) == moment


@given(st.integers(-(10**21), 10**21), st.sampled_from(["s", "ms", "us", "ns"]))
def test_an_epoch_is_posted_as_the_moment_it_is(number: int, unit: str) -> None:
    places = {"s": 0, "ms": 3, "us": 6, "ns": 9}[unit]
    with decimal.localcontext(CONTEXT):
        try:
            day, _, clock = posted("datetime", number, unit=unit).partition("T")
        except EvaluationError:
            return
        whole, _, fraction = clock.partition(".")
        seconds = (datetime.combine(date.fromisoformat(day), time.fromisoformat(whole)) - EPOCH) // timedelta(seconds=1)
        assert seconds * 10**places + int(fraction or 0) == number
        assert len(fraction) == places


ANYTHING = st.text() | st.text("0123456789-:T Z.+AMPNOV", max_size=24) | st.integers() | st.decimals(allow_nan=False)


@given(ANYTHING | st.booleans() | st.lists(st.none()))
@pytest.mark.parametrize(
    "settings",
    [
        {},
        LONDON,
        {"zone": "America/New_York", "gap": "forward", "fold": "later"},
        {"unit": "ns"},
        {"unit": "days"},
        *({"format": form} for form in FORMS),
        {"format": "YYYYMMDDHHmmss", **LONDON},
    ],
)
@pytest.mark.parametrize("to", ["date", "time", "datetime"])
def test_anything_is_read_or_refused(to: str, settings: dict[str, Any], value: Any) -> None:
    with decimal.localcontext(CONTEXT), contextlib.suppress(EvaluationError):
        assert isinstance(posted(to, value, **settings), str | None)


def test_months_are_those_of_the_calendar() -> None:
    assert [f"{date(2026, number, 1):%b}".upper() for number in range(1, 13)] == list(MONTHS)


@given(
    st.datetimes(Y2K, Y2099).map(lambda moment: moment.isoformat()[:19]) | st.text("0123456789-:T Z", max_size=21),
    st.text("0123456789\u00b2Z+", max_size=10),
)
@pytest.mark.parametrize("settings", [LONDON, {"zone": "Asia/Kolkata"}, {"unit": "s"}])
def test_what_is_remembered_of_a_second_is_what_is_read_anew(
    settings: dict[str, Any], second: str, fraction: str
) -> None:
    text = f"{second}.{fraction}"
    dates = reading_of(FieldSpec.model_validate({"from": "x", "as": "time", **settings})).dates
    outcomes: list[object] = []
    for read in (times._moment, times._read):
        with decimal.localcontext(CONTEXT):
            try:
                outcomes.append(read(text, dates))
            except EvaluationError as error:
                outcomes.append(error.kind)
    assert outcomes[0] == outcomes[1]
