"""Asks Kafka about the topics and the group, without joining or writing: for ``contribd check --connect``.

The daemon's transactional.id is not used: a producer that opened a transaction under it would end those of a running
daemon.
"""

from dataclasses import dataclass, field
from typing import Final

from contribd.streams.client.access import Access
from contribd.streams.client.admin import ClusterAdmin, Topic, open_admin
from contribd.streams.client.sentences import explain
from contribd.streams.client.settings import KafkaSettings

TIMEOUT_MS: Final = 10_000
"""A broker that takes longer than this to say what it has is worth knowing of, where ``kafka.client`` sets no other."""


@dataclass(slots=True)
class TopicReport:
    """One topic. ``missing``: what this user may not do and the daemon must; None where the broker does not say."""

    topic: str
    role: str
    partitions: int = 0
    missing: list[str] | None = None
    problem: str | None = None


@dataclass(slots=True)
class KafkaReport:
    """What was found, as far as it went."""

    brokers: str
    problem: str | None = None
    topics: list[TopicReport] = field(default_factory=list)
    group: str = ""
    committed: int | None = None
    """Partitions of the prices for which the group has committed an offset; None where it may not be asked."""
    group_problem: str | None = None

    @property
    def problems(self) -> list[str]:
        """Everything that keeps the daemon from working."""
        found = [self.problem, self.group_problem, *(topic.problem for topic in self.topics)]
        return [problem for problem in found if problem]


_NO_TOPIC: Final = Topic(0, frozenset())
_NEEDS: Final = {"prices": ("READ", "DESCRIBE"), "results": ("WRITE", "DESCRIBE"), "rejects": ("WRITE", "DESCRIBE")}


def inspect_kafka(settings: KafkaSettings) -> KafkaReport:
    """Reaches the brokers and asks. Never raises for what the network or a broker does."""
    report = KafkaReport(",".join(settings.bootstrap_servers), group=settings.group_id)
    try:
        times = {"request_timeout_ms": TIMEOUT_MS, "bootstrap_timeout_ms": TIMEOUT_MS}
        set_otherwise = {name: value for name, value in settings.client.items() if name in times}
        admin = open_admin(Access(settings), settings, **{**times, **set_otherwise})
    except Exception as error:  # noqa: BLE001 - the client raises whatever it met
        report.problem = f"cannot be reached: {explain(error, settings)}"
        return report
    try:
        _ask_topics(admin, settings, report)
        _ask_group(admin, settings, report)
    finally:
        admin.close()
    return report


def _ask_topics(admin: ClusterAdmin, settings: KafkaSettings, report: KafkaReport) -> None:
    try:
        found = admin.topics(list(_topics(settings)))
    except Exception as error:  # noqa: BLE001 - as above
        report.problem = f"topics cannot be asked for: {explain(error, settings)}"
        return
    for name, role in _topics(settings).items():
        report.topics.append(_topic(name, role, found.get(name, _NO_TOPIC)))


def _topics(settings: KafkaSettings) -> dict[str, str]:
    named = dict.fromkeys(settings.prices, "prices")
    named[settings.results] = "results"
    if settings.rejects is not None:
        named[settings.rejects] = "rejects"
    return named


def _topic(name: str, role: str, found: Topic) -> TopicReport:
    report = TopicReport(name, role, partitions=found.partitions)
    if not report.partitions:
        report.problem = f"{role}: no topic {name}, or no permission to see it"
        return report
    if found.allowed:
        report.missing = [need for need in _NEEDS[role] if need not in found.allowed]
        if report.missing:
            report.problem = f"{role}: no permission to {' or '.join(report.missing)} topic {name}"
    return report


def _ask_group(admin: ClusterAdmin, settings: KafkaSettings, report: KafkaReport) -> None:
    try:
        committed = admin.committed(settings.group_id)
    except Exception as error:  # noqa: BLE001 - as above
        report.group_problem = f"group {settings.group_id} cannot be asked for: {explain(error, settings)}"
        return
    report.committed = sum(1 for partition in committed if partition.topic in settings.prices)
