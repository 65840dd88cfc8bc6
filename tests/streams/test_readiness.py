"""The sentences that make the daemon not ready while a thread of Kafka's cannot go on."""

from contribd.streams.readiness import reasons_not_ready


def test_nothing_is_said_of_a_thread_that_is_connected_and_well() -> None:
    assert reasons_not_ready("consuming", None, connected=True) == []


def test_one_that_has_reached_no_broker_yet_waits_for_kafka() -> None:
    assert reasons_not_ready("consuming", None, connected=False) == ["consuming: waiting for Kafka"]


def test_a_failure_is_the_reason_connected_or_not() -> None:
    for connected in (True, False):
        assert reasons_not_ready("writing results", "no broker", connected=connected) == ["writing results: no broker"]
