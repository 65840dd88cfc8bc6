"""A TCP proxy that makes a network's faults on demand: cut, refused, silent, slow, other bytes than were sent."""

import select
import socket
import struct
import threading
import time
from enum import Enum

CHUNK_BYTES = 65536
TURN_SECONDS = 0.02  # how soon a link sees a change of what it should do
CONNECT_SECONDS = 5.0
RESET_AT_CLOSE = struct.pack("ii", 1, 0)  # lingering switched on, for no time: closing then sends RST


class Direction(Enum):
    """Which way bytes flow, as seen by the client."""

    UP = "client to server"
    DOWN = "server to client"


class Weather:
    """What the links of one proxy have to put up with; read by their threads, set by the test's."""

    def __init__(self) -> None:
        self.stalled: frozenset[Direction] = frozenset()
        self.bytes_per_second: float | None = None
        self.swapped = (b"", b"")


class _Lane:
    """One direction of one link. Bytes read but not yet written wait in ``held``."""

    def __init__(self, direction: Direction, source: socket.socket, sink: socket.socket, weather: Weather) -> None:
        self._direction = direction
        self._weather = weather
        self._ready_at = 0.0
        self.source = source
        self.sink = sink
        self.held = b""
        self.open = True

    @property
    def flowing(self) -> bool:
        return self.open and self._direction not in self._weather.stalled and time.monotonic() >= self._ready_at

    def read(self) -> None:
        self.held = self.source.recv(CHUNK_BYTES)
        if self._direction is Direction.DOWN and (old := self._weather.swapped[0]):
            self.held = self.held.replace(old, self._weather.swapped[1])
        if not self.held:
            self.open = False
            self.sink.shutdown(socket.SHUT_WR)

    def write(self) -> None:
        rate = self._weather.bytes_per_second
        most = len(self.held) if rate is None else max(1, int(rate * TURN_SECONDS))
        sent = self.sink.send(self.held[:most])
        self.held = self.held[sent:]
        if rate is not None:
            self._ready_at = time.monotonic() + sent / rate


class _Link(threading.Thread):
    """One connection through the proxy. Its thread alone touches the two sockets, and closes them."""

    def __init__(self, client: socket.socket, server: socket.socket, weather: Weather) -> None:
        super().__init__(name="proxy-link", daemon=True)
        self._sockets = (client, server)
        self._lanes = [_Lane(Direction.UP, client, server, weather), _Lane(Direction.DOWN, server, client, weather)]
        self._reset = False
        self._over = threading.Event()

    def end(self, *, reset: bool) -> None:
        """Close both sides, with RST where ``reset``, else with FIN, and wait until that is done."""
        self._reset = reset
        self._over.set()
        self.join()

    def run(self) -> None:
        try:
            while not self._over.is_set() and any(lane.open for lane in self._lanes):
                self._turn()
        except OSError:
            self._reset = True  # one side is gone the hard way: the other shall see the same
        finally:
            for end in self._sockets:
                if self._reset:
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
                end.close()

    def _turn(self) -> None:
        flowing = [lane for lane in self._lanes if lane.flowing]
        wanted = [lane.source for lane in flowing if not lane.held]
        offered = [lane.sink for lane in flowing if lane.held]
        readable, writable, _ = select.select(wanted, offered, [], TURN_SECONDS)
        for lane in flowing:
            # Asked once more: what was read before a stall must not pass after it.
            if lane.held and lane.sink in writable and lane.flowing:
                lane.write()
            elif not lane.held and lane.source in readable:
                lane.read()


class TcpProxy:
    """Forwards connections to ``host:port``; its own port stays the same from the first ``start`` on."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._weather = Weather()
        self._holder: socket.socket | None = None
        self._acceptor: threading.Thread | None = None
        self._accepting = threading.Event()
        self._links: list[_Link] = []
        self._lock = threading.Lock()
        self.port = 0
        """The port clients connect to (127.0.0.1)."""
        self.accepted = 0
        """Connections taken since the first start."""

    def start(self) -> None:
        """Listen, with no faults."""
        self.heal()

    def stop(self) -> None:
        """Stop listening and end every connection."""
        self._stop_listening()
        if self._holder is not None:
            self._holder.close()
            self._holder = None
        self.cut(reset=False)

    @property
    def connections(self) -> int:
        """Connections open now."""
        with self._lock:
            return sum(link.is_alive() for link in self._links)

    def aim(self, port: int) -> None:
        """Forward new connections to this port."""
        self._target = (self._target[0], port)

    def cut(self, *, reset: bool = True) -> None:
        """End every connection, with RST or with FIN. New ones are taken as before."""
        with self._lock:
            links, self._links = self._links, []
        for link in links:
            link.end(reset=reset)

    def refuse(self) -> None:
        """Refuse new connections (ECONNREFUSED). Those that are open stay."""
        self._stop_listening()
        if self._holder is not None:
            self._holder.close()
        # A socket bound and not listening refuses, and keeps the port from everybody else.
        self._holder = self._bound()

    def stall(self, *directions: Direction) -> None:
        """Let nothing pass in these directions, in both where none is named; connections stay open."""
        self._weather.stalled = frozenset(directions or Direction)

    def trickle(self, bytes_per_second: float) -> None:
        """Let that much pass in each direction of each connection."""
        self._weather.bytes_per_second = bytes_per_second

    def swap(self, old: bytes, new: bytes) -> None:
        """Let these bytes of the server arrive as others of the same length, where they come in one piece."""
        assert len(old) == len(new)
        self._weather.swapped = old, new

    def heal(self) -> None:
        """Take new connections, and let everything pass; what a stall held back arrives now."""
        self._weather.stalled = frozenset()
        self._weather.bytes_per_second = None
        self._weather.swapped = b"", b""
        if self._acceptor is None:
            self._holder = self._holder or self._bound()
            self._holder.listen()
            self._accepting.set()
            self._acceptor = threading.Thread(target=self._accept, args=(self._holder,), daemon=True, name="proxy")
            self._acceptor.start()

    def _bound(self) -> socket.socket:
        holder = socket.socket()
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", self.port))
        self.port = holder.getsockname()[1]
        return holder

    def _stop_listening(self) -> None:
        if self._acceptor is not None:
            self._accepting.clear()
            self._acceptor.join()
            self._acceptor = None

    def _accept(self, holder: socket.socket) -> None:
        while self._accepting.is_set():
            if not select.select([holder], [], [], TURN_SECONDS)[0]:
                continue
            client, _ = holder.accept()
            self.accepted += 1
            try:
                server = socket.create_connection(self._target, timeout=CONNECT_SECONDS)
            except OSError:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
                client.close()
                continue
            link = _Link(client, server, self._weather)
            with self._lock:  # a cut that comes once something has passed must find it
                self._links = [one for one in self._links if one.is_alive()] + [link]
                link.start()
