"""What the operators do at run time. Values are text, int, Decimal, bool, None, lists and dicts, as JSON gives them.

All run under ``numbers.CONTEXT`` and raise only what ``mistakes.RAISED`` lists.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, TypeAlias

from contribd.mapping.mistakes import EvaluationError, missing, missing_path, out_of_range, wrong_type
from contribd.mapping.numbers import LIMIT, NUMBERS, key_text, parse_number, whole
from contribd.mapping.scope import LetName, Surroundings
from contribd.mapping.syntax import Key
from contribd.mapping.tables import Table

Value: TypeAlias = Any
"""A value of a record or an evaluation: str, int, Decimal, bool, None, list or dict."""

MAX_TEXT = 65_536
"""Characters of a computed text: concatenating and replacing must not multiply a record's size without end."""

ENTRIES_WITHIN = 100
"""Entries that ``in`` may look at for each element that a list function could: one costs a hundredth of an element."""

MAX_SHOWN = 40
"""Characters of a value in the text of an error."""

_CONTAINERS = (list, dict)
_SURROUNDINGS: dict[Key, int] = {name: index for index, name in enumerate(Surroundings._fields)}
_NAMES: dict[type, str] = {
    bool: "true or false",
    type(None): "null",
    str: "text",
    int: "a number",
    Decimal: "a number",
    list: "a list",
    dict: "an object",
}


def kind_name(value: Value) -> str:
    """The type of ``value`` in the words of the mapping language."""
    return _NAMES.get(type(value), f"a {type(value).__name__}")


def walk(record: Mapping[Any, Value], keys: tuple[Key, ...]) -> Value:
    """The value at a path. A step that the record does not have is MISSING, whatever stands in its way."""
    value: Value = record
    try:
        for key in keys:
            kind = type(value)
            if kind is dict or (kind is list and type(key) is int):
                value = value[key]
            elif kind is Surroundings and (known := value[_SURROUNDINGS[key]]) is not None:
                value = known
            else:
                raise missing_path(keys)
    except LookupError:
        failed = type(keys[0]) is LetName and keys[0] not in record
        raise missing_path(keys[:1] if failed else keys) from None
    return value


def walk_object(record: Mapping[Any, Value], keys: tuple[Key, ...], name: str, key: str) -> Value:
    """``walk`` to ``quote.bid``, in half the time."""
    within = record.get(name)
    if type(within) is dict and key in within:
        return within[key]
    return walk(record, keys)


def walk_entry(record: Mapping[Any, Value], keys: tuple[Key, ...], name: str, position: int, key: str) -> Value:
    """``walk`` to ``sizes[0].bid``, in half the time."""
    entries = record.get(name)
    if type(entries) is list and -len(entries) <= position < len(entries):
        within = entries[position]
        if type(within) is dict and key in within:
            return within[key]
    return walk(record, keys)


def shown(value: Value) -> str:
    """A short part of ``value`` for people: constants as they are written, lists and objects by their kind.

    It goes to terminals and logs: what a record could steer them with is escaped.
    """
    if type(value) is str:
        text = value[:MAX_SHOWN]
        return f'"{text if text.isprintable() else "".join(map(_visible, text))}"'
    if type(value) in NUMBERS:
        return str(value)[:MAX_SHOWN]
    return kind_name(value)


def _visible(character: str) -> str:
    if character.isprintable():
        return character
    return f"\\u{ord(character):04x}" if character <= "\uffff" else f"\\U{ord(character):08x}"


def step(base: Value, key: Value, written: str, of: str = "") -> Value:
    """The value of ``base`` under a key or at a position; MISSING where there is none.

    ``written`` is how that is written, ``of`` how a key is that is computed.
    """
    index = key if type(key) is str else whole(key)
    if index is None:
        raise wrong_type(f"a key is text and a position a whole number; {of} is {shown(key)}")
    kind = type(base)
    if kind is (dict if type(index) is str else list):
        try:
            return base[index]
        except LookupError:
            pass
    raise missing(f"there is no {written}" + (f"; {of} is {shown(key)}" if of else ""))


