"""Percentiles are values that occurred; counts are by status and code."""

import pytest
from tests.results.made_results import POST, SOURCE, result_value

from contribd.results.result import decode_result
from contribd.results.summary import Summary, latencies


def test_percentiles_are_by_nearest_rank() -> None:
    found = latencies([float(number) for number in range(1000, 0, -1)])
    assert found == {"count": 1000, "p50": 500.0, "p90": 900.0, "p99": 990.0, "p99.9": 999.0, "max": 1000.0}
    assert latencies([7.0]) == {"count": 1, "p50": 7.0, "p90": 7.0, "p99": 7.0, "p99.9": 7.0, "max": 7.0}
    assert latencies([]) == {"count": 0, "p50": None, "p90": None, "p99": None, "p99.9": None, "max": None}


def test_results_are_counted_by_status_and_code_the_most_frequent_first() -> None:
    summary = Summary()
    summary.add(decode_result(result_value(status="REJECTED", code="BadRecord", posts=[])))
    for _ in range(2):
        summary.add(decode_result(result_value(posts=[POST, POST])))
    document = summary.document()
    assert document["counts"] == [
        {"status": "ACK", "code": "", "count": 2},
        {"status": "REJECTED", "code": "BadRecord", "count": 1},
    ]
    assert document["posts"] == 4
    assert document["ack_seconds"]["p50"] == pytest.approx(0.025)
    assert document["delivery_seconds"]["count"] == 2


def test_withdrawals_are_counted_apart_from_records() -> None:
    summary = Summary()
    summary.add(decode_result(result_value()))
    place = {"reason": "silent", "topic": "prices", "partition": 3}
    summary.add(decode_result(result_value(source=None, withdrawal=place)))
    document = summary.document()
    assert document["results"] == 1
    assert document["withdrawals"] == [{"reason": "silent", "status": "ACK", "count": 1}]


def test_results_of_records_with_several_posts_are_counted() -> None:
    summary = Summary()
    summary.add(decode_result(result_value()))
    for part in range(3):
        summary.add(decode_result(result_value(source={**SOURCE, "part": part, "parts": 3})))
    document = summary.document()
    assert (document["results"], document["parts"]) == (4, 3)
