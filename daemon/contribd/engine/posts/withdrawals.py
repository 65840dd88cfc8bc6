"""Withdrawals: blanks in place of live quotes that nobody maintains any more.

Theory of operation
===================

A quote is live where this process gave a value to a field that its mapping lists under ``withdraw``, and the ADS
accepted the post, or did not answer (then it may have been read). It belongs to the partition of the newest price in
that post.

Due. For three reasons. STOP (``on_stop``): every live quote, and each that becomes live while the daemon stops. SILENT
(``silent_after``): every live quote of a partition from which no record has come for so long. ORDER: what an operator
names, live here or not (``ordered``, which also tells what a former owner of a partition left: ``adopt``).

When silence counts. Only while we listen. The clock of a partition is set back while it is paused, while the group has
not confirmed this process lately, and while records of it are not yet settled.

Made. A ``Withdrawal`` is queued at its instrument like a price: one post at a time, merged with nothing. At most
``MAX_WITHDRAWING`` are made and not settled. For silence none is made where the instrument has a price to post.

Called off, as long as it was not posted: by a record of its partition (for silence), by a newer price of its
instrument, by a revocation, and by a stop, which makes its own. One that was posted takes its course and has its
result.

Over. What was not accepted stays live, unless something newer is. What a stop could not withdraw is counted (``left``).

Revoked. The quotes of the partition are the next owner's, and are forgotten here.
"""

from collections import deque
from collections.abc import Callable, Iterable
from typing import NamedTuple

from contribd.engine.clock import Now
from contribd.engine.limits import MAX_WITHDRAWING
from contribd.engine.policy import WithdrawPolicy
from contribd.engine.posts.in_flight import InFlightPost
from contribd.engine.records.keys import Key
from contribd.engine.records.offsets import OffsetTracker
from contribd.engine.records.price import Reason, Status, Told, Withdrawal, withdraw
from contribd.engine.states import PriceState
from contribd.mapping.outcome import FieldValue, Mapped, PostType


class Quote(NamedTuple):
    """The live quote of one instrument: the fields to blank, and the partition whose prices maintain it."""

    tracker: OffsetTracker
    mapping: str
    fields: frozenset[str]


class Silent(NamedTuple):
    """A partition whose pricing engine has gone silent, and how many quotes are withdrawn for it."""

    tracker: OffsetTracker
    quotes: int


