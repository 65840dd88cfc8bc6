"""The records of a run, and what the mappings must make of each."""

import json
from collections import Counter
from random import Random
from typing import Any

from tests.simulation.world.environment.curve_feed import PADDING, CurveFeed
from tests.simulation.world.environment.fed_records import Part, Produced
from tests.simulation.world.environment.sim_mappings import LISTED, SERVICES, VERSIONED, mapping_name
from tests.simulation.world.plan import Plan


class RecordFeed:
    """Makes records; each RIC has its partition, as a keyed topic has it, or comes through any of them."""

    def __init__(self, plan: Plan, rng: Random, counts: Counter[str]) -> None:
        self._plan = plan
        self._rng = rng
        self._counts = counts
        self._version = 0
        self._curves = None if plan.curves is None else CurveFeed(plan, plan.curves, rng, counts)
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
        made = Produced(self._version, partition, offset, stamped, wall)
        if self._happens("poison"):
            made.makes([Part(made, rejected="BadRecord")])
            made.value = rng.choice((b"", b"{", b"[1]", b"\xff\xfe", b'"x"', b"null"))
        elif self._curves is not None and self._curves.due:
            self._fill_curve(made, self._curves)
        else:
            self._fill(made, number)
        return made

    def _any_partition(self, number: int) -> int:
        partition = self._rng.randrange(self._plan.partitions)
        if partition != number % self._plan.partitions:
            self._counts["records beside their instrument's partition"] += 1
        return partition

    def _fill_curve(self, made: Produced, curves: CurveFeed) -> None:
        record = curves.fill(made, self._happens)
        self._pass_by(made, record)
        made.value = json.dumps(record).encode()

    def _fill(self, made: Produced, number: int) -> None:
        rng = self._rng
        ric = f"R{number}=T"
        made.key = ric.encode()
        service = SERVICES[rng.randrange(self._plan.services)]
        refresh = self._happens("refresh")
        fields = frozenset(rng.sample(VERSIONED, rng.choice((1, 1, 2, 4))))
        record: dict[str, Any] = {name: made.version for name in VERSIONED if name in fields}
        post = "refresh" if refresh else "update"
        record |= {"ric": ric, "service": service, "post": post}
        record["crossed"] = False
        name = mapping_name(service, post)
        part = Part(made, service, ric, mapping=name, fields=fields, listed=LISTED[post], refresh=refresh)
        made.makes([part])
        if not self._pass_by(made, record) and self._happens("bad_value"):
            record["crossed"] = True
            part.rejected = "CheckFailed"
        if self._happens("ads_error"):
            record["error"] = 1
        if self._happens("ads_mute"):
            record["mute"] = 1
        if self._happens("too_large"):
            record["pad"] = "x" * PADDING
            part.padded = True
        made.value = json.dumps(record).encode()

    def _pass_by(self, made: Produced, record: dict[str, Any]) -> bool:
        """Whether no mapping posts anything of it."""
        if self._happens("ignored"):
            record["post"] = "ignored"
            made.makes([Part(made, ignored=True)])
        elif self._happens("unmapped"):
            record["post"] = "nothing"
            made.makes([Part(made, rejected="NoMapping")])
        else:
            return False
        return True

    def _happens(self, what: str) -> bool:
        share = self._plan.shares.get(what, 0.0)
        if share and self._rng.random() < share:
            self._counts[what] += 1
            return True
        return False
