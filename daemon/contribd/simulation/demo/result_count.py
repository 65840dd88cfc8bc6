"""Follows the results of a demo, and holds them against the records that went in: one result each."""

import threading
from collections import Counter
from collections.abc import Sequence
from typing import Any

from contribd.engine.records.price import Reply, Status
from contribd.results.result import Result, decode_result
from contribd.simulation.demo.show_summary import Audit, Percentiles, StatusCount

Place = tuple[int, int]
"""Partition and offset of a record of the prices topic."""

_POLL_MS = 100


class ResultTally:
    """What the results say, counted as they come. Methods may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._results: Counter[Place] = Counter()
        self._statuses: Counter[tuple[str, str | None]] = Counter()
        self._posts: dict[tuple[str, int], str] = {}
        self._ack_seconds: list[float] = []
        self._delivery_seconds: list[float] = []

    def add(self, result: Result) -> None:
        """Counts one result."""
        with self._lock:
            self._results[result.record.partition, result.record.offset] += 1
            self._statuses[result.status, result.code] += 1
            for post in result.posts:
                if (post.session, post.post_id) in self._posts:
                    continue
                self._posts[post.session, post.post_id] = str(post.answer)
                if post.answer in {Reply.ACK, Reply.NAK} and post.ack_seconds is not None:
                    self._ack_seconds.append(post.ack_seconds)
            if result.delivery_seconds is not None and result.status != Status.CONFLATED:
                self._delivery_seconds.append(result.delivery_seconds)

    @property
    def count(self) -> int:
        """Results so far."""
        with self._lock:
            return self._results.total()

    def missing(self, places: set[Place]) -> int:
        """How many of the records at ``places`` have no result yet."""
        with self._lock:
            return len(places - self._results.keys())

    def by_status(self) -> dict[str, int]:
        """In the order the statuses are documented in."""
        found: Counter[str] = Counter()
        with self._lock:
            for (status, _), count in self._statuses.items():
                found[status] += count
        return {str(status): found[status] for status in Status if found[status]}

    def statuses(self) -> list[StatusCount]:
        """By status and code, the most frequent first."""
        with self._lock:
            return [StatusCount(status, code, n) for (status, code), n in self._statuses.most_common()]

    def answers(self) -> dict[str, int]:
        """Posts by what they were answered, the most frequent first."""
        with self._lock:
            return dict(Counter(self._posts.values()).most_common())

    def latencies(self) -> tuple[Percentiles | None, Percentiles | None]:
        """From sending a post to its answer, and from a record's Kafka timestamp to its post."""
        with self._lock:
            return percentiles(self._ack_seconds), percentiles(self._delivery_seconds)

    def audit(self, places: set[Place]) -> Audit:
        """Holds the results against the records that went in."""
        with self._lock:
            repeated = sum(1 for count in self._results.values() if count > 1)
            foreign = len(self._results.keys() - places)
            return Audit(len(places), self._results.total(), len(places - self._results.keys()), repeated, foreign)


class ResultReader(threading.Thread):
    """Reads the results topic from its beginning, ``read_committed``, into ``tally`` until `stop`."""

    def __init__(self, tally: ResultTally, *, bootstrap_servers: str, topic: str, partitions: int) -> None:
        super().__init__(name="results", daemon=True)
        self.failure: Exception | None = None
        self._tally = tally
        self._servers = bootstrap_servers
        self._topic = topic
        self._partitions = partitions
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Ends it, and waits for that."""
        self._stopping.set()
        if self.ident is not None:
            self.join()

    def run(self) -> None:
        try:
            self._follow()
        except Exception as error:  # noqa: BLE001 - handed to the thread that asks
            self.failure = error

    def _follow(self) -> None:
        from kafka import KafkaConsumer, TopicPartition

        consumer: Any = KafkaConsumer(
            bootstrap_servers=self._servers,
            group_id=None,
            isolation_level="read_committed",
            enable_auto_commit=False,
            fetch_max_wait_ms=_POLL_MS,
        )
        try:
            partitions = [TopicPartition(self._topic, number) for number in range(self._partitions)]
            consumer.assign(partitions)
            for partition in partitions:
                consumer.seek(partition, 0)
            while not self._stopping.is_set():
                for records in consumer.poll(timeout_ms=_POLL_MS).values():
                    for record in records:
                        self._tally.add(decode_result(record.value))
        finally:
            consumer.close()


def percentiles(seconds: Sequence[float]) -> Percentiles | None:
    """Nearest-rank percentiles in milliseconds; ``None`` of nothing."""
    if not seconds:
        return None
    ranked = sorted(seconds)
    last = len(ranked) - 1

    def rank(percent: int) -> float:
        return round(ranked[min(last, -(-len(ranked) * percent // 100) - 1)] * 1000, 3)

    return Percentiles(rank(50), rank(95), rank(99), rank(100))
