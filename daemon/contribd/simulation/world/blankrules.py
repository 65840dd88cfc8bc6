"""The oracle's law on withdrawals: only where they are wanted, of what stands, and at a stop of all that does."""

import json
from dataclasses import dataclass, field
from typing import Any

from contribd.engine.ledger import Partition
from contribd.engine.result import Encoded
from contribd.simulation.world.evidence import Complain, Post, ProcessSight
from contribd.simulation.world.feed import LISTED, Produced
from contribd.simulation.world.plan import Plan

_EPSILON = 1e-6
_ALL_LISTED = frozenset[str]().union(*LISTED.values())
_STANDS = {"ACK", "TIMEOUT", "LOST"}
"""Answers after which a post counts as in the market: what got none may have arrived."""

_STATUSES = {"ACK": "ACK", "NAK": "NAK", "ERROR": "ERROR", "TIMEOUT": "UNANSWERED", "LOST": "UNANSWERED"}


@dataclass(slots=True)
class _Ear:
    """How long a process has been listening to a partition."""

    since: float
    """The last record, or when it began to listen."""
    paused_at: float | None = None
    was_silent: bool = False
    """Whether the partition had been silent for long enough when it was paused."""

    def silent(self, mono: float, limit: float) -> bool:
        """Whether it has been silent for ``limit`` seconds at a stretch, since its last record."""
        return self.was_silent or (self.paused_at is None and mono - self.since >= limit - _EPSILON)


@dataclass(slots=True)
class _Quote:
    """What stands of a RIC by the results of a process.

    ``partitions``: that of its last price; also that of a later one whose post may have been taken for lost.
    """

    partitions: set[Partition] = field(default_factory=set)
    fields: set[str] = field(default_factory=set)
    """Those with a value that the mapping lists."""


@dataclass(slots=True, eq=False)
class Blanking:
    """One withdrawal: its posts, and the partition whose silence it is for, one of these."""

    partitions: frozenset[Partition]
    posts: list[Post] = field(default_factory=list)
    told: bool = False
    """It has its result."""


@dataclass(slots=True)
class _Market:
    """What one process shows, as far as it can know."""

    ears: dict[Partition, _Ear] = field(default_factory=dict)
    quotes: dict[tuple[str, str], _Quote] = field(default_factory=dict)
    shown: set[tuple[str, str, str]] = field(default_factory=set)
    """Service, RIC and field of every value it posted."""
    up: dict[tuple[str, str], set[Partition]] = field(default_factory=dict)
    """What it has posted since blanks of it were last accepted, and from which partitions."""
    blanked: dict[tuple[str, str], Post] = field(default_factory=dict)
    """Its last blanks."""
    must_blank: bool = False
    """It was told to stop while its session was open."""


