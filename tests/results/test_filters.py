"""Which results a filter lets through, and what is no filter."""

from datetime import UTC, datetime

import pytest
from tests.results.made_results import SOURCE, result_value

from contribd.engine.records.price import Status
from contribd.results.filters import FilterError, Filters, parse_source, parse_status, parse_time
from contribd.results.result import decode_result

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SETTLED = datetime(2026, 11, 22, 10, 15, 30, 226000, UTC)
NAK = decode_result(result_value(status="NAK", code="SymbolUnknown"))
NAMELESS = decode_result(result_value(status="REJECTED", code="BadRecord", ric=None))


@pytest.mark.parametrize(
    ("filters", "passes"),
    [
        (Filters(), True),
        (Filters(rics=("EUR=TRCC",)), True),
        (Filters(rics=("GBP=*", "EUR=*")), True),
        (Filters(rics=("EUR",)), False),
        (Filters(rics=("eur=*",)), False),
        (Filters(statuses=frozenset({Status.NAK, Status.ERROR})), True),
        (Filters(statuses=frozenset({Status.ACK})), False),
        (Filters(codes=frozenset({"symbolunknown"})), True),
        (Filters(codes=frozenset({"Symbol"})), False),
        (Filters(sources=frozenset({"prices:3:1812"})), True),
        (Filters(sources=frozenset({"prices:3:181"})), False),
        (Filters(mappings=frozenset({"fx-spot"})), True),
        (Filters(mappings=frozenset({"gold"})), False),
        (Filters(mappings=frozenset()), False),
        (Filters(posts=frozenset({17, 1})), True),
        (Filters(posts=frozenset({18})), False),
        (Filters(since=SETTLED, until=SETTLED), True),
        (Filters(since=SETTLED.replace(microsecond=226001)), False),
        (Filters(until=SETTLED.replace(microsecond=225999)), False),
        (Filters(rics=("EUR*",), statuses=frozenset({Status.ACK})), False),
    ],
)
def test_a_result_passes_if_it_meets_all_filters(filters: Filters, passes: bool) -> None:
    assert filters.predicate()(NAK) is passes


def test_the_source_of_a_record_finds_the_results_of_all_its_posts() -> None:
    passes = Filters(sources=frozenset({"prices:3:1812"})).predicate()
    parts = [decode_result(result_value(source={**SOURCE, "part": part, "parts": 40})) for part in range(40)]
    assert all(map(passes, parts))


def test_a_result_without_ric_matches_no_ric_filter() -> None:
    assert not Filters(rics=("*",)).predicate()(NAMELESS)


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("2026-11-22T10:15Z", datetime(2026, 11, 22, 10, 15, tzinfo=UTC)),
        ("2026-11-22T10:15", datetime(2026, 11, 22, 10, 15, tzinfo=UTC)),
        ("2026-11-22T10:15+02:00", datetime(2026, 11, 22, 8, 15, tzinfo=UTC)),
        ("2026-11-22", datetime(2026, 11, 22, tzinfo=UTC)),
        ("15m", datetime(2026, 11, 22, 11, 45, tzinfo=UTC)),
        ("1h30m", datetime(2026, 11, 22, 10, 30, tzinfo=UTC)),
        ("2d", datetime(2026, 11, 20, 12, 0, tzinfo=UTC)),
        ("1.5s", datetime(2026, 11, 22, 11, 59, 58, 500000, UTC)),
        ("250ms", datetime(2026, 11, 22, 11, 59, 59, 750000, UTC)),
    ],
)
def test_times_are_iso_8601_or_durations_ago(text: str, when: datetime) -> None:
    assert parse_time(text, NOW) == when


@pytest.mark.parametrize("text", ["", "15", "yesterday", "m", "15m ago", "999999999d", "2026-13-01", "٣m", "-5m"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(FilterError, match="expected ISO 8601"):
        parse_time(text, NOW)


def test_statuses_are_read_in_any_case_and_others_refused_with_the_list() -> None:
    assert parse_status("nak") is Status.NAK
    with pytest.raises(FilterError, match="expected one of ACK, NAK, ERROR"):
        parse_status("maybe")


def test_records_are_topic_partition_offset() -> None:
    assert parse_source("my.prices-1:03:0012") == "my.prices-1:3:12"
    for text in ("prices:3", "prices:a:1", "prices:1:2:3", "::", "prices:1:-1"):
        with pytest.raises(FilterError, match="expected topic:partition:offset"):
            parse_source(text)
