"""The records that a simulated source fetches: from where, of which partitions, and how far it is behind.

Follows the consumer's poll, and ``contribd.streams.group.positions``.
"""

from collections.abc import Callable, Iterable

from tests.simulation.world.environment.host import Life

from contribd.engine.events import CaughtUp, Event, Records
from contribd.engine.records.offsets import Commit, Partition
from contribd.engine.records.price import Record

POLL_SECONDS = 0.05


class Fetcher:
    """Owns the positions. Hands records to ``emit``, as long as few enough of them have not been ``consumed``.

    ``held``: whether the source's thread waits for Kafka or the worker, and cannot poll.
    """

    def __init__(
        self, life: Life, emit: Callable[[Event], None], consumed: Callable[[], int], held: Callable[[], bool]
    ) -> None:
        self._life = life
        self._world = life.world
        self._rng = life.world.schedule.rng
        self._emit = emit
        self._consumed = consumed
        self._held = held
        self._handed_over = 0
        self._positions: dict[Partition, int] = {}
        """The next record (index in the log) of each announced partition."""
        self._behind: dict[Partition, int] = {}
        self._wanted: frozenset[Partition] = frozenset()
        self._paused: frozenset[Partition] = frozenset()
        """What is not fetched: what was wanted when the poll under way began."""
        self._polling = False
        self._stopping = False

    def take(self, commits: dict[Partition, Commit]) -> frozenset[Partition]:
        """Fetches these from their commits on; returns those that are behind the end of their logs."""
        ends = self._world.kafka.ends
        for partition, commit in commits.items():
            log = self._world.kafka.logs[partition.number]
            self._positions[partition] = next((i for i, r in enumerate(log) if r.offset >= commit.offset), len(log))
        late = {p: ends[p.number] for p, commit in commits.items() if ends[p.number] > commit.offset}
        self._behind.update(late)
        return frozenset(late)

    def drop(self, partitions: Iterable[Partition]) -> None:
        """Fetches no more of these."""
        for partition in partitions:
            self._positions.pop(partition, None)
            self._behind.pop(partition, None)

    def pause(self, partitions: frozenset[Partition]) -> None:
        """Fetches every partition but these, from the next poll on."""
        self._wanted = partitions
        self._life.later(self._rng.random() * POLL_SECONDS, self.nudge)

    def stop(self) -> None:
        """Fetches nothing more."""
        self._stopping = True

    def nudge(self) -> None:
        """There may be something to fetch."""
        if self._polling or self._held() or self._stopping:
            return
        self._paused = self._wanted
        if self._fetchable():
            self._polling = True
            self._life.later(self._life.rtt() + self._rng.choice((0.0, 0.0, POLL_SECONDS)), self._poll)

    def _fetchable(self) -> list[Partition]:
        logs = self._world.kafka.logs
        return [
            partition
            for partition, position in self._positions.items()
            if position < len(logs[partition.number]) and partition not in self._paused
        ]

    def _poll(self) -> None:
        self._polling = False
        if self._held() or self._stopping:
            return
        plan = self._world.plan
        if self._handed_over - self._consumed() > 2 * plan.max_poll:
            self._life.later(POLL_SECONDS, self.nudge)
            return
        room, batches = self._rng.randint(1, plan.max_poll), []
        for partition in self._fetchable():
            position = self._positions[partition]
            found = self._world.kafka.logs[partition.number][position : position + room]
            if found:
                self._positions[partition] = position + len(found)
                batches.append((partition, [Record(r.offset, r.timestamp, r.key, r.value) for r in found]))
                room -= len(found)
        if batches:
            self._handed_over += sum(len(records) for _, records in batches)
            self._emit(Records(batches))
        self._tell_caught_up()
        self.nudge()

    def _tell_caught_up(self) -> None:
        logs = self._world.kafka.logs
        there = set()
        for partition, end in self._behind.items():
            log, position = logs[partition.number], self._positions[partition]
            if position == len(log) or log[position].offset >= end:
                there.add(partition)
        for partition in there:
            del self._behind[partition]
        if there:
            self._emit(CaughtUp(frozenset(there)))
