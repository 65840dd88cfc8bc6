"""What is held against an instrument whose posts may do harm, or get no answer."""

from collections import Counter
from itertools import islice
from typing import Final, NamedTuple

import msgspec

from contribd.engine.limits import MAX_ISOLATED, MAX_SHOWN, WATCHED_FOR, WATCHED_INTERVAL
from contribd.engine.records.keys import Key
from contribd.engine.states import ISOLATION_TRANSITIONS, IsolationEvent, IsolationState

_SILENT: Final = IsolationState.SILENT


class Isolation(msgspec.Struct, eq=False, gc=False):
    """Of one RIC of one service, from the first sign until a post of it is answered. Times are monotonic seconds."""

    state: IsolationState
    losses: int = 0
    """Sessions that ended while a post of it was in flight."""
    offences: int = 0
    """Those that its post ended for certain."""
    not_before: float = 0.0
    """Its next post waits until then."""
    watched_until: float = 0.0
    exhausted: bool = False
    """Its attempts are used up: each further price has one."""
    passed_over: bool = False
    """Its last post without an answer was passed over: a later one, of another, had its own."""
    told: bool = False
    """The log has named it."""

    @property
    def silent(self) -> bool:
        """Whether its posts are merely not answered: they may go beside others."""
        return self.state is _SILENT

    @property
    def convicted(self) -> bool:
        """Whether its last post without an answer ended a session for certain."""
        return self.state is IsolationState.OFFENDER

    @property
    def hopeless(self) -> bool:
        """Whether its prices may be given up where others have to wait for them."""
        return self.convicted or (self.silent and self.passed_over)

    def lost(self) -> None:
        """A session ended with a post of it in flight, beside others."""
        self.losses += 1
        self._move(IsolationEvent.LOST)

    def convict(self, mono: float, wait: float) -> None:
        """Its post ended a session: the next one waits ``wait`` seconds."""
        self.losses += 1
        self.offences += 1
        self.not_before = mono + wait
        self.watched_until = self.not_before + WATCHED_FOR
        self._move(IsolationEvent.CONVICTED)

    def unanswered(self, *, passed_over: bool) -> None:
        """A post of it got no answer in time. Where it was not passed over nothing is known of it by that."""
        if passed_over or self.silent:
            self.exhausted, self.passed_over = False, passed_over
            self._move(IsolationEvent.UNANSWERED)

    def answered(self, mono: float) -> bool:
        """A post of it was answered; whether it is isolated still."""
        if mono >= self.watched_until:
            return False
        self.exhausted, self.not_before = False, mono + WATCHED_INTERVAL
        self._move(IsolationEvent.ANSWERED)
        return True

    def exhaust(self) -> None:
        """The attempts of an offender are used up."""
        self.exhausted = self.convicted

    def tell(self) -> bool:
        """Whether the log has still to name it; it has from now on."""
        told, self.told = self.told, True
        return not told

    def _move(self, event: IsolationEvent) -> None:
        self.state = ISOLATION_TRANSITIONS[self.state, event]


class IsolatedInstrument(NamedTuple):
    """One of them at one moment. ``sessions_ended``: by its posts, for certain; ``wait``: seconds its next post waits
    at least."""

    service: str
    ric: str
    state: IsolationState
    sessions_ended: int
    wait: float


class Isolations:
    """Those there are, by instrument; they outlive what the instrument has to post."""

    def __init__(self) -> None:
        self.by_key: dict[Key, Isolation] = {}

    def __len__(self) -> int:
        return len(self.by_key)

    def begin(self, key: Key, state: IsolationState) -> Isolation:
        """An instrument is isolated from now on."""
        while len(self.by_key) >= MAX_ISOLATED:
            del self.by_key[next(iter(self.by_key))]
        isolation = self.by_key[key] = Isolation(state)
        return isolation

    def end(self, key: Key) -> None:
        """Nothing is held against it any more."""
        self.by_key.pop(key, None)

    def count(self) -> Counter[IsolationState]:
        """How many there are in each state."""
        return Counter(isolation.state for isolation in self.by_key.values())

    def named(self, mono: float) -> tuple[IsolatedInstrument, ...]:
        """Those of whom more is known than that they were in flight when a session ended; a bounded number."""
        known = ((key, one) for key, one in self.by_key.items() if one.state is not IsolationState.IN_DOUBT)
        return tuple(
            IsolatedInstrument(*key, one.state, one.offences, max(0.0, one.not_before - mono))
            for key, one in islice(known, MAX_SHOWN)
        )

    def hopeless(self) -> list[Key]:
        """Those whose prices may be given up where others have to wait for them."""
        return [key for key, isolation in self.by_key.items() if isolation.hopeless]
