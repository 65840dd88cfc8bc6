"""One record, or one of its posts, on its way from the topic to its result."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Final, NamedTuple, TypeAlias

import msgspec

from contribd.engine.limits import MAX_AHEAD
from contribd.engine.records.offsets import OffsetTracker
from contribd.engine.records.parts import Part
from contribd.engine.states import PRICE_TRANSITIONS, PriceEvent, PriceState
from contribd.mapping.outcome import FieldValue, Ignored, Mapped, Outcome, PostType, Rejected, Suppressed


class Status(StrEnum):
    """What became of a record (contract: the result)."""

    ACK = "ACK"
    NAK = "NAK"
    ERROR = "ERROR"
    UNANSWERED = "UNANSWERED"
    CONFLATED = "CONFLATED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"
    SUPPRESSED = "SUPPRESSED"
    IGNORED = "IGNORED"

    __hash__ = str.__hash__
    """The same value as Enum's own, which is Python code, and every record pays for it repeatedly."""


_REJECTED: Final = Status.REJECTED
_IGNORED: Final = Status.IGNORED
_SUPPRESSED: Final = Status.SUPPRESSED

_WAITING: Final = PriceState.WAITING  # a member costs less as a global, and every record asks for several
_IS_SETTLED: Final = PriceState.SETTLED
_SENT: Final = PriceEvent.SENT
_SETTLED: Final = PriceEvent.SETTLED


class Reply(StrEnum):
    """What became of one post."""

    ACK = "ACK"
    NAK = "NAK"
    ERROR = "ERROR"
    TIMEOUT = "TIMEOUT"
    LOST = "LOST"

    __hash__ = str.__hash__


class Reason(StrEnum):
    """Why a quote was withdrawn."""

    STOP = "stop"
    SILENT = "silent"
    ORDER = "order"


class Record(NamedTuple):
    """A record as Kafka gave it: ``timestamp`` in milliseconds since 1970, -1 where the record has none."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]] = ()


class Attempt(msgspec.Struct, frozen=True, gc=False):
    """One post of a price and what became of it. Times in microseconds since 1970, UTC."""

    post_id: int
    type: PostType
    endpoint: str
    session: str
    sent_at: int
    answered_at: int | None
    reply: Reply
    code: str | None
    text: str | None


class Price(msgspec.Struct, eq=False, gc=False):
    """A mapped record that waits, is posted, or was merged into a newer one.

    ``consumed_at``: microseconds since 1970, UTC. The record's value is kept for the rejects topic: whether the ADS
    takes a post of its size shows only when it is made.
    """

    tracker: OffsetTracker
    record: Record
    mapped: Mapped
    consumed_at: int
    attempts: list[Attempt] | None = None
    state: PriceState = _WAITING
    part: Part | None = None
    """Which of its record's posts it is, where the record makes several."""
    was_held: bool = False
    """It came while its partition caught up: the owner before may have posted it, and merged with newer ones."""

    @property
    def timestamp(self) -> int:
        """Since when it is a price, in milliseconds since 1970; -1 where the record has no timestamp.

        One that lies in the future is no timestamp: the record's arrival counts.
        """
        return self.consumed_at // 1000 if self.stamped_ahead else self.record.timestamp

    @property
    def stamped_ahead(self) -> bool:
        """Whether its record was stamped in the future, as its arrival shows."""
        return self.record.timestamp * 1000 > self.consumed_at + MAX_AHEAD

    def hold(self) -> None:
        """It waits for its partition to catch up."""
        self.was_held = True

    def add(self, attempt: Attempt) -> None:
        """Notes a post of this price."""
        if self.attempts is None:
            self.attempts = [attempt]
        else:
            self.attempts.append(attempt)

    def retry(self) -> None:
        """Its post is over, and it is posted again."""
        self.state = PRICE_TRANSITIONS[self.state, PriceEvent.RETRY]

    def give_up(self) -> None:
        """Its partition is being revoked, or was: it is settled elsewhere."""
        if self.state is not _IS_SETTLED:
            self.state = PRICE_TRANSITIONS[self.state, _SETTLED]
            if self.part is None:
                self.tracker.give_back(len(self.record.value or b""))
            else:
                self.tracker.give_back_part(self.part.of)


_NO_RECORD: Final = Record(offset=-1, timestamp=-1, key=None, value=None)


Told: TypeAlias = Callable[[Status | None, str | None, str | None], None]
"""Hears what came of a post that was ordered: status, code and text; no status where it was not posted."""


class Withdrawal(Price, eq=False, gc=False, kw_only=True):
    """Blanks in place of a quote that nobody maintains: posted like a price, but it comes from no record.

    ``tracker`` is the partition whose prices maintained the quote; it counts the withdrawals not settled yet, which
    ``withdraw`` makes. ``told``: where it was ordered.
    """

    reason: Reason
    told: Told | None = None

    def give_up(self) -> None:
        """It will not be posted, or not again."""
        if self.state is not _IS_SETTLED:
            self.state = PRICE_TRANSITIONS[self.state, _SETTLED]
            self.tracker.call_off_withdrawal()


