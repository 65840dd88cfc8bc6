"""Values made to fit their fields: one function for each type, made once for each field."""

import binascii
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Final, cast

from contribd.dictionary.enums_file import MAX_VALUE, EnumTable
from contribd.dictionary.fields_file import Field
from contribd.dictionary.rwf import RwfType
from contribd.mapping import times
from contribd.mapping.codes import Code
from contribd.mapping.mistakes import ErrorKind, EvaluationError
from contribd.mapping.operators import Value, shown
from contribd.mapping.outcome import FieldValue
from contribd.mapping.rmtes import rmtes_bytes
from contribd.mapping.values import Convert, clean_text, field_value

_CLOCK: Final = {2: 5, 3: 8, 5: 12, 7: 15, 8: 18}
"""Characters of HH:MM:SS.fraction that a time of so many bytes holds: minutes, seconds, ms, µs, ns."""
_DAY_BYTES: Final = 4
_DAY: Final = len("2026-11-22T")
_GREATEST_EXPONENT: Final = 40
_LISTED: Final = 12
_VALUE: Final = re.compile("[0-9]{1,5}")
_OF_TABLE: Final = "Write one of its display texts, or a value of enumtype.def as a number"
_EXAMPLES: Final = {
    RwfType.DATE: "2026-11-22",
    RwfType.TIME: "10:15:30",
    RwfType.DATETIME: "2026-11-22T10:15:30",
}


def fit(field: Field, table: EnumTable | None) -> Convert:
    """The function that makes a value one of this field. It raises EvaluationError.

    Needs ``numbers.CONTEXT`` to be current.
    """
    return _MAKERS[field.type](field, table)


def _unfit(text: str, code: Code, cure: str = "") -> EvaluationError:
    return EvaluationError(ErrorKind.WRONG_TYPE, text, code=code, cure=cure)


def _number(_field: Field, _table: EnumTable | None) -> Convert:
    def convert(value: Value) -> FieldValue:
        if type(value) is str:
            raise _no_number(value)
        return field_value(value)

    return convert


def _no_number(value: Value) -> EvaluationError:
    cure = "Write the number without quotes, or as: real for text that is a number"
    return _unfit(f"it takes a number, not {_shown(value)}", Code.FIELD_KIND, cure)


def whole_range(field: Field) -> tuple[int, int]:
    """The least and the greatest number that an Int or UInt of the field's length holds."""
    bits = 8 * min(field.length or 8, 8)
    return (0, 2**bits - 1) if field.type is RwfType.UINT else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def _whole(field: Field, _table: EnumTable | None) -> Convert:
    least, greatest = whole_range(field)

    def convert(value: Value) -> FieldValue:
        if value is None:
            return None
        number = _whole_number(value)
        if least <= number <= greatest:
            return number
        text = f"it takes {least} to {greatest} ({field.length or 8} bytes), not {_shown(value)}"
        raise _unfit(text, Code.FIELD_RANGE, f"Write a number from {least} to {greatest}, or choose a larger field")

    return convert


def _whole_number(value: Value) -> int:
    if type(value) is int:
        return value
    if type(value) is not Decimal:
        raise _no_number(value)
    # Looked at before any digits are written: an exponent may be 999999999.
    if value.adjusted() < _GREATEST_EXPONENT and value == value.to_integral_value():
        return int(value)
    raise _unfit(f"it takes a whole number, not {_shown(value)}", Code.FIELD_RANGE, "Use round: 0, floor() or ceil()")


def _text(field: Field, _table: EnumTable | None) -> Convert:
    length = field.length

    def convert(value: Value) -> FieldValue:
        if type(value) is not str:
            if value is None:
                return None
            cure = "Write the text in quotes, or as: text for a number"
            raise _unfit(f"it takes text, not {_shown(value)}", Code.FIELD_KIND, cure)
        if 0 < length < len(value):
            text = f"it holds {length} bytes, this has {len(value)}: {_shown(value)}"
            raise _unfit(text, Code.FIELD_LENGTH, f"Shorten it, as by slice(…, 0, {length})")
        return clean_text(value)

    return convert


def fit_rmtes(field: Field) -> Convert:
    """The function for what ``as: rmtes`` makes: nothing but its length is looked at, as the field keeps it."""

    def convert(value: Value) -> FieldValue:
        if type(value) is str and 0 < field.length < (taken := rmtes_bytes(value)):
            raise _unfit(f"it holds {field.length} bytes, this takes {taken}", Code.FIELD_LENGTH, "Shorten it")
        return cast("FieldValue", value)

    return convert


