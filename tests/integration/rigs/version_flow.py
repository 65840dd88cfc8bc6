"""Records whose order can be told at the ADS: each instrument counts its own updates, from 1.

Single quotes, ``{"ric": "R7", "version": 3}``, and curves: ``{"type": "curve", "points": [{"ric": "C2P5", ...}]}``.
Curves belong to families. Those of a family, and the single quotes of its instruments, have one key, and so one order.
Some points are refused by the ADS, some cannot be mapped; neither may hold up the others.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NamedTuple

POISON_INSTRUMENTS: Final = 3
CURVES_OF_A_FAMILY: Final = 50
SAME_POINTS: Final = 10
"""Curves of a family in a row with the same instruments; the next ones begin with another."""
LACKING_EVERY: Final = 40
"""Of so many curves one has a point without a version."""
REFUSED_EVERY: Final = 10
"""Of so many families one has an instrument that the ADS refuses."""

MAPPING: Mapping[str, Any] = {
    "mappings": [
        {
            "name": "curves",
            "when": 'type == "curve"',
            "each": "points",
            "ric": "{item.ric}",
            "fields": {"BID": "item.version", "ACVOL_1": "item.version"},
        },
        # A text that is no number: the provider's converter refuses the post.
        {"name": "poison", "when": 'starts_with(ric, "POISON")', "ric": "{ric}", "fields": {"BID": {"value": "none"}}},
        {"name": "versions", "ric": "{ric}", "fields": {"BID": "version", "ACVOL_1": "version"}},
    ]
}


@dataclass(frozen=True)
class Flow:
    """``records`` at ``rate`` a second; single quotes over ``instruments`` RICs of their own, keyed by RIC.

    ``codecs``: what batches are compressed with, by key. Of the records ``poison`` are of instruments whose post makes
    the ADS close the connection, and ``unreadable`` are batches of one record each that the broker takes and no
    consumer in Python can decompress, both spread over the whole. ``curves`` are curves of so many ``points``; every
    other single quote then is of an instrument of theirs.
    """

    records: int
    instruments: int
    rate: float
    codecs: tuple[str, ...] = ("none",)
    poison: int = 0
    unreadable: int = 0
    curves: int = 0
    points: int = 20

    @classmethod
    def from_json(cls, text: str) -> "Flow":
        """The reverse of a dump of its fields."""
        fields = json.loads(text)
        return cls(**{**fields, "codecs": tuple(fields["codecs"])})


class Kind(StrEnum):
    """What is to become of a record."""

    PRICES = "prices"
    POISON = "poison"
    UNREADABLE = "unreadable"


class Quote(NamedTuple):
    """What one post of a record is to say; ``version``: None where it cannot be mapped."""

    ric: str
    version: int | None

    @property
    def refused(self) -> bool:
        """Whether the ADS answers it with a NAK."""
        return self.ric.startswith("NAK")


class FlowRecord(NamedTuple):
    """One record, and the posts that it makes."""

    kind: Kind
    key: bytes
    value: bytes
    codec: str
    quotes: tuple[Quote, ...]


def records_of(flow: Flow) -> Iterator[FlowRecord]:
    """The records of a flow in order; the same ones each time."""
    making = _Making(flow)
    special = _special(flow)
    healthy, number = flow.records - len(special), 0
    for at in range(flow.records):
        kind, turn = special.get(at, (Kind.PRICES, 0))
        if kind is not Kind.PRICES:
            yield making.special(kind, turn)
            continue
        curve = number * flow.curves // healthy
        if (number + 1) * flow.curves // healthy > curve:
            yield making.curve(curve)
        else:
            yield making.single(number - curve)
        number += 1


def _special(flow: Flow) -> dict[int, tuple[Kind, int]]:
    """The records that are not of healthy instruments, by their number: what they are, and their turn."""
    return {
        int(flow.records * (turn + within) / count): (kind, turn)
        for kind, count, within in ((Kind.POISON, flow.poison, 0.5), (Kind.UNREADABLE, flow.unreadable, 0.25))
        for turn in range(count)
    }


class _Making:
    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._versions: Counter[str] = Counter()
        self._families = max(1, flow.curves // CURVES_OF_A_FAMILY)
        self._places = flow.points + flow.points // 4
        """Instruments of a family: more than one of its curves has."""

    def special(self, kind: Kind, turn: int) -> FlowRecord:
        if kind is Kind.UNREADABLE:
            return FlowRecord(kind, b"%d" % turn, b"", "", ())
        name = f"POISON{turn % POISON_INSTRUMENTS}"
        return self._record(kind, name, 0, (self._next(name),))

    def single(self, number: int) -> FlowRecord:
        if self._flow.curves and number % 2:
            family, at = number // 2 % self._families, number // 2 // self._families % self._places
            return self._record(Kind.PRICES, f"C{family}", family, (self._next(_ric(family, at)),))
        instrument = (number // 2 if self._flow.curves else number) % self._flow.instruments
        return self._record(Kind.PRICES, f"R{instrument}", instrument, (self._next(f"R{instrument}"),))

    def curve(self, number: int) -> FlowRecord:
        family, turn = number % self._families, number // self._families
        first = turn // SAME_POINTS
        rics = [_ric(family, (first + at) % self._places) for at in range(self._flow.points)]
        quotes = [self._next(ric) for ric in rics[:-1]]
        quotes.append(Quote(rics[-1], None) if number % LACKING_EVERY == 0 else self._next(rics[-1]))
        return self._record(Kind.PRICES, f"C{family}", family, tuple(quotes), curve=True)

    def _next(self, ric: str) -> Quote:
        self._versions[ric] += 1
        return Quote(ric, self._versions[ric])

    def _record(
        self, kind: Kind, key: str, number: int, quotes: tuple[Quote, ...], *, curve: bool = False
    ) -> FlowRecord:
        points = [{"ric": ric} if version is None else {"ric": ric, "version": version} for ric, version in quotes]
        value = json.dumps({"type": "curve", "points": points} if curve else points[0], separators=(",", ":"))
        codec = self._flow.codecs[0 if kind is Kind.POISON else number % len(self._flow.codecs)]
        return FlowRecord(kind, key.encode(), value.encode(), codec, quotes)


def _ric(family: int, at: int) -> str:
    refused = at == 0 and family % REFUSED_EVERY == 0
    return f"{'NAK.DeniedBySrc.' if refused else ''}C{family}P{at}"
