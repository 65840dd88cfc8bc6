"""Faults of every Kafka client that would use up the process, mended from outside."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from kafka.net.inet import KafkaNetSocket
from kafka.net.transport import KafkaSSLTransport, KafkaTCPTransport

Client = TypeVar("Client")


def opened(kind: Callable[..., Client], admit: Callable[[Any], None], /, **settings: Any) -> Client:
    """A client of class ``kind``; where its first connection fails, nothing of it is left behind.

    ``admit`` gets what makes its connections, before it makes the first.

    kafka-python (3.0.12) raises from the constructor and forgets a thread and its sockets: a broker that is away for an
    hour would take every descriptor there is.
    """
    started: list[Any] = []

    def start(*arguments: Any, **more: Any) -> Any:
        client = kind.DEFAULT_CONFIG["kafka_client"](*arguments, **more)  # type: ignore[attr-defined]  # untyped client
        started.append(client)
        admit(client._manager)  # noqa: SLF001 - there is no other way to it
        return client

    try:
        return kind(kafka_client=start, **settings)
    except BaseException:
        for client in started:
            client.close()
            client._manager._net.stop()  # noqa: SLF001 - what the admin client's own close does
        raise


def close_where_refused() -> None:
    """Makes the client close a socket whose connection or TLS handshake fails; called once, when this module is loaded.

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

    shake = KafkaSSLTransport.handshake

    @wraps(shake)
    async def closing_after(transport: Any) -> None:
        try:
            await shake(transport)
        except BaseException:
            transport._sock.close()  # noqa: SLF001 - the fault lies there
            raise

    KafkaNetSocket.sock_connect = closing
    KafkaSSLTransport.handshake = closing_after


def read_to_the_end() -> None:
    """Makes the client take in what a broker sends before it ends the connection; called once, as above.

    kafka-python (3.0.12) throws away what it reads together with the end of the connection: often the answer that says
    why a login is refused.
    """
    for transport in (KafkaTCPTransport, KafkaSSLTransport):
        transport._sock_recv = _before_the_end(transport._sock_recv)  # noqa: SLF001 - the fault lies there


def _before_the_end(receive: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def receiving(self: Any) -> Any:
        data, error = receive(self)
        return data, None if data else error  # the end is still there at the next look

    return receiving


close_where_refused()
read_to_the_end()
