"""Between the prices that come in and the answers to their posts: who has what to do next."""

from collections.abc import Callable, Iterable
from typing import Final

from contribd.engine.clock import Now
from contribd.engine.counters import EngineCounters
from contribd.engine.event_log import EventLog, silent
from contribd.engine.policy import ContributionPolicy
from contribd.engine.posts.error_attribution import ErrorAttribution
from contribd.engine.posts.in_flight import InFlightPosts
from contribd.engine.posts.isolator import Isolator
from contribd.engine.posts.outcomes import Outcomes
from contribd.engine.posts.poster import Poster
from contribd.engine.posts.republications import Republications
from contribd.engine.posts.unconfirmed import UnconfirmedPosts
from contribd.engine.posts.withdrawals import Withdrawals
from contribd.engine.records.expiry import Expiry
from contribd.engine.records.instruments import Instrument, Instruments
from contribd.engine.records.last_posted import LastPosted
from contribd.engine.records.offsets import OffsetTracker
from contribd.engine.records.outbox import Outbox
from contribd.engine.records.pauses import Pauses
from contribd.engine.records.price import Price, Reply, Status
from contribd.engine.states import InstrumentState, PriceState
from contribd.mapping.outcome import SuppressCode
from contribd.omm.answers import Ack, PostError
from contribd.omm.post import PostEncoder

_ACCEPTED: Final = Status.ACK  # a member costs less as a global
_ACK: Final = Reply.ACK
_OLDER: Final = "a newer price of its RIC is paused, which may have been posted before, and this one merged with it"


