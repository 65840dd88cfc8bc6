"""The oracle's law on orders about quotes: blanks, and values posted once more, only where they were ordered, and never
over anything newer.

Judged where nothing but orders withdraws, and every instrument has a partition of its own.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass

from tests.simulation.world.environment.fed_records import PartKey
from tests.simulation.world.environment.schedule import MICROSECOND
from tests.simulation.world.environment.sim_mappings import LISTED
from tests.simulation.world.oracle.evidence import Complain, SeenPost
from tests.simulation.world.oracle.history import History
from tests.simulation.world.oracle.pause_evidence import What, covers

from contribd.engine.records.offsets import Partition
from contribd.streams.client.port import OrderRecord

_ALL_LISTED = frozenset[str]().union(*LISTED.values())
_REFUSED = ("NAK", "ERROR")

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Taken:
    """An order about quotes that a process has heard."""

    kind: str
    what: What
    mono: float


class QuoteRules:
    """Hears of every order about quotes. ``wanted``: whether there are any."""

    def __init__(self, history: History, complain: Complain, *, wanted: bool) -> None:
        self.wanted = wanted
        self._history = history
        self._complain = complain
        self._given: dict[int, tuple[str, What]] = {}
        self._taken: dict[str, list[Taken]] = {}
        self._posts: dict[Key, list[SeenPost]] = {}
        """Of prices and of blanks, of all processes, as they were sent."""
        self._first: dict[tuple[str, PartKey], float] = {}
        """When a process first posted a part."""
        self.again = 0
        """Posts of values once more."""

    # Orders

    def given(self, number: int, kind: str, what: What) -> None:
        """Somebody gives one."""
        self._given[number] = kind, what

    def taken(self, process: str, number: int, mono: float) -> None:
        """The worker hears one."""
        kind, what = self._given[number]
        self._taken.setdefault(process, []).append(Taken(kind, what, mono))

    def followed(self, process: str, records: Collection[OrderRecord], mono: float) -> None:
        """The worker hears of records of the control topic."""
        for record in records:
            document = json.loads(record.value or b"{}")
            if document["kind"] in ("withdraw", "republish"):
                self.taken(process, int(document["why"].rpartition("order ")[2]), mono)

    def _orders(self, post: SeenPost, kind: str) -> list[Taken]:
        """Those of this kind that are about the RIC and that its process knows."""
        parts = self._history.of(post.service, post.ric)
        found = [one for one in self._taken.get(post.process.name, ()) if one.kind == kind]
        return [one for one in found if any(covers(one.what, part) for part in parts)]

    # Posts

    def partitions(self, post: SeenPost) -> frozenset[Partition]:
        """Where the RIC comes from."""
        return frozenset(Partition("prices", part.partition) for part in self._history.of(post.service, post.ric))

    def priced(self, post: SeenPost) -> None:
        """A post of prices."""
        self._posts.setdefault((post.service, post.ric), []).append(post)
        for version in post.values.values():
            self._first.setdefault((post.process.name, post.key(version)), post.mono)

    def blanking(self, post: SeenPost, *, again: bool) -> None:
        """A post of blanks; ``again``: not the first of its withdrawal."""
        posts = self._posts.setdefault((post.service, post.ric), [])
        shown = {name for one in posts for name in one.values}
        if not post.blanks <= shown & _ALL_LISTED or post.type != "Update":
            self._complain("withdrew what was not its own to withdraw", str(post), post.ric)
        orders = self._orders(post, "withdraw")
        if not orders:
            self._complain("withdrew although nobody asked for it", str(post), post.ric)
        own = [one for one in posts if one.process is post.process and one.values and not _refused(one)]
        if own and not again:
            first = self._first[post.process.name, own[-1].key(own[-1].newest)]
            if all(order.mono < first - MICROSECOND for order in orders):
                self._complain("withdrew a price that is newer than the order", f"{post}: {own[-1]}", post.ric)
        posts.append(post)

    def once_more(self, post: SeenPost) -> None:
        """A post of values that have their results."""
        self.again += 1
        posts = self._posts.get((post.service, post.ric), [])
        if not self._orders(post, "republish"):
            self._complain("1: posted a record that has its result", str(post), post.ric)
        for name, version in post.values.items():
            newer = [one for one in posts if one.values.get(name, 0) > version and not _refused(one)]
            if newer:
                self._complain("2: posted once more, after a newer value", f"{post}: {name}, {newer[-1]}", post.ric)
        stands = [one for one in posts if not _refused(one)]
        last = stands[-1] if stands else None
        if last is not None and last.blanking is not None and last.blanking.told:
            self._complain("posted once more what was withdrawn", f"{post}: {last}", post.ric)


def _refused(post: SeenPost) -> bool:
    """Whether the ADS has said so: it does not stand."""
    return post.answer is not None and post.answer.kind in _REFUSED
