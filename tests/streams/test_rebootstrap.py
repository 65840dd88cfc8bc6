"""Where no known broker answers, the bootstrap servers are asked again, and the known ones too."""

import asyncio
from typing import Any, NamedTuple

import pytest

from contribd.streams.client.rebootstrap import begin_again


class Broker(NamedTuple):
    node_id: Any
    host: str
    port: int


class Connection(NamedTuple):
    connected: bool


class Cluster:
    """What of kafka-python's is asked; ``asked`` are the nodes that a refresh was sent to, None its own choice."""

    def __init__(self) -> None:
        self.known = [Broker(1, "old1", 9092), Broker(2, "old2", 9092)]
        self.asked: list[Any] = []

    def brokers(self) -> list[Broker]:
        return self.known

    def bootstrap_brokers(self) -> list[Broker]:
        return [Broker("bootstrap-0", "kafka", 9092)]

    async def refresh_metadata(self, node_id: Any = None) -> None:
        self.asked.append(node_id)
        if node_id == "bootstrap-0":
            self.known = [Broker(1, "new1", 9092), Broker(2, "new2", 9092)]


class Manager:
    def __init__(self) -> None:
        self.cluster = Cluster()
        self.closed: list[Any] = []
        self._conns: dict[Any, Connection] = {}
        self._backoff: dict[Any, float] = {}

    def fails(self, *nodes: Any) -> None:
        """The last tries to connect to these failed."""
        self._backoff.update(dict.fromkeys(nodes, 0.0))

    def connects(self, node: Any) -> None:
        self._conns[node] = Connection(connected=True)

    def waits(self, node: Any) -> None:
        self._backoff[node] = 1.0

    def connection_delay(self, node: Any) -> float:
        return self._backoff.get(node, 0.0)

    def close(self, node: Any) -> None:
        self.closed.append(node)


@pytest.fixture
def manager() -> Manager:
    return Manager()


def refresh(manager: Manager, times: int = 1, node: Any = None) -> list[set[str]]:
    """What is said to be found by so many refreshes."""
    found: list[set[str]] = []
    begin_again(manager, found.append)
    for _ in range(times):
        asyncio.run(manager.cluster.refresh_metadata(node))
    return found


def test_where_none_answers_a_bootstrap_server_is_asked_and_let_go(manager: Manager) -> None:
    manager.fails(1, 2)
    assert refresh(manager) == [{"new1:9092", "new2:9092"}]
    assert manager.cluster.asked == ["bootstrap-0"]
    assert manager.closed == ["bootstrap-0"]


def test_the_known_ones_are_asked_in_between(manager: Manager) -> None:
    manager.fails(1, 2)
    refresh(manager, 4)
    assert manager.cluster.asked == ["bootstrap-0", None, "bootstrap-0", None]


@pytest.mark.parametrize("answers", ["not tried", "connected"])
def test_nobody_begins_again_while_one_may_answer(manager: Manager, answers: str) -> None:
    manager.fails(1)
    if answers == "connected":
        manager.fails(2)
        manager.connects(2)
    assert refresh(manager, 2) == []
    assert manager.cluster.asked == [None, None]


def test_a_bootstrap_server_that_failed_just_now_waits(manager: Manager) -> None:
    manager.fails(1, 2)
    manager.waits("bootstrap-0")
    assert refresh(manager) == []
    assert manager.cluster.asked == [None]


def test_whoever_asks_for_a_node_gets_it(manager: Manager) -> None:
    manager.fails(1, 2)
    assert refresh(manager, node=2) == []
    assert manager.cluster.asked == [2]


def test_a_client_that_has_just_started_is_left_alone(manager: Manager) -> None:
    manager.cluster.known = []
    assert refresh(manager) == []