class Withdrawals:
    """Knows which quotes are live, which partitions are silent, and what has to be blanked.

    A quote is not live any more once its withdrawal is made; where that is called off before it was posted, it is
    again.
    """

    def __init__(self, policy: WithdrawPolicy) -> None:
        self.policy = policy
        self.wanted = policy.wanted
        self.listens = self.wanted and policy.silent_after is not None
        """Whether silence matters."""
        self._live: dict[Key, Quote] = {}
        self._heard: dict[OffsetTracker, float] = {}
        """Monotonic time of the last record of each partition that has not been found silent since."""
        self._confirmed_at = float("inf")
        """Until when Kafka is known to have been there: silence counts up to then. For ever, where no group says it."""
        self._unheard: set[OffsetTracker] = set()
        """Not listened to just now, or until a moment ago."""
        self._due: deque[tuple[Key, OffsetTracker | None]] = deque()
        """Quotes to withdraw: for the silence of that partition, or because the daemon stops."""
        self.made: dict[Withdrawal, None] = {}
        """Those not settled, in the order they were made."""
        self._failed = 0
        """Quotes that a stop could not withdraw."""
        self._look_at = float("inf")
        self._stopping = False

    def change_policy(self, policy: WithdrawPolicy, trackers: Iterable[OffsetTracker], mono: float) -> None:
        """Other settings from now on; ``trackers``: of all partitions. What is live stays so, by the fields that it was
        posted with, as long as anything is to be withdrawn at all."""
        if policy == self.policy:
            return
        self.policy, self.wanted = policy, policy.wanted
        listened, self.listens = self.listens, policy.wanted and policy.silent_after is not None
        if not self.wanted:
            self._live.clear()
        if not self.listens:
            self._stop_listening()
        elif not listened:
            self._heard = dict.fromkeys(trackers, mono)
        self._look_at = min(self._heard.values(), default=float("inf")) + (policy.silent_after or 0.0)

    def _stop_listening(self) -> None:
        self._heard.clear()
        self._due = deque(due for due in self._due if due[1] is None)
        for made in [made for made in self.made if made.reason is Reason.SILENT]:
            self.call_off(made)

    @property
    def live_quotes(self) -> int:
        """Quotes in the market that this process would withdraw."""
        return len(self._live)

    @property
    def idle(self) -> bool:
        """Whether no withdrawal is due or made and not settled."""
        return not self._due and not self.made

    @property
    def left(self) -> int:
        """After ``stop``: quotes that were to be withdrawn and are not yet."""
        return len(self._due) + len(self.made) + self._failed

    @property
    def can_make(self) -> bool:
        """Whether ``make`` has something to do."""
        return bool(self._due) and len(self.made) < MAX_WITHDRAWING

    # What is live

    def acked(self, post: InFlightPost) -> None:
        """The ADS accepted a post of prices: what it put into the market is live, what it blanked is not."""
        shown, blank = self._shown(post)
        before = self._live.get(post.instrument.key)
        if before is not None and post.type is not PostType.REFRESH and before.fields != shown:
            shown = (before.fields | shown) - blank
        self._make_live(post, shown)

    def unanswered(self, post: InFlightPost) -> None:
        """A post of prices that got no answer may have arrived, whatever becomes of the prices: or it may not."""
        shown = self._shown(post)[0]
        before = self._live.get(post.instrument.key)
        self._make_live(post, shown if before is None else (before.fields - post.given_away) | shown)

    def taken_over(self, post: InFlightPost) -> None:
        """A post none of whose prices is ours any more may have arrived: its values are others' to maintain."""
        key = post.instrument.key
        if (before := self._live.get(key)) is None:
            return
        if left := before.fields - post.given_away:
            self._live[key] = before._replace(fields=left)
        else:
            del self._live[key]

    def _make_live(self, post: InFlightPost, shown: frozenset[str]) -> None:
        key, newest = post.instrument.key, post.group[-1]
        if not shown:
            self._live.pop(key, None)
            return
        self._live[key] = Quote(newest.tracker, newest.mapped.mapping, shown)
        if self._stopping:
            self._due.append((key, None))

    def live(self) -> list[tuple[Key, Quote]]:
        """All that is live, as far as it is known here."""
        return list(self._live.items())

    def live_fields(self, key: Key) -> frozenset[str]:
        """The fields of a live quote that hold a value; none where it is not known."""
        found = self._live.get(key)
        return frozenset() if found is None else found.fields

    def adopt(self, quotes: Iterable[tuple[Key, Quote]]) -> None:
        """These stand too: a former owner of their partitions has posted them."""
        made = {(each.mapped.service, each.mapped.ric) for each in self.made}
        for key, quote in quotes:
            if key in made:
                continue
            before = self._live.get(key)
            self._live[key] = quote if before is None else before._replace(fields=before.fields | quote.fields)
            if self._stopping:
                self._due.append((key, None))
            elif self.listens and quote.tracker not in self._heard:
                self._due.append((key, quote.tracker))

    def _shown(self, post: InFlightPost) -> tuple[frozenset[str], frozenset[str]]:
        """Of the fields that the post's mappings list: those it gave a value, and all those it blanked."""
        listed, values = frozenset[str](), post.fields
        for name in {price.mapped.mapping for price in post.group}:
            fields = self.policy.fields.get(name, frozenset())
            listed = listed | fields if listed else fields
        blank = frozenset(name for name, value in values.items() if value is None)
        if post.given_away:
            listed = listed - post.given_away
        absent = [name for name in listed if values.get(name) is None]
        return (listed.difference(absent) if absent else listed), blank

    # Silence

    def assigned(self, tracker: OffsetTracker, mono: float) -> None:
        """A partition is ours: its pricing engine has until ``silent_after`` from now to be heard."""
        if self.listens:
            self._heard[tracker] = mono
            self._look_at = min(self._look_at, mono + (self.policy.silent_after or 0.0))

    def heard(self, tracker: OffsetTracker, mono: float) -> None:
        """A pricing engine is alive: what was to be withdrawn for its silence and was not yet, is not."""
        if tracker not in self._heard:
            self._look_at = min(self._look_at, mono + (self.policy.silent_after or 0.0))
            self._due = deque(due for due in self._due if due[1] is not tracker)
            for made in [made for made in self.made if made.tracker is tracker and made.reason is Reason.SILENT]:
                self.call_off(made)
        self._heard[tracker] = mono

    def not_heard(self, trackers: Iterable[OffsetTracker]) -> None:
        """These partitions are not being fetched from now on: their silence says nothing."""
        self._unheard.update(trackers)

    def deaf(self, trackers: Iterable[OffsetTracker], mono: float) -> None:
        """These partitions are not being listened to just now: their silence says nothing.

        Nor does that of those ``not_heard`` since the last call, up to now.
        """
        deaf = set(trackers)
        for tracker in deaf | self._unheard:
            if tracker in self._heard:
                self._heard[tracker] = mono
        self._unheard = deaf

    def confirmed(self, mono: float) -> None:
        """The group has confirmed us: Kafka was there until now, and what was silent for so long may be told so."""
        self._confirmed_at = mono
        self._look_at = min(self._heard.values(), default=float("inf")) + (self.policy.silent_after or 0.0)

    def look(self, now: Now) -> list[Silent]:
        """The partitions that went silent since the last look; their quotes are due from now on."""
        limit = self.policy.silent_after
        if limit is None or now.mono < self._look_at:
            return []
        found = []
        for tracker, heard in list(self._heard.items()):
            if tracker.waiting:
                self._heard[tracker] = now.mono
            elif heard + limit <= min(self._confirmed_at, now.mono):
                found.append(self._silent(tracker))
        # What is silent and not confirmed yet is looked at again once it is.
        later = (heard for heard in self._heard.values() if heard + limit > now.mono)
        self._look_at = min(later, default=float("inf")) + limit
        return found

    def _silent(self, tracker: OffsetTracker) -> Silent:
        del self._heard[tracker]
        keys = [key for key, quote in self._live.items() if quote.tracker is tracker]
        self._due.extend((key, tracker) for key in keys)
        return Silent(tracker, len(keys))

    def wake_at(self) -> float | None:
        """The monotonic time of the next ``look``, None where there is nothing to listen to."""
        return self._look_at if self._heard else None

    # Withdrawals

    def stop(self) -> None:
        """The daemon is stopping: everything that is live is due, and what is answered from now on."""
        for made in list(self.made):
            self.call_off(made)
        self.listens = False
        self._heard.clear()
        self._due.clear()
        if self.policy.on_stop:
            self._stopping = True
            self._due.extend((key, None) for key in self._live)

    def make(self, busy: Callable[[Key], bool], now: Now) -> list[Withdrawal]:
        """Withdrawals to be queued now: a bounded number at a time, however many quotes are live.

        The quote of an instrument that is ``busy`` is not left alone, nor one that another partition has renewed.
        """
        made = []
        while self.can_make:
            key, silent = self._due.popleft()
            quote = self._live.get(key)
            if quote is None or (silent is not None and (busy(key) or quote.tracker is not silent)):
                continue
            del self._live[key]
            withdrawal = _withdrawal(key, quote, Reason.STOP if silent is None else Reason.SILENT, now)
            self.made[withdrawal] = None
            made.append(withdrawal)
        return made

    def by_order(
        self, key: Key, tracker: OffsetTracker, mapping: str, fields: frozenset[str], now: Now, told: Told
    ) -> Withdrawal:
        """One to be queued now, since somebody ordered it; ``told`` hears what came of it."""
        self._live.pop(key, None)
        withdrawal = _withdrawal(key, Quote(tracker, mapping, fields), Reason.ORDER, now, told)
        self.made[withdrawal] = None
        return withdrawal

    def call_off(self, withdrawal: Withdrawal) -> None:
        """Takes a withdrawal back, where it was not posted: its quote stays live."""
        if withdrawal.state is PriceState.IN_FLIGHT or withdrawal.attempts:
            return
        withdrawal.give_up()
        self.made.pop(withdrawal, None)
        if self.wanted:
            self._restore(withdrawal)
        _tell(withdrawal)

    def _restore(self, withdrawal: Withdrawal) -> Key:
        """The quote is live as before, if nothing newer is."""
        mapped = withdrawal.mapped
        key = mapped.service, mapped.ric
        self._live.setdefault(key, Quote(withdrawal.tracker, mapped.mapping, frozenset(mapped.fields)))
        return key

    def over(self, withdrawal: Withdrawal, status: Status, code: str | None, text: str | None) -> None:
        """The last word on a withdrawal: a quote whose blanks were not accepted stays live.

        A stop tries what silence, or an order, could not do once more, and itself only once.
        """
        self.made.pop(withdrawal, None)
        _tell(withdrawal, status, code, text)
        if status is Status.ACK or withdrawal.tracker.closed or not self.wanted:
            return
        key = self._restore(withdrawal)
        if withdrawal.reason is Reason.STOP:
            self._failed += 1
        elif self._stopping:
            self._due.append((key, None))

    def revoking(self, trackers: set[OffsetTracker]) -> None:
        """Partitions are being taken away: nothing more is withdrawn for their silence."""
        for tracker in trackers:
            self._heard.pop(tracker, None)
        self._due = deque(due for due in self._due if due[1] not in trackers)

    def forget(self, trackers: set[OffsetTracker]) -> None:
        """Partitions are not ours any more: their quotes are maintained, or not, by others."""
        self._unheard -= trackers
        for tracker in trackers:
            self._heard.pop(tracker, None)
        for made in [made for made in self.made if made.tracker in trackers]:
            del self.made[made]
            _tell(made)
        self._live = {key: quote for key, quote in self._live.items() if quote.tracker not in trackers}


def _withdrawal(key: Key, quote: Quote, reason: Reason, now: Now, told: Told | None = None) -> Withdrawal:
    service, ric = key
    fields: dict[str, FieldValue] = dict.fromkeys(sorted(quote.fields))
    mapped = Mapped(ric, service, quote.mapping, PostType.UPDATE, fields)
    return withdraw(quote.tracker, mapped, reason, now.wall, told)


def _tell(
    withdrawal: Withdrawal, status: Status | None = None, code: str | None = None, text: str | None = None
) -> None:
    if withdrawal.told is not None:
        withdrawal.told(status, code, text)
