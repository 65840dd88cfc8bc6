"""The hot path stays as short as it is: counted in bytecodes, which do not depend on how busy the machine is.

A record's way through the engine, from its bytes to its encoded result, on the code that the benchmarks time.
"""

import sys
from types import FrameType
from typing import Any

import pytest
from tests.bench.pipeline import Pipeline
from tests.bench.setting import MAPPING, price

RECORDS = 200
LIMIT = 3_100
"""Bytecodes a record; 2,830 were counted on Python 3.11 when this was written. Other versions count a little apart."""

FLAT = 1.10
"""How much more a record may take where there is much more of everything."""


def bytecodes_a_record(pipeline: Pipeline, values: list[bytes]) -> float:
    """Bytecodes run in contribd's own code for each of these records."""
    count = 0

    def trace(frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal count
        if event == "call":
            name = frame.f_code.co_filename
            if "contribd" not in name and name != "<mapping>":
                return None
            frame.f_trace_opcodes = True
            frame.f_trace_lines = False
        elif event == "opcode":
            count += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        pipeline.run(values, batch=100)
    finally:
        sys.settrace(before)
    assert pipeline.results == len(values)
    return count / len(values)


def values(first: int = 0, instruments: int = 1_000_000) -> list[bytes]:
    return [price(number, f"P{number % instruments:06d}") for number in range(first, first + RECORDS)]


@pytest.fixture(scope="module")
def usual() -> float:
    return bytecodes_a_record(Pipeline(), values())


def test_a_record_takes_no_more_bytecodes_than_it_did(usual: float) -> None:
    assert usual < LIMIT


def test_a_record_of_five_hundred_mappings_takes_as_much_as_of_one(usual: float) -> None:
    spot = MAPPING["mappings"][0]
    others = [{**spot, "name": f"other-{n}", "when": f'asset == "A{n}" and tenor == "SP"'} for n in range(499)]
    assert bytecodes_a_record(Pipeline(document={"mappings": [*others, spot]}), values()) < usual * FLAT


def test_a_record_takes_as_much_after_thousands_of_instruments(usual: float) -> None:
    pipeline = Pipeline()
    pipeline.run([price(number, f"Q{number:06d}") for number in range(5_000)])
    before = pipeline.results
    pipeline.results = 0
    assert before == 5_000
    assert bytecodes_a_record(pipeline, values()) < usual * FLAT


def test_a_record_takes_as_much_in_a_window_of_a_hundred_thousand_posts(usual: float) -> None:
    assert bytecodes_a_record(Pipeline(outstanding=100_000), values()) < usual * FLAT


def test_a_record_takes_as_much_where_hundreds_are_outstanding(usual: float) -> None:
    """Hundreds of posts stay unanswered while others come and go."""
    pipeline = Pipeline(outstanding=1_000)
    pipeline.leave_unanswered([price(number, f"U{number:06d}") for number in range(800)])
    assert bytecodes_a_record(pipeline, values()) < usual * FLAT
