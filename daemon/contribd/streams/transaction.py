"""One transaction, from its begin to its outcome: every decision of the sink, and nothing that it does.

Theory of operation
===================

Exactly once. The results of a batch and the offsets they settle are written in one Kafka transaction (KIP-98), so that
either all of it is there or none. Whoever consumes the partitions next begins at the offsets, and so makes results for
exactly those records that have none. A write ends in one of two outcomes: durable, and the engine forgets its records;
or not, and the engine hands them over again. Said to be durable and lost, a record would have no result; said to be
lost and durable, it would have two. So the whole of this module is about knowing which it is.

Fencing. Two things can keep a write from being ours. The first is the group: offsets go with the membership that they
were consumed under (KIP-447), and a transaction under a generation that is over is refused. The second is the
transactional.id: one producer at a time has it, and whoever opens another under the same name fences the one before
and ends what it left open. That is what a restart relies on, and what the sink itself relies on after every failure.
Both kinds of fencing can also come from a process that was given our name by mistake:

- ``FencedInstanceIdError``: the group says that another process has our static name. A coordinator that has just
  started may say so from a state of long ago (``group/fencing.py``), so the group is asked whether it knows us before
  anything else is done. If another process has replaced us, a new producer of ours would fence that of the other, which
  has the name now: we must not open one, and end instead.
- ``ProducerFencedError``: somebody opened a producer under our transactional.id. That may have been the broker itself,
  which bumps the epoch to end a transaction at its timeout: where this process was held up for longer than that, it
  proves nothing. Otherwise it is a fence, and ``FENCES`` of them within ``FENCE_WINDOW`` seconds are another process
  that runs under our name. Fencing each other for ever would serve nobody, so this process ends. One fence alone is
  normal: a restart in haste, or another member that took us for dead (``group/hanging_transactions.py``).

How long we were held up is taken from the clock that counted most: a host that is suspended or moved stops some of its
clocks, and which of them depends on the host.

Unknown outcome. A commit that was asked for and not answered may have happened, may happen still, or may be lost. There
is no request that tells what became of a transaction. But a new producer of the same name does not get past
``init_transactions`` before the transaction is over, one way or the other; from then on nothing can change it. Then the
group's offsets tell: every batch settles a record or counts a withdrawal, so its offset or its metadata differs from
the batch before, and where the group has one of our commits the transaction is durable. So the order is fixed: first
the new producer, then the question. An outcome before the commit was asked for is not in doubt: nothing of it counts.

The producer that failed is never used again. kafka-python (3.0.12) keeps the offsets of a transaction that failed, and
commits them with the next one, though their partitions may long be another member's.

Reading back. Offsets may come from a coordinator that has just started and loads its log from the beginning while it
answers. So the question is asked between two confirmations: the coordinator must take a heartbeat of ours before and
after. That shows that what it knows reaches up to our membership, but not up to our own commits in it. Those we
remember: since nobody else commits partitions that are ours, offsets that are neither those of this write nor those of
our last durable one come from a state before that. They are asked for again, for ``DISBELIEF_SECONDS``; after that they
are believed, as an operator may have set offsets by hand. What is remembered counts for one generation of the group
only: with the next, others may have had the partitions in between.

What never succeeds as it is. Most failures pass: a broker goes, a member comes. Those that do not are told apart by
what the brokers say (``client/refusals.py``). A record that its topic does not take, metadata that is too long for an
offset, a missing key: the limit is learned (``broker_limits.py``), and the batch is made anew within it. What only
somebody else can cure, such as a missing right, is tried again ever more rarely.

Where we are stopped, or replaced, before the group has answered, the outcome is told as not durable. Nobody acts on it:
the process ends, and its successor begins at the offsets, whatever they are.

The generator yields what is to be done next, and is sent what came of it, or has the error thrown into it that the
client raised. It has no clock: times come in as results.
"""

from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

from contribd.engine.records.commit_metadata import Commit
from contribd.engine.records.offsets import Partition
from contribd.engine.records.result_encoder import Encoded
from contribd.streams.broker_limits import LearnedLimits
from contribd.streams.client.errors import FencedInstanceIdError, ProducerFencedError
from contribd.streams.client.port import Member
from contribd.streams.client.refusals import Cure, cure_of
from contribd.streams.client.retrying import FAILURES, pause_after

