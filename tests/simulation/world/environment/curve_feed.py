"""Records with points: what is in each, and the parts that every mapping must make of it."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.simulation.world.environment.fed_records import ANYWHERE, Part, Produced
from tests.simulation.world.environment.sim_mappings import (
    CURVE,
    LISTED,
    POSTS,
    SERVICES,
    STRICT,
    VERSIONED,
)
from tests.simulation.world.plan import ALL_MAPPINGS, FEWER, MORE, TURNED, CurvePlan, Plan

PADDING = 1_600

_Instrument = tuple[int, str]
"""A RIC's number and a service."""


@dataclass(slots=True)
class _Point:
    """One point as the record has it. ``padded``: its post alone is too large for some."""

    ric: str | None
    service: str
    refresh: bool
    spare: bool
    fields: frozenset[str]
    crossed: bool = False
    padded: bool = False
    extra: str | None = None

    def as_json(self, version: int) -> dict[str, Any]:
        """Its section of the record."""
        said: dict[str, Any] = {name: version for name in VERSIONED if name in self.fields}
        said |= {"service": self.service, "post": "refresh" if self.refresh else "update"}
        said |= {"spare": self.spare, "crossed": self.crossed}
        if self.ric is not None:
            said["ric"] = self.ric
        if self.padded:
            said["pad"] = "x" * PADDING
        if self.extra is not None:
            said[self.extra] = 1
        return said


class CurveFeed:
    """Makes what is in curves. Each partition has its own RICs where the topic is keyed; single prices share some."""

    def __init__(self, plan: Plan, curves: CurvePlan, rng: Random, counts: Counter[str]) -> None:
        self._plan = plan
        self._curves = curves
        self._rng = rng
        self._counts = counts
        self._left = curves.most_parts
        self._last: dict[int, list[_Instrument]] = {}

    @property
    def due(self) -> bool:
        """Whether the next record is a curve."""
        return self._left > 0 and self._rng.random() < self._curves.share

    def fill(self, made: Produced, happens: Callable[[str], bool]) -> dict[str, Any]:
        """The record's JSON; tells the record which parts it has."""
        rng, version = self._rng, made.version
        points = [self._point(*each, happens) for each in self._instruments(made.partition)]
        self._spoil(points, happens)
        if happens("no_points"):
            points = []
        head = self._point(rng.choice(self._universe(made.partition)), self._service(), happens)
        strict = happens("all_or_nothing")
        made.key = b"curve" if self._plan.keyed else None
        made.makes(*(_parts(made, points, head, mapping, strict=strict) for mapping in ALL_MAPPINGS))
        for part in made.made(0).values():
            self._left -= 1
            self._counts["parts"] += part.posted
        self._counts["curves"] += 1
        return {
            "service": "",
            "post": STRICT if strict else CURVE,
            "crossed": False,
            "points": [point.as_json(version) for point in points],
            "head": head.as_json(version),
        }

    # Which RICs

    def _universe(self, partition: int) -> range:
        """The numbers of the RICs that its curves can have."""
        curves, partitions = self._curves, self._plan.partitions
        return (
            range(partition, partition + curves.rics * partitions, partitions)
            if self._plan.keyed
            else range(curves.rics)
        )

    def _instruments(self, partition: int) -> list[_Instrument]:
        """The same as in the last record of the partition, some of them and some others, or all drawn anew."""
        rng, last = self._rng, self._last.get(partition)
        if not last or self._curves.changes == "all":
            found = self._drawn(partition, self._width())
        elif self._curves.changes == "some":
            kept = [each for each in last if rng.random() < 0.8]
            found = list(dict.fromkeys([*kept, *self._drawn(partition, rng.randint(0, 2))])) or last
        else:
            found = last
        self._last[partition] = found
        if rng.random() < 0.2:
            found = rng.sample(found, len(found))
        return found[:1] if rng.random() < 0.05 else found[: self._curves.widest]

    def _width(self) -> int:
        widest = self._curves.widest
        return min(widest, self._rng.choice((1, 2, 3, 5, widest, self._rng.randint(1, widest))))

    def _drawn(self, partition: int, number: int) -> list[_Instrument]:
        every = [
            (number, service) for number in self._universe(partition) for service in SERVICES[: self._plan.services]
        ]
        return self._rng.sample(every, min(number, len(every)))

    def _service(self) -> str:
        return SERVICES[self._rng.randrange(self._plan.services)]

    # What is in a point

    def _point(self, number: int, service: str, happens: Callable[[str], bool]) -> _Point:
        rng = self._rng
        fields = frozenset(rng.sample(VERSIONED, rng.choice((1, 1, 2, 4))))
        return _Point(f"R{number}=T", service, happens("refresh"), rng.random() < 0.2, fields)

    def _spoil(self, points: list[_Point], happens: Callable[[str], bool]) -> None:
        """Of the points of some records one has a fault, or is there twice."""
        rng = self._rng
        if happens("part_crossed"):
            rng.choice(points).crossed = True
        if happens("part_nameless"):
            rng.choice(points).ric = None
        for extra in ("error", "mute"):
            if happens(f"ads_{extra}"):
                rng.choice(points).extra = extra
        if happens("too_large"):
            rng.choice(points).padded = True
        if happens("part_twice"):
            again = rng.choice(points)
            points.insert(
                rng.randint(0, len(points)), _Point(again.ric, again.service, again.refresh, False, again.fields)
            )


# What each mapping makes of it: written anew, from what the language promises


def _parts(made: Produced, points: list[_Point], head: _Point, mapping: int, *, strict: bool) -> list[Part]:
    parts: dict[tuple[str, str | None, int], Part] = {}
    for point in _posts(points, head, mapping):
        place = ANYWHERE if point.ric is not None else len(parts)
        known = (point.service, point.ric, place)
        if known in parts:
            parts[known].rejected = "BadValue"
        else:
            parts[known] = _part(made, point, place, STRICT if strict else CURVE)
    if not parts:
        return [Part(made, rejected="MissingField")]
    found = list(parts.values())
    if strict and (first := next((part.rejected for part in found if part.rejected), None)):
        for part in found:
            part.rejected = part.rejected or first
    return found


def _posts(points: list[_Point], head: _Point, mapping: int) -> Iterable[_Point]:
    if mapping == FEWER:
        return [point for point in points if not point.spare]
    if mapping == TURNED:
        return _by_kind(points, reversed(POSTS))
    if mapping == MORE:
        return [head, *_by_kind(points, POSTS)]
    return points


def _by_kind(points: list[_Point], kinds: Iterable[tuple[str, str]]) -> list[_Point]:
    return [
        point
        for service, post in kinds
        for point in points
        if (point.service, "refresh" if point.refresh else "update") == (service, post)
    ]


def _part(made: Produced, point: _Point, place: int, mapping: str) -> Part:
    rejected = "MissingField" if point.ric is None else "CheckFailed" if point.crossed else None
    return Part(
        made,
        point.service,
        point.ric,
        place,
        mapping,
        fields=point.fields,
        listed=LISTED["curve"],
        refresh=point.refresh,
        rejected=rejected,
        padded=point.padded,
    )
