"""Between the prices that come in and the answers to their posts: who has what to do next."""

from collections.abc import Callable
from typing import Final

from contribd.engine.ages import Ages
from contribd.engine.clock import Now
from contribd.engine.instrument import Book
from contribd.engine.ledger import Ledger
from contribd.engine.outbox import Outbox
from contribd.engine.policy import ContributionPolicy
from contribd.engine.posting import Poster
from contribd.engine.price import Price, Reply, Status
from contribd.engine.states import InstrumentEvent, InstrumentState
from contribd.engine.suspects import Suspects
from contribd.engine.tally import Tally
from contribd.engine.unread import Unread
from contribd.engine.verdicts import Verdicts
from contribd.engine.window import Window
from contribd.engine.withdrawals import Withdrawals
from contribd.omm.answers import Ack, PostError
from contribd.omm.post import PostEncoder

_ACCEPTED: Final = Status.ACK  # a member costs less as a global
_ACK: Final = Reply.ACK


class Contributor:
    """Owns the book of instruments and the window of posts under way."""

    def __init__(self, policy: ContributionPolicy, encoder: PostEncoder, outbox: Outbox, tally: Tally) -> None:
        self.policy = policy
        self.book = Book()
        self.window = Window(policy.max_outstanding, policy.first_post_id)
        self.withdrawals = Withdrawals(policy.withdraw)
        self._tally = tally
        self._ages = Ages(policy.max_age)
        self._verdicts = Verdicts(policy, self.book, self._ages, self.withdrawals, outbox, tally)
        self._poster = Poster(policy, encoder, self.book, self.window, self._ages, self._verdicts, tally)
        self._suspects = Suspects()
        self._unread = Unread()

    # Prices in

    def queue(self, price: Price, now: Now) -> None:
        """A mapped price, to be posted when its turn comes; a withdrawal that waits for the same instrument goes."""
        if self.withdrawals.waits and (old := self.book.withdrawal(price)) is not None:
            self._verdicts.drop(old, now)
        self._ages.watch(price)
        self.book.queue(price)

    def withdraw(self, now: Now) -> None:
        """Queues the withdrawals that are due."""
        for withdrawal in self.withdrawals.make(self.book.busy, now):
            self.book.queue(withdrawal)

    def forget(self, ledgers: set[Ledger], now: Now) -> None:
        """Drops the waiting prices of partitions that are going: their next owner consumes them again."""
        for instrument in self.book:
            kept = []
            for price in instrument.waiting:
                if price.ledger in ledgers:
                    self._verdicts.drop(price, now)
                else:
                    kept.append(price)
            instrument.waiting.clear()
            instrument.waiting.extend(kept)
            if not kept and instrument.state is InstrumentState.BACKING_OFF:
                self.book.emptied(instrument)

    def abandon(self) -> bool:
        """Gives up on prices that are not ours any more; whether the ADS may still have posts of them to read.

        A post that carries others of ours as well is the newest of those from now on. The answers to those that carry
        none will match nothing.
        """
        touched = [flight for flight in self.window if any(price.ledger.closed for price in flight.group)]
        for flight in touched:
            flight.forget_closed()
            if not flight.group:
                self.withdrawals.taken_over(flight)
                self.window.pop(flight.post_id)
                self.book.release(flight.instrument, InstrumentEvent.FORGOTTEN)
        return bool(touched) or self._unread.others()

    @property
    def all_read(self) -> bool:
        """Whether the ADS has read every post of the session, as far as its answers say."""
        return not len(self.window) and not self._unread

    # Posts out

    def session_opened(self, endpoint: str, session: str) -> None:
        """A new session: posts from now on are this one's."""
        self._verdicts.session_opened(endpoint, session)

    def take_frames(self, is_up: Callable[[str], bool], max_size: int, now: Now) -> list[bytes]:
        """The texts of the frames to send now: see ``Poster.take_frames``."""
        return self._poster.take_frames(is_up, max_size, now)

    # Answers in

    def answered(self, ack: Ack, now: Now) -> bool:
        """An Ack or NAK; False where no outstanding post has its ID."""
        flight = self.window.pop(ack.post_id)
        if flight is None:
            self._unread.answered_late(ack.post_id)
            return False
        self._poster.answered(flight, now)
        if self._unread:
            self._unread.answered(flight.frame)
        suspects = self._suspects.answered(flight, self.window, now.mono)
        if ack.code is None:
            self._tally.last_ack = now.wall
            self._verdicts.finish(flight, _ACCEPTED, _ACK, None, ack.text or None, now)
        else:
            self._verdicts.refused(flight, ack.code, ack.text or None, now)
        if suspects:
            self._resend_dropped(now, flight.frame)
        return True

    def failed(self, error: PostError, now: Now) -> bool:
        """An Error message; False where it belongs to no outstanding post."""
        patience = self._poster.patience
        if error.post_id is None:
            return self._suspects.after_nameless_error(error.text, self.window, now.mono, patience)
        flight = self.window.pop(error.post_id)
        if flight is None:
            self._unread.answered_late(error.post_id)
            return False
        self._poster.answered(flight, now)
        self._unread.answered(flight.frame)
        self._suspects.answered(flight, self.window, now.mono)
        self._suspects.after_error(flight, error.text, self.window, now.mono, patience)
        self._verdicts.finish(flight, Status.ERROR, Reply.ERROR, None, error.text, now)
        return True

    def _resend_dropped(self, now: Now, answered_frame: int = 0) -> None:
        for flight, blamed, text in self._suspects.proven(self.window, now.mono, answered_frame):
            if not answered_frame:
                self._unread.add(flight)  # the Error may have been another's
            if blamed and flight.instrument.alone:
                self._verdicts.finish(flight, Status.ERROR, Reply.ERROR, None, text, now)
                continue
            flight.instrument.alone = blamed
            why = f"dropped by the ADS after an Error in the same frame: {text}"
            self._verdicts.retry(flight, Reply.TIMEOUT, None, why, now, 0.0)

    def session_lost(self, now: Now) -> None:
        """The session ended: what was unanswered is posted again on the next one, within its attempts."""
        self._suspects.clear()
        self._unread.clear()
        self._poster.session_lost()
        for flight in self.window.pop_all():
            self._verdicts.again(flight, Reply.LOST, "the session ended before the answer", now, delay=False)

    # Time

    def tick(self, now: Now) -> None:
        """Time has passed: timeouts, retries due, prices too old."""
        while (oldest := self.window.oldest()) and oldest.sent.mono + self.policy.ack_timeout <= now.mono:
            self.window.pop(oldest.post_id)
            self._unread.add(oldest)
            text = f"no answer within {self.policy.ack_timeout:g} s"
            self._verdicts.again(oldest, Reply.TIMEOUT, text, now, delay=True)
        if self._suspects:
            self._resend_dropped(now)
        self._verdicts.make_due(now)
        if self._ages:
            self._expire_old(now)

    def _expire_old(self, now: Now) -> None:
        for price in self._ages.take_expired(now):
            if price.settled:
                continue  # it was ahead of another one, and went with it
            for old in (*self.book.older(price), price) if self.policy.conflate else (price,):
                self._verdicts.expire(old, now)

    def wake_at(self, now: Now) -> float | None:
        """The monotonic time at which ``tick`` has something to do, None where it has nothing."""
        oldest = self.window.oldest()
        candidates = (
            oldest.sent.mono + self.policy.ack_timeout if oldest else None,
            self._verdicts.next_retry(),
            self._ages.wake_at(now),
            self._suspects.next_deadline(),
            self._poster.wake_at(now.mono),
        )
        return min((at for at in candidates if at is not None), default=None)
