"""Records into a topic at a steady rate, for as long as it takes."""

import threading
import time
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from kafka import KafkaProducer
from tests.integration.rigs.prices import Place, Reachable

PIECE_SECONDS: Final = 0.02
"""Records are fed in pieces of this length."""


class Made(NamedTuple):
    """A record to be produced; without a partition its key chooses one."""

    key: bytes | None
    value: bytes
    partition: int | None = None


class SteadyFeed(threading.Thread):
    """Produces until it is stopped: record 0, 1, 2, … as ``make`` makes them, ``rate`` of them a second.

    What was produced is in ``values`` by place, unless it is not to be ``kept``: an hour of it is much.
    """

    def __init__(
        self, broker: Reachable, topic: str, rate: float, make: Callable[[int], Made], *, kept: bool = True
    ) -> None:
        super().__init__(name="feed", daemon=True)
        self._broker, self._topic, self._rate, self._make, self._kept = broker, topic, rate, make, kept
        self._stopping = threading.Event()
        self._sent: list[tuple[bytes, Any]] = []
        self._refused: list[BaseException] = []
        self.count = 0
        self.values: dict[Place, bytes] = {}

    def run(self) -> None:
        producer = KafkaProducer(bootstrap_servers=self._broker.bootstrap, acks="all", linger_ms=5)
        begun = time.monotonic()
        while not self._stopping.wait(PIECE_SECONDS):
            while self.count < (time.monotonic() - begun) * self._rate:
                self._produce(producer)
        producer.flush(60)
        for value, future in self._sent:
            at = future.get(timeout=60)
            self.values[at.topic, at.partition, at.offset] = value
        producer.close()

    def stop(self) -> None:
        """Returns once the broker has all. Raises what it refused one with."""
        self._stopping.set()
        self.join()
        if self._refused:
            raise self._refused[0]

    def _produce(self, producer: KafkaProducer) -> None:
        made = self._make(self.count)
        future = producer.send(self._topic, key=made.key, value=made.value, partition=made.partition)
        self.count += 1
        if self._kept:
            self._sent.append((made.value, future))
        else:
            future.add_errback(self._refused.append)
