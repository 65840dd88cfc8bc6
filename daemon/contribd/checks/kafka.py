"""Asks Kafka about the topics, the group and the brokers' limits, without joining or writing: for ``contribd check
--connect``.

The daemon's transactional.id is looked at and not used: a producer that opened a transaction under it would end those
of a running daemon. Whether the group may be read is asked by a heartbeat of a member that it does not have.
"""

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from contribd.checks import kafka_rules as rules
from contribd.checks.kafka_rules import Role
from contribd.streams.client.access import Access
from contribd.streams.client.admin import ClusterAdmin, Configs, Topic, open_admin
from contribd.streams.client.consumer import open_asking
from contribd.streams.client.errors import (
    GroupAuthorizationFailedError,
    KafkaError,
    TransactionalIdAuthorizationFailedError,
)
from contribd.streams.client.port import Member
from contribd.streams.client.retrying import FAILURES
from contribd.streams.client.sentences import explain
from contribd.streams.client.settings import KafkaSettings
from contribd.streams.group.strangers import are_all_there, strangers

JOINING_SECONDS: Final = 10
"""How long members that are joining the group are waited for, to hear what they have subscribed to."""

TIMEOUT_MS: Final = 10_000
"""A broker that takes longer than this to say what it has is worth knowing of, where ``kafka.client`` sets no other."""


@dataclass(slots=True)
class TopicReport:
    """One topic. ``missing``: what this user may not do and the daemon must; None where the broker does not say."""

    topic: str
    role: Role
    partitions: int = 0
    missing: list[str] | None = None
    problem: str | None = None
    warnings: list[str] = field(default_factory=list)


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
    transactions_problem: str | None = None
    limits_problem: str | None = None
    """What the brokers' own settings do not allow."""
    limits_known: bool = False
    """Whether the brokers tell their settings: that takes DescribeConfigs on the cluster."""
    warnings: list[str] = field(default_factory=list)
    """What costs something, of the brokers' settings."""

    @property
    def problems(self) -> list[str]:
        """Everything that keeps the daemon from working."""
        found = [self.problem, self.group_problem, self.transactions_problem, self.limits_problem]
        found += [topic.problem for topic in self.topics]
        return [problem for problem in found if problem]


_NO_TOPIC: Final = Topic(0, frozenset())
_NEEDS: Final[Mapping[Role, tuple[str, ...]]] = {
    "prices": ("READ", "DESCRIBE"),
    "results": ("WRITE", "DESCRIBE"),
    "rejects": ("WRITE", "DESCRIBE"),
    "orders": ("READ", "WRITE", "DESCRIBE"),
    "rules": ("WRITE", "DESCRIBE"),
    "events": ("WRITE", "DESCRIBE"),
}


def inspect_kafka(settings: KafkaSettings) -> KafkaReport:
    """Reaches the brokers and asks. Never raises for what the network or a broker does."""
    report = KafkaReport(",".join(settings.bootstrap_servers), group=settings.group_id)
    access = Access(settings)
    try:
        times = {"request_timeout_ms": TIMEOUT_MS, "bootstrap_timeout_ms": TIMEOUT_MS}
        set_otherwise = {name: value for name, value in settings.client.items() if name in times}
        admin = open_admin(access, settings, **{**times, **set_otherwise})
    except Exception as error:  # noqa: BLE001 - the client raises whatever it met
        report.problem = f"cannot be reached: {explain(error, settings)}"
        return report
    try:
        configs = _ask_limits(admin, settings, report)
        _ask_topics(admin, settings, report, configs)
        _ask_group(admin, settings, report)
        if report.group_problem is None:
            report.group_problem = _group_right(access, settings)
        report.transactions_problem = _transactions_problem(admin, settings)
    finally:
        admin.close()
    return report


def _ask_limits(admin: ClusterAdmin, settings: KafkaSettings, report: KafkaReport) -> Configs:
    try:
        configs = admin.configs(list(_topics(settings)))
    except FAILURES:  # what old or embedded brokers do not tell is not known
        return Configs({}, {})
    report.limits_known = bool(configs.brokers)
    report.limits_problem = "; ".join(rules.broker_problems(configs.brokers, settings)) or None
    report.warnings = list(rules.broker_warnings(configs.brokers))
    return configs


def _ask_topics(admin: ClusterAdmin, settings: KafkaSettings, report: KafkaReport, configs: Configs) -> None:
    try:
        found = admin.topics(list(_topics(settings)))
    except Exception as error:  # noqa: BLE001 - as above
        report.problem = f"topics cannot be asked for: {explain(error, settings)}"
        return
    prices = {name: configs.topics.get(name, {}) for name in settings.prices}
    for name, role in _topics(settings).items():
        values = configs.topics.get(name, {})
        topic = _topic(name, role, found.get(name, _NO_TOPIC))
        if topic.problem is None:
            problems = "; ".join(rules.topic_problems(role, name, found[name], values))
            topic.problem = f"{role}: {problems}" if problems else None
        topic.warnings = list(rules.topic_warnings(role, name, values, prices))
        report.topics.append(topic)


def _topics(settings: KafkaSettings) -> dict[str, Role]:
    named: dict[str, Role] = dict.fromkeys(settings.prices, "prices")
    named[settings.results] = "results"
    if settings.rejects is not None:
        named[settings.rejects] = "rejects"
    if settings.control is not None:
        named[settings.control] = "orders"
    if settings.rules_topic is not None:
        named[settings.rules_topic] = "rules"
    if settings.events_topic is not None:
        named[settings.events_topic] = "events"
    return named


def _topic(name: str, role: Role, found: Topic) -> TopicReport:
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
    with suppress(*FAILURES):  # what is wrong with the group is told by what was asked before
        report.warnings += _strangers(admin, settings)


def _strangers(admin: ClusterAdmin, settings: KafkaSettings) -> list[str]:
    members = admin.members(settings.group_id)
    for _ in range(2 * JOINING_SECONDS):
        if are_all_there(members):
            break
        time.sleep(0.5)
        members = admin.members(settings.group_id)
    return strangers(members, settings)


def _group_right(access: Access, settings: KafkaSettings) -> str | None:
    """A heartbeat takes Read on the group, and does nothing where the group has no such member."""
    try:
        consumer = open_asking(access, settings)
    except Exception as error:  # noqa: BLE001 - as above
        return explain(error, settings)
    try:
        consumer.speak_for(Member(0, "check"), TIMEOUT_MS / 1000)
        consumer.confirm()
    except GroupAuthorizationFailedError as error:
        return explain(error, settings)
    except KafkaError:
        return None
    finally:
        consumer.close()
    return None


def _transactions_problem(admin: ClusterAdmin, settings: KafkaSettings) -> str | None:
    """To be allowed Write is to be allowed to look."""
    try:
        admin.topics_of(settings.transactional_id)
    except TransactionalIdAuthorizationFailedError as error:
        return explain(error, settings)
    except FAILURES:  # an old broker cannot be asked
        return None
    return None