def _enum(field: Field, table: EnumTable | None) -> Convert:
    greatest = MAX_VALUE if field.length != 1 else 255
    displays = table.displays if table is not None else None

    def convert(value: Value) -> FieldValue:
        if value is None:
            return None
        if type(value) is str:
            return _by_display(value, table)
        number = _whole_number(value)
        if number in displays if displays is not None else 0 <= number <= greatest:
            return number
        if displays is None:
            cure = f"Write a number from 0 to {greatest}"
            raise _unfit(f"it takes 0 to {greatest}, not {_shown(value)}", Code.FIELD_RANGE, cure)
        raise _unfit(f"its table has no value {_shown(value)}; {_listed(table)}", Code.ENUM_VALUE, _OF_TABLE)

    return convert


def _by_display(display: str, table: EnumTable | None) -> int:
    if table is None:
        cure = "Write the value as a number, or set dictionary.enums to an enumtype.def that has its table"
        text = f"it takes a value as a number: no table has the display text {shown(display)}"
        raise _unfit(text, Code.ENUM_VALUE, cure)
    values = table.values(display)
    if len(values) == 1:
        return values[0]
    if values:
        several = " and ".join(map(str, values[:_LISTED]))
        text = f"its display text {shown(display)} stands for {several}"
        raise _unfit(text, Code.ENUM_AMBIGUOUS, "Write the value that is meant as a number")
    text = f"its table has no display text {shown(display)}; {_listed(table)}"
    raise _unfit(text, Code.ENUM_VALUE, _cure(display, table))


def _cure(display: str, table: EnumTable) -> str:
    if _VALUE.fullmatch(display) and int(display) in table.displays:
        return f"Write {int(display)} without quotes, or as: int"
    near = [text for text in table.texts() if text.casefold() == display.strip().casefold()]
    return f'Write "{near[0]}"' if near else _OF_TABLE


def _listed(table: EnumTable | None) -> str:
    texts = table.texts() if table is not None else []
    more = f" and {len(texts) - _LISTED} more" if len(texts) > _LISTED else ""
    return f"it has {', '.join(texts[:_LISTED])}{more}"


def cut(field: Field) -> Convert:
    """What is finer than a field for dates or times holds is cut off: rounded up it would be a time to come."""
    characters = _characters(field)

    def convert(value: Value) -> FieldValue:
        return None if value is None else value[:characters]

    return convert


def _characters(field: Field) -> int | None:
    """How much it holds of a text that says date, time or both; None: all of it."""
    if field.type is RwfType.TIME:
        return _CLOCK.get(field.length)
    clock = _CLOCK.get(field.length - _DAY_BYTES) if field.type is RwfType.DATETIME else None
    return None if clock is None else _DAY + clock


def _time(field: Field, _table: EnumTable | None) -> Convert:
    make, characters = _READERS[field.type], _characters(field)

    def convert(value: Value) -> FieldValue:
        if value is None:
            return None
        try:
            return make(value)[:characters]
        except EvaluationError as error:
            cure = f"Write it as {_EXAMPLES[field.type]}, or say by format how it is written"
            raise _unfit(error.text.removeprefix("as: "), Code.FIELD_TIME, cure) from None

    return convert


_READERS: Final[dict[RwfType, Callable[[Value], str]]] = {
    RwfType.DATE: times.to_date,
    RwfType.TIME: times.to_time,
    RwfType.DATETIME: times.to_datetime,
}


def _buffer(field: Field, _table: EnumTable | None) -> Convert:
    def convert(value: Value) -> FieldValue:
        if value is None:
            return None
        try:
            content = binascii.a2b_base64(value, strict_mode=True) if type(value) is str else None
        except ValueError:
            content = None
        if content is None:
            raise _unfit(f"it takes bytes as text in base64, not {_shown(value)}", Code.FIELD_KIND)
        if 0 < field.length < len(content):
            text = f"it holds {field.length} bytes, this has {len(content)}"
            raise _unfit(text, Code.FIELD_LENGTH)
        return clean_text(value)

    return convert


def _none(_field: Field, _table: EnumTable | None) -> Convert:
    def convert(_value: Value) -> FieldValue:
        raise _unfit("fields of this type cannot be posted", Code.FIELD_TYPE)

    return convert


def _shown(value: Value) -> str:
    return f"the text {shown(value)}" if type(value) is str else shown(value)


_MAKERS: Final[dict[RwfType, Callable[[Field, EnumTable | None], Convert]]] = {
    RwfType.REAL: _number,
    RwfType.FLOAT: _number,
    RwfType.DOUBLE: _number,
    RwfType.INT: _whole,
    RwfType.UINT: _whole,
    RwfType.ENUM: _enum,
    RwfType.ASCII: _text,
    RwfType.RMTES: _text,
    RwfType.UTF8: _text,
    RwfType.DATE: _time,
    RwfType.TIME: _time,
    RwfType.DATETIME: _time,
    RwfType.BUFFER: _buffer,
    RwfType.OTHER: _none,
}
