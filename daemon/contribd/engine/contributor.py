"""From waiting prices to posts, and from answers to settlements."""

import heapq
from collections.abc import Callable
from itertools import count

from contribd.engine.clock import Now
from contribd.engine.instrument import Book, Instrument, merge
from contribd.engine.ledger import Ledger
from contribd.engine.limits import MIN_SWEEP
from contribd.engine.outbox import Outbox
from contribd.engine.policy import ContributionPolicy
from contribd.engine.price import Attempt, Price, Reason, Reply, Settlement, Status, Withdrawal, settle
from contribd.engine.rate import RateLimit
from contribd.engine.states import InstrumentEvent, InstrumentState
from contribd.engine.suspects import Suspects, grace
from contribd.engine.tally import Tally
from contribd.engine.window import Flight, Window
from contribd.engine.withdrawals import Withdrawals
from contribd.mapping.outcome import FieldValue, PostType, RejectCode
from contribd.omm.answers import Ack, PostError
from contribd.omm.post import PostEncoder, frame

_UNKNOWN_ITEM_CODE = "SymbolUnknown"
_UNKNOWN_ITEM_TEXTS = ("unknown item", "unable to find item")
"""NAKs that say an item does not exist: the code, or what servers were seen to write under another code."""

_FINAL = {
    Reply.NAK: Status.NAK,
    Reply.ERROR: Status.ERROR,
    Reply.TIMEOUT: Status.UNANSWERED,
    Reply.LOST: Status.UNANSWERED,
}


