"""The connection of a simulated daemon: what ``contribd.session.link`` and the connector do, on a simulated wire."""

from collections.abc import Callable

from contribd.engine.endpoints import Failure
from contribd.session.frames import CLOSE, TEXT, FrameDecoder, FrameError
from contribd.simulation.world.host import Life
from contribd.simulation.world.venue import Venue
from contribd.simulation.world.wire import MAX_PAYLOAD, Wire


class LinkLost(Exception):
    """The connection ended; ``texts`` came before it did."""

    def __init__(self, failure: Failure, text: str, texts: list[bytes]) -> None:
        super().__init__(text)
        self.failure = failure
        self.texts = texts


class Link:
    """Frames over one wire, as far as the process has read it."""

    def __init__(self, life: Life, wire: Wire, wake: Callable[[], None], lapsed: Callable[[], bool]) -> None:
        """``wake``: called when something came; ``lapsed``: whether posts that lie unsent may not go just now."""
        self.wire = wire
        self._life = life
        self._wake = wake
        self._lapsed = lapsed
        self._decoder = FrameDecoder(max_payload=MAX_PAYLOAD)
        self._arrived: list[bytes] = []
        self._ended = False
        self._flush_planned = False
        wire.on_bytes = self._on_bytes
        wire.on_end = self._on_end

    def _on_bytes(self, data: bytes) -> None:
        self._arrived.append(data)
        self._wake()

    def _on_end(self) -> None:
        self._ended = True
        self._wake()

    def send(self, texts: list[bytes]) -> None:
        """Sends what the socket takes; raises ``LinkLost`` where the connection is known to have ended."""
        if self._ended:
            raise LinkLost(Failure.NETWORK, "connection reset", [])
        held = self.wire.wants_write and self._lapsed()
        self.wire.send(texts)
        if not held:
            self.wire.flush()
        self._watch()

    def _watch(self) -> None:
        if self.wire.wants_write and not self._flush_planned:
            self._flush_planned = True
            self._life.later(0.05, self._flush)

    def _flush(self) -> None:
        self._flush_planned = False
        if self.wire.open:
            if not self._lapsed():
                self.wire.flush()
            self._watch()

    @property
    def overdue(self) -> int:
        """Bytes that wait for the server to read, and not for the group to confirm us."""
        return 0 if self._lapsed() else self.wire.unsent

    def receive(self) -> list[bytes]:
        """The texts that have come. Raises ``LinkLost``."""
        texts: list[bytes] = []
        arrived, self._arrived = self._arrived, []
        for data in arrived:
            try:
                frames = self._decoder.feed(data)
            except FrameError as error:
                raise LinkLost(Failure.PROTOCOL, str(error), texts) from error
            for opcode, payload in frames:
                if opcode == TEXT:
                    texts.append(payload)
                elif opcode == CLOSE:
                    raise LinkLost(Failure.CLOSED_BY_SERVER, "the server closed the session", texts)
        if self._ended:
            raise LinkLost(Failure.CLOSED_BY_SERVER, "the server closed the connection", texts)
        return texts

    def close(self, *, clean: bool = True) -> None:
        """Hangs up; unless ``clean``, what the server has not got yet is thrown away."""
        self.wire.hang_up(clean=clean)


def connect(life: Life, venue: Venue, wake: Callable[[], None], lapsed: Callable[[], bool]) -> Link | None:
    """A connection to this endpoint, None where there is none to be had; the rest as for ``Link``."""
    if not venue.reachable:
        return None
    schedule, plan = life.world.schedule, life.world.plan
    rng = schedule.rng
    wire = Wire(schedule, rng, latency=rng.choice((0.0003, 0.003, 0.04)), room=plan.socket_room, cuts=0.1)
    life.world.oracle.connected(life, wire)
    link = Link(life, wire, wake, lapsed)
    venue.accept(wire)
    return link
