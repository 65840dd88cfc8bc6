"""Publish rules asked: of the prices that an instrument would post now, which are worth it.

Theory of operation
===================

Asked once the instrument's turn has come, and not before: only then is the post before it answered, and known what is
merged with what. ``mapping/publish.py`` has the rules; here is what follows from them.

Price by price (``hours``, ``max_move``): what is against one takes it out of the post, and the others go on. So a price
that moved too far is merged into nothing.

Together (``min_change``, ``min_interval``, of the newest price): a post that would tell nothing new is not made, and
each of its prices is SUPPRESSED. One that is too soon waits where prices are conflated: all go back to the head of the
instrument, which backs off until the interval is over; what comes meanwhile is merged with them. Where they are not
conflated it is SUPPRESSED.

Posted before. A price that was posted, and is to be posted again, is not asked by itself any more: it may have arrived,
and without it an older one of the same post would follow it. Where prices are conflated it is asked together with those
that came since; one that is not posted then keeps its last answer.

Not conflated. The next price of the instrument waits until the result of one that was SUPPRESSED is durable: a crash
would ask of that one anew, perhaps with another answer, and post it after the newer one. Where prices are conflated, it
would be merged with the newer ones (see ``intake``).

Blanks that withdraw a quote are never kept back.
"""

from contribd.engine.clock import Now
from contribd.engine.policy import ContributionPolicy
from contribd.engine.posts.in_flight import InFlightPost
from contribd.engine.posts.outcomes import Outcomes
from contribd.engine.records.conflation import merge
from contribd.engine.records.instruments import Instrument
from contribd.engine.records.last_posted import LastPosted
from contribd.engine.records.price import Price, Withdrawal
from contribd.mapping.outcome import SuppressCode
from contribd.mapping.publish import Last, PublishRules


class Publishing:
    """Between the prices of an instrument and their post."""

    def __init__(self, policy: ContributionPolicy, last: LastPosted, outcomes: Outcomes) -> None:
        self._policy = policy
        self._last = last
        self._outcomes = outcomes

    def change_policy(self, policy: ContributionPolicy) -> None:
        """What is decided from now on is decided by this one."""
        self._policy = policy

    def admit(self, instrument: Instrument, group: list[Price], now: Now) -> list[Price]:
        """The prices of ``group`` to be posted now; none where all of them are settled, or wait."""
        if type(group[-1]) is Withdrawal or all(price.mapped.publish is None for price in group):
            return group
        if group[0].attempts and not self._policy.conflate:
            return group
        last = self._last.last(instrument.key, now.mono)
        kept = [price for price in group if not self._is_against(instrument, price, last, now)]
        if not kept or (rules := kept[-1].mapped.publish) is None:
            return kept
        type_, fields = merge(kept)
        if not instrument.create and (why := rules.unchanged(fields, type_, last)) is not None:
            for price in kept:
                self._suppress(instrument, price, SuppressCode.UNCHANGED, why, now)
            return []
        if (why := rules.too_soon(last.age)) is None:
            return kept
        if not self._policy.conflate:
            self._suppress(instrument, kept[-1], SuppressCode.TOO_SOON, why, now)
        else:
            self._outcomes.hold(instrument, kept, _until(rules, last, now))
        return []

    def _is_against(self, instrument: Instrument, price: Price, last: Last, now: Now) -> bool:
        """Whether a rule is against one price by itself: it is settled then."""
        rules = price.mapped.publish
        found = None if rules is None or price.attempts else rules.by_itself(price.mapped, last, price.consumed_at)
        if found is not None:
            self._suppress(instrument, price, found.code, found.text, now)
        return found is not None

    def _suppress(self, instrument: Instrument, price: Price, code: SuppressCode, text: str, now: Now) -> None:
        if self._policy.conflate:
            self._outcomes.suppress(price, code, text, now)
        else:
            instrument.settle()
            self._outcomes.suppress(price, code, text, now, instrument)

    def sent(self, post: InFlightPost) -> None:
        """Takes note of a post: what it puts into the market is the last from now on."""
        key, group = post.instrument.key, post.group
        if type(group[-1]) is Withdrawal:
            self._last.forget(key, post.sent.mono)
            return
        remember = any(price.mapped.publish is not None and price.mapped.publish.remembers for price in group)
        trackers = (price.tracker for price in group)
        self._last.sent(key, post.type, post.fields, trackers, post.sent.mono, remember=remember)


def _until(rules: PublishRules, last: Last, now: Now) -> float:
    """The monotonic time at which the interval is over."""
    return now.mono + (rules.min_interval or 0.0) - (last.age or 0.0)