class BlankRules:
    """Judges the posts and the results of withdrawals. Silence is only looked for where the plan has a limit."""

    def __init__(self, plan: Plan, records: dict[int, Produced], complain: Complain) -> None:
        self._plan = plan
        self._records = records
        self._complain = complain
        self._markets: dict[str, _Market] = {}
        self.results: dict[str, int] = {"stop": 0, "silent": 0}
        """Withdrawals with a durable result, by reason."""

    def _market(self, process: ProcessSight) -> _Market:
        return self._markets.setdefault(process.name, _Market())

    # What a process listens to

    def assigned(self, process: ProcessSight, partition: Partition, mono: float) -> None:
        """It listens from now on."""
        self._market(process).ears[partition] = _Ear(mono)

    def heard(self, process: ProcessSight, partition: Partition, mono: float) -> None:
        """A record was handed to it."""
        if (ear := self._market(process).ears.get(partition)) is not None:
            ear.since, ear.was_silent = mono, False

    def paused(self, process: ProcessSight, partitions: frozenset[Partition], mono: float) -> None:
        """It fetches nothing of these, and everything of the others."""
        limit = self._plan.silent_after
        for partition, ear in self._market(process).ears.items():
            if partition not in partitions:
                if ear.paused_at is not None and ear.paused_at < mono:
                    ear.since = mono
                ear.paused_at = None
            elif ear.paused_at is None:
                ear.was_silent = limit is not None and ear.silent(mono, limit)
                ear.paused_at = mono

    def revoked(self, process: ProcessSight, partitions: frozenset[Partition]) -> None:
        """What stands of these is others' to keep up."""
        market = self._market(process)
        for partition in partitions:
            market.ears.pop(partition, None)
        for key, quote in list(market.quotes.items()):
            if quote.partitions & partitions:
                del market.quotes[key]
            elif self._sources(process.last.get(key)) & partitions:
                quote.fields.clear()  # a post without an answer may have made it theirs

    def _sources(self, post: Post | None) -> set[Partition]:
        """The partitions that a post's values came from."""
        values = () if post is None else post.values.values()
        return {Partition("prices", self._records[version].partition) for version in values}

    # What it posts

    def priced(self, post: Post) -> None:
        """A post with values."""
        market = self._market(post.process)
        market.shown |= {(post.service, post.ric, name) for name in post.values}
        market.up.setdefault((post.service, post.ric), set()).update(self._sources(post))

    def posting(self, post: Post, before: Post | None) -> None:
        """A post of blanks; ``before`` is the process's last one of that RIC and service."""
        market, key = self._market(post.process), (post.service, post.ric)
        earlier = None if before is None else before.blanking
        again = earlier is not None and not earlier.told
        quote = market.quotes.get(key)
        if earlier is None or not again:
            candidates = self._sources(before) | (set() if quote is None else quote.partitions)
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
        market.blanked[key] = post
        if quote is not None:
            quote.fields -= post.blanks

    def _check_due(self, post: Post, partitions: frozenset[Partition], market: _Market) -> None:
        """A withdrawal's first post: the process stops, or the partition is silent."""
        key = (post.service, post.ric)
        if key not in market.up:
            self._complain("withdrew what does not stand", str(post), post.ric)
        if post.process.stopping_at is None:
            self._check_silent(post, partitions, market)
        elif not self._plan.withdraw_on_stop:
            self._complain("withdrew at a stop although nobody asked for it", str(post), post.ric)

    def _check_silent(self, post: Post, partitions: frozenset[Partition], market: _Market) -> None:
        limit = self._plan.silent_after
        ears = [market.ears[partition] for partition in sorted(partitions) if partition in market.ears]
        quote = market.quotes.get((post.service, post.ric))
        if limit is None:
            self._complain("withdrew although nobody asked for it", str(post), post.ric)
        elif not any(ear.silent(post.mono, limit) for ear in ears):
            self._complain("withdrew while the partition was not silent", f"{post}: {partitions} {ears}", post.ric)
        elif quote is not None and quote.fields - post.blanks:
            self._complain("a withdrawal that leaves something", f"{post}: {quote}", post.ric)

    # What it says

    def settled(self, record: Produced, result: dict[str, Any], process: ProcessSight) -> None:
        """The result of a record: what it put into the market stands, if its partition is still ours."""
        partition = Partition("prices", record.partition)
        for entry in result["posts"]:
            post = process.sessions[entry["session"]].posts[entry["post_id"]]
            if entry["answer"] in _STANDS and self._shows(post, partition):
                self._put_up(post, partition, entry["answer"] == "ACK")

    def _put_up(self, post: Post, partition: Partition, acked: bool) -> None:
        market, key = self._market(post.process), (post.service, post.ric)
        if not acked and not self._keeps_all(post):
            return
        quote = market.quotes.setdefault(key, _Quote())
        if post.suspect_at is not None and not acked:
            quote.partitions.add(partition)  # it may have been dropped behind an Error, or got no answer
            return
        if acked and post.type == "Refresh":
            quote.fields.clear()
        quote.partitions = {partition}
        quote.fields |= {name for name, version in post.values.items() if self._listed(name, version, post.process)}
        blanks = None if acked else market.blanked.get(key)
        if blanks is not None and blanks.mono > post.mono:  # its price was given up, and the result came after them
            quote.fields -= blanks.blanks

    def _keeps_all(self, post: Post) -> bool:
        """Whether all its prices are still its process's: one that went may have made an unanswered post others'."""
        return all(self._shows(post, partition) for partition in self._sources(post))

    def _shows(self, post: Post, partition: Partition) -> bool:
        """Whether a post of its process is still that process's to withdraw."""
        return partition in post.process.owned and post.mono >= post.process.assigned_at[partition]

    def _listed(self, name: str, version: int, process: ProcessSight) -> bool:
        record = self._records[version]
        mine = Partition("prices", record.partition) in process.owned
        return mine and name in LISTED["refresh" if record.refresh else "update"]

    def result(self, encoded: Encoded, process: ProcessSight) -> None:
        """The result of a withdrawal is durable."""
        result = json.loads(encoded.value)
        said, key = result["withdrawal"], (result["service"], result["ric"])
        wires = [process.sessions.get(entry["session"]) for entry in result["posts"]]
        posts = [
            None if wire is None else wire.posts.get(entry["post_id"])
            for wire, entry in zip(wires, result["posts"], strict=True)
        ]
        made = [post for post in posts if post is not None]
        blanking = made[0].blanking if made else None
        if blanking is not None:
            self._part(blanking, made, self._market(process).up.get(key, set()))
        if blanking is None or posts != blanking.posts:
            self._complain("6: a withdrawal's result with other posts than were made", str(result), result["ric"])
            return
        if blanking.told:
            self._complain("1: a second result of a withdrawal", str(result), result["ric"])
        blanking.told = True
        if result["status"] == "ACK" and process.stopping_at is None:  # a stop may blank twice in a row
            self._market(process).up.pop(key, None)
        self.results[said["reason"]] += 1
        first = blanking.posts[0]
        if (first.service, first.ric) != key or first.blanks != result["fields"].keys():
            self._complain("6: a result that names another quote", f"{result}: {first}", result["ric"])
        self._check_frame(result, encoded, blanking)

    def _part(self, blanking: Blanking, posts: list[Post], up: set[Partition]) -> None:
        """A stop withdraws anew what failed, maybe before that has its result: posts from then on are another's."""
        rest = blanking.posts[len(posts) :]
        if not rest or blanking.posts != posts + rest or not self._plan.withdraw_on_stop:
            return
        if rest[0].process.stopping_at is None or rest[0].mono < rest[0].process.stopping_at:
            return
        blanking.posts = posts
        another = Blanking(blanking.partitions | up, rest)
        for post in rest:
            post.blanking = another

    def _check_frame(self, result: dict[str, Any], encoded: Encoded, blanking: Blanking) -> None:
        said, ric = result["withdrawal"], result["ric"]
        headers = {name: value.decode() for name, value in encoded.headers}
        names = {"status": result["status"], "ric": ric, "service": result["service"]}
        if headers != {**names, "source": "", "withdrawal": said["reason"]}:
            self._complain("6: headers that are not the result's", f"{headers} {result}", ric)
        if result["carried_by"] is not None or any(value is not None for value in result["fields"].values()):
            self._complain("6: a withdrawal's result with a price's marks", str(result), ric)
        if Partition(said["topic"], said["partition"]) not in blanking.partitions:
            self._complain("6: a withdrawal of another partition", f"{result}: {blanking.partitions}", ric)
        stopping = blanking.posts[0].process.stopping_at is not None
        if said["reason"] == "stop" and not stopping:
            self._complain("6: a stop that was none", str(result), ric)
        if _STATUSES[result["posts"][-1]["answer"]] != result["status"]:
            self._complain("6: a status that its last post does not bear out", str(result), ric)
        if len(result["posts"]) > self._plan.attempts:
            self._complain("a withdrawal posted more often than allowed", str(result), ric)

    # The end of a process

    def stopping(self, process: ProcessSight, *, open_session: bool) -> None:
        """It was told to stop."""
        self._market(process).must_blank = open_session and self._plan.withdraw_on_stop

    def left(self, process: ProcessSight) -> None:
        """It ended with everything answered and written: nothing of its own still stands."""
        market = self._market(process)
        if not market.must_blank:
            return
        for (service, ric), quote in market.quotes.items():
            if quote.fields:
                text = f"{process.name}: {sorted(quote.fields)} of {service} {ric}"
                self._complain("a quote left standing", text, ric)
        for post in process.last.values():
            self._check_lost(post)
        for post in market.blanked.values():
            self._check_told(post)

    def _check_told(self, post: Post) -> None:
        """A withdrawal whose partition did not go has its result."""
        blanking = post.blanking
        if blanking is None or blanking.told or post.forgotten:
            return
        if all(self._shows(post, partition) for partition in blanking.partitions):
            self._complain("1: a withdrawal without a result", str(post), post.ric)

    def _check_lost(self, post: Post) -> None:
        """A last post without an answer may stand, though the stop left its price to the next run."""
        if post.answer is not None or post.suspect_at is not None or not post.values:
            return
        listed = any(self._listed(name, version, post.process) for name, version in post.values.items())
        if listed and self._keeps_all(post):
            self._complain("a post without an answer left standing", str(post), post.ric)
