"""A transaction's requests outlive the broker they were meant for, and what cannot succeed any more fails."""

from typing import Any

import pytest
from kafka.errors import KafkaConnectionError, KafkaError
from kafka.producer.transaction_manager import TransactionManager, TransactionState

from contribd.streams.client.producer_faults import CONNECT_SECONDS, fail_for_good, keep_requests


class NetworkClient:
    """``answer``: what comes of waiting for a connection; ``waited``: for how long."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.waited: list[float] = []
        self.polled = 0

    def await_ready(self, _node: Any, timeout_ms: float) -> bool:
        self.waited.append(timeout_ms)
        if isinstance(self.answer, Exception):
            raise self.answer
        return bool(self.answer)

    def poll(self, timeout_ms: float) -> None:
        assert timeout_ms > 0
        self.polled += 1


class Producer:
    def __init__(self, client: Any = None, manager: Any = None) -> None:
        self._sender = self
        self._client = client
        self._transaction_manager = manager


def test_a_node_that_cannot_be_reached_is_not_ready() -> None:
    # The sender tries a request again where it is told so, and forgets it where the error reaches it.
    client = NetworkClient(KafkaConnectionError("Node 1 not ready after 30000 ms"))
    keep_requests(Producer(client))
    assert client.await_ready(1, timeout_ms=30_000) is False
    assert client.waited == [CONNECT_SECONDS * 1000]
    assert client.polled == 1


def test_a_node_that_can_be_reached_is() -> None:
    client = NetworkClient(answer=True)
    keep_requests(Producer(client))
    assert client.await_ready(1, timeout_ms=30_000) is True
    assert client.polled == 0


def test_a_commit_fails_where_the_brokers_know_the_transaction_no_more() -> None:
    manager = TransactionManager(transactional_id="one", api_version=(4, 1))
    manager._current_state = TransactionState.IN_TRANSACTION
    manager._transaction_started = True
    fail_for_good(Producer(manager=manager))
    commit = manager.begin_commit()
    manager.bump_producer_id_and_epoch()
    manager.bump_producer_id_and_epoch()
    assert manager.next_request_handler(has_incomplete_batches=False) is None
    with pytest.raises(KafkaError, match="what was written before"):
        commit.wait(timeout_ms=0)