def row(key: Value, table: Table) -> Value:
    """The row of ``table`` under ``key``; MISSING where there is none."""
    text = table_key(key, table)
    try:
        return table.rows[text]
    except KeyError:
        raise missing(f'the table {table.name} has no row "{text[:MAX_SHOWN]}"') from None


def has_row(key: Value, table: Table) -> bool:
    """Whether ``table`` has a row under ``key``."""
    return table_key(key, table) in table.rows


def table_key(key: Value, table: Table) -> str:
    """Text as it is, a number in plain digits without trailing zeros."""
    if type(key) is str:
        return key
    text = key_text(key) if type(key) in NUMBERS else None
    if text is None:
        raise no_text(f"the key of a row of {table.name}", key)
    return text


def no_text(what: str, value: Value) -> EvaluationError:
    """``value``, which is to be ``what``, is neither text nor a number that can be written out."""
    if type(value) in NUMBERS:
        return out_of_range(f"{what} is a number with too many digits")
    return wrong_type(f"{what} is text or a number, not {kind_name(value)}")


def add(left: Value, right: Value) -> Value:
    """Sum of two numbers, or two texts after each other."""
    if type(left) is str and type(right) is str:
        text = left + right
        return text if len(text) <= MAX_TEXT else bounded_text(text)
    if type(left) in NUMBERS and type(right) in NUMBERS:
        return _bounded(left + right)
    raise wrong_type(f"'+' takes two numbers or two texts, not {kind_name(left)} and {kind_name(right)}")


def subtract(left: Value, right: Value) -> Value:
    """Difference of two numbers."""
    if type(left) in NUMBERS and type(right) in NUMBERS:
        return _bounded(left - right)
    raise _not_numbers("-", left, right)


def multiply(left: Value, right: Value) -> Value:
    """Product of two numbers."""
    if type(left) in NUMBERS and type(right) in NUMBERS:
        return _bounded(left * right)
    raise _not_numbers("*", left, right)


def divide(left: Value, right: Value) -> Value:
    """Quotient of two numbers, to 34 digits."""
    if type(left) not in NUMBERS or type(right) not in NUMBERS:
        raise _not_numbers("/", left, right)
    if not right:
        raise out_of_range("division by zero")
    return (left if type(left) is Decimal else Decimal(left)) / right


def remainder(left: Value, right: Value) -> Value:
    """What is left of ``left`` after whole multiples of ``right``; it has the sign of ``left``."""
    if type(left) not in NUMBERS or type(right) not in NUMBERS:
        raise _not_numbers("%", left, right)
    if not right:
        raise out_of_range("division by zero")
    result = Decimal(left) % right
    return int(result) if type(left) is int and type(right) is int else result


def negate(operand: Value) -> Value:
    """The number with its other sign."""
    if type(operand) in NUMBERS:
        return _bounded(-operand)
    raise wrong_type(f"'-' takes a number, not {kind_name(operand)}")


def equal(left: Value, right: Value) -> bool:
    """Numbers by value, anything else by type and value; lists and objects compare with nothing of their own type."""
    if type(left) in NUMBERS and type(right) in NUMBERS:
        return bool(left == right)
    if type(left) is not type(right):
        return False
    if isinstance(left, _CONTAINERS):
        raise wrong_type(f"'==' does not compare {kind_name(left)} with {kind_name(right)}")
    return bool(left == right)


def unequal(left: Value, right: Value) -> bool:
    """The opposite of ``equal``."""
    return not equal(left, right)


def less(left: Value, right: Value) -> bool:
    """Order of two numbers, or of two texts by code point."""
    if (type(left) in NUMBERS and type(right) in NUMBERS) or _two_texts("<", left, right):
        return bool(left < right)
    raise _not_ordered("<", left, right)


def less_equal(left: Value, right: Value) -> bool:
    """Order of two numbers, or of two texts by code point."""
    if (type(left) in NUMBERS and type(right) in NUMBERS) or _two_texts("<=", left, right):
        return bool(left <= right)
    raise _not_ordered("<=", left, right)


