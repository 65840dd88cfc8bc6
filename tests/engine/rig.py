"""An engine with a clock in hand, one partition or more, and a server that says what the test wants it to say."""

from collections.abc import Callable, Iterable
from typing import Any, Unpack

import msgspec
from tests.ads.server_messages import directory, login_refresh
from tests.engine.making import LOGIN, Contribution, PlainMapper, contribution, new_engine, seconds

from contribd.engine.clock import Now
from contribd.engine.commands import Command, Connect
from contribd.engine.events import (
    Assigned,
    CaughtUp,
    Committed,
    Connected,
    Event,
    KeepRules,
    Leased,
    Lost,
    NewRules,
    NotCommitted,
    PausesSet,
    PrepareRules,
    Received,
    Records,
    Revoked,
    Revoking,
    Stop,
    Tick,
)
from contribd.engine.limits import DEFAULT_BOUNDS, LINGER, Bounds
from contribd.engine.policy import SessionPolicy
from contribd.engine.records.commit_metadata import Commit
from contribd.engine.records.offsets import Partition
from contribd.engine.records.outbox import Batch
from contribd.engine.records.pauses import Pause, PauseKind, Selector
from contribd.engine.records.price import Record
from contribd.engine.records.result_encoder import ResultEncoder
from contribd.engine.records.rule_names import RuleNames
from contribd.engine.session.endpoints import Failure
from contribd.mapping.encode import RmtesEscape
from contribd.mapping.mapper import Mapper

START = 1_800_000_000_000_000
"""The wall clock at the start, microseconds since 1970; a whole second."""

P0, P1 = Partition("prices", 0), Partition("prices", 1)


def encode(*messages: object) -> bytes:
    """One frame's text, as servers send it."""
    return msgspec.json.encode(list(messages))


