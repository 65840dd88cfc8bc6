"""One post of a record: its RIC, its fields and its checks, or why it cannot be made."""

from typing import Any, Final, TypeAlias

from contribd.mapping.codegen import Evaluate
from contribd.mapping.compiled import CompiledCheck, CompiledPost
from contribd.mapping.meant import meant
from contribd.mapping.mistakes import RAISED, ErrorKind, EvaluationError, as_evaluation_error, out_of_range
from contribd.mapping.operators import Value, truth, walk
from contribd.mapping.outcome import FieldValue, Mapped, RejectCode, Rejected
from contribd.mapping.scope import LAST, LAST_VIEW, POST, LastView, LetName
from contribd.mapping.syntax import Key, path_text
from contribd.mapping.written import constant_text

_CODES: Final = {ErrorKind.MISSING: RejectCode.MISSING_FIELD}
_SHOWN_VALUES: Final = 4
_SHOWN_CHARACTERS: Final = 40

Record: TypeAlias = dict[Any, Value]


def one_post(post: CompiledPost, record: Record) -> Mapped | Rejected:
    """The post that ``post`` makes of the record."""
    if post.lets:
        compute(post.lets, record)
    try:
        ric = post.ric(record)
    except RAISED as error:
        return refusal(post, record, "ric", _why(post, record, error))
    if post.reads_last:
        record[LAST] = _last(record, post.service, ric)
    try:
        fields = post.all_fields(record)
    except RAISED:
        fields = _one_by_one(post, record, ric)
        if type(fields) is Rejected:
            return fields
    return _checked(post, record, ric, fields)


def _last(record: Record, service: str, ric: str) -> dict[str, Value]:
    """What was last posted, less the blanks: what was blanked has no value."""
    view: LastView | None = record.get(LAST_VIEW)
    return {} if view is None else {name: value for name, value in view(service, ric).items() if value is not None}


def _why(post: CompiledPost, record: Record, error: Exception) -> EvaluationError:
    """Why there is no RIC."""
    try:
        if post.ric_again is not None:
            post.ric_again(record)
    except RAISED as told:
        return as_evaluation_error(told)
    return as_evaluation_error(error)


def _checked(post: CompiledPost, record: Record, ric: str, fields: dict[str, FieldValue]) -> Mapped | Rejected:
    """The post, unless a check or the lack of fields is against it."""
    if post.reads_post:
        record[POST] = fields
    if not _all_true(post, record):
        for check in post.checks:
            rejected = _failed(post, check, record, ric, fields)
            if rejected is not None:
                return rejected
    if len(fields) <= len(post.constants) and fields.keys() <= post.constants:
        others = " that is no constant" if fields else ""
        text = f"every field{others} was skipped: there is nothing to post"
        return Rejected(RejectCode.MISSING_FIELD, text, ric, post.service, post.name, fields)
    return Mapped(ric, post.service, post.name, post.type, fields, post.publish)


def _all_true(post: CompiledPost, record: Record) -> bool:
    try:
        return post.all_checks(record) is True
    except RAISED:
        return False


def compute(lets: tuple[tuple[LetName, Evaluate], ...], record: Record) -> None:
    """Each value under its name; of one that cannot be computed the reason, which is told where it is used."""
    for name, evaluate in lets:
        try:
            record[name] = evaluate(record)
        except RAISED as error:
            name.failure = error
            record.pop(name, None)  # that of the element before


def _one_by_one(post: CompiledPost, record: Record, ric: str) -> dict[str, FieldValue] | Rejected:
    """The fields with what ``missing`` says of each, or the rejection by the first that cannot do without a value."""
    fields: dict[str, FieldValue] = {}
    for field in post.fields:
        try:
            name = field.name if field.name_of is None else field.name_of(record)
            if name in fields:
                raise out_of_range(f"the record gives it the name of another field, {name}")
        except RAISED as error:
            failure = as_evaluation_error(error)
            if failure.kind is ErrorKind.MISSING and field.missing == "skip":
                continue
            return refusal(post, record, field.label, failure, ric, fields)
        try:
            fields[name] = field.convert(field.read(record))
        except RAISED as error:
            failure = as_evaluation_error(error)
            if failure.kind is not ErrorKind.MISSING or field.missing == "reject":
                return refusal(post, record, field.label, failure, ric, fields)
            if field.missing == "blank":
                fields[name] = None
    return fields


def _failed(
    post: CompiledPost, check: CompiledCheck, record: Record, ric: str, fields: dict[str, FieldValue]
) -> Rejected | None:
    that = check.that
    try:
        if truth(that.run(record)):
            return None
    except RAISED as error:
        failure = as_evaluation_error(error)
        place = f"check {that.source}"
        return refusal(post, record, place, failure, ric, fields, _posted(failure, fields))
    text = f"{check.text}: " if check.text else ""
    text += f"{that.source} is false" + _shown(that.paths, record)
    return Rejected(RejectCode.CHECK_FAILED, text, ric, post.service, post.name, fields)


def refusal(
    post: CompiledPost,
    record: Record,
    place: str,
    error: EvaluationError,
    ric: str | None = None,
    fields: dict[str, FieldValue] | None = None,
    hint: str = "",
) -> Rejected:
    """The rejection for what went wrong at a ``place`` of the mapping; ``hint``: what to say beside it."""
    code = _CODES.get(error.kind, RejectCode.BAD_VALUE)
    hint = hint or meant(record, error.path)
    return Rejected(code, f"{place}: {error.text}{hint}", ric, post.service, post.name, fields)


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
