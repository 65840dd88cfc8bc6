"""The functions of the mapping language: how each is called, and what it takes and gives."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from contribd.mapping import date_functions as dates
from contribd.mapping import list_functions as lists
from contribd.mapping import number_functions as numbers
from contribd.mapping import patterns
from contribd.mapping import text_functions as texts
from contribd.mapping.fraction_prices import fraction
from contribd.mapping.kind import Kind
from contribd.mapping.mistakes import ErrorKind, EvaluationError, as_evaluation_error, missing
from contribd.mapping.operators import Value
from contribd.mapping.rmtes import partial
from contribd.mapping.syntax import Call


def exists(evaluate: Callable[[], Value]) -> bool:
    """Whether the record has that path, null included."""
    try:
        evaluate()
    except (EvaluationError, KeyError) as error:
        _only_missing(error)
        return False
    return True


def coalesce(*alternatives: Callable[[], Value]) -> Value:
    """The first value that is there and not null; null where one is there; MISSING where none is."""
    found = False
    failures: list[Exception] = []
    for evaluate in alternatives:
        try:
            value = evaluate()
        except (EvaluationError, KeyError) as error:
            _only_missing(error)
            failures.append(error)
        else:
            if value is not None:
                return value
            found = True
    if found:
        return None
    raise missing("coalesce finds nothing: " + ", ".join(as_evaluation_error(error).text for error in failures))


class Form(Enum):
    """How a function takes its arguments."""

    PLAIN = auto()
    """Their values."""
    UNEVALUATED = auto()
    """As functions, since one that is missing is no error."""
    EACH = auto()
    """A list, and what is worked out of each element."""
    PATTERN = auto()
    """The second is a pattern, compiled beforehand."""


@dataclass(frozen=True, slots=True)
class Function:
    """How a function is called: kinds of its parameters (the last one repeats where ``most`` allows more)."""

    call: Callable[..., Value]
    signature: str
    takes: tuple[Kind, ...]
    gives: Kind
    least: int
    most: int
    form: Form = Form.PLAIN
    check: Callable[[Call], None] | None = None
    """Looks at its constants when a file is read. Raises ExpressionError."""

    def parameter(self, index: int) -> Kind:
        """The kinds that the argument at that position can be of."""
        return self.takes[min(index, len(self.takes) - 1)]


_N, _T, _B, _L = Kind.NUMBER, Kind.TEXT, Kind.BOOLEAN, Kind.LIST
_PLAIN = {
    "round": Function(numbers.round_, "round(number, places)", (_N, _N), _N, 1, 2),
    "fixed": Function(numbers.fixed, "fixed(number, places)", (_N, _N), _T, 2, 2),
    "abs": Function(numbers.absolute, "abs(number)", (_N,), _N, 1, 1),
    "min": Function(numbers.least, "min(number, …)", (_N,), _N, 1, 20),
    "max": Function(numbers.greatest, "max(number, …)", (_N,), _N, 1, 20),
    "floor": Function(numbers.floor, "floor(number)", (_N,), _N, 1, 1),
    "ceil": Function(numbers.ceil, "ceil(number)", (_N,), _N, 1, 1),
    "upper": Function(texts.upper, "upper(text)", (_T,), _T, 1, 1),
    "lower": Function(texts.lower, "lower(text)", (_T,), _T, 1, 1),
    "trim": Function(texts.trim, "trim(text)", (_T,), _T, 1, 1),
    "replace": Function(texts.replace, "replace(text, old, new)", (_T, _T, _T), _T, 3, 3),
    "slice": Function(texts.slice_, "slice(text, start, end)", (_T, _N, _N), _T, 2, 3),
    "find": Function(texts.find, "find(text, part)", (_T, _T), _N, 2, 2),
    "split": Function(texts.split, "split(text, separator)", (_T, _T), _L, 2, 2),
    "pad_left": Function(texts.pad_left, "pad_left(text, width, fill)", (_T, _N, _T), _T, 2, 3),
    "pad_right": Function(texts.pad_right, "pad_right(text, width, fill)", (_T, _N, _T), _T, 2, 3),
    "entries": Function(lists.entries, "entries(object)", (Kind.OBJECT,), _L, 1, 1),
    "len": Function(texts.length, "len(text, list or object)", (_T | _L | Kind.OBJECT,), _N, 1, 1),
    "text": Function(numbers.to_text, "text(value)", (_N | _T | _B,), _T, 1, 1),
    "number": Function(numbers.to_number, "number(value)", (_N | _T,), _N, 1, 1),
    "fraction": Function(fraction, "fraction(text, of)", (_N | _T, _N), _N, 1, 2),
    "partial": Function(partial, "partial(text, column)", (_T, _N), _T, 2, 2),
    "starts_with": Function(texts.starts_with, "starts_with(text, start)", (_T, _T), _B, 2, 2),
    "ends_with": Function(texts.ends_with, "ends_with(text, end)", (_T, _T), _B, 2, 2),
}
_D = Kind.NUMBER | Kind.TEXT
_DATES = {
    "add_days": Function(dates.add_days, "add_days(date, n)", (_D, _N), _T, 2, 2),
    "add_months": Function(dates.add_months, "add_months(date, n)", (_D, _N), _T, 2, 2),
    "add_seconds": Function(dates.add_seconds, "add_seconds(datetime, n)", (_D, _N), _T, 2, 2),
    "days_between": Function(dates.days_between, "days_between(date, date)", (_D, _D), _N, 2, 2),
    "weekday": Function(dates.weekday, "weekday(date)", (_D,), _N, 1, 1),
    "month_code": Function(dates.month_code, "month_code(date)", (_D,), _T, 1, 1),
    "date_text": Function(dates.date_text, "date_text(date, form)", (_D, _T), _T, 2, 2, check=dates.check_form),
    "read_date": Function(dates.read_date, "read_date(text, form)", (_T, _T), _T, 2, 2, check=dates.check_read),
    "in_zone": Function(dates.in_zone, "in_zone(datetime, zone)", (_D, _T), _T, 2, 2, check=dates.check_zone),
}
FUNCTIONS: dict[str, Function] = {
    **_PLAIN,
    **_DATES,
    "matches": Function(patterns.matches, "matches(text, pattern)", (_T, _T), _B, 2, 2, Form.PATTERN),
    "capture": Function(patterns.capture, "capture(text, pattern, group)", (_T, _T, _N | _T), _T, 2, 3, Form.PATTERN),
    "first": Function(lists.first, "first(list, condition)", (_L, _B), Kind.ANY, 2, 2, Form.EACH),
    "filter": Function(lists.filter_, "filter(list, condition)", (_L, _B), _L, 2, 2, Form.EACH),
    "count": Function(lists.count, "count(list, condition)", (_L, _B), _N, 2, 2, Form.EACH),
    "any": Function(lists.any_, "any(list, condition)", (_L, _B), _B, 2, 2, Form.EACH),
    "all": Function(lists.all_, "all(list, condition)", (_L, _B), _B, 2, 2, Form.EACH),
    "sum": Function(lists.total, "sum(list, number)", (_L, _N), _N, 1, 2, Form.EACH),
    "smallest": Function(lists.smallest, "smallest(list, value)", (_L, _N | _T), _N | _T, 1, 2, Form.EACH),
    "largest": Function(lists.largest, "largest(list, value)", (_L, _N | _T), _N | _T, 1, 2, Form.EACH),
    "exists": Function(exists, "exists(path)", (Kind.ANY,), _B, 1, 1, Form.UNEVALUATED),
    "coalesce": Function(coalesce, "coalesce(value, …)", (Kind.ANY,), Kind.ANY, 1, 20, Form.UNEVALUATED),
}


def _only_missing(error: Exception) -> None:
    if as_evaluation_error(error).kind is not ErrorKind.MISSING:
        raise error
