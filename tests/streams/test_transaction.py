"""What the sink decides, by sending each step's outcome by hand."""

from typing import Any

import pytest
from kafka.errors import (
    CommitFailedError,
    FencedInstanceIdError,
    KafkaError,
    KafkaTimeoutError,
    OffsetMetadataTooLargeError,
    ProducerFencedError,
    TopicAuthorizationFailedError,
)

from contribd.engine.records.commit_metadata import Commit
from contribd.engine.records.offsets import Partition
from contribd.engine.records.result_encoder import Encoded
from contribd.streams.broker_limits import LearnedLimits
from contribd.streams.client.port import Member
from contribd.streams.transaction import (
    DISBELIEF_SECONDS,
    FENCE_WINDOW,
    FENCES,
    Append,
    Begin,
    CommitTransaction,
    Confirm,
    Failed,
    HangUp,
    HeldUp,
    IsReplaced,
    Memory,
    OpenConsumer,
    ReadBack,
    Renew,
    SendOffsets,
    Step,
    Time,
    Times,
    Wait,
    Write,
    transact,
)

P0, P1 = Partition("prices", 0), Partition("prices", 1)
RESULT, REJECT = Encoded(b"k", b"r", []), Encoded(None, b"x", [])
TIMEOUT = 10.0


def write_of(offset: int, generation: int = 1, member_id: str = "a") -> Write:
    return Write(offset, [RESULT], [REJECT], {P0: Commit(offset, "")}, Member(generation, member_id, "one"))


def memory_of() -> Memory:
    return Memory(TIMEOUT, LearnedLimits("results", "rejects"))


class Script:
    """Answers each step by ``answers`` of its kind: a value, an error, or what is to be called; the rest goes well."""

    def __init__(self, memory: Memory | None = None, /, **answers: object) -> None:
        self.memory = memory or memory_of()
        self.answers = {name: list(each) if isinstance(each, list) else each for name, each in answers.items()}
        self.mono = 1000.0
        self.slept = 0.0
        """What the clocks but the monotonic one have counted besides."""
        self.steps: list[Step] = []

    def run(self, write: Write) -> bool:
        transaction = transact(write, self.memory)
        answer: Any = None
        try:
            while True:
                step = transaction.throw(answer) if isinstance(answer, Exception) else transaction.send(answer)
                self.steps.append(step)
                answer = self._answer(step)
        except StopIteration as outcome:
            return bool(outcome.value)

    def _answer(self, step: Step) -> object:
        found = self.answers.get(type(step).__name__)
        if isinstance(found, list):
            found = found.pop(0) if found else None
        if callable(found):
            found = found()
        if found is not None:
            return found
        return self._usual(step)

    def _usual(self, step: Step) -> object:
        match step:
            case Time():
                return Times(self.mono, (self.mono, self.mono + self.slept))
            case Wait():
                self.mono += step.seconds
                return True
            case Renew():
                return True
            case IsReplaced():
                return False
            case ReadBack():
                return dict.fromkeys(step.partitions)
            case _:
                return None

    @property
    def kinds(self) -> list[type[Step]]:
        """What was done, without the looks at the clock."""
        return [type(step) for step in self.steps if type(step) is not Time]


def test_all_goes_well() -> None:
    script = Script()
    write = write_of(7)
    assert script.run(write)
    assert script.steps[1:] == [
        Begin(),
        Append([RESULT], [REJECT]),
        SendOffsets({P0: Commit(7, "")}, write.member),
        CommitTransaction(),
    ]


@pytest.mark.parametrize("error", [CommitFailedError("stale"), KafkaError("odd"), OSError("broke"), ValueError("?")])
@pytest.mark.parametrize("step", ["Begin", "Append", "SendOffsets"])
def test_an_outcome_before_the_commit_was_asked_for_is_not_in_doubt(step: str, error: Exception) -> None:
    script = Script(**{step: error})
    assert not script.run(write_of(7))
    assert script.kinds[-2:] == [Failed, Renew]
    assert Failed(1, error, learned=False) in script.steps
    assert ReadBack not in script.kinds


def test_the_outcome_of_a_commit_that_was_asked_for_is_read_back_after_a_new_producer_is_there() -> None:
    script = Script(CommitTransaction=KafkaTimeoutError("no answer"), ReadBack={P0: Commit(7, "")})
    assert script.run(write_of(7))
    tail = [Failed, Renew, IsReplaced, OpenConsumer, Confirm, ReadBack, Confirm, HangUp]
    assert script.kinds[-len(tail) :] == tail


