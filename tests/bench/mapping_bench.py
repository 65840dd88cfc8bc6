"""CPU time per record and post of the mapper: ``python -m tests.bench.mapping_bench [records]``.

The mapping has six fields, one check and one ``when``, as a spot quote has.
"""

import sys
import time
import timeit
from collections.abc import Callable
from decimal import Decimal

import msgspec
from tests.bench.setting import CURVE_MAPPING, curve, price
from tests.bench.setting import MAPPING as SPOTS

from contribd.mapping.compile import compile_file
from contribd.mapping.encode import encode_fields
from contribd.mapping.mapper import Mapper
from contribd.mapping.outcome import Mapped
from contribd.mapping.rules import MappingFile

SPOT = SPOTS["mappings"][0]
MAPPING = {
    **SPOT,
    "fields": {**SPOT["fields"], "CURRENCY": {"from": "ccy", "lookup": {"USD": 840, "EUR": 978}, "default": 0}},
}
"""With a lookup, which the other benchmarks' mapping does not have."""

RECORD = (
    b'{"asset":"FX","tenor":"SP","pair":"EUR","bid":1.08412,"ask":1.08415,'
    b'"sizes":[{"bid":1000000}],"quoted_at":"2026-11-22T10:15:30.123Z","ccy":"USD"}'
)


POINTS = 40
"""Of a curve."""


def best(function: Callable[[], object], records: int) -> float:
    """CPU microseconds a call: the best of five rounds, the one least disturbed by others on the machine."""
    return min(timeit.repeat(function, timer=time.thread_time, number=records, repeat=5)) / records * 1e6


def curves(records: int) -> dict[str, float]:
    """CPU microseconds a post: of single records, and of the same posts made of one record by ``each``."""
    singles = [price(number, f"P{number:06d}") for number in range(POINTS)]
    alone, together = (mapper_of(mapping) for mapping in (SPOTS, CURVE_MAPPING))
    one = curve(0, POINTS)
    calls = max(1, records // POINTS)
    return {
        f"{POINTS} single records": best(lambda: [alone.map(each) for each in singles], calls) / POINTS,
        f"a curve of {POINTS}": best(lambda: together.map(one), calls) / POINTS,
    }


def mapper_of(document: object) -> Mapper:
    """The mapper of a mapping file's content."""
    return Mapper(compile_file(MappingFile.model_validate(document), "TRCC").mappings)


def main() -> None:
    """Print microseconds per record of decoding, mapping (decoding included) and encoding the fields."""
    records = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    mapper = mapper_of({"mappings": [MAPPING]})
    outcome = mapper.map(RECORD)
    if not isinstance(outcome, Mapped):
        raise SystemExit(f"the record of this benchmark was not mapped: {outcome}")
    decoder = msgspec.json.Decoder(float_hook=Decimal)
    lines = {
        "decode alone": best(lambda: decoder.decode(RECORD), records),
        "decode and map": best(lambda: mapper.map(RECORD), records),
        "rejected as bad": best(lambda: mapper.map(RECORD[:-1]), records),
        "encode fields": best(lambda: encode_fields(outcome.fields), records),
    }
    for what, microseconds in lines.items():
        print(f"{what:18} {microseconds:6.2f} µs a record")  # noqa: T201 - a script for people
    for what, microseconds in curves(records).items():
        print(f"{what:18} {microseconds:6.2f} µs a post")  # noqa: T201 - a script for people


if __name__ == "__main__":
    main()
