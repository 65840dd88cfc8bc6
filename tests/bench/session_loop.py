"""contribd without Kafka: ``python -m tests.bench.session_loop KIND URL POSTS PACK WINDOW``.

Records come from a list, results are durable at once; all between is the daemon's own, in one thread. ``KIND``:
``session`` is the engine and its session alone, given prices that are mapped already, results not encoded;
``worker`` is all the daemon's worker does, from a record's bytes to its result's. Prints seconds from the first record
to the last result, and CPU seconds.
"""

import selectors
import sys
import time
from collections.abc import Iterable
from typing import Any

from tests.bench.pipeline import mapper
from tests.bench.setting import distinct
from tests.engine.making import LOGIN, new_engine, seconds

from contribd.ads.dialer import DialOptions
from contribd.ads.driver import Driver, Finding
from contribd.engine.clock import Now
from contribd.engine.events import Assigned, Committed, Records, Tick
from contribd.engine.policy import SessionPolicy
from contribd.engine.records.commit_metadata import Commit
from contribd.engine.records.offsets import Partition
from contribd.engine.records.price import Record, Settlement
from contribd.engine.records.result_encoder import ResultEncoder
from contribd.mailbox import Mailbox
from contribd.mapping.mapper import Mapper
from contribd.worker import spare_the_collector

POLL = 500
"""Records a poll of the consumer gives at most, by default."""

PRICES = Partition("prices", 0)


class FixedMapper(Mapper):
    """Has mapped every record before anything is timed."""

    def __init__(self, values: Iterable[bytes]) -> None:
        super().__init__(())
        map_record = mapper().map
        self._outcomes = {value: map_record(value) for value in values}

    def map(self, value: bytes | None, _surroundings: object = None, _last: object = None) -> Any:
        return self._outcomes[value or b""]


class SessionLoop:
    """What the daemon's worker does, round by round."""

    def __init__(self, url: str, count: int, pack: int, window: int, *, whole: bool) -> None:
        """``whole``: records are mapped and results encoded as it goes."""
        records = distinct(count)
        self.engine = new_engine(
            SessionPolicy((url,), "TRCC", LOGIN, 10.0, seconds, ("TRCC",)),
            mapper=mapper() if whole else FixedMapper(value for _, value in records),
            conflate=False,
            pack=pack,
            max_outstanding=window,
        )
        self.settled = 0
        self._given = 0
        stamp = time.time_ns() // 10**6
        self._records = [Record(n, stamp, key, value) for n, (key, value) in enumerate(records)]
        self._ahead = 2 * max(window, POLL)
        encode = ResultEncoder(instance="bench", version="0", config="0" * 64).encode
        self._write = encode if whole else _leave
        self._found: Mailbox[Finding] = Mailbox()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._found.fileno(), selectors.EVENT_READ)
        self._driver = Driver(self.engine, self._selector, DialOptions(10.0), self._found.put)
        self.engine.handle(Assigned({PRICES: Commit(0, "")}), _now())

    def open(self) -> None:
        """Up to a session that posts. Raises TimeoutError after ten seconds."""
        deadline = time.monotonic() + 10.0
        while not self.engine.session.up:
            if time.monotonic() > deadline:
                raise TimeoutError(f"no session: {self.engine.connection.state}")
            self._round()

    def run(self) -> None:
        """Every record to its result."""
        while self.settled < len(self._records):
            if self._given < len(self._records) and self._given - self.settled < self._ahead:
                some = self._records[self._given : self._given + POLL]
                self._given += len(some)
                self.engine.handle(Records([(PRICES, some)]), _now())
            self._round()

    def close(self) -> None:
        """Ends the login and the connection."""
        self.engine.connection.close(_now())
        self._driver.act(_now())
        self._driver.drop()

    def _round(self) -> None:
        now = _now()
        self.engine.handle(Tick(), now)
        self._driver.act(now)
        while (batch := self.engine.take_batch(now)) is not None:
            self.settled += len([self._write(settlement) for settlement in batch.settlements])
            self.engine.handle(Committed(batch.number), now)
        if self.settled < len(self._records):
            self._wait(now)

    def _wait(self, now: Now) -> None:
        ready = self._selector.select(max(0.0, min(0.25, self.engine.wake_at(now) - now.mono)))
        now = _now()
        for key, mask in ready:
            if self._driver.owns(key.fileobj):
                self._driver.serve(mask, now)
        for found in self._found.take():
            self._driver.take(found, now)


def _now() -> Now:
    return Now(time.monotonic(), time.time_ns() // 1000)


def _leave(settlement: Settlement) -> Settlement:
    return settlement


def main() -> None:
    """One connection, one run."""
    loop = SessionLoop(sys.argv[2], *map(int, sys.argv[3:6]), whole=sys.argv[1] == "worker")
    loop.open()
    spare_the_collector()  # as the daemon does
    start, cpu = time.perf_counter(), time.process_time()
    loop.run()
    print(time.perf_counter() - start, time.process_time() - cpu, flush=True)  # noqa: T201 - its parent reads it
    acked = loop.engine.counters.results["ACK", ""]
    loop.close()
    if acked != loop.settled:
        raise RuntimeError(f"{acked} of {loop.settled} were acknowledged: {dict(loop.engine.counters.results)}")


if __name__ == "__main__":
    main()
