"""The engine: events in, posts and results out. Pure: the time is an argument, chance comes from a seeded generator."""

from collections.abc import Callable
from random import Random
from typing import Any

from contribd.engine.clock import Now
from contribd.engine.commands import Command
from contribd.engine.counters import EngineCounters
from contribd.engine.event_log import EventLog, SeldomLine, silent
from contribd.engine.events import (
    Assigned,
    Blocked,
    BrokerLimits,
    CaughtUp,
    Committed,
    Connected,
    Event,
    KeepRules,
    LastKnown,
    Leased,
    Lost,
    NewRules,
    NotCommitted,
    PausesSet,
    PrepareRules,
    Probed,
    QuotesOrdered,
    Received,
    Records,
    Revoked,
    Revoking,
    StandingRead,
    Stop,
    Tick,
    TokenFailed,
    TokenGot,
    Written,
)
from contribd.engine.limits import (
    DEFAULT_BOUNDS,
    LATE_HEARTBEAT,
    LINGER,
    LINGER_RESULTS,
    UNSENT_SECONDS,
    Bounds,
)
from contribd.engine.policy import ContributionPolicy, SessionPolicy
from contribd.engine.posts.contributor import Contributor
from contribd.engine.posts.ordered import OrderedPosts
from contribd.engine.records.commit_metadata import (
    Accepted,
    Room,
    bits_in,
    decode_about,
    decode_metadata,
    decode_parts,
    decode_turn,
    span_of,
)
from contribd.engine.records.instruments import Instrument
from contribd.engine.records.intake import Intake
from contribd.engine.records.offsets import OffsetTracker, Partition
from contribd.engine.records.outbox import Batch, Outbox
from contribd.engine.records.parts import joined
from contribd.engine.records.pauses import Pauses
from contribd.engine.records.rule_names import RuleNames
from contribd.engine.records.rules_in_force import RulesInForce
from contribd.engine.records.taker import Taker
from contribd.engine.session.session import Session
from contribd.engine.states import InstrumentEvent, PriceState, SessionState
from contribd.engine.view import DirectoryStatus, EngineView, PartitionStatus
from contribd.mapping.mapper import Mapper
from contribd.omm.answers import Ack, BadFrame, Other, Pong, PostError, decode
from contribd.omm.post import PostEncoder

_GONE = (SessionState.DISCONNECTED, SessionState.CLOSED)
NO_NAMES = RuleNames()
_LEAVING = (SessionState.DRAINING, SessionState.CLOSED)


