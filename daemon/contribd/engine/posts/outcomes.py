"""Outcomes: what an answer, or its absence, means for the prices of a post.

Theory of operation
===================

A post carries one or more prices of one instrument. The newest is the carrier; the others were merged into it.

| what came | what follows |
|---|---|
| Ack | ACK |
| NAK of an Update: the item does not exist, and ``create_missing`` | posted again at once, as a Refresh |
| NAK with a code in ``retry.codes``, attempts left | posted again after the backoff |
| any other NAK | NAK |
| Error that names the post | ERROR |
| post dropped with an Error (``error_attribution``) | posted again at once |
| no answer in ``ack_timeout``, attempts left | posted again after the backoff, in a frame of its own |
| session ended, attempts left | posted again at once, by a trial (``trials``) |
| the same two, no attempt left | UNANSWERED |

An attempt is one post of the instrument: newer prices that are merged into it do not begin at zero. It counts until a
price of the instrument is settled, and that of an offender until one is answered: each further price of it has one
attempt. In a frame of its own: a post without an answer may be what made the server drop its frame. By a trial: it may
be what ended the session.

Final. The carrier gets the answer, the others CONFLATED. The instrument stays in COMMITTING until the result is
durable: a crash now would repeat this price, and it must not come after a newer one.

Again. All prices go back to the head of their instrument, in order, and each of them records the attempt, since one may
expire while the others are posted again. Left out are prices whose partition is being revoked, and blanks that a newer
price has overtaken.

Not posted, or not again. Too old: EXPIRED, or its last answer where it had been posted. Too large by itself: REJECTED.
Partition being revoked: no result here; the next owner consumes the record again. Paused (``pauses``): SUPPRESSED, or
its last answer where it had been posted; so for a publish rule (``publishing``). Of an instrument that is not
answered, whose partition or memory is half used up by what waits: UNANSWERED, so that the others need not wait for it.

Values that are posted once more by order (``ordered``) are of no record and have no result; their instrument is free
once they are answered.
"""

import heapq
from itertools import count
from typing import Final

from contribd.engine.clock import Now
from contribd.engine.counters import EngineCounters
from contribd.engine.policy import ContributionPolicy
from contribd.engine.posts.in_flight import InFlightPost
from contribd.engine.posts.republications import Republications
from contribd.engine.posts.withdrawals import Withdrawals
from contribd.engine.records.expiry import Expiry
from contribd.engine.records.instruments import Instrument, Instruments
from contribd.engine.records.last_posted import LastPosted
from contribd.engine.records.outbox import Outbox
from contribd.engine.records.pauses import Pauses
from contribd.engine.records.price import (
    Attempt,
    Price,
    Reason,
    Reply,
    Republication,
    Settlement,
    Status,
    Withdrawal,
    settle,
)
from contribd.engine.states import InstrumentEvent, InstrumentState, PriceState, TrackerState
from contribd.mapping.outcome import FieldValue, PostType, RejectCode, SuppressCode

_UNKNOWN_ITEM_CODE: Final = "SymbolUnknown"
_UNKNOWN_ITEM_TEXTS: Final = ("unknown item", "unable to find item")
"""NAKs that say an item does not exist: the code, or what servers were seen to write under another code."""

_FINAL: Final = {
    Reply.NAK: Status.NAK,
    Reply.ERROR: Status.ERROR,
    Reply.TIMEOUT: Status.UNANSWERED,
    Reply.LOST: Status.UNANSWERED,
}

_ACCEPTED: Final = {Reply.ACK: True, Reply.NAK: False, Reply.ERROR: False}

_UNANSWERED: Final = (Reply.TIMEOUT, Reply.LOST)
_CLOSED: Final = TrackerState.CLOSED  # a member costs less as a global


