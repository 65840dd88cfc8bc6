"""The instruments that have something to post, and whose turn it is."""

from collections import deque
from collections.abc import Iterator
from itertools import takewhile
from typing import Final

import msgspec

from contribd.engine.records.isolation import Isolation, Isolations
from contribd.engine.records.keys import Key
from contribd.engine.records.offsets import OffsetTracker
from contribd.engine.records.price import Price, Reason, Withdrawal
from contribd.engine.states import INSTRUMENT_TRANSITIONS, InstrumentEvent, InstrumentState, IsolationState, PriceState

_IDLE: Final = InstrumentState.IDLE  # a member costs less as a global, and every record asks for several
_QUEUED: Final = InstrumentEvent.QUEUED
_SENT: Final = InstrumentEvent.SENT
_ANSWERED: Final = InstrumentEvent.SETTLED
_SETTLED: Final = PriceState.SETTLED
_COMMITTING: Final = InstrumentState.COMMITTING
_WAITS: Final = (InstrumentState.READY, InstrumentState.BACKING_OFF)


class Instrument(msgspec.Struct, eq=False, gc=False):
    """One RIC of one service. It exists only while it has something to do: an idle instrument costs nothing."""

    key: Key
    state: InstrumentState = _IDLE
    waiting: deque[Price] = msgspec.field(default_factory=deque)
    """Prices not in flight, oldest first; settled ones (expired) are passed over."""
    create: bool = False
    """The next post is a Refresh, since the ADS said that the item does not exist."""
    alone: bool = False
    """The next post goes in a frame of its own, since an Error could not be told from its frame mates'."""
    tries: int = 0
    """Posts of the prices it has now, or of older ones merged into them, since one was settled."""
    isolation: Isolation | None = None
    """What is held against it; None for nearly all."""
    retry_at: float = 0.0
    """Monotonic time of the next post, while backing off."""
    unsettled: int = 0
    """Results that it has to wait for before it may post, beside the one it is committing."""

    # Its posts

    def send(self) -> None:
        """Its post goes out."""
        self.state = INSTRUMENT_TRANSITIONS[self.state, _SENT]

    def settle(self) -> None:
        """Its post got its last answer: what was to be heeded for the next post of the same prices is not any more."""
        self.create = self.alone = False
        self.tries = 0
        self.state = INSTRUMENT_TRANSITIONS[self.state, _ANSWERED]

    def retry(self, group: list[Price], at: float) -> None:
        """The prices of its post are to be posted again, from ``at`` (monotonic seconds) on."""
        self.put_back(group)
        self.tries += 1
        self.retry_at = at
        self.state = INSTRUMENT_TRANSITIONS[self.state, InstrumentEvent.RETRY]

    def hold(self, group: list[Price], until: float) -> None:
        """The prices of its next post wait until then (monotonic seconds)."""
        self.put_back(group)
        self.retry_at = until
        self.state = INSTRUMENT_TRANSITIONS[self.state, InstrumentEvent.HELD]

    def settle_one(self) -> None:
        """One of its prices is settled out of its turn: nothing is posted before the result is durable."""
        self.unsettled += 1
        if self.state is _IDLE:
            self.await_results()

    def await_results(self) -> None:
        """It is idle, and results of prices that were settled out of their turn are not durable."""
        if not self.waiting:
            self.create = self.alone = False
            self.tries = 0
        self.unsettled -= 1
        self.state = INSTRUMENT_TRANSITIONS[self.state, InstrumentEvent.UNSETTLED]

    def create_item(self) -> None:
        """The ADS does not have the item: the next post is to create it."""
        self.create = True

    def send_alone(self, *, alone: bool = True) -> None:
        """Whether the next post goes in a frame of its own."""
        self.alone = alone

    def isolate(self, isolation: Isolation | None) -> None:
        """What is held against it from now on."""
        self.isolation = isolation

    # Its prices

    def put_back(self, prices: list[Price]) -> None:
        """Prices taken from the head are not posted now; they stay the first, in their order."""
        self.waiting.extendleft(reversed(prices))

    def take_out(self, trackers: set[OffsetTracker]) -> list[Price]:
        """The waiting prices of these partitions, which do not wait here any more."""
        taken = [price for price in self.waiting if price.tracker in trackers]
        if taken:
            kept = [price for price in self.waiting if price.tracker not in trackers]
            self.waiting.clear()
            self.waiting.extend(kept)
        return taken

    @property
    def is_stopping(self) -> bool:
        """Whether the next thing it has to post are the blanks of a stop."""
        return bool(self.waiting) and type(head := self.waiting[0]) is Withdrawal and head.reason is Reason.STOP

    def drop_settled(self) -> None:
        """Lets go of prices that expired while they waited."""
        waiting = self.waiting
        while waiting and waiting[0].state is _SETTLED:
            waiting.popleft()