class Engine:
    """One daemon's whole logic. Tell it what happened with ``handle``; then do what the ``take_`` calls give.

    Nothing is posted once the time of the last ``Leased`` has passed: past it another member of the consumer
    group may own our partitions, and an old price of ours could follow a newer one of its.
    """

    def __init__(
        self,
        *,
        mapper: Mapper,
        encoder: PostEncoder,
        contribution: ContributionPolicy,
        session: SessionPolicy,
        rng: Random,
        log: EventLog = silent,
        bounds: Bounds = DEFAULT_BOUNDS,
        names: RuleNames = NO_NAMES,
        with_input: bool = False,
    ) -> None:
        """``names``: those of the rules that ``mapper`` maps by; ``with_input``: whether results hold the values of
        their records."""
        self.counters = EngineCounters()
        self.intake = Intake(bounds)
        self.outbox = Outbox(bounds, with_input=with_input)
        self.encoder = encoder
        self.pauses = Pauses(mapper.desks)
        self.contributor = Contributor(contribution, encoder, self.outbox, self.counters, self.pauses, log)
        self.withdrawals = self.contributor.withdrawals
        self.ordered = OrderedPosts(self.contributor, self.intake, self.pauses)
        self.taker = Taker(
            mapper,
            self.intake,
            self.outbox,
            self.counters,
            self.pauses,
            self.contributor.queue,
            self.contributor.suppress,
            self.contributor.suppress_older,
            self.contributor.last_posted,
            log,
        )
        self.session = Session(session, rng, self.counters, log, self.contributor.ended_by_trial)
        self.connection = self.session.connection
        self._may_post_until = float("inf")
        self._leased_at = 0.0
        """When that was last told (monotonic seconds)."""
        self.stopping = False
        self._unsent_until: float | None = None
        """Until when posts of what was just paused may lie in the connection; None where none can."""
        self._settled_since: float | None = None
        self._unmatched_line = SeldomLine()
        self._log = log
        self._bounds = bounds
        self._room = Room(bounds.span, bounds.commit_bits)
        """In a commit: how far a partition may run ahead of what is durable."""
        self._others = bounds.span
        """How many offsets ahead it may have run for those who had it before."""
        self.rules = RulesInForce(names, self.intake, self.outbox)
        self._accepted = Accepted()
        """By the metadata that came with offsets."""
        self._handlers: dict[type, Callable[[Any, Now], None]] = {
            Assigned: self._assigned,
            CaughtUp: self._caught_up,
            LastKnown: self._last_known,
            Blocked: self._blocked,
            Revoking: self._revoking,
            Revoked: self._revoked,
            Records: self._records,
            Leased: self._leased,
            Connected: self._connected,
            Lost: self._lost,
            Received: self._received,
            Written: self._written,
            Probed: self._probed,
            TokenGot: self._token_got,
            TokenFailed: self._token_failed,
            Committed: self._committed,
            NotCommitted: self._not_committed,
            BrokerLimits: self._limited,
            PausesSet: self._pauses_set,
            PrepareRules: self._prepare_rules,
            KeepRules: self._keep_rules,
            NewRules: self._change_rules,
            QuotesOrdered: self._quotes_ordered,
            StandingRead: self._standing_read,
            Stop: self._stop,
            Tick: self._tick,
        }

    # What happened

    def handle(self, event: Event, now: Now) -> None:
        """One event, whatever follows from it."""
        self._handlers[type(event)](event, now)

    def _assigned(self, event: Assigned, now: Now) -> None:
        for partition, commit in event.partitions.items():
            settled, about = decode_metadata(commit.offset, commit.metadata), decode_about(commit.metadata)
            self._accepted, rules = self._accepted.too(commit.metadata), self.rules.names.commits
            catching_up = self.contributor.policy.conflate and partition in event.behind
            tracker = OffsetTracker(
                partition,
                commit.offset,
                settled,
                self._room,
                catching_up=catching_up,
                others=self._others,
                about=about._replace(rules=self.rules.commits),
                turn=decode_turn(commit.metadata),
                curves_per_told=self._bounds.curves_per_told,
                others_bits=self._bounds.commit_bits,
                same_rules=rules is not None and rules == about.rules,
                earlier=joined(decode_parts(commit.offset, commit.metadata), event.parts.get(partition, {})),
            )
            self.intake.assign(tracker)
            self.rules.assigned(tracker, about.rules)
            self.withdrawals.assigned(tracker, now.mono)
        self.ordered.assigned(event.behind)

    def _caught_up(self, event: CaughtUp, now: Now) -> None:
        for partition in sorted(event.partitions):
            if (tracker := self.intake.trackers.get(partition)) is not None:
                self.taker.let_go(tracker, now)
        self.ordered.caught_up(event.partitions)

    def _last_known(self, event: LastKnown, now: Now) -> None:
        self.contributor.last_posted.restore(event.posts, self.intake.trackers, now)

    def _blocked(self, event: Blocked, _now: Now) -> None:
        self.intake.block(event.partitions)

    def _revoking(self, event: Revoking, now: Now) -> None:
        """Nothing more is posted for these, but what a stop withdraws: that is ours to do until they are revoked."""
        trackers = self.intake.stop(event.partitions)
        if not self.stopping:
            self.withdrawals.revoking(trackers)
            self.contributor.forget(trackers, now)

    def _revoked(self, event: Revoked, now: Now) -> None:
        """Posts without an answer may lie unsent: the ADS must not read them after those of their next owner."""
        trackers = self.intake.close(event.partitions)
        self.contributor.forget(trackers, now)
        self.withdrawals.forget(trackers)
        self.contributor.republications.forget(trackers)
        self.ordered.caught_up(event.partitions)
        self.contributor.last_posted.revoked(trackers)
        self._free(self.outbox.close(trackers), InstrumentEvent.FORGOTTEN)
        if self.contributor.abandon():
            self.connection.abandon("the ADS may not have read all posts of revoked partitions", now)
            self._follow_session(now)

    def _records(self, event: Records, now: Now) -> None:
        if self.stopping:
            return
        for partition, records in event.batches:
            tracker = self.intake.trackers.get(partition)
            if tracker is not None:
                if self.withdrawals.listens and records:
                    self.withdrawals.heard(tracker, now.mono)
                if event.settled:
                    tracker.have_results(event.settled.get(partition, ()))
                self.taker.take(tracker, self.intake.offer(partition, records), now)

    def _leased(self, event: Leased, now: Now) -> None:
        self._may_post_until, self._leased_at = event.until, now.mono
        if not self.lapsed(now):
            self.withdrawals.confirmed(now.mono if event.until < float("inf") else event.until)

    def _connected(self, event: Connected, now: Now) -> None:
        self.session.connected(event.attempt, now, event.reached)
        if self.session.poster:
            self.encoder.post_from(self.session.poster)

    def _lost(self, event: Lost, now: Now) -> None:
        self.connection.lost(event.attempt, event.failure, event.text, now)
        self._follow_session(now)

    def _received(self, event: Received, now: Now) -> None:
        if event.attempt != self.connection.attempt:
            return
        self.connection.heard(now)
        acknowledged = self.contributor.acknowledged
        for text in event.texts:
            if self.connection.state in _GONE:
                break
            try:
                answers = decode(text)
            except BadFrame as error:
                self.connection.violated(str(error), now)
                break
            for answer in answers:
                if type(answer) is not Ack:
                    self._answer(answer, now)
                elif not acknowledged(answer, now):
                    self._unmatched(f"Ack of PostID {answer.post_id}", answer.text, now)
        self._follow_session(now)

    def _written(self, event: Written, now: Now) -> None:
        self.connection.wrote(event.attempt, event.taken, event.unsent, now, held=event.held)

    def _probed(self, event: Probed, now: Now) -> None:
        self.connection.probed(event.endpoint, event.reachable, now)

    def _token_got(self, event: TokenGot, now: Now) -> None:
        self.session.token_got(event.number, event.token, event.refresh, event.life, now)

    def _token_failed(self, event: TokenFailed, now: Now) -> None:
        self.session.token_failed(event.number, event.failure, event.text, event.retry_after, now)

    def _follow_session(self, now: Now) -> None:
        """Posts of a session that has ended are not answered any more; one without posts may move."""
        if self.connection.moving and not len(self.contributor.in_flight):
            self.connection.move(now, clean=self.contributor.all_confirmed)
        if not self.connection.live and not self.contributor.all_confirmed:
            self.contributor.session_lost(self.connection.doubtful, now)

    def _answer(self, answer: Any, now: Now) -> None:
        if type(answer) is PostError and self.connection.live:
            if not self.contributor.post_error(answer, now):
                self._unmatched("Error", answer.text, now)
        elif type(answer) is Other and answer.type == "Ack":
            self._unmatched("Ack", answer.text, now)
        elif type(answer) is not Pong:
            was = self.session.session_id
            self.session.received(answer, now)
            if self.session.session_id != was:
                self.contributor.session_opened(self.connection.endpoint, self.session.session_id, now)

    def _unmatched(self, what: str, text: str, now: Now) -> None:
        """All are counted; the log gets the first, and then one a while, with how many there have been."""
        self.counters.count_unmatched()
        if self._unmatched_line.take(now.mono):
            sentence = "an answer that belongs to no outstanding post"
            self._log("warning", sentence, answer=what, text=text, so_far=self.counters.unmatched)

    def _committed(self, event: Committed, now: Now) -> None:
        if self.ordered.open:
            self.ordered.note(self.outbox.being_written)
        self._free(self.outbox.committed(event.number), InstrumentEvent.COMMITTED)
        if self.contributor.instruments.isolations:
            self._make_room(now)

    def _not_committed(self, event: NotCommitted, _now: Now) -> None:
        self._free(self.outbox.not_committed(event.number), InstrumentEvent.FORGOTTEN)

    def _limited(self, event: BrokerLimits, _now: Now) -> None:
        """How far a partition may run ahead is bounded by what a commit can tell of."""
        span, characters = span_of(event.metadata), event.metadata
        if event.guessed:
            before, since = self._accepted, self.outbox.accepted
            span = max(span, before.span, since.span)
            characters = max(characters, before.characters, since.characters)
        bounds = self._bounds
        room = Room(min(bounds.span, span), min(bounds.commit_bits, bits_in(characters)), characters)
        if room == self._room:
            return
        self._room = room
        if not self.intake.trackers and not event.guessed:  # whoever had them before was told so too
            self._others = room.span
        self.intake.bound(room)

    def _prepare_rules(self, _event: PrepareRules, _now: Now) -> None:
        self.rules.prepare()

    def _keep_rules(self, _event: KeepRules, _now: Now) -> None:
        self.rules.keep()

    def _change_rules(self, event: NewRules, now: Now) -> None:
        """Between two records, since it is an event like theirs: each is mapped by one set of rules, whole."""
        self.rules.change(event.names)
        self.taker.map_by(event.mapper)
        self.encoder.change_escape(event.escape)
        self.contributor.change_policy(event.contribution, self.intake.trackers.values(), now)
        self.session.post_to(event.services, now)
        self.pauses.know_desks(event.mapper.desks)
        if self.pauses.any:
            self._pause(now)

    def _free(self, instruments: list[Instrument], event: InstrumentEvent) -> None:
        for instrument in instruments:
            self.contributor.instruments.release(instrument, event)

    def _pauses_set(self, event: PausesSet, now: Now) -> None:
        if self.pauses.set(event.pauses):
            self._pause(now)
        self._follow_pauses(now)

    def _pause(self, now: Now) -> None:
        """More may be paused than before: nothing of it is posted from now on."""
        self.contributor.pause(now)
        for number, price in self.intake.held():
            if price.state is PriceState.WAITING and self.contributor.suppress(price, now):
                self.intake.paused_newer(price, number)
        self._unsent_until = now.mono + UNSENT_SECONDS

    def _follow_pauses(self, now: Now) -> None:
        """Ends the connection where a post of what is paused stays in it."""
        if self._unsent_until is not None:
            line = self.connection.keepalive
            if not (self.pauses.any and (line.unsent or line.held) and self.contributor.may_be_unsent):
                self._unsent_until = None
            elif line.held or now.mono >= self._unsent_until:  # those held could go at any moment, and all at once
                self.connection.abandon("posts of what is paused wait in it, and the ADS does not read them", now)
                self._follow_session(now)
                self._unsent_until = None

    def _quotes_ordered(self, event: QuotesOrdered, _now: Now) -> None:
        self.ordered.begin(event.number, event.kind, event.what)

    def _standing_read(self, event: StandingRead, now: Now) -> None:
        self.ordered.found(event.number, event.quotes.items(), event.since, event.failure, now)

    @property
    def pauses_hold(self) -> bool:
        """Whether nothing of what is paused can leave this process any more."""
        return self._unsent_until is None

    def _stop(self, _event: Stop, now: Now) -> None:
        """The session stays open for withdrawals, where it is; one that is not open now is not waited for."""
        self.stopping = True
        self.ordered.stop()
        self.withdrawals.stop()
        self.contributor.forget(self.intake.stop(list(self.intake.trackers)), now)
        if self.connection.state is SessionState.OPEN:
            self._drain_if_done(now)
        else:
            self.connection.drain(now)

    def _drain_if_done(self, now: Now) -> None:
        if self.withdrawals.idle and (not self.withdrawals.policy.on_stop or not len(self.contributor.in_flight)):
            self.connection.drain(now)

    def _tick(self, _event: Tick, now: Now) -> None:
        self.session.tick(now)
        self.contributor.tick(now)
        if self._unsent_until is not None:
            self._follow_pauses(now)
        if self.withdrawals.wanted or self.stopping:
            self._withdraw(now)
        if self.ordered.open:
            self.ordered.follow(now)
        self._follow_session(now)
        if self.contributor.instruments.isolations:
            self._make_room(now)
        for tracker, records in self.intake.release_buffered():
            self.taker.take(tracker, records, now)

    def _make_room(self, now: Now) -> None:
        """Instruments that are not answered hold nobody else up."""
        everywhere = self.intake.half_full
        if everywhere or any(tracker.half_full for tracker in self.intake.trackers.values()):
            self.contributor.make_room(everywhere=everywhere, now=now)

    def _withdraw(self, now: Now) -> None:
        """Quotes of pricing engines that went silent, and at a stop all of them, give way to blanks."""
        if self.stopping:
            self._drain_if_done(now)
        elif self.withdrawals.listens:
            self._listen(now)
        if self.withdrawals.can_make:
            self.contributor.withdraw(now)

    def _listen(self, now: Now) -> None:
        trackers = self.intake.trackers
        self.intake.regulate()
        deaf = trackers.values() if self._kafka_may_be_away(now) else [trackers[p] for p in self.intake.paused()]
        self.withdrawals.deaf(deaf, now.mono)
        for tracker, quotes in self.withdrawals.look(now):
            if quotes:
                text = "no record for too long: withdrawing the quotes"
                limit = self.withdrawals.policy.silent_after
                self._log("warning", text, partition=str(tracker.partition), silent_after=limit, quotes=quotes)

    def _kafka_may_be_away(self, now: Now) -> bool:
        """Whether the group has not confirmed us lately: that no record comes then says nothing of a pricing engine."""
        if self._may_post_until == float("inf"):
            return False
        policy = self.withdrawals.policy
        lately = max(policy.silent_after or 0.0, LATE_HEARTBEAT * policy.heartbeat)
        return now.mono - self._leased_at >= lately or self.lapsed(now)

    def lapsed(self, now: Now) -> bool:
        """Whether another member may own our partitions by now: no post may leave this process."""
        return now.mono >= self._may_post_until

    def expects(self, attempt: int) -> bool:
        """Whether connection ``attempt`` is being made and still wanted."""
        return self.connection.expects(attempt)

    def leave(self, now: Now) -> None:
        """The end: no session any more, and nothing of it on its way that may arrive after what others post."""
        self.connection.drain(now)
        self.connection.close(now, clean=self.contributor.all_confirmed)

    # What to do

    def take_commands(self) -> list[Command]:
        """Connections to make and to end, in order."""
        return self.connection.take_commands()

    def take_frames(self, now: Now) -> list[bytes]:
        """Texts of frames to send now, in order: the session's own first, then posts."""
        frames = self.connection.take_frames()
        if self.session.up and not self.lapsed(now):
            posts = self.contributor.take_frames(self.session.is_up, self.session.limits.max_message_size, now)
            if posts:
                self.connection.said(now)
                frames += posts
        return frames

    def take_batch(self, now: Now) -> Batch | None:
        """The next transaction, None while one is being written or nothing is settled.

        Answers to a frame of posts come one by one; while more are due, the first ones wait a moment for the others,
        since a transaction costs the same whatever it holds and its instruments wait for it.
        """
        if not self.outbox.can_take:
            self._settled_since = None
            return None
        if self._settled_since is None:
            self._settled_since = now.mono
        if self._lingers(now):
            return None
        self._settled_since = None
        return self.outbox.take()

    def _lingers(self, now: Now) -> bool:
        if self.stopping or not len(self.contributor.in_flight) or len(self.outbox) >= LINGER_RESULTS:
            return False
        return now.mono < (self._settled_since or now.mono) + LINGER

    def take_paused(self) -> frozenset[Partition]:
        """The partitions that must not be fetched from now on, decided anew."""
        self.intake.regulate()
        paused = self.intake.paused()
        if self.withdrawals.listens:
            self.withdrawals.not_heard(self.intake.trackers[partition] for partition in paused)
        return paused

    def settled(self, partitions: frozenset[Partition]) -> bool:
        """Whether nothing of these partitions is in flight or unwritten."""
        return not any(
            tracker.waiting or tracker.withdrawing or self.outbox.holds(tracker)
            for partition in partitions
            if (tracker := self.intake.trackers.get(partition)) is not None
        )

    @property
    def drained(self) -> bool:
        """After ``Stop``: every answer is in, what is to be withdrawn is, and every result is durable."""
        idle = not len(self.contributor.in_flight) and not len(self.outbox)
        return self.stopping and idle and (self.withdrawals.idle or self.connection.state in _LEAVING)

    def are_durable(self, partition: Partition, rejected: range) -> bool | None:
        """Whether the results of offsets that are rejected are durable; None where the partition is not ours."""
        tracker = self.intake.trackers.get(partition)
        if tracker is None:
            return None
        return tracker.has_seen(rejected[-1]) and not self.outbox.holds_any(tracker, rejected)

    def has_work(self, service: str, ric: str) -> bool:
        """Whether a price of this RIC waits, is in flight, or has a result that is not durable yet."""
        return (service, ric) in self.contributor.instruments

    def view(self, now: Now) -> EngineView:
        """What the engine shows of itself."""
        contributor = self.contributor
        return EngineView(
            session=self.connection.status(),
            endpoints=self.connection.failover.status(now.mono),
            services=tuple((name, self.session.is_up(name)) for name in self.session.policy.services),
            directory=DirectoryStatus(*self.session.directory()),
            in_flight=len(contributor.in_flight),
            max_in_flight=contributor.in_flight.size,
            waiting=self.intake.waiting,
            instruments=len(contributor.instruments),
            isolated=contributor.instruments.isolations.count(),
            isolated_named=contributor.instruments.isolations.named(now.mono),
            live_quotes=self.withdrawals.live_quotes,
            not_withdrawn=self.withdrawals.left,
            unwritten=len(self.outbox),
            partitions=self._partitions(),
            counters=self.counters,
            last_ack=contributor.last_ack,
            lapsed=self.lapsed(now),
            takes_posts=self.session.limits.takes_posts,
            blocked=self.intake.blocked,
            pauses=self.pauses.in_force,
        )

    def _partitions(self) -> tuple[PartitionStatus, ...]:
        paused = self.intake.paused()
        return tuple(
            PartitionStatus(
                partition=partition,
                state=tracker.state,
                committed=tracker.low_watermark,
                waiting=tracker.waiting,
                buffered=self.intake.buffered(partition),
                paused=partition in paused,
            )
            for partition, tracker in sorted(self.intake.trackers.items())
        )

    def wake_at(self, now: Now) -> float:
        """The monotonic time at which a ``Tick`` is due."""
        settled = None if self._settled_since is None else self._settled_since + LINGER
        times = (
            self.session.wake_at(),
            self.contributor.wake_at(now),
            settled,
            self.withdrawals.wake_at(),
            self._unsent_until,
        )
        return min((at for at in times if at is not None), default=float("inf"))
