"""What the audit needs beside results is written, whatever fails, and nothing else fails by it."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from kafka.errors import KafkaTimeoutError, MessageSizeTooLargeError, TopicAuthorizationFailedError

from contribd.streams import audit_topics
from contribd.streams.audit_topics import AuditTopics
from contribd.streams.client.settings import KafkaSettings
from contribd.streams.runtime import THREADS

SETTINGS = KafkaSettings(("k1:9092",), "g", ("prices",), "results", None, "latest", "one", {})


class Writer:
    """Takes records, or fails as it is told."""

    def __init__(self, failures: dict[str, list[Exception]]) -> None:
        self.failures, self.written = failures, list[tuple[str, bytes]]()

    def write(self, topic: str, key: bytes, value: bytes) -> None:
        assert key
        if waiting := self.failures.get(topic):
            raise waiting[0] if len(waiting) == 1 else waiting.pop(0)
        self.written.append((topic, value))

    def close(self) -> None:
        raise RuntimeError("closing fails, too")


def run(writer: Writer, until: Callable[[], bool], opened: Callable[[], Any] | None = None) -> None:
    """Keeps three records and runs the thread until this is so."""
    topics = AuditTopics(SETTINGS, opened or (lambda: writer), runtime=THREADS)
    for topic, value in (("rules", b"1"), ("events", b"2"), ("events", b"3")):
        topics.keep(topic, b"k", value)
    thread = threading.Thread(target=topics.run)
    thread.start()
    waiting = threading.Event()
    for _ in range(500):
        if until():
            break
        waiting.wait(0.02)
    topics.stop()
    thread.join(timeout=20)
    assert not thread.is_alive()


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_topics, "pause_after", lambda _failures: 0.01)
    monkeypatch.setattr(audit_topics, "LAST_SECONDS", 0.5)


def test_one_topic_that_may_not_be_written_holds_up_no_other() -> None:
    writer = Writer({"rules": [TopicAuthorizationFailedError("rules")]})
    run(writer, lambda: len(writer.written) == 2)
    assert writer.written == [("events", b"2"), ("events", b"3")]


@pytest.mark.parametrize("error", [KafkaTimeoutError("away"), RuntimeError("a fault of the client's")])
def test_what_failed_is_tried_again_in_order(error: Exception) -> None:
    writer = Writer({"events": [error, error, KeyError("once more"), KafkaTimeoutError("away")]})
    times = iter(range(1_000))

    def until() -> bool:
        if next(times) == 20:
            writer.failures.clear()
        return len(writer.written) == 3

    run(writer, until)
    assert sorted(writer.written) == [("events", b"2"), ("events", b"3"), ("rules", b"1")]
    assert [value for topic, value in writer.written if topic == "events"] == [b"2", b"3"]


def test_a_record_that_is_too_large_is_passed_over() -> None:
    writer = Writer({"events": [MessageSizeTooLargeError("2"), MessageSizeTooLargeError("3")]})
    run(writer, lambda: len(writer.written) == 1)
    assert writer.written == [("rules", b"1")]


def test_a_cluster_that_is_away_at_the_end_does_not_hold_up_the_stop() -> None:
    def opened() -> Writer:
        raise KafkaTimeoutError("away")

    run(Writer({}), lambda: True, opened)
