"""What ``contribd check --connect`` finds at Kafka and at the ADS endpoints, and how it is shown."""

from dataclasses import asdict, dataclass
from random import Random
from typing import TYPE_CHECKING, Any

from rich.text import Text

from contribd.cli.common import output
from contribd.config.load import Loaded

if TYPE_CHECKING:
    from contribd.checks.ads import EndpointReport
    from contribd.checks.kafka import KafkaReport, TopicReport


@dataclass(frozen=True, slots=True)
class Environment:
    """One report for Kafka, and one for each endpoint in order of preference."""

    kafka: "KafkaReport"
    endpoints: "list[EndpointReport]"

    @property
    def problems(self) -> bool:
        """Whether the daemon would have something to wait for."""
        return bool(self.kafka.problems) or any(each.problem for each in self.endpoints)

    def document(self) -> dict[str, Any]:
        """For ``--json``."""
        kafka = {**asdict(self.kafka), "problems": self.kafka.problems}
        return {"reachable": not self.problems, "kafka": kafka, "endpoints": [asdict(each) for each in self.endpoints]}

    def print(self) -> None:
        """For people: a line each, what is wrong in red."""
        _line("kafka", self.kafka.brokers, self.kafka.problem)
        for topic in self.kafka.topics:
            _line(f"  {topic.role}", _topic_text(topic), _topic_problem(topic))
            _warn(topic.warnings)
        if self.kafka.problem is None:
            committed = self.kafka.committed
            _line("  group", f"{self.kafka.group}, offsets in {committed} partitions", self.kafka.group_problem)
            if self.kafka.transactions_problem is not None:
                _line("  writing", "", self.kafka.transactions_problem)
            limits = self.kafka.limits_problem
            _line("  limits", _LIMITS[self.kafka.limits_known] if limits is None else "", limits)
            _warn(self.kafka.warnings)
        for endpoint in self.endpoints:
            _line("ads", endpoint.endpoint, endpoint.problem)
            for name, text in _facts(endpoint):
                _line(f"  {name}", text)


def look_around(loaded: Loaded) -> Environment:
    """Reaches Kafka, and logs in to every endpoint. Posts and writes nothing."""
    # Heavy: the Kafka client takes longer to load than everything else here takes to run.
    from contribd import build
    from contribd.checks.ads import inspect_endpoint
    from contribd.checks.kafka import inspect_kafka
    from contribd.ops import log

    settings = loaded.settings
    log.configure("error", "console", secrets=sorted(loaded.secrets))
    policy, options, tokens = build.session(loaded, Random()), build.connection(settings), build.tokens(settings)
    endpoints = [inspect_endpoint(url, policy, options, tokens) for url in settings.ads.endpoints]
    return Environment(inspect_kafka(build.kafka(loaded, Random())), endpoints)


def _line(name: str, text: str, problem: str | None = None) -> None:
    line = Text(f"{name:<13}")
    line.append(text if problem is None else f"{text}: " if text else "")
    if problem is not None:
        line.append(problem, style="bold red")
    output().print(line)


def _warn(warnings: list[str]) -> None:
    for text in warnings:
        output().print(Text(f"{'  warning':<13}").append(text, style="yellow"))


_LIMITS = {
    True: "within those of the brokers",
    False: "not known: the brokers tell their settings to whom is allowed DescribeConfigs on the cluster",
}


def _topic_text(topic: "TopicReport") -> str:
    if not topic.partitions:
        return topic.topic
    allowed = "" if topic.missing is not None else "; the broker does not say what is allowed"
    return f"{topic.topic}, {topic.partitions} partitions{allowed}"


def _topic_problem(topic: "TopicReport") -> str | None:
    """Without the role and the name, which stand before it on the line."""
    if topic.problem is not None and not topic.partitions:
        return "no such topic, or no permission to see it"
    return None if topic.problem is None else topic.problem.removeprefix(f"{topic.role}: ")


def _facts(endpoint: "EndpointReport") -> list[tuple[str, str]]:
    facts: list[tuple[str, str]] = []
    if endpoint.address is not None:
        tls = endpoint.tls or "no TLS"
        facts.append(("address", f"{endpoint.address}, {tls}, connected in {_milliseconds(endpoint.connected_in)}"))
    facts += [("failed", text) for text in endpoint.failed_addresses]
    if endpoint.position is not None:
        facts.append(("from", f"position {endpoint.position}, poster {endpoint.poster}"))
    if endpoint.logged_in:
        posting = {True: "posts are taken", False: "posts are not taken", None: "does not say whether posts are taken"}
        limits = f"at most {endpoint.max_message_size} bytes a message, ping timeout {endpoint.ping_timeout:g} s"
        facts.append(("login", f"open; {posting[endpoint.posting]}; {limits}"))
        facts.append(("round trip", _milliseconds(endpoint.round_trip)))
    if endpoint.services:
        words = {True: "up", False: "down or unknown", None: "not said: the server has no source directory"}
        facts.append(("services", ", ".join(f"{name} {words[up]}" for name, up in endpoint.services.items())))
    return facts


def _milliseconds(seconds: float | None) -> str:
    return "no answer" if seconds is None else f"{seconds * 1000:.1f} ms"
