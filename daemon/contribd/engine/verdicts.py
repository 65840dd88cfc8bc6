"""What an answer means for the prices of a post: they are settled, or posted again."""

import heapq
from itertools import count
from typing import Final

from contribd.engine.ages import Ages
from contribd.engine.clock import Now
from contribd.engine.instrument import Book, Instrument
from contribd.engine.outbox import Outbox
from contribd.engine.policy import ContributionPolicy
from contribd.engine.price import Attempt, Price, Reason, Reply, Settlement, Status, Withdrawal, settle
from contribd.engine.states import InstrumentEvent, InstrumentState
from contribd.engine.tally import Tally
from contribd.engine.window import Flight
from contribd.engine.withdrawals import Withdrawals
from contribd.mapping.outcome import FieldValue, PostType, RejectCode

_UNKNOWN_ITEM_CODE: Final = "SymbolUnknown"
_UNKNOWN_ITEM_TEXTS: Final = ("unknown item", "unable to find item")
"""NAKs that say an item does not exist: the code, or what servers were seen to write under another code."""

_FINAL: Final = {
    Reply.NAK: Status.NAK,
    Reply.ERROR: Status.ERROR,
    Reply.TIMEOUT: Status.UNANSWERED,
    Reply.LOST: Status.UNANSWERED,
}

_UNANSWERED: Final = (Reply.TIMEOUT, Reply.LOST)
_SETTLED: Final = InstrumentEvent.SETTLED  # a member costs less as a global


