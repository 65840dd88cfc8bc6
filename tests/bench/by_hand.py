"""The mapper beside the same work written by hand: ``python -m tests.bench.by_hand [records]``.

Both take the decoded record of a spot quote and give its post, of ten fields, behind three checks. What is written by
hand is what a desk's own script would hold: no guard of any value, and an exception for whatever does not fit.
"""

import sys
import timeit
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal, setcontext
from typing import Any

from contribd.mapping.compile import compile_file
from contribd.mapping.dispatch import candidates
from contribd.mapping.mapper import Mapper
from contribd.mapping.numbers import CONTEXT
from contribd.mapping.outcome import Mapped, Outcome, PostType
from contribd.mapping.rules import MappingFile

MAPPING: dict[str, Any] = {
    "name": "fx-spot",
    "when": 'asset == "FX" and tenor == "SP"',
    "ric": "{pair}=TRCC",
    "fields": {
        "BID": "bid",
        "ASK": {"from": "ask", "round": 5},
        "MID_PRICE": {"from": "(bid + ask) / 2", "round": 5},
        "SPREAD": {"from": "(ask - bid) * 10000", "round": 1},
        "BIDSIZE": "sizes[0].bid",
        "ASKSIZE": {"from": "sizes[0].ask", "missing": "skip"},
        "QUOTIM": {"from": "quoted_at", "as": "time"},
        "CURRENCY": {"from": "ccy", "lookup": {"USD": 840, "EUR": 978}, "default": 0},
        "DSPLY_NAME": 'base + "/" + quote',
        "CTBTR_1": {"value": "ACME"},
    },
    "checks": ["bid <= ask", "bid > 0", {"that": "ask - bid < bid / 100", "text": "wide"}],
}
RECORD: dict[str, Any] = {
    "asset": "FX",
    "tenor": "SP",
    "pair": "EUR",
    "base": "EUR",
    "quote": "USD",
    "ccy": "USD",
    "bid": Decimal("1.08412"),
    "ask": Decimal("1.08415"),
    "sizes": [{"bid": 1_000_000, "ask": 2_000_000}],
    "quoted_at": "2026-11-22T10:15:30.123456Z",
}

_CURRENCIES = {"USD": 840, "EUR": 978}
_FIVE, _ONE = Decimal("0.00001"), Decimal("0.1")


def by_hand(record: dict[str, Any]) -> Mapped | str:
    """The post of ``record``, or why there is none."""
    if record["asset"] != "FX" or record["tenor"] != "SP":
        return "no mapping"
    bid, ask = record["bid"], record["ask"]
    size = record["sizes"][0]
    fields = {
        "BID": bid,
        "ASK": ask.quantize(_FIVE),
        "MID_PRICE": ((bid + ask) / 2).quantize(_FIVE),
        "SPREAD": ((ask - bid) * 10000).quantize(_ONE),
        "BIDSIZE": size["bid"],
    }
    if "ask" in size:
        fields["ASKSIZE"] = size["ask"]
    fields["QUOTIM"] = datetime.fromisoformat(record["quoted_at"]).astimezone(UTC).time().isoformat()
    fields["CURRENCY"] = _CURRENCIES.get(record["ccy"], 0)
    fields["DSPLY_NAME"] = record["base"] + "/" + record["quote"]
    fields["CTBTR_1"] = "ACME"
    if not bid <= ask:
        return f"bid <= ask is false ({bid}, {ask})"
    if not bid > 0:
        return f"bid > 0 is false ({bid})"
    if not ask - bid < bid / 100:
        return f"wide: {ask - bid}"
    return Mapped(record["pair"] + "=TRCC", "TRCC", "fx-spot", PostType.UPDATE, fields)


def measure(records: int = 500, rounds: int = 200) -> dict[str, float]:
    """Microseconds a record of both, and how many times as much the mapper takes.

    Each is the lowest of many short rounds, taken in turn: the one least disturbed by others on the machine.
    """
    mapper = Mapper(compile_file(MappingFile.model_validate({"mappings": [MAPPING]}), "TRCC").mappings)
    setcontext(CONTEXT.copy())

    def mapped() -> Outcome:
        return mapper._first(candidates(mapper._dispatch, RECORD), RECORD)

    ours, theirs = mapped(), by_hand(RECORD)
    assert isinstance(ours, Mapped), ours
    assert isinstance(theirs, Mapped), theirs
    assert (ours.ric, ours.fields) == (theirs.ric, theirs.fields)
    took = {"mapper": float("inf"), "by_hand": float("inf")}
    ways: dict[str, Callable[[], object]] = {"mapper": mapped, "by_hand": lambda: by_hand(RECORD)}
    for _ in range(rounds):
        for name, way in ways.items():
            took[name] = min(took[name], timeit.timeit(way, number=records) / records * 1e6)
    return {
        "mapper_microseconds": round(took["mapper"], 2),
        "by_hand_microseconds": round(took["by_hand"], 2),
        "ratio": round(took["mapper"] / took["by_hand"], 2),
    }


if __name__ == "__main__":
    print(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 500))  # noqa: T201 - a script for people
