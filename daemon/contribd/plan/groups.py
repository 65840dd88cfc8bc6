"""The posts that one mapping of the old rules and one of the new both make: what differs between them."""

from typing import Final, TypeVar

from contribd.mapping.inputs import Input
from contribd.mapping.outcome import FieldValue, Mapped
from contribd.plan.exchanges import Exchanges
from contribd.plan.moves import Differences, FieldChanges

MOST_FIELDS: Final = 1_000
"""Fields of a mapping that are told apart; more are counted together. A page has some thirty rows."""

OTHERS: Final = "(further fields)"

_T = TypeVar("_T", Differences, FieldChanges)


class Group:
    """What differs between the posts of two mappings, mostly of one name."""

    def __init__(self) -> None:
        self.changed = 0
        """Posts that differ."""
        self.records = 0
        """The records that make them; those of one record come one after the other."""
        self._record: Input | None = None
        self.fields: dict[str, FieldChanges] = {}
        self.vanished: dict[str, Differences] = {}
        """Fields that only the old posts have."""
        self.appeared: dict[str, Differences] = {}
        """Fields that only the new posts have."""
        self.ric = FieldChanges()
        self.service: dict[tuple[str, str], Differences] = {}
        self.type: dict[tuple[str, str], Differences] = {}
        self._exchanges = Exchanges()

    def add(self, record: Input, old: Mapped, new: Mapped) -> None:
        """One more post."""
        self.changed += 1
        if record is not self._record:
            self.records += 1
            self._record = record
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
        for name, value in old.items():  # in the order of the old rules: it is what people know
            if name not in new:
                self._one(self.vanished, name, Differences).add(record, ric, value, None)
            elif new[name] != value:
                self._one(self.fields, name, FieldChanges).add(record, ric, value, new[name])
                changed.append(name)
        if not old.keys() >= new.keys():
            for name, value in new.items():
                if name not in old:
                    self._one(self.appeared, name, Differences).add(record, ric, None, value)
        if changed:
            self._exchanges.add(changed, old, new)

    @staticmethod
    def _one(among: dict[str, _T], name: str, make: type[_T]) -> _T:
        found = among.get(name)
        if found is None:
            name = name if len(among) < MOST_FIELDS else OTHERS
            found = among.setdefault(name, make())
        return found

    def partner_of(self, name: str) -> tuple[str, int] | None:
        """The field with which this one has exchanged its values, and in how many posts; or None."""
        return self._exchanges.partner_of(name, {each: changes.count for each, changes in self.fields.items()})

    def source_of(self, name: str) -> tuple[str, int] | None:
        """The field whose former values this one has now, and in how many posts; None where there is none."""
        return self._exchanges.source_of(name, self.fields[name].count)


def _other(among: dict[tuple[str, str], Differences], old: str, new: str, record: Input, ric: str) -> None:
    among.setdefault((old, new), Differences()).add(record, ric, old, new)