class Verdicts:
    """Settles prices into the outbox, and keeps the time of those that back off. Every post is noted here."""

    def __init__(
        self,
        policy: ContributionPolicy,
        book: Book,
        ages: Ages,
        withdrawals: Withdrawals,
        outbox: Outbox,
        tally: Tally,
    ) -> None:
        self._policy = policy
        self._book = book
        self._ages = ages
        self._withdrawals = withdrawals
        self._outbox = outbox
        self._tally = tally
        self._retries: list[tuple[float, int, Instrument]] = []
        self._order = count()
        self._endpoint = ""
        self._session = ""

    def session_opened(self, endpoint: str, session: str) -> None:
        """A new session: posts from now on are this one's."""
        self._endpoint, self._session = endpoint, session

    # Posts

    def refused(self, flight: Flight, code: str, text: str | None, now: Now) -> None:
        """A NAK: another try where its code is worth one."""
        retry = self._policy.retry
        tried = len(flight.group[-1].attempts or ()) + 1
        if self._may_create(flight) and _says_missing(code, text):
            flight.instrument.create = True
            self.retry(flight, Reply.NAK, code, text, now, 0.0)
        elif code in retry.codes and tried < retry.attempts:
            self.retry(flight, Reply.NAK, code, text, now, retry.backoff(tried))
        else:
            self.finish(flight, Status.NAK, Reply.NAK, code, text, now)

    def _may_create(self, flight: Flight) -> bool:
        return (
            self._policy.create_missing
            and flight.type is PostType.UPDATE
            and type(flight.group[-1]) is not Withdrawal  # what is not there needs no blanks
        )

    def again(self, flight: Flight, reply: Reply, text: str, now: Now, *, delay: bool) -> None:
        """No answer: another try where one is left, else UNANSWERED."""
        retry = self._policy.retry
        tried = len(flight.group[-1].attempts or ()) + 1
        if self._shows(flight):
            self._withdrawals.unanswered(flight)
        if tried < retry.attempts:
            # One more session lost with it, and it would be given up: that must not happen to its neighbours. A post
            # that got no answer may have been dropped with one that the server did not like, or be that one.
            flight.instrument.solo = reply is Reply.LOST and tried + 1 == retry.attempts
            flight.instrument.alone |= reply is Reply.TIMEOUT
            self.retry(flight, reply, None, text, now, retry.backoff(tried) if delay else 0.0)
        else:
            self.finish(flight, Status.UNANSWERED, reply, None, text, now)

    def retry(self, flight: Flight, reply: Reply, code: str | None, text: str | None, now: Now, delay: float) -> None:
        """Another try later. Every price of the group knows of this one: it may expire while the others are posted."""
        attempt = self._note(flight, reply, code, text, now)
        for price in flight.group[:-1]:
            price.add(attempt)
        instrument = flight.instrument
        group = [price for price in flight.group if self._keeps(price, instrument, now)]
        self._book.requeue(instrument, group)
        if not instrument.waiting:
            self._book.emptied(instrument)
            return
        instrument.retry_at = now.mono + delay
        heapq.heappush(self._retries, (instrument.retry_at, next(self._order), instrument))
        for price in group:
            price.under_way = False
            self._ages.watch(price)

    def _keeps(self, price: Price, instrument: Instrument, now: Now) -> bool:
        """Whether a price may be posted again: not where its partition is being taken away, nor blanks where a newer
        price waits behind them."""
        if type(price) is Withdrawal:
            keeps = price.reason is Reason.STOP or not price.ledger.stopping
            keeps = keeps and all(newer.settled for newer in instrument.waiting)
        else:
            keeps = not price.ledger.stopping
        if keeps:
            return True
        price.under_way = False
        self.drop(price, now)
        return False

    def finish(
        self, flight: Flight, status: Status, reply: Reply, code: str | None, text: str | None, now: Now
    ) -> None:
        """The last word on a post: the newest price gets the answer, those merged into it are CONFLATED."""
        self._note(flight, reply, code, text, now)
        instrument, group = flight.instrument, flight.group
        instrument.create = instrument.alone = instrument.solo = False
        instrument.move(_SETTLED)
        if self._withdrawals.wanted and status is Status.ACK and self._shows(flight):
            self._withdrawals.acked(flight)
        carrier = group[-1]
        if len(group) > 1:
            for price in group[:-1]:
                self._settle(price, Status.CONFLATED, now, carried_by=carrier)
        self._settle(carrier, status, now, code, text, flight.fields, None, instrument)

    def _shows(self, flight: Flight) -> bool:
        """Whether a post put up what may have to be withdrawn."""
        return self._withdrawals.wanted and type(flight.group[-1]) is not Withdrawal

    def _note(self, flight: Flight, reply: Reply, code: str | None, text: str | None, now: Now) -> Attempt:
        answered = None if reply in _UNANSWERED else now.wall
        attempt = Attempt(
            flight.post_id,
            flight.type,
            self._endpoint,
            self._session,
            flight.sent.wall,
            answered,
            reply,
            code,
            text,
        )
        flight.group[-1].add(attempt)
        self._tally.posts[flight.type, reply] += 1
        return attempt

    # Retries

    def make_due(self, now: Now) -> None:
        """Instruments whose wait before a retry is over may post again."""
        while self._retries and self._retries[0][0] <= now.mono:
            due, _, instrument = heapq.heappop(self._retries)
            if instrument.state is InstrumentState.BACKING_OFF and instrument.retry_at == due:
                self._book.due(instrument)

    def next_retry(self) -> float | None:
        """The monotonic time of the next one."""
        return self._retries[0][0] if self._retries else None

    # Prices that are not posted, or not again

    def drop(self, price: Price, now: Now) -> None:
        """A waiting price of a partition that is going; a withdrawal's posts so far must still be told of."""
        if type(price) is not Withdrawal:
            price.give_up()
        elif price.attempts:
            self.give_up(price, now)
        else:
            self._withdrawals.call_off(price)

    def expire(self, price: Price, now: Now) -> None:
        """A price too old to be posted."""
        if price.attempts:
            self.give_up(price, now)
        else:
            self._settle(price, Status.EXPIRED, now, text=self._ages.explanation(price, now))

    def give_up(self, price: Price, now: Now) -> None:
        """A price that was posted and cannot be again keeps its last answer."""
        last = (price.attempts or [])[-1]
        self._settle(price, _FINAL[last.reply], now, code=last.code, text=last.text)

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
        price.settled = True
        if type(price) is Withdrawal:
            self._withdrawals.over(price, status)
        if price.ledger.closed:
            if instrument is not None:
                self._book.release(instrument, InstrumentEvent.FORGOTTEN)
            return
        self._add(settle(price, status, now.wall, code, text, fields, carried_by), instrument)

    def _add(self, settlement: Settlement, instrument: Instrument | None) -> None:
        if settlement.reason is None:
            self._tally.results[settlement.status, settlement.code or ""] += 1
        else:
            self._tally.withdrawals[settlement.reason, settlement.status] += 1
        self._outbox.add(settlement, instrument)


def _says_missing(code: str, text: str | None) -> bool:
    lowered = (text or "").lower()
    return code == _UNKNOWN_ITEM_CODE or any(known in lowered for known in _UNKNOWN_ITEM_TEXTS)
