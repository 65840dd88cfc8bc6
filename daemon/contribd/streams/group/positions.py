"""Where the consumer is in each log that it was put to: at the end, or out of range."""

from collections.abc import Iterable, Mapping

from contribd.engine.records.offsets import Partition
from contribd.streams.client.port import MemberConsumer
from contribd.streams.group.start_rules import Start


class Positions:
    """Of the partitions that were announced. Used by the consumer's thread alone."""

    def __init__(self) -> None:
        self._behind: dict[Partition, int] = {}
        """Where each log ended when its partition was assigned, until the consumer is there."""
        self._reached: dict[Partition, int] = {}
        """The last position of each partition that was announced."""
        self._out_of_range: set[Partition] = set()
        """Partitions whose offset is out of range, as the broker or the client's position says."""

    def begin(self, starts: Mapping[Partition, Start]) -> frozenset[Partition]:
        """The consumer was put to these; which of them have something to catch up with."""
        self._reached.update({partition: start.position for partition, start in starts.items()})
        late = {partition: start.end for partition, start in starts.items() if start.end > start.commit.offset}
        self._behind.update(late)
        return frozenset(late)

    def forget(self, partitions: Iterable[Partition]) -> None:
        """These are not ours any more."""
        for partition in partitions:
            self._behind.pop(partition, None)
            self._reached.pop(partition, None)

    def mark_out_of_range(self, partition: Partition) -> None:
        """The broker has refused the offset that the consumer asked for."""
        self._out_of_range.add(partition)

    def out_of_range(self, consumer: MemberConsumer) -> set[Partition]:
        """Partitions whose log was cut back, or deleted as far as the consumer is or further; each is told once."""
        for partition, before in self._reached.items():
            position = consumer.position(partition)
            if position is not None and position < before:
                self._out_of_range.add(partition)
            elif position is not None:
                self._reached[partition] = position
        out_of_range = self._out_of_range & self._reached.keys()
        self._out_of_range.clear()
        return out_of_range

    def caught_up(self, consumer: MemberConsumer) -> frozenset[Partition]:
        """Partitions that have just come to where their log ended when they were assigned; each is told once."""
        there = [partition for partition, end in self._behind.items() if (consumer.position(partition) or 0) >= end]
        for partition in there:
            del self._behind[partition]
        return frozenset(there)
