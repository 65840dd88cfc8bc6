"""How far behind its log's end each partition is, as far as that is known.

A fetch tells of the log's end, and so a partition that moves on is known to be that far behind. One that does not may
have nothing new, or be paused, or be one that nothing can be fetched of: its end is asked for, every ``ASK_SECONDS``.
Where it is not told for ``KNOWN_SECONDS`` it is not known any more: 0 would say that all is well.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from contribd.engine.records.offsets import Partition
from contribd.streams.client.port import MemberConsumer
from contribd.streams.client.retrying import FAILURES
from contribd.streams.group.start_rules import Start

ASK_SECONDS: Final = 5.0
"""Between two questions for the ends of logs that were not heard of meanwhile."""

ANSWER_SECONDS: Final = 0.3
"""How long an answer may take: nothing is polled meanwhile."""

KNOWN_SECONDS: Final = 15.0
"""How long what was told is taken for what is."""


class Lags:
    """Of the partitions that were announced. Used by the consumer's thread alone."""

    def __init__(self, mono: Callable[[], float]) -> None:
        self._mono = mono
        self._ends: dict[Partition, int] = {}
        """Where each log ended when that was asked for last."""
        self._reached: dict[Partition, int] = {}
        self._heard: dict[Partition, float] = {}
        """When each log's end was told of last."""
        self._ask_at = 0.0
        self.silence: Exception | None = None
        """Why the last question was not answered; None: it was."""

    def begin(self, starts: Mapping[Partition, Start]) -> None:
        """These are ours from now on; the ends of their logs have just been asked for."""
        for partition, start in starts.items():
            self._ends[partition], self._reached[partition] = start.end, start.position
            self._heard[partition] = self._mono()

    def forget(self, partitions: Iterable[Partition]) -> None:
        """These are not ours any more."""
        for partition in partitions:
            self._heard.pop(partition, None)

    def follow(self, consumer: MemberConsumer) -> dict[Partition, tuple[int, int | None]]:
        """After a poll: the next offset to fetch, and how many records there are from it on; None: not known."""
        now = self._mono()
        self._hear(consumer, now)
        if now >= self._ask_at and not consumer.is_joining():
            self._ask(consumer, now)
        found: dict[Partition, tuple[int, int | None]] = {}
        for partition, heard in self._heard.items():
            position = consumer.position(partition)
            # A partition that comes back within one fetch session, with nothing new, has no high water mark.
            end = max(consumer.high_water(partition) or 0, self._ends[partition])
            if position is not None:
                found[partition] = (position, max(0, end - position) if now - heard < KNOWN_SECONDS else None)
        return found

    def _hear(self, consumer: MemberConsumer, now: float) -> None:
        for partition in self._heard:
            position = consumer.position(partition)
            if position is not None and position > self._reached[partition]:
                self._reached[partition], self._heard[partition] = position, now
                self.silence = None

    def _ask(self, consumer: MemberConsumer, now: float) -> None:
        self._ask_at = now + ASK_SECONDS
        unheard = [partition for partition, heard in self._heard.items() if now - heard >= ASK_SECONDS]
        if not unheard:
            return
        try:
            ends = consumer.ends(unheard, ANSWER_SECONDS)
        except FAILURES as error:
            self.silence = error
            return
        self.silence = None
        for partition, end in ends.items():
            self._ends[partition], self._heard[partition] = end, self._mono()
