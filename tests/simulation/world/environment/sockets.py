"""What the operating system gives a simulated daemon: sockets on wires, and a selector for them."""

import itertools
import selectors
import struct
from collections.abc import Callable, Mapping
from typing import Any, ClassVar
from weakref import WeakValueDictionary

from tests.simulation.world.environment.host import Life
from tests.simulation.world.environment.sim_wire import MAX_PAYLOAD, Wire

from contribd.ads.frames import TEXT, FrameDecoder

RESETS = 0.3
"""Share of connections that end by a reset."""

SHORT_READS = 0.1
"""Share of reads that get less than there is."""

_numbers = itertools.count(3)


class SimSocket:
    """The client's end of a wire, as ``ads.websocket.WebSocket`` uses a non-blocking socket."""

    by_number: ClassVar[WeakValueDictionary[int, "SimSocket"]] = WeakValueDictionary()

    def __init__(self, life: Life, wire: Wire, wake: Callable[[], None]) -> None:
        self.wire = wire
        self._life = life
        self._wake = wake
        self._number = next(_numbers)
        self.by_number[self._number] = self
        self._arrived = bytearray()
        self._rng = life.world.schedule.rng
        self._read = FrameDecoder(max_payload=MAX_PAYLOAD)
        self._ended = False
        self._was_reset = False
        self._reset = False
        wire.on_bytes = self._on_bytes
        wire.on_end = self._on_end

    def _on_bytes(self, data: bytes) -> None:
        self._arrived += data
        self._wake()

    def _on_end(self) -> None:
        self._ended = True
        # A reset throws away what has come and was not read; a connection that ends in order is read to its end.
        self._was_reset = self._rng.random() < RESETS
        if self._was_reset:
            self._arrived.clear()
        self._wake()

    @property
    def readable(self) -> bool:
        return bool(self._arrived) or self._ended

    def fileno(self) -> int:
        return self._number

    def send(self, data: memoryview) -> int:
        if self._ended:
            raise ConnectionResetError("connection reset")
        if not (taken := self.wire.take(bytes(data))):
            raise BlockingIOError
        return taken

    def recv_into(self, buffer: memoryview) -> int:
        size = len(buffer)
        if not self._arrived:
            if self._was_reset:
                raise ConnectionResetError("connection reset by peer")
            if self._ended:
                return 0
            raise BlockingIOError
        if self._rng.random() < SHORT_READS:
            size = self._rng.randint(1, len(self._arrived))
        data = bytes(self._arrived[:size])
        del self._arrived[:size]
        buffer[: len(data)] = data
        self._tell(data)
        return len(data)

    def _tell(self, data: bytes) -> None:
        """What the process has read is what it knows."""
        texts = [payload for opcode, payload in self._read.feed(data) if opcode == TEXT]
        if texts:
            self._life.world.oracle.delivered(self._life, self.wire, texts)

    def setsockopt(self, _level: int, _option: int, value: bytes) -> None:
        self._reset = value[0] == 1

    def getsockopt(self, _level: int, _option: int, size: int) -> bytes:
        """Linux's SO_MEMINFO: what the server's system has not acknowledged, at its place."""
        return struct.pack("I", self.wire.undelivered).rjust(24, b"\0").ljust(size, b"\0")

    def shutdown(self, _how: int) -> None:
        pass

    def die(self) -> None:
        """The process has ended without closing it: the system does, as it was told to (``SO_LINGER``)."""
        self.wire.hang_up(clean=not self._reset)

    def close(self) -> None:
        self._life.world.oracle.hung_up(self.wire)
        self.wire.hang_up(clean=not self._reset)


class SimSelector(selectors.BaseSelector):
    """Holds one connection at a time; wakes the process when it may be written to."""

    def __init__(self, life: Life, wake: Callable[[], None]) -> None:
        self._life = life
        self._wake = wake
        self._key: selectors.SelectorKey | None = None
        self._watching = False
        self.wire: Wire | None = None
        """That of the connection in use, or of the last one."""

    def register(self, fileobj: Any, events: int, _data: Any = None) -> selectors.SelectorKey:
        """As the standard library's."""
        sock = SimSocket.by_number[fileobj.fileno()]
        self.wire = sock.wire
        self._key = selectors.SelectorKey(fileobj, fileobj.fileno(), events, sock)
        return self._key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        """As the standard library's."""
        key, self._key = self.get_key(fileobj), None
        return key

    def get_key(self, fileobj: Any) -> selectors.SelectorKey:
        """As the standard library's."""
        if self._key is None or self._key.fileobj is not fileobj:
            raise KeyError(fileobj)
        return self._key

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        """As the standard library's."""
        return {} if self._key is None else {self._key.fileobj: self._key}

    def modify(self, fileobj: Any, events: int, _data: Any = None) -> selectors.SelectorKey:
        """As the standard library's."""
        self._key = self.get_key(fileobj)._replace(events=events)
        self._watch()
        return self._key

    def select(self, _timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready now; the time is the schedule's."""
        if self._key is None:
            return []
        sock = self._key.data
        ready = selectors.EVENT_READ if sock.readable else 0
        ready |= selectors.EVENT_WRITE if sock.wire.writable else 0
        ready &= self._key.events
        return [(self._key, ready)] if ready else []

    def _watch(self) -> None:
        if self._key is not None and self._key.events & selectors.EVENT_WRITE and not self._watching:
            self._watching = True
            self._life.later(0.05, self._look)

    def _look(self) -> None:
        self._watching = False
        if self.select():
            self._wake()
        self._watch()
