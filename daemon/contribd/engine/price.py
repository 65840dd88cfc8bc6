"""One record on its way from the topic to its result."""

from enum import StrEnum
from typing import NamedTuple

from contribd.engine.ledger import Ledger
from contribd.mapping.outcome import FieldValue, Mapped, PostType, Rejected


class Status(StrEnum):
    """What became of a record (contract: the result)."""

    ACK = "ACK"
    NAK = "NAK"
    ERROR = "ERROR"
    UNANSWERED = "UNANSWERED"
    CONFLATED = "CONFLATED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"

    __hash__ = str.__hash__
    """The same value as Enum's own, which is Python code, and every record pays for it repeatedly."""


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


class Record(NamedTuple):
    """A record as Kafka gave it: ``timestamp`` in milliseconds since 1970, -1 where the record has none."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


class Attempt(NamedTuple):
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


class Price:
    """A mapped record that waits, is posted, or was merged into a newer one."""

    __slots__ = (
        "attempts",
        "consumed_at",
        "key",
        "ledger",
        "mapped",
        "offset",
        "settled",
        "size",
        "timestamp",
        "under_way",
        "value",
    )

    def __init__(self, ledger: Ledger, record: Record, mapped: Mapped, consumed_at: int) -> None:
        """``consumed_at``: microseconds since 1970, UTC."""
        self.ledger = ledger
        self.offset = record.offset
        self.timestamp = record.timestamp
        self.key = record.key
        self.value = record.value or b""
        """Kept for the rejects topic: whether the ADS takes a post of its size shows only when it is made."""
        self.size = len(self.value)
        self.mapped = mapped
        self.consumed_at = consumed_at
        self.attempts: list[Attempt] | None = None
        self.settled = False
        self.under_way = False
        """Part of a post that is not answered yet."""

    def add(self, attempt: Attempt) -> int:
        """Notes a post of this price; how many there have been."""
        if self.attempts is None:
            self.attempts = [attempt]
        else:
            self.attempts.append(attempt)
        return len(self.attempts)

    def give_up(self) -> None:
        """Its partition is going: it is settled elsewhere."""
        if not self.settled:
            self.settled = True
            self.ledger.give_back(self.size)


_NO_RECORD = Record(offset=-1, timestamp=-1, key=None, value=None)


class Withdrawal(Price):
    """Blanks in place of a quote that nobody keeps up: posted like a price, but it comes from no record.

    ``ledger`` is the partition whose prices kept the quote up; it counts those under way.
    """

    __slots__ = ("reason",)

    def __init__(self, ledger: Ledger, mapped: Mapped, reason: Reason, decided_at: int) -> None:
        """``decided_at``: microseconds since 1970, UTC."""
        super().__init__(ledger, _NO_RECORD, mapped, decided_at)
        self.reason = reason
        ledger.withdrawing += 1

    def give_up(self) -> None:
        """It will not be posted, or not again."""
        if not self.settled:
            self.settled = True
            self.ledger.withdrawing -= 1


class Settlement(NamedTuple):
    """A record and what became of it, ready to be written as its result. Times as in ``Attempt``.

    Where there is a ``reason`` it is of a withdrawal, and so of no record: ``offset`` and ``timestamp`` are -1.
    """

    ledger: Ledger
    offset: int
    size: int
    timestamp: int
    key: bytes | None
    consumed_at: int
    settled_at: int
    status: Status
    code: str | None
    text: str | None
    ric: str | None
    service: str | None
    mapping: str | None
    fields: dict[str, FieldValue] | None
    carried_by: Price | None
    attempts: list[Attempt] | None
    untouched: bytes | None
    """The record's value, empty where it had none; kept only where it was rejected."""
    reason: Reason | None = None

    def note(self) -> None:
        """Its result is part of the transaction being built: the partition counts it as settled."""
        if self.reason is None:
            self.ledger.settle(self.offset, self.size)
        else:
            self.ledger.withdrawing -= 1
            self.ledger.withdrawn += 1


def settle(
    price: Price,
    status: Status,
    now: int,
    *,
    code: str | None = None,
    text: str | None = None,
    fields: dict[str, FieldValue] | None = None,
    carried_by: Price | None = None,
) -> Settlement:
    """The settlement of a mapped price; ``fields`` where they differ from its own (it carried others)."""
    mapped = price.mapped
    reason = price.reason if type(price) is Withdrawal else None
    return Settlement(
        price.ledger,
        price.offset,
        price.size,
        price.timestamp,
        price.key,
        price.consumed_at,
        now,
        status,
        code,
        text,
        mapped.ric,
        mapped.service,
        mapped.mapping,
        mapped.fields if fields is None else fields,
        carried_by,
        price.attempts,
        price.value if status is Status.REJECTED and reason is None else None,
        reason,
    )


def reject(ledger: Ledger, record: Record, rejected: Rejected, now: int) -> Settlement:
    """The settlement of a record that cannot be posted. ``now``: microseconds since 1970, UTC."""
    return Settlement(
        ledger,
        record.offset,
        len(record.value or b""),
        record.timestamp,
        record.key,
        now,
        now,
        Status.REJECTED,
        rejected.code,
        rejected.text,
        rejected.ric,
        rejected.service,
        rejected.mapping,
        rejected.fields,
        None,
        None,
        record.value or b"",
    )
