"""Frames over a socket that takes and gives as little as it likes, and ends when it likes."""

import select
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ads.conftest import Certificates

from contribd.ads.frames import (
    BINARY,
    CLOSE,
    NORMAL_CLOSURE,
    PING,
    PONG,
    TEXT,
    Frame,
    FrameDecoder,
    encode_close,
    encode_frame,
)
from contribd.ads.websocket import MAX_PAYLOAD, WebSocket, WebSocketLost
from contribd.engine.session.endpoints import Failure

DEADLINE = 20.0


class Peer:
    """The server's end of the line: plain blocking calls on a socket."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self._decoder = FrameDecoder(max_payload=MAX_PAYLOAD)

    def say(self, *payloads: bytes, opcode: int = TEXT) -> None:
        self.socket.sendall(b"".join(encode_frame(opcode, payload, None) for payload in payloads))

    def frames(self, data: bytes) -> list[Frame]:
        return self._decoder.feed(data)

    def read(self) -> list[Frame]:
        """Every frame until the other side stops sending."""
        frames: list[Frame] = []
        while data := self.socket.recv(65536):
            frames += self.frames(data)
        return frames

    def reset(self) -> None:
        """Ends the connection by RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


def tcp_pair() -> tuple[socket.socket, socket.socket]:
    """Two ends of a TCP connection: a reset is one only there."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        near = socket.create_connection(listener.getsockname())
        far, _ = listener.accept()
    return near, far


def small(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)


@pytest.fixture
def line() -> Iterator[tuple[WebSocket, Peer]]:
    near, far = tcp_pair()
    near.setblocking(False)
    far.settimeout(DEADLINE)
    link, peer = WebSocket(near), Peer(far)
    yield link, peer
    near.close()
    far.close()


def wait_readable(link: WebSocket) -> None:
    assert select.select([link], [], [], DEADLINE)[0], "nothing came"


def receive(link: WebSocket, count: int) -> list[bytes]:
    """At least this many texts."""
    texts: list[bytes] = []
    deadline = time.monotonic() + DEADLINE
    while len(texts) < count:
        assert time.monotonic() < deadline
        wait_readable(link)
        texts += link.receive()
    return texts


def lost(link: WebSocket) -> WebSocketLost:
    """How the link ends, with all texts that came before."""
    texts: list[bytes] = []
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        wait_readable(link)
        try:
            texts += link.receive()
        except WebSocketLost as error:
            return WebSocketLost(error.failure, str(error), texts + error.texts)
    raise AssertionError("the link did not end")


def flush(link: WebSocket, until: Callable[[], bool]) -> None:
    """Writes as a selector would have it."""
    deadline = time.monotonic() + DEADLINE
    while not until():
        assert time.monotonic() < deadline
        if link.wants_write and select.select([], [link], [], 0.05)[1]:
            link.flush()


# Out


def test_texts_arrive_masked_and_in_order(line: tuple[WebSocket, Peer]) -> None:
    link, peer = line
    link.send([b"one", b"two"])
    data = peer.socket.recv(65536)
    assert data[1] & 0x80
    assert peer.frames(data) == [Frame(TEXT, b"one"), Frame(TEXT, b"two")]
    assert not link.wants_write


def test_sending_never_blocks_and_everything_arrives_whole() -> None:
    near, far = tcp_pair()
    small(near)
    near.setblocking(False)
    link, peer = WebSocket(near), Peer(far)
    texts = [bytes([65 + n]) * (50_000 + n) for n in range(10)]
    for text in texts:
        link.send([text])
    assert link.wants_write
    received: list[Frame] = []
    reader = threading.Thread(target=lambda: received.extend(peer.read()))
    reader.start()
    flush(link, lambda: not link.wants_write)
    near.shutdown(socket.SHUT_WR)
    reader.join(DEADLINE)
    assert received == [Frame(TEXT, text) for text in texts]
    near.close()
    far.close()


def test_what_lies_unsent_waits_while_it_is_held(line: tuple[WebSocket, Peer]) -> None:
    link, peer = line
    link.send([b"x" * 4_000_000] * 5)
    assert link.wants_write
    taken = link.taken
    assert link.hold(True)
    assert not link.hold(True)
    while not select.select([], [link], [], 0)[1]:
        peer.socket.recv(1_000_000)
    link.flush()
    link.send([b"later"])
    assert (link.taken, link.wants_write) == (taken, False)
    assert link.hold(False)
    link.flush()
    assert link.taken > taken


def test_where_nothing_lies_unsent_nothing_is_held(line: tuple[WebSocket, Peer]) -> None:
    link, peer = line
    assert not link.hold(True)
    link.send([b"ping"])
    assert peer.frames(peer.socket.recv(65536)) == [Frame(TEXT, b"ping")]


SENDS_AND_SLEEPS = """
import socket, sys, time
from contribd.ads.websocket import WebSocket
near = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
near.setblocking(False)
WebSocket(near).send([b"x" * 4_000_000] * 5)
print("sent", flush=True)
time.sleep(60)
"""


def test_what_a_killed_process_had_not_sent_does_not_arrive() -> None:
    """By the time the server reads on, others may have posted newer prices."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        child = subprocess.Popen(
            [sys.executable, "-c", SENDS_AND_SLEEPS, str(listener.getsockname()[1])], stdout=subprocess.PIPE
        )
        far, _ = listener.accept()
    assert child.stdout is not None
    with child, far:
        far.settimeout(DEADLINE)
        assert child.stdout.readline() == b"sent\n"
        child.kill()
        child.wait(DEADLINE)
        with pytest.raises(ConnectionResetError):
            Peer(far).read()


