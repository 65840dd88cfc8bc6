"""How the clients of one process get in to the brokers: each connection is admitted, followed and accounted for.

kafka-python (3.0.12) tells why a connection failed in its own log alone: whoever opens a client learns that it was
"unable to bootstrap". It logs in again a few times a second where it is refused, with the credentials that it was made
with. Here the cause is kept and raised, refused logins wait (``logins``), credentials that stand in files are read anew
before each connection, and brokers that are lost and come back are told of (``broker_watch``).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeVar
from weakref import WeakSet

from kafka.errors import NodeNotReadyError
from kafka.protocol.sasl import SaslHandshakeRequest

from contribd.ops.log import get_logger
from contribd.streams.client.broker_watch import BrokerWatch
from contribd.streams.client.errors import KafkaTimeoutError, LoginRefused, NoBroker
from contribd.streams.client.held_up import held_up
from contribd.streams.client.logins import Logins
from contribd.streams.client.rebootstrap import begin_again
from contribd.streams.client.sentences import LOGIN_REFUSALS, explain_connection
from contribd.streams.client.settings import KafkaSettings
from contribd.streams.client.workarounds import opened
from contribd.streams.runtime import THREADS

Client = TypeVar("Client")

_log = get_logger("kafka")


class Access:
    """Shared by all clients of a process; they call it in their own threads."""

    def __init__(self, settings: KafkaSettings, clock: Callable[[], float] = THREADS.mono) -> None:
        """``clock`` in monotonic seconds."""
        self._settings = settings
        self._logs_in = "SASL" in str(settings.client.get("security_protocol"))
        self._logins = Logins(settings.login_wait, clock)
        self._brokers = BrokerWatch(clock)
        self._clusters: WeakSet[Any] = WeakSet()
        """What each client that is open knows of the cluster."""

    def problem(self) -> str | None:
        """Why nothing can be asked of any broker just now, in a sentence; None where that is not so."""
        return self._logins.refusal or self._brokers.problem()

    def opened(self, kind: Callable[..., Client], **settings: Any) -> Client:
        """A client of class ``kind``, connected. Raises ``NoBroker``, or what the client raises otherwise."""
        self.raise_refusal()
        failures: dict[str, str] = {}
        try:
            return opened(kind, lambda manager: self._admit(manager, failures), **settings)
        except KafkaTimeoutError as error:
            if not failures:
                raise
            self._logins.raised()
            raise NoBroker("; ".join(dict.fromkeys(failures.values()))) from error

    def _admit(self, manager: Any, failures: dict[str, str]) -> None:
        """Follows all connections that a client's ``manager`` makes; ``failures``: why, by broker."""
        begin_again(manager, self.found)
        self._clusters.add(manager.cluster)
        connector = _Connector(self, manager, failures)
        manager.get_connection = connector.get_connection
        if self._logs_in:
            manager.connection_delay = connector.connection_delay

    # What a client asks before it makes a connection

    def raise_refusal(self) -> None:
        """Raises ``LoginRefused`` while none may be made to any broker: a client that starts is made anew later."""
        refusal = self._logins.refusal
        if refusal is not None and self._logins.delay(None, self._settings.reread()):
            self._logins.raised()
            raise LoginRefused(refusal)

    def delay(self, address: str) -> float:
        """Seconds for which none is made to this broker."""
        return self._logins.delay(address, self._settings.reread())

    def enter(self, address: str) -> Mapping[str, Any] | None:
        """The settings from files for a connection to this broker; None where it must wait."""
        fresh = self._settings.reread()
        return None if self._logs_in and self._logins.attempt(address, fresh) else fresh

    # What becomes of a connection

    def made(self, address: str) -> None:
        """A broker has let one in."""
        self._brokers.connected(address)
        untold = self._logins.untold
        if self._logs_in and self._logins.succeeded(address):
            if untold is not None:  # of a client that is being opened, and whose opening did not fail after all
                _log.warning(f"a login was refused: {untold}")
            _log.info("the brokers take the login again", broker=address)

    def closed(self) -> None:
        """One that was let in has ended."""
        self._brokers.disconnected()

    def found(self, addresses: set[str]) -> None:
        """Where nothing known answered, a bootstrap server has told all brokers."""
        if gone := self._brokers.moved(addresses):
            _log.info("the brokers are at other addresses now", brokers=_listed(addresses), before=_listed(gone))

    def failed(self, connection: "_Connection", error: BaseException) -> None:
        """One was not let in, or has broken."""
        if connection.manager.closed:
            self._logins.failed()
            return
        address = connection.address
        settings = replace(self._settings, client={**self._settings.client, **connection.fresh})
        text = explain_connection(address, error, settings, was_made=connection.was_made, offers=connection.offers)
        connection.failures[address] = text
        if isinstance(error, LOGIN_REFUSALS):
            if connection.fresh != self._settings.reread():
                self._logins.failed()  # there are other credentials by now, which are tried at once
                return
            self._logins.refused(address, connection.fresh, text)
            # Whoever opens a client is told by what that raises; one that was open has nobody to tell it to.
            if connection.manager.bootstrapped and self._logins.tell(text):
                _log.warning(f"a login was refused, trying again: {text}")
        elif not connection.was_made:
            self._logins.failed()
            self._brokers.unreachable(address, text, lambda: held_up(self._clusters, address, self._settings))


