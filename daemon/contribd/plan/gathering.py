"""All that differs over the traffic, gathered record by record, and of a record with several posts part by part.

Kept are counts, the first examples and the largest moves of each kind, by mapping and field: what the rules bound, not
the traffic. The one thing that grows with the traffic is the ledger of RICs, and it has a bound of its own.
"""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from contribd.mapping.compiled import CompiledMapping
from contribd.mapping.inputs import Input
from contribd.mapping.outcome import Ignored, Mapped, Outcome, PartOutcome, Rejected, Several
from contribd.plan.coverage import Coverage
from contribd.plan.groups import Group
from contribd.plan.moves import Differences
from contribd.plan.outcomes import Kind, kind_of, words_of
from contribd.plan.pairing import paired
from contribd.plan.rics import RicLedger


class Pair(NamedTuple):
    """The mapping that a record is for by the old rules, and by the new ones; empty where there is none."""

    old: str
    new: str

    def __str__(self) -> str:
        return (
            self.new or self.old if self.old == self.new or not self.old or not self.new else f"{self.old} → {self.new}"
        )


class Turn(NamedTuple):
    """From one code to another; empty for what is posted or not made, ``Ignored`` for what is ignored."""

    kind: Kind
    pair: Pair
    old: str
    new: str


class Gathering:
    """Takes the two outcomes of each record."""

    def __init__(self, old: Iterable[CompiledMapping] = (), new: Iterable[CompiledMapping] = ()) -> None:
        """``old`` and ``new``: the mappings of the rules that are compared."""
        self.records = 0
        self.changed = 0
        """Records that come out differently, in one of their posts at least."""
        self.kinds: Counter[Kind] = Counter()
        """Of parts: a record with several posts has one for each, any other record is one."""
        self.groups: dict[Pair, Group] = {}
        self._several: set[Pair] = set()
        """Those by which records have several posts."""
        self.others: dict[Pair, Differences] = {}
        """The same posts, by another mapping."""
        self.turns: dict[Turn, Differences] = {}
        self.reworded = 0
        """Parts that are rejected by the same code in other words."""
        self.rics = RicLedger()
        self.old = Coverage(old)
        self.new = Coverage(new)

    def add(self, record: Input, old: Outcome, new: Outcome) -> None:
        """One more record."""
        self.records += 1
        self.old.add(old)
        self.new.add(new)
        if isinstance(old, Several) or isinstance(new, Several):
            differ = [parts for parts in paired(old, new) if self._differs(record, *parts)]
            self._several.update(_pair(*parts) for parts in differ)
            self.changed += bool(differ)
        else:
            self.changed += self._differs(record, old, new)

    def _differs(self, record: Input, old: PartOutcome | None, new: PartOutcome | None) -> bool:
        """Takes note of one part of a record."""
        self._note_rics(old, new)
        kind = kind_of(old, new)
        self.kinds[kind] += 1
        if kind is Kind.SAME:
            if type(old) is Rejected and type(new) is Rejected:
                self.reworded += old.text != new.text
            return False
        if kind is Kind.CHANGED and type(old) is Mapped and type(new) is Mapped:
            group = self.groups.get((old.mapping, new.mapping))  # type: ignore[call-overload]  # a pair is made once
            if group is None:
                group = self.groups.setdefault(_pair(old, new), Group())
            group.add(record, old, new)
        elif kind is Kind.OTHER_MAPPING:
            self.others.setdefault(_pair(old, new), Differences()).add(record, "", None, None)
        else:
            self._turn(kind, record, old, new)
        return True

    def _note_rics(self, old: PartOutcome | None, new: PartOutcome | None) -> None:
        if type(old) is Mapped:
            if type(new) is Mapped and old.ric == new.ric and old.service == new.service:
                self.rics.both(new.service, new.ric)
                return
            self.rics.old(old.service, old.ric)
        if type(new) is Mapped:
            self.rics.new(new.service, new.ric)

    def _turn(self, kind: Kind, record: Input, old: PartOutcome | None, new: PartOutcome | None) -> None:
        turn = Turn(kind, _pair(old, new), _code(old), _code(new))
        ric = old.ric if isinstance(old, Mapped) else (new and new.ric) or (old and old.ric)
        self.turns.setdefault(turn, Differences()).add(record, ric or "-", words_of(old), words_of(new))

    def noun(self, pair: Pair) -> str:
        """What is counted of two mappings: posts, where a record has several, otherwise records."""
        return "post" if pair in self._several else "record"

    @property
    def parts(self) -> int:
        """Posts of all records; a record that makes none counts as one."""
        return self.kinds.total()

    @property
    def differ(self) -> bool:
        """Whether any record comes out differently."""
        return self.changed > 0


def _pair(old: PartOutcome | None, new: PartOutcome | None) -> Pair:
    return Pair((old and old.mapping) or "", (new and new.mapping) or "")


def _code(part: PartOutcome | None) -> str:
    if part is None or isinstance(part, Mapped):
        return ""
    return "Ignored" if isinstance(part, Ignored) else str(part.code)
