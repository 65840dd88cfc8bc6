"""The last result of each RIC, for people who look: which RICs are wrong now, and what became of one.

Told of results once they are durable, many at a time: a record costs one entry of a dictionary, and nothing is decoded
before somebody looks. Belongs to the worker's thread; other threads may call ``find``.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple, TypeAlias

import msgspec

from contribd.engine.records.result_encoder import Encoded

MAX_RICS: Final = 20_000
"""RICs (by service) remembered; those longest without a record are forgotten first. At about 1.2 KiB each, 25 MiB."""

FORGOTTEN_SHARE: Final = 10
"""Once there are more, a tenth of them is forgotten at a time: to find the oldest one each time would cost a record."""

MAX_VALUE: Final = 4_096
"""Bytes of one result that are kept; the usual one has 800. Of a larger one its status and source are."""

Key: TypeAlias = tuple[bytes, bytes]
"""(RIC, service)."""

WRONG: Final = {b"NAK": "refused", b"ERROR": "refused", b"UNANSWERED": "unanswered", b"REJECTED": "rejected"}
"""What a RIC is by its last answer, until another price of it is accepted. Other statuses say nothing of that."""

ANSWERED: Final = frozenset((b"ACK", b"NAK", b"ERROR", b"UNANSWERED"))
"""The statuses of results that were posted."""


class LastResult(NamedTuple):
    """``at``: when the last record's result was durable, microseconds since 1970. ``value``: the last result itself, as
    it was written; ``posted``: the last one before it that was posted, where this one was not."""

    at: int
    value: bytes
    posted: bytes | None = None


class Wrong(NamedTuple):
    """A RIC whose last answer was none that one wants. ``since``: microseconds since 1970; ``value``: the result that
    says so."""

    status: bytes
    since: int
    value: bytes


class LastResults:
    """Of the RICs in the partitions that are ours."""

    def __init__(self, size: int = MAX_RICS) -> None:
        self._size = size
        self._last: dict[Key, tuple[int, bytes]] = {}
        """When it had its last record, and its last result. A tuple: a named one costs three times as much to make."""
        self._posted: dict[Key, bytes] = {}
        """Of those whose last result was not posted, or was not some time ago: the last one that was."""
        self.wrong: dict[Key, Wrong] = {}
        self._partitions: frozenset[tuple[str, int]] = frozenset()
        self.forgotten = 0
        """RICs that there was no room for."""

    def __len__(self) -> int:
        return len(self._last)

    def add(self, results: Sequence[Encoded], wall: int) -> None:
        """These results are durable, oldest first. ``wall``: microseconds since 1970."""
        last, wrong = self._last, self.wrong
        for each in results:
            _, value, headers = each
            if headers[0][1] == b"ACK" and headers[3][1] and len(value) <= MAX_VALUE:
                key = headers[1][1], headers[2][1]
                last[key] = wall, value
                if wrong:
                    wrong.pop(key, None)
            elif headers[1][1]:
                self._add_unusual((headers[1][1], headers[2][1]), each, wall)
        if len(last) > self._size:
            self._forget_oldest()

    def _add_unusual(self, key: Key, result: Encoded, wall: int) -> None:
        """One that was not accepted, was not posted, is of no record, or is large."""
        status, source = result.headers[0][1], result.headers[3][1]
        before = self._last.get(key)
        if status not in ANSWERED and before is not None and _status(before[1]) in ANSWERED:
            self._posted[key] = before[1]
        value = result.value if len(result.value) <= MAX_VALUE else _head(result)
        # A withdrawal is no record: the RIC has been silent for as long as before.
        self._last[key] = wall if source or before is None else before[0], value
        if status == b"ACK":
            self.wrong.pop(key, None)
        elif status in WRONG:
            known = self.wrong.get(key)
            since = known.since if known is not None and WRONG[known.status] == WRONG[status] else wall
            self.wrong[key] = Wrong(status, since, value)

    def _forget_oldest(self) -> None:
        oldest = sorted(self._last, key=lambda key: self._last[key][0])
        keep = self._size - self._size // FORGOTTEN_SHARE
        self.forgotten += len(oldest) - keep
        self._forget(oldest[: len(oldest) - keep])

    def _forget(self, keys: Iterable[Key]) -> None:
        for key in keys:
            del self._last[key]
            self._posted.pop(key, None)
            self.wrong.pop(key, None)

    def keep(self, partitions: Iterable[tuple[str, int]]) -> None:
        """These are ours now: what is known of others is forgotten, since others post it."""
        ours = frozenset((topic, number) for topic, number in partitions)
        if self._partitions - ours:
            self._forget([key for key, (_, value) in self._last.items() if _partition(value) not in ours])
        self._partitions = ours

    def names(self) -> Iterator[str]:
        """The RICs, once for each service."""
        return (ric.decode() for ric, _ in self._last)

    def older_than(self, wall: int) -> Iterator[tuple[Key, LastResult]]:
        """Those without a record since then."""
        return ((key, LastResult(at, value)) for key, (at, value) in self._last.items() if at < wall)

    def get(self, key: Key) -> LastResult | None:
        """What is known of one RIC of one service. For any thread."""
        found = self._last.get(key)
        if found is None:
            return None
        posted = None if _status(found[1]) in ANSWERED else self._posted.get(key)
        return LastResult(*found, posted)

    def find(self, ric: str, services: Iterable[str]) -> list[tuple[str, LastResult]]:
        """What is known of a RIC, by service. For any thread."""
        found = [(service, self.get((ric.encode(), service.encode()))) for service in services]
        return [(service, each) for service, each in found if each is not None]


# What a result says, as far as it is asked for here


class _Place(msgspec.Struct):
    topic: str
    partition: int


class _Result(msgspec.Struct):
    status: str
    source: _Place | None
    withdrawal: _Place | None = None


_decode: Final = msgspec.json.Decoder(_Result).decode


def _partition(value: bytes) -> tuple[str, int]:
    """Where it comes from."""
    result = _decode(value)
    place = result.source or result.withdrawal
    return ("", -1) if place is None else (place.topic, place.partition)


def _status(value: bytes) -> bytes:
    return _decode(value).status.encode()


def _head(result: Encoded) -> bytes:
    """Of a result that is too large to be kept."""
    facts = {name: content.decode() for name, content in result.headers}
    topic, partition, offset = (facts["source"] or "::").rsplit(":", 2)
    source = {"topic": topic, "partition": int(partition), "offset": int(offset)} if partition else None
    return msgspec.json.encode({"status": facts["status"], "source": source})
