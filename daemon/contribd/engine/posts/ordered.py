"""Orders about quotes that stand: blanks in their place, or their values once more.

Theory of operation
===================

The whole path of an order. Somebody gives it to any instance (``contribd.quoting``); with a control topic every
instance takes it from there, and each does its own part: the quotes of the partitions that it has. Which RICs come
through which partition is known by results alone, so each reads the results topic (``streams/standing_reader.py``), and
decides RIC by RIC what is to be posted. The instance that was asked counts what came of it everywhere.

What stands (``engine/records/standing.py``) is what was read, and what became durable here since the order was given:
the reading ends where the log ended after that, so nothing is missed between the two.

When a RIC is decided. Once its partition has caught up with what was in the log when it was assigned (a former owner
may have posted that, and no result says so yet), none of its records is buffered, and nothing of the RIC is in flight
or not durable. Then what stands is known exactly, and what is posted now follows it.

| a RIC | what is done |
|---|---|
| with a price that waits, or one posted since the order was given | nothing: the newer price goes, or went, instead |
| not withdrawn; to be withdrawn | blanks, of the fields that the mapping lists which gave them their values |
| none of whose values a mapping lists | counted |
| to be posted once more | its values, younger than ``max_age``, as an Update or a Refresh as its mapping says |
| the same, and paused | nothing, and counted |
| the same, and its last post got no answer | the same: an older value could follow one that has arrived |

A post that was ordered is queued at its instrument like a price, by itself: at most one unanswered for each RIC. A
newer price that comes while it waits takes its place.

When something fails.

| what | then |
|---|---|
| the session is down | what was queued waits for it, until a newer price comes |
| the ADS refuses it (NAK) | retried like a price; the order tells the RIC and the text |
| the results topic cannot be read | what this process itself knows to be live is withdrawn, and the order says so |
| the partition is revoked | what was not posted is dropped, and the order says so. Its new owner has not the order |
| this process dies | what it had not posted stands; the order's answer lacks it. The same order given again finds it |

Given again it finds nothing more to do: what was withdrawn is known by its result. Values posted once more have no
result, so they go once more.
"""

from collections.abc import Callable, Container, Iterable
from typing import Final

import msgspec

from contribd.engine.clock import Now
from contribd.engine.limits import MAX_WITHDRAWING
from contribd.engine.posts.contributor import Contributor
from contribd.engine.posts.withdrawals import Quote
from contribd.engine.records.intake import Intake
from contribd.engine.records.keys import Key
from contribd.engine.records.offsets import OffsetTracker, Partition
from contribd.engine.records.pauses import Pauses, Selector
from contribd.engine.records.price import Settlement, Status
from contribd.engine.records.selection import Selection
from contribd.engine.records.standing import (
    Merged,
    OrderKind,
    PostedResult,
    StandingQuote,
    after,
    blanks_of,
    result_of,
)
from contribd.engine.states import InstrumentState, TrackerState
from contribd.mapping.outcome import Mapped, PostType

MAX_SAMPLES: Final = 5
"""RICs that an order names."""

MAX_ORDERS: Final = 20
"""Orders under way, and those done that can be asked for."""


_ANSWERED: Final = 0
"""In place of a PostID, of which none is 0: the last post is answered, and its result not durable."""


class Tally(msgspec.Struct):
    """What has come of an order so far, in RICs.

    ``overtaken``: a newer price went instead; ``unlisted``: their mappings list no fields to blank; ``unsure``: their
    last post got no answer; ``left``: their partitions were revoked, or the daemon stops. ``waiting``: not over yet.
    ``since``: when the oldest post was sent that was read of (microseconds since 1970), None: there was none.
    ``partitions``: those that were in hand; ``elsewhere``: quotes that the order names of each other partition.
    ``failure``: why the results could not be read. ``samples``: what became of some that were refused, or not answered.
    """

    accepted: int = 0
    refused: int = 0
    unanswered: int = 0
    overtaken: int = 0
    paused: int = 0
    too_old: int = 0
    unsure: int = 0
    unlisted: int = 0
    left: int = 0
    waiting: int = 0
    partitions: list[str] = []
    elsewhere: dict[str, int] = {}
    over: bool = False
    since: int | None = None
    failure: str | None = None
    samples: list[str] = []