def test_other_offsets_say_that_it_is_not_durable() -> None:
    script = Script(CommitTransaction=KafkaTimeoutError("no answer"), ReadBack={P0: Commit(3, "")})
    assert not script.run(write_of(7))
    assert script.kinds.count(ReadBack) == 1


def test_one_of_its_offsets_is_enough() -> None:
    """Another member may have taken the other partition over, and committed more."""
    write = write_of(7)._replace(commits={P0: Commit(7, ""), P1: Commit(5, "")})
    found = {P0: Commit(90, ""), P1: Commit(5, "")}
    assert Script(CommitTransaction=KafkaTimeoutError(), ReadBack=found).run(write)


def test_the_offset_alone_is_not_enough() -> None:
    script = Script(CommitTransaction=KafkaTimeoutError(), ReadBack={P0: Commit(7, "contribd1:Ag==")})
    assert not script.run(write_of(7))


@pytest.mark.parametrize("asking", ["OpenConsumer", "ReadBack", "Confirm"])
def test_the_group_is_asked_until_it_answers_between_two_confirmations(asking: str) -> None:
    answers: dict[str, object] = {"ReadBack": {P0: Commit(7, "")}, "CommitTransaction": KafkaTimeoutError()}
    answers[asking] = [KafkaError("not now"), OSError("nor now"), answers.get(asking)]
    script = Script(**answers)
    assert script.run(write_of(7))
    assert [step.seconds for step in script.steps if isinstance(step, Wait)] == [1.0, 2.0]
    assert script.kinds.count(HangUp) == 3


def test_an_answer_counts_only_where_it_is_confirmed_afterwards() -> None:
    script = Script(
        CommitTransaction=KafkaTimeoutError(),
        ReadBack=[{P0: Commit(7, "")}, {P0: Commit(3, "")}],
        Confirm=[None, KafkaError("unknown member")],
    )
    assert not script.run(write_of(7))


def test_pauses_between_questions_grow_to_ten_seconds() -> None:
    script = Script(CommitTransaction=KafkaTimeoutError(), OpenConsumer=[KafkaError("away")] * 7)
    assert not script.run(write_of(7))
    assert [step.seconds for step in script.steps if isinstance(step, Wait)] == [1, 2, 4, 8, 10, 10, 10]


def test_a_stop_ends_the_questions_and_the_next_run_finds_out() -> None:
    script = Script(CommitTransaction=KafkaTimeoutError(), OpenConsumer=KafkaError("away"), Wait=[True, False])
    assert not script.run(write_of(7))
    assert script.kinds.count(OpenConsumer) == 2


def test_a_stop_before_a_new_producer_is_there_ends_it() -> None:
    script = Script(CommitTransaction=KafkaTimeoutError(), Renew=False)
    assert not script.run(write_of(7))
    assert script.kinds[-1] is Renew


def test_a_process_that_was_replaced_asks_nobody() -> None:
    script = Script(CommitTransaction=KafkaTimeoutError(), IsReplaced=True)
    assert not script.run(write_of(7))
    assert script.kinds[-1] is IsReplaced


class TestFailuresInARow:
    """A broker that refuses is not asked in a tight loop; one that refuses for ever, ever more rarely."""

    @pytest.mark.parametrize(("error", "longest"), [(KafkaError(), 5.0), (TopicAuthorizationFailedError(), 15.0)])
    def test_pauses_grow_to_a_bound_and_a_success_ends_them(self, error: Exception, longest: float) -> None:
        memory, pauses = memory_of(), []
        for _ in range(12):
            Script(memory, SendOffsets=error).run(write_of(7))
            pauses.append(memory.pause)
        assert pauses[:3] == [0.5, 1.0, 2.0]
        assert pauses[-1] == max(pauses) == longest
        Script(memory).run(write_of(7))
        assert memory.pause == 0.0

    def test_what_is_made_to_fit_is_tried_again_at_once(self) -> None:
        memory, error = memory_of(), OffsetMetadataTooLargeError()
        write = write_of(7)._replace(commits={P0: Commit(7, "x" * 400)})
        script = Script(memory, SendOffsets=error)
        script.run(write)
        assert Failed(1, error, learned=True) in script.steps
        assert memory.limits.now.metadata == 200
        assert memory.pause == 0.0


