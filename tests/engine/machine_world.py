"""Kafka, the ADS and the clock around one engine after another, each step of which a judge sees."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from tests.ads.server_messages import directory, login_refresh, login_status
from tests.engine.joint_states import assert_allowed
from tests.engine.judge import ACK_TIMEOUT, RULED_KEYS, Judge, Key, Line, Made, Sent
from tests.engine.rig import P0, P1, Rig

from contribd.engine.commands import Connect, Disconnect
from contribd.engine.events import Assigned, CaughtUp, Committed, Connected, NotCommitted, Received, Records
from contribd.engine.limits import Bounds
from contribd.engine.records.commit_metadata import Commit
from contribd.engine.records.offsets import Partition
from contribd.engine.records.outbox import Batch
from contribd.engine.records.price import Record
from contribd.engine.states import SessionState

HOMES: dict[Key, Partition] = {("TRCC", "R0"): P0, ("ALT", "R0"): P0, ("TRCC", "R1"): P1}
"""The instruments, each with its partition, as a topic keyed by instrument has them."""

NAKS = {"retryable": "NoResources", "unknown": "SymbolUnknown", "final": "AccessDenied"}

LAST_ROUNDS = 300
"""Rounds of two seconds in which all must be settled once nothing goes wrong any more."""

NO_SUCH_POST = 4_000_000


class WatchedRig(Rig):
    """A rig whose every frame is judged as it goes out, and whose connections do what the engine asks."""

    judge: Judge

    def pump(self) -> None:
        frames, commands = len(self.frames), len(self.commands)
        super().pump()
        assert_allowed(self.engine)
        self.judge.sent(self.frames[frames:], self.engine.session.session_id, self.now)
        for command in self.commands[commands:]:
            if isinstance(command, Disconnect):
                self.judge.line = None
            elif isinstance(command, Connect):
                self.judge.line = Line()


class MachineWorld:
    """One process at a time. ``sound`` is False from where a step failed: there is nothing to settle then."""

    sound = True

    def set_up(self, *, first_id: int, bounds: Bounds, in_flight: tuple[int, int], **policy: Any) -> None:
        """``in_flight``: ``max_outstanding`` and ``pack``; ``policy``: the rest of what the rig takes."""
        self.policy = {
            **policy,
            "max_outstanding": in_flight[0],
            "pack": in_flight[1],
            "first_post_id": first_id,
            "ack_timeout": ACK_TIMEOUT,
            "backoff": lambda _failures: 0.5,
            "bounds": bounds,
        }
        self.judge = Judge(*in_flight, bounds.span, conflate=policy["conflate"])
        for partition in (P0, P1):
            self.judge.logs[partition] = []
            self.judge.commits[partition] = Commit(0, "")
        self.start()

    def start(self, mono: float = 0.0, wall: int = 0) -> None:
        """A process; ``mono`` and ``wall``: how far the clocks are past those of a new rig."""
        self.rig = WatchedRig(**self.policy)
        self.rig.judge = self.judge
        self.began = (self.rig.mono, self.rig.wall)
        self.rig.mono += mono
        self.rig.wall += wall
        self.batch: Batch | None = None
        self.positions: dict[Partition, int] = {}
        self.behind: dict[Partition, int] = {}
        self.judge.begin()
        self.pause(*self.judge.paused)
        for partition in (P0, P1):
            self.assign(partition)

    @contextmanager
    def step(self) -> Iterator[WatchedRig]:
        """Whatever fails in here is the failure to report."""
        self.sound = False
        yield self.rig
        self.sound = True

    # The records

    def append(self, target: Key | Partition, fields: tuple[str, ...], gap: int) -> None:
        """A record of an instrument, or a poison one of a partition; ``gap``: offsets passed over before it."""
        key = None if isinstance(target, Partition) else target
        partition = target if isinstance(target, Partition) else HOMES[target]
        log, version = self.judge.logs[partition], len(self.judge.made) + 1
        offset = (log[-1].offset + 1 if log else 0) + gap
        value = None
        if key is not None:
            values = dict.fromkeys(fields, version)
            post = {"service": key[0], "ric": key[1], "type": "Update", "fields": values, "ruled": key in RULED_KEYS}
            value = msgspec.json.encode(post)
        made = Made(version, partition, offset, self.rig.wall // 1000, key, value)
        self.judge.made[version] = made
        log.append(made)

    def fetch(self, partition: Partition, most: int) -> None:
        """The next records of a partition, as far as they are wanted."""
        if partition not in self.judge.postable or partition in self.rig.engine.take_paused():
            return
        log, position = self.judge.logs[partition], self.positions[partition]
        found = log[position : position + most]
        self.positions[partition] = position + len(found)
        with self.step() as rig:
            if found:
                rig.handle(Records([(partition, [Record(r.offset, r.timestamp, b"k", r.value) for r in found])]))
            if self.behind.get(partition, len(log) + 1) <= self.positions[partition]:
                del self.behind[partition]
                rig.handle(CaughtUp(frozenset({partition})))

    # The group

    def assign(self, partition: Partition) -> None:
        """The partition comes, unless it is there or its offsets are not stable yet."""
        if partition in self.positions or self.judge.stopped or (self.batch and partition in self.batch.commits):
            return
        commit, log = self.judge.commits[partition], self.judge.logs[partition]
        self.positions[partition] = next((n for n, r in enumerate(log) if r.offset >= commit.offset), len(log))
        late = self.positions[partition] < len(log)
        if late:
            self.behind[partition] = len(log)
        self.judge.assigned(partition)
        with self.step() as rig:
            rig.handle(Assigned({partition: commit}, frozenset({partition} if late else ())))

    def revoking(self, partition: Partition) -> None:
        """The partition is about to go."""
        self.judge.postable.discard(partition)
        with self.step() as rig:
            rig.revoking(partition)

    def revoked(self, partition: Partition) -> None:
        """The partition goes, announced or not."""
        if self.positions.pop(partition, None) is not None:
            self.behind.pop(partition, None)
            self.judge.postable.discard(partition)
            with self.step() as rig:
                rig.revoked(partition)

    # Transactions

    def end_batch(self, *, durable: bool) -> None:
        """The transaction in flight, or the next, is written or not."""
        batch, self.batch = self.batch or self.rig.take(), None
        if batch is not None:
            with self.step() as rig:
                if durable:
                    self.judge.written(rig.decoded(batch), batch.commits)
                rig.handle(Committed(batch.number) if durable else NotCommitted(batch.number))

    # The session

    def come_up(self, steps: int = 4, up: tuple[bool, bool] = (True, True)) -> None:
        """The next steps to a session that posts."""
        for _ in range(steps):
            line = self.judge.line
            with self.step() as rig:
                if line is None:
                    rig.tick(1.0)
                elif rig.engine.connection.state is SessionState.CONNECTING:
                    rig.handle(Connected(rig.engine.connection.attempt))
                elif line.login_at is None:
                    line.login_at = rig.mono
                    rig.receive(login_refresh())
            if line is not None and line.login_at is not None and line.up is None:
                self.say_services(line, up)

    def say_services(self, line: Line, up: tuple[bool, bool]) -> None:
        """The source directory: whether TRCC and ALT are Up."""
        line.up = {"TRCC": up[0], "ALT": up[1]}
        with self.step() as rig:
            rig.receive(directory(up=up[0]), directory(up=up[1], name="ALT", service_id=2, kind="Update"))

    def break_off(self, how: str) -> None:
        """The session ends: ``login closed`` or ``nonsense`` where it is open, else the connection is cut."""
        line, self.judge.line = self.judge.line, None
        with self.step() as rig:
            if line is None or line.login_at is None or how == "cut":
                rig.lose()
            elif how == "login closed":
                rig.receive(login_status("Closed"))
            else:
                rig.handle(Received(rig.engine.connection.attempt, [b"nonsense"]))

    # Answers

    def answer(self, line: Line, post: Sent, kind: str) -> None:
        """``ACK``, one of ``NAKS``, ``ERROR`` with its echo, or ``nameless``: an Error without one."""
        if kind != "nameless":
            self.judge.answer(post, line, "NAK" if kind in NAKS else kind)
        if kind in ("ERROR", "nameless"):
            self.judge.doubt(line, post if kind == "ERROR" else None, self.rig.now)
        with self.step() as rig:
            if kind in NAKS:
                rig.ack(post.post_id, NakCode=NAKS[kind])
            elif kind == "ACK":
                rig.ack(post.post_id)
            else:
                rig.error(post.post_id if kind == "ERROR" else None)

    def answer_all(self) -> None:
        """Every post gets its Ack."""
        while (line := self.judge.line) is not None and line.open:
            self.answer(line, line.open[0], "ACK")

    def stray(self, *, nak: bool, duplicate: bool) -> None:
        """An answer nobody waits for: to a PostID that was never used, or one that was given already."""
        line = self.judge.line
        post_id = line.closed[-1].post_id if line is not None and line.closed and duplicate else NO_SUCH_POST
        with self.step() as rig:
            rig.ack(post_id, **({"NakCode": "AccessDenied"} if nak else {}))

    # The process

    def lease(self, seconds: float) -> None:
        """From now on the membership is proven for so long."""
        self.judge.may_post_until = self.rig.mono + seconds
        self.rig.lease(self.judge.may_post_until)

    def pause(self, *rics: str) -> None:
        """These RICs are paused from now on, and no others."""
        with self.step() as rig:
            self.judge.pause(*rics)
            rig.pause(*rics)

    def stop(self) -> None:
        """SIGTERM."""
        if not self.judge.stopped:
            self.judge.stopped = True
            self.judge.postable.clear()
            with self.step() as rig:
                rig.stop()

    def restart(self, *, durable: bool) -> None:
        """The process dies, its transaction written or not, and another begins."""
        if self.batch is not None and durable:
            with self.step() as rig:
                self.judge.written(rig.decoded(self.batch), self.batch.commits)
        self.start(self.rig.mono - self.began[0], self.rig.wall - self.began[1])

    # The end

    def settle(self) -> None:
        """Nothing goes wrong any more: every record gets its result."""
        self.end_batch(durable=True)
        self.pause()
        if self.judge.stopped:
            self._drain()
        for _ in range(LAST_ROUNDS):
            if not self.judge.missing:
                return
            self._one_calm_round()
        raise AssertionError(f"no result: {self.judge.missing}")

    def _one_calm_round(self) -> None:
        self.lease(float("inf"))
        for partition in (P0, P1):
            if partition not in self.judge.postable:
                self.revoked(partition)
                self.assign(partition)
            self.fetch(partition, 100)
        self.come_up()
        if self.judge.line is not None and self.judge.line.login_at is not None:
            self.say_services(self.judge.line, (True, True))
        self.answer_all()
        self.end_batch(durable=True)
        with self.step() as rig:
            rig.tick(2.0)

    def _drain(self) -> None:
        """A stop ends once all is answered and durable, and the next process goes on from there."""
        self.answer_all()
        for _ in range(LAST_ROUNDS):
            if self.rig.engine.drained:
                break
            self.end_batch(durable=True)
        assert self.rig.engine.drained, "a stop that does not end"
        self.restart(durable=False)
