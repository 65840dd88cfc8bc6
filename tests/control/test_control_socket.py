"""The control socket: an order and its answer go over it, and nobody gives one who may not."""

import grp
import os
import pwd
import socket
import stat
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from contribd.control import server as server_module
from contribd.control.client import Unreachable, ask
from contribd.control.requests import (
    MAX_BYTES,
    MAX_REASON,
    BadRequest,
    decode_answer,
    decode_request,
    encode_order,
)
from contribd.control.server import MAX_CALLERS, ControlServer
from contribd.engine.records.offsets import Partition
from contribd.engine.records.pauses import PauseKind, Selector
from contribd.engine.records.standing import OrderKind
from contribd.orders import Answer, Order, SkipOrder
from contribd.pausing.pause_orders import PauseOrder, ResumeOrder
from contribd.quoting.quote_orders import QuoteOrder
from contribd.reloads import Planned, ReloadOrder

SKIP = SkipOrder(Partition("prices", 3), 1812, "the disk of broker 2")
ME = pwd.getpwuid(os.getuid()).pw_name


class Daemon:
    """What answers, and what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[Order | ReloadOrder, str]] = []
        self.free = threading.Event()
        self.free.set()
        self.fault: Exception | None = None

    def answer(self, order: Order | ReloadOrder, by: str) -> Answer:
        if self.fault is not None:
            raise self.fault
        self.asked.append((order, by))
        self.free.wait(10)
        return Answer(True, "done")


@pytest.fixture
def daemon() -> Daemon:
    return Daemon()


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("c") / "a" / "contribd.sock"


Serve = Callable[..., ControlServer]


@pytest.fixture
def serve(daemon: Daemon, place: Path) -> Iterator[Serve]:
    """Starts a server, and waits until it takes orders where it can."""
    started: list[ControlServer] = []

    def start(*, group: str | None = None, ready: bool = True) -> ControlServer:
        one = ControlServer(place, group, daemon.answer)
        started.append(one)
        one.start()
        if ready:
            eventually(place.exists)
        return one

    yield start
    for one in started:
        one.close()


def eventually(true: Callable[[], bool], within: float = 5.0) -> None:
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def exchange(place: Path, request: bytes) -> Answer:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        caller.settimeout(5)
        caller.connect(str(place))
        caller.sendall(request)
        caller.shutdown(socket.SHUT_WR)
        return decode_answer(caller.recv(MAX_BYTES))


def test_an_order_comes_with_who_gives_it_as_the_kernel_knows_it(serve: Serve, daemon: Daemon, place: Path) -> None:
    serve()
    assert ask(SKIP, [place.with_name("none"), place]) == Answer(True, "done")
    assert daemon.asked == [(SKIP, f"{ME} (uid {os.getuid()})")]


def test_the_file_is_for_its_user_alone_or_for_a_group(serve: Serve, place: Path) -> None:
    first = serve()
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700
    first.close()
    serve(group=grp.getgrgid(os.getgid()).gr_name)
    assert stat.S_IMODE(place.stat().st_mode) == 0o660
    assert place.stat().st_gid == os.getgid()


def test_a_group_that_is_not_there_is_told(
    serve: Serve, place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "RETRY_SECONDS", 0.01)
    serve(group="nobody-has-this", ready=False)
    time.sleep(0.2)  # several tries
    assert not place.exists()
    assert capsys.readouterr().err.count("there is no group nobody-has-this") == 1


@pytest.mark.parametrize(
    ("request_bytes", "said"),
    [
        (b"", "not JSON"),
        (b"\xff\n", "not JSON"),
        (b"[" * 5_000 + b"\n", "not JSON"),
        (b"7\n", "expected a JSON object"),
        (b'{"order":"stop"}\n', "there is no such order; there are: skip, pause, resume, withdraw, republish, reload"),
        (b'{"order":["skip"]}\n', "there is no such order"),
        (b'{"order":"skip"}\n', "skip takes topic, partition, offset and reason"),
        (b'{"order":"skip","topic":"p","partition":-1,"offset":1,"reason":"x"}\n', "as whole numbers"),
        (b'{"order":"skip","topic":"p","partition":true,"offset":1,"reason":"x"}\n', "as whole numbers"),
        (b'{"order":"skip","topic":"p","partition":1,"offset":1e99,"reason":"x"}\n', "as whole numbers"),
        (b'{"order":"skip","topic":7,"partition":1,"offset":1,"reason":"x"}\n', "as text"),
        (b'{"order":"skip","topic":"p","partition":1,"offset":1,"reason":" "}\n', "the reason must be one line"),
        (b'{"order":"skip","topic":"p","partition":1,"offset":1,"reason":"a\\nb"}\n', "the reason must be one line"),
        (b'{"order":"pause","what":{"ric":"EUR*"}}\n', "pause takes what, and reason as text"),
        (b'{"order":"pause","what":{"ric":"EUR*"},"reason":7}\n', "pause takes what, and reason as text"),
        (b'{"order":"pause","what":{"ric":""},"reason":"x"}\n', "what is one of ric, mapping, desk with a name"),
        (b'{"order":"pause","what":{"all":false},"reason":"x"}\n', "or all with true"),
        (b'{"order":"resume","what":{"ric":"A","all":true},"reason":"x"}\n', "what is one of"),
        (b'{"order":"resume","what":"all","reason":"x"}\n', "what is one of"),
        (b'{"order":"resume","what":{"topic":"x"},"reason":"x"}\n', "what is one of"),
        (b"x" * (MAX_BYTES + 1), "a request has at most"),
    ],
)
def test_what_is_no_order_is_answered_and_nothing_is_done(
    serve: Serve, daemon: Daemon, place: Path, request_bytes: bytes, said: str
) -> None:
    serve()
    answer = exchange(place, request_bytes)
    assert (answer.done, said in answer.text) == (False, True), answer.text
    assert daemon.asked == []


@pytest.mark.parametrize(
    "order",
    [
        SKIP,
        PauseOrder(Selector(PauseKind.RIC, "EUR*"), "x"),
        PauseOrder(Selector(PauseKind.ALL), "x"),
        ResumeOrder(Selector(PauseKind.DESK, "fx"), "x"),
        QuoteOrder(OrderKind.WITHDRAW, Selector(PauseKind.MAPPING, "m"), "x"),
        QuoteOrder(OrderKind.REPUBLISH, Selector(PauseKind.ALL), "x"),
    ],
)
def test_an_order_arrives_as_it_was_given(order: Order) -> None:
    assert decode_request(encode_order(order)) == order


def test_a_reason_has_an_end() -> None:
    with pytest.raises(BadRequest):
        decode_request(encode_order(SKIP._replace(reason="x" * (MAX_REASON + 1))))


@pytest.mark.parametrize("order", [ReloadOrder(), ReloadOrder(Planned("new", "old", "0.1.0"))])
def test_a_reload_arrives_as_it_was_asked_for(order: ReloadOrder) -> None:
    assert decode_request(encode_order(order)) == order


@pytest.mark.parametrize("more", ['"plan":7', '"plan":{}', '"plan":{"candidate":1,"against":"","version":""}', '"x":1'])
def test_what_a_reload_does_not_take_is_refused(more: str) -> None:
    with pytest.raises(BadRequest, match="reload takes"):
        decode_request(b'{"order":"reload",%s}\n' % more.encode())


def test_a_fault_of_ours_is_answered_at_once(serve: Serve, daemon: Daemon, place: Path) -> None:
    daemon.fault = TypeError("no")
    serve()
    answer = ask(SKIP, [place])
    assert not answer.done
    assert answer.text.startswith("a fault of contribd: TypeError('no')")


def test_who_says_nothing_is_let_go(serve: Serve, daemon: Daemon, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "REQUEST_SECONDS", 0.1)
    serve()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        caller.settimeout(5)
        caller.connect(str(place))
        assert "no request came within" in decode_answer(caller.recv(MAX_BYTES)).text
    assert daemon.asked == []


def test_too_many_at_once_are_told_to_come_again(serve: Serve, daemon: Daemon, place: Path) -> None:
    serve()
    daemon.free.clear()
    threads = [threading.Thread(target=ask, args=(SKIP, [place])) for _ in range(MAX_CALLERS)]
    for thread in threads:
        thread.start()
    eventually(lambda: len(daemon.asked) == MAX_CALLERS)
    assert "too many orders at once" in ask(SKIP, [place]).text
    daemon.free.set()
    for thread in threads:
        thread.join(5)
    assert ask(SKIP, [place]).done


def test_a_file_that_a_dead_daemon_left_is_replaced(serve: Serve, place: Path) -> None:
    place.parent.mkdir()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dead:
        dead.bind(str(place))
    serve(ready=False)
    eventually(lambda: _answers(place))


def _answers(place: Path) -> bool:
    try:
        return ask(SKIP, [place]).done
    except Unreachable:
        return False


def test_one_that_a_live_daemon_serves_is_not_taken_until_it_ends(
    serve: Serve, place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "RETRY_SECONDS", 0.02)
    first = serve()
    before = place.stat().st_ino
    serve()
    time.sleep(0.2)
    assert place.stat().st_ino == before
    assert capsys.readouterr().err.count("another contribd of this instance has it") == 1
    first.close()
    eventually(lambda: _answers(place))


def test_what_is_no_socket_is_left_alone(serve: Serve, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place.parent.mkdir()
    place.write_text("mine")
    serve().close()
    assert place.read_text() == "mine"
    assert "it is no socket" in capsys.readouterr().err


def test_it_is_gone_once_it_is_closed(serve: Serve, place: Path) -> None:
    serve().close()
    assert not place.exists()
    with pytest.raises(Unreachable, match="is it running"):
        ask(SKIP, [place])


def test_without_a_socket_nothing_can_be_ordered() -> None:
    with pytest.raises(Unreachable, match=r"control\.socket"):
        ask(SKIP, [])


@pytest.mark.skipif(os.getuid() == 0, reason="root may do anything")
def test_who_may_not_is_told_who_may(serve: Serve, place: Path) -> None:
    serve()
    place.chmod(0)
    with pytest.raises(Unreachable, match="may not give orders"):
        ask(SKIP, [place])
