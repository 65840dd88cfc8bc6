"""What the brokers take of a transaction: as they say, where they may be asked, and as their refusals show.

A topic's ``max.message.bytes`` bounds a single record, its ``cleanup.policy`` may want each to have a key, and the
brokers' ``offset.metadata.max.bytes`` bounds the bitmap that goes with an offset. Asking takes DescribeConfigs on the
topics and on the cluster, which not everybody is given. Then a refusal teaches: half of the largest that was refused is
tried next, and half of that. What was learned holds until the brokers say something new, or the process ends.
"""

from collections.abc import Mapping
from typing import Final

from contribd.engine.events import BrokerLimits
from contribd.engine.limits import MAX_METADATA, MAX_RESULT_BYTES, MIN_METADATA, MIN_RESULT_BYTES
from contribd.engine.records.commit_metadata import Commit
from contribd.engine.records.offsets import Partition
from contribd.engine.records.result_encoder import Encoded
from contribd.streams.client.port import ClusterLimits, TopicLimits
from contribd.streams.client.refusals import Cure

RECORD_ROOM: Final = 500
"""Bytes of a topic's limit that are not a result's or its key's: the batch around it, its headers."""

USUAL: Final = BrokerLimits(MAX_RESULT_BYTES, MAX_RESULT_BYTES, MAX_METADATA, keyed=False)
"""What brokers take by default."""


class LearnedLimits:
    """Of the topics ``results`` and ``rejects``; what a record has there may be compressed before it is counted."""

    def __init__(self, results: str, rejects: str | None, *, compressed: bool = False) -> None:
        self._results = results
        self._rejects = rejects
        self._compressed = compressed
        self._said: BrokerLimits | None = None
        self._batch: int | None = None
        self.now = USUAL
        """What is known just now."""

    @property
    def batch_bytes(self) -> int | None:
        """Bytes of records that all topics take at once; None where that is not known."""
        return self._batch

    def told(self, limits: ClusterLimits) -> None:
        """What the cluster says."""
        results, rejects = (limits.topics.get(topic or "", TopicLimits()) for topic in (self._results, self._rejects))
        sizes = [] if self._compressed else [each.record_bytes for each in (results, rejects) if each.record_bytes]
        self._batch = min(sizes, default=None)
        metadata = MAX_METADATA if limits.metadata is None else max(MIN_METADATA, min(limits.metadata, MAX_METADATA))
        said = BrokerLimits(self._bytes(results), self._bytes(rejects), metadata, keyed=rejects.keyed)
        if said == self._said:
            return
        self._said = self.now = said

    def _bytes(self, topic: TopicLimits) -> int:
        if topic.record_bytes is None or self._compressed:
            return MAX_RESULT_BYTES
        return max(MIN_RESULT_BYTES, min(topic.record_bytes - RECORD_ROOM, MAX_RESULT_BYTES))

    def learn(
        self,
        cure: Cure,
        topic: str | None,
        results: list[Encoded],
        rejects: list[Encoded],
        commits: Mapping[Partition, Commit],
    ) -> bool:
        """What was refused, by which topic; whether that teaches anything, so that it is not refused again as it is."""
        before = self.now
        if cure is Cure.SHORTEN:
            self._shorten(topic, _largest(results), _largest(rejects))
        elif cure is Cure.NARROW:
            longest = max((len(commit.metadata) for commit in commits.values()), default=0)
            less = min(before.metadata, max(longest // 2, MIN_METADATA))
            self.now = before._replace(metadata=less, guessed=True)
        elif cure is Cure.KEY and topic != self._results:
            self.now = before._replace(keyed=before.keyed or any(encoded.key is None for encoded in rejects))
        return self.now != before

    def _shorten(self, topic: str | None, result: int, reject: int) -> None:
        now = self.now
        if topic is None:  # the client refused it, by its own max_request_size
            topic = self._rejects if reject > result else self._results
        if topic == self._rejects:
            self.now = now._replace(reject=min(now.reject, max(reject // 2, MIN_RESULT_BYTES)))
        else:
            self.now = now._replace(result=min(now.result, max(result // 2, MIN_RESULT_BYTES)))


def _largest(records: list[Encoded]) -> int:
    return max((len(each.value) + len(each.key or b"") for each in records), default=0)
