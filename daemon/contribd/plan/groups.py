"""The records that one mapping of the old rules and one of the new both post: what differs between their posts."""

from collections import Counter
from typing import Final, TypeVar

from contribd.mapping.inputs import Input
from contribd.mapping.outcome import FieldValue, Mapped
from contribd.plan.moves import FieldChanges, Presence
from contribd.plan.patterns import SHARE

MOST_FIELDS: Final = 1_000
"""Fields of a mapping that are told apart; more are counted together. A page has some thirty rows."""

OTHERS: Final = "(further fields)"

_T = TypeVar("_T", FieldChanges, Presence)


class Group:
    """What differs between the posts of two mappings, mostly of one name."""

    def __init__(self) -> None:
        self.changed = 0
        """Records whose posts differ."""
        self.fields: dict[str, FieldChanges] = {}
        self.vanished: dict[str, Presence] = {}
        """Fields that only the old posts have."""
        self.appeared: dict[str, Presence] = {}
        """Fields that only the new posts have."""
        self.ric = FieldChanges()
        self.service: dict[tuple[str, str], Presence] = {}
        self.type: dict[tuple[str, str], Presence] = {}
        self._taken: Counter[tuple[str, str]] = Counter()

    def add(self, record: Input, old: Mapped, new: Mapped) -> None:
        """One more record."""
        self.changed += 1
        if old.ric != new.ric:
            self.ric.add(record, new.ric, old.ric, new.ric)
        if old.service != new.service:
            _other(self.service, old.service, new.service, record, new.ric)
        if old.type is not new.type:
            _other(self.type, str(old.type), str(new.type), record, new.ric)
        if old.fields != new.fields:
            self._compare(record, new.ric, old.fields, new.fields)

    def _compare(self, record: Input, ric: str, old: dict[str, FieldValue], new: dict[str, FieldValue]) -> None:
        changed = []
        for name, value in new.items():
            if name not in old:
                self._one(self.appeared, name, Presence).add(record, ric, None, value)
            elif old[name] != value:
                self._one(self.fields, name, FieldChanges).add(record, ric, old[name], value)
                changed.append(name)
        if len(new) != len(old) or not new.keys() >= old.keys():
            for name in old.keys() - new.keys():
                self._one(self.vanished, name, Presence).add(record, ric, old[name], None)
        if changed:
            self._look_for_exchanges(changed, old, new)

    @staticmethod
    def _one(among: dict[str, _T], name: str, make: type[_T]) -> _T:
        found = among.get(name)
        if found is None:
            name = name if len(among) < MOST_FIELDS else OTHERS
            found = among.setdefault(name, make())
        return found

    def _look_for_exchanges(self, changed: list[str], old: dict[str, FieldValue], new: dict[str, FieldValue]) -> None:
        """Notes for each field that changed which others had, before, what it has now."""
        had: dict[FieldValue, list[str]] = {}
        for name, value in old.items():
            if value is not None and name in new:
                had.setdefault(value, []).append(name)
        for name in changed:
            for other in had.get(new[name], ()):
                self._taken[name, other] += 1

    def source_of(self, name: str) -> tuple[str, int] | None:
        """The field whose former values this one has now, and in how many records; None where there is none."""
        changes = self.fields.get(name)
        if changes is None or not changes.count:
            return None
        best = max(
            ((count, other) for (field, other), count in self._taken.items() if field == name and other != name),
            key=lambda each: (each[0], self._taken[each[1], name], each[1]),
            default=(0, ""),
        )
        return (best[1], best[0]) if best[0] >= SHARE * changes.count else None


def _other(among: dict[tuple[str, str], Presence], old: str, new: str, record: Input, ric: str) -> None:
    among.setdefault((old, new), Presence()).add(record, ric, old, new)
