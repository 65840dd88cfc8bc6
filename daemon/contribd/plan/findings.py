"""What is to be said of all that differs: a sentence each, the most serious first."""

from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

from contribd.mapping.outcome import FieldValue
from contribd.plan.gathering import Gathering, Pair
from contribd.plan.groups import Group
from contribd.plan.moves import FieldChanges
from contribd.plan.number_patterns import shown
from contribd.plan.outcomes import Example, Kind


class Weight(IntEnum):
    """How serious a finding is: the least first. Of one weight, the one with most records is first."""

    EXCHANGED = 0
    WRONG_PLACE = 1
    NOT_POSTED = 2
    OTHER_VALUES = 3
    POSTED = 4
    NAMES = 5


class Finding(NamedTuple):
    """One sentence, and what it is about. ``records``: of how many it is true."""

    weight: Weight
    records: int
    mapping: str
    field: str
    text: str
    examples: tuple[Example, ...] = ()

    @property
    def sentence(self) -> str:
        """The text, with one record that shows it."""
        if not self.examples:
            return self.text
        place, ric, old, new = self.examples[0]
        if not self.field:
            return f"{self.text} ({place}: {value_text(old)}; now {value_text(new)})"
        if self.weight is Weight.NOT_POSTED:
            return f"{self.text} ({place} {ric}: {self.field} was {value_text(old)} and is not posted)"
        if self.weight is Weight.POSTED:
            return f"{self.text} ({place} {ric}: {self.field} {value_text(new)})"
        return f"{self.text} ({place} {ric}: {self.field} {value_text(old)} becomes {value_text(new)})"


def findings(gathering: Gathering) -> list[Finding]:
    """All there is to say of the records that come out differently."""
    found = [
        *(each for pair, group in gathering.groups.items() for each in _of_group(pair, group)),
        *_of_turns(gathering),
        *_of_names(gathering),
    ]
    return sorted(found, key=lambda each: (each.weight, -each.records, each.mapping, each.field))


def _of_group(pair: Pair, group: Group) -> Iterator[Finding]:
    told = set[str]()
    for name in group.fields:
        if name not in told:
            yield _exchanged(pair, group, name, told) or _changed(pair, group, name)
    if group.ric.count:
        yield _other_rics(pair, group.ric)
    for what, among in (("service", group.service), ("type", group.type)):
        for (old, new), found in among.items():
            text = f"{_s(pair)} {what} is {new} instead of {old}: {_records(found.count)}"
            yield Finding(Weight.WRONG_PLACE, found.count, str(pair), what, text, tuple(found.examples))
    for name, found in group.vanished.items():
        text = f"{name} is no longer posted by {pair}: {_records(found.count)}"
        yield Finding(Weight.NOT_POSTED, found.count, str(pair), name, text, tuple(found.examples))
    for name, found in group.appeared.items():
        text = f"{name} is posted by {pair}, which it was not before: {_records(found.count)}"
        yield Finding(Weight.POSTED, found.count, str(pair), name, text, tuple(found.examples))


def _exchanged(pair: Pair, group: Group, name: str, told: set[str]) -> Finding | None:
    """That this field and another have each other's values, ``told`` then holds both; or that it has another's."""
    changes = group.fields[name]
    partner = group.partner_of(name)
    if partner is not None:
        told.update((name, partner[0]))
        text = f"{name} and {partner[0]} are exchanged in {pair}: {_share(partner[1], changes.count)}"
        return Finding(Weight.EXCHANGED, partner[1], str(pair), name, text, tuple(changes.examples))
    source, regular = group.source_of(name), changes.regularity.found()
    if source is None or (regular is not None and regular.constant):
        return None
    text = f"{name} has what {source[0]} had in {pair}: {_share(source[1], changes.count)}"
    return Finding(Weight.EXCHANGED, source[1], str(pair), name, text, tuple(changes.examples))


def _changed(pair: Pair, group: Group, name: str) -> Finding:
    changes = group.fields[name]
    regular = changes.regularity.found()
    if regular is not None:
        text = f"{name} {regular.text} in {pair}: {_share(regular.records, changes.count)}"
    else:
        text = f"{name} changes in {pair}: {_records(changes.count)}{_by(changes)}"
    return Finding(Weight.OTHER_VALUES, changes.count, str(pair), name, text, tuple(changes.examples))


def _by(changes: FieldChanges) -> str:
    if changes.farthest is None:
        return ""
    share = changes.steepest.relative if changes.steepest else None
    return f", by up to {shown(changes.farthest.distance)}" + (f" and {percent(float(share))}" if share else "")


def _other_rics(pair: Pair, changes: FieldChanges) -> Finding:
    regular = changes.regularity.found()
    how, records = (regular.text, regular.records) if regular is not None else ("changes", changes.count)
    text = f"{_s(pair)} RIC {how}: {_share(records, changes.count)}"
    return Finding(Weight.WRONG_PLACE, changes.count, str(pair), "RIC", text, tuple(changes.examples))


def _of_turns(gathering: Gathering) -> Iterator[Finding]:
    for (kind, pair, old, new), turned in gathering.turns.items():
        weight, text = _TURNS[kind]
        by = f" by {pair}" if str(pair) else ""
        said = text.format(records=_records(turned.count), by=by, old=old, new=new, are=_are(turned.count))
        yield Finding(weight, turned.count, str(pair), "", said, tuple(turned.examples))


_TURNS = {
    Kind.NEWLY_REJECTED: (Weight.NOT_POSTED, "{records} {are} newly rejected{by}, {new}"),
    Kind.NEWLY_IGNORED: (Weight.NOT_POSTED, "{records} {are} newly ignored{by}"),
    Kind.NEWLY_ACCEPTED: (Weight.POSTED, "{records} {are} newly posted{by}, which was rejected ({old})"),
    Kind.NO_LONGER_IGNORED: (Weight.POSTED, "{records} {are} no longer ignored{by}"),
    Kind.REJECTED_OTHERWISE: (Weight.NAMES, "{records} {are} rejected{by} with {new} instead of {old}"),
}


def _of_names(gathering: Gathering) -> Iterator[Finding]:
    for pair, records in gathering.others.items():
        text = f"what {pair.old} posted is posted by {pair.new}, unchanged: {_records(records)}"
        yield Finding(Weight.NAMES, records, str(pair), "", text)


def _share(records: int, changed: int) -> str:
    if records == changed:
        return f"in each of {_records(records)} that change" if records > 1 else "in the one record that changes"
    return f"in {records:,} of {_records(changed)} that change"


def _records(count: int) -> str:
    return f"{count:,} record{'s' if count != 1 else ''}"


def _are(count: int) -> str:
    return "are" if count != 1 else "is"


def _s(pair: Pair) -> str:
    return f"{pair}'s"


def value_text(value: FieldValue) -> str:
    """A value for people."""
    if value is None:
        return "blank"
    return value if isinstance(value, str) else shown(value)


def percent(share: float) -> str:
    """A share for people, with as many digits as say something."""
    if share >= 1:
        return f"{share:,.0%}"
    return f"{share:.2%}" if share >= 0.01 or not share else f"{100 * share:.2g}%"
