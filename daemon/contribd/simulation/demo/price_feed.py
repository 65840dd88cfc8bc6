"""Brings the pricing engine's records into a Kafka topic, at a steady rate."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from contribd.simulation.demo.pricing_engine import PriceRecord
from contribd.streams.client.access import Access
from contribd.streams.client.settings import KafkaSettings

SLICE_SECONDS: Final = 0.01
"""Records that are due are sent together, this often."""
BOOTSTRAP_MS: Final = 5_000
_FLUSH_SECONDS = 30.0


@dataclass(slots=True)
class Fed:
    """What has been produced: records sent by kind, where each one landed, and what failed."""

    kinds: Counter[str] = field(default_factory=lambda: Counter(price=0, poison=0, unmapped=0))
    offsets: set[tuple[int, int]] = field(default_factory=set)
    """Partition and offset of every record the broker has confirmed."""
    failures: list[str] = field(default_factory=list)

    @property
    def sent(self) -> int:
        """All records, confirmed or not."""
        return self.kinds.total()


class Records(Protocol):
    """Where records come from: the pricing engine, or a file."""

    def next(self, now: datetime, /) -> PriceRecord:
        """The next one, as of this time."""


class Feed:
    """Produces the records of ``engine`` to ``topic``; ``client`` holds further settings of kafka-python's producer.

    Raises ``NoBroker`` where no broker is reached, whose text says why.

    ``run`` blocks; ``fed`` and ``send`` may be used from other threads meanwhile.
    """

    def __init__(
        self,
        engine: Records,
        *,
        bootstrap_servers: str,
        topic: str,
        client: Mapping[str, Any] | None = None,
    ) -> None:
        from kafka import KafkaProducer

        self.fed = Fed()
        self._lock = threading.Lock()
        self._engine = engine
        self._topic = topic
        settings = {
            "acks": "all",
            "enable_idempotence": True,
            "linger_ms": 2,
            "bootstrap_timeout_ms": BOOTSTRAP_MS,
            **(client or {}),
        }
        reached = KafkaSettings((bootstrap_servers,), "", (topic,), "", None, "latest", "", client or {})
        access = Access(reached)
        self._producer = access.opened(KafkaProducer, bootstrap_servers=bootstrap_servers, **settings)

    def run(
        self,
        *,
        rate: float,
        count: int | None = None,
        stop: threading.Event | None = None,
        progress: Callable[[Fed], None] | None = None,
    ) -> Fed:
        """Sends ``rate`` records a second until ``count`` are sent or ``stop`` is set.

        ``progress`` is called after each slice.
        """
        stop = stop or threading.Event()
        start, sent = time.monotonic(), 0
        while not stop.is_set() and (count is None or sent < count):
            due = int((time.monotonic() - start) * rate) + 1
            due = due if count is None else min(due, count)
            now = datetime.now(UTC)
            for _ in range(due - sent):
                self.send(self._engine.next(now))
            sent = max(sent, due)
            if progress is not None:
                progress(self.fed)
            stop.wait(SLICE_SECONDS)
        return self.fed

    def send(self, record: PriceRecord) -> None:
        """One record, counted by its kind."""
        with self._lock:
            self.fed.kinds[record.kind] += 1
        future = self._producer.send(self._topic, key=record.key, value=record.value)
        future.add_callback(self._confirmed).add_errback(self._failed)

    def close(self) -> None:
        """Waits until every record is confirmed or has failed, and lets go of the broker."""
        try:
            self._producer.flush(timeout=_FLUSH_SECONDS)
        finally:
            self._producer.close(timeout=_FLUSH_SECONDS)

    def _confirmed(self, metadata: Any) -> None:
        self.fed.offsets.add((metadata.partition, metadata.offset))

    def _failed(self, error: BaseException) -> None:
        self.fed.failures.append(str(error))