def test_a_send_on_a_connection_that_was_reset_ends_the_link(line: tuple[WebSocket, Peer]) -> None:
    link, peer = line
    peer.reset()
    wait_readable(link)
    with pytest.raises(WebSocketLost) as caught:
        link.send([b"x"])
    assert caught.value.failure is Failure.NETWORK
    assert "reset" in str(caught.value).lower() or "pipe" in str(caught.value).lower()


def test_what_came_before_a_send_failed_is_not_lost(line: tuple[WebSocket, Peer]) -> None:
    """A server may answer posts and go before the next is sent; unread acks would be posted again."""
    link, peer = line
    peer.say(b"ack 1", b"ack 2")
    wait_readable(link)
    link._socket.shutdown(socket.SHUT_WR)
    with pytest.raises(WebSocketLost) as caught:
        link.send([b"x"])
    assert caught.value.texts == [b"ack 1", b"ack 2"]


def test_what_was_read_is_not_lost_where_the_answer_to_a_ping_fails(line: tuple[WebSocket, Peer]) -> None:
    link, peer = line
    peer.say(b"ack")
    peer.say(b"", opcode=PING)
    wait_readable(link)
    link._socket.shutdown(socket.SHUT_WR)
    assert lost(link).texts == [b"ack"]


# In


@settings(max_examples=30)
@given(st.lists(st.binary(max_size=300), min_size=1, max_size=4), st.data())
def test_texts_arrive_however_the_bytes_are_cut(texts: list[bytes], data: st.DataObject) -> None:
    wire = b"".join(encode_frame(TEXT, text, None) for text in texts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=6)))
    near, far = socket.socketpair()
    with near, far:
        near.setblocking(False)
        link = WebSocket(near)
        received = []
        for start, end in zip([0, *cuts], [*cuts, len(wire)], strict=True):
            far.sendall(wire[start:end])
            received += link.receive()
    assert received == texts


def test_nothing_to_read_is_no_text(line: tuple[WebSocket, Peer]) -> None:
    assert line[0].receive() == []


def test_many_texts_arrive_over_several_reads(line: tuple[WebSocket, Peer]) -> None:
    link, peer = line
    texts = [b"%06d" % n * 50 for n in range(20_000)]
    writer = threading.Thread(target=lambda: peer.say(*texts))
    writer.start()
    assert receive(link, len(texts)) == texts
    writer.join(DEADLINE)


def test_text_need_not_be_utf8(line: tuple[WebSocket, Peer]) -> None:
    link, peer = line
    peer.say(b"caf\xe9")
    assert receive(link, 1) == [b"caf\xe9"]


def test_a_ping_is_answered_with_its_payload(line: tuple[WebSocket, Peer]) -> None:
    link, peer = line
    peer.say(b"are you there", opcode=PING)
    wait_readable(link)
    assert link.receive() == []
    assert peer.frames(peer.socket.recv(1000)) == [Frame(PONG, b"are you there")]


