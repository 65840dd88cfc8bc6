"""What a run feeds: records of the prices topic, and the parts that each mapping must make of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

PartKey: TypeAlias = tuple[int, str | None, str | None, int]
"""What a part is known by: its record's version, its service and RIC; of one without a RIC also its place, else -1."""

ANYWHERE = -1
"""The place of a part that has a RIC: it does not matter."""


@dataclass(slots=True, eq=False)
class Produced:
    """A record of the prices topic. ``version`` is its number over the whole run."""

    version: int
    partition: int
    offset: int
    timestamp: int
    wall: int
    """When it was produced, in microseconds; its timestamp may say otherwise."""
    key: bytes | None = None
    value: bytes = b""
    _made: "tuple[Mapping[PartKey, Part], ...]" = ()

    def makes(self, *parts_by_mapping: "list[Part]") -> None:
        """What each mapping makes of it; only one list where all make the same."""
        self._made = tuple({part.key: part for part in parts} for parts in parts_by_mapping)

    def made(self, mapping: int) -> "Mapping[PartKey, Part]":
        """The parts that a mapping makes of it, in order."""
        return self._made[mapping] if len(self._made) > 1 else self._made[0]

    def number_of(self, part: "Part", mapping: int) -> tuple[int, int] | None:
        """Which of how many parts it is; None where the mapping makes only one of the record."""
        made = self.made(mapping)
        return (list(made).index(part.key), len(made)) if len(made) > 1 else None

    @property
    def most_parts(self) -> int:
        """How many the mapping makes of it that makes the most."""
        return max(map(len, self._made))

    @property
    def all_parts(self) -> "list[Part]":
        """Those that any mapping makes of it."""
        return list(dict.fromkeys(part for made in self._made for part in made.values()))

    def __str__(self) -> str:
        parts = ", ".join(f"{part.service} {part.ric}" for part in self.made(0).values())
        return f"record {self.version} at prices:{self.partition}:{self.offset} ({parts})"


@dataclass(slots=True, eq=False)
class Part:
    """One RIC and service of a record, as a mapping makes it; ``rejected``: the code it must get."""

    record: Produced
    service: str | None = None
    ric: str | None = None
    place: int = ANYWHERE
    mapping: str = ""
    """The name of the mapping that makes a post of it."""
    fields: frozenset[str] = frozenset()
    """The versioned fields it sets."""
    listed: frozenset[str] = frozenset()
    """The fields that its mapping lists under ``withdraw``."""
    refresh: bool = False
    rejected: str | None = None
    ignored: bool = False
    """The mapping that takes the record says that such records are not for posting."""
    padded: bool = False
    """Its post alone is too large for an ADS that takes the smaller message sizes."""
    key: PartKey = field(init=False)
    version: int = field(init=False)
    partition: int = field(init=False)
    offset: int = field(init=False)
    timestamp: int = field(init=False)
    wall: int = field(init=False)

    def __post_init__(self) -> None:
        record = self.record
        self.key = (record.version, self.service, self.ric, self.place)
        self.version, self.partition, self.offset = record.version, record.partition, record.offset
        self.timestamp, self.wall = record.timestamp, record.wall

    @property
    def posted(self) -> bool:
        """Whether there is to be a post of it."""
        return self.rejected is None and not self.ignored

    def __str__(self) -> str:
        return f"{self.service} {self.ric} of {self.record}"