class Contributor:
    """Owns the book of instruments and the window of posts under way."""

    def __init__(self, policy: ContributionPolicy, encoder: PostEncoder, outbox: Outbox, tally: Tally) -> None:
        self.policy = policy
        self.book = Book()
        self.window = Window(policy.max_outstanding, policy.first_post_id)
        self.withdrawals = Withdrawals(policy.withdraw)
        self._encoder = encoder
        self._outbox = outbox
        self._tally = tally
        self._rate = RateLimit(policy.max_rate)
        self._suspects = Suspects()
        self._retries: list[tuple[float, int, Instrument]] = []
        self._expiries: list[tuple[int, int, Price]] = []
        self._sweep_at = MIN_SWEEP
        self._order = count()
        self._frames = 0
        self._held_until = 0.0
        """Monotonic time before which nothing is posted, for a post that must be outstanding by itself."""
        self._smoothed_ack = 0.0
        self._endpoint = ""
        self._session = ""

    # Prices in

    def queue(self, price: Price, now: Now) -> None:
        """A mapped price, to be posted when its turn comes; a withdrawal that waits for the same instrument goes."""
        if self.withdrawals.waits and (old := self.book.withdrawal(price)) is not None:
            self._drop(old, now)
        self._watch_age(price)
        self.book.queue(price)

    def withdraw(self, now: Now) -> None:
        """Queues the withdrawals that are due."""
        for withdrawal in self.withdrawals.make(self.book.holds, now):
            self.book.queue(withdrawal)

    def forget(self, ledgers: set[Ledger], now: Now) -> None:
        """Drops the waiting prices of partitions that are going: their next owner consumes them again."""
        for instrument in self.book:
            kept = []
            for price in instrument.waiting:
                if price.ledger in ledgers:
                    self._drop(price, now)
                else:
                    kept.append(price)
            instrument.waiting.clear()
            instrument.waiting.extend(kept)
            if not kept and instrument.state is InstrumentState.BACKING_OFF:
                self.book.emptied(instrument)

    def _drop(self, price: Price, now: Now) -> None:
        """A waiting price is not posted, or not again; a withdrawal's posts so far must still be told of."""
        if type(price) is not Withdrawal:
            price.give_up()
        elif price.attempts:
            self._give_up(price, now)
        else:
            self.withdrawals.call_off(price)

    def abandon(self) -> int:
        """Gives up on posts none of whose prices is ours any more; how many. Their answers will match nothing.

        A post that carries others of ours as well is the newest of those from now on.
        """
        for flight in self.window:
            flight.group = [price for price in flight.group if not price.ledger.closed]
        gone = [flight for flight in self.window if not flight.group]
        for flight in gone:
            self.window.pop(flight.post_id)
            self.book.release(flight.instrument, InstrumentEvent.FORGOTTEN)
        return len(gone)

    # Posts out

    def session_opened(self, endpoint: str, session: str) -> None:
        """A new session: posts from now on are this one's."""
        self._endpoint, self._session = endpoint, session

    def take_frames(self, is_up: Callable[[str], bool], max_size: int, now: Now) -> list[bytes]:
        """The texts of the frames to send now: as many posts as window, rate and services allow.

        Frames hold at most ``pack`` posts and ``max_size`` bytes; what waits now is sent now.
        """
        if now.mono < self._held_until:
            return []
        room = self._rate.allowed(self.window.room, now.mono)
        packer = _Packer(self.policy.pack, max_size, self._frames)
        sent = 0
        for service in self.book.services():
            if not is_up(service):
                continue
            while sent < room and now.mono >= self._held_until:
                instrument = self.book.pop_ready(service)
                if instrument is None:
                    break
                if instrument.solo and self._hold(instrument, now):
                    break
                sent += self._post(instrument, packer, max_size, now)
        self._rate.spend(sent)
        frames = packer.finish()
        self._frames = packer.number
        return frames

    def _hold(self, instrument: Instrument, now: Now) -> bool:
        """Whether a post that may end the session has to wait until nothing else can be lost with it.

        A post that was sent a while ago and is merely unanswered is not waited for. After it went, the others wait in
        turn until it is answered, or has done no harm for as long.
        """
        patience = grace(self._smoothed_ack)
        newest = self.window.newest()
        if newest is not None and now.mono < newest.sent.mono + patience:
            self.book.unpop(instrument)
            self._held_until = newest.sent.mono + patience
            return True
        self._held_until = now.mono + patience
        return False

    def _post(self, instrument: Instrument, packer: "_Packer", max_size: int, now: Now) -> bool:
        """Posts what the instrument has; False where nothing was left to post."""
        while group := self._gather(instrument, now):
            if found := self._fitting(instrument, group, max_size, now):
                flight, text = found
                packer.add(flight, text, alone=instrument.alone)
                self._sent(flight)
                return True
        self.book.emptied(instrument)
        return False

    def _fitting(
        self, instrument: Instrument, group: list[Price], max_size: int, now: Now
    ) -> tuple[Flight, bytes] | None:
        """A post the ADS takes, with its text, of the prices that fit by themselves; None where none is left.

        Where these do not fit together the older part goes first, but never less than was posted together before:
        that would post an older price after a newer one.
        """
        post_id = self.window.next_id()
        while group:
            flight, text = self._encode(post_id, instrument, group, now)
            if len(text) <= max_size:
                return flight, text
            fit = [
                price
                for price in group
                if price.attempts or self._fits_alone(post_id, instrument, price, max_size, now)
            ]
            if len(fit) == len(group):
                part = max(len(group) // 2, _posted(group))
                instrument.waiting.extendleft(reversed(group[part:]))
                if part == len(group):
                    for price in group:
                        self._give_up(price, now)
                    return None
                fit = group[:part]
            group = fit
        return None

    def _encode(self, post_id: int, instrument: Instrument, group: list[Price], now: Now) -> tuple[Flight, bytes]:
        post_type, fields = merge(group)
        if instrument.create:
            post_type = PostType.REFRESH
        service, ric = instrument.key
        text = self._encoder.encode(post_id, ric=ric, service=service, post_type=post_type, fields=fields)
        return Flight(post_id, instrument, group, post_type, fields, now), text

    def _fits_alone(self, post_id: int, instrument: Instrument, price: Price, max_size: int, now: Now) -> bool:
        """Whether a price makes a post the ADS takes; one that does not is rejected."""
        size = len(self._encode(post_id, instrument, [price], now)[1])
        if size <= max_size:
            return True
        text = f"the post is {size} bytes, and the ADS takes {max_size} (MaxMsgSize)"
        self._settle(price, Status.REJECTED, now, code=RejectCode.TOO_LARGE, text=text)
        return False

    def _gather(self, instrument: Instrument, now: Now) -> list[Price]:
        """The prices the next post carries: all that wait where prices are conflated, else the first.

        What is older than a price too old is too old as well, whatever its own timestamp says: that price may have
        been posted, by this process or one before it, and nothing older may follow.
        """
        group: list[Price] = []
        waiting = instrument.waiting
        while waiting and (self.policy.conflate or not group):
            price = waiting.popleft()
            if price.settled:
                continue
            if type(price) is Withdrawal:
                if group:
                    waiting.appendleft(price)
                else:
                    group.append(price)
                break
            group.append(price)
            if self._too_old(price, now):
                for old in group:
                    self._expire(old, now)
                group.clear()
        return group

    def _too_old(self, price: Price, now: Now) -> bool:
        max_age = self.policy.max_age
        return max_age is not None and price.timestamp >= 0 and price.timestamp * 1000 + max_age < now.wall

    def _sent(self, flight: Flight) -> None:
        self.window.add(flight)
        flight.instrument.move(InstrumentEvent.SENT)
        for price in flight.group:
            price.under_way = True
        newest = flight.group[-1].timestamp
        if newest >= 0:
            self._tally.delivery_seconds.add(max(0, flight.sent.wall - newest * 1000) / 1e6)

    # Answers in

    def answered(self, ack: Ack, now: Now) -> bool:
        """An Ack or NAK; False where no outstanding post has its ID."""
        flight = self.window.pop(ack.post_id)
        if flight is None:
            return False
        self._observe(flight, now)
        self._suspects.answered(flight, self.window, now.mono)
        if ack.code is None:
            self._tally.last_ack = now.wall
            self._finish(flight, Status.ACK, Reply.ACK, None, ack.text or None, now)
        else:
            self._refused(flight, ack.code, ack.text or None, now)
        if self._suspects:
            self._resend_dropped(now, flight.frame)
        return True

    def failed(self, error: PostError, now: Now) -> bool:
        """An Error message; False where it belongs to no outstanding post."""
        patience = grace(self._smoothed_ack)
        if error.post_id is None:
            return self._suspects.after_nameless_error(error.text, self.window, now.mono, patience)
        flight = self.window.pop(error.post_id)
        if flight is None:
            return False
        self._observe(flight, now)
        self._suspects.answered(flight, self.window, now.mono)
        self._suspects.after_error(flight, error.text, self.window, now.mono, patience)
        self._finish(flight, Status.ERROR, Reply.ERROR, None, error.text, now)
        return True

    def session_lost(self, now: Now) -> None:
        """The session ended: what was unanswered is posted again on the next one, within its attempts."""
        self._suspects.clear()
        self._held_until = 0.0
        for flight in self.window.pop_all():
            self._again(flight, Reply.LOST, "the session ended before the answer", now, delay=False)

    def tick(self, now: Now) -> None:
        """Time has passed: timeouts, retries due, prices too old."""
        while (oldest := self.window.oldest()) and oldest.sent.mono + self.policy.ack_timeout <= now.mono:
            self.window.pop(oldest.post_id)
            self._again(oldest, Reply.TIMEOUT, f"no answer within {self.policy.ack_timeout:g} s", now, delay=True)
        if self._suspects:
            self._resend_dropped(now)
        while self._retries and self._retries[0][0] <= now.mono:
            due, _, instrument = heapq.heappop(self._retries)
            if instrument.state is InstrumentState.BACKING_OFF and instrument.retry_at == due:
                self.book.due(instrument)
        self._expire_old(now)

    def wake_at(self, now: Now) -> float | None:
        """The monotonic time at which ``tick`` has something to do, None where it has nothing."""
        oldest = self.window.oldest()
        candidates = (
            oldest.sent.mono + self.policy.ack_timeout if oldest else None,
            self._retries[0][0] if self._retries else None,
            now.mono + max(0, self._expiries[0][0] - now.wall) / 1e6 if self._expiries else None,
            self._suspects.next_deadline(),
            self._rate.next_at(now.mono),
            self._held_until if self._held_until > now.mono else None,
        )
        return min((at for at in candidates if at is not None), default=None)

    # What an answer means

    def _observe(self, flight: Flight, now: Now) -> None:
        if not len(self.window) or flight.instrument.solo:
            self._held_until = 0.0
        seconds = now.mono - flight.sent.mono
        self._tally.ack_seconds.add(seconds)
        self._smoothed_ack += (seconds - self._smoothed_ack) / 8

    def _refused(self, flight: Flight, code: str, text: str | None, now: Now) -> None:
        carrier = flight.group[-1]
        retry = self.policy.retry
        tried = len(carrier.attempts or ()) + 1
        if self._may_create(flight) and _says_missing(code, text):
            flight.instrument.create = True
            self._retry(flight, Reply.NAK, code, text, now, 0.0)
        elif code in retry.codes and tried < retry.attempts:
            self._retry(flight, Reply.NAK, code, text, now, retry.backoff(tried))
        else:
            self._finish(flight, Status.NAK, Reply.NAK, code, text, now)

    def _may_create(self, flight: Flight) -> bool:
        return (
            self.policy.create_missing
            and flight.type is PostType.UPDATE
            and type(flight.group[-1]) is not Withdrawal  # what is not there needs no blanks
        )

    def _again(self, flight: Flight, reply: Reply, text: str, now: Now, *, delay: bool) -> None:
        """No answer: another try where one is left, else UNANSWERED."""
        tried = len(flight.group[-1].attempts or ()) + 1
        if tried < self.policy.retry.attempts:
            # One more session lost with it, and it would be given up: that must not happen to its neighbours. A post
            # that got no answer may have been dropped with one that the server did not like, or be that one.
            flight.instrument.solo = reply is Reply.LOST and tried + 1 == self.policy.retry.attempts
            flight.instrument.alone |= reply is Reply.TIMEOUT
            self._retry(flight, reply, None, text, now, self.policy.retry.backoff(tried) if delay else 0.0)
        else:
            self._finish(flight, Status.UNANSWERED, reply, None, text, now)

    def _resend_dropped(self, now: Now, answered_frame: int = 0) -> None:
        for flight, blamed, text in self._suspects.proven(self.window, now.mono, answered_frame):
            if blamed and flight.instrument.alone:
                self._finish(flight, Status.ERROR, Reply.ERROR, None, text, now)
                continue
            flight.instrument.alone = blamed
            why = f"dropped by the ADS after an Error in the same frame: {text}"
            self._retry(flight, Reply.TIMEOUT, None, why, now, 0.0)

    def _retry(self, flight: Flight, reply: Reply, code: str | None, text: str | None, now: Now, delay: float) -> None:
        """Another try later. Every price of the group knows of this one: it may expire while the others are posted."""
        attempt = self._note(flight, reply, code, text, now)
        for price in flight.group[:-1]:
            price.add(attempt)
        instrument = flight.instrument
        group = [price for price in flight.group if self._keeps(price, now)]
        self.book.requeue(instrument, group)
        if not instrument.waiting:
            self.book.emptied(instrument)
            return
        instrument.retry_at = now.mono + delay
        heapq.heappush(self._retries, (instrument.retry_at, next(self._order), instrument))
        for price in group:
            price.under_way = False
            self._watch_age(price)

    def _keeps(self, price: Price, now: Now) -> bool:
        """Whether a price may be posted again: not where its partition is being taken away."""
        if not price.ledger.stopping or (type(price) is Withdrawal and price.reason is Reason.STOP):
            return True
        price.under_way = False
        self._drop(price, now)
        return False

    def _finish(
        self, flight: Flight, status: Status, reply: Reply, code: str | None, text: str | None, now: Now
    ) -> None:
        """The last word on a post: the newest price gets the answer, those merged into it are CONFLATED."""
        self._note(flight, reply, code, text, now)
        instrument = flight.instrument
        instrument.create = instrument.alone = instrument.solo = False
        instrument.move(InstrumentEvent.SETTLED)
        carrier = flight.group[-1]
        if self.withdrawals.wanted and type(carrier) is not Withdrawal:
            self.withdrawals.answered(flight, status)
        for price in flight.group[:-1]:
            self._settle(price, Status.CONFLATED, now, carried_by=carrier)
        self._settle(carrier, status, now, code=code, text=text, fields=flight.fields, instrument=instrument)

    def _note(self, flight: Flight, reply: Reply, code: str | None, text: str | None, now: Now) -> Attempt:
        answered = None if reply in (Reply.TIMEOUT, Reply.LOST) else now.wall
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

    def _settle(
        self,
        price: Price,
        status: Status,
        now: Now,
        *,
        code: str | None = None,
        text: str | None = None,
        fields: dict[str, FieldValue] | None = None,
        carried_by: Price | None = None,
        instrument: Instrument | None = None,
    ) -> None:
        price.settled = True
        if type(price) is Withdrawal:
            self.withdrawals.over(price)
        if price.ledger.closed:
            if instrument is not None:
                self.book.release(instrument, InstrumentEvent.FORGOTTEN)
            return
        settlement = settle(price, status, now.wall, code=code, text=text, fields=fields, carried_by=carried_by)
        self._add(settlement, instrument)

    def _add(self, settlement: Settlement, instrument: Instrument | None) -> None:
        if settlement.reason is None:
            self._tally.results[settlement.status, settlement.code or ""] += 1
        else:
            self._tally.withdrawals[settlement.reason, settlement.status] += 1
        self._outbox.add(settlement, instrument)

    # Age

    def _watch_age(self, price: Price) -> None:
        if self.policy.max_age is not None and price.timestamp >= 0:
            deadline = price.timestamp * 1000 + self.policy.max_age
            heapq.heappush(self._expiries, (deadline, next(self._order), price))
            if len(self._expiries) >= self._sweep_at:
                self._sweep_expiries()

    def _sweep_expiries(self) -> None:
        """Lets go of prices that were settled in time: most are, long before they would have expired."""
        self._expiries = [entry for entry in self._expiries if not entry[2].settled]
        heapq.heapify(self._expiries)
        self._sweep_at = max(MIN_SWEEP, 2 * len(self._expiries))

    def _expire_old(self, now: Now) -> None:
        while self._expiries and self._expiries[0][0] < now.wall:
            _, _, price = heapq.heappop(self._expiries)
            if not price.settled and not price.under_way:
                for old in (*self.book.older(price), price) if self.policy.conflate else (price,):
                    self._expire(old, now)

    def _expire(self, price: Price, now: Now) -> None:
        """A price too old to be posted."""
        if price.attempts:
            self._give_up(price, now)
            return
        limit = f"max_age is {(self.policy.max_age or 0) / 1e6:g} s"
        if self._too_old(price, now):
            text = f"{now.wall / 1e6 - price.timestamp / 1e3:.3f} s old, and {limit}"
        else:
            text = f"older in the topic than a price of its RIC that is too old, and {limit}"
        self._settle(price, Status.EXPIRED, now, text=text)

    def _give_up(self, price: Price, now: Now) -> None:
        """A price that was posted and cannot be again keeps its last answer."""
        last = (price.attempts or [])[-1]
        self._settle(price, _FINAL[last.reply], now, code=last.code, text=last.text)


def _posted(group: list[Price]) -> int:
    """How many of the group, from the oldest, were posted together before."""
    return max((number for number, price in enumerate(group, 1) if price.attempts), default=0)


_BRACKETS = 1
"""Bytes of a frame besides its posts, each counted with a comma: two brackets, and one comma less."""


class _Packer:
    """Fills frames in order; each post learns its frame and place."""

    def __init__(self, pack: int, max_size: int, number: int) -> None:
        self.number = number
        self._pack = pack
        self._max_size = max_size
        self._texts: list[bytes] = []
        self._size = _BRACKETS
        self._frames: list[bytes] = []

    def add(self, flight: Flight, text: bytes, *, alone: bool) -> None:
        size = len(text) + 1
        if self._texts and (alone or len(self._texts) >= self._pack or self._size + size > self._max_size):
            self._flush()
        if not self._texts:
            self.number += 1
        flight.frame, flight.place = self.number, len(self._texts)
        self._texts.append(text)
        self._size += size
        if alone:
            self._flush()

    def _flush(self) -> None:
        self._frames.append(frame(self._texts))
        self._texts, self._size = [], _BRACKETS

    def finish(self) -> list[bytes]:
        if self._texts:
            self._flush()
        return self._frames


def _says_missing(code: str, text: str | None) -> bool:
    lowered = (text or "").lower()
    return code == _UNKNOWN_ITEM_CODE or any(known in lowered for known in _UNKNOWN_ITEM_TEXTS)
