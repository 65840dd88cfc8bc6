"""How a demo ended."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Milliseconds."""

    p50: float
    p95: float
    p99: float
    max: float


@dataclass(frozen=True, slots=True)
class StatusCount:
    """Results with this status and code."""

    status: str
    code: str | None
    count: int


@dataclass(frozen=True, slots=True)
class Audit:
    """Records in against results out: ``missing`` have no result, ``repeated`` more than one, ``foreign`` no record."""

    records: int
    results: int
    missing: int
    repeated: int
    foreign: int

    @property
    def holds(self) -> bool:
        """Every record has exactly one result."""
        return not (self.missing or self.repeated or self.foreign)


@dataclass(frozen=True, slots=True)
class ShowSummary:
    """What a demo did; latencies are ``None`` where nothing was answered or delivered."""

    seconds: float
    records: dict[str, int]
    """By kind: price, poison, unmapped."""
    statuses: list[StatusCount]
    posts: dict[str, int]
    """By answer: ACK, NAK, LOST and so on."""
    ack: Percentiles | None
    """From sending a post to its answer."""
    delivery: Percentiles | None
    """From a record's Kafka timestamp to its post."""
    reconnects: int
    logins: int
    """As the simulated ADS counted them."""
    posts_taken: int
    """As the simulated ADS counted them."""
    audit: Audit
    daemon_exit: int

    @property
    def ok(self) -> bool:
        """The audit holds and the daemon ended well."""
        return self.audit.holds and self.daemon_exit == 0

    def document(self) -> dict[str, Any]:
        """As plain JSON values."""
        found = asdict(self)
        found["audit"]["holds"] = self.audit.holds
        found["ok"] = self.ok
        return found
