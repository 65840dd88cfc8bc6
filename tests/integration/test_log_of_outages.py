"""What an operator reads of a broker that goes away and comes back, and of a clean start and stop."""

import json
from pathlib import Path
from typing import Any

from tests.integration.rigs.broker_rig import KafkaBroker, unique
from tests.integration.rigs.daemon import Daemon
from tests.integration.rigs.log_kinds import OF_THE_MACHINE, kinds_of
from tests.integration.rigs.prices import feed, records
from tests.integration.rigs.provider_rig import Provider
from tests.integration.rigs.wait import eventually

AT_AN_OUTAGE = {
    "a broker is lost, trying again until it is back",
    "the consumer failed and goes on",
    "results were not written, trying again",
}


def test_each_outage_is_told_once_in_our_own_words(tmp_path: Path, own_kafka: KafkaBroker, provider: Provider) -> None:
    topics = own_kafka.create_topic(unique("prices")), own_kafka.create_topic(unique("results"))
    daemon = Daemon(
        tmp_path / "daemon", kafka=own_kafka.bootstrap, endpoints=[provider.url], topics=topics, group=unique("group")
    )
    daemon.start()
    try:
        for number, end in enumerate([own_kafka.stop, own_kafka.kill], start=1):
            _settle(daemon, own_kafka, topics[0], number)
            assert _count(daemon, "a broker is lost") == number - 1
            end()
            eventually(lambda count=number: _count(daemon, "a broker is lost") == count, within=30, what="the loss")  # type: ignore[misc]
            own_kafka.start()
            eventually(lambda count=number: _count(daemon, "a broker is back") == count, within=60, what="its end")  # type: ignore[misc]
        _settle(daemon, own_kafka, topics[0], 3)
    finally:
        assert daemon.stop() == 0
    told = kinds_of([daemon.log])
    assert [kind.example for kind in told if kind.internal] == []
    # Whether somebody keeps the clock of the machine that tests this is another matter.
    lines = [
        line for line in _lines(daemon) if line["level"] in {"warning", "error"} and line["part"] not in OF_THE_MACHINE
    ]
    assert {line["event"] for line in lines} <= AT_AN_OUTAGE
    assert len(lines) <= 8
    both = [line for line in _lines(daemon) if line["event"].startswith("a broker is")]
    assert len(both) == 4
    for lost, back in zip(both[::2], both[1::2], strict=True):
        assert lost["broker"] == back["broker"] == own_kafka.bootstrap
        assert "consumer group" in lost["holds_up"]
        assert any(f"{topic}:0" in lost["holds_up"] for topic in topics)
        assert back["held_up"] == lost["holds_up"]
        assert back["away"].endswith(" s")


def _settle(daemon: Daemon, broker: KafkaBroker, prices: str, number: int) -> None:
    feed(broker, prices, records(50, seed=number))
    eventually(lambda: daemon.results() >= 50 * number, within=60, what="the results")


def _lines(daemon: Daemon) -> list[dict[str, Any]]:
    return [json.loads(line) for line in daemon.log.read_text().splitlines()]


def _count(daemon: Daemon, event: str) -> int:
    return sum(line["event"].startswith(event) for line in _lines(daemon))
