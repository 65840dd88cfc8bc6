"""Publish rules: whether a mapped price is worth a post, by what was last posted for its RIC and by the time.

Pure: what was last posted, and the time, are arguments. The daemon asks when the turn of a price has come;
``contribd map``, ``test`` and ``plan`` ask at once, of what they are told (``mapping/judging.py``).

| rule | looks at | says |
|---|---|---|
| ``hours`` | the record's arrival | OutOfHours |
| ``max_move`` | each price by itself, against the value last posted | TooFar |
| ``min_change`` | what would be posted, against what was last posted | Unchanged |
| ``min_interval`` | the time since the last post | TooSoon |

They are asked in this order. What is not known suppresses nothing: of a field without a last value, or one that is a
blank or no number, nothing can be said to have moved too far, and a field without a last value counts as changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Final, NamedTuple, cast

from contribd.mapping.durations import duration_text
from contribd.mapping.hours import Hours
from contribd.mapping.numbers import CONTEXT, NUMBERS, plain_text
from contribd.mapping.outcome import FieldValue, Mapped, PostType, SuppressCode, Suppressed

MOVE_WITHIN: Final = 3600.0
"""Seconds for which a value last posted counts for ``max_move``, where nothing else is said."""

_SHOWN_FIELDS: Final = 3
_CONTEXT: Final[Context] = CONTEXT.copy()
_HUNDRED: Final = Decimal(100)


class Limit(NamedTuple):
    """A number, or a percentage of the value last posted."""

    value: Decimal
    percent: bool = False

    def __str__(self) -> str:
        return f"{plain_text(self.value)}{' %' if self.percent else ''}"

    def of(self, last: Decimal) -> Decimal:
        """By how much a value may move from the last one."""
        return _CONTEXT.multiply(abs(last), self.value) / _HUNDRED if self.percent else self.value


class Last(NamedTuple):
    """What was last posted for a RIC and service, as far as that is known."""

    fields: Mapping[str, FieldValue]
    """The newest value of each field; None: it was posted as a blank."""
    age: float | None = None
    """Seconds since the last post; None: not known, but long enough ago for ``min_interval``."""
    unsure: frozenset[str] = frozenset()
    """Fields whose post got no answer: the market may have the value or not."""


UNKNOWN: Final = Last({})


@dataclass(frozen=True, slots=True)
class PublishRules:
    """The rules of one post of a mapping."""

    min_change: Mapping[str, Limit | None] | None = None
    """By field; None: its changes do not count."""
    times: frozenset[str] = frozenset()
    """Fields that hold a date or time: that they alone have changed says nothing new."""
    min_interval: float | None = None
    """Seconds."""
    max_move: Mapping[str, Limit] | None = None
    move_within: float = MOVE_WITHIN
    """Seconds after which the value last posted does not count for ``max_move``."""
    hours: Hours | None = None
    reads_last: bool = False
    """Whether fields or checks read ``@last``."""

    @property
    def remembers(self) -> bool:
        """Whether they need to know what was last posted."""
        return self.reads_last or any(each is not None for each in (self.min_change, self.min_interval, self.max_move))

    def by_itself(self, mapped: Mapped, last: Last, arrived: int | None) -> Suppressed | None:
        """What is against one price by itself: its arrival (microseconds since 1970; None: not asked), and where it has
        moved to."""
        if self.hours is not None and arrived is not None and (why := self.hours.outside(arrived)) is not None:
            return _suppressed(mapped, SuppressCode.OUT_OF_HOURS, why)
        if self.max_move is not None and (why := self._too_far(mapped.fields, last)) is not None:
            return _suppressed(mapped, SuppressCode.TOO_FAR, why)
        return None

    def _too_far(self, fields: Mapping[str, FieldValue], last: Last) -> str | None:
        if last.age is not None and last.age > self.move_within:
            return None
        for name, limit in (self.max_move or {}).items():
            new, old = _number(fields.get(name)), _number(last.fields.get(name))
            if new is None or old is None or (limit.percent and not old):
                continue
            if (moved := abs(_CONTEXT.subtract(new, old))) > limit.of(old):
                return self._told(name, new, old, moved, limit)
        return None

    def _told(self, name: str, new: Decimal, old: Decimal, moved: Decimal, limit: Limit) -> str:
        share = f" ({float(moved / abs(old)) * 100:.3g} %)" if old else ""
        text = f"{name} {_shown(new)} is {_shown(moved)}{share} from {_shown(old)}, which was posted last"
        return f"{text}; max_move is {limit} within {duration_text(self.move_within)} of it"

    def unchanged(self, fields: Mapping[str, FieldValue], type_: PostType, last: Last) -> str | None:
        """Why a post would tell nothing new; None where it does."""
        if self.min_change is None or not last.fields:
            return None
        if type_ is PostType.REFRESH and last.fields.keys() - fields.keys():
            return None  # it would take these away
        if not all(self._is_unchanged(name, value, last) for name, value in fields.items()):
            return None
        moved = [
            f"{name} {_shown(value)} (last posted {_shown(last.fields[name])}, min_change {limit})"
            for name, value in fields.items()
            if (limit := self.min_change.get(name)) is not None and value != last.fields[name]
        ]
        return "; ".join(["nothing has changed" if not moved else "too small a change", *moved[:_SHOWN_FIELDS]])

    def _is_unchanged(self, name: str, value: FieldValue, last: Last) -> bool:
        limits = self.min_change or {}
        if name in limits and limits[name] is None:
            return True
        if name in self.times and name not in limits:
            return True
        if name in last.unsure or name not in last.fields:
            return False
        old, limit = last.fields[name], limits.get(name)
        new_number, old_number = _number(value), _number(old)
        if new_number is None or old_number is None:
            return type(value) is type(old) and value == old
        if limit is None:
            return new_number == old_number
        moved = abs(_CONTEXT.subtract(new_number, old_number))
        return not moved or moved < limit.of(old_number)

    def too_soon(self, age: float | None) -> str | None:
        """Why a post may not be made yet; None where it may. ``age``: as in ``Last``."""
        if self.min_interval is None or age is None or age >= self.min_interval:
            return None
        return f"{max(0.0, age):.3f} s after the last post; min_interval is {duration_text(self.min_interval)}"


def _suppressed(mapped: Mapped, code: SuppressCode, text: str) -> Suppressed:
    return Suppressed(code, text, mapped.ric, mapped.service, mapped.mapping, mapped.fields)


def judged(mapped: Mapped, last: Last, arrived: int | None, *, conflate: bool) -> Mapped | Suppressed:
    """What one price comes to by its rules where nothing else waits or is in flight.

    ``conflate``: a price that is too soon waits, and is posted later.
    """
    rules = mapped.publish
    if rules is None:
        return mapped
    if (against := rules.by_itself(mapped, last, arrived)) is not None:
        return against
    if (why := rules.unchanged(mapped.fields, mapped.type, last)) is not None:
        return _suppressed(mapped, SuppressCode.UNCHANGED, why)
    if not conflate and (why := rules.too_soon(last.age)) is not None:
        return _suppressed(mapped, SuppressCode.TOO_SOON, why)
    return mapped


def _number(value: FieldValue) -> Decimal | None:
    return Decimal(cast("Decimal", value)) if type(value) in NUMBERS else None


def _shown(value: FieldValue) -> str:
    if type(value) in NUMBERS:
        return plain_text(cast("Decimal", value)) or str(value)
    return "blank" if value is None else repr(value)
