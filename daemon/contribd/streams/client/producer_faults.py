"""Faults of kafka-python's producer that would stall a transaction, mended from outside."""

from typing import Any, Final

from kafka.errors import KafkaConnectionError

from contribd.streams.client.errors import PlainError

CONNECT_SECONDS: Final = 1.0
"""How long a request waits for a connection before it is asked anew who is to get it; the connection goes on coming
about meanwhile."""

PAUSE_SECONDS: Final = 0.1
"""Before it is asked anew where no connection can be made: brokers tell of one that died for nine seconds as if it
lived."""


def keep_requests(producer: Any) -> None:
    """Makes a transactional request outlive its coordinator; called once, before the first of them.

    kafka-python (3.0.12) forgets a request whose coordinator it cannot connect to: its own code tries again where it is
    told that there is no connection, but is told so by an exception. Whoever waits for the outcome waits for ever. And
    while it connects to a host that does not answer, up to half a minute, it does nothing else.
    """
    client = producer._sender._client  # noqa: SLF001 - the fault lies there, and there is no other way to it
    ready = client.await_ready

    def is_ready(node: Any, timeout_ms: float = 0) -> bool:
        try:
            return bool(ready(node, timeout_ms=min(timeout_ms, CONNECT_SECONDS * 1000)))
        except KafkaConnectionError:
            client.poll(timeout_ms=PAUSE_SECONDS * 1000)
            return False

    client.await_ready = is_ready


def fail_for_good(producer: Any) -> None:
    """Makes a transaction end that the brokers know no more, instead of beginning another under it; called once.

    kafka-python (3.0.12) takes a new epoch for the producer then, with which the brokers abort the transaction
    (KIP-360), and forgets that its commit was asked for: whoever waits for the outcome waits for ever. A producer whose
    transaction failed is never used again here, so it needs no epoch.
    """
    manager = producer._transaction_manager  # noqa: SLF001 - the fault lies there

    def failing() -> None:
        if not manager.has_fatal_error():
            manager.transition_to_fatal_error(PlainError("the brokers know no more what was written before"))

    manager.bump_producer_id_and_epoch = failing
