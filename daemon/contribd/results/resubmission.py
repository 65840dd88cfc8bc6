"""Records put back into their prices topic: those of selected results, unchanged, and only where nothing newer came.

Theory of operation
===================

A record that is put back comes last in its partition, so it is posted after everything before it. Where its RIC has had
a later result, or waits in the log behind it, an older price would follow a newer one: such a record is not put back.

Superseded. All results are read once more, up to where the topic ended at the beginning: of each RIC and service that a
record was posted to, no other record may have a result that was settled later. Blanks count: whoever ordered them does
not want the quote back. Of a record with several posts this holds for all of them, since all would be posted again.

Waiting. What has no result yet cannot be seen there. So a partition takes nothing back while the group has not settled
all of it. A price that is produced in the moment between that look and the writing comes before the old one in the log:
stop the engine that makes prices of these RICs first, or resubmit what is not made any more.

The record has the key, the value, the headers and the timestamp that it had, goes to the partition that it came from,
and has one header more, which names the result it comes from. ``contribution.max_age`` counts from its timestamp: a
price that is too old stays so.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple, TypeAlias

from kafka import KafkaProducer, TopicPartition

from contribd.engine.records.offsets import Partition
from contribd.results.filters import Filters
from contribd.results.inputs import InputError, Inputs
from contribd.results.reader import StoredResult
from contribd.results.result import Source
from contribd.streams.client.access import Access
from contribd.streams.client.lookups import group_offsets
from contribd.streams.client.settings import KafkaSettings
from contribd.streams.client.topic_reader import opened_reader

HEADER: Final = "contribd-resubmitted"
"""Of a record that was put back: the place of the result that it comes from."""

MOST: Final = 100_000
"""Records put back by one command."""

WRITE_SECONDS: Final = 30.0

Read: TypeAlias = Callable[[Filters], Iterable[StoredResult]]
_Key: TypeAlias = tuple[str | None, str]


class ResubmitError(Exception):
    """Nothing more is put back; the text says why."""


class Fate(StrEnum):
    """What becomes of a record."""

    RESUBMITTED = "resubmitted"
    WOULD_BE = "would be resubmitted"
    SUPERSEDED = "superseded"
    WAITING = "waiting"
    GONE = "gone"


class Selected(NamedTuple):
    """A record and the first result of it that was selected. ``superseded``: by what, None where by nothing."""

    source: Source
    stored: StoredResult
    superseded: str | None = None

    @property
    def place(self) -> str:
        """Of the result."""
        return _place(self.stored)


class Done(NamedTuple):
    """What became of it. ``text``: where it is now, or why it is not put back."""

    selected: Selected
    fate: Fate
    text: str


def select(read: Read, filters: Filters) -> list[Selected]:
    """The records of these results, oldest first, and what superseded them. Raises ``ResubmitError``."""
    found: dict[str, Selected] = {}
    for stored in read(filters):
        source = stored.result.source
        if source is not None and str(source) not in found:
            found[str(source)] = Selected(source, stored)
            if len(found) > MOST:
                raise ResubmitError(f"more than {MOST:,} records are selected: narrow it down, by --since and --until")
    return _judged(found, read(Filters())) if found else []


def _judged(found: Mapping[str, Selected], every: Iterable[StoredResult]) -> list[Selected]:
    keys: dict[str, set[_Key]] = {name: set() for name in found}
    last: dict[_Key, tuple[datetime, int, str, str]] = {}
    for stored in every:
        result, origin = stored.result, str(stored.result.source)
        if result.ric is None:
            continue
        key = result.service, result.ric
        if origin in keys:
            keys[origin].add(key)
        at = result.settled_at, stored.offset, origin, _place(stored)
        if key not in last or at[:2] >= last[key][:2]:
            last[key] = at
    judged = []
    for name, selected in found.items():
        newer = ((ric, last[_, ric]) for _, ric in sorted(keys[name], key=str))
        by = next((f"{ric} has a later result, {at[3]}" for ric, at in newer if at[2] != name), None)
        judged.append(selected._replace(superseded=by))
    return sorted(judged, key=lambda each: (each.source.topic, each.source.partition, each.source.offset))


def _place(stored: StoredResult) -> str:
    return f"{stored.topic}:{stored.partition}:{stored.offset}"


class Resubmission:
    """Puts records back, in the order in which they were."""

    def __init__(self, consumer: Any, producer: Any | None, settled: Mapping[Partition, int]) -> None:
        """``producer``: None where nothing is to be written; ``settled``: offsets that the group has committed."""
        self._consumer, self._producer, self._settled = consumer, producer, settled
        self._inputs = Inputs(consumer)

    def run(self, selected: Iterable[Selected]) -> Iterator[Done]:
        """One after the other. Raises ``ResubmitError``."""
        ends: dict[TopicPartition, int] = {}
        for each in selected:
            if each.superseded is not None:
                yield Done(each, Fate.SUPERSEDED, each.superseded)
                continue
            at = TopicPartition(each.source.topic, each.source.partition)
            if at not in ends:
                ends[at] = self._end(at)
            if (committed := self._settled.get(Partition(*at), 0)) < ends[at]:
                text = f"{at.topic}:{at.partition} is settled up to {committed}, and ends at {ends[at]}: wait for that"
                yield Done(each, Fate.WAITING, text)
                continue
            yield self._put_back(each, at)

    def _end(self, at: TopicPartition) -> int:
        end: int = self._consumer.end_offsets([at])[at]
        return end

    def _put_back(self, each: Selected, at: TopicPartition) -> Done:
        try:
            record = self._inputs.raw(each.source)
        except InputError as error:
            return Done(each, Fate.GONE, str(error))
        if self._producer is None:
            return Done(each, Fate.WOULD_BE, f"with its timestamp, to {at.topic}:{at.partition}")
        headers = [*record.headers, (HEADER, each.place.encode())]
        stamp = record.timestamp if record.timestamp >= 0 else None
        sent = self._producer.send(
            at.topic,
            key=record.key,
            value=record.value,
            headers=headers,
            partition=at.partition,
            timestamp_ms=stamp,
        ).get(timeout=WRITE_SECONDS)
        return Done(each, Fate.RESUBMITTED, f"as {at.topic}:{at.partition}:{sent.offset}")


@contextmanager
def open_resubmission(settings: KafkaSettings, *, dry: bool) -> Iterator[Resubmission]:
    """Over the cluster; ``dry``: nothing is written. Raises ``ResubmitError``."""
    access = Access(settings)
    with opened_reader(settings, ResubmitError, access) as consumer:
        settled = group_offsets(access, settings, ResubmitError)
        if dry:
            yield Resubmission(consumer, None, settled)
            return
        with closing(access.opened(KafkaProducer, **settings.order_producer())) as producer:
            yield Resubmission(consumer, producer, settled)
