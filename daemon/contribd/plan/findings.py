"""What is to be said of all that differs: a sentence each, the most serious first."""

from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

from contribd.mapping.outcome import FieldValue
from contribd.plan.gathering import Gathering, Pair
from contribd.plan.groups import Group
from contribd.plan.moves import Differences, FieldChanges
from contribd.plan.number_patterns import shown
from contribd.plan.outcomes import Example, Kind


class Weight(IntEnum):
    """How serious a finding is: the least first. Of one weight, the one with most posts is first."""

    EXCHANGED = 0
    WRONG_PLACE = 1
    NOT_POSTED = 2
    OTHER_VALUES = 3
    POSTED = 4
    NAMES = 5


class Finding(NamedTuple):
    """One sentence, and what it is about."""

    weight: Weight
    parts: int
    """Of how many it is true: posts, and records that make none."""
    records: int
    """Of how many records they are; where it is true of some of the changes of a field, at most."""
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
        *(each for pair, group in gathering.groups.items() for each in _of_group(pair, group, gathering.noun(pair))),
        *_of_turns(gathering),
        *_of_names(gathering),
    ]
    return sorted(found, key=lambda each: (each.weight, -each.parts, each.mapping, each.field))


def _of_group(pair: Pair, group: Group, noun: str) -> Iterator[Finding]:
    told = set[str]()
    for name in group.fields:
        if name not in told:
            yield _exchanged(pair, group, noun, name, told) or _changed(pair, group, noun, name)
    if group.ric.count:
        yield _other_rics(pair, group.ric, noun)
    for what, among in (("service", group.service), ("type", group.type)):
        for (old, new), found in among.items():
            text = f"{_s(pair)} {what} is {new} instead of {old}: {_counted(found.count, noun)}"
            yield _finding(Weight.WRONG_PLACE, found, pair, what, text)
    for name, found in group.vanished.items():
        text = f"{name} is no longer posted by {pair}: {_counted(found.count, noun)}"
        yield _finding(Weight.NOT_POSTED, found, pair, name, text)
    for name, found in group.appeared.items():
        text = f"{name} is posted by {pair}, which it was not before: {_counted(found.count, noun)}"
        yield _finding(Weight.POSTED, found, pair, name, text)


def _finding(
    weight: Weight, found: Differences, pair: Pair, field: str, text: str, parts: int | None = None
) -> Finding:
    """``parts``: of how many it is true, where it is not true of all."""
    count = found.count if parts is None else parts
    return Finding(weight, count, min(count, found.records), str(pair), field, text, tuple(found.examples))


def _exchanged(pair: Pair, group: Group, noun: str, name: str, told: set[str]) -> Finding | None:
    """That this field and another have each other's values, ``told`` then holds both; or that it has another's."""
    changes = group.fields[name]
    partner = group.partner_of(name)
    if partner is not None:
        told.update((name, partner[0]))
        text = f"{name} and {partner[0]} are exchanged in {pair}: {_share(partner[1], changes.count, noun)}"
        return _finding(Weight.EXCHANGED, changes, pair, name, text, partner[1])
    source, regular = group.source_of(name), changes.regularity.found()
    if source is None or (regular is not None and regular.constant):
        return None
    text = f"{name} has what {source[0]} had in {pair}: {_share(source[1], changes.count, noun)}"
    return _finding(Weight.EXCHANGED, changes, pair, name, text, source[1])


def _changed(pair: Pair, group: Group, noun: str, name: str) -> Finding:
    changes = group.fields[name]
    regular = changes.regularity.found()
    if regular is not None:
        text = f"{name} {regular.text} in {pair}: {_share(regular.changes, changes.count, noun)}"
    else:
        text = f"{name} changes in {pair}: {_counted(changes.count, noun)}{_by(changes)}"
    return _finding(Weight.OTHER_VALUES, changes, pair, name, text)


def _by(changes: FieldChanges) -> str:
    if changes.farthest is None:
        return ""
    share = changes.steepest.relative if changes.steepest else None
    return f", by up to {shown(changes.farthest.distance)}" + (f" and {percent(float(share))}" if share else "")


def _other_rics(pair: Pair, changes: FieldChanges, noun: str) -> Finding:
    regular = changes.regularity.found()
    how, count = (regular.text, regular.changes) if regular is not None else ("changes", changes.count)
    return _finding(
        Weight.WRONG_PLACE, changes, pair, "RIC", f"{_s(pair)} RIC {how}: {_share(count, changes.count, noun)}"
    )


def _of_turns(gathering: Gathering) -> Iterator[Finding]:
    for (kind, pair, old, new), turned in gathering.turns.items():
        weight, text = _TURNS[kind]
        by = f" by {pair}" if str(pair) else ""
        count = turned.count
        said = text.format(
            records=_counted(count, gathering.noun(pair)),
            posts=_counted(count, "post"),
            by=by,
            old=old,
            new=new,
            are="are" if count != 1 else "is",
            before=f", which {'were' if count != 1 else 'was'} rejected ({old})" if old else "",
        )
        yield _finding(weight, turned, pair, "", said)


_TURNS = {
    Kind.NEWLY_REJECTED: (Weight.NOT_POSTED, "{records} {are} newly rejected{by}, {new}"),
    Kind.NEWLY_IGNORED: (Weight.NOT_POSTED, "{records} {are} newly ignored{by}"),
    Kind.NEWLY_SUPPRESSED: (Weight.NOT_POSTED, "{records} {are} newly suppressed{by}, {new}"),
    Kind.LOST: (Weight.NOT_POSTED, "{posts} {are} lost, no longer made{by}{before}"),
    Kind.NEWLY_ACCEPTED: (Weight.POSTED, "{records} {are} newly posted{by}, which was rejected ({old})"),
    Kind.NO_LONGER_IGNORED: (Weight.POSTED, "{records} {are} no longer ignored{by}"),
    Kind.NO_LONGER_SUPPRESSED: (Weight.POSTED, "{records} {are} no longer suppressed{by} ({old})"),
    Kind.GAINED: (Weight.POSTED, "{posts} {are} gained, not made before{by}"),
    Kind.SUPPRESSED_OTHERWISE: (Weight.NAMES, "{records} {are} suppressed{by} with {new} instead of {old}"),
    Kind.REJECTED_OTHERWISE: (Weight.NAMES, "{records} {are} rejected{by} with {new} instead of {old}"),
}


def _of_names(gathering: Gathering) -> Iterator[Finding]:
    for pair, same in gathering.others.items():
        text = (
            f"what {pair.old} posted is posted by {pair.new}, unchanged: {_counted(same.count, gathering.noun(pair))}"
        )
        yield Finding(Weight.NAMES, same.count, same.records, str(pair), "", text)


def _share(count: int, changes: int, noun: str) -> str:
    """Of how many of the changes it is true."""
    if count == changes:
        return f"in each of {_counted(count, noun)} that change" if count > 1 else f"in the one {noun} that changes"
    return f"in {count:,} of {_counted(changes, noun)} that change"


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s' if count != 1 else ''}"


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
