"""The records of a run, and what the mappings must make of each."""

import json
from collections import Counter
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from tests.simulation.world.plan import Plan

from contribd.mapping.compile import compile_file
from contribd.mapping.mapper import Mapper
from contribd.mapping.rules import MappingFile

VERSIONED: Final = ("BID", "ASK", "MID_PRICE", "TRDPRC_1", "HIGH_1")
"""Fields that hold the record's own number, so that every value on the wire says which record it came from."""

LISTED: Final = {"update": frozenset(("BID", "ASK")), "refresh": frozenset(("BID", "MID_PRICE"))}
"""The fields that each kind of mapping lists under ``withdraw``."""

IGNORING: Final = "heartbeat"
"""The mapping whose records are not for posting."""

SERVICES: Final = ("TRCC", "ALT")
_PADDING: Final = 1_600


@dataclass(slots=True)
class Produced:
    """A record of the prices topic. ``version`` is its number over the whole run; ``rejected`` the code it must get."""

    version: int
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes
    ric: str | None
    service: str | None
    fields: frozenset[str]
    """The versioned fields it sets."""
    refresh: bool
    rejected: str | None
    ignored: bool
    """The mapping that takes it says that such records are not for posting."""
    padded: bool
    """Its post alone is too large for an ADS that takes the smaller message sizes."""
    wall: int
    """When it was produced, in microseconds; its timestamp may say otherwise."""


def _mapping(service: str, post: str) -> dict[str, Any]:
    fields: dict[str, Any] = {name: {"from": name, "missing": "skip"} for name in VERSIONED}
    fields |= {
        "CTBTR_1": {"from": "pad", "missing": "skip"},
        "NO_SUCH_FIELD": {"from": "error", "missing": "skip"},
        "DSPLY_NAME": {"from": "mute", "missing": "skip"},
    }
    return {
        "name": f"{service}-{post}",
        "when": f'service == "{service}" and post == "{post}"',
        "ric": "{ric}",
        "service": service,
        "post": post,
        "fields": fields,
        "withdraw": sorted(LISTED[post]),
        "checks": ["crossed == false"],
    }


def make_mapper() -> Mapper:
    """The mappings of every run."""
    posting = [_mapping(service, post) for service in SERVICES for post in ("update", "refresh")]
    file = {"mappings": [{"name": IGNORING, "when": 'post == "ignored"', "ignore": True}, *posting]}
    compiled = compile_file(MappingFile.model_validate(file), SERVICES[0])
    if compiled.problems:
        raise ValueError(compiled.problems)
    return Mapper(compiled.mappings)


class RecordFeed:
    """Makes records; each RIC has its partition, as a keyed topic has it, or comes through any of them."""

    def __init__(self, plan: Plan, rng: Random, counts: Counter[str]) -> None:
        self._plan = plan
        self._rng = rng
        self._counts = counts
        self._version = 0
        self._offsets = [rng.choice((0, 0, 7, 3_000_000_000)) for _ in range(plan.partitions)]

    @property
    def starts(self) -> list[int]:
        """The first offset of each partition."""
        return list(self._offsets)

    def next(self, wall: int) -> Produced:
        """The next record, at ``wall`` (microseconds)."""
        rng = self._rng
        self._version += 1
        number = rng.randrange(self._plan.rics)
        partition = number % self._plan.partitions if self._plan.keyed else self._any_partition(number)
        offset = self._offsets[partition]
        if self._happens("gap"):
            offset += rng.choice((1, 2, 30))
        self._offsets[partition] = offset + 1
        stamped = -1 if self._happens("no_timestamp") else wall // 1000
        if self._happens("future_timestamp"):
            stamped = rng.choice((stamped + 61_000, stamped + 3_600_000, wall, 2**63 - 1))
        made = Produced(
            self._version,
            partition,
            offset,
            stamped,
            None,
            b"",
            None,
            None,
            frozenset(),
            False,
            None,
            False,
            False,
            wall,
        )
        if self._happens("poison"):
            made.rejected = "BadRecord"
            made.value = rng.choice((b"", b"{", b"[1]", b"\xff\xfe", b'"x"', b"null"))
        else:
            self._fill(made, number)
        return made

    def _any_partition(self, number: int) -> int:
        partition = self._rng.randrange(self._plan.partitions)
        if partition != number % self._plan.partitions:
            self._counts["records beside their instrument's partition"] += 1
        return partition

    def _fill(self, made: Produced, number: int) -> None:
        rng = self._rng
        made.ric = f"R{number}=T"
        made.key = made.ric.encode()
        made.service = SERVICES[rng.randrange(self._plan.services)]
        made.refresh = self._happens("refresh")
        made.fields = frozenset(rng.sample(VERSIONED, rng.choice((1, 1, 2, 4))))
        record: dict[str, Any] = {name: made.version for name in VERSIONED if name in made.fields}
        record |= {"ric": made.ric, "service": made.service, "post": "refresh" if made.refresh else "update"}
        record["crossed"] = False
        self._spoil(made, record)
        made.value = json.dumps(record).encode()

    def _spoil(self, made: Produced, record: dict[str, Any]) -> None:
        if self._happens("ignored"):
            record["post"] = "ignored"
            made.ric, made.service, made.ignored = None, None, True
        elif self._happens("unmapped"):
            record["post"] = "nothing"
            made.ric, made.service, made.rejected = None, None, "NoMapping"
        elif self._happens("bad_value"):
            record["crossed"] = True
            made.rejected = "CheckFailed"
        if self._happens("ads_error"):
            record["error"] = 1
        if self._happens("ads_mute"):
            record["mute"] = 1
        if self._happens("too_large"):
            record["pad"] = "x" * _PADDING
            made.padded = True

    def _happens(self, what: str) -> bool:
        share = self._plan.shares.get(what, 0.0)
        if share and self._rng.random() < share:
            self._counts[what] += 1
            return True
        return False
