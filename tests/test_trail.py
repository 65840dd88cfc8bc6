"""What a process leaves for an audit: rules once for each digest, events in order, each as its schema says."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it has no types
import pytest

from contribd import trail as trail_module
from contribd.audit.events import decode_event, event_schema
from contribd.config.load import load
from contribd.config.rebuild import rebuilt
from contribd.config.rules import Rules
from contribd.engine.records.pauses import PauseKind, Selector
from contribd.ops.snapshot import ClockView, ReloadView
from contribd.pausing.book import Caller
from contribd.pausing.pause_orders import PauseOrder
from contribd.streams.client.settings import KafkaSettings
from contribd.trail import AuditTrail

CONFIG = """
kafka: {bootstrap_servers: "kafka1:9092", client: {sasl_plain_password: "sesame-open"}}
ads: {endpoints: ["ws://ads1:15000/WebSocket"], service: TRCC}
mappings: [fx.yaml]
"""
SETTINGS = KafkaSettings(
    ("k1:9092",), "g", ("prices",), "results", None, "latest", "one", {}, rules_topic="rules", events_topic="events"
)
ANNA = Caller("anna (uid 7)", 7)


class Kept:
    """Stands for the thread that writes."""

    def __init__(self) -> None:
        self.records: list[tuple[str, bytes, bytes]] = []
        self.stopped = False

    def keep(self, topic: str, key: bytes, value: bytes) -> None:
        self.records.append((topic, key, value))

    def run(self) -> None:
        """Writes nothing."""

    def stop(self) -> None:
        self.stopped = True

    def of(self, topic: str) -> list[Any]:
        return [json.loads(value) for name, _, value in self.records if name == topic]


@pytest.fixture
def rules(tmp_path: Path) -> Callable[[str], Rules]:
    """The rules of a mapping with this RIC."""

    def made(ric: str) -> Rules:
        (tmp_path / "fx.yaml").write_text(f'mappings:\n  - {{name: fx, ric: "{ric}", fields: {{BID: bid}}}}\n')
        (tmp_path / "contribd.yaml").write_text(CONFIG)
        return load(tmp_path / "contribd.yaml").rules

    return made


def test_each_event_is_told_as_its_schema_says_and_rules_once_for_each_digest(rules: Callable[[str], Rules]) -> None:
    in_force, kept = rules("{pair}=A"), Kept()
    first = in_force
    trail = AuditTrail(SETTINGS, kept, lambda: in_force)  # type: ignore[arg-type]  # it only keeps
    trail.start()
    trail.clock(ClockView(synchronized=True))
    trail.clock(ClockView(synchronized=True))
    trail.ordered(PauseOrder(Selector(PauseKind.RIC, "EUR*"), "feed broken"), ANNA, "paused", done=True)
    trail.reloaded(ReloadView(1.0, ANNA, False, first.digest, "nothing changed", ("fx.yaml:2: wrong",)))
    in_force = rules("{pair}=B")
    trail.reloaded(ReloadView(2.0, ANNA, True, in_force.digest, "in force"))
    trail.reloaded(ReloadView(3.0, "anna (uid 7)", True, in_force.digest, "nothing has changed"))
    trail.stop()
    events = kept.of("events")
    for event in events:
        jsonschema.validate(event, event_schema())
    assert [event["event"] for event in events] == ["start", "clock", "order", "reload", "reload", "reload", "stop"]
    assert len({event["id"] for event in events}) == len(events)
    order, refused = events[2], events[3]
    assert (order["order"], order["by"], order["reason"], order["done"]) == (
        "pause RICs EUR*",
        "anna (uid 7)",
        "feed broken",
        True,
    )
    assert (refused["done"], refused["answer"]) == (False, "nothing changed | fx.yaml:2: wrong")
    assert [event["config"] for event in events] == [first.digest] * 4 + [in_force.digest] * 3
    assert [document["digest"] for document in kept.of("rules")] == [first.digest, in_force.digest]
    assert kept.stopped


def test_what_is_kept_makes_the_same_rules_and_holds_no_secret(rules: Callable[[str], Rules]) -> None:
    kept, in_force = Kept(), rules("{pair}=A")
    AuditTrail(SETTINGS, kept, lambda: in_force).start()  # type: ignore[arg-type]  # it only keeps
    [document] = kept.of("rules")
    again = rebuilt(document, "kept")
    assert (again.digest, again.notes) == (in_force.digest, ())
    assert "sesame-open" not in json.dumps(document)


def test_an_event_reads_back() -> None:
    kept = Kept()
    AuditTrail(SETTINGS, kept, lambda: _Empty).stop()  # type: ignore[arg-type,return-value]  # only a digest is asked
    [(_, key, value)] = kept.records
    event = decode_event(value)
    assert (key, event.event, event.config) == (b"one", "stop", "d")


class _Empty:
    digest = "d"


def test_a_fault_of_ours_costs_an_event_and_nothing_else(
    rules: Callable[[str], Rules], monkeypatch: pytest.MonkeyPatch
) -> None:
    in_force, kept, told = rules("{pair}=A"), Kept(), list[str]()
    trail = AuditTrail(SETTINGS, kept, lambda: in_force)  # type: ignore[arg-type]  # it only keeps

    def failing(_event: object) -> bytes:
        raise TypeError("no")

    monkeypatch.setattr(trail_module, "encode_event", failing)
    monkeypatch.setattr(trail_module, "_log", SimpleNamespace(exception=lambda text, **_: told.append(text)))
    trail.reloaded(ReloadView(1.0, ANNA, True, in_force.digest, "in force"))
    assert kept.of("events") == []
    assert len(kept.of("rules")) == 1
    assert told == ["an event cannot be written, which is a fault of contribd: report it"]
