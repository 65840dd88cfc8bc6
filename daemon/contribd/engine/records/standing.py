"""What stands in the market of a RIC, as far as results tell: those read from the results topic, and our own since.

Theory of operation
===================

Results of one RIC and service are taken in the order in which they were written, which is that of their posts.

| a result | what stands then |
|---|---|
| ACK | its values; those of before in the fields that it has not, unless it was a Refresh |
| UNANSWERED, or any other after a post that got no answer | the same, but nobody knows: these fields are ``unsure`` |
| any other | what stood before |
| blanks that withdrew the quote, ACK | the quote is ``withdrawn`` |
| the same, without an answer | it stands, and all its fields are ``unsure`` |
| one that was shortened and lacks its fields | something, and nobody knows what: it is ``shortened`` |

How old a value is. A post may carry older prices that were merged into it: their results, CONFLATED, come before it. A
value that one of them had counts as old as that one, though the carrier may have had the same.

A quote belongs to the partition of the newest price in it.
"""

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Final

import msgspec

from contribd.engine.records.keys import Key
from contribd.engine.records.offsets import Partition
from contribd.engine.records.price import Reply, Settlement, Status
from contribd.mapping.outcome import FieldValue, PostType

_NO_ANSWER: Final = frozenset({Reply.TIMEOUT, Reply.LOST})


class OrderKind(StrEnum):
    """What is to be done about quotes that stand."""

    WITHDRAW = "withdraw"
    REPUBLISH = "republish"
    ADOPT = "adopt"
    """None of an operator's: the quotes of partitions that are new here are to be known."""


class PostedResult(msgspec.Struct, frozen=True, gc=False):
    """A result of something that was posted. ``asked``: the type that its mapping says; ``type``, ``sent_at``: of the
    last post; ``stamp``: the record's timestamp, 0 where it has none; ``replies``: of its posts, in order. Times in
    microseconds since 1970."""

    status: Status
    mapping: str
    partition: Partition
    fields: dict[str, FieldValue] | None
    asked: PostType
    type: PostType
    sent_at: int
    stamp: int
    replies: tuple[Reply, ...]
    withdrawal: bool = False
    merged: dict[str, int] = {}
    """Of values that came from older records that were merged into it: the timestamps of these."""

    @property
    def counts(self) -> bool | None:
        """Whether its values stand; None: nobody knows."""
        if self.status is Status.ACK:
            return True
        return None if _NO_ANSWER.intersection(self.replies) else False


class StandingQuote(msgspec.Struct, frozen=True, gc=False):
    """What stands. ``stamps`` and ``mappings``: of each field the timestamp of its record (microseconds since 1970; 0:
    it has none), and the mapping that posted it; ``type`` (as its mapping says), ``mapping``, ``sent_at``: of the
    newest price."""

    partition: Partition
    mapping: str
    type: PostType
    sent_at: int
    fields: dict[str, FieldValue]
    stamps: dict[str, int]
    mappings: dict[str, str]
    unsure: frozenset[str] = frozenset()
    withdrawn: bool = False
    shortened: bool = False


class Merged:
    """The prices that were merged into others, until the result of their carrier comes."""

    def __init__(self) -> None:
        self._of: dict[Key, list[tuple[dict[str, FieldValue], int]]] = {}

    def add(self, key: Key, fields: dict[str, FieldValue] | None, stamp: int) -> None:
        """The next one of a RIC; its stamp as in ``PostedResult``."""
        self._of.setdefault(key, []).append((fields or {}, stamp))

    def take(self, key: Key, fields: dict[str, FieldValue] | None) -> dict[str, int]:
        """The stamps of those values of the carrier's post that may be older ones'."""
        stamps: dict[str, int] = {}
        for older, stamp in self._of.pop(key, ()):
            stamps |= dict.fromkeys(older, stamp)
            stamps = {
                name: at for name, at in stamps.items() if name not in older or older[name] == (fields or {}).get(name)
            }
        return {name: at for name, at in stamps.items() if name in (fields or {})}


def after(before: StandingQuote | None, result: PostedResult) -> StandingQuote | None:
    """What stands after one more result."""
    if result.withdrawal:
        return before if before is None else _withdrawn(before, result)
    counts = result.counts
    if counts is False:
        return before
    fields: dict[str, FieldValue] = result.fields or {}
    names = frozenset(fields)
    stamps, mappings = {**dict.fromkeys(fields, result.stamp), **result.merged}, dict.fromkeys(fields, result.mapping)
    unsure = names if counts is None else frozenset[str]()
    if before is not None and result.type is not PostType.REFRESH:
        fields = {**before.fields, **fields}
        stamps, mappings = {**before.stamps, **stamps}, {**before.mappings, **mappings}
        unsure |= before.unsure - names
    lacks = result.fields is None or (before is not None and before.shortened and result.type is not PostType.REFRESH)
    return StandingQuote(
        result.partition,
        result.mapping,
        result.asked,
        result.sent_at,
        fields,
        stamps,
        mappings,
        unsure,
        shortened=lacks,
    )


def _withdrawn(before: StandingQuote, result: PostedResult) -> StandingQuote:
    counts = result.counts
    if counts is False:
        return before
    if counts is None:
        return msgspec.structs.replace(before, unsure=frozenset(before.fields))
    blanks = dict.fromkeys(result.fields or before.fields)
    return msgspec.structs.replace(before, fields={**before.fields, **blanks}, withdrawn=True)


def result_of(settlement: Settlement, key: Key, merged: Merged) -> PostedResult | None:
    """The same from one of our own; None where nothing was posted for it by itself."""
    attempts, stamp = settlement.attempts, max(0, settlement.timestamp) * 1000
    if settlement.carried_by is not None:
        merged.add(key, settlement.fields, stamp)
    if not attempts or settlement.carried_by is not None:
        return None
    return PostedResult(
        settlement.status,
        settlement.outcome.mapping or "",
        settlement.tracker.partition,
        settlement.fields,
        attempts[0].type,
        attempts[-1].type,
        attempts[-1].sent_at,
        stamp,
        tuple([attempt.reply for attempt in attempts]),
        settlement.reason is not None,
        merged.take(key, settlement.fields),
    )


def blanks_of(quote: StandingQuote, listed: Mapping[str, Collection[str]]) -> frozenset[str]:
    """The fields to blank: those with a value that the mapping lists which gave it."""
    return frozenset(
        name
        for name, value in quote.fields.items()
        if (value is not None or name in quote.unsure) and name in listed.get(quote.mappings[name], ())
    )
