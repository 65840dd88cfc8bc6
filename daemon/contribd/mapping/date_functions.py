"""What the functions of dates and times do.

They take what ``as: date`` takes (ISO 8601 text or an epoch) and give ISO 8601 text, which each of them takes again. A
date is the one that was written; where a moment is needed, text without an offset is in UTC.
"""

from calendar import monthrange
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final

from contribd.mapping.codes import Code
from contribd.mapping.date_forms import DateForm, FormError, date_form
from contribd.mapping.mistakes import EvaluationError, ExpressionError, out_of_range, wrong_type
from contribd.mapping.moments import Written, moment
from contribd.mapping.number_functions import whole_argument
from contribd.mapping.numbers import NUMBERS
from contribd.mapping.operators import Value, kind_name, shown
from contribd.mapping.syntax import Call, Literal
from contribd.mapping.text_functions import text_argument
from contribd.mapping.times import DateReading, written
from contribd.mapping.zones import NoZone, zone_info

MAX_DAYS: Final = 3_652_059
"""Between the first date and the last, the years 1 and 9999."""

MONTH_CODES: Final = "FGHJKMNQUVXZ"
"""The months of futures, from January."""

_MAX_MONTHS: Final = 120_000
_MAX_SECONDS: Final = MAX_DAYS * 86_400
_NANO: Final = Decimal("1e-9")
_FORM: Final = 'Write a form such as "DD.MM.YYYY" or "YYYY-MM-DD HH:mm"'


def add_days(value: Value, days: Value) -> str:
    """The date so many days later; earlier where they are negative."""
    day = _date("add_days", value)
    return _later("add_days", day, whole_argument("add_days", "n", days, -MAX_DAYS, MAX_DAYS))


def add_months(value: Value, months: Value) -> str:
    """The same day so many months later, or the last of that month where it has none: 31 January to 28 February."""
    day = _date("add_months", value)
    number = day.year * 12 + day.month - 1 + whole_argument("add_months", "n", months, -_MAX_MONTHS, _MAX_MONTHS)
    year, month = number // 12, number % 12 + 1
    if not MINYEAR <= year <= MAXYEAR:
        raise _out_of_years("add_months")
    return date(year, month, min(day.day, monthrange(year, month)[1])).isoformat()


def days_between(first: Value, second: Value) -> int:
    """Days from the first date to the second; negative where that is earlier."""
    return (_date("days_between", second) - _date("days_between", first)).days


def weekday(value: Value) -> int:
    """1 on Mondays to 7 on Sundays."""
    return _date("weekday", value).isoweekday()


def month_code(value: Value) -> str:
    """The letter of the month in the names of futures: F in January to Z in December."""
    return MONTH_CODES[_date("month_code", value).month - 1]


