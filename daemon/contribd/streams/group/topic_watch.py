"""Whether the topics that are consumed are there, and still those that the group began to consume."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from contribd.engine.records.commit_metadata import decode_about
from contribd.engine.records.offsets import Partition
from contribd.ops.log import get_logger
from contribd.streams.client.port import MemberConsumer, Topics
from contribd.streams.client.sentences import topics_missing
from contribd.streams.client.settings import KafkaSettings
from contribd.streams.group.start_rules import Start

LOOK_SECONDS: Final = 0.5
"""Between two looks at what the cluster told last."""

MISSING_SECONDS: Final = 2.0
"""How long a topic must be missing before that is told: one that is made anew at once is told of when it begins."""

_log = get_logger("source")


class TopicWatch:
    """Looks on behalf of the consumer's thread. Only ``reasons`` is for others."""

    def __init__(self, settings: KafkaSettings, clock: Callable[[], float]) -> None:
        """``clock`` in monotonic seconds."""
        self._settings = settings
        self._clock = clock
        self._look_at = float("-inf")
        self._begun: dict[Partition, str] = {}
        """The id of the topic that each partition was begun of."""
        self._since: dict[str, float] = {}
        """When each topic that is missing was missed first."""
        self._told: list[str] = []
        """Missing, and said to be."""

    def reasons(self) -> list[str]:
        """What is missing, in a sentence; empty: nothing."""
        told = self._told
        return [f"consuming: {topics_missing(told, 'Read', self._settings)}"] if told else []

    def begin(self, starts: Mapping[Partition, Start]) -> None:
        """These are consumed from now on."""
        for partition, start in starts.items():
            topic_id = decode_about(start.commit.metadata).topic_id
            if topic_id is not None:
                self._begun[partition] = topic_id

    def forget(self, partitions: Iterable[Partition]) -> None:
        """These are not ours any more."""
        for partition in partitions:
            self._begun.pop(partition, None)

    def look(self, consumer: MemberConsumer) -> set[Partition]:
        """Says what is missing, and what is back; the partitions whose topic is another one than it was."""
        now = self._clock()
        if now < self._look_at:
            return set()
        self._look_at = now + LOOK_SECONDS
        topics = consumer.topics()
        self._tell_missing(topics, now)
        return {partition for partition, begun in self._begun.items() if _is_other(topics, partition.topic, begun)}

    def _tell_missing(self, topics: Topics, now: float) -> None:
        missing = [topic for topic in self._settings.prices if topic not in topics]
        self._since = {topic: self._since.get(topic, now) for topic in missing}
        gone = [topic for topic in missing if now - self._since[topic] >= MISSING_SECONDS]
        for topic in gone:
            if topic not in self._told:
                _log.warning(
                    "a topic that was consumed is gone: it was deleted, or may not be seen any more; waiting for it",
                    topic=topic,
                )
        for topic in self._told:
            if topic not in missing:
                _log.info("the topic is there again", topic=topic)
        self._told = gone


def _is_other(topics: Topics, name: str, begun: str) -> bool:
    topic = topics.get(name)
    return topic is not None and topic.topic_id is not None and topic.topic_id != begun
