"""The engine's session by itself, with a clock in hand and a server that says what the test wants."""

from collections.abc import Callable
from random import Random
from typing import Any

import msgspec
from tests.ads.server_messages import directory, login_refresh
from tests.engine.making import LOGIN, seconds

from contribd.engine.clock import Now
from contribd.engine.commands import Command, Connect, Disconnect, FetchToken, Probe
from contribd.engine.counters import EngineCounters
from contribd.engine.policy import SessionPolicy, TokenKind
from contribd.engine.session.endpoints import Failure
from contribd.engine.session.session import Session
from contribd.omm.answers import decode
from contribd.omm.requests import Login

A, B, C = "ws://a", "ws://b", "ws://c"


class TwoEnds:
    """One session and its surroundings. What it says is kept in ``frames`` and ``commands``."""

    def __init__(
        self,
        *endpoints: str,
        services: tuple[str, ...] = ("TRCC",),
        wait_for_service: bool = True,
        service_down_limit: float | None = 30.0,
        return_after: float | None = 300.0,
        tokens: TokenKind | None = None,
        backoff: Callable[[int], float] = seconds,
        login: Login = LOGIN,
        poster: str | None = None,
    ) -> None:
        self.mono = 1000.0
        self.answered = True
        """Whether every post has its answer."""
        self.clean = True
        """Whether the server has read every post."""
        self.counters = EngineCounters()
        self.notes: list[tuple[str, str, dict[str, Any]]] = []
        policy = SessionPolicy(
            endpoints or (A, B),
            "TRCC",
            login,
            10.0,
            backoff,
            services,
            wait_for_service,
            service_down_limit,
            return_after,
            tokens,
            poster,
        )
        note = lambda level, event, **details: self.notes.append((level, event, details))  # noqa: E731 - one line
        self.session = Session(policy, Random(1), self.counters, note)
        self.connection = self.session.connection
        self.frames: list[dict[str, Any]] = []
        self.commands: list[Command] = []

    @property
    def now(self) -> Now:
        return Now(self.mono, round(self.mono * 1e6))

    def pump(self) -> None:
        """Takes what the session wants sent and done."""
        self.frames += [msgspec.json.decode(frame) for frame in self.connection.take_frames()]
        self.commands += self.connection.take_commands()

    def tick(self, after: float = 0.0) -> None:
        """Lets ``after`` seconds pass, with a tick whenever the session wants one and at the end."""
        end = self.mono + after
        while (at := self.session.wake_at()) is not None and at < end:
            assert at >= self.mono or not self._tick_now(), "asked to be woken in the past, over and over"
            self.mono = max(self.mono, at)
            self._tick_now()
        self.mono = end
        self._tick_now()

    def _tick_now(self) -> bool:
        self.session.tick(self.now)
        if self.answered:
            self.connection.move(self.now, clean=self.clean)
        self.session.tick(self.now)
        self.pump()
        at = self.session.wake_at()
        return at is not None and at < self.mono

    def quiet(self, after: float, every: float = 5.0) -> None:
        """Lets ``after`` seconds pass on a line that the server keeps alive."""
        end = self.mono + after
        while self.mono < end:
            self.connection.heard(self.now)
            self.tick(min(every, end - self.mono))

    def take(self, kind: type[Command]) -> list[Any]:
        """The commands of this kind so far, forgotten with it."""
        found = [command for command in self.commands if isinstance(command, kind)]
        self.commands = [command for command in self.commands if not isinstance(command, kind)]
        return found

    def connects(self) -> list[str]:
        """The endpoints of connections asked for since last asked."""
        return [connect.endpoint for connect in self.take(Connect)]

    def probes(self) -> list[str]:
        return [probe.endpoint for probe in self.take(Probe)]

    def fetches(self) -> list[FetchToken]:
        return self.take(FetchToken)

    def hang_ups(self) -> list[bool]:
        """Whether each connection ended since last asked was ended cleanly."""
        return [end.clean for end in self.take(Disconnect)]

    def connect(self) -> None:
        """Up to the login on its way."""
        self.tick()
        self.session.connected(self.connection.attempt, self.now)
        self.pump()

    def say(self, *messages: dict[str, Any]) -> None:
        """What the server sends."""
        self.connection.heard(self.now)
        for answer in decode(msgspec.json.encode(list(messages))):
            self.session.received(answer, self.now)
        self.pump()

    def log_in(self) -> None:
        self.connect()
        self.answer_login()

    def answer_login(self) -> None:
        """The connection is made: the server takes the login."""
        self.pump()
        self.say(login_refresh())

    def open(self) -> "TwoEnds":
        """Up to a session that posts; what led to it is forgotten."""
        self.log_in()
        self.say(directory())
        self.frames.clear()
        self.commands.clear()
        return self

    def lose(self, failure: Failure = Failure.NETWORK) -> None:
        self.connection.lost(self.connection.attempt, failure, "as the test wants", self.now)
        self.pump()

    def said(self, event: str) -> list[dict[str, Any]]:
        """The details of every note with this sentence."""
        return [details for _, found, details in self.notes if found == event]

    def reasons(self) -> dict[str, int]:
        """How often sessions ended, by reason."""
        counts: dict[str, int] = {}
        for (_, reason), count in self.counters.reconnects.items():
            counts[reason] = counts.get(reason, 0) + count
        return counts
