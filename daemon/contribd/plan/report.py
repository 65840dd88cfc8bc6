"""A plan: both sets of rules, the traffic, and all that differs; as plain data for programs and for keeping."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from contribd.mapping.inputs import Input
from contribd.plan.configuration import MappingChanges, SettingChange
from contribd.plan.coverage import Coverage
from contribd.plan.findings import Finding, findings
from contribd.plan.gathering import Gathering, Pair
from contribd.plan.groups import Group
from contribd.plan.moves import Differences, FieldChanges, Move
from contribd.plan.outcomes import Example, Kind
from contribd.plan.rics import MOST_RICS, RicCount


class Side(NamedTuple):
    """One set of rules. ``name``: where it comes from, for people."""

    name: str
    digest: str
    version: str


class SeenRange(NamedTuple):
    """The records that were seen of one partition, from the first offset to the last."""

    topic: str
    partition: int
    first: int
    last: int


class UnreadRange(NamedTuple):
    """Offsets that could not be read, and why."""

    topic: str
    partition: int
    first: int
    last: int
    reason: str


@dataclass(slots=True)
class SeenTraffic:
    """What was compared: where it came from, and what was seen of it."""

    source: str
    ranges: dict[tuple[str, int], list[int]] = field(default_factory=dict)
    """Of each partition, the first offset and the last one."""
    earliest: int | None = None
    """Timestamps, milliseconds since 1970."""
    latest: int | None = None

    def add(self, record: Input) -> None:
        """One more record."""
        at = record.surroundings
        try:
            self.ranges[at.topic, at.partition][1] = at.offset
        except KeyError:
            self.ranges[at.topic, at.partition] = [at.offset, at.offset]
        stamp = at.timestamp
        if stamp is not None:
            if self.earliest is None or stamp < self.earliest:
                self.earliest = stamp
            if self.latest is None or stamp > self.latest:
                self.latest = stamp


@dataclass(frozen=True, slots=True)
class Report:
    """All of a plan."""

    old: Side
    new: Side
    traffic: SeenTraffic
    gathering: Gathering
    mappings: MappingChanges
    settings: tuple[SettingChange, ...] = ()
    unread: tuple[UnreadRange, ...] = ()
    notes: tuple[str, ...] = ()
    """What a reader must know of how this was done."""

    @property
    def findings(self) -> list[Finding]:
        """What is to be said of the records, the most serious first."""
        return findings(self.gathering)

    def document(self) -> dict[str, Any]:
        """As plain data; numbers are Decimal."""
        gathered = self.gathering
        return {
            "differ": gathered.differ,
            "candidate": self.new._asdict(),
            "against": self.old._asdict(),
            "traffic": _traffic(self.traffic, self.unread),
            "records": gathered.records,
            "records_changed": gathered.changed,
            "parts": gathered.parts,
            "outcomes": {kind: gathered.kinds[kind] for kind in Kind},
            "reworded_rejections": gathered.reworded,
            "findings": [_finding(each) for each in self.findings],
            "changes": [_group(pair, group) for pair, group in gathered.groups.items()],
            "turned": [
                {
                    "outcome": turn.kind,
                    "mapping": _pair(turn.pair),
                    "code": {"old": turn.old or None, "new": turn.new or None},
                    **_count(turned),
                }
                for turn, turned in gathered.turns.items()
            ],
            "other_mappings": [
                {"mapping": _pair(pair), "records": same.records, "parts": same.count}
                for pair, same in gathered.others.items()
            ],
            "rics": {
                "told_apart": gathered.rics.count,
                "most": MOST_RICS,
                "posts_beyond": gathered.rics.untold,
                "gained": _rics(gathered.rics.gained()),
                "lost": _rics(gathered.rics.lost()),
            },
            "not_exercised": {"candidate": _silent(gathered.new), "against": _silent(gathered.old)},
            "mappings": self.mappings._asdict(),
            "settings": [each._asdict() for each in self.settings],
            "notes": list(self.notes),
        }


def _traffic(seen: SeenTraffic, unread: Iterable[UnreadRange]) -> dict[str, Any]:
    ranges = sorted(SeenRange(*place, *offsets) for place, offsets in seen.ranges.items())
    return {
        "source": seen.source,
        "earliest": seen.earliest,
        "latest": seen.latest,
        "ranges": [each._asdict() for each in ranges],
        "unread": [each._asdict() for each in unread],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "text": finding.text,
        "mapping": finding.mapping,
        "field": finding.field or None,
        "records": finding.records,
        "parts": finding.parts,
        "examples": _examples(finding.examples),
    }


def _group(pair: Pair, group: Group) -> dict[str, Any]:
    return {
        "mapping": _pair(pair),
        "records": group.records,
        "parts": group.changed,
        "fields": {name: _field(changes) for name, changes in group.fields.items()},
        "vanished": {name: _count(each) for name, each in group.vanished.items()},
        "appeared": {name: _count(each) for name, each in group.appeared.items()},
        "ric": _count(group.ric),
        "service": [{"old": old, "new": new, **_count(each)} for (old, new), each in group.service.items()],
        "type": [{"old": old, "new": new, **_count(each)} for (old, new), each in group.type.items()],
    }


def _field(changes: FieldChanges) -> dict[str, Any]:
    return {
        **_count(changes),
        "pattern": _pattern(changes),
        "largest_move": _move(changes.farthest),
        "largest_relative_move": _move(changes.steepest),
    }


def _pattern(changes: FieldChanges) -> dict[str, Any] | None:
    regular = changes.regularity.found()
    if regular is None:
        return None
    return {"text": regular.text, "records": min(regular.changes, changes.records), "parts": regular.changes}


def _move(move: Move | None) -> dict[str, Any] | None:
    if move is None:
        return None
    relative: Decimal | None = None if move.relative is None else Decimal(f"{move.relative:.6g}")
    return {"distance": move.distance, "relative": relative, **move.example._asdict()}


def _count(found: Differences) -> dict[str, Any]:
    return {"records": found.records, "parts": found.count, "examples": _examples(found.examples)}


def _examples(examples: Iterable[Example]) -> list[dict[str, Any]]:
    return [each._asdict() for each in examples]


def _pair(pair: Pair) -> dict[str, Any]:
    return {"old": pair.old or None, "new": pair.new or None}


def _rics(found: RicCount) -> dict[str, Any]:
    return {"count": found.total, "first": list(found.first)}


def _silent(coverage: Coverage) -> dict[str, Any]:
    found = coverage.exercised()
    return {
        "mappings": found.mappings,
        "fields": found.fields,
        "silent_mappings": list(found.silent_mappings),
        "silent_field_count": found.silent_field_count,
        "silent_fields": {name: list(fields) for name, fields in found.silent_fields.items()},
    }
