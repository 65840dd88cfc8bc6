"""The hot path: the bytes of a record in, a post or the reason for none out."""

import decimal
import traceback
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final, TypeAlias

import msgspec

from contribd.mapping.bad_bytes import behind_registry_header, what_it_is
from contribd.mapping.codegen import Evaluate
from contribd.mapping.compiled import CompiledCheck, CompiledMapping
from contribd.mapping.dispatch import candidates, dispatch
from contribd.mapping.meant import meant
from contribd.mapping.mistakes import RAISED, ErrorKind, EvaluationError, as_evaluation_error, out_of_range, wrong_type
from contribd.mapping.numbers import CONTEXT
from contribd.mapping.operators import Value, kind_name, walk
from contribd.mapping.outcome import FieldValue, Mapped, Outcome, RejectCode, Rejected, UnreadValue
from contribd.mapping.scope import EMPTY, POST, SURROUNDINGS, LetName, Surroundings
from contribd.mapping.syntax import Key, path_text
from contribd.mapping.written import constant_text

MAX_RECORD_BYTES = 1_048_576
"""A record's value; Kafka's own default for a message. A price record has a few hundred bytes."""

_UNDECODABLE = (msgspec.MsgspecError, UnicodeDecodeError, decimal.DecimalException, RecursionError)
_CODES = {ErrorKind.MISSING: RejectCode.MISSING_FIELD}
_NO_VALUE = "the record has no value"
_SHOWN_VALUES = 4
_SHOWN_FAULT = 300
_SHOWN_MAPPINGS = 5
_SHOWN_CHARACTERS = 40

Record: TypeAlias = dict[Any, Value]