def _listed(addresses: set[str]) -> str:
    return ", ".join(sorted(addresses))


class _Connector:
    """Where one client's connections are made: stands before its manager's own methods."""

    def __init__(self, access: Access, manager: Any, failures: dict[str, str]) -> None:
        self._access = access
        self._manager = manager
        self._failures = failures
        self._connect, self._own_delay = manager.get_connection, manager.connection_delay
        self._entering: set[Any] = set()
        """Brokers to which a connection was admitted, and is being made."""

    def get_connection(self, node: Any, *arguments: Any, **more: Any) -> Any:
        """The one there is, or a new one, admitted and followed."""
        manager = self._manager
        if not manager.bootstrapped:
            self._access.raise_refusal()
        address = None if self._is_open(node) or self._own_delay(node) > 0 else self._address(node)
        if address is None:
            return self._connect(node, *arguments, **more)
        fresh = self._access.enter(address)
        if fresh is None:
            raise NodeNotReadyError(node)
        manager.config.update({name: value for name, value in fresh.items() if name in manager.config})
        self._entering.add(node)
        try:
            connection = self._connect(node, *arguments, **more)
        finally:
            self._entering.discard(node)
        _follow(connection, _Connection(self._access, manager, address, fresh, self._failures))
        return connection

    def connection_delay(self, node: Any) -> float:
        """Seconds for which no connection is made."""
        address = None if node in self._entering or self._is_open(node) else self._address(node)
        ours = self._access.delay(address) if address is not None else 0.0
        return max(float(self._own_delay(node)), ours)

    def _is_open(self, node: Any) -> bool:
        known = self._manager._conns.get(node)  # noqa: SLF001 - what get_connection asks
        return known is not None and not known.closed

    def _address(self, node: Any) -> str | None:
        broker = self._manager.cluster.broker_metadata(node)
        return None if broker is None else f"{broker.host}:{broker.port}"


class _Connection:
    """What is known of one connection; tells ``access`` what becomes of it."""

    def __init__(
        self, access: Access, manager: Any, address: str, fresh: Mapping[str, Any], failures: dict[str, str]
    ) -> None:
        """``manager``: the client's that makes it; ``fresh``: the settings from files that it is made with."""
        self._access = access
        self.manager, self.address, self.fresh, self.failures = manager, address, fresh, failures
        self.was_made = False
        self.offers: tuple[str, ...] = ()
        """The mechanisms by which the broker takes logins."""
        self._has_failed = False

    def offered(self, mechanisms: Iterable[str]) -> None:
        """The broker has said by which mechanisms it takes logins."""
        self.offers = tuple(mechanisms)

    def made(self, _value: Any) -> None:
        """The broker has let us in."""
        self.was_made = True
        self._access.made(self.address)

    def closed(self, _value: Any) -> None:
        """It has ended, for whatever reason."""
        if self.was_made:
            self._access.closed()

    def failed(self, error: BaseException) -> None:
        """It has not come about, or has broken: said of both its beginning and its end."""
        if not self._has_failed:
            self._has_failed = True
            self._access.failed(self, error)


def _follow(connection: Any, followed: _Connection) -> None:
    """Tells ``followed`` of a ``KafkaConnection``."""
    connection.init_future.add_callback(followed.made)
    connection.init_future.add_errback(followed.failed)
    connection.close_future.add_both(followed.closed)
    connection.close_future.add_errback(followed.failed)
    if not connection.sasl_enabled:
        return
    send = connection._send_request  # noqa: SLF001 - the client drops this part of the answer

    def sending(request: Any, *arguments: Any, **more: Any) -> Any:
        answer = send(request, *arguments, **more)
        if isinstance(request, SaslHandshakeRequest):
            connection._send_request = send  # noqa: SLF001 - as above
            answer.add_callback(lambda found: followed.offered(found.mechanisms))
        return answer

    connection._send_request = sending  # noqa: SLF001 - as above
