"""One connection to an ADS: frames in and out of a non-blocking socket. Owned by the worker; never blocks it."""

import contextlib
import os
import socket
import ssl
import struct
from collections import deque
from typing import Final

from contribd.ads.frames import CLOSE, NORMAL_CLOSURE, PING, PONG, TEXT, FrameDecoder, FrameError, encode_frame
from contribd.engine.session.endpoints import Failure

_CHUNK: Final = 256 * 1024
_MAX_CHUNKS: Final = 8
"""Chunks read before other work gets its turn; what is left wakes the selector again."""

MAX_PAYLOAD: Final = 16 * 1024 * 1024
"""Bytes of one message from the server. The vendor's server echoes failing posts up to 300 kB; source directories of
large sites reach megabytes."""

_NO_LINGER: Final = struct.pack("ii", 1, 0)
_LINGER: Final = struct.pack("ii", 0, 0)

_RETRY = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class WebSocketLost(Exception):
    """The connection ended. ``texts`` came before it did."""

    def __init__(self, failure: Failure, text: str, texts: list[bytes]) -> None:
        super().__init__(text)
        self.failure = failure
        self.texts = texts


class WebSocket:
    """Frames over one connected socket.

    Where this process is killed the system throws away what it has not sent yet: by the time the ADS read it, others
    might have posted newer prices.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        with contextlib.suppress(OSError):  # it has ended already
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self._decoder = FrameDecoder(max_payload=MAX_PAYLOAD)
        self._unsent: deque[memoryview] = deque()
        self._held = False
        self.taken = 0
        """Bytes the socket has taken so far."""

    def fileno(self) -> int:
        """For a selector."""
        return self._socket.fileno()

    @property
    def unsent(self) -> int:
        """Bytes that wait for the socket to take them."""
        return sum(map(len, self._unsent))

    @property
    def wants_write(self) -> bool:
        """Whether something waits for the socket to take it, and may go."""
        return bool(self._unsent) and not self._held

    @property
    def overdue(self) -> int:
        """Bytes that wait for the server to read, and not for us."""
        return 0 if self._held else self.unsent

    def hold(self, lapsed: bool) -> bool:
        """Holds back what lies unsent while our membership of the group has ``lapsed``; whether that has changed.

        The prices in it may be others' by now, and newer ones of theirs be posted. Where nothing lies unsent, frames
        that are no posts go as ever.
        """
        held, self._held = self._held, lapsed and bool(self._unsent)
        return held is not self._held

    def send(self, texts: list[bytes]) -> None:
        """Sends text frames as far as the socket takes them; the rest goes with later calls of ``flush``.

        Raises:
            WebSocketLost: the connection has ended.
        """
        data = b"".join([encode_frame(TEXT, text, os.urandom(4)) for text in texts])
        self._unsent.append(memoryview(data))
        self.flush()

    def flush(self) -> None:
        """Sends what waits, as far as the socket takes it.

        Raises:
            WebSocketLost: the connection has ended; its ``texts`` came before.
        """
        while self._unsent and not self._held:
            data = self._unsent[0]
            try:
                sent = self._socket.send(data)
            except _RETRY:
                return
            except OSError as error:
                raise _lost(error, self._last_words()) from error
            self.taken += sent
            if sent < len(data):
                self._unsent[0] = data[sent:]
            else:
                self._unsent.popleft()

    def receive(self) -> list[bytes]:
        """The texts that have come, in order; empty where none is complete.

        Raises:
            WebSocketLost: the connection has ended; its ``texts`` came before.
        """
        texts: list[bytes] = []
        for _ in range(_MAX_CHUNKS):
            try:
                data = self._socket.recv(_CHUNK)
            except _RETRY:
                break
            except OSError as error:
                raise _lost(error, texts) from error
            if not data:
                raise WebSocketLost(Failure.CLOSED_BY_SERVER, "the server closed the connection", texts)
            self._decode(data, texts)
            if len(data) < _CHUNK and not self._buffered():
                break
        if self._unsent:
            try:
                self.flush()
            except WebSocketLost as lost:
                raise WebSocketLost(lost.failure, str(lost), texts + lost.texts) from lost
        return texts

    def _last_words(self) -> list[bytes]:
        """What had come when sending failed: a server may answer posts, and go, before we send the next."""
        texts: list[bytes] = []
        with contextlib.suppress(OSError, WebSocketLost):
            for _ in range(_MAX_CHUNKS):
                if not (data := self._socket.recv(_CHUNK)):
                    break
                self._decode(data, texts)
        return texts

    def _buffered(self) -> bool:
        """TLS may hold bytes that the selector does not see."""
        return isinstance(self._socket, ssl.SSLSocket) and self._socket.pending() > 0

    def _decode(self, data: bytes, texts: list[bytes]) -> None:
        try:
            frames = self._decoder.feed(data)
        except FrameError as error:
            texts += [frame.payload for frame in error.frames if frame.opcode == TEXT]
            raise WebSocketLost(Failure.PROTOCOL, str(error), texts) from error
        for opcode, payload in frames:
            if opcode == TEXT:
                texts.append(payload)
            elif opcode == PING:
                self._unsent.append(memoryview(encode_frame(PONG, payload, os.urandom(4))))
            elif opcode == CLOSE:
                raise WebSocketLost(Failure.CLOSED_BY_SERVER, _close_text(payload), texts)

    def close(self) -> None:
        """Says goodbye as far as the socket takes it, and ends the connection."""
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
            self._unsent.append(memoryview(encode_frame(CLOSE, NORMAL_CLOSURE.to_bytes(2, "big"), os.urandom(4))))
            self.flush()
            self._socket.shutdown(socket.SHUT_WR)
        except (WebSocketLost, OSError):  # the other side has gone already: there is nobody to say goodbye to
            pass
        self._socket.close()

    def abort(self) -> None:
        """Ends the connection at once; what the system has not sent yet is thrown away (RST instead of FIN)."""
        self._socket.close()


def _lost(error: OSError, texts: list[bytes]) -> WebSocketLost:
    if isinstance(error, ssl.SSLError):
        return WebSocketLost(Failure.TLS, f"TLS failed: {error.reason or error}", texts)
    return WebSocketLost(Failure.NETWORK, error.strerror or str(error), texts)


def _close_text(payload: bytes) -> str:
    code = int.from_bytes(payload[:2], "big") if len(payload) >= 2 else None
    reason = payload[2:].decode("utf-8", "replace")
    parts = ("the server closed the session", f"code {code}" if code is not None else "", reason)
    return ", ".join(part for part in parts if part)
