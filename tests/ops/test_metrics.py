"""The metrics an operator's dashboards and alerts are built on, name by name."""

import re
from dataclasses import replace
from pathlib import Path

from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from tests.ops.samples import ADS1, ADS2, snapshot

from contribd.ops.metrics import build_registry
from contribd.ops.snapshot import PauseView

DOCS = Path(__file__).parents[2] / "docs"
CONTRACT = {
    "contribd_ready": set(),
    "contribd_verdict": {"state"},
    "contribd_results_total": {"status", "code"},
    "contribd_posts_total": {"type", "answer"},
    "contribd_ack_seconds_bucket": {"le"},
    "contribd_ack_seconds_sum": set(),
    "contribd_ack_seconds_count": set(),
    "contribd_delivery_seconds_bucket": {"le"},
    "contribd_delivery_seconds_sum": set(),
    "contribd_delivery_seconds_count": set(),
    "contribd_posts_outstanding": set(),
    "contribd_isolated_instruments": {"state"},
    "contribd_silent_rics": set(),
    "contribd_live_quotes": set(),
    "contribd_pauses": set(),
    "contribd_paused_since_timestamp_seconds": set(),
    "contribd_withdrawals_total": {"reason", "status"},
    "contribd_republished_total": {"status"},
    "contribd_records_waiting": set(),
    "contribd_consumer_lag_records": {"topic", "partition"},
    "contribd_session_up": {"endpoint"},
    "contribd_service_up": {"service"},
    "contribd_reconnects_total": {"reason"},
    "contribd_unmatched_answers_total": set(),
    "contribd_future_timestamps_total": set(),
    "contribd_last_ack_timestamp_seconds": set(),
    "contribd_config_last_reload_successful": set(),
    "contribd_clock_synchronized": set(),
    "contribd_clock_offset_seconds": set(),
    "contribd_config_last_reload_success_timestamp_seconds": set(),
    "contribd_build_info": {"version", "python", "config"},
}


def value(name: str, **labels: str) -> float | None:
    return build_registry(snapshot).get_sample_value(name, labels)


def test_exactly_the_promised_metrics_and_labels_are_served() -> None:
    text = generate_latest(build_registry(snapshot)).decode()
    served = {
        sample.name: set(sample.labels)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name.startswith("contribd_")
    }
    assert served == CONTRACT


def test_one_state_of_the_verdict_is_in_force() -> None:
    states = ("contributing", "degraded", "paused", "not_contributing", "stopping")
    assert [value("contribd_verdict", state=state) for state in states] == [0, 1, 0, 0, 0]


def test_it_is_ready_where_the_probe_says_so() -> None:
    assert value("contribd_ready") == 1
    for unready, stalled in ((("service TRCC is down",), ()), ((), ("sink",))):
        registry = build_registry(lambda reasons=unready: snapshot(not_ready=reasons), lambda names=stalled: names)  # type: ignore[misc]
        assert registry.get_sample_value("contribd_ready") == 0


def test_pauses_are_counted_and_the_oldest_is_told() -> None:
    assert (value("contribd_pauses"), value("contribd_paused_since_timestamp_seconds")) == (0, 0)
    pauses = tuple(
        PauseView(f"ric:{n}", f"RICs {n}", "feed broken", "eve (uid 7)", 1_700_000_070.0 + n) for n in (0, 1)
    )
    registry = build_registry(lambda: replace(snapshot(), pauses=pauses))
    assert registry.get_sample_value("contribd_pauses") == 2
    assert registry.get_sample_value("contribd_paused_since_timestamp_seconds") == 1_700_000_070


def test_counts_are_those_of_the_snapshot() -> None:
    assert value("contribd_results_total", status="ACK", code="") == 90
    assert value("contribd_results_total", status="NAK", code="SymbolUnknown") == 3
    assert value("contribd_posts_total", type="Update", answer="NAK") == 3
    assert value("contribd_unmatched_answers_total") == 4
    assert value("contribd_future_timestamps_total") == 6
    assert value("contribd_posts_outstanding") == 7
    assert value("contribd_isolated_instruments", state="offender") == 1
    assert value("contribd_isolated_instruments", state="silent") == 0
    assert value("contribd_silent_rics") == 1
    assert value("contribd_live_quotes") == 6
    assert value("contribd_withdrawals_total", reason="silent", status="ACK") == 5
    assert value("contribd_republished_total", status="ACK") == 7
    assert value("contribd_records_waiting") == 12
    assert value("contribd_last_ack_timestamp_seconds") == 1_700_000_099.25
    assert value("contribd_config_last_reload_successful") == 1


def test_reconnects_are_summed_over_endpoints_by_reason() -> None:
    assert value("contribd_reconnects_total", reason="timeout") == 3
    assert value("contribd_reconnects_total", reason="login refused") == 1


def test_every_endpoint_has_its_series_and_one_is_up_at_most() -> None:
    assert value("contribd_session_up", endpoint=ADS1) == 0
    assert value("contribd_session_up", endpoint=ADS2) == 1
    assert value("contribd_service_up", service="TRCC") == 1
    assert value("contribd_service_up", service="OTHER") == 0


def test_a_lag_that_is_not_known_is_left_out() -> None:
    assert value("contribd_consumer_lag_records", topic="prices", partition="0") == 40
    assert value("contribd_consumer_lag_records", topic="prices", partition="1") is None


def test_histogram_buckets_cumulate() -> None:
    assert value("contribd_ack_seconds_bucket", le="0.001") == 5
    assert value("contribd_ack_seconds_bucket", le="1.0") == 92
    assert value("contribd_ack_seconds_bucket", le="+Inf") == 93
    assert value("contribd_ack_seconds_count") == 93
    assert value("contribd_ack_seconds_sum") == 3.25


def test_process_metrics_come_with_them() -> None:
    assert value("process_resident_memory_bytes")


def test_the_documentation_lists_every_metric_with_its_labels() -> None:
    rows = [
        row.split("|") for row in (DOCS / "operations.md").read_text().splitlines() if row.startswith("| `contribd_")
    ]
    documented = {row[1].strip(" `"): set(row[3].replace("`", "").replace(" ", "").split(",")) - {""} for row in rows}
    served = {re.sub("_(bucket|sum|count)$", "", name): labels - {"le"} for name, labels in CONTRACT.items()}
    assert documented == served
    exported = generate_latest(build_registry(snapshot)).decode()
    types = dict(re.findall(r"^# TYPE (contribd_\w+) (\w+)$", exported, re.MULTILINE))
    assert {row[1].strip(" `"): row[2].strip() for row in rows} == types