_COUNTED: Final = {Status.UNANSWERED: "unanswered", Status.SUPPRESSED: "paused", Status.EXPIRED: "too_old"}


class _Order(msgspec.Struct, eq=False):
    """One under way. ``earlier``: the RICs with a post that was in flight when it was taken,
    with its PostID, or that was not durable (``_ANSWERED``)."""

    kind: OrderKind
    selection: Selection
    earlier: dict[Key, int]
    tally: Tally = msgspec.field(default_factory=Tally)
    noted: list[tuple[Key, PostedResult]] = []
    """What became durable here before the results were read."""
    quotes: dict[Key, StandingQuote] = {}
    pending: dict[Partition, list[Key]] | None = None
    """Not decided yet; None: nothing was read yet."""
    newer: set[Key] = set()
    """RICs with a price posted since the order was taken."""
    out: int = 0
    """Posts made and not settled."""

    def note(self, key: Key, result: PostedResult, ids: Container[int]) -> None:
        """One more result is durable; ``ids``: of its posts."""
        before = self.earlier.pop(key, None)
        is_newer = before is None or (before != _ANSWERED and before not in ids)
        if is_newer and not result.withdrawal and result.counts is not False:
            self.newer.add(key)
        if self.pending is None:
            self.noted.append((key, result))
        elif key in self.quotes and (quote := after(self.quotes[key], result)) is not None:
            self.quotes[key] = quote

    def note_unposted(self, key: Key) -> None:
        """The result of what was not posted is durable: that of a price that was given up when the order was taken."""
        if self.earlier.get(key) == _ANSWERED:
            del self.earlier[key]

    def count(self, what: str, number: int = 1) -> None:
        """So many more RICs of which this became."""
        setattr(self.tally, what, getattr(self.tally, what) + number)

    def sample(self, text: str) -> None:
        """Names a RIC, while there is room."""
        if len(self.tally.samples) < MAX_SAMPLES:
            self.tally.samples.append(text)

    def look(self) -> None:
        """Whether it is over."""
        undecided = 0 if self.pending is None else sum(map(len, self.pending.values()))
        self.tally.waiting = undecided + self.out
        self.tally.over = self.pending is not None and not self.tally.waiting


