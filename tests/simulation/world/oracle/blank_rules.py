"""The oracle's law on withdrawing: only where it is wanted, only what stands, and at a stop all that does."""

from tests.simulation.world.environment.sim_mappings import LISTED
from tests.simulation.world.oracle.evidence import Blanking, Complain, ProcessEvidence, SeenPost
from tests.simulation.world.oracle.market import Market, Markets
from tests.simulation.world.oracle.quote_rules import QuoteRules
from tests.simulation.world.oracle.silence import Silence
from tests.simulation.world.plan import Plan

from contribd.engine.records.offsets import Partition

_ALL_LISTED = frozenset[str]().union(*LISTED.values())


class BlankRules:
    """Judges the posts of withdrawals, and what a process leaves standing."""

    def __init__(self, plan: Plan, silence: Silence, markets: Markets, quotes: QuoteRules, complain: Complain) -> None:
        """``quotes``: the law on those that are ordered."""
        self._plan = plan
        self.quotes = quotes
        self._silence = silence
        self._markets = markets
        self._complain = complain
        self._must_blank: set[str] = set()
        """Processes that were told to stop while their session was open."""

    def priced(self, post: SeenPost) -> None:
        """A post with values."""
        self._markets.of(post.process).priced(post)
        if self.quotes.wanted and not post.again:
            self.quotes.priced(post)

    def posting(self, post: SeenPost, before: SeenPost | None) -> None:
        """A post of blanks; ``before`` is the process's last one of that RIC and service."""
        if self.quotes.wanted:
            self._by_order(post, before)
            return
        market, key = self._markets.of(post.process), (post.service, post.ric)
        earlier = None if before is None else before.blanking
        again = earlier is not None and not earlier.told
        quote = market.quotes.get(key)
        if earlier is None or not again:
            candidates = market.sources(before) | (set() if quote is None else quote.partitions)
            if earlier is not None:  # its blanks were not accepted
                candidates |= earlier.partitions
            if post.process.stopping_at is not None:  # of two in a row the first was made for an earlier price
                candidates |= market.up.get(key, set())
            earlier = Blanking(frozenset(candidates))
        post.blanking = earlier
        earlier.posts.append(post)
        unseen = {name for name in post.blanks if (*key, name) not in market.shown}
        if unseen or not post.blanks <= _ALL_LISTED or post.type != "Update":
            self._complain("withdrew what was not its own to withdraw", f"{post}", post.ric)
        if not again:
            self._check_due(post, earlier.partitions, market)
        market.withdrawing(post)

    def _by_order(self, post: SeenPost, before: SeenPost | None) -> None:
        blanking = None if before is None or before.forgotten else before.blanking
        again = blanking is not None and not blanking.told
        if blanking is None or not again:
            blanking = Blanking(self.quotes.partitions(post))
        post.blanking = blanking
        blanking.posts.append(post)
        self.quotes.blanking(post, again=again)

    def _check_due(self, post: SeenPost, partitions: frozenset[Partition], market: Market) -> None:
        """A withdrawal's first post: the process stops, or the partition is silent."""
        key = (post.service, post.ric)
        if key not in market.up:
            self._complain("withdrew what does not stand", str(post), post.ric)
        if post.process.stopping_at is None:
            self._check_silent(post, partitions, market)
        elif not self._plan.withdraw_on_stop:
            self._complain("withdrew at a stop although nobody asked for it", str(post), post.ric)

    def _check_silent(self, post: SeenPost, partitions: frozenset[Partition], market: Market) -> None:
        limit = self._plan.silent_after
        ears = self._silence.ears(post.process, partitions)
        quote = market.quotes.get((post.service, post.ric))
        if limit is None:
            self._complain("withdrew although nobody asked for it", str(post), post.ric)
        elif not any(ear.silent(post.mono, limit) for ear in ears):
            self._complain("withdrew while the partition was not silent", f"{post}: {partitions} {ears}", post.ric)
        elif quote is not None and quote.fields - post.blanks:
            self._complain("a withdrawal that leaves something", f"{post}: {quote}", post.ric)

    def stopping(self, process: ProcessEvidence, *, open_session: bool) -> None:
        """It was told to stop."""
        if open_session and self._plan.withdraw_on_stop:
            self._must_blank.add(process.name)

    def left(self, process: ProcessEvidence) -> None:
        """It ended with everything answered and written: nothing of its own still stands."""
        if process.name not in self._must_blank:
            return
        market = self._markets.of(process)
        for (service, ric), quote in market.quotes.items():
            if quote.fields:
                text = f"{process.name}: {sorted(quote.fields)} of {service} {ric}"
                self._complain("a quote left standing", text, ric)
        for post in process.last.values():
            self._check_lost(post, market)
        for post in market.blanked.values():
            self._check_told(post, market)

    def _check_told(self, post: SeenPost, market: Market) -> None:
        """A withdrawal whose partition did not go has its result."""
        blanking = post.blanking
        if blanking is None or blanking.told or post.forgotten:
            return
        if all(market.shows(post, partition) for partition in blanking.partitions):
            self._complain("1: a withdrawal without a result", str(post), post.ric)

    def _check_lost(self, post: SeenPost, market: Market) -> None:
        """A last post without an answer may stand, though the stop left its price to the next run."""
        if post.answer is not None or post.suspect_at is not None or not post.values:
            return
        if market.listed(post) and market.keeps(post):
            self._complain("a post without an answer left standing", str(post), post.ric)
