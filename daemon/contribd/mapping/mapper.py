"""The hot path: the bytes of a record in, a post or the reason for none out."""

import decimal
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from contribd.mapping.compile import CompiledCheck, CompiledMapping
from contribd.mapping.dispatch import candidates, dispatch
from contribd.mapping.mistakes import RAISED, ErrorKind, EvaluationError, as_evaluation_error, out_of_range, wrong_type
from contribd.mapping.numbers import CONTEXT
from contribd.mapping.operators import Value, kind_name, walk
from contribd.mapping.outcome import FieldValue, Mapped, Outcome, RejectCode, Rejected, UnreadValue
from contribd.mapping.syntax import Key, path_text

MAX_RECORD_BYTES = 1_048_576
"""A record's value; Kafka's own default for a message. A price record has a few hundred bytes."""

_UNDECODABLE = (msgspec.MsgspecError, UnicodeDecodeError, decimal.DecimalException, RecursionError)
_CODES = {ErrorKind.MISSING: RejectCode.MISSING_FIELD}
_SHOWN_VALUES = 4
_SHOWN_MAPPINGS = 5
_SHOWN_CHARACTERS = 40

Record = Mapping[str, Value]


class Mapper:
    """All mappings, in order. Holds no state between records; one thread at a time may call it."""

    def __init__(self, mappings: Sequence[CompiledMapping], *, ask_all: bool = False) -> None:
        """``ask_all``: every ``when`` is evaluated, for whoever wants to see it."""
        self.mappings = tuple(mappings)
        self._dispatch = self.mappings if ask_all else dispatch(self.mappings)
        self._context = CONTEXT.copy()
        self._decode = msgspec.json.Decoder(float_hook=Decimal).decode

    def map(self, value: bytes | None) -> Outcome:
        """Any bytes give one of them; nothing is raised."""
        before = decimal.getcontext()
        decimal.setcontext(self._context)
        try:
            record = self._record(value)
            if type(record) is Rejected:
                return record
            return self._map(record)
        finally:
            decimal.setcontext(before)

    def _record(self, value: bytes | None) -> Any:
        """The decoded object, or its rejection."""
        if not value:
            text = value.reason if type(value) is UnreadValue else "the record has no value"
            return Rejected(RejectCode.BAD_RECORD, text)
        if len(value) > MAX_RECORD_BYTES:
            text = f"the record has {len(value)} bytes; at most {MAX_RECORD_BYTES} are read"
            return Rejected(RejectCode.TOO_LARGE, text)
        try:
            record = self._decode(value)
        except _UNDECODABLE as error:
            return Rejected(RejectCode.BAD_RECORD, _undecodable(error))
        if type(record) is not dict:
            return Rejected(RejectCode.BAD_RECORD, f"the record is {kind_name(record)}, not an object")
        return record

    def _map(self, record: Record) -> Outcome:
        notes: list[str] = []
        for mapping in candidates(self._dispatch, record):
            when = mapping.when
            if when is None:
                return _apply(mapping, record)
            try:
                answer = when.run(record)
            except RAISED as error:
                notes.append(f"{mapping.name}: {as_evaluation_error(error).text}")
                continue
            if answer is True:
                return _apply(mapping, record)
            if answer is not False:
                notes.append(f"{mapping.name}: when gives {kind_name(answer)}, not true or false")
        return Rejected(RejectCode.NO_MAPPING, _no_mapping(notes))


def _apply(mapping: CompiledMapping, record: Record) -> Outcome:
    if mapping.ignored is not None:
        return mapping.ignored
    try:
        ric = mapping.ric(record)
    except RAISED as error:
        return _rejected(mapping, "ric", as_evaluation_error(error))
    try:
        fields = mapping.all_fields(record)
    except RAISED:
        fields = _one_by_one(mapping, record, ric)
        if type(fields) is Rejected:
            return fields
    for check in mapping.checks:
        rejected = _failed(mapping, check, record, ric, fields)
        if rejected is not None:
            return rejected
    if not fields:
        text = "every field was skipped: there is nothing to post"
        return Rejected(RejectCode.MISSING_FIELD, text, ric, mapping.service, mapping.name, fields)
    return Mapped(ric, mapping.service, mapping.name, mapping.type, fields)


def _one_by_one(mapping: CompiledMapping, record: Record, ric: str) -> dict[str, FieldValue] | Rejected:
    """The fields with what ``missing`` says of each, or the rejection by the first that cannot do without a value."""
    fields: dict[str, FieldValue] = {}
    for field in mapping.fields:
        try:
            name = field.name if field.name_of is None else field.name_of(record)
            if name in fields:
                raise out_of_range(f"the record gives it the name of another field, {name}")
        except RAISED as error:
            failure = as_evaluation_error(error)
            if failure.kind is ErrorKind.MISSING and field.missing == "skip":
                continue
            return _rejected(mapping, field.label, failure, ric, fields)
        try:
            fields[name] = field.convert(field.read(record))
        except RAISED as error:
            failure = as_evaluation_error(error)
            if failure.kind is not ErrorKind.MISSING or field.missing == "reject":
                return _rejected(mapping, field.label, failure, ric, fields)
            if field.missing == "blank":
                fields[name] = None
    return fields


def _failed(
    mapping: CompiledMapping, check: CompiledCheck, record: Record, ric: str, fields: dict[str, FieldValue]
) -> Rejected | None:
    that = check.that
    try:
        answer = that.run(record)
        if answer is True:
            return None
        if answer is not False:
            raise wrong_type(f"a check is true or false, not {kind_name(answer)}")
    except RAISED as error:
        return _rejected(mapping, f"check {that.source}", as_evaluation_error(error), ric, fields)
    text = f"{check.text}: " if check.text else ""
    text += f"{that.source} is false" + _shown(that.paths, record)
    return Rejected(RejectCode.CHECK_FAILED, text, ric, mapping.service, mapping.name, fields)


def _rejected(
    mapping: CompiledMapping,
    place: str,
    error: EvaluationError,
    ric: str | None = None,
    fields: dict[str, FieldValue] | None = None,
) -> Rejected:
    code = _CODES.get(error.kind, RejectCode.BAD_VALUE)
    return Rejected(code, f"{place}: {error.text}", ric, mapping.service, mapping.name, fields)


def _shown(paths: tuple[tuple[Key, ...], ...], record: Record) -> str:
    """The values that a failed check looked at: " (bid 2, ask 1)"."""
    shown: list[str] = []
    for path in paths[:_SHOWN_VALUES]:
        try:
            value = walk(record, path)
        except EvaluationError:
            continue
        text = repr(value) if isinstance(value, str) else str(value)
        shown.append(f"{path_text(path)} {text[:_SHOWN_CHARACTERS]}")
    return f" ({', '.join(shown)})" if shown else ""


def _no_mapping(notes: list[str]) -> str:
    if not notes:
        return "no mapping's when is true"
    more = f"; and {len(notes) - _SHOWN_MAPPINGS} more" if len(notes) > _SHOWN_MAPPINGS else ""
    return f"no mapping's when is true ({'; '.join(notes[:_SHOWN_MAPPINGS])}{more})"


def _undecodable(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "the record is nested too deeply"
    if isinstance(error, decimal.DecimalException):
        return "the record holds a number whose exponent is beyond any range"
    return f"the record is not JSON: {error}"
