"""Beginning again from ``bootstrap_servers`` where no broker that is known answers (KIP-899).

kafka-python (3.0.12) asks them when a client starts and never after: brokers that all have other addresses, as after a
move to new hosts or to pods with new names, would not be found again before a restart. Java's client does as is done
here since 4.0 (``metadata.recovery.strategy=rebootstrap``).

Where nothing known answers, every other question for the cluster's metadata goes to a bootstrap server, whose name is
resolved anew; the one between goes to a known broker, since they may merely have been away, and the bootstrap servers
may be gone. A broker does not answer where the last try to connect to it failed.
"""

import itertools
import random
from collections.abc import Callable
from typing import Any


def begin_again(manager: Any, found: Callable[[set[str]], None]) -> None:
    """Makes the client of this connection ``manager`` do so.

    ``found`` gets the addresses of all brokers, in the client's thread, whenever a bootstrap server has told them.
    """
    cluster = manager.cluster
    refresh, turns = cluster.refresh_metadata, itertools.count()

    async def refreshing(node: Any = None) -> None:
        entry = None
        if node is None and _nothing_known_answers(manager) and next(turns) % 2 == 0:
            entry = _entry(manager)
        await refresh(node if entry is None else entry)
        if entry is not None:
            manager.close(entry)
            found({f"{broker.host}:{broker.port}" for broker in cluster.brokers()})

    cluster.refresh_metadata = refreshing


def _nothing_known_answers(manager: Any) -> bool:
    brokers = [broker.node_id for broker in manager.cluster.brokers()]
    return bool(brokers) and not any(_may_answer(manager, node) for node in brokers)


def _may_answer(manager: Any, node: Any) -> bool:
    connection = manager._conns.get(node)  # noqa: SLF001 - the client tells of its connections nowhere else
    return (connection is not None and connection.connected) or node not in manager._backoff  # noqa: SLF001


def _entry(manager: Any) -> Any:
    """A bootstrap server that may be tried now, None where all are to wait."""
    nodes = [broker.node_id for broker in manager.cluster.bootstrap_brokers()]
    return random.choice([node for node in nodes if not manager.connection_delay(node)] or [None])