class Instruments:
    """All instruments with something to do, and for each service those whose next post may go, first come first.

    Isolated ones are kept apart, and what is held against them is known while they have nothing to do.
    """

    __slots__ = ("_instruments", "_ready", "_silent", "_trials", "isolations")

    def __init__(self) -> None:
        self._instruments: dict[tuple[str, str], Instrument] = {}
        self._ready: dict[str, deque[Instrument]] = {}
        self.isolations = Isolations()
        self._trials: deque[Instrument] = deque()
        """Isolated and ready, each for a trial."""
        self._silent: deque[Instrument] = deque()
        """Silent and ready."""

    def __len__(self) -> int:
        return len(self._instruments)

    def __contains__(self, key: Key) -> bool:
        return key in self._instruments

    def __iter__(self) -> Iterator[Instrument]:
        return iter(list(self._instruments.values()))

    def waiting(self) -> Iterator[Price]:
        """All prices that wait."""
        return (price for instrument in self for price in instrument.waiting if price.state is not _SETTLED)

    def services(self) -> list[str]:
        """Services that something is ready for."""
        return [service for service, ready in self._ready.items() if ready]

    def queue(self, price: Price) -> None:
        """A new price, behind those that wait already."""
        mapped = price.mapped
        key = (mapped.service, mapped.ric)
        instrument = self._instruments.get(key)
        if instrument is None:
            instrument = self._begin(key)
        else:
            instrument.drop_settled()
        instrument.waiting.append(price)
        if instrument.state is _IDLE:
            self._make_ready(instrument, _QUEUED)

    def _begin(self, key: Key) -> Instrument:
        instrument = self._instruments[key] = Instrument(key)
        if self.isolations.by_key:
            instrument.isolate(self.isolations.by_key.get(key))
        return instrument

    def settle_one(self, price: Price) -> Instrument:
        """A price is settled out of its turn; the instrument that waits for the result, which releases it."""
        key = (price.mapped.service, price.mapped.ric)
        instrument = self._instruments.get(key) or self._begin(key)
        instrument.settle_one()
        return instrument

    def older(self, price: Price) -> list[Price]:
        """The prices of its RIC that wait ahead of a waiting price."""
        instrument = self._instruments.get((price.mapped.service, price.mapped.ric))
        if instrument is None:
            return []
        instrument.drop_settled()
        return [old for old in takewhile(lambda old: old is not price, instrument.waiting) if old.state is not _SETTLED]

    def busy(self, key: tuple[str, str]) -> bool:
        """Whether an instrument, (service, RIC), has a price that waits or is in flight."""
        instrument = self._instruments.get(key)
        if instrument is None:
            return False
        instrument.drop_settled()
        return bool(instrument.waiting) or instrument.state is InstrumentState.IN_FLIGHT

    def has_price(self, key: Key) -> bool:
        """Whether a price of a record waits."""
        instrument = self._instruments.get(key)
        return instrument is not None and any(
            type(price) is Price and price.state is not _SETTLED for price in instrument.waiting
        )

    def own_post(self, price: Price) -> Price | None:
        """What waits for a price's instrument and is of no record (blanks, values to be posted once more); None where
        there is none."""
        instrument = self._instruments.get((price.mapped.service, price.mapped.ric))
        if instrument is None or not instrument.waiting:
            return None
        last = instrument.waiting[-1]
        return last if type(last) is not Price and last.state is not _SETTLED else None

    def pop_ready(self, service: str) -> Instrument | None:
        """The instrument of this service that became ready first, with something to post; None where there is none."""
        ready = self._ready.get(service)
        while ready:
            instrument = ready.popleft()
            instrument.drop_settled()
            if instrument.waiting and not instrument.unsettled:
                return instrument
            self._leave(instrument, InstrumentEvent.EMPTIED)
        return None

    def emptied(self, instrument: Instrument) -> None:
        """Nothing of a ready or backing off instrument is left to post."""
        self._leave(instrument, InstrumentEvent.EMPTIED)

    def due(self, instrument: Instrument) -> None:
        """Its wait is over."""
        self._make_ready(instrument, InstrumentEvent.DUE)

    def release(self, instrument: Instrument, event: InstrumentEvent) -> None:
        """A result that the instrument waited for is done with (``COMMITTED`` or ``FORGOTTEN``): after the last of
        them its next price may go."""
        if instrument.state is _COMMITTING:
            self._leave(instrument, event)
        else:
            instrument.unsettled -= 1

    def abandon(self, instrument: Instrument) -> None:
        """The post that is in flight is nobody's any more: its next price may go."""
        self._leave(instrument, InstrumentEvent.FORGOTTEN)

    # Those whose posts may do harm

    @property
    def trials(self) -> deque[Instrument]:
        """Those that are ready for a trial, first come first; some may have nothing left to post."""
        return self._trials

    @property
    def silent(self) -> deque[Instrument]:
        """The silent ones that are ready; some may have nothing left to post."""
        return self._silent

    def hopeless(self) -> list[Instrument]:
        """Those whose waiting prices may be given up."""
        found = map(self._instruments.get, self.isolations.hopeless())
        return [instrument for instrument in found if instrument is not None and instrument.state in _WAITS]

    def settle_waiting(self, instrument: Instrument) -> None:
        """Waiting prices of an isolated one that is not in flight are settled: the others wait for their results."""
        if instrument.state is InstrumentState.READY:
            self._isolated_ready(instrument).remove(instrument)
        instrument.settle()

    def isolate(self, instrument: Instrument, state: IsolationState) -> Isolation:
        """Its post is in flight, and from the next one on they go by themselves."""
        isolation = self.isolations.begin(instrument.key, state)
        instrument.isolate(isolation)
        return isolation

    def clear(self, instrument: Instrument) -> None:
        """Nothing is held against it any more."""
        self.isolations.end(instrument.key)
        instrument.isolate(None)

    def take_trial(self, instrument: Instrument) -> bool:
        """Takes one of those that are ready for a trial; False where it has nothing left to post."""
        return self._take(self._trials, instrument)

    def take_silent(self, instrument: Instrument) -> bool:
        """Takes one of the silent ones that are ready; False where it has nothing left to post."""
        return self._take(self._silent, instrument)

    def _take(self, ready: deque[Instrument], instrument: Instrument) -> bool:
        ready.remove(instrument)
        instrument.drop_settled()
        if instrument.waiting and not instrument.unsettled:
            return True
        self._leave(instrument, InstrumentEvent.EMPTIED)
        return False

    def _make_ready(self, instrument: Instrument, event: InstrumentEvent) -> None:
        instrument.state = INSTRUMENT_TRANSITIONS[instrument.state, event]
        if instrument.isolation is not None:
            self._isolated_ready(instrument).append(instrument)
            return
        service = instrument.key[0]
        ready = self._ready.get(service)
        if ready is None:
            ready = self._ready[service] = deque()
        ready.append(instrument)

    def _isolated_ready(self, instrument: Instrument) -> deque[Instrument]:
        is_silent = instrument.isolation is not None and instrument.isolation.silent
        return self._silent if is_silent else self._trials

    def _leave(self, instrument: Instrument, event: InstrumentEvent) -> None:
        instrument.state = INSTRUMENT_TRANSITIONS[instrument.state, event]
        instrument.drop_settled()
        if instrument.unsettled:
            instrument.await_results()
        elif instrument.waiting:
            self._make_ready(instrument, _QUEUED)
        else:
            del self._instruments[instrument.key]
