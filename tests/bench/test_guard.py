"""The hot path stays as short as it is: counted in bytecodes, which do not depend on how busy the machine is.

A record's way through the engine, from its bytes to its encoded result, on the code that the benchmarks time.
"""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from tests.bench.pipeline import Pipeline
from tests.bench.setting import CURVE_MAPPING, MAPPING, curve, price

from contribd.engine.records.result_encoder import Encoded
from contribd.ops.last_results import LastResults

RECORDS = 200
LIMIT = 3_100
"""Bytecodes a record; 2,840 were counted on Python 3.11 when this was written. Other versions count a little apart."""

FLAT = 1.10
"""How much more a record may take where there is much more of everything."""


def bytecodes_a_post(pipeline: Pipeline, values: list[bytes], posts: int = 1) -> float:
    """Bytecodes run in contribd's own code for each post of these records, which make so many each."""
    count = bytecodes(lambda: pipeline.run(values, batch=max(1, 100 // posts), posts=posts))
    assert pipeline.results == len(values) * posts
    return count / pipeline.results


def bytecodes(run: Callable[[], object]) -> int:
    """Bytecodes run in contribd's own code."""
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
        run()
    finally:
        sys.settrace(before)
    return count


def values(first: int = 0, instruments: int = 1_000_000) -> list[bytes]:
    return [price(number, f"P{number % instruments:06d}") for number in range(first, first + RECORDS)]


@pytest.fixture(scope="module")
def usual() -> float:
    return bytecodes_a_post(Pipeline(), values())


def test_a_record_takes_no_more_bytecodes_than_it_did(usual: float) -> None:
    assert usual < LIMIT


def test_a_record_of_five_hundred_mappings_takes_as_much_as_of_one(usual: float) -> None:
    spot = MAPPING["mappings"][0]
    others = [{**spot, "name": f"other-{n}", "when": f'asset == "A{n}" and tenor == "SP"'} for n in range(499)]
    assert bytecodes_a_post(Pipeline(document={"mappings": [*others, spot]}), values()) < usual * FLAT


def test_a_record_takes_as_much_after_thousands_of_instruments(usual: float) -> None:
    pipeline = Pipeline()
    pipeline.run([price(number, f"Q{number:06d}") for number in range(5_000)])
    before = pipeline.results
    pipeline.results = 0
    assert before == 5_000
    assert bytecodes_a_post(pipeline, values()) < usual * FLAT


def test_a_record_takes_as_much_in_a_window_of_a_hundred_thousand_posts(usual: float) -> None:
    assert bytecodes_a_post(Pipeline(outstanding=100_000), values()) < usual * FLAT


def test_a_record_takes_as_much_where_hundreds_are_outstanding(usual: float) -> None:
    """Hundreds of posts stay unanswered while others come and go."""
    pipeline = Pipeline(outstanding=1_000)
    pipeline.leave_unanswered([price(number, f"U{number:06d}") for number in range(800)])
    assert bytecodes_a_post(pipeline, values()) < usual * FLAT


def test_what_is_kept_of_each_ric_takes_next_to_nothing() -> None:
    """44 were counted: a sixtieth of what a record takes."""
    headers = [("status", b"ACK"), ("ric", b"EUR="), ("service", b"TRCC"), ("source", b"prices:0:1")]
    results = [Encoded(b"EUR=", b"{}", headers)] * RECORDS
    last = LastResults()
    assert bytecodes(lambda: last.add(results, 1)) / RECORDS < 50


@pytest.mark.parametrize(("points", "share"), [(2, 1.2), (20, 1.0), (40, 1.0)])
def test_a_post_of_a_curve_takes_no_more_than_that_of_a_single_quote(usual: float, points: int, share: float) -> None:
    """What a record takes beside its posts weighs more where there are two: 1.19 was counted."""
    curves = [curve(first, points) for first in range(0, RECORDS, points)]
    assert bytecodes_a_post(Pipeline(document=CURVE_MAPPING), curves, points) < usual * share
