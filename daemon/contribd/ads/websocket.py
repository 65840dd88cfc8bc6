"""One connection to an ADS: frames in and out of a non-blocking socket. Owned by the worker; never blocks it."""

import contextlib
import os
import socket
import ssl
import struct
from collections import deque
from typing import Final

from contribd.ads.frames import (
    BINARY,
    CLOSE,
    NORMAL_CLOSURE,
    PING,
    PONG,
    TEXT,
    FrameDecoder,
    FrameError,
    decode_close,
    encode_frame,
)
from contribd.engine.session.endpoints import Failure

_CHUNK: Final = 256 * 1024
_MAX_CHUNKS: Final = 8
"""Chunks read before other work gets its turn; what is left wakes the selector again."""

MAX_PAYLOAD: Final = 16 * 1024 * 1024
"""Bytes of one message from the server. The vendor's server echoes failing posts up to 300 kB; source directories of
large sites reach megabytes."""

_NO_LINGER: Final = struct.pack("ii", 1, 0)
_LINGER: Final = struct.pack("ii", 0, 0)

_SO_MEMINFO: Final = 55
"""Linux's SO_MEMINFO (socket(7)), which Python's socket does not name."""
_WRITE_QUEUE: Final = 5
"""The place in it of the bytes that the other system has not acknowledged."""

_MESSAGES: Final = (TEXT, BINARY)
"""JSON is text, and is read as such however a server labels it."""

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
        self._chunk = memoryview(bytearray(_CHUNK))
        """What is received into. ``recv`` would make a chunk for each answer and cut it to size: that left the heap in
        pieces, and let it grow by 8 MiB an hour."""
        self._unsent: deque[memoryview] = deque()
        self._pongs: list[bytes] = []
        """Answers to Pings, to be sent once what has come is read."""
        self._held = False
        self._parted = False
        """Whether the last that went out was a Close, in answer to the server's or to what it did wrong."""
        self.taken = 0
        """Bytes the socket has taken so far."""
        self.received = 0
        """Bytes that have come so far, of whatever kind: each is a sign of life."""

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

    @property
    def holds(self) -> bool:
        """Whether bytes wait for our membership of the group to be confirmed."""
        return self._held

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
                data = self._received()
            except _RETRY:
                break
            except OSError as error:
                raise _lost(error, texts) from error
            if not data:
                raise WebSocketLost(Failure.CLOSED_BY_SERVER, "the server closed the connection", texts)
            self.received += len(data)
            self._decode(data, texts)
            if len(data) < _CHUNK and not self._buffered():
                break
        if self._pongs or self._unsent:
            self._answer_pings(texts)
        return texts

    def _answer_pings(self, texts: list[bytes]) -> None:
        """Sends the answers, and what waits, as far as the socket takes it."""
        if self._pongs:
            self._unsent.append(memoryview(b"".join(self._pongs)))
            self._pongs.clear()
        try:
            self.flush()
        except WebSocketLost as lost:
            raise WebSocketLost(lost.failure, str(lost), texts + lost.texts) from lost

    def _last_words(self) -> list[bytes]:
        """What had come when sending failed: a server may answer posts, and go, before we send the next."""
        texts: list[bytes] = []
        with contextlib.suppress(OSError, WebSocketLost):
            for _ in range(_MAX_CHUNKS):
                if not (data := self._received()):
                    break
                self._decode(data, texts)
        return texts

    def _received(self) -> bytes:
        """What has come, at most ``_CHUNK`` bytes; none: the server has closed the connection."""
        return bytes(self._chunk[: self._socket.recv_into(self._chunk)])

    def _buffered(self) -> bool:
        """TLS may hold bytes that the selector does not see."""
        return isinstance(self._socket, ssl.SSLSocket) and self._socket.pending() > 0

    def _decode(self, data: bytes, texts: list[bytes]) -> None:
        try:
            frames = self._decoder.feed(data)
        except FrameError as error:
            texts += [frame.payload for frame in error.frames if frame.opcode in _MESSAGES]
            self._part(error.code.to_bytes(2, "big"))
            raise WebSocketLost(Failure.PROTOCOL, str(error), texts) from error
        for opcode, payload in frames:
            if opcode in _MESSAGES:
                texts.append(payload)
            elif opcode == PING:
                self._pongs.append(encode_frame(PONG, payload, os.urandom(4)))
            elif opcode == CLOSE:
                self._part(payload[:2])
                raise WebSocketLost(Failure.CLOSED_BY_SERVER, _close_text(payload), texts)

    def _part(self, code: bytes) -> None:
        """Answers the server's Close with its code, or says why it is left (RFC 6455 5.5.1, 7.1.7).

        Only where the server's system has every byte of ours: one that is still on its way may be of a post, and must
        not arrive after that was posted again. Then it gets no Close, but the reset of ``abort``.
        """
        if self._unsent or not _delivered(self._socket):
            return
        frame = encode_frame(CLOSE, code, os.urandom(4))
        with contextlib.suppress(OSError):  # it has gone already
            self._parted = self._socket.send(frame) == len(frame)

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
        if self._parted:
            self._end_in_order()
        self._socket.close()

    def _end_in_order(self) -> None:
        """All that the system has not sent yet is a Close: it may still go."""
        with contextlib.suppress(OSError):  # it has ended already
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
            self._socket.shutdown(socket.SHUT_WR)


def _delivered(sock: socket.socket) -> bool:
    """Whether the other system has acknowledged every byte; False where this one does not tell."""
    try:
        counts = sock.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, 9 * 4)
        (waiting,) = struct.unpack_from("I", counts, 4 * _WRITE_QUEUE)
    except (OSError, struct.error):
        return False
    return bool(waiting == 0)


def _lost(error: OSError, texts: list[bytes]) -> WebSocketLost:
    if isinstance(error, ssl.SSLError):
        return WebSocketLost(Failure.TLS, f"TLS failed: {error.reason or error}", texts)
    return WebSocketLost(Failure.NETWORK, error.strerror or str(error), texts)


def _close_text(payload: bytes) -> str:
    code, reason = decode_close(payload)
    parts = ("the server closed the session", f"code {code}" if code is not None else "", reason)
    return ", ".join(part for part in parts if part)