class TestStaticName:
    """The group says that another has our name."""

    def test_where_it_knows_us_all_the_same_it_only_costs_the_transaction(self) -> None:
        script = Script(SendOffsets=FencedInstanceIdError())
        assert not script.run(write_of(7))
        tail = [Failed, IsReplaced, OpenConsumer, Confirm, ReadBack, Confirm, HangUp, Renew]
        assert script.kinds[-len(tail) :] == tail
        assert not script.memory.replaced

    def test_where_another_has_replaced_us_no_producer_of_ours_fences_its_own(self) -> None:
        script = Script(SendOffsets=FencedInstanceIdError(), Confirm=KafkaError("fenced"), IsReplaced=[False, True])
        assert not script.run(write_of(7))
        assert Renew not in script.kinds


class TestFences:
    """Somebody opened a producer of our name."""

    def fence(self, memory: Memory, at: float, held: float = 0.0) -> Script:
        script = Script(memory)
        script.mono = at

        def freeze() -> object:
            script.slept += held
            return ProducerFencedError()

        script.answers["CommitTransaction"] = freeze
        assert not script.run(write_of(7))
        return script

    def test_three_in_a_short_while_are_another_process(self) -> None:
        memory = memory_of()
        for number in range(FENCES):
            assert not memory.replaced
            self.fence(memory, 1000.0 + number * (FENCE_WINDOW / FENCES))
        assert memory.replaced

    def test_three_in_a_longer_while_are_not(self) -> None:
        memory = memory_of()
        for number in range(5):
            self.fence(memory, 1000.0 + number * FENCE_WINDOW / (FENCES - 1))
        assert not memory.replaced

    def test_those_of_a_process_that_was_held_up_do_not_count(self) -> None:
        memory = memory_of()
        for number in range(FENCES + 1):
            script = self.fence(memory, 1000.0 + number, held=TIMEOUT)
            assert HeldUp(TIMEOUT) in script.steps
        assert not memory.replaced

    def test_a_fenced_commit_may_be_durable_all_the_same(self) -> None:
        assert Script(CommitTransaction=ProducerFencedError(), ReadBack={P0: Commit(7, "")}).run(write_of(7))


class TestDisbelief:
    """Offsets of before our last durable transaction."""

    def after(self, *writes: Write, **answers: object) -> Script:
        memory = memory_of()
        for write in writes:
            assert Script(memory).run(write)
        return Script(memory, CommitTransaction=KafkaTimeoutError(), **answers)

    def test_they_are_asked_for_again(self) -> None:
        script = self.after(write_of(100), ReadBack=[{P0: Commit(7, "")}, {P0: None}, {P0: Commit(110, "")}])
        assert script.run(write_of(110))
        assert script.kinds.count(Confirm) == 4

    def test_but_not_for_ever(self) -> None:
        script = self.after(write_of(100), ReadBack={P0: Commit(7, "")})
        began = script.mono
        assert not script.run(write_of(110))
        assert DISBELIEF_SECONDS <= script.mono - began < DISBELIEF_SECONDS + 10

    def test_those_of_the_last_durable_one_say_that_the_next_was_not(self) -> None:
        script = self.after(write_of(100), ReadBack={P0: Commit(100, "")})
        assert not script.run(write_of(110))
        assert script.kinds.count(ReadBack) == 1

    @pytest.mark.parametrize("next_one", [(2, "a"), (1, "b")])
    def test_with_the_next_generation_another_may_have_committed(self, next_one: tuple[int, str]) -> None:
        other = write_of(50, *next_one)._replace(commits={P1: Commit(50, "")})
        script = self.after(write_of(100), other, ReadBack={P0: Commit(205, "")})
        assert not script.run(write_of(210, *next_one))
        assert script.kinds.count(ReadBack) == 1

    def test_one_that_was_read_back_is_remembered_too(self) -> None:
        memory = memory_of()
        lost = KafkaTimeoutError()
        assert Script(memory, CommitTransaction=lost, ReadBack={P0: Commit(100, "")}).run(write_of(100))
        script = Script(memory, CommitTransaction=lost, ReadBack=[{P0: Commit(90, "")}, {P0: Commit(100, "")}])
        assert not script.run(write_of(110))
        assert script.kinds.count(ReadBack) == 2
