"""The simulated ADS on a real WebSocket: in a thread of the test's own process, or as a process of its own."""

import asyncio
import random
import ssl
import threading
from collections.abc import Callable
from typing import Final, TypeVar

from contribd.ads import frames
from contribd.simulation.ads import handshake
from contribd.simulation.ads.ads_client import AdsClient
from contribd.simulation.ads.options import AdsOptions, LoginSeen, Posted
from contribd.simulation.ads.simulated_ads import SimulatedAds

MAX_FRAME: Final = 16 * 1024 * 1024
"""Bytes of one message from a client: far above any MaxMsgSize, below what would hurt this process."""

T = TypeVar("T")


class AdsServer:
    """A simulated ADS on ``host`` and ``port`` (0: any free one, kept over a restart).

    In a thread: `start` … `stop`, with `call` and `control` from any other thread between them. In a loop of one's
    own: ``await open()`` … ``await close()``. ``seed`` decides what is dropped or sent twice.
    """

    def __init__(
        self,
        options: AdsOptions | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        seed: int = 0,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self.ads = SimulatedAds(options, random.Random(seed))
        self.host = host
        self.port = port
        self._ssl = ssl_context
        self._server: asyncio.Server | None = None
        self._protocols: set[_AdsProtocol] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """What a client connects to."""
        return f"{'wss' if self._ssl else 'ws'}://{self.host}:{self.port}{handshake.PATH}"

    def start(self) -> int:
        """Listens, in a thread of its own; the port. Raises OSError where it cannot."""
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, name="simulated-ads", daemon=True)
        thread.start()
        self._loop, self._thread = loop, thread
        try:
            asyncio.run_coroutine_threadsafe(self.open(), loop).result()
        except OSError:
            self._end_thread()
            raise
        return self.port

    def stop(self) -> None:
        """Cuts every connection and stops listening. Idempotent.

        `start` again takes the same port; the posts taken are kept, the items that Refresh posts created are not.
        """
        if self._loop is None:
            return
        asyncio.run_coroutine_threadsafe(self.close(), self._loop).result()
        self._end_thread()
        self.ads.items.clear()

    def restart(self) -> None:
        """`stop` and `start`."""
        self.stop()
        self.start()

    def call(self, action: Callable[[SimulatedAds], T]) -> T:
        """``action`` on the server's state, in its own thread; what it queued has been sent when this returns."""
        if self._loop is None:
            return action(self.ads)

        async def run() -> T:
            try:
                return action(self.ads)
            finally:
                self.flush()

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result()

    def control(self, line: str) -> None:
        """A line as `SimulatedAds.control` takes it."""
        self.call(lambda ads: ads.control(line))

    def posts(self) -> list[Posted]:
        """Every post taken so far."""
        return self.call(lambda ads: list(ads.posts))

    def logins(self) -> list[LoginSeen]:
        """Every login request so far."""
        return self.call(lambda ads: list(ads.logins))

    async def open(self) -> None:
        """Listens, in the running loop."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._protocol, self.host, self.port, ssl=self._ssl, backlog=100)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Cuts every connection and stops listening."""
        if self._server is not None:
            self._server.close()
            protocols = list(self._protocols)
            for protocol in protocols:
                protocol.abort()
            await asyncio.gather(*(protocol.ended for protocol in protocols))
            await self._server.wait_closed()
            self._server = None

    def flush(self) -> None:
        """Sends what is queued on every connection; to be called in the server's loop."""
        for protocol in list(self._protocols):
            protocol.flush()

    def _protocol(self) -> "_AdsProtocol":
        return _AdsProtocol(self.ads, self._protocols)

    def _end_thread(self) -> None:
        if self._loop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()
        self._loop = self._thread = None


class _AdsProtocol(asyncio.Protocol):
    """One TCP connection: the handshake, then frames between the socket and an `AdsClient`."""

    def __init__(self, ads: SimulatedAds, peers: "set[_AdsProtocol]") -> None:
        self._ads = ads
        self._peers = peers
        self._loop = asyncio.get_running_loop()
        self._decoder = frames.FrameDecoder(max_payload=MAX_FRAME)
        self._request = b""
        self._connection: AdsClient | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._closing = False
        self.ended: asyncio.Future[None] = self._loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - what create_server gives a Protocol
        self._transport = transport
        self._peers.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._peers.discard(self)
        if self._timer is not None:
            self._timer.cancel()
        if self._connection is not None:
            self._connection.gone(self._loop.time())
            self._connection = None
        self.ended.set_result(None)

    def pause_writing(self) -> None:
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        if self._connection is None:
            rest = self._shake_hands(data)
            if rest is None:
                return
            data = rest
        try:
            self._receive(self._decoder.feed(data))
        except frames.FrameError as error:
            self._receive(error.frames)
            self._hang_up(frames.encode_close(error.code, error.text, None))
        self.flush()

    def abort(self) -> None:
        """Ends it at once, what is unsent lost."""
        self._closing = True
        self._transport.abort()

    def flush(self) -> None:
        """Sends what the connection has to say by now, and sees to it being asked again when it next has."""
        connection = self._connection
        if connection is None or self._closing:
            return
        if out := connection.take(self._loop.time()):
            self._transport.write(b"".join([frames.encode_frame(frames.TEXT, each, None) for each in out]))
        if connection.close is not None:
            if connection.close.code is None:
                self.abort()
            else:
                self._hang_up(frames.encode_close(connection.close.code, connection.close.reason, None))
            return
        self._wake(connection.wake_at())

    def _wake(self, due: float | None) -> None:
        if self._timer is not None:
            if due is not None and self._timer.when() == due and not self._timer.cancelled():
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(due, self._on_timer) if due is not None else None

    def _on_timer(self) -> None:
        self._timer = None
        self.flush()

    def _shake_hands(self, data: bytes) -> bytes | None:
        """What came after the handshake; ``None`` while it is not complete, or was refused."""
        self._request += data
        head, end, rest = self._request.partition(b"\r\n\r\n")
        if not end and len(head) <= handshake.MAX_REQUEST:
            return None
        try:
            self._transport.write(handshake.answer(head + end))
        except handshake.HandshakeError as error:
            self._hang_up(error.response)
            return None
        self._connection = self._ads.connect(self._loop.time())
        return rest

    def _receive(self, received: list[frames.Frame]) -> None:
        connection, now = self._connection, self._loop.time()
        if connection is None:
            return
        for opcode, payload in received:
            if opcode in {frames.TEXT, frames.BINARY}:
                connection.receive(payload, now)
            elif opcode == frames.PING:
                # The vendor's provider answers with no payload, whatever was asked.
                self._transport.write(frames.encode_frame(frames.PONG, b"", None))
            elif opcode == frames.CLOSE:
                self.flush()
                self._hang_up(frames.encode_frame(frames.CLOSE, payload, None))
                return

    def _hang_up(self, last: bytes) -> None:
        if not self._closing:
            self._closing = True
            self._transport.write(last)
            self._transport.close()
