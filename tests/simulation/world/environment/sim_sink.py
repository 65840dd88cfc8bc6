"""The sink of a simulated daemon: what ``contribd.streams.sink`` does, on simulated transactions."""

from collections import deque
from collections.abc import Callable

from tests.simulation.world.environment.host import Life
from tests.simulation.world.environment.sim_kafka import TRANSACTION_TIMEOUT, Fenced, StaleMember, State, Transaction

from contribd.engine.events import Committed, Event, NotCommitted
from contribd.streams.transaction import Write

RETRY_SECONDS = 0.5
FENCES = 3
FENCE_WINDOW = 120.0


class Sink:
    """Owns the producer. Each ``Write`` ends in one ``Committed`` or ``NotCommitted``."""

    def __init__(self, life: Life, emit: Callable[[Event], None]) -> None:
        self._life = life
        self._world = life.world
        self._rng = life.world.schedule.rng
        self._emit = emit
        self._producer = life.name.partition("/")[0]
        self._epoch = -1
        self._writes: deque[Write] = deque()
        self._busy = True
        self._began = 0.0
        """When the transaction under way began."""
        self._fenced: deque[float] = deque(maxlen=FENCES)
        self.replaced = False
        life.later(life.rtt() * 3, lambda: self._renew(self._next))

    def write(self, write: Write) -> None:
        """Hands over a transaction."""
        self._writes.append(write)
        self._next()

    def _renew(self, then: Callable[[], None]) -> None:
        """A new producer: whatever its predecessor left open is ended."""
        self._epoch = self._world.kafka.init_transactions(self._producer)

        def ready() -> None:
            self._busy = False
            then()

        self._life.later(self._life.rtt(), ready)

    def _next(self) -> None:
        if self._writes and not self._busy:
            self._busy = True
            self._began = self._world.schedule.mono
            write = self._writes.popleft()
            self._life.later(self._life.rtt(), lambda: self._begin(write))

    def _begin(self, write: Write) -> None:
        try:
            transaction = self._world.kafka.begin(self._producer, self._epoch, write.results)
        except Fenced:
            self._recover(write, asked=False, fenced=True)
            return
        self._life.later(self._life.rtt(), lambda: self._send_offsets(write, transaction))

    def _send_offsets(self, write: Write, transaction: Transaction) -> None:
        if self._world.happens("txn_fenced"):
            self._world.kafka.fence(self._producer)
        try:
            member = write.member
            self._world.kafka.add_offsets(transaction, write.commits, member.member_id, member.generation)
        except Fenced:
            self._recover(write, asked=False, fenced=True)
            return
        except StaleMember:
            self._world.counts["commits refused by generation"] += 1
            self._recover(write, asked=False, fenced=False)
            return
        if self._world.happens("txn_aborted"):
            self._recover(write, asked=False, fenced=False)
            return
        self._life.later(self._life.rtt(), lambda: self._commit(write, transaction))

    def _commit(self, write: Write, transaction: Transaction) -> None:
        """The request is on its way and arrives whatever becomes of the process, unless it is lost."""
        unknown = self._world.happens("txn_unknown")
        arrives = not unknown or self._rng.random() < 0.5
        outcome = {"fenced": False}

        def at_broker() -> None:
            try:
                self._world.kafka.commit(transaction)
            except Fenced:
                outcome["fenced"] = True

        if arrives:
            self._world.schedule.after(self._life.rtt(), at_broker)
        self._life.later(self._life.rtt() + 0.05, lambda: self._answered(write, transaction, unknown, outcome))

    def _answered(self, write: Write, transaction: Transaction, unknown: bool, outcome: dict[str, bool]) -> None:
        if unknown or outcome["fenced"]:
            self._recover(write, asked=True, fenced=outcome["fenced"])
        elif transaction.state is State.OPEN:
            self._life.later(0.01, lambda: self._answered(write, transaction, unknown, outcome))
        elif transaction.state is State.ABORTED:
            self._recover(write, asked=True, fenced=True)
        else:
            self._finish(write, committed=True)

    def _recover(self, write: Write, *, asked: bool, fenced: bool) -> None:
        """Ends a failed transaction by a new producer, and looks where its outcome is not known."""
        if fenced:
            self._note_fence()

        def renew() -> None:
            self._renew(read_back)

        def read_back() -> None:
            self._busy = True
            offsets = self._world.kafka.offsets
            durable = asked and any(offsets.get(p) == commit for p, commit in write.commits.items())
            self._world.counts["unknown outcomes read back"] += asked
            self._life.later(self._life.rtt(), lambda: self._finish(write, committed=durable))

        self._life.later(self._life.rtt(), renew)

    def _finish(self, write: Write, *, committed: bool) -> None:
        def free() -> None:
            self._busy = False
            self._next()

        self._emit(Committed(write.number) if committed else NotCommitted(write.number))
        self._life.later(0.0 if committed else RETRY_SECONDS, free)

    def _note_fence(self) -> None:
        mono = self._world.schedule.mono
        if mono - self._began >= TRANSACTION_TIMEOUT:
            return
        self._fenced.append(mono)
        if len(self._fenced) == FENCES and mono - self._fenced[0] < FENCE_WINDOW:
            self.replaced = True
