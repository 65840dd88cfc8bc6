"""Where the consumer is in each log that it was put to: how far behind, at the end, or where its log is not."""

from collections.abc import Iterable, Mapping

from kafka import KafkaConsumer, TopicPartition

from contribd.engine.records.offsets import Partition
from contribd.streams.group.start_offsets import Start


class Positions:
    """Of the partitions that were announced. Used by the consumer's thread alone."""

    def __init__(self) -> None:
        self._behind: dict[TopicPartition, int] = {}
        """Where each log ended when its partition was assigned, until the consumer is there."""
        self._reached: dict[TopicPartition, int] = {}
        """The last position of each partition that was announced."""
        self._ends: dict[TopicPartition, int] = {}
        """Where each log ended when its partition was last assigned."""
        self._astray: set[TopicPartition] = set()
        """Partitions whose position is not where their log is, as the client found out."""

    def begin(self, starts: Mapping[TopicPartition, Start]) -> frozenset[Partition]:
        """The consumer was put to these; which of them have something to catch up with."""
        self._ends.update({tp: start.end for tp, start in starts.items()})
        self._reached.update({tp: start.position for tp, start in starts.items()})
        late = {tp: start.end for tp, start in starts.items() if start.end > start.commit.offset}
        self._behind.update(late)
        return frozenset(Partition(*tp) for tp in late)

    def forget(self, partitions: Iterable[TopicPartition]) -> None:
        """These are not ours any more."""
        for tp in partitions:
            self._behind.pop(tp, None)
            self._reached.pop(tp, None)

    def told_astray(self, tp: TopicPartition) -> None:
        """The broker has refused the offset that the consumer asked for."""
        self._astray.add(tp)

    def astray(self, consumer: KafkaConsumer) -> set[TopicPartition]:
        """Partitions whose log was cut back, or deleted as far as the consumer is or further; each is told once."""
        for tp, before in self._reached.items():
            position = _position(consumer, tp)
            if position is not None and position < before:
                self._astray.add(tp)
            elif position is not None:
                self._reached[tp] = position
        astray = self._astray & self._reached.keys()
        self._astray.clear()
        return astray

    def caught_up(self, consumer: KafkaConsumer) -> frozenset[Partition]:
        """Partitions that have just come to where their log ended when they were assigned; each is told once."""
        there = [tp for tp, end in self._behind.items() if (_position(consumer, tp) or 0) >= end]
        for tp in there:
            del self._behind[tp]
        return frozenset(Partition(*tp) for tp in there)

    def lags(self, consumer: KafkaConsumer) -> dict[Partition, tuple[int, int]]:
        """Next offset to fetch and records behind the log's end, by assigned partition."""
        lags = {}
        for tp in consumer.assignment():
            position = _position(consumer, tp)
            # A partition that comes back within one fetch session, with nothing new, has no high water mark.
            end = max(consumer.highwater(tp) or 0, self._ends.get(tp, 0))
            if position is not None:
                lags[Partition(*tp)] = (position, max(0, end - position))
        return lags


def _position(consumer: KafkaConsumer, tp: TopicPartition) -> int | None:
    """The next offset to be polled, None where it is not known."""
    state = consumer._subscription.assignment.get(tp)  # noqa: SLF001 - position() may block on the network
    return state.position.offset if state is not None and state.position is not None else None
