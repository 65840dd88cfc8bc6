"""One TCP connection between a daemon and an ADS, which can be cut at any byte in either direction."""

from collections import deque
from collections.abc import Callable
from random import Random
from typing import Protocol

from tests.simulation.world.environment.schedule import Schedule

from contribd.ads.frames import TEXT, FrameDecoder, encode_close, encode_frame

MAX_PAYLOAD = 16 * 1024 * 1024

SHORT_WRITES = 0.1
"""Share of writes of which the socket takes only a part."""


class WireServer(Protocol):
    """The far end."""

    def receive(self, payload: bytes) -> None:
        """One text frame came whole."""

    def hung_up(self) -> None:
        """The client or the network ended the connection."""


class Wire:
    """Bytes both ways, in order, after ``latency`` seconds and in pieces of any size.

    Towards the server they pass the client's own buffer, the socket's (``room`` bytes while the server does not
    read) and the network. A process that dies loses only the first: of the socket's bytes, which its system throws
    away, the far end may have any number already.
    """

    def __init__(self, schedule: Schedule, rng: Random, *, latency: float, room: int, cuts: float) -> None:
        self._schedule = schedule
        self._rng = rng
        self._latency = latency
        self._room = room
        self._cuts = cuts
        """Share of transfers that arrive in two pieces."""
        self.number = 0
        self.open = True
        self.server: WireServer | None = None
        self.on_bytes: Callable[[bytes], None] = lambda _data: None
        """Bytes for the client."""
        self.on_end: Callable[[], None] = lambda: None
        """The client sees the end of the connection."""
        self.on_handed: Callable[[bytes], None] = lambda _text: None
        """The last byte of a text frame has left the client's own buffer."""
        self.on_taking: Callable[[], None] = lambda: None
        """The socket is about to take bytes of what the client sent first."""
        self._decoder = FrameDecoder(max_payload=MAX_PAYLOAD)
        self._sent = FrameDecoder(max_payload=MAX_PAYLOAD)
        self._socket = 0
        self._moving: deque[bytes] = deque()
        self._reading_from = 0.0
        self._back: deque[bytes] = deque()
        self._hang_up_planned = False

    # Client to server

    @property
    def writable(self) -> bool:
        """Whether the socket takes more."""
        return self.open and (self._socket < self._room or not self.stuck)

    @property
    def undelivered(self) -> int:
        """Bytes the socket has taken and the server's system does not have yet."""
        return self._socket

    def take(self, data: bytes) -> int:
        """The socket takes bytes of the client; 0 where it is full."""
        if not self.writable:
            return 0
        taken = data if not self.stuck else data[: self._room - self._socket]
        if self._rng.random() < SHORT_WRITES:
            taken = taken[: self._rng.randint(1, len(taken))]
        self.on_taking()
        for opcode, payload in self._sent.feed(taken):
            if opcode == TEXT:
                self.on_handed(payload)
        self._socket += len(taken)
        for piece in self._pieces(taken):
            self._moving.append(piece)
            self._schedule.at(max(self._schedule.mono, self._reading_from) + self._latency, self._arrive)
        return len(taken)

    @property
    def stuck(self) -> bool:
        """Whether the server does not read just now."""
        return self._reading_from > self._schedule.mono

    def stop_reading(self, seconds: float) -> None:
        """The server reads nothing for a while; what is on its way already still arrives."""
        self._reading_from = max(self._reading_from, self._schedule.mono + seconds)

    def _pieces(self, data: bytes) -> list[bytes]:
        if self._rng.random() >= self._cuts:
            return [data]
        cut = self._rng.randrange(len(data))
        return [data[:cut], data[cut:]]

    def _arrive(self) -> None:
        if not self._moving or self.server is None:
            return
        self._deliver(self._moving.popleft())

    def _deliver(self, data: bytes) -> None:
        self._socket -= len(data)
        if self.server is None:
            return
        for opcode, payload in self._decoder.feed(data):
            if opcode == TEXT and self.server is not None:
                self.server.receive(payload)

    # Server to client

    def reply(self, texts: list[bytes]) -> None:
        """The server writes frames."""
        for text in texts:
            self._return(encode_frame(TEXT, text, None))

    def close_by_server(self, code: int, reason: str) -> None:
        """The server says goodbye."""
        self._return(encode_close(code, reason, None))
        self._schedule.after(self._latency, self._finish)
        self._let_go()

    def _return(self, data: bytes) -> None:
        for piece in self._pieces(data):
            self._back.append(piece)
            self._schedule.after(self._latency, self._come_back)

    def _come_back(self) -> None:
        if self._back and self.open:
            self.on_bytes(self._back.popleft())

    # The end

    def cut(self) -> None:
        """The network breaks: of what is on its way, either side still gets any number of bytes."""
        if not self.open:
            return
        moving, back = b"".join(self._moving), b"".join(self._back)
        self._moving.clear()
        self._back.clear()
        if moving:
            self._deliver(moving[: self._rng.randint(0, len(moving))])
        if back:
            self.on_bytes(back[: self._rng.randint(0, len(back))])
        self._let_go()
        self._finish()

    def _finish(self) -> None:
        if self.open:
            self.open = False
            self.on_end()

    def _let_go(self) -> None:
        server, self.server = self.server, None
        if server is not None:
            server.hung_up()

    def hang_up(self, *, clean: bool = True) -> None:
        """The client's end is closed, by itself or because its process died.

        ``clean``: the socket's bytes still arrive; otherwise they are thrown away.
        """
        self.open = False
        if not clean:
            self._moving.clear()
        if self._hang_up_planned:
            return
        self._hang_up_planned = True
        last = max(self._schedule.mono, self._reading_from) + self._latency
        self._schedule.at(last, self._let_go)