class Contributor:
    """Owns the book of instruments and the window of posts in flight."""

    def __init__(
        self,
        policy: ContributionPolicy,
        encoder: PostEncoder,
        outbox: Outbox,
        counters: EngineCounters,
        pauses: Pauses,
        log: EventLog = silent,
    ) -> None:
        self.policy = policy
        self.instruments = Instruments()
        self.in_flight = InFlightPosts(policy.max_outstanding, policy.first_post_id)
        self.withdrawals = Withdrawals(policy.withdraw)
        self.republications = Republications(counters)
        self._blanks, self._again = self.withdrawals.made, self.republications.made
        self._pauses = pauses
        self.last_ack: int | None = None
        """Wall time of the last positive Ack, microseconds since 1970."""
        self.last_posted = LastPosted()
        self._expiry = Expiry(policy.max_age, conflate=policy.conflate)
        self._outcomes = Outcomes(
            policy,
            self.instruments,
            self._expiry,
            self.withdrawals,
            self.republications,
            outbox,
            counters,
            pauses,
            self.last_posted,
        )
        self._attribution = ErrorAttribution()
        self._poster = Poster(
            policy,
            encoder,
            self.instruments,
            self.in_flight,
            self._expiry,
            self._outcomes,
            counters,
            self.last_posted,
            self._attribution.passed_over,
        )
        self._isolation = Isolator(policy.retry, self.instruments, self._poster.trials, self._attribution, log)
        self._unconfirmed = UnconfirmedPosts()

    def change_policy(self, policy: ContributionPolicy, trackers: Iterable[OffsetTracker], now: Now) -> None:
        """Other settings from now on, for what waits too; ``trackers``: of all partitions. Raises ValueError for
        settings that hold for as long as the process runs."""
        fixed = [(each.conflate, each.max_outstanding, each.first_post_id) for each in (policy, self.policy)]
        if fixed[0] != fixed[1]:
            raise ValueError("conflate, max_outstanding and first_post_id stay as they are")
        self.policy = policy
        self._outcomes.change_policy(policy)
        self._poster.change_policy(policy)
        self._isolation.change_policy(policy.retry)
        self._expiry.change(policy.max_age, self.instruments.waiting())
        self.withdrawals.change_policy(policy.withdraw, trackers, now.mono)

    # Prices in

    def queue(self, price: Price, now: Now) -> None:
        """A mapped price, to be posted when its turn comes; what waits for the same instrument and is of no record is
        dropped."""
        if (self._blanks or self._again) and (old := self.instruments.own_post(price)) is not None:
            self._outcomes.drop(old, now)
        self._expiry.watch(price)
        self.instruments.queue(price)

    def suppress(self, price: Price, now: Now) -> bool:
        """Settles a price that is not queued, where it is paused; False where it is not."""
        pause = self._pauses.of_price(price)
        if pause is not None:
            self._outcomes.suppress(price, SuppressCode.PAUSED, pause.text, now, self._held_up_by(price))
        return pause is not None

    def suppress_older(self, price: Price, now: Now) -> None:
        """Settles a price that may have been posted merged with a newer one, which is paused."""
        self._outcomes.suppress(price, SuppressCode.PAUSED, _OLDER, now, self._held_up_by(price))

    def _held_up_by(self, price: Price) -> Instrument | None:
        """What posts nothing before the result of a price that is paused is durable: see ``records/pauses``."""
        return None if self.policy.conflate else self.instruments.settle_one(price)

    def pause(self, now: Now) -> None:
        """Settles the prices that wait and are paused by now."""
        for instrument in self.instruments:
            instrument.drop_settled()
            waiting = [price for price in instrument.waiting if price.state is PriceState.WAITING]
            posted = self._pauses.posted_before(waiting)
            for price in waiting[:posted]:
                if not self.suppress(price, now):
                    self.suppress_older(price, now)
            for price in waiting[posted:]:
                self.suppress(price, now)
            instrument.drop_settled()
            if not instrument.waiting and instrument.state is InstrumentState.BACKING_OFF:
                self.instruments.emptied(instrument)

    @property
    def may_be_unsent(self) -> bool:
        """Whether a post in flight carries a price that is paused by now, or one that was given up may."""
        given_up = self._pauses.any and bool(self._unconfirmed)
        return given_up or any(
            self._pauses.of_price(price) is not None for post in self.in_flight for price in post.group
        )

    def withdraw(self, now: Now) -> None:
        """Queues the withdrawals that are due."""
        for withdrawal in self.withdrawals.make(self.instruments.busy, now):
            self.instruments.queue(withdrawal)

    def forget(self, trackers: set[OffsetTracker], now: Now) -> None:
        """Drops the waiting prices of partitions that are being revoked: their next owner consumes them again."""
        for instrument in self.instruments:
            for price in instrument.take_out(trackers):
                self._outcomes.drop(price, now)
            if not instrument.waiting and instrument.state is InstrumentState.BACKING_OFF:
                self.instruments.emptied(instrument)

    def abandon(self) -> bool:
        """Gives up on prices that are not ours any more; whether the ADS may still have posts of them to read.

        A post that carries others of ours as well is the newest of those from now on. The answers to those that carry
        none will match nothing.
        """
        touched = [post for post in self.in_flight if any(price.tracker.closed for price in post.group)]
        for post in touched:
            post.forget_closed()
            if not post.group:
                self.withdrawals.taken_over(post)
                self.last_posted.forget(post.instrument.key, post.sent.mono)
                self.in_flight.pop(post.post_id)
                self.instruments.abandon(post.instrument)
        return bool(touched) or self._unconfirmed.others()

    @property
    def all_confirmed(self) -> bool:
        """Whether the ADS has read every post of the session, as far as its answers say."""
        return not len(self.in_flight) and not self._unconfirmed

    # Posts out

    def session_opened(self, endpoint: str, session: str, now: Now) -> None:
        """A new session: posts from now on are this one's."""
        self._outcomes.session_opened(endpoint, session)
        self._isolation.session_opened(endpoint, now)

    def take_frames(self, is_up: Callable[[str], bool], max_size: int, now: Now) -> list[bytes]:
        """The texts of the frames to send now: see ``Poster.take_frames``."""
        return self._poster.take_frames(is_up, max_size, now)

    # Answers in

    def acknowledged(self, ack: Ack, now: Now) -> bool:
        """An Ack or NAK; False where no outstanding post has its ID."""
        post = self.in_flight.pop(ack.post_id)
        if post is None:
            self._unconfirmed.confirm_late(ack.post_id)
            return False
        self._poster.answer_came(post, now)
        if self._unconfirmed:
            self._unconfirmed.confirm(post.frame)
        attribution = self._attribution.absolve(post, self.in_flight, now.mono)
        if post.instrument.isolation is not None:
            self._isolation.answered(post, now)
        if ack.code is None:
            self.last_ack = now.wall
            self._outcomes.finish(post, _ACCEPTED, _ACK, None, ack.text or None, now)
        else:
            self._outcomes.refused(post, ack.code, ack.text or None, now)
        if attribution:
            self._resend_dropped(now, post.frame)
        return True

    def post_error(self, error: PostError, now: Now) -> bool:
        """An Error message; False where it belongs to no outstanding post."""
        grace = self._poster.grace
        if error.post_id is None:
            return self._attribution.after_nameless_error(error.text, self.in_flight, now.mono, grace)
        post = self.in_flight.pop(error.post_id)
        if post is None:
            self._unconfirmed.confirm_late(error.post_id)
            return False
        self._poster.answer_came(post, now)
        self._unconfirmed.confirm(post.frame)
        self._attribution.absolve(post, self.in_flight, now.mono)
        if post.instrument.isolation is not None:
            self._isolation.answered(post, now)
        self._attribution.after_error(post, error.text, self.in_flight, now.mono, grace)
        self._outcomes.finish(post, Status.ERROR, Reply.ERROR, None, error.text, now)
        return True

    def _resend_dropped(self, now: Now, answered_frame: int = 0) -> None:
        for post, blamed, text in self._attribution.take_dropped(self.in_flight, now.mono, answered_frame):
            if not answered_frame:
                self._unconfirmed.add(post)  # the Error may have been another's
            if blamed and post.instrument.alone:
                if post.instrument.isolation is not None:
                    self._isolation.answered(post, now)
                self._outcomes.finish(post, Status.ERROR, Reply.ERROR, None, text, now)
                continue
            post.instrument.send_alone(alone=blamed)
            why = f"dropped by the ADS after an Error in the same frame: {text}"
            self._outcomes.retry(post, Reply.TIMEOUT, None, why, now, 0.0)

    def ended_by_trial(self, now: Now) -> bool:
        """Whether the session, where it ends now of itself, does so for a post and not for its endpoint."""
        return self._isolation.ended_by_trial(now)

    def session_lost(self, reason: str | None, now: Now) -> None:
        """The session ended: what was unanswered is posted again on the next one, within its attempts.

        ``reason``: why, where a post may have been the cause.
        """
        texts = self._isolation.session_lost(list(self.in_flight), reason, now)
        self._attribution.clear()
        self._unconfirmed.clear()
        for post in self.in_flight.pop_all():
            text = texts.get(post.post_id, "the session ended before the answer")
            self._outcomes.again(post, Reply.LOST, text, now, delay=False)

    # Time

    def tick(self, now: Now) -> None:
        """Time has passed: timeouts, retries due, prices too old."""
        while (oldest := self.in_flight.oldest()) and oldest.sent.mono + self.policy.ack_timeout <= now.mono:
            self.in_flight.pop(oldest.post_id)
            self._unconfirmed.add(oldest)
            self._isolation.timed_out(oldest, now)
            text = f"no answer within {self.policy.ack_timeout:g} s"
            self._outcomes.again(oldest, Reply.TIMEOUT, text, now, delay=True)
        if self._attribution:
            self._resend_dropped(now)
        self._outcomes.make_due(now)
        if self._expiry:
            self._expire_old(now)

    def make_room(self, *, everywhere: bool, now: Now) -> None:
        """Gives up prices that others have to wait for, of instruments that are not answered.

        They are in the way where half of what may be taken ahead of them is, or half of all that may wait does
        (``everywhere``).
        """
        for instrument in self.instruments.hopeless():
            if prices := _in_the_way(instrument, everywhere=everywhere):
                self.instruments.settle_waiting(instrument)
                for price in prices[:-1]:
                    self._outcomes.give_up_waiting(price, now)
                self._outcomes.give_up_waiting(prices[-1], now, instrument)

    def _expire_old(self, now: Now) -> None:
        for price in self._expiry.take_expired(now):
            if price.state is PriceState.SETTLED:
                continue  # it was ahead of another one, and expired with it
            for old in (*self.instruments.older(price), price) if self.policy.conflate else (price,):
                self._outcomes.expire(old, now)

    def wake_at(self, now: Now) -> float | None:
        """The monotonic time at which ``tick`` has something to do, None where it has nothing."""
        oldest = self.in_flight.oldest()
        candidates = (
            oldest.sent.mono + self.policy.ack_timeout if oldest else None,
            self._outcomes.next_retry(),
            self._expiry.wake_at(now),
            self._attribution.next_deadline(),
            self._poster.wake_at(now.mono),
        )
        return min((at for at in candidates if at is not None), default=None)


def _in_the_way(instrument: Instrument, *, everywhere: bool) -> list[Price]:
    """Its waiting prices that others have to wait for, of one partition: their results are durable together, or not."""
    prices = [
        price
        for price in instrument.waiting
        if price.state is PriceState.WAITING
        and type(price) is Price
        and (everywhere or price.tracker.is_far_behind(price.record.offset))
    ]
    return [price for price in prices if price.tracker is prices[0].tracker]
