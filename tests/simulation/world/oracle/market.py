"""What each process has in the market: the quotes that stand by its results, and all that it has posted."""

from dataclasses import dataclass, field
from typing import Any, TypeAlias

from tests.simulation.world.environment.fed_records import Part
from tests.simulation.world.oracle.evidence import ProcessEvidence, SeenPost
from tests.simulation.world.oracle.history import History

from contribd.engine.records.offsets import Partition

_STANDS = {"ACK", "TIMEOUT", "LOST"}
"""Answers after which a post counts as in the market: what got none may have arrived."""

Key: TypeAlias = tuple[str, str]
"""Service and RIC."""


@dataclass(slots=True)
class MarketQuote:
    """What stands of a RIC by the results of a process.

    ``partitions``: that of its last price; also that of a later one whose post may have been taken for lost.
    """

    partitions: set[Partition] = field(default_factory=set)
    fields: set[str] = field(default_factory=set)
    """Those with a value that the mapping lists."""


class Market:
    """What one process shows, as far as it can know. The laws read it; only these methods change it."""

    def __init__(self, process: ProcessEvidence, history: History) -> None:
        self._process = process
        self._history = history
        self.quotes: dict[Key, MarketQuote] = {}
        self.shown: set[tuple[str, str, str]] = set()
        """Service, RIC and field of every value it posted."""
        self.up: dict[Key, set[Partition]] = {}
        """What it has posted since blanks of it were last accepted, and from which partitions."""
        self.blanked: dict[Key, SeenPost] = {}
        """Its last blanks."""
        self._sources: dict[Key, set[Partition]] = {}
        """The partitions of all that it has posted."""
        self._shared_until: dict[Key, float] = {}
        """When the last of these was taken away."""

    # Its posts

    def priced(self, post: SeenPost) -> None:
        """A post with values."""
        self.shown |= {(post.service, post.ric, name) for name in post.values}
        key, sources = (post.service, post.ric), self.sources(post)
        self.up.setdefault(key, set()).update(sources)
        self._sources.setdefault(key, set()).update(sources)

    def withdrawing(self, post: SeenPost) -> None:
        """A post of blanks."""
        key = (post.service, post.ric)
        self.blanked[key] = post
        if (quote := self.quotes.get(key)) is not None:
            quote.fields -= post.blanks

    def withdrawn(self, key: Key) -> None:
        """Blanks were accepted."""
        self.up.pop(key, None)

    def sources(self, post: SeenPost | None) -> set[Partition]:
        """The partitions that a post's values came from."""
        return set() if post is None else {self._source(version) for version in post.values.values()}

    # Whose they are

    def revoked(self, partitions: frozenset[Partition], mono: float) -> None:
        """What stands of these is others' to keep up.

        Where a RIC came through others as well, a post without an answer may have made its quote theirs, or not.
        """
        for key, sources in self._sources.items():
            if sources & partitions:
                self._shared_until[key] = mono
                if (quote := self.quotes.get(key)) is not None:
                    quote.partitions -= partitions
                    quote.fields.clear()

    def keeps(self, post: SeenPost) -> bool:
        """Whether what it put up is its process's for sure: nothing of its RIC has become others' since."""
        return post.mono > self._shared_until.get((post.service, post.ric), -1.0)

    def shows(self, post: SeenPost, partition: Partition) -> bool:
        """Whether a post of its process is still that process's to withdraw."""
        return partition in self._process.owned and post.mono >= self._process.assigned_at[partition]

    def listed(self, post: SeenPost) -> set[str]:
        """The fields with a value that the mapping lists, and that are still its process's to withdraw."""
        return {
            name
            for name, version in post.values.items()
            if self.shows(post, self._source(version)) and self._is_listed(name, post, version)
        }

    def _is_listed(self, name: str, post: SeenPost, version: int) -> bool:
        part = self._history.part(post.key(version), self._process.mapping)
        return part is not None and name in part.listed

    def _source(self, version: int) -> Partition:
        return Partition("prices", self._history.by_version[version].partition)

    # Its results

    def settled(self, part: Part, result: dict[str, Any]) -> None:
        """The result of a part: what it put into the market stands, if its partition is still ours."""
        partition = Partition("prices", part.partition)
        for entry in result["posts"]:
            post = self._process.sessions[entry["session"]].posts[entry["post_id"]]
            if entry["answer"] in _STANDS and self.shows(post, partition):
                self._put_up(post, partition, entry["answer"] == "ACK")

    def _put_up(self, post: SeenPost, partition: Partition, acked: bool) -> None:
        key = (post.service, post.ric)
        quote = self.quotes.setdefault(key, MarketQuote())
        if not self.keeps(post) or (post.suspect_at is not None and not acked):
            quote.partitions.add(partition)  # it may have become others', or been dropped behind an Error
            return
        if acked and post.type == "Refresh":
            quote.fields.clear()
        quote.partitions = {partition}
        quote.fields |= self.listed(post)
        blanks = None if acked else self.blanked.get(key)
        if blanks is not None and blanks.mono > post.mono:  # its price was given up, and the result came after them
            quote.fields -= blanks.blanks


class Markets:
    """One for each process."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._markets: dict[str, Market] = {}

    def of(self, process: ProcessEvidence) -> Market:
        """What this process has in the market."""
        if (market := self._markets.get(process.name)) is None:
            market = self._markets[process.name] = Market(process, self._history)
        return market
