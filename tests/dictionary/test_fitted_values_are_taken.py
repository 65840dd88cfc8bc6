"""Whatever a typed field posts, the vendor's converter (as measured, in the simulated ADS) takes."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from contribd.dictionary.pair import parse_pair
from contribd.mapping.compile import compile_file
from contribd.mapping.encode import encode_fields
from contribd.mapping.mapper import Mapper
from contribd.mapping.outcome import Mapped
from contribd.mapping.rules import MappingFile
from contribd.simulation.ads.field_values import FIELDS, Verdict, judge

PROVIDER = Path(__file__).parents[1] / "integration" / "provider"
DICTIONARY = parse_pair(
    (PROVIDER / "RDMFieldDictionary").read_bytes(), (PROVIDER / "enumtype.def").read_bytes()
).dictionary
MAPPERS = {
    name: Mapper(
        compile_file(
            MappingFile.model_validate({"mappings": [{"name": "one", "ric": "A=", "fields": {name: "x"}}]}),
            "TRCC",
            types=DICTIONARY,
        ).mappings
    )
    for name in sorted(DICTIONARY.fields)
}
DECODE = msgspec.json.Decoder(float_hook=Decimal).decode

TIMES = (
    st.datetimes().map(str) | st.times().map(str) | st.dates().map(str) | st.sampled_from(["25:99", "24:00", "noon"])
)
VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.integers(0, 1000)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(["USD", "USD ", "usd", "840", "INT", "NaN", "Inf", "1.5", "", " "])
    | TIMES
    | st.lists(st.integers(), max_size=1)
)


@settings(max_examples=1000)
@given(st.sampled_from(sorted(MAPPERS)), VALUES)
@example("ACVOL_1", 4e-14)
@example("PRCTCK_1", "²")
@example("PRCTCK_1", "9" * 5000)
def test_what_is_posted_is_taken(name: str, value: Any) -> None:
    outcome = MAPPERS[name].map(json.dumps({"x": value}).encode())
    if isinstance(outcome, Mapped):
        posted = DECODE(encode_fields(outcome.fields))[name]
        assert judge(name, posted, FIELDS) is Verdict.FINE
        assert value in (None, "") or posted not in (None, "")  # no other value blanks a field
