"""Anything in any order, with a judge outside: what the engine promises holds after each step and in the end."""

from collections.abc import Sequence
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from tests.engine.judge import LAST_POST_ID, Key
from tests.engine.machine_world import HOMES, NAKS, MachineWorld
from tests.engine.rig import P0, P1

from contribd.engine.limits import Bounds
from contribd.engine.records.offsets import Partition

PARTITIONS = st.sampled_from([P0, P1])
RECORDS = st.tuples(
    st.sampled_from([*HOMES, *HOMES, *HOMES, P0, P1]),  # a partition: a poison record there
    st.sampled_from([("BID",), ("ASK",), ("BID", "ASK")]),
    st.sampled_from([0, 0, 0, 2]),
)
KINDS = st.sampled_from(["ACK", "ACK", "ACK", *NAKS, "ERROR", "nameless"])
BOUNDS = st.sampled_from([Bounds(span=4, waiting_records=6, batch_results=2), Bounds(span=64)])
DISTURBANCES = st.sampled_from(
    ["cut", "login closed", "nonsense", "lease", "lease renewed", "stop", "killed", "killed"]
)


# Without these a machine spends most of its steps where nothing can go wrong.


def unsettled(machine: "EngineMachine") -> bool:
    return bool(machine.judge.missing)


def writable(machine: "EngineMachine") -> bool:
    return machine.batch is not None or machine.rig.engine.outbox.can_take


def answerable(machine: "EngineMachine") -> bool:
    return machine.judge.line is not None and bool(machine.judge.line.open)


def down(machine: "EngineMachine") -> bool:
    return machine.judge.line is None or machine.judge.line.up is None


class EngineMachine(MachineWorld, RuleBasedStateMachine):
    """What can happen, one rule each; the judge looks at every frame and every transaction."""

    @initialize(
        conflate=st.booleans(),
        max_age=st.sampled_from([None, None, 3_000_000]),
        create_missing=st.booleans(),
        bounds=BOUNDS,
        in_flight=st.sampled_from([(1, 1), (3, 2), (5, 20)]),
        first_id=st.sampled_from([1, LAST_POST_ID - 2]),
    )
    def begin(self, **plan: Any) -> None:
        self.set_up(**plan)
        self.come_up()

    def teardown(self) -> None:
        if self.sound and hasattr(self, "rig"):
            self.settle()

    @rule(new=st.lists(RECORDS, min_size=1, max_size=6), hand_over=st.sampled_from([True, True, True, False]))
    def produce(self, new: Sequence[tuple[Key | Partition, tuple[str, ...], int]], *, hand_over: bool) -> None:
        for target, fields, gap in new:
            self.append(target, fields, gap)
        if hand_over:
            for partition in (P0, P1):
                self.fetch(partition, len(new))

    @precondition(unsettled)
    @rule(partition=PARTITIONS, most=st.integers(1, 6))
    def read_on(self, partition: Partition, most: int) -> None:
        self.fetch(partition, most)

    @precondition(unsettled)
    @rule(partition=PARTITIONS, how=st.sampled_from(["revoking", "revoked", "moved", "moved"]))
    def rebalance(self, partition: Partition, how: str) -> None:
        if partition not in self.positions:
            self.assign(partition)
        elif how == "revoking":
            self.revoking(partition)
        else:
            self.revoked(partition)
        if how == "moved":
            self.assign(partition)
            self.fetch(partition, 10)

    @precondition(writable)
    @rule()
    def take_batch(self) -> None:
        self.batch = self.batch or self.rig.take()

    @precondition(writable)
    @rule()
    def commit(self) -> None:
        self.end_batch(durable=True)

    @precondition(writable)
    @rule()
    def fail(self) -> None:
        self.end_batch(durable=False)

    @precondition(down)
    @rule(steps=st.integers(1, 4), up=st.sampled_from([(True, True), (True, False), (False, True)]))
    def go_on(self, steps: int, up: tuple[bool, bool]) -> None:
        self.come_up(steps, up)

    @precondition(lambda self: unsettled(self) and not down(self))
    @rule(up=st.sampled_from([(True, True), (True, True), (True, False), (False, True), (False, False)]))
    def change_services(self, up: tuple[bool, bool]) -> None:
        if (line := self.judge.line) is not None:
            self.say_services(line, up)

    @precondition(answerable)
    @rule(index=st.integers(0, 4), kind=KINDS)
    def answer_one(self, index: int, kind: str) -> None:
        if (line := self.judge.line) is not None:
            self.answer(line, line.open[index % len(line.open)], kind)

    @precondition(answerable)
    @rule(kinds=st.lists(KINDS, min_size=1, max_size=5))
    def answer_in_turn(self, kinds: list[str]) -> None:
        for kind in kinds:
            if (line := self.judge.line) is not None and line.open:
                self.answer(line, line.open[0], kind)

    @precondition(answerable)
    @rule(nak=st.booleans(), duplicate=st.booleans())
    def answer_nobody(self, *, nak: bool, duplicate: bool) -> None:
        self.stray(nak=nak, duplicate=duplicate)

    @precondition(unsettled)
    @rule(seconds=st.sampled_from([0.01, 0.6, 1.0, 4.0, 16.0]))
    def wait(self, seconds: float) -> None:
        with self.step() as rig:
            rig.tick(seconds)

    @precondition(unsettled)
    @rule(rics=st.sampled_from([("R0",), ("R1",), ("R0", "R1"), (), ()]))
    def order(self, rics: tuple[str, ...]) -> None:
        self.pause(*rics)

    @precondition(unsettled)
    @rule(how=DISTURBANCES, durable=st.booleans())
    def disturb(self, how: str, *, durable: bool) -> None:
        if how.startswith("lease"):
            self.lease(float("inf") if how == "lease renewed" else 0.0)
        elif how == "killed":
            self.restart(durable=durable)
        elif how == "stop":
            self.stop()
        else:
            self.break_off(how)


TestEngineMachine = EngineMachine.TestCase
TestEngineMachine.settings = settings(max_examples=200, stateful_step_count=50)
