"""All that differs over the traffic, gathered record by record.

Kept are counts, the first examples and the largest moves of each kind, by mapping and field: what the rules bound, not
the traffic. The one thing that grows with the traffic is the ledger of RICs, and it has a bound of its own.
"""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from contribd.mapping.compiled import CompiledMapping
from contribd.mapping.inputs import Input
from contribd.mapping.outcome import Mapped, Outcome, Rejected
from contribd.plan.coverage import Coverage
from contribd.plan.groups import Group
from contribd.plan.moves import Differences
from contribd.plan.outcomes import Kind, kind_of, words_of
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
    """From one code to another; empty for what is posted, ``Ignored`` for what is ignored."""

    kind: Kind
    pair: Pair
    old: str
    new: str


class Gathering:
    """Takes the two outcomes of each record."""

    def __init__(self, old: Iterable[CompiledMapping] = (), new: Iterable[CompiledMapping] = ()) -> None:
        """``old`` and ``new``: the mappings of the rules that are compared."""
        self.records = 0
        self.kinds: Counter[Kind] = Counter()
        self.groups: dict[Pair, Group] = {}
        self.others: dict[Pair, int] = {}
        """Records with the same post, by another mapping."""
        self.turns: dict[Turn, Differences] = {}
        self.reworded = 0
        """Records that are rejected by the same code in other words."""
        self.rics = RicLedger()
        self.old = Coverage(old)
        self.new = Coverage(new)

    def add(self, record: Input, old: Outcome, new: Outcome) -> None:
        """One more record."""
        self.records += 1
        self.old.add(old)
        self.new.add(new)
        self._note_rics(old, new)
        kind = kind_of(old, new)
        self.kinds[kind] += 1
        if kind is Kind.SAME:
            if type(old) is Rejected and type(new) is Rejected:
                self.reworded += old.text != new.text
        elif kind is Kind.CHANGED:
            pair = Pair(old.mapping or "", new.mapping or "")
            group = self.groups.get(pair)
            if group is None:
                group = self.groups.setdefault(pair, Group())
            group.add(record, old, new)  # type: ignore[arg-type]  # of this kind are posts
        elif kind is Kind.OTHER_MAPPING:
            pair = Pair(old.mapping or "", new.mapping or "")
            self.others[pair] = self.others.get(pair, 0) + 1
        else:
            self._turn(kind, record, old, new)

    def _note_rics(self, old: Outcome, new: Outcome) -> None:
        if type(old) is Mapped:
            if type(new) is Mapped and old.ric == new.ric and old.service == new.service:
                self.rics.both(new.service, new.ric)
                return
            self.rics.old(old.service, old.ric)
        if type(new) is Mapped:
            self.rics.new(new.service, new.ric)

    def _turn(self, kind: Kind, record: Input, old: Outcome, new: Outcome) -> None:
        turn = Turn(kind, Pair(old.mapping or "", new.mapping or ""), _code(old), _code(new))
        ric = old.ric if isinstance(old, Mapped) else new.ric or old.ric
        self.turns.setdefault(turn, Differences()).add(record, ric or "-", words_of(old), words_of(new))

    @property
    def differ(self) -> bool:
        """Whether any record comes out differently."""
        return self.kinds[Kind.SAME] < self.records


def _code(outcome: Outcome) -> str:
    if isinstance(outcome, Mapped):
        return ""
    return str(outcome.code) if isinstance(outcome, Rejected) else "Ignored"