class Outcomes:
    """Settles prices into the outbox, and keeps the time of those that back off. Every attempt is recorded here."""

    def __init__(
        self,
        policy: ContributionPolicy,
        instruments: Instruments,
        expiry: Expiry,
        withdrawals: Withdrawals,
        republications: Republications,
        outbox: Outbox,
        counters: EngineCounters,
        pauses: Pauses,
        last: LastPosted,
    ) -> None:
        self._policy = policy
        self._instruments = instruments
        self._expiry = expiry
        self._withdrawals = withdrawals
        self._republications = republications
        self._outbox = outbox
        self._counters = counters
        self._pauses = pauses
        self._last = last
        self._retries: list[tuple[float, int, Instrument]] = []
        self._order = count()
        self._endpoint = ""
        self._session = ""

    def change_policy(self, policy: ContributionPolicy) -> None:
        """What is decided from now on is decided by this one."""
        self._policy = policy

    def session_opened(self, endpoint: str, session: str) -> None:
        """A new session: posts from now on are this one's."""
        self._endpoint, self._session = endpoint, session

    # Posts

    def refused(self, post: InFlightPost, code: str, text: str | None, now: Now) -> None:
        """A NAK: another try where its code is worth one."""
        retry = self._policy.retry
        tried = post.instrument.tries + 1
        if self._may_create(post) and _says_missing(code, text):
            post.instrument.create_item()
            self.retry(post, Reply.NAK, code, text, now, 0.0)
        elif code in retry.codes and tried < retry.attempts:
            self.retry(post, Reply.NAK, code, text, now, retry.backoff(tried))
        else:
            self.finish(post, Status.NAK, Reply.NAK, code, text, now)

    def _may_create(self, post: InFlightPost) -> bool:
        return (
            self._policy.create_missing
            and post.type is PostType.UPDATE
            and type(post.group[-1]) is not Withdrawal  # what is not there needs no blanks
        )

    def again(self, post: InFlightPost, reply: Reply, text: str, now: Now, *, delay: bool) -> None:
        """No answer: another try where one is left, else UNANSWERED."""
        retry = self._policy.retry
        tried, isolation = post.instrument.tries + 1, post.instrument.isolation
        if self._shows(post):
            self._withdrawals.unanswered(post)
        if tried < retry.attempts and not (isolation is not None and isolation.exhausted):
            if reply is Reply.TIMEOUT:
                # It may have been dropped with one that the server did not like, or be that one.
                post.instrument.send_alone()
            self.retry(post, reply, None, text, now, retry.backoff(tried) if delay else 0.0)
            return
        if isolation is not None:
            isolation.exhaust()
        self.finish(post, Status.UNANSWERED, reply, None, text, now)

    def retry(
        self, post: InFlightPost, reply: Reply, code: str | None, text: str | None, now: Now, delay: float
    ) -> None:
        """Another try later. Every price of the group knows of this one: it may expire while the others are posted."""
        paused = self._pauses.any and self._paused(post.group)
        if paused == len(post.group):
            self.finish(post, _FINAL[reply], reply, code, text, now)
            return
        attempt = self._record_attempt(post, reply, code, text, now)
        for price in post.group[:-1]:
            price.add(attempt)
        instrument = post.instrument
        for price in post.group[:paused]:
            price.retry()
            self.give_up(price, now)
        group = [price for price in post.group[paused:] if self._keeps(price, instrument, now)]
        instrument.retry(group, now.mono + delay)
        if not instrument.waiting:
            self._instruments.emptied(instrument)
            return
        heapq.heappush(self._retries, (instrument.retry_at, next(self._order), instrument))
        for price in group:
            price.retry()
            self._expiry.watch(price)

    def _paused(self, group: list[Price]) -> int:
        """How many of a post's prices, from the oldest, are not posted again: up to the newest one that is paused."""
        paused = [number for number, price in enumerate(group, 1) if self._pauses.of_price(price) is not None]
        return max(paused, default=0)

    def _keeps(self, price: Price, instrument: Instrument, now: Now) -> bool:
        """Whether a price may be posted again: not where its partition is being taken away, nor what is of no record
        where a newer price waits behind it."""
        if type(price) is not Price:
            for_stop = type(price) is Withdrawal and price.reason is Reason.STOP
            keeps = for_stop or not price.tracker.stopping
            keeps = keeps and all(newer.state is PriceState.SETTLED for newer in instrument.waiting)
        else:
            keeps = not price.tracker.stopping
        if keeps:
            return True
        price.retry()
        self.drop(price, now)
        return False

    def finish(
        self, post: InFlightPost, status: Status, reply: Reply, code: str | None, text: str | None, now: Now
    ) -> None:
        """The last word on a post: the newest price gets the answer, those merged into it are CONFLATED."""
        self._record_attempt(post, reply, code, text, now)
        instrument, group = post.instrument, post.group
        instrument.settle()
        if self._withdrawals.wanted and status is Status.ACK and self._shows(post):
            self._withdrawals.acked(post)
        carrier = group[-1]
        if len(group) > 1:
            for price in group[:-1]:
                self._settle(price, Status.CONFLATED, now, carried_by=carrier)
        self._settle(carrier, status, now, code, text, post.fields, None, instrument)

    def _shows(self, post: InFlightPost) -> bool:
        """Whether a post put up what may have to be withdrawn."""
        return self._withdrawals.wanted and type(post.group[-1]) is not Withdrawal

    def _record_attempt(
        self, post: InFlightPost, reply: Reply, code: str | None, text: str | None, now: Now
    ) -> Attempt:
        answered = None if reply in _UNANSWERED else now.wall
        attempt = Attempt(
            post.post_id,
            post.type,
            self._endpoint,
            self._session,
            post.sent.wall,
            answered,
            reply,
            code,
            text,
        )
        post.group[-1].add(attempt)
        if self._last.active:
            self._last.answered(post.instrument.key, accepted=_ACCEPTED.get(reply))
        self._counters.posts[post.type, reply] += 1
        return attempt

    # Retries, and what is too soon

    def hold(self, instrument: Instrument, group: list[Price], until: float) -> None:
        """The prices that a ready instrument would post now wait until then (monotonic seconds)."""
        instrument.hold(group, until)
        heapq.heappush(self._retries, (until, next(self._order), instrument))

    def make_due(self, now: Now) -> None:
        """Instruments whose wait is over may post."""
        while self._retries and self._retries[0][0] <= now.mono:
            due, _, instrument = heapq.heappop(self._retries)
            if instrument.state is InstrumentState.BACKING_OFF and instrument.retry_at == due:
                self._instruments.due(instrument)

    def next_retry(self) -> float | None:
        """The monotonic time of the next one."""
        return self._retries[0][0] if self._retries else None

    # Prices that are not posted, or not again

    def drop(self, price: Price, now: Now) -> None:
        """A waiting price of a partition that is being revoked; the posts so far of what is of no record must still be
        told of."""
        if type(price) is Price:
            price.give_up()
        elif price.state is PriceState.SETTLED:
            pass  # overtaken, and not let go of yet
        elif price.attempts:
            self.give_up(price, now)
        elif type(price) is Withdrawal:
            self._withdrawals.call_off(price)
        elif type(price) is Republication:
            self._republications.over(price)

    def expire(self, price: Price, now: Now, instrument: Instrument | None = None) -> None:
        """A price too old to be posted; ``instrument``: what its result frees once it is durable."""
        if price.attempts:
            self.give_up(price, now, instrument)
        else:
            text = self._expiry.explanation(price, now)
            self._settle(price, Status.EXPIRED, now, text=text, instrument=instrument)

    def give_up(self, price: Price, now: Now, instrument: Instrument | None = None) -> None:
        """A price that was posted and cannot be again keeps its last answer."""
        last = (price.attempts or [])[-1]
        self._settle(price, _FINAL[last.reply], now, code=last.code, text=last.text, instrument=instrument)

    def give_up_waiting(self, price: Price, now: Now, instrument: Instrument | None = None) -> None:
        """A price of an instrument that is not answered, for which others would have to wait.

        ``instrument``: where this is the last of them. Nothing newer goes before their results are durable: a crash now
        would bring them back.
        """
        if price.attempts:
            self.give_up(price, now, instrument)
        else:
            text = "not posted: earlier posts of its RIC got no answer, and others would have had to wait for it"
            self._settle(price, Status.UNANSWERED, now, text=text, instrument=instrument)

    def suppress(
        self, price: Price, code: SuppressCode, text: str, now: Now, instrument: Instrument | None = None
    ) -> None:
        """A price that a rule or an order keeps from being posted; one that was posted keeps its last answer.

        ``instrument``: what its result frees once it is durable.
        """
        if price.attempts:
            self.give_up(price, now, instrument)
        else:
            self._settle(price, Status.SUPPRESSED, now, code=code, text=text, instrument=instrument)

    def reject_size(self, price: Price, size: int, max_size: int, now: Now) -> None:
        """A price whose post by itself is larger than the ADS takes; sizes in bytes."""
        text = f"the post is {size} bytes, and the ADS takes {max_size} (MaxMsgSize)"
        self._settle(price, Status.REJECTED, now, code=RejectCode.TOO_LARGE, text=text)

    def _settle(
        self,
        price: Price,
        status: Status,
        now: Now,
        code: str | None = None,
        text: str | None = None,
        fields: dict[str, FieldValue] | None = None,
        carried_by: Price | None = None,
        instrument: Instrument | None = None,
    ) -> None:
        if type(price) is not Price and self._settle_own(price, status, code, text, instrument):
            return
        if price.tracker.state is _CLOSED:
            price.give_up()
            if instrument is not None:
                self._instruments.release(instrument, InstrumentEvent.FORGOTTEN)
            return
        self._add(settle(price, status, now.wall, code, text, fields, carried_by), instrument)

    def _settle_own(
        self, price: Price, status: Status, code: str | None, text: str | None, instrument: Instrument | None
    ) -> bool:
        """What is of no record; True where it has no result either, and so nothing that has to become durable."""
        if type(price) is Withdrawal:
            self._withdrawals.over(price, status, code, text)
        if type(price) is not Republication:
            return False
        self._republications.over(price, status, code, text)
        if instrument is not None:
            self._instruments.release(instrument, InstrumentEvent.COMMITTED)
        return True

    def _add(self, settlement: Settlement, instrument: Instrument | None) -> None:
        if settlement.reason is None:
            self._counters.results[settlement.status, settlement.code or ""] += 1
        else:
            self._counters.withdrawals[settlement.reason, settlement.status] += 1
        self._outbox.add(settlement, instrument)


def _says_missing(code: str, text: str | None) -> bool:
    lowered = (text or "").lower()
    return code == _UNKNOWN_ITEM_CODE or any(known in lowered for known in _UNKNOWN_ITEM_TEXTS)
