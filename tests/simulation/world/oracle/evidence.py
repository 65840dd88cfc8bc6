"""What the oracle has seen: posts, answers and processes, from the bytes on the wire and the bookkeeping of Kafka."""

import json
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, TypeAlias

from tests.simulation.world.environment.fed_records import ANYWHERE, PartKey
from tests.simulation.world.environment.sim_mappings import VERSIONED

from contribd.engine.records.offsets import Partition

Complain: TypeAlias = Callable[[str, str, object], None]
"""The promise broken, what was seen, and whom it is about: a part, a record or a RIC."""

STATUS_OF_ANSWER = {"ACK": "ACK", "NAK": "NAK", "ERROR": "ERROR", "TIMEOUT": "UNANSWERED", "LOST": "UNANSWERED"}
"""The status of a result by what its last post's entry says was answered."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_POST_ID = re.compile(r'"PostID":(\d+)\D')


def is_shortened(result: dict[str, Any]) -> bool:
    """Whether a result says that parts of it were left out."""
    return (result["text"] or "").startswith("[shortened: ")


class Violation(Exception):
    """A promise was broken. ``subject`` is the RIC or the record it is about."""

    def __init__(self, promise: str, text: str, subject: object) -> None:
        super().__init__(f"{promise}: {text}")
        self.promise = promise
        self.subject = subject


class SeenAnswer(NamedTuple):
    """What a post got: ``ACK``, ``NAK`` or ``ERROR``, when the daemon received it."""

    kind: str
    code: str | None
    text: str | None
    mono: float


@dataclass(slots=True, eq=False)
class SeenPost:
    """One post as it was encoded.

    ``values``: its versioned fields; ``newest``: the newest record it carries. A withdrawal's has only ``blanks``.
    """

    process: "ProcessEvidence"
    wire: "WireEvidence"
    post_id: int
    ric: str
    service: str
    type: str
    values: dict[str, int]
    blanks: frozenset[str]
    newest: int
    mono: float
    wall: int
    frame: int
    size: int
    answer: SeenAnswer | None = None
    suspect_at: float | None = None
    """When an Error came that may have taken this post with it."""
    forgotten: bool = False
    """Its partition was revoked: its answer is nobody's any more."""
    blanking: "Blanking | None" = None
    """The withdrawal it is of."""
    rules: int | None = None
    """The number of the rules it was mapped by, where these change."""
    again: bool = False
    """Of values that have their results: somebody has ordered it."""
    tries: int = 1
    """Which post in a row it is that this process makes of the RIC without the ADS having answered one."""
    passed_at: float | None = None
    """When a post of a later frame was first answered, while this one was not."""

    def key(self, version: int) -> PartKey:
        """The part of that record that it carries."""
        return version, self.service, self.ric, ANYWHERE

    def __str__(self) -> str:
        what = self.values or f"withdraws {sorted(self.blanks)}"
        return f"post {self.post_id} of {self.process.name} on wire {self.wire.number}: {what}"


@dataclass(slots=True, eq=False)
class Blanking:
    """One withdrawal: its posts, and the partition whose silence it is for, one of these."""

    partitions: frozenset[Partition]
    posts: list[SeenPost] = field(default_factory=list)
    told: bool = False
    """It has its result."""


@dataclass(slots=True, eq=False)
class WireEvidence:
    """A connection as the daemon knows it from what it has received."""

    number: int
    login_open: bool = False
    login_at: float = 0.0
    directory: bool = False
    services: dict[str, tuple[str, bool]] = field(default_factory=dict)
    max_size: int = 61_430
    ended: bool = False
    frames: int = 0
    answered_frame: int = 0
    """The latest frame one of whose posts was answered."""
    posts: dict[int, SeenPost] = field(default_factory=dict)
    outstanding: dict[int, SeenPost] = field(default_factory=dict)
    errors: list[tuple[float, str]] = field(default_factory=list)
    """Errors that named no post."""
    unhanded: deque[list[SeenPost]] = field(default_factory=deque)

    def is_up(self, service: str) -> bool:
        """Whether the service is Up by the directory messages received."""
        return any(name == service and up for name, up in self.services.values())


@dataclass(slots=True, eq=False)
class ProcessEvidence:
    """One process of a daemon."""

    name: str
    mapping: int = 0
    """Which of the mappings it has."""
    assigned_at: dict[Partition, float] = field(default_factory=dict)
    owned: set[Partition] = field(default_factory=set)
    stopping_at: float | None = None
    sessions: dict[str, WireEvidence] = field(default_factory=dict)
    last: dict[tuple[str, str], SeenPost] = field(default_factory=dict)
    told_by: dict[PartKey, list[SeenPost]] = field(default_factory=dict)
    """Posts that a part's result must tell of: those it was the newest in; without keys, those it gave a value."""
    last_id: int = 0
    shown: set[PartKey] = field(default_factory=set)
    """Parts that left the daemon."""
    carried: dict[PartKey, float] = field(default_factory=dict)
    """When a part was last on the wire."""
    refused: dict[tuple[str, str], float] = field(default_factory=dict)
    """When the ADS last said that an item does not exist."""
    sent: deque[float] = field(default_factory=deque)


def posts_in(text: bytes) -> list[dict[str, Any]]:
    """The Post messages of a client's frame."""
    if b'"Type":"Post"' not in text:
        return []
    found = json.loads(text)
    return [message for message in (found if isinstance(found, list) else [found]) if message.get("Type") == "Post"]


def messages_in(text: bytes) -> list[dict[str, Any]]:
    """The messages of a server's frame; none of one that is no JSON."""
    try:
        found = json.loads(text)
    except UnicodeDecodeError:
        found = json.loads(text.decode("latin-1"))
    except json.JSONDecodeError:
        return []
    return list(found)


def versions(fields: dict[str, Any]) -> dict[str, int]:
    """The versioned fields with a value."""
    return {name: fields[name] for name in VERSIONED if fields.get(name) is not None}


def stamp(wall: int) -> str:
    """Microseconds since 1970 as results have them."""
    return (_EPOCH + timedelta(microseconds=wall)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def at(stamped: str) -> int:
    """The same the other way round."""
    when = datetime.strptime(stamped, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    return (when - _EPOCH) // timedelta(microseconds=1)


def echoed_id(message: dict[str, Any]) -> int | None:
    """The PostID that an Error names, None where its echo is missing or too short."""
    echo = message.get("Debug", {}).get("Message", "")
    found = _POST_ID.search(echo)
    return int(found[1]) if found else None
