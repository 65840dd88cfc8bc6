"""What a chaos run has found: the promises in numbers, and what an operator reads of it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.integration.rigs.log_kinds import LogKind
from tests.integration.rigs.prices import Place
from tests.integration.rigs.version_judge import Judged

from contribd.results.result import Result


@dataclass
class Report:
    """``unreadable``: the results of records that nobody can read, by status."""

    records: int = 0
    seconds: float = 0.0
    results: int = 0
    judged: Judged = field(default_factory=Judged)
    """The results."""
    reordered: list[str] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    poisoned: Counter[str] = field(default_factory=Counter)
    """The results of poison instruments, by status."""
    unreadable: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    posts: int = 0
    reposts: int = 0
    kills: list[tuple[int, int]] = field(default_factory=list)
    """For each kill: records unsettled just before, as far as the daemon could be asked, and posts repeated after."""
    log_kinds: list[LogKind] = field(default_factory=list)
    """Of the daemons' lines at level warning and above."""

    def count(self, results: Sequence[Result], judged: Judged, unreadable: set[Place]) -> None:
        """Takes in the results, and what was found of them."""
        self.results = len(results)
        self.judged = judged
        for result in results:
            self._of(result, unreadable)[result.status.value] += 1

    def _of(self, result: Result, unreadable: set[Place]) -> Counter[str]:
        source = result.source
        if source is not None and (source.topic, source.partition, source.offset) in unreadable:
            return self.unreadable
        return self.poisoned if (result.ric or "").startswith("POISON") else self.statuses

    @property
    def kept(self) -> bool:
        """Nothing lost, doubled or reordered."""
        return self.results == self.judged.expected and self.judged.clean and not self.reordered

    @property
    def internal(self) -> list[LogKind]:
        """Lines that an operator cannot be expected to understand."""
        return [kind for kind in self.log_kinds if kind.internal]

    def text(self) -> str:
        """For people."""
        lines = [
            f"records    {self.records:,} with {self.judged.expected:,} results to come, in {self.seconds:.0f} s",
            f"results    {self.results:,}: {dict(self.statuses)}",
            f"poison     {dict(self.poisoned)}",
            f"unreadable {dict(self.unreadable)}",
            f"lost       {_some(self.judged.missing)}",
            f"doubled    {_some(self.judged.doubled)}",
            f"strange    {_some(self.judged.strange)}",
            f"untrue     {_some(self.judged.untrue)}",
            f"reordered  at the ADS {_some(self.reordered)}, in the results {_some(self.judged.reordered)}",
            f"posts      {self.posts:,}, of them repeated on another session {self.reposts:,}",
            f"faults     {dict(self.faults)}",
            f"kills      (records unsettled before, posts repeated after) {self.kills}",
            f"log        {len(self.log_kinds)} kinds of lines at level warning and above, one of each:",
            *(f"  {kind.count:6,} {kind.level:7} {_short(kind.example)}" for kind in self.log_kinds),
            f"inside     {len(self.internal)} of them name something of the program's inside",
            *(f"  {kind.internal}" for kind in self.internal),
        ]
        return "\n".join(lines)


def _some(wrong: Sequence[str]) -> str:
    return f"{len(wrong):,}" + (f" {wrong[:5]}" if wrong else "")


def _short(text: str) -> str:
    return text if len(text) <= 300 else f"{text[:300]}…"
