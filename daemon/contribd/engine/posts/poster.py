"""From waiting prices to posts in frames."""

from collections.abc import Callable
from typing import Final

from contribd.engine.clock import Now
from contribd.engine.counters import EngineCounters
from contribd.engine.policy import ContributionPolicy
from contribd.engine.posts.error_attribution import grace_for
from contribd.engine.posts.in_flight import InFlightPost, InFlightPosts
from contribd.engine.posts.outcomes import Outcomes
from contribd.engine.posts.packer import Packer
from contribd.engine.posts.publishing import Publishing
from contribd.engine.posts.rate_limit import RateLimit
from contribd.engine.posts.trials import Trials
from contribd.engine.records.conflation import merge
from contribd.engine.records.expiry import Expiry
from contribd.engine.records.instruments import Instrument, Instruments
from contribd.engine.records.last_posted import LastPosted
from contribd.engine.records.price import Price, Republication, Withdrawal, send
from contribd.engine.states import InstrumentState, PriceState
from contribd.mapping.outcome import PostType
from contribd.omm.post import PostEncoder

_SETTLED: Final = PriceState.SETTLED  # a member costs less as a global


class Poster:
    """Makes posts of what is ready, as many as window, rate and services allow."""

    def __init__(
        self,
        policy: ContributionPolicy,
        encoder: PostEncoder,
        instruments: Instruments,
        in_flight: InFlightPosts,
        expiry: Expiry,
        outcomes: Outcomes,
        counters: EngineCounters,
        last: LastPosted,
        passed_over: Callable[[InFlightPost], bool],
    ) -> None:
        """``passed_over``: whether a post sent after this one was answered."""
        self._policy = policy
        self._encoder = encoder
        self._instruments = instruments
        self._in_flight = in_flight
        self._expiry = expiry
        self._outcomes = outcomes
        self._counters = counters
        self._passed_over = passed_over
        self._last = last
        self._publishing = Publishing(policy, last, outcomes)
        self.trials = Trials(policy.retry, instruments, in_flight)
        self._rate = RateLimit(policy.max_rate)
        self._frames = 0
        self._smoothed_ack = 0.0

    def change_policy(self, policy: ContributionPolicy) -> None:
        """What is posted from now on is posted by this one."""
        if policy.max_rate != self._policy.max_rate:
            self._rate = RateLimit(policy.max_rate)
        self._policy = policy
        self.trials.change_policy(policy.retry)
        self._publishing.change_policy(policy)

    @property
    def grace(self) -> float:
        """Seconds of silence after which a post that should have been answered was not."""
        return grace_for(self._smoothed_ack)

    def answer_came(self, post: InFlightPost, now: Now) -> None:
        """A post was answered, one way or the other."""
        if self.trials.held_until:
            self.trials.answered(post, self.grace, now.mono)
        seconds = now.mono - post.sent.mono
        self._counters.ack_seconds.add(seconds)
        self._smoothed_ack += (seconds - self._smoothed_ack) / 8

    def wake_at(self, mono: float) -> float | None:
        """The monotonic time from which more may be posted, None where time changes nothing."""
        times = (self.trials.wake_at(mono), self._rate.next_at(mono))
        return min((at for at in times if at is not None), default=None)

    def take_frames(self, is_up: Callable[[str], bool], max_size: int, now: Now) -> list[bytes]:
        """The texts of the frames to send now.

        Frames hold at most ``pack`` posts and ``max_size`` bytes; what waits now is sent now.
        """
        if now.mono < self.trials.held_until:
            return []
        room = self._rate.allowed(self._in_flight.room, now.mono)
        packer = Packer(self._policy.pack, max_size, self._frames)
        isolated = self._instruments.isolations.by_key
        turn = bool(isolated) and room > 0 and self.trials.take_turn()
        sent = self._post_trial(packer, room, is_up, max_size, now) if turn else 0
        if not sent:
            for service in self._instruments.services():
                if not is_up(service):
                    continue
                while sent < room:
                    instrument = self._instruments.pop_ready(service)
                    if instrument is None:
                        break
                    sent += self._post(instrument, packer, max_size, now)
            if isolated:
                sent += self._post_isolated(packer, room - sent, is_up, max_size, now)
        self._rate.spend(sent)
        frames = packer.finish()
        self._frames = packer.number
        return frames

    def _post_isolated(self, packer: Packer, room: int, is_up: Callable[[str], bool], max_size: int, now: Now) -> int:
        """Posts the silent ones that may go, and then begins a trial or waits for one to begin."""
        sent = 0
        while sent < room and (instrument := self.trials.next_silent(is_up)) is not None:
            if self._instruments.take_silent(instrument):
                sent += self._post(instrument, packer, max_size, now, alone=True)
        if not self.trials.wanted(is_up, now.mono) or self.trials.hold(self.grace, now.mono):
            return sent
        return sent + self._post_trial(packer, room - sent, is_up, max_size, now)

    def _post_trial(self, packer: Packer, room: int, is_up: Callable[[str], bool], max_size: int, now: Now) -> int:
        """Posts the instruments of one trial, while nothing else is in flight; how many there were."""
        certain = all(map(self._passed_over, self._in_flight))
        before = self._in_flight.newest()
        for instrument in self.trials.wanted(is_up, now.mono)[:room]:
            if self._instruments.take_trial(instrument):
                self._post(instrument, packer, max_size, now)
        posts = self._in_flight.sent_after(before)
        if posts:
            self.trials.begin(posts, self.grace, now.mono, certain=certain)
        return len(posts)

    def _post(self, instrument: Instrument, packer: Packer, max_size: int, now: Now, *, alone: bool = False) -> bool:
        """Posts what the instrument has, ``alone`` in its frame; False where nothing was left to post, or nothing may
        be yet."""
        while self._policy.conflate or not self._expire_first(instrument, now):
            group = self._gather(instrument, now)
            if not group:
                self._instruments.emptied(instrument)
                break
            if self._last.active and not (group := self._publishing.admit(instrument, group, now)):
                if instrument.state is not InstrumentState.READY:
                    break
                continue
            if found := self._fitting(instrument, group, max_size, now):
                post, text = found
                packer.add(post, text, alone=alone or instrument.alone)
                self._sent(post)
                return True
        return False

    def _expire_first(self, instrument: Instrument, now: Now) -> bool:
        """Gives up the first prices where they are too old, some of them by their arrival; whether there were such.

        Nothing newer is posted before that is durable: see ``expiry``.
        """
        expired: list[Price] = []
        waiting = instrument.waiting
        while waiting and ((first := waiting[0]).state is _SETTLED or self._expiry.too_old(first, now)):
            waiting.popleft()
            if first.state is not _SETTLED:
                expired.append(first)
        if not any(price.stamped_ahead for price in expired):
            instrument.put_back(expired)
            return False
        instrument.send()
        instrument.settle()
        for price in expired[:-1]:
            self._outcomes.expire(price, now)
        self._outcomes.expire(expired[-1], now, instrument)
        return True

    def _gather(self, instrument: Instrument, now: Now) -> list[Price]:
        """The prices the next post carries: all that wait where prices are conflated, else the first.

        What is older than a price too old is too old as well, whatever its own timestamp says: that price may have
        been posted, by this process or one before it, and nothing older may follow.
        """
        group: list[Price] = []
        waiting = instrument.waiting
        while waiting and (self._policy.conflate or not group):
            price = waiting.popleft()
            if price.state is _SETTLED:
                continue
            if type(price) is not Price:
                if group:
                    waiting.appendleft(price)
                elif type(price) is Republication and price.is_too_old(now.wall):
                    self._outcomes.expire(price, now)
                    continue
                else:
                    group.append(price)
                break
            group.append(price)
            if self._expiry.too_old(price, now):
                for old in group:
                    self._outcomes.expire(old, now)
                group.clear()
        return group

    def _fitting(
        self, instrument: Instrument, group: list[Price], max_size: int, now: Now
    ) -> tuple[InFlightPost, bytes] | None:
        """A post the ADS takes, with its text, of the prices that fit by themselves; None where none is left.

        Where these do not fit together the older part goes first, but never less than was posted together before:
        that would post an older price after a newer one.
        """
        post_id = self._in_flight.next_id()
        while group:
            post, text = self._encode(post_id, instrument, group, now)
            if len(text) <= max_size:
                return post, text
            fit = [
                price
                for price in group
                if price.attempts or self._fits_alone(post_id, instrument, price, max_size, now)
            ]
            if len(fit) == len(group):
                part = max(len(group) // 2, _posted(group))
                instrument.put_back(group[part:])
                if part == len(group):
                    for price in group:
                        self._outcomes.give_up(price, now)
                    return None
                fit = group[:part]
            group = fit
        return None

    def _encode(self, post_id: int, instrument: Instrument, group: list[Price], now: Now) -> tuple[InFlightPost, bytes]:
        post_type, fields = merge(group)
        if instrument.create and type(group[-1]) is not Withdrawal:  # what is not there needs no blanks
            post_type = PostType.REFRESH
        service, ric = instrument.key
        text = self._encoder.encode(post_id, ric=ric, service=service, post_type=post_type, fields=fields)
        return InFlightPost(post_id, instrument, group, post_type, fields, now), text

    def _fits_alone(self, post_id: int, instrument: Instrument, price: Price, max_size: int, now: Now) -> bool:
        """Whether a price makes a post the ADS takes; one that does not is rejected."""
        size = len(self._encode(post_id, instrument, [price], now)[1])
        if size <= max_size:
            return True
        self._outcomes.reject_size(price, size, max_size, now)
        return False

    def _sent(self, post: InFlightPost) -> None:
        self._in_flight.add(post)
        if self._last.active:
            self._publishing.sent(post)
        post.instrument.send()
        send(post.group)
        newest = post.group[-1].timestamp
        if newest >= 0:
            self._counters.delivery_seconds.add(max(0, post.sent.wall - newest * 1000) / 1e6)


def _posted(group: list[Price]) -> int:
    """How many of the group, from the oldest, were posted together before."""
    return max((number for number, price in enumerate(group, 1) if price.attempts), default=0)
