"""The least a client can do: send posts and match their acks.

``python -m tests.bench.ack_loop CLIENT URL POSTS PACK WINDOW`` with ``CLIENT`` ``library`` (websocket-client, what one
would take) or ``socket`` (contribd's own framing on a bare socket, many acks a system call: what Python can do at
best). Posts are encoded before anything is timed. Prints seconds from the first post to the last ack, and CPU seconds.
"""

import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import websocket
from tests.bench.pipeline import mapper
from tests.bench.setting import distinct
from tests.engine.making import LOGIN

from contribd.ads.dialer import DialOptions, connect
from contribd.ads.frames import TEXT, FrameDecoder, encode_frame
from contribd.mapping.outcome import Mapped
from contribd.omm.post import PostEncoder, PostUserInfo, frame
from contribd.omm.requests import PONG, login

Send = Callable[[bytes], object]
_decode = msgspec.json.Decoder(list[dict[str, Any]]).decode


def posts(count: int) -> list[bytes]:
    """The posts contribd makes of the benchmarks' records, numbered from 1."""
    encoder, map_record, made = PostEncoder(PostUserInfo("10.0.0.1", 256)), mapper().map, []
    for number, (_, value) in enumerate(distinct(count), 1):
        found = map_record(value)
        if not isinstance(found, Mapped):
            raise TypeError(f"record {number} was not mapped: {found}")
        made.append(
            encoder.encode(number, ric=found.ric, service=found.service, post_type=found.type, fields=found.fields)
        )
    return made


def by_library(url: str) -> tuple[Send, Iterator[bytes]]:
    """websocket-client: a frame a call, both ways."""
    connection: Any = websocket.WebSocket(
        sockopt=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)], enable_multithread=False, skip_utf8_validation=True
    )
    connection.connect(url, subprotocols=["tr_json2"])

    def received() -> Iterator[bytes]:
        while True:
            yield connection.recv_data()[1]

    return connection.send, received()


def by_socket(url: str) -> tuple[Send, Iterator[bytes]]:
    """A bare socket: what has come is read at once."""
    connection = connect(url, DialOptions(10.0)).sock
    connection.setblocking(True)
    decoder = FrameDecoder(max_payload=1 << 24)

    def received() -> Iterator[bytes]:
        while True:
            for opcode, payload in decoder.feed(connection.recv(1 << 16)):
                if opcode == TEXT:
                    yield payload

    return lambda text: connection.sendall(encode_frame(TEXT, text, os.urandom(4))), received()


CLIENTS = {"library": by_library, "socket": by_socket}


def log_in(send: Send, received: Iterator[bytes]) -> None:
    """Up to the login's Refresh."""
    send(login(LOGIN))
    while not any(message["Type"] == "Refresh" for message in _decode(next(received))):
        pass


def run(send: Send, received: Iterator[bytes], made: list[bytes], pack: int, window: int) -> None:
    """Full frames, as long as the window has room for one; every ack strikes out its post."""
    outstanding: set[int] = set()
    sent = 0
    while outstanding or sent < len(made):
        while sent < len(made) and len(outstanding) + pack <= window:
            some = made[sent : sent + pack]
            send(frame(some))
            outstanding.update(range(sent + 1, sent + len(some) + 1))
            sent += len(some)
        for message in _decode(next(received)):
            if message["Type"] == "Ack":
                outstanding.remove(message["AckID"])
            elif message["Type"] == "Ping":
                send(PONG)
            else:
                raise RuntimeError(f"neither Ack nor Ping: {message}")


def main() -> None:
    """One connection, one run."""
    client, url = sys.argv[1:3]
    count, pack, window = map(int, sys.argv[3:6])
    made = posts(count)
    send, received = CLIENTS[client](url)
    log_in(send, received)
    start, cpu = time.perf_counter(), time.process_time()
    run(send, received, made, pack, window)
    print(time.perf_counter() - start, time.process_time() - cpu, flush=True)  # noqa: T201 - its parent reads it


if __name__ == "__main__":
    main()