def own_fault(error: Exception) -> Rejected:
    """What becomes of a record at which contribd itself fails: the daemon must not die of it again and again."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{place.filename.rpartition('/')[2]}:{place.lineno}"
    text = "contribd failed at this record, which is a fault of contribd: report it with the record"
    return Rejected(RejectCode.BAD_VALUE, f"{text} ({where}: {error!a})"[:_SHOWN_FAULT])


class Mapper:
    """All mappings, in order. Holds no state between records; one thread at a time may call it."""

    def __init__(self, mappings: Sequence[CompiledMapping], *, ask_all: bool = False) -> None:
        """``ask_all``: every ``when`` is evaluated, for whoever wants to see it."""
        self.mappings = tuple(mappings)
        self.surrounded: Final = any(mapping.surrounded for mapping in self.mappings)
        """Whether a mapping reads what surrounds the record in Kafka: it need not be told otherwise."""
        self._of_nothing = tuple(each for each in self.mappings if each.when is not None and each.when.reads(EMPTY))
        self._dispatch = self.mappings if ask_all else dispatch(self.mappings)
        self._context = CONTEXT.copy()
        self._decode = msgspec.json.Decoder(float_hook=Decimal).decode

    def map(self, value: bytes | None, surroundings: Surroundings | None = None) -> Outcome:
        """Any bytes give one of them; nothing is raised."""
        before = decimal.getcontext()
        decimal.setcontext(self._context)
        try:
            record = self._record(value)
            if type(record) is Rejected:
                return record
            if surroundings is not None:
                record[SURROUNDINGS] = surroundings
            if not value:
                return self._map_nothing(record)
            return self._first(candidates(self._dispatch, record), record)
        except Exception as error:  # noqa: BLE001 - a fault of ours costs this record, and not every price behind it
            return own_fault(error)
        finally:
            decimal.setcontext(before)

    def _record(self, value: bytes | None) -> Any:
        """The decoded object, or its rejection."""
        if not value:
            if self._of_nothing and type(value) is not UnreadValue:
                return {EMPTY: True}
            text = value.reason if type(value) is UnreadValue else _NO_VALUE
            return Rejected(RejectCode.BAD_RECORD, text)
        if len(value) > MAX_RECORD_BYTES:
            text = f"the record has {len(value)} bytes; at most {MAX_RECORD_BYTES} are read"
            return Rejected(RejectCode.TOO_LARGE, text)
        try:
            record = self._decode(value)
        except _UNDECODABLE as error:
            inside = behind_registry_header(value)
            return self._record(inside) if inside else Rejected(RejectCode.BAD_RECORD, _undecodable(value, error))
        if type(record) is not dict:
            twice = ": it holds JSON, and was encoded twice" if type(record) is str and record[:1] == "{" else ""
            text = f"the record is {kind_name(record)}, not an object{twice}"
            return Rejected(RejectCode.BAD_RECORD, text)
        return record

    def _map_nothing(self, record: Record) -> Outcome:
        """A record without a value is for a mapping that asks for it."""
        outcome = self._first(self._of_nothing, record)
        if isinstance(outcome, Rejected) and outcome.code is RejectCode.NO_MAPPING:
            return Rejected(RejectCode.BAD_RECORD, f"{_NO_VALUE}, and {outcome.text}")
        return outcome

    def _first(self, mappings: Sequence[CompiledMapping], record: Record) -> Outcome:
        """What the first of these comes to whose ``when`` is true."""
        notes: list[tuple[CompiledMapping, EvaluationError | str]] = []
        for mapping in mappings:
            when = mapping.when
            if when is None:
                return _apply(mapping, record)
            try:
                answer = when.run(record)
            except RAISED as error:
                notes.append((mapping, as_evaluation_error(error)))
                continue
            if answer is True:
                return _apply(mapping, record)
            if answer is not False:
                notes.append((mapping, f"when gives {kind_name(answer)}, not true or false"))
        return Rejected(RejectCode.NO_MAPPING, _no_mapping(notes, record))


def _apply(mapping: CompiledMapping, record: Record) -> Outcome:
    if mapping.ignored is not None:
        return mapping.ignored
    if mapping.lets:
        _compute(mapping.lets, record)
    try:
        ric = mapping.ric(record)
    except RAISED as error:
        return _rejected(mapping, record, "ric", as_evaluation_error(error))
    try:
        fields = mapping.all_fields(record)
    except RAISED:
        fields = _one_by_one(mapping, record, ric)
        if type(fields) is Rejected:
            return fields
    return _checked(mapping, record, ric, fields)


def _checked(mapping: CompiledMapping, record: Record, ric: str, fields: dict[str, FieldValue]) -> Mapped | Rejected:
    """The post, unless a check or the lack of fields is against it."""
    if mapping.reads_post:
        record[POST] = fields
    if not _all_true(mapping, record):
        for check in mapping.checks:
            rejected = _failed(mapping, check, record, ric, fields)
            if rejected is not None:
                return rejected
    if len(fields) <= len(mapping.constants) and fields.keys() <= mapping.constants:
        others = " that is no constant" if fields else ""
        text = f"every field{others} was skipped: there is nothing to post"
        return Rejected(RejectCode.MISSING_FIELD, text, ric, mapping.service, mapping.name, fields)
    return Mapped(ric, mapping.service, mapping.name, mapping.type, fields)


def _all_true(mapping: CompiledMapping, record: Record) -> bool:
    try:
        return mapping.all_checks(record) is True
    except RAISED:
        return False


def _compute(lets: tuple[tuple[LetName, Evaluate], ...], record: Record) -> None:
    """Each value under its name; of one that cannot be computed the reason, which is told where it is used."""
    for name, evaluate in lets:
        try:
            record[name] = evaluate(record)
        except RAISED as error:
            name.failure = error


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
            return _rejected(mapping, record, field.label, failure, ric, fields)
        try:
            fields[name] = field.convert(field.read(record))
        except RAISED as error:
            failure = as_evaluation_error(error)
            if failure.kind is not ErrorKind.MISSING or field.missing == "reject":
                return _rejected(mapping, record, field.label, failure, ric, fields)
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
        failure = as_evaluation_error(error)
        place = f"check {that.source}"
        return _rejected(mapping, record, place, failure, ric, fields, _posted(failure, fields))
    text = f"{check.text}: " if check.text else ""
    text += f"{that.source} is false" + _shown(that.paths, record)
    return Rejected(RejectCode.CHECK_FAILED, text, ric, mapping.service, mapping.name, fields)


def _rejected(
    mapping: CompiledMapping,
    record: Record,
    place: str,
    error: EvaluationError,
    ric: str | None = None,
    fields: dict[str, FieldValue] | None = None,
    hint: str = "",
) -> Rejected:
    code = _CODES.get(error.kind, RejectCode.BAD_VALUE)
    hint = hint or meant(record, error.path)
    return Rejected(code, f"{place}: {error.text}{hint}", ric, mapping.service, mapping.name, fields)


def _posted(failure: EvaluationError, fields: dict[str, FieldValue]) -> str:
    """Where a check names a field as if it were a key of the record: how the post is named."""
    if len(failure.path) != 1 or failure.path[0] not in fields:
        return ""
    return f"; what will be posted is @post.{failure.path[0]}"


def _shown(paths: tuple[tuple[Key, ...], ...], record: Record) -> str:
    """The values that a failed check looked at: " (bid 2, ask 1)"."""
    shown: list[str] = []
    for path in paths[:_SHOWN_VALUES]:
        try:
            value = walk(record, path)
        except EvaluationError:
            continue
        text = repr(value) if isinstance(value, str) else constant_text(value)
        shown.append(f"{path_text(path)} {text[:_SHOWN_CHARACTERS]}")
    return f" ({', '.join(shown)})" if shown else ""


def _no_mapping(notes: list[tuple[CompiledMapping, EvaluationError | str]], record: Record) -> str:
    if not notes:
        return "no mapping's when is true"
    told = [f"{mapping.name}: {_noted(note, record)}" for mapping, note in notes[:_SHOWN_MAPPINGS]]
    more = f"; and {len(notes) - _SHOWN_MAPPINGS} more" if len(notes) > _SHOWN_MAPPINGS else ""
    return f"no mapping's when is true ({'; '.join(told)}{more})"


def _noted(note: EvaluationError | str, record: Record) -> str:
    """Looked for here alone: most records at which a when fails are taken by a mapping behind it."""
    return note if isinstance(note, str) else note.text + meant(record, note.path)


def _undecodable(value: bytes, error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "the record is nested too deeply"
    if isinstance(error, decimal.DecimalException):
        return "the record holds a number whose exponent is beyond any range"
    return f"the record is not JSON: {what_it_is(value, error)}"
