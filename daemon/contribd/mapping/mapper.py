"""The hot path: the bytes of a record in, a post or the reason for none out."""

import decimal
import traceback
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec

from contribd.mapping.bad_bytes import behind_registry_header, what_it_is
from contribd.mapping.compiled import CompiledMapping, CompiledSeveral
from contribd.mapping.dispatch import candidates, dispatch
from contribd.mapping.meant import meant
from contribd.mapping.mistakes import RAISED, EvaluationError, as_evaluation_error
from contribd.mapping.numbers import CONTEXT
from contribd.mapping.one_post import Record, one_post
from contribd.mapping.operators import kind_name
from contribd.mapping.outcome import Ignored, Outcome, RejectCode, Rejected, UnreadValue
from contribd.mapping.scope import EMPTY, LAST_VIEW, SURROUNDINGS, LastView, Surroundings
from contribd.mapping.several_posts import several_posts

MAX_RECORD_BYTES = 1_048_576
"""A record's value; Kafka's own default for a message. A price record has a few hundred bytes."""

_UNDECODABLE = (msgspec.MsgspecError, UnicodeDecodeError, decimal.DecimalException, RecursionError)
_NO_VALUE = "the record has no value"
_SHOWN_FAULT = 300
_SHOWN_MAPPINGS = 5


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
        self.makes_several: Final = any(isinstance(mapping.instead, CompiledSeveral) for mapping in self.mappings)
        """Whether a record may come to several posts."""
        self.desks: Final = {mapping.name: mapping.desk for mapping in self.mappings if mapping.desk}
        """The label of each mapping that has one, by its name."""
        self.reads_last: Final = any(post.reads_last for mapping in self.mappings for post in mapping.posts)
        """Whether a mapping reads what was last posted: it need not be told otherwise."""
        self.publishes: Final = any(post.publish for mapping in self.mappings for post in mapping.posts)
        """Whether a mapping has publish rules, or reads what was last posted."""
        self.remembering: Final = frozenset(
            mapping.name for mapping in self.mappings if any(p.publish and p.publish.remembers for p in mapping.posts)
        )
        """The mappings that ask what was last posted, by their names."""
        self._of_nothing = tuple(each for each in self.mappings if each.when is not None and each.when.reads(EMPTY))
        self._dispatch = self.mappings if ask_all else dispatch(self.mappings)
        self._context = CONTEXT.copy()
        self._decode = msgspec.json.Decoder(float_hook=Decimal).decode

    def map(
        self, value: bytes | None, surroundings: Surroundings | None = None, last: LastView | None = None
    ) -> Outcome:
        """Any bytes give one of them; nothing is raised. ``last``: what was last posted; None: nothing is known."""
        before = decimal.getcontext()
        decimal.setcontext(self._context)
        try:
            record = self._record(value)
            if type(record) is Rejected:
                return record
            if surroundings is not None:
                record[SURROUNDINGS] = surroundings
            if last is not None:
                record[LAST_VIEW] = last
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
            if when is not None:
                try:
                    answer = when.run(record)
                except RAISED as error:
                    notes.append((mapping, as_evaluation_error(error)))
                    continue
                if answer is not True:
                    if answer is not False:
                        notes.append((mapping, f"when gives {kind_name(answer)}, not true or false"))
                    continue
            instead = mapping.instead
            return one_post(mapping, record) if instead is None else _instead(mapping.name, instead, record)
        return Rejected(RejectCode.NO_MAPPING, _no_mapping(notes, record))


def _instead(name: str, instead: Ignored | CompiledSeveral, record: Record) -> Outcome:
    """What a record comes to where the mapping does not make the one post."""
    return instead if isinstance(instead, Ignored) else several_posts(name, instead, record)


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