FENCES: Final = 3
FENCE_WINDOW: Final = 120.0
"""So many fencings within so many seconds are another process with our name. Those of a transaction that was open for
longer than its timeout do not count: the broker itself ended it, since this process was held up."""

DISBELIEF_SECONDS: Final = 30.0
"""How long offsets are asked for again that cannot be the group's."""


FIRST_PAUSE: Final = 0.5
"""Seconds from a transaction that failed to the next try, so that a broker that refuses is not asked in a tight loop;
doubled with each that fails in a row."""

LONGEST_PAUSE: Final = {False: 5.0, True: 15.0}
"""Seconds it grows to: where the failure may pass by itself, and where somebody must act, and then waits for it."""


class Write(NamedTuple):
    """One transaction: results, the untouched input of rejected records, and the offsets they settle.

    ``member``: the membership that the records were consumed under.
    """

    number: int
    results: list[Encoded]
    rejects: list[Encoded]
    commits: dict[Partition, Commit]
    member: Member


class Times(NamedTuple):
    """``mono``: monotonic seconds; ``clocks``: the seconds of every clock there is."""

    mono: float
    clocks: tuple[float, ...]


# Steps of the producer. Any of FAILURES may come of them.


class Begin(NamedTuple):
    """Open a transaction."""


class Append(NamedTuple):
    """Add records to it."""

    results: Sequence[Encoded]
    rejects: Sequence[Encoded]


class SendOffsets(NamedTuple):
    """Add offsets to it."""

    commits: Mapping[Partition, Commit]
    member: Member


class CommitTransaction(NamedTuple):
    """Make it durable."""


class Renew(NamedTuple):
    """Give the producer up for a new one, however long that takes: False where the sink was stopped first."""


# Steps of a consumer that asks in the name of this process's member. Any of FAILURES may come of them.


class OpenConsumer(NamedTuple):
    """Open it."""


class Confirm(NamedTuple):
    """Ask whether the group knows us; where this process is no member, there is nobody to be known as."""


class ReadBack(NamedTuple):
    """The group's offsets: ``Found``."""

    partitions: Sequence[Partition]


# Steps that cannot fail.


class HangUp(NamedTuple):
    """Close the consumer that asked, if it was opened."""


class IsReplaced(NamedTuple):
    """Whether the group has another process for the member of our name."""


class Time(NamedTuple):
    """What time it is: ``Times``."""


class Wait(NamedTuple):
    """Let time pass: False where the sink is stopped."""

    seconds: float


class Failed(NamedTuple):
    """Say that so many results were not written, and why.

    ``learned``: the next try is within what the brokers take.
    """

    results: int
    error: Exception
    learned: bool = False


class HeldUp(NamedTuple):
    """Say that the broker ended the transaction, which had been open for so many seconds."""

    seconds: float


Step: TypeAlias = (
    Begin
    | Append
    | SendOffsets
    | CommitTransaction
    | Renew
    | OpenConsumer
    | Confirm
    | ReadBack
    | HangUp
    | IsReplaced
    | Time
    | Wait
    | Failed
    | HeldUp
)

Found: TypeAlias = dict[Partition, Commit | None]
"""What the group has committed of each partition."""


class Memory:
    """What is remembered from one write to the next."""

    def __init__(self, transaction_timeout: float, limits: LearnedLimits) -> None:
        """``transaction_timeout``: seconds after which the broker ends a transaction by itself."""
        self.transaction_timeout = transaction_timeout
        self.limits = limits
        self._failures = 0
        """Transactions in a row that were not durable."""
        self.pause = 0.0
        """Seconds to wait after the last one."""
        self.replaced = False
        """Another process has our transactional.id: this one must end."""
        self._fences: deque[float] = deque(maxlen=FENCES)
        self._generation: tuple[int, str] | None = None
        self._durable: dict[Partition, Commit] = {}
        """What was committed last of each partition, since the group was last rebalanced."""

    def committed(self, write: Write) -> None:
        """Its offsets are the group's, until another has the partition."""
        generation = write.member.generation, write.member.member_id
        if generation != self._generation:
            self._generation = generation
            self._durable.clear()
        self._durable.update(write.commits)
        self.forget_failures()

    def forget_failures(self) -> None:
        """All is well, or nothing is left of what could not be written."""
        self._failures, self.pause = 0, 0.0

    def failed(self, write: Write, error: Exception) -> Failed:
        """It is not written, as far as is known."""
        cure = cure_of(error)
        learned = self.limits.learn(cure, getattr(error, "topic", None), write.results, write.rejects, write.commits)
        lasting = cure is not Cure.AGAIN and not learned
        longest = LONGEST_PAUSE[lasting]
        self.pause = 0.0 if learned else min(FIRST_PAUSE * 2.0 ** min(self._failures, 10), longest)
        self._failures += 1
        return Failed(len(write.results), error, learned)

    def is_stale(self, found: Found) -> bool:
        """Whether it was another state that the last durable transaction left. Nobody else commits our partitions."""
        return any(each in self._durable and commit != self._durable[each] for each, commit in found.items())

    def fenced(self, mono: float) -> None:
        """At so many monotonic seconds, by somebody who opened a producer of our name."""
        self._fences.append(mono)
        if len(self._fences) == FENCES and mono - self._fences[0] < FENCE_WINDOW:
            self.replaced = True