class OrderedPosts:
    """The orders under way. Asked by the engine alone."""

    def __init__(self, contributor: Contributor, intake: Intake, pauses: Pauses) -> None:
        self._contributor, self._intake, self._pauses = contributor, intake, pauses
        self._instruments, self._withdrawals = contributor.instruments, contributor.withdrawals
        self._orders: dict[int, _Order] = {}
        self._stopping = False
        self._behind: set[Partition] = set()
        """Not caught up with what was in their logs when they were assigned."""
        self.open: dict[int, _Order] = {}
        """Those not over: where there is none, nothing else here need be called, but of partitions."""
        self._table: Final[dict[OrderKind, Callable[[_Order, Key, StandingQuote, OffsetTracker, Now], bool]]] = {
            OrderKind.WITHDRAW: self._withdraw,
            OrderKind.REPUBLISH: self._republish,
        }

    # Orders

    def begin(self, number: int, kind: OrderKind, what: Selector) -> None:
        """One is given: what becomes durable from now on is noted, and the results before are to be read."""
        earlier = {post.instrument.key: post.post_id for post in self._contributor.in_flight}
        earlier |= {one.key: _ANSWERED for one in self._instruments if one.state is InstrumentState.COMMITTING}
        order = _Order(kind, Selection(what, self._pauses.desks), earlier)
        self.open[number] = self._orders[number] = order
        done = [each for each in self._orders if each not in self.open]
        for each in done[: max(0, len(self._orders) - MAX_ORDERS)]:
            del self._orders[each]

    def found(
        self, number: int, quotes: Iterable[tuple[Key, StandingQuote]], since: int | None, failure: str | None, now: Now
    ) -> None:
        """What the results topic told."""
        if (order := self.open.get(number)) is None:
            return
        known = dict(quotes)
        for key, result in order.noted:
            if (quote := after(known.get(key), result)) is not None:
                known[key] = quote
        order.noted.clear()
        order.tally.since, order.tally.failure = since, failure
        order.pending = {}
        if order.kind is OrderKind.ADOPT:
            self._adopt(known)
        else:
            self._choose(order, known)
        self.follow(now)

    def tally(self, number: int) -> Tally | None:
        """How far it is; None where it is not known any more."""
        found = self._orders.get(number)
        return None if found is None else found.tally

    def stop(self) -> None:
        """The daemon stops: nothing more is posted by order."""
        self._stopping = True
        for order in self.open.values():
            if order.kind is not OrderKind.ADOPT:
                order.count("left", sum(map(len, (order.pending or {}).values())))
                order.pending = {}
                order.look()

    # What happens meanwhile

    def note(self, settlements: Iterable[Settlement]) -> None:
        """The results of these are durable."""
        merged = Merged()  # carriers are durable together with what was merged into them
        for settlement in settlements:
            key = settlement.outcome.service or "", settlement.outcome.ric or ""
            result = result_of(settlement, key, merged)
            for order in self.open.values():
                if result is not None:
                    order.note(key, result, [attempt.post_id for attempt in settlement.attempts or ()])
                elif settlement.carried_by is None:
                    order.note_unposted(key)

    def assigned(self, behind: Iterable[Partition]) -> None:
        """Partitions are ours, and there are records in their logs."""
        self._behind.update(behind)

    def caught_up(self, partitions: Iterable[Partition]) -> None:
        """These have caught up, or are not ours any more."""
        self._behind.difference_update(partitions)

    def follow(self, now: Now) -> None:
        """Decides what can be decided by now."""
        for number, order in list(self.open.items()):
            for partition in list(order.pending or ()):
                self._decide(order, partition, now)
            order.look()
            if order.tally.over:
                del self.open[number]
                order.quotes.clear()

    # RIC by RIC

    def _choose(self, order: _Order, known: dict[Key, StandingQuote]) -> None:
        """What the order is about, by partition; of the quotes that are live here, those too that were not read of."""
        if order.kind is OrderKind.WITHDRAW:
            for key, live in self._withdrawals.live():
                if key not in known:
                    partition = live.tracker.partition
                    known[key] = StandingQuote(partition, live.mapping, PostType.UPDATE, 0, {}, {}, {})
        trackers, pending = self._intake.trackers, dict[Partition, list[Key]]()
        order.tally.partitions = [str(partition) for partition in sorted(trackers)]
        for key, quote in known.items():
            if not order.selection.names(key[1], quote.mapping):
                continue
            if quote.partition in trackers:
                order.quotes[key] = quote
                pending.setdefault(quote.partition, []).append(key)
            elif not quote.withdrawn:
                place = str(quote.partition)
                order.tally.elsewhere[place] = order.tally.elsewhere.get(place, 0) + 1
        order.pending = pending

    def _decide(self, order: _Order, partition: Partition, now: Now) -> None:
        pending = order.pending or {}
        keys, tracker = pending[partition], self._intake.trackers.get(partition)
        if tracker is None or tracker.stopping:
            order.count("left", len(keys))
            del pending[partition]
            return
        if partition in self._behind or tracker.catching_up or self._intake.buffered(partition):
            return
        kept = list[Key]()
        for number, key in enumerate(keys):
            if order.out >= MAX_WITHDRAWING:
                kept += keys[number:]
                break
            if not self._decided(order, key, tracker, now):
                kept.append(key)
        if kept:
            pending[partition] = kept
        else:
            del pending[partition]

    def _decided(self, order: _Order, key: Key, tracker: OffsetTracker, now: Now) -> bool:
        """Does what is to be done about one RIC; False where that cannot be told yet."""
        if self._instruments.has_price(key) or key in order.newer:
            order.count("overtaken")
            return True
        if key in self._instruments:
            return False
        return self._table[order.kind](order, key, order.quotes[key], tracker, now)

    def _withdraw(self, order: _Order, key: Key, quote: StandingQuote, tracker: OffsetTracker, now: Now) -> bool:
        if quote.withdrawn:
            return True
        fields = blanks_of(quote, self._withdrawals.policy.fields) | self._withdrawals.live_fields(key)
        if fields:
            order.out += 1
            told = self._told(order, key, tracker)
            made = self._withdrawals.by_order(key, tracker, quote.mapping, fields, now, told)
            self._instruments.queue(made)
        elif quote.shortened:
            self._cannot_tell(order, key)
        elif any(value is not None for value in quote.fields.values()):
            order.count("unlisted")
        return True

    def _republish(self, order: _Order, key: Key, quote: StandingQuote, tracker: OffsetTracker, now: Now) -> bool:
        if quote.withdrawn or not any(value is not None for value in quote.fields.values()):
            if quote.shortened:
                self._cannot_tell(order, key)
            return True
        service, ric = key
        mapped = Mapped(ric, service, quote.mapping, quote.type, quote.fields)
        if self._pauses.of(mapped) is not None:
            order.count("paused")
        elif quote.unsure or quote.shortened:
            order.count("unsure")
        else:
            self._post_again(order, key, quote, tracker, now)
        return True

    def _post_again(self, order: _Order, key: Key, quote: StandingQuote, tracker: OffsetTracker, now: Now) -> None:
        """The values that are young enough."""
        max_age = self._contributor.policy.max_age
        values = [name for name, value in quote.fields.items() if value is not None]
        young = [name for name in values if max_age is None or not _too_old(quote.stamps[name], max_age, now.wall)]
        if not young:
            order.count("too_old")
            return
        stamps = [stamp for name in young if (stamp := quote.stamps[name])]
        too_old_at = None if max_age is None or not stamps else min(stamps) + max_age
        mapped = Mapped(key[1], key[0], quote.mapping, quote.type, {name: quote.fields[name] for name in young})
        order.out += 1
        told = self._told(order, key, tracker)
        self._instruments.queue(self._contributor.republications.make(tracker, mapped, too_old_at, now, told))

    @staticmethod
    def _cannot_tell(order: _Order, key: Key) -> None:
        order.count("refused")
        order.sample(f"{key[1]}: its last result was shortened, and does not tell its fields")

    def _told(
        self, order: _Order, key: Key, tracker: OffsetTracker
    ) -> Callable[[Status | None, str | None, str | None], None]:
        """Hears what comes of one post."""

        def told(status: Status | None, code: str | None, text: str | None) -> None:
            order.out -= 1
            if status is Status.ACK:
                order.count("accepted")
            elif status is None:
                order.count("left" if tracker.stopping or self._stopping else "overtaken")
            else:
                order.count(_COUNTED.get(status, "refused"))
                if status not in (Status.SUPPRESSED, Status.EXPIRED):
                    words = ": ".join(word for word in (code, text) if word)
                    order.sample(f"{key[1]}: {status} {words}".rstrip())
            order.look()

        return told

    def _adopt(self, known: dict[Key, StandingQuote]) -> None:
        """What a former owner has posted is live here from now on."""
        trackers, listed = self._intake.trackers, self._withdrawals.policy.fields
        quotes = [
            (key, Quote(tracker, quote.mapping, fields))
            for key, quote in known.items()
            if (tracker := trackers.get(quote.partition)) is not None
            and tracker.state is not TrackerState.CLOSED
            and not quote.withdrawn
            and (fields := blanks_of(quote, listed))
        ]
        self._withdrawals.adopt(quotes)


def _too_old(stamp: int, max_age: int, wall: int) -> bool:
    return stamp > 0 and stamp + max_age < wall