def add_seconds(value: Value, seconds: Value) -> str:
    """The moment so many seconds later, in UTC, with the decimals of both."""
    found = _date_and_time("add_seconds", value)
    if type(seconds) not in NUMBERS:
        raise wrong_type(f"add_seconds: n is a number, not {kind_name(seconds)}")
    if not -_MAX_SECONDS <= seconds <= _MAX_SECONDS:
        raise _out_of_years("add_seconds")
    exact = Decimal(seconds).quantize(_NANO)
    nanoseconds = int(exact.scaleb(9)) + int(found.fraction.ljust(9, "0"))
    try:
        later = _utc(found, "add_seconds") + timedelta(seconds=nanoseconds // 10**9)
    except OverflowError:
        raise _out_of_years("add_seconds") from None
    places = max(len(found.fraction), -int(exact.normalize().as_tuple().exponent))
    fraction = f"{nanoseconds % 10**9:09d}"[:places]
    return _moment_text(later.replace(tzinfo=None), fraction)


def in_zone(value: Value, name: Value) -> str:
    """The local date and time in a zone, without an offset."""
    found = _date_and_time("in_zone", value)
    try:
        local = _utc(found, "in_zone").astimezone(zone_info(text_argument("in_zone", name)))
    except NoZone as problem:
        raise out_of_range(f"in_zone: {problem}") from None
    except OverflowError:
        raise _out_of_years("in_zone") from None
    return _moment_text(local.replace(tzinfo=None), found.fraction)


def date_text(value: Value, form: Value) -> str:
    """A date or a time in a form, as it was written: nothing is moved to another zone."""
    found, pieces = _read("date_text", value), _form("date_text", form)
    if pieces.has_offset:
        raise out_of_range("date_text writes no offset (Z)")
    text = pieces.write(found.day, found.clock, found.fraction)
    if text is None:
        raise out_of_range(f"date_text: {shown(value)} does not hold all of {pieces.source}")
    return text


def read_date(text: Value, form: Value) -> str:
    """What a text of that form says, as ISO 8601 text."""
    source, pieces = text_argument("read_date", text), _form("read_date", form)
    found = written(source, DateReading(form=pieces))
    day = "" if found.day is None else found.day.isoformat()
    if found.clock is None:
        if not day:
            raise out_of_range(f"read_date: the form {pieces.source} says no date and no time")
        return day
    # A leap second is checked where it is used; as text it is what it was.
    clock = f"{found.clock:%H:%M}:{'60' if found.leap else f'{found.clock:%S}'}"
    clock += f".{found.fraction}" if found.fraction else ""
    return (f"{day}T{clock}" if day else clock) + _offset_text(found.offset)


def check_form(node: Call) -> None:
    """A form that is a constant is read when the file is. Raises ExpressionError."""
    _constant_form(node)


def check_read(node: Call) -> None:
    """The same; a form to read says a whole date, or a time. Raises ExpressionError."""
    form = _constant_form(node)
    if form is not None and not form.has_date and not form.has_time:
        text = f"the form {form.source} says neither a whole date nor a time"
        cure = 'Write all of it; of a month alone the first day is read_date("01-" + month, "DD-MMM-YY")'
        raise ExpressionError(node.arguments[1].at, text, code=Code.DATE_FORM, cure=cure)


def check_zone(node: Call) -> None:
    """The same of a zone. Raises ExpressionError."""
    name = node.arguments[1]
    if isinstance(name, Literal) and isinstance(name.value, str):
        try:
            zone_info(name.value)
        except NoZone as problem:
            raise ExpressionError(name.at, str(problem), code=Code.ZONE, cure=problem.cure) from None


def _constant_form(node: Call) -> DateForm | None:
    source = node.arguments[1]
    if not isinstance(source, Literal) or not isinstance(source.value, str):
        return None
    try:
        return date_form(source.value)
    except FormError as problem:
        at = source.at + 1 + problem.at
        raise ExpressionError(at, problem.text, code=Code.DATE_FORM, cure=problem.cure or _FORM) from None


def _read(function: str, value: Value) -> Written:
    try:
        return written(value)
    except EvaluationError as error:
        raise EvaluationError(error.kind, f"{function}: {error.text}") from None


def _date(function: str, value: Value) -> date:
    day = _read(function, value).day
    if day is None:
        raise out_of_range(f"{function} takes a date, {shown(value)} has none")
    return day


def _date_and_time(function: str, value: Value) -> Written:
    found = _read(function, value)
    if found.day is None or found.clock is None:
        raise out_of_range(f"{function} takes a date and a time")
    return found


def _later(function: str, day: date, days: int) -> str:
    try:
        return (day + timedelta(days=days)).isoformat()
    except OverflowError:
        raise _out_of_years(function) from None


def _form(function: str, form: Value) -> DateForm:
    try:
        return date_form(text_argument(function, form))
    except FormError as problem:
        raise out_of_range(f"{function}: {problem.text}") from None


def _utc(found: Written, function: str) -> datetime:
    """The moment of a date and a time, to the second."""
    try:
        at = moment(found)
        return datetime.fromisoformat(f"{at.day}T{at.clock}"[:19]).replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise _out_of_years(function) from None


def _moment_text(at: datetime, fraction: str) -> str:
    return at.isoformat() + (f".{fraction}" if fraction else "")


def _offset_text(offset: timedelta | None) -> str:
    if offset is None:
        return ""
    minutes = abs(offset) // timedelta(minutes=1)
    return f"{'-' if offset < timedelta(0) else '+'}{minutes // 60:02}:{minutes % 60:02}"


def _out_of_years(function: str) -> EvaluationError:
    return out_of_range(f"{function}: this is not within the years 1 to 9999, or no moment")