Steps: TypeAlias = Generator[Step, Any, bool]


def transact(write: Write, memory: Memory) -> Steps:
    """Whether the transaction is durable. An outcome that cannot be known at once is read back."""
    began: Times = yield Time()
    asked = False
    try:
        yield Begin()
        yield Append(write.results, write.rejects)
        yield SendOffsets(write.commits, write.member)
        asked = True
        yield CommitTransaction()
    except FAILURES as error:
        failure = error
    else:
        memory.committed(write)
        return True
    yield memory.failed(write, failure)
    member_fenced, producer_fenced = (
        isinstance(failure, FencedInstanceIdError),
        isinstance(failure, ProducerFencedError),
    )
    del failure  # its traceback holds this frame, and so all results, until the collector comes
    if member_fenced and not (yield from _is_known()):
        return False  # another producer of our name would fence that of the process which has the name now
    if producer_fenced:
        yield from _note_fence(began, memory)
    if not (yield Renew()):
        return False
    return asked and (yield from _read_back(write, memory))


def _note_fence(began: Times, memory: Memory) -> Generator[Step, Any, None]:
    now: Times = yield Time()
    if (held := since(began, now)) >= memory.transaction_timeout:
        yield HeldUp(held)
    else:
        memory.fenced(now.mono)


def _read_back(write: Write, memory: Memory) -> Steps:
    """Whether the group's offsets are those of the transaction, which is over by now: it is durable then."""
    now: Times = yield Time()
    believed_from = now.mono + DISBELIEF_SECONDS

    def is_credible(found: Found, mono: float) -> bool:
        return _has_one_of(write, found) or not memory.is_stale(found) or mono >= believed_from

    found = yield from _ask(tuple(write.commits), is_credible)
    durable = found is not None and _has_one_of(write, found)
    if durable:
        memory.committed(write)
    return durable


def _has_one_of(write: Write, found: Found) -> bool:
    return any(found[each] == commit for each, commit in write.commits.items())


def _is_known() -> Steps:
    """Whether the group knows us."""
    return (yield from _ask((), lambda _found, _mono: True)) is not None


def _ask(
    partitions: Sequence[Partition], is_credible: Callable[[Found, float], bool]
) -> Generator[Step, Any, Found | None]:
    """What the group says between two confirmations that it knows us, asked for until it does and it is credible.

    None where this process was stopped or replaced before.
    """
    tries = 0
    while not (yield IsReplaced()):
        tries += 1
        found = yield from _between_confirmations(partitions, is_credible)
        yield HangUp()
        if found is not None:
            return found
        if not (yield Wait(pause_after(tries))):
            return None
    return None


def _between_confirmations(
    partitions: Sequence[Partition], is_credible: Callable[[Found, float], bool]
) -> Generator[Step, Any, Found | None]:
    """What the group says; None where that is not credible, or it cannot be asked, or does not know us."""
    try:
        yield OpenConsumer()
        yield Confirm()
        found: Found = yield ReadBack(partitions)
        now: Times = yield Time()
        if not is_credible(found, now.mono):
            return None
        yield Confirm()
    except FAILURES:
        return None
    return found


def since(then: Times, now: Times) -> float:
    """Seconds from ``then`` to ``now``, by the clock that counted most."""
    return max(later - earlier for later, earlier in zip(now.clocks, then.clocks, strict=True))
