"""The real engine, session and link against a server, in the test's own thread and without Kafka."""

import selectors
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, Unpack

import msgspec
from tests.engine.making import Contribution, new_engine

from contribd.ads.dialer import DialOptions
from contribd.ads.driver import Driver, Finding
from contribd.ads.token_client import TokenClient
from contribd.engine.clock import Now
from contribd.engine.events import Assigned, Committed, Leased, Records, Stop, Tick
from contribd.engine.policy import SessionPolicy, TokenKind
from contribd.engine.records.commit_metadata import Commit
from contribd.engine.records.offsets import Partition
from contribd.engine.records.price import Record
from contribd.engine.records.result_encoder import ResultEncoder
from contribd.mailbox import Mailbox
from contribd.omm.requests import Login

PRICES = Partition("prices", 0)
Result = dict[str, Any]


class ConformanceClient:
    """Records in by ``put``, decoded results out in ``results``; every result is durable at once."""

    def __init__(
        self,
        *endpoints: str,
        user: str = "contribd",
        position: str = "10.0.0.1",
        login_timeout: float = 5.0,
        services: tuple[str, ...] = ("TRCC",),
        wait_for_service: bool = True,
        service_down_limit: float | None = 30.0,
        return_after: float | None = 300.0,
        first_wait: float = 0.05,
        tokens: TokenClient | None = None,
        token_kind: TokenKind | None = None,
        options: DialOptions | None = None,
        **contribution: Unpack[Contribution],
    ) -> None:
        contribution.setdefault("ack_timeout", 5.0)
        self.notes: list[tuple[str, dict[str, Any]]] = []
        self.results: list[Result] = []
        self.frames: list[bytes] = []
        """Every frame of posts sent so far."""
        self.slowest_round = 0.0
        """Seconds the longest round took, apart from waiting."""

        def backoff(failures: int) -> float:
            return first_wait * float(min(2 ** (failures - 1), 8))

        self.engine = new_engine(
            SessionPolicy(
                endpoints,
                "TRCC",
                Login(user, "256", position),
                login_timeout,
                backoff,
                services,
                wait_for_service,
                service_down_limit,
                return_after,
                token_kind,
            ),
            lambda _level, event, **details: self.notes.append((event, details)),
            **contribution,
        )
        self._encoder = ResultEncoder(instance="i", version="v", config="c")
        self._found: Mailbox[Finding] = Mailbox()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._found.fileno(), selectors.EVENT_READ)
        self.driver = Driver(
            self.engine, self._selector, options or DialOptions(login_timeout), self._found.put, tokens
        )
        take_frames = self.engine.take_frames
        self.engine.take_frames = lambda now: self._seen(take_frames(now))  # type: ignore[method-assign]
        self._offset = 0
        self.engine.handle(Assigned({PRICES: Commit(0, "")}), _now())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.driver.drop()
        while self._found.take():  # what still comes from threads is closed with the process
            pass
        self._selector.close()

    def _seen(self, frames: list[bytes]) -> list[bytes]:
        self.frames += [frame for frame in frames if b'"Type":"Post"' in frame]
        return frames

    # In

    def put(self, ric: str, fields: dict[str, Any] | None = None, *, kind: str = "Update", **more: Any) -> None:
        """One record; ``fields``: BID 1.5 where none are given."""
        value = msgspec.json.encode({"ric": ric, "type": kind, "fields": fields or {"BID": 1.5}, **more})
        self.engine.handle(Records([(PRICES, [Record(self._offset, time.time_ns() // 10**6, b"k", value)])]), _now())
        self._offset += 1

    # The loop

    def round(self, longest: float = 0.05) -> None:
        """One round of what the daemon's worker does."""
        now = _now()
        self.engine.handle(Tick(), now)
        self.driver.act(now)
        while (batch := self.engine.take_batch(now)) is not None:
            self.results += [msgspec.json.decode(self._encoder.encode(each).value) for each in batch.settlements]
            self.engine.handle(Committed(batch.number), now)
            self.driver.act(now)
        worked = time.monotonic() - now.mono
        ready = self._selector.select(min(longest, max(0.0, self.engine.wake_at(now) - time.monotonic())))
        now = _now()
        for key, mask in ready:
            if self.driver.owns(key.fileobj):
                self.driver.serve(mask, now)
        for found in self._found.take():
            self.driver.take(found, now)
        self.slowest_round = max(self.slowest_round, worked + time.monotonic() - now.mono)

    def lease(self, until: float) -> None:
        """The group has us as a member until then (monotonic seconds)."""
        self.engine.handle(Leased(until), _now())

    def until(self, condition: Callable[[], object], within: float = 20.0, what: str = "") -> None:
        """Runs until ``condition``; raises AssertionError where it is not met in time."""
        deadline = time.monotonic() + within
        while not condition():
            if time.monotonic() >= deadline:
                session = self.engine.connection
                raise AssertionError(
                    f"not within {within:g} s: {what}; session {session.state}, {session.last_failure}; "
                    f"{len(self.results)} results, {len(self.engine.contributor.in_flight)} outstanding; "
                    f"{self.notes[-8:]}"
                )
            self.round()

    def run(self, seconds: float) -> None:
        """Runs for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.round()

    def open(self) -> "ConformanceClient":
        """Until posts may go."""
        self.until(lambda: self.engine.session.up, what="a session that posts")
        return self

    def settled(self, count: int | None = None, within: float = 20.0) -> list[Result]:
        """Until every record (or ``count``) has its result; the results in the order of their records."""
        wanted = self._offset if count is None else count
        self.until(lambda: len(self.results) >= wanted, within, f"{wanted} results")
        assert len(self.results) == wanted
        return sorted(self.results, key=lambda result: int(result["source"]["offset"]))

    def stop(self) -> None:
        """As on SIGTERM: waits for what is outstanding, then closes the login stream."""
        self.engine.handle(Stop(), _now())
        self.until(lambda: self.engine.drained, what="drained")
        self.engine.connection.close(_now())
        self.driver.act(_now())

    # What came of it

    def said(self, beginning: str) -> list[dict[str, Any]]:
        """The details of every note whose sentence begins so."""
        return [details for sentence, details in self.notes if sentence.startswith(beginning)]

    def reasons(self) -> dict[str, int]:
        """How often sessions ended, by reason."""
        counts: dict[str, int] = {}
        for (_, reason), count in self.engine.counters.reconnects.items():
            counts[reason] = counts.get(reason, 0) + count
        return counts


def answers(result: Result) -> list[str]:
    """What became of each post of a result."""
    return [post["answer"] for post in result["posts"]]


def _now() -> Now:
    return Now(time.monotonic(), time.time_ns() // 1000)
