"""What is written of the session, and how often."""

from typing import Any

from contribd.engine.counters import EngineCounters
from contribd.engine.limits import LINE_INTERVAL
from contribd.engine.session.endpoints import Failure
from contribd.engine.session.login_limits import LoginLimits
from contribd.engine.session.session_log import SessionLog
from contribd.omm.answers import LoginAnswer


class Written:
    """A session log, and what it has written."""

    def __init__(self) -> None:
        self.counters = EngineCounters()
        self.lines: list[dict[str, Any]] = []
        self.log = SessionLog(self.counters, lambda _, event, **facts: self.lines.append({"event": event, **facts}))

    def try_at(self, mono: float, text: str = "connection refused", endpoint: str = "a") -> None:
        self.log.not_made(endpoint, Failure.NETWORK, text, 1.0, mono)

    def no_session(self) -> list[tuple[str, str, int]]:
        return [(line["endpoint"], line["text"], line["tries"]) for line in self.lines if line["event"] == "no session"]


def test_the_same_reason_is_written_once_a_minute_with_the_tries_so_far_and_each_is_counted() -> None:
    written = Written()
    for mono in range(int(LINE_INTERVAL) + 1):
        written.try_at(float(mono))
    assert written.no_session() == [("a", "connection refused", 1), ("a", "connection refused", LINE_INTERVAL + 1)]
    assert written.counters.reconnects["a", "network"] == LINE_INTERVAL + 1


def test_another_reason_and_another_endpoint_are_written_at_once() -> None:
    written = Written()
    written.try_at(0.0)
    written.try_at(1.0, text="no route to host")
    written.try_at(2.0, endpoint="b")
    assert [text for _, text, _ in written.no_session()] == [
        "connection refused",
        "no route to host",
        "connection refused",
    ]


def test_after_a_session_the_same_reason_is_news_again() -> None:
    written = Written()
    written.try_at(0.0)
    answer = LoginAnswer("Open", "Ok", "None", "", True, None, None, None)
    written.log.logged_in("a", answer, session="s", position="p", poster="u", limits=LoginLimits())
    written.try_at(1.0)
    assert [tries for _, _, tries in written.no_session()] == [1, 1]
