"""The pricing engine: real reference rates, moved through the day by a seeded random walk."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple

import msgspec

from contribd.simulation.demo.rates import Pair, Reference

SOURCE: Final = "ECB reference rates, moved by contribd's price engine"
TICKS_A_DAY: Final = 20_000
"""Of one pair: what a day's volatility is spread over."""
_PULL = 1e-4  # of the distance back to the reference rate, each tick: a walk without it drifts off in a long run
_MILLION = 1_000_000

POISON: Final[tuple[bytes | None, ...]] = (
    b'{"asset":"FX","tenor":"SP","pair":"EURUSD","bid":1.08',
    b"",
    b"[1.0841, 1.0842]",
    b"EURUSD 1.0841 1.0842",
    b'"EURUSD"',
    b'{"asset":"FX","tenor":"SP","pair":"EURUSD","bid":NaN,"ask":NaN}',
    None,
)
"""Record values that are no JSON object, one for each way it happens; ``None`` is a tombstone."""


class PriceRecord(NamedTuple):
    """A record for the prices topic; ``kind`` is price, poison or unmapped."""

    key: bytes | None
    value: bytes | None
    kind: str


@dataclass(slots=True)
class _Walk:
    pair: Pair
    reference: float
    step: float  # standard deviation of one tick's log return
    mid: float
    key: bytes


class PricingEngine:
    """Yields records, each pair as often as any other. The same seed, shares and times give the same records.

    ``poison`` and ``unmapped`` are shares from 0 to 1 of all records: those that are no JSON object, and those of an
    asset (``XX``) no mapping is for.
    """

    def __init__(
        self, references: Sequence[Reference], *, seed: int = 1, poison: float = 0.0, unmapped: float = 0.0
    ) -> None:
        self._random = random.Random(seed)
        self._poison = poison
        self._unmapped = poison + unmapped
        self._poisoned = 0
        self._walks = [
            _Walk(each.pair, each.mid, each.volatility / math.sqrt(TICKS_A_DAY), each.mid, each.pair.name.encode())
            for each in references
        ]

    def next(self, now: datetime) -> PriceRecord:
        """The next record, quoted at ``now``."""
        walk = self._random.choice(self._walks)
        lot = self._random.random()
        if lot < self._poison:
            return self.poison(walk.key)
        if lot < self._unmapped:
            return self.unmapped(now)
        return self._quote(walk, now)

    def poison(self, key: bytes = b"EURUSD") -> PriceRecord:
        """The next of the `POISON` values."""
        value = POISON[self._poisoned % len(POISON)]
        self._poisoned += 1
        return PriceRecord(key, value, "poison")

    def unmapped(self, now: datetime) -> PriceRecord:
        """A record no mapping is for."""
        value = {"asset": "XX", "tenor": "SP", "pair": "XXXYYY", "quoted_at": _iso(now), "source": SOURCE}
        return PriceRecord(b"XXXYYY", msgspec.json.encode(value), "unmapped")

    def _quote(self, walk: _Walk, now: datetime) -> PriceRecord:
        chance, pair = self._random, walk.pair
        pull = _PULL * math.log(walk.reference / walk.mid)
        walk.mid *= math.exp(chance.gauss(pull, walk.step))
        unit = 10.0**-pair.decimals
        half = pair.spread * unit * chance.uniform(0.4, 0.8)
        bid = round(walk.mid - half, pair.decimals)
        ask = round(max(walk.mid + half, bid + unit), pair.decimals)
        sizes = [{"bid": chance.randint(1, 20) * _MILLION, "ask": chance.randint(1, 20) * _MILLION}]
        record = {
            "asset": "FX",
            "tenor": "SP",
            "pair": pair.name,
            "base": pair.base,
            "quote": pair.quote,
            "bid": bid,
            "ask": ask,
            "sizes": sizes,
            "quoted_at": _iso(now),
            "source": SOURCE,
        }
        return PriceRecord(walk.key, msgspec.json.encode(record), "price")


def _iso(now: datetime) -> str:
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
