"""What a field dictionary costs: ``python -m tests.bench.dictionary_bench [FIELDS ENUMS]``.

The time to read a full-size pair (one made up, or the files named), and the time per record of the mapper with it and
without.
"""

import sys
import time
from pathlib import Path

from tests.bench.mapping_bench import MAPPING, RECORD, best
from tests.dictionary.dictionary_samples import full_size, sample

from contribd.dictionary.pair import parse_pair
from contribd.mapping.compile import compile_file
from contribd.mapping.fieldtypes import NO_DICTIONARY, FieldTypes
from contribd.mapping.mapper import Mapper
from contribd.mapping.rules import MappingFile

RECORDS = 50_000


def reading(fields: bytes, enums: bytes) -> dict[str, float]:
    """Milliseconds to parse, and to fingerprint: the best of five."""
    found: dict[str, list[float]] = {"parse": [], "digest": []}
    for _ in range(5):
        begun = time.perf_counter()
        pair = parse_pair(fields, enums)
        parsed = time.perf_counter()
        pair.dictionary.digest()
        found["parse"].append(parsed - begun)
        found["digest"].append(time.perf_counter() - parsed)
    return {name: min(seconds) * 1000 for name, seconds in found.items()}


def microseconds(types: FieldTypes) -> float:
    """A record of the mapper."""
    compiled = compile_file(MappingFile.model_validate({"mappings": [MAPPING]}), "TRCC", types=types)
    if compiled.problems:
        raise SystemExit(compiled.problems)
    mapper = Mapper(compiled.mappings)
    return best(lambda: mapper.map(RECORD), RECORDS)


def main() -> None:
    """Print what it costs."""
    given = [Path(name).read_bytes() for name in sys.argv[1:3]]
    fields, enums = given if len(given) == 2 else full_size()
    lines = {f"{name}, ms": value for name, value in reading(fields, enums).items()}
    lines["a record without, µs"] = microseconds(NO_DICTIONARY)
    lines["a record with, µs"] = microseconds(sample())
    for what, value in lines.items():
        print(f"{what:22} {value:7.2f}")  # noqa: T201 - a script for people


if __name__ == "__main__":
    main()