class Rig:
    """The engine under test and everything around it."""

    def __init__(
        self,
        *,
        endpoints: tuple[str, ...] = ("ws://a", "ws://b"),
        backoff: Callable[[int], float] = seconds,
        bounds: Bounds = DEFAULT_BOUNDS,
        rules: str = "",
        services: tuple[str, ...] = (),
        **contribution_options: Unpack[Contribution],
    ) -> None:
        self.mono, self.wall = 1000.0, START
        self.notes: list[str] = []
        self.engine = new_engine(
            SessionPolicy(endpoints, "TRCC", LOGIN, 10.0, backoff, services),
            lambda _level, event, **_details: self.notes.append(event),
            bounds=bounds,
            rules=rules,
            **contribution_options,
        )
        self._backoff, self._options = backoff, contribution_options
        self.frames: list[bytes] = []
        self.commands: list[Command] = []
        self._encoder = ResultEncoder(instance="i", version="v", config="c")
        self._next: dict[Partition, int] = {}

    # Time and events

    @property
    def now(self) -> Now:
        return Now(self.mono, self.wall)

    def handle(self, event: Event) -> None:
        """One event, and what it makes the engine want done."""
        self.engine.handle(event, self.now)
        self.pump()

    def pump(self) -> None:
        """Takes what is to be sent and done."""
        self.frames += self.engine.take_frames(self.now)
        self.commands += self.engine.take_commands()

    def tick(self, after: float = 0.0) -> None:
        """Lets ``after`` seconds pass, then ticks."""
        self.mono += after
        self.wall += round(after * 1e6)
        self.handle(Tick())

    # The session

    def connect(self) -> None:
        """Up to a connection made, and the login on its way."""
        self.tick()
        self.handle(Connected(self.engine.connection.attempt))

    def log_in(self, **elements: Any) -> None:
        """Up to the login answered; the service is not known yet."""
        self.connect()
        self.receive(login_refresh(**elements))

    def answer_login(self) -> None:
        """The connection is made: up to a session that posts."""
        self.receive(login_refresh())
        self.receive(directory())

    def open(self, **elements: Any) -> "Rig":
        """Up to a session that posts; what the log-in sent is forgotten."""
        self.log_in(**elements)
        self.frames.clear()
        self.receive(directory())
        self.commands.clear()
        return self

    def receive(self, *messages: object) -> None:
        """One frame from the server."""
        self.handle(Received(self.engine.connection.attempt, [encode(*messages)]))

    def lose(self) -> None:
        """The connection breaks."""
        self.handle(Lost(self.engine.connection.attempt, Failure.NETWORK, "reset"))

    def ack(self, *post_ids: int, **more: Any) -> None:
        """Acks, one a frame; ``NakCode`` and ``Text`` where they are given."""
        for post_id in post_ids:
            self.receive({"ID": 1, "Type": "Ack", "AckID": post_id, **more})

    def error(self, post_id: int | None = None, text: str = "JSON Unexpected Value") -> None:
        """An Error that echoes the post, or no post at all."""
        debug = {} if post_id is None else {"Debug": {"Message": f'{{"ID":1,"Type":"Post","PostID":{post_id},"Key":'}}
        self.receive({"ID": 1, "Type": "Error", "Text": text, **debug})

    # Records

    def assign(self, partition: Partition = P0, start: int = 0, metadata: str = "", *, behind: bool = False) -> "Rig":
        """The partition is ours from ``start``; ``behind``: it has records there already."""
        self._next[partition] = start
        self.handle(Assigned({partition: Commit(start, metadata)}, frozenset({partition} if behind else ())))
        return self

    def revoking(self, *partitions: Partition) -> None:
        self.handle(Revoking(frozenset(partitions)))

    def revoked(self, *partitions: Partition) -> None:
        self.handle(Revoked(frozenset(partitions)))

    def put(
        self,
        *fields: dict[str, Any],
        ric: str = "EUR=",
        partition: Partition = P0,
        age: float | None = 0.0,
        **more: Any,
    ) -> None:
        """Records with these fields, one after the other; ``age`` in seconds, None for no timestamp."""
        values = [msgspec.json.encode({"ric": ric, "type": "Update", **more, "fields": one}) for one in fields]
        self.put_values(*values, partition=partition, age=age)

    def put_values(self, *values: bytes | None, partition: Partition = P0, age: float | None = 0.0) -> None:
        """Records with these values at the next offsets."""
        start = self._next[partition]
        timestamp = -1 if age is None else (self.wall - round(age * 1e6)) // 1000
        self._next[partition] = start + len(values)
        records = [Record(start + n, timestamp, b"k", value) for n, value in enumerate(values)]
        self.handle(Records([(partition, records)]))

    # Other rules

    def prepare_rules(self) -> None:
        """Others are about to be in force."""
        self.handle(PrepareRules())

    def keep_rules(self) -> None:
        """They are not, after all."""
        self.handle(KeepRules())

    def change_rules(
        self,
        names: RuleNames,
        mapper: Mapper | None = None,
        services: tuple[str, ...] = (),
        **options: Unpack[Contribution],
    ) -> None:
        """These are, from the next record on."""
        merged = self._options.copy()
        merged.update(options)
        policy = contribution(self._backoff, **merged)
        self.handle(NewRules(mapper or PlainMapper(), names, policy, services, RmtesEscape.JSON))
        self._encoder.change_rules(names)

    # What came of it

    @property
    def posts(self) -> list[dict[str, Any]]:
        """Every post sent so far and not cleared, in order."""
        return [message for frame in self.frames for message in messages(frame) if message.get("Type") == "Post"]

    @property
    def ids(self) -> list[int]:
        """Their PostIDs."""
        return [post["PostID"] for post in self.posts]

    @property
    def fields(self) -> list[dict[str, Any]]:
        """Their fields."""
        return [post["Message"]["Fields"] for post in self.posts]

    def batch(self) -> Batch:
        """The next transaction, which there must be."""
        batch = self.take()
        assert batch is not None
        return batch

    def take(self) -> Batch | None:
        """The next transaction, None where there is none; waits for as long as the first results linger."""
        return self.engine.take_batch(self.now) or self.engine.take_batch(Now(self.mono + LINGER, self.wall))

    def commit(self) -> list[dict[str, Any]]:
        """Writes all that is settled; the results, decoded."""
        results: list[dict[str, Any]] = []
        while (batch := self.take()) is not None:
            results += self.decoded(batch)
            self.handle(Committed(batch.number))
        return results

    def decoded(self, batch: Batch) -> list[dict[str, Any]]:
        """The batch's results as a reader sees them."""
        return [msgspec.json.decode(self._encoder.encode(settlement).value) for settlement in batch.settlements]

    def fail(self) -> Batch:
        """The next transaction is not written."""
        batch = self.batch()
        self.handle(NotCommitted(batch.number))
        return batch

    def handle_committed(self, number: int) -> None:
        self.handle(Committed(number))

    def catch_up(self, *partitions: Partition) -> None:
        """Nothing is left of what was in their logs when they were assigned."""
        self.handle(CaughtUp(frozenset(partitions)))

    def handle_not_committed(self, number: int) -> None:
        self.handle(NotCommitted(number))

    def lease(self, until: float) -> None:
        """The group has us as a member until then."""
        self.engine.handle(Leased(until), self.now)

    def pause(self, *what: str | Selector) -> None:
        """These are paused from now on, and nothing else: RICs by pattern, or others by their selector."""
        selectors = [one if isinstance(one, Selector) else Selector(PauseKind.RIC, one) for one in what]
        self.handle(PausesSet(tuple(Pause(one, "eve (uid 7)", "feed broken", START) for one in selectors)))

    def stop(self) -> None:
        self.handle(Stop())

    def connects(self) -> list[Connect]:
        """The connections asked for since last cleared."""
        return [command for command in self.commands if isinstance(command, Connect)]


def messages(frame: bytes) -> list[dict[str, Any]]:
    """The messages of one frame."""
    decoded = msgspec.json.decode(frame)
    return decoded if isinstance(decoded, list) else [decoded]


def statuses(results: Iterable[dict[str, Any]]) -> list[tuple[int, str]]:
    """Offset and status of each result."""
    return [(result["source"]["offset"], result["status"]) for result in results]
