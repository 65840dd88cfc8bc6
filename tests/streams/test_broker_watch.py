"""One line when a broker is lost, and one when it is back."""

import pytest

from contribd.streams.client.broker_watch import BrokerWatch

WHY = "broker k1:9092 refuses connections"


def test_a_broker_is_lost_once_and_back_once(capsys: pytest.CaptureFixture[str]) -> None:
    now = 100.0
    watch = BrokerWatch(lambda: now)
    watch.connected("k1:9092")
    watch.disconnected()
    assert (watch.problem(), capsys.readouterr().err) == (None, "")
    watch.unreachable("k1:9092", WHY)
    watch.unreachable("k1:9092", WHY)
    assert watch.problem() == WHY
    assert capsys.readouterr().err.count("a broker is lost") == 1
    now += 2
    watch.connected("k1:9092")
    assert watch.problem() is None


def test_one_that_was_never_reached_is_not_lost(capsys: pytest.CaptureFixture[str]) -> None:
    watch = BrokerWatch(lambda: 0.0)
    watch.unreachable("k1:9092", WHY)
    assert (watch.problem(), capsys.readouterr().err) == (None, "")


def test_nothing_is_wrong_while_another_is_connected() -> None:
    watch = BrokerWatch(lambda: 0.0)
    for broker in ("k1:9092", "k2:9092"):
        watch.connected(broker)
    watch.disconnected()
    watch.unreachable("k1:9092", WHY)
    assert watch.problem() is None
    watch.disconnected()
    assert watch.problem() == WHY


def test_brokers_that_are_elsewhere_now_are_waited_for_no_longer(capsys: pytest.CaptureFixture[str]) -> None:
    watch = BrokerWatch(lambda: 0.0)
    for broker in ("old:9092", "same:9092"):
        watch.connected(broker)
        watch.disconnected()
        watch.unreachable(broker, WHY)
    assert watch.moved({"new:9092", "same:9092"}) == {"old:9092"}
    capsys.readouterr()
    watch.unreachable("old:9092", WHY)
    assert capsys.readouterr().err == ""
    assert watch.moved({"new:9092", "same:9092"}) == set()
    watch.connected("same:9092")
    watch.disconnected()
    assert watch.problem() is None
