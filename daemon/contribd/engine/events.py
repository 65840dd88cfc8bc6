"""Everything that can happen to the engine. Lists, never single records or answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from contribd.engine.policy import ContributionPolicy
from contribd.engine.records.commit_metadata import Commit
from contribd.engine.records.keys import Key
from contribd.engine.records.last_posted import KnownPost
from contribd.engine.records.offsets import Partition
from contribd.engine.records.parts import Told
from contribd.engine.records.pauses import Pause, Selector
from contribd.engine.records.price import Record
from contribd.engine.records.rule_names import RuleNames
from contribd.engine.records.standing import OrderKind, StandingQuote
from contribd.engine.session.endpoints import Failure
from contribd.engine.session.reached import Reached
from contribd.mapping.encode import RmtesEscape
from contribd.mapping.mapper import Mapper


class Assigned(NamedTuple):
    """Partitions are ours, each with what the group last committed for it (no metadata where it never did).

    Those ``behind`` have records between there and their log's end; a ``CaughtUp`` will follow. ``parts``: of records
    with several posts, by offset in order, those that have their results as the results topic tells.
    """

    partitions: dict[Partition, Commit]
    behind: frozenset[Partition] = frozenset()
    parts: Mapping[Partition, Mapping[int, Told]] = MappingProxyType({})


class CaughtUp(NamedTuple):
    """Everything that was in these partitions' logs when they were assigned has been handed over."""

    partitions: frozenset[Partition]


class LastKnown(NamedTuple):
    """What was last posted to these RICs, (service, RIC), as far as the results topic tells."""

    posts: Mapping[Key, KnownPost]


class Blocked(NamedTuple):
    """Nothing more can be read of these partitions for now, and of all others something can."""

    partitions: frozenset[Partition]


class Revoking(NamedTuple):
    """Partitions are being taken away: settle what is in flight."""

    partitions: frozenset[Partition]


class Revoked(NamedTuple):
    """Partitions are not ours any more."""

    partitions: frozenset[Partition]


class Records(NamedTuple):
    """Records of several partitions, each in offset order; some have their results already, ``settled`` says which."""

    batches: Sequence[tuple[Partition, Sequence[Record]]]
    settled: Mapping[Partition, Sequence[int]] = MappingProxyType({})


class Leased(NamedTuple):
    """The group has us as a member for certain until then (monotonic seconds); what was said before holds no more."""

    until: float


class Connected(NamedTuple):
    """Connection ``attempt`` is made."""

    attempt: int
    reached: Reached = Reached()


class Lost(NamedTuple):
    """Connection ``attempt`` failed or ended."""

    attempt: int
    failure: Failure
    text: str


class Received(NamedTuple):
    """Bytes came from connection ``attempt``: the texts of WebSocket frames, in order; none where none is whole."""

    attempt: int
    texts: Sequence[bytes]


class Written(NamedTuple):
    """How many bytes connection ``attempt`` has taken since it was made, and how many wait for it.

    Said where some wait, or none do any more: nothing is to be posted behind bytes that wait. ``held``: they wait
    because we hold them back; ``unsent`` is 0 then.
    """

    attempt: int
    taken: int
    unsent: int
    held: bool = False


class Probed(NamedTuple):
    """What came of probing ``endpoint``; ``text`` says why it is not reachable."""

    endpoint: str
    reachable: bool
    text: str


@dataclass(frozen=True, slots=True)
class TokenGot:
    """The answer to token request ``number``; ``life`` in seconds."""

    number: int
    token: str = field(repr=False)
    refresh: str | None = field(repr=False)
    life: float


class TokenFailed(NamedTuple):
    """Token request ``number`` failed; ``retry_after``: seconds the service asked to be left alone."""

    number: int
    failure: Failure
    text: str
    retry_after: float | None


class Committed(NamedTuple):
    """The transaction of batch ``number`` is durable."""

    number: int


class NotCommitted(NamedTuple):
    """The transaction of batch ``number`` was not written."""

    number: int


class BrokerLimits(NamedTuple):
    """What the brokers take of us from now on.

    ``result`` and ``reject``: bytes of a record of the results and of the rejects topic; ``metadata``: characters that
    may go with a committed offset; ``keyed``: whether each record of the rejects topic must have a key; ``guessed``:
    the brokers do not say, and have only refused more.
    """

    result: int
    reject: int
    metadata: int
    keyed: bool
    guessed: bool = False


class PausesSet(NamedTuple):
    """These pauses are in force from now on, and no others."""

    pauses: tuple[Pause, ...]


class QuotesOrdered(NamedTuple):
    """Something is to be done about the quotes that ``what`` names; a ``StandingRead`` of the same number follows."""

    number: int
    kind: OrderKind
    what: Selector


class StandingRead(NamedTuple):
    """What stands in the market, as the results topic tells, of all partitions.

    ``since``: when the oldest post was sent that was read of, microseconds since 1970, None: there was none;
    ``failure``: why it could not be read.
    """

    number: int
    quotes: Mapping[Key, StandingQuote]
    since: int | None
    failure: str | None = None


class Stop(NamedTuple):
    """Stop: post nothing new, settle what is in flight."""


class PrepareRules(NamedTuple):
    """Other rules are about to be in force: see ``records.partition_rules`` for what has to be durable first."""


class KeepRules(NamedTuple):
    """Those that were prepared for will not be in force."""


class NewRules(NamedTuple):
    """Records are mapped by these from now on; what waits is posted by the new settings."""

    mapper: Mapper
    names: RuleNames
    contribution: ContributionPolicy
    """``conflate``, ``max_outstanding`` and ``first_post_id`` as they were."""
    services: tuple[str, ...]
    """As in ``SessionPolicy``."""
    escape: RmtesEscape


class Tick(NamedTuple):
    """Time has passed."""


Event: TypeAlias = (
    Assigned
    | CaughtUp
    | LastKnown
    | Blocked
    | Revoking
    | Revoked
    | Records
    | Leased
    | Connected
    | Lost
    | Received
    | Written
    | Probed
    | TokenGot
    | TokenFailed
    | Committed
    | NotCommitted
    | BrokerLimits
    | PausesSet
    | PrepareRules
    | KeepRules
    | NewRules
    | QuotesOrdered
    | StandingRead
    | Stop
    | Tick
)
