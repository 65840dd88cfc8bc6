"""Records taken: mapped, and brought on their way; each post of a record that makes several by itself."""

from collections.abc import Callable, Iterable

from contribd.engine.clock import Now
from contribd.engine.counters import EngineCounters
from contribd.engine.event_log import EventLog, SeldomLine
from contribd.engine.limits import MAX_AHEAD, STAMP_MARGIN
from contribd.engine.records.intake import Intake
from contribd.engine.records.keys import key_of
from contribd.engine.records.last_posted import LastPosted
from contribd.engine.records.offsets import OffsetTracker
from contribd.engine.records.outbox import Outbox
from contribd.engine.records.parts import Part, Parts, Told
from contribd.engine.records.pauses import Pauses
from contribd.engine.records.price import Price, Record, Settlement, unposted
from contribd.engine.states import PriceState
from contribd.mapping.inputs import surroundings
from contribd.mapping.mapper import Mapper
from contribd.mapping.outcome import Mapped, Outcome, PartOutcome, Several, parts_of
from contribd.mapping.scope import Surroundings


class Taker:
    """Maps what is taken, and hands it on: a price is queued, what has no post is settled."""

    def __init__(
        self,
        mapper: Mapper,
        intake: Intake,
        outbox: Outbox,
        counters: EngineCounters,
        pauses: Pauses,
        queue: Callable[[Price, Now], None],
        suppress: Callable[[Price, Now], bool],
        suppress_older: Callable[[Price, Now], None],
        last: LastPosted,
        log: EventLog,
    ) -> None:
        """``queue``: takes a price that may be posted once its turn comes; ``suppress``: one that is paused, and False
        where it is not; ``suppress_older``: one that is older than a paused one, with which it may have been posted."""
        self.mapper = mapper
        self._intake = intake
        self._outbox = outbox
        self._counters = counters
        self._pauses = pauses
        self._queue = queue
        self._suppress, self._suppress_older = suppress, suppress_older
        self._last = last
        self._log = log
        self._ahead_line, self._parts_line = SeldomLine(), SeldomLine()
        self._other_parts_seen = 0

    def map_by(self, mapper: Mapper) -> None:
        """What is taken from now on is mapped by this one."""
        self.mapper = mapper

    def let_go(self, tracker: OffsetTracker, now: Now) -> None:
        """A partition has caught up: the prices that were held may be posted."""
        for price, is_older in self._intake.let_go(tracker):
            if price.state is PriceState.SETTLED:  # it was paused meanwhile
                continue
            if is_older:
                self._suppress_older(price, now)
            else:
                self._queue(price, now)

    def take(self, tracker: OffsetTracker, records: Iterable[Record], now: Now) -> None:
        """Maps records; one without a post is settled at once, the others wait for their turn."""
        map_record, wall, catching_up = self.mapper.map, now.wall, tracker.catching_up
        surrounded, recalls, taken = self.mapper.surrounded, tracker.recalls, 0
        keeps = catching_up or self._pauses.any
        last = self._last.asked_by(self.mapper)
        latest = (wall + MAX_AHEAD) // 1000
        for record in records:
            taken += 1
            if record.timestamp > latest:
                self._stamped_ahead(tracker, record, now)
            outcome = map_record(record.value, _around(tracker, record) if surrounded else None, last)
            if recalls and (told := tracker.settled_parts(record.offset)) is not None:
                taken -= not self._take_parts(tracker, record, outcome, now, told)
            elif not isinstance(outcome, Mapped):
                if isinstance(outcome, Several):
                    taken -= not self._take_parts(tracker, record, outcome, now)
                else:
                    self._settle_unposted(unposted(tracker, record, outcome, wall))
            elif keeps:
                self._keep(Price(tracker, record, outcome, wall), now)
            else:
                self._queue(Price(tracker, record, outcome, wall), now)
        self._counters.count_records(taken)
        self._taken(tracker, now)

    def _taken(self, tracker: OffsetTracker, now: Now) -> None:
        """Nothing more of it comes just now."""
        if tracker.passed:
            self._outbox.add_due(tracker)
        if tracker.catching_up and self._intake.caught_up(tracker):
            self.let_go(tracker, now)

    def _keep(self, price: Price, now: Now) -> None:
        """A price that may not be queued: it is paused, or its partition catches up."""
        if self._suppress(price, now):
            if price.tracker.catching_up:
                self._intake.paused_newer(price)
            return
        if price.tracker.catching_up:
            self._intake.hold(price)
        else:
            self._queue(price, now)

    def _settle_unposted(self, settlement: Settlement) -> None:
        self._counters.results[settlement.status, settlement.code or ""] += 1
        self._outbox.add(settlement)

    def _take_parts(
        self, tracker: OffsetTracker, record: Record, outcome: Outcome, now: Now, told: Told | None = None
    ) -> bool:
        """Takes a record that makes several posts, or made several for an earlier run, which has ``told`` what it
        settled of them; False where it has to wait for room in a commit."""
        outcomes = parts_of(outcome)
        keys = [
            (each.service, each.ric) if type(each) is Mapped else key_of(each.service, each.ric, number)
            for number, each in enumerate(outcomes)
        ]
        parts = tracker.split(record.offset, len(record.value or b""), keys, _taken_at(record, now, told), told)
        if parts is None:
            self._intake.put_back(tracker, record)
            return False
        made: Iterable[tuple[int, PartOutcome]] = enumerate(outcomes)
        if told is not None:
            self._recall(tracker, record, parts, told, now)
            made = [(number, each) for number, each in made if not parts.has_result(number)]
        self._bring(tracker, record, parts, made, now)
        return True

    def _recall(self, tracker: OffsetTracker, record: Record, parts: Parts, told: Told, now: Now) -> None:
        """An earlier run has settled some of the posts."""
        if parts.whole:
            self._outbox.add_known(tracker, parts)
        is_list = told.settled.bit_count() < len(told.tags)  # the results topic tells of those alone that have results
        if parts.count > parts.made or (is_list and set(told.tags) != set(parts.tags)):
            self._other_parts(tracker, record, now)

    def _bring(
        self,
        tracker: OffsetTracker,
        record: Record,
        parts: Parts,
        made: Iterable[tuple[int, PartOutcome]],
        now: Now,
    ) -> None:
        """Brings these posts of a record on their way, each with its place among them."""
        wall, bring = now.wall, self._keep if tracker.catching_up or self._pauses.any else self._queue
        for number, each in made:
            if not isinstance(each, Mapped):
                self._settle_unposted(unposted(tracker, record, each, wall, Part(parts, number)))
            else:
                bring(Price(tracker, record, each, wall, part=Part(parts, number)), now)

    def _other_parts(self, tracker: OffsetTracker, record: Record, now: Now) -> None:
        """Results there are stand; only posts that had none are made."""
        self._other_parts_seen += 1
        if self._parts_line.take(now.mono):
            self._log(
                "info",
                "the mapping has changed since some of a record's posts were made: those that have results are not "
                "repeated, the others are made as it says now",
                record=f"{tracker.partition}:{record.offset}",
                so_far=self._other_parts_seen,
            )

    def _stamped_ahead(self, tracker: OffsetTracker, record: Record, now: Now) -> None:
        """All are counted; the log gets the first, and then one a while, with how many there have been."""
        self._counters.count_future_timestamp()
        if self._ahead_line.take(now.mono):
            self._log(
                "warning",
                "a record's timestamp lies in the future: it counts as of its arrival (see the clock of its producer, "
                "and that it stamps milliseconds)",
                record=f"{tracker.partition}:{record.offset}",
                timestamp=record.timestamp,
                ahead=f"{record.timestamp / 1000 - now.wall / 1e6:.0f} s",
                so_far=self._counters.future_timestamps,
            )


def _taken_at(record: Record, now: Now, told: Told | None) -> int:
    """Seconds since 1970 before which the record has no result; 0 where that is not known."""
    if told is None:
        return now.wall // 1_000_000
    return max(0, min(record.timestamp // 1000, now.wall // 1_000_000) - STAMP_MARGIN)


def _around(tracker: OffsetTracker, record: Record) -> Surroundings:
    partition = tracker.partition
    return surroundings(partition.topic, partition.number, record.offset, record.timestamp, record.key, record.headers)