def test_a_pong_is_no_text_and_still_a_sign_of_life(line: tuple[WebSocket, Peer]) -> None:
    link, peer = line
    peer.say(b"x", opcode=PONG)
    wait_readable(link)
    assert link.receive() == []
    assert link.received == 3


def test_a_binary_message_is_read_as_text(line: tuple[WebSocket, Peer]) -> None:
    link, peer = line
    peer.say(b"text")
    peer.say(b"binary", opcode=BINARY)
    assert receive(link, 2) == [b"text", b"binary"]
    peer.socket.sendall(encode_frame(BINARY, b"whole", None) + b"\xf1\x00")
    assert lost(link).texts == [b"whole"]


# The end


def test_a_close_frame_ends_the_link_with_its_code_and_reason(line: tuple[WebSocket, Peer]) -> None:
    link, peer = line
    peer.say(b"last")
    peer.socket.sendall(encode_close(1008, "too many logins", None))
    end = lost(link)
    assert (end.failure, end.texts) == (Failure.CLOSED_BY_SERVER, [b"last"])
    assert str(end) == "the server closed the session, code 1008, too many logins"


@pytest.mark.parametrize(
    ("said", "answered"),
    [
        (encode_close(1008, "too many logins", None), (1008).to_bytes(2, "big")),
        (encode_frame(CLOSE, b"", None), b""),
        (b"\xf1\x00", (1002).to_bytes(2, "big")),
        (encode_frame(PING, b"p", None) + encode_close(1000, "", None), (1000).to_bytes(2, "big")),
    ],
)
def test_a_close_and_a_violation_are_answered_by_a_close(
    line: tuple[WebSocket, Peer], said: bytes, answered: bytes
) -> None:
    """And the connection then ends in order, although it is given up."""
    link, peer = line
    link.send([b"post"])
    assert peer.frames(peer.socket.recv(1000)) == [Frame(TEXT, b"post")]
    peer.socket.sendall(said)
    lost(link)
    link.abort()
    assert peer.read() == [Frame(CLOSE, answered)]


def test_a_close_is_not_answered_behind_posts_that_the_server_does_not_have() -> None:
    near, far = tcp_pair()
    small(near)
    near.setblocking(False)
    far.settimeout(DEADLINE)
    link, peer = WebSocket(near), Peer(far)
    link.send([b"x" * 3_000_000])
    assert link.wants_write
    peer.socket.sendall(encode_close(1000, "", None))
    lost(link)
    link.abort()
    with pytest.raises(ConnectionResetError):
        peer.read()
    far.close()


def test_a_close_is_not_answered_behind_what_the_system_has_not_delivered() -> None:
    near, far = tcp_pair()
    near.setblocking(False)
    far.settimeout(DEADLINE)
    link, peer = WebSocket(near), Peer(far)
    taken = 0
    while taken != link.taken or not link.taken:
        taken = link.taken
        link.send([b"x" * 100_000])
    link._unsent.clear()
    peer.socket.sendall(encode_close(1000, "", None))
    lost(link)
    link.abort()
    with pytest.raises(ConnectionResetError):
        peer.read()
    far.close()


def test_a_close_frame_may_say_nothing(line: tuple[WebSocket, Peer]) -> None:
    link, peer = line
    peer.say(b"", opcode=CLOSE)
    assert str(lost(link)) == "the server closed the session"


def test_an_end_without_a_close_frame(line: tuple[WebSocket, Peer]) -> None:
    link, peer = line
    peer.say(b"last")
    peer.socket.close()
    end = lost(link)
    assert (end.failure, str(end), end.texts) == (
        Failure.CLOSED_BY_SERVER,
        "the server closed the connection",
        [b"last"],
    )


def test_a_reset(line: tuple[WebSocket, Peer]) -> None:
    link, peer = line
    peer.reset()
    end = lost(link)
    assert end.failure is Failure.NETWORK
    assert "reset" in str(end)


