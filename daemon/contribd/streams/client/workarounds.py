"""Faults of every Kafka client that would use up the process, mended from outside."""

from collections.abc import Callable
from typing import Any, TypeVar

from kafka.net.inet import KafkaNetSocket

Client = TypeVar("Client")


def opened(kind: Callable[..., Client], **settings: Any) -> Client:
    """A client of class ``kind``; where its first connection fails, nothing of it is left behind.

    kafka-python (3.0.12) raises from the constructor and forgets a thread and its sockets: a broker that is away for an
    hour would take every descriptor there is.
    """
    started: list[Any] = []

    def start(*arguments: Any, **more: Any) -> Any:
        client = kind.DEFAULT_CONFIG["kafka_client"](*arguments, **more)  # type: ignore[attr-defined]  # untyped client
        started.append(client)
        return client

    try:
        return kind(kafka_client=start, **settings)
    except BaseException:
        for client in started:
            client.close()
            client._manager._net.stop()  # noqa: SLF001 - what the admin client's own close does
        raise


def close_where_refused() -> None:
    """Makes the client close a socket whose connection fails; called once, when this module is loaded.

    kafka-python (3.0.12) leaves it to the garbage collector, which may be far away in a daemon that makes little
    garbage, while a broker is tried again several times a second.
    """
    connect = KafkaNetSocket.sock_connect

    async def closing(self: Any, net: Any, sock: Any, sockaddr: Any, timeout_at: float | None = None) -> Any:
        try:
            return await connect(self, net, sock, sockaddr, timeout_at)
        except BaseException:
            sock.close()
            raise

    KafkaNetSocket.sock_connect = closing


close_where_refused()