def greater(left: Value, right: Value) -> bool:
    """Order of two numbers, or of two texts by code point."""
    if (type(left) in NUMBERS and type(right) in NUMBERS) or _two_texts(">", left, right):
        return bool(left > right)
    raise _not_ordered(">", left, right)


def greater_equal(left: Value, right: Value) -> bool:
    """Order of two numbers, or of two texts by code point."""
    if (type(left) in NUMBERS and type(right) in NUMBERS) or _two_texts(">=", left, right):
        return bool(left >= right)
    raise _not_ordered(">=", left, right)


def truth(value: Value) -> bool:
    """``value`` where a condition is needed: true or false, nothing else stands for them."""
    if type(value) is bool:
        return value
    raise wrong_type(f"a condition is true or false, not {kind_name(value)}")


def among(value: Value, plain: frozenset[Value], booleans: frozenset[bool]) -> bool:
    """Whether ``value`` is one of a list's constants. Booleans are kept apart: Python takes True for 1."""
    kind = type(value)
    if kind is bool:
        return value in booleans
    if kind is list or kind is dict:
        raise wrong_type(f"'in' looks for text, a number, true, false or null, not {kind_name(value)}")
    return value in plain


def contained(value: Value, container: Value, most: int | None = None) -> bool:
    """Whether a list of the record holds ``value``, or a text holds the text ``value``.

    ``most``: entries of a list that may be looked at, within a list function.
    """
    if type(container) is str and type(value) is str:
        return value in container
    if type(container) is list:
        if most is not None and len(container) > most * ENTRIES_WITHIN:
            raise out_of_range(f"'in' looks into a list of {len(container)} for each element of another: too many")
        return _held(value, container)
    raise wrong_type(
        f"'in' looks into a list, or for text in text, not for {kind_name(value)} in {kind_name(container)}"
    )


def _held(value: Value, entries: list[Value]) -> bool:
    """Whether one of the entries is equal to ``value``. Python looks faster than ``equal``, and takes True for 1."""
    if type(value) is str or value is None:
        return value in entries
    if type(value) in NUMBERS and value not in entries:
        return False
    return any(equal(value, each) for each in entries)


def bounded_text(text: str) -> str:
    """``text``, unless it is too long to go on with."""
    if len(text) > MAX_TEXT:
        raise out_of_range(f"a computed text has at most {MAX_TEXT} characters")
    return text


def _bounded(number: Value) -> Value:
    if type(number) is int and not -LIMIT < number < LIMIT:
        raise out_of_range("a computed number's magnitude stays below 1e34")
    return number


def _not_numbers(operator: str, left: Value, right: Value) -> EvaluationError:
    return wrong_type(f"'{operator}' takes two numbers, not {kind_name(left)} and {kind_name(right)}")


def _two_texts(operator: str, left: Value, right: Value) -> bool:
    """Whether both are text; numbers that came as text are refused, since "10.2" stands before "9.5" in order."""
    if type(left) is not str or type(right) is not str:
        return False
    if parse_number(left) is None or parse_number(right) is None:
        return True
    texts = f"{shown(left)} and {shown(right)}"
    raise wrong_type(f"'{operator}' compares {texts} as text, not as numbers; write number() around each")


def _not_ordered(operator: str, left: Value, right: Value) -> EvaluationError:
    names = f"{kind_name(left)} and {kind_name(right)}"
    return wrong_type(f"'{operator}' compares two numbers or two texts, not {names}")


def split_booleans(values: Sequence[Value]) -> tuple[frozenset[Value], frozenset[bool]]:
    """Constants of a list as ``among`` takes them."""
    booleans = frozenset(value for value in values if type(value) is bool)
    return frozenset(value for value in values if type(value) is not bool), booleans


HELPERS: Final[Mapping[str, Callable[[Value, Value], Value]]] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
    "%": remainder,
    "==": equal,
    "!=": unequal,
    "<": less,
    "<=": less_equal,
    ">": greater,
    ">=": greater_equal,
}
"""The function of each operator that takes the values of both sides."""