def test_broken_framing_ends_the_link_and_keeps_what_was_whole(line: tuple[WebSocket, Peer]) -> None:
    link, peer = line
    peer.socket.sendall(encode_frame(TEXT, b"whole", None) + b"\xf1\x00")
    end = lost(link)
    assert (end.failure, end.texts) == (Failure.PROTOCOL, [b"whole"])
    assert "reserved bit" in str(end)


def test_a_message_beyond_every_bound_ends_the_link(line: tuple[WebSocket, Peer]) -> None:
    link, peer = line
    peer.socket.sendall(b"\x81\x7f" + (MAX_PAYLOAD + 1).to_bytes(8, "big"))
    end = lost(link)
    assert end.failure is Failure.PROTOCOL
    assert str(MAX_PAYLOAD) in str(end)


def test_closing_says_goodbye_after_what_was_sent(line: tuple[WebSocket, Peer]) -> None:
    link, peer = line
    link.send([b"last"])
    link.close()
    assert peer.read() == [Frame(TEXT, b"last"), Frame(CLOSE, NORMAL_CLOSURE.to_bytes(2, "big"))]


def test_closing_a_connection_that_has_ended_is_no_error(line: tuple[WebSocket, Peer]) -> None:
    link, peer = line
    peer.reset()
    wait_readable(link)
    link.close()
    assert link.fileno() == -1


def test_giving_a_connection_up_throws_away_what_was_not_sent() -> None:
    """Posts that arrive after they were posted again elsewhere are older than what followed."""
    near, far = tcp_pair()
    small(near)
    near.setblocking(False)
    far.settimeout(DEADLINE)
    link = WebSocket(near)
    while not link.wants_write:
        link.send([b"x" * 100_000])
    link.abort()
    with pytest.raises(ConnectionResetError):
        Peer(far).read()
    far.close()


# TLS


@pytest.fixture
def tls_line(certificates: Certificates) -> Iterator[tuple[WebSocket, Peer]]:
    near, far = tcp_pair()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificates.cert_file, certificates.key_file)
    client = ssl.create_default_context(cafile=str(certificates.ca_file))
    far.settimeout(DEADLINE)
    accepted: list[ssl.SSLSocket] = []
    accepting = threading.Thread(target=lambda: accepted.append(server.wrap_socket(far, server_side=True)))
    accepting.start()
    tls = client.wrap_socket(near, server_hostname="127.0.0.1")
    accepting.join(DEADLINE)
    tls.setblocking(False)
    yield WebSocket(tls), Peer(accepted[0])
    tls.close()
    accepted[0].close()


def test_tls_in_both_directions(tls_line: tuple[WebSocket, Peer]) -> None:
    link, peer = tls_line
    link.send([b"post"])
    assert peer.frames(peer.socket.recv(1000)) == [Frame(TEXT, b"post")]
    peer.say(b"ack")
    assert receive(link, 1) == [b"ack"]


def test_tls_holds_nothing_back_that_the_selector_cannot_see(tls_line: tuple[WebSocket, Peer]) -> None:
    """One record of 16 KiB may hold many texts; once it is decrypted, the socket is no longer readable."""
    link, peer = tls_line
    texts = [b"%05d" % n * 20 for n in range(5_000)]
    writer = threading.Thread(target=lambda: peer.say(*texts))
    writer.start()
    assert receive(link, len(texts)) == texts
    writer.join(DEADLINE)


def test_tls_sends_everything_though_the_socket_takes_little(tls_line: tuple[WebSocket, Peer]) -> None:
    link, peer = tls_line
    small(link._socket)
    text = b"x" * 3_000_000
    link.send([text])
    assert link.wants_write
    received: list[Frame] = []

    def read() -> None:
        while not received:
            received.extend(peer.frames(peer.socket.recv(65536)))

    reader = threading.Thread(target=read)
    reader.start()
    flush(link, lambda: bool(received))
    reader.join(DEADLINE)
    assert received == [Frame(TEXT, text)]


def test_tls_that_breaks_is_a_tls_failure(tls_line: tuple[WebSocket, Peer]) -> None:
    link, peer = tls_line
    raw = socket.socket(fileno=peer.socket.detach())
    raw.sendall(b"\x17\x03\x03\x00\x20" + b"\0" * 32)
    end = lost(link)
    raw.close()
    assert end.failure is Failure.TLS
    assert str(end).startswith("TLS failed: ")
