"""The oracle: watches the wire and the log, knows nothing of the engine, and judges what the daemon promises."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from tests.simulation.world.environment.fed_records import Produced
from tests.simulation.world.environment.group import Group
from tests.simulation.world.environment.schedule import Schedule
from tests.simulation.world.environment.sim_kafka import SimKafka, Transaction
from tests.simulation.world.oracle.blank_rules import BlankRules
from tests.simulation.world.oracle.evidence import (
    ProcessEvidence,
    SeenPost,
    Violation,
    WireEvidence,
    messages_in,
    posts_in,
)
from tests.simulation.world.oracle.history import History
from tests.simulation.world.oracle.market import Markets
from tests.simulation.world.oracle.order_rules import OrderRules
from tests.simulation.world.oracle.pause_rules import PauseRules
from tests.simulation.world.oracle.post_rules import PostRules
from tests.simulation.world.oracle.quote_rules import QuoteRules
from tests.simulation.world.oracle.reload_rules import ReloadRules
from tests.simulation.world.oracle.result_rules import ResultRules
from tests.simulation.world.oracle.sight import see
from tests.simulation.world.oracle.silence import Silence
from tests.simulation.world.oracle.starvation_rules import StarvationRules
from tests.simulation.world.oracle.told import read_commit
from tests.simulation.world.plan import Plan

from contribd.engine.engine import Engine
from contribd.engine.events import Assigned, Event, NewRules, Records, Revoked, Stop
from contribd.engine.records.offsets import Partition
from contribd.engine.states import SessionState

if TYPE_CHECKING:
    from tests.simulation.world.environment.host import Life
    from tests.simulation.world.environment.sim_process import Process
    from tests.simulation.world.environment.sim_wire import Wire

STOP_SECONDS = 10.0
"""Beyond ``ack_timeout``: how long a stop may take."""


class Oracle:
    """Raises ``Violation`` at the first promise broken. ``trace`` tells how it came to that."""

    def __init__(self, schedule: Schedule, plan: Plan, kafka: SimKafka, group: Group) -> None:
        self._schedule = schedule
        self._plan = plan
        self._kafka = kafka
        self._history = history = History(kafka.logs, keyed=plan.keyed)
        self._processes: dict[str, ProcessEvidence] = {}
        self._wires: list[WireEvidence] = []
        complain = self.complain
        self._silence = Silence(plan.silent_after)
        self._markets = markets = Markets(history)
        self.quotes = QuoteRules(history, complain, wanted=plan.orders is not None and plan.orders.quotes > 0)
        """What it is told of orders about quotes."""
        self._blanks = BlankRules(plan, self._silence, markets, self.quotes, complain)
        self.orders = PauseRules(plan.orders, schedule, history, self.note, complain)
        """What it is told of orders."""
        self.reloads = ReloadRules(plan, schedule, history, complain)
        """What it is told of reloads."""
        self._results = ResultRules(
            plan, self._processes, kafka.begins, history, markets, self.orders, self.reloads, complain
        )
        self._posts = PostRules(plan, history, group.owners, self._results.settled, self._blanks, complain)
        self._order = OrderRules(plan, history, self._results.settled, self._results.unordered, complain)
        self._starvation = StarvationRules(plan, complain)
        self.trace: list[tuple[float, str, str, object]] = []
        self._digest = hashlib.sha256()
        self.posts = 0
        self.kills = 0
        self.taken_over_in_part = 0
        """Records of which some posts had their results when their partition was given to a process."""

    def complain(self, promise: str, text: str, subject: object = None) -> None:
        """A promise is broken."""
        raise Violation(promise, text, subject)

    def note(self, who: str, what: str, subject: object = None) -> None:
        """A line of the trace."""
        self.trace.append((self._schedule.mono, who, what, subject))

    @property
    def wraps(self) -> int:
        """How often the PostIDs of a process began again."""
        return self._posts.wraps

    @property
    def withdrawals(self) -> dict[str, int]:
        """Withdrawals with a result, by reason."""
        return self._results.withdrawals

    @property
    def reposts(self) -> int:
        """Posts that repeat what a process that was killed had posted and nobody has settled."""
        return self._order.reposts

    @property
    def digest(self) -> str:
        """Over everything that was posted and committed, and when."""
        return self._digest.hexdigest()

    def _hash(self, data: bytes) -> None:
        self._digest.update(b"%.6f " % self._schedule.mono)
        self._digest.update(data)

    # Records and results

    def produced(self, record: Produced) -> None:
        """A record of the prices topic."""
        self._history.add(record)
        self.reloads.produced(record)
        self._starvation.produced(record, self._schedule.mono)
        self.trace.append((self._schedule.mono, "topic", "record", record))

    def committed(self, transaction: Transaction) -> None:
        """A transaction is durable."""
        for encoded in transaction.results:
            self._hash(encoded.value)
            self.trace.append((self._schedule.mono, transaction.producer, "result", encoded.value))
        self.trace.append((self._schedule.mono, transaction.producer, "commit", transaction.offsets))
        self._results.committed(transaction)
        self._starvation.settled(self._results.settled, self._schedule.mono)

    def offsets_gone(self) -> None:
        """The group has lost its offsets: what is settled is known by the results alone."""
        self.note("kafka", "the group's offsets are gone")
        self._results.offsets_gone()

    def faults_end(self) -> None:
        """From now on nothing goes wrong."""
        self._starvation.end(self._schedule.mono)

    @property
    def missing(self) -> int:
        """Records of which no commit says so far that they have all their results."""
        return self._results.missing

    def finish(self) -> None:
        """The run is over."""
        self._results.finish()

    # Processes

    def started(self, process: Life) -> None:
        """A process began."""
        self._processes[process.name] = ProcessEvidence(process.name, process.mapping)
        self.reloads.in_force(process.name, process.generation)
        self.note(process.name, f"started, mapping {process.mapping}")

    def _stopping(self, process: Life, sight: ProcessEvidence, engine: Engine) -> None:
        sight.stopping_at = self._schedule.mono
        self._blanks.stopping(sight, open_session=engine.connection.state is SessionState.OPEN)
        limit = self._plan.ack_timeout + STOP_SECONDS + 3.0

        def check() -> None:
            if not process.dead:
                self.complain("5: a stop that does not end", process.name)

        # It may have been frozen until just now, and its threads need their time to end.
        process.later(limit, lambda: process.later(5.0, check))

    def killed(self, process: Life) -> None:
        """A process was ended in the middle of whatever it did."""
        self.kills += 1
        self._order.killed(self._processes[process.name])
        self.note(process.name, "killed")

    def left(self, process: Process) -> None:
        """A process exited by itself."""
        self.note(process.name, f"exited: {process.exited}")
        sight = self._processes[process.name]
        if process.exited == "drained":
            self._blanks.left(sight)
        elif sight.stopping_at is not None and self._schedule.mono < sight.stopping_at + self._plan.ack_timeout:
            self.complain("5: a stop that did not wait for answers", process.name)

    def paused(self, process: Life, partitions: frozenset[Partition]) -> None:
        """What the worker does not want to be fetched any more."""
        self._silence.paused(self._processes[process.name], partitions, self._schedule.mono)

    def told(self, process: Life, event: Event, engine: Engine) -> None:
        """The worker took an event about the group, or records."""
        sight = self._processes[process.name]
        if isinstance(event, Records):
            self._heard(sight, event)
            return
        if isinstance(event, Assigned):
            for partition, commit in event.partitions.items():
                self.reloads.committed(process.name, partition, commit)
                self.taken_over_in_part += len(read_commit(commit).parts)
                sight.assigned_at[partition] = self._schedule.mono
                sight.owned.add(partition)
                self._silence.assigned(sight, partition, self._schedule.mono)
        elif isinstance(event, Revoked):
            sight.owned -= event.partitions
            self._forget(sight, event.partitions)
            self._silence.revoked(sight, event.partitions)
            self._markets.of(sight).revoked(event.partitions, self._schedule.mono)
        elif isinstance(event, NewRules):
            self.reloads.in_force(process.name, int(event.names.config))
            self.note(process.name, f"rules {event.names}")
            return
        elif isinstance(event, Stop):
            self._stopping(process, sight, engine)
        else:
            return
        self.note(process.name, f"{event}")

    def _heard(self, sight: ProcessEvidence, event: Records) -> None:
        for partition, _records in event.batches:
            self._silence.heard(sight, partition, self._schedule.mono)

    def _forget(self, sight: ProcessEvidence, partitions: frozenset[Partition]) -> None:
        for post in sight.last.values():
            if self._partitions_of(post) & partitions:
                post.forgotten = True
                post.wire.outstanding.pop(post.post_id, None)

    def _partitions_of(self, post: SeenPost) -> frozenset[Partition]:
        if post.blanking is not None:
            return post.blanking.partitions
        return frozenset({Partition("prices", self._history.by_version[post.newest].partition)})

    def measured(self, process: Process) -> None:
        """After the worker did something: its memory is bounded."""
        plan, intake = self._plan, process.engine.intake
        held = intake.waiting + sum(intake.buffered(partition) for partition in intake.trackers)
        most = 1 if plan.curves is None else plan.curves.widest + 2
        bound = plan.waiting_records + 10 * plan.max_poll * most
        if plan.conflate:  # partitions that catch up are read on, one at a time
            bound = 2 * (bound + plan.span)
        if held > bound:
            self.complain("4: too many records held", f"{held} in {process.name}")
        if intake.waiting < 0 or intake.waiting_bytes < 0:
            self.complain("4: less than nothing waits", f"{intake.waiting}, {intake.waiting_bytes} in {process.name}")

    def idle(self, process: Process) -> None:
        """Every record has its results: nothing waits any more, which would hold up what comes."""
        view = process.engine.view(self._schedule.now)
        in_force = {(str(pause.what.kind), pause.what.value) for pause in view.pauses}
        if process.is_up_to_date:
            self.orders.idle(process.name, in_force)
        self.reloads.idle(process.name)
        for partition, tracker in process.engine.intake.trackers.items():
            waits = (tracker.waiting, tracker.waiting_bytes)
            if self._posts.owns(self._processes[process.name], partition) and any(waits):
                self.complain("4: what waits is counted wrong", f"{waits} of {partition} in {process.name}")

    # The wire

    def connected(self, _process: Life, wire: Wire) -> None:
        """A connection was made."""
        wire.number = len(self._wires)
        sight = WireEvidence(wire.number)
        self._wires.append(sight)

        def handed(text: bytes) -> None:
            for post in sight.unhanded.popleft():
                self._hash(text)
                self._order.handed(post)

        def taking() -> None:
            for posts in list(sight.unhanded)[:1]:
                for post in posts:
                    self.orders.posting(post)

        wire.on_handed, wire.on_taking = handed, taking

    def session_named(self, process: Life, wire: Wire, session: str) -> None:
        """The daemon calls the session on this connection by this name."""
        self._processes[process.name].sessions[session] = self._wires[wire.number]
        self._starvation.logged_in()

    def posting(self, process: Life, wire: Wire, texts: list[bytes]) -> None:
        """Frames the daemon decided to send."""
        sight, mono, wall = self._processes[process.name], self._schedule.mono, self._schedule.wall
        if self._wires[wire.number].unhanded and any(posts_in(text) for text in texts):
            self.complain("posted behind bytes that lie unsent", process.name)
        for text in texts:
            posts = self._posts.posting(sight, self._wires[wire.number], text, mono, wall)
            self.posts += len(posts)
            for post in posts:
                self.orders.posting(post)
                self.reloads.posting(post)
                self.trace.append((mono, process.name, "post", post))

    def delivered(self, process: Life, wire: Wire, texts: list[bytes]) -> None:
        """Frames the daemon received."""
        sight, mono = self._wires[wire.number], self._schedule.mono
        for text in texts:
            self.trace.append((mono, process.name, f"received on wire {wire.number}", text))
            messages = messages_in(text)
            for message in messages:
                see(sight, message, mono)
            if not messages:
                sight.login_open = False  # what comes after that need not be believed

    def hung_up(self, wire: Wire) -> None:
        """The daemon knows that the connection has ended."""
        self._wires[wire.number].ended = True
        self.note("daemon", f"wire {wire.number} ended")