def withdraw(
    tracker: OffsetTracker, mapped: Mapped, reason: Reason, decided_at: int, told: Told | None = None
) -> Withdrawal:
    """A withdrawal, counted by its partition. ``decided_at``: microseconds since 1970, UTC."""
    tracker.begin_withdrawal()
    return Withdrawal(tracker, _NO_RECORD, mapped, decided_at, reason=reason, told=told)


class Republication(Price, eq=False, gc=False, kw_only=True):
    """Values that stand, posted once more by order: posted like a price, but it comes from no record and has no result.

    Its partition counts it as it counts withdrawals. ``too_old_at``: from when on its values are too old to be posted
    (microseconds since 1970), None: never.
    """

    too_old_at: int | None
    told: Told

    def give_up(self) -> None:
        """It will not be posted, or not again."""
        if self.state is not _IS_SETTLED:
            self.state = PRICE_TRANSITIONS[self.state, _SETTLED]
            self.tracker.call_off_withdrawal()

    def is_too_old(self, wall: int) -> bool:
        """Whether its values may not be posted any more; ``wall``: microseconds since 1970."""
        return self.too_old_at is not None and wall > self.too_old_at


def republish(
    tracker: OffsetTracker, mapped: Mapped, decided_at: int, too_old_at: int | None, told: Told
) -> Republication:
    """One, counted by its partition. Times in microseconds since 1970, UTC."""
    tracker.begin_withdrawal()
    return Republication(tracker, _NO_RECORD, mapped, decided_at, too_old_at=too_old_at, told=told)


class Settlement(msgspec.Struct, frozen=True, gc=False):
    """A record and what became of it, ready to be written as its result. Times as in ``Attempt``.

    Where there is a ``reason`` it is of a withdrawal, and so of no record: offset and timestamp are -1.
    """

    tracker: OffsetTracker
    offset: int
    size: int
    timestamp: int
    key: bytes | None
    consumed_at: int
    settled_at: int
    outcome: Outcome
    status: Status
    code: str | None
    text: str | None
    fields: dict[str, FieldValue] | None
    carried_by: Price | None
    attempts: list[Attempt] | None
    value: bytes | None
    """The record's."""
    reason: Reason | None = None
    part: Part | None = None
    headers: Sequence[tuple[str, bytes | None]] = ()
    """The record's."""

    @property
    def untouched(self) -> bytes | None:
        """The input of a record that was rejected, empty where it had none; None where it was not."""
        return self.value or b"" if self.status is _REJECTED and self.reason is None else None

    def mark_settled(self) -> None:
        """Its result is part of the transaction being built: the partition counts it as settled."""
        if self.part is not None:
            self.tracker.settle_part(self.part.of, self.part.number)
        elif self.reason is None:
            self.tracker.settle(self.offset, self.size)
        else:
            self.tracker.settle_withdrawal()


def send(prices: list[Price]) -> None:
    """A post that carries these prices was sent."""
    for price in prices:
        price.state = PRICE_TRANSITIONS[price.state, _SENT]


def settle(
    price: Price,
    status: Status,
    now: int,
    code: str | None = None,
    text: str | None = None,
    fields: dict[str, FieldValue] | None = None,
    carried_by: Price | None = None,
) -> Settlement:
    """Settles a mapped price; ``fields`` where they differ from its own (it carried others)."""
    price.state = PRICE_TRANSITIONS[price.state, _SETTLED]
    offset, timestamp, key, value, headers = price.record
    reason = price.reason if type(price) is Withdrawal else None
    rejected, part = status is _REJECTED and reason is None, price.part
    size = len(value) if value else 0
    if part is not None and not rejected:  # the whole input goes with each part that is rejected
        size //= part.of.made
    return Settlement(
        price.tracker,
        offset,
        size,
        timestamp,
        key,
        price.consumed_at,
        now,
        price.mapped,
        status,
        code,
        text,
        price.mapped.fields if fields is None else fields,
        carried_by,
        price.attempts,
        value,
        reason,
        part,
        headers,
    )


def unposted(
    tracker: OffsetTracker, record: Record, outcome: Rejected | Ignored | Suppressed, now: int, part: Part | None = None
) -> Settlement:
    """The settlement of a record that has no post, or of its ``part`` that has none. ``now``: microseconds since 1970,
    UTC."""
    offset, timestamp, key, value, headers = record
    return Settlement(
        tracker,
        offset,
        len(value) if value else 0,
        timestamp,
        key,
        now,
        now,
        outcome,
        _REJECTED if isinstance(outcome, Rejected) else _IGNORED if isinstance(outcome, Ignored) else _SUPPRESSED,
        outcome.code,
        outcome.text,
        outcome.fields,
        None,
        None,
        value,
        None,
        part,
        headers,
    )
